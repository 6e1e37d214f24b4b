//! A statement's hours, and what was usual at the same hours of the days before.
//!
//! Durations are compared as logarithms, for they differ by factors. What is usual is a median, so that one bad hour is no
//! baseline; how much it varies is the median deviation over all hours of those days, so that a statement that always
//! jumps about needs a larger jump.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::analyze::forecast::median;
use crate::analyze::level::HOUR;
use crate::base::units::{Nanos, WallTime};
use crate::stats::histogram::Histogram;

/// Fewer calls say nothing about a duration.
pub const CALLS_MIN: u64 = 20;

/// The slowest twentieth needs more of them.
pub const TAIL_CALLS_MIN: u64 = 200;

/// A baseline is learned for so many days.
pub const DAYS: i32 = 7;

/// Of these so many must have figures of the hours in question.
pub const DAYS_MIN: usize = 4;

/// Weeks before, of which the same hours of the week are looked at as well.
const WEEKS: i32 = 4;

/// A window never reaches further back.
const WINDOW_MAX: usize = 24;

/// No statement is steadier than this: machines aren't.
const NOISE_MIN: f64 = 0.05;

/// So many hours above the usual say how much a statement varies; with fewer it is taken to vary a lot.
const NOISE_HOURS_MIN: usize = 12;
const NOISE_UNKNOWN: f64 = 0.15;

/// From the median absolute deviation to the standard deviation of a normal distribution.
const MAD: f64 = 1.4826;

/// An hour of a statement's executions.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Hour {
    /// Its begin.
    pub at: WallTime,
    /// Executions.
    pub calls: u64,
    /// Of these, failed.
    pub errors: u64,
    /// Durations, summed up.
    pub total: Nanos,
    /// Durations.
    pub durations: Histogram,
}

impl Hour {
    /// Adds all of `other`.
    pub fn add(&mut self, other: &Hour) {
        self.calls += other.calls;
        self.errors += other.errors;
        self.total += other.total;
        self.durations.merge(&other.durations);
    }
}

/// Which duration is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Figure {
    /// The median.
    Typical,
    /// P95.
    Tail,
}

impl Figure {
    /// Both.
    pub const ALL: [Figure; 2] = [Figure::Typical, Figure::Tail];

    /// As people call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Figure::Typical => "median",
            Figure::Tail => "p95",
        }
    }

    fn quantile(self) -> f64 {
        match self {
            Figure::Typical => 0.5,
            Figure::Tail => 0.95,
        }
    }

    fn calls_min(self) -> u64 {
        match self {
            Figure::Typical => CALLS_MIN,
            Figure::Tail => TAIL_CALLS_MIN,
        }
    }

    /// Chance's part in it, as a logarithm, if there were but one call; of n calls it is the square root of n times less.
    fn error_of_one_call(self, hour: &Hour) -> f64 {
        let log = |q| hour.durations.quantile(q).map_or(0.0, |value| value.as_millis_f64().ln());
        match self {
            // Of a normal distribution, 1.25 standard deviations, of which 1.35 lie between the quartiles.
            Figure::Typical => 1.25 * (log(0.75) - log(0.25)) / 1.35,
            // Its P95 varies by 2.1, and from P90 to P98 are 0.77.
            Figure::Tail => 2.1 * (log(0.98) - log(0.90)) / 0.77,
        }
    }

    /// The logarithm of it in ms; `None` of too few calls.
    fn log(self, hour: &Hour, calls_min: u64) -> Option<f64> {
        let value = (hour.calls >= calls_min).then(|| hour.durations.quantile(self.quantile()))??;
        Some(value.as_millis_f64().ln())
    }
}

/// A local day, and an hour of it.
type LocalHour = (i32, i8);

/// A statement's hours by local time.
#[derive(Clone, Debug, Default)]
pub struct Hours<'a> {
    by_local: BTreeMap<LocalHour, Cow<'a, Hour>>,
    /// The last hour that is over.
    newest: Option<LocalHour>,
}

/// Hours up to the last one, and what of earlier days they are compared with.
#[derive(Clone, Debug)]
pub struct Window {
    hours: Vec<LocalHour>,
    /// All of them together.
    pub sum: Hour,
}

