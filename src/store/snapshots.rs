//! Writes a round of snapshots: all of it in one transaction with the key of its job's slot, so that a slot is written
//! once (STORE §2). Definitions once per change, samples of what changed, of everything once a day.

use tokio_postgres::types::{ToSql, Type};

use super::error::Error;
use super::link::Link;
use super::samples::{DATABASE, INDEXES, Kind, SERVER, TABLES, rows_of_indexes, rows_of_tables, sequences};
use crate::base::units::WallTime;
use crate::snapshot::database::Database;
use crate::snapshot::set::Set;

const DAY_US: i64 = 86_400_000_000;
/// The planner takes rows out of JSON for a hundred, and would compare each object with each sample of the day.
const PLAN: &str = "set local enable_nestloop = off";
/// A statement takes so many objects.
const CHUNK: usize = 2_000;

/// Whose round, and for which slot of which job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot<'a> {
    /// The job.
    pub job: &'a str,
    /// The monitored server, as statistics call it.
    pub server: &'a str,
    /// The slot's begin.
    pub at: WallTime,
    /// Since the round before no data statement passed.
    pub after_idle: bool,
}

/// Rows that a round took.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Written {
    /// Samples of indexes.
    pub indexes: u64,
    /// Samples of tables.
    pub tables: u64,
    /// Samples of databases.
    pub databases: u64,
}

/// Writes the round; `None` when the slot had been written.
///
/// # Errors
/// What the store said; then nothing of it is there.
pub async fn write(link: &Link, slot: Slot<'_>, set: &Set) -> Result<Option<Written>, Error> {
    let insert = "insert into {schema}.servers (server, system_identifier) select $1, $2 \
                  where not exists (select from {schema}.servers where server = $1) on conflict do nothing";
    let parameters: [Parameter<'_>; 2] = [(&slot.server, Type::TEXT), (&set.server.system_identifier, Type::INT8)];
    link.client.execute_typed(&link.schema.fill(insert), &parameters).await?;
    link.begin().await?;
    let written = Round { link, slot, set, server_id: 0 }.write().await;
    match written {
        Ok(Some(written)) => link.commit().await.map(|()| Some(written)),
        other => {
            link.roll_back().await;
            other
        }
    }
}

type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

struct Round<'a> {
    link: &'a Link,
    slot: Slot<'a>,
    set: &'a Set,
    server_id: i32,
}

