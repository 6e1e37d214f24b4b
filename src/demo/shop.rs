//! The shop's traffic: for each statement and each time how often it ran and how long it took. Pure.

use std::sync::Arc;

use super::chance::Chance;
use super::course::{Course, hour};
use super::spec::{Beat, Service, Spec};
use super::statements::{LUNCH, NEW, PAYMENT, SEARCH, SLOWER, STATEMENTS};
use crate::base::sqlstate::Sqlstate;
use crate::base::units::{Nanos, WallTime};
use crate::session::identity::Identity;
use crate::sql::fingerprint::fingerprint;
use crate::sql::kind::{Class, Kind};
use crate::sql::query::Query;
use crate::sql::statement::{Dialect, Tags};
use crate::stats::histogram::Histogram;
use crate::stats::level::Thresholds;
use crate::stats::live::{KnownQuery, Reason, SlowExecution};
use crate::stats::minutes::Noted;
use crate::stats::series::SeriesStats;

pub(super) const MINUTE: Nanos = Nanos::from_millis(60_000);
pub(super) const HOUR: Nanos = Nanos::from_millis(3_600_000);
/// Executions at or above it are kept one by one.
const SLOW: Nanos = Nanos::from_millis(500);
/// So many executions have a duration each; of more, durations are spread as they should be.
const SINGLE_MAX: u64 = 12;

/// How a release, a bad plan and a crowded shop slow a statement down.
const RELEASE: f64 = 3.1;
const BAD_PLAN: f64 = 2.6;
const CROWD: f64 = 0.22;
/// Share of payments that collide while they do.
const COLLIDING: f64 = 0.31;

/// A statement of a caller.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) spec: &'static Spec,
    pub(super) query: Arc<KnownQuery>,
    pub(super) identity: Arc<Identity>,
    pub(super) service: Service,
    pub(super) tags: Arc<Tags>,
    share: f64,
    place: u64,
}

/// All that the shop's database is asked.
#[derive(Clone, Debug)]
pub struct Shop {
    /// Its time.
    pub course: Course,
    pub(super) lines: Vec<Line>,
}

impl Shop {
    /// The shop on a server of this name.
    pub fn new(server: &str, course: Course) -> Self {
        let server: Arc<str> = server.into();
        let mut lines = Vec::new();
        for spec in STATEMENTS {
            let query = Arc::new(KnownQuery::of(&Arc::new(query(spec.sql))));
            let pairs = if spec.route.is_empty() { Vec::new() } else { vec![("route".into(), spec.route.into())] };
            let tags = Arc::new(Tags { pairs, name: None });
            for (order, caller) in spec.callers.iter().enumerate() {
                let (service, database, user, application) = caller.names();
                // The first caller sends two thirds of what it shares.
                let share = match (spec.callers.len(), order) {
                    (1, _) => 1.0,
                    (_, 0) => 2.0 / 3.0,
                    (callers, _) => 1.0 / (3.0 * (callers - 1) as f64),
                };
                lines.push(Line {
                    spec,
                    query: Arc::clone(&query),
                    identity: Arc::new(Identity::new(Arc::clone(&server), database, user, application)),
                    service,
                    tags: Arc::clone(&tags),
                    share,
                    place: lines.len() as u64,
                });
            }
        }
        Self { course, lines }
    }

    /// How many statements it has.
    pub fn statements(&self) -> usize {
        STATEMENTS.len()
    }

    /// When a statement was seen first.
    pub(super) fn first_seen(&self, line: &Line) -> WallTime {
        if line.spec.sql == NEW { self.course.release().from() } else { self.course.from }
    }

