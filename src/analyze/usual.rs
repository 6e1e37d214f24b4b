//! A statement's last hours beside what is usual for it, for people: by the same rules as [`regression`] says it.

use jiff::tz::TimeZone;

use crate::analyze::baseline::{CALLS_MIN, Comparison, DAYS, DAYS_MIN, Figure, Hours, TAIL_CALLS_MIN};
use crate::analyze::level::days as days_of;
use crate::analyze::statements::{Statement, regression};
use crate::base::units::WallTime;

/// The last hours against the same hours of the seven days before.
#[derive(Clone, PartialEq, Debug)]
pub struct Usual {
    /// By the median.
    pub typical: Comparison,
    /// By P95; `None` of too few calls for it.
    pub tail: Option<Comparison>,
    /// Days before that say what is usual.
    pub days: usize,
    /// The last hours that are compared: as many as have enough calls, a day at most.
    pub hours: usize,
    /// Begin of the seven days that say what is usual, or of what is known.
    pub since: WallTime,
    /// Where the rule calls it a regression: since when, by the alert that knows of it or by the hours that say so.
    pub slower_since: Option<WallTime>,
}

/// Why nothing is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TooShort {
    /// Of the last day.
    Calls,
    /// Seven full days don't lie before.
    History,
    /// Too few of these days have calls at these hours.
    Days,
}

impl TooShort {
    /// As a sentence.
    pub const fn as_str(self) -> &'static str {
        match self {
            TooShort::Calls => "fewer than 20 calls in the 24 hours before",
            TooShort::History => {
                "what is usual is learned for seven full days, which this statement's history doesn't reach back"
            }
            TooShort::Days => "on fewer than 4 of the 7 days before there were enough calls at these hours",
        }
    }
}

impl Usual {
    /// P95, or the median where that is all.
    pub fn shown(&self) -> Comparison {
        self.tail.unwrap_or(self.typical)
    }
}

/// What is usual for a statement, and its last hours before `now`. Of a regression the hours that say so; otherwise as many
/// as have enough calls for P95.
///
/// # Errors
/// Why nothing can be said.
pub fn usual(statement: &Statement, now: WallTime, zone: &TimeZone) -> Result<Usual, TooShort> {
    let hours = Hours::new(&statement.hours, now, zone);
    let regression = regression(statement, now, zone);
    let window = if regression.is_some() { hours.window() } else { hours.last(TAIL_CALLS_MIN) };
    let window = window.filter(|window| window.sum.calls >= CALLS_MIN).ok_or(TooShort::Calls)?;
    if !hours.is_learned(&window) {
        return Err(TooShort::History);
    }
    let since = statement.regressed_since.and_then(|at| Hours::day(at, zone));
    let days = hours.days(&window, since);
    let compared = hours.compare(&window, since);
    let figure = |figure| compared.iter().copied().find(|one: &Comparison| one.figure == figure);
    let typical = figure(Figure::Typical).filter(|_| days >= DAYS_MIN).ok_or(TooShort::Days)?;
    let first = statement.hours.first().map_or(now, |hour| hour.at);
    let lasts = statement.regressed_since.map_or(window.sum.at, |at| at.min(window.sum.at));
    Ok(Usual {
        typical,
        tail: figure(Figure::Tail),
        days,
        hours: window.count(),
        since: lasts.before(days_of(DAYS.unsigned_abs().into())).max(first),
        slower_since: regression.map(|_| lasts),
    })
}
