//! Slack's incoming webhook and the owner's, as a receiver of HTTP sees them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tempfile::TempDir;
use url::Url;

use pgvitals::analyze::alert::Notice;
use pgvitals::base::secret::Secret;
use pgvitals::base::telemetry::Channel;
use pgvitals::base::units::{Nanos, WallTime};
use pgvitals::notify::error::Failure;
use pgvitals::notify::message::{Event, Message};
use pgvitals::notify::queue::Outcome;
use pgvitals::notify::settings::{Settings, Webhook, signing_key};

use super::{Receiver, Sender, about, alert, opened};
use crate::support::clock::now;
use crate::support::pki::Pki;

/// What no log and no error may show.
const PATH: &str = "/services/T0/B0/hidden?and=hidden";

fn url(server: &Receiver, scheme: &str) -> Secret<Url> {
    Secret::new(Url::parse(&format!("{scheme}://localhost:{}{PATH}", server.port)).unwrap())
}

fn slack(server: &Receiver) -> Settings {
    Settings { slack: Some(url(server, "http")), ..Settings::default() }
}

fn webhook(server: &Receiver, secret: Option<&str>) -> Settings {
    let secret = secret.map(|secret| Secret::new(signing_key(secret).unwrap()));
    Settings { webhook: Some(Webhook { url: url(server, "http"), secret }), ..Settings::default() }
}

fn body(request: &Value) -> Value {
    serde_json::from_str(request["body"].as_str().unwrap()).unwrap()
}

#[test]
fn slack_gets_fifty_alerts_as_one_message() {
    let server = Receiver::start("http_receiver.py", &[]);
    let sender = Sender::new(slack(&server));
    let rows: Vec<_> = (1..=50).map(|id| (id, 0)).collect();
    assert_eq!(sender.deliver(Channel::Slack, &rows, &opened(50)), [Outcome::Sent; 50]);
    let [request] = &server.received(1)[..] else { panic!("not one request") };
    assert_eq!(request["path"], PATH);
    let body = body(request);
    assert_eq!(body["text"], "[critical] orders-db:5432 shop: 50 alerts");
    let blocks = body["blocks"].as_array().unwrap();
    assert!(blocks.len() > 40 && blocks.len() <= 50, "{} blocks", blocks.len());
    assert!(blocks[1]["text"]["text"].as_str().unwrap().contains("table_1 is bloated by 66 %"), "{body:#}");
}

#[test]
fn slack_gets_one_message_a_second() {
    let server = Receiver::start("http_receiver.py", &[]);
    let sender = Sender::new(slack(&server));
    let began = now();
    let three = || async {
        let message = about("t");
        let send = || sender.notifier.send(Channel::Slack, &message);
        let (first, second, third) = tokio::join!(send(), send(), send());
        assert_eq!((first, second, third), (Ok(()), Ok(()), Ok(())));
    };
    sender.runtime.block_on(three());
    assert!(now() - began >= std::time::Duration::from_secs(2), "{:?}", now() - began);
    server.received(3);
}

#[test]
fn retry_after_is_obeyed_and_the_same_rows_are_told_once() {
    let server = Receiver::start("http_receiver.py", &["--answers", "429:77,500,0,200"]);
    let sender = Sender::new(slack(&server));
    let failure = sender.send(Channel::Slack, &about("t"));
    let Err(busy @ Failure::Busy { .. }) = failure else { panic!("{failure:?}") };
    assert_eq!(busy.retry_after(), Some(Nanos::from_millis(77_000)));
    for _ in 0..2 {
        let outcome = sender.deliver(Channel::Slack, &[(1, 0)], &about("t"));
        assert!(matches!(outcome[..], [Outcome::Again { .. }]), "{outcome:?}");
    }
    assert_eq!(sender.deliver(Channel::Slack, &[(1, 2)], &about("t")), [Outcome::Sent]);
    assert_eq!(sender.counted(Channel::Slack), [1, 2, 0]);
    server.received(4);
}

#[test]
fn a_url_that_is_gone_gives_dead_letters_and_is_never_shown() {
    let server = Receiver::start("http_receiver.py", &["--answers", "404"]);
    let sender = Sender::new(slack(&server));
    let failure = sender.send(Channel::Slack, &about("t")).unwrap_err();
    assert!(failure.is_refusal() && failure.to_string().contains("localhost: 404"), "{failure}");
    assert!(!format!("{failure} {failure:?} {sender:?}", sender = sender.notifier).contains("hidden"));
    let outcome = sender.deliver(Channel::Slack, &[(1, 3), (2, 0)], &about("t"));
    assert!(matches!(outcome[..], [Outcome::Dead, Outcome::Again { .. }]), "{outcome:?}");
    assert_eq!(sender.counted(Channel::Slack), [0, 1, 1]);
    server.received(2);
}

