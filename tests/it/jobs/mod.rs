//! Jobs, as schedulers outside and pgvitals itself start them, on real servers: [`calls`] of existing callers,
//! [`once`] for a slot, whoever asks, [`refused`] and failing ones, [`found`] by a round and alerts for it, [`due`] by
//! themselves.

mod calls;
mod due;
mod found;
mod once;
mod refused;

use std::io::Write;
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::NamedTempFile;

use crate::support::address::Address;
use crate::support::http::{Answer, request};
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;

pub(crate) const SECRET: &str = "a-secret-of-some-length";
pub(crate) const HOURLY: &str = "/api/cron/hourly-monitoring";
const DAILY: &str = "/api/cron/daily-maintenance";

/// A server of these tests' own: who looks at one looks into all its databases.
fn cluster() -> &'static Cluster {
    static CLUSTER: LazyLock<&'static Cluster> =
        LazyLock::new(|| Cluster::own(*Cluster::majors().last().expect("a PostgreSQL is at hand")));
    *CLUSTER
}

pub(crate) fn url(address: &Address, database: &str) -> String {
    let (host, port) = address.host_and_port();
    format!("postgres://postgres@{host}:{port}/{database}")
}

/// A pgvitals that jobs can be asked of; its own scheduler starts none.
pub(crate) struct Site {
    pub(crate) pgvitals: Pgvitals,
    _secret: NamedTempFile,
}

impl Site {
    pub(crate) fn new(setup: Setup) -> Self {
        Self::scheduled(setup.flag("jobs-hourly", "off").flag("jobs-daily", "off"))
    }

    fn scheduled(setup: Setup) -> Self {
        let mut secret = NamedTempFile::new().unwrap();
        secret.write_all(SECRET.as_bytes()).unwrap();
        let path = secret.path().to_str().unwrap().to_owned();
        Self { pgvitals: setup.flag("cron-secret-file", &path).start(), _secret: secret }
    }

    fn call(&self, method: &str, path: &str) -> Answer {
        request(self.pgvitals.http, method, path, &[("authorization", &format!("Bearer {SECRET}"))])
    }

    /// A call that must answer with this status.
    #[track_caller]
    pub(crate) fn answer(&self, path: &str, status: u16) -> Value {
        let answer = self.call("GET", path);
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        answer.json()
    }
}

/// The steps' names, in order.
pub(crate) fn steps(answer: &Value) -> Vec<&str> {
    answer["steps"].as_array().unwrap().iter().map(|step| step["name"].as_str().unwrap()).collect()
}
