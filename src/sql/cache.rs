//! What a worker has met: queries by their skeleton, whole texts by their bytes. Bounded in number and in bytes.

use std::sync::Arc;

use hashbrown::HashTable;
use xxhash_rust::const_xxh3::const_custom_default_secret;
use xxhash_rust::xxh3::xxh3_128_with_secret;

use super::canonical;
use super::hash::QueryHash;
use super::kind::Kind;
use super::query::Query;
use super::statement::{Dialect, Encoding, Statements};

/// Queries that a worker knows at most.
const QUERIES_MAX: usize = 16_384;
/// Bytes of their texts at most.
const QUERIES_BYTES_MAX: usize = 16 << 20;
/// Seconds after which a query that was not met goes.
const IDLE_MAX: u32 = 900;
/// Queries that one call of [`Queries::forget_idle`] looks at: all within a minute.
const SWEEP: usize = QUERIES_MAX / 60;
/// Queries of which the one met longest ago makes room for another.
const SAMPLE: usize = 16;

/// Slots of the table of texts.
const TEXTS: usize = 1_024;
/// Longer texts aren't looked up: to hash them would cost more than it saves where they hold a long literal.
const TEXT_BYTES_MAX: usize = 16 << 10;
/// Statements of a text in the table at most.
const TEXT_STATEMENTS_MAX: usize = 8;
/// Bytes of queries that the table may keep alive; above that it starts anew.
const TEXTS_BYTES_MAX: usize = 4 << 20;

/// Hashes that nobody outside can aim at.
pub(super) struct Hasher([u8; 192]);

impl Hasher {
    /// `seed` is secret to the process.
    pub(super) fn new(seed: u64) -> Self {
        Self(const_custom_default_secret(seed))
    }

    #[inline]
    pub(super) fn of(&self, bytes: &[u8]) -> u128 {
        xxh3_128_with_secret(bytes, &self.0)
    }
}

struct Entry {
    key: u128,
    query: Arc<Query>,
    /// The second in which it was met last.
    met: u32,
}

/// Queries by the hash of their skeleton.
pub(super) struct Queries {
    index: HashTable<usize>,
    entries: Vec<Entry>,
    bytes: usize,
    now: u32,
    hand: usize,
    text_max: usize,
}

impl Queries {
    /// Keeps `text_max` bytes of each canonical text.
    pub(super) fn new(text_max: usize) -> Self {
        Self { index: HashTable::new(), entries: Vec::new(), bytes: 0, now: 0, hand: 0, text_max }
    }

    /// The query of a skeleton: the one that is known, or a new one.
    #[inline]
    pub(super) fn query(&mut self, hasher: &Hasher, skeleton: &[u8]) -> Arc<Query> {
        let key = hasher.of(skeleton);
        let entries = &mut self.entries;
        let found = self.index.find(key as u64, |at| entries.get(*at).is_some_and(|entry| entry.key == key));
        match found.and_then(|at| entries.get_mut(*at)) {
            Some(entry) => {
                entry.met = self.now;
                Arc::clone(&entry.query)
            }
            None => self.add(key, skeleton),
        }
    }

    #[cold]
    fn add(&mut self, key: u128, skeleton: &[u8]) -> Arc<Query> {
        let text = canonical::number(skeleton);
        let query = Arc::new(Query {
            hash: QueryHash::of(&text),
            kind: Kind::of(skeleton),
            text: canonical::cut(&text, self.text_max),
        });
        while self.entries.len() >= QUERIES_MAX || self.bytes + query.text.len() > QUERIES_BYTES_MAX {
            if !self.make_room() {
                break;
            }
        }
        self.bytes += query.text.len();
        let at = self.entries.len();
        self.entries.push(Entry { key, query: Arc::clone(&query), met: self.now });
        let entries = &self.entries;
        self.index.insert_unique(key as u64, at, |at| entries.get(*at).map_or(0, |entry| entry.key as u64));
        query
    }

    fn make_room(&mut self) -> bool {
        let count = self.entries.len();
        let start = self.hand;
        self.hand = (self.hand + SAMPLE) % count.max(1);
        let oldest = (0..SAMPLE.min(count))
            .map(|step| (start + step) % count)
            .min_by_key(|at| self.entries.get(*at).map(|entry| entry.met));
        oldest.map(|at| self.remove(at)).is_some()
    }

    fn remove(&mut self, at: usize) {
        let entry = self.entries.swap_remove(at);
        self.bytes -= entry.query.text.len();
        if let Ok(slot) = self.index.find_entry(entry.key as u64, |found| *found == at) {
            slot.remove();
        }
        let moved_from = self.entries.len();
        if let Some(moved) = self.entries.get(at)
            && let Some(index) = self.index.find_mut(moved.key as u64, |found| *found == moved_from)
        {
            *index = at;
        }
    }

