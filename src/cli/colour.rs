//! Whether to write in colour (no-color.org).

/// What the command line says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum When {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    Always,
    Never,
}

impl When {
    /// The words of the command line.
    pub(super) const WORDS: [&str; 3] = ["auto", "always", "never"];

    /// By its word.
    pub(super) fn named(word: &str) -> Self {
        match word {
            "always" => When::Always,
            "never" => When::Never,
            _ => When::Auto,
        }
    }

    /// The verdict, where output goes to a terminal or not, with these variables.
    pub(super) fn is_wanted(self, is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
        let says = |name| variable(name).unwrap_or_default();
        match self {
            When::Always => true,
            When::Never => false,
            When::Auto => is_terminal && says("NO_COLOR").is_empty() && says("TERM") != "dumb",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_colours_unless_somebody_says_no() {
        let none = |_: &str| None;
        let no = |name: &str| (name == "NO_COLOR").then(|| "1".to_owned());
        let dumb = |name: &str| (name == "TERM").then(|| "dumb".to_owned());
        assert!(When::Auto.is_wanted(true, none) && !When::Auto.is_wanted(false, none));
        assert!(!When::Auto.is_wanted(true, no) && !When::Auto.is_wanted(true, dumb));
        assert!(When::named("always").is_wanted(false, no) && !When::named("never").is_wanted(true, none));
    }
}
