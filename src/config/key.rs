//! One setting: its names, how its value is written, what holds without it.

/// What a value is written like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Any text.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `HOST:PORT` or a path that begins with `/`.
    Address,
    /// One or several of them.
    Addresses,
    /// As [`Kind::Addresses`], or a `postgres://` URL.
    Upstream,
    /// A number with a unit of time.
    Duration,
    /// Three durations, ascending.
    Levels,
    /// Three percentages, ascending.
    Percents,
    /// Two durations, ascending.
    Ages,
    /// A number with a unit of size.
    Size,
    /// A whole number above zero.
    Count,
    /// A number from 0 to 1.
    Part,
    /// `true` or `false`.
    Switch,
    /// The path of a file.
    File,
    /// A `postgres://` URL, shown without user and password, or `off`; `…_file` names a file that holds it.
    Url,
    /// Text that is never shown; `…_file` names a file that holds it.
    Secret,
}

impl Kind {
    /// What stands for a value in `--help`.
    pub const fn placeholder(self) -> &'static str {
        match self {
            Kind::Text => "TEXT",
            Kind::Choice(_) => "WORD",
            Kind::Address | Kind::Addresses => "ADDRESS",
            Kind::Upstream => "ADDRESS|URL",
            Kind::Url => "URL",
            Kind::Duration => "DURATION",
            Kind::Levels => "DURATION,DURATION,DURATION",
            Kind::Percents => "PERCENT,PERCENT,PERCENT",
            Kind::Ages => "DURATION,DURATION",
            Kind::Size => "SIZE",
            Kind::Count | Kind::Part => "NUMBER",
            Kind::Switch => "BOOL",
            Kind::File | Kind::Secret => "FILE",
        }
    }

    /// Whether a file may give an array, and flags and environment a list with commas.
    pub const fn is_list(self) -> bool {
        matches!(self, Kind::Addresses | Kind::Upstream | Kind::Levels | Kind::Percents | Kind::Ages)
    }
}

/// What holds when nobody said anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Preset {
    /// This text, read like any other value.
    Value(&'static str),
    /// Found out at start, as `rule` says; `example` is a valid value.
    Derived {
        /// How it is found out.
        rule: &'static str,
        /// What one could write.
        example: &'static str,
    },
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name in the file; a dot separates table and key.
    pub name: &'static str,
    /// How a value is written.
    pub kind: Kind,
    /// What holds without it.
    pub preset: Preset,
    /// What it does, without a full stop.
    pub help: &'static str,
    /// A shorter name for flag and environment, beside the regular variable.
    pub short: Option<&'static str>,
}

impl Key {
    pub(super) const fn new(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Self {
        Self { name, kind, preset: Preset::Value(default), help, short: None }
    }

    pub(super) const fn derived(
        name: &'static str,
        kind: Kind,
        rule: &'static str,
        example: &'static str,
        help: &'static str,
    ) -> Self {
        Self { name, kind, preset: Preset::Derived { rule, example }, help, short: None }
    }

    pub(super) const fn short(mut self, short: &'static str) -> Self {
        self.short = Some(short);
        self
    }

    /// Whether its value must not be shown.
    pub fn is_secret(&self) -> bool {
        self.kind == Kind::Secret
    }

    /// Whether a file can hold its value, to be named under its name with `_file`.
    pub fn has_file(&self) -> bool {
        matches!(self.kind, Kind::Secret | Kind::Url)
    }

    /// The flag without its dashes. A secret's flag names a file: other users of a host can read command lines.
    pub fn flag(&self) -> String {
        let dashed = self.short.unwrap_or(self.name).replace(['.', '_'], "-");
        if self.is_secret() { format!("{dashed}-file") } else { dashed }
    }

    /// The environment variable to name to a reader.
    pub fn variable(&self) -> String {
        variable(self.short.unwrap_or(self.name))
    }
}

/// The environment variable of a key's name.
pub(crate) fn variable(name: &str) -> String {
    format!("PGVITALS_{}", name.to_ascii_uppercase().replace('.', "_"))
}
