//! Jobs that start by themselves: the scheduler on a runtime whose time the test moves, before real servers.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use pgvitals::base::units::{Nanos, WallTime};
use pgvitals::collect::settings::WhenIdle;
use pgvitals::jobs::activity::Activity;
use pgvitals::jobs::job::Job;
use pgvitals::jobs::ledger::Ledger;
use pgvitals::jobs::parts::Parts;
use pgvitals::jobs::presence::{Holder, Role};
use pgvitals::jobs::run::Jobs;
use pgvitals::jobs::schedule::{day_of, slot_of};
use pgvitals::jobs::scheduler;
use pgvitals::jobs::settings::Settings;
use pgvitals::pgclient::target::Target;
use pgvitals::runtime::clock::Clock;
use pgvitals::runtime::shutdown::{Phase, Shutdown};
use pgvitals::stats::live::LiveView;
use pgvitals::store::flusher::Flusher;
use pgvitals::store::status::Status;
use pgvitals::tls::settings::Upstream;
use pgvitals::{analyze, collect, notify, stats, store};
use tokio::sync::{mpsc, watch};

use super::{cluster, url};
use crate::store::Store;
use crate::store::idle::{executed, measured, parts, settings};
use crate::support::clock::{PATIENCE, now};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// The name of the server as `executed` has it.
const SERVER: &str = "db:5432";

/// "1 02:30" is half past two (UTC) of tomorrow: the tables have partitions of these days.
fn at(text: &str) -> WallTime {
    let (day, time) = text.split_once(' ').unwrap();
    let (hour, minute) = time.split_once(':').unwrap();
    let minutes = [(day, 1_440), (hour, 60), (minute, 1)].map(|(part, unit)| part.parse::<i64>().unwrap() * unit);
    let today = day_of(Clock::start().wall(), &TimeZone::UTC);
    slot_of(today).after(Nanos::from_millis(minutes.iter().sum::<i64>().unsigned_abs() * 60_000))
}

/// A process that does nothing but jobs.
struct Process {
    clock: Clock,
    jobs: Jobs,
    live: watch::Sender<LiveView>,
    shutdown: Shutdown,
    /// When each job was done.
    done: Vec<(Job, WallTime)>,
}

impl Process {
    /// One that begins at this time, within a runtime.
    fn begin(
        clock: Clock,
        when_idle: WhenIdle,
        zone: TimeZone,
        tables: Option<(store::settings::Settings, Arc<Status>)>,
    ) -> Self {
        let (rules, people) = (analyze::Settings::default(), notify::settings::Settings::default());
        let (tables, status) = tables.unzip();
        let monitored = collect::settings::Settings {
            server: SERVER.to_owned(),
            target: Target::new(&url(&cluster().tcp, "postgres"), Upstream::default()).unwrap(),
            own_schema: "pgvitals".to_owned(),
            when_idle,
        };
        let jobs = Jobs::new(Parts {
            settings: Settings { time_zone: zone, ..Settings::default() },
            rules: rules.clone(),
            // What concerns the store needs none.
            collect: if tables.is_some() { Vec::new() } else { vec![monitored] },
            ledger: Ledger::new(tables.as_ref(), Role::Sidecar, &rules, &people, clock),
            store: tables,
            holder: Holder { role: Role::Sidecar, boot: 7 },
            clock,
        });
        let live = watch::Sender::new(LiveView::new(&stats::Settings::default(), clock.wall(), Arc::default()));
        let shutdown = Shutdown::default();
        tokio::spawn(scheduler::run(jobs.clone(), Activity::Memory(live.subscribe()), status, shutdown.clone()));
        Self { clock, jobs, live, shutdown, done: Vec::new() }
    }

    /// A data statement passes.
    fn executes(&self) {
        let now = self.clock.wall();
        let harvest = measured().harvest(now, self.clock.stamp()).unwrap();
        self.live.send_modify(|view| {
            view.absorb(0, harvest);
            view.tick(now);
        });
    }

