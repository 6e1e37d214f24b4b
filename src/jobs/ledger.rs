//! Where alerts are kept: in the store's tables, or without one in this process's memory. Also in memory is what a process
//! sees alone: that it can't reach its server or its store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, broadcast};

use super::memory::Memory;
use super::presence::Role;
use super::unnoted::Unnoted;
use crate::analyze;
use crate::analyze::alert::{Acknowledgement, Alert, Change, Finding, Look, Silence, What};
use crate::analyze::kind::{Kind, Severity};
use crate::analyze::report::Report;
use crate::base::telemetry::Channel;
use crate::base::units::{Nanos, WallTime};
use crate::notify;
use crate::notify::queue::WAIT;
use crate::runtime::clock::Clock;
use crate::store::alerts::desk::{Acted, Desk, Wanted};
use crate::store::alerts::notices::{Became, News, Routing, Told, Waiting};
use crate::store::alerts::{judging, reports};
use crate::store::error::Error;
use crate::store::link::Link;
use crate::store::settings::Settings;

/// Changes that a slow listener may lag behind.
const EVENTS_WAITING: usize = 256;

/// What a process knew of the tables counts for so long.
const FRESH: Nanos = Nanos::from_millis(60_000);

/// The headline waits for the store so long.
const COUNT_MAX: Duration = Duration::from_secs(2);

/// How many alerts are open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// All.
    pub open: u64,
    /// Of these, critical.
    pub critical: u64,
}

/// The alerts, for whoever shows them and for whoever judges. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ledger(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Option<Settings>,
    desk: Option<Desk>,
    rules: analyze::Settings,
    /// Who is told.
    people: notify::settings::Settings,
    clock: Clock,
    /// This process judges, and so it tells.
    is_leader: AtomicBool,
    /// A job has judged since the last round.
    has_work: AtomicBool,
    /// Something waits to be told.
    news: Notify,
    unnoted: Unnoted,
    /// Locked by who judges, by who is scraped and by who acts, each for a moment.
    memory: Mutex<Memory>,
    events: broadcast::Sender<Alert>,
}

impl Ledger {
    /// In this store, or in memory. Who does it for all tells until it hears that somebody else does.
    pub fn new(
        store: Option<&Settings>,
        role: Role,
        rules: &analyze::Settings,
        people: &notify::settings::Settings,
        clock: Clock,
    ) -> Self {
        Self(Arc::new(Inner {
            store: store.cloned(),
            desk: store.map(|settings| Desk::new(settings.clone())),
            rules: rules.clone(),
            people: people.clone(),
            clock,
            is_leader: AtomicBool::new(store.is_none() || role == Role::Serve),
            has_work: AtomicBool::new(false),
            news: Notify::new(),
            unnoted: Unnoted::default(),
            memory: Mutex::new(Memory::new(rules)),
            events: broadcast::channel(EVENTS_WAITING).0,
        }))
    }

    /// Whether they are in tables.
    pub fn is_stored(&self) -> bool {
        self.0.desk.is_some()
    }

    /// Those that are wanted: open ones first, the worst first of them; then the newest.
    ///
    /// # Errors
    /// What the store said.
    pub async fn list(&self, wanted: &Wanted) -> Result<Vec<Alert>, Error> {
        if let Some(desk) = &self.0.desk {
            return desk.list(wanted).await;
        }
        let mut alerts: Vec<Alert> =
            self.memory(|memory| memory.book.alerts.iter().filter(|alert| wanted.admits(alert)).cloned().collect());
        alerts.sort_by_key(|alert| {
            let severity = alert.is_open().then_some(alert.severity);
            std::cmp::Reverse((severity, alert.opened_at, alert.id))
        });
        alerts.truncate(wanted.limit);
        Ok(alerts)
    }

    /// How many are open, of one server where it is named. Of tables it may be some seconds old.
    ///
    /// # Errors
    /// What the store said.
    pub async fn counts(&self, server: Option<String>) -> Result<Counts, Error> {
        let is_of = |alert: &&Alert| server.as_ref().is_none_or(|server| *server == alert.server);
        let Some(desk) = &self.0.desk else { return Ok(counts(self.open().iter().filter(is_of))) };
        let now = self.0.clock.wall();
        let known = self.memory(|memory| {
            let seen = memory.seen.as_ref().filter(|(at, _)| now.since(*at) < FRESH);
            seen.map(|(_, alerts)| counts(alerts.iter()))
        });
        // What was made up is not among what is known.
        if let (Some(known), None) = (known, &server) {
            return Ok(known);
        }
        let is_all = server.is_none();
        let wanted = Wanted { server, limit: usize::MAX, ..Wanted::default() };
        let listed = tokio::time::timeout(COUNT_MAX, desk.list(&wanted)).await;
        let open = listed.unwrap_or(Err(Error::Timeout(COUNT_MAX.as_secs())))?;
        let counted = counts(open.iter());
        if is_all {
            self.saw(open);
        }
        Ok(counted)
    }

