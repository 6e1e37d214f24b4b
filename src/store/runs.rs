//! What came of jobs: a row for each slot of a job and a server, with its steps as whoever ran it tells them.

use tokio_postgres::types::{ToSql, Type};

use super::error::Error;
use super::link::Link;
use super::snapshots::Slot;
use crate::base::units::WallTime;

type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// A slot's steps as JSON; `None` when nobody was at it.
///
/// # Errors
/// What the store said.
pub async fn steps(link: &Link, slot: Slot<'_>) -> Result<Option<String>, Error> {
    let sql = "select steps::text from {schema}.job_runs \
               where job = $1 and server = $2 and slot = timestamptz 'epoch' + $3 * interval '1 microsecond'";
    let at_us = slot.at.unix_micros();
    let parameters: [Parameter<'_>; 3] = [(&slot.job, Type::TEXT), (&slot.server, Type::TEXT), (&at_us, Type::INT8)];
    let rows = link.client.query_typed(&link.schema.fill(sql), &parameters).await?;
    Ok(rows.first().map(|row| row.try_get(0)).transpose()?.flatten())
}

/// Notes a slot's steps, in place of those that were known.
///
/// # Errors
/// What the store said.
pub async fn note(link: &Link, slot: Slot<'_>, started: WallTime, steps: &str) -> Result<(), Error> {
    let sql = "insert into {schema}.job_runs (job, server, slot, started_at, steps) values ($1, $2, \
                   timestamptz 'epoch' + $3 * interval '1 microsecond', \
                   timestamptz 'epoch' + $4 * interval '1 microsecond', $5::text::jsonb) \
               on conflict (job, server, slot) do update set done_at = clock_timestamp(), \
                   started_at = excluded.started_at, steps = excluded.steps";
    let (at_us, started_us) = (slot.at.unix_micros(), started.unix_micros());
    let parameters: [Parameter<'_>; 5] = [
        (&slot.job, Type::TEXT),
        (&slot.server, Type::TEXT),
        (&at_us, Type::INT8),
        (&started_us, Type::INT8),
        (&steps, Type::TEXT),
    ];
    link.client.execute_typed(&link.schema.fill(sql), &parameters).await?;
    Ok(())
}

/// Since when somebody holds a lease; `None` when nobody does.
///
/// # Errors
/// What the store said.
pub async fn held_since(link: &Link, duty: &str, server: &str) -> Result<Option<WallTime>, Error> {
    let sql = "select (extract(epoch from coalesce(since, until - interval '30 seconds')) * 1000000)::bigint \
               from {schema}.leases where duty = $1 and server = $2 and until >= clock_timestamp()";
    let parameters: [Parameter<'_>; 2] = [(&duty, Type::TEXT), (&server, Type::TEXT)];
    let rows = link.client.query_typed(&link.schema.fill(sql), &parameters).await?;
    let since: Option<i64> = rows.first().map(|row| row.try_get(0)).transpose()?;
    Ok(since.map(WallTime::from_unix_micros))
}
