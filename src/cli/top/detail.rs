//! One statement: its text, figures, durations as bars, the past, errors, callers, single executions.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::answers::{Baseline, Detail, Sample, Series, Statement};
use super::cells::{left, right, wrap};
use super::chart::{bar, buckets, columns, squeezed};
use super::figures::{count, maybe_percent, maybe_span, percent, rate, span};
use super::headline::clock;
use super::palette::{Level, Palette};
use super::state::State;
use crate::cli::text::Text;

/// From this width on, what is told of a statement stands in two columns.
const TWO: usize = 120;
/// Single executions and callers that are listed.
const LISTED: usize = 12;
/// Longer bars tell no more.
const BAR_MAX: usize = 60;
/// Lines of the chart of calls and of that of durations.
const CHART: usize = 3;

/// Words that begin a part of a statement.
const WORDS: [&str; 26] = [
    "select",
    "from",
    "where",
    "join",
    "left",
    "right",
    "inner",
    "outer",
    "full",
    "on",
    "group",
    "order",
    "by",
    "having",
    "limit",
    "offset",
    "insert",
    "into",
    "values",
    "update",
    "set",
    "delete",
    "with",
    "union",
    "returning",
    "using",
];

/// What it does, and its hash.
pub(super) fn title(detail: &Detail) -> String {
    let Statement { summary, kind, query_hash, .. } = &detail.statement;
    let what = if summary.is_empty() { kind } else { summary };
    format!("{what} · {query_hash}")
}

/// All that is told, for this width.
pub(super) fn lines(state: &State, palette: Palette, columns: usize) -> Vec<Line<'static>> {
    let Some(detail) = &state.detail else { return Vec::new() };
    let page = Page { detail, state, palette };
    let mut lines = page.text(columns);
    lines.extend(page.figures(columns));
    if columns < TWO {
        for part in [page.histogram(columns), page.past(columns), page.errors(), page.callers(columns), page.samples()]
        {
            lines.extend(part);
        }
        return lines;
    }
    let half = columns / 2;
    let left: Vec<_> = [page.histogram(half - 2), page.errors()].into_iter().flatten().collect();
    let right = [page.past(half), page.callers(half), page.samples()].into_iter().flatten().collect();
    lines.extend(beside(left, right, half));
    lines
}

/// Two texts beside one another, the right one from `at` on.
fn beside(left: Vec<Line<'static>>, right: Vec<Line<'static>>, at: usize) -> Vec<Line<'static>> {
    let (mut lines, mut right) = (Vec::new(), right.into_iter());
    let rows = left.len().max(right.len());
    let mut left = left.into_iter();
    for _ in 0..rows {
        let mut line = left.next().unwrap_or_default();
        let blanks = at.saturating_sub(line.width());
        line.spans.push(Span::raw(" ".repeat(blanks)));
        line.spans.extend(right.next().unwrap_or_default().spans);
        lines.push(line);
    }
    lines
}

struct Page<'a> {
    detail: &'a Detail,
    state: &'a State,
    palette: Palette,
}

