//! Which rows take part in an answer, as SQL. Values are parameters; only names of ours are put into the text.

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::question::{Question, Whose};
use crate::store::error::Error;
use crate::store::link::Link;

/// Parameters that every statement here begins with: $1 since, $2 until (seconds), $3 server, $4 database, $5 user,
/// $6 application, $7 service, $8 instance, $9 life, $10 and $11 a tag's name and value.
pub(super) struct Asked<'a> {
    link: &'a Link,
    since: f64,
    until: f64,
    texts: [Option<&'a str>; 6],
    life: Option<i32>,
    tag: [Option<&'a str>; 2],
}

/// Rows of statistics with what their series is; `{rows}` of the statements here.
const OF_ALL: &str = "\
select s.query_hash, s.datname, s.usename, s.application_name, q.*
from {schema}.query_stats_at(to_timestamp($1), to_timestamp($2), make_interval(secs => {step})) q
join {schema}.series s using (series_id)
where ($7::text is null or q.service_id in (select service_id from {schema}.services where service = $7))
    and $8::text is null and $9::integer is null";

/// Rolled-up rows have no instance, so minutes alone can tell.
const OF_INSTANCE: &str = "\
select s.query_hash, s.datname, s.usename, s.application_name, q.*, i.service_id
from {schema}.query_stats q
join {schema}.instances i using (instance_id)
join {schema}.series s using (series_id)
where q.bucket >= to_timestamp($1) and q.bucket < to_timestamp($2) and $7::text is null
    and ($8::text is null or i.instance = $8) and ($9::integer is null or i.instance_id = $9)";

/// Sums by tag, as rows of statistics: they have no series, are never rolled up, and hold a part of the columns.
const OF_TAG: &str = "\
select s.query_hash, '' datname, '' usename, '' application_name, s.bucket, s.rows, s.total_us, s.instance_id, s.calls,
    s.errors, s.buckets_us, s.counts, null::bigint bytes_in, null::bigint bytes_out, null::bigint first_row_us,
    null::bigint client_stall_us, null::bigint max_us, null::bigint aborted, null::bigint batched, null::bigint min_us,
    null::bigint fast_calls, null::bigint slow_calls, null::bigint very_slow_calls, null::bigint first_row_calls,
    null::bigint prepares, null::bigint prepare_us
from {schema}.tag_stats s
where s.bucket >= to_timestamp($1) and s.bucket < to_timestamp($2) and s.tag_key = $10 and s.tag_value = $11
    and s.instance_id in ({instances})";

const FILTER: &str = " \
and ($3::text is null or s.server = $3) and ($4::text is null or s.datname = $4)
    and ($5::text is null or s.usename = $5) and ($6::text is null or s.application_name = $6)";

/// One statement's rows: $12 is its hash, and its series are named. A join alone would read those of all statements, for
/// nothing else of a condition reaches the tables' indexes through a union.
const OF_STATEMENT: &str =
    " and q.series_id = any (array(select series_id from {schema}.series where query_hash = $12))";

/// The same of several: $12 is an array of hashes.
const OF_STATEMENTS: &str =
    " and q.series_id = any (array(select series_id from {schema}.series where query_hash = any ($12)))";

const OF_DATA: &str = "exists (select from {schema}.queries d where d.query_hash = s.query_hash and d.class = 'data')";

/// Instances that take part, for tables that have them and no series. Which servers an instance measured is not known, but
/// one that was made up has none that was not (tables of an earlier version have no such mark).
pub(super) const INSTANCES: &str = "\
select i.instance_id from {schema}.instances i join {schema}.services v using (service_id)
where ($7::text is null or v.service = $7) and ($8::text is null or i.instance = $8)
    and ($9::integer is null or i.instance_id = $9) and ($3::text is null or
        coalesce((to_jsonb(i) ->> 'is_demo')::boolean, false) = (
            select coalesce((to_jsonb(w) ->> 'is_demo')::boolean, false) from {schema}.servers w where w.server = $3
        ))";

impl<'a> Asked<'a> {
    pub(super) fn new(link: &'a Link, question: &'a Question) -> Self {
        let filter = &question.filter;
        let [server, database, user, application] =
            [&filter.server, &filter.database, &filter.user, &filter.application].map(Option::as_deref);
        let (service, instance, life) = match &question.whose {
            Whose::All => (None, None, None),
            Whose::Service(name) => (Some(name.as_str()), None, None),
            Whose::Instance(name) => (None, Some(name.as_str()), None),
            Whose::Life(id) => (None, None, i32::try_from(*id).ok()),
        };
        let seconds = |time: crate::base::units::WallTime| time.unix_micros() as f64 / 1e6;
        Self {
            link,
            since: seconds(question.window.from),
            until: seconds(question.window.to),
            texts: [server, database, user, application, service, instance],
            life,
            tag: [filter.tag.as_ref().map(|tag| tag.key.as_str()), filter.tag.as_ref().map(|tag| tag.value.as_str())],
        }
    }

    /// The rows of statistics, not coarser than `step` seconds where they are kept so fine; `s.query_hash` is their
    /// statement.
    pub(super) fn rows(&self, step: u32) -> String {
        if self.is_of_tag() {
            return OF_TAG.replace("{instances}", INSTANCES);
        }
        let single = self.life.is_some() || self.texts.last().is_some_and(Option::is_some);
        let rows = if single { OF_INSTANCE } else { OF_ALL };
        format!("{rows}{FILTER}").replace("{step}", &step.to_string())
    }

    /// Names the series of the statement $12, for conditions on the rows.
    pub(super) fn of_statement(&self) -> &'static str {
        if self.is_of_tag() { "" } else { OF_STATEMENT }
    }

    /// The same of the statements in $12.
    pub(super) fn of_statements(&self) -> &'static str {
        if self.is_of_tag() { "" } else { OF_STATEMENTS }
    }

    /// That rows are of a data statement.
    pub(super) fn of_data(&self) -> &'static str {
        // Others have no sums by tag.
        if self.is_of_tag() { "true" } else { OF_DATA }
    }

    fn is_of_tag(&self) -> bool {
        self.tag.iter().all(Option::is_some)
    }

    /// Asks `sql`, in which `more` parameters begin at $12.
    pub(super) async fn ask(&self, sql: &str, more: &[(&(dyn ToSql + Sync), Type)]) -> Result<Vec<Row>, Error> {
        let mut parameters: Vec<(&(dyn ToSql + Sync), Type)> =
            vec![(&self.since, Type::FLOAT8), (&self.until, Type::FLOAT8)];
        for text in &self.texts {
            parameters.push((text, Type::TEXT));
        }
        parameters.push((&self.life, Type::INT4));
        for text in &self.tag {
            parameters.push((text, Type::TEXT));
        }
        parameters.extend(more.iter().cloned());
        Ok(self.link.client.query_typed(&self.link.schema.fill(sql), &parameters).await?)
    }
}

/// A count or a sum, which is never negative.
pub(super) fn count(row: &Row, column: &str) -> Result<u64, Error> {
    let value: Option<i64> = row.try_get(column)?;
    Ok(value.unwrap_or_default().unsigned_abs())
}