/// A figure against what was usual.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Comparison {
    /// Which.
    pub figure: Figure,
    /// In the window, in ms.
    pub now_ms: f64,
    /// Usually at these hours, in ms.
    pub usual_ms: f64,
    /// How many standard deviations of the usual lie between.
    pub deviations: f64,
}

impl Comparison {
    /// The multiple of what was usual.
    pub fn ratio(&self) -> f64 {
        self.now_ms / self.usual_ms
    }
}

impl<'a> Hours<'a> {
    /// The hours that are over at `now`, in a time zone.
    pub fn new(hours: &'a [Hour], now: WallTime, zone: &TimeZone) -> Self {
        let mut by_local: BTreeMap<LocalHour, Cow<'a, Hour>> = BTreeMap::new();
        for hour in hours.iter().filter(|hour| hour.at.after(HOUR) <= now) {
            let Some(local) = local(hour.at, zone) else { continue };
            match by_local.entry(local) {
                Entry::Vacant(free) => {
                    free.insert(Cow::Borrowed(hour));
                }
                // When clocks are put back two hours share a name.
                Entry::Occupied(taken) => taken.into_mut().to_mut().add(hour),
            }
        }
        Self { by_local, newest: local(now.before(HOUR), zone) }
    }

    /// As many of the last hours as have enough calls; `None` when a day hasn't, or when 7 full days don't lie before.
    pub fn window(&self) -> Option<Window> {
        self.judged(self.up_to(self.newest?, CALLS_MIN))
    }

    /// Likewise the one before it.
    pub fn window_before(&self, window: &Window) -> Option<Window> {
        self.judged(self.up_to(earlier(*window.hours.last()?), CALLS_MIN))
    }

    /// As many of the last hours as have so many calls, a day at most.
    pub fn last(&self, calls: u64) -> Option<Window> {
        Some(self.up_to(self.newest?, calls))
    }

    /// Whether 7 full days lie before it.
    pub fn is_learned(&self, window: &Window) -> bool {
        let first = self.by_local.keys().next();
        window.hours.last().zip(first).is_some_and(|((day, hour), first)| *first <= (day - DAYS, *hour))
    }

    fn judged(&self, window: Window) -> Option<Window> {
        (window.sum.calls >= CALLS_MIN && self.is_learned(&window)).then_some(window)
    }

    fn up_to(&self, newest: LocalHour, calls: u64) -> Window {
        let mut window = Window { hours: Vec::new(), sum: Hour::default() };
        let mut at = newest;
        while window.sum.calls < calls && window.hours.len() < WINDOW_MAX {
            if let Some(hour) = self.by_local.get(&at) {
                window.sum.add(hour);
                window.sum.at = hour.at;
            }
            window.hours.push(at);
            at = earlier(at);
        }
        window
    }

    /// Both figures of a window, as far as there are enough calls. `since`, a local day: what came from that day on is no
    /// baseline, as when a regression is known to last since then.
    pub fn compare(&self, window: &Window, since: Option<i32>) -> Vec<Comparison> {
        let lasts = window.lasts(since);
        let compare = |figure: Figure| {
            let now = figure.log(&window.sum, figure.calls_min())?;
            let usual = self.usual(figure, window, lasts)?;
            let deviations = (now - usual) / self.noise(figure, window, lasts);
            Some(Comparison { figure, now_ms: now.exp(), usual_ms: usual.exp(), deviations })
        };
        Figure::ALL.into_iter().filter_map(compare).collect()
    }

    /// On how many of the seven days before these hours had enough calls for a median.
    pub fn days(&self, window: &Window, since: Option<i32>) -> usize {
        let lasts = window.lasts(since);
        (1..=DAYS).filter(|day| self.before(window, lasts + day).calls >= CALLS_MIN / 2).count()
    }

    /// The local day of an instant.
    pub fn day(at: WallTime, zone: &TimeZone) -> Option<i32> {
        local(at, zone).map(|(day, _)| day)
    }

    /// The window's hours, some days before.
    pub fn before(&self, window: &Window, days: i32) -> Hour {
        let mut sum = Hour::default();
        for (day, hour) in &window.hours {
            if let Some(hour) = self.by_local.get(&(day - days, *hour)) {
                sum.add(hour);
            }
        }
        sum
    }

