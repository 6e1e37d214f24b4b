//! What a session tells of one execution: the one place that fills in all fields. `benches/recorder.rs` uses it too.

use std::sync::Arc;

use crate::base::units::{Nanos, Stamp};
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
        details: None,
    }
}
