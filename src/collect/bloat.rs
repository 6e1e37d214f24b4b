//! Bloat by statistics: what the rows should take, against what there is. Pure.
//!
//! After ioguix' `pgsql-bloat-estimation`, with each column's alignment, with keys that btrees keep once
//! (`access/nbtree/README`, "Notes about deduplication"), and with a reason instead of a figure where statistics do not
//! say enough: a wrong figure is worse than none. Sizes of headers are `access/htup_details.h`'s and `access/itup.h`'s, on
//! machines that align to 8 bytes.

use crate::snapshot::relation::{Bloat, Method, Withheld};

const MAXALIGN: f64 = 8.0;
const PAGE_HEADER: f64 = 24.0;
const LINE_POINTER: f64 = 4.0;
const HEAP_HEADER: f64 = 23.0;
const INDEX_HEADER: f64 = 8.0;
/// What a btree's page has at its end.
const BTREE_SPECIAL: f64 = 16.0;
/// A row's place, of which a btree's entry with several rows holds one for each.
const ROW_ID: f64 = 6.0;
/// The widest value with a header of one byte, which is not aligned.
const SHORT_WIDTH: f64 = 127.0;
/// Statistics are stale when more of the rows changed since.
const STALE_SHARE: f64 = 0.1;
/// A fraction of a page is not bloat: smaller relations are left out.
pub(super) const SMALL_PAGES: u64 = 16;
/// An estimate so far above what there is has another reason than luck.
const IMPOSSIBLE_SHARE: f64 = 1.1;
/// From so many rows a key on, they share an entry often enough to count.
const SHARED_KEY: f64 = 1.1;

/// A column of a table, as its catalogue and statistics know it.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Column {
    pub(super) number: i32,
    /// Bytes of a type of fixed length; negative for others.
    pub(super) length: i32,
    pub(super) alignment: f64,
    /// `char(n)`: all values have the same width.
    pub(super) is_padded: bool,
    /// Its values can be moved to a TOAST table.
    pub(super) is_toastable: bool,
    pub(super) is_dropped: bool,
    pub(super) is_name: bool,
    pub(super) is_readable: bool,
    /// `None`: no statistics.
    pub(super) statistics: Option<Statistics>,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Statistics {
    pub(super) width: f64,
    pub(super) null_share: f64,
    /// As `pg_stats.n_distinct`: negative, it is a share of the rows.
    pub(super) distinct: f64,
}

/// What is known of a table's rows.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Rows {
    pub(super) page_bytes: u64,
    /// Live rows.
    pub(super) live: f64,
    /// At the last VACUUM or ANALYZE.
    pub(super) counted: Option<f64>,
    /// Changed since the last ANALYZE.
    pub(super) modified: f64,
    /// The statistics system knows of an ANALYZE; after a crash or on a standby it doesn't, and then it knows no changes.
    pub(super) is_analyzed: bool,
    pub(super) has_toasted: bool,
    pub(super) columns: Vec<Column>,
}

impl Rows {
    /// How many there are, if statistics tell what they look like.
    fn count(&self) -> Result<f64, Withheld> {
        let counted = self.counted.filter(|rows| *rows > 0.0).ok_or(Withheld::NeverAnalyzed)?;
        let rows = if self.live > 0.0 { self.live } else { counted };
        let is_stale = !self.is_analyzed || self.modified > STALE_SHARE * rows;
        if is_stale { Err(Withheld::StaleStatistics) } else { Ok(rows) }
    }
}

/// The bytes of a row's values, one behind the other.
struct Layout {
    bytes: f64,
    /// No value before varies in width.
    is_exact: bool,
    has_nulls: bool,
}

impl Layout {
    fn of<'a>(columns: impl Iterator<Item = &'a Column>) -> Result<Self, Withheld> {
        let mut layout = Self { bytes: 0.0, is_exact: true, has_nulls: false };
        for column in columns {
            layout.add(column)?;
        }
        Ok(layout)
    }

    fn add(&mut self, column: &Column) -> Result<(), Withheld> {
        if column.is_dropped {
            self.has_nulls = true;
            return Ok(());
        }
        if column.is_name {
            return Err(Withheld::NameColumn);
        }
        let statistics = column.statistics.ok_or(match column.is_readable {
            true => Withheld::StaleStatistics,
            false => Withheld::NoStatistics,
        })?;
        let is_fixed = column.length > 0;
        let is_constant = is_fixed || column.is_padded;
        let width = if is_fixed { f64::from(column.length) } else { statistics.width };
        let alignment = if !is_fixed && width < SHORT_WIDTH { 1.0 } else { column.alignment };
        let padding = if self.is_exact { up(self.bytes, alignment) - self.bytes } else { (alignment - 1.0) / 2.0 };
        self.bytes += (1.0 - statistics.null_share) * (padding + width);
        self.has_nulls |= statistics.null_share > 0.0;
        self.is_exact &= is_constant && statistics.null_share == 0.0;
        Ok(())
    }

    /// With what fills it up to the next multiple of 8; on average, where its end varies.
    fn aligned(&self) -> f64 {
        if self.is_exact { up(self.bytes, MAXALIGN) } else { self.bytes + (MAXALIGN - 1.0) / 2.0 }
    }
}

