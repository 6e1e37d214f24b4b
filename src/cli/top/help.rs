//! Keys and signs, over everything else.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::cells::left;
use super::palette::{Level, Palette};

const KEYS: &[(&str, &str)] = &[
    ("↑ ↓  j k", "choose a row, or scroll"),
    ("PgUp PgDn", "a page; Home and End, g and G: all the way"),
    ("Enter", "look into the statement; Esc comes back"),
    ("s S  ← →", "sort by the next column, the one before"),
    ("/", "filter by text or hash; Esc shows all again"),
    ("w W", "time: the last minute, 5 minutes, hour, day"),
    ("d", "split rows by database, then by user and application"),
    ("a", "all instances of the store, or this one"),
    ("p", "pause; keys still ask"),
    ("q Ctrl-C", "quit"),
];

const SIGNS: [(Level, &str); 4] = [
    (Level::Good, "good: the call at the 95th percentile is quick enough"),
    (Level::Warning, "warning: it is beyond the first of `levels`"),
    (Level::Alert, "alert: beyond the second"),
    (Level::Critical, "critical: beyond the third"),
];

/// Draws it in the middle of `area`.
pub(super) fn draw(frame: &mut Frame<'_>, palette: Palette, area: Rect) {
    let mut lines: Vec<Line<'_>> = KEYS
        .iter()
        .map(|(keys, does)| Line::from(vec![Span::styled(left(keys, 11), palette.accent()), Span::raw(*does)]))
        .collect();
    lines.push(Line::default());
    lines.extend(SIGNS.map(|(level, means)| {
        let mark = if level == Level::Good { "12 ms" } else { level.mark() };
        Line::from(vec![Span::styled(left(mark, 11), palette.level(level)), Span::raw(means)])
    }));
    let (width, height) = (area.width.min(68), area.height.min(lines.len() as u16 + 2));
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    let block =
        Block::bordered().title(" pgvitals top ").title_bottom(" any key goes back ").border_style(palette.quiet());
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines).block(block), place);
}
