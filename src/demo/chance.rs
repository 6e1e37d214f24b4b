//! Numbers that look like chance and are the same for the same seed and place. Pure.

/// A row of numbers.
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

/// The golden ratio's fraction, as splitmix64 has it (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators).
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Chance {
    /// The row that belongs to a seed and a place.
    pub(super) fn of(seed: u64, place: [u64; 2]) -> Self {
        let mut row = Self(seed);
        for part in place {
            row.0 = row.next() ^ part;
        }
        row
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to, not including, 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Of the normal distribution (Box, Muller).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// A factor around 1 whose logarithm deviates by `spread`.
    pub(super) fn factor(&mut self, spread: f64) -> f64 {
        (spread * self.normal()).exp()
    }

    /// How often something happens that happens `mean` times on average.
    pub(super) fn count(&mut self, mean: f64) -> u64 {
        if mean > 30.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        let (end, mut product, mut count) = ((-mean).exp(), self.unit(), 0);
        while product > end {
            product *= self.unit();
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_its_numbers_and_others_have_others() {
        let of = |place| Chance::of(7, place).unit();
        assert_eq!(of([1, 2]), of([1, 2]));
        assert_ne!(of([1, 2]), of([2, 1]));
        assert_ne!(Chance::of(8, [1, 2]).unit(), of([1, 2]));
    }

    #[test]
    fn counts_and_factors_have_the_mean_that_was_asked_for() {
        let mut chance = Chance::of(1, [0, 0]);
        for mean in [0.3, 12.0, 400.0] {
            let sum: u64 = (0..2_000).map(|_| chance.count(mean)).sum();
            let found = sum as f64 / 2_000.0;
            assert!((found / mean - 1.0).abs() < 0.1, "{mean}: {found}");
        }
        let logs = (0..2_000).map(|_| chance.factor(0.5).ln()).sum::<f64>() / 2_000.0;
        assert!(logs.abs() < 0.05, "{logs}");
    }
}
