//! Statements over a window, each group once, with its durations.

use std::sync::Arc;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::question::Question;
use super::source::{Asked, OF_STATEMENT, count};
use crate::base::units::Nanos;
use crate::sql::hash::QueryHash;
use crate::sql::kind::{Class, Kind};
use crate::sql::query::Query;
use crate::stats::histogram::Histogram;
use crate::stats::live::{GroupBy, KnownQuery, StatementRow};
use crate::stats::series::SeriesStats;
use crate::store::error::Error;
use crate::store::link::Link;

/// A day: the coarsest rows that hold the range.
const COARSEST: u32 = 86_400;

/// Sums of what `part` holds, by `key`; with the buckets added up.
pub(super) const SUMS: &str = "\
total as (
    select {key}, sum(rows)::bigint rows, sum(bytes_in)::bigint bytes_in, sum(bytes_out)::bigint bytes_out,
        sum(total_us)::bigint total_us, sum(first_row_us)::bigint first_row_us,
        sum(client_stall_us)::bigint client_stall_us, max(max_us)::bigint max_us, sum(calls)::bigint calls,
        sum(errors)::bigint errors, sum(aborted)::bigint aborted, sum(batched)::bigint batched,
        coalesce(min(min_us) filter (where calls > 0), 0)::bigint min_us, sum(fast_calls)::bigint fast_calls,
        sum(slow_calls)::bigint slow_calls, sum(very_slow_calls)::bigint very_slow_calls,
        sum(first_row_calls)::bigint first_row_calls, sum(prepares)::bigint prepares,
        sum(prepare_us)::bigint prepare_us, bool_or(instance_id is null) rolled
    from part group by {key}
), bucket as (
    select {key}, top_us, sum(n)::bigint n
    from (select {key}, unnest(buckets_us) top_us, unnest(counts)::bigint n from part) u
    group by {key}, top_us
), histogram as (
    select {key}, array_agg(top_us) tops, array_agg(n) counts from bucket group by {key}
)";

/// The rows; of one statement where it is named.
pub(super) async fn read(
    link: &Link,
    question: &Question,
    group: GroupBy,
    hash: Option<QueryHash>,
) -> Result<Vec<StatementRow>, Error> {
    let asked = Asked::new(link, question);
    let (database, others) = match group {
        GroupBy::Hash => ("''", ["''", "''"]),
        GroupBy::HashDatabase => ("datname", ["''", "''"]),
        GroupBy::Full => ("datname", ["usename", "application_name"]),
    };
    let [user, application] = others;
    let sql = format!(
        "with found as ({rows} and ($10::text is null or s.query_hash = $10){named}),
        part as materialized (
            select query_hash h, {database}::text d, {user}::text u, {application}::text a, found.* from found
        ), {sums}
        select t.*, h.tops, h.counts, q.query, q.kind, q.class, q.summary, q.name, q.tables
        from total t left join histogram h using (h, d, u, a) left join {{schema}}.queries q on q.query_hash = t.h",
        rows = asked.rows(COARSEST),
        named = if hash.is_some() { OF_STATEMENT } else { "" },
        sums = SUMS.replace("{key}", "h, d, u, a"),
    );
    let hash = hash.map(|hash| hash.to_string());
    let rows = asked.ask(&sql, &[(&hash, Type::TEXT)]).await?;
    let statement = |row: &Row| {
        let query = known_of(row, "h")?;
        let part = |column| row.try_get::<_, &str>(column).map(Box::<str>::from);
        Ok(StatementRow {
            query: Arc::new(query),
            database: if group == GroupBy::Hash { None } else { Some(part("d")?) },
            user: if group == GroupBy::Full { Some(part("u")?) } else { None },
            application: if group == GroupBy::Full { Some(part("a")?) } else { None },
            stats: stats(row)?,
        })
    };
    rows.iter().map(statement).collect()
}

/// What is known of a statement.
pub(super) async fn known(link: &Link, hash: QueryHash) -> Result<Option<Arc<KnownQuery>>, Error> {
    let sql =
        "select query_hash, query, kind, class, summary, name, tables from {schema}.queries where query_hash = $1";
    let rows = link.client.query_typed(&link.schema.fill(sql), &[(&hash.to_string(), Type::TEXT)]).await?;
    rows.first().map(|row| known_of(row, "query_hash").map(Arc::new)).transpose()
}

/// A statement whose text is missing is shown by its hash alone.
fn known_of(row: &Row, hash: &str) -> Result<KnownQuery, Error> {
    let text = |column: &str| row.try_get::<_, Option<String>>(column);
    let hash: QueryHash =
        row.try_get::<_, &str>(hash)?.parse().map_err(|_| Error::Answer("a query_hash that is none"))?;
    let (kind, class) = (text("kind")?.unwrap_or_default(), text("class")?.unwrap_or_default());
    let kind = Kind::ALL.iter().copied().find(|known| known.as_str() == kind).unwrap_or(Kind::Other);
    let class = Class::ALL.iter().copied().find(|known| known.as_str() == class).unwrap_or(Class::Data);
    let tables: Option<Vec<String>> = row.try_get("tables")?;
    Ok(KnownQuery {
        query: Arc::new(Query { hash, kind, text: text("query")?.unwrap_or_default().into() }),
        class,
        summary: text("summary")?.unwrap_or_default().into(),
        tables: tables.unwrap_or_default().into_iter().map(Into::into).collect(),
        // No answer has them.
        filters: Vec::new(),
        name: text("name")?.map(Into::into),
    })
}

/// The sums of a row.
pub(super) fn stats(row: &Row) -> Result<SeriesStats, Error> {
    let span = |column| Ok::<_, Error>(Nanos::from_micros(count(row, column)?));
    let (calls, good) = (count(row, "calls")?, count(row, "fast_calls")?);
    let (alert, critical) = (count(row, "slow_calls")?, count(row, "very_slow_calls")?);
    let warning = calls.saturating_sub(good).saturating_sub(alert).saturating_sub(critical);
    Ok(SeriesStats {
        calls,
        errors: count(row, "errors")?,
        aborted: count(row, "aborted")?,
        batched: count(row, "batched")?,
        rows: count(row, "rows")?,
        bytes_in: count(row, "bytes_in")?,
        bytes_out: count(row, "bytes_out")?,
        total: span("total_us")?,
        first_row: span("first_row_us")?,
        first_row_calls: count(row, "first_row_calls")?,
        client_stall: span("client_stall_us")?,
        min: span("min_us")?,
        max: span("max_us")?,
        levels: [good, warning, alert, critical],
        prepares: count(row, "prepares")?,
        prepare_time: span("prepare_us")?,
        durations: durations(row)?,
        ..SeriesStats::default()
    })
}

/// The buckets of a row, in any order.
pub(super) fn durations(row: &Row) -> Result<Histogram, Error> {
    let tops: Option<Vec<i32>> = row.try_get("tops")?;
    let counts: Option<Vec<i64>> = row.try_get("counts")?;
    let mut buckets: Vec<(i32, i64)> = tops.unwrap_or_default().into_iter().zip(counts.unwrap_or_default()).collect();
    buckets.sort_unstable();
    Ok(Histogram::from_buckets(buckets.into_iter().map(|(top, n)| (top.unsigned_abs(), n.unsigned_abs()))))
}
