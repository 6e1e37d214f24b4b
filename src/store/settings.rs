//! What the owner may set.

use std::path::PathBuf;
use std::time::Duration;

use super::schema::Schema;
use crate::pgclient::target::Target;

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
    /// How long a connection stays open after a write, in a fleet.
    pub idle_close: Duration,
    /// How long rows are kept.
    pub retention: Retention,
}

impl Settings {
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
