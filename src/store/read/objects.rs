//! Tables and indexes out of rows of samples.

use serde::de::DeserializeOwned;
use tokio_postgres::Row;

use super::source::count;
use crate::base::units::WallTime;
use crate::snapshot::index::{Index, IndexFigures, IndexNames};
use crate::snapshot::relation::{Bloat, Key, Method, Oid, Withheld};
use crate::snapshot::table::{Table, TableFigures, TableNames};
use crate::store::error::Error;

/// µs of a time, for the statements here.
pub(super) fn micros(column: &str) -> String {
    format!("(extract(epoch from {column}) * 1000000)::bigint")
}

/// What all samples of indexes are read with, beside `database` and `relation`.
pub(super) fn index_columns() -> String {
    format!(
        "{at} at_us, s.is_gone, s.scans, s.tuples_read, s.tuples_fetched, s.size_bytes,
        s.wasted_bytes, s.bloat_percent, {last_scan} last_scan_us, {stats_reset} stats_reset_us, s.partitions, s.method,
        s.withheld",
        at = micros("s.at"),
        last_scan = micros("s.last_scan"),
        stats_reset = micros("s.stats_reset"),
    )
}

/// What all samples of tables are read with, beside `database` and `relation`.
pub(super) fn table_columns() -> String {
    let times = ["last_vacuum", "last_autovacuum", "last_analyze", "last_autoanalyze", "stats_reset"];
    let times = times.map(|column| format!("{} {column}_us", micros(&format!("s.{column}"))));
    format!(
        "{at} at_us, s.is_gone, s.live_tuples, s.dead_tuples, s.modified_since_analyze,
        s.inserted_since_vacuum, s.inserted, s.updated, s.hot_updated, s.deleted, s.sequential_scans,
        s.estimated_tuples, s.heap_bytes, s.toast_bytes, s.index_bytes, s.wasted_bytes, s.bloat_percent, s.xid_age,
        s.multixact_age, s.partitions, s.method, s.withheld, {times}",
        at = micros("s.at"),
        times = times.join(", "),
    )
}

pub(super) fn key(row: &Row) -> Result<Key, Error> {
    Ok(Key { database: Oid(row.try_get("database")?), relation: Oid(row.try_get("relation")?) })
}

pub(super) fn time(row: &Row, column: &str) -> Result<Option<WallTime>, Error> {
    let micros: Option<i64> = row.try_get(column)?;
    Ok(micros.map(WallTime::from_unix_micros))
}

pub(super) fn at(row: &Row) -> Result<WallTime, Error> {
    time(row, "at_us")?.ok_or(Error::Answer("a sample without a time"))
}

/// A JSON of ours; what it lacks is as by default.
pub(super) fn json<T: DeserializeOwned>(row: &Row, column: &str) -> Result<T, Error> {
    let text: &str = row.try_get(column)?;
    serde_json::from_str(text).map_err(|_| Error::Answer("a snapshot that is not ours"))
}

fn bloat(row: &Row) -> Result<(Option<Bloat>, Option<Withheld>), Error> {
    let (method, withheld): (Option<&str>, Option<&str>) = (row.try_get("method")?, row.try_get("withheld")?);
    let percent: Option<f64> = row.try_get("bloat_percent")?;
    let wasted_bytes = count(row, "wasted_bytes")?;
    let known = method.and_then(Method::parse).zip(percent);
    Ok((known.map(|(method, percent)| Bloat { percent, wasted_bytes, method }), withheld.and_then(Withheld::parse)))
}

fn small(row: &Row, column: &str) -> Result<u32, Error> {
    let value: i32 = row.try_get(column)?;
    Ok(value.unsigned_abs())
}

pub(super) fn index_figures(row: &Row) -> Result<IndexFigures, Error> {
    let (bloat, withheld) = bloat(row)?;
    Ok(IndexFigures {
        partitions: small(row, "partitions")?,
        scans: count(row, "scans")?,
        tuples_read: count(row, "tuples_read")?,
        tuples_fetched: count(row, "tuples_fetched")?,
        size_bytes: count(row, "size_bytes")?,
        last_scan: time(row, "last_scan_us")?,
        stats_reset: time(row, "stats_reset_us")?,
        bloat,
        withheld,
    })
}

pub(super) fn table_figures(row: &Row) -> Result<TableFigures, Error> {
    let (bloat, withheld) = bloat(row)?;
    Ok(TableFigures {
        partitions: small(row, "partitions")?,
        live_tuples: count(row, "live_tuples")?,
        dead_tuples: count(row, "dead_tuples")?,
        modified_since_analyze: count(row, "modified_since_analyze")?,
        inserted_since_vacuum: count(row, "inserted_since_vacuum")?,
        inserted: count(row, "inserted")?,
        updated: count(row, "updated")?,
        hot_updated: count(row, "hot_updated")?,
        deleted: count(row, "deleted")?,
        sequential_scans: count(row, "sequential_scans")?,
        estimated_tuples: row.try_get("estimated_tuples")?,
        heap_bytes: count(row, "heap_bytes")?,
        toast_bytes: count(row, "toast_bytes")?,
        index_bytes: count(row, "index_bytes")?,
        last_vacuum: time(row, "last_vacuum_us")?,
        last_autovacuum: time(row, "last_autovacuum_us")?,
        last_analyze: time(row, "last_analyze_us")?,
        last_autoanalyze: time(row, "last_autoanalyze_us")?,
        xid_age: count(row, "xid_age")?,
        multixact_age: count(row, "multixact_age")?,
        stats_reset: time(row, "stats_reset_us")?,
        bloat,
        withheld,
    })
}

/// An index with its definition's columns.
pub(super) fn index(row: &Row) -> Result<Index, Error> {
    let root: Option<u32> = row.try_get("root")?;
    Ok(Index {
        key: key(row)?,
        table: Oid(row.try_get("table_relation")?),
        root: root.map(Oid),
        names: IndexNames {
            database: row.try_get("datname")?,
            schema: row.try_get("schemaname")?,
            table: row.try_get("relname")?,
            index: row.try_get("indexrelname")?,
        },
        definition: json(row, "detail")?,
        figures: index_figures(row)?,
    })
}

/// A table with its definition's columns.
pub(super) fn table(row: &Row) -> Result<Table, Error> {
    let root: Option<u32> = row.try_get("root")?;
    Ok(Table {
        key: key(row)?,
        root: root.map(Oid),
        names: TableNames {
            database: row.try_get("datname")?,
            schema: row.try_get("schemaname")?,
            table: row.try_get("relname")?,
        },
        definition: json(row, "detail")?,
        figures: table_figures(row)?,
    })
}