/// A table's heap of `pages`.
pub(super) fn heap(rows: &Rows, pages: u64, fillfactor: u32) -> Result<Bloat, Withheld> {
    if pages < SMALL_PAGES {
        return Err(Withheld::Small);
    }
    let count = rows.count()?;
    if rows.has_toasted {
        return Err(Withheld::Toasted);
    }
    if rows.columns.is_empty() {
        return Err(Withheld::StaleStatistics);
    }
    let layout = Layout::of(rows.columns.iter())?;
    let bitmap = if layout.has_nulls { (rows.columns.len() as f64 / 8.0).ceil() } else { 0.0 };
    let row = LINE_POINTER + up(HEAP_HEADER + bitmap, MAXALIGN) + layout.aligned();
    let page = rows.page_bytes as f64;
    let kept_free = page * f64::from(100_u32.saturating_sub(fillfactor)) / 100.0;
    let fitting = (page - PAGE_HEADER - kept_free) / row;
    // What is left at a page's end is half a row on average; with rows of one length it is known.
    let fitting = if layout.is_exact { fitting.floor() } else { fitting - 0.5 };
    judged(count / fitting.max(1.0), pages, rows.page_bytes)
}

/// What is known of a btree.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Btree {
    pub(super) size_bytes: u64,
    pub(super) fillfactor: u32,
    pub(super) is_unique: bool,
    /// Equal keys may share an entry.
    pub(super) can_deduplicate: bool,
    /// Numbers of its key columns in the table; 0 is an expression.
    pub(super) keys: Vec<i32>,
    /// Of its INCLUDE columns.
    pub(super) include: Vec<i32>,
}

/// A btree over all rows.
pub(super) fn btree(rows: &Rows, index: &Btree) -> Result<Bloat, Withheld> {
    if index.keys.contains(&0) {
        return Err(Withheld::ExpressionIndex);
    }
    let pages = index.size_bytes / rows.page_bytes.max(1);
    if pages < SMALL_PAGES {
        return Err(Withheld::Small);
    }
    let count = rows.count()?;
    let numbers = index.keys.iter().chain(&index.include);
    let columns = numbers.map(|number| rows.columns.iter().find(|column| column.number == *number));
    let columns: Vec<&Column> = columns.collect::<Option<_>>().ok_or(Withheld::StaleStatistics)?;
    if rows.has_toasted && columns.iter().any(|column| column.is_toastable) {
        return Err(Withheld::Toasted);
    }
    let layout = Layout::of(columns.iter().copied())?;
    // An entry with a NULL has a bitmap.
    let bitmap =
        if layout.has_nulls { columns.iter().map(|column| null_share(column)).fold(0.0, f64::max) } else { 0.0 };
    let entry = INDEX_HEADER + bitmap * MAXALIGN + layout.aligned();
    let page = rows.page_bytes as f64;
    let may_share = index.can_deduplicate && !index.is_unique;
    let shared =
        if may_share { rows_per_key(count, columns.get(..index.keys.len()).unwrap_or_default())? } else { 1.0 };
    let bytes = if shared < SHARED_KEY {
        count * (LINE_POINTER + entry)
    } else {
        // An entry takes rows up to a tenth of a page when the index is made, and is then full.
        let room = ((page / 10.0 - entry) / ROW_ID).max(1.0);
        count / shared * (shared / room).max(1.0) * (LINE_POINTER + entry) + count * ROW_ID
    };
    let kept_free = page * f64::from(100_u32.saturating_sub(index.fillfactor)) / 100.0;
    // A page begins with the least key of the next one.
    let room = page - PAGE_HEADER - BTREE_SPECIAL - kept_free - (LINE_POINTER + entry) - entry / 2.0;
    let leaves = (bytes / room.max(entry)).ceil();
    let fanout = (room / (LINE_POINTER + entry)).max(2.0);
    // Upper levels, and the page that says where the root is.
    judged(leaves + leaves / (fanout - 1.0) + 1.0, pages, rows.page_bytes).map_err(|reason| match reason {
        Withheld::StaleStatistics if may_share => Withheld::Deduplicated,
        other => other,
    })
}

fn null_share(column: &Column) -> f64 {
    column.statistics.map_or(0.0, |statistics| statistics.null_share)
}

/// How many rows have the same key, where that can be told: of one column, or when one of several is nearly unique.
fn rows_per_key(count: f64, columns: &[&Column]) -> Result<f64, Withheld> {
    let distinct = columns.iter().filter_map(|column| {
        let statistics = column.statistics?;
        let values = if statistics.distinct < 0.0 { -statistics.distinct * count } else { statistics.distinct };
        // NULLs are one key more.
        Some(values + f64::from(u8::from(statistics.null_share > 0.0)))
    });
    let shared = count / distinct.fold(1.0, f64::max);
    if columns.len() > 1 && shared >= SHARED_KEY { Err(Withheld::Deduplicated) } else { Ok(shared) }
}

/// `needed` pages against those there are. Fewer than needed: statistics do not fit the relation.
fn judged(needed: f64, pages: u64, page_bytes: u64) -> Result<Bloat, Withheld> {
    let there = pages as f64;
    if needed > there * IMPOSSIBLE_SHARE {
        return Err(Withheld::StaleStatistics);
    }
    let wasted = (there - needed.ceil()).max(0.0);
    Ok(Bloat { percent: 100.0 * wasted / there, wasted_bytes: wasted as u64 * page_bytes, method: Method::Estimated })
}

fn up(bytes: f64, alignment: f64) -> f64 {
    (bytes / alignment).ceil() * alignment
}

#[cfg(test)]
#[path = "tests/bloat.rs"]
mod tests;