    /// What a caller's statement did from `from` on for so long, a minute or an hour; slow and failed executions go to
    /// `noted` one by one. `None`: it did not run.
    pub(super) fn stats(
        &self,
        line: &Line,
        from: WallTime,
        span: Nanos,
        noted: &mut Vec<Noted>,
    ) -> Option<SeriesStats> {
        let (spec, course) = (line.spec, &self.course);
        let middle = WallTime::from_unix_micros(from.unix_micros() + (span.as_micros() / 2).cast_signed());
        let is_new = spec.sql == NEW;
        if is_new && !course.release().holds(middle) {
            return None;
        }
        let minutes = span.as_secs_f64() / 60.0;
        let load = match spec.beat {
            Beat::Shop => course.load(middle),
            Beat::Steady => 1.0,
            Beat::Office => course.office(middle),
            Beat::Night(at) => f64::from(u8::from(super::course::hour_of_day(middle) == at)),
        };
        let mut hourly = Chance::of(course.seed, [line.place, hour(from).unix_micros().cast_unsigned()]);
        let (busy, pace) = (hourly.factor(0.05), hourly.factor(0.03));
        let mut chance = Chance::of(course.seed, [line.place ^ (1 << 32), from.unix_micros().cast_unsigned()]);
        let calls = chance.count(spec.often * line.share * load * busy * minutes);
        if calls == 0 {
            return None;
        }
        let crowd = if spec.beat == Beat::Shop { 1.0 + CROWD * (load - 1.0).max(-0.5) } else { 1.0 };
        let typical_us = spec.ms * 1e3 * crowd * pace * self.slower(spec, middle) * chance.factor(0.03);
        let durations = durations(calls, typical_us, spec.spread, &mut chance);
        let mut stats = filled(spec, calls, &durations, &mut chance);
        self.errors(spec, middle, &mut stats, &mut chance);
        if spec.sql == LUNCH && course.lunch().holds(middle) {
            stats.idle_after += Nanos::from_millis(span.as_micros() / 1_000);
            stats.idle_after_times += 1;
        }
        for (us, _) in durations.iter().filter(|(us, _)| Nanos::from_micros(u64::from(*us)) >= SLOW) {
            noted.push(line.noted(from, span, *us, None, &mut chance));
        }
        if let Some((code, count)) = stats.codes.iter().next() {
            let mut one = line.noted(from, span, typical_us as u32, Some(code), &mut chance);
            one.suppressed = count - 1;
            noted.push(one);
        }
        Some(stats)
    }

    /// By what factor it takes longer than it used to.
    fn slower(&self, spec: &Spec, at: WallTime) -> f64 {
        match spec.sql {
            SLOWER if self.course.release().holds(at) => RELEASE,
            SEARCH if self.course.bad_plan().holds(at) => BAD_PLAN,
            _ => 1.0,
        }
    }

    fn errors(&self, spec: &Spec, at: WallTime, stats: &mut SeriesStats, chance: &mut Chance) {
        for (code, share) in spec.errors {
            let share = if spec.sql == PAYMENT && self.course.collisions().holds(at) { COLLIDING } else { *share };
            let count = chance.count(share * stats.calls as f64).min(stats.calls - stats.errors);
            let code = Sqlstate::parse(code.as_bytes()).unwrap_or(Sqlstate::UNKNOWN);
            if count > 0 {
                stats.codes.add(code, count);
                stats.errors += count;
            }
        }
    }
}

impl Line {
    /// Whether figures by tag have it.
    pub(super) fn is_data(&self) -> bool {
        self.query.class == Class::Data
    }

    fn noted(&self, from: WallTime, span: Nanos, us: u32, error: Option<Sqlstate>, chance: &mut Chance) -> Noted {
        let duration = Nanos::from_micros(u64::from(us));
        let at = from.after(Nanos::from_micros((chance.unit() * span.as_micros() as f64) as u64));
        let first_row = (error.is_none() && self.query.query.kind == Kind::Select).then_some(duration);
        let execution = SlowExecution {
            reason: if error.is_some() { Reason::Error } else { Reason::Slow },
            at,
            query: Arc::clone(&self.query.query),
            identity: Arc::clone(&self.identity),
            duration,
            statements: 1,
            first_row,
            client_stall: Nanos::ZERO,
            rows: if error.is_some() { 0 } else { self.spec.rows.round() as u64 },
            error,
            tags: (!self.tags.pairs.is_empty()).then(|| Arc::clone(&self.tags)),
            trace: None,
            parameters: None,
        };
        Noted { execution: Arc::new(execution), suppressed: 0 }
    }
}

