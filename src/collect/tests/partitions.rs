use super::*;
use crate::snapshot::relation::Key;

fn key(relation: u32) -> Key {
    Key { database: Oid(1), relation: Oid(relation) }
}

fn leaf(relation: u32, live_tuples: u64, bloat: Option<Bloat>) -> Table {
    let last_vacuum = (live_tuples > 1).then(|| WallTime::from_unix_micros(live_tuples.cast_signed()));
    let figures = TableFigures {
        live_tuples,
        heap_bytes: 1_000,
        xid_age: live_tuples,
        last_vacuum,
        bloat,
        withheld: bloat.is_none().then_some(Withheld::NeverAnalyzed),
        ..TableFigures::default()
    };
    Table { key: key(relation), root: Some(Oid(10)), figures, ..Table::default() }
}

fn root() -> Table {
    let mut table = Table { key: key(10), ..Table::default() };
    table.definition.is_partitioned = true;
    table
}

fn wasted(wasted_bytes: u64, method: Method) -> Option<Bloat> {
    Some(Bloat { percent: 1.0, wasted_bytes, method })
}

#[test]
fn a_parent_has_the_sums_of_its_partitions_and_other_tables_are_left_alone() {
    let mut alone = leaf(13, 7, None);
    alone.root = None;
    let measured = wasted(500, Method::Measured);
    let mut tables = vec![
        root(),
        leaf(11, 2, measured),
        leaf(12, 3, wasted(100, Method::Estimated)),
        leaf(14, 4, None),
        alone.clone(),
    ];
    sum_tables(&mut tables);
    let sum = &tables[0].figures;
    assert_eq!((sum.partitions, sum.live_tuples, sum.heap_bytes, sum.xid_age), (3, 9, 3_000, 4));
    assert_eq!(sum.last_vacuum, Some(WallTime::from_unix_micros(2)), "the one that waited longest");
    // Of the 2,000 bytes of which it is known; as good as the worst of the methods.
    assert_eq!(sum.bloat, Some(Bloat { percent: 30.0, wasted_bytes: 600, method: Method::Estimated }));
    assert_eq!(sum.withheld, None);
    assert_eq!(tables[4], alone);
}

#[test]
fn a_partition_that_was_never_vacuumed_is_what_counts() {
    let mut tables = vec![leaf(11, 2, None), leaf(12, 1, None), root()];
    sum_tables(&mut tables);
    assert_eq!(tables[2].figures.last_vacuum, None);
    assert_eq!((tables[2].figures.bloat, tables[2].figures.withheld), (None, Some(Withheld::NeverAnalyzed)));
}

#[test]
fn an_index_was_used_when_any_of_its_partitions_was() {
    let leaf = |relation, scans: u64| Index {
        key: key(relation),
        root: Some(Oid(10)),
        figures: IndexFigures {
            scans,
            size_bytes: 10,
            last_scan: (scans > 0).then(|| WallTime::from_unix_micros(5)),
            ..IndexFigures::default()
        },
        ..Index::default()
    };
    let mut top = Index { key: key(10), ..Index::default() };
    top.definition.is_partitioned = true;
    let mut indexes = vec![leaf(11, 0), top, leaf(12, 3)];
    sum_indexes(&mut indexes);
    let sum = &indexes[1].figures;
    assert_eq!((sum.partitions, sum.scans, sum.size_bytes), (2, 3, 20));
    assert_eq!(sum.last_scan, Some(WallTime::from_unix_micros(5)));
}
