//! Something to be seen: a database with traffic of each kind that dashboards and rules tell of.

use std::io::Write;

use tempfile::NamedTempFile;

use super::compose::{initialised, store_url};
use crate::bytes_of;
use crate::support::client::{Client, query};
use crate::support::http::request;
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;

const SECRET: &str = "a-secret-of-some-length";

/// A server, and a pgvitals before it that writes into a store beside.
pub(super) struct Scene {
    pub(super) cluster: &'static Cluster,
    pub(super) pgvitals: Pgvitals,
}

impl Scene {
    /// Everything has happened at least once, and all of it was seen.
    pub(super) fn play() -> Self {
        let cluster = initialised();
        let mut secret = NamedTempFile::new().unwrap();
        secret.write_all(SECRET.as_bytes()).unwrap();
        let setup = Setup::before(&cluster.tcp)
            .flag("service", "orders")
            .flag("store", &store_url(cluster))
            .flag("monitor-url", &store_url(cluster))
            .flag("store-flush-interval", "1s")
            .flag("alerts-interval", "1s")
            .flag("alerts-learn", "0")
            .flag("jobs-hourly", "off")
            .flag("jobs-daily", "off")
            .flag("cron-secret-file", &secret.path().to_string_lossy());
        let scene = Self { cluster, pgvitals: setup.start() };
        scene.furnish();
        scene.traffic();
        let authorization = [("authorization", &*format!("Bearer {SECRET}"))];
        for job in ["hourly-monitoring", "daily-maintenance"] {
            let answer = request(scene.pgvitals.http, "GET", &format!("/api/cron/{job}"), &authorization);
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        scene
    }

    /// Tables, a sequence that is used, a slot that holds WAL.
    fn furnish(&self) {
        let pgbench = Tool::postgres("pgbench", self.cluster.major).against(&self.cluster.tcp, "orders");
        pgbench.args(&["-i", "-q"]).succeed();
        let mut admin = self.cluster.client("orders");
        admin.query("create sequence numbers maxvalue 1000");
        admin.query("select setval('numbers', 900)");
        admin.query("grant select on sequence numbers to pgvitals");
        admin.query("select pg_create_physical_replication_slot('standby', true)");
    }

    fn traffic(&self) {
        let pgbench = Tool::postgres("pgbench", self.cluster.major).against(self.pgvitals.address(), "orders");
        pgbench.args(&["-n", "-c", "2", "-t", "50"]).succeed();
        let mut client = Client::connect(self.pgvitals.address(), "orders");
        client.query("set application_name = 'shop'");
        client.query("select aid from pgbench_accounts where aid < 1000 /*route='%2Faccounts'*/");
        // Above the levels warning, alert and critical.
        for seconds in ["0.2", "0.6", "1.1"] {
            client.query(&format!("select pg_sleep({seconds})"));
        }
        client.ask(&bytes_of![query("select 1/0")]);
        for end in ["commit", "rollback"] {
            client.query("begin");
            client.query("select count(*) from pgbench_branches");
            // Idle meanwhile.
            self.cluster.client("orders").query("select pg_sleep(0.2)");
            client.query(end);
        }
        assert!(Client::try_connect(self.pgvitals.address(), "of_nobody").is_err());
        self.pgvitals.await_statement("select pg_sleep($1)", 3);
        self.pgvitals.await_merge("an alert", |pgvitals| {
            let body = pgvitals.performance("metric=alerts");
            body["alerts"].as_array().filter(|alerts| !alerts.is_empty()).map(Vec::len)
        });
    }
}
