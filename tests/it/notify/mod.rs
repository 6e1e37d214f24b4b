//! "Tested against a real SMTP server and a real HTTP receiver started by the test" (issue 6, Notify): [`mail`], and
//! [`posts`] to Slack and to webhooks.

mod mail;
mod posts;

use std::cell::Cell;
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use pgvitals::analyze::alert::{Alert, Notice, Subject};
use pgvitals::analyze::kind::{Kind, Severity};
use pgvitals::base::telemetry::{Channel, Notification, Telemetry};
use pgvitals::base::units::WallTime;
use pgvitals::notify::error::Failure;
use pgvitals::notify::message::{Event, Message};
use pgvitals::notify::notifier::Notifier;
use pgvitals::notify::queue::{Batch, Outcome};
use pgvitals::notify::settings::Settings;
use pgvitals::runtime::clock::Clock;

use crate::support::keeper::Keeper;
use crate::support::postgres::clients;

/// A server of `tests/clients/python` that says what it is sent.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    keeper: Keeper,
}

impl Receiver {
    pub(crate) fn start(script: &str, arguments: &[&str]) -> Self {
        let script = format!("{}/tests/clients/python/{script}", env!("CARGO_MANIFEST_DIR"));
        let python = clients().join("python/bin/python").display().to_string();
        let mut command = vec![python, "-I".to_owned(), script];
        command.extend(arguments.iter().map(ToString::to_string));
        let keeper = Keeper::start(TempDir::new().unwrap(), "KILL", None, &command);
        let port = keeper.log.await_line("its port", |line| serde_json::from_str::<Value>(line).ok()?["port"].as_u64());
        Self { port: port as u16, keeper }
    }

    /// What it was sent, which must be so much. It says so before it answers, so whoever has an answer finds it here.
    #[track_caller]
    pub(crate) fn received(&self, count: usize) -> Vec<Value> {
        let read = |line: &str| serde_json::from_str::<Value>(line).ok().filter(|line| line["port"].is_null());
        let seen = Cell::new(0);
        if count > 0 {
            // The log is read by a thread of its own.
            self.keeper.log.await_line("what it was sent", |line| {
                seen.set(seen.get() + usize::from(read(line).is_some()));
                (seen.get() == count).then_some(())
            });
        }
        let lines: Vec<_> = self.keeper.log.text().lines().filter_map(read).collect();
        assert_eq!(lines.len(), count, "{lines:#?}");
        lines
    }
}

/// A sender with these settings, and its counters.
struct Sender {
    runtime: Runtime,
    notifier: Notifier,
    telemetry: Arc<Telemetry>,
}

impl Sender {
    #[track_caller]
    fn new(settings: Settings) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let telemetry = Arc::new(Telemetry::default());
        let notifier = Notifier::new(settings, Arc::clone(&telemetry), Clock::start()).unwrap();
        Self { runtime, notifier, telemetry }
    }

    fn send(&self, channel: Channel, message: &Message) -> Result<(), Failure> {
        self.runtime.block_on(self.notifier.send(channel, message))
    }

    /// Delivers what these rows say, with the attempts behind each.
    fn deliver(&self, channel: Channel, notices: &[(i64, u32)], message: &Message) -> Vec<Outcome> {
        let batch = Batch { channel, server: "db".to_owned(), database: None, notices: notices.to_vec() };
        let outcomes = self.runtime.block_on(self.notifier.deliver(&batch, message));
        assert_eq!(
            outcomes.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
            notices.iter().map(|(id, _)| *id).collect::<Vec<_>>()
        );
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    /// Sent, retried, dead.
    fn counted(&self, channel: Channel) -> Vec<u64> {
        Notification::ALL.iter().map(|outcome| self.telemetry.notified_total(channel, *outcome)).collect()
    }
}

/// A critical alert about a table of this name.
fn alert(id: i64, table: &str) -> Alert {
    let at = |minutes: i64| WallTime::from_unix_micros((1_795_651_200 + 60 * minutes) * 1_000_000);
    Alert {
        id: Some(id),
        server: "orders-db:5432".to_owned(),
        kind: Kind::HighBloat,
        subject: Subject::of("shop", table),
        severity: Severity::Critical,
        opened_at: at(0),
        last_seen_at: at(90),
        updated_at: at(90),
        resolved_at: None,
        value: 61.0,
        worst: 66.0,
        threshold: 20.0,
        count: 3,
        message: format!("{table} is bloated by 66 %; run REINDEX"),
        missed: 0,
        missed_at: None,
        is_flapping: false,
        acknowledged: None,
        silenced: None,
        notified: None,
    }
}

/// So many alerts that opened.
fn opened(count: i64) -> Message {
    let event = |id| Event { notice: Notice::Opened, alert: alert(id, &format!("table_{id}")) };
    Message::alerts((1..=count).map(event).collect())
}

/// One alert about a table of this name.
fn about(table: &str) -> Message {
    Message::alerts(vec![Event { notice: Notice::Opened, alert: alert(1, table) }])
}
