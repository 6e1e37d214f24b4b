//! What may be asked of `/api/performance`: one table makes the parser, its error texts and the description.

use super::choices::{Format, GROUPS, Metric, SERIES, Step};
use crate::http::problem::{Kind, Problem};
use crate::stats::live::Sort;

/// A parameter that `/api/performance` knows.
#[derive(Debug)]
pub(in crate::http) struct Parameter {
    /// Its name in the query string.
    pub(in crate::http) name: &'static str,
    /// What it does, for the description.
    pub(in crate::http) help: &'static str,
    /// The values it may have; empty when they can't be listed.
    pub(in crate::http) values: &'static [&'static str],
    /// What a value looks like, for the description.
    pub(in crate::http) form: Form,
}

/// What a value looks like, as far as one parameter's says.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) enum Form {
    /// One of `values`.
    Listed,
    /// A text.
    Text,
    /// A text of this pattern.
    Like(&'static str),
    /// RFC 3339.
    Time,
    /// A number above the first, up to the second.
    Above(f64, f64),
    /// A number from here on.
    From(f64),
    /// A whole number between these, or one of them.
    Whole(f64, f64),
}

/// Ten years: beyond it arithmetic on times could leave what RFC 3339 can write.
pub(super) const HOURS_MAX: f64 = 87_600.0;
/// Rows of one answer.
pub(super) const LIMIT_MAX: f64 = 1000.0;

const fn listed(name: &'static str, values: &'static [&'static str], help: &'static str) -> Parameter {
    Parameter { name, help, values, form: Form::Listed }
}

const fn free(name: &'static str, help: &'static str) -> Parameter {
    formed(name, Form::Text, help)
}

const fn formed(name: &'static str, form: Form, help: &'static str) -> Parameter {
    Parameter { name, help, values: &[], form }
}

/// Every parameter, in the order of API.md.
pub(in crate::http) const PARAMETERS: &[Parameter] = &[
    listed("metric", Metric::NAMES, "What to answer; default summary."),
    formed("hours", Form::Above(0.0, HOURS_MAX), "Length of the window; default 24."),
    formed("from", Form::Time, "Begin of the window, RFC 3339."),
    formed("to", Form::Time, "End of the window, RFC 3339; default now."),
    free(
        "instance",
        "self (default), all, or a name; others than this one need a store. Of pgvitals serve: all (default), or a name.",
    ),
    free("service", "All instances of a service; another than this one's needs a store."),
    free("server", "Only this monitored server."),
    free("database", "Only this database."),
    free("user", "Only this user."),
    free("application", "Only this application_name, as normalised."),
    free("route", "queries, query, timeline, slow_queries: only what ran with this value of the tag `key`."),
    listed("format", Format::NAMES, "Default json."),
    formed("limit", Form::Whole(1.0, LIMIT_MAX), "Rows at most, 1 to 1000; default 50."),
    formed(
        "cursor",
        Form::Like("^[0-9]{1,5}$"),
        "queries, slow_queries, alerts: where to go on, the `cursor` of the answer before.",
    ),
    formed(
        "threshold",
        Form::From(0.0),
        "slow_queries: milliseconds, default slow_threshold; bloat: percent, default 20; rows at or above.",
    ),
    listed("sort", Sort::NAMES, "queries: largest first by this; default total_ms."),
    listed("group_by", GROUPS, "queries: parts of the key that split the rows; default hash."),
    free("search", "queries: only statements whose text or hash contains this, in any case."),
    listed("sparkline", &["p95_ms"], "queries: adds 24 points to each row."),
    formed("hash", Form::Like("^[0-9A-Fa-f]{16}$"), "query: the statement's query_hash."),
    listed(
        "step",
        Step::NAMES,
        "query, timeline: length of a step, default minute; index, table: default day, at least hour.",
    ),
    free("schema", "index, table: the schema that it is in; database and name say the rest."),
    free("name", "index, table: its name."),
    listed("series", SERIES, "capacity: adds to all rows but tables the most of each day."),
    free("key", "tags: the tag's key, such as route; of `route`, and of the `routes` of query: default route."),
];

/// The parameters of one request: names known, none twice. Values are looked at by whoever needs them, so that one
/// that means nothing to the metric is ignored.
#[derive(Debug, Default)]
pub(in crate::http) struct Params(Vec<(String, String)>);

impl Params {
    /// # Errors
    /// A problem for a name that is not in [`PARAMETERS`], or comes twice.
    pub(in crate::http) fn new(pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        for (index, (name, value)) in pairs.iter().enumerate() {
            if !PARAMETERS.iter().any(|parameter| parameter.name == name) {
                let known: Vec<&str> = PARAMETERS.iter().map(|parameter| parameter.name).collect();
                return Err(bad(format!("unknown parameter \"{name}\"; the parameters are {}", known.join(", "))));
            }
            if pairs.iter().take(index).any(|(earlier, _)| earlier == name) {
                return Err(twice(name));
            }
            // No name in PostgreSQL and no text of a statement has either; what is no UTF-8 is decoded to the latter.
            if value.contains(['\0', char::REPLACEMENT_CHARACTER]) {
                return Err(bad(format!(
                    "the value of {name} is no text; allowed is UTF-8 without NUL, percent-encoded"
                )));
            }
        }
        Ok(Self(pairs))
    }

    /// The value of `name`, if given.
    pub(in crate::http) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter with listed values, as `parse` reads it.
    ///
    /// # Errors
    /// A problem that names `allowed`.
    pub(in crate::http) fn choice<T>(
        &self,
        name: &str,
        allowed: &[&str],
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match parse(value) {
            Some(choice) => Ok(Some(choice)),
            None => Err(refused(name, value, &format!("one of {}", allowed.join(", ")))),
        }
    }

    /// The value of `name` as a number that `within` accepts; `rule` says in words which those are.
    ///
    /// # Errors
    /// A problem that quotes `rule`.
    pub(in crate::http) fn number(
        &self,
        name: &str,
        rule: &str,
        within: impl Fn(f64) -> bool,
    ) -> Result<Option<f64>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.parse::<f64>() {
            Ok(number) if number.is_finite() && within(number) => Ok(Some(number)),
            _ => Err(refused(name, value, rule)),
        }
    }
}

/// A problem with a parameter.
pub(in crate::http) fn bad(detail: String) -> Problem {
    Problem::new(Kind::BadParameter, detail)
}

/// A problem with a parameter that comes more than once.
pub(in crate::http) fn twice(name: &str) -> Problem {
    bad(format!("parameter \"{name}\" is given twice; once is allowed"))
}

/// A problem with a value; `allowed` completes the sentence "allowed is …".
pub(in crate::http) fn refused(name: &str, value: &str, allowed: &str) -> Problem {
    bad(format!("\"{value}\" is no value of {name}; allowed is {allowed}"))
}
