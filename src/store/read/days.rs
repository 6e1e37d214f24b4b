//! A server's statements on one day, and in the week before it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::question::{Question, Wanted, Whose};
use super::statements;
use crate::analyze::days::{Compared, Day, day};
use crate::analyze::level::days;
use crate::base::units::WallTime;
use crate::sql::hash::QueryHash;
use crate::sql::kind::Class;
use crate::stats::live::{Filter, Window};
use crate::stats::series::SeriesStats;
use crate::store::error::Error;
use crate::store::link::Link;

/// Of each list so many statements are described.
const DESCRIBED: usize = 1_000;

/// What changed.
#[derive(Clone, Debug, Default)]
pub struct Days {
    /// The day.
    pub from: WallTime,
    /// Its end.
    pub to: WallTime,
    /// Statements of which something changed.
    pub changed: Vec<Compared>,
    /// What all data statements took on the day, in ms.
    pub total_ms: f64,
}

impl Days {
    /// What that was.
    pub fn day(&self) -> Day<'_> {
        day(&self.changed, self.from)
    }
}

/// The day from `from` to `to`. Sums tell what changed; only statements that did are described.
pub(super) async fn read(link: &Link, server: &str, from: WallTime, to: WallTime) -> Result<Days, Error> {
    let question = |from, to| Question {
        window: Window { from, to },
        filter: Filter { server: Some(server.to_owned()), ..Filter::default() },
        whose: Whose::All,
        wanted: Wanted::default(),
    };
    let rows = statements::dated_sums(link, &question(from, to)).await?;
    let before = statements::dated_sums(link, &question(from.before(days(7)), from)).await?;
    let key = |hash: QueryHash, database: &Option<Box<str>>| (hash, database.clone());
    let mut before: HashMap<_, SeriesStats> =
        before.into_iter().map(|(row, _)| (key(row.query.query.hash, &row.database), row.stats)).collect();
    let mut found = Days { from, to, ..Days::default() };
    let mut all: Vec<Compared> = Vec::new();
    for (row, first_seen) in rows {
        if row.query.class == Class::Data {
            found.total_ms += row.stats.total.as_millis_f64();
        }
        let week = before.remove(&key(row.query.query.hash, &row.database)).unwrap_or_default();
        all.push(Compared { row, week, first_seen });
    }
    let changed = day(&all, from);
    let named: BTreeSet<QueryHash> = changed
        .lists()
        .into_iter()
        .flat_map(|list| list.iter().take(DESCRIBED))
        .map(|figures| figures.of.row.query.query.hash)
        .collect();
    let named: Vec<QueryHash> = named.into_iter().collect();
    let known = statements::known(link, &named).await?;
    let known: HashMap<QueryHash, _> = known.into_iter().map(|known| (known.query.hash, Arc::new(known))).collect();
    for mut statement in all {
        if let Some(known) = known.get(&statement.row.query.query.hash) {
            statement.row.query = Arc::clone(known);
            found.changed.push(statement);
        }
    }
    Ok(found)
}
