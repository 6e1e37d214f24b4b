//! What tests of this room build their cases from.

use std::sync::Arc;

use crate::base::sqlstate::Sqlstate;
use crate::base::units::{Nanos, Stamp, WallTime};
use crate::session::identity::Identity;
use crate::session::observation::{Observation, Outcome};
use crate::sql::hash::QueryHash;
use crate::sql::kind::Kind;
use crate::sql::query::Query;

/// A statement with this canonical text, of the kind of its first word.
pub(crate) fn query(text: &str) -> Arc<Query> {
    let word = text.split(' ').next().unwrap_or_default();
    let kind = Kind::ALL.iter().copied().find(|kind| kind.as_str() == word).unwrap_or(Kind::Other);
    Arc::new(Query { hash: QueryHash::of(text), kind, text: text.into() })
}

/// A session's identity on the server `db:5432`.
pub(crate) fn identity(database: &str, application: &str) -> Arc<Identity> {
    Arc::new(Identity::new(Arc::from("db:5432"), database, "alice", application))
}

/// One plain execution that ended well and had one row.
pub(crate) fn observation(query: &Arc<Query>, identity: &Arc<Identity>, duration: Nanos) -> Observation {
    Observation {
        query: Arc::clone(query),
        identity: Arc::clone(identity),
        start: Stamp::from_nanos(0),
        duration,
        batch: None,
        first_row: Some(duration),
        client_stall: Nanos::ZERO,
        rows: 1,
        bytes_in: 40,
        bytes_out: 100,
        outcome: Outcome::Completed,
        tags: None,
        trace: None,
    }
}

/// The `n`th of many SQLSTATEs.
pub(crate) fn code(n: usize) -> Sqlstate {
    Sqlstate::parse(format!("22{n:03}").as_bytes()).expect("five digits")
}

/// Seconds into the epoch's first hours.
pub(crate) fn at(seconds: i64) -> WallTime {
    WallTime::from_unix_micros(seconds * 1_000_000)
}
