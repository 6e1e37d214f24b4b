//! `metric=queries`: all statements, sorted, searched, page by page.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::{Ask, next};
use super::choices::{self, GROUPS};
use super::params::refused;
use super::shape::Sparkline;
use super::statement::Statement;
use crate::base::units::Nanos;
use crate::http::problem::Problem;
use crate::sql::hash::QueryHash;
use crate::stats::live::{GroupBy, Page, Sort, StatementRow, Window};

/// Statements of every class: each row says its own.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Queries {
    /// Largest first.
    pub(in crate::http) queries: Vec<Statement>,
    /// Rows that there are, on all pages.
    total: usize,
    /// Where the next page begins; null on the last one. Figures move, so a row may move between pages meanwhile.
    cursor: Option<String>,
}

/// Points of a sparkline.
pub(super) const SPARKLINE_POINTS: u16 = 24;

/// The answer.
pub(in crate::http) fn queries(ask: &Ask<'_>) -> Result<Queries, Problem> {
    let (group, page) = (group(ask)?, page(ask)?);
    let mut rows = ask.statements(group);
    let whole: Nanos = rows.iter().map(|row| row.stats.total).sum();
    page.order(&mut rows);
    let total = rows.len();
    let shown: Vec<&StatementRow> = page.cut(&rows).collect();
    let statement = |row: &&StatementRow| Statement::new(row, whole).kept_by(&ask.filter);
    let mut queries: Vec<Statement> = shown.iter().map(statement).collect();
    if has_sparklines(ask)? {
        for (statement, points) in queries.iter_mut().zip(sparklines(ask, group, &shown)) {
            statement.sparkline = Some(points);
        }
    }
    let cursor = next(page.skip, queries.len(), total > page.skip.saturating_add(queries.len()));
    Ok(Queries { cursor, queries, total })
}

/// What splits the rows.
pub(super) fn group(ask: &Ask<'_>) -> Result<GroupBy, Problem> {
    let group = ask.params.choice("group_by", GROUPS, choices::group)?.unwrap_or_default();
    if group != GroupBy::Hash && ask.filter.tag.is_some() {
        let wanted = ask.params.get("group_by").unwrap_or_default();
        return Err(refused("group_by", wanted, "hash where route is given: nothing else splits figures by route"));
    }
    Ok(group)
}

/// Which rows, in which order.
pub(super) fn page(ask: &Ask<'_>) -> Result<Page, Problem> {
    let sort = ask.params.choice("sort", Sort::NAMES, Sort::parse)?.unwrap_or_default();
    if sort == Sort::MaxMs && ask.filter.tag.is_some() {
        let allowed = "any other where route is given: the longest call of a route is not kept";
        return Err(refused("sort", "max_ms", allowed));
    }
    let search = ask.params.get("search").map(str::to_lowercase);
    Ok(Page { sort, search, class: None, skip: ask.place()?, limit: ask.limit(50)? })
}

/// Whether rows are to have a sparkline.
pub(super) fn has_sparklines(ask: &Ask<'_>) -> Result<bool, Problem> {
    let wanted = ask.params.choice("sparkline", &["p95_ms"], |name| (name == "p95_ms").then_some(()))?;
    Ok(wanted.is_some())
}

/// What tells the rows of one grouping apart.
type Key<'r> = (QueryHash, Option<&'r str>, Option<&'r str>, Option<&'r str>);

fn key(row: &StatementRow) -> Key<'_> {
    (row.query.query.hash, row.database.as_deref(), row.user.as_deref(), row.application.as_deref())
}

/// A sparkline for each row of the page. Memory is read once per step, not once per row.
fn sparklines(ask: &Ask<'_>, group: GroupBy, page: &[&StatementRow]) -> Vec<Vec<Option<f64>>> {
    let mut lines: Vec<Sparkline> = page.iter().map(|_| Sparkline::new(ask.window, SPARKLINE_POINTS.into())).collect();
    let places: HashMap<Key<'_>, usize> = page.iter().enumerate().map(|(place, row)| (key(row), place)).collect();
    for (part, row) in ask.past.iter().flat_map(|past| &past.sparklines) {
        if let Some(line) = places.get(&key(row)).and_then(|place| lines.get_mut(*place)) {
            line.add_to(*part, &row.stats.durations);
        }
    }
    let Some(memory) = ask.memory else { return lines.iter().map(Sparkline::p95_ms).collect() };
    for step in ask.view.timeline(memory, &ask.filter, None).iter().filter(|step| step.stats.is_some()) {
        let span = Window { from: step.at, to: step.at.after(step.step) };
        for row in ask.view.statements(span, &ask.filter, group) {
            if let Some(line) = places.get(&key(&row)).and_then(|place| lines.get_mut(*place)) {
                line.add(step.at, &row.stats.durations);
            }
        }
    }
    lines.iter().map(Sparkline::p95_ms).collect()
}
