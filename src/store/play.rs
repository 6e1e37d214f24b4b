//! Writes a time that is over, of servers that were made up: with the writers and the roll-ups that what was measured goes
//! through. Such servers and the instances that write for them are marked.

use std::sync::Arc;

use tokio_postgres::types::{ToSql, Type};

use super::alerts::judging;
use super::batch::{Batch, Origin, Told};
use super::cost::Cost;
use super::error::Error;
use super::known::Known;
use super::link::Link;
use super::settings::Settings;
use super::upkeep::PATIENT;
use super::write::{Writing, Written};
use crate::analyze::alert::Alert;
use crate::base::telemetry::{Dropped, Telemetry};
use crate::base::units::{Nanos, WallTime};
use crate::runtime::clock::Clock;
use crate::sql::hash::QueryHash;
use crate::stats::level::Thresholds;
use crate::stats::minutes::Minutes;

type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// Who writes it.
#[derive(Debug)]
pub struct Player {
    link: Link,
    known: Known,
    telemetry: Telemetry,
    clock: Clock,
}

impl Player {
    /// Connects, and makes the tables or brings them to this version.
    ///
    /// # Errors
    /// What the hosts said, or what is wrong with the tables.
    pub async fn open(settings: &Settings, clock: Clock) -> Result<Self, Error> {
        let link = Link::open(settings, clock).await?;
        Ok(Self { link, known: Known::default(), telemetry: Telemetry::default(), clock })
    }

    /// The connection, for other writers.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Servers that were not made up.
    ///
    /// # Errors
    /// What the store said.
    pub async fn others(&self) -> Result<Vec<String>, Error> {
        super::alerts::facts::servers(&self.link).await
    }

    /// Removes all that was made up before; says of how many servers.
    ///
    /// # Errors
    /// What the store said; then all of it is still there.
    pub async fn forget(&mut self) -> Result<u64, Error> {
        self.known.forget();
        let servers: i64 = self.ask("select {schema}.forget_demo()", &[]).await?;
        Ok(servers.unsigned_abs())
    }

    /// Makes room for times since `since`, marks the server, and says from when on the store keeps minutes.
    ///
    /// # Errors
    /// What the store said.
    pub async fn prepare(&self, server: &str, since: WallTime) -> Result<WallTime, Error> {
        let back = self.clock.wall().since(since).as_secs_f64();
        let _made: i32 =
            self.ask("select {schema}.make_room(make_interval(secs => $1))", &[(&back, Type::FLOAT8)]).await?;
        let since_us = since.unix_micros();
        let mark = "with marked as (
                insert into {schema}.servers (server, first_seen, is_demo)
                values ($1, timestamptz 'epoch' + $2 * interval '1 microsecond', true) returning 1
            )
            select count(*) from marked";
        let _marked: i64 = self.ask(mark, &[(&server, Type::TEXT), (&since_us, Type::INT8)]).await?;
        let minutes = "select (extract(epoch from minutes_from) * 1000000)::bigint from {schema}.meta";
        Ok(WallTime::from_unix_micros(self.ask(minutes, &[]).await?))
    }

    /// Writes figures: spans of a minute where the store keeps minutes, of an hour before. Says how many rows they took.
    /// The last batch of an instance says what it cost, and that it is idle: nobody waits for its next.
    ///
    /// # Errors
    /// What the store said; then nothing of it is there.
    pub async fn write(
        &mut self,
        origin: &Arc<Origin>,
        sequence: i64,
        minutes: &Minutes,
        last: Option<Cost>,
    ) -> Result<u64, Error> {
        let now = self.clock.wall();
        let mut batch = Batch::empty(origin, sequence, now);
        batch.idle = last.is_some();
        let mut told = Told::default();
        minutes.spans.iter().for_each(|span| batch.add_span(span, &mut told));
        minutes.slow.iter().for_each(|noted| batch.add_slow(noted, &Thresholds::default()));
        let ids = self.link.register(origin).await?;
        self.known.tell(&self.link, &batch).await?;
        let writing = Writing::new(&self.link, &batch, ids, now.unix_micros(), &self.telemetry, last);
        let Written { rows, .. } = writing.run().await?;
        if [Dropped::TooOld, Dropped::StoreRow].iter().any(|reason| self.telemetry.dropped_total(*reason) > 0) {
            return Err(Error::Answer("rows are too old for the store, or refused"));
        }
        Ok(rows)
    }

    /// Writes alerts as they came to be; each gets its id.
    ///
    /// # Errors
    /// What the store said; then none is there.
    pub async fn keep(&self, alerts: &mut [Alert]) -> Result<(), Error> {
        judging::keep(&self.link, alerts).await
    }

    /// Says when statements were seen first.
    ///
    /// # Errors
    /// What the store said.
    pub async fn date(&self, seen: &[(QueryHash, WallTime)]) -> Result<(), Error> {
        let hashes: Vec<String> = seen.iter().map(|(hash, _)| hash.to_string()).collect();
        let seconds: Vec<f64> = seen.iter().map(|(_, at)| at.since(WallTime::default()).as_secs_f64()).collect();
        let date = "select {schema}.date_demo($1, array(select to_timestamp(s) from unnest($2) with ordinality u (s, n) \
                    order by n))";
        let parameters: [Parameter<'_>; 2] = [(&hashes, Type::TEXT_ARRAY), (&seconds, Type::FLOAT8_ARRAY)];
        let _dated: i64 = self.ask(date, &parameters).await?;
        Ok(())
    }

    /// How long it took since `begin`.
    pub fn took(&self, begin: WallTime) -> Nanos {
        self.clock.wall().since(begin)
    }

    /// One value, in a transaction that may take long.
    async fn ask<T>(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<T, Error>
    where
        T: for<'a> tokio_postgres::types::FromSql<'a>,
    {
        self.link.begin().await?;
        let done = async {
            self.link.client.batch_execute(PATIENT).await?;
            let rows = self.link.client.query_typed(&self.link.schema.fill(sql), parameters).await?;
            rows.first().ok_or(Error::Answer("no row"))?.try_get(0).map_err(Error::from)
        };
        super::upkeep::finish(&self.link, done.await).await
    }
}
