//! `metric=index` and `metric=table`: one of them, what is said of it, and how it came to be so.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::Ask;
use super::choices::{Metric, Step};
use super::params::{Params, bad};
use super::recommendations::RecommendationRow;
use super::seen::{BloatRow, GrowthRow, IndexRow, Seen};
use super::shape::{rfc3339, tenths};
use crate::analyze::evidence;
use crate::analyze::trace::{Steps, scans, standing};
use crate::base::units::{Nanos, WallTime};
use crate::http::app::App;
use crate::http::problem::{Kind, Problem};
use crate::snapshot::relation::Bloat;
use crate::snapshot::table::TableFigures;
use crate::store::error::Error;
use crate::store::read::object::{Name, TracedIndex, TracedTable};

/// Each object has a sample a day: with so much before the window what stood at its begin is known.
const BEFORE: Nanos = Nanos::from_millis(2 * 86_400_000);

/// The object that was asked for.
pub(in crate::http) enum Traced {
    Index(Box<TracedIndex>),
    Table(Box<TracedTable>),
}

/// One index.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct IndexBody {
    database: String,
    schema: String,
    table: String,
    index: String,
    /// The statement that makes it.
    definition: String,
    size_bytes: u64,
    /// Since the last reset of the server's counters, as the two below.
    scans: u64,
    /// Entries that scans returned.
    tuples_read: u64,
    /// Live rows that plain scans fetched.
    tuples_fetched: u64,
    /// The round that saw it first, as far back as was asked for.
    #[schema(format = DateTime)]
    watched_since: Option<String>,
    /// Over the last week of which that is known; null below a day.
    scans_per_day: Option<f64>,
    /// And in the week before.
    scans_per_day_before: Option<f64>,
    /// As in `indexes`; null of a partition's.
    usage: Option<IndexRow>,
    /// As in `bloat`; null of a partitioned one.
    bloat: Option<BloatRow>,
    /// As in `recommendations`: what to do about it.
    recommendations: Vec<RecommendationRow>,
    pub(in crate::http) series: IndexSeries,
}

/// Columns of equal length; null in steps in which nobody looked.
#[derive(Serialize, ToSchema, Default)]
pub(in crate::http) struct IndexSeries {
    step_seconds: u64,
    /// Begins of the steps.
    #[schema(format = DateTime)]
    at: Vec<String>,
    /// In the step; what was counted between two looks falls evenly on the time between.
    scans: Vec<Option<f64>>,
    /// At its end.
    size_bytes: Vec<Option<u64>>,
    bloat_percent: Vec<Option<f64>>,
}

/// One table.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct TableBody {
    database: String,
    schema: String,
    table: String,
    /// With its TOAST table and its indexes.
    size_bytes: u64,
    heap_bytes: u64,
    toast_bytes: u64,
    index_bytes: u64,
    live_tuples: u64,
    dead_tuples: u64,
    /// Rows changed since the last ANALYZE.
    modified_since_analyze: u64,
    /// By hand; of a partitioned table the oldest of its partitions', as the others.
    #[schema(format = DateTime)]
    last_vacuum: Option<String>,
    #[schema(format = DateTime)]
    last_autovacuum: Option<String>,
    #[schema(format = DateTime)]
    last_analyze: Option<String>,
    #[schema(format = DateTime)]
    last_autoanalyze: Option<String>,
    /// Storage parameters that were set, as `name=value`.
    options: Vec<String>,
    /// As in `bloat`; null of a partitioned one.
    bloat: Option<BloatRow>,
    /// As in `capacity`; null of a partition.
    growth: Option<GrowthRow>,
    /// As in `indexes`.
    indexes: Vec<IndexRow>,
    /// As in `recommendations`: what to do about it.
    recommendations: Vec<RecommendationRow>,
    pub(in crate::http) series: TableSeries,
}

/// Columns of equal length, what was so at each step's end; null in steps in which nobody looked.
#[derive(Serialize, ToSchema, Default)]
pub(in crate::http) struct TableSeries {
    step_seconds: u64,
    /// Begins of the steps.
    #[schema(format = DateTime)]
    at: Vec<String>,
    /// With TOAST and indexes.
    size_bytes: Vec<Option<u64>>,
    index_bytes: Vec<Option<u64>>,
    live_tuples: Vec<Option<u64>>,
    dead_tuples: Vec<Option<u64>>,
    bloat_percent: Vec<Option<f64>>,
    wasted_bytes: Vec<Option<u64>>,
}

/// Which object is asked for, and since when.
pub(in crate::http) struct Wanted {
    metric: Metric,
    name: Name,
    since: WallTime,
}

/// What is asked for; `None` for other metrics.
///
/// # Errors
/// A part of its name that is missing.
pub(in crate::http) fn wanted(app: &App, params: &Params) -> Result<Option<Wanted>, Problem> {
    let view = app.view();
    let ask = Ask::new(app, &view, params, None)?;
    let metric = ask.metric;
    if !matches!(metric, Metric::Index | Metric::Table) {
        return Ok(None);
    }
    Ok(Some(Wanted { metric, name: name(params, metric)?, since: ask.wanted.from.before(BEFORE) }))
}

