//! "An idle hour (injected) opens no connection" (issue 5): the writer and the hourly work on a runtime whose time the test
//! moves, before a real store.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pgvitals::base::units::{Nanos, Stamp};
use pgvitals::jobs::presence::{Holder, Role};
use pgvitals::jobs::upkeep;
use pgvitals::pgclient::target::Target;
use pgvitals::runtime::clock::Clock;
use pgvitals::runtime::shutdown::{Phase, Shutdown};
use pgvitals::session::identity::Identity;
use pgvitals::session::observation::{Event, Observation, Observer, Outcome};
use pgvitals::sql::hash::QueryHash;
use pgvitals::sql::kind::Kind;
use pgvitals::sql::query::Query;
use pgvitals::stats::live::LiveView;
use pgvitals::stats::minutes::Minutes;
use pgvitals::stats::outbox::Outbox;
use pgvitals::stats::recorder::Recorder;
use pgvitals::store::batch::Origin;
use pgvitals::store::flusher::Flusher;
use pgvitals::store::parts::Parts;
use pgvitals::store::settings::{Retention, Settings};
use pgvitals::tls::settings::Upstream;

use super::Store;
use crate::support::client::Client;
use crate::support::clock::{PATIENCE, now};
use crate::support::postgres::Cluster;

const HOUR: Duration = Duration::from_secs(3_600);

/// A process that has measured one execution of a data statement.
pub(crate) fn measured() -> Recorder {
    let text = "select $1 from songs";
    let mut recorder = Recorder::new(&pgvitals::stats::Settings::default(), 1, Arc::default());
    recorder.observe(Event::Statement(Observation {
        query: Arc::new(Query { hash: QueryHash::of(text), kind: Kind::Select, text: text.into() }),
        identity: Arc::new(Identity::new("db:5432".into(), "shop", "app", "web")),
        start: Stamp::from_nanos(0),
        duration: Nanos::from_millis(3),
        batch: None,
        first_row: None,
        client_stall: Nanos::ZERO,
        rows: 1,
        bytes_in: 1,
        bytes_out: 1,
        outcome: Outcome::Completed,
        details: None,
    }));
    recorder
}

/// One execution of some minutes ago.
pub(crate) fn executed(clock: Clock) -> Minutes {
    let mut outbox = Outbox::new(1 << 20, Arc::default());
    let at = clock.wall().before(Nanos::from_millis(180_000));
    let harvest = measured().harvest(at, clock.stamp()).unwrap();
    LiveView::new(&pgvitals::stats::Settings::default(), at, Arc::default()).absorb_into(0, harvest, Some(&mut outbox));
    outbox.take_all().unwrap()
}

/// The test's own way to the store's server, on a thread beside the runtime.
#[derive(Clone)]
struct Beside {
    client: Arc<Mutex<Client>>,
    database: String,
}

impl Beside {
    /// What the server answers; meanwhile the runtime does what is due.
    async fn ask(&self, sql: String) -> u64 {
        let client = Arc::clone(&self.client);
        tokio::task::spawn_blocking(move || client.lock().unwrap().value(&sql).parse().unwrap()).await.unwrap()
    }

    /// What the server has seen come, ever.
    async fn sessions(&self) -> u64 {
        self.ask(self.come()).await
    }

    fn come(&self) -> String {
        format!("select sessions from pg_stat_database where datname = '{}'", self.database)
    }

    /// Waits until nobody is connected.
    async fn alone(&self) {
        let connected = format!("select count(*) from pg_stat_activity where datname = '{}'", self.database);
        self.until("connections closed", connected, |count| count == 0).await;
    }

    /// Moves the runtime's time on, in steps; none while somebody is connected, whose limits it would use up.
    async fn pass(&self, span: Duration) {
        const STEP: Duration = Duration::from_secs(20);
        for _ in 0..span.as_secs() / STEP.as_secs() {
            tokio::time::pause();
            tokio::time::advance(STEP).await;
            tokio::time::resume();
            self.ask("select 1 from pg_sleep(0.002)".to_owned()).await;
            self.alone().await;
        }
    }

    /// Waits, in real time, until the answer is right.
    async fn until(&self, what: &str, sql: String, right: impl Fn(u64) -> bool) -> u64 {
        let end = now() + PATIENCE;
        loop {
            let answer = self.ask(sql.clone()).await;
            if right(answer) {
                return answer;
            }
            assert!(now() < end, "{what}: {answer}");
        }
    }
}

pub(crate) fn settings(store: &Store, spool: &std::path::Path) -> Settings {
    Settings {
        target: Target::new(&store.url("pgvitals_writer"), Upstream::default()).unwrap(),
        schema: pgvitals::store::schema::Schema::default(),
        flush_interval: Duration::from_secs(1),
        spool_dir: Some(spool.to_path_buf()),
        spool_max: 1 << 30,
        max_size: 1 << 40,
        idle_close: Duration::from_secs(1),
        retention: Retention {
            minutes: None,
            hours: 1_440 * HOUR,
            days: 17_520 * HOUR,
            slow: 336 * HOUR,
            errors: 1_440 * HOUR,
            snapshots: 2_160 * HOUR,
            alerts: 17_520 * HOUR,
        },
    }
}

/// What a sidecar's writer shares, by this clock.
pub(crate) fn parts(clock: Clock, shutdown: Shutdown) -> Parts {
    Parts {
        origin: Arc::new(Origin::new("pod", "shop", clock.wall()).unwrap()),
        levels: pgvitals::stats::level::Thresholds::default(),
        telemetry: Arc::default(),
        clock,
        shutdown,
        status: Arc::default(),
    }
}

#[test]
fn an_idle_hour_opens_no_connection() {
    let store = Store::on(Cluster::newest());
    let directory = tempfile::tempdir().unwrap();
    let (clock, shutdown) = (Clock::start(), Shutdown::default());
    let settings = settings(&store, directory.path());
    let parts = parts(clock, shutdown.clone());
    let (boot, status) = (parts.origin.boot, Arc::clone(&parts.status));
    let client = Arc::new(Mutex::new(store.cluster.client("postgres")));
    let beside = Beside { client, database: store.database.clone() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (minutes, received) = tokio::sync::mpsc::channel(4);
        let writing = tokio::spawn(
            Flusher::new(settings.clone(), parts, tokio::sync::watch::channel(LiveView::default()).1).run(received),
        );
        tokio::spawn(upkeep::run(
            settings,
            Holder { role: Role::Sidecar, boot },
            Arc::clone(&status),
            clock,
            shutdown.clone(),
        ));
        let none = beside.sessions().await;
        beside.pass(3 * HOUR).await;
        assert_eq!(beside.sessions().await, none, "nothing happened yet");

        minutes.send(executed(clock)).await.unwrap();
        let writer = beside.until("a batch and a roll-up", beside.come(), |count| count >= none + 2).await;
        beside.alone().await;
        // "The batch after the first minute without statements": before 2 minutes are over, which would be late.
        beside.pass(Duration::from_secs(100)).await;
        let idle = beside.until("an idle batch", beside.come(), |count| count > writer).await;
        beside.pass(2 * HOUR).await;
        let hourly = beside.until("the next hour's work", beside.come(), |count| count > idle).await;
        beside.alone().await;
        beside.pass(3 * HOUR).await;
        assert_eq!(beside.sessions().await, hourly, "idle again");
        assert_eq!(status.counts().batches, 2);
        drop(minutes);
        shutdown.advance(Phase::Flushing);
        writing.await.unwrap();
    });
}
