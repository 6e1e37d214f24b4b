//! What is judged: facts of the last minutes, of all instances together.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::conditions::{self, Said};
use super::row::{Parameter, at, micros};
use crate::analyze::baseline::Hour;
use crate::analyze::judge::Execution;
use crate::analyze::statements::{Failures, Statement};
use crate::base::units::{Nanos, WallTime};
use crate::sql::hash::QueryHash;
use crate::sql::kind::Class;
use crate::stats::histogram::Histogram;
use crate::store::error::Error;
use crate::store::link::Link;

/// Executions of so long ago are judged; whoever judges may have been away. Less than rows are remembered for.
const EXECUTIONS: Nanos = Nanos::from_millis(15 * 60_000);
/// Failures are counted over so many minutes.
const FAILURES: Nanos = Nanos::from_millis(10 * 60_000);
/// Fewer failures are no rate; less is not even read.
const FAILURES_MIN: i64 = 5;
/// A statement's hours are read as far back.
const HOURS: Nanos = Nanos::from_millis(9 * 86_400_000);
/// And no further, however long one has been slower: by then that is what is usual.
const HOURS_MAX: Nanos = Nanos::from_millis(36 * 86_400_000);
/// What an instance said counts for so long.
const SAID: Nanos = Nanos::from_millis(3 * 60_000);
/// Of a server so many statements are compared with their past.
const BUSY: i32 = 500;

/// Of all servers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Facts {
    /// All instances that live have written up to here; `None` when none does, so that nothing is known.
    pub at: Option<WallTime>,
    /// Every monitored server.
    pub servers: Vec<String>,
    /// Single executions, with their servers.
    pub executions: Vec<(String, Execution)>,
    /// Statements that failed, with their servers.
    pub failures: Vec<(String, Failures)>,
    /// What instances say of themselves.
    pub said: Vec<Said>,
    /// Instances and how far their clocks are off the store's.
    pub clocks: Vec<(String, Nanos)>,
    /// For how many days there are partitions.
    pub days_ahead: Option<f64>,
}

/// The facts of the last minutes; of executions those above `duration_min`.
///
/// # Errors
/// What the store said.
pub async fn read(link: &Link, duration_min: Nanos) -> Result<Facts, Error> {
    let mut facts = Facts { servers: servers(link).await?, days_ahead: days_ahead(link).await?, ..Facts::default() };
    let Some(known) = known(link).await? else { return Ok(facts) };
    facts.at = Some(known.at);
    facts.clocks = known.clocks;
    facts.said = conditions::read(link, known.now.before(SAID)).await?;
    facts.executions = executions(link, known.at, duration_min).await?;
    facts.failures = failures(link, known.minutes).await?;
    Ok(facts)
}

struct Known {
    now: WallTime,
    /// All that happened before is in the tables.
    at: WallTime,
    /// All minutes that ended before are.
    minutes: WallTime,
    clocks: Vec<(String, Nanos)>,
}

/// By the newest batches of those that live (STORE §3). An instance that wrote at some time had nothing else to write then.
async fn known(link: &Link) -> Result<Option<Known>, Error> {
    let sql = format!(
        "with newest as (
            select distinct on (b.instance_id) b.instance_id, b.idle, b.written_at, b.clock_offset_us
            from {{schema}}.batches b
            where b.day >= (now() - interval '1 day')::date
            order by b.instance_id, b.sequence desc
        ), live as (
            select n.*, i.instance, (
                select max(b.last_bucket) + interval '1 minute' from {{schema}}.batches b
                where b.instance_id = n.instance_id and b.day >= (now() - interval '1 day')::date
            ) as minutes_to
            from newest n join {{schema}}.instances i using (instance_id)
            where clock_timestamp() - n.written_at < case when n.idle then interval '1 day' else interval '5 minutes' end
        )
        select {now} now_us, {at} at_us, {minutes} minutes_us, array_agg(instance) instances,
            array_agg(coalesce(clock_offset_us, 0)) offsets
        from live having count(*) > 0",
        now = micros("clock_timestamp()"),
        at = micros("coalesce(min(written_at) filter (where not idle), clock_timestamp())"),
        minutes = micros("coalesce(min(minutes_to) filter (where not idle), date_trunc('minute', clock_timestamp()))"),
    );
    let rows = link.client.query_typed(&link.schema.fill(&sql), &[]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let time = |column| row.try_get(column).map(WallTime::from_unix_micros);
    let (instances, offsets): (Vec<String>, Vec<i64>) = (row.try_get("instances")?, row.try_get("offsets")?);
    let clocks = instances.into_iter().zip(offsets.into_iter().map(|us| Nanos::from_micros(us.unsigned_abs())));
    Ok(Some(Known { now: time("now_us")?, at: time("at_us")?, minutes: time("minutes_us")?, clocks: clocks.collect() }))
}

