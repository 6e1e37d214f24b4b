//! How bloated tables and indexes are, why, and what helps (FIELD (b)).
//!
//! VACUUM FULL is never the advice: it locks a table for as long as it takes to write it anew.

use crate::analyze::alert::{Finding, Subject};
use crate::analyze::forecast::{self, Trend};
use crate::analyze::holder::{self, Holder};
use crate::analyze::judge::Judge;
use crate::analyze::kind::{Kind, Unit};
use crate::analyze::level::Bloat;
use crate::analyze::quote::qualified;
use crate::analyze::settings::Settings;
use crate::base::units::WallTime;
use crate::snapshot::history::{History, Sample};
use crate::snapshot::index::Index;
use crate::snapshot::relation::{self, Key, Method, Withheld};
use crate::snapshot::set::Set;
use crate::snapshot::table::{Table, TableFigures};

/// Dead rows above this share of all say that vacuum doesn't keep up; below it, rows are gone and their space is not.
const DEAD_PERCENT: f64 = 10.0;

/// Autovacuum begins when this share of the rows is dead (`autovacuum_vacuum_scale_factor`) unless somebody set otherwise.
const USUAL_SCALE: f64 = 0.2;

/// And so many more (`autovacuum_vacuum_threshold`).
const USUAL_THRESHOLD: f64 = 50.0;

/// What makes the bloat, or keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cause {
    /// Rows are kept for somebody's sake; vacuum can't remove them.
    Held(Holder),
    /// Autovacuum is off, for the table or the server.
    AutovacuumOff,
    /// Autovacuum lets more rows die than the table can bear.
    SettingsTooLax,
    /// Vacuum is due and will come.
    VacuumDue,
    /// The space was freed and is not given back: only writing the table anew does.
    NeedsRepacking,
    /// Only a new index gives it back.
    NeedsReindex,
}

/// A table or an index with its bloat.
#[derive(Clone, PartialEq, Debug)]
pub struct Bloated<'a> {
    /// By this it is known.
    pub key: Key,
    /// Its database.
    pub database: &'a str,
    /// Its schema.
    pub schema: &'a str,
    /// Its table.
    pub table: &'a str,
    /// The index; `None`: the table itself.
    pub index: Option<&'a str>,
    /// What it takes: of a table heap and TOAST.
    pub size_bytes: u64,
    /// Rows that are alive; of an index those of its table don't count.
    pub live_tuples: Option<u64>,
    /// Rows that are dead.
    pub dead_tuples: Option<u64>,
    /// `None`: see `withheld`.
    pub bloat: Option<relation::Bloat>,
    /// Why nothing is said, or no more than the share of dead rows.
    pub withheld: Option<Withheld>,
    /// There was a figure of more than dead rows, and statistics that are stale for now are all that keeps it away.
    pub is_stale: bool,
    /// Of the ratio, also where too little is wasted for an alert.
    pub level: Option<Bloat>,
    /// Wasted bytes over the days.
    pub trend: Option<Trend>,
    /// Why, where it is at least [`Bloat::Warning`].
    pub cause: Option<Cause>,
    /// What to do, as a sentence.
    pub advice: Option<String>,
    /// What to run.
    pub statement: Option<String>,
}

/// Tables of a set, partitions each by itself and not their parents: the most wasted first.
pub fn tables<'a>(set: &'a Set, history: &History, settings: &Settings) -> Vec<Bloated<'a>> {
    let single = set.tables.iter().filter(|table| !table.definition.is_partitioned);
    let mut found: Vec<_> = single.map(|table| of_table(table, set, history, settings)).collect();
    found.sort_by_key(|one| std::cmp::Reverse(one.wasted_bytes()));
    found
}

/// Indexes of a set, likewise.
pub fn indexes<'a>(set: &'a Set, history: &History, settings: &Settings) -> Vec<Bloated<'a>> {
    let single = set.indexes.iter().filter(|index| !index.definition.is_partitioned);
    let mut found: Vec<_> = single.map(|index| of_index(index, history, settings)).collect();
    found.sort_by_key(|one| std::cmp::Reverse(one.wasted_bytes()));
    found
}

