//! Roll-ups, and partitions that come and go: each step a transaction of its own that anybody may repeat at any time.
//! The work itself is SQL (`migrations/0004_roll_up.sql`, `0005_maintain.sql`).

use std::time::Duration;

use tokio_postgres::types::Type;

use super::error::Error;
use super::link::Link;
use super::settings::Retention;

/// A step may take so long: an hour of a large fleet is many rows.
pub(super) const PATIENT: &str = "set local statement_timeout = '15min'";

/// A lease lasts for so long.
const LEASE: Duration = Duration::from_secs(30);

/// Where `pgvitals serve` says that it is there: a row among the leases that whoever says so may overwrite.
const SERVE: &str = "serve";
/// That counts for so long (STORE §4).
const SERVED: Duration = Duration::from_secs(300);

/// An hour or a day that is over and has not been rolled up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    resolution: String,
    /// Its begin, seconds since the Unix epoch.
    begin_s: i64,
}

/// What can be rolled up, in the order in which it has to be.
///
/// # Errors
/// What the store said.
pub async fn due(link: &Link) -> Result<Vec<Due>, Error> {
    let sql = "select resolution, extract(epoch from bucket)::bigint from {schema}.roll_ups_due()";
    let rows = link.client.query_typed(&link.schema.fill(sql), &[]).await?;
    let due = rows.iter().map(|row| Ok(Due { resolution: row.try_get(0)?, begin_s: row.try_get(1)? }));
    due.collect::<Result<_, tokio_postgres::Error>>().map_err(Error::from)
}

/// Rolls it up; false when somebody had done it.
///
/// # Errors
/// What the store said.
pub async fn roll_up(link: &Link, due: &Due) -> Result<bool, Error> {
    let function = if due.resolution == "day" { "roll_up_day" } else { "roll_up_hour" };
    let sql = format!("select {{schema}}.{function}(to_timestamp($1::bigint::double precision))");
    link.begin().await?;
    let done = async {
        link.client.batch_execute(PATIENT).await?;
        let rows = link.client.query_typed(&link.schema.fill(&sql), &[(&due.begin_s, Type::INT8)]).await?;
        rows.first().ok_or(Error::Answer("no word on a roll-up"))?.try_get(0).map_err(Error::from)
    };
    finish(link, done.await).await
}

/// Makes the partitions that will be needed and removes one whose time is over: true when there may be another.
///
/// # Errors
/// What the store said.
pub async fn maintain(link: &Link, retention: &Retention) -> Result<bool, Error> {
    let sql = "select action, partition from {schema}.maintain(make_interval(secs => $1), make_interval(secs => $2), \
               make_interval(secs => $3), make_interval(secs => $4), make_interval(secs => $5), make_interval(secs => $6))";
    let minutes = retention.minutes.map(|kept| kept.as_secs_f64());
    let Retention { hours, days, slow, errors, snapshots, .. } = *retention;
    let [hours, days, slow, errors, snapshots] =
        [hours, days, slow, errors, snapshots].map(|kept: Duration| kept.as_secs_f64());
    link.begin().await?;
    let done = async {
        link.client.batch_execute(PATIENT).await?;
        let parameters: Vec<(&(dyn tokio_postgres::types::ToSql + Sync), Type)> = vec![
            (&minutes, Type::FLOAT8),
            (&hours, Type::FLOAT8),
            (&days, Type::FLOAT8),
            (&slow, Type::FLOAT8),
            (&errors, Type::FLOAT8),
            (&snapshots, Type::FLOAT8),
        ];
        let rows = link.client.query_typed(&link.schema.fill(sql), &parameters).await?;
        let mut again = false;
        for row in &rows {
            let (action, partition): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            tracing::info!(action, partition, "partitions");
            again |= action == "dropped";
        }
        Ok(again)
    };
    finish(link, done.await).await
}

/// Deletes alerts that have been over for longer than they are kept, and reports of so long ago.
///
/// # Errors
/// What the store said.
pub async fn forget_alerts(link: &Link, retention: &Retention) -> Result<(), Error> {
    let sql = link.schema.fill("select {schema}.forget_alerts(make_interval(secs => $1))");
    let keep = retention.alerts.as_secs_f64();
    link.client.query_typed(&sql, &[(&keep, Type::FLOAT8)]).await?;
    Ok(())
}

