//! The daily report of each server: yesterday against the week before, kept in the store and told to whoever wants it.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::insight::{Insight, since};
use super::parts::Parts;
use super::schedule::day_of;
use crate::analyze;
use crate::analyze::alert::Alert;
use crate::analyze::baseline::Hour;
use crate::analyze::capacity::Capacity;
use crate::analyze::days::{day, of_hours};
use crate::analyze::page;
use crate::analyze::report::{Facts, Report, Totals, report};
use crate::analyze::statements::Statement;
use crate::base::units::{Nanos, WallTime};
use crate::store::alerts::desk::{Desk, Wanted};
use crate::store::alerts::facts;
use crate::store::error::Error;
use crate::store::link::Link;
use crate::store::read::Reader;
use crate::store::read::health::Health;
use crate::store::settings::Settings;

/// The days of the week before.
const WEEK: f64 = 7.0;
/// Alerts of a day that are looked at.
const ALERTS_MAX: usize = 1_000;

/// Makes the reports of the day before `now` that are not there yet, and says how many.
pub(super) async fn make(parts: &Parts, settings: &Settings, now: WallTime) -> Result<u64, Error> {
    let zone = &parts.settings.time_zone;
    let Ok(yesterday) = day_of(now, zone).yesterday() else { return Ok(0) };
    let link = Link::open(settings, parts.clock).await?;
    let mut made = 0;
    for server in facts::servers(&link).await? {
        let health = Reader::new(settings.clone()).health(&server, since(now, &parts.rules)).await?;
        let report = of(parts, settings, &link, &server, yesterday, health.as_ref()).await?;
        let is_new = parts.ledger.report(&link, &report, &page::text(&report)).await?;
        made += u64::from(is_new);
    }
    Ok(made)
}

/// A server's day.
async fn of(
    parts: &Parts,
    settings: &Settings,
    link: &Link,
    server: &str,
    date: Date,
    health: Option<&Health>,
) -> Result<Report, Error> {
    let zone = &parts.settings.time_zone;
    let (from, to) = (begin(date, zone), begin(date.tomorrow().unwrap_or(date), zone));
    let statements = facts::busy(link, server, to).await?;
    let wanted = Wanted {
        since: Some(from),
        until: Some(to),
        server: Some(server.to_owned()),
        limit: ALERTS_MAX,
        database: None,
    };
    let alerts = Desk::new(settings.clone()).list(&wanted).await?;
    let rules = &parts.rules;
    Ok(of_day(&Day { server, date, from, to, statements: &statements, alerts: &alerts, health, rules }))
}

/// What is known of a server's local day.
#[derive(Clone, Copy, Debug)]
pub struct Day<'a> {
    /// The monitored server.
    pub server: &'a str,
    /// The day.
    pub date: Date,
    /// Its begin.
    pub from: WallTime,
    /// Its end.
    pub to: WallTime,
    /// Statements with their hours, which reach a week further back.
    pub statements: &'a [Statement],
    /// Alerts.
    pub alerts: &'a [Alert],
    /// What was seen in the server at the day's end.
    pub health: Option<&'a Health>,
    /// What the owner set.
    pub rules: &'a analyze::Settings,
}

/// The report of a day.
pub fn of_day(known: &Day<'_>) -> Report {
    let Day { server, date, from, to, statements, alerts, health, rules } = *known;
    let week = from.before(Nanos::from_millis(7 * 86_400_000));
    let insight = health.map(|health| Insight::of(health, rules));
    let bloated: Vec<_> = insight.iter().flat_map(|seen| seen.tables.iter().chain(&seen.indexes)).cloned().collect();
    let nothing = Capacity::default();
    let compared = of_hours(statements, from, to);
    let (changed, today) = (day(&compared, from), totals(statements, from, to, 1.0));
    let recommended = insight.as_ref().map(|seen| seen.recommendations(server, rules, &changed, today.total_ms));
    report(&Facts {
        server,
        day: &date.to_string(),
        from,
        to,
        totals: today,
        totals_before: totals(statements, week, from, WEEK),
        statements: &changed,
        alerts,
        bloated: &bloated,
        uses: insight.as_ref().map_or(&[], |seen| &seen.uses),
        capacity: insight.as_ref().map_or(&nothing, |seen| &seen.capacity),
        recommendations: &recommended.unwrap_or_default(),
    })
}

/// The instant at which a local day begins.
pub fn begin(date: Date, zone: &TimeZone) -> WallTime {
    let at = zone.to_timestamp(date.at(0, 0, 0, 0));
    at.map_or(WallTime::default(), |at| WallTime::from_unix_micros(at.as_microsecond()))
}

/// All statements of a time together, on one of so many days.
fn totals(statements: &[Statement], from: WallTime, to: WallTime, days: f64) -> Totals {
    let mut sum = Hour::default();
    let hours = statements.iter().flat_map(|statement| &statement.hours);
    hours.filter(|hour| from <= hour.at && hour.at < to).for_each(|hour| sum.add(hour));
    Totals {
        calls: sum.calls as f64 / days,
        errors: sum.errors as f64 / days,
        total_ms: sum.total.as_millis_f64() / days,
        p95_ms: sum.durations.quantile(0.95).map(Nanos::as_millis_f64),
    }
}
