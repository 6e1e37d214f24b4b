//! A worker's table of figures: known entries are found without allocating, and stay from one harvest to the next.

use rustc_hash::FxHashMap;

use super::ceiling::MAP_ENTRY;
use super::series::SeriesStats;

/// Two hashes that together name an entry.
pub(super) type SlotKey = (u64, u64);

/// Harvests that an entry without figures survives.
const PATIENCE: u8 = 60;

/// Entries of figures with `M` to say whose they are, under a ceiling of entries and bytes.
#[derive(Debug)]
pub(super) struct Slots<M> {
    slots: FxHashMap<SlotKey, Slot<M>>,
    most: usize,
    most_bytes: usize,
    /// Of all entries without their figures' heap blocks.
    bytes: usize,
}

/// Whose figures, and the figures since the last harvest.
#[derive(Debug)]
pub(super) struct Slot<M> {
    pub(super) meta: M,
    pub(super) stats: SeriesStats,
    bytes: usize,
    idle: u8,
}

/// What an entry costs on the heap beside its place in the table.
pub(super) trait Cost {
    /// Bytes that stay the same while it is there.
    fn fixed(&self) -> usize;
    /// Bytes that grow with what is recorded.
    fn grown(&self) -> usize;
    /// Gives back what has grown; nothing is in it.
    fn give_back(&mut self);
}

impl<M: Cost> Slots<M> {
    pub(super) fn new(most: usize, most_bytes: usize) -> Self {
        Self { slots: FxHashMap::default(), most, most_bytes, bytes: 0 }
    }

    /// From now on at most so many entries; those that are there stay until the next harvest.
    pub(super) fn limit(&mut self, most: usize) {
        self.most = most;
    }

    /// Whether a new entry may be made.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.slots.len() < self.most && self.bytes < self.most_bytes
    }

    /// Whether `key` has an entry.
    pub(super) fn has(&self, key: SlotKey) -> bool {
        self.slots.contains_key(&key)
    }

    /// The entry of `key`, made by `meta` when it is new. Ask [`Slots::has_room`] first; only the few that take what
    /// did not fit are made without.
    #[inline]
    pub(super) fn slot(&mut self, key: SlotKey, meta: impl FnOnce() -> M) -> &mut Slot<M> {
        let bytes = &mut self.bytes;
        self.slots.entry(key).or_insert_with(|| {
            let slot = Slot::new(meta());
            *bytes += slot.bytes;
            slot
        })
    }

    /// Hands out what was recorded and resets it in place, then lets go of entries that are not worth their room.
    pub(super) fn harvest(&mut self, mut take: impl FnMut(&mut M, &SeriesStats)) {
        for slot in self.slots.values_mut() {
            if slot.stats.is_empty() {
                slot.idle = slot.idle.saturating_add(1);
            } else {
                take(&mut slot.meta, &slot.stats);
                slot.stats.clear();
                slot.idle = 0;
            }
        }
        self.make_room();
    }

    /// Leaves at least half of the ceiling to newcomers, so that a flood of statements seen once can't shut them out.
    fn make_room(&mut self) {
        self.slots.retain(|_, slot| slot.idle < PATIENCE);
        if self.crowded() {
            self.slots.retain(|_, slot| slot.idle == 0);
        }
        if self.crowded() {
            self.slots.clear();
        }
        self.bytes = self.slots.values().map(|slot| slot.bytes).sum();
        if self.memory_bytes() > self.most_bytes {
            for slot in self.slots.values_mut() {
                slot.stats = SeriesStats::default();
                slot.meta.give_back();
            }
        }
    }

    fn crowded(&self) -> bool {
        let bytes: usize = self.slots.values().map(|slot| slot.bytes).sum();
        self.slots.len() > self.most / 2 || bytes > self.most_bytes / 2
    }

    /// All that it holds.
    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes + self.slots.values().map(|slot| slot.stats.heap_bytes() + slot.meta.grown()).sum::<usize>()
    }
}

impl<M: Cost> Slot<M> {
    fn new(meta: M) -> Self {
        let bytes = size_of::<(SlotKey, Self)>() + MAP_ENTRY + meta.fixed();
        Self { meta, stats: SeriesStats::default(), bytes, idle: 0 }
    }
}
