//! Who is told of alerts, and how: channels as URLs, routes, quiet hours.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::tz::TimeZone;
use lettre::message::{Mailbox, Mailboxes};
use url::{Host, Url};

use super::error::{Problem, Source};
use super::file::Given;
use super::settings::Reader;
use crate::analyze::kind::{Kind, Severity};
use crate::base::secret::Secret;
use crate::base::telemetry::Channel;
use crate::notify::quiet::QuietHours;
use crate::notify::settings::{Email, Login, Route, Security, Settings, Topic, Webhook, signing_key};

/// The name of the daily report in a route's `kind`.
const REPORT: &str = "report";

impl Reader {
    /// Channels, routes and hours.
    pub(super) fn notify(&mut self, host: &str, time_zone: TimeZone) -> Settings {
        let slack = self.read("notify.slack.url", |text| slack(text).map(Some)).flatten();
        let mut settings = Settings {
            slack: slack.map(Secret::new),
            email: self.email(),
            webhook: self.webhook(),
            routes: Vec::new(),
            quiet: self.read("notify.quiet_hours", |text| quiet(text).map(Some)).flatten(),
            time_zone,
            link: self.read("notify.link", |text| link(text).map(Some)).flatten(),
            ca: self.read("notify.ca", |text| Ok(PathBuf::from(text))),
            host: host.to_owned(),
        };
        let tables = std::mem::take(&mut self.layers.notify_routes);
        let known = settings.channels();
        settings.routes = tables.iter().filter_map(|keys| self.notify_route(keys, &known)).collect();
        settings
    }

    fn email(&mut self) -> Option<Email> {
        let server = self.read("notify.smtp.url", |text| mail_server(text).map(Some)).flatten();
        let from = self.read("notify.smtp.from", |text| mailbox(text).map(Some));
        let to = self.read("notify.smtp.to", mailboxes);
        let (host, port, security, login) = server?;
        let missing = [("notify.smtp.from", from.is_none()), ("notify.smtp.to", to.is_none())];
        for (key, _) in missing.into_iter().filter(|(_, is_missing)| *is_missing) {
            let given = Given { value: String::new(), origin: Source::Default };
            self.fail(key, &given, Problem::new("missing beside notify.smtp.url", "write pgvitals@example.com"));
        }
        Some(Email { host, port, security, login, from: from??, to: to? })
    }

    fn webhook(&mut self) -> Option<Webhook> {
        let url = self.read("notify.webhook.url", |text| receiver(text).map(Some)).flatten();
        let secret = self.read("notify.webhook.secret", |text| key(text).map(Some)).flatten();
        self.guessable("notify.webhook.secret", secret.as_ref().map(Vec::len));
        Some(Webhook { url: Secret::new(url?), secret: secret.map(Secret::new) })
    }

    /// One `[[notify.route]]`; `None` when it can't be used, which was then said.
    fn notify_route(&mut self, keys: &BTreeMap<&'static str, Given>, known: &BTreeSet<Channel>) -> Option<Route> {
        let Some(channel) = keys.get("channel") else {
            let origin = keys.values().next().map_or(Source::Default, |given| given.origin.clone());
            let problem = Problem::new("a [[notify.route]] without `channel`", "write channels, or none, in each");
            self.fail("notify.route.channel", &Given { value: String::new(), origin }, problem);
            return None;
        };
        let channels = self.parse("notify.route.channel", channel, |text| channels(text, known).map(Some))?;
        let topics = keys.get("kind").map_or(Some(Vec::new()), |given| {
            self.parse("notify.route.kind", given, |text| {
                text.split(',').map(|part| topic(part.trim())).collect::<Result<_, _>>().map(Some)
            })
        })?;
        let severity = match keys.get("severity") {
            Some(given) => Some(self.parse("notify.route.severity", given, |text| severity(text).map(Some))?),
            None => None,
        };
        let text = |name| keys.get(name).map(|given| given.value.clone());
        Some(Route { topics, severity, server: text("server"), database: text("database"), channels })
    }
}

/// An `http` or `https` URL without user and password.
fn receiver(text: &str) -> Result<Url, Problem> {
    let advice = "write https://HOST/PATH";
    let url = Url::parse(text).map_err(|error| Problem::new(format!("not a URL: {error}"), advice))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(Problem::new("not a URL of HTTP", advice));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Problem::new("a URL with user or password", "let the receiver know pgvitals by its signature"));
    }
    Ok(url)
}

