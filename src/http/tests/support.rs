//! A little traffic, and a site that shows it.

use std::future::Future;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::sync::watch;
use tower::ServiceExt;

use crate::analyze;
use crate::base::secret::Secret;
use crate::base::sqlstate::Sqlstate;
use crate::base::telemetry::Telemetry;
use crate::base::units::{Nanos, Stamp, WallTime};
use crate::http::{Ready, Settings, Sources, router};
use crate::jobs;
use crate::jobs::ledger::Ledger;
use crate::jobs::parts::Parts;
use crate::jobs::presence::{Holder, Role};
use crate::jobs::run::Jobs;
use crate::notify;
use crate::runtime::clock::Clock;
use crate::runtime::task::Panics;
use crate::session::identity::Identity;
use crate::session::observation::{Batch, Event, Observation, Observer, Outcome, Transaction};
use crate::sql::hash::QueryHash;
use crate::sql::kind::Kind;
use crate::sql::query::Query;
use crate::sql::statement::{Details, Tags, Trace};
use crate::stats;
use crate::stats::harvest::Harvest;
use crate::stats::live::{ActiveState, ActiveStatement, ActiveTransaction, LiveView};
use crate::stats::recorder::Recorder;
use crate::stats::tests::sample::observation;

/// 2026-01-31T12:00:00Z, the begin of a minute, an hour, and (in UTC) half a day.
pub(super) const START: WallTime = WallTime::from_unix_micros(1_769_860_800_000_000);

/// `START` and so many seconds.
pub(super) fn at(seconds: u64) -> WallTime {
    START.after(Nanos::from_millis(seconds * 1_000))
}

/// Milliseconds as a span.
pub(super) fn millis(ms: u64) -> Nanos {
    Nanos::from_millis(ms)
}

/// A query of this text.
pub(super) fn query(kind: Kind, text: &str) -> Arc<Query> {
    Arc::new(Query { hash: QueryHash::of(text), kind, text: text.into() })
}

/// Somebody on server `main`.
pub(super) fn identity(database: &str, user: &str, application: &str) -> Arc<Identity> {
    Arc::new(Identity::new("main".into(), database, user, application))
}

/// One completed execution.
pub(super) fn executed(query: &Arc<Query>, identity: &Arc<Identity>, duration: Nanos) -> Observation {
    Observation {
        first_row: Some(Nanos::from_micros(duration.as_micros() / 2)),
        client_stall: millis(1),
        rows: 2,
        bytes_in: 50,
        bytes_out: 200,
        ..observation(query, identity, duration)
    }
}

/// Memory that tests write.
pub(super) struct Memory {
    /// What was not measured.
    pub(super) telemetry: Arc<Telemetry>,
    recorder: Recorder,
    /// What readers see.
    pub(super) view: LiveView,
}

impl Memory {
    /// Empty, since [`START`].
    pub(super) fn new() -> Self {
        let settings = stats::Settings::default();
        let telemetry = Arc::new(Telemetry::default());
        let recorder = Recorder::new(&settings, 1, Arc::clone(&telemetry));
        let view = LiveView::new(&settings, START, Arc::clone(&telemetry));
        Self { telemetry, recorder, view }
    }

    /// Something happened on a connection.
    pub(super) fn happens(&mut self, event: Event) {
        self.recorder.observe(event);
    }

    /// An execution ended.
    pub(super) fn ran(&mut self, observation: Observation) {
        self.happens(Event::Statement(observation));
    }

    /// What happened is merged, with what is active, and a second is over.
    pub(super) fn merge(&mut self, now: WallTime, active: impl FnOnce(&mut Harvest)) {
        let stamp = Stamp::from_nanos(now.since(START).get());
        let mut harvest = self.recorder.harvest(now, stamp).unwrap_or_else(|| Harvest::empty(now));
        active(&mut harvest);
        self.view.absorb(0, harvest);
        self.view.tick(now);
    }
}

/// Text of the statement that most tests look at.
pub(super) const SONGS: &str = "select * from songs where id = $1";

