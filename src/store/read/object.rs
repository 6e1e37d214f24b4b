//! One index or table over a time: what it is, and what each round saw of it.

use std::collections::HashMap;

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::health::Health;
use super::objects::{at, index, index_columns, index_figures, micros, table, table_columns, table_figures};
use crate::base::units::WallTime;
use crate::snapshot::history::{Round, Sample};
use crate::snapshot::index::{Index, IndexFigures};
use crate::snapshot::relation::Key;
use crate::snapshot::table::{Table, TableFigures};
use crate::store::error::Error;
use crate::store::link::Link;

/// What it is called, unquoted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name {
    /// Its database.
    pub database: String,
    /// Its schema.
    pub schema: String,
    /// Its own.
    pub name: String,
}

/// An object over a time; both lists ascend.
#[derive(Clone, PartialEq, Debug)]
pub struct Traced<T, F> {
    /// As it was seen last.
    pub object: T,
    /// Its samples: where its figures changed, and once a day.
    pub samples: Vec<Sample<F>>,
    /// When its database was looked at.
    pub rounds: Vec<Round>,
}

/// An index; one that REINDEX CONCURRENTLY made in place of another has the other's samples as well.
pub type TracedIndex = Traced<Index, IndexFigures>;
/// A table.
pub type TracedTable = Traced<Table, TableFigures>;

impl TracedIndex {
    /// The same of what a process remembers.
    pub fn of(health: &Health, name: &Name) -> Option<Self> {
        let known = |Index { key, names, .. }: &Index| {
            (*key, [&names.database, &names.schema, &names.index] == [&name.database, &name.schema, &name.name])
        };
        Self::remembered(health, &health.set.indexes, &health.history.indexes, known)
    }
}

impl TracedTable {
    /// The same of what a process remembers.
    pub fn of(health: &Health, name: &Name) -> Option<Self> {
        let known = |Table { key, names, .. }: &Table| {
            (*key, [&names.database, &names.schema, &names.table] == [&name.database, &name.schema, &name.name])
        };
        Self::remembered(health, &health.set.tables, &health.history.tables, known)
    }
}

impl<T: Clone, F: Clone> Traced<T, F> {
    /// `known` says an object's key, and whether it is the one.
    fn remembered(
        health: &Health,
        objects: &[T],
        samples: &HashMap<Key, Vec<Sample<F>>>,
        known: impl Fn(&T) -> (Key, bool),
    ) -> Option<Self> {
        let object = objects.iter().find(|object| known(object).1)?;
        let (key, _) = known(object);
        Some(Self {
            object: object.clone(),
            samples: samples.get(&key).cloned().unwrap_or_default(),
            rounds: health.history.rounds.get(&key.database).cloned().unwrap_or_default(),
        })
    }
}

/// Whose samples count as the object's: definitions `d` beside its newest, `n`.
const SAME_INDEX: &str = "d.relation = n.relation or (d.is_valid and (d.table_relation, d.indexrelname, d.definition) \
                          = (n.table_relation, n.indexrelname, n.definition))";
const SAME_TABLE: &str = "d.relation = n.relation";

/// `None`: none is called so, or it is gone.
pub(super) async fn read_index(
    link: &Link,
    server: &str,
    name: &Name,
    since: WallTime,
) -> Result<Option<TracedIndex>, Error> {
    let kind = Kind {
        name: "index",
        named: "indexrelname",
        columns: index_columns(),
        definition: "d.table_relation, d.root, d.datname, d.schemaname, d.relname, d.indexrelname",
        same: SAME_INDEX,
    };
    kind.read(link, server, name, since, index, index_figures).await
}

/// Likewise.
pub(super) async fn read_table(
    link: &Link,
    server: &str,
    name: &Name,
    since: WallTime,
) -> Result<Option<TracedTable>, Error> {
    let kind = Kind {
        name: "table",
        named: "relname",
        columns: table_columns(),
        definition: "d.root, d.datname, d.schemaname, d.relname",
        same: SAME_TABLE,
    };
    kind.read(link, server, name, since, table, table_figures).await
}

struct Kind {
    name: &'static str,
    /// The column of its own name.
    named: &'static str,
    columns: String,
    definition: &'static str,
    same: &'static str,
}

impl Kind {
    async fn read<T, F>(
        &self,
        link: &Link,
        server: &str,
        name: &Name,
        since: WallTime,
        object: impl Fn(&Row) -> Result<T, Error>,
        figures: impl Fn(&Row) -> Result<F, Error>,
    ) -> Result<Option<Traced<T, F>>, Error> {
        let Self { name: kind, named, columns, definition, same } = self;
        let newest = format!(
            "select s.server_id, s.database, s.relation, s.definition_id, {columns}, {definition}, d.detail::text detail
            from {{schema}}.{kind}_samples s
            join {{schema}}.{kind}_definitions d using (definition_id)
            where s.definition_id = any (array(
                select d.definition_id
                from {{schema}}.{kind}_definitions d join {{schema}}.servers v using (server_id)
                where v.server = $1 and d.datname = $2 and d.schemaname = $3 and d.{named} = $4
            ))
            order by s.at desc limit 1"
        );
        let parameters: [(&(dyn ToSql + Sync), Type); 4] =
            [(&server, Type::TEXT), (&name.database, Type::TEXT), (&name.schema, Type::TEXT), (&name.name, Type::TEXT)];
        let rows = link.client.query_typed(&link.schema.fill(&newest), &parameters).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        if row.try_get("is_gone")? {
            return Ok(None);
        }
        let definition_id: i32 = row.try_get("definition_id")?;
        let since_us = since.unix_micros();
        let samples = format!(
            "select {columns}
            from {{schema}}.{kind}_samples s
            where s.definition_id = any (array(
                select d.definition_id
                from {{schema}}.{kind}_definitions d
                join {{schema}}.{kind}_definitions n using (server_id, database)
                where n.definition_id = $1 and ({same})
            )) and not s.is_gone and s.at >= timestamptz 'epoch' + $2 * interval '1 microsecond'
            order by s.at"
        );
        let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&definition_id, Type::INT4), (&since_us, Type::INT8)];
        let samples = link.client.query_typed(&link.schema.fill(&samples), &parameters).await?;
        let (server_id, database): (i32, u32) = (row.try_get("server_id")?, row.try_get("database")?);
        let rounds = format!(
            "select {at} at_us, s.after_idle, s.is_full
            from {{schema}}.database_samples s
            where s.server_id = $1 and s.database = $3 and s.is_seen
                and s.at >= timestamptz 'epoch' + $2 * interval '1 microsecond'
            order by s.at",
            at = micros("s.at")
        );
        let parameters: [(&(dyn ToSql + Sync), Type); 3] =
            [(&server_id, Type::INT4), (&since_us, Type::INT8), (&database, Type::OID)];
        let rounds = link.client.query_typed(&link.schema.fill(&rounds), &parameters).await?;
        let round = |row: &Row| {
            Ok(Round { at: at(row)?, after_idle: row.try_get("after_idle")?, is_full: row.try_get("is_full")? })
        };
        let sample = |row: &Row| Ok(Sample { at: at(row)?, figures: figures(row)? });
        Ok(Some(Traced {
            object: object(row)?,
            samples: samples.iter().map(sample).collect::<Result<_, Error>>()?,
            rounds: rounds.iter().map(round).collect::<Result<_, Error>>()?,
        }))
    }
}
