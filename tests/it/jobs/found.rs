//! What a round finds, from the server to the alerts: "what a job captured is judged before it answers: alerts that follow
//! from it are open when the caller reads `metric=alerts`" (issue 6).

use std::io::Write;

use serde_json::Value;
use tempfile::NamedTempFile;

use super::{HOURLY, Site, cluster, url};
use crate::bytes_of;
use crate::support::client::{Client, query};
use crate::support::pgvitals::Setup;

/// Thresholds that any server passes, of what a test can't bring about.
const OVERRIDES: &str = "
    [[alerts.override]]
    kind = 'connection_saturation'
    threshold = '0.01%'
    [[alerts.override]]
    kind = 'wraparound'
    threshold = '0.0000001%'
    [[alerts.override]]
    kind = 'replication_slot'
    threshold = '1KiB'
";

/// A server's database that is the store, too, with what an owner would want to know of.
struct Ward {
    database: String,
    client: Client,
    site: Site,
    _overrides: NamedTempFile,
}

impl Ward {
    fn open(flags: &[(&str, &str)]) -> Self {
        let database = cluster().database();
        let mut overrides = NamedTempFile::new().unwrap();
        overrides.write_all(OVERRIDES.as_bytes()).unwrap();
        let site = admit(&database, overrides.path().to_str().unwrap(), flags);
        Self { client: cluster().client(&database), database, site, _overrides: overrides }
    }

    /// Another process instead, with further flags.
    fn reopen(&mut self, flags: &[(&str, &str)]) {
        self.site = admit(&self.database, self._overrides.path().to_str().unwrap(), flags);
    }

    /// A round, whatever was done in its hour.
    #[track_caller]
    fn look(&self) -> Value {
        self.site.answer(&format!("{HOURLY}?force=1"), 200)
    }

    /// Kinds and subjects of alerts of this database and of the server itself, that are open or not.
    fn alerts(&self, is_open: bool) -> Vec<String> {
        let body = self.site.pgvitals.performance("metric=alerts&limit=1000");
        let all = body["alerts"].as_array().unwrap().iter();
        let ours = all.filter(|alert| alert["database"].is_null() || alert["database"] == *self.database);
        let wanted = ours.filter(|alert| alert["resolved_at"].is_null() == is_open);
        let subject = |alert: &Value| alert["subject"].as_str().unwrap().replace(&self.database, "here");
        let mut named: Vec<_> =
            wanted.map(|alert| format!("{}: {}", alert["kind"].as_str().unwrap(), subject(alert))).collect();
        named.sort();
        named
    }
}

fn admit(database: &str, overrides: &str, flags: &[(&str, &str)]) -> Site {
    let setup = Setup::before(&cluster().tcp).flag("store", &url(&cluster().tcp, database)).flag("server", "db");
    let setup = setup.flag("config", overrides).flag("alerts-interval", "1s").flag("bloat-min-wasted", "1MiB");
    Site::new(flags.iter().fold(setup, |setup, (name, value)| setup.flag(name, value)))
}

const SICK: [&str; 9] = [
    "create table bloated (id int primary key, filler text)",
    "insert into bloated select i, repeat('x', 200) from generate_series(1, 40000) i",
    "delete from bloated where id % 4 <> 0",
    // What this session counted, before ANALYZE begins anew.
    "select pg_stat_force_next_flush()",
    "vacuum bloated",
    "analyze bloated",
    "create table orders (id int generated always as identity)",
    "select setval('orders_id_seq', 2000000000)",
    "create table twice as select 1 as n from generate_series(1, 2)",
];

const MENDED: [&str; 7] = [
    "select pg_stat_force_next_flush()",
    "vacuum full bloated",
    "analyze bloated",
    "select setval('orders_id_seq', 1)",
    "truncate twice",
    "reindex index concurrently broken",
    "select pg_drop_replication_slot('left_alone')",
];