/// A minute of an application's life, with something in every answer.
pub(super) fn busy() -> Memory {
    let mut memory = Memory::new();
    let (shop, batch) = (identity("music", "shop", "web"), identity("music", "batch", "nightly"));
    let (songs, slow) = (query(Kind::Select, SONGS), query(Kind::Update, "update albums set title = $1"));
    let begin = query(Kind::Begin, "begin");
    memory.happens(Event::Started { identity: Arc::clone(&shop), startup: millis(5) });
    memory.happens(Event::Started { identity: Arc::clone(&batch), startup: millis(7) });
    memory.happens(Event::StartupFailed(Some(Sqlstate::INVALID_AUTHORIZATION)));
    let tags = Tags { pairs: vec![("route".into(), "/songs".into())], name: Some("GetSong".into()) };
    let tags = Some(Arc::new(tags));
    let details = |trace| Details { tags: tags.clone(), trace, ..Details::default() }.kept();
    for ms in 1..=19 {
        memory.ran(Observation { details: details(None), ..executed(&songs, &shop, millis(ms)) });
    }
    let failed = Outcome::Failed(Sqlstate::QUERY_CANCELED);
    memory.ran(Observation { outcome: failed, ..executed(&songs, &batch, millis(200)) });
    memory.ran(executed(&begin, &shop, millis(1)));
    let trace = Some(Trace { trace_id: [0xab; 16], span_id: [1; 8], sampled: true });
    memory.ran(Observation { details: details(trace), ..executed(&slow, &shop, millis(1_200)) });
    let batched = Batch { statements: NonZeroU32::new(3).unwrap(), span: millis(600), leader: true };
    memory.ran(Observation { batch: Some(batched), ..executed(&slow, &batch, millis(200)) });
    let identity = Arc::clone(&shop);
    memory.happens(Event::Transaction(Transaction { identity, duration: millis(40), statements: 3, committed: true }));
    memory.happens(Event::IdleInTransaction { after: begin, identity: shop.clone(), span: millis(30) });
    memory.merge(at(61), |harvest| {
        harvest.open_sessions = 2;
        harvest.active = vec![ActiveStatement {
            query: Arc::clone(&songs),
            age: millis(1_500),
            state: ActiveState::Fetching,
            identity: Arc::clone(&shop),
            tags,
        }];
        harvest.transactions = vec![ActiveTransaction {
            age: millis(3_000),
            idle: Some(millis(2_000)),
            statements: 2,
            last_query: Some(slow),
            identity: Arc::clone(&batch),
        }];
    });
    memory
}

/// The data plane, as `/readyz` asks it.
pub(super) struct Door(pub(super) Result<(), String>);

impl Ready for Door {
    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(async move { self.0.clone() })
    }
}

/// What the tests' owner has set.
pub(super) fn settings(listen: &str, token: Option<&str>) -> Settings {
    Settings {
        listen: listen.parse().unwrap(),
        token: token.map(|token| Secret::new(token.to_owned())),
        cron_secret: None,
        instance: "here".to_owned(),
        service: "jukebox".to_owned(),
        servers: vec!["main".to_owned()],
        role: Role::Sidecar,
    }
}

/// Sources that show `memory`, and the sender of further views.
pub(super) fn sources(memory: &Memory, ready: Result<(), String>) -> (Sources, watch::Sender<LiveView>) {
    let (sender, live) = watch::channel(memory.view.clone());
    let (telemetry, panics) = (Arc::clone(&memory.telemetry), Panics::default());
    let (rules, clock) = (analyze::Settings::default(), Clock::start());
    let alerts = Ledger::new(None, Role::Sidecar, &rules, &notify::settings::Settings::default(), clock);
    let jobs = Jobs::new(Parts {
        settings: jobs::settings::Settings::default(),
        rules,
        collect: Vec::new(),
        store: None,
        ledger: alerts.clone(),
        holder: Holder { role: Role::Sidecar, boot: 0 },
        clock,
    });
    (Sources { live, telemetry, panics, ready: Arc::new(Door(ready)), store: None, alerts, jobs }, sender)
}

/// The router over `memory`, bound to loopback.
pub(super) fn site(memory: &Memory) -> Router {
    router(settings("127.0.0.1:7480", None), sources(memory, Ok(())).0)
}

/// An answer, read whole.
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answered {
    /// The body as JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// A header's text; empty when absent.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Asks for a path with headers.
pub(super) async fn ask(router: &Router, path: &str, headers: &[(&str, &str)]) -> Answered {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answered { status: parts.status, headers: parts.headers, text: String::from_utf8(body.to_vec()).unwrap() }
}

/// Asks for a path that must answer 200 with JSON.
pub(super) async fn get(router: &Router, path: &str) -> Value {
    let answered = ask(router, path, &[]).await;
    assert_eq!(answered.status, StatusCode::OK, "{path}: {}", answered.text);
    answered.json()
}

/// The names of an object's fields, in their order.
pub(super) fn fields(value: &Value) -> Vec<&str> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}")).keys().map(String::as_str).collect()
}
