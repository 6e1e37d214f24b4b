//! How TLS begins, and what is refused. "Read one packet, and one answer byte, exactly" (PROTOCOL §1).

use std::io::{Read, Write};

use pgwire::messages::cancel::CancelRequest;
use pgwire::messages::startup::{GssEncRequest, SecretKey, SslRequest};
use rustls::{ClientConnection, StreamOwned};

use super::{before, outcomes, showing};
use crate::bytes_of;
use crate::cancel::LONG;
use crate::support::address::Stream;
use crate::support::client::{Client, query, startup, tags};
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;
use crate::support::server::{SSL_REQUEST, Server};
use crate::support::tool::Tool;

const PROTOCOL: &[u8] = b"postgresql";

fn encrypted() -> &'static Cluster {
    Cluster::encrypted(Cluster::newest().major)
}

/// A pgvitals with TLS towards clients, with a certificate that they trust.
fn accepting(client: &str) -> Pgvitals {
    let cluster = encrypted();
    showing(before(cluster, client, "disable"), &cluster.pki().other).start()
}

/// Begins a session on `client` and asks who is there.
#[track_caller]
fn works(mut client: Client) {
    let frames = client.begin(&startup(&[("user", "postgres"), ("database", "postgres")]));
    assert!(tags(&frames).ends_with("KZ"), "{frames:?}");
    assert_eq!(client.value("select 'alive'"), "alive");
}

/// "`SSLRequest` is answered by `tls.client` (`disable` → `N`, `allow`/`require` → `S`)"
/// "Who asks for TLS gets it where `tls.client` allows it." (docs/transparency.md)
#[test]
fn who_asks_for_tls_gets_it() {
    for mode in ["allow", "require"] {
        let pgvitals = accepting(mode);
        for protocols in [&[PROTOCOL][..], &[]] {
            works(Client::open_tls(pgvitals.address(), encrypted().pki().client_config(protocols)));
        }
        assert_eq!(outcomes(&pgvitals, "client", "completed"), 2);
        // Behind a wish for GSSAPI, which is declined.
        let mut client = Client::open(pgvitals.address());
        client.send(&bytes_of![GssEncRequest::new()]);
        let mut answer = [0];
        client.stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, *b"N");
        client.send(&bytes_of![SslRequest::new()]);
        client.stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, *b"S");
        client.stream = client.stream.encrypt(encrypted().pki().client_config(&[]));
        works(client);
    }
}

/// "PostgreSQL 17's direct negotiation (ALPN `postgresql`) is accepted"
#[test]
fn tls_may_begin_at_once_if_it_says_for_what() {
    let pgvitals = accepting("allow");
    let direct = |protocols: &[&[u8]]| {
        let mut client = Client::open(pgvitals.address());
        client.stream = client.stream.encrypt(encrypted().pki().client_config(protocols));
        client
    };
    works(direct(&[PROTOCOL]));
    works(direct(&[b"http/1.1", PROTOCOL]));
    for others in [&[][..], &[&b"http/1.1"[..]]] {
        let mut client = direct(others);
        drop(client.stream.write_all(&bytes_of![startup(&[("user", "postgres")])]));
        assert!(client.stream.read(&mut [0; 64]).map_or(true, |count| count == 0), "{others:?}");
    }
    let counted = |pgvitals: &Pgvitals| ["completed", "alpn"].map(|outcome| outcomes(pgvitals, "client", outcome));
    pgvitals.await_merge("four outcomes", |pgvitals| (counted(pgvitals) == [2, 2]).then_some(()));
    if Tool::postgres("psql", 17).args(&["--version"]).succeed().stdout.contains(" 1") {
        let psql = Tool::postgres("psql", 17).against(pgvitals.address(), "postgres");
        let psql = psql.variable("PGSSLMODE", "require").variable("PGSSLNEGOTIATION", "direct");
        assert_eq!(psql.args(&["-XAtc", "select 'direct'"]).succeed().stdout, "direct\n");
    }
}

