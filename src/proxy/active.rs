//! What a worker's sessions are doing at the moment of its harvest.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::look::Watched;
use crate::base::units::Stamp;
use crate::session::Session;
use crate::session::observation::FlightState;
use crate::stats::harvest::Harvest;
use crate::stats::live::{ActiveState, ActiveStatement, ActiveTransaction};

/// Adds statements in flight, open transactions and the number of open sessions to `harvest`.
pub(crate) fn list<'a>(watched: impl Iterator<Item = &'a Watched>, now: Stamp, harvest: &mut Harvest) {
    for watched in watched {
        watched.rest();
        let Some(session) = watched.session() else { continue };
        // A session that can't say what it does is left out; it is opaque from its next chunk on.
        drop(catch_unwind(AssertUnwindSafe(|| add(&session, now, harvest))));
    }
}

fn add(session: &Session, now: Stamp, harvest: &mut Harvest) {
    harvest.open_sessions += u64::from(session.started());
    if let Some(flight) = session.in_flight() {
        harvest.active.push(ActiveStatement {
            query: flight.query,
            age: now.since(flight.start),
            state: match flight.state {
                FlightState::Running => ActiveState::Running,
                FlightState::Fetching => ActiveState::Fetching,
                FlightState::WaitingForClient => ActiveState::WaitingForClient,
            },
            identity: flight.identity,
            tags: flight.tags,
        });
    }
    if let Some(open) = session.open_transaction() {
        harvest.transactions.push(ActiveTransaction {
            age: now.since(open.start),
            idle: open.idle_since.map(|since| now.since(since)),
            statements: open.statements,
            last_query: open.last_query,
            identity: open.identity,
        });
    }
}
