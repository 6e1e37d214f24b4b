//! Facts to findings, and alerts in memory; time is a parameter.

use url::Url;

use crate::analyze;
use crate::analyze::alert::Notice;
use crate::analyze::judge::Execution;
use crate::analyze::kind::{Kind, Severity};
use crate::analyze::settings::Override;
use crate::base::secret::Secret;
use crate::base::telemetry::{Channel, Dropped, Telemetry};
use crate::base::units::{Nanos, WallTime};
use crate::jobs::ledger::{Counts, Ledger};
use crate::jobs::minute::findings;
use crate::jobs::presence::Role;
use crate::jobs::watch::Watch;
use crate::notify;
use crate::notify::settings::Webhook;
use crate::runtime::clock::Clock;
use crate::sql::hash::QueryHash;
use crate::sql::kind::Class;
use crate::stats::live::LiveView;
use crate::store::alerts::conditions::{Conditions, Down, IdleSession, Said};
use crate::store::alerts::desk::{Acted, Wanted};
use crate::store::alerts::facts::Facts;
use crate::store::alerts::notices::{About, Became};

const START: WallTime = WallTime::from_unix_micros(1_769_860_800_000_000);

fn at(seconds: u64) -> WallTime {
    START.after(Nanos::from_millis(seconds * 1_000))
}

fn execution(seconds: u64, duration_ms: u64) -> (String, Execution) {
    let execution = Execution {
        at: at(seconds),
        database: "shop".to_owned(),
        query_hash: QueryHash::of("select 1"),
        class: Class::Data,
        summary: "SELECT orders".to_owned(),
        duration: Nanos::from_millis(duration_ms),
        is_running: false,
        is_exempt: false,
    };
    ("db".to_owned(), execution)
}

fn facts(seconds: u64, executions: Vec<(String, Execution)>) -> Facts {
    Facts { at: Some(at(seconds)), servers: vec!["db".to_owned()], executions, ..Facts::default() }
}

fn rules() -> analyze::Settings {
    analyze::Settings { learn: Nanos::ZERO, ..analyze::Settings::default() }
}

fn people() -> notify::settings::Settings {
    notify::settings::Settings::default()
}

fn said(seconds: u64, conditions: Conditions) -> Said {
    Said { instance: "pod".to_owned(), at: at(seconds), conditions }
}

/// "No data is not resolved" (FIELD (e)): where nobody knows anything, nobody looked.
#[test]
fn without_an_instance_that_lives_nothing_was_looked_at() {
    let blind = Facts { at: None, ..facts(0, vec![execution(0, 5_000)]) };
    assert_eq!(findings(&rules(), &blind), (Vec::new(), Vec::new()));
}

#[test]
fn what_instances_say_becomes_findings_of_their_servers() {
    let idle = IdleSession {
        server: "db".to_owned(),
        database: "shop".to_owned(),
        user: "app".to_owned(),
        application: "web".to_owned(),
        idle_us: 400_000_000,
        after: None,
    };
    let down = Down { server: "db".to_owned(), since_us: at(0).unix_micros() };
    let other = Down { server: "elsewhere".to_owned(), since_us: at(0).unix_micros() };
    let lost = |count| vec![("spool".to_owned(), count)];
    let mut facts = facts(200, vec![execution(100, 700), execution(150, 400)]);
    facts.said = vec![
        said(199, Conditions { idle: vec![idle], down: vec![down, other], dropped: lost(2) }),
        said(200, Conditions { dropped: lost(3), ..Conditions::default() }),
    ];
    facts.clocks = vec![("pod".to_owned(), Nanos::from_millis(7_000))];
    facts.days_ahead = Some(1.5);
    let (looks, found) = findings(&rules(), &facts);
    let mut found: Vec<(Kind, &str, f64)> =
        found.iter().map(|one| (one.kind, one.server.as_str(), one.sightings[0].value)).collect();
    found.sort_by_key(|(kind, ..)| *kind);
    let expected = [
        (Kind::SlowStatement, "db", 700.0),
        (Kind::IdleInTransaction, "db", 400.0),
        (Kind::UpstreamDown, "db", 199.0),
        (Kind::PartitionsAhead, "pgvitals", 1.5),
        (Kind::Clock, "pgvitals", 7.0),
        (Kind::SamplesDropped, "pgvitals", 5.0),
    ];
    assert_eq!(found, expected);
    assert!(
        found.iter().all(|(kind, server, _)| looks.iter().any(|look| (look.kind, &*look.server) == (*kind, *server)))
    );
}

