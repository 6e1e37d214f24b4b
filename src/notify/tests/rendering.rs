//! What people see, and that others' text can't become more than text.

use jiff::tz::TimeZone;
use serde_json::Value;
use url::Url;

use super::support::{alert, at};
use crate::analyze::alert::{Acknowledgement, Notice};
use crate::analyze::kind::Severity;
use crate::analyze::report::{AlertLine, BloatLine, Report, StatementLine};
use crate::notify::message::{Event, Message};
use crate::notify::settings::Settings;
use crate::notify::wording::title;
use crate::notify::{html, slack, text, webhook};

fn settings() -> Settings {
    Settings { link: Some(Url::parse("https://pgvitals.example/a|b").unwrap()), ..Settings::default() }
}

fn event(notice: Notice, id: i64, severity: Severity, table: &str) -> Event {
    Event { notice, alert: alert(id, severity, table) }
}

fn over(id: i64) -> Event {
    let mut event = event(Notice::Resolved, id, Severity::Critical, "public.orders");
    event.alert.resolved_at = Some(at(960));
    event
}

fn opened(count: i64) -> Message {
    Message::alerts((0..count).map(|id| event(Notice::Opened, id, Severity::Alert, &format!("t{id}"))).collect())
}

/// Every text of Slack's blocks.
fn texts(body: &Value) -> Vec<String> {
    let blocks = body["blocks"].as_array().unwrap();
    let texts = blocks.iter().flat_map(|block| match block["elements"].as_array() {
        Some(elements) => elements.iter().map(|element| element["text"].clone()).collect::<Vec<_>>(),
        None => vec![block["text"]["text"].clone()],
    });
    texts.map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The limits of FIELD (e).
#[track_caller]
fn assert_fits_slack(body: &Value) {
    let blocks = body["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50, "{} blocks", blocks.len());
    let lengths: Vec<_> = texts(body).iter().map(|text| text.chars().count()).collect();
    assert!(lengths.iter().all(|length| *length <= 3_000 && *length > 0), "{lengths:?}");
    assert!(lengths[0] <= 150, "header of {}", lengths[0]);
    assert!(lengths.iter().sum::<usize>() <= 13_000, "{} characters in all", lengths.iter().sum::<usize>());
    assert!(!body["text"].as_str().unwrap().is_empty());
}

#[test]
fn the_last_message_tells_the_final_state_everywhere() {
    let message = Message::alerts(vec![over(1)]);
    let page = text::body(&message, &settings());
    for part in [
        "[over] orders-db:5432 shop: high bloat resolved",
        "critical, over: high bloat",
        "public.orders is bloated by 42 %; run VACUUM",
        "value: 35 %",
        "worst: 42 %",
        "threshold: 20 %",
        "since: 2026-11-26 00:00:00 +00:00",
        "over since: 2026-11-26 00:16:00 +00:00",
        "lasted: 60 s",
        "sightings: 7",
        "https://pgvitals.example/",
    ] {
        assert!(page.contains(part), "{part:?} is not in {page}");
    }
    let chat = texts(&slack::body(&message, &settings())).join("\n");
    for part in ["over: high bloat", "run VACUUM", "worst 42 %", "over since 2026-11-26 00:16:00", "a%7Cb|pgvitals>"] {
        assert!(chat.contains(part), "{part:?} is not in {chat}");
    }
    let json = webhook::body(&message, &settings());
    let alert = &json["alerts"][0];
    assert_eq!((&alert["event"], &alert["resolved_at"]), (&"resolved".into(), &"2026-11-26T00:16:00Z".into()));
    assert_eq!((&alert["value"], &alert["unit"]), (&35.0.into(), &"percent".into()));
}

#[test]
fn times_are_the_owners() {
    let settings = Settings { time_zone: TimeZone::get("Asia/Tokyo").unwrap(), ..Settings::default() };
    let page = text::body(&opened(1), &settings);
    assert!(page.contains("since: 2026-11-26 09:00:00 +09:00"), "{page}");
}

#[test]
fn of_one_alert_the_last_state_is_said_once() {
    let events = vec![
        event(Notice::Opened, 1, Severity::Critical, "public.orders"),
        over(1),
        event(Notice::Escalated, 1, Severity::Critical, "public.orders"),
        event(Notice::Opened, 2, Severity::Warning, "b"),
    ];
    let Message::Alerts(said) = Message::alerts(events) else { panic!("no alerts") };
    let said: Vec<_> = said.iter().map(|event| (event.alert.id, event.notice)).collect();
    assert_eq!(said, [(Some(2), Notice::Opened), (Some(1), Notice::Resolved)]);
}

#[test]
fn titles_count() {
    assert_eq!(title(&opened(1)), "[alert] orders-db:5432 shop: high bloat opened");
    assert_eq!(title(&opened(50)), "[alert] orders-db:5432 shop: 50 alerts");
    let mixed = Message::alerts(vec![over(1), event(Notice::Opened, 2, Severity::Warning, "b")]);
    assert_eq!(title(&mixed), "[warning] orders-db:5432 shop: 1 open, 1 over");
    assert_eq!(title(&Message::alerts(vec![over(1), over(2)])), "[over] orders-db:5432 shop: 2 alerts are over");
}

#[test]
fn slack_takes_any_number_of_alerts_with_texts_of_any_length() {
    for count in [1, 2, 46, 47, 48, 50, 500] {
        let body = slack::body(&opened(count), &settings());
        assert_fits_slack(&body);
        let shown =
            texts(&body).iter().filter(|text| text.contains("high bloat")).count() as i64 - i64::from(count == 1);
        let rest = texts(&body).iter().find_map(|text| text.strip_prefix("and ")?.strip_suffix(" more")?.parse().ok());
        assert_eq!(shown + rest.unwrap_or(0), count, "each is shown or counted");
    }
    for filler in ["<", "&", "x", "ü", "🐘"] {
        let long = filler.repeat(20_000);
        let mut event = event(Notice::Opened, 1, Severity::Critical, &long);
        event.alert.server = long.clone();
        event.alert.message = long.clone();
        event.alert.acknowledged = Some(Acknowledgement { by: long, severity: Severity::Critical });
        assert_fits_slack(&slack::body(&Message::Alerts(vec![event.clone(); 60]), &settings()));
    }
}

const HOSTILE: &str = "a\r\nBcc: all@example.com\u{1b}[31m<!channel> <script>alert(1)</script> & \"x\" 'y' \u{202e}txt";

fn hostile() -> Message {
    let mut event = event(Notice::Opened, 1, Severity::Critical, HOSTILE);
    event.alert.server = HOSTILE.to_owned();
    event.alert.subject.database = Some(HOSTILE.to_owned());
    event.alert.acknowledged = Some(Acknowledgement { by: HOSTILE.to_owned(), severity: Severity::Critical });
    Message::alerts(vec![event])
}

#[test]
fn what_of_a_report_does_not_fit_into_slack_is_said() {
    let long = |letter: &str| letter.repeat(2_000);
    let rows = |letter| vec![StatementLine { summary: long(letter), ..StatementLine::default() }; 5];
    let told = AlertLine { message: long("d"), ..AlertLine::default() };
    let bloated = BloatLine { subject: long("e"), ..BloatLine::default() };
    let (worse, better, new) = (rows("a"), rows("b"), rows("c"));
    let lists = Report { worse, better, new, alerts: vec![told; 5], bloat: vec![bloated; 5], ..Report::default() };
    let body = slack::body(&Message::Report(Box::new(lists)), &settings());
    assert_fits_slack(&body);
    let texts = texts(&body).join("\n");
    let shown: Vec<_> = ["aaa", "bbb", "ccc", "ddd", "eee"].map(|run| texts.contains(run)).into();
    assert_eq!(shown, [true, true, true, true, false]);
    assert!(texts.contains("The rest is too long for Slack"));
}

fn hostile_report() -> Message {
    let line = StatementLine { summary: HOSTILE.to_owned(), ..StatementLine::default() };
    let told = AlertLine { message: HOSTILE.to_owned(), ..AlertLine::default() };
    let (server, day) = (HOSTILE.to_owned(), "2026-11-25".to_owned());
    let lists = Report { worse: vec![line; 12], alerts: vec![told; 12], ..Report::default() };
    Message::Report(Box::new(Report { server, day, ..lists }))
}

#[test]
fn others_text_stays_text() {
    for message in [hostile(), hostile_report()] {
        let title = title(&message);
        assert!(!title.contains(char::is_control), "{title:?}");
        let page = text::body(&message, &settings());
        assert!(!page.contains(['\u{1b}', '\r', '\u{202e}']), "{page:?}");
        assert!(!page.lines().any(|line| line.starts_with("Bcc")), "{page:?}");
        let page = html::body(&message, &settings());
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;x&quot; &#39;y&#39;"), "{page}");
        assert!(!page.contains("<script") && !page.contains('\u{1b}'), "{page}");
        let body = slack::body(&message, &settings());
        assert_fits_slack(&body);
        for text in texts(&body).iter().chain([&body["text"].as_str().unwrap().to_owned()]) {
            assert!(!text.contains("<!") && !text.contains("<script") && !text.contains('\u{1b}'), "{text}");
        }
    }
    let json = webhook::body(&hostile(), &settings()).to_string();
    assert!(!json.contains("\\r") && !json.contains("\\u001b"), "{json}");
}

#[test]
fn a_report_is_a_message_of_its_own_on_every_channel() {
    let line = StatementLine {
        summary: "SELECT orders".to_owned(),
        calls: 12,
        mean_ms: 40.0,
        mean_ms_before: Some(10.0),
        ..StatementLine::default()
    };
    let report = Report {
        server: "orders-db:5432".to_owned(),
        day: "2026-11-25".to_owned(),
        worse: vec![line; 7],
        ..Report::default()
    };
    let message = Message::Report(Box::new(report));
    assert_eq!(title(&message), "pgvitals: orders-db:5432 on 2026-11-25");
    let chat = texts(&slack::body(&message, &settings())).join("\n");
    assert!(chat.contains("• SELECT orders: mean 40 ms, before 10 ms, calls 12"), "{chat}");
    assert!(chat.contains("and 2 more"), "{chat}");
    let page = html::body(&message, &settings());
    assert!(page.contains("SELECT orders") && page.contains("<a href=\"https://pgvitals.example/a|b\">"), "{page}");
    let json = webhook::body(&message, &settings());
    assert_eq!((&json["type"], &json["report"]["worse"][0]["calls"]), (&"report".into(), &12.into()));
}
