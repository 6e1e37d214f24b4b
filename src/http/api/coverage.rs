//! `metric=coverage`: what share of a server's work pgvitals sees, and who goes around it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::Ask;
use super::choices::Metric;
use super::params::Params;
use super::seen::Seen;
use super::shape::{rfc3339, tenths};
use crate::analyze::coverage::{Before, Own, Seen as Calls, coverage as judge};
use crate::base::units::{Nanos, WallTime};
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::stats::live::{Filter, GroupBy, LiveView, StatementRow, Window};
use crate::store::read::{Question, Statements, Wanted, Whose};

/// An instance's first minute is in the tables when it is over and written.
const FIRST_MINUTE: Nanos = Nanos::from_millis(120_000);

/// Calls that pgvitals saw against those that the server counted, between two looks at the server.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Coverage {
    /// The most calls first.
    pub(in crate::http) by_user: Vec<ShareRow>,
    /// Sessions of users, databases and applications of which pgvitals saw no statement; the most sessions first.
    around: Vec<AroundRow>,
    /// False for two minutes after the look, and while an instance is late: then the first minute of who is listed may still
    /// be on its way to the tables.
    around_is_final: bool,
    /// Why shares are unknown.
    unknown: Option<&'static str>,
    /// From when to when calls are compared.
    #[schema(format = DateTime)]
    compared_from: Option<String>,
    #[schema(format = DateTime)]
    compared_to: Option<String>,
}

/// Calls of one user in one database.
#[derive(Serialize, ToSchema, Clone, Debug, Default)]
pub(in crate::http) struct ShareRow {
    server: String,
    user: String,
    database: String,
    /// Without those that failed: the server doesn't count them.
    seen_calls: u64,
    /// Null: unknown.
    server_calls: Option<u64>,
    share_percent: Option<f64>,
}

/// Sessions that do not come through pgvitals.
#[derive(Serialize, ToSchema, Clone, Debug, Default)]
struct AroundRow {
    server: String,
    user: String,
    database: String,
    application: String,
    address: Option<String>,
    sessions: u64,
}

/// What a server is compared with.
#[derive(Clone, Debug)]
pub(in crate::http) struct Compared {
    server: String,
    before: Option<Before>,
    /// Of the tables; `None`: memory knows.
    rows: Option<Vec<StatementRow>>,
    /// Who was seen at all in the window, up to now.
    own: Own,
    /// All that the tables will ever know of the time before the look is in them.
    is_final: bool,
}