    /// Time passes, in steps; none while a job runs, whose limits it would use up.
    async fn pass(&mut self, span: Duration) {
        const STEP: Duration = Duration::from_secs(20);
        for _ in 0..span.as_secs() / STEP.as_secs() {
            tokio::time::pause();
            tokio::time::advance(STEP).await;
            tokio::time::resume();
            self.rest().await;
        }
    }

    /// Whoever was woken does its work.
    async fn rest(&mut self) {
        let patience = now() + PATIENCE;
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        for job in Job::ALL {
            while self.jobs.running(job).is_some() {
                assert!(now() < patience, "{job:?} does not end");
                tokio::task::yield_now().await;
            }
            let known = self.done.iter().rev().find(|(other, _)| *other == job).map(|(_, at)| *at);
            if let Some(at) = self.jobs.succeeded(job).filter(|at| Some(*at) != known) {
                self.done.push((job, at));
            }
        }
    }

    /// The jobs of this kind were done within a minute and a half behind these times, and at no other.
    #[track_caller]
    fn did(&self, job: Job, times: &[&str]) {
        let done: Vec<WallTime> = self.done.iter().filter(|(other, _)| *other == job).map(|(_, at)| *at).collect();
        let is_near = |(done, due): (&WallTime, &&str)| {
            let due = at(due);
            due <= *done && Duration::from(done.since(due)) <= Duration::from_secs(90)
        };
        let since = |at: &WallTime| Duration::from(at.since(self::at("0 00:00"))).as_secs() / 60;
        let shown: Vec<String> = done.iter().map(since).map(|at| format!("{}:{:02}", at / 60, at % 60)).collect();
        assert!(done.len() == times.len() && done.iter().zip(times).all(is_near), "{shown:?}, not {times:?}");
    }
}

fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// "Own scheduler, default `0 * * * *`" (issue 6): the first look five minutes after the start, then with each hour.
#[test]
fn the_hourly_job_starts_with_the_hour() {
    within(async {
        let clock = Clock::showing(at("0 09:17"));
        let mut process = Process::begin(clock, WhenIdle::Always, TimeZone::UTC, None);
        process.pass(Duration::from_secs(290)).await;
        process.did(Job::Hourly, &[]);
        process.pass(2 * HOUR).await;
        process.did(Job::Hourly, &["0 09:22", "0 10:00", "0 11:00"]);
        process.shutdown.advance(Phase::Draining);
        process.pass(2 * HOUR).await;
        assert_eq!(process.done.len(), 3, "who drains begins nothing");
    });
}

/// "`collect.when_idle = auto`: the own scheduler skips an hourly snapshot when no data statement passed, at most one a day
/// is forced" (STORE §3); `never` forces none.
#[test]
fn a_server_on_which_nothing_happens_is_left_asleep() {
    within(async {
        for (when_idle, forced) in [(WhenIdle::Auto, &["1 13:00"][..]), (WhenIdle::Never, &[])] {
            let clock = Clock::showing(at("0 09:17"));
            let mut process = Process::begin(clock, when_idle, TimeZone::UTC, None);
            process.pass(3 * HOUR).await;
            process.did(Job::Hourly, &[]);
            process.executes();
            let mut expected = vec!["0 12:22"];
            process.pass(26 * HOUR).await;
            expected.extend(forced);
            process.did(Job::Hourly, &expected);
            process.executes();
            process.pass(HOUR).await;
            expected.push("1 15:00");
            process.did(Job::Hourly, &expected);
        }
    });
}

/// A fleet's tables, and who writes into them.
struct Tables {
    store: Store,
    minutes: mpsc::Sender<stats::minutes::Minutes>,
    status: Arc<Status>,
    settings: store::settings::Settings,
    clock: Clock,
    _spool: tempfile::TempDir,
}

