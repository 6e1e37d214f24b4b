//! Indexes of a database.

use tokio_postgres::types::Type;

use super::ask::{Answer, Session};
use super::bloat::{self, Btree};
use super::error::Error;
use super::tables::Tables;
use crate::snapshot::database::Database;
use crate::snapshot::index::{Index, IndexColumn, IndexDefinition, IndexFigures, IndexNames};
use crate::snapshot::relation::{Bloat, Key, Oid, Withheld};

/// Bits of `pg_index.indoption` (`catalog/pg_index.h`).
const DESCENDING: i32 = 1;
const NULLS_FIRST: i32 = 2;

/// Indexes, and those that could not be read because somebody has their table for himself.
#[derive(Default)]
pub(super) struct Indexes {
    pub(super) indexes: Vec<Index>,
    pub(super) unread: Vec<Key>,
}

pub(super) async fn read(
    session: &Session,
    own_schema: &str,
    database: &Database,
    tables: &Tables,
) -> Result<Indexes, Error> {
    let mut read = Indexes::default();
    for row in session.ask(include_str!("queries/indexes.sql"), &[(&own_schema, Type::TEXT)]).await? {
        let row = Answer(&row);
        let key = Key { database: database.oid, relation: Oid(row.get("oid")?) };
        match row.get("statement")? {
            Some(statement) => read.indexes.push(index(&row, key, statement, database, tables)?),
            None => read.unread.push(key),
        }
    }
    Ok(read)
}

fn index(row: &Answer<'_>, key: Key, statement: String, database: &Database, tables: &Tables) -> Result<Index, Error> {
    let table = Oid(row.get("table")?);
    let definition = definition(row, statement)?;
    let mut figures = IndexFigures {
        scans: row.count("scans")?,
        tuples_read: row.count("tuples_read")?,
        tuples_fetched: row.count("tuples_fetched")?,
        size_bytes: row.count("size_bytes")?,
        last_scan: row.time("last_scan")?,
        stats_reset: database.figures.stats_reset,
        ..IndexFigures::default()
    };
    match estimate(row, &definition, figures.size_bytes, table, tables)? {
        Ok(bloat) => figures.bloat = Some(bloat),
        Err(reason) => figures.withheld = Some(reason),
    }
    let root: Option<u32> = row.get("root")?;
    Ok(Index {
        key,
        table,
        root: root.map(Oid),
        names: IndexNames {
            database: database.name.clone(),
            schema: row.get("schema")?,
            table: row.get("table_name")?,
            index: row.get("name")?,
        },
        definition,
        figures,
    })
}

fn definition(row: &Answer<'_>, statement: String) -> Result<IndexDefinition, Error> {
    let is_partial: bool = row.get("is_partial")?;
    // The predicate is the last of a definition.
    let predicate = is_partial.then(|| statement.split_once(" WHERE ").map(|(_, predicate)| predicate.to_owned()));
    Ok(IndexDefinition {
        predicate: predicate.flatten(),
        statement,
        method: row.get("method")?,
        columns: columns(row)?,
        include: row.get("include")?,
        fillfactor_percent: row.small("fillfactor")?,
        is_unique: row.get("is_unique")?,
        is_primary: row.get("is_primary")?,
        is_exclusion: row.get("is_exclusion")?,
        is_nulls_not_distinct: row.get("is_nulls_not_distinct")?,
        is_deferrable: row.get("is_deferrable")?,
        constraint: row.get("constraint")?,
        is_valid: row.get("is_valid")?,
        is_ready: row.get("is_ready")?,
        is_building: row.get("is_building")?,
        is_replica_identity: row.get("is_replica_identity")?,
        is_clustered: row.get("is_clustered")?,
        is_partitioned: row.get("is_partitioned")?,
        foreign_keys: row.get("foreign_keys")?,
        referenced_by: row.get("referenced_by")?,
    })
}

fn columns(row: &Answer<'_>) -> Result<Vec<IndexColumn>, Error> {
    let (texts, opclasses, collations): (Vec<String>, Vec<String>, Vec<String>) =
        (row.get("texts")?, row.get("opclasses")?, row.get("collations")?);
    let (numbers, options): (Vec<i32>, Vec<i32>) = (row.get("numbers")?, row.get("options")?);
    let names = texts.into_iter().zip(opclasses).zip(collations);
    let columns =
        names.zip(numbers.into_iter().zip(options)).map(|(((text, opclass), collation), (number, option))| {
            IndexColumn {
                text,
                is_expression: number == 0,
                opclass,
                collation,
                is_descending: option & DESCENDING != 0,
                is_nulls_first: option & NULLS_FIRST != 0,
            }
        });
    Ok(columns.collect())
}

fn estimate(
    row: &Answer<'_>,
    definition: &IndexDefinition,
    size_bytes: u64,
    table: Oid,
    tables: &Tables,
) -> Result<Result<Bloat, Withheld>, Error> {
    let reason = match definition {
        IndexDefinition { is_partitioned: true, .. } => Some(Withheld::Partitioned),
        IndexDefinition { is_valid: false, .. } => Some(Withheld::InvalidIndex),
        IndexDefinition { predicate: Some(_), .. } => Some(Withheld::PartialIndex),
        definition if definition.method != "btree" => Some(Withheld::OtherMethod),
        _ => None,
    };
    if let Some(reason) = reason {
        return Ok(Err(reason));
    }
    let Some(rows) = tables.rows.get(&table) else { return Ok(Err(Withheld::NeverAnalyzed)) };
    let (deduplicates, can_deduplicate): (bool, bool) = (row.get("deduplicates")?, row.get("can_deduplicate")?);
    let include: Vec<i32> = row.get("include_numbers")?;
    let btree = Btree {
        size_bytes,
        fillfactor: definition.fillfactor_percent,
        is_unique: definition.is_unique,
        // With INCLUDE columns entries are never shared.
        can_deduplicate: deduplicates && can_deduplicate && include.is_empty(),
        keys: row.get("numbers")?,
        include,
    };
    Ok(bloat::btree(rows, &btree))
}