/// The earlier look at each server, and what the tables know of the time since then; nothing for another metric.
///
/// # Errors
/// A store that doesn't answer.
pub(in crate::http) async fn fetch(app: &App, params: &Params, seen: &[Arc<Seen>]) -> Result<Vec<Compared>, Problem> {
    let (metric, wanted) = {
        let view = app.view();
        let ask = Ask::new(app, &view, params, None)?;
        (ask.metric, ask.wanted)
    };
    if metric != Metric::Coverage {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for seen in seen {
        all.push(compared(app, seen, wanted).await?);
    }
    Ok(all)
}

async fn compared(app: &App, seen: &Seen, wanted: Window) -> Result<Compared, Problem> {
    let server = seen.server.clone();
    let Some(store) = &app.sources.store else {
        let before = app.sources.jobs.rounds().first_calls(&server).filter(|before| before.at < seen.at);
        return Ok(Compared { server, before, rows: None, own: Own::new(), is_final: true });
    };
    let before = store.reader.calls(&server, wanted.from).await?;
    let before = before.map(|(at, calls)| Before { at, calls }).filter(|before| before.at < seen.at);
    let question = |from: WallTime, to: WallTime| Question {
        window: Window { from: from.minute(), to },
        filter: Filter { server: Some(server.clone()), ..Filter::default() },
        whose: Whose::All,
        wanted: Wanted {
            statements: Some(Statements { group: GroupBy::Full, ..Statements::default() }),
            ..Wanted::default()
        },
    };
    let from = before.as_ref().map_or(wanted.from, |before| before.at);
    let past = store.reader.ask(&question(from, seen.at)).await?;
    let known = store.reader.ask(&question(wanted.from, wanted.to.max(seen.at))).await?;
    let is_written = known.coverage.complete_to.is_none_or(|written| written >= seen.at);
    let is_final = is_written && app.view().at() >= seen.at.after(FIRST_MINUTE);
    Ok(Compared { server, before, rows: Some(past.statements), own: own(&known.statements), is_final })
}

/// The answer.
pub(in crate::http) fn coverage(ask: &Ask<'_>, seen: &[Arc<Seen>], compared: &[Compared]) -> Result<Coverage, Problem> {
    let limit = ask.limit(50)?;
    let mut answer = Coverage {
        by_user: Vec::new(),
        around: Vec::new(),
        around_is_final: compared.iter().all(|compared| compared.is_final),
        unknown: None,
        compared_from: None,
        compared_to: None,
    };
    for compared in compared {
        let Some(seen) = seen.iter().find(|seen| seen.server == compared.server) else { continue };
        add(&mut answer, ask, seen, compared);
    }
    answer.by_user.truncate(limit);
    answer.around.truncate(limit);
    Ok(answer)
}

fn add(answer: &mut Coverage, ask: &Ask<'_>, seen: &Seen, compared: &Compared) {
    let Compared { server, before, rows, own: known, is_final: _ } = compared;
    let memory = |from, to| {
        let filter = Filter { server: Some(server.clone()), ..Filter::default() };
        ask.view.statements(Window { from, to }, &filter, GroupBy::Full)
    };
    let begin = before.as_ref().map_or(ask.view.started(), |before| before.at);
    let rows = rows.clone().unwrap_or_else(|| memory(begin, seen.at));
    // Also those whose first minute is not in the tables yet.
    let mut own = own(&memory(ask.view.started(), ask.view.at().after(Nanos::from_micros(1))));
    own.extend(known.clone());
    own.extend(at_work(ask.view, server));
    let calls = calls(&rows);
    let found = judge(&seen.sight.0, before.as_ref(), &calls, &own);
    // Without an earlier look the server's count began before ours.
    let unknown =
        found.unknown.or(before.is_none().then_some("it takes two looks at the server; the next one is hourly"));
    answer.compared_from = before.as_ref().map(|before| rfc3339(before.at));
    answer.compared_to = Some(rfc3339(seen.at));
    let by_user = found.by_user.into_iter().filter(|share| ask.admits_user(&share.user, &share.database));
    answer.by_user.extend(by_user.map(|share| ShareRow {
        server: server.clone(),
        user: share.user,
        database: share.database,
        seen_calls: share.seen_calls,
        server_calls: share.server_calls.filter(|_| unknown.is_none()),
        share_percent: share.share_percent.filter(|_| unknown.is_none()).map(tenths),
    }));
    let application = ask.filter.application.as_deref();
    let around = found.around.into_iter().filter(|one| {
        ask.admits_user(&one.user, &one.database) && application.is_none_or(|wanted| wanted == one.application)
    });
    answer.around.extend(around.map(|one| AroundRow {
        server: server.clone(),
        user: one.user,
        database: one.database,
        application: one.application,
        address: one.address,
        sessions: one.sessions,
    }));
    answer.unknown = answer.unknown.or(unknown);
}

fn calls(rows: &[StatementRow]) -> Vec<Calls> {
    let mut by: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for row in rows {
        let key = (row.user.as_deref().unwrap_or_default(), row.database.as_deref().unwrap_or_default());
        *by.entry(key).or_default() += row.stats.calls.saturating_sub(row.stats.errors);
    }
    let calls = by.into_iter().map(|((user, database), calls)| Calls {
        user: user.to_owned(),
        database: database.to_owned(),
        calls,
    });
    calls.collect()
}

/// Whose statements are in flight and whose transactions are open: their first may not have ended yet.
fn at_work(view: &LiveView, server: &str) -> Own {
    let statements = view.active_statements().iter().map(|row| &row.identity);
    let all = statements.chain(view.active_transactions().iter().map(|row| &row.identity));
    let here = all.filter(|identity| *identity.server == *server);
    here.map(|of| ((of.user.to_string(), of.database.to_string(), of.application.to_string()), u64::MAX)).collect()
}

/// Nobody counts sessions by application; whose statements came through pgvitals is taken to come with all sessions.
fn own(rows: &[StatementRow]) -> Own {
    let text = |part: &Option<Box<str>>| part.as_deref().unwrap_or_default().to_owned();
    rows.iter().map(|row| ((text(&row.user), text(&row.database), text(&row.application)), u64::MAX)).collect()
}
