//! How fast databases, tables, sequences and ids grow, and when they meet their limit.

use std::collections::BTreeSet;

use crate::analyze::alert::{Finding, Subject};
use crate::analyze::forecast::{self, FullIn, Trend};
use crate::analyze::judge::Judge;
use crate::analyze::kind::{Kind, Unit};
use crate::analyze::level::DAY;
use crate::analyze::server::IDS;
use crate::analyze::settings::Settings;
use crate::analyze::trace::days;
use crate::base::units::WallTime;
use crate::snapshot::history::{History, Sample};
use crate::snapshot::relation::Key;
use crate::snapshot::sequence::Sequence;
use crate::snapshot::set::Set;

/// The server stops 3 million transactions before the last id (`varsup.c`).
const STOPS_BEFORE: f64 = 3_000_000.0;

/// A growth that was watched for less is told and wakes nobody: one load of a day may be most of it.
const ALERT_MIN_DAYS: f64 = 3.0;

/// `autovacuum_freeze_max_age` and `autovacuum_multixact_freeze_max_age` unless set.
const FREEZE_AGES: [(&str, f64); 2] =
    [("autovacuum_freeze_max_age", 200e6), ("autovacuum_multixact_freeze_max_age", 400e6)];

/// Something that grows towards a limit, or without one.
#[derive(Clone, PartialEq, Debug)]
pub struct Growth {
    /// Its database; `None` of the server.
    pub database: Option<String>,
    /// What it is called in there; empty of a database or the server itself.
    pub name: String,
    /// Bytes, values handed out, ids used, or sessions.
    pub now: f64,
    /// The most that was seen.
    pub peak: f64,
    /// Where it ends.
    pub limit: Option<f64>,
    /// `None`: not watched for long enough.
    pub trend: Option<Trend>,
    /// When it meets its limit.
    pub full: FullIn,
    /// The most of each day (UTC), with the day's begin; none of tables, of which there are many.
    pub past: Vec<(WallTime, f64)>,
}

impl Growth {
    fn new(
        database: Option<&str>,
        name: impl Into<String>,
        points: &[(WallTime, f64)],
        limit: Option<f64>,
    ) -> Option<Self> {
        let now = points.last()?.1;
        let peak = points.iter().map(|(_, value)| *value).fold(now, f64::max);
        let trend = forecast::trend(points);
        let full = trend.zip(limit).map(|(trend, limit)| trend.full_in(limit)).unwrap_or_default();
        let past = days(points);
        Some(Self { database: database.map(str::to_owned), name: name.into(), now, peak, limit, trend, full, past })
    }
}

/// All that can run out.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Capacity {
    /// All databases together, against `disk_capacity`.
    pub disk: Option<Growth>,
    /// Each database.
    pub databases: Vec<Growth>,
    /// Tables with their indexes, partitions summed up to their topmost parent; the fastest growing first.
    pub tables: Vec<Growth>,
    /// Sequences and the keys that they fill: values, by the direction in which they count.
    pub sequences: Vec<Growth>,
    /// Transaction ids and multixacts of each database, until vacuum is forced, or past that until the server stops.
    pub wraparound: Vec<Growth>,
    /// Sessions against the limit.
    pub connections: Option<Growth>,
}

/// The capacity of a server, at a set and by its history, which ends with that set.
pub fn capacity(set: &Set, history: &History, settings: &Settings) -> Capacity {
    let mut capacity = Capacity {
        disk: disk(history, settings),
        connections: connections(history),
        tables: tables(set, history),
        ..Capacity::default()
    };
    for database in &set.databases {
        let name = Some(database.name.as_str());
        let samples = history.databases.get(&database.oid).map_or(&[][..], Vec::as_slice);
        let sizes = points(samples, |figures| figures.size_bytes.map(|bytes| bytes as f64));
        capacity.databases.extend(Growth::new(name, "", &sizes, None));
        let ages = [
            ("transaction ids", points(samples, |figures| Some(figures.xid_age as f64))),
            ("multixacts", points(samples, |figures| Some(figures.multixact_age as f64))),
        ];
        for ((what, ages), (setting, usual)) in ages.into_iter().zip(FREEZE_AGES) {
            capacity.wraparound.extend(wraparound(name, what, &ages, server_setting(set, setting, usual)));
        }
        for sequence in &database.sequences {
            let key = Key { database: database.oid, relation: sequence.oid };
            let samples = history.sequences.get(&key).map_or(&[][..], Vec::as_slice);
            capacity.sequences.extend(values(&database.name, sequence, samples));
        }
    }
    capacity
}

fn points<T>(samples: &[Sample<T>], value: impl Fn(&T) -> Option<f64>) -> Vec<(WallTime, f64)> {
    samples.iter().filter_map(|sample| Some((sample.at, value(&sample.figures)?))).collect()
}

fn server_setting(set: &Set, name: &str, usual: f64) -> f64 {
    let given = set.server.settings.iter().find(|setting| setting.name == name);
    given.and_then(|setting| setting.value.parse().ok()).unwrap_or(usual)
}

