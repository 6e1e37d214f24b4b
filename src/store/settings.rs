//! What the owner may set.

use std::path::PathBuf;
use std::time::Duration;

use super::schema::Schema;
use crate::pgclient::target::Target;
use crate::runtime::clock::chance;

/// The store, and how it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where it is.
    pub target: Target,
    /// The schema of its tables.
    pub schema: Schema,
    /// How often closed minutes, slow statements and errors are written.
    pub flush_interval: Duration,
    /// Where the journal lies; without one minutes wait in memory alone.
    pub spool_dir: Option<PathBuf>,
    /// What the journal may take, in bytes.
    pub spool_max: u64,
    /// What the tables may take, in bytes.
    pub max_size: u64,
    /// How long a connection stays open after a write, where the next one may come in time to use it.
    pub idle_close: Duration,
    /// How long rows are kept.
    pub retention: Retention,
}

impl Settings {
    /// How long a closed minute waits. A fleet closes its minutes all at once, and a server takes only so many connections:
    /// writers come by chance within the interval, none of them at its end.
    pub(super) fn spread(&self) -> Duration {
        chance(self.flush_interval.mul_f64(0.8))
    }

    /// How long a connection is kept after a write: not at all where the next write comes too late to find it.
    pub(super) fn kept(&self) -> Duration {
        if self.flush_interval > self.idle_close { Duration::ZERO } else { self.idle_close }
    }

    /// Keys whose values differ; none of them changes while pgvitals runs.
    pub fn changed(old: Option<&Self>, new: Option<&Self>) -> Vec<&'static str> {
        let (Some(old), Some(new)) = (old, new) else {
            return if old == new { Vec::new() } else { vec!["store.url"] };
        };
        let same = [
            ("store.url", old.target == new.target),
            ("store.schema", old.schema == new.schema),
            ("store.flush_interval", old.flush_interval == new.flush_interval),
            ("store.spool_dir", old.spool_dir == new.spool_dir),
            ("store.spool_max", old.spool_max == new.spool_max),
            ("store.max_size", old.max_size == new.max_size),
            ("store.idle_close", old.idle_close == new.idle_close),
            ("store.retention", old.retention == new.retention),
        ];
        same.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
    }
}

/// How long rows are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// `None`: what fits the size of the fleet.
    pub minutes: Option<Duration>,
    /// Rolled up by the hour.
    pub hours: Duration,
    /// Rolled up by the day.
    pub days: Duration,
    /// Single executions.
    pub slow: Duration,
    /// Errors and tags.
    pub errors: Duration,
    /// What was seen in databases.
    pub snapshots: Duration,
}