impl Page<'_> {
    fn heading(&self, words: &str) -> [Line<'static>; 2] {
        [Line::default(), Line::styled(format!(" {words}"), self.palette.strong())]
    }

    /// The canonical text, its keywords standing out.
    fn text(&self, columns: usize) -> Vec<Line<'static>> {
        let style = |word: &str| match word {
            word if WORDS.contains(&word.trim_start_matches('(')) => self.palette.strong(),
            word if word.trim_start_matches('(').starts_with('$') => self.palette.accent(),
            _ => Style::new(),
        };
        let line = |text: String| {
            let words = text.split(' ').map(|word| Span::styled(format!(" {word}"), style(word)));
            Line::from(words.collect::<Vec<_>>())
        };
        wrap(&self.detail.statement.query, columns.saturating_sub(2)).into_iter().map(line).collect()
    }

    fn figures(&self, columns: usize) -> Vec<Line<'static>> {
        let mut lines = vec![Line::default()];
        for pair in self.pairs() {
            let needed: usize = pair.iter().map(Span::width).sum();
            // The blanks behind the last one need no room.
            if lines.last().is_none_or(|line| line.spans.is_empty() || line.width() + needed > columns + 2) {
                lines.push(Line::from(" "));
            }
            if let Some(line) = lines.last_mut() {
                line.spans.extend(pair);
            }
        }
        lines.extend(self.detail.baseline.as_ref().and_then(|baseline| self.baseline(baseline)));
        lines
    }

    /// Labels and figures.
    fn pairs(&self) -> Vec<[Span<'static>; 2]> {
        let (statement, palette) = (&self.detail.statement, self.palette);
        let level = Level::named(statement.level.as_deref().unwrap_or_default());
        let calls = statement.calls.max(1) as f64;
        let rate_of_calls = rate(statement.calls as f64 / self.detail.envelope.window.seconds());
        let mut pairs = Vec::new();
        pairs.extend(statement.level.as_ref().map(|level| palette.pair("level", level.to_string())));
        pairs.extend([
            palette.pair("calls", format!("{} ({rate_of_calls}/s)", count(statement.calls))),
            palette.pair("share of all time", maybe_percent(statement.share_percent)),
            palette.pair("total", span(statement.total_ms)),
            palette.styled_pair("errors", count(statement.errors), palette.errors(statement.errors)),
            palette.pair("rows a call", rate(statement.rows as f64 / calls)),
            palette.pair("mean", maybe_span(statement.mean_ms)),
            palette.pair("P50", maybe_span(statement.p50_ms)),
            palette.styled_pair("P95", maybe_span(statement.p95_ms), palette.level(level)),
            palette.pair("P99", maybe_span(statement.p99_ms)),
            palette.pair("min", maybe_span(statement.min_ms)),
            palette.pair("max", maybe_span(statement.max_ms)),
            palette.pair("to the first row", maybe_span(statement.first_row_mean_ms)),
            palette.pair("waiting for the client", span(statement.client_stall_ms / calls)),
        ]);
        if statement.aborted > 0 {
            pairs.push(palette.pair("cut off", count(statement.aborted)));
        }
        if !statement.tables.is_empty() {
            let tables: Vec<&str> = statement.tables.iter().map(|table| &**table).collect();
            pairs.push(palette.pair("tables", tables.join(", ")));
        }
        pairs
    }

    /// What it used to be.
    fn baseline(&self, baseline: &Baseline) -> Option<Line<'static>> {
        let label = Span::styled(" baseline ", self.palette.quiet());
        if let Some(reason) = &baseline.reason {
            return Some(Line::from(vec![label, Span::raw(reason.to_string())]));
        }
        let (was, is) = (baseline.p95_ms?, baseline.now_p95_ms?);
        let ratio = baseline.ratio.unwrap_or(is / was.max(f64::MIN_POSITIVE));
        let days = baseline.days.map_or_else(String::new, |days| format!(" over {days:.0} days"));
        let words = format!("P95 {}{days}, now {}: {ratio:.2} ×", span(was), span(is));
        let is_worse = baseline.is_regression.unwrap_or(false);
        let style = if is_worse { self.palette.level(Level::Critical) } else { Style::new() };
        let end = if is_worse { ", a regression" } else { "" };
        Some(Line::from(vec![label, Span::styled(format!("{words}{end}"), style)]))
    }

    /// How many calls took how long, and where the percentiles are.
    fn histogram(&self, columns: usize) -> Vec<Line<'static>> {
        let buckets = buckets(&self.detail.histogram);
        let most = buckets.iter().map(|bucket| bucket.count).max().unwrap_or_default();
        if most == 0 {
            return Vec::new();
        }
        let statement = &self.detail.statement;
        let quantiles = [("P50", statement.p50_ms), ("P95", statement.p95_ms), ("P99", statement.p99_ms)];
        let all: u64 = buckets.iter().map(|bucket| bucket.count).sum();
        let room = columns.saturating_sub(36).clamp(4, BAR_MAX);
        let mut lines = self.heading("how long calls took").to_vec();
        let mut below = 0.0;
        for bucket in buckets {
            let top = bucket.le_us as f64 / 1_000.0;
            let marks = quantiles.iter().filter(|(_, ms)| ms.is_some_and(|ms| ms > below && ms <= top));
            let marks: Vec<&str> = marks.map(|(name, _)| *name).collect();
            let share =
                if bucket.count == 0 { String::new() } else { percent(bucket.count as f64 * 100.0 / all as f64) };
            lines.push(Line::from(vec![
                Span::styled(format!(" {} ", right(&format!("≤ {}", round(top)), 9)), self.palette.quiet()),
                Span::styled(left(&bar(bucket.count as f64 / most as f64, room), room), self.palette.accent()),
                Span::raw(format!(
                    "{} ",
                    right(&if bucket.count == 0 { String::new() } else { count(bucket.count) }, 7)
                )),
                Span::styled(format!("{} ", right(&share, 6)), self.palette.quiet()),
                Span::styled(marks.join(" "), self.palette.strong()),
            ]));
            below = top;
        }
        lines
    }

    /// Calls and the 95th percentile over time.
    fn past(&self, columns: usize) -> Vec<Line<'static>> {
        let series = &self.detail.series;
        let length = series.step_seconds.max(1) as f64;
        let calls: Vec<_> = series.calls.iter().map(|calls| calls.map(|calls| calls as f64 / length)).collect();
        let (Some(from), true) = (series.at.first(), series.at.len() > 1) else { return Vec::new() };
        let room = columns.saturating_sub(12).min(120);
        let unit = if series.step_seconds >= 3_600 { "hour" } else { "minute" };
        let mut lines = self.heading(&format!("by {unit}, from {}", clock(self.state, *from))).to_vec();
        lines.extend(self.chart("calls/s", &calls, rate, self.palette.accent(), room));
        lines.push(Line::default());
        lines.extend(self.chart("P95", &series.p95_ms, span, self.palette.other(), room));
        if let Some(failed) = failures(series) {
            lines.push(Line::styled(format!(" {failed}"), self.palette.level(Level::Critical)));
        }
        lines
    }

    fn chart(
        &self,
        label: &str,
        values: &[Option<f64>],
        written: fn(f64) -> String,
        style: Style,
        room: usize,
    ) -> Vec<Line<'static>> {
        let most = values.iter().flatten().copied().reduce(f64::max);
        let labels = [most.map_or_else(String::new, written), String::new(), label.to_owned()];
        let drawn = columns(&squeezed(values, room), CHART);
        let lines = drawn.into_iter().zip(labels).map(|(drawn, label)| {
            Line::from(vec![
                Span::styled(format!(" {} ", right(&label, 8)), self.palette.quiet()),
                Span::styled(drawn, style),
            ])
        });
        lines.collect()
    }

    fn errors(&self) -> Vec<Line<'static>> {
        let mut codes: Vec<_> = self.detail.errors_by_code.iter().collect();
        if codes.is_empty() {
            return Vec::new();
        }
        codes.sort_by_key(|(code, errors)| (std::cmp::Reverse(**errors), (*code).clone()));
        let mut lines = self.heading("errors by SQLSTATE").to_vec();
        lines.extend(codes.into_iter().take(LISTED).map(|(code, errors)| {
            Line::from(vec![
                Span::styled(format!(" {}", right(&Text::new(code), 8)), self.palette.level(Level::Critical)),
                Span::raw(right(&count(*errors), 9)),
            ])
        }));
        lines
    }

    fn callers(&self, columns: usize) -> Vec<Line<'static>> {
        if self.detail.callers.is_empty() {
            return Vec::new();
        }
        let whom = columns.saturating_sub(42).clamp(10, 48);
        let mut lines = self.heading("who calls it").to_vec();
        let titles = [("calls", 8), ("share", 8), ("P95", 10), ("errors", 8)];
        let titles: String = titles.iter().map(|(title, columns)| right(title, *columns)).collect();
        lines.push(Line::styled(
            format!(" {}{titles}", left("database, user, application", whom)),
            self.palette.quiet(),
        ));
        for caller in self.detail.callers.iter().take(LISTED) {
            let names = [&caller.database, &caller.user, &caller.application];
            let names = names.map(|name| if name.is_empty() { "–" } else { &**name }).join(", ");
            let figures =
                [(count(caller.calls), 8), (percent(caller.share_percent), 8), (maybe_span(caller.p95_ms), 10)];
            let figures: String = figures.iter().map(|(figure, columns)| right(figure, *columns)).collect();
            lines.push(Line::from(vec![
                Span::raw(format!(" {}{figures}", left(&names, whom))),
                Span::styled(right(&count(caller.errors), 8), self.palette.errors(caller.errors)),
            ]));
        }
        lines
    }

    /// Single executions, the newest first.
    fn samples(&self) -> Vec<Line<'static>> {
        if self.detail.samples.is_empty() {
            return Vec::new();
        }
        let mut lines = self.heading("single executions that were kept").to_vec();
        lines.extend(self.detail.samples.iter().take(LISTED).map(|sample| self.sample(sample)));
        lines
    }

    fn sample(&self, sample: &Sample) -> Line<'static> {
        let level = Level::named(&sample.level);
        let mut spans = vec![
            Span::styled(format!(" {}", clock(self.state, sample.at)), self.palette.quiet()),
            Span::styled(right(&span(sample.duration_ms), 10), self.palette.level(level)),
        ];
        match &sample.error {
            Some(code) => spans.push(Span::styled(format!("  error {code}"), self.palette.level(Level::Critical))),
            None if sample.rows == 1 => spans.push(Span::raw("  1 row")),
            None => spans.push(Span::raw(format!("  {} rows", count(sample.rows)))),
        }
        let by = [&sample.user, &sample.application].into_iter().filter(|name| !name.is_empty());
        let by: Vec<&str> = by.map(|name| &**name).collect();
        spans.push(Span::styled(format!("  {}", by.join(", ")), self.palette.quiet()));
        Line::from(spans)
    }
}

/// A bound of a bucket, which is a round number.
fn round(ms: f64) -> String {
    let written = span(ms);
    match written.split_once(' ') {
        Some((number, unit)) if number.contains('.') => {
            format!("{} {unit}", number.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => written,
    }
}

/// In how many steps calls failed.
fn failures(series: &Series) -> Option<String> {
    let failed = series.errors.iter().flatten().filter(|errors| **errors > 0).count();
    (failed > 0).then(|| format!("failed in {failed} of {} steps", series.errors.len()))
}
