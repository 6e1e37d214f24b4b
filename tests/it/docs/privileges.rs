//! docs/privileges.md: its statements run, in their order, and what they grant is enough.

use crate::support::document::blocks;
use crate::support::postgres::{Cluster, program};
use crate::support::tool::Tool;

/// What `pgvitals check` names as long as it is not granted.
const REMEDIES: [&str; 3] =
    ["GRANT pg_monitor TO pgvitals_monitor", "GRANT pg_read_all_data TO pgvitals_monitor", "CREATE EXTENSION pg_stat"];

/// "with exact SQL, run by the test on PostgreSQL 15–18 at hand, and what is lost without each" (issue 7)
#[test]
fn what_the_document_grants_is_enough() {
    std::thread::scope(|scope| {
        for major in Cluster::majors() {
            scope.spawn(move || grants_are_enough(major));
        }
    });
}

fn grants_are_enough(major: u32) {
    // Roles are the whole server's.
    let cluster = Cluster::own(major);
    for database in ["shop", "monitoring", "stats"] {
        cluster.client("postgres").query(&format!("create database {database} template template0"));
    }
    let mut admin = cluster.client("shop");
    admin.query("create table orders (id int)");
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| program(name, major).parent().unwrap().display().to_string();
    let pgvitals = std::path::Path::new(env!("CARGO_BIN_EXE_pgvitals")).parent().unwrap().display();
    let path = format!("{pgvitals}:{}:{}", path("psql"), std::env::var("PATH").unwrap_or_default());
    let shell = |line: &str| {
        let line = line.replace("db.example.com:5432", &cluster.tcp.to_string());
        let tool = Tool::shell(&line).directory(directory.path()).variable("PATH", &path);
        tool.variable("PGVITALS_LISTEN", "127.0.0.1:0").variable("PGVITALS_HTTP", "127.0.0.1:0")
    };
    let check = |role: &str| {
        let flags = format!("--upstream {0} --monitor-url postgres://{role}@{0}/shop", cluster.tcp);
        shell(&format!("pgvitals check {flags}")).run().stdout
    };

    admin.query("create role nobody login");
    let said = check("nobody").replace(" nobody", " pgvitals_monitor");
    REMEDIES.iter().for_each(|remedy| assert!(said.contains(remedy), "PostgreSQL {major}, {remedy}: {said}"));

    let mut last = String::new();
    for block in blocks("docs/privileges.md") {
        match block.language.as_str() {
            "sql" => {
                let psql = Tool::postgres("psql", major).args(&["-qX", "-v", "ON_ERROR_STOP=1"]);
                psql.against(&cluster.unix, "shop").input(&block.text).succeed();
            }
            "sh" => block.text.lines().for_each(|line| last = shell(line).succeed().stdout),
            other => panic!("a block of {other:?}: {block:?}"),
        }
        if block.text.contains("orders_sidecar@") {
            for right in ["may write", "may read"] {
                assert!(last.contains(&format!("role `orders_sidecar` {right}")), "PostgreSQL {major}: {last}");
            }
        }
    }
    let said = check("pgvitals_monitor");
    REMEDIES.iter().for_each(|remedy| assert!(!said.contains(remedy), "PostgreSQL {major}, {remedy}: {said}"));
    assert!(said.contains("can be asked"), "PostgreSQL {major}: {said}");
}
