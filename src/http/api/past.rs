//! What of a question the tables have to answer, and their answer.

use super::ask::{Ask, Metric, Scope};
use super::params::Params;
use super::queries::{GROUPS, group};
use super::query::{hash, route};
use super::shape::Step;
use super::slow::threshold;
use crate::base::units::{Nanos, WallTime};
use crate::http::problem::{Kind, Problem};
use crate::http::server::App;
use crate::stats::live::{GroupBy, LiveView, Window};
use crate::store::read::{Past, Question, Wanted, Whose};

/// The tables' part of an answer; `None` when memory has it all.
///
/// # Errors
/// Values that are not allowed, and a store that doesn't answer.
pub(in crate::http) async fn fetch(app: &App, params: &Params) -> Result<Option<Past>, Problem> {
    let Some(store) = &app.sources.store else { return Ok(None) };
    // The view goes before the store is waited for.
    let Some(question) = question(app, &app.view(), params)? else { return Ok(None) };
    let past = store.reader.ask(&question).await;
    past.map(Some).map_err(|error| Problem::new(Kind::StoreUnavailable, format!("the store does not answer: {error}")))
}

fn question(app: &App, view: &LiveView, params: &Params) -> Result<Option<Question>, Problem> {
    let ask = Ask::new(app, view, params, None)?;
    let Some((whose, window)) = part(&ask) else { return Ok(None) };
    let wanted = wanted(&ask)?;
    Ok(wanted.map(|wanted| Question { window, filter: ask.filter.clone(), whose, wanted }))
}

/// Whose rows, of which time; `None` when memory has all that there is.
fn part(ask: &Ask<'_>) -> Option<(Whose, Window)> {
    let from = ask.wanted.from.minute();
    let whose = match &ask.scope {
        Scope::Own => {
            // Memory knows all since the start, but a part of it for an hour alone.
            let covered = ask.view.covered(ask.wanted);
            let reaches = covered.from <= from || ask.wanted.from <= ask.view.started();
            let life = ask.app.sources.store.as_ref().and_then(|store| store.status.instance_id());
            let to = covered.from.min(ask.wanted.to);
            return (!reaches && from < to)
                .then_some(())
                .and(life)
                .map(|life| (Whose::Life(life), Window { from, to }));
        }
        Scope::All => Whose::All,
        Scope::Service(name) => Whose::Service(name.clone()),
        Scope::Instance(name) => Whose::Instance(name.clone()),
    };
    Some((whose, Window { from, to: ask.wanted.to.max(WallTime::from_unix_micros(from.unix_micros() + 1)) }))
}

fn wanted(ask: &Ask<'_>) -> Result<Option<Wanted>, Problem> {
    let by_hash = Some(GroupBy::Hash);
    let slow = ask.view.settings().slow_threshold;
    Ok(Some(match ask.metric {
        Metric::Alerts | Metric::Fleet => return Ok(None),
        Metric::Summary => Wanted { statements: by_hash, slow: Some(slow), sessions: true, ..Wanted::default() },
        Metric::Queries => {
            let group = ask.params.choice("group_by", GROUPS, group)?.unwrap_or_default();
            Wanted { statements: Some(group), ..Wanted::default() }
        }
        Metric::Query => Wanted {
            statements: by_hash,
            statement: Some(hash(ask)?),
            timeline: Some(Step::of(ask)?.length()),
            slow: Some(Nanos::ZERO),
            tags: Some(route(ask).to_owned()),
            ..Wanted::default()
        },
        Metric::Timeline => Wanted { timeline: Some(Step::of(ask)?.length()), ..Wanted::default() },
        Metric::Tags => {
            Wanted { statements: by_hash, tags: ask.params.get("key").map(str::to_owned), ..Wanted::default() }
        }
        Metric::SlowQueries => Wanted { slow: Some(threshold(ask)?), ..Wanted::default() },
        _ => return Ok(None),
    }))
}
