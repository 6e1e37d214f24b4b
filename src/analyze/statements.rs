//! Statements that got worse, or fail more often, by their hours: what alerts are made of. A day against its week:
//! [`crate::analyze::days`].

use jiff::tz::TimeZone;

use crate::analyze::alert::{Finding, Subject};
use crate::analyze::baseline::{CALLS_MIN, Comparison, DAYS, Figure, Hour, Hours};
use crate::analyze::judge::Judge;
use crate::analyze::kind::{Kind, Unit};
use crate::analyze::level::{HOUR, days};
use crate::analyze::look::hour_of;
use crate::base::units::WallTime;
use crate::sql::hash::QueryHash;
use crate::sql::kind::Class;

/// A figure must be so many standard deviations above what was usual: by chance once in 30,000 hours.
const DEVIATIONS_MIN: f64 = 4.0;

/// Or so many in two windows in a row: by chance more seldom still.
const DEVIATIONS_TWICE_MIN: f64 = 3.0;

/// A statement that is slower by less than both of these is nobody's concern: for each call, and for all in an hour.
const SLOWER_MIN_MS: f64 = 1.0;
pub(super) const SLOWER_MIN_MS_PER_HOUR: f64 = 1_000.0;

/// Fewer failures are no rate.
const ERRORS_MIN: u64 = 5;

/// A rate must be so many times what it was.
const ERRORS_RATIO_MIN: f64 = 3.0;

/// Whose figures they are.
#[derive(Clone, PartialEq, Debug)]
pub struct Statement {
    /// The statement.
    pub query_hash: QueryHash,
    /// Where; `None`: in all databases together.
    pub database: Option<String>,
    /// What it is for; only [`Class::Data`] is judged.
    pub class: Class,
    /// Operations and targets, for people.
    pub summary: String,
    /// Its comment says `pgvitals:no-alert`.
    pub is_exempt: bool,
    /// When it was seen first.
    pub first_seen: WallTime,
    /// Its hours in order, without those in which nothing happened.
    pub hours: Vec<Hour>,
    /// Since when an alert says that it is slower: what came later is no baseline.
    pub regressed_since: Option<WallTime>,
}

impl Statement {
    fn subject(&self) -> Subject {
        Subject { database: self.database.clone(), query_hash: Some(self.query_hash), name: String::new() }
    }

    fn place(&self) -> String {
        self.database.as_ref().map_or_else(String::new, |name| format!(" in {name}"))
    }
}

/// A statement that takes longer than it used to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Regression {
    /// The figure that is worse by the larger factor.
    pub worst: Comparison,
    /// Calls that say so.
    pub calls: u64,
    /// The begin of the hours that say so.
    pub since: WallTime,
}

/// Whether the last hours of a statement are slower than the same hours of the seven days before.
pub fn regression(statement: &Statement, now: WallTime, zone: &TimeZone) -> Option<Regression> {
    let hours = Hours::new(&statement.hours, now, zone);
    let window = hours.window()?;
    let since = statement.regressed_since.and_then(|at| Hours::day(at, zone));
    let high = |one: &Comparison| one.deviations > DEVIATIONS_TWICE_MIN && matters(one, &window.sum, now);
    let mut worse: Vec<Comparison> = hours.compare(&window, since).into_iter().filter(high).collect();
    if worse.iter().any(|one| one.deviations <= DEVIATIONS_MIN) {
        let before = hours.window_before(&window).map(|before| hours.compare(&before, since)).unwrap_or_default();
        let twice = |figure| before.iter().any(|one| one.figure == figure && one.deviations > DEVIATIONS_TWICE_MIN);
        worse.retain(|one| one.deviations > DEVIATIONS_MIN || twice(one.figure));
    }
    let worst = worse.into_iter().max_by(|a, b| a.ratio().total_cmp(&b.ratio()))?;
    Some(Regression { worst, calls: window.sum.calls, since: window.sum.at })
}

