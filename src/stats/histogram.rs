//! Durations of one series in the buckets of hdrhistogram (1 µs to 2,147,483,647 µs, 2 significant digits).
//!
//! STORE §2 fixes those buckets for good, so they are computed here and `tests/histogram.rs` holds them to the crate's.
//! Only buckets in use are kept, ascending, each packed in a word: a series with one duration costs 8 bytes, the worst
//! one no more than an array of all buckets would, and there is no second form to convert to.

use crate::base::units::Nanos;

/// The longest duration with a bucket of its own kind, in µs: what fits PostgreSQL's `integer`. Longer ones count in it.
pub const LONGEST_US: u32 = 0x7fff_ffff;

/// Buckets below this one are 1 µs wide; from then on each doubling has half as many.
const EXACT: u32 = 256;
const HALF: u32 = EXACT / 2;
const COUNT_BITS: u32 = 48;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

/// A histogram of durations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Index of the bucket in the upper 16 bits, its count in the others; ascending, no count is zero.
    buckets: Vec<u64>,
}

impl Histogram {
    /// Counts one duration. Allocates only when it opens a bucket for which there is no room.
    #[inline]
    pub fn record(&mut self, duration: Nanos) {
        self.add(index_of(duration), 1);
    }

    fn add(&mut self, index: u16, count: u64) {
        let at = self.buckets.partition_point(|packed| *packed < pack(index, 0));
        match self.buckets.get_mut(at) {
            Some(packed) if index_in(*packed) == index => {
                *packed = pack(index, count_in(*packed).saturating_add(count));
            }
            _ => self.buckets.insert(at, pack(index, count)),
        }
    }

    /// The histogram of these buckets, each a value in it, in µs, and its count.
    pub fn from_buckets(buckets: impl Iterator<Item = (u32, u64)>) -> Self {
        let mut histogram = Self::default();
        for (top_us, count) in buckets.filter(|(_, count)| *count > 0) {
            histogram.add(index_of(Nanos::from_micros(u64::from(top_us))), count);
        }
        histogram
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Histogram) {
        let (mut here, mut there) = (self.buckets.as_slice(), other.buckets.as_slice());
        if here.is_empty() {
            self.buckets.clear();
            self.buckets.extend_from_slice(there);
            return;
        }
        if there.iter().all(|packed| here.binary_search_by_key(&index_in(*packed), |p| index_in(*p)).is_ok()) {
            there.iter().for_each(|packed| self.add(index_in(*packed), count_in(*packed)));
            return;
        }
        let mut merged = Vec::with_capacity(here.len() + there.len());
        while let (Some((a, rest_a)), Some((b, rest_b))) = (here.split_first(), there.split_first()) {
            match index_in(*a).cmp(&index_in(*b)) {
                std::cmp::Ordering::Less => (here, _) = (rest_a, merged.push(*a)),
                std::cmp::Ordering::Greater => (there, _) = (rest_b, merged.push(*b)),
                std::cmp::Ordering::Equal => {
                    merged.push(pack(index_in(*a), count_in(*a).saturating_add(count_in(*b))));
                    (here, there) = (rest_a, rest_b);
                }
            }
        }
        merged.extend_from_slice(here);
        merged.extend_from_slice(there);
        merged.shrink_to_fit();
        self.buckets = merged;
    }

    /// How many durations are in it.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|packed| count_in(*packed)).sum()
    }

    /// The value at quantile `q` (0 to 1): the top of its bucket; `None` when empty.
    pub fn quantile(&self, q: f64) -> Option<Nanos> {
        let target = ((q.clamp(0.0, 1.0) * self.count() as f64).ceil() as u64).max(1);
        let mut seen = 0;
        self.buckets().find_map(|(top, count)| {
            seen += count;
            (seen >= target).then(|| Nanos::from_micros(u64::from(top)))
        })
    }

    /// The non-empty buckets, ascending: highest equivalent value in µs, and count.
    pub fn buckets(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        self.buckets.iter().map(|packed| (top_of(index_in(*packed)), count_in(*packed)))
    }

    /// Nothing in it.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Forgets all durations and keeps the memory.
    pub fn clear(&mut self) {
        self.buckets.clear();
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<u64>()
    }
}

const fn pack(index: u16, count: u64) -> u64 {
    (index as u64) << COUNT_BITS | if count > COUNT_MASK { COUNT_MASK } else { count }
}

const fn index_in(packed: u64) -> u16 {
    (packed >> COUNT_BITS) as u16
}

const fn count_in(packed: u64) -> u64 {
    packed & COUNT_MASK
}

/// The bucket of a duration; below 1 µs it is that of 1 µs.
#[inline]
fn index_of(duration: Nanos) -> u16 {
    let micros = duration.as_micros().clamp(1, LONGEST_US as u64) as u32;
    let doublings = (u32::BITS - (micros | (EXACT - 1)).leading_zeros()) - EXACT.trailing_zeros();
    (doublings * HALF + (micros >> doublings)) as u16
}

/// The highest value that falls into a bucket, in µs.
const fn top_of(index: u16) -> u32 {
    let index = index as u32;
    if index < EXACT {
        return index;
    }
    let doublings = index / HALF - 1;
    let within = index % HALF + HALF;
    ((((within + 1) as u64) << doublings) - 1) as u32
}

#[cfg(test)]
#[path = "tests/histogram.rs"]
mod tests;