    /// How many are open as far as this process knows without asking anybody, by kind and severity.
    pub fn gauges(&self) -> BTreeMap<(Kind, Severity), u64> {
        let mut gauges = BTreeMap::new();
        for alert in self.open() {
            *gauges.entry((alert.kind, alert.severity)).or_default() += 1;
        }
        gauges
    }

    /// Says who knows of an alert.
    ///
    /// # Errors
    /// What the store said.
    pub async fn acknowledge(&self, id: i64, by: &str) -> Result<Acted, Error> {
        if let Some(desk) = &self.0.desk {
            return desk.acknowledge(id, by).await;
        }
        Ok(self.act(id, |_, alert| {
            alert.acknowledged = Some(Acknowledgement { by: by.to_owned(), severity: alert.severity });
        }))
    }

    /// Tells nobody of an alert's subject for a time.
    ///
    /// # Errors
    /// What the store said.
    pub async fn silence(&self, id: i64, by: &str, span: Nanos) -> Result<Acted, Error> {
        if let Some(desk) = &self.0.desk {
            return desk.silence(id, by, span).await;
        }
        let now = self.0.clock.wall();
        Ok(self.act(id, |silences, alert| {
            silences.retain(|silence| now < silence.until);
            silences.push(Silence {
                server: Some(alert.server.clone()),
                kind: Some(alert.kind),
                database: alert.subject.database.clone(),
                subject: Some(alert.subject.to_string()),
                until: now.after(span),
                by: by.to_owned(),
            });
            alert.silenced = Silence::longest(silences, alert);
        }))
    }

    /// Alerts that open, get worse or end from now on, as far as this process judges.
    pub fn subscribe(&self) -> broadcast::Receiver<Alert> {
        self.0.events.subscribe()
    }

    /// Judges in the tables, or without a store in memory: what a job found out. Says how many alerts opened.
    ///
    /// # Errors
    /// What the store said.
    pub async fn found(&self, looks: &[Look], findings: Vec<Finding>) -> Result<u64, Error> {
        let changes = match &self.0.store {
            Some(store) => {
                let link = Link::open(store, self.0.clock).await?;
                // Somebody has to look after what opens now.
                self.0.has_work.store(true, Relaxed);
                self.judge_stored(&link, looks, findings).await?.changes
            }
            None => self.judge(self.0.clock.wall(), looks, findings, true),
        };
        Ok(changes.iter().filter(|change| change.what == What::Opened).count() as u64)
    }

    /// Keeps a report in the tables, for those who want it; false when there was one of its day and server.
    pub(super) async fn report(&self, link: &Link, report: &Report, text: &str) -> Result<bool, Error> {
        let channels = self.hears(News::Report(&report.server));
        let is_new = reports::keep(link, report, text, channels.as_ref(), self.0.clock.wall()).await?;
        if is_new && channels.is_none_or(|channels| !channels.is_empty()) {
            self.0.has_work.store(true, Relaxed);
        }
        Ok(is_new)
    }

    /// Judges what is in the tables.
    pub(super) async fn judge_stored(
        &self,
        link: &Link,
        looks: &[Look],
        findings: Vec<Finding>,
    ) -> Result<judging::Judged, Error> {
        let route = |news: News<'_>| self.hears(news);
        let routing = Routing { route: &route, decides: !self.0.people.channels().is_empty(), wait: WAIT };
        let judged = judging::judge(link, &self.0.rules, looks, findings, &routing).await?;
        self.tell(&judged.changes);
        if judged.is_waiting {
            self.0.news.notify_one();
        }
        Ok(judged)
    }

    /// Who hears of it; `None`: this process has nobody to tell, another one may have.
    fn hears(&self, news: News<'_>) -> Option<BTreeSet<Channel>> {
        let people = &self.0.people;
        (!people.channels().is_empty()).then(|| match news {
            News::Alert(notice, alert, told) => people.channels_of(notice, alert, told),
            News::Report(server) => people.channels_of_report(server),
        })
    }

    /// Judges what is in memory; `is_told`: people are told from here of what begins.
    pub(super) fn judge(&self, now: WallTime, looks: &[Look], findings: Vec<Finding>, is_told: bool) -> Vec<Change> {
        let changes = self.memory(|memory| {
            let mut changes = memory.book.judge(now, looks, findings);
            memory.apply(&mut changes);
            // Who heard that it began hears that it is over.
            for change in &changes {
                if is_told || memory.is_heard(&change.alert) {
                    memory.note(change, now, &self.0.people);
                }
            }
            changes
        });
        if changes.iter().any(|change| change.notice.is_some()) {
            self.0.news.notify_one();
        }
        // With a store memory holds what every process of a fleet sees for itself, and the tables have it once.
        if self.is_stored() {
            log(&changes);
        } else {
            self.tell(&changes);
        }
        changes
    }

