//! Sequences of a database.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::ask::{Answer, Session};
use super::error::Error;
use crate::snapshot::relation::Oid;
use crate::snapshot::sequence::{Sequence, SequenceColumn};

pub(super) async fn read(session: &Session, own_schema: &str) -> Result<Vec<Sequence>, Error> {
    let rows = session.ask(include_str!("queries/sequences.sql"), &[(&own_schema, Type::TEXT)]).await?;
    rows.iter().map(sequence).collect()
}

fn sequence(row: &Row) -> Result<Sequence, Error> {
    let row = Answer(row);
    let table: Option<String> = row.get("table")?;
    let column = match table {
        Some(table) => Some(SequenceColumn {
            schema: row.get("table_schema")?,
            table,
            column: row.get("column")?,
            data_type: row.get("data_type")?,
            is_identity: row.get("is_identity")?,
        }),
        None => None,
    };
    Ok(Sequence {
        oid: Oid(row.get("oid")?),
        schema: row.get("schema")?,
        name: row.get("name")?,
        last_value: row.get("last_value")?,
        is_readable: row.get("is_readable")?,
        start: row.get("start")?,
        increment: row.get("increment")?,
        limit: row.get("limit")?,
        first: row.get("first")?,
        is_cycle: row.get("is_cycle")?,
        column,
    })
}
