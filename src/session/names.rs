//! A bounded table of what has a name: prepared statements, portals.

use std::mem;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::session::key::Key;

/// The unnamed entry and, up to a limit, named ones. Beyond it those used longest ago go, an eighth at a time.
#[derive(Debug)]
pub(super) struct Names<T> {
    unnamed: Option<T>,
    named: HashMap<Key, Slot<T>, FxBuildHasher>,
    limit: usize,
    tick: u32,
}

#[derive(Debug)]
struct Slot<T> {
    value: T,
    used: u32,
}

impl<T> Names<T> {
    /// An empty table of at most `limit` named entries.
    pub(super) fn new(limit: usize) -> Self {
        Self { unnamed: None, named: HashMap::with_hasher(FxBuildHasher), limit, tick: 0 }
    }

    /// What `key` names; counts as a use.
    #[inline]
    pub(super) fn get(&mut self, key: Key) -> Option<&mut T> {
        if key == Key::UNNAMED {
            return self.unnamed.as_mut();
        }
        self.tick = self.tick.wrapping_add(1);
        let slot = self.named.get_mut(&key)?;
        slot.used = self.tick;
        Some(&mut slot.value)
    }

    /// What `key` names.
    pub(super) fn peek(&self, key: Key) -> Option<&T> {
        if key == Key::UNNAMED { self.unnamed.as_ref() } else { self.named.get(&key).map(|slot| &slot.value) }
    }

    /// All entries.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        let unnamed = self.unnamed.iter().map(|value| (Key::UNNAMED, value));
        unnamed.chain(self.named.iter().map(|(key, slot)| (*key, &slot.value)))
    }

    /// Names `value`; returns what had the name before and what had to go for want of room.
    #[inline]
    pub(super) fn insert(&mut self, key: Key, value: T) -> (Option<T>, Vec<T>) {
        if key == Key::UNNAMED {
            return (self.unnamed.replace(value), Vec::new());
        }
        if key == Key::UNREADABLE {
            return (None, Vec::new());
        }
        self.tick = self.tick.wrapping_add(1);
        let old = self.named.insert(key, Slot { value, used: self.tick }).map(|slot| slot.value);
        let gone = if self.named.len() > self.limit { self.make_room() } else { Vec::new() };
        (old, gone)
    }

    fn make_room(&mut self) -> Vec<T> {
        let now = self.tick;
        let mut ages: Vec<u32> = self.named.values().map(|slot| now.wrapping_sub(slot.used)).collect();
        let young = ages.len() - ages.len().div_ceil(8);
        let (_, oldest_kept, _) = ages.select_nth_unstable(young);
        let limit = *oldest_kept;
        self.named.extract_if(|_, slot| now.wrapping_sub(slot.used) >= limit).map(|(_, slot)| slot.value).collect()
    }

    /// Takes the name away.
    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        if key == Key::UNNAMED {
            return self.unnamed.take();
        }
        self.named.remove(&key).map(|slot| slot.value)
    }

    /// Takes all names away, the unnamed entry stays.
    pub(super) fn remove_named(&mut self) -> impl Iterator<Item = (Key, T)> + use<T> {
        let empty = HashMap::with_hasher(FxBuildHasher);
        mem::replace(&mut self.named, empty).into_iter().map(|(key, slot)| (key, slot.value))
    }

    /// True when something but the unnamed entry is there.
    #[inline]
    pub(super) fn has_named(&self) -> bool {
        !self.named.is_empty()
    }

    /// True when nothing has a name.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.unnamed.is_none() && self.named.is_empty()
    }
}
