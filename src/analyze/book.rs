//! An alert's life (DESIGN §7): opened, seen again, escalated, resolved.
//!
//! ```text
//! (nothing) ── sighting ──► open ── sighting ──► open: counted, worst value, escalated when worse
//!                            │ quiet for its cadence             ▲
//!                            ├──────────► resolved ── sighting ──┘ a row of its own
//!                            └─ but for the fourth flip in an hour: flapping, held open for a quiet hour
//! ```
//!
//! All that it needs is in the rows, so a restart or another leader goes on where the last one stopped.

use std::collections::BTreeMap;

use crate::analyze::alert::{Alert, Change, Finding, Look, Notice, Notified, Sighting, Silence, Subject, What};
use crate::analyze::kind::{Cadence, Kind, Severity};
use crate::analyze::level::{DAY, HOUR};
use crate::analyze::settings::Settings;
use crate::base::units::{Nanos, WallTime};

/// Rows that are over are handed to a [`Book`] for so long: they tell flapping, and sightings that were counted before.
pub const REMEMBERED: Nanos = Nanos::from_millis(2 * 3_600_000);

/// A row is written at most once in this time, unless it opens, escalates or resolves.
const WRITE_EVERY: Nanos = Nanos::from_millis(60_000);

/// New alerts about statements, per server and hour; the rest are one "and n more".
const NEW_STATEMENTS_MAX: usize = 10;

/// More changes than this between open and over in an hour are flapping.
const FLIPS_MAX: usize = 3;

/// An hourly kind is over when so many snapshots don't show it.
const MISSED_MAX: u16 = 2;

/// What a daily kind's last sighting is older than when the next day's look comes; less than a day, for clocks change.
const NEXT_DAY: Nanos = Nanos::from_millis(20 * 3_600_000);

/// The subject of the alert that stands for those beyond the limit.
const MORE: &str = "(more)";

/// The alerts that are open or were until lately, and what decides about telling.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// What the owner set.
    pub settings: Settings,
    /// Rows: all that are open, and those resolved or opened within [`REMEMBERED`].
    pub alerts: Vec<Alert>,
    /// Those that are not over.
    pub silences: Vec<Silence>,
    /// When each server was seen first: then begins its time of learning.
    pub servers: BTreeMap<String, WallTime>,
}

