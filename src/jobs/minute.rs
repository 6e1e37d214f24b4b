//! The facts of the last minutes to findings, wherever they come from: the tables of a fleet, or one process's memory.

use std::collections::{BTreeMap, BTreeSet};

use crate::analyze;
use crate::analyze::alert::{Finding, Look};
use crate::analyze::judge::{Execution, Idle, Judge, Own};
use crate::analyze::kind::Kind;
use crate::analyze::statements::Failures;
use crate::base::units::{Nanos, WallTime};
use crate::store::alerts::facts::Facts;

/// Whose alerts are pgvitals' own: they are about no monitored server.
pub(super) const OWN: &str = "pgvitals";

/// Kinds that are judged of every server.
const OF_SERVERS: [Kind; 4] = [Kind::SlowStatement, Kind::ErrorRate, Kind::IdleInTransaction, Kind::UpstreamDown];
/// Kinds that are judged of pgvitals.
const OF_US: [Kind; 3] = [Kind::Clock, Kind::SamplesDropped, Kind::PartitionsAhead];

/// What was looked at, and what was found. Without an instant up to which something is known, nothing was looked at.
pub(super) fn findings(rules: &analyze::Settings, facts: &Facts) -> (Vec<Look>, Vec<Finding>) {
    let (mut looks, mut findings) = (Vec::new(), Vec::new());
    let Some(at) = facts.at else { return (looks, findings) };
    for server in &facts.servers {
        looks.extend(OF_SERVERS.map(|kind| look(server, kind, at)));
        findings.extend(of_server(&Judge { settings: rules, server }, facts));
    }
    looks.extend(OF_US.map(|kind| look(OWN, kind, at)));
    let dropped = facts.said.iter().flat_map(|said| &said.conditions.dropped);
    let mut by_reason: BTreeMap<&str, u64> = BTreeMap::new();
    dropped.for_each(|(reason, count)| *by_reason.entry(reason).or_default() += count);
    let own = Own { at, partitions_ahead_days: facts.days_ahead, clocks: facts.clocks.clone(), ..Own::default() };
    let judge = Judge { settings: rules, server: OWN };
    findings.extend(judge.own(&own));
    // Seen when it was said, so that it is counted once.
    if let Some(at) = facts.said.iter().filter(|said| !said.conditions.dropped.is_empty()).map(|said| said.at).max() {
        let dropped = by_reason.into_iter().map(|(reason, count)| (reason.to_owned(), count)).collect();
        findings.extend(judge.own(&Own { at, dropped, ..Own::default() }));
    }
    (looks, findings)
}

fn of_server(judge: &Judge<'_>, facts: &Facts) -> Vec<Finding> {
    let executions: Vec<Execution> = of(&facts.executions, judge.server);
    let failures: Vec<Failures> = of(&facts.failures, judge.server);
    let mut findings = judge.slow_statements(&executions);
    findings.extend(judge.error_rates(&failures));
    let idle = facts.said.iter().flat_map(|said| {
        let sessions = said.conditions.idle.iter().filter(|session| session.server == judge.server);
        sessions.map(|session| session.seen(said.at))
    });
    let idle: Vec<Idle> = idle.collect();
    findings.extend(judge.idle_in_transaction(&idle));
    let down = facts.said.iter().flat_map(|said| {
        let down = said.conditions.down.iter().filter(|down| down.server == judge.server);
        down.map(|down| (WallTime::from_unix_micros(down.since_us), said.at))
    });
    if let Some((since, at)) = down.min_by_key(|(since, _)| *since) {
        findings.extend(judge.own(&Own { at, upstream_down_since: Some(since), ..Own::default() }));
    }
    findings
}

fn of<T: Clone>(facts: &[(String, T)], server: &str) -> Vec<T> {
    facts.iter().filter(|(of, _)| of == server).map(|(_, fact)| fact.clone()).collect()
}

pub(super) fn look(server: &str, kind: Kind, at: WallTime) -> Look {
    Look { server: server.to_owned(), kind, at, blind: BTreeSet::new(), unknown: BTreeSet::new() }
}

/// The least threshold of slow statements: quicker ones are not even read.
pub(super) fn slow_least(rules: &analyze::Settings) -> Nanos {
    Nanos::new((rules.least(Kind::SlowStatement) * 1e6) as u64)
}
