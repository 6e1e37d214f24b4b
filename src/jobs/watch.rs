//! What of the facts only this process knows: its sessions, its server, what it had to drop. With a store it says them
//! there; without one all that is judged is made here.

use std::collections::BTreeMap;

use super::minute::slow_least;
use crate::analyze;
use crate::analyze::judge::Execution;
use crate::analyze::kind::Kind;
use crate::base::telemetry::{Dropped, Telemetry};
use crate::base::units::{Nanos, WallTime};
use crate::sql::hash::QueryHash;
use crate::sql::kind::Class;
use crate::sql::statement::Tags;
use crate::stats::live::{Filter, LiveView, Reason, Window};
use crate::store::alerts::conditions::{Conditions, Down, IdleSession, Said};
use crate::store::alerts::facts::Facts;

/// A statement in flight for so long is judged before it ends.
const RUNNING: Nanos = Nanos::from_millis(30_000);
/// Executions of so long ago are judged.
const EXECUTIONS: Nanos = Nanos::from_millis(15 * 60_000);
/// Idle sessions that are said; the longest.
const IDLE_MAX: usize = 100;

/// What was said before, for what is told as a difference.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Of each reason what somebody was told of, and what there was at the last look.
    told: BTreeMap<&'static str, u64>,
    dropped: BTreeMap<&'static str, u64>,
    down: BTreeMap<String, WallTime>,
}

impl Watch {
    /// What this process has to say; `down` are servers that can't be reached now. Samples that were dropped are in it again
    /// until they were [`Watch::heard`]: it is while the store is away that most are dropped.
    pub(super) fn conditions(
        &mut self,
        rules: &analyze::Settings,
        view: &LiveView,
        telemetry: &Telemetry,
        down: Vec<String>,
        now: WallTime,
    ) -> Conditions {
        self.down.retain(|server, _| down.contains(server));
        for server in down {
            self.down.entry(server).or_insert(now);
        }
        let down =
            self.down.iter().map(|(server, since)| Down { server: server.clone(), since_us: since.unix_micros() });
        Conditions { idle: idle(rules, view), down: down.collect(), dropped: self.dropped(telemetry) }
    }

    fn dropped(&mut self, telemetry: &Telemetry) -> Vec<(String, u64)> {
        let mut news = Vec::new();
        for reason in Dropped::ALL.iter().filter(|reason| reason.is_loss()) {
            let (name, total) = (reason.as_str(), telemetry.dropped_total(*reason));
            self.dropped.insert(name, total);
            let told = self.told.get(name).copied().unwrap_or_default();
            if total > told {
                news.push((name.to_owned(), total - told));
            }
        }
        news
    }

    /// Somebody was told of the conditions as they were last.
    pub(super) fn heard(&mut self) {
        self.told.clone_from(&self.dropped);
    }
}

fn idle(rules: &analyze::Settings, view: &LiveView) -> Vec<IdleSession> {
    let least = rules.least(Kind::IdleInTransaction);
    let sessions = view.active_transactions().iter().filter_map(|open| {
        let idle = open.idle.filter(|idle| idle.as_secs_f64() > least)?;
        Some(IdleSession {
            server: open.identity.server.to_string(),
            database: open.identity.database.to_string(),
            user: open.identity.user.to_string(),
            application: open.identity.application.to_string(),
            idle_us: idle.as_micros(),
            after: open.last_query.as_ref().map(|query| query.hash.to_string()),
        })
    });
    let mut sessions: Vec<IdleSession> = sessions.collect();
    sessions.sort_by_key(|session| std::cmp::Reverse(session.idle_us));
    sessions.truncate(IDLE_MAX);
    sessions
}

/// All that memory knows, as the tables would say it.
pub(super) fn facts(rules: &analyze::Settings, view: &LiveView, servers: &[String], conditions: Conditions) -> Facts {
    let at = view.at();
    let said = vec![Said { instance: String::new(), at, conditions }];
    Facts { at: Some(at), servers: servers.to_vec(), executions: executions(rules, view), said, ..Facts::default() }
}

fn executions(rules: &analyze::Settings, view: &LiveView) -> Vec<(String, Execution)> {
    let least = slow_least(rules);
    let window = Window { from: view.at().before(EXECUTIONS), to: view.at().after(Nanos::from_micros(1)) };
    let ended = view.slow(window, least, &Filter::default());
    // What was seen running is among the active ones, or has ended.
    let ended = ended.iter().filter(|slow| slow.reason == Reason::Slow).map(|slow| {
        let exempt = is_exempt(slow.tags.as_deref());
        let execution = execution(view, slow.query.hash, slow.at, slow.duration, false, exempt);
        (&slow.identity, execution)
    });
    let running = view.active_statements().iter().filter(|running| running.age >= RUNNING).map(|running| {
        let exempt = is_exempt(running.tags.as_deref());
        (&running.identity, execution(view, running.query.hash, view.at(), running.age, true, exempt))
    });
    let named = ended.chain(running).map(|(identity, execution)| {
        (identity.server.to_string(), Execution { database: identity.database.to_string(), ..execution })
    });
    named.collect()
}

fn execution(
    view: &LiveView,
    query_hash: QueryHash,
    at: WallTime,
    duration: Nanos,
    is_running: bool,
    is_exempt: bool,
) -> Execution {
    let known = view.query(query_hash);
    let summary = known.as_ref().map(|known| known.summary.to_string()).filter(|summary| !summary.is_empty());
    Execution {
        at,
        database: String::new(),
        query_hash,
        class: known.as_ref().map_or(Class::Data, |known| known.class),
        summary: summary.unwrap_or_else(|| query_hash.to_string()),
        duration,
        is_running,
        is_exempt,
    }
}

/// `/* pgvitals:no-alert */`
fn is_exempt(tags: Option<&Tags>) -> bool {
    tags.is_some_and(|tags| tags.pairs.iter().any(|(key, value)| (&**key, &**value) == ("pgvitals", "no-alert")))
}
