//! Who judges and when (DESIGN §7): once a minute while there is something to judge. With a store it is the one that has
//! the lease, `pgvitals serve` where there is one, of all instances together; each process says there what only it knows.
//! Without a store each judges its own memory.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::watch;
use tokio::time::{sleep, sleep_until};

use super::lease::RENEW;
use super::ledger::Ledger;
use super::minute::{self, OWN, look};
use super::presence::Role;
use super::watch::{Watch, facts};
use crate::analyze;
use crate::analyze::alert::{Alert, Finding, Look};
use crate::analyze::judge::{Judge, Own};
use crate::analyze::kind::Kind;
use crate::base::telemetry::Telemetry;
use crate::base::units::{Nanos, WallTime};
use crate::runtime::clock::{Clock, chance, deadline};
use crate::runtime::shutdown::{Phase, Shutdown};
use crate::stats::live::LiveView;
use crate::store::alerts::{conditions, facts as tables, judging};
use crate::store::batch::Origin;
use crate::store::error::Error;
use crate::store::link::Link;
use crate::store::settings::Settings;
use crate::store::status::Status;
use crate::store::upkeep;

/// The duty in `leases`.
const JUDGE: &str = "judge";
/// Hours settle for so long before they are compared with their past.
const SETTLE: Nanos = Nanos::from_millis(6 * 60_000);
const HOUR_US: i64 = 3_600_000_000;
/// A store that hasn't answered a question by then is away, too: a round that hangs on it says nothing of the server either.
const ANSWER_MAX: Duration = Duration::from_secs(120);
/// The lease is given back at the end, if that is quick.
const END_MAX: Duration = Duration::from_secs(2);

/// What the owner may set of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rhythm {
    /// `alerts.interval`: how often alerts are judged.
    pub interval: Duration,
}

/// Says which monitored servers can't be reached.
pub trait Upstreams: Send + Sync {
    /// Their names. Asks nobody unless the newest connection failed.
    fn down(&self) -> Pin<Box<dyn Future<Output = Vec<String>> + Send + '_>>;
}

/// The store, as who judges needs it.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Where it is.
    pub settings: Settings,
    /// Who we are.
    pub origin: Arc<Origin>,
    /// How far our writer has come.
    pub status: Arc<Status>,
}

/// What judging needs.
#[derive(Clone, Debug)]
pub struct Parts {
    /// What this process is in a fleet.
    pub role: Role,
    /// Thresholds.
    pub rules: analyze::Settings,
    /// How often.
    pub rhythm: Rhythm,
    /// Whose local time statements' hours follow.
    pub zone: TimeZone,
    /// The monitored servers.
    pub servers: Vec<String>,
    /// The store, if there is one.
    pub store: Option<Stored>,
    /// What was dropped.
    pub telemetry: Arc<Telemetry>,
    /// Where alerts are kept.
    pub ledger: Ledger,
    /// The process's clock.
    pub clock: Clock,
    /// The process's phases.
    pub shutdown: Shutdown,
}

/// Runs until the process drains, on what memory shows.
pub async fn run(parts: Parts, live: watch::Receiver<LiveView>, upstreams: Arc<dyn Upstreams>) {
    let now = parts.clock.wall();
    parts.servers.iter().for_each(|server| parts.ledger.meet(server, now));
    let shutdown = parts.shutdown.clone();
    let lead = Arc::new(Lead::default());
    let keeping = lead.keep(parts.clone());
    let mut rounds =
        Rounds { parts, live, upstreams, watch: Watch::default(), fleet: Fleet::default(), lead: Arc::clone(&lead) };
    tokio::select! {
        () = rounds.run() => {}
        () = keeping => {}
        () = shutdown.reached(Phase::Draining) => {}
    }
    tokio::time::timeout(END_MAX, rounds.end()).await.unwrap_or_default();
}

/// The lease, as long as it is renewed.
#[derive(Default)]
struct Lead(AtomicBool);

