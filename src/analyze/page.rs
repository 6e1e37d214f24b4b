//! The daily report for people: sections with tables, written as text or as HTML.

use std::fmt::Write;

use crate::analyze::kind::Unit;
use crate::analyze::report::{Report, StatementLine, Totals};
use crate::base::text::{escaped_html, is_unsafe};

/// A heading and a table; without rows a sentence.
struct Section {
    title: &'static str,
    columns: &'static [&'static str],
    rows: Vec<Vec<String>>,
    empty: &'static str,
}

/// The report as plain text, lines without a limit.
pub fn text(report: &Report) -> String {
    let mut out = format!("{}\n{}\n", title(report), "=".repeat(title(report).chars().count()));
    for section in sections(report) {
        line(&mut out, &format!("\n{}", section.title));
        line(&mut out, &"-".repeat(section.title.chars().count()));
        if section.rows.is_empty() {
            line(&mut out, section.empty);
        }
        for row in &section.rows {
            // A table's width is its longest statement's; a line each is read more easily.
            let cells = section.columns.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
            let cells: Vec<String> = cells
                .map(|(column, cell)| if column.is_empty() { cell.clone() } else { format!("{column} {cell}") })
                .collect();
            // A line break in a name begins no line of its own.
            line(&mut out, &format!("* {}", printable(&cells.join("; ")).replace('\n', "\n    ")));
        }
    }
    out
}

/// The report as one HTML page that needs nothing else: mail readers fetch nothing.
pub fn html(report: &Report) -> String {
    let title = escaped_html(&title(report));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body style=\"font-family:sans-serif;max-width:60em\">\n<h1>{title}</h1>\n"
    );
    for section in sections(report) {
        line(&mut out, &format!("<h2>{}</h2>", section.title));
        if section.rows.is_empty() {
            line(&mut out, &format!("<p>{}</p>", section.empty));
            continue;
        }
        let cells = |tag: &str, cells: &mut dyn Iterator<Item = String>| {
            let cells = cells.map(|cell| format!("<{tag} style=\"text-align:left;vertical-align:top\">{cell}</{tag}>"));
            format!("<tr>{}</tr>", cells.collect::<String>())
        };
        line(&mut out, "<table cellpadding=\"6\">");
        line(&mut out, &cells("th", &mut section.columns.iter().map(|column| (*column).to_owned())));
        for row in &section.rows {
            line(
                &mut out,
                &cells("td", &mut row.iter().map(|cell| escaped_html(&printable(cell)).replace('\n', "<br>"))),
            );
        }
        line(&mut out, "</table>");
    }
    out.push_str("</body></html>\n");
    out
}

fn title(report: &Report) -> String {
    let made_up = if report.demo { " (demo data, made up)" } else { "" };
    printable(&format!("{} on {}{made_up}", report.server, report.day)).replace('\n', " ")
}

/// Writing to a `String` can't fail.
fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").unwrap_or_default();
}

/// Names and statements are others' text: no control character reaches a terminal, and none that turns a line around.
fn printable(text: &str) -> String {
    text.chars().map(|c| if is_unsafe(c) && c != '\n' { '\u{fffd}' } else { c }).collect()
}

fn sections(report: &Report) -> Vec<Section> {
    const STATEMENT: &[&str] = &["", "calls", "before", "mean", "before", "in all", "hash"];
    let statements = |title, empty, lines: &[StatementLine]| Section {
        title,
        columns: STATEMENT,
        rows: lines.iter().map(statement).collect(),
        empty,
    };
    vec![
        totals(report),
        recommendations(report),
        statements("Slower statements", "None got slower.", &report.worse),
        statements("Faster statements", "None got faster.", &report.better),
        statements("New statements", "None.", &report.new),
        statements("Called more often", "None.", &report.grown),
        alerts(report),
        Section {
            title: "Bloat",
            columns: &["", "bloat", "wasted", "advice"],
            rows: report
                .bloat
                .iter()
                .map(|one| {
                    let wasted = Unit::Bytes.show(one.wasted_bytes as f64);
                    vec![one.subject.clone(), Unit::Percent.show(one.percent), wasted, one.advice.clone()]
                })
                .collect(),
            empty: "Nothing is bloated.",
        },
        Section {
            title: "Unused indexes",
            columns: &["", "size", ""],
            rows: report
                .unused_indexes
                .iter()
                .map(|one| vec![one.subject.clone(), Unit::Bytes.show(one.size_bytes as f64), one.reason.clone()])
                .collect(),
            empty: "None that is known to be.",
        },
        Section {
            title: "Full within a year",
            columns: &["", "in", "at the earliest"],
            rows: report
                .forecast
                .iter()
                .map(|one| {
                    let earliest = one.earliest_days.map(|days| Unit::Days.show(days)).unwrap_or_default();
                    vec![one.subject.clone(), Unit::Days.show(one.days), earliest]
                })
                .collect(),
            empty: "Nothing, at the present growth.",
        },
    ]
}

fn totals(report: &Report) -> Section {
    let row = |name: &str, show: &dyn Fn(&Totals) -> String| {
        vec![name.to_owned(), show(&report.totals), show(&report.totals_before)]
    };
    Section {
        title: "Data statements",
        columns: &["", "yesterday", "a day of the week before"],
        rows: vec![
            row("calls", &|totals| format!("{:.0}", totals.calls)),
            row("errors", &|totals| format!("{:.0}", totals.errors)),
            row("time", &|totals| Unit::Millis.show(totals.total_ms)),
            row("p95", &|totals| totals.p95_ms.map(|ms| Unit::Millis.show(ms)).unwrap_or_default()),
        ],
        empty: "",
    }
}

fn recommendations(report: &Report) -> Section {
    let rows = report.recommendations.iter().map(|one| {
        let saves = match (one.saves.standstill, one.saves.bytes) {
            (true, _) => "a standstill".to_owned(),
            (false, 0) => format!("{} a day", Unit::Millis.show(one.saves.ms_per_day)),
            (false, bytes) => Unit::Bytes.show(bytes as f64),
        };
        let statement = one.statement.clone().unwrap_or_default();
        vec![one.subject.clone(), saves, one.evidence.clone(), statement, one.risk.clone()]
    });
    Section {
        title: "What to do",
        columns: &["", "saves", "", "run", "risk"],
        rows: rows.collect(),
        empty: "Nothing this week.",
    }
}

fn statement(one: &StatementLine) -> Vec<String> {
    let sign = if one.extra_ms < 0.0 { "-" } else { "+" };
    let extra =
        if one.extra_ms == 0.0 { String::new() } else { format!("{sign}{}", Unit::Millis.show(one.extra_ms.abs())) };
    vec![
        one.summary.clone(),
        one.calls.to_string(),
        format!("{:.0}", one.calls_before),
        Unit::Millis.show(one.mean_ms),
        one.mean_ms_before.map(|ms| Unit::Millis.show(ms)).unwrap_or_default(),
        extra,
        one.query_hash.clone(),
    ]
}

fn alerts(report: &Report) -> Section {
    let rows = report.alerts.iter().map(|one| {
        let state = match (one.is_resolved, one.is_silent) {
            (true, false) => "over",
            (true, true) => "over, nobody was told",
            (false, true) => "open, nobody was told",
            (false, false) => "open",
        };
        vec![one.message.clone(), one.severity.clone(), state.to_owned(), one.count.to_string(), one.kind.clone()]
    });
    Section { title: "New alerts", columns: &["", "", "", "sightings", "kind"], rows: rows.collect(), empty: "None." }
}
