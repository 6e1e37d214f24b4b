//! What of all that waits is sent now, and what becomes of what could not be sent. Pure: rows and instants in, a plan out,
//! so that a restart or another leader goes on where the last one stopped.
//!
//! A group is what waits for one channel about one database (or about a server as a whole). It is sent as one message
//! when its first notice has waited for [`WAIT`], when the group's last message is [`EVERY`] ago, outside quiet hours
//! (what is critical then goes alone), and when the channel doesn't rest after a failure.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::error::Failure;
use super::quiet::QuietHours;
use crate::analyze::kind::Severity;
use crate::base::telemetry::Channel;
use crate::base::units::{Nanos, WallTime};

/// How long a notice waits for others of its group.
pub const WAIT: Nanos = Nanos::from_millis(30_000);

/// The time between two messages of a group.
pub const EVERY: Nanos = Nanos::from_millis(5 * 60_000);

/// Notices in one message; the rest follows in the next one.
pub const BATCH_MAX: usize = 500;

/// The pause after the first failure; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Nanos = Nanos::from_millis(30_000);
const PAUSE_MAX: Nanos = Nanos::from_millis(15 * 60_000);

/// What a receiver may ask for is longer, and has an end, too.
const RETRY_AFTER_MAX: Nanos = Nanos::from_millis(3_600_000);

/// Attempts until a notice is given up: about a day.
const ATTEMPTS_MAX: u32 = 100;

/// Attempts when the receiver refuses: it may have been misconfigured for a moment.
const REFUSALS_MAX: u32 = 4;

/// A notice that waits: a row of `notifications`, and what of its alert decides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pending {
    /// The row.
    pub id: i64,
    /// Who hears of it.
    pub channel: Channel,
    /// The monitored server.
    pub server: String,
    /// The database, where there is one.
    pub database: Option<String>,
    /// How bad the alert is.
    pub severity: Severity,
    /// Not before: [`first_due`] at first, [`Outcome::Again`]'s after a failure.
    pub due: WallTime,
    /// Attempts that failed.
    pub attempts: u32,
}

/// When a group was last told something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// To whom.
    pub channel: Channel,
    /// The monitored server.
    pub server: String,
    /// The database, where there is one.
    pub database: Option<String>,
    /// When.
    pub at: WallTime,
}

/// Notices that make one message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// To whom.
    pub channel: Channel,
    /// The monitored server.
    pub server: String,
    /// The database, where there is one.
    pub database: Option<String>,
    /// Them, with the attempts behind each; the worst and the oldest first.
    pub notices: Vec<(i64, u32)>,
}

/// What to do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// To send now, what holds something critical first.
    pub batches: Vec<Batch>,
    /// When to plan again, if nothing new comes before; `None` when nothing waits.
    pub next: Option<WallTime>,
}

/// What became of a notice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The receiver has it.
    Sent,
    /// It is tried again, not before.
    Again {
        /// The earliest time.
        due: WallTime,
    },
    /// It is given up.
    Dead,
}

/// When a notice that comes up at `at` is due.
pub fn first_due(at: WallTime) -> WallTime {
    at.after(WAIT)
}

/// What to send at `now`.
pub fn plan(
    pending: &[Pending],
    told: &[Told],
    quiet: Option<&QuietHours>,
    time_zone: &TimeZone,
    now: WallTime,
) -> Plan {
    let quiet_until = quiet.and_then(|hours| hours.end(now, time_zone));
    let mut groups: BTreeMap<Key<'_>, Vec<&Pending>> = BTreeMap::new();
    let mut held = Vec::new();
    for one in pending {
        match quiet_until {
            Some(end) if one.severity < Severity::Critical => held.push(end),
            _ => groups.entry(key(one.channel, &one.server, one.database.as_deref())).or_default().push(one),
        }
    }
    let mut ready = Vec::new();
    for (key, members) in groups {
        let at = starts(key, &members, pending, told, now);
        if at <= now { ready.push(batch(key, members)) } else { held.push(at) }
    }
    let rest = ready.iter().any(|(_, _, left)| *left).then(|| now.after(EVERY));
    ready.sort_by_key(|(severity, _, _)| std::cmp::Reverse(*severity));
    let batches = ready.into_iter().map(|(_, batch, _)| batch).collect();
    Plan { batches, next: held.into_iter().chain(rest).min() }
}

/// What became of a batch's notices, by row, when it was sent or was not.
pub fn settle(batch: &Batch, result: &Result<(), Failure>, now: WallTime) -> Vec<(i64, Outcome)> {
    let outcome = |attempts: u32| match result {
        Ok(()) => Outcome::Sent,
        Err(failure) => after_failure(attempts, failure, now),
    };
    batch.notices.iter().map(|(id, attempts)| (*id, outcome(*attempts))).collect()
}

/// `attempts` are those before this one.
fn after_failure(attempts: u32, failure: &Failure, now: WallTime) -> Outcome {
    let limit = if failure.is_refusal() { REFUSALS_MAX } else { ATTEMPTS_MAX };
    if attempts.saturating_add(1) >= limit {
        return Outcome::Dead;
    }
    let pause = PAUSE_MIN.get().saturating_mul(1 << attempts.min(20)).min(PAUSE_MAX.get());
    let asked = failure.retry_after().unwrap_or_default().get().min(RETRY_AFTER_MAX.get());
    Outcome::Again { due: now.after(Nanos::new(pause.max(asked))) }
}

type Key<'a> = (Channel, &'a str, Option<&'a str>);

fn key<'a>(channel: Channel, server: &'a str, database: Option<&'a str>) -> Key<'a> {
    (channel, server, database)
}

/// From when on a group may be sent.
fn starts(group: Key<'_>, members: &[&Pending], all: &[Pending], told: &[Told], now: WallTime) -> WallTime {
    let first = members.iter().map(|one| one.due).min().unwrap_or(now);
    // Others' failures count: a receiver that is away or asks for a pause gets it.
    let rested = all.iter().filter(|one| one.channel == group.0 && one.attempts > 0).map(|one| one.due).max();
    // A time to come is a clock that was put back, and holds nothing up.
    let is_group = |one: &&Told| key(one.channel, &one.server, one.database.as_deref()) == group && one.at <= now;
    let last = told.iter().filter(is_group).map(|one| one.at.after(EVERY)).max();
    [Some(first), rested, last].into_iter().flatten().max().unwrap_or(now)
}

/// The group's message, its worst severity, and whether notices are left for the next one.
fn batch((channel, server, database): Key<'_>, mut members: Vec<&Pending>) -> (Severity, Batch, bool) {
    let worst = members.iter().map(|one| one.severity).max().unwrap_or(Severity::Warning);
    members.sort_by_key(|one| (std::cmp::Reverse(one.severity), one.due, one.id));
    let is_cut = members.len() > BATCH_MAX;
    members.truncate(BATCH_MAX);
    let batch = Batch {
        channel,
        server: server.to_owned(),
        database: database.map(str::to_owned),
        notices: members.into_iter().map(|one| (one.id, one.attempts)).collect(),
    };
    (worst, batch, is_cut)
}
