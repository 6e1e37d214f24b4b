//! The server over all its databases: holders of old rows and of WAL, sessions, settings, calls.

use tokio_postgres::Row;

use super::ask::{Answer, Session};
use super::error::Error;
use super::missing::Gaps;
use crate::base::units::WallTime;
use crate::snapshot::activity::{Calls, CallsBy, SessionsBy};
use crate::snapshot::holder::{Prepared, Slot, Standby, Transaction};
use crate::snapshot::server::{Connections, Server, Setting};
use crate::snapshot::set::Missing;

/// What is known of the server before anything else is asked.
pub(super) struct Greeting {
    pub(super) at: WallTime,
    pub(super) role: String,
    /// `pg_read_all_stats`, which is in `pg_monitor`.
    pub(super) sees_all: bool,
    pub(super) server: Server,
}

pub(super) async fn greet(session: &Session) -> Result<Greeting, Error> {
    let rows = session.ask(include_str!("queries/server.sql"), &[]).await?;
    let row = Answer(rows.first().ok_or(Error::Answer("a server without a version"))?);
    let connections = Connections {
        limit: row.count("connections")?,
        reserved: row.count("reserved")?,
        used: row.count("used")?,
        idle_in_transaction: row.count("idle_in_transaction")?,
    };
    let server = Server {
        version_number: row.small("version_number")?,
        version: row.get("version")?,
        is_standby: row.get("is_standby")?,
        started_at: row.time("started_at")?.unwrap_or_default(),
        connections,
        ..Server::default()
    };
    let at = row.time("at")?.ok_or(Error::Answer("a server without a clock"))?;
    Ok(Greeting { at, role: row.get("role")?, sees_all: row.get("sees_all")?, server })
}

/// The rest of it; what can't be seen is noted.
pub(super) async fn fill(session: &Session, server: &mut Server, gaps: &mut Gaps) {
    let id = session.ask(include_str!("queries/system_identifier.sql"), &[]).await;
    let id = id.and_then(|rows| rows.first().map(|row| Answer(row).get("system_identifier")).transpose());
    server.system_identifier = gaps.note(None, "system_identifier", id);
    server.settings = gaps.note(None, "settings", all(session, include_str!("queries/settings.sql"), setting).await);
    server.slots = gaps.note(None, Missing::SLOTS, all(session, include_str!("queries/slots.sql"), slot).await);
    server.standbys = gaps.note(None, "standbys", all(session, include_str!("queries/standbys.sql"), standby).await);
    server.prepared = gaps.note(None, "prepared", all(session, include_str!("queries/prepared.sql"), prepared).await);
    let transactions = all(session, include_str!("queries/transactions.sql"), transaction).await;
    server.transactions = gaps.note(None, "transactions", transactions);
    server.sessions = gaps.note(None, "sessions", all(session, include_str!("queries/sessions.sql"), sessions).await);
}

/// An extension of a database.
pub(super) struct Extension {
    pub(super) name: String,
    /// Its schema, quoted where need be.
    pub(super) schema: String,
    version: String,
}

pub(super) async fn extensions(session: &Session) -> Result<Vec<Extension>, Error> {
    all(session, include_str!("queries/extensions.sql"), extension).await
}

fn extension(row: &Answer<'_>) -> Result<Extension, Error> {
    Ok(Extension { name: row.get("name")?, schema: row.get("schema")?, version: row.get("version")? })
}

/// What `pg_stat_statements` counted; the extension of any database knows all of them.
pub(super) async fn calls(session: &Session, extension: &Extension) -> Result<Calls, Error> {
    let minor = |version: &str| version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(0_u32);
    let knows_resets = minor(&extension.version) >= 9 || !extension.version.starts_with("1.");
    let sql = if knows_resets { include_str!("queries/calls.sql") } else { include_str!("queries/calls_1_8.sql") };
    let rows = session.ask(&sql.replace("{extension}", &extension.schema), &[]).await?;
    let by = rows.iter().map(|row| {
        let row = Answer(row);
        Ok(CallsBy { user: row.get("user")?, database: row.get("database")?, calls: row.count("calls")? })
    });
    let first = rows.first().map(Answer);
    let since = first.as_ref().map(|row| row.time("since")).transpose()?.flatten();
    let evictions = first.map(|row| row.some_count("evictions")).transpose()?.flatten();
    Ok(Calls { by: by.collect::<Result<_, Error>>()?, since, evictions })
}

async fn all<T>(session: &Session, sql: &str, read: impl Fn(&Answer<'_>) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    session.ask(sql, &[]).await?.iter().map(|row: &Row| read(&Answer(row))).collect()
}

fn setting(row: &Answer<'_>) -> Result<Setting, Error> {
    Ok(Setting { name: row.get("name")?, value: row.get("value")?, unit: row.get("unit")? })
}

fn slot(row: &Answer<'_>) -> Result<Slot, Error> {
    Ok(Slot {
        name: row.get("name")?,
        kind: row.get("kind")?,
        database: row.get("database")?,
        is_active: row.get("is_active")?,
        is_temporary: row.get("is_temporary")?,
        retained_bytes: row.some_count("retained_bytes")?,
        wal_status: row.get("wal_status")?,
        safe_wal_bytes: row.some_count("safe_wal_bytes")?,
        xmin_age: row.some_count("xmin_age")?,
        inactive_since: row.time("inactive_since")?,
    })
}

fn standby(row: &Answer<'_>) -> Result<Standby, Error> {
    Ok(Standby {
        name: row.get("name")?,
        address: row.get("address")?,
        state: row.get("state")?,
        behind_bytes: row.some_count("behind_bytes")?,
        xmin_age: row.some_count("xmin_age")?,
    })
}

fn prepared(row: &Answer<'_>) -> Result<Prepared, Error> {
    Ok(Prepared {
        gid: row.get("gid")?,
        database: row.get("database")?,
        user: row.get("user")?,
        prepared_at: row.time("prepared_at")?.unwrap_or_default(),
        xid_age: row.count("xid_age")?,
    })
}

fn transaction(row: &Answer<'_>) -> Result<Transaction, Error> {
    let is_vacuum: Option<bool> = row.get("is_vacuum")?;
    Ok(Transaction {
        pid: row.get("pid")?,
        database: row.get("database")?,
        user: row.get("user")?,
        application: row.get("application")?,
        state: row.get("state")?,
        began_at: row.time("began_at")?,
        xmin_age: row.some_count("xmin_age")?,
        is_vacuum: is_vacuum.unwrap_or_default(),
    })
}

fn sessions(row: &Answer<'_>) -> Result<SessionsBy, Error> {
    Ok(SessionsBy {
        user: row.get("user")?,
        database: row.get("database")?,
        application: row.get("application")?,
        address: row.get("address")?,
        sessions: row.count("sessions")?,
    })
}
