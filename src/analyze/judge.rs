//! Facts of the last minutes to findings: statements, sessions, and pgvitals itself. Facts of snapshots: [`crate::analyze::server`].

use std::collections::BTreeMap;

use crate::analyze::alert::{Finding, Sighting, Subject};
use crate::analyze::kind::{Kind, Severity};
use crate::analyze::settings::Settings;
use crate::base::units::{Nanos, WallTime};
use crate::sql::hash::QueryHash;
use crate::sql::kind::Class;

/// One execution that was kept by itself.
#[derive(Clone, PartialEq, Debug)]
pub struct Execution {
    /// When it completed; of one that still runs, when that was written down.
    pub at: WallTime,
    /// Where.
    pub database: String,
    /// Its statement.
    pub query_hash: QueryHash,
    /// What the statement is for; only [`Class::Data`] is judged.
    pub class: Class,
    /// Operations and targets, for people.
    pub summary: String,
    /// So far, if it still runs.
    pub duration: Nanos,
    /// In flight for 30 s.
    pub is_running: bool,
    /// Its comment says `pgvitals:no-alert`.
    pub is_exempt: bool,
}

/// A session that is idle in its transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Idle {
    /// When this was so.
    pub at: WallTime,
    /// Whose, where.
    pub database: String,
    /// As above.
    pub user: String,
    /// As above.
    pub application: String,
    /// For how long.
    pub idle: Nanos,
    /// The last statement that completed in it.
    pub after: Option<QueryHash>,
}

/// What pgvitals knows of itself, at one time; `None`: nothing.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Own {
    /// When this was so.
    pub at: WallTime,
    /// Since when the server can't be reached.
    pub upstream_down_since: Option<WallTime>,
    /// Since when the store takes nothing, and what it says.
    pub store_down_since: Option<(WallTime, String)>,
    /// For how many days the store has partitions.
    pub partitions_ahead_days: Option<f64>,
    /// Instances and how far their clocks are off the store's.
    pub clocks: Vec<(String, Nanos)>,
    /// Reasons and how many samples each took since the last look.
    pub dropped: Vec<(String, u64)>,
}

/// Judges one server by what its owner set.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// Levels, overrides.
    pub settings: &'a Settings,
    /// The monitored server.
    pub server: &'a str,
}