impl Round<'_> {
    async fn write(mut self) -> Result<Option<Written>, Error> {
        if !self.take_key().await? {
            return Ok(None);
        }
        self.link.client.batch_execute(PLAN).await?;
        self.server_id = self.find_server().await?;
        let mut written = Written::default();
        for database in &self.set.databases {
            let is_full = database.is_seen && self.is_first_of_day(database).await?;
            if database.is_seen {
                let tables = self.set.tables.iter().filter(|table| table.key.database == database.oid);
                let oids: Vec<u32> = tables.clone().map(|table| table.key.relation.0).collect();
                written.tables += self.samples(&TABLES, database, is_full, &oids, &rows_of_tables(tables)?).await?;
                let indexes = self.set.indexes.iter().filter(|index| index.key.database == database.oid);
                let there = indexes.clone().map(|index| index.key).chain(self.set.unread.iter().copied());
                let there = there.filter(|key| key.database == database.oid);
                let oids: Vec<u32> = there.map(|key| key.relation.0).collect();
                written.indexes += self.samples(&INDEXES, database, is_full, &oids, &rows_of_indexes(indexes)?).await?;
            }
            written.databases += self.database(database, is_full).await?;
        }
        self.server().await?;
        Ok(Some(written))
    }

    async fn execute(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64, Error> {
        Ok(self.link.client.execute_typed(&self.link.schema.fill(sql), parameters).await?)
    }

    async fn take_key(&self) -> Result<bool, Error> {
        let insert = "insert into {schema}.job_runs (job, server, slot, rows) \
                      values ($1, $2, timestamptz 'epoch' + $3 * interval '1 microsecond', $4) on conflict do nothing";
        let rows = i32::try_from(self.set.tables.len() + self.set.indexes.len()).unwrap_or(i32::MAX);
        let slot_us = self.slot.at.unix_micros();
        let parameters: [Parameter<'_>; 4] = [
            (&self.slot.job, Type::TEXT),
            (&self.slot.server, Type::TEXT),
            (&slot_us, Type::INT8),
            (&rows, Type::INT4),
        ];
        Ok(self.execute(insert, &parameters).await? > 0)
    }

    async fn find_server(&self) -> Result<i32, Error> {
        let find = self.link.schema.fill("select server_id from {schema}.servers where server = $1");
        let rows = self.link.client.query_typed(&find, &[(&self.slot.server, Type::TEXT)]).await?;
        Ok(rows.first().ok_or(Error::Answer("the server that was inserted is not there"))?.try_get(0)?)
    }

    fn at_us(&self) -> i64 {
        self.set.at.unix_micros()
    }

    fn day_us(&self) -> i64 {
        self.at_us().div_euclid(DAY_US) * DAY_US
    }

    async fn is_first_of_day(&self, database: &Database) -> Result<bool, Error> {
        let ask = "select exists (
            select from {schema}.database_samples s
            where s.server_id = $1 and s.database = $2 and s.is_full
                and s.at >= timestamptz 'epoch' + $3 * interval '1 microsecond'
        )";
        let day_us = self.day_us();
        let parameters: [Parameter<'_>; 3] =
            [(&self.server_id, Type::INT4), (&database.oid.0, Type::OID), (&day_us, Type::INT8)];
        let rows = self.link.client.query_typed(&self.link.schema.fill(ask), &parameters).await?;
        let exists: bool = rows.first().ok_or(Error::Answer("no word on a day"))?.try_get(0)?;
        Ok(!exists)
    }

    /// Definitions, then samples; `oids` are all that there are now.
    async fn samples(
        &self,
        kind: &Kind,
        database: &Database,
        is_full: bool,
        oids: &[u32],
        rows: &[String],
    ) -> Result<u64, Error> {
        let (at_us, day_us) = (self.at_us(), self.day_us());
        let mut written = 0;
        for rows in rows.chunks(CHUNK) {
            let json = format!("[{}]", rows.join(","));
            let definitions: [Parameter<'_>; 4] = [
                (&json, Type::TEXT),
                (&self.server_id, Type::INT4),
                (&database.oid.0, Type::OID),
                (&at_us, Type::INT8),
            ];
            self.execute(&kind.definitions(), &definitions).await?;
            let mut samples = definitions.to_vec();
            let more: [Parameter<'_>; 2] = [(&day_us, Type::INT8), (&is_full, Type::BOOL)];
            samples.extend(more);
            written += self.execute(&kind.samples(), &samples).await?;
        }
        if !is_full {
            let parameters: [Parameter<'_>; 5] = [
                (&oids, Type::OID_ARRAY),
                (&self.server_id, Type::INT4),
                (&database.oid.0, Type::OID),
                (&at_us, Type::INT8),
                (&day_us, Type::INT8),
            ];
            written += self.execute(&kind.gone(), &parameters).await?;
        }
        Ok(written)
    }

    async fn database(&self, database: &Database, is_full: bool) -> Result<u64, Error> {
        let (figures, sequences) = (json(&database.figures)?, json(&sequences(database))?);
        let at_us = self.at_us();
        let parameters: [Parameter<'_>; 9] = [
            (&at_us, Type::INT8),
            (&self.server_id, Type::INT4),
            (&database.oid.0, Type::OID),
            (&database.is_seen, Type::BOOL),
            (&is_full, Type::BOOL),
            (&self.slot.after_idle, Type::BOOL),
            (&database.name, Type::TEXT),
            (&figures, Type::TEXT),
            (&sequences, Type::TEXT),
        ];
        self.execute(DATABASE, &parameters).await
    }

    async fn server(&self) -> Result<u64, Error> {
        let (facts, missing) = (json(&self.set.server)?, json(&self.set.missing)?);
        let at_us = self.at_us();
        let parameters: [Parameter<'_>; 4] =
            [(&at_us, Type::INT8), (&self.server_id, Type::INT4), (&facts, Type::TEXT), (&missing, Type::TEXT)];
        self.execute(SERVER, &parameters).await
    }
}

/// A text of what was seen; jsonb takes no zero character, and names can't have one, but a client's name may.
fn json<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    let text = serde_json::to_string(value).map_err(|_| Error::Answer("a snapshot that is no JSON"))?;
    Ok(text.replace("\\u0000", "\\ufffd"))
}