impl Lead {
    /// Renews it while it is held, whatever the rounds take: who takes over when we are gone need not wait for longer than it
    /// lasts.
    async fn keep(&self, parts: Parts) {
        let Some(store) = &parts.store else { return std::future::pending().await };
        loop {
            sleep(RENEW).await;
            if !self.is_held() {
                continue;
            }
            let renewed = in_time(async {
                let link = Link::open(&store.settings, parts.clock).await?;
                upkeep::lease(&link, JUDGE, "", store.origin.boot).await
            });
            // That the store is away the next round says.
            if matches!(renewed.await, Ok(false)) {
                self.hold(false);
                parts.ledger.lead(false);
            }
        }
    }

    /// Asks for it, unless it is left to somebody else.
    async fn ask(&self, link: &Link, role: Role, boot: u128) -> Result<bool, Error> {
        let is_left = role.leaves_it(link).await?;
        if is_left && self.is_held() {
            upkeep::release(link, JUDGE, "", boot).await?;
        }
        let is_leader = !is_left && upkeep::lease(link, JUDGE, "", boot).await?;
        self.hold(is_leader);
        Ok(is_leader)
    }

    fn is_held(&self) -> bool {
        self.0.load(Relaxed)
    }

    fn hold(&self, is_held: bool) {
        self.0.store(is_held, Relaxed);
    }
}

async fn in_time<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let answer = tokio::time::timeout(ANSWER_MAX, Box::pin(answer)).await;
    answer.unwrap_or(Err(Error::Timeout(ANSWER_MAX.as_secs())))
}

struct Rounds {
    parts: Parts,
    live: watch::Receiver<LiveView>,
    upstreams: Arc<dyn Upstreams>,
    watch: Watch,
    fleet: Fleet,
    lead: Arc<Lead>,
}

/// What was so at the last round with a store.
#[derive(Default)]
struct Fleet {
    /// Batches of ours that were judged.
    batches: u64,
    /// We said something that is to be taken back.
    has_said: bool,
    /// An alert was open, or something waited to be told: nobody else is to begin with it.
    is_open: bool,
    /// The last hour that was compared with its past.
    hour: Option<WallTime>,
    /// Since when rounds fail, and why.
    failing: Option<(WallTime, String)>,
}

impl Rounds {
    async fn run(&mut self) {
        let mut pause = self.parts.rhythm.interval;
        loop {
            sleep_until(deadline(pause)).await;
            pause = self.round().await;
        }
    }

    /// One round; says when the next is due.
    async fn round(&mut self) -> Duration {
        let now = self.parts.clock.wall();
        let down = self.upstreams.down().await;
        let view = self.live.borrow().clone();
        let parts = &self.parts;
        let said = self.watch.conditions(&parts.rules, &view, &parts.telemetry, down, now);
        let Some(store) = parts.store.clone() else {
            let facts = facts(&parts.rules, &view, &parts.servers, said);
            let (looks, findings) = minute::findings(&parts.rules, &facts);
            parts.ledger.judge(now, &looks, findings, true);
            self.watch.heard();
            return parts.rhythm.interval;
        };
        drop(view);
        self.alone(&said, now);
        match self.together(&store, &said).await {
            Ok(pause) => {
                self.fleet.failing = None;
                pause
            }
            Err(error) => {
                tracing::warn!(%error, "alerts were not judged; it is tried again in a minute");
                self.fleet.failing.get_or_insert((now, error.to_string())).1 = error.to_string();
                self.parts.rhythm.interval
            }
        }
    }

    /// What a process sees alone is in its log and its metrics, whoever has the lease.
    fn alone(&self, said: &conditions::Conditions, now: WallTime) {
        let (rules, ledger) = (&self.parts.rules, &self.parts.ledger);
        let (mut looks, mut findings): (Vec<Look>, Vec<Finding>) = (Vec::new(), Vec::new());
        for server in &self.parts.servers {
            looks.push(look(server, Kind::UpstreamDown, now));
            let down = said.down.iter().find(|down| down.server == *server);
            let since = down.map(|down| WallTime::from_unix_micros(down.since_us));
            findings.extend(Judge { settings: rules, server }.own(&Own {
                at: now,
                upstream_down_since: since,
                ..Own::default()
            }));
        }
        ledger.judge(now, &looks, findings, false);
        // The tables can't say that they are away; who judged last says it, or who never heard that somebody else does.
        let own = Own { at: now, store_down_since: self.fleet.failing.clone(), ..Own::default() };
        let findings = Judge { settings: rules, server: OWN }.own(&own);
        ledger.judge(now, &[look(OWN, Kind::StoreDown, now)], findings, ledger.is_leader());
    }