/// What the statement says by the rules for all statements.
fn query(sql: &str) -> Query {
    let found = fingerprint(sql.as_bytes(), Dialect::default()).into_iter().next();
    found.map_or_else(
        || Query { hash: crate::sql::hash::QueryHash::of(sql), kind: Kind::Other, text: sql.into() },
        |one| Query { hash: one.hash, kind: one.kind, text: one.text.into() },
    )
}

/// Slices of a normal distribution: where the middle of each lies, and up to which share it reaches.
const SLICES: [(f64, f64); 17] = [
    (-1.695, 0.09),
    (-1.103, 0.18),
    (-0.755, 0.27),
    (-0.482, 0.36),
    (-0.240, 0.45),
    (-0.013, 0.54),
    (0.215, 0.63),
    (0.454, 0.72),
    (0.722, 0.81),
    (1.058, 0.90),
    (1.341, 0.92),
    (1.476, 0.94),
    (1.645, 0.96),
    (1.881, 0.98),
    (2.170, 0.99),
    (2.432, 0.995),
    (2.807, 1.0),
];

/// Durations in µs, and how many executions took each.
fn durations(calls: u64, typical_us: f64, spread: f64, chance: &mut Chance) -> Vec<(u32, u64)> {
    if calls <= SINGLE_MAX {
        return (0..calls).map(|_| ((typical_us * chance.factor(spread)).max(1.0) as u32, 1)).collect();
    }
    let shift = chance.unit();
    let mut before = 0;
    let slices = SLICES.iter().filter_map(|(deviation, to)| {
        let upto = (to * calls as f64 + shift) as u64;
        let count = upto - std::mem::replace(&mut before, upto);
        let us = typical_us * (spread * deviation).exp();
        (count > 0).then_some((us.max(1.0) as u32, count))
    });
    slices.collect()
}

/// All that follows from durations.
fn filled(spec: &Spec, calls: u64, durations: &[(u32, u64)], chance: &mut Chance) -> SeriesStats {
    let thresholds = Thresholds::default();
    let mut stats = SeriesStats { calls, ..SeriesStats::default() };
    for (us, count) in durations {
        let duration = Nanos::from_micros(u64::from(*us));
        stats.total += Nanos::new(duration.get() * count);
        if let Some(level) = stats.levels.get_mut(thresholds.level(duration) as usize) {
            *level += count;
        }
    }
    let all = || durations.iter().map(|(us, _)| Nanos::from_micros(u64::from(*us)));
    stats.min = all().min().unwrap_or_default();
    stats.max = all().max().unwrap_or_default();
    stats.durations = Histogram::from_buckets(durations.iter().copied());
    let rows = spec.rows * calls as f64 * chance.factor(0.02);
    stats.rows = rows.round() as u64;
    stats.bytes_in = calls * (60 + spec.sql.len() as u64 / 8);
    stats.bytes_out = calls * spec.bytes_out;
    if spec.sql.starts_with("select") {
        stats.first_row_calls = (calls as f64 * spec.rows.min(1.0)) as u64;
        let share = stats.first_row_calls as f64 / calls as f64;
        stats.first_row = Nanos::new((stats.total.get() as f64 * share * 0.94) as u64);
        // Wide answers wait for their readers.
        let stall = (spec.rows / 1_000.0).min(0.3);
        stats.client_stall = Nanos::new((stats.total.get() as f64 * stall) as u64);
    }
    stats
}

#[cfg(test)]
#[path = "tests/shop.rs"]
mod tests;
