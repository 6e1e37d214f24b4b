//! A job's run: nobody else at it, its slot not done yet, its steps, and what came of them kept.
//!
//! A job has parts: one for each server that can be asked, or one for the store. Each part has its slot, its lease and
//! its record, so that two processes that see different servers do not wait for one another.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::job::{Job, Ran, Record, Refused, Step};
use super::lease::{COLLECT, Lease, Taken};
use super::parts::{Part, Parts};
use super::presence::Role;
use super::rounds::Rounds;
use super::{daily, hourly};
use crate::base::units::{Nanos, WallTime};
use crate::store::error::Error;
use crate::store::link::Link;
use crate::store::runs;
use crate::store::snapshots::Slot;

/// The jobs of a process, for whoever starts one. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Jobs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: Parts,
    rounds: Rounds,
    running: Mutex<BTreeMap<Job, WallTime>>,
    /// What was done, where no store keeps it: the last slot of each part.
    records: Mutex<HashMap<(Job, String), (WallTime, Record)>>,
    successes: Mutex<BTreeMap<Job, WallTime>>,
}

/// What is to be run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    /// Which job.
    pub job: Job,
    /// On what occasion.
    pub occasion: Occasion,
}

/// Why a job runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Occasion {
    /// Its slot: what was done in it isn't done again.
    Due,
    /// Somebody wants it done, whatever was done in its slot.
    Forced,
    /// Somebody wants to know now: its slot is still to come.
    Question,
}

/// What came of a part.
enum Came {
    Ran(Vec<Step>),
    Done,
    Theirs(WallTime),
}

impl Jobs {
    /// Jobs that have not run yet.
    pub fn new(parts: Parts) -> Self {
        let (rounds, running, records, successes) = Default::default();
        Self(Arc::new(Inner { parts, rounds, running, records, successes }))
    }

    /// What they are made of.
    pub fn parts(&self) -> &Parts {
        &self.0.parts
    }

    /// What was seen of servers in this process.
    pub fn rounds(&self) -> &Rounds {
        &self.0.rounds
    }

    /// When a job last went well here; `None` before the first time.
    pub fn succeeded(&self, job: Job) -> Option<WallTime> {
        self.0.successes.lock().unwrap_or_else(PoisonError::into_inner).get(&job).copied()
    }