#[test]
fn the_least_threshold_of_all_overrides_decides_what_is_read() {
    let mut rules = rules();
    assert_eq!(rules.least(Kind::SlowStatement), 500.0);
    for (kind, threshold) in [(Kind::SlowStatement, Some(200.0)), (Kind::SlowStatement, None), (Kind::Clock, Some(1.0))]
    {
        rules.overrides.push(Override { kind, database: None, query_hash: None, threshold });
    }
    assert_eq!(rules.least(Kind::SlowStatement), 200.0);
}

/// What is dropped is told as what came since the last time; what was thinned out on purpose is no loss. What nobody heard,
/// as while the store is away, is told again.
#[test]
fn losses_are_told_until_they_are_heard_once() {
    let (telemetry, view) = (Telemetry::default(), LiveView::default());
    let mut watch = Watch::default();
    let said = |watch: &mut Watch| watch.conditions(&rules(), &view, &telemetry, Vec::new(), at(0)).dropped;
    telemetry.dropped(Dropped::Spool, 3);
    telemetry.dropped(Dropped::SlowRing, 9);
    assert_eq!(said(&mut watch), [("spool".to_owned(), 3)]);
    telemetry.dropped(Dropped::Spool, 2);
    assert_eq!(said(&mut watch), [("spool".to_owned(), 5)], "nobody heard of the first three");
    telemetry.dropped(Dropped::Spool, 1);
    watch.heard();
    assert_eq!(said(&mut watch), [("spool".to_owned(), 1)], "what came after it was said");
    watch.heard();
    assert_eq!(said(&mut watch), []);
}

/// A server is down since it was first seen to be, until it isn't.
#[test]
fn a_server_that_comes_back_is_down_no_more() {
    let (telemetry, view) = (Telemetry::default(), LiveView::default());
    let mut watch = Watch::default();
    let mut say = |down: &[&str], seconds| {
        let down = down.iter().map(|name| (*name).to_owned()).collect();
        let said = watch.conditions(&rules(), &view, &telemetry, down, at(seconds)).down;
        said.iter().map(|one| (one.server.clone(), WallTime::from_unix_micros(one.since_us))).collect::<Vec<_>>()
    };
    assert_eq!(say(&["db"], 10), [("db".to_owned(), at(10))]);
    assert_eq!(say(&["db"], 70), [("db".to_owned(), at(10))]);
    assert_eq!(say(&[], 130), []);
    assert_eq!(say(&["db"], 190), [("db".to_owned(), at(190))]);
}

fn judge(ledger: &Ledger, seconds: u64, executions: Vec<(String, Execution)>) {
    let (looks, found) = findings(&rules(), &facts(seconds, executions));
    ledger.judge(at(seconds), &looks, found, true);
}

#[tokio::test]
async fn an_alert_in_memory_opens_once_is_known_and_ends() {
    let ledger = Ledger::new(None, Role::Sidecar, &rules(), &people(), Clock::start());
    let mut told = ledger.subscribe();
    judge(&ledger, 10, vec![execution(5, 700)]);
    judge(&ledger, 20, vec![execution(5, 700)]);
    let all = Wanted { since: Some(START), limit: 10, ..Wanted::default() };
    let listed = ledger.list(&all).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].id, listed[0].count), (Some(1), 1));
    assert_eq!(told.try_recv().map(|alert| alert.id), Ok(Some(1)));
    assert!(told.try_recv().is_err(), "one that goes on is no news");
    assert_eq!(ledger.counts(None).await.unwrap(), Counts { open: 1, critical: 0 });
    assert_eq!(ledger.gauges().get(&(Kind::SlowStatement, Severity::Alert)), Some(&1));
    let elsewhere = Wanted { server: Some("other".to_owned()), ..all.clone() };
    assert!(ledger.list(&elsewhere).await.unwrap().is_empty());

    let Acted::Done(known) = ledger.acknowledge(1, "ada").await.unwrap() else { panic!("it is open") };
    assert_eq!(known.acknowledged.map(|known| known.by), Some("ada".to_owned()));
    assert_eq!(ledger.acknowledge(2, "ada").await.unwrap(), Acted::Unknown);

    judge(&ledger, 5 + 15 * 60, Vec::new());
    assert_eq!(ledger.silence(1, "ada", Nanos::from_millis(60_000)).await.unwrap(), Acted::Over);
    assert_eq!(told.try_recv().map(|alert| alert.resolved_at), Ok(Some(at(5 + 15 * 60))));
    assert_eq!(ledger.counts(None).await.unwrap(), Counts::default());
    assert!(ledger.list(&Wanted { limit: 10, ..Wanted::default() }).await.unwrap().is_empty(), "none is open");
    assert_eq!(ledger.list(&all).await.unwrap().len(), 1, "one was");
}