/// The object, on the first of the servers that has it; `None` for other metrics.
///
/// # Errors
/// A name that nothing has; a store that doesn't answer.
pub(in crate::http) async fn fetch(
    app: &App,
    wanted: Option<&Wanted>,
    seen: &[Arc<Seen>],
) -> Result<Option<(String, Traced)>, Problem> {
    let Some(Wanted { metric, name, since }) = wanted else { return Ok(None) };
    for Seen { server, .. } in seen.iter().map(AsRef::as_ref) {
        if let Some(traced) = read(app, *metric, server, name, *since).await? {
            return Ok(Some((server.clone(), traced)));
        }
    }
    Err(Problem::new(
        Kind::UnknownObject,
        format!(
            "no {} {}.{} was seen in the database {} at the last look; metric={} lists those that were",
            metric.name(),
            name.schema,
            name.name,
            name.database,
            if *metric == Metric::Index { "indexes" } else { "bloat&threshold=0" }
        ),
    ))
}

fn name(params: &Params, metric: Metric) -> Result<Name, Problem> {
    let given = |part: &str| {
        let needed = || bad(format!("metric={} needs database, schema and name", metric.name()));
        params.get(part).map(str::to_owned).ok_or_else(needed)
    };
    Ok(Name { database: given("database")?, schema: given("schema")?, name: given("name")? })
}

async fn read(app: &App, metric: Metric, server: &str, name: &Name, since: WallTime) -> Result<Option<Traced>, Error> {
    let index = |traced| Traced::Index(Box::new(traced));
    let table = |traced| Traced::Table(Box::new(traced));
    Ok(match (&app.sources.store, metric) {
        (Some(store), Metric::Index) => store.reader.index(server, name, since).await?.map(index),
        (Some(store), _) => store.reader.table(server, name, since).await?.map(table),
        (None, _) => app.sources.jobs.rounds().health(server).and_then(|health| match metric {
            Metric::Index => TracedIndex::of(&health, name).map(index),
            _ => TracedTable::of(&health, name).map(table),
        }),
    })
}

/// Steps of the time that was asked for, as far as something is known of it. Nobody looks more than once an hour.
fn steps(ask: &Ask<'_>, first: Option<WallTime>) -> Result<Steps, Problem> {
    let step = ask.params.choice("step", Step::NAMES, Step::parse)?.unwrap_or(Step::Day);
    let from = first.map_or(ask.wanted.to, |first| ask.wanted.from.max(first));
    Ok(Steps::over(from, ask.wanted.to.max(from), step.length().max(Step::Hour.length())))
}

fn begins(steps: Steps) -> Vec<String> {
    steps.each().map(|(begin, _)| rfc3339(begin)).collect()
}

fn percent(bloat: Option<Bloat>) -> Option<f64> {
    bloat.map(|bloat| tenths(bloat.percent))
}

/// What is said of it in a list of the last look.
fn advice(seen: &Seen, name: &str) -> Vec<RecommendationRow> {
    let about = seen.recommendations.iter().filter(|one| one.subject == name);
    about.map(|one| RecommendationRow::new(&seen.server, one)).collect()
}

impl IndexBody {
    /// The answer, of an index of this server.
    pub(in crate::http) fn new(ask: &Ask<'_>, seen: &Seen, traced: &TracedIndex) -> Result<Self, Problem> {
        let TracedIndex { object, samples, rounds } = traced;
        let (names, figures) = (&object.names, &object.figures);
        let evidence = evidence::of(samples, rounds);
        let steps = steps(ask, samples.first().map(|sample| sample.at))?;
        let stood = standing(samples, rounds, steps);
        let is_it = |database: &str, schema: &str, index: &str| {
            (database, schema, index) == (&names.database, &names.schema, &names.index)
        };
        Ok(Self {
            database: names.database.clone(),
            schema: names.schema.clone(),
            table: names.table.clone(),
            index: names.index.clone(),
            definition: object.definition.statement.clone(),
            size_bytes: figures.size_bytes,
            scans: figures.scans,
            tuples_read: figures.tuples_read,
            tuples_fetched: figures.tuples_fetched,
            watched_since: evidence.map(|evidence| rfc3339(evidence.since)),
            scans_per_day: evidence.and_then(|evidence| evidence.scans_per_day).map(tenths),
            scans_per_day_before: evidence.and_then(|evidence| evidence.scans_per_day_before).map(tenths),
            usage: seen.indexes.iter().find(|row| is_it(&row.database, &row.schema, &row.index)).cloned(),
            bloat: seen
                .bloated
                .iter()
                .find(|row| is_it(&row.database, &row.schema, row.index.as_deref().unwrap_or_default()))
                .cloned(),
            recommendations: advice(seen, &format!("{} {}.{}", names.database, names.schema, names.index)),
            series: IndexSeries {
                step_seconds: steps.length.get() / 1_000_000_000,
                at: begins(steps),
                scans: scans(samples, rounds, steps).into_iter().map(|scans| scans.map(tenths)).collect(),
                size_bytes: stood.iter().map(|figures| figures.map(|figures| figures.size_bytes)).collect(),
                bloat_percent: stood.iter().map(|figures| percent(figures.and_then(|one| one.bloat))).collect(),
            },
        })
    }
}