fn matters(one: &Comparison, sum: &Hour, now: WallTime) -> bool {
    let slower = one.now_ms - one.usual_ms;
    let share = match one.figure {
        Figure::Typical => 1.0,
        Figure::Tail => 0.05,
    };
    let hours = (now.since(sum.at).as_secs_f64() / 3_600.0).max(1.0);
    slower >= SLOWER_MIN_MS || slower * share * sum.calls as f64 / hours >= SLOWER_MIN_MS_PER_HOUR
}

/// Failures of a statement in the last minutes against its hours before.
#[derive(Clone, PartialEq, Debug)]
pub struct Failures {
    /// Whose; its hours reach up to the minutes in question.
    pub statement: Statement,
    /// The end of these minutes.
    pub at: WallTime,
    /// Executions in them.
    pub calls: u64,
    /// Of these, failed.
    pub errors: u64,
}

/// The share that failed, in percent, when it is well above what it was; `None` otherwise, and before seven full days.
pub fn error_rate(failures: &Failures) -> Option<f64> {
    let Failures { statement, at, calls, errors } = failures;
    let begin = at.before(days(DAYS.unsigned_abs().into()));
    let learned = statement.hours.first().is_some_and(|hour| hour.at <= begin);
    if !learned {
        return None;
    }
    // The hour that the minutes are of is no baseline.
    let before = statement.hours.iter().filter(|hour| begin <= hour.at && hour.at.after(HOUR + HOUR) <= *at);
    let before = before.fold((0u64, 0u64), |(calls, errors), hour| (calls + hour.calls, errors + hour.errors));
    is_jump((*calls, *errors), before).then(|| 100.0 * *errors as f64 / *calls as f64)
}

/// Whether errors of so many calls are well more than before.
pub(super) fn is_jump((calls, errors): (u64, u64), (calls_before, errors_before): (u64, u64)) -> bool {
    let usual = errors_before as f64 / calls_before.max(1) as f64;
    calls >= CALLS_MIN && errors >= ERRORS_MIN && at_least(errors, calls) > ERRORS_RATIO_MIN * usual
}

/// The lower bound of a share, by 95 % (Wilson): few calls prove little.
fn at_least(hits: u64, of: u64) -> f64 {
    const Z: f64 = 1.96;
    let (n, share) = (of.max(1) as f64, hits as f64 / of.max(1) as f64);
    let middle = share + Z * Z / (2.0 * n);
    let width = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((middle - width) / (1.0 + Z * Z / n)).max(0.0)
}

impl Judge<'_> {
    /// *Regression*: of every statement that the last hours say it of; once for each hour, however often it is asked.
    pub fn regressions(&self, now: WallTime, statements: &[Statement], zone: &TimeZone) -> Vec<Finding> {
        let judged = statements.iter().filter(|one| one.class == Class::Data && !one.is_exempt);
        let findings = judged.filter_map(|statement| {
            let Regression { worst, calls, since } = regression(statement, now, zone)?;
            self.finding(Kind::Regression, statement.subject(), hour_of(now), worst.ratio(), |shown, _| {
                let ms = |value| Unit::Millis.show(value);
                let hours = (now.since(since).as_secs_f64() / 3_600.0).round();
                format!(
                    "{}{} takes {shown} as long as at these hours of the week before: {} {} after {} ({calls} calls in \
                     {hours} h)",
                    statement.summary,
                    statement.place(),
                    worst.figure.as_str(),
                    ms(worst.now_ms),
                    ms(worst.usual_ms)
                )
            })
        });
        findings.collect()
    }

    /// *Error rate*: where it jumped.
    pub fn error_rates(&self, failures: &[Failures]) -> Vec<Finding> {
        let judged = failures.iter().filter(|one| one.statement.class == Class::Data && !one.statement.is_exempt);
        let findings = judged.filter_map(|one| {
            let percent = error_rate(one)?;
            self.finding(Kind::ErrorRate, one.statement.subject(), one.at, percent, |shown, _| {
                let (summary, place) = (&one.statement.summary, one.statement.place());
                format!("{shown} of the calls of {summary}{place} fail: {} of {}", one.errors, one.calls)
            })
        });
        findings.collect()
    }
}