/// Kinds of the hourly snapshot, each from the object that causes it.
#[test]
fn what_a_round_finds_is_open_when_it_answers_and_over_when_it_is_mended() {
    let mut ward = Ward::open(&[]);
    SICK.iter().for_each(|sql| drop(ward.client.query(sql)));
    let failed = ward.client.ask(&bytes_of![query("create unique index concurrently broken on twice (n)")]);
    assert!(failed.iter().any(|frame| frame.field(b'C').as_deref() == Some("23505")), "{failed:?}");
    ward.client.query("select pg_create_physical_replication_slot('left_alone', true)");
    ward.client.query("insert into bloated select i, repeat('y', 200) from generate_series(50001, 50100) i");

    let ran = ward.site.answer(HOURLY, 200);
    let open = ward.alerts(true);
    let sick = [
        "high_bloat: here public.bloated",
        "invalid_index: here public.broken",
        "replication_slot: left_alone",
        "sequence_exhaustion: here public.orders_id_seq",
    ];
    let lasting = ["connection_saturation: server", "wraparound: here transaction ids"];
    for one in sick.iter().chain(&lasting) {
        assert!(open.iter().any(|alert| alert == one), "{one}: {open:#?}");
    }
    assert!(ran["opened"].as_u64() >= Some(6) && ran["detected"].as_u64() >= ran["opened"].as_u64(), "{ran}");
    let counts = ward.site.pgvitals.performance("metric=summary")["alerts"].clone();
    assert!(counts["open"].as_u64() >= Some(6) && counts["critical"].as_u64() >= Some(2), "{counts}");

    MENDED.iter().for_each(|sql| drop(ward.client.query(sql)));
    ward.look();
    let open = ward.alerts(true);
    assert!(sick.iter().all(|one| open.iter().any(|alert| alert == one)), "one look is not enough: {open:#?}");
    ward.look();
    let (open, over) = (ward.alerts(true), ward.alerts(false));
    assert!(sick.iter().all(|one| over.iter().any(|alert| alert == one)), "{over:#?}");
    assert!(lasting.iter().all(|one| open.iter().any(|alert| alert == one)), "{open:#?}");
}

/// Makes of one round those of the 32 days before: an index that nobody used, and databases that grew by a 1,600th an hour.
const DAYS_BEFORE: [&str; 4] = [
    "select pgvitals.make_partition(p, p || '_past', date_trunc('month', now(), 'UTC') - interval '3 months',
         (select min(since) from pgvitals.partitions(p)))
     from unnest(array['index_samples', 'database_samples']) p",
    "create temp table newest as select max(at) as at from pgvitals.server_samples",
    "insert into pgvitals.database_samples
         (at, server_id, database, is_seen, is_full, after_idle, datname, figures, sequences)
     select d.at - h * interval '1 hour', d.server_id, d.database, d.is_seen, false, false, d.datname,
         jsonb_set(d.figures, '{size_bytes}', to_jsonb(((d.figures ->> 'size_bytes')::bigint * (1 - h / 1600.0))::bigint)),
         d.sequences
     from pgvitals.database_samples d, generate_series(1, 32 * 24) h where d.at = (select at from newest)",
    "insert into pgvitals.index_samples
         (at, scans, tuples_read, tuples_fetched, size_bytes, server_id, database, relation, definition_id, partitions)
     select i.at - interval '32 days', i.scans, i.tuples_read, i.tuples_fetched, i.size_bytes, i.server_id, i.database,
         i.relation, i.definition_id, i.partitions
     from pgvitals.index_samples i where i.at = (select at from newest)",
];

/// Kinds that need a month: over on the next day that doesn't show them.
#[test]
fn an_index_that_nobody_uses_and_a_disk_that_fills_are_found_by_a_month_of_rounds() {
    let mut ward = Ward::open(&[]);
    for sql in [
        "create table songs (id int primary key, title text)",
        "create index songs_title on songs (title)",
        "insert into songs select i, 'title ' || i from generate_series(1, 5000) i",
    ] {
        ward.client.query(sql);
    }
    ward.look();
    assert!(!ward.alerts(true).iter().any(|alert| alert.starts_with("unused") || alert.starts_with("disk")));
    DAYS_BEFORE.iter().for_each(|sql| drop(ward.client.query(sql)));
    let size = "select sum((figures ->> 'size_bytes')::bigint)::bigint from pgvitals.database_samples where at = (select at from newest)";
    // By a 1,600th an hour a tenth takes a week.
    let capacity = ward.client.value(size).parse::<u64>().unwrap() * 11 / 10;
    ward.reopen(&[("large-index", "64KiB"), ("disk-capacity", &format!("{capacity}B"))]);
    ward.look();
    let unused = "unused_index: here public.songs_title";
    let open = ward.alerts(true);
    assert!(open.iter().any(|alert| alert == unused), "{open:#?}");
    assert!(!open.iter().any(|alert| alert.contains("songs_pkey")), "it enforces something: {open:#?}");
    assert!(open.iter().any(|alert| alert == "disk_forecast: server"), "{open:#?}");

    ward.client.query("drop index songs_title");
    ward.look();
    assert!(ward.alerts(true).iter().any(|alert| alert == unused), "until the next day");
    ward.client.query("update pgvitals.alerts set last_seen_at = last_seen_at - interval '21 hours'");
    ward.look();
    assert!(ward.alerts(false).iter().any(|alert| alert == unused), "{:#?}", ward.alerts(false));
}
