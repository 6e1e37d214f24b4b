//! "Listening sockets can be inherited (systemd)." (issue 4, §2): a restart behind them refuses nobody.

use crate::bytes_of;
use crate::support::address::{ANY_PORT, Address};
use crate::support::client::{Client, startup};
use crate::support::http;
use crate::support::pgvitals::Setup;
use crate::support::postgres::Cluster;

#[test]
fn sockets_come_by_address_and_by_name_and_who_connects_between_two_processes_waits() {
    let upstream = &Cluster::any().tcp;
    let mut setup = Setup::default().flag("drain-mode", "transactions").flag("drain-timeout", "600s");
    let unix = setup.socket();
    // Filled in by the activator.
    let setup = setup.route(Address::Unix("{tcp},{unix}".into()), upstream);
    let pgvitals = setup.activated(&[("tcp", &ANY_PORT), ("http", &ANY_PORT), ("unix", &unix)]).start();
    let [tcp, other] = &pgvitals.listen[..] else { panic!("{:?}", pgvitals.listen) };
    assert_eq!(other, &unix);
    assert_eq!(Client::connect(&unix, "postgres").value("select 'over a Unix socket'"), "over a Unix socket");
    assert_eq!(http::get(pgvitals.http, "/healthz").status, 200);

    let mut busy = Client::connect(tcp, "postgres");
    busy.query("begin");
    pgvitals.signal("TERM");
    for address in [tcp, &unix] {
        let left = format!("others serve this address from here on listen={address}");
        pgvitals.keeper.log.await_line(&left, |line| line.contains(&left).then_some(()));
    }
    // Nobody accepts them until the old process is gone.
    let mut waiting = [tcp, &unix].map(Client::open);
    waiting.iter_mut().for_each(|client| client.send(&bytes_of![startup(&[("user", "postgres")])]));
    assert_eq!(busy.value("select 'still here'"), "still here");
    busy.query("commit");
    busy.is_told_of_the_end();
    for client in &mut waiting {
        client.until(b'Z');
        assert_eq!(client.value("select 'served by the next'"), "served by the next");
    }
    // The same socket, though the flag asks for any port.
    assert_eq!(http::get(pgvitals.http, "/healthz").status, 200);
}

/// A socket that nobody listens on would let clients wait forever.
#[test]
fn an_inherited_socket_that_no_setting_names_is_an_error() {
    let setup = Setup::before(&Cluster::any().tcp).activated(&[("other", &ANY_PORT)]);
    let said = setup.fail("nobody listens on the inherited socket 127.0.0.1:");
    assert!(said.contains("name it in `listen`, or call it http"), "{said}");
}