/// "`CancelRequest` is accepted in plaintext under every `tls.client`"; sessions are not, where it is `require`.
#[test]
fn where_tls_is_required_only_requests_to_cancel_come_without() {
    let pgvitals = accepting("require");
    let frames = Client::open(pgvitals.address()).begin(&startup(&[("user", "postgres")]));
    assert_eq!((tags(&frames).as_str(), frames[0].field(b'C').as_deref()), ("E", Some("28000")));
    assert!(frames[0].field(b'H').unwrap().contains("sslmode=require"));
    assert_eq!(outcomes(&pgvitals, "client", "required"), 1);
    for encrypted_cancel in [false, true] {
        let config = || encrypted().pki().client_config(&[PROTOCOL]);
        let mut client = Client::open_tls(pgvitals.address(), config());
        client.begin(&startup(&[("user", "postgres"), ("database", "postgres")]));
        client.send(&bytes_of![query(LONG)]);
        client.until(b'N');
        let (pid, key) = client.key.clone().unwrap();
        let mut cancel = match encrypted_cancel {
            true => Client::open_tls(pgvitals.address(), config()),
            false => Client::open(pgvitals.address()),
        };
        cancel.send(&bytes_of![CancelRequest::new(pid, SecretKey::Bytes(key.into()))]);
        assert_eq!(cancel.rest(), b"");
        assert_eq!(client.until(b'Z')[0].field(b'C').as_deref(), Some("57014"));
    }
}

/// The end of the handshake, the request and the end of the session come as one, as from a client that asks and is gone.
#[test]
fn a_request_to_cancel_arrives_with_the_end_of_its_session() {
    let pgvitals = accepting("require");
    let config = || encrypted().pki().client_config(&[PROTOCOL]);
    let mut client = Client::open_tls(pgvitals.address(), config());
    client.begin(&startup(&[("user", "postgres"), ("database", "postgres")]));
    client.send(&bytes_of![query(LONG)]);
    client.until(b'N');
    let (pid, key) = client.key.clone().unwrap();

    let mut cancel = Client::open_tls(pgvitals.address(), config());
    let Stream::Tls(tls) = &mut cancel.stream else { unreachable!() };
    while tls.conn.is_handshaking() {
        while tls.conn.wants_write() {
            tls.conn.write_tls(&mut tls.sock).unwrap();
        }
        tls.conn.read_tls(&mut tls.sock).unwrap();
        tls.conn.process_new_packets().unwrap();
    }
    tls.conn.writer().write_all(&bytes_of![CancelRequest::new(pid, SecretKey::Bytes(key.into()))]).unwrap();
    tls.conn.send_close_notify();
    let mut all = Vec::new();
    while tls.conn.wants_write() {
        tls.conn.write_tls(&mut all).unwrap();
    }
    tls.sock.write_all(&all).unwrap();
    assert_eq!(client.until(b'Z')[0].field(b'C').as_deref(), Some("57014"));
}

/// Over a Unix socket PostgreSQL has no TLS, and its clients ask for none, whatever their `sslmode`.
#[test]
fn a_unix_socket_is_never_encrypted_and_never_refused_for_it() {
    let mut setup = Setup::default();
    let socket = setup.socket();
    let setup =
        setup.route(socket, &encrypted().unix).flag("tls-client", "require").flag("tls-upstream", "verify-full");
    let pgvitals = setup.start();
    works(Client::open(pgvitals.address()));
    let mut client = Client::open(pgvitals.address());
    client.send(&bytes_of![SslRequest::new()]);
    let mut answer = [0];
    client.stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, *b"N");
    works(client);
}

/// "bytes that lie behind `SSLRequest` before our answer … close the connection (CVE-2021-23222)": what an attacker puts
/// in front of the handshake must not count as said inside it.
#[test]
fn bytes_in_front_of_a_clients_handshake_are_refused() {
    let pgvitals = accepting("allow");
    let mut client = Client::open(pgvitals.address());
    client.send(&bytes_of![SslRequest::new(), startup(&[("user", "postgres")])]);
    assert_eq!(client.rest(), b"");
    assert_eq!(outcomes(&pgvitals, "client", "early_bytes"), 1);
}

