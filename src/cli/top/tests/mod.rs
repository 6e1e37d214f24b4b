//! Keys and answers in, a screen of text out.

mod figures;
mod keys;
mod pages;
mod robust;

use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::{Value, json};

use super::options::Options;
use super::palette::Palette;
use super::screen::draw;
use super::state::{Answers, State};
use super::wanted::Wanted;
use crate::base::units::{Nanos, Stamp};
use crate::cli::colour::When;

/// So many seconds after the start.
fn at(seconds: u64) -> Stamp {
    Stamp::default() + Nanos::from_millis(seconds * 1_000)
}

/// As `pgvitals top` begins.
fn state() -> State {
    let options = Options {
        once: false,
        sort: "total_ms".to_owned(),
        window: "1h".to_owned(),
        limit: None,
        interval: std::time::Duration::from_secs(2),
        color: When::Auto,
    };
    State::new(Wanted::of(&options), "http://127.0.0.1:7480".to_owned(), TimeZone::UTC)
}

fn envelope() -> Value {
    json!({
        "window": {"from": "2026-11-26T08:00:00Z", "to": "2026-11-26T09:00:00Z", "hours": 1.0},
        "server": "shop-db", "instances": {"count": 1, "names": ["orders-1"], "lagging": []},
    })
}

/// An answer with the envelope before it.
fn answer<T: serde::de::DeserializeOwned>(body: Value) -> T {
    let (Value::Object(mut all), Value::Object(body)) = (envelope(), body) else { panic!("objects") };
    all.extend(body);
    serde_json::from_value(Value::Object(all)).unwrap()
}

fn summary(open: u64) -> Value {
    json!({
        "totals": {"calls": 7_200, "errors": 36, "mean_ms": 1.5, "p50_ms": 0.4, "p95_ms": 12.3, "p99_ms": 48.0},
        "connections": {"open": 4, "opened": 9, "failed": 0}, "alerts": {"open": open, "critical": 0},
    })
}

fn row(hash: &str, query: &str, calls: u64, level: &str) -> Value {
    json!({
        "query_hash": hash, "query": query, "kind": "select", "summary": "SELECT orders", "calls": calls, "errors": 2,
        "rows": calls, "total_ms": 90_000.0, "mean_ms": 1.25, "p95_ms": 34.5, "p99_ms": 99.0, "max_ms": 1_234.0,
        "level": level, "share_percent": 42.0,
    })
}

/// Three statements.
fn answers() -> Answers {
    let rows = [
        row("000000000000000a", "select * from orders where id = $1", 3_600, "good"),
        row("000000000000000b", "update orders set total = $1", 360, "warning"),
        row("000000000000000c", "select pg_sleep($1)", 36, "critical"),
    ];
    Answers {
        summary: answer(summary(0)),
        active: Some(answer(json!({"transactions": [{"idle_ms": 3_200.0}, {"idle_ms": null}]}))),
        queries: Some(answer(json!({"queries": rows, "total": 3}))),
        ..Answers::default()
    }
}

/// With three statements on the screen.
fn seen() -> State {
    let mut state = state();
    take(&mut state, answers());
    state
}

/// The answer to what is wanted now.
fn take(state: &mut State, answers: Answers) {
    let wanted = state.wanted.clone();
    state.take(&wanted, Ok(answers), at(1));
}

fn press(state: &mut State, keys: &[KeyCode]) {
    for key in keys {
        state.key(KeyEvent::new(*key, KeyModifiers::NONE));
    }
}

fn write(state: &mut State, text: &str) {
    press(state, &text.chars().map(KeyCode::Char).collect::<Vec<_>>());
}

/// The screen's lines, without blanks at their ends.
fn screen(state: &mut State, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, state, Palette::Many, at(3))).unwrap();
    let buffer = terminal.backend().buffer();
    let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..height).map(|y| line(y).trim_end().to_owned()).collect()
}

/// The first line with these words.
#[track_caller]
fn line(lines: &[String], words: &str) -> String {
    let found = lines.iter().find(|line| line.contains(words));
    found.unwrap_or_else(|| panic!("no {words:?} in\n{}", lines.join("\n"))).clone()
}

/// The table's line of titles.
fn head(state: &mut State, width: u16) -> String {
    let lines = screen(state, width, 24);
    lines.into_iter().find(|line| line.ends_with("statement")).unwrap()
}

/// Its words, blanks apart.
fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
