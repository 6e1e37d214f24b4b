//! Which executions chance takes (`sample_rate`).

/// Takes a part of all. Without a rate it costs one comparison.
#[derive(Clone, Debug)]
pub(super) struct Sampler {
    /// Numbers up to it are taken; zero takes none.
    upto: u64,
    state: u64,
}

impl Sampler {
    /// Takes `rate` of all, 0 to 1. Each sampler meets other traffic, so that all may draw the same numbers.
    pub(super) fn new(rate: f64) -> Self {
        let mut sampler = Self { upto: 0, state: 0x9e37_79b9_7f4a_7c15 };
        sampler.tune(rate);
        sampler
    }

    /// Goes on at another rate.
    pub(super) fn tune(&mut self, rate: f64) {
        // Saturates at both ends; 1.0 becomes the greatest number, so that all are taken.
        self.upto = (rate * u64::MAX as f64) as u64;
    }

    /// Whether this one is taken.
    #[inline]
    pub(super) fn takes(&mut self) -> bool {
        self.upto > 0 && self.draw() <= self.upto
    }

    /// xorshift64* (Vigna 2016): no traffic has its period.
    fn draw(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_the_part_that_is_taken() {
        let taken = |rate| {
            let mut sampler = Sampler::new(rate);
            (0..100_000).filter(|_| sampler.takes()).count()
        };
        assert_eq!((taken(0.0), taken(1.0)), (0, 100_000));
        for (rate, expected) in [(0.1_f64, 10_000), (0.5, 50_000), (0.01, 1_000)] {
            // Six standard deviations.
            let deviation = 6.0 * (100_000.0 * rate * (1.0 - rate)).sqrt();
            assert!((taken(rate) as f64 - f64::from(expected)).abs() < deviation, "{rate}: {}", taken(rate));
        }
    }

    #[test]
    fn every_second_execution_is_not_what_half_of_them_means() {
        let mut sampler = Sampler::new(0.5);
        let even = (0..10_000).filter(|n| sampler.takes() && n % 2 == 0).count();
        assert!((2_000..3_000).contains(&even), "{even}");
    }
}