impl Bloated<'_> {
    /// 0 where nothing is known.
    pub fn wasted_bytes(&self) -> u64 {
        self.bloat.map_or(0, |bloat| bloat.wasted_bytes)
    }

    /// Whether an alert can be over by this: nothing is said of freed space by few dead rows, where an estimate that is out
    /// of date knew of it.
    pub fn is_known(&self) -> bool {
        self.bloat.is_some() && !self.is_stale
    }

    /// As an alert names it.
    pub fn subject(&self) -> Subject {
        Subject::of(self.database, format!("{}.{}", self.schema, self.index.unwrap_or(self.table)))
    }
}

fn of_table<'a>(table: &'a Table, set: &Set, history: &History, settings: &Settings) -> Bloated<'a> {
    let figures = &table.figures;
    let samples = history.tables.get(&table.key).map_or(&[][..], Vec::as_slice);
    let wasted = samples.iter().filter_map(|sample| Some((sample.at, sample.figures.bloat?)));
    let level = figures.bloat.map(|bloat| settings.bloat.level(bloat.percent));
    let cause = (level >= Some(Bloat::Warning)).then(|| cause(table, set));
    let (advice, statement) = cause.as_ref().map(|cause| advice(cause, table)).unzip();
    Bloated {
        key: table.key,
        database: &table.names.database,
        schema: &table.names.schema,
        table: &table.names.table,
        index: None,
        size_bytes: figures.heap_bytes.saturating_add(figures.toast_bytes),
        live_tuples: Some(figures.live_tuples),
        dead_tuples: Some(figures.dead_tuples),
        bloat: figures.bloat,
        withheld: figures.withheld,
        is_stale: is_stale(figures, samples),
        level,
        trend: trend(wasted),
        cause,
        advice,
        statement,
    }
}

fn of_index<'a>(index: &'a Index, history: &History, settings: &Settings) -> Bloated<'a> {
    let (names, figures) = (&index.names, &index.figures);
    let samples = history.indexes.get(&index.key).map_or(&[][..], Vec::as_slice);
    let wasted = samples.iter().filter_map(|sample| Some((sample.at, sample.figures.bloat?)));
    let level = figures.bloat.map(|bloat| settings.bloat.level(bloat.percent));
    let is_bloated = level >= Some(Bloat::Warning);
    let named = qualified(&names.schema, &names.index);
    Bloated {
        key: index.key,
        database: &names.database,
        schema: &names.schema,
        table: &names.table,
        index: Some(&names.index),
        size_bytes: figures.size_bytes,
        live_tuples: None,
        dead_tuples: None,
        bloat: figures.bloat,
        withheld: figures.withheld,
        is_stale: false,
        level,
        trend: trend(wasted),
        cause: is_bloated.then_some(Cause::NeedsReindex),
        advice: is_bloated.then(|| "build the index anew; its table stays in use".to_owned()),
        statement: is_bloated.then(|| format!("REINDEX INDEX CONCURRENTLY {named};")),
    }
}

/// Statistics that are stale now and were not at some time before.
fn is_stale(figures: &TableFigures, samples: &[Sample<TableFigures>]) -> bool {
    let is_better = |bloat: relation::Bloat| bloat.method != Method::DeadTuples;
    figures.withheld == Some(Withheld::StaleStatistics)
        && samples.iter().any(|sample| sample.figures.bloat.is_some_and(is_better))
}

/// Only of one method: a change of it is no growth.
fn trend(wasted: impl Iterator<Item = (WallTime, relation::Bloat)>) -> Option<Trend> {
    let wasted: Vec<_> = wasted.collect();
    let method: Method = wasted.last()?.1.method;
    let same = wasted.iter().filter(|(_, bloat)| bloat.method == method);
    forecast::trend(&same.map(|(at, bloat)| (*at, bloat.wasted_bytes as f64)).collect::<Vec<_>>())
}