    /// What a figure was at these hours on the seven days before, and if that was more, at these hours of the week.
    fn usual(&self, figure: Figure, window: &Window, lasts: i32) -> Option<f64> {
        let calls_min = figure.calls_min() / 2;
        let days = (1..=DAYS).filter_map(|day| figure.log(&self.before(window, lasts + day), calls_min));
        let mut days: Vec<f64> = days.collect();
        if days.len() < DAYS_MIN {
            return None;
        }
        let weeks = (1..=WEEKS).map(|week| 7 * week + (lasts + 6) / 7 * 7);
        let mut weeks: Vec<f64> = weeks
            .flat_map(|days| [-1, 0, 1].map(|shift| (days, shift)))
            .filter_map(|(days, shift)| figure.log(&self.before(&window.shifted(shift), days), calls_min))
            .collect();
        let usual = sorted_median(&mut days)?;
        let weekly = if weeks.len() < 3 { None } else { sorted_median(&mut weeks) };
        Some(weekly.map_or(usual, |weekly| usual.max(weekly)))
    }

    /// How far chance alone takes a figure of these hours from what is usual: a standard deviation, as a logarithm.
    ///
    /// Two things do: hours differ, whatever is called how often, and few calls tell little. The hours of the week before
    /// show both together, each against the other days' median; of this the part is taken out that their calls explain,
    /// and that of the window's calls put in. Only what lies above the median counts: a quiet Sunday makes no Monday noisy.
    fn noise(&self, figure: Figure, window: &Window, lasts: i32) -> f64 {
        let day = window.hours.first().map_or(0, |(day, _)| day - lasts);
        let (mut deviations, mut calls) = (Vec::new(), Vec::new());
        for clock in 0..24 {
            let days = (1..=DAYS).filter_map(|before| self.by_local.get(&(day - before, clock)));
            let logs: Vec<(f64, u64)> =
                days.filter_map(|hour| Some((figure.log(hour, figure.calls_min())?, hour.calls))).collect();
            if logs.len() < DAYS_MIN {
                continue;
            }
            for (at, (log, count)) in logs.iter().enumerate() {
                let others = logs.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, (log, _))| *log);
                let others = sorted_median(&mut others.collect::<Vec<_>>());
                deviations.extend(others.map(|usual| log - usual).filter(|above| *above > 0.0));
                calls.push(*count as f64);
            }
        }
        let mut before = Hour::default();
        (1..=DAYS).for_each(|days| before.add(&self.before(window, lasts + days)));
        let of_one_call = figure.error_of_one_call(&before);
        let of_calls = |calls: f64| of_one_call * of_one_call / calls.max(1.0);
        let of_hours =
            match (deviations.len() < NOISE_HOURS_MIN, sorted_median(&mut deviations), sorted_median(&mut calls)) {
                (false, Some(middle), Some(calls)) => (MAD * middle).powi(2) - of_calls(calls),
                _ => NOISE_UNKNOWN * NOISE_UNKNOWN,
            };
        (of_hours.max(NOISE_MIN * NOISE_MIN) + of_calls(window.sum.calls as f64)).sqrt()
    }
}

impl Window {
    /// How many hours these are.
    pub fn count(&self) -> usize {
        self.hours.len()
    }

    /// For how many days a regression has lasted.
    fn lasts(&self, since: Option<i32>) -> i32 {
        let day = self.hours.first().map(|(day, _)| *day);
        day.zip(since).map_or(0, |(day, since)| (day - since).max(0))
    }

    /// The same hours, one earlier or later.
    fn shifted(&self, hours: i8) -> Window {
        let shifted = self.hours.iter().map(|(day, hour)| {
            let hour = hour + hours;
            (day + i32::from(hour.div_euclid(24)), hour.rem_euclid(24))
        });
        Window { hours: shifted.collect(), sum: Hour::default() }
    }
}

fn sorted_median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    median(values)
}

/// The hour before.
fn earlier((day, hour): LocalHour) -> LocalHour {
    if hour == 0 { (day - 1, 23) } else { (day, hour - 1) }
}

/// The day, counted since 1970, and the hour on a clock in this zone.
fn local(at: WallTime, zone: &TimeZone) -> Option<LocalHour> {
    let local = zone.to_datetime(Timestamp::from_microsecond(at.unix_micros()).ok()?);
    let epoch = jiff::civil::date(1970, 1, 1);
    let days = (local.date() - epoch).get_days();
    Some((days, local.hour()))
}