    /// Says what we know, and judges all that is known, if nobody else does.
    async fn together(&mut self, store: &Stored, said: &conditions::Conditions) -> Result<Duration, Error> {
        let interval = self.parts.rhythm.interval;
        let batches = store.status.counts().batches;
        let (fleet, role) = (&mut self.fleet, self.parts.role);
        let is_idle = batches == fleet.batches && said.is_empty() && !fleet.has_said && !fleet.is_open;
        if is_idle && role == Role::Sidecar && !self.parts.ledger.take_work() {
            self.lead.hold(false);
            return Ok(interval);
        }
        let mut link = Link::open(&store.settings, self.parts.clock).await?;
        if fleet.has_said || !said.is_empty() {
            in_time(conditions::say(&mut link, &store.origin, said)).await?;
            self.watch.heard();
            fleet.has_said = !said.is_empty();
        }
        fleet.batches = batches;
        let is_leader = in_time(self.lead.ask(&link, role, store.origin.boot)).await?;
        self.parts.ledger.lead(is_leader);
        if !is_leader {
            fleet.is_open = false;
            // A fleet does not come all at once; whoever serves comes when it is due.
            let spread = if role == Role::Serve { Duration::ZERO } else { chance(interval / 2) };
            return Ok(interval + spread);
        }
        let facts = in_time(tables::read(&link, minute::slow_least(&self.parts.rules))).await?;
        let (mut looks, mut findings) = minute::findings(&self.parts.rules, &facts);
        let hour = self.hour(&link, &facts, &mut looks, &mut findings).await?;
        let judged = in_time(self.parts.ledger.judge_stored(&link, &looks, findings)).await?;
        self.fleet.hour = hour;
        self.fleet.is_open = !judged.open.is_empty() || judged.is_waiting;
        self.parts.ledger.saw(judged.open);
        Ok(interval)
    }

    /// Statements against the same hours of the days before, once for each hour that is over; says which one that was.
    async fn hour(
        &self,
        link: &Link,
        facts: &tables::Facts,
        looks: &mut Vec<Look>,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<WallTime>, Error> {
        let Some(at) = facts.at else { return Ok(self.fleet.hour) };
        let settled = at.before(SETTLE).unix_micros();
        let hour = WallTime::from_unix_micros(settled.div_euclid(HOUR_US) * HOUR_US);
        if self.fleet.hour == Some(hour) {
            return Ok(Some(hour));
        }
        let open = in_time(judging::open(link, Kind::Regression)).await?;
        for server in &facts.servers {
            let mut statements = in_time(tables::busy(link, server, hour)).await?;
            for statement in &mut statements {
                let is_same = |alert: &&Alert| {
                    let subject = &alert.subject;
                    alert.server == *server
                        && (&subject.database, subject.query_hash) == (&statement.database, Some(statement.query_hash))
                };
                statement.regressed_since = open.iter().find(is_same).map(|alert| alert.opened_at);
            }
            in_time(tables::reach_back(link, server, &mut statements, hour)).await?;
            let judge = Judge { settings: &self.parts.rules, server };
            findings.extend(judge.regressions(hour, &statements, &self.parts.zone));
            looks.push(look(server, Kind::Regression, hour));
        }
        Ok(Some(hour))
    }

    async fn end(self) {
        let Some(store) = self.parts.store.filter(|_| self.lead.is_held()) else { return };
        let released = async {
            let link = Link::open(&store.settings, self.parts.clock).await?;
            upkeep::release(&link, JUDGE, "", store.origin.boot).await
        };
        // Otherwise it runs out by itself.
        released.await.unwrap_or_default();
    }
}
