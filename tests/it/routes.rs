//! Listeners and upstreams of every kind, several routes in one process, servers that are down (issue 3, §6).

use std::net::{Ipv6Addr, TcpListener};

use crate::support::address::{ANY_PORT, Address, Closed};
use crate::support::client::{Client, startup};
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;

/// "TCP and Unix-socket listeners and upstreams, several routes in one process, IPv6"
#[test]
fn every_kind_of_address_is_served_on_both_legs() {
    let cluster = Cluster::any();
    let mut setup = Setup::default();
    let socket = setup.socket();
    let mut routes =
        vec![(socket, cluster.unix.clone()), (ANY_PORT, cluster.unix.clone()), (ANY_PORT, cluster.tcp.clone())];
    if let Some(tcp6) = &cluster.tcp6 {
        assert!(TcpListener::bind("[::1]:0").is_ok());
        routes.push((Address::Tcp((Ipv6Addr::LOCALHOST, 0).into()), tcp6.clone()));
    }
    let pgvitals = routes.iter().fold(setup, |setup, (listen, upstream)| setup.route(listen.clone(), upstream)).start();
    for address in &pgvitals.listen {
        assert_eq!(Client::connect(address, "postgres").value("select 'here'"), "here", "{address}");
    }
    let calls = pgvitals.listen.len() as u64;
    assert_eq!(pgvitals.await_statement("select $1", calls).rows, calls);
}

/// Each route's statements are its own server's: "`server`, one per route, is in the series key" (issue 3)
#[test]
fn routes_are_told_apart_by_server() {
    let (one, other) = (Cluster::any(), Cluster::newest());
    let setup = Setup::default().route(ANY_PORT, &one.tcp);
    let pgvitals = setup.route(ANY_PORT, &other.tcp).start();
    for (address, cluster) in pgvitals.listen.iter().zip([one, other]) {
        let version = Client::connect(address, "postgres").value("show server_version_num");
        assert_eq!(version.parse::<u32>().unwrap() / 10_000, cluster.major);
    }
    pgvitals.await_statement("show server_version_num", 2);
    for place in 0..2 {
        let rows = pgvitals.statements(&format!("&server=server-{place}"));
        let shown: u64 = rows.iter().filter(|row| row.query == "show server_version_num").map(|row| row.calls).sum();
        assert_eq!(shown, 1, "{rows:?}");
    }
}

/// "upstream unreachable 08006", with "severity, SQLSTATE, message, hint" (PROTOCOL §8)
/// "A server that can't be reached is reported as 08006." (docs/transparency.md)
#[test]
fn a_server_that_is_down_is_reported_as_08006() {
    let down = Closed::new();
    let pgvitals = Pgvitals::before(&down.address);
    let frames = Client::open(pgvitals.address()).begin(&startup(&[("user", "postgres")]));
    assert_eq!(frames.len(), 1, "{frames:?}");
    assert_eq!(frames[0].field(b'C').as_deref(), Some("08006"));
    assert_eq!(frames[0].field(b'V').as_deref(), Some("FATAL"));
    assert!(frames[0].field(b'M').is_some() && frames[0].field(b'H').is_some(), "{frames:?}");
    assert_eq!(pgvitals.get("/healthz").status, 200, "the process is well");
    assert_eq!(pgvitals.get("/readyz").status, 503, "but it can't serve");
}