/// "or behind the server's `S` before our ClientHello (CVE-2021-23214)"
#[test]
fn bytes_in_front_of_a_servers_handshake_are_refused() {
    let server = Server::start(|peer| {
        assert_eq!(peer.packet().as_deref(), Some(SSL_REQUEST));
        peer.send(b"SR\0\0\0\x08\0\0\0\0Z\0\0\0\x05I");
        peer.frame();
    });
    let pgvitals = Setup::before(&server.address).flag("tls-upstream", "require").start();
    let frames = Client::open(pgvitals.address()).begin(&startup(&[("user", "postgres")]));
    assert_eq!((tags(&frames).as_str(), frames[0].field(b'C').as_deref()), ("E", Some("08006")));
    assert!(frames[0].field(b'M').unwrap().contains("tampering"), "{frames:?}");
    assert_eq!(outcomes(&pgvitals, "upstream", "early_bytes"), 1);
}

/// "An `E` to our own SSLRequest is never shown to the client." With `prefer` pgvitals goes on without.
#[test]
fn a_server_that_fails_at_tls_is_gone_on_without_unless_it_is_required() {
    let server = Server::start(|peer| match peer.packet() {
        Some(packet) if packet == SSL_REQUEST => peer.send(b"ESFATAL\0shown to nobody\0"),
        Some(_) => {
            peer.send(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I");
            peer.frame();
        }
        None => {}
    });
    let prefers = Pgvitals::before(&server.address);
    assert_eq!(tags(&Client::open(prefers.address()).begin(&startup(&[("user", "u")]))), "RZ");
    let requires = Setup::before(&server.address).flag("tls-upstream", "require").start();
    let frames = Client::open(requires.address()).begin(&startup(&[("user", "u")]));
    let message = frames[0].field(b'M').unwrap();
    assert!(message.contains("0x45") && !message.contains("shown to nobody"), "{message}");
    for pgvitals in [prefers, requires] {
        assert_eq!(outcomes(&pgvitals, "upstream", "protocol"), 1);
    }
}

/// "`prefer|require`": the server has no TLS.
#[test]
fn a_server_without_tls_is_spoken_to_in_plaintext_unless_tls_is_required() {
    let pgvitals = Pgvitals::before(&Cluster::any().tcp);
    works(Client::open(pgvitals.address()));
    assert_eq!(outcomes(&pgvitals, "upstream", "declined"), 1);
    let pgvitals = Setup::before(&Cluster::any().tcp).flag("tls-upstream", "require").start();
    let frames = Client::open(pgvitals.address()).begin(&startup(&[("user", "postgres")]));
    assert!(frames[0].field(b'M').unwrap().contains("tls.upstream"), "{frames:?}");
}

/// What is no TLS, and TLS that nobody speaks any more.
#[test]
fn senseless_handshakes_end_and_are_counted() {
    let pgvitals = accepting("allow");
    // A ClientHello of TLS 1.0, and none at all.
    let hello = b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x01\
        01234567890123456789012345678901\x00\x00\x02\x00\x2f\x01\x00";
    for (bytes, outcome) in [(&hello[..], "protocol"), (b"not a handshake at all", "protocol"), (b"\x16\x03", "lost")] {
        let mut client = Client::open(pgvitals.address());
        client.send(&bytes_of![SslRequest::new()]);
        let mut answer = [0];
        client.stream.read_exact(&mut answer).unwrap();
        let before = outcomes(&pgvitals, "client", outcome);
        client.send(bytes);
        client.stream.half_close().unwrap();
        client.rest();
        // The client sees the end a little sooner than the counter does.
        pgvitals.await_merge(outcome, |pgvitals| (outcomes(pgvitals, "client", outcome) == before + 1).then_some(()));
    }
}

/// "Session resumption on."
#[test]
fn a_session_of_tls_can_be_resumed() {
    let pgvitals = accepting("allow");
    let config = encrypted().pki().client_config(&[PROTOCOL]);
    let kinds = [(); 2].map(|()| {
        let mut client = Client::open_tls(pgvitals.address(), config.clone());
        client.begin(&startup(&[("user", "postgres"), ("database", "postgres")]));
        let Stream::Tls(tls) = &client.stream else { unreachable!() };
        let tls: &StreamOwned<ClientConnection, _> = tls;
        tls.conn.handshake_kind()
    });
    assert_eq!(kinds, [Some(rustls::HandshakeKind::Full), Some(rustls::HandshakeKind::Resumed)]);
}
