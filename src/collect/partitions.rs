//! Sums of partitions at their topmost parent. Pure.

use std::collections::HashMap;

use crate::base::units::WallTime;
use crate::snapshot::index::{Index, IndexFigures};
use crate::snapshot::relation::{Bloat, Method, Oid, Withheld};
use crate::snapshot::table::{Table, TableFigures};

/// Fills in the figures of partitioned tables.
pub(super) fn sum_tables(tables: &mut [Table]) {
    let mut sums: HashMap<Oid, (TableFigures, Wasted)> = HashMap::new();
    for leaf in tables.iter() {
        let Some(root) = leaf.root else { continue };
        let is_first = !sums.contains_key(&root);
        let (sum, wasted) = sums.entry(root).or_default();
        add_table(sum, &leaf.figures, is_first);
        wasted.add(leaf.figures.bloat, weighed(&leaf.figures), leaf.figures.withheld);
    }
    for root in tables.iter_mut().filter(|table| table.definition.is_partitioned) {
        let (sum, wasted) = sums.remove(&root.key.relation).unwrap_or_default();
        let stats_reset = root.figures.stats_reset;
        root.figures = TableFigures { stats_reset, ..sum };
        (root.figures.bloat, root.figures.withheld) = wasted.total();
    }
}

/// Of how much a share of bloat is: only who looks sees TOAST.
fn weighed(figures: &TableFigures) -> u64 {
    let is_measured = figures.bloat.is_some_and(|bloat| bloat.method == Method::Measured);
    figures.heap_bytes.saturating_add(if is_measured { figures.toast_bytes } else { 0 })
}

fn add_table(sum: &mut TableFigures, leaf: &TableFigures, is_first: bool) {
    sum.partitions += 1;
    for (sum, leaf) in [
        (&mut sum.live_tuples, leaf.live_tuples),
        (&mut sum.dead_tuples, leaf.dead_tuples),
        (&mut sum.modified_since_analyze, leaf.modified_since_analyze),
        (&mut sum.inserted_since_vacuum, leaf.inserted_since_vacuum),
        (&mut sum.inserted, leaf.inserted),
        (&mut sum.updated, leaf.updated),
        (&mut sum.hot_updated, leaf.hot_updated),
        (&mut sum.deleted, leaf.deleted),
        (&mut sum.sequential_scans, leaf.sequential_scans),
        (&mut sum.heap_bytes, leaf.heap_bytes),
        (&mut sum.toast_bytes, leaf.toast_bytes),
        (&mut sum.index_bytes, leaf.index_bytes),
    ] {
        *sum = sum.saturating_add(leaf);
    }
    sum.estimated_tuples = match (sum.estimated_tuples, leaf.estimated_tuples) {
        (Some(sum), Some(leaf)) => Some(sum + leaf),
        (sum, leaf) => sum.or(leaf),
    };
    let oldest = |sum: Option<WallTime>, leaf: Option<WallTime>| if is_first { leaf } else { sum.min(leaf) };
    sum.last_vacuum = oldest(sum.last_vacuum, leaf.last_vacuum);
    sum.last_autovacuum = oldest(sum.last_autovacuum, leaf.last_autovacuum);
    sum.last_analyze = oldest(sum.last_analyze, leaf.last_analyze);
    sum.last_autoanalyze = oldest(sum.last_autoanalyze, leaf.last_autoanalyze);
    sum.xid_age = sum.xid_age.max(leaf.xid_age);
    sum.multixact_age = sum.multixact_age.max(leaf.multixact_age);
}

/// Fills in the figures of partitioned indexes.
pub(super) fn sum_indexes(indexes: &mut [Index]) {
    let mut sums: HashMap<Oid, (IndexFigures, Wasted)> = HashMap::new();
    for leaf in indexes.iter() {
        let Some(root) = leaf.root else { continue };
        let (sum, wasted) = sums.entry(root).or_default();
        let figures = &leaf.figures;
        sum.partitions += 1;
        sum.scans = sum.scans.saturating_add(figures.scans);
        sum.tuples_read = sum.tuples_read.saturating_add(figures.tuples_read);
        sum.tuples_fetched = sum.tuples_fetched.saturating_add(figures.tuples_fetched);
        sum.size_bytes = sum.size_bytes.saturating_add(figures.size_bytes);
        sum.last_scan = sum.last_scan.max(figures.last_scan);
        wasted.add(figures.bloat, figures.size_bytes, figures.withheld);
    }
    for root in indexes.iter_mut().filter(|index| index.definition.is_partitioned) {
        let (sum, wasted) = sums.remove(&root.key.relation).unwrap_or_default();
        let stats_reset = root.figures.stats_reset;
        root.figures = IndexFigures { stats_reset, ..sum };
        (root.figures.bloat, root.figures.withheld) = wasted.total();
    }
}

/// Bloat of those partitions of which it is known.
#[derive(Default)]
struct Wasted {
    sum: Option<Bloat>,
    bytes: u64,
    withheld: Option<Withheld>,
}

impl Wasted {
    fn add(&mut self, bloat: Option<Bloat>, size_bytes: u64, withheld: Option<Withheld>) {
        self.withheld = self.withheld.or(withheld);
        let Some(bloat) = bloat else { return };
        let sum = self.sum.get_or_insert(Bloat { method: bloat.method, ..Bloat::default() });
        sum.wasted_bytes = sum.wasted_bytes.saturating_add(bloat.wasted_bytes);
        sum.method = sum.method.max(bloat.method);
        self.bytes = self.bytes.saturating_add(size_bytes);
    }

    fn total(self) -> (Option<Bloat>, Option<Withheld>) {
        let total = self.sum.map(|sum| {
            let percent = 100.0 * sum.wasted_bytes as f64 / (self.bytes as f64).max(1.0);
            Bloat { percent: percent.min(100.0), ..sum }
        });
        (total, if total.is_none() { self.withheld.or(Some(Withheld::Partitioned)) } else { None })
    }
}

#[cfg(test)]
#[path = "tests/partitions.rs"]
mod tests;