/// Ends a transaction as what was done in it came out.
pub(super) async fn finish<T>(link: &Link, done: Result<T, Error>) -> Result<T, Error> {
    match done {
        Ok(value) => link.commit().await.map(|()| value),
        Err(error) => {
            link.roll_back().await;
            Err(error)
        }
    }
}

/// What the store has come to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Weight {
    /// Bytes of its tables and indexes.
    pub bytes: u64,
    /// Days for which every table has partitions.
    pub days_ahead: f64,
}

/// Weighs the store; what is noted there is what every writer goes by.
///
/// # Errors
/// What the store said.
pub async fn weigh(link: &Link) -> Result<Weight, Error> {
    let sql = "select bytes, (extract(epoch from ahead) / 86400)::double precision from {schema}.weigh()";
    link.begin().await?;
    let done = async {
        let rows = link.client.query_typed(&link.schema.fill(sql), &[]).await?;
        let row = rows.first().ok_or(Error::Answer("no weight"))?;
        let bytes: i64 = row.try_get(0)?;
        let days_ahead: Option<f64> = row.try_get(1)?;
        Ok(Weight { bytes: bytes.unsigned_abs(), days_ahead: days_ahead.unwrap_or_default() })
    };
    finish(link, done.await).await
}

/// Takes or renews a lease (STORE §4) for 30 s by the store's clock; false when somebody else holds it.
///
/// # Errors
/// What the store said.
pub async fn lease(link: &Link, duty: &str, server: &str, holder: u128) -> Result<bool, Error> {
    let others = "where leases.until < clock_timestamp() or leases.holder = excluded.holder";
    Ok(take(link, duty, server, holder, LEASE, others).await? > 0)
}

/// Says that `pgvitals serve` is there.
///
/// # Errors
/// What the store said.
pub async fn appear(link: &Link, holder: u128) -> Result<(), Error> {
    take(link, SERVE, "", holder, SERVED, "").await.map(drop)
}

/// Whether a `pgvitals serve` was there within the last five minutes.
///
/// # Errors
/// What the store said.
pub async fn is_served(link: &Link) -> Result<bool, Error> {
    let sql = "select exists (select from {schema}.leases where duty = $1 and until >= clock_timestamp())";
    let rows = link.client.query_typed(&link.schema.fill(sql), &[(&SERVE, Type::TEXT)]).await?;
    Ok(rows.first().ok_or(Error::Answer("no word on who is there"))?.try_get(0)?)
}

async fn take(
    link: &Link,
    duty: &str,
    server: &str,
    holder: u128,
    span: Duration,
    condition: &str,
) -> Result<u64, Error> {
    let sql = format!(
        "insert into {{schema}}.leases (duty, server, holder, until, since)
         values ($1, $2, $3::text::uuid, clock_timestamp() + make_interval(secs => $4), clock_timestamp())
         on conflict (duty, server) do update set holder = excluded.holder, until = excluded.until,
             epoch = leases.epoch + case when leases.holder = excluded.holder then 0 else 1 end,
             since = case when leases.until < clock_timestamp() then excluded.since else leases.since end
         {condition}"
    );
    let holder = format!("{holder:032x}");
    let seconds = span.as_secs_f64();
    let columns: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 4] =
        [(&duty, Type::TEXT), (&server, Type::TEXT), (&holder, Type::TEXT), (&seconds, Type::FLOAT8)];
    Ok(link.client.execute_typed(&link.schema.fill(&sql), &columns).await?)
}

/// Gives a lease back.
///
/// # Errors
/// What the store said.
pub async fn release(link: &Link, duty: &str, server: &str, holder: u128) -> Result<(), Error> {
    let sql = "update {schema}.leases set until = clock_timestamp() \
               where duty = $1 and server = $2 and holder = $3::text::uuid";
    let holder = format!("{holder:032x}");
    let columns: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
        [(&duty, Type::TEXT), (&server, Type::TEXT), (&holder, Type::TEXT)];
    link.client.execute_typed(&link.schema.fill(sql), &columns).await?;
    Ok(())
}