impl Book {
    /// What the findings change. Looks say which kinds were judged; findings of a kind without a look count all the same.
    pub fn judge(&self, now: WallTime, looks: &[Look], findings: Vec<Finding>) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut fresh: Vec<Finding> = findings.into_iter().filter_map(|finding| self.fresh(finding)).collect();
        // The worst first: they take the places that there are.
        fresh.sort_by(|a, b| {
            let rank = |finding: &Finding| (worst(finding).severity, worst(finding).value);
            rank(b).partial_cmp(&rank(a)).unwrap_or(std::cmp::Ordering::Equal).then_with(|| a.subject.cmp(&b.subject))
        });
        let mut opened: BTreeMap<String, usize> = BTreeMap::new();
        let mut more: BTreeMap<(String, Kind), Vec<Finding>> = BTreeMap::new();
        for finding in &fresh {
            match self.open(&finding.server, finding.kind, &finding.subject) {
                Some(alert) => changes.extend(self.seen(now, alert, finding)),
                None if self.has_room(now, finding, &mut opened) => changes.push(self.opened(now, finding)),
                None => more.entry((finding.server.clone(), finding.kind)).or_default().push(finding.clone()),
            }
        }
        for rest in more.into_values().filter_map(|rest| self.fresh(and_more(&rest)?)) {
            match self.open(&rest.server, rest.kind, &rest.subject) {
                Some(alert) => changes.extend(self.seen(now, alert, &rest)),
                None => changes.push(self.opened(now, &rest)),
            }
            fresh.push(rest);
        }
        let is_seen = |alert: &&Alert| fresh.iter().any(|f| (f.server.as_str(), f.kind, &f.subject) == alert.key());
        let quiet = self.alerts.iter().filter(|alert| alert.is_open() && !is_seen(alert));
        changes.extend(quiet.filter_map(|alert| self.quiet(now, alert, looks)));
        changes
    }

    /// The book after its changes were written.
    pub fn apply(&mut self, changes: &[Change]) {
        for Change { alert, .. } in changes {
            match self.alerts.iter_mut().find(|old| old.is_open() && old.key() == alert.key()) {
                Some(old) => *old = alert.clone(),
                None => self.alerts.push(alert.clone()),
            }
        }
    }

    fn open(&self, server: &str, kind: Kind, subject: &Subject) -> Option<&Alert> {
        self.alerts.iter().find(|alert| alert.is_open() && alert.key() == (server, kind, subject))
    }

    /// The finding with those sightings that no row has counted yet, in order; `None` without any.
    fn fresh(&self, mut finding: Finding) -> Option<Finding> {
        let key = (finding.server.as_str(), finding.kind, &finding.subject);
        let rows = self.alerts.iter().filter(|alert| alert.key() == key);
        let counted = rows.map(|alert| alert.last_seen_at).max();
        finding.sightings.retain(|sighting| counted.is_none_or(|counted| counted < sighting.at));
        finding.sightings.sort_by_key(|sighting| sighting.at);
        (!finding.sightings.is_empty()).then_some(finding)
    }

    /// Whether one more may open. `opened` counts those of this pass, by server.
    fn has_room(&self, now: WallTime, finding: &Finding, opened: &mut BTreeMap<String, usize>) -> bool {
        if !finding.kind.is_of_statement() {
            return true;
        }
        let lately = |alert: &&Alert| {
            alert.server == finding.server
                && alert.kind.is_of_statement()
                && alert.subject.name != MORE
                && now.since(alert.opened_at) < HOUR
        };
        let taken = opened.entry(finding.server.clone()).or_default();
        if self.alerts.iter().filter(lately).count() + *taken >= NEW_STATEMENTS_MAX {
            return false;
        }
        *taken += 1;
        true
    }

    fn opened(&self, now: WallTime, finding: &Finding) -> Change {
        let (first, last) = (first(finding), last(finding));
        let mut alert = Alert {
            id: None,
            server: finding.server.clone(),
            kind: finding.kind,
            subject: finding.subject.clone(),
            severity: worst(finding).severity,
            opened_at: first.at,
            last_seen_at: last.at,
            updated_at: now,
            resolved_at: None,
            value: last.value,
            worst: worst(finding).value,
            threshold: finding.threshold,
            count: finding.sightings.len() as u64,
            message: finding.message.clone(),
            missed: 0,
            missed_at: None,
            is_flapping: false,
            acknowledged: None,
            silenced: None,
            notified: None,
        };
        alert.silenced = Silence::longest(&self.silences, &alert);
        alert.is_flapping = self.flips(now, &alert) >= FLIPS_MAX;
        let is_repeated = last.at.since(first.at) <= HOUR && finding.sightings.len() > 1;
        self.told(now, What::Opened, alert, is_repeated)
    }

    /// `None` when it was written a moment ago and got no worse: these sightings count next time.
    fn seen(&self, now: WallTime, old: &Alert, finding: &Finding) -> Option<Change> {
        let (worst, last) = (worst(finding), last(finding));
        let is_worse = worst.severity > old.severity;
        if !is_worse && now.since(old.updated_at) < WRITE_EVERY {
            return None;
        }
        let mut alert = old.clone();
        alert.severity = old.severity.max(worst.severity);
        alert.last_seen_at = last.at;
        alert.updated_at = now;
        alert.value = last.value;
        if alert.kind.is_worse(worst.value, old.worst) {
            alert.worst = worst.value;
        }
        alert.threshold = finding.threshold;
        alert.count = old.count.saturating_add(finding.sightings.len() as u64);
        alert.message.clone_from(&finding.message);
        (alert.missed, alert.missed_at) = (0, None);
        let is_repeated = last.at.since(old.last_seen_at) <= HOUR || finding.sightings.len() > 1;
        let what = if is_worse { What::Escalated } else { What::Seen };
        Some(self.told(now, what, alert, is_repeated))
    }

    /// What a look that doesn't show an open alert changes.
    fn quiet(&self, now: WallTime, old: &Alert, looks: &[Look]) -> Option<Change> {
        let is_blind = |look: &Look| {
            let database = old.subject.database.as_ref();
            database.is_some_and(|name| look.blind.contains(name)) || look.unknown.contains(&old.subject)
        };
        let looks = looks.iter().filter(|look| look.server == old.server && look.kind == old.kind && !is_blind(look));
        let at = looks.map(|look| look.at).max().filter(|at| old.last_seen_at < *at)?;
        let quiet = at.since(old.last_seen_at);
        let mut alert = Alert { updated_at: now, ..old.clone() };
        let is_over = match old.kind.cadence() {
            _ if old.is_flapping => quiet >= HOUR.max(self.settings.cooldown),
            Cadence::Minutes => quiet >= self.settings.cooldown,
            Cadence::Daily => quiet >= NEXT_DAY,
            Cadence::Hourly if old.missed_at.is_some_and(|missed| at <= missed) => return None,
            Cadence::Hourly => {
                (alert.missed, alert.missed_at) = (old.missed.saturating_add(1), Some(at));
                alert.missed >= MISSED_MAX
            }
        };
        if !is_over {
            return (alert.missed > old.missed).then_some(Change { what: What::Missed, alert, notice: None });
        }
        if !old.is_flapping && self.flips(now, old) >= FLIPS_MAX {
            alert.is_flapping = true;
            return Some(self.told(now, What::Flapping, alert, true));
        }
        alert.resolved_at = Some(now);
        let notice = (old.notified.is_some() && !self.is_silenced(old, now)).then_some(Notice::Resolved);
        Some(Change { what: What::Resolved, alert, notice })
    }

    /// How often such an alert opened or resolved in the hour before `now`.
    fn flips(&self, now: WallTime, alert: &Alert) -> usize {
        let rows = self.alerts.iter().filter(|row| row.key() == alert.key());
        let flips = rows.flat_map(|row| [Some(row.opened_at), row.resolved_at]);
        flips.flatten().filter(|flip| now.since(*flip) < HOUR).count()
    }

    /// The change, with what is to be told of it.
    fn told(&self, now: WallTime, what: What, mut alert: Alert, is_repeated: bool) -> Change {
        let notice = self.notice(now, what, &alert, is_repeated);
        if notice.is_some() {
            alert.notified = Some(Notified { at: now, severity: alert.severity });
        }
        Change { what, alert, notice }
    }

    fn notice(&self, now: WallTime, what: What, alert: &Alert, is_repeated: bool) -> Option<Notice> {
        if self.is_silenced(alert, now) || self.is_learning(now, what, alert) {
            return None;
        }
        if what == What::Flapping || (what == What::Opened && alert.is_flapping) {
            return Some(Notice::Flapping);
        }
        let is_known = alert.acknowledged.as_ref().is_some_and(|known| alert.severity <= known.severity);
        match alert.notified {
            _ if is_known => None,
            None if alert.kind == Kind::SlowStatement && alert.severity < Severity::Critical && !is_repeated => None,
            None => Some(Notice::Opened),
            Some(told) if alert.severity > told.severity => Some(Notice::Escalated),
            Some(told) if alert.severity == Severity::Critical && now.since(told.at) >= DAY => Some(Notice::Reminder),
            Some(_) => None,
        }
    }

    /// An alert about a statement that opened while its server was learned is told only when it gets worse afterwards.
    fn is_learning(&self, now: WallTime, what: What, alert: &Alert) -> bool {
        let Some(first_seen) = self.servers.get(&alert.server) else { return false };
        let ends = first_seen.after(self.settings.learn);
        let is_told = alert.notified.is_some() || what == What::Escalated;
        alert.kind.is_of_statement() && alert.opened_at < ends && (now < ends || !is_told)
    }

    fn is_silenced(&self, alert: &Alert, now: WallTime) -> bool {
        self.silences.iter().any(|silence| silence.covers(alert, now))
    }
}

