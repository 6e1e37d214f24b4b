//! What is asked of a running pgvitals: of what time, sorted how, whose, and of which statement.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::answers::Statement;
use super::options::Options;

/// What needs no escape in a query string (RFC 3986 §2.3).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A span that ends now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::cli) struct Window {
    /// As people say it.
    pub(super) name: &'static str,
    /// As the command line says it.
    pub(in crate::cli) flag: &'static str,
    /// As the API takes it.
    hours: &'static str,
}

/// Spans to choose from, in the order in which a key walks through them.
pub(in crate::cli) const WINDOWS: [Window; 4] = [
    Window { name: "minute", flag: "1m", hours: "0.016667" },
    Window { name: "5 minutes", flag: "5m", hours: "0.083333" },
    Window { name: "hour", flag: "1h", hours: "1" },
    Window { name: "day", flag: "24h", hours: "24" },
];

/// What sorts, in the order of the columns: its name in the API, and for people.
pub(in crate::cli) const SORTS: [(&str, &str); 8] = [
    ("total_ms", "total time"),
    ("calls", "calls"),
    ("mean_ms", "mean"),
    ("p95_ms", "P95"),
    ("p99_ms", "P99"),
    ("max_ms", "longest call"),
    ("errors", "errors"),
    ("rows", "rows"),
];

/// What splits rows: its name in the API, and for people.
pub(super) const GROUPS: [(&str, &str); 3] = [
    ("hash", ""),
    ("hash,database", ", by database"),
    ("hash,database,user,application", ", by database, user and application"),
];

/// One statement, with the parts of a key that its row has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Who {
    pub(super) hash: String,
    pub(super) database: Option<String>,
    pub(super) user: Option<String>,
    pub(super) application: Option<String>,
}

/// The questions of a moment. Indices are of the tables above.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Wanted {
    pub(super) window: usize,
    pub(super) sort: usize,
    pub(super) group: usize,
    /// All instances of the store rather than who answers.
    pub(super) everybody: bool,
    /// Text of a statement or its hash; empty for all.
    pub(super) search: String,
    /// Rows.
    pub(super) limit: u64,
    /// The statement to look into, instead of a list.
    pub(super) statement: Option<Who>,
    /// The last hour by minutes, where no seconds are told.
    pub(super) minutes: bool,
}

impl Who {
    /// Who a row is of.
    pub(super) fn of(row: &Statement) -> Self {
        let part = |part: &Option<crate::cli::text::Text>| part.as_ref().map(ToString::to_string);
        Self {
            hash: row.query_hash.to_string(),
            database: part(&row.database),
            user: part(&row.user),
            application: part(&row.application),
        }
    }
}

impl Wanted {
    /// As the command line has it.
    pub(super) fn of(options: &Options) -> Self {
        let sort = SORTS.iter().position(|(name, _)| *name == options.sort);
        let window = WINDOWS.iter().position(|window| window.flag == options.window);
        Self { sort: sort.unwrap_or_default(), window: window.unwrap_or(2), limit: 100, ..Self::default() }
    }

    /// The span.
    pub(super) fn window(&self) -> Window {
        WINDOWS.get(self.window).copied().unwrap_or(WINDOWS[0])
    }

    /// The sort, in the API and for people.
    pub(super) fn sort(&self) -> (&'static str, &'static str) {
        SORTS.get(self.sort).copied().unwrap_or(SORTS[0])
    }

    /// The grouping, in the API and for people.
    pub(super) fn group(&self) -> (&'static str, &'static str) {
        GROUPS.get(self.group).copied().unwrap_or(GROUPS[0])
    }

    /// The path of the headline.
    pub(super) fn summary(&self) -> String {
        self.path("summary", &[("limit", "1")])
    }

    /// The path of the list.
    pub(super) fn queries(&self) -> String {
        let limit = self.limit.to_string();
        let mut pairs = vec![("sort", self.sort().0), ("group_by", self.group().0), ("limit", &limit)];
        if !self.search.is_empty() {
            pairs.push(("search", &self.search));
        }
        self.path("queries", &pairs)
    }

    /// The path of one statement.
    pub(super) fn query(&self, who: &Who) -> String {
        let mut pairs = vec![("hash", who.hash.as_str()), ("step", if self.window == 3 { "hour" } else { "minute" })];
        let parts = [("database", &who.database), ("user", &who.user), ("application", &who.application)];
        pairs.extend(parts.into_iter().filter_map(|(name, part)| Some((name, part.as_deref()?))));
        self.path("query", &pairs)
    }

    /// The path of alerts that are open or were a moment ago.
    pub(super) fn alerts(&self) -> String {
        self.path("alerts", &[("limit", "10")])
    }

    /// The path of what runs now.
    pub(super) fn active(&self) -> String {
        self.path("active", &[("limit", "1000")])
    }

    /// The path of the last hour by minutes.
    pub(super) fn timeline(&self) -> String {
        Self { window: 2, ..self.clone() }.path("timeline", &[("step", "minute")])
    }

    fn path(&self, metric: &str, pairs: &[(&str, &str)]) -> String {
        let mut path = format!("/api/performance?metric={metric}&hours={}", self.window().hours);
        let all = self.everybody.then_some(("instance", "all"));
        for (name, value) in pairs.iter().copied().chain(all) {
            path.push_str(&format!("&{name}={}", utf8_percent_encode(value, PLAIN)));
        }
        path
    }
}
