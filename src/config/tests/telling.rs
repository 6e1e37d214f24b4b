//! Who is told of alerts: what can be said, and what is refused.

use super::loading::case;
use crate::analyze::kind::{Kind, Severity};
use crate::base::telemetry::Channel;
use crate::notify::settings::{Email, Security, Settings, Topic};

const SLACK: &str = "https://hooks.slack.com/services/T0/B0/hidden";

/// The settings that a file gives.
#[track_caller]
fn told(text: &str) -> Settings {
    case().file(text).well().app.notify
}

fn email(url: &str) -> Email {
    let text = format!(
        "[notify.smtp]\nurl = '{url}'\nfrom = 'pgvitals <pg@example.com>'\nto = ['a@example.com', 'b@example.com']\n"
    );
    told(&text).email.unwrap()
}

#[test]
fn without_a_word_nobody_is_told() {
    let settings = case().well().app.notify;
    assert!(settings.channels().is_empty() && settings.quiet.is_none());
}

#[test]
fn channels_come_from_file_variables_and_files_of_secrets() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    std::fs::write(&path, "at-least-16-bytes-long\n").unwrap();
    let text = format!(
        "time_zone = 'Europe/Berlin'\n[notify]\nquiet_hours = '22:00-07:00'\nlink = 'https://pg.example/'\n\
         [notify.webhook]\nurl = 'http://ops.internal/pg'\nsecret_file = '{}'\n",
        path.display()
    );
    let settings = case().file(&text).variable("PGVITALS_NOTIFY_SLACK_URL", SLACK).well().app.notify;
    assert_eq!(settings.channels().into_iter().collect::<Vec<_>>(), [Channel::Slack, Channel::Webhook]);
    assert_eq!(settings.webhook.unwrap().secret.unwrap().expose(), b"at-least-16-bytes-long");
    assert_eq!(settings.time_zone.iana_name(), Some("Europe/Berlin"));
    assert!(settings.quiet.is_some() && settings.link.is_some());
}

#[test]
fn the_url_of_a_mail_server_says_how_it_is_spoken_to() {
    let starttls = email("smtp://us%20er:p%40ss@mail.example.com");
    let login = starttls.login.unwrap();
    assert_eq!((login.user.as_str(), login.password.expose().as_str()), ("us er", "p@ss"));
    assert_eq!(
        (starttls.host.as_str(), starttls.port, starttls.security),
        ("mail.example.com", 587, Security::StartTls)
    );
    assert_eq!(starttls.to.len(), 2);
    let at_once = email("smtps://mail.example.com");
    assert_eq!((at_once.port, at_once.security, at_once.login), (465, Security::Tls, None));
    let plain = email("smtp://[::1]:2525?tls=none");
    assert_eq!((plain.host.as_str(), plain.port, plain.security), ("::1", 2525, Security::None));
}

#[test]
fn routes_say_who_hears_of_what() {
    let text = format!(
        "[notify.slack]\nurl = '{SLACK}'\n\
         [[notify.route]]\nkind = ['high_bloat', 'report']\nchannel = 'none'\n\
         [[notify.route]]\nseverity = 'critical'\nserver = 'db'\ndatabase = 'shop'\nchannel = ['slack']\n"
    );
    let [first, second] = &told(&text).routes[..] else { panic!("not two routes") };
    assert_eq!(first.topics, [Topic::Alert(Kind::HighBloat), Topic::Report]);
    assert!(first.channels.is_empty());
    assert_eq!((second.severity, second.server.as_deref()), (Some(Severity::Critical), Some("db")));
    assert_eq!(second.channels.iter().copied().collect::<Vec<_>>(), [Channel::Slack]);
}

#[test]
fn what_is_wrong_is_said_and_no_secret_with_it() {
    let refused = |text: &str, parts: &[&str]| case().file(text).refused(parts);
    refused("[notify.slack]\nurl = 'http://hooks.slack.com/hidden'\n", &["notify.slack.url", "https://"]);
    refused("[notify.slack]\nurl = 'hidden'\n", &["notify.slack.url", "not a URL"]);
    refused("[notify.webhook]\nurl = 'https://user:hidden@ops/'\n", &["notify.webhook.url", "signature"]);
    refused("[notify.webhook]\nurl = 'https://ops/'\nsecret = 'whsec_hidden!'\n", &["notify.webhook.secret", "base64"]);
    refused("[notify.smtp]\nurl = 'smtp://a:b@mail'\nto = 'a@example.com'\n", &["notify.smtp.from", "missing"]);
    let addressed = "from = 'a@example.com'\nto = 'a@example.com'\n";
    let server = |url: &str| format!("[notify.smtp]\nurl = '{url}'\n{addressed}");
    refused(&server("smtp://a:hidden@mail?tls=none"), &["notify.smtp.url", "clear"]);
    refused(&server("mail.example.com:587"), &["notify.smtp.url", "smtp://"]);
    refused(&server("smtp://a@mail"), &["notify.smtp.url", "without a password"]);
    refused(
        "[notify.smtp]\nurl = 'smtp://mail'\nfrom = 'nobody'\nto = 'a@example.com'\n",
        &["notify.smtp.from", "address"],
    );
    refused("[notify]\nquiet_hours = '22-7'\n", &["notify.quiet_hours", "22:00-07:00"]);
    refused("[notify]\nlink = 'pgvitals'\n", &["notify.link", "not a URL"]);
    refused("time_zone = 'Europe/Atlantis'\n", &["time_zone", "Europe/Berlin"]);
    for text in ["[notify.slack]\nurl = 'http://hooks/hidden'\n".to_owned(), server("smtp://a:hidden@mail?tls=none")] {
        assert!(!case().file(&text).load().unwrap_err().to_string().contains("hidden"), "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_route_is_said() {
    let refused = |lines: &str, parts: &[&str]| {
        case().file(&format!("[notify.slack]\nurl = '{SLACK}'\n[[notify.route]]\n{lines}")).refused(parts);
    };
    refused("channel = 'email'\n", &["pgvitals.toml:4", "notify.route.channel", "`email` is not configured"]);
    refused("channel = 'irc'\n", &["notify.route.channel", "unknown channel `irc`", "slack, email"]);
    refused("kind = 'bloat'\nchannel = 'slack'\n", &["notify.route.kind", "high_bloat"]);
    refused("severity = 'bad'\nchannel = 'slack'\n", &["notify.route.severity", "warning, alert or critical"]);
    refused("kind = 'high_bloat'\n", &["without `channel`"]);
    refused("channel = 'slack'\nservers = 'db'\n", &["notify.route.servers", "notify.route.server`"]);
}