impl Judge<'_> {
    /// What `value` says of a subject at one time; `None` when it is within its threshold.
    pub fn finding(
        &self,
        kind: Kind,
        subject: Subject,
        at: WallTime,
        value: f64,
        message: impl FnOnce(&str, &str) -> String,
    ) -> Option<Finding> {
        let thresholds = kind.thresholds(self.settings, subject.database.as_deref(), subject.query_hash)?;
        let severity = kind.severity(value, thresholds)?;
        let (shown, bound) = (kind.unit().show(value), kind.unit().show(thresholds.first));
        Some(Finding {
            server: self.server.to_owned(),
            kind,
            threshold: thresholds.first,
            message: message(&shown, &bound),
            sightings: vec![Sighting { at, value, severity }],
            subject,
        })
    }

    /// *Slow statement*: executions beyond their threshold, by database and statement.
    pub fn slow_statements(&self, executions: &[Execution]) -> Vec<Finding> {
        let judged = executions.iter().filter(|one| one.class == Class::Data && !one.is_exempt);
        let mut by_statement: BTreeMap<(&str, QueryHash), Vec<&Execution>> = BTreeMap::new();
        for execution in judged {
            by_statement.entry((&execution.database, execution.query_hash)).or_default().push(execution);
        }
        by_statement.into_values().filter_map(|executions| self.slow_statement(&executions)).collect()
    }

    fn slow_statement(&self, executions: &[&Execution]) -> Option<Finding> {
        let worst = executions.iter().max_by_key(|execution| execution.duration)?;
        let subject = Subject::statement(&worst.database, worst.query_hash);
        let kind = Kind::SlowStatement;
        let message = |shown: &str, bound: &str| {
            let took = if worst.is_running { "has been running for" } else { "took" };
            format!("{} in {} {took} {shown}, more than {bound}", worst.summary, worst.database)
        };
        let mut finding = self.finding(kind, subject, worst.at, worst.duration.as_millis_f64(), message)?;
        let thresholds = kind.thresholds(self.settings, Some(&worst.database), Some(worst.query_hash))?;
        let sightings = executions.iter().filter_map(|execution| {
            let value = execution.duration.as_millis_f64();
            Some(Sighting { at: execution.at, value, severity: kind.severity(value, thresholds)? })
        });
        finding.sightings = sightings.collect();
        Some(finding)
    }

    /// *Idle in transaction*: the longest of each user, database and application.
    pub fn idle_in_transaction(&self, sessions: &[Idle]) -> Vec<Finding> {
        let mut longest: BTreeMap<(&str, &str, &str), &Idle> = BTreeMap::new();
        for one in sessions {
            let held = longest.entry((&one.database, &one.user, &one.application)).or_insert(one);
            if held.idle < one.idle {
                *held = one;
            }
        }
        let findings = longest.into_values().filter_map(|one| {
            let subject = Subject::of(&one.database, format!("{} {}", one.user, one.application).trim_end());
            let after = one.after.map_or_else(String::new, |hash| format!(", after statement {hash}"));
            self.finding(Kind::IdleInTransaction, subject, one.at, one.idle.as_secs_f64(), |shown, _| {
                format!(
                    "a session of {} ({}) in {} has been idle in its transaction for {shown}{after}; it holds locks and \
                     keeps dead rows: end the transaction, or set idle_in_transaction_session_timeout",
                    one.user, one.application, one.database
                )
            })
        });
        findings.collect()
    }

    /// What pgvitals says of itself and of its two neighbours.
    pub fn own(&self, own: &Own) -> Vec<Finding> {
        let server = self.server;
        let down = |since: WallTime| own.at.since(since).as_secs_f64();
        let find = |kind, subject, value, say: &dyn Fn(&str) -> String| {
            self.finding(kind, subject, own.at, value, |shown, _| say(shown))
        };
        let upstream = own.upstream_down_since.and_then(|since| {
            find(Kind::UpstreamDown, Subject::server(), down(since), &|shown| {
                format!("{server} has not been reachable for {shown}")
            })
        });
        let store = own.store_down_since.as_ref().and_then(|(since, why)| {
            find(Kind::StoreDown, Subject::server(), down(*since), &|shown| {
                format!("the monitoring tables have taken nothing for {shown}: {why}")
            })
        });
        let partitions = own.partitions_ahead_days.and_then(|days| {
            find(Kind::PartitionsAhead, Subject::server(), days, &|shown| {
                format!(
                    "the monitoring tables have partitions for {shown} only; the hourly job makes them, see its last run"
                )
            })
        });
        let clocks = own.clocks.iter().filter_map(|(instance, offset)| {
            find(Kind::Clock, Subject::named(instance), offset.as_secs_f64(), &|shown| {
                format!("the clock of {instance} is {shown} off the store's; its figures are put right, its log is not")
            })
        });
        let dropped = own.dropped.iter().filter_map(|(reason, count)| {
            find(Kind::SamplesDropped, Subject::named(reason), *count as f64, &|shown| {
                format!("{shown} samples were dropped: {reason}; docs/metrics.md says what to do")
            })
        });
        let mut findings: Vec<Finding> = [upstream, store, partitions].into_iter().flatten().collect();
        findings.extend(clocks.chain(dropped));
        findings
    }

    /// A finding that is critical whatever its value.
    pub(super) fn critical(
        &self,
        kind: Kind,
        subject: Subject,
        at: WallTime,
        value: f64,
        message: String,
    ) -> Option<Finding> {
        let thresholds = kind.thresholds(self.settings, subject.database.as_deref(), subject.query_hash)?;
        let sightings = vec![Sighting { at, value, severity: Severity::Critical }];
        Some(Finding { server: self.server.to_owned(), kind, subject, threshold: thresholds.first, message, sightings })
    }
}
