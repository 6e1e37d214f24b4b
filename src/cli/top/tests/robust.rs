//! Whatever comes, in whatever order, on whatever screen: it is drawn.

use proptest::prelude::*;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::*;
use crate::cli::top::answers::{Detail, Second};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    Key(KeyCode, bool),
    Answer { rows: usize, total: u64, figure: f64, text: String },
    Fails(String),
    Second(u64, Option<f64>),
    Draw(u16, u16),
}

fn key() -> impl Strategy<Value = KeyCode> {
    prop_oneof![
        "[a-zA-Z/?é漢 ]".prop_map(|text| KeyCode::Char(text.chars().next().unwrap())),
        prop::sample::select(vec![
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::Enter,
            KeyCode::Esc,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::Backspace,
            KeyCode::F(1),
        ]),
    ]
}

fn figure() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 0.0..1e3, Just(1e300), Just(f64::MIN_POSITIVE), -5.0..0.0]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (key(), prop::bool::weighted(0.1)).prop_map(|(key, held)| Step::Key(key, held)),
        3 => (0..120_usize, any::<u64>(), figure(), ".{0,80}")
            .prop_map(|(rows, total, figure, text)| Step::Answer { rows, total, figure, text }),
        1 => ".{0,200}".prop_map(Step::Fails),
        2 => (any::<u64>(), prop::option::of(figure())).prop_map(|(calls, p95)| Step::Second(calls, p95)),
        6 => (0..200_u16, 0..70_u16).prop_map(|(width, height)| Step::Draw(width, height)),
    ]
}

fn hostile(rows: usize, total: u64, figure: f64, text: &str) -> Answers {
    let row = |n: usize| {
        json!({
            "query_hash": format!("{n:016x}"), "query": text, "summary": text, "calls": n * 1_000, "errors": n, "rows": total,
            "tables": [text], "total_ms": figure, "mean_ms": figure, "p50_ms": figure, "p95_ms": figure, "p99_ms": null,
            "max_ms": figure, "level": text, "share_percent": figure, "database": text, "user": "", "client_stall_ms": figure,
        })
    };
    let detail: Detail = answer(json!({
        "query": text.repeat(rows % 7), "calls": total, "client_stall_ms": figure, "tables": [text, text],
        "series": {"step_seconds": rows, "at": ["2026-11-26T08:58:00Z", "0001-01-01T00:00:00Z"], "calls": [total, null, 3],
            "errors": [total], "p95_ms": [figure, null]},
        "histogram": {"values_us": [total, rows, 3], "counts": [rows, 0, 1, 9]},
        "callers": [{"database": text, "p95_ms": figure, "share_percent": figure}], "errors_by_code": {text: rows},
        "samples": [{"at": "2026-11-26T08:59:30.5Z", "duration_ms": figure, "error": text}],
        "baseline": {"p95_ms": figure, "now_p95_ms": figure},
    }));
    let queries: Vec<Value> = (0..rows).map(row).collect();
    Answers {
        queries: Some(answer(json!({"queries": queries, "total": total}))),
        detail: Some(detail),
        timeline: rows
            .is_multiple_of(2)
            .then(|| answer(json!({"series": {"calls": [total, null], "p95_ms": [figure]}}))),
        alerts: vec![serde_json::from_value(json!({"severity": text, "message": text, "acknowledged": text})).unwrap()],
        summary: answer(summary(total)),
        ..answers()
    }
}

fn happen(state: &mut State, step: Step) {
    match step {
        Step::Key(code, held) => {
            let held = if held { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
            state.key(KeyEvent::new(code, held));
        }
        Step::Answer { rows, total, figure, text } => take(state, hostile(rows, total, figure, &text)),
        Step::Fails(text) => {
            let wanted = state.wanted.clone();
            state.take(&wanted, Err(anyhow::anyhow!(text)), at(2));
        }
        Step::Second(calls, p95_ms) => state.second(Second { calls, p95_ms }),
        Step::Draw(width, height) => {
            let lines = screen(state, width, height);
            let is_obeyed = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
            assert!(!lines.iter().any(|line| line.contains(is_obeyed)), "{lines:#?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_keys_answers_and_sizes_are_drawn(steps in prop::collection::vec(step(), 1..30)) {
        let mut state = state();
        for step in steps {
            happen(&mut state, step);
        }
        screen(&mut state, 80, 24);
    }
}
