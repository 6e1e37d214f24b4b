//! What is said, before it has words.

use crate::analyze::alert::{Alert, Notice};
use crate::analyze::report::Report;

/// One message to one channel.
#[derive(Clone, PartialEq, Debug)]
pub enum Message {
    /// What happened to alerts of one server, or of one of its databases.
    Alerts(Vec<Event>),
    /// The daily report of one server.
    Report(Box<Report>),
}

/// Something that happened to an alert.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// What.
    pub notice: Notice,
    /// The alert as it is now.
    pub alert: Alert,
}

impl Message {
    /// A message of events. Of several about one alert the last in the life of an alert is said: it tells the state that
    /// the alert has now. The worst alerts stand first, and those that are over last.
    pub fn alerts(events: Vec<Event>) -> Self {
        let mut kept: Vec<Event> = Vec::new();
        for event in events {
            match kept.iter_mut().find(|other| is_same(&other.alert, &event.alert)) {
                Some(other) if rank(other.notice) <= rank(event.notice) => *other = event,
                Some(_) => {}
                None => kept.push(event),
            }
        }
        kept.sort_by_key(|event| {
            let is_over = event.notice == Notice::Resolved;
            (is_over, std::cmp::Reverse(event.alert.severity), event.alert.opened_at)
        });
        Message::Alerts(kept)
    }
}

/// An alert is known by its row, before it has one by what it is about.
fn is_same(a: &Alert, b: &Alert) -> bool {
    match (a.id, b.id) {
        (Some(a), Some(b)) => a == b,
        _ => (&a.server, a.kind, &a.subject, a.opened_at) == (&b.server, b.kind, &b.subject, b.opened_at),
    }
}

/// Where in an alert's life a notice stands.
fn rank(notice: Notice) -> u8 {
    match notice {
        Notice::Opened => 0,
        Notice::Reminder => 1,
        Notice::Escalated => 2,
        Notice::Flapping => 3,
        Notice::Resolved => 4,
    }
}