/// The sum of all databases, from when each that was there at first is known.
fn disk(history: &History, settings: &Settings) -> Option<Growth> {
    let sizes: Vec<_> = history
        .databases
        .values()
        .map(|samples| points(samples, |figures| figures.size_bytes.map(|bytes| bytes as f64)))
        .filter(|points| !points.is_empty())
        .collect();
    let firsts = || sizes.iter().filter_map(|points| points.first()).map(|(at, _)| *at);
    let begin = firsts().min()?;
    let complete = firsts().filter(|at| at.since(begin) <= DAY).max()?;
    let times: BTreeSet<WallTime> = sizes.iter().flatten().map(|(at, _)| *at).filter(|at| *at >= complete).collect();
    let at_time = |points: &Vec<(WallTime, f64)>, at| {
        let known = points.partition_point(|(seen, _)| *seen <= at);
        known.checked_sub(1).and_then(|last| points.get(last)).map_or(0.0, |(_, bytes)| *bytes)
    };
    let sums: Vec<_> =
        times.into_iter().map(|at| (at, sizes.iter().map(|points| at_time(points, at)).sum::<f64>())).collect();
    Growth::new(None, "", &sums, settings.disk_capacity_bytes.map(|bytes| bytes as f64))
}

fn connections(history: &History) -> Option<Growth> {
    let last = history.connections.last()?.figures;
    let limit = last.limit.saturating_sub(last.reserved) as f64;
    let used: Vec<_> = points(&history.connections, |connections| Some(connections.used as f64));
    Growth::new(None, "", &used, Some(limit))
}

fn tables(set: &Set, history: &History) -> Vec<Growth> {
    let whole = set.tables.iter().filter(|table| table.root.is_none());
    let mut tables: Vec<Growth> = whole
        .filter_map(|table| {
            let samples = history.tables.get(&table.key)?;
            let sizes = points(samples, |figures| Some(figures.size_bytes() as f64));
            let names = &table.names;
            let growth = Growth::new(Some(&names.database), format!("{}.{}", names.schema, names.table), &sizes, None);
            growth.map(|growth| Growth { past: Vec::new(), ..growth })
        })
        .collect();
    let speed = |growth: &Growth| growth.trend.map_or(0.0, |trend| trend.per_day);
    tables.sort_by(|a, b| speed(b).total_cmp(&speed(a)));
    tables
}

/// Ages fall when vacuum freezes; what grows is what they would be without.
fn wraparound(database: Option<&str>, what: &str, ages: &[(WallTime, f64)], forced: f64) -> Option<Growth> {
    let now = ages.last()?.1;
    let mut sum = ages.first()?.1;
    let mut used = vec![*ages.first()?];
    for pair in ages.windows(2) {
        if let &[(_, before), (at, after)] = pair {
            sum += (after - before).max(0.0);
            used.push((at, sum));
        }
    }
    // As if all of it ended at the present age: the slope is the same.
    let used: Vec<_> = used.into_iter().map(|(at, value)| (at, value - sum + now)).collect();
    let limit = if now < forced { forced } else { IDS - STOPS_BEFORE };
    let mut growth = Growth::new(database, what, &used, Some(limit))?;
    growth.peak = ages.iter().map(|(_, age)| *age).fold(now, f64::max);
    growth.past = days(ages);
    Some(growth)
}

/// `None` of one that has no end, was never used or can't be read.
fn values(database: &str, sequence: &Sequence, samples: &[Sample<i64>]) -> Option<Growth> {
    if sequence.is_cycle {
        return None;
    }
    let sign = if sequence.increment < 0 { -1.0 } else { 1.0 };
    let mut points = points(samples, |value| Some(sign * *value as f64));
    if points.is_empty() {
        points.push((WallTime::default(), sign * sequence.last_value? as f64));
    }
    let name = format!("{}.{}", sequence.schema, sequence.name);
    Growth::new(Some(database), name, &points, Some(sign * sequence.limit as f64))
}

impl Judge<'_> {
    /// *Disk forecast*, where the owner said what the disk holds.
    pub fn disk(&self, at: WallTime, capacity: &Capacity) -> Option<Finding> {
        let disk = capacity.disk.as_ref()?;
        let (limit, trend) = (disk.limit?, disk.trend.filter(|trend| trend.days >= ALERT_MIN_DAYS)?);
        self.finding(Kind::DiskForecast, Subject::server(), at, disk.full.days?, |shown, _| {
            let bytes = |value| Unit::Bytes.show(value);
            let fastest = capacity.tables.first().map_or_else(String::new, |table| {
                format!("; {} of {} grows fastest", table.name, table.database.as_deref().unwrap_or_default())
            });
            let early = disk
                .full
                .earliest
                .map_or_else(String::new, |days| format!(", {} at the earliest", Unit::Days.show(days)));
            format!(
                "the databases take {} of {} and grow by {} a day: full in {shown}{early}{fastest}",
                bytes(disk.now),
                bytes(limit),
                bytes(trend.per_day)
            )
        })
    }
}
