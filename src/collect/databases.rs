//! Databases of the server.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::ask::{Answer, Session};
use super::error::Error;
use super::missing::Gaps;
use crate::snapshot::database::{Database, DatabaseFigures};
use crate::snapshot::relation::Oid;

/// All but templates; `is_seen` of those that can be connected to.
pub(super) async fn read(session: &Session, gaps: &mut Gaps) -> Result<Vec<Database>, Error> {
    let rows = session.ask(include_str!("queries/databases.sql"), &[]).await?;
    let mut databases = Vec::new();
    for row in &rows {
        let mut database = database(row, gaps)?;
        if Answer(row).get("may_weigh")? {
            let size = size(session, database.oid).await;
            database.figures.size_bytes = gaps.note(Some(&database.name), "size", size);
        }
        databases.push(database);
    }
    Ok(databases)
}

async fn size(session: &Session, oid: Oid) -> Result<Option<u64>, Error> {
    let rows = session.ask(include_str!("queries/size.sql"), &[(&oid.0, Type::OID)]).await?;
    rows.first().map_or(Ok(None), |row| Answer(row).some_count("size_bytes"))
}

fn database(row: &Row, gaps: &mut Gaps) -> Result<Database, Error> {
    let row = Answer(row);
    let (name, allows, may_connect): (String, bool, bool) =
        (row.get("name")?, row.get("allows")?, row.get("may_connect")?);
    match (allows, may_connect) {
        (false, _) => gaps.add(Some(&name), "database", "it takes no connections (datallowconn)", None),
        (true, false) => gaps.no_connect(&name),
        (true, true) => {}
    }
    let figures = DatabaseFigures {
        size_bytes: None,
        sessions: row.count("sessions")?,
        session_limit: row.some_count("session_limit")?,
        committed: row.count("committed")?,
        rolled_back: row.count("rolled_back")?,
        blocks_hit: row.count("blocks_hit")?,
        blocks_read: row.count("blocks_read")?,
        temp_files: row.count("temp_files")?,
        temp_bytes: row.count("temp_bytes")?,
        deadlocks: row.count("deadlocks")?,
        sessions_killed: row.some_count("sessions_killed")?,
        checksum_failures: row.some_count("checksum_failures")?,
        xid_age: row.count("xid_age")?,
        multixact_age: row.count("multixact_age")?,
        stats_reset: row.time("stats_reset")?,
    };
    Ok(Database { oid: Oid(row.get("oid")?), name, is_seen: allows && may_connect, figures, sequences: Vec::new() })
}
