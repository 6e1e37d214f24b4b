//! "System calls per query, prepared, 1 client: 6: two reads, two writes, two waits" (issue 4, §4), counted by strace.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;

use crate::bytes_of;
use crate::support::client::{Client, bind, execute, parse, sync};
use crate::support::pgvitals::Setup;
use crate::support::postgres::Cluster;

/// System calls by name of a process that has served this many queries.
fn calls_of(queries: u32) -> BTreeMap<String, f64> {
    let pgvitals = Setup::before(&Cluster::any().tcp).traced().start();
    let mut client = Client::connect(pgvitals.address(), "postgres");
    client.ask(&bytes_of![parse("point", "select $1::int"), sync()]);
    for _ in 0..queries {
        client.ask(&bytes_of![bind("", "point", &["7"]), execute("", 0), sync()]);
    }
    pgvitals.signal("TERM");
    let counts = pgvitals.log_until("total");
    // % time, seconds, microseconds per call, calls, errors where there were some, name.
    let fields = counts.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let calls = fields.filter(|fields| matches!(fields.len(), 5 | 6) && fields[0].parse::<f64>().is_ok());
    calls.filter_map(|fields| Some(((*fields.last()?).to_owned(), fields[3].parse().ok()?))).collect()
}

#[test]
fn a_query_costs_two_reads_two_writes_and_two_waits() {
    let (few, many) = (calls_of(200), calls_of(1_200));
    let each = |name: &str| (many.get(name).unwrap_or(&0.0) - few.get(name).unwrap_or(&0.0)) / 1_000.0;
    for (name, wanted) in [("recvfrom", 2.0), ("sendto", 2.0), ("epoll_wait", 2.0), ("total", 6.0)] {
        // Once a second workers wake each other and the control side; on a slow machine that is several times.
        assert!((each(name) - wanted).abs() < 0.25, "{name}: {} a query\n{few:?}\n{many:?}", each(name));
    }
}