impl TableBody {
    /// The answer, of a table of this server.
    pub(in crate::http) fn new(ask: &Ask<'_>, seen: &Seen, traced: &TracedTable) -> Result<Self, Problem> {
        let TracedTable { object, samples, .. } = traced;
        let (names, figures) = (&object.names, &object.figures);
        let steps = steps(ask, samples.first().map(|sample| sample.at))?;
        let name = format!("{}.{}", names.schema, names.table);
        let is_it = |database: &str, schema: &str, table: &str| {
            (database, schema, table) == (&names.database, &names.schema, &names.table)
        };
        let of_it = |row: &&GrowthRow| row.database.as_ref() == Some(&names.database) && row.name == name;
        Ok(Self {
            database: names.database.clone(),
            schema: names.schema.clone(),
            table: names.table.clone(),
            size_bytes: figures.size_bytes(),
            heap_bytes: figures.heap_bytes,
            toast_bytes: figures.toast_bytes,
            index_bytes: figures.index_bytes,
            live_tuples: figures.live_tuples,
            dead_tuples: figures.dead_tuples,
            modified_since_analyze: figures.modified_since_analyze,
            last_vacuum: figures.last_vacuum.map(rfc3339),
            last_autovacuum: figures.last_autovacuum.map(rfc3339),
            last_analyze: figures.last_analyze.map(rfc3339),
            last_autoanalyze: figures.last_autoanalyze.map(rfc3339),
            options: object.definition.options.clone(),
            bloat: seen.tables.iter().find(|row| is_it(&row.database, &row.schema, &row.table)).cloned(),
            growth: seen.capacity.tables.iter().find(of_it).cloned(),
            indexes: seen.indexes.iter().filter(|row| is_it(&row.database, &row.schema, &row.table)).cloned().collect(),
            recommendations: advice(seen, &format!("{} {name}", names.database)),
            series: TableSeries::new(traced, steps),
        })
    }
}

impl TableSeries {
    fn new(TracedTable { samples, rounds, .. }: &TracedTable, steps: Steps) -> Self {
        let mut series =
            Self { step_seconds: steps.length.get() / 1_000_000_000, at: begins(steps), ..Self::default() };
        for figures in standing(samples, rounds, steps) {
            let bloat = figures.and_then(|one| one.bloat);
            series.size_bytes.push(figures.map(TableFigures::size_bytes));
            series.index_bytes.push(figures.map(|one| one.index_bytes));
            series.live_tuples.push(figures.map(|one| one.live_tuples));
            series.dead_tuples.push(figures.map(|one| one.dead_tuples));
            series.bloat_percent.push(percent(bloat));
            series.wasted_bytes.push(bloat.map(|bloat| bloat.wasted_bytes));
        }
        series
    }

    /// The same, a row each step.
    pub(in crate::http) fn rows(&self) -> Vec<TableStep<'_>> {
        let each = self.at.iter().enumerate();
        each.map(|(index, at)| TableStep {
            at,
            size_bytes: known(&self.size_bytes, index),
            index_bytes: known(&self.index_bytes, index),
            live_tuples: known(&self.live_tuples, index),
            dead_tuples: known(&self.dead_tuples, index),
            bloat_percent: known(&self.bloat_percent, index),
            wasted_bytes: known(&self.wasted_bytes, index),
        })
        .collect()
    }
}

impl IndexSeries {
    /// The same, a row each step.
    pub(in crate::http) fn rows(&self) -> Vec<IndexStep<'_>> {
        let each = self.at.iter().enumerate();
        each.map(|(index, at)| IndexStep {
            at,
            scans: known(&self.scans, index),
            size_bytes: known(&self.size_bytes, index),
            bloat_percent: known(&self.bloat_percent, index),
        })
        .collect()
    }
}

fn known<T: Copy>(column: &[Option<T>], index: usize) -> Option<T> {
    column.get(index).copied().flatten()
}

/// One step of an index, as a row.
#[derive(Serialize, Default)]
pub(in crate::http) struct IndexStep<'a> {
    at: &'a str,
    scans: Option<f64>,
    size_bytes: Option<u64>,
    bloat_percent: Option<f64>,
}

/// One step of a table, as a row.
#[derive(Serialize, Default)]
pub(in crate::http) struct TableStep<'a> {
    at: &'a str,
    size_bytes: Option<u64>,
    index_bytes: Option<u64>,
    live_tuples: Option<u64>,
    dead_tuples: Option<u64>,
    bloat_percent: Option<f64>,
    wasted_bytes: Option<u64>,
}