/// Who sees this URL can write to the channel, so it does not cross a network in clear.
fn slack(text: &str) -> Result<Url, Problem> {
    let url = receiver(text)?;
    if url.scheme() == "https" || is_loopback(&url) {
        return Ok(url);
    }
    Err(Problem::new("http would show the URL to the network", "write https://hooks.slack.com/services/…"))
}

fn link(text: &str) -> Result<Url, Problem> {
    receiver(text).map_err(|problem| Problem::new(problem.what, "write the address at which people open pgvitals"))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

type MailServer = (String, u16, Security, Option<Login>);

/// `smtp://user:password@host:587`, `smtps://…`, or `smtp://…?tls=none`.
fn mail_server(text: &str) -> Result<MailServer, Problem> {
    let advice = "write smtp://USER:PASSWORD@HOST:587 (STARTTLS), smtps://… (TLS at once), or smtp://HOST?tls=none";
    let url = Url::parse(text).map_err(|error| Problem::new(format!("not a URL: {error}"), advice))?;
    let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    let (security, usual_port) = match (url.scheme(), tls.as_deref()) {
        ("smtps", None | Some("required")) => (Security::Tls, 465),
        ("smtp", None | Some("required")) => (Security::StartTls, 587),
        ("smtp", Some("none")) => (Security::None, 25),
        _ => return Err(Problem::new("neither smtp:// nor smtps://", advice)),
    };
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| Problem::new("no host", advice))?;
    let login = match (url.username(), url.password()) {
        ("", None) => None,
        (user, Some(password)) if !user.is_empty() => {
            Some(Login { user: decoded(user)?, password: Secret::new(decoded(password)?) })
        }
        _ => return Err(Problem::new("a user without a password, or the reverse", advice)),
    };
    if login.is_some() && security == Security::None && !matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
        return Err(Problem::new("the password would cross the network in clear", "leave out tls=none"));
    }
    Ok((host.trim_matches(['[', ']']).to_owned(), url.port().unwrap_or(usual_port), security, login))
}

fn decoded(text: &str) -> Result<String, Problem> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| Problem::new("not UTF-8", "percent-encode user and password as UTF-8"))?;
    Ok(decoded.into_owned())
}

fn mailbox(text: &str) -> Result<Mailbox, Problem> {
    let advice = "write pgvitals@example.com, or pgvitals <pgvitals@example.com>";
    text.parse().map_err(|error| Problem::new(format!("not an e-mail address: {error}"), advice))
}

fn mailboxes(text: &str) -> Result<Vec<Mailbox>, Problem> {
    let list: Mailboxes = text.parse().map_err(|error| {
        let advice = "write one or several, with commas, such as dba@example.com";
        Problem::new(format!("not e-mail addresses: {error}"), advice)
    })?;
    let list: Vec<Mailbox> = list.into();
    if list.is_empty() { Err(Problem::new("nobody", "write at least one address")) } else { Ok(list) }
}

fn key(text: &str) -> Result<Vec<u8>, Problem> {
    let advice = "write a secret, as text or as whsec_ and base64";
    match signing_key(text) {
        Ok(key) if !key.is_empty() => Ok(key),
        Ok(_) => Err(Problem::new("an empty secret", advice)),
        Err(_) => Err(Problem::new("not base64 behind whsec_", advice)),
    }
}

fn quiet(text: &str) -> Result<QuietHours, Problem> {
    QuietHours::parse(text).map_err(|error| Problem::new(error.to_string(), "write such as 22:00-07:00"))
}

fn channels(text: &str, known: &BTreeSet<Channel>) -> Result<BTreeSet<Channel>, Problem> {
    if text == "none" {
        return Ok(BTreeSet::new());
    }
    let channel = |word: &str| {
        let Some(channel) = Channel::ALL.iter().find(|channel| channel.as_str() == word) else {
            return Err(Problem::new(format!("unknown channel `{word}`"), "write slack, email, webhook, or none"));
        };
        match known.contains(channel) {
            true => Ok(*channel),
            false => Err(Problem::new(format!("`{word}` is not configured"), "set its URL, or name another channel")),
        }
    };
    text.split(',').map(|word| channel(word.trim())).collect()
}

fn topic(text: &str) -> Result<Topic, Problem> {
    if text == REPORT {
        return Ok(Topic::Report);
    }
    let names = || Kind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
    let unknown = |_| Problem::new(format!("unknown word `{text}`"), format!("write some of: {}, {REPORT}", names()));
    text.parse().map(Topic::Alert).map_err(unknown)
}

fn severity(text: &str) -> Result<Severity, Problem> {
    text.parse().map_err(|_| Problem::new("unknown word", "write warning, alert or critical"))
}
