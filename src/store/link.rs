//! A connection to the store: opened, brought to our version, its clock compared with ours, ourselves registered.

use std::collections::HashMap;
use std::time::Duration;

use tokio_postgres::types::Type;

use super::batch::Origin;
use super::error::Error;
use super::migrate::migrate;
use super::schema::Schema;
use super::script::Roles;
use super::settings::Settings;
use crate::pgclient::connect::Connection;
use crate::runtime::clock::Clock;

/// What every transaction begins with. Nothing outlives it, so that a pooler may hand us another server each time; a
/// statement that hangs there, or a transaction whose sidecar is gone, ends.
const BEGIN: &str = "begin isolation level read committed read write";

/// What an answer begins with: all its questions see the same rows. Compiling one takes longer than running it.
const BEGIN_READING: &str = "begin isolation level repeatable read read only;
set local jit = off;
set local work_mem = '64MB'";

/// What follows either.
const SETTINGS: &str = "\
set local time zone 'UTC';
set local datestyle = 'ISO, YMD';
set local search_path = pg_catalog, pg_temp;
set local client_min_messages = warning;
set local lock_timeout = '10s';
set local statement_timeout = '60s';
set local idle_in_transaction_session_timeout = '60s'";

/// Connecting and registering may take so long, all hosts together.
const OPEN_MAX: Duration = Duration::from_secs(20);

/// What the store calls an instance and its service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Registered {
    pub(super) instance_id: i32,
    pub(super) service_id: i32,
}

/// An open connection.
#[derive(Debug)]
pub struct Link {
    pub(super) client: Connection,
    pub(super) schema: Schema,
    /// What to add to our clock's time to get the store's, µs.
    pub(super) offset_us: i64,
    registered: HashMap<u128, Registered>,
}

impl Link {
    /// Connects, and makes or changes tables where that is due and allowed.
    ///
    /// # Errors
    /// What the hosts said, or what is wrong with the tables.
    pub async fn open(settings: &Settings, clock: Clock) -> Result<Self, Error> {
        let open = async {
            let client = Connection::open(&settings.target).await?;
            if let Some(from) = migrate(&client, &settings.schema, Roles::Three).await? {
                tracing::info!(schema = %settings.schema, from, "monitoring tables brought to this version");
            }
            let offset_us = offset(&client, clock).await?;
            Ok(Self { client, schema: settings.schema.clone(), offset_us, registered: HashMap::new() })
        };
        tokio::time::timeout(OPEN_MAX, open).await.unwrap_or(Err(Error::Timeout(OPEN_MAX.as_secs())))
    }

    /// Connects, to read.
    ///
    /// # Errors
    /// What the hosts said.
    pub(super) async fn look(settings: &Settings) -> Result<Self, Error> {
        let client = Connection::open(&settings.target).await?;
        Ok(Self { client, schema: settings.schema.clone(), offset_us: 0, registered: HashMap::new() })
    }

    /// Begins a transaction.
    pub(super) async fn begin(&self) -> Result<(), Error> {
        self.begin_with(BEGIN).await
    }

    /// Begins one that reads, and sees one state of the tables throughout.
    pub(super) async fn begin_reading(&self) -> Result<(), Error> {
        self.begin_with(BEGIN_READING).await
    }

    async fn begin_with(&self, begin: &str) -> Result<(), Error> {
        Ok(self.client.batch_execute(&format!("{begin};{SETTINGS}")).await?)
    }

    /// Ends it.
    pub(super) async fn commit(&self) -> Result<(), Error> {
        Ok(self.client.batch_execute("commit").await?)
    }

    /// Gives it up; if that fails the connection is gone, and with it the transaction.
    pub(super) async fn roll_back(&self) {
        if let Err(error) = self.client.batch_execute("rollback").await {
            tracing::debug!(%error, "no rollback");
        }
    }

    /// What the store calls the instance, which it learns now if need be.
    pub(super) async fn register(&mut self, origin: &Origin) -> Result<Registered, Error> {
        if let Some(known) = self.registered.get(&origin.boot) {
            return Ok(*known);
        }
        self.begin().await?;
        let registered = self.insert_instance(origin).await;
        match registered {
            Ok(registered) => {
                self.commit().await?;
                self.registered.insert(origin.boot, registered);
                Ok(registered)
            }
            Err(error) => {
                self.roll_back().await;
                Err(error)
            }
        }
    }

    async fn insert_instance(&self, origin: &Origin) -> Result<Registered, Error> {
        let insert = self.schema.fill("insert into {schema}.services (service) values ($1) on conflict do nothing");
        self.client.execute_typed(&insert, &[(&origin.service, Type::TEXT)]).await?;
        let boot = format!("{:032x}", origin.boot);
        let insert = self.schema.fill(
            "insert into {schema}.instances (boot, instance, service_id, version, started_at, is_demo) \
             select $1::text::uuid, $2, s.service_id, $3, timestamptz 'epoch' + $4 * interval '1 microsecond', $6 \
             from {schema}.services s where s.service = $5 on conflict do nothing",
        );
        let started = origin.started_us.saturating_add(self.offset_us);
        self.client
            .execute_typed(
                &insert,
                &[
                    (&boot, Type::TEXT),
                    (&origin.instance, Type::TEXT),
                    (&origin.version, Type::TEXT),
                    (&started, Type::INT8),
                    (&origin.service, Type::TEXT),
                    (&origin.is_demo, Type::BOOL),
                ],
            )
            .await?;
        let find =
            self.schema.fill("select instance_id, service_id from {schema}.instances where boot = $1::text::uuid");
        let rows = self.client.query_typed(&find, &[(&boot, Type::TEXT)]).await?;
        let row = rows.first().ok_or(Error::Answer("the instance that was inserted is not there"))?;
        Ok(Registered { instance_id: row.try_get(0)?, service_id: row.try_get(1)? })
    }

    /// Looks before a batch is written: whether there is room, as far as somebody has weighed the store, and whether it
    /// has the same tables as the last time. True when they are others, which know nobody.
    pub(super) async fn look_again(&mut self, most_bytes: u64, last: &mut Option<u32>) -> Result<bool, Error> {
        let ask = "select coalesce(size_bytes, 0), tableoid from {schema}.meta";
        let rows = self.client.query_typed(&self.schema.fill(ask), &[]).await?;
        let row = rows.first().ok_or(Error::Answer("no weight"))?;
        let (bytes, tables): (i64, u32) = (row.try_get(0)?, row.try_get(1)?);
        let others = last.replace(tables) != Some(tables);
        if others {
            self.registered.clear();
        }
        let bytes = bytes.unsigned_abs();
        if bytes > most_bytes { Err(Error::Full { bytes, most_bytes }) } else { Ok(others) }
    }

    /// What the store is known to call the instance.
    pub(super) fn known(&self, origin: &Origin) -> Option<Registered> {
        self.registered.get(&origin.boot).copied()
    }

    /// Whether the other side is still there, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }
}

/// The store's clock against ours, in the middle of a question's way there and back.
async fn offset(client: &Connection, clock: Clock) -> Result<i64, Error> {
    let ask = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint";
    let (before, asked) = (clock.wall(), clock.stamp());
    let rows = client.query_typed(ask, &[]).await?;
    let half = (clock.stamp().since(asked).as_micros() / 2).cast_signed();
    let theirs: i64 = rows.first().ok_or(Error::Answer("no time"))?.try_get(0)?;
    Ok(theirs - before.unix_micros() - half)
}
