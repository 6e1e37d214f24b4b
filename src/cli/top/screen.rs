//! Draws the state: headline, alerts and charts above, a list or a statement below, keys at the bottom.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::cells::{cut, left, width};
use super::chart::{columns, squeezed};
use super::figures::{maybe_span, rate, span};
use super::palette::Palette;
use super::state::State;
use super::table::Table;
use super::{detail, headline, help};
use crate::base::units::Stamp;

/// From this height on charts are three lines high.
const TALL: u16 = 34;
/// From this width on they stand side by side.
const WIDE: u16 = 120;
/// Columns of a chart's label.
const LABEL: usize = 9;

/// Draws it into the frame, `now` being the instant that ages count to.
pub(super) fn draw(frame: &mut Frame<'_>, state: &mut State, palette: Palette, now: Stamp) {
    let area = frame.area();
    let (high, wide) = (if area.height >= TALL { 3 } else { 1 }, area.width >= WIDE);
    let charts = if area.height < 14 { 0 } else { high * if wide { 1 } else { 2 } };
    let alerts = headline::alerts(state, palette, now, usize::from(high), usize::from(area.width));
    let [title, figures, alert, chart, rule, body, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(alerts.len() as u16),
        Constraint::Length(charts),
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
    ])
    .areas(area);
    let columns = usize::from(area.width);
    frame.render_widget(headline::title(state, palette, now, columns), title);
    frame.render_widget(headline::figures(state, palette, columns), figures);
    frame.render_widget(Paragraph::new(alerts), alert);
    draw_charts(frame, state, palette, chart, wide);
    match state.wanted.statement {
        Some(_) => draw_statement(frame, state, palette, rule, body),
        None => draw_list(frame, state, palette, rule, body),
    }
    draw_keys(frame, state, palette, keys);
    if state.help {
        help::draw(frame, palette, area);
    }
}

/// A line across, with words in it.
fn ruled(words: &str, at_end: &str, columns: usize, palette: Palette) -> Line<'static> {
    let words = cut(words, columns.saturating_sub(width(at_end) + 4));
    let dashes = columns.saturating_sub(width(&words) + width(at_end) + 4 + 2 * usize::from(!at_end.is_empty()));
    let quiet = palette.quiet();
    let mut spans = vec![
        Span::styled("─ ", quiet),
        Span::styled(words, palette.strong()),
        Span::styled(format!(" {}", "─".repeat(dashes)), quiet),
    ];
    if !at_end.is_empty() {
        spans.push(Span::styled(format!(" {at_end} ─"), quiet));
    }
    Line::from(spans)
}

fn draw_list(frame: &mut Frame<'_>, state: &mut State, palette: Palette, rule: Rect, body: Rect) {
    let (known, total) = (state.queries.queries.len(), state.queries.total);
    let wanted = &state.wanted;
    let filter = if wanted.search.is_empty() { String::new() } else { format!(", with “{}”", wanted.search) };
    let words = format!("statements by {}{}{filter}", wanted.sort().1, wanted.group().1);
    let place = if known == 0 { String::new() } else { format!("{} of {total}", state.chosen + 1) };
    frame.render_widget(ruled(&words, &place, usize::from(rule.width), palette), rule);

    let seconds = state.queries.envelope.window.seconds();
    let table = Table::new(wanted, usize::from(body.width), seconds, palette);
    state.page = usize::from(body.height).saturating_sub(1).max(1);
    // As little as it takes to have the choice on the screen.
    state.first = state.first.clamp((state.chosen + 1).saturating_sub(state.page), state.chosen);
    state.first = state.first.min(known.saturating_sub(state.page));
    let shown = state.queries.queries.iter().enumerate().skip(state.first).take(state.page);
    let mut lines = vec![table.head()];
    lines.extend(shown.map(|(place, row)| table.row(row, place == state.chosen)));
    if known == 0 {
        lines.push(Line::styled(format!("  {}", nothing(state)), palette.quiet()));
    }
    frame.render_widget(Paragraph::new(lines), body);
}

/// Why there is no row.
fn nothing(state: &State) -> String {
    let window = state.wanted.window().name;
    match (&state.seen, state.wanted.search.as_str()) {
        (None, _) if state.trouble.is_some() => "--http names where pgvitals is asked".to_owned(),
        (None, _) => "asking …".to_owned(),
        (Some(_), "") => format!("no statement in the last {window}; w asks for a longer time"),
        (Some(_), search) => format!("no statement of the last {window} has “{search}”; Esc shows all"),
    }
}

fn draw_statement(frame: &mut Frame<'_>, state: &mut State, palette: Palette, rule: Rect, body: Rect) {
    let title = state.detail.as_ref().map_or_else(|| "asking …".to_owned(), detail::title);
    let lines = detail::lines(state, palette, usize::from(body.width));
    let page = usize::from(body.height).max(1);
    state.page = page;
    state.scrolled = state.scrolled.min(lines.len().saturating_sub(page));
    let place = match lines.len().saturating_sub(page) {
        0 => String::new(),
        below => format!("{} %", state.scrolled * 100 / below),
    };
    frame.render_widget(ruled(&title, &place, usize::from(rule.width), palette), rule);
    let shown: Vec<Line<'_>> = lines.into_iter().skip(state.scrolled).take(page).collect();
    frame.render_widget(Paragraph::new(shown), body);
}