impl Tables {
    fn new(clock: Clock) -> Self {
        let (store, spool) = (Store::on(cluster()), tempfile::tempdir().unwrap());
        let settings = settings(&store, spool.path());
        let (minutes, received) = mpsc::channel(4);
        let parts = parts(clock, Shutdown::default());
        let status = Arc::clone(&parts.status);
        tokio::spawn(Flusher::new(settings.clone(), parts, watch::channel(LiveView::default()).1).run(received));
        Self { store, minutes, status, settings, clock, _spool: spool }
    }

    /// Something is measured and written.
    async fn write(&self) {
        let before = self.status.counts().batches;
        self.minutes.send(executed(self.clock)).await.unwrap();
        self.has_written(before + 1).await;
    }

    /// So many batches are written. The last of a while is one that says so, some minutes behind the others.
    async fn has_written(&self, batches: u64) {
        let patience = now() + PATIENCE;
        while self.status.counts().batches < batches {
            assert!(now() < patience, "{:?}, not {batches} batches", self.status.counts());
            tokio::task::yield_now().await;
        }
    }
}

/// "Default `0 2 * * *`", "a daily job runs once per local date" (DESIGN §7), in `time_zone`: caught up by who was not there
/// when it was due, then done at its time, and only when something was written since.
#[test]
fn the_daily_job_is_caught_up_and_then_done_at_its_local_time() {
    within(async {
        // Half past nine, two hours east of Greenwich.
        let clock = Clock::showing(at("0 07:30"));
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let tables = Tables::new(clock);
        let given = (tables.settings.clone(), Arc::clone(&tables.status));
        let mut process = Process::begin(clock, WhenIdle::Auto, zone, Some(given));
        process.pass(10 * MINUTE).await;
        process.did(Job::Daily, &[]);
        tables.write().await;
        process.pass(10 * MINUTE).await;
        process.did(Job::Daily, &["0 07:40"]);
        tables.has_written(2).await;
        tables.write().await;
        process.pass(10 * MINUTE).await;
        tables.has_written(4).await;
        process.pass(17 * HOUR).await;
        process.did(Job::Daily, &["0 07:40", "1 00:00"]);
        let slots = "select concat(count(*), ' ', max(slot) - min(slot)) from pgvitals.job_runs where job = 'daily-maintenance'";
        assert_eq!(tables.store.superuser().value(slots), "2 1 day", "one for each local date");
        process.pass(24 * HOUR).await;
        assert_eq!(process.done.len(), 2, "nothing was written since");
    });
}

/// A process that begins at this time, and tables into which somebody wrote before and writes since.
async fn beside_tables(time: &str) -> (Process, Tables) {
    let clock = Clock::showing(at(time));
    let tables = Tables::new(clock);
    tables.write().await;
    let given = (tables.settings.clone(), Arc::clone(&tables.status));
    let process = Process::begin(clock, WhenIdle::Auto, TimeZone::UTC, Some(given));
    tables.write().await;
    (process, tables)
}

/// Who begins before the time waits for it.
#[test]
fn before_its_time_the_daily_job_waits() {
    within(async {
        let (mut process, _tables) = beside_tables("0 01:10").await;
        process.pass(2 * HOUR).await;
        process.did(Job::Daily, &["0 02:00"]);
    });
}

/// A process that dies at it costs the day's report no more than ten minutes.
#[test]
fn a_day_that_another_process_does_not_finish_is_done_all_the_same() {
    within(async {
        let (mut process, tables) = beside_tables("0 01:50").await;
        let mut other = tables.store.superuser();
        other.query(
            "insert into pgvitals.leases (duty, server, holder, until, since)
             values ('daily-maintenance', '', gen_random_uuid(), now() + interval '1 hour', now())",
        );
        process.pass(15 * MINUTE).await;
        assert!(process.done.is_empty(), "{:?}", process.done);
        other.query("delete from pgvitals.leases where duty = 'daily-maintenance'");
        process.pass(15 * MINUTE).await;
        assert_eq!(process.done.len(), 1);
        process.pass(HOUR).await;
        assert_eq!(process.done.len(), 1, "once");
    });
}
