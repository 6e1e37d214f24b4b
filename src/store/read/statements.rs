//! Statements over a window, each group once. Sums are read first; durations are most of what the tables hold, and only of
//! rows that somebody will see.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::question::Question;
use super::source::{Asked, count};
use crate::base::units::{Nanos, WallTime};
use crate::sql::hash::QueryHash;
use crate::sql::kind::{Class, Kind};
use crate::sql::query::Query;
use crate::stats::histogram::Histogram;
use crate::stats::live::{GroupBy, KnownQuery, Page, StatementRow, Window};
use crate::stats::series::SeriesStats;
use crate::store::error::Error;
use crate::store::link::Link;

/// A day: the coarsest rows that hold the range.
const COARSEST: u32 = 86_400;

/// The headline waits for its percentiles no longer.
const TOGETHER_MAX: &str = "set local statement_timeout = '10s'";

/// Sums of rows, by whatever they are grouped by.
const TOTAL: &str = "\
sum(rows)::bigint rows, sum(bytes_in)::bigint bytes_in, sum(bytes_out)::bigint bytes_out,
        sum(total_us)::bigint total_us, sum(first_row_us)::bigint first_row_us,
        sum(client_stall_us)::bigint client_stall_us, max(max_us)::bigint max_us, sum(calls)::bigint calls,
        sum(errors)::bigint errors, sum(aborted)::bigint aborted, sum(batched)::bigint batched,
        coalesce(min(min_us) filter (where calls > 0), 0)::bigint min_us, sum(fast_calls)::bigint fast_calls,
        sum(slow_calls)::bigint slow_calls, sum(very_slow_calls)::bigint very_slow_calls,
        sum(first_row_calls)::bigint first_row_calls, sum(prepares)::bigint prepares,
        sum(prepare_us)::bigint prepare_us, bool_or(instance_id is null) rolled";

/// What `part` holds by `key`: sums, and the buckets added up.
pub(super) fn added_up(key: &str) -> String {
    format!("total as (select {key}, {TOTAL} from part group by {key}), {}", histogram(key))
}

/// The buckets of `part` added up by `key`, which is never null. Keys get numbers first: there are a hundred buckets to a row, and
/// a number is less work for each than texts.
pub(super) fn histogram(key: &str) -> String {
    format!(
        "keys as materialized (select {key}, row_number() over () id from part group by {key}), bucket as (
            select id, top_us, sum(n)::bigint n
            from (select id, unnest(buckets_us) top_us, unnest(counts)::bigint n from part join keys using ({key})) u
            group by id, top_us
        ), summed as (
            select id, array_agg(top_us) tops, array_agg(n) counts from bucket group by id
        ), histogram as (
            select {key}, tops, counts from summed join keys using (id)
        )"
    )
}

/// A group's parts of the key as columns h, d, u and a.
fn parts(group: GroupBy) -> &'static str {
    match group {
        GroupBy::Hash => "query_hash h, ''::text d, ''::text u, ''::text a",
        GroupBy::HashDatabase => "query_hash h, datname::text d, ''::text u, ''::text a",
        GroupBy::Full => "query_hash h, datname::text d, usename::text u, application_name::text a",
    }
}

/// The rows; of these statements where they are named. With their durations and all that is known of them.
pub(super) async fn read(
    link: &Link,
    question: &Question,
    group: GroupBy,
    hashes: Option<&[QueryHash]>,
) -> Result<Vec<StatementRow>, Error> {
    let asked = Asked::new(link, question);
    let sql = format!(
        "with found as ({rows} and ($12::text[] is null or s.query_hash = any ($12)){named}),
        part as materialized (select {parts}, found.* from found), {added_up}
        select t.*, h.tops, h.counts, q.query, q.kind, q.class, q.summary, q.name, q.tables
        from total t left join histogram h using (h, d, u, a) left join {{schema}}.queries q on q.query_hash = t.h",
        rows = asked.rows(COARSEST),
        named = if hashes.is_some() { asked.of_statements() } else { "" },
        parts = parts(group),
        added_up = added_up("h, d, u, a"),
    );
    let rows = asked.ask(&sql, &[(&texts(hashes), Type::TEXT_ARRAY)]).await?;
    rows.iter().map(|row| statement(row, group, durations(row)?)).collect()
}

