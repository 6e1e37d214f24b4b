//! Brings a store to this program's version. Safe when many processes try at once, and an older one beside a newer.

use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

use super::schema::Schema;
use super::script::{self, MIGRATIONS, Roles, VERSION};
use crate::pgclient::target::describe;

/// Why a store is not at this program's version.
#[derive(thiserror::Error, Debug)]
pub enum Error {
    /// The role may not do it.
    #[error(
        "the role may not make or change the schema `{schema}`: {reason}; let an owner of the database run \
         `pgvitals migrate --store URL`, or what `pgvitals migrate --print` prints; `--single-role` where no roles can \
         be made"
    )]
    Rights {
        /// The schema.
        schema: Schema,
        /// What the server said.
        reason: String,
    },
    /// A newer program has changed the tables beyond what this one can write.
    #[error(
        "the schema `{schema}` wants programs that know version {needed}, this one knows {VERSION}; update pgvitals"
    )]
    Outdated {
        /// The schema.
        schema: Schema,
        /// `min_writer`.
        needed: i32,
    },
    /// What was applied is not what this program has under that name.
    #[error("migration {name} was applied to the schema `{schema}` with another text; was it changed by hand?")]
    Changed {
        /// The schema.
        schema: Schema,
        /// Name of the migration.
        name: String,
    },
    /// Anything else.
    #[error("the schema `{schema}` can't be migrated: {}", describe(reason))]
    Database {
        /// The schema.
        schema: Schema,
        /// From the driver.
        reason: tokio_postgres::Error,
    },
}

impl Error {
    fn of(schema: &Schema, reason: tokio_postgres::Error) -> Self {
        let schema = schema.clone();
        match reason.code().map(tokio_postgres::error::SqlState::code) {
            Some("42501") => Self::Rights { schema, reason: describe(&reason) },
            _ => Self::Database { schema, reason },
        }
    }

    /// Whether somebody else held a lock for too long.
    fn is_busy(&self) -> bool {
        let Self::Database { reason, .. } = self else { return false };
        reason.code() == Some(&tokio_postgres::error::SqlState::LOCK_NOT_AVAILABLE)
    }
}

/// What a store has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Its version; 0 without tables.
    pub version: i32,
    /// The oldest program that may write.
    pub min_writer: i32,
    /// Version, name and checksum of what was applied, ascending.
    pub applied: Vec<(i32, String, String)>,
    /// Whether the schema's owner is a role named after it; `None` without a schema.
    pub has_roles: Option<bool>,
}

impl State {
    /// Reads it. Nothing is locked.
    ///
    /// # Errors
    /// When the tables can't be read.
    pub async fn read(client: &Client, schema: &Schema) -> Result<Self, Error> {
        let failed = |reason| Error::of(schema, reason);
        let found = rows(client, &schema.fill(FIND)).await.map_err(failed)?;
        let has_roles = found.first().and_then(|row| row.get(0)).map(|owner| owner == schema.owner());
        if found.first().and_then(|row| row.get(1)) != Some("t") {
            return Ok(Self { has_roles, ..Self::default() });
        }
        let meta = rows(client, &schema.fill("select schema_version, min_writer from {schema}.meta")).await;
        let meta = meta.map_err(failed)?;
        let number = |column| meta.first().and_then(|row| row.get(column)?.parse().ok()).unwrap_or(0);
        let applied = schema.fill("select version, name, checksum from {schema}.migrations order by version");
        let text = |row: &SimpleQueryRow, column| row.get(column).unwrap_or_default().to_owned();
        let applied = rows(client, &applied).await.map_err(failed)?;
        let applied = applied.iter().map(|row| (text(row, 0).parse().unwrap_or(0), text(row, 1), text(row, 2)));
        Ok(Self { version: number(0), min_writer: number(1), applied: applied.collect(), has_roles })
    }

    /// Whether this program may write to it as it is: at its version, or newer and still open to it.
    ///
    /// # Errors
    /// A store that wants a newer program, or whose tables are others than this program knows.
    pub fn accepts_us(&self, schema: &Schema) -> Result<bool, Error> {
        if self.min_writer > VERSION {
            return Err(Error::Outdated { schema: schema.clone(), needed: self.min_writer });
        }
        for (version, name, checksum) in &self.applied {
            let ours = MIGRATIONS.iter().find(|migration| migration.version == *version);
            if ours.is_some_and(|ours| ours.checksum() != *checksum) {
                return Err(Error::Changed { schema: schema.clone(), name: name.clone() });
            }
        }
        Ok(self.version >= VERSION)
    }

    /// How a migration has to deal with roles: as the store does already, else as is `wanted`.
    pub fn roles(&self, wanted: Roles) -> Roles {
        match self.has_roles {
            Some(true) => Roles::Three,
            Some(false) => Roles::Single,
            None => wanted,
        }
    }
}

/// The schema's owner, and whether there are tables. Catalogues alone: a schema that may not be used is no error here.
const FIND: &str = "\
select pg_get_userbyid(n.nspowner), exists (
    select from pg_class c where c.relnamespace = n.oid and c.relname = 'meta'
)
from pg_namespace n where n.nspname = '{schema_name}'";

/// A lock that somebody holds for long is asked for so often: the roles, which all databases of a server share, while
/// another one of them is being migrated.
const TRIES: u32 = 6;

/// Brings the store to this program's version; says from which one, `None` when there was nothing to do. All in one
/// transaction, which others that want the same wait for.
///
/// # Errors
/// As [`Error`] says; the store is as it was.
pub async fn migrate(client: &Client, schema: &Schema, wanted: Roles) -> Result<Option<i32>, Error> {
    if State::read(client, schema).await?.accepts_us(schema)? {
        return Ok(None);
    }
    let mut tries = 1..TRIES;
    loop {
        let done = locked(client, schema, wanted).await;
        if done.is_err() {
            // The connection may be lost; then the transaction is, too.
            client.batch_execute("rollback").await.unwrap_or_default();
        }
        match done {
            // Each has waited for the lock already.
            Err(error) if error.is_busy() && tries.next().is_some() => {}
            done => return done,
        }
    }
}

async fn locked(client: &Client, schema: &Schema, wanted: Roles) -> Result<Option<i32>, Error> {
    let failed = |reason| Error::of(schema, reason);
    client.batch_execute(&schema.fill(script::BEGIN)).await.map_err(failed)?;
    // Somebody else may have done it while we waited.
    let state = State::read(client, schema).await?;
    let from = (!state.accepts_us(schema)?).then_some(state.version);
    if let Some(from) = from {
        let steps = script::steps(schema, state.roles(wanted), from);
        client.batch_execute(&steps).await.map_err(failed)?;
    }
    client.batch_execute("commit").await.map_err(failed)?;
    Ok(from)
}

/// The rows of a statement in the simple protocol, which leaves nothing behind in a pooler.
pub(super) async fn rows(client: &Client, sql: &str) -> Result<Vec<SimpleQueryRow>, tokio_postgres::Error> {
    let messages = client.simple_query(sql).await?;
    let rows = messages.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    Ok(rows.collect())
}
