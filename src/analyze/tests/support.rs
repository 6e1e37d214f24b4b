//! Instants, and a server to look at.

use crate::analyze::level::{DAY, HOUR};
use crate::base::units::{Nanos, WallTime};
use crate::snapshot::database::Database;
use crate::snapshot::history::{History, Round, Sample};
use crate::snapshot::index::{Index, IndexColumn, IndexDefinition, IndexFigures, IndexNames};
use crate::snapshot::relation::{Bloat, Key, Method, Oid};
use crate::snapshot::set::Set;
use crate::snapshot::table::{Table, TableFigures, TableNames};

/// The database that all is in.
pub(super) const DATABASE: Oid = Oid(5);

/// A Monday, 2026-06-01 at midnight, UTC.
pub(super) const START: WallTime = WallTime::from_unix_micros(1_780_272_000_000_000);

/// So many minutes after [`START`].
pub(super) fn minute(minutes: u64) -> WallTime {
    START.after(Nanos::from_millis(minutes * 60_000))
}

/// So many hours after [`START`].
pub(super) fn hour(hours: u64) -> WallTime {
    START.after(Nanos::new(hours * HOUR.get()))
}

/// So many days after [`START`].
pub(super) fn day(days: u64) -> WallTime {
    START.after(Nanos::new(days * DAY.get()))
}

/// A server with one database that was looked at.
pub(super) fn set() -> Set {
    let database = Database { oid: DATABASE, name: "shop".into(), is_seen: true, ..Database::default() };
    Set { at: day(40), databases: vec![database], ..Set::default() }
}

/// A round each hour, of so many days.
pub(super) fn rounds(days: u64) -> Vec<Round> {
    (0..=days * 24).map(|at| Round { at: hour(at), after_idle: false, is_full: at % 24 == 0 }).collect()
}

/// A plain btree of 1 MiB over these columns.
pub(super) fn index(oid: u32, name: &str, columns: &[&str]) -> Index {
    let column = |text: &&str| IndexColumn {
        text: (*text).to_owned(),
        opclass: "pg_catalog.int4_ops".into(),
        ..IndexColumn::default()
    };
    Index {
        key: Key { database: DATABASE, relation: Oid(oid) },
        table: Oid(1),
        root: None,
        names: IndexNames {
            database: "shop".into(),
            schema: "public".into(),
            table: "orders".into(),
            index: name.into(),
        },
        definition: IndexDefinition {
            statement: format!("CREATE INDEX {name} ON public.orders USING btree ({})", columns.join(", ")),
            method: "btree".into(),
            columns: columns.iter().map(column).collect(),
            fillfactor_percent: 90,
            is_valid: true,
            is_ready: true,
            ..IndexDefinition::default()
        },
        figures: IndexFigures { size_bytes: 1 << 20, ..IndexFigures::default() },
    }
}

/// An index's counter over time: instants and scans.
pub(super) fn scans(history: &mut History, index: &Index, scans: &[(WallTime, u64)]) {
    let samples = scans.iter().map(|(at, scans)| {
        let figures = IndexFigures { scans: *scans, ..index.figures.clone() };
        Sample { at: *at, figures }
    });
    history.indexes.insert(index.key, samples.collect());
}

/// A table of 1 GiB of which so much is bloat.
pub(super) fn table(oid: u32, name: &str, percent: f64) -> Table {
    let heap_bytes = 1u64 << 30;
    let wasted_bytes = (heap_bytes as f64 * percent / 100.0) as u64;
    Table {
        key: Key { database: DATABASE, relation: Oid(oid) },
        names: TableNames { database: "shop".into(), schema: "public".into(), table: name.into() },
        figures: TableFigures {
            live_tuples: 1_000_000,
            heap_bytes,
            bloat: Some(Bloat { percent, wasted_bytes, method: Method::Estimated }),
            ..TableFigures::default()
        },
        ..Table::default()
    }
}