/// The rows with their sums alone. Of each statement its class is known, and its text where `with_texts` says so.
pub(super) async fn sums(
    link: &Link,
    question: &Question,
    group: GroupBy,
    with_texts: bool,
) -> Result<Vec<StatementRow>, Error> {
    let rows = summed(link, question, group, with_texts).await?;
    rows.iter().map(|row| statement(row, group, Histogram::default())).collect()
}

/// The same by statement and database, and when each statement was seen first.
pub(super) async fn dated_sums(link: &Link, question: &Question) -> Result<Vec<(StatementRow, WallTime)>, Error> {
    let rows = summed(link, question, GroupBy::HashDatabase, false).await?;
    let dated = |row: &Row| {
        let first: Option<i64> = row.try_get("first_us")?;
        let first_seen = WallTime::from_unix_micros(first.unwrap_or_default());
        Ok((statement(row, GroupBy::HashDatabase, Histogram::default())?, first_seen))
    };
    rows.iter().map(dated).collect()
}

async fn summed(link: &Link, question: &Question, group: GroupBy, with_texts: bool) -> Result<Vec<Row>, Error> {
    let asked = Asked::new(link, question);
    let sql = format!(
        "with found as ({rows}),
        total as (select h, d, u, a, {TOTAL} from (select {parts}, found.* from found) part group by h, d, u, a)
        select t.*, {query} query, q.class, (extract(epoch from q.first_seen) * 1000000)::bigint first_us,
            null::text kind, null::text summary, null::text as name, null::text[] tables
        from total t left join {{schema}}.queries q on q.query_hash = t.h",
        rows = asked.rows(COARSEST),
        parts = parts(group),
        query = if with_texts { "q.query" } else { "null::text" },
    );
    asked.ask(&sql, &[]).await
}

/// Puts the page's rows of durations in the place of its rows of sums. The two agree: one look at the tables has both.
pub(super) async fn describe(
    link: &Link,
    question: &Question,
    group: GroupBy,
    page: &Page,
    rows: &mut [StatementRow],
) -> Result<Vec<QueryHash>, Error> {
    let mut ordered = rows.to_vec();
    page.order(&mut ordered);
    let hashes: Vec<QueryHash> = page.cut(&ordered).map(|row| row.query.query.hash).collect();
    let mut described: HashMap<Key, StatementRow> =
        read(link, question, group, Some(&hashes)).await?.into_iter().map(|row| (key(&row), row)).collect();
    for row in rows {
        if let Some(found) = described.remove(&key(row)) {
            *row = found;
        }
    }
    Ok(hashes)
}

/// Durations in equal parts of a time: of each row that has any then, the part's number and the row.
pub(super) async fn sparklines(
    link: &Link,
    question: &Question,
    group: GroupBy,
    (window, count): (Window, u16),
    hashes: Option<&[QueryHash]>,
) -> Result<Vec<(usize, StatementRow)>, Error> {
    let asked = Asked::new(link, question);
    let span = i64::try_from(window.to.since(window.from).as_micros().max(1)).unwrap_or(i64::MAX);
    let step = u32::try_from(span / 1_000_000 / i64::from(count.max(1))).unwrap_or(u32::MAX);
    let sql = format!(
        "with found as ({rows} and ($12::text[] is null or s.query_hash = any ($12)){named}),
        part as (
            select {parts}, ((extract(epoch from bucket) * 1000000)::bigint - $13) * $15 / $14 place, buckets_us, counts
            from found
        ), {histogram}
        select *, null::text query, null::text class, null::text kind, null::text summary, null::text as name,
            null::text[] tables
        from histogram",
        rows = asked.rows(step),
        named = if hashes.is_some() { asked.of_statements() } else { "" },
        parts = parts(group),
        histogram = histogram("h, d, u, a, place"),
    );
    let (from, count) = (window.from.unix_micros(), i64::from(count));
    let more: [(&(dyn ToSql + Sync), Type); 4] =
        [(&texts(hashes), Type::TEXT_ARRAY), (&from, Type::INT8), (&span, Type::INT8), (&count, Type::INT8)];
    let place = |row: &Row| {
        let place: i64 = row.try_get("place")?;
        let stats = SeriesStats { durations: durations(row)?, ..SeriesStats::default() };
        Ok((usize::try_from(place.max(0)).unwrap_or(usize::MAX), identified(row, group, stats)?))
    };
    asked.ask(&sql, &more).await?.iter().map(place).collect()
}

