//! Other languages' drivers: scripts in `tests/clients` that print what their user sees.

use super::same;
use crate::support::postgres::Cluster;
use crate::support::tool::{Output, Tool};

#[track_caller]
fn prints_the_same(tool: impl Fn() -> Tool) {
    for major in Cluster::majors() {
        same(Cluster::of(major), |address, database| {
            let output: Output = tool().against(address, database).succeed();
            assert!(output.stdout.lines().count() > 10 && output.stdout.ends_with("done\n"), "{output:?}");
            output
        });
    }
}

/// "Drivers see the same results, errors, notices and notifications." (docs/transparency.md)
#[test]
fn psycopg_prints_the_same() {
    prints_the_same(|| Tool::python("psycopg_session.py"));
}

#[test]
fn asyncpg_prints_the_same() {
    prints_the_same(|| Tool::python("asyncpg_session.py"));
}

#[test]
fn node_postgres_prints_the_same() {
    prints_the_same(|| Tool::node("node_session.js"));
}
