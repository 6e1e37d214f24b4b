//! What stands on the screen.

use ratatui::crossterm::event::KeyCode;
use ratatui::style::{Color, Modifier};

use super::*;
use crate::cli::top::answers::{Alert, Detail, Second};
use crate::cli::top::palette::Level;
use crate::cli::top::plain::table;

#[test]
fn the_list_tells_whose_how_much_and_what_rings() {
    let mut state = seen();
    for calls in [1, 8, 4] {
        state.second(Second { calls, p95_ms: Some(calls as f64) });
    }
    assert_eq!(
        words(&screen(&mut state, 80, 24)[1]),
        "calls/s 2.00 errors 36 (0.5 %) P95 12.3 ms P99 48.0 ms idle tx 1 (3.20 s)"
    );
    let lines = screen(&mut state, 110, 24);
    assert!(lines[0].starts_with(" pgvitals  shop-db · orders-1"), "{}", lines[0]);
    assert!(lines[0].ends_with("last hour, 09:00:00  ● live"), "{}", lines[0]);
    assert_eq!(
        words(&lines[1]),
        "calls/s 2.00 errors 36 (0.5 %) P50 400 µs P95 12.3 ms P99 48.0 ms clients 4 idle tx 1 (3.20 s)"
    );
    assert_eq!(lines[2], " no alert is open");
    assert!(lines[3].contains("▁█▄ 4.00, at most 8.00") && lines[4].contains("▁█▄ 4.00 ms"), "{lines:#?}");
    assert!(line(&lines, "statements by total time").ends_with("1 of 3 ─"));
    assert_eq!(words(&line(&lines, "pg_sleep")), "█ 42 % 90.0 s 0.01 1.25 ms 34.5 ms 1.23 s 2 select pg_sleep($1)");
    assert!(lines.last().unwrap().starts_with(" ↑↓ choose  Enter look"));
    assert_eq!(screen(&mut state, 40, 24).last().unwrap(), " Enter look  ? help  q quit");
}

#[test]
fn open_alerts_are_told_the_worst_first() {
    let mut state = state();
    let alert = |severity: &str, message: &str| -> Alert {
        serde_json::from_value(json!({"severity": severity, "message": message, "acknowledged": null})).unwrap()
    };
    let alerts = vec![alert("critical", "the disk is full in 2 days"), alert("warning", "an index is not used")];
    take(&mut state, Answers { summary: answer(summary(2)), alerts, ..answers() });
    assert_eq!(screen(&mut state, 80, 24)[2], " 2 alerts  █ critical  the disk is full in 2 days");
    let tall = screen(&mut state, 160, 50);
    assert_eq!(tall[3], "           ▂ warning  an index is not used");
    take(&mut state, Answers { summary: answer(json!({"alerts": null})), ..answers() });
    assert!(screen(&mut state, 80, 24)[2].contains("alerts are not known"));
}

#[test]
fn columns_go_where_there_is_no_room_and_the_text_stays() {
    let mut state = seen();
    assert_eq!(words(&head(&mut state, 160)), "share ▼total calls/s mean P95 P99 max errors rows/s statement");
    assert_eq!(words(&head(&mut state, 80)), "share ▼total calls/s P95 errors statement");
    assert_eq!(words(&head(&mut state, 40)), "▼total P95 statement");
    let narrow = screen(&mut state, 40, 24);
    assert!(line(&narrow, "select * from").ends_with('…'), "{narrow:#?}");
}

#[test]
fn an_instance_that_is_lost_leaves_its_table_and_comes_back() {
    let mut state = seen();
    let wanted = state.wanted.clone();
    state.take(&wanted, Err(anyhow::anyhow!("can't ask pgvitals: connection refused")), at(2));
    let lines = screen(&mut state, 120, 24);
    assert!(lines[0].ends_with("● lost"), "{}", lines[0]);
    assert_eq!(lines[2], " no answer for 1 s; figures are 2 s old; can't ask pgvitals: connection refused");
    assert!(line(&lines, "pg_sleep").contains("34.5 ms"));
    take(&mut state, answers());
    assert_eq!(screen(&mut state, 80, 24)[2], " no alert is open");
}

#[test]
fn an_answer_to_an_older_question_changes_nothing() {
    let mut state = seen();
    let old = state.wanted.clone();
    write(&mut state, "/x");
    state.take(&old, Err(anyhow::anyhow!("too late")), at(2));
    assert!(state.trouble.is_none());
}

fn detail() -> Detail {
    answer(json!({
        "query_hash": "000000000000000c", "query": "select pg_sleep($1) from orders where a = $2", "summary": "SELECT orders",
        "tables": ["public.orders"], "calls": 1_000, "errors": 7, "aborted": 1, "rows": 2_000, "total_ms": 90_000.0,
        "mean_ms": 90.0, "min_ms": 1.0, "max_ms": 700.0, "p50_ms": 1.5, "p95_ms": 180.0, "p99_ms": 650.0,
        "first_row_mean_ms": 2.0, "client_stall_ms": 5_000.0, "level": "alert", "share_percent": 42.0,
        "series": {"step_seconds": 60, "at": ["2026-11-26T08:58:00Z", "2026-11-26T08:59:00Z"], "calls": [60, 120],
            "errors": [0, 7], "p95_ms": [100.0, null]},
        "histogram": {"values_us": [1_000, 1_900, 180_000, 650_000], "counts": [600, 300, 75, 25]},
        "callers": [{"database": "shop", "user": "web", "application": "api", "calls": 900, "errors": 7,
            "p95_ms": 180.0, "share_percent": 90.0}],
        "errors_by_code": {"40001": 2, "57014": 5},
        "samples": [{"at": "2026-11-26T08:59:30.5Z", "duration_ms": 700.0, "rows": 3, "level": "critical", "user": "web",
            "application": "api", "error": "57014"}],
        "baseline": {"p95_ms": 90.0, "now_p95_ms": 180.0, "ratio": 2.0, "days": 7, "is_regression": true, "reason": null},
    }))
}

