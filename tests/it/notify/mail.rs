//! E-mail, to a server that speaks STARTTLS, TLS at once, or neither.

use serde_json::Value;
use tempfile::TempDir;

use pgvitals::analyze::report::{Report, StatementLine};
use pgvitals::base::secret::Secret;
use pgvitals::base::telemetry::Channel;
use pgvitals::notify::error::Failure;
use pgvitals::notify::message::Message;
use pgvitals::notify::queue::Outcome;
use pgvitals::notify::settings::{Email, Login, Security, Settings};

use super::{Receiver, Sender, about, opened};
use crate::support::pki::Pki;

fn settings(server: &Receiver, security: Security, login: Option<(&str, &str)>) -> Settings {
    let login =
        login.map(|(user, password)| Login { user: user.to_owned(), password: Secret::new(password.to_owned()) });
    let email = Email {
        host: "localhost".to_owned(),
        port: server.port,
        security,
        login,
        from: "pgvitals <pgvitals@example.com>".parse().unwrap(),
        to: ["dba@example.com", "ops@example.com"].map(|address| address.parse().unwrap()).to_vec(),
    };
    Settings { email: Some(email), ..Settings::default() }
}

fn header<'a>(mail: &'a Value, name: &str) -> Vec<&'a str> {
    let headers = mail["headers"].as_array().unwrap().iter();
    headers.filter(|header| header[0] == name).map(|header| header[1].as_str().unwrap()).collect()
}

#[test]
fn fifty_alerts_are_one_mail_in_text_and_html() {
    let server = Receiver::start("mail_server.py", &[]);
    let sender = Sender::new(settings(&server, Security::None, None));
    let rows: Vec<_> = (1..=50).map(|id| (id, 0)).collect();
    let outcomes = sender.deliver(Channel::Email, &rows, &opened(50));
    assert_eq!(outcomes, [Outcome::Sent; 50]);
    assert_eq!(sender.counted(Channel::Email), [50, 0, 0]);
    let [mail] = &server.received(1)[..] else { panic!("not one mail") };
    assert_eq!(mail["sender"], "pgvitals@example.com");
    assert_eq!(mail["receivers"], serde_json::json!(["dba@example.com", "ops@example.com"]));
    assert_eq!(header(mail, "Subject"), ["[critical] orders-db:5432 shop: 50 alerts"]);
    assert_eq!(header(mail, "Auto-Submitted"), ["auto-generated"]);
    assert_eq!(header(mail, "From"), ["pgvitals <pgvitals@example.com>"]);
    assert_eq!((header(mail, "Message-ID").len(), header(mail, "Date").len()), (1, 1));
    for kind in ["text/plain", "text/html"] {
        let page = mail["parts"][kind].as_str().unwrap();
        for id in 1..=50 {
            assert!(
                page.contains(&format!("table_{id} is bloated by 66 %; run REINDEX")),
                "{kind} without {id}: {page}"
            );
        }
    }
}

#[test]
fn mail_is_sent_after_starttls_and_signing_in() {
    let directory = TempDir::new().unwrap();
    let pki = Pki::new(directory.path());
    let [cert, key] = pki.server.text();
    let arguments = ["--cert", &cert, "--key", &key, "--user", "us er", "--password", "p@ss:word"];
    let server = Receiver::start("mail_server.py", &arguments);
    let login = Some(("us er", "p@ss:word"));
    let trusting = Settings { ca: Some(pki.ca.clone()), ..settings(&server, Security::StartTls, login) };
    assert_eq!(Sender::new(trusting).send(Channel::Email, &about("t")), Ok(()));
    let [mail] = &server.received(1)[..] else { panic!("not one mail") };
    assert_eq!((&mail["tls"], &mail["user"]), (&true.into(), &"us er".into()));

    // Nobody else's certificate is believed, and no wrong password is repeated aloud.
    let failure = Sender::new(settings(&server, Security::StartTls, login)).send(Channel::Email, &about("t"));
    assert!(matches!(&failure, Err(Failure::Unreachable(what)) if what.contains("localhost")), "{failure:?}");
    let wrong =
        Settings { ca: Some(pki.ca.clone()), ..settings(&server, Security::StartTls, Some(("us er", "hidden"))) };
    let failure = Sender::new(wrong).send(Channel::Email, &about("t"));
    assert!(matches!(&failure, Err(Failure::Refused(what)) if !what.contains("hidden")), "{failure:?}");
    server.received(1);
}

