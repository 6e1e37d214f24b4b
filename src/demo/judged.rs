//! What the rules would have said, had somebody judged all that time: alerts with their lives, and a report of each day. Pure.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::course::{hour, hour_of_day};
use super::month::Month;
use super::shop::{HOUR, MINUTE};
use super::statements::{LUNCH, PAYMENT};
use crate::analyze;
use crate::analyze::alert::{Alert, Finding, Look};
use crate::analyze::bloat;
use crate::analyze::book::Book;
use crate::analyze::judge::{Idle, Judge};
use crate::analyze::report::Report;
use crate::analyze::statements::{Failures, Statement};
use crate::base::units::{Nanos, WallTime};
use crate::jobs::insight::Insight;
use crate::jobs::report::{self, Day};
use crate::jobs::schedule::day_of;
use crate::snapshot::history::{History, Round, Sample};
use crate::snapshot::relation::Key;
use crate::snapshot::set::Set;
use crate::store::read::health::Health;

/// How often somebody judges, and hears of failures.
const STEP: Nanos = Nanos::from_millis(15 * 60_000);
const FAILURES_MINUTES: u64 = 10;
/// Rounds come hourly in the last days, and less often before: no gap is longer than what rules accept.
const HOURLY: Nanos = Nanos::from_millis(48 * 3_600_000);
const ROUND_HOURS: i64 = 3;
/// Of each day before the last this hour's round is remembered object by object.
const DAILY_HOUR: i64 = 21;
/// Hours of the last days, and those around what slowed down before, are compared with their past.
const COMPARED: Nanos = Nanos::from_millis(26 * 3_600_000);
const AFTERWARDS: Nanos = Nanos::from_millis(4 * 3_600_000);

/// Who judges: a month, step by step.
#[derive(Debug)]
pub(super) struct Judging<'a> {
    month: &'a Month,
    server: &'a str,
    rules: &'a analyze::Settings,
    zone: &'a TimeZone,
    book: Book,
    health: Option<Health>,
    reports: Vec<Report>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// In the order in which they opened.
    pub(super) alerts: Vec<Alert>,
    /// One of each full local day.
    pub(super) reports: Vec<Report>,
}

/// When somebody looked at the server.
pub(super) fn rounds(month: &Month) -> Vec<WallTime> {
    let course = month.shop.course;
    let mut rounds = Vec::new();
    let mut at = course.from;
    while at < course.to {
        let is_late = course.to.since(at) <= HOURLY;
        if is_late || hour_of_day(at) % ROUND_HOURS == 0 || at == course.from {
            rounds.push(at);
        }
        at = at.after(HOUR);
    }
    rounds.push(course.to);
    rounds
}

impl<'a> Judging<'a> {
    /// Judges the whole month, of which these are the rounds.
    pub(super) fn all(
        month: &'a Month,
        server: &'a str,
        rules: &'a analyze::Settings,
        zone: &'a TimeZone,
        sets: &[Set],
    ) -> Judged {
        let course = month.shop.course;
        let mut book = Book { settings: rules.clone(), ..Book::default() };
        book.servers.insert(server.to_owned(), course.from);
        let mut judging = Self { month, server, rules, zone, book, health: None, reports: Vec::new() };
        let (mut at, mut sets) = (course.from, sets.iter().peekable());
        while at < course.to {
            let before = at;
            at = at.after(STEP).min(course.to);
            let (mut looks, mut findings) = judging.minutes(before, at);
            while let Some(set) = sets.next_if(|set| set.at <= at) {
                judging.round(set, &mut looks, &mut findings);
            }
            if hour(at) > hour(before) {
                judging.hour(hour(at), &mut looks, &mut findings);
            }
            let changes = judging.book.judge(at, &looks, findings);
            judging.book.apply(&changes);
            let (yesterday, today) = (day_of(before, zone), day_of(at, zone));
            if yesterday != today {
                judging.report(yesterday);
            }
        }
        Judged { alerts: judging.book.alerts, reports: judging.reports }
    }

