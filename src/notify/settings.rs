//! What the owner may set: the channels, who hears of what, and when nobody wants to hear.

use std::collections::BTreeSet;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::tz::TimeZone;
use lettre::message::Mailbox;
use url::Url;

use super::quiet::QuietHours;
use crate::analyze::alert::{Alert, Notice};
use crate::analyze::kind::{Kind, Severity};
use crate::base::secret::Secret;
use crate::base::telemetry::Channel;

/// The room's settings. Without a channel nobody is told anything.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// An incoming webhook of Slack: whoever knows it can write to the channel.
    pub slack: Option<Secret<Url>>,
    /// E-mail.
    pub email: Option<Email>,
    /// A receiver of the owner's.
    pub webhook: Option<Webhook>,
    /// The first that fits an alert says who hears of it; of one that none fits every channel does.
    pub routes: Vec<Route>,
    /// When only what is critical is told.
    pub quiet: Option<QuietHours>,
    /// In which zone these hours are, and times in messages.
    pub time_zone: TimeZone,
    /// Where people reach pgvitals, for links.
    pub link: Option<Url>,
    /// Who signed the receivers' certificates, PEM; without it the system's roots are trusted.
    pub ca: Option<PathBuf>,
    /// What this host calls itself to a mail server.
    pub host: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            slack: None,
            email: None,
            webhook: None,
            routes: Vec::new(),
            quiet: None,
            time_zone: TimeZone::UTC,
            link: None,
            ca: None,
            host: "localhost".to_owned(),
        }
    }
}

/// A mail server, and from whom to whom.
#[derive(Clone, PartialEq, Debug)]
pub struct Email {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: Security,
    /// Whom to sign in as.
    pub login: Option<Login>,
    /// The sender.
    pub from: Mailbox,
    /// Receivers; at least one.
    pub to: Vec<Mailbox>,
}

/// A name and its password.
#[derive(Clone, PartialEq, Debug)]
pub struct Login {
    /// The name.
    pub user: String,
    /// Its password.
    pub password: Secret<String>,
}

/// How a connection to a mail server is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Security {
    /// From its first byte (`smtps://`, port 465).
    Tls,
    /// After STARTTLS, or not at all used (`smtp://`, port 587).
    StartTls,
    /// Never (`smtp://…?tls=none`).
    None,
}

/// A receiver of JSON.
#[derive(Clone, PartialEq, Debug)]
pub struct Webhook {
    /// Where it is; paths of such receivers often hold a token.
    pub url: Secret<Url>,
    /// What requests are signed with.
    pub secret: Option<Secret<Vec<u8>>>,
}

/// What a message is about, for routes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topic {
    /// An alert of a kind.
    Alert(Kind),
    /// The daily report.
    Report,
}

/// Who hears of what fits it. What is not given fits all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Route {
    /// These topics; all when there is none.
    pub topics: Vec<Topic>,
    /// At least so bad. The report is not bad at all.
    pub severity: Option<Severity>,
    /// The monitored server.
    pub server: Option<String>,
    /// The database.
    pub database: Option<String>,
    /// Who hears of it; nobody when there is none.
    pub channels: BTreeSet<Channel>,
}

/// The prefix of a secret that is written in base64, as the standard of [`crate::notify`]'s signatures has it.
const BASE64_PREFIX: &str = "whsec_";

/// The bytes that requests to a webhook are signed with: what base64 says behind `whsec_`, else the text's.
///
/// # Errors
/// When it isn't base64.
pub fn signing_key(text: &str) -> Result<Vec<u8>, base64::DecodeError> {
    match text.strip_prefix(BASE64_PREFIX) {
        Some(encoded) => BASE64.decode(encoded),
        None => Ok(text.as_bytes().to_vec()),
    }
}

impl Settings {
    /// The channels that exist.
    pub fn channels(&self) -> BTreeSet<Channel> {
        let known = [
            (Channel::Slack, self.slack.is_some()),
            (Channel::Email, self.email.is_some()),
            (Channel::Webhook, self.webhook.is_some()),
        ];
        known.into_iter().filter(|(_, exists)| *exists).map(|(channel, _)| channel).collect()
    }

    /// Who hears this of an alert. `told` are those who heard of it before: who knows that it began hears that it got
    /// worse and that it is over, and nobody hears of the end of what they never heard of.
    pub fn channels_of(&self, notice: Notice, alert: &Alert, told: &BTreeSet<Channel>) -> BTreeSet<Channel> {
        let known = self.channels();
        let before: BTreeSet<Channel> = told.intersection(&known).copied().collect();
        if notice == Notice::Resolved {
            return before;
        }
        let topic = Topic::Alert(alert.kind);
        let mut channels = self.routed(topic, Some(alert.severity), &alert.server, alert.subject.database.as_deref());
        channels.extend(before);
        channels
    }

    /// Who gets a server's daily report.
    pub fn channels_of_report(&self, server: &str) -> BTreeSet<Channel> {
        self.routed(Topic::Report, None, server, None)
    }

    fn routed(
        &self,
        topic: Topic,
        severity: Option<Severity>,
        server: &str,
        database: Option<&str>,
    ) -> BTreeSet<Channel> {
        let fits = |route: &&Route| {
            (route.topics.is_empty() || route.topics.contains(&topic))
                && route.severity.is_none_or(|least| severity >= Some(least))
                && route.server.as_deref().is_none_or(|name| name == server)
                && route.database.as_deref().is_none_or(|name| Some(name) == database)
        };
        let known = self.channels();
        match self.routes.iter().find(fits) {
            Some(route) => route.channels.intersection(&known).copied().collect(),
            None => known,
        }
    }

    /// The keys that differ; they change with a restart only.
    pub fn changed(&self, new: &Settings) -> Vec<&'static str> {
        let smtp_differs = self.email != new.email || self.host != new.host;
        let differs = [
            ("notify.slack.url", self.slack != new.slack),
            ("notify.smtp", smtp_differs),
            ("notify.webhook", self.webhook != new.webhook),
            ("notify.route", self.routes != new.routes),
            ("notify.quiet_hours", self.quiet != new.quiet),
            ("time_zone", self.time_zone != new.time_zone),
            ("notify.link", self.link != new.link),
            ("notify.ca", self.ca != new.ca),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }
}