#[test]
fn a_server_without_starttls_gets_no_password_and_no_mail() {
    let server = Receiver::start("mail_server.py", &[]);
    let directory = TempDir::new().unwrap();
    let ca = Some(Pki::new(directory.path()).ca);
    let settings = Settings { ca, ..settings(&server, Security::StartTls, Some(("user", "password"))) };
    let failure = Sender::new(settings).send(Channel::Email, &about("t"));
    assert!(failure.is_err(), "{failure:?}");
    server.received(0);
}

#[test]
fn mail_is_sent_over_tls_at_once() {
    let directory = TempDir::new().unwrap();
    let pki = Pki::new(directory.path());
    let [cert, key] = pki.server.text();
    let server = Receiver::start("mail_server.py", &["--cert", &cert, "--key", &key, "--tls-at-once"]);
    let settings = Settings { ca: Some(pki.ca.clone()), ..settings(&server, Security::Tls, None) };
    assert_eq!(Sender::new(settings).send(Channel::Email, &about("t")), Ok(()));
    assert_eq!(server.received(1)[0]["tls"], true);
}

#[test]
fn a_server_that_is_busy_is_tried_again_and_one_that_refuses_gives_dead_letters() {
    let server = Receiver::start("mail_server.py", &["--answers", "451,550,250"]);
    let sender = Sender::new(settings(&server, Security::None, None));
    let busy = sender.deliver(Channel::Email, &[(1, 3), (2, 0)], &about("t"));
    assert!(matches!(busy[..], [Outcome::Again { .. }, Outcome::Again { .. }]), "{busy:?}");
    let refused = sender.deliver(Channel::Email, &[(1, 3), (2, 0)], &about("t"));
    assert!(matches!(refused[..], [Outcome::Dead, Outcome::Again { .. }]), "{refused:?}");
    assert_eq!(sender.deliver(Channel::Email, &[(2, 1)], &about("t")), [Outcome::Sent]);
    assert_eq!(sender.counted(Channel::Email), [1, 3, 1]);
    server.received(3);
}

#[test]
fn nobody_there_is_no_refusal() {
    let server = Receiver::start("mail_server.py", &[]);
    let settings = settings(&server, Security::None, None);
    drop(server);
    let failure = Sender::new(settings).send(Channel::Email, &about("t"));
    assert!(matches!(failure, Err(Failure::Unreachable(_))), "{failure:?}");
}

#[test]
fn a_name_brings_no_header_and_no_markup() {
    let server = Receiver::start("mail_server.py", &[]);
    let sender = Sender::new(settings(&server, Security::None, None));
    let name = "x\r\nBcc: thief@example.com\r\n\r\n<script>alert(1)</script>";
    let Message::Alerts(mut events) = about(name) else { panic!("no alerts") };
    events[0].alert.server = name.to_owned();
    events[0].alert.subject.database = Some(name.to_owned());
    assert_eq!(sender.send(Channel::Email, &Message::Alerts(events)), Ok(()));
    let [mail] = &server.received(1)[..] else { panic!("not one mail") };
    assert_eq!(mail["receivers"], serde_json::json!(["dba@example.com", "ops@example.com"]));
    assert!(header(mail, "Bcc").is_empty() && header(mail, "Subject").len() == 1, "{mail:#}");
    assert!(header(mail, "Subject")[0].contains("Bcc: thief@example.com"), "{mail:#}");
    let page = mail["parts"]["text/html"].as_str().unwrap();
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "{page}");
}

#[test]
fn the_daily_report_comes_as_mail() {
    let server = Receiver::start("mail_server.py", &[]);
    let sender = Sender::new(settings(&server, Security::None, None));
    let line = StatementLine { summary: "SELECT \"Bestellungen für <Zug>\"".to_owned(), ..StatementLine::default() };
    let (name, day) = ("orders-db:5432".to_owned(), "2026-11-25".to_owned());
    let report = Report { server: name, day, worse: vec![line], ..Report::default() };
    assert_eq!(sender.send(Channel::Email, &Message::Report(Box::new(report))), Ok(()));
    let [mail] = &server.received(1)[..] else { panic!("not one mail") };
    assert_eq!(header(mail, "Subject"), ["pgvitals: orders-db:5432 on 2026-11-25"]);
    let [plain, html] = ["text/plain", "text/html"].map(|kind| mail["parts"][kind].as_str().unwrap());
    assert!(plain.contains("SELECT \"Bestellungen für <Zug>\""), "{plain}");
    assert!(html.contains("SELECT &quot;Bestellungen für &lt;Zug&gt;&quot;"), "{html}");
}
