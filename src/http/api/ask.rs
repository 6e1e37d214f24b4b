//! What was asked: metric, window, filter, paging, read from the parameters that all metrics share.

use jiff::Timestamp;

use super::choices::{Format, Metric, Step};
use super::params::{HOURS_MAX, LIMIT_MAX, Params, bad, refused};
use crate::base::units::{Nanos, WallTime};
use crate::http::problem::Problem;
use crate::http::{Settings, app::App};
use crate::sql::hash::QueryHash;
use crate::stats::live::{Filter, LiveView, Tag, Window};
use crate::store::read::Past;

/// Of whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::http) enum Scope {
    /// This process: memory, and the tables for what left it.
    Own,
    /// Everybody who writes to the store.
    All,
    /// A service.
    Service(String),
    /// The instances of a name.
    Instance(String),
}

/// One request, understood as far as all metrics share it.
pub(in crate::http) struct Ask<'a> {
    /// What to answer.
    pub(in crate::http) metric: Metric,
    /// How to write it.
    pub(in crate::http) format: Format,
    /// What was asked for.
    pub(in crate::http) wanted: Window,
    /// The part of it that is known.
    pub(in crate::http) window: Window,
    /// The part of it that memory answers; `None` where the tables alone do.
    pub(in crate::http) memory: Option<Window>,
    /// What the tables answered.
    pub(in crate::http) past: Option<&'a Past>,
    /// Of whom.
    pub(in crate::http) scope: Scope,
    /// Whose figures.
    pub(in crate::http) filter: Filter,
    /// For parameters of one metric.
    pub(in crate::http) params: &'a Params,
    /// What it is answered from.
    pub(in crate::http) view: &'a LiveView,
    /// Who answers.
    pub(in crate::http) app: &'a App,
}

impl<'a> Ask<'a> {
    /// # Errors
    /// A problem for the first value that is not allowed.
    pub(in crate::http) fn new(
        app: &'a App,
        view: &'a LiveView,
        params: &'a Params,
        past: Option<&'a Past>,
    ) -> Result<Self, Problem> {
        let metric = params.choice("metric", Metric::NAMES, Metric::parse)?.unwrap_or(Metric::Summary);
        let format = params.choice("format", Format::NAMES, Format::parse)?;
        let wanted = window(params, view.at())?;
        let (scope, mut filter) = scope(params, app)?;
        filter.tag = tag(metric, params, app, &scope, &filter)?;
        let covered = view.covered(wanted);
        let (window, memory) = match (&scope, past) {
            (Scope::Own, None) => (covered, Some(covered)),
            (Scope::Own, Some(_)) => (Window { from: wanted.from.minute(), to: covered.to }, Some(covered)),
            _ => (Window { from: wanted.from.minute(), to: wanted.to }, None),
        };
        Ok(Self {
            metric,
            format: format.unwrap_or(Format::Json),
            wanted,
            window,
            memory,
            past,
            scope,
            filter,
            params,
            view,
            app,
        })
    }

    /// Whether rows of this database are asked for.
    pub(in crate::http) fn admits(&self, database: &str) -> bool {
        self.filter.database.as_deref().is_none_or(|wanted| wanted == database)
    }

    /// Whether rows of this user in this database are.
    pub(in crate::http) fn admits_user(&self, user: &str, database: &str) -> bool {
        self.admits(database) && self.filter.user.as_deref().is_none_or(|wanted| wanted == user)
    }

    /// The statement that is asked for.
    ///
    /// # Errors
    /// A problem without one, and unless it is a hash.
    pub(in crate::http) fn hash(&self) -> Result<QueryHash, Problem> {
        let Some(text) = self.params.get("hash") else {
            return Err(bad("metric=query needs hash: a statement's query_hash".to_owned()));
        };
        text.parse().map_err(|_| refused("hash", text, "16 hexadecimal digits"))
    }

    /// The tag that tells where a statement comes from.
    pub(in crate::http) fn tag_key(&self) -> &'a str {
        tag_key(self.params)
    }

    /// The step that is asked for; a minute when none is.
    ///
    /// # Errors
    /// A problem unless it has one of the names.
    pub(in crate::http) fn step(&self) -> Result<Step, Problem> {
        Ok(self.params.choice("step", Step::NAMES, Step::parse)?.unwrap_or(Step::Minute))
    }

    /// Rows before the page.
    ///
    /// # Errors
    /// A problem unless an answer gave it.
    pub(in crate::http) fn place(&self) -> Result<usize, Problem> {
        let Some(cursor) = self.params.get("cursor") else { return Ok(0) };
        let place = cursor.parse().ok().filter(|place| *place <= PLACE_MAX);
        place.ok_or_else(|| refused("cursor", cursor, "the cursor of the answer before"))
    }

    /// Rows at most.
    ///
    /// # Errors
    /// A problem unless it is 1 to 1000.
    pub(in crate::http) fn limit(&self, default: usize) -> Result<usize, Problem> {
        let whole = |n: f64| (1.0..=LIMIT_MAX).contains(&n) && n.fract() == 0.0;
        let limit = self.params.number("limit", "a whole number from 1 to 1000", whole)?;
        Ok(limit.map_or(default, |limit| limit as usize))
    }
}

