//! Colours by meaning. They are dark enough for a light ground and light enough for a dark one, and never the only sign.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;

/// What a terminal can show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Palette {
    /// No colours: `NO_COLOR`, or nobody knows the terminal.
    Plain,
    /// The sixteen that every terminal has.
    Sixteen,
    /// Of 256, those with a brightness between.
    Many,
}

/// Of a statement's call at the 95th percentile, or of an alert.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Level {
    Good,
    Warning,
    Alert,
    Critical,
}

impl Level {
    /// By its name in the API; what is unknown is no reason to shout.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "warning" => Level::Warning,
            "alert" => Level::Alert,
            "critical" => Level::Critical,
            _ => Level::Good,
        }
    }

    /// A sign that is the higher the worse it is.
    pub(super) const fn mark(self) -> &'static str {
        match self {
            Level::Good => " ",
            Level::Warning => "▂",
            Level::Alert => "▅",
            Level::Critical => "█",
        }
    }
}

impl Palette {
    /// What the variables of the environment say; `is_coloured`: whether colours are wanted at all.
    pub(super) fn of(is_coloured: bool, variable: impl Fn(&str) -> Option<String>) -> Self {
        let says = |name: &str| variable(name).unwrap_or_default();
        match () {
            () if !is_coloured => Palette::Plain,
            () if says("TERM").contains("256color") || !says("COLORTERM").is_empty() => Palette::Many,
            () => Palette::Sixteen,
        }
    }

    /// Of a level.
    pub(super) fn level(self, level: Level) -> Style {
        let style = match level {
            Level::Good => self.pick(Color::Green, 29),
            Level::Warning => self.pick(Color::Yellow, 136),
            Level::Alert => self.pick(Color::LightRed, 166),
            Level::Critical => self.pick(Color::Red, 160),
        };
        if level >= Level::Alert { style.add_modifier(Modifier::BOLD) } else { style }
    }

    /// Of charts and of what can be chosen.
    pub(super) fn accent(self) -> Style {
        self.pick(Color::Cyan, 31)
    }

    /// Of a second chart beside the first.
    pub(super) fn other(self) -> Style {
        self.pick(Color::Magenta, 133)
    }

    /// Of labels and what matters less.
    pub(super) fn quiet(self) -> Style {
        match self {
            Palette::Many => Style::new().fg(Color::Indexed(244)),
            Palette::Plain | Palette::Sixteen => Style::new().add_modifier(Modifier::DIM),
        }
    }

    /// Of headings.
    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Of the row that is chosen.
    pub(super) fn chosen(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Of errors; without any, nothing stands out.
    pub(super) fn errors(self, count: u64) -> Style {
        if count == 0 { Style::new() } else { self.level(Level::Critical) }
    }

    /// A label and its value, with blanks behind it.
    pub(super) fn pair(self, label: &str, value: String) -> [Span<'static>; 2] {
        self.styled_pair(label, value, Style::new())
    }

    /// The same, the value standing out.
    pub(super) fn styled_pair(self, label: &str, value: String, style: Style) -> [Span<'static>; 2] {
        [Span::styled(format!("{label} "), self.quiet()), Span::styled(value + "  ", style)]
    }

    fn pick(self, one_of_sixteen: Color, one_of_many: u8) -> Style {
        match self {
            Palette::Plain => Style::new(),
            Palette::Sixteen => Style::new().fg(one_of_sixteen),
            Palette::Many => Style::new().fg(Color::Indexed(one_of_many)),
        }
    }
}