    /// A second has passed.
    pub(super) fn forget_idle(&mut self) {
        self.now = self.now.saturating_add(1);
        for _ in 0..SWEEP.min(self.entries.len()) {
            self.hand = self.hand.checked_sub(1).unwrap_or(self.entries.len().saturating_sub(1));
            let met = self.entries.get(self.hand).map(|entry| entry.met);
            if met.is_some_and(|met| self.now - met > IDLE_MAX) {
                self.remove(self.hand);
            }
        }
    }
}

#[derive(Default)]
struct Slot {
    /// The text that was met here last. Its statements are kept when it is met again, so that texts which never repeat
    /// drive out nothing.
    met: u128,
    kept: u128,
    statements: Statements,
    bytes: usize,
}

/// Statements by the hash of their whole text and its dialect: repeated texts need no lexer.
pub(super) struct Texts {
    slots: Box<[Slot]>,
    bytes: usize,
}

/// What the table says of a text.
pub(super) enum Found<'a> {
    /// Its statements.
    Statements(&'a Statements),
    /// Nothing yet; its key.
    Nothing(u128),
    /// It is too long.
    TooLong,
}

impl Texts {
    pub(super) fn new() -> Self {
        Self { slots: (0..TEXTS).map(|_| Slot::default()).collect(), bytes: 0 }
    }

    /// Looks a text up.
    #[inline]
    pub(super) fn find(&self, hasher: &Hasher, sql: &[u8], dialect: Dialect) -> Found<'_> {
        if sql.len() > TEXT_BYTES_MAX {
            return Found::TooLong;
        }
        let key = hasher.of(sql) ^ (code(dialect) << 64);
        match self.slots.get(key as usize % TEXTS) {
            Some(slot) if slot.kept == key => Found::Statements(&slot.statements),
            _ => Found::Nothing(key),
        }
    }

    /// A text that was looked up has been lexed.
    pub(super) fn met(&mut self, key: u128, statements: &Statements) {
        let Some(slot) = self.slots.get_mut(key as usize % TEXTS) else { return };
        if slot.met != key || statements.len() > TEXT_STATEMENTS_MAX {
            slot.met = key;
            return;
        }
        let bytes = statements.iter().map(|statement| statement.query.text.len()).sum::<usize>();
        self.bytes = self.bytes - slot.bytes + bytes;
        *slot = Slot { met: key, kept: key, statements: statements.clone(), bytes };
        if self.bytes > TEXTS_BYTES_MAX {
            *self = Self::new();
        }
    }
}

fn code(dialect: Dialect) -> u128 {
    let encoding = match dialect.encoding {
        Encoding::AsciiSafe => 0,
        Encoding::DoubleByte => 1,
        Encoding::ShiftJis => 2,
        Encoding::SingleByte => 3,
    };
    encoding << 1 | u128::from(dialect.standard_strings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skeleton(number: usize, len: usize) -> Vec<u8> {
        format!("select {number} {}", "x".repeat(len)).into_bytes()
    }

    #[test]
    fn queries_are_bounded_in_number_and_bytes() {
        let (hasher, mut queries) = (Hasher::new(1), Queries::new(8_192));
        for number in 0..QUERIES_MAX + 1_000 {
            queries.query(&hasher, &skeleton(number, 0));
        }
        assert_eq!((queries.entries.len(), queries.index.len()), (QUERIES_MAX, QUERIES_MAX));
        for number in 0..3_000 {
            queries.query(&hasher, &skeleton(number, 8_000));
            assert!(queries.bytes <= QUERIES_BYTES_MAX);
        }
        assert_eq!(queries.index.len(), queries.entries.len());
        assert_eq!(queries.entries.iter().map(|entry| entry.query.text.len()).sum::<usize>(), queries.bytes);
    }

    #[test]
    fn idle_queries_go_and_met_ones_stay() {
        let (hasher, mut queries) = (Hasher::new(1), Queries::new(8_192));
        let kept = queries.query(&hasher, &skeleton(0, 0));
        for number in 1..1_000 {
            queries.query(&hasher, &skeleton(number, 0));
        }
        for _ in 0..IDLE_MAX + 70 {
            queries.forget_idle();
            queries.query(&hasher, &skeleton(0, 0));
        }
        assert_eq!(queries.entries.len(), 1);
        assert!(Arc::ptr_eq(&kept, &queries.query(&hasher, &skeleton(0, 0))));
    }

    #[test]
    fn a_text_is_kept_when_it_is_met_again() {
        let (hasher, mut texts) = (Hasher::new(1), Texts::new());
        let dialect = Dialect::default();
        for kept in [false, false, true] {
            match texts.find(&hasher, b"select 1", dialect) {
                Found::Statements(_) => assert!(kept),
                Found::Nothing(key) => {
                    assert!(!kept);
                    texts.met(key, &Statements::default());
                }
                Found::TooLong => panic!(),
            }
        }
    }
}