/// What happens to one alert waits for each who hears of it, tells the state that the alert has now, and is told once.
#[tokio::test]
async fn in_memory_what_is_told_waits_until_it_was_told() {
    let url = Url::parse("http://127.0.0.1:9/hook").unwrap();
    let webhook = Some(Webhook { url: Secret::new(url), secret: None });
    let people = notify::settings::Settings { webhook, ..people() };
    let ledger = Ledger::new(None, Role::Sidecar, &rules(), &people, Clock::start());
    let waiting = async || ledger.waiting().await.unwrap();
    judge(&ledger, 10, vec![execution(5, 700)]);
    assert!(waiting().await.is_empty(), "one slow execution is nothing to tell");
    judge(&ledger, 100, vec![execution(90, 800)]);
    let [opened] = &waiting().await[..] else { panic!("the second sighting is told") };
    assert_eq!((opened.channel, opened.due, opened.attempts), (Channel::Webhook, at(130), 0));
    ledger.settle(&[(opened.id, Became::Again(at(500)))]).await.unwrap();
    judge(&ledger, 90 + 15 * 60, Vec::new());

    let both = waiting().await;
    let told: Vec<_> = both
        .iter()
        .map(|one| match &one.about {
            About::Alert(notice, alert) => (one.due, one.attempts, *notice, alert.resolved_at.is_some()),
            About::Report(_) => panic!("no report is in memory"),
        })
        .collect();
    let end = at(90 + 15 * 60 + 30);
    assert_eq!(told, [(at(500), 1, Notice::Opened, true), (end, 0, Notice::Resolved, true)]);
    ledger.settle(&both.iter().map(|one| (one.id, Became::Sent)).collect::<Vec<_>>()).await.unwrap();
    assert!(waiting().await.is_empty());
    assert_eq!(ledger.told(START).await.len(), 2);
}

/// Who told people of something that it alone sees also tells that it is over, whoever judges by then.
#[tokio::test]
async fn who_was_told_that_it_began_is_told_that_it_is_over() {
    let url = Url::parse("http://127.0.0.1:9/hook").unwrap();
    let webhook = Some(Webhook { url: Secret::new(url), secret: None });
    let people = notify::settings::Settings { webhook, ..people() };
    let ledger = Ledger::new(None, Role::Sidecar, &rules(), &people, Clock::start());
    let judge = |seconds, executions, is_told| {
        let (looks, found) = findings(&rules(), &facts(seconds, executions));
        ledger.judge(at(seconds), &looks, found, is_told);
    };
    let events = async || {
        let waiting = ledger.waiting().await.unwrap();
        let events = waiting.into_iter().filter_map(|one| match one.about {
            About::Alert(notice, _) => Some(notice),
            About::Report(_) => None,
        });
        events.collect::<Vec<_>>()
    };
    judge(10, vec![execution(5, 5_000)], true);
    assert_eq!(events().await, [Notice::Opened], "critical at once");
    judge(5 + 15 * 60, Vec::new(), false);
    assert_eq!(events().await, [Notice::Opened, Notice::Resolved]);
    judge(2_000, vec![execution(1_990, 5_000)], false);
    assert_eq!(events().await.len(), 2, "of what begins somebody else tells");
}