    /// Returns when something new waits to be told; for one listener.
    pub(super) async fn news(&self) {
        self.0.news.notified().await;
    }

    /// Whether a job has judged since the last time that this was asked.
    pub(super) fn take_work(&self) -> bool {
        self.0.has_work.swap(false, Relaxed)
    }

    /// Whether this process judges, and so tells.
    pub(super) fn is_leader(&self) -> bool {
        self.0.is_leader.load(Relaxed)
    }

    /// This process judges from now on, or another one does. What another one left to be told is news.
    pub(super) fn lead(&self, is_leader: bool) {
        if !self.0.is_leader.swap(is_leader, Relaxed) && is_leader {
            self.0.news.notify_one();
        }
        if !is_leader {
            self.memory(|memory| memory.seen = None);
        }
    }

    /// What waits to be told: what this process saw alone, and of the tables who judges tells. A store that is away keeps
    /// back what waits there, and no more; one that can't be written to doesn't get told again what was told.
    ///
    /// # Errors
    /// What the store said.
    pub(super) async fn waiting(&self) -> Result<Vec<Waiting>, Error> {
        let mut waiting = self.memory(|memory| memory.waiting.clone());
        let Some(desk) = &self.0.desk else { return Ok(waiting) };
        let noted = self.0.unnoted.note(desk).await;
        let route = |news: News<'_>| self.hears(news);
        let stored = if self.is_leader() { desk.waiting(&route).await } else { Ok(Vec::new()) };
        let stored = stored.map(|more| waiting.extend(more.into_iter().filter(|one| !self.0.unnoted.has(one.id))));
        match stored.and(noted) {
            Err(error) if waiting.is_empty() => Err(error),
            _ => Ok(waiting),
        }
    }

    /// What was told since a time. Without an answer of the store nothing was: rather twice than not at all.
    pub(super) async fn told(&self, since: WallTime) -> Vec<Told> {
        let mut told = self.memory(|memory| {
            memory.told.retain(|told| told.at >= since);
            memory.told.clone()
        });
        if let Some(desk) = &self.0.desk {
            told.extend(desk.told(since).await.unwrap_or_default());
        }
        told
    }

    /// Notes what became of what waited.
    ///
    /// # Errors
    /// What the store said.
    pub(super) async fn settle(&self, outcomes: &[(i64, Became)]) -> Result<(), Error> {
        let (ours, stored): (Vec<(i64, Became)>, Vec<_>) = outcomes.iter().copied().partition(|(id, _)| *id < 0);
        let now = self.0.clock.wall();
        self.memory(|memory| ours.iter().for_each(|(id, became)| memory.settle(*id, *became, now)));
        let Some(desk) = &self.0.desk else { return Ok(()) };
        self.0.unnoted.add(stored);
        self.0.unnoted.note(desk).await
    }

    /// A server is known from then on: its time of learning begins.
    pub(super) fn meet(&self, server: &str, at: WallTime) {
        self.memory(|memory| {
            memory.book.servers.entry(server.to_owned()).or_insert(at);
        });
    }

    /// These are open in the tables.
    pub(super) fn saw(&self, open: Vec<Alert>) {
        let now = self.0.clock.wall();
        self.memory(|memory| memory.seen = Some((now, open)));
    }

    /// Says in the log and to subscribers what changed.
    fn tell(&self, changes: &[Change]) {
        log(changes);
        for Change { alert, .. } in changes.iter().filter(|change| !matches!(change.what, What::Seen | What::Missed)) {
            // Nobody may listen.
            drop(self.0.events.send(alert.clone()));
        }
    }

    fn open(&self) -> Vec<Alert> {
        self.memory(|memory| memory.open())
    }

    fn act(&self, id: i64, act: impl FnOnce(&mut Vec<Silence>, &mut Alert)) -> Acted {
        self.memory(|memory| memory.act(id, act))
    }

    fn memory<T>(&self, look: impl FnOnce(&mut Memory) -> T) -> T {
        look(&mut self.0.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn counts<'a>(open: impl Iterator<Item = &'a Alert>) -> Counts {
    let mut counts = Counts::default();
    for alert in open {
        counts.open += 1;
        counts.critical += u64::from(alert.severity == Severity::Critical);
    }
    counts
}

fn log(changes: &[Change]) {
    for Change { what, alert, .. } in changes {
        let (kind, severity, server) = (alert.kind.as_str(), alert.severity.as_str(), &alert.server);
        let (subject, message) = (alert.subject.to_string(), &alert.message);
        match what {
            What::Opened | What::Escalated | What::Flapping => {
                tracing::warn!(kind, severity, server, subject, message, "an alert is open");
            }
            What::Resolved => tracing::info!(kind, severity, server, subject, "an alert is over"),
            What::Seen | What::Missed => {}
        }
    }
}