/// The cursor of the page after one of so many rows; `None` of the last.
pub(in crate::http) fn next(skip: usize, rows: usize, has_more: bool) -> Option<String> {
    let place = skip.saturating_add(rows);
    (has_more && rows > 0 && place <= PLACE_MAX).then(|| place.to_string())
}

/// No page begins behind so many rows: they are read for it.
const PLACE_MAX: usize = 50_000;

fn window(params: &Params, now: WallTime) -> Result<Window, Problem> {
    let hours = params.number("hours", "a number above 0, at most 87600", |n| n > 0.0 && n <= HOURS_MAX)?;
    let span = Nanos::new((hours.unwrap_or(24.0) * 3.6e12) as u64);
    let (from, to) = (time(params, "from")?, time(params, "to")?);
    let window = match (from, to) {
        (Some(from), Some(to)) => Window { from, to },
        (Some(from), None) if hours.is_some() => Window { from, to: from.after(span) },
        (Some(from), None) => Window { from, to: now.max(from.after(Nanos::from_micros(1))) },
        (None, to) => {
            let to = to.unwrap_or(now);
            Window { from: to.before(span), to }
        }
    };
    if window.from >= window.to {
        return Err(match params.get("from") {
            Some(from) => refused("from", from, "a time before to"),
            None => refused("hours", params.get("hours").unwrap_or_default(), "a microsecond at least"),
        });
    }
    Ok(window)
}

fn time(params: &Params, name: &str) -> Result<Option<WallTime>, Problem> {
    let Some(value) = params.get(name) else { return Ok(None) };
    match value.parse::<Timestamp>() {
        Ok(time) if time >= Timestamp::UNIX_EPOCH => Ok(Some(WallTime::from_unix_micros(time.as_microsecond()))),
        _ => Err(refused(name, value, "a time since 1970, as 2026-01-31T12:00:00Z (RFC 3339)")),
    }
}

/// Without a store memory knows one instance, of one service; other names belong to a fleet that it doesn't see. Who
/// measures nothing has no self.
fn scope(params: &Params, app: &App) -> Result<(Scope, Filter), Problem> {
    let Settings { instance, service, servers, .. } = &app.settings;
    let stored = app.sources.store.is_some();
    let one_of = |names: &[&str], name: &str| (stored || names.contains(&name)).then(|| name.to_owned());
    let instances = ["self", "all", instance];
    let wanted = params.choice("instance", &instances, |name| one_of(&instances, name))?;
    if !app.measures() && wanted.as_deref() == Some("self") {
        return Err(
            bad("pgvitals serve measures nothing itself; instance is all, or the name of a sidecar".to_owned()),
        );
    }
    let wanted_service = params.choice("service", &[service], |name| one_of(&[service], name))?;
    let names: Vec<&str> = servers.iter().map(String::as_str).collect();
    let server = params.choice("server", &names, |name| one_of(&names, name))?;
    let elsewhere = server.as_deref().is_some_and(|server| !names.contains(&server));
    let scope = match (wanted.as_deref(), wanted_service) {
        _ if !stored => Scope::Own,
        (Some("self"), _) => Scope::Own,
        (None | Some("all"), Some(service)) => Scope::Service(service),
        (None, None) if elsewhere || !app.measures() => Scope::All,
        (Some("all"), None) => Scope::All,
        (Some(name), _) => Scope::Instance(name.to_owned()),
        (None, None) => Scope::Own,
    };
    let given = |name: &str| params.get(name).map(str::to_owned);
    let (database, user, application) = (given("database"), given("user"), given("application"));
    Ok((scope, Filter { server, database, user, application, tag: None }))
}

fn tag_key(params: &Params) -> &str {
    params.get("key").unwrap_or("route")
}

/// The tag that figures are to have. Sums by tag are kept by process and statement: nothing else splits them. Of a fleet it
/// takes the store to say whether a server can be told from others.
fn tag(metric: Metric, params: &Params, app: &App, scope: &Scope, filter: &Filter) -> Result<Option<Tag>, Problem> {
    let Some(value) = params.get("route").filter(|_| metric.is_by_route()) else { return Ok(None) };
    let server = filter.server.as_ref().filter(|_| *scope == Scope::Own && app.settings.servers.len() > 1);
    let others = [
        ("database", filter.database.as_ref()),
        ("user", filter.user.as_ref()),
        ("application", filter.application.as_ref()),
        ("server", server),
    ];
    match others.iter().find(|(_, wanted)| wanted.is_some()) {
        // Single executions have all of it.
        Some((name, _)) if metric != Metric::SlowQueries => Err(bad(inseparable(name))),
        _ => Ok(Some(Tag { key: tag_key(params).to_owned(), value: value.to_owned() })),
    }
}

/// Why figures by route are not split by `name` as well.
pub(super) fn inseparable(name: &str) -> String {
    format!(
        "route and {name} can't be combined: figures by route are counted over all servers, databases, users and \
         applications of a process; leave out one of the two. With service and instance it can be, and metric=slow_queries \
         takes all of them"
    )
}
