//! What is usual for a statement, beside its last hours: the `baseline` of `metric=query`, from the tables.

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::{Ask, Scope};
use super::choices::Metric;
use super::params::Params;
use super::shape::rfc3339;
use crate::analyze::baseline::{Comparison, TAIL_CALLS_MIN};
use crate::analyze::look::hour_of;
use crate::analyze::statements::Statement;
use crate::analyze::usual::{Usual, usual};
use crate::base::units::{Nanos, WallTime};
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::sql::hash::QueryHash;
use crate::sql::kind::Class;
use crate::stats::live::{Filter, Window};
use crate::store::read::{Hours, Question, Wanted, Whose};

/// Hours are read as far back: seven days before the last one, and the same hours of the week before.
const BACK: Nanos = Nanos::from_millis(9 * 86_400_000);
/// An hour is whole when so much of the next is over: sidecars write a minute after it ended.
const SETTLE: Nanos = Nanos::from_millis(3 * 60_000);

/// The last hours against the same hours of the seven days before: of all instances, or of the service that is asked for.
/// All but `reason` is null where nothing can be said.
#[derive(Serialize, ToSchema, Debug, Default, PartialEq)]
pub(in crate::http) struct BaselineBody {
    /// What is usual; null of fewer than 200 calls.
    p95_ms: Option<f64>,
    /// In the hours compared.
    now_p95_ms: Option<f64>,
    /// The usual median.
    p50_ms: Option<f64>,
    now_p50_ms: Option<f64>,
    /// How many times the usual it takes now.
    ratio: Option<f64>,
    /// By which: p95; median of fewer calls.
    figure: Option<&'static str>,
    /// Of the seven days before, those that say what is usual.
    days: Option<usize>,
    /// The last hours that are compared: as many as have enough calls, at most 24.
    hours_compared: Option<usize>,
    /// Begin of the seven days that say what is usual.
    #[schema(format = DateTime)]
    since: Option<String>,
    /// The rule for alerts calls it a regression.
    is_regression: Option<bool>,
    /// Since when it is one: when its alert opened, or the begin of the hours compared; null of none.
    #[schema(format = DateTime)]
    slower_since: Option<String>,
    /// Why nothing can be said, or nothing of P95.
    reason: Option<String>,
}

/// What the tables say of the statement's past, or why they don't; `None` for another metric, of a route, and without a store.
pub(in crate::http) struct Learned {
    hash: QueryHash,
    to: WallTime,
    hours: Result<Hours, String>,
}

/// Asks the tables. An answer goes out without a baseline rather than not at all.
///
/// # Errors
/// Values that are not allowed.
pub(in crate::http) async fn fetch(app: &App, params: &Params) -> Result<Option<Learned>, Problem> {
    let Some(store) = &app.sources.store else { return Ok(None) };
    let (question, hash) = {
        let view = app.view();
        let ask = Ask::new(app, &view, params, None)?;
        // What is usual for all that run it says nothing of one route.
        if ask.metric != Metric::Query || ask.filter.tag.is_some() {
            return Ok(None);
        }
        (question(&ask), ask.hash()?)
    };
    let hours = store.reader.hours(&question, hash).await;
    let hours = hours.map_err(|error| format!("the store does not answer: {error}"));
    Ok(Some(Learned { hash, to: question.window.to, hours }))
}

/// Rolled-up rows have no instance, and a statement is no slower for one of them: all count.
fn question(ask: &Ask<'_>) -> Question {
    let to = hour_of(ask.wanted.to.min(ask.view.at().before(SETTLE)));
    let whose = match &ask.scope {
        Scope::Service(name) => Whose::Service(name.clone()),
        _ => Whose::All,
    };
    let own = match ask.app.settings.servers.as_slice() {
        [server] if ask.scope == Scope::Own => Some(server.clone()),
        _ => None,
    };
    let server = ask.filter.server.clone().or(own);
    let filter = Filter { server, ..ask.filter.clone() };
    Question { window: Window { from: to.before(BACK), to }, filter, whose, wanted: Wanted::default() }
}

impl BaselineBody {
    /// What follows from it.
    pub(in crate::http) fn new(ask: &Ask<'_>, learned: Learned) -> Self {
        let zone = &ask.app.sources.jobs.parts().settings.time_zone;
        let past = match learned.hours {
            Ok(past) => past,
            Err(reason) => return Self::unknown(reason),
        };
        let known = ask.known(learned.hash);
        let statement = Statement {
            query_hash: learned.hash,
            database: ask.filter.database.clone(),
            class: known.map_or(Class::Data, |known| known.class),
            summary: String::new(),
            is_exempt: false,
            first_seen: past.hours.first().map_or(learned.to, |hour| hour.at),
            hours: past.hours,
            regressed_since: past.regressed_since,
        };
        match usual(&statement, learned.to, zone) {
            Ok(found) => Self::known(&found, statement.class == Class::Data),
            Err(reason) => Self::unknown(reason.as_str().to_owned()),
        }
    }

    fn unknown(reason: String) -> Self {
        Self { reason: Some(reason), ..Self::default() }
    }

    fn known(found: &Usual, is_judged: bool) -> Self {
        let (shown, tail) = (found.shown(), found.tail);
        let slower_since = found.slower_since.filter(|_| is_judged);
        let ms = |value: f64| (value * 1e3).round() / 1e3;
        Self {
            p95_ms: tail.map(|tail| ms(tail.usual_ms)),
            now_p95_ms: tail.map(|tail| ms(tail.now_ms)),
            p50_ms: Some(ms(found.typical.usual_ms)),
            now_p50_ms: Some(ms(found.typical.now_ms)),
            ratio: Some((Comparison::ratio(&shown) * 1e2).round() / 1e2),
            figure: Some(shown.figure.as_str()),
            days: Some(found.days),
            hours_compared: Some(found.hours),
            since: Some(rfc3339(found.since)),
            is_regression: Some(slower_since.is_some()),
            slower_since: slower_since.map(rfc3339),
            reason: tail
                .is_none()
                .then(|| format!("fewer than {TAIL_CALLS_MIN} calls in a day: medians are compared alone")),
        }
    }
}