    /// Since when a job runs in this process; `None` when it doesn't.
    pub fn running(&self, job: Job) -> Option<WallTime> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner).get(&job).copied()
    }

    /// Runs a job, unless it runs already or its slot is done.
    ///
    /// # Errors
    /// Why it did not run. What failed while it ran is in its steps.
    pub async fn run(&self, order: Order) -> Result<Ran, Refused> {
        self.run_on(order, &self.servers(order.job)?).await
    }

    /// Runs the parts of a job that belong to these servers.
    ///
    /// # Errors
    /// As [`Jobs::run`].
    pub async fn run_on(&self, order: Order, servers: &[String]) -> Result<Ran, Refused> {
        let started_at = self.0.parts.clock.wall();
        let _turn = Turn::take(&self.0.running, order.job, started_at)?;
        self.in_turn(order, servers, started_at).await
    }

    /// Runs a job as [`Jobs::run`] does, unless it is left to who serves; `None` then.
    pub(super) async fn run_unless_left(&self, order: Order) -> Result<Option<Ran>, Refused> {
        let (servers, started_at) = (self.servers(order.job)?, self.0.parts.clock.wall());
        let _turn = Turn::take(&self.0.running, order.job, started_at)?;
        if self.is_left().await {
            return Ok(None);
        }
        self.in_turn(order, &servers, started_at).await.map(Some)
    }

    /// Whether somebody else does it; a store that doesn't answer is said by whoever tries.
    async fn is_left(&self) -> bool {
        let Parts { store, holder, clock, .. } = &self.0.parts;
        let Some(store) = store else { return false };
        let asked = async { holder.role.leaves_it(&Link::open(store, *clock).await?).await };
        asked.await.unwrap_or(false)
    }

    async fn in_turn(
        &self,
        Order { job, occasion }: Order,
        servers: &[String],
        started_at: WallTime,
    ) -> Result<Ran, Refused> {
        let began = self.0.parts.clock.stamp();
        let (mut steps, mut theirs, mut ran) = (Vec::new(), Vec::new(), false);
        for server in servers {
            match self.part(job, server, started_at, occasion).await {
                Came::Ran(new) => {
                    ran = true;
                    steps.extend(new);
                }
                Came::Done => {}
                Came::Theirs(since) => theirs.push((server, since)),
            }
        }
        if let (false, Some(since)) = (ran, theirs.iter().map(|(_, since)| *since).min()) {
            return Err(Refused::Running { since });
        }
        for (server, _) in theirs {
            let busy = Err("another process is at this server");
            steps.push(Step::new("collect", server, Nanos::ZERO, busy));
        }
        let took = self.0.parts.clock.stamp().since(began);
        let ran = Ran { job, started_at, took, steps, already_done: !ran };
        self.tell(&ran);
        Ok(ran)
    }

    /// The parts of a job, by their server.
    fn servers(&self, job: Job) -> Result<Vec<String>, Refused> {
        let Parts { collect, store, holder, .. } = &self.0.parts;
        match job {
            Job::Hourly if collect.is_empty() => Err(Refused::Nothing(match holder.role {
                Role::Sidecar => NO_MONITOR,
                Role::Serve => NO_MONITORS,
            })),
            Job::Hourly => Ok(collect.iter().map(|monitored| monitored.server.clone()).collect()),
            Job::Daily if store.is_none() => Err(Refused::Nothing(NO_STORE)),
            Job::Daily => Ok(vec![String::new()]),
        }
    }

    async fn part(&self, job: Job, server: &str, now: WallTime, occasion: Occasion) -> Came {
        let Inner { parts, rounds, .. } = &*self.0;
        let Parts { settings, store, clock, .. } = parts;
        let at = job.slot(now, &settings.time_zone);
        let slot = Slot { job: job.as_str(), server, at, after_idle: false };
        let part = Part { parts, rounds, server, slot: if occasion == Occasion::Due { at } else { now } };
        let Some(store) = store else {
            return self.in_memory(job, part, at, occasion).await;
        };
        let link = match Link::open(store, *clock).await {
            Ok(link) => link,
            // Without it nobody knows who else is at it; servers can be looked at all the same.
            Err(error) => return Came::Ran(work(job, &part, &Record::default(), Err(&error)).await),
        };
        match self.in_store(job, part, slot, now, &link, occasion).await {
            Ok(came) => came,
            Err(error) => Came::Ran(work(job, &part, &Record::default(), Err(&error)).await),
        }
    }

    /// With the store's lease and record.
    async fn in_store(
        &self,
        job: Job,
        part: Part<'_>,
        slot: Slot<'_>,
        now: WallTime,
        link: &Link,
        occasion: Occasion,
    ) -> Result<Came, Error> {
        let duty = if part.server.is_empty() { job.as_str() } else { COLLECT };
        let lease = match Lease::of(link, duty, part.server, self.0.parts.holder.boot, now).await? {
            Taken::Ours(lease) => lease,
            Taken::Theirs(since) => return Ok(Came::Theirs(since)),
        };
        let known = runs::steps(link, slot).await?;
        let mut record = known.as_deref().map(Record::parse).unwrap_or_default();
        if record.is_done() && occasion == Occasion::Due {
            lease.release().await?;
            return Ok(Came::Done);
        }
        if occasion != Occasion::Due {
            record = Record::default();
        }
        let steps = lease.keep(Box::pin(work(job, &part, &record, Ok(())))).await;
        record.update(&steps);
        // What was done is done; without its record a part of it is looked at once more.
        let noted = match occasion {
            Occasion::Question => Ok(()),
            Occasion::Due | Occasion::Forced => runs::note(link, slot, now, &record.json()).await,
        };
        if let Err(error) = noted.and(lease.release().await) {
            tracing::warn!(%error, job = job.as_str(), "what came of a job was not noted");
        }
        Ok(Came::Ran(steps))
    }

    async fn in_memory(&self, job: Job, part: Part<'_>, slot: WallTime, occasion: Occasion) -> Came {
        let key = (job, part.server.to_owned());
        let records = || self.0.records.lock().unwrap_or_else(PoisonError::into_inner);
        let known = records().get(&key).filter(|(at, _)| *at == slot).map(|(_, record)| record.clone());
        let mut record = known.unwrap_or_default();
        if record.is_done() && occasion == Occasion::Due {
            return Came::Done;
        }
        if occasion != Occasion::Due {
            record = Record::default();
        }
        let steps = work(job, &part, &record, Ok(())).await;
        record.update(&steps);
        if occasion != Occasion::Question {
            records().insert(key, (slot, record));
        }
        Came::Ran(steps)
    }

    fn tell(&self, ran: &Ran) {
        let (job, took) = (ran.job.as_str(), ran.took);
        for step in ran.steps.iter().filter(|step| !step.ok) {
            let error = step.error.as_deref().unwrap_or_default();
            tracing::warn!(job, step = step.name, server = step.server, error, "a step failed; it is tried again");
        }
        if ran.success() {
            let now = self.0.parts.clock.wall();
            self.0.successes.lock().unwrap_or_else(PoisonError::into_inner).insert(ran.job, now);
            if !ran.already_done {
                tracing::info!(job, %took, steps = ran.steps.len(), "job done");
            }
        }
    }
}

/// The steps that `record` lacks; `store` says why it can't be used.
async fn work(job: Job, part: &Part<'_>, record: &Record, store: Result<(), &Error>) -> Vec<Step> {
    match job {
        Job::Hourly => hourly::steps(part, record, store).await,
        Job::Daily => daily::steps(part, record, store).await,
    }
}

const NO_MONITOR: &str = "there is no server that can be asked: set monitor.url (PGVITALS_MONITOR_URL) to a role that \
                          reads the monitored server, docs/health.md says which";
const NO_MONITORS: &str = "there is no server that this process can ask: sidecars look at theirs; give it a [[monitor]] with \
                           server and url of each that it shall look at, docs/fleet.md says how";
const NO_STORE: &str = "there are no monitoring tables to maintain: set store.url (PGVITALS_STORE)";

/// That a job runs in this process; ends with it, however it ends.
struct Turn<'a> {
    running: &'a Mutex<BTreeMap<Job, WallTime>>,
    job: Job,
}

impl<'a> Turn<'a> {
    fn take(running: &'a Mutex<BTreeMap<Job, WallTime>>, job: Job, now: WallTime) -> Result<Self, Refused> {
        let mut jobs = running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = jobs.get(&job) {
            return Err(Refused::Running { since: *since });
        }
        jobs.insert(job, now);
        Ok(Self { running, job })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_never_runs_twice_at_once_and_again_when_it_is_over() {
        let running = Mutex::default();
        let at = WallTime::from_unix_micros;
        let turn = Turn::take(&running, Job::Hourly, at(1)).ok();
        assert!(turn.is_some());
        let second = Turn::take(&running, Job::Hourly, at(2)).err();
        assert_eq!(second, Some(Refused::Running { since: at(1) }));
        assert!(Turn::take(&running, Job::Daily, at(2)).is_ok(), "the other one may");
        drop(turn);
        assert!(Turn::take(&running, Job::Hourly, at(3)).is_ok());
    }
}