/// The durations of all data statements together: of a large fleet the most that can be asked. Nothing, where that takes too
/// long: figures go out without percentiles rather than not at all. Then nothing more can be asked.
pub(super) async fn together(link: &Link, question: &Question) -> Result<Histogram, Error> {
    link.client.batch_execute(TOGETHER_MAX).await?;
    match all_durations(link, question).await {
        Err(error) if error.is_canceled() => Ok(Histogram::default()),
        durations => durations,
    }
}

async fn all_durations(link: &Link, question: &Question) -> Result<Histogram, Error> {
    let asked = Asked::new(link, question);
    let sql = format!(
        "with found as ({rows} and {data}), bucket as (
            select top_us, sum(n)::bigint n
            from (select unnest(buckets_us) top_us, unnest(counts)::bigint n from found) u
            group by top_us
        )
        select array_agg(top_us) tops, array_agg(n) counts from bucket",
        rows = asked.rows(COARSEST),
        data = asked.of_data(),
    );
    asked.ask(&sql, &[]).await?.first().map_or_else(|| Ok(Histogram::default()), durations)
}

/// What tells the rows of a group apart.
type Key = (QueryHash, [Option<Box<str>>; 3]);

fn key(row: &StatementRow) -> Key {
    (row.query.query.hash, [row.database.clone(), row.user.clone(), row.application.clone()])
}

fn texts(hashes: Option<&[QueryHash]>) -> Option<Vec<String>> {
    hashes.map(|hashes| hashes.iter().map(ToString::to_string).collect())
}

fn statement(row: &Row, group: GroupBy, durations: Histogram) -> Result<StatementRow, Error> {
    identified(row, group, SeriesStats { durations, ..sums_of(row)? })
}

fn identified(row: &Row, group: GroupBy, stats: SeriesStats) -> Result<StatementRow, Error> {
    let part = |column| row.try_get::<_, &str>(column).map(Box::<str>::from);
    Ok(StatementRow {
        query: Arc::new(known_of(row, "h")?),
        database: if group == GroupBy::Hash { None } else { Some(part("d")?) },
        user: if group == GroupBy::Full { Some(part("u")?) } else { None },
        application: if group == GroupBy::Full { Some(part("a")?) } else { None },
        stats,
    })
}

/// What is known of these statements.
pub(super) async fn known(link: &Link, hashes: &[QueryHash]) -> Result<Vec<KnownQuery>, Error> {
    let sql = "select query_hash, query, kind, class, summary, name, tables from {schema}.queries
        where query_hash = any ($1)";
    let rows = link.client.query_typed(&link.schema.fill(sql), &[(&texts(Some(hashes)), Type::TEXT_ARRAY)]).await?;
    rows.iter().map(|row| known_of(row, "query_hash")).collect()
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
    let query = text("query")?.map(|text| Arc::new(Query { hash, kind, text: text.into() }));
    Ok(KnownQuery {
        query: query.unwrap_or_else(|| Query::without_text(hash)),
        class,
        summary: text("summary")?.unwrap_or_default().into(),
        tables: tables.unwrap_or_default().into_iter().map(Into::into).collect(),
        // No answer has them.
        filters: Vec::new(),
        name: text("name")?.map(Into::into),
    })
}

/// The figures of a row.
pub(super) fn stats(row: &Row) -> Result<SeriesStats, Error> {
    Ok(SeriesStats { durations: durations(row)?, ..sums_of(row)? })
}

fn sums_of(row: &Row) -> Result<SeriesStats, Error> {
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