    fn judge(&self) -> Judge<'a> {
        Judge { settings: self.rules, server: self.server }
    }

    /// Statements and sessions.
    fn minutes(&self, from: WallTime, to: WallTime) -> (Vec<Look>, Vec<Finding>) {
        let judge = self.judge();
        let mut findings = judge.slow_statements(&self.month.executions(from, to));
        findings.extend(judge.error_rates(self.failures(to).as_slice()));
        let lunch = self.month.shop.course.lunch();
        if lunch.holds(to) {
            let analyst = self.month.shop.lines.iter().find(|line| line.spec.sql == LUNCH);
            let idle = analyst.map(|line| Idle {
                at: to,
                database: line.identity.database.to_string(),
                user: line.identity.user.to_string(),
                application: line.identity.application.to_string(),
                idle: to.since(lunch.from()),
                after: Some(line.query.query.hash),
            });
            findings.extend(judge.idle_in_transaction(idle.as_slice()));
        }
        let mut looks = judge.statement_looks(to);
        looks.retain(|look| look.kind != analyze::kind::Kind::Regression);
        (looks, findings)
    }

    /// Failures of the last minutes, where there are many.
    fn failures(&self, to: WallTime) -> Option<Failures> {
        let (shop, begin) = (&self.month.shop, to.before(Nanos::new(MINUTE.get() * FAILURES_MINUTES)));
        let collisions = shop.course.collisions();
        if to <= collisions.from() || collisions.to() < begin {
            return None;
        }
        let lines = || shop.lines.iter().filter(|line| line.spec.sql == PAYMENT);
        let (mut calls, mut errors) = (0, 0);
        for minute in 0..FAILURES_MINUTES {
            let from = begin.after(Nanos::new(MINUTE.get() * minute));
            for stats in lines().filter_map(|line| shop.stats(line, from, MINUTE, &mut Vec::new())) {
                (calls, errors) = (calls + stats.calls, errors + stats.errors);
            }
        }
        let hash = lines().next()?.query.query.hash;
        let statement = self.month.statements(to).into_iter().find(|statement| statement.query_hash == hash)?;
        Some(Failures { statement, at: to, calls, errors })
    }

    /// An hour that is over, against its past.
    fn hour(&self, at: WallTime, looks: &mut Vec<Look>, findings: &mut Vec<Finding>) {
        let course = self.month.shop.course;
        let bad = course.bad_plan();
        let is_around = bad.from() < at && at <= bad.to().after(AFTERWARDS);
        if !is_around && course.to.since(at) > COMPARED {
            return;
        }
        let open = self.book.alerts.iter().filter(|alert| alert.is_open());
        let open: Vec<&Alert> = open.filter(|alert| alert.kind == analyze::kind::Kind::Regression).collect();
        let mut statements = self.month.statements(at);
        for statement in &mut statements {
            let is_same = |alert: &&&Alert| alert.subject.query_hash == Some(statement.query_hash);
            statement.regressed_since = open.iter().find(is_same).map(|alert| alert.opened_at);
        }
        findings.extend(self.judge().regressions(at, &statements, self.zone));
        looks.push(Look {
            server: self.server.to_owned(),
            kind: analyze::kind::Kind::Regression,
            at,
            blind: BTreeSet::new(),
            unknown: BTreeSet::new(),
        });
    }

    /// What a round shows.
    fn round(&mut self, set: &Set, looks: &mut Vec<Look>, findings: &mut Vec<Finding>) {
        let is_last = set.at >= self.month.shop.course.to;
        let is_daily = hour_of_day(set.at) == DAILY_HOUR || is_last;
        let mut health = self.health.take().unwrap_or_default();
        remember(&mut health.history, set, is_daily);
        health.set = set.clone();
        let judge = self.judge();
        if is_daily {
            let insight = Insight::of(&health, self.rules);
            findings.extend(insight.findings(self.server, self.rules));
            looks.extend(insight.looks(self.server, self.rules));
        } else {
            // Trends are for people, and take their time.
            let bloated = bloat::tables(set, &History::default(), self.rules);
            findings.extend(judge.server(set));
            findings.extend(judge.indexes(set, &[]));
            findings.extend(judge.bloat(set.at, &bloated));
            looks.extend(judge.snapshot_looks(set, &bloated));
        }
        self.health = Some(health);
    }

    /// The report of a day that is over, if all of it was played.
    fn report(&mut self, date: Date) {
        let from = report::begin(date, self.zone);
        let to = report::begin(date.tomorrow().unwrap_or(date), self.zone);
        if from < self.month.shop.course.from {
            return;
        }
        let statements: Vec<Statement> = self.month.statements(to);
        let day = Day {
            server: self.server,
            date,
            from,
            to,
            statements: &statements,
            alerts: &self.book.alerts,
            health: self.health.as_ref(),
            rules: self.rules,
        };
        self.reports.push(Report { demo: true, ..report::of_day(&day) });
    }
}

/// Adds a round to what is known; objects once a day, as whoever reads the tables does.
fn remember(history: &mut History, set: &Set, is_daily: bool) {
    let at = set.at;
    for database in &set.databases {
        history.rounds.entry(database.oid).or_default().push(Round { at, after_idle: false, is_full: is_daily });
    }
    if !is_daily {
        return;
    }
    history.connections.push(Sample { at, figures: set.server.connections });
    for database in &set.databases {
        history.databases.entry(database.oid).or_default().push(Sample { at, figures: database.figures.clone() });
        for sequence in &database.sequences {
            let key = Key { database: database.oid, relation: sequence.oid };
            let samples = history.sequences.entry(key).or_default();
            samples.extend(sequence.last_value.map(|figures| Sample { at, figures }));
        }
    }
    for table in &set.tables {
        history.tables.entry(table.key).or_default().push(Sample { at, figures: table.figures.clone() });
    }
    for index in set.indexes.iter().filter(|index| index.definition.is_valid) {
        history.indexes.entry(index.key).or_default().push(Sample { at, figures: index.figures.clone() });
    }
}

#[cfg(test)]
#[path = "tests/judged.rs"]
mod tests;
