//! What changed in the statements of the last day against the week before it: part of `metric=recommendations`.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::Ask;
use super::choices::Metric;
use super::params::Params;
use super::shape::{rfc3339, tenths};
use crate::analyze::days::DayFigures;
use crate::analyze::level::DAY;
use crate::analyze::look::hour_of;
use crate::base::units::Nanos;
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::store::read::Days;

/// An hour settles for so long before it is looked at.
const SETTLE: Nanos = Nanos::from_millis(6 * 60_000);

/// Statements of the last 24 whole hours against the seven days before; a statement may be in several lists. Each has at most
/// `limit` rows.
#[derive(Serialize, ToSchema, Debug, Default)]
pub(in crate::http) struct Changes {
    #[schema(format = DateTime)]
    from: String,
    #[schema(format = DateTime)]
    to: String,
    /// The mean is at least 1.2 times what it was; the most extra time first.
    slower: Vec<ChangeRow>,
    /// At most 1 / 1.2 times; the most time saved first.
    faster: Vec<ChangeRow>,
    /// Seen first on that day, the most calls first.
    new: Vec<ChangeRow>,
    /// Called twice as often as on a day before, or more; the most calls first.
    grown: Vec<ChangeRow>,
    /// Their share of errors jumped; the most errors first.
    failing: Vec<ChangeRow>,
}

/// One statement in one database.
#[derive(Serialize, ToSchema, Debug, Default)]
struct ChangeRow {
    server: String,
    database: String,
    query_hash: String,
    summary: String,
    calls: u64,
    /// On a day of the week before.
    calls_before: f64,
    mean_ms: f64,
    mean_ms_before: Option<f64>,
    errors: u64,
    /// Errors on a day of the week before.
    errors_before: f64,
    /// Time that its calls would not have taken before; negative: that they saved.
    extra_ms: f64,
}

/// The last day of the servers that are asked for, `all` where none is named; nothing for another metric and without a
/// store.
///
/// # Errors
/// A store that doesn't answer.
pub(in crate::http) async fn fetch(
    app: &App,
    params: &Params,
    all: &[String],
) -> Result<Vec<(String, Arc<Days>)>, Problem> {
    let (metric, now, servers) = {
        let view = app.view();
        let ask = Ask::new(app, &view, params, None)?;
        let servers = ask.filter.server.clone().map_or_else(|| all.to_vec(), |server| vec![server]);
        (ask.metric, view.at(), servers)
    };
    let mut all = Vec::new();
    let Some(store) = app.sources.store.as_ref().filter(|_| metric == Metric::Recommendations) else { return Ok(all) };
    let to = hour_of(now.before(SETTLE));
    for server in servers {
        let known = app.kept.days.lock().await.get(&server).filter(|days| days.to == to).cloned();
        let days = match known {
            Some(days) => days,
            None => {
                let days = Arc::new(store.reader.days(&server, to.before(DAY), to).await?);
                app.kept.days.lock().await.insert(server.clone(), Arc::clone(&days));
                days
            }
        };
        all.push((server, days));
    }
    Ok(all)
}

/// The answer; `None` without a store.
pub(in crate::http) fn changes(ask: &Ask<'_>, days: &[(String, Arc<Days>)], limit: usize) -> Option<Changes> {
    let (_, first) = days.first()?;
    let mut changes = Changes { from: rfc3339(first.from), to: rfc3339(first.to), ..Changes::default() };
    for (server, days) in days {
        let day = days.day();
        let add = |rows: &mut Vec<ChangeRow>, list: &[DayFigures<'_>]| {
            let admitted = list.iter().filter(|one| ask.admits(one.of.row.database.as_deref().unwrap_or_default()));
            let room = limit.saturating_sub(rows.len());
            rows.extend(admitted.take(room).map(|one| ChangeRow::new(server, one)));
        };
        add(&mut changes.slower, &day.worse);
        add(&mut changes.faster, &day.better);
        add(&mut changes.new, &day.new);
        add(&mut changes.grown, &day.grown);
        add(&mut changes.failing, &day.failing);
    }
    Some(changes)
}

impl ChangeRow {
    fn new(server: &str, one: &DayFigures<'_>) -> Self {
        let (known, week) = (&one.of.row.query, &one.of.week);
        let ms = |value: f64| (value * 1e3).round() / 1e3;
        Self {
            server: server.to_owned(),
            database: one.of.row.database.as_deref().unwrap_or_default().to_owned(),
            query_hash: known.query.hash.to_string(),
            summary: known.shown(),
            calls: one.calls,
            calls_before: tenths(one.calls_before),
            mean_ms: ms(one.mean_ms),
            mean_ms_before: one.mean_ms_before.map(ms),
            errors: one.errors,
            errors_before: if week.calls == 0 {
                0.0
            } else {
                tenths(one.calls_before * week.errors as f64 / week.calls as f64)
            },
            extra_ms: tenths(one.extra_ms),
        }
    }
}