fn cause(table: &Table, set: &Set) -> Cause {
    let figures = &table.figures;
    let all = figures.live_tuples.saturating_add(figures.dead_tuples).max(1);
    let dead_percent = 100.0 * figures.dead_tuples as f64 / all as f64;
    let is_off = setting(table, "autovacuum_enabled").is_some_and(is_false)
        || set.server.settings.iter().any(|one| one.name == "autovacuum" && is_false(&one.value));
    if dead_percent < DEAD_PERCENT && is_off {
        return Cause::AutovacuumOff;
    }
    if dead_percent < DEAD_PERCENT {
        return Cause::NeedsRepacking;
    }
    if let Some(holder) = holder::oldest(set) {
        return Cause::Held(holder);
    }
    if is_off {
        return Cause::AutovacuumOff;
    }
    if figures.dead_tuples as f64 > begins_at(table, set) { Cause::VacuumDue } else { Cause::SettingsTooLax }
}

/// Dead rows at which autovacuum begins: a number and a share of the rows, from PostgreSQL 18 on up to a limit.
fn begins_at(table: &Table, set: &Set) -> f64 {
    let read = |name: &str, usual: f64| {
        let own = setting(table, name).map(str::to_owned);
        let servers = || set.server.settings.iter().find(|one| one.name == name).map(|one| one.value.clone());
        own.or_else(servers).and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let scale = read("autovacuum_vacuum_scale_factor", USUAL_SCALE);
    let dead = read("autovacuum_vacuum_threshold", USUAL_THRESHOLD) + scale * table.figures.live_tuples as f64;
    let most = read("autovacuum_vacuum_max_threshold", -1.0);
    if most < 0.0 { dead } else { dead.min(most) }
}

/// A table's own storage parameter.
fn setting<'a>(table: &'a Table, name: &str) -> Option<&'a str> {
    table.definition.options.iter().find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
}

fn is_false(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "off" | "false" | "no" | "0")
}

/// What to say and what to run.
fn advice(cause: &Cause, table: &Table) -> (String, String) {
    let named = qualified(&table.names.schema, &table.names.table);
    let set = |parameters: &str| format!("ALTER TABLE {named} SET ({parameters});");
    match cause {
        Cause::Held(holder) => {
            let (what, age) = (&holder.what, holder.age);
            let why = format!(
                "vacuum can't remove its dead rows: {what} may still see {age} transactions back; end that first"
            );
            (why, format!("{}\nVACUUM (ANALYZE) {named};", holder.statement))
        }
        Cause::AutovacuumOff => {
            ("autovacuum is off: turn it on for this table".to_owned(), set("autovacuum_enabled = on"))
        }
        Cause::SettingsTooLax => (
            "autovacuum waits for too many dead rows in a table of this size: let it begin earlier".to_owned(),
            set(&format!("autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = {USUAL_THRESHOLD}")),
        ),
        Cause::VacuumDue => (
            "vacuum is due and has not come: run it, and see whether autovacuum's workers are enough".to_owned(),
            format!("VACUUM (ANALYZE) {named};"),
        ),
        Cause::NeedsRepacking => {
            // pg_repack takes the name as SQL writes it, in a shell's single quotes.
            let shell = named.replace('\'', "'\\''");
            let database = table.names.database.replace('\'', "'\\''");
            (
                "the space is free inside the table and returns to the disk only when it is written anew: pg_repack does \
                 that without a long lock; where new rows will fill it anyway, leave it"
                    .to_owned(),
                format!("pg_repack --dbname='{database}' --table='{shell}'"),
            )
        }
        Cause::NeedsReindex => ("build its indexes anew".to_owned(), format!("REINDEX TABLE CONCURRENTLY {named};")),
    }
}

impl Judge<'_> {
    /// *High bloat*: the ratio beyond its threshold, and enough bytes of it.
    pub fn bloat(&self, at: WallTime, bloated: &[Bloated<'_>]) -> Vec<Finding> {
        let enough = bloated.iter().filter(|one| one.wasted_bytes() >= self.settings.bloat_min_wasted_bytes);
        let findings = enough.filter_map(|one| {
            let bloat = one.bloat?;
            self.finding(Kind::HighBloat, one.subject(), at, bloat.percent, |shown, _| {
                let wasted = Unit::Bytes.show(bloat.wasted_bytes as f64);
                let name = one.index.unwrap_or(one.table);
                let (schema, method) = (one.schema, bloat.method.as_str());
                let advice = one.advice.as_deref().unwrap_or("see metric=bloat");
                format!("{schema}.{name} is bloated by {shown}, {wasted} ({method}): {advice}")
            })
        });
        findings.collect()
    }
}
