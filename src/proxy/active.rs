//! What a worker's sessions are doing at the moment of its harvest.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::watched::Watched;
use crate::base::units::{Nanos, Stamp, WallTime};
use crate::session::Session;
use crate::session::observation::{FlightState, InFlight};
use crate::session::parameters::json;
use crate::stats::harvest::{Harvest, RUNNING};
use crate::stats::live::{ActiveState, ActiveStatement, ActiveTransaction, Reason, SlowExecution};

/// Adds statements in flight, open transactions and the number of open sessions to `harvest`; once also what has been in
/// flight for long, with its `parameters` if they are wanted.
pub(crate) fn list<'a>(
    watched: impl Iterator<Item = &'a Watched>,
    now: Stamp,
    parameters: bool,
    harvest: &mut Harvest,
) {
    for watched in watched {
        watched.rest();
        let Some(session) = watched.session() else { continue };
        // A session that can't say what it does is left out; it is opaque from its next chunk on.
        drop(catch_unwind(AssertUnwindSafe(|| add(watched, &session, now, parameters, harvest))));
    }
}

fn add(watched: &Watched, session: &Session, now: Stamp, parameters: bool, harvest: &mut Harvest) {
    harvest.open_sessions += u64::from(session.started());
    if let Some(flight) = session.in_flight() {
        let age = now.since(flight.start);
        if age >= RUNNING && watched.is_news(flight.start) {
            let execution = running(&flight, age, harvest.at, parameters);
            harvest.running(execution);
        }
        harvest.active.push(ActiveStatement {
            query: flight.query,
            age,
            state: match flight.state {
                FlightState::Running => ActiveState::Running,
                FlightState::Fetching => ActiveState::Fetching,
                FlightState::WaitingForClient => ActiveState::WaitingForClient,
            },
            identity: flight.identity,
            tags: flight.details.as_ref().and_then(|details| details.tags.clone()),
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

/// An execution that has not ended, as it stands.
fn running(flight: &InFlight, age: Nanos, at: WallTime, parameters: bool) -> SlowExecution {
    let details = flight.details.as_deref();
    SlowExecution {
        reason: Reason::Running,
        at,
        query: Arc::clone(&flight.query),
        identity: Arc::clone(&flight.identity),
        duration: age,
        statements: 1,
        first_row: flight.first_row,
        client_stall: Nanos::ZERO,
        rows: 0,
        error: None,
        tags: details.and_then(|details| details.tags.clone()),
        trace: details.and_then(|details| details.trace),
        parameters: details.filter(|_| parameters).and_then(json).map(Arc::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::identity::StartupParameters;
    use crate::session::observation::{Event, Observer};
    use crate::sql::fingerprint::Fingerprinter;

    /// Hears nothing.
    struct Deaf;

    impl Observer for Deaf {
        fn observe(&mut self, _: Event) {}
    }

    fn second(seconds: u64) -> Stamp {
        Stamp::from_nanos(seconds * 1_000_000_000)
    }

    fn query(text: &str) -> Vec<u8> {
        [b"Q", &(text.len() as u32 + 5).to_be_bytes()[..], text.as_bytes(), b"\0"].concat()
    }

    /// What is told of single executions at a second.
    fn told(watched: &Watched, seconds: u64) -> Vec<(Reason, u64)> {
        let mut harvest = Harvest::empty(WallTime::from_unix_micros(0));
        list([watched].into_iter(), second(seconds), false, &mut harvest);
        harvest.single().map(|one| (one.reason, one.duration.get() / 1_000_000_000)).collect()
    }

    #[test]
    fn a_statement_that_has_run_for_30_s_is_told_once() {
        let startup = StartupParameters { user: b"app", ..StartupParameters::default() };
        let mut session = Session::new("db".into(), second(0), &startup);
        let mut fingerprinter = Fingerprinter::new(1 << 10, 7);
        session.server_bytes(b"Z\0\0\0\x05I", second(0), &mut Deaf);
        session.client_bytes(&query("select pg_sleep(99)"), second(1), &mut fingerprinter, &mut Deaf);
        let watched = Watched::new(session);
        let all: Vec<_> = (2..60).flat_map(|now| told(&watched, now)).collect();
        assert_eq!(all, [(Reason::Running, 30)]);

        let answer = b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I";
        watched.with(|session| {
            session.server_bytes(answer, second(60), &mut Deaf);
            session.client_bytes(&query("select pg_sleep(99)"), second(61), &mut fingerprinter, &mut Deaf);
        });
        let all: Vec<_> = (61..120).flat_map(|now| told(&watched, now)).collect();
        assert_eq!(all, [(Reason::Running, 30)], "the next one is told of, too");
    }
}
