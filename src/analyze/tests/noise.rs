//! Statements as they are in the world: busy by day, quiet at night and on Sundays, slower under load, and noisy.

use crate::analyze::baseline::Hour;
use crate::analyze::statements::Statement;
use crate::base::units::Nanos;
use crate::sql::hash::QueryHash;
use crate::sql::kind::Class;

use super::support::{START, hour};

/// Numbers that look random and are the same in every run (splitmix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1, never 0.
    pub(super) fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 1.0) / (1u64 << 53) as f64
    }

    /// Normal, with mean 0 and deviation 1 (Box, Muller).
    pub(super) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// What a statement is like.
#[derive(Clone, Copy)]
pub(super) struct Nature {
    /// Calls of its busiest hour.
    pub(super) calls: f64,
    /// Median duration without load, in ms.
    pub(super) typical_ms: f64,
    /// How much executions differ, as the deviation of a logarithm.
    pub(super) spread: f64,
    /// How much hours differ by chance, likewise.
    pub(super) noise: f64,
    /// How much slower it is under full load: 0.3 is by 30 %.
    pub(super) load: f64,
}

/// Load by hour of the day and day of the week, 0 to 1.
fn load(at: u64) -> f64 {
    let (day, clock) = (at / 24 % 7, at % 24);
    let daily = 0.15 + 0.85 * (std::f64::consts::PI * (clock as f64 - 4.0) / 20.0).sin().max(0.0);
    daily * if day >= 5 { 0.4 } else { 1.0 }
}

/// Its hours since [`START`], a Monday; `factor` slows single hours down.
pub(super) fn hours(nature: Nature, count: u64, seed: u64, factor: impl Fn(u64) -> f64) -> Vec<Hour> {
    let mut random = Random(seed);
    let mut hours = Vec::new();
    for at in 0..count {
        let load = load(at);
        let calls = (nature.calls * load * (0.15 * random.normal()).exp()).round().max(0.0) as u64;
        let middle =
            nature.typical_ms * (1.0 + nature.load * load) * (nature.noise * random.normal()).exp() * factor(at);
        let mut one = Hour { at: hour(at), calls, ..Hour::default() };
        for _ in 0..calls {
            let ms = middle * (nature.spread * random.normal()).exp();
            let duration = Nanos::new((ms * 1e6) as u64);
            one.durations.record(duration);
            one.total += duration;
        }
        if calls > 0 {
            hours.push(one);
        }
    }
    hours
}

/// A data statement with these hours.
pub(super) fn statement(name: &str, hours: Vec<Hour>) -> Statement {
    Statement {
        query_hash: QueryHash::of(name),
        database: Some("shop".into()),
        class: Class::Data,
        summary: name.into(),
        is_exempt: false,
        first_seen: START,
        hours,
        regressed_since: None,
    }
}
