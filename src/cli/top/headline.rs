//! The lines at the top: who is asked and of what time, totals, alerts or what is wrong.

use ratatui::text::{Line, Span};

use super::cells::{cut, width, wrap};
use super::figures::{count, maybe_span, percent, rate, span};
use super::palette::{Level, Palette};
use super::state::State;
use crate::base::units::Stamp;

/// Lines of what is wrong.
const TROUBLE_MAX: usize = 4;

/// Whom this is about, and of which time.
pub(super) fn title(state: &State, palette: Palette, now: Stamp, columns: usize) -> Line<'static> {
    let whom = match &state.seen {
        Some((summary, _)) => whose(&summary.envelope),
        None => state.address.clone(),
    };
    let window = state.wanted.window().name;
    let clock = state.seen.as_ref().map(|(summary, _)| clock(state, summary.envelope.window.to));
    let (state_of, style) = match (&state.trouble, state.paused, &state.seen) {
        (Some(_), ..) => ("lost".to_owned(), palette.level(Level::Critical)),
        (None, true, Some((_, at))) => (format!("paused {}", age(*at, now)), palette.level(Level::Warning)),
        (None, true, None) => ("paused".to_owned(), palette.level(Level::Warning)),
        (None, false, None) => ("asking".to_owned(), palette.quiet()),
        (None, false, Some(_)) => ("live".to_owned(), palette.level(Level::Good)),
    };
    let at = clock.filter(|_| columns >= 60).map_or_else(String::new, |clock| format!(", {clock}"));
    let time = format!("last {window}{at}  ");
    let taken = width("pgvitals") + 3 + width(&time) + width(&state_of) + 3;
    let whom = cut(&whom, columns.saturating_sub(taken));
    let blanks = " ".repeat(columns.saturating_sub(taken + width(&whom)));
    Line::from(vec![
        Span::styled(" pgvitals", palette.accent().patch(palette.strong())),
        Span::styled(format!("  {whom}{blanks}"), palette.strong()),
        Span::styled(time, palette.quiet()),
        Span::styled(format!("● {state_of}"), style),
    ])
}

/// A server, and who measures it.
fn whose(envelope: &super::answers::Envelope) -> String {
    let instances = &envelope.instances;
    let whose = match (instances.count, instances.names.first()) {
        (1, Some(name)) => name.to_string(),
        (count, _) => format!("{count} instances"),
    };
    if envelope.server.is_empty() { whose } else { format!("{} · {whose}", envelope.server) }
}

/// A time of day, in the reader's zone.
pub(super) fn clock(state: &State, at: jiff::Timestamp) -> String {
    at.to_zoned_datetime(state.zone.clone()).strftime("%H:%M:%S").to_string()
}

fn age(at: Stamp, now: Stamp) -> String {
    format!("{} s", now.since(at).as_secs_f64().floor())
}

/// Totals of the time, and what is now; where there is no room, what matters less goes.
pub(super) fn figures(state: &State, palette: Palette, columns: usize) -> Line<'static> {
    let Some((summary, _)) = &state.seen else { return Line::default() };
    let totals = &summary.totals;
    let failed = failures(totals.errors, totals.calls);
    // The lowest goes first.
    let mut figures = vec![
        (6, palette.pair("calls/s", rate(totals.calls as f64 / summary.envelope.window.seconds()))),
        (5, palette.styled_pair("errors", failed, palette.errors(totals.errors))),
        (1, palette.pair("P50", maybe_span(totals.p50_ms))),
        (7, palette.pair("P95", maybe_span(totals.p95_ms))),
        (3, palette.pair("P99", maybe_span(totals.p99_ms))),
    ];
    // Of others nobody here knows what they are doing.
    if summary.envelope.instances.count <= 1 {
        let open = summary.connections.as_ref().and_then(|connections| connections.open);
        figures.extend(open.map(|open| (2, palette.pair("clients", count(open)))));
        figures.extend(idle(state, palette).map(|idle| (4, idle)));
    }
    let width =
        |figures: &[(u8, [Span<'_>; 2])]| figures.iter().flat_map(|(_, pair)| pair).map(Span::width).sum::<usize>();
    // The blanks behind the last one need no room.
    while figures.len() > 1 && width(&figures) > columns + 1 {
        let least = figures.iter().map(|(weight, _)| *weight).min();
        figures.retain(|(weight, _)| Some(*weight) != least);
    }
    let pairs = figures.into_iter().flat_map(|(_, pair)| pair);
    Line::from_iter([Span::raw(" ")].into_iter().chain(pairs))
}

/// How many failed, and which part of all that is.
fn failures(errors: u64, calls: u64) -> String {
    match errors {
        0 => "0".to_owned(),
        _ => format!("{} ({})", count(errors), percent(errors as f64 * 100.0 / calls.max(1) as f64)),
    }
}

/// Transactions that are open and do nothing: they hold locks, and dead rows.
fn idle(state: &State, palette: Palette) -> Option<[Span<'static>; 2]> {
    let active = state.active.as_ref()?;
    let idle: Vec<f64> = active.transactions.iter().filter_map(|transaction| transaction.idle_ms).collect();
    let longest = idle.iter().copied().fold(0.0, f64::max);
    let words = if idle.is_empty() { "0".to_owned() } else { format!("{} ({})", idle.len(), span(longest)) };
    Some(palette.pair("idle tx", words))
}

/// Open alerts, the worst first, at most `most` lines of them; or why nothing is known.
pub(super) fn alerts(state: &State, palette: Palette, now: Stamp, most: usize, columns: usize) -> Vec<Line<'static>> {
    if let Some(trouble) = &state.trouble {
        let figures = match &state.seen {
            Some((_, at)) => format!("figures are {} old; ", age(*at, now)),
            None => String::new(),
        };
        let words = format!("no answer for {}; {figures}{}", age(trouble.since, now), trouble.text);
        let lines = wrap(&words, columns.saturating_sub(2)).into_iter().take(TROUBLE_MAX);
        return lines.map(|line| Line::styled(format!(" {line}"), palette.level(Level::Critical))).collect();
    }
    let Some((summary, _)) = &state.seen else { return vec![Line::default()] };
    let open = match &summary.alerts {
        None => return vec![Line::styled(" alerts are not known: the store does not answer", palette.quiet())],
        Some(counts) if counts.open == 0 => {
            return vec![Line::styled(" no alert is open", palette.quiet())];
        }
        Some(counts) => counts.open,
    };
    let mut lines: Vec<Line<'static>> = state.alerts.iter().take(most).map(|alert| told(alert, palette)).collect();
    if lines.is_empty() {
        lines.push(Line::default());
    }
    if let Some(first) = lines.first_mut() {
        let is_one = if open == 1 { " 1 alert  ".to_owned() } else { format!(" {open} alerts  ") };
        first.spans.insert(0, Span::styled(is_one, palette.strong()));
    }
    let indent = lines.first().and_then(|line| line.spans.first()).map_or(0, Span::width);
    for line in lines.iter_mut().skip(1) {
        line.spans.insert(0, Span::raw(" ".repeat(indent)));
    }
    lines
}

fn told(alert: &super::answers::Alert, palette: Palette) -> Line<'static> {
    let level = Level::named(&alert.severity);
    let known = alert.acknowledged.as_ref().map(|by| format!(" (known to {by})")).unwrap_or_default();
    Line::from(vec![
        Span::styled(format!("{} {}", level.mark(), alert.severity), palette.level(level)),
        Span::raw(format!("  {}{known}", alert.message)),
    ])
}
