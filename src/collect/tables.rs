//! Tables of a database, with what is known of their columns.

use std::collections::HashMap;

use tokio_postgres::types::Type;

use super::ask::{Answer, Session};
use super::bloat::{self, Column, Rows, Statistics};
use super::error::Error;
use crate::snapshot::database::Database;
use crate::snapshot::index::Index;
use crate::snapshot::relation::{Bloat, Key, Method, Oid, Withheld};
use crate::snapshot::table::{Table, TableDefinition, TableFigures, TableNames};

/// Tables, and what the estimate of their indexes needs of them, by oid.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) tables: Vec<Table>,
    pub(super) rows: HashMap<Oid, Rows>,
    /// Pages that a look at the heap and its TOAST table would have to read.
    pub(super) unseen_pages: HashMap<Oid, u64>,
}

/// Columns of each table that is large enough.
pub(super) type Columns = HashMap<Oid, Vec<Column>>;

pub(super) async fn columns(session: &Session, own_schema: &str) -> Result<Columns, Error> {
    let mut columns = Columns::new();
    for row in session.ask(include_str!("queries/columns.sql"), &[(&own_schema, Type::TEXT)]).await? {
        let row = Answer(&row);
        columns.entry(Oid(row.get("oid")?)).or_default().push(column(&row)?);
    }
    Ok(columns)
}

fn column(row: &Answer<'_>) -> Result<Column, Error> {
    let (width, null_share, distinct): (Option<i32>, Option<f64>, Option<f64>) =
        (row.get("avg_width")?, row.get("null_frac")?, row.get("n_distinct")?);
    let statistics = match (width, null_share, distinct) {
        (Some(width), Some(null_share), Some(distinct)) => {
            Some(Statistics { width: f64::from(width), null_share, distinct })
        }
        _ => None,
    };
    let (alignment, storage): (String, String) = (row.get("alignment")?, row.get("storage")?);
    Ok(Column {
        number: row.get("number")?,
        length: row.get("length")?,
        alignment: match alignment.as_str() {
            "c" => 1.0,
            "s" => 2.0,
            "i" => 4.0,
            _ => 8.0,
        },
        is_padded: row.get("is_padded")?,
        is_toastable: storage != "p",
        is_dropped: row.get("is_dropped")?,
        is_name: row.get("is_name")?,
        is_readable: row.get("is_readable")?,
        statistics,
    })
}

pub(super) async fn read(
    session: &Session,
    own_schema: &str,
    database: &Database,
    mut columns: Columns,
    page_bytes: u64,
) -> Result<Tables, Error> {
    let mut read = Tables::default();
    for row in session.ask(include_str!("queries/tables.sql"), &[(&own_schema, Type::TEXT)]).await? {
        let row = Answer(&row);
        let mut table = table(&row, database)?;
        let oid = table.key.relation;
        let rows = rows(&row, &table, columns.remove(&oid).unwrap_or_default(), page_bytes)?;
        let pages = row.count("main")? / page_bytes.max(1);
        let estimate = match table.definition.is_partitioned {
            true => Err(Withheld::Partitioned),
            false => bloat::heap(&rows, pages, table.definition.fillfactor_percent),
        };
        table.figures.withheld = estimate.err();
        table.figures.bloat = estimate.ok().or_else(|| dead(&table.figures));
        let visible = row.small("all_visible_pages")?;
        let unseen_toast = u64::from(row.small("unseen_toast_pages")?);
        read.unseen_pages.insert(oid, pages.saturating_sub(u64::from(visible)).saturating_add(unseen_toast));
        read.rows.insert(oid, rows);
        read.tables.push(table);
    }
    Ok(read)
}

fn table(row: &Answer<'_>, database: &Database) -> Result<Table, Error> {
    let root: Option<u32> = row.get("root")?;
    let tuples: f64 = row.get("tuples")?;
    let known_pages: i32 = row.get("known_pages")?;
    Ok(Table {
        key: Key { database: database.oid, relation: Oid(row.get("oid")?) },
        root: root.map(Oid),
        names: TableNames { database: database.name.clone(), schema: row.get("schema")?, table: row.get("table")? },
        definition: TableDefinition {
            is_partitioned: row.get("is_partitioned")?,
            is_materialized_view: row.get("is_materialized_view")?,
            is_unlogged: row.get("is_unlogged")?,
            fillfactor_percent: row.small("fillfactor")?,
            options: row.get("options")?,
        },
        figures: TableFigures {
            live_tuples: row.count("live")?,
            dead_tuples: row.count("dead")?,
            modified_since_analyze: row.count("modified")?,
            inserted_since_vacuum: row.count("inserted_since")?,
            inserted: row.count("inserted")?,
            updated: row.count("updated")?,
            hot_updated: row.count("hot_updated")?,
            deleted: row.count("deleted")?,
            sequential_scans: row.count("sequential_scans")?,
            // -1 since PostgreSQL 14, before that nothing on no pages.
            estimated_tuples: (tuples > 0.0 || (tuples == 0.0 && known_pages != 0)).then_some(tuples),
            heap_bytes: row.count("heap_bytes")?,
            toast_bytes: row.count("toast_bytes")?,
            last_vacuum: row.time("last_vacuum")?,
            last_autovacuum: row.time("last_autovacuum")?,
            last_analyze: row.time("last_analyze")?,
            last_autoanalyze: row.time("last_autoanalyze")?,
            xid_age: row.count("xid_age")?,
            multixact_age: row.count("multixact_age")?,
            stats_reset: database.figures.stats_reset,
            ..TableFigures::default()
        },
    })
}

fn rows(row: &Answer<'_>, table: &Table, columns: Vec<Column>, page_bytes: u64) -> Result<Rows, Error> {
    let figures = &table.figures;
    Ok(Rows {
        page_bytes,
        live: figures.live_tuples as f64,
        counted: figures.estimated_tuples,
        modified: figures.modified_since_analyze as f64,
        is_analyzed: figures.last_analyze.or(figures.last_autoanalyze).is_some(),
        has_toasted: row.get("has_toasted")?,
        columns,
    })
}

/// What the statistics system counts of dead rows; where it counted none at all it knows nothing.
fn dead(figures: &TableFigures) -> Option<Bloat> {
    let (live, dead) = (figures.live_tuples as f64, figures.dead_tuples as f64);
    (live + dead > 0.0).then(|| {
        let share = dead / (live + dead);
        let wasted_bytes = (share * figures.heap_bytes as f64) as u64;
        Bloat { percent: 100.0 * share, wasted_bytes, method: Method::DeadTuples }
    })
}

/// The sizes of indexes belong to their tables, too.
pub(super) fn add_index_sizes(tables: &mut [Table], indexes: &[Index]) {
    let mut sizes: HashMap<Oid, u64> = HashMap::new();
    for index in indexes {
        *sizes.entry(index.table).or_default() += index.figures.size_bytes;
    }
    for table in tables {
        table.figures.index_bytes = sizes.get(&table.key.relation).copied().unwrap_or_default();
    }
}

/// Tables of which the role may not read all statistics.
pub(super) fn unreadable(columns: &Columns) -> usize {
    columns.values().filter(|columns| columns.iter().any(|column| !column.is_readable)).count()
}
