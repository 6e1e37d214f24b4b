//! What of a question the tables have to answer, and their answer.

use super::ask::{Ask, Scope, inseparable};
use super::choices::Metric;
use super::made_up;
use super::params::{Params, bad};
use super::queries::{SPARKLINE_POINTS, group, has_sparklines, page};
use super::query::SAMPLES_MAX;
use super::slow::threshold;
use super::summary::top_page;
use crate::base::units::{Nanos, WallTime};
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::stats::live::{Filter, LiveView, Page, Window};
use crate::store::read::{Durations, Past, Question, Reader, Slow, Statements, Wanted, Whose};

/// The tables' part of an answer; `None` when memory has it all.
///
/// # Errors
/// Values that are not allowed, and a store that doesn't answer.
pub(in crate::http) async fn fetch(app: &App, params: &Params) -> Result<Option<Past>, Problem> {
    let Some(store) = &app.sources.store else { return Ok(None) };
    // The view goes before the store is waited for.
    let Some(mut question) = question(app, &app.view(), params)? else { return Ok(None) };
    let wanted = &question.wanted;
    let is_by_tag = question.filter.tag.is_some() && (wanted.statements.is_some() || wanted.timeline.is_some());
    let is_of_tags = wanted.tags.is_some() && wanted.statement.is_none();
    if (is_by_tag || is_of_tags) && !can_tell_server(app, &store.reader, &question).await? {
        if is_by_tag {
            return Err(bad(inseparable("server")));
        }
        question.filter.server = None;
    }
    Ok(Some(store.reader.ask(&question).await?))
}

/// Sums by tag know no server. One can be told where no other is like it, what was made up being unlike what was not.
async fn can_tell_server(app: &App, reader: &Reader, question: &Question) -> Result<bool, Problem> {
    let Some(server) = &question.filter.server else { return Ok(true) };
    if let Whose::Life(_) = question.whose {
        return Ok(app.settings.servers.len() <= 1);
    }
    let made_up = made_up::known(app, app.view().at()).await;
    if made_up.servers.contains(server) {
        return Ok(made_up.servers.len() <= 1);
    }
    Ok(reader.servers().await?.len() <= 1)
}

fn question(app: &App, view: &LiveView, params: &Params) -> Result<Option<Question>, Problem> {
    let ask = Ask::new(app, view, params, None)?;
    let Some((whose, window)) = part(&ask) else { return Ok(None) };
    let filter = match ask.metric {
        // Tags are counted over all series of a process.
        Metric::Tags => Filter { server: ask.filter.server.clone(), ..Filter::default() },
        _ => ask.filter.clone(),
    };
    Ok(wanted(&ask)?.map(|wanted| Question { window, filter, whose, wanted }))
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
    let slow = |threshold, most, longest| Some(Slow { threshold, most, longest });
    let sums = Some(Statements::default());
    Ok(Some(match ask.metric {
        Metric::Alerts | Metric::Fleet => return Ok(None),
        Metric::Summary => Wanted {
            statements: Some(Statements {
                durations: durations(ask, top_page(ask)?),
                together: ask.scope != Scope::Own,
                ..Statements::default()
            }),
            slow: slow(ask.view.settings().slow_threshold, 1, true),
            sessions: true,
            ..Wanted::default()
        },
        Metric::Queries => Wanted { statements: Some(listed(ask)?), ..Wanted::default() },
        Metric::Query => Wanted {
            statements: sums,
            statement: Some(ask.hash()?),
            timeline: Some(ask.step()?.length()),
            slow: slow(Nanos::ZERO, SAMPLES_MAX, false),
            tags: Some(ask.tag_key().to_owned()),
            ..Wanted::default()
        },
        Metric::Timeline => Wanted { timeline: Some(ask.step()?.length()), ..Wanted::default() },
        Metric::Tags => {
            Wanted { statements: sums, tags: ask.params.get("key").map(str::to_owned), ..Wanted::default() }
        }
        Metric::SlowQueries => {
            let most = ask.place()?.saturating_add(ask.limit(50)?).saturating_add(1);
            Wanted { slow: slow(threshold(ask)?, most, false), ..Wanted::default() }
        }
        _ => return Ok(None),
    }))
}

fn listed(ask: &Ask<'_>) -> Result<Statements, Problem> {
    let window = Window { from: ask.wanted.from.minute(), to: ask.wanted.to };
    let sparklines = has_sparklines(ask)?.then_some((window, SPARKLINE_POINTS));
    Ok(Statements { group: group(ask)?, durations: durations(ask, page(ask)?), sparklines, together: false })
}

/// Those of the page, where the tables alone say what is on it.
fn durations(ask: &Ask<'_>, page: Page) -> Durations {
    if ask.scope == Scope::Own || page.sort.needs_durations() { Durations::All } else { Durations::Of(page) }
}
