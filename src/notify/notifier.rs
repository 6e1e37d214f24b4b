//! Sends. Never in anybody's way: whoever calls waits at most for a channel's time limit, and channels don't wait for one another.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::email::Mailer;
use super::error::{Error, Failure};
use super::message::Message;
use super::post::Post;
use super::queue::{Batch, Outcome, settle};
use super::settings::Settings;
use super::{slack, webhook};
use crate::base::telemetry::{Channel, Notification, Telemetry};
use crate::runtime::clock::{self, Clock};
use crate::tls;
use crate::tls::settings::{Upstream, UpstreamMode};

/// Slack takes one message a second.
const SLACK_EVERY: Duration = Duration::from_secs(1);

/// An e-mail's whole conversation may take so long.
const EMAIL_LIMIT: Duration = Duration::from_secs(45);

/// The channels, ready.
#[derive(Debug)]
pub struct Notifier {
    settings: Settings,
    telemetry: Arc<Telemetry>,
    clock: Clock,
    post: Post,
    mailer: Option<Mailer>,
    /// When Slack takes the next message. Held by whoever sends there, so that others wait.
    slack: Mutex<Instant>,
}

impl Notifier {
    /// As the settings say.
    ///
    /// # Errors
    /// Roots that can't be used.
    pub fn new(settings: Settings, telemetry: Arc<Telemetry>, clock: Clock) -> Result<Self, Error> {
        let mailer = settings.email.as_ref().map(|email| Mailer::new(email, &settings)).transpose()?;
        let post = Post::new(client(&settings)?);
        let slack = Mutex::new(clock::deadline(Duration::ZERO));
        Ok(Self { settings, telemetry, clock, post, mailer, slack })
    }

    /// The settings that it was made of.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Sends a batch as the message that its rows make, and says what became of each row. Counts and logs it, too.
    pub async fn deliver(&self, batch: &Batch, message: &Message) -> Vec<(i64, Outcome)> {
        let result = self.send(batch.channel, message).await;
        let outcomes = settle(batch, &result, self.clock.wall());
        let count = |is: fn(&Outcome) -> bool| outcomes.iter().filter(|(_, outcome)| is(outcome)).count() as u64;
        let dead = count(|outcome| *outcome == Outcome::Dead);
        self.telemetry.notified(batch.channel, Notification::Sent, count(|outcome| *outcome == Outcome::Sent));
        let again = count(|outcome| matches!(outcome, Outcome::Again { .. }));
        self.telemetry.notified(batch.channel, Notification::Retried, again);
        self.telemetry.notified(batch.channel, Notification::Dead, dead);
        if let Err(failure) = result {
            let channel = batch.channel.as_str();
            tracing::warn!(channel, notices = batch.notices.len(), %failure, "nobody could be told of alerts");
            if dead > 0 {
                tracing::error!(channel, notices = dead, %failure, "notices were given up");
            }
        }
        outcomes
    }

    /// Sends one message.
    ///
    /// # Errors
    /// Why it did not arrive, and how long the receiver wants to be left alone.
    pub async fn send(&self, channel: Channel, message: &Message) -> Result<(), Failure> {
        match channel {
            Channel::Slack => self.slack(message).await,
            Channel::Email => self.email(message).await,
            Channel::Webhook => self.webhook(message).await,
        }
    }

    async fn slack(&self, message: &Message) -> Result<(), Failure> {
        let url = self.settings.slack.as_ref().ok_or(Failure::NoChannel)?;
        let body = slack::body(message, &self.settings).to_string();
        let mut next = self.slack.lock().await;
        tokio::time::sleep_until(*next).await;
        let sent = self.post.json(url.expose(), &[], body.into_bytes()).await;
        *next = clock::deadline(SLACK_EVERY);
        sent
    }

    async fn email(&self, message: &Message) -> Result<(), Failure> {
        let mailer = self.mailer.as_ref().ok_or(Failure::NoChannel)?;
        let late = || Failure::Unreachable(format!("the mail server took more than {EMAIL_LIMIT:?}"));
        tokio::time::timeout(EMAIL_LIMIT, mailer.send(message, &self.settings)).await.map_err(|_| late())?
    }

    async fn webhook(&self, message: &Message) -> Result<(), Failure> {
        let webhook = self.settings.webhook.as_ref().ok_or(Failure::NoChannel)?;
        let body = webhook::body(message, &self.settings).to_string().into_bytes();
        let secret = webhook.secret.as_ref().map(|secret| secret.expose().as_slice());
        let headers = webhook::headers(&body, secret, self.clock.wall());
        self.post.json(webhook.url.expose(), &headers, body).await
    }
}

/// TLS towards receivers whose URL wants it: certificates are always checked, and name the host.
fn client(settings: &Settings) -> Result<Option<Arc<rustls::ClientConfig>>, Error> {
    let urls = settings.slack.iter().chain(settings.webhook.iter().map(|webhook| &webhook.url));
    if !urls.into_iter().any(|url| url.expose().scheme() == "https") {
        return Ok(None);
    }
    let upstream = Upstream { mode: UpstreamMode::VerifyFull, ca: settings.ca.clone(), ..Upstream::default() };
    let settings = tls::settings::Settings { upstream, ..tls::settings::Settings::default() };
    let store = match tls::store::Store::load([&settings], &[], b"http/1.1") {
        Err(tls::error::Error::NoSystemRoots) => return Err(Error::NoRoots),
        Err(tls::error::Error::Read { path, reason, .. }) => return Err(Error::Read { path, reason }),
        store => store?,
    };
    Ok(store.connector(0).map(|connector| Arc::clone(&connector.config)))
}
