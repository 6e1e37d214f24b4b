//! In which words it is said, for all channels: titles, sentences, facts. Names, statements and what servers say are
//! others' text: here they lose what no reader should get, and each channel escapes the rest.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::message::{Event, Message};
use super::settings::Settings;
use crate::analyze::alert::{Alert, Notice};
use crate::analyze::kind::{Severity, Unit};
use crate::analyze::report::Report;
use crate::base::text::is_unsafe;
use crate::base::units::WallTime;

/// No name and no sentence of others is shown longer than this, in characters.
const TEXT_MAX: usize = 1_000;

/// A title is one line in a list.
const TITLE_MAX: usize = 140;

/// What an event says.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Words {
    /// How bad, as a word and for a colour.
    pub(super) severity: Severity,
    /// Whether it is over.
    pub(super) is_over: bool,
    /// Such as `critical, opened: slow statement`.
    pub(super) lead: String,
    /// What, how much, where, and the next step.
    pub(super) sentence: String,
    /// Names and values.
    pub(super) facts: Vec<(&'static str, String)>,
}

/// A message's title, in one line.
pub(super) fn title(message: &Message) -> String {
    let text = match message {
        Message::Alerts(events) => alerts_title(events),
        Message::Report(report) => report_title(report),
    };
    shortened(&clean(&text), TITLE_MAX)
}

fn report_title(report: &Report) -> String {
    format!("pgvitals: {} on {}", report.server, report.day)
}

fn alerts_title(events: &[Event]) -> String {
    let Some(Event { notice, alert }) = events.first() else {
        return "pgvitals".to_owned();
    };
    let place = match &alert.subject.database {
        Some(database) => format!("{} {database}", alert.server),
        None => alert.server.clone(),
    };
    if let [_] = events {
        return format!("[{}] {place}: {} {}", state(*notice, alert), kind(alert), notice.as_str());
    }
    let over = events.iter().filter(|event| event.notice == Notice::Resolved).count();
    let open = events.len() - over;
    let what = match (open, over) {
        (_, 0) => format!("{open} alerts"),
        (0, _) => format!("{over} alerts are over"),
        _ => format!("{open} open, {over} over"),
    };
    format!("[{}] {place}: {what}", state(*notice, alert))
}

/// The word that a reader looks for first.
fn state(notice: Notice, alert: &Alert) -> &'static str {
    if notice == Notice::Resolved { "over" } else { alert.severity.as_str() }
}

fn kind(alert: &Alert) -> String {
    alert.kind.as_str().replace('_', " ")
}

/// What an event says.
pub(super) fn words(event: &Event, settings: &Settings) -> Words {
    let Event { notice, alert } = event;
    let what = match notice {
        Notice::Opened => "opened",
        Notice::Escalated => "got worse",
        Notice::Flapping => "comes and goes; held open until it is quiet for an hour",
        Notice::Reminder => "still open",
        Notice::Resolved => "over",
    };
    Words {
        severity: alert.severity,
        is_over: *notice == Notice::Resolved,
        lead: format!("{}, {what}: {}", alert.severity.as_str(), kind(alert)),
        sentence: shortened(&clean(&alert.message), TEXT_MAX),
        facts: facts(alert, &settings.time_zone),
    }
}

fn facts(alert: &Alert, time_zone: &TimeZone) -> Vec<(&'static str, String)> {
    let show = |value: f64| alert.kind.unit().show(value);
    let mut facts = vec![("server", alert.server.clone())];
    facts.extend(alert.subject.database.clone().map(|name| ("database", name)));
    facts.extend(alert.subject.query_hash.map(|hash| ("statement", hash.to_string())));
    if !alert.subject.name.is_empty() {
        facts.push(("of", alert.subject.name.clone()));
    }
    facts.push(("value", show(alert.value)));
    facts.push(("worst", show(alert.worst)));
    facts.push(("threshold", show(alert.threshold)));
    facts.push(("since", local(alert.opened_at, time_zone)));
    match alert.resolved_at {
        Some(at) => {
            facts.push(("over since", local(at, time_zone)));
            let lasted = alert.last_seen_at.since(alert.opened_at).as_secs_f64();
            facts.push(("lasted", Unit::Seconds.show(lasted.round())));
        }
        None => facts.push(("last seen", local(alert.last_seen_at, time_zone))),
    }
    facts.push(("sightings", alert.count.to_string()));
    facts.extend(alert.acknowledged.as_ref().map(|known| ("acknowledged by", known.by.clone())));
    let shown = facts.into_iter().map(|(name, value)| (name, shortened(&clean(&value), TEXT_MAX)));
    shown.filter(|(_, value)| !value.is_empty()).collect()
}

/// A time as the owner's clock shows it, with its offset.
pub(super) fn local(time: WallTime, time_zone: &TimeZone) -> String {
    let at = Timestamp::from_microsecond(time.unix_micros()).unwrap_or_default().to_zoned_datetime(time_zone.clone());
    at.strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// A time as programs read it: RFC 3339, in UTC.
pub(super) fn utc(time: WallTime) -> String {
    Timestamp::from_microsecond(time.unix_micros()).unwrap_or_default().to_string()
}

/// Others' text without what could act on a reader's terminal or turn a line around: control characters, and those
/// that change the direction of what follows. Line breaks become spaces.
pub(super) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
            c if is_unsafe(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// At most `most` characters; what is cut is shown as cut.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}
