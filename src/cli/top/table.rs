//! The table of statements: which columns a width has room for, and what stands in them.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::answers::Statement;
use super::cells::{cut, left, right, width};
use super::figures::{count, maybe_percent, maybe_span, rate, span};
use super::palette::{Level, Palette};
use super::wanted::{SORTS, Wanted};

/// A column of figures.
struct Column {
    title: &'static str,
    columns: usize,
    /// The lowest goes first.
    weight: u8,
    /// The name of its sort in the API.
    sort: &'static str,
    value: fn(&Statement, f64) -> String,
}

const COLUMNS: [Column; 9] = [
    Column { title: "share", columns: 6, weight: 7, sort: "", value: |row, _| maybe_percent(row.share_percent) },
    Column { title: "total", columns: 8, weight: 6, sort: "total_ms", value: |row, _| span(row.total_ms) },
    Column { title: "calls/s", columns: 8, weight: 8, sort: "calls", value: |row, s| rate(row.calls as f64 / s) },
    Column { title: "mean", columns: 8, weight: 4, sort: "mean_ms", value: |row, _| maybe_span(row.mean_ms) },
    Column { title: "P95", columns: 8, weight: 9, sort: "p95_ms", value: |row, _| maybe_span(row.p95_ms) },
    Column { title: "P99", columns: 8, weight: 2, sort: "p99_ms", value: |row, _| maybe_span(row.p99_ms) },
    Column { title: "max", columns: 8, weight: 3, sort: "max_ms", value: |row, _| maybe_span(row.max_ms) },
    Column { title: "errors", columns: 7, weight: 5, sort: "errors", value: |row, _| count(row.errors) },
    Column { title: "rows/s", columns: 7, weight: 1, sort: "rows", value: |row, s| rate(row.rows as f64 / s) },
];

/// A table of a width.
pub(super) struct Table {
    columns: Vec<&'static Column>,
    /// Columns of each part of a key.
    parts: usize,
    width: usize,
    sort: usize,
    /// Of the window: what makes counts rates.
    seconds: f64,
    palette: Palette,
}

impl Table {
    /// With the columns that `width` has room for; that of the sort is always among them.
    pub(super) fn new(wanted: &Wanted, width: usize, seconds: f64, palette: Palette) -> Self {
        let sort = wanted.sort().0;
        let weight = |column: &Column| if column.sort == sort { u8::MAX } else { column.weight };
        let parts = if width >= 60 { [0, 10, 26][wanted.group.min(2)] } else { 0 };
        let mut columns: Vec<&Column> = COLUMNS.iter().collect();
        let taken = |columns: &[&Column]| columns.iter().map(|column| column.columns + 1).sum::<usize>() + 2 + parts;
        // What the statements' text gets at least, before a column goes.
        let text = width * 2 / 5;
        while columns.len() > 1 && taken(&columns) + text > width {
            let least = columns.iter().map(|column| weight(column)).min();
            columns.retain(|column| Some(weight(column)) != least);
        }
        Self { columns, parts, width, sort: wanted.sort, seconds, palette }
    }

    /// The line of titles; an arrow is at what sorts.
    pub(super) fn head(&self) -> Line<'static> {
        let mut spans = vec![Span::raw("  ")];
        let sort = SORTS.get(self.sort).map_or("", |(name, _)| name);
        for column in &self.columns {
            let (title, style) = match column.sort == sort {
                true => (format!("▼{}", column.title), self.palette.accent().patch(self.palette.strong())),
                false => (column.title.to_owned(), self.palette.quiet()),
            };
            spans.push(Span::styled(right(&title, column.columns) + " ", style));
        }
        let titles = ["", "database", "database, user, application"];
        let title = titles[usize::from(self.parts > 0) + usize::from(self.parts > 10)];
        if self.parts > 0 {
            spans.push(Span::styled(left(title, self.parts - 1) + " ", self.palette.quiet()));
        }
        spans.push(Span::styled("statement", self.palette.quiet()));
        Line::from(spans)
    }

    /// A statement's line.
    pub(super) fn row(&self, row: &Statement, is_chosen: bool) -> Line<'static> {
        let level = Level::named(row.level.as_deref().unwrap_or_default());
        let mut spans = vec![Span::styled(format!("{} ", level.mark()), self.palette.level(level))];
        for column in &self.columns {
            let text = (column.value)(row, self.seconds);
            spans.push(Span::styled(right(&text, column.columns) + " ", self.style(column, row, level)));
        }
        if self.parts > 0 {
            let parts = [&row.database, &row.user, &row.application].into_iter().flatten();
            let parts = parts.map(|part| if part.is_empty() { "–" } else { part }).collect::<Vec<_>>().join(" ");
            spans.push(Span::styled(left(&parts, self.parts - 1) + " ", self.palette.accent()));
        }
        let taken: usize = spans.iter().map(Span::width).sum();
        spans.push(Span::raw(cut(&row.query, self.width.saturating_sub(taken))));
        let line = Line::from(spans);
        match is_chosen {
            true => {
                let text: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
                let blanks = " ".repeat(self.width.saturating_sub(width(&text)));
                Line::styled(text + &blanks, self.palette.chosen())
            }
            false => line,
        }
    }

    fn style(&self, column: &Column, row: &Statement, level: Level) -> Style {
        match column.sort {
            "p95_ms" => self.palette.level(level),
            "errors" if row.errors > 0 => self.palette.level(Level::Critical),
            "errors" => self.palette.quiet(),
            "" => self.palette.strong(),
            _ => Style::new(),
        }
    }
}