#[test]
fn a_statement_is_told_whole() {
    let mut state = seen();
    press(&mut state, &[KeyCode::End, KeyCode::Enter]);
    assert!(line(&screen(&mut state, 80, 24), "asking").contains('…'));
    take(&mut state, Answers { queries: None, detail: Some(detail()), ..answers() });
    for width in [80, 160] {
        let lines = screen(&mut state, width, 80);
        assert!(line(&lines, "SELECT orders").contains("000000000000000c"));
        assert!(line(&lines, "where a").contains("select pg_sleep($1) from orders where a = $2"));
        assert!(line(&lines, "level alert").contains("calls 1000 (0.28/s)"));
        assert!(words(&lines.join(" ")).contains("rows a call 2.00 mean 90.0 ms P50 1.50 ms P95 180 ms P99 650 ms"));
        assert!(line(&lines, "baseline").contains("P95 90.0 ms over 7 days, now 180 ms: 2.00 ×, a regression"));
        assert!(line(&lines, "≤ 1 ms").contains("█ ") && line(&lines, "≤ 1 ms").contains("60 %"));
        assert!(line(&lines, "≤ 2 ms").contains("30 % P50") && line(&lines, "≤ 200 ms").contains("P95"));
        assert!(line(&lines, "≤ 50 ms").trim_end().starts_with(" "), "steps without calls are there");
        assert!(line(&lines, "57014").contains('5') && line(&lines, "shop, web, api").contains("90 %"));
        assert!(line(&lines, "08:59:30").contains("700 ms  error 57014  web, api"));
        assert!(lines.join("").contains("failed in 1 of 2 steps"));
    }
    // On a small screen it scrolls to its end and no further.
    press(&mut state, &[KeyCode::End]);
    let lines = screen(&mut state, 80, 20);
    assert!(line(&lines, "SELECT orders").ends_with("100 % ─") && line(&lines, "08:59:30").contains("57014"));
    take(
        &mut state,
        Answers {
            queries: None,
            detail: Some(answer(json!({"baseline": {"reason": "2 days are too few"}}))),
            ..answers()
        },
    );
    assert!(line(&screen(&mut state, 80, 40), "baseline").contains("2 days are too few"));
}

#[test]
fn levels_have_a_sign_and_a_colour_and_no_colour_leaves_the_sign() {
    for palette in [Palette::Plain, Palette::Sixteen, Palette::Many] {
        let mut state = seen();
        let mut terminal = Terminal::new(TestBackend::new(100, 24)).unwrap();
        terminal.draw(|frame| draw(frame, &mut state, palette, at(1))).unwrap();
        let buffer = terminal.backend().buffer();
        let row = (0..24).find(|y| buffer[(0, *y)].symbol() == "█").expect("the critical one has its sign");
        assert_eq!(buffer[(0, row)].fg, palette.level(Level::Critical).fg.unwrap_or(Color::Reset));
        let is_plain = buffer.content().iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset);
        assert_eq!(is_plain, palette == Palette::Plain);
        assert!(buffer.content().iter().any(|cell| cell.modifier.contains(Modifier::REVERSED)), "a row is chosen");
    }
    let variables = |pairs: &'static [(&str, &str)]| {
        move |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    assert_eq!(Palette::of(true, variables(&[("TERM", "xterm-256color")])), Palette::Many);
    assert_eq!(Palette::of(true, variables(&[("TERM", "linux")])), Palette::Sixteen);
    assert_eq!(Palette::of(false, variables(&[("TERM", "xterm-256color")])), Palette::Plain);
}

#[test]
fn without_seconds_the_hour_is_shown_by_minutes() {
    let mut state = seen();
    assert!(!state.wanted.minutes);
    take(&mut state, answers());
    take(&mut state, answers());
    assert!(state.wanted.minutes && state.wanted.timeline().contains("metric=timeline&hours=1&step=minute"));
    let series = json!({"step_seconds": 60, "calls": [60, null, 120], "p95_ms": [1.0, null, 2.0]});
    take(&mut state, Answers { timeline: Some(answer(json!({"series": series}))), ..answers() });
    assert!(screen(&mut state, 80, 24)[3].contains("▄ █ 2.00, at most 2.00"), "{:?}", screen(&mut state, 80, 24));
    state.second(Second::default());
    take(&mut state, answers());
    assert!(!state.wanted.minutes, "seconds are told after all");
}

#[test]
fn a_printed_table_shows_what_the_api_answers() {
    let summary = r#"{"totals":{"calls":1200,"errors":3,"mean_ms":1.234,"p95_ms":null,"p99_ms":812.7},"connections":{"open":4,"opened":9}}"#;
    let queries = r#"{"total":1,"queries":[{"query":"select $1 from\n  t","calls":1200,"errors":3,"mean_ms":1.234,
        "p95_ms":45.678,"p99_ms":812.7,"share_percent":99.6,"more":1}]}"#;
    let lines = table("hour", &serde_json::from_str(summary).unwrap(), &serde_json::from_str(queries).unwrap());
    assert!(
        lines[0].contains("1200 calls, 3 errors, mean 1.23 ms, P95 - ms, P99 813 ms; 4 connections, 1 statements"),
        "{}",
        lines[0]
    );
    assert_eq!(
        lines.last().unwrap().split_whitespace().collect::<Vec<_>>().join(" "),
        "1200 3 1.23 45.7 813 100 % select $1 from t"
    );
}
