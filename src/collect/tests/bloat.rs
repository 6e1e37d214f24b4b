//! Figures of real relations are known: `pgbench -i` makes 100,000 accounts of 1,640 pages with a key of 276.

use super::*;

const PAGE: u64 = 8_192;

fn column(number: i32, length: i32, alignment: f64, width: f64) -> Column {
    let statistics = Some(Statistics { width, null_share: 0.0, distinct: -1.0 });
    Column { number, length, alignment, is_toastable: length < 0, is_readable: true, statistics, ..Column::default() }
}

fn accounts() -> Rows {
    let filler = Column { is_padded: true, ..column(4, -1, 4.0, 85.0) };
    Rows {
        page_bytes: PAGE,
        live: 100_000.0,
        counted: Some(100_000.0),
        is_analyzed: true,
        columns: vec![column(1, 4, 4.0, 4.0), column(2, 4, 4.0, 4.0), column(3, 4, 4.0, 4.0), filler],
        ..Rows::default()
    }
}

fn key() -> Btree {
    Btree { size_bytes: 276 * PAGE, fillfactor: 90, is_unique: true, keys: vec![1], ..Btree::default() }
}

#[track_caller]
fn near(found: Result<Bloat, Withheld>, percent: f64) {
    let found = found.unwrap();
    assert!((found.percent - percent).abs() < 1.0, "{found:?}, not {percent} %");
    assert_eq!(found.method, Method::Estimated);
}

#[test]
fn a_table_as_it_was_made_has_none_and_one_twice_as_large_a_half() {
    near(heap(&accounts(), 1_640, 100), 0.0);
    near(heap(&accounts(), 3_280, 100), 50.0);
    let half = heap(&Rows { live: 50_000.0, ..accounts() }, 1_640, 100).unwrap();
    assert_eq!(half.wasted_bytes, 820 * PAGE);
}

#[test]
fn what_a_fillfactor_keeps_free_is_no_bloat() {
    // 30 rows a page: pgbench -i -F 50.
    near(heap(&accounts(), 3_334, 50), 0.0);
}

#[test]
fn a_key_as_it_was_made_has_none_and_one_of_a_tenth_of_its_rows_nearly_nine_tenths() {
    near(btree(&accounts(), &key()), 0.0);
    near(btree(&Rows { live: 10_000.0, ..accounts() }, &key()), 89.5);
}

#[test]
fn without_sound_statistics_there_is_no_estimate() {
    let with = |change: fn(&mut Rows)| {
        let mut rows = accounts();
        change(&mut rows);
        heap(&rows, 1_640, 100).unwrap_err()
    };
    assert_eq!(with(|rows| rows.counted = None), Withheld::NeverAnalyzed);
    assert_eq!(with(|rows| rows.counted = Some(0.0)), Withheld::NeverAnalyzed);
    assert_eq!(with(|rows| rows.modified = 10_001.0), Withheld::StaleStatistics);
    assert_eq!(with(|rows| rows.is_analyzed = false), Withheld::StaleStatistics);
    assert_eq!(with(|rows| rows.live = 200_000.0), Withheld::StaleStatistics, "more rows than would fit");
    assert_eq!(with(|rows| rows.has_toasted = true), Withheld::Toasted);
    assert_eq!(with(|rows| rows.columns[1].is_name = true), Withheld::NameColumn);
    assert_eq!(with(|rows| rows.columns[1].statistics = None), Withheld::StaleStatistics);
    let unreadable = |rows: &mut Rows| {
        rows.columns[1].statistics = None;
        rows.columns[1].is_readable = false;
    };
    assert_eq!(with(unreadable), Withheld::NoStatistics);
    assert_eq!(heap(&accounts(), SMALL_PAGES - 1, 100), Err(Withheld::Small));
}

#[test]
fn an_index_without_sound_statistics_has_no_estimate_either() {
    let expression = Btree { keys: vec![0], ..key() };
    assert_eq!(btree(&accounts(), &expression), Err(Withheld::ExpressionIndex));
    let small = Btree { size_bytes: PAGE, ..key() };
    assert_eq!(btree(&accounts(), &small), Err(Withheld::Small));
    let toasted = Rows { has_toasted: true, ..accounts() };
    near(btree(&toasted, &key()), 0.0);
    assert_eq!(btree(&toasted, &Btree { keys: vec![4], ..key() }), Err(Withheld::Toasted));
}

#[test]
fn keys_that_share_entries_take_less_and_are_told_apart_where_that_can_be() {
    let mut rows = accounts();
    rows.columns[1].statistics = Some(Statistics { width: 4.0, null_share: 0.0, distinct: 10.0 });
    // An index on a column of ten values has 87 pages for 100,000 rows.
    let index = Btree { size_bytes: 87 * PAGE, is_unique: false, can_deduplicate: true, keys: vec![2], ..key() };
    near(btree(&rows, &index), 0.0);
    let twice = Btree { size_bytes: 174 * PAGE, ..index.clone() };
    near(btree(&rows, &twice), 50.0);
    rows.columns[2].statistics = rows.columns[1].statistics;
    // Of two columns nobody knows how many pairs there are.
    assert_eq!(btree(&rows, &Btree { keys: vec![2, 3], ..index }), Err(Withheld::Deduplicated));
}