/// Every monitored server; made-up ones are left alone.
///
/// # Errors
/// What the store said.
pub async fn servers(link: &Link) -> Result<Vec<String>, Error> {
    let sql = link.schema.fill("select server from {schema}.servers where not is_demo order by server");
    let rows = link.client.query_typed(&sql, &[]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

async fn days_ahead(link: &Link) -> Result<Option<f64>, Error> {
    let rows = link.client.query_typed(&link.schema.fill("select {schema}.days_ahead()"), &[]).await?;
    Ok(rows.first().ok_or(Error::Answer("no word on partitions"))?.try_get(0)?)
}

async fn executions(link: &Link, to: WallTime, duration_min: Nanos) -> Result<Vec<(String, Execution)>, Error> {
    let sql = format!(
        "select {micros} at_us, e.* from {{schema}}.long_executions({from}, {to}, $3) e",
        micros = micros("e.at"),
        from = at("$1"),
        to = at("$2")
    );
    let (from, to) = (to.before(EXECUTIONS).unix_micros(), to.unix_micros());
    let duration_min = duration_min.as_millis_f64();
    let parameters: [Parameter<'_>; 3] = [(&from, Type::INT8), (&to, Type::INT8), (&duration_min, Type::FLOAT8)];
    let rows = link.client.query_typed(&link.schema.fill(&sql), &parameters).await?;
    let execution = |row: &Row| {
        let duration_ms: f64 = row.try_get("duration_ms")?;
        let execution = Execution {
            at: WallTime::from_unix_micros(row.try_get("at_us")?),
            database: row.try_get("datname")?,
            query_hash: hash(row)?,
            class: class(row)?,
            summary: row.try_get("summary")?,
            duration: Nanos::new((duration_ms * 1e6) as u64),
            is_running: row.try_get("is_running")?,
            is_exempt: row.try_get("is_exempt")?,
        };
        Ok((row.try_get("server")?, execution))
    };
    rows.iter().map(execution).collect()
}

async fn failures(link: &Link, to: WallTime) -> Result<Vec<(String, Failures)>, Error> {
    let sql = format!(
        "select f.*, {micros} first_us from {{schema}}.failing_statements({from}, {to}, $3) f",
        micros = micros("f.first_seen"),
        from = at("$1"),
        to = at("$2")
    );
    let (from, to_us) = (to.before(FAILURES).unix_micros(), to.unix_micros());
    let parameters: [Parameter<'_>; 3] = [(&from, Type::INT8), (&to_us, Type::INT8), (&FAILURES_MIN, Type::INT8)];
    let mut found = Vec::new();
    for row in link.client.query_typed(&link.schema.fill(&sql), &parameters).await? {
        let (calls, errors): (i64, i64) = (row.try_get("calls")?, row.try_get("errors")?);
        let (calls, errors) = (calls.unsigned_abs(), errors.unsigned_abs());
        found.push((row.try_get("server")?, Failures { statement: statement(&row)?, at: to, calls, errors }));
    }
    let mut by_server: BTreeMap<String, Vec<QueryHash>> = BTreeMap::new();
    for (server, failures) in &found {
        by_server.entry(String::clone(server)).or_default().push(failures.statement.query_hash);
    }
    for (server, hashes) in by_server {
        let mut hours = hours(link, &server, &hashes, (to.before(HOURS), to)).await?;
        for (_, one) in found.iter_mut().filter(|(of, _)| *of == server) {
            one.statement.hours = hours.remove(&key(&one.statement)).unwrap_or_default();
        }
    }
    Ok(found)
}

/// The statements of a server that took most time in the day before `to`, with their hours.
///
/// # Errors
/// What the store said.
pub async fn busy(link: &Link, server: &str, to: WallTime) -> Result<Vec<Statement>, Error> {
    let sql = format!(
        "select b.*, {} first_us from {{schema}}.busy_statements($1, {}, $3) b",
        micros("b.first_seen"),
        at("$2")
    );
    let to_us = to.unix_micros();
    let parameters: [Parameter<'_>; 3] = [(&server, Type::TEXT), (&to_us, Type::INT8), (&BUSY, Type::INT4)];
    let rows = link.client.query_typed(&link.schema.fill(&sql), &parameters).await?;
    let mut statements = rows.iter().map(statement).collect::<Result<Vec<Statement>, Error>>()?;
    let hashes: Vec<QueryHash> = statements.iter().map(|statement| statement.query_hash).collect();
    let mut hours = hours(link, server, &hashes, (to.before(HOURS), to)).await?;
    for statement in &mut statements {
        statement.hours = hours.remove(&key(statement)).unwrap_or_default();
    }
    Ok(statements)
}

/// Reads more hours of those that have been slower for some days: what came since is no baseline.
///
/// # Errors
/// What the store said.
pub async fn reach_back(link: &Link, server: &str, statements: &mut [Statement], to: WallTime) -> Result<(), Error> {
    let Some(since) = statements.iter().filter_map(|statement| statement.regressed_since).min() else { return Ok(()) };
    let from = since.before(HOURS).max(to.before(HOURS_MAX));
    let mut slower: Vec<_> = statements.iter_mut().filter(|statement| statement.regressed_since.is_some()).collect();
    let hashes: Vec<QueryHash> = slower.iter().map(|statement| statement.query_hash).collect();
    let mut hours = hours(link, server, &hashes, (from, to)).await?;
    for statement in &mut slower {
        statement.hours = hours.remove(&key(statement)).unwrap_or_default();
    }
    Ok(())
}

type Key = (Option<String>, QueryHash);

fn key(statement: &Statement) -> Key {
    (statement.database.clone(), statement.query_hash)
}

async fn hours(
    link: &Link,
    server: &str,
    hashes: &[QueryHash],
    (from, to): (WallTime, WallTime),
) -> Result<BTreeMap<Key, Vec<Hour>>, Error> {
    let sql = format!(
        "select h.*, {micros} hour_us from {{schema}}.statement_hours($1, $2, {from}, {to}) h",
        micros = micros("h.hour"),
        from = at("$3"),
        to = at("$4")
    );
    let hashes: Vec<String> = hashes.iter().map(ToString::to_string).collect();
    let (from, to) = (from.unix_micros(), to.unix_micros());
    let parameters: [Parameter<'_>; 4] =
        [(&server, Type::TEXT), (&hashes, Type::TEXT_ARRAY), (&from, Type::INT8), (&to, Type::INT8)];
    let mut hours: BTreeMap<Key, Vec<Hour>> = BTreeMap::new();
    for row in link.client.query_typed(&link.schema.fill(&sql), &parameters).await? {
        let count = |column: &str| row.try_get::<_, i64>(column).map(i64::unsigned_abs);
        let (tops, counts): (Vec<i32>, Vec<i64>) = (row.try_get("tops")?, row.try_get("counts")?);
        let buckets = tops.into_iter().zip(counts).map(|(top, n)| (top.cast_unsigned(), n.unsigned_abs()));
        let hour = Hour {
            at: WallTime::from_unix_micros(row.try_get("hour_us")?),
            calls: count("calls")?,
            errors: count("errors")?,
            total: Nanos::from_micros(count("total_us")?),
            durations: Histogram::from_buckets(buckets),
        };
        hours.entry((Some(row.try_get("datname")?), hash(&row)?)).or_default().push(hour);
    }
    Ok(hours)
}

/// Without its hours.
fn statement(row: &Row) -> Result<Statement, Error> {
    Ok(Statement {
        query_hash: hash(row)?,
        database: Some(row.try_get("datname")?),
        class: class(row)?,
        summary: row.try_get("summary")?,
        is_exempt: row.try_get("is_exempt")?,
        first_seen: WallTime::from_unix_micros(row.try_get("first_us")?),
        hours: Vec::new(),
        regressed_since: None,
    })
}

fn hash(row: &Row) -> Result<QueryHash, Error> {
    let text: &str = row.try_get("query_hash")?;
    text.parse().map_err(|_| Error::Answer("a query_hash that is none"))
}

fn class(row: &Row) -> Result<Class, Error> {
    let text: &str = row.try_get("class")?;
    Ok(Class::ALL.iter().copied().find(|class| class.as_str() == text).unwrap_or(Class::Data))
}