#[test]
fn no_redirect_is_followed() {
    let server = Receiver::start("http_receiver.py", &["--answers", "307"]);
    let failure = Sender::new(webhook(&server, None)).send(Channel::Webhook, &about("t"));
    assert!(matches!(failure, Err(Failure::Refused(_))), "{failure:?}");
    server.received(1);
}

#[test]
fn a_webhook_is_signed_so_that_its_receiver_can_tell() {
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let server = Receiver::start("http_receiver.py", &["--answers", "500,200"]);
    let sender = Sender::new(webhook(&server, Some(SECRET)));
    let message = about("public.\"Bestellungen\"\u{1b}[31m");
    assert!(sender.send(Channel::Webhook, &message).is_err());
    assert_eq!(sender.send(Channel::Webhook, &message), Ok(()));
    let requests = server.received(2);
    let header = |request: &Value, name: &str| request["headers"][name].as_str().unwrap().to_owned();
    for request in &requests {
        assert_eq!(header(request, "content-type"), "application/json");
        let signed = [header(request, "webhook-id"), header(request, "webhook-timestamp")];
        let signed = format!("{}.{}.{}", signed[0], signed[1], request["body"].as_str().unwrap());
        let mut mac = Hmac::<Sha256>::new_from_slice(&BASE64.decode(&SECRET[6..]).unwrap()).unwrap();
        mac.update(signed.as_bytes());
        let signature = header(request, "webhook-signature");
        let given = BASE64.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
        mac.verify_slice(&given).unwrap_or_else(|_| panic!("{signature} does not sign {signed}"));
    }
    assert_eq!(header(&requests[0], "webhook-id"), header(&requests[1], "webhook-id"), "the same message");
    let alert = &body(&requests[1])["alerts"][0];
    assert_eq!(alert["subject"], "shop public.\"Bestellungen\"\u{fffd}[31m");
    assert_eq!((&alert["event"], &alert["kind"]), (&"opened".into(), &"high_bloat".into()));
}

#[test]
fn without_a_secret_nothing_is_signed_and_the_final_state_is_told() {
    let server = Receiver::start("http_receiver.py", &[]);
    let mut over = alert(7, "t");
    over.resolved_at = Some(WallTime::from_unix_micros(1_795_660_000 * 1_000_000));
    let message = Message::alerts(vec![Event { notice: Notice::Resolved, alert: over }]);
    assert_eq!(Sender::new(webhook(&server, None)).send(Channel::Webhook, &message), Ok(()));
    let [request] = &server.received(1)[..] else { panic!("not one request") };
    assert!(request["headers"]["webhook-signature"].is_null(), "{request:#}");
    let body = body(request);
    assert_eq!((&body["type"], &body["alerts"][0]["id"]), (&"alerts".into(), &7.into()));
    assert_eq!(body["alerts"][0]["resolved_at"], "2026-11-26T02:26:40Z");
}

#[test]
fn over_https_only_who_is_trusted_and_named_gets_it() {
    let directory = TempDir::new().unwrap();
    let pki = Pki::new(directory.path());
    let [cert, key] = pki.server.text();
    let server = Receiver::start("http_receiver.py", &["--cert", &cert, "--key", &key]);
    let of = |host: &str, ca: bool| {
        let url = Url::parse(&format!("https://{host}:{}{PATH}", server.port)).unwrap();
        let ca = ca.then(|| pki.ca.clone());
        Sender::new(Settings { slack: Some(Secret::new(url)), ca, ..Settings::default() })
    };
    assert_eq!(of("localhost", true).send(Channel::Slack, &about("t")), Ok(()));
    server.received(1);
    // The certificate names localhost alone, and its signer is not one of the system's.
    for sender in [of("127.0.0.1", true), of("localhost", false)] {
        let failure = sender.send(Channel::Slack, &about("t")).unwrap_err();
        assert!(matches!(&failure, Failure::Unreachable(what) if what.contains("certificate")), "{failure:?}");
    }
}

#[test]
fn a_channel_that_is_not_configured_is_said() {
    let sender = Sender::new(Settings::default());
    for channel in Channel::ALL {
        assert_eq!(sender.send(*channel, &about("t")), Err(Failure::NoChannel));
    }
}