/// One finding for those of a kind that found no room, the worst first: with its figures, in the kind's unit.
fn and_more(rest: &[Finding]) -> Option<Finding> {
    let first = rest.first()?;
    let at = rest.iter().map(|finding| last(finding).at).max()?;
    Some(Finding {
        subject: Subject::named(MORE),
        message: format!("{}: and {} more statements beyond their thresholds in this hour", first.server, rest.len()),
        sightings: vec![Sighting { at, ..worst(first) }],
        ..first.clone()
    })
}

/// A sighting of nothing, where a finding breaks its promise to have one.
const NONE: Sighting = Sighting { at: WallTime::from_unix_micros(i64::MIN), value: 0.0, severity: Severity::Warning };

fn first(finding: &Finding) -> Sighting {
    finding.sightings.first().copied().unwrap_or(NONE)
}

fn last(finding: &Finding) -> Sighting {
    finding.sightings.last().copied().unwrap_or(NONE)
}

fn worst(finding: &Finding) -> Sighting {
    let worse = |a: Sighting, b: Sighting| {
        let is_worse = b.severity > a.severity || finding.kind.is_worse(b.value, a.value);
        if is_worse && b.severity >= a.severity { b } else { a }
    };
    finding.sightings.iter().copied().reduce(worse).unwrap_or(NONE)
}