/// Calls a second, and the 95th percentile.
fn draw_charts(frame: &mut Frame<'_>, state: &State, palette: Palette, area: Rect, is_wide: bool) {
    if area.height == 0 {
        return;
    }
    let halves = match is_wide {
        true => Layout::horizontal([Constraint::Fill(1), Constraint::Length(2), Constraint::Fill(1)]).areas::<3>(area),
        false => Layout::vertical([Constraint::Fill(1), Constraint::Length(0), Constraint::Fill(1)]).areas::<3>(area),
    };
    let [calls, _, p95] = halves;
    let minutes = state.timeline.as_ref().map(|timeline| &timeline.series);
    let (a, b): (Vec<_>, Vec<_>) = match minutes {
        Some(minutes) => {
            let length = minutes.step_seconds.max(1) as f64;
            let calls = minutes.calls.iter().map(|calls| calls.map(|calls| calls as f64 / length));
            (calls.collect(), minutes.p95_ms.clone())
        }
        None => state.seconds.iter().map(|second| (Some(second.calls as f64), second.p95_ms)).unzip(),
    };
    let step = if minutes.is_some() { "min" } else { "s" };
    chart(frame, calls, &Chart { label: "calls/s", step, values: &a, written: rate, style: palette.accent() }, palette);
    chart(frame, p95, &Chart { label: "P95", step, values: &b, written: span, style: palette.other() }, palette);
}

struct Chart<'a> {
    label: &'static str,
    /// Of time, from one value to the next.
    step: &'static str,
    values: &'a [Option<f64>],
    written: fn(f64) -> String,
    style: ratatui::style::Style,
}

/// A chart with its label before it, and in words behind it what it shows.
fn chart(frame: &mut Frame<'_>, area: Rect, chart: &Chart<'_>, palette: Palette) {
    let rows = usize::from(area.height);
    let known = chart.values.iter().flatten().copied();
    let Some(most) = known.clone().reduce(f64::max) else {
        let what = if chart.values.is_empty() { "…" } else { "nothing ran" };
        let words = format!(" {}{what}", left(chart.label, LABEL));
        return frame.render_widget(Line::styled(words, palette.quiet()), area);
    };
    let last = chart.values.last().copied().flatten();
    let now = last.map_or_else(|| maybe_span(None), chart.written);
    let said = format!(" {now}, at most {}", (chart.written)(most));
    let room = usize::from(area.width).saturating_sub(LABEL + 1 + 26);
    let places = room.min(60);
    let values = match chart.step {
        // Minutes are all of them; of seconds the last ones.
        "min" => squeezed(chart.values, places),
        _ => chart.values[chart.values.len().saturating_sub(places)..].to_vec(),
    };
    let gap = " ".repeat(places.saturating_sub(values.len()));
    let lines: Vec<Line<'_>> = columns(&values, rows)
        .into_iter()
        .enumerate()
        .map(|(row, columns)| {
            let label = match rows - row {
                1 => chart.label,
                _ => "",
            };
            let mut spans = vec![
                Span::styled(format!(" {}", left(label, LABEL)), palette.quiet()),
                Span::styled(format!("{gap}{columns}"), chart.style),
            ];
            match rows - row {
                1 => spans.push(Span::raw(said.clone())),
                2 => {
                    let span = format!(" last {} {}", values.len(), chart.step);
                    spans.push(Span::styled(span, palette.quiet()));
                }
                _ => {}
            }
            Line::from(spans)
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), area);
}

/// Keys of the list and what they do; those of the lowest weight go first.
const LIST: &[(u8, &str, &str)] = &[
    (0, "↑↓", "choose"),
    (KEY_MOST, "Enter", "look"),
    (3, "s", "sort"),
    (3, "/", "filter"),
    (2, "w", "time"),
    (1, "d", "split"),
    (1, "p", "pause"),
    (4, "?", "help"),
    (KEY_MOST, "q", "quit"),
];

/// Keys of a statement, likewise.
const STATEMENT: &[(u8, &str, &str)] = &[
    (0, "↑↓", "scroll"),
    (KEY_MOST, "Esc", "back"),
    (2, "w", "time"),
    (1, "p", "pause"),
    (4, "?", "help"),
    (KEY_MOST, "q", "quit"),
];

/// The weight of keys that always stay.
const KEY_MOST: u8 = 5;

fn draw_keys(frame: &mut Frame<'_>, state: &State, palette: Palette, area: Rect) {
    if state.typing {
        let text = format!(" / {}", state.wanted.search);
        let hint = "   Enter keeps it, Esc shows all";
        let line = Line::from(vec![Span::styled(text.clone(), palette.strong()), Span::styled(hint, palette.quiet())]);
        frame.render_widget(line, area);
        let column = (width(&text) as u16).min(area.width.saturating_sub(1));
        return frame.set_cursor_position((area.x + column, area.y));
    }
    let keys = if state.wanted.statement.is_some() { STATEMENT } else { LIST };
    let room = usize::from(area.width).saturating_sub(1);
    let taken = |least: u8| {
        let shown = keys.iter().filter(|(weight, ..)| *weight >= least);
        shown.map(|(_, key, does)| width(key) + width(does) + 3).sum::<usize>()
    };
    // The blanks behind the last one need no room.
    let least = (0..=KEY_MOST).find(|least| taken(*least) <= room + 2).unwrap_or(KEY_MOST);
    let mut spans = vec![Span::raw(" ")];
    for (_, key, does) in keys.iter().filter(|(weight, ..)| *weight >= least) {
        spans.push(Span::styled(*key, palette.accent().patch(palette.strong())));
        spans.push(Span::styled(format!(" {does}  "), palette.quiet()));
    }
    frame.render_widget(Line::from(spans), area);
}
