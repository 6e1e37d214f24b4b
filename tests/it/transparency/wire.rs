//! Byte for byte: scripts of messages, whole and cut anywhere, directly and through pgvitals.

use std::io::Write;

use bytes::BytesMut;
use pgwire::messages::copy::{CopyData, CopyDone, CopyFail};
use pgwire::messages::extendedquery::{Close, Describe};

use super::same;
use crate::bytes_of;
use crate::support::address::Address;
use crate::support::client::{
    Client, Frame, bind, close_statement, describe_portal, execute, extended, flush, parse, query, startup, sync,
};
use crate::support::postgres::Cluster;

/// Messages sent in one go, and how many ReadyForQuery end their answers.
struct Step {
    bytes: BytesMut,
    ready: usize,
}

fn step(bytes: BytesMut, ready: usize) -> Step {
    Step { bytes, ready }
}

/// Several messages' bytes behind one another.
fn chain(parts: &[BytesMut]) -> BytesMut {
    BytesMut::from(&parts.concat()[..])
}

fn data(text: &str) -> CopyData {
    CopyData::new(bytes::Bytes::copy_from_slice(text.as_bytes()))
}

/// Every message of the protocol, in the orders that drivers use and in some that they shouldn't.
fn script() -> Vec<Step> {
    vec![
        step(bytes_of![query("create table t (id int primary key deferrable initially deferred, body text)")], 1),
        step(bytes_of![query("")], 1),
        step(bytes_of![query("select 1; select 2; ; select 3/0; select 4")], 1),
        step(bytes_of![query("select 1"), query("select 2"), query("select nothing"), query("select 3")], 4),
        step(bytes_of![parse("s", "select $1::int + 1"), sync()], 1),
        step(bytes_of![bind("", "s", &["41"]), describe_portal(""), execute("", 0), sync()], 1),
        step(bytes_of![parse("s", "select 'again'"), sync()], 1),
        step(bytes_of![Describe::new(b'S', Some("s".into())), close_statement("s"), bind("", "s", &["1"]), sync()], 1),
        step(bytes_of![Close::new(b'P', Some("none".into())), execute("none", 0), sync()], 1),
        // Rows in parts, inside a transaction block; another Execute of what has completed.
        step(
            bytes_of![query("begin"), parse("", "select generate_series(1, 7)"), bind("p", "", &[]), execute("p", 3)],
            1,
        ),
        step(bytes_of![execute("p", 3), flush(), execute("p", 3), execute("p", 3), sync(), query("commit")], 2),
        // An error in the middle of a pipeline: what is behind it, up to Sync, is skipped.
        step(
            chain(&[
                extended("select 'a'", &[]),
                extended("select 1/0", &[]),
                extended("select 'skipped'", &[]),
                bytes_of![sync()],
                extended("select 'b'", &[]),
                bytes_of![sync(), sync()],
            ]),
            3,
        ),
        step(chain(&[extended("select 1/0", &[]), bytes_of![query("select 'skipped too'"), sync()]]), 1),
        // COPY in: good, failing in the middle, failed by the client, with Syncs in between.
        step(bytes_of![query("copy t from stdin"), data("1\tone\n2\tt"), data("wo\n"), CopyDone::new()], 1),
        step(bytes_of![query("copy t from stdin"), data("x\tbad\n"), data("3\tthree\n"), CopyDone::new()], 1),
        step(bytes_of![query("copy t from stdin"), data("4\tfour\n"), CopyFail::new("changed my mind".into())], 1),
        step(
            chain(&[extended("copy t from stdin", &[]), bytes_of![sync(), data("5\tfive\n"), CopyDone::new(), sync()]]),
            1,
        ),
        step(bytes_of![data("outside"), CopyDone::new(), query("copy t to stdout")], 1),
        // A constraint that only the commit can find broken.
        step(bytes_of![query("begin; insert into t values (1, 'twice')"), query("commit")], 2),
        step(chain(&[extended("insert into t values (1, 'twice')", &[]), bytes_of![sync()]]), 1),
        step(bytes_of![query("prepare q as select 1; execute q; deallocate all; execute q")], 1),
        step(bytes_of![query("set client_encoding to latin1; set application_name to 'x'; discard all")], 1),
        // FunctionCall of int4pl(2, 3), in binary.
        step(BytesMut::from(&FUNCTION_CALL[..]), 1),
        step(bytes_of![query("select repeat('wide', 100000)")], 1),
        step(bytes_of![query("select i, md5(i::text) from generate_series(1, 3000) i")], 1),
    ]
}

const FUNCTION_CALL: [u8; 33] =
    *b"F\0\0\0\x20\0\0\0\xb1\0\x01\0\x01\0\x02\0\0\0\x04\0\0\0\x02\0\0\0\x04\0\0\0\x03\0\x01";

/// Runs the script, each step cut into pieces of `size` bytes, and returns every frame.
fn talk(address: &Address, database: &str, size: usize) -> Vec<Frame> {
    talk_with(Client::open(address), database, size)
}

/// The same on a connection that is there.
pub(crate) fn talk_with(mut client: Client, database: &str, size: usize) -> Vec<Frame> {
    let mut frames = client.begin(&startup(&[("user", "postgres"), ("database", database)]));
    for step in script() {
        for piece in step.bytes.chunks(size) {
            client.stream.write_all(piece).unwrap();
        }
        for _ in 0..step.ready {
            frames.extend(client.until(b'Z'));
        }
    }
    client.send(b"X\0\0\0\x04");
    assert_eq!(client.frame(), None, "Terminate ends the stream");
    // Process id and key differ in each session.
    frames.iter_mut().filter(|frame| frame.tag == b'K').for_each(|frame| frame.body.fill(0));
    frames
}

/// "Every byte of either side arrives, unchanged and in order." (docs/transparency.md)
#[test]
fn every_message_comes_out_as_it_went_in() {
    for major in Cluster::majors() {
        same(Cluster::of(major), |address, database| talk(address, database, usize::MAX));
    }
}

/// "A frame that the tracker can't follow … the bytes still flow" (DESIGN §1.2): nor does it matter how they are cut.
/// "How a sender cuts its messages into packets makes no difference." (docs/transparency.md)
#[test]
fn it_does_not_matter_how_the_client_cuts_its_messages() {
    for size in [1, 3, 7, 64] {
        same(Cluster::any(), |address, database| talk(address, database, size));
    }
}

/// "StartupMessage goes on verbatim: 3.0, 3.2, unknown minor versions, `_pq_.` options; NegotiateProtocolVersion and
/// cancel keys of 4 to 256 bytes pass." (PROTOCOL §1)
/// "The protocol's version is agreed between client and server." (docs/transparency.md)
#[test]
fn protocol_versions_are_negotiated_with_the_server() {
    for major in Cluster::majors() {
        same(Cluster::of(major), |address, database| {
            [0, 1, 2, 3, 9999].map(|minor| {
                let mut message = startup(&[("user", "postgres"), ("database", database), ("_pq_.unheard_of", "1")]);
                message.protocol_number_minor = minor;
                let mut frames = Client::open(address).begin(&message);
                frames.iter_mut().filter(|frame| frame.tag == b'K').for_each(|frame| frame.body.fill(0));
                frames
            })
        });
    }
}

/// "Every method that depends on messages alone passes (trust, password, md5, SCRAM …)" (PROTOCOL §2)
/// "What the server refuses, the client is told in the server's words." (docs/transparency.md)
#[test]
fn refusals_of_the_server_reach_the_client() {
    same(Cluster::any(), |address, database| {
        let wishes = [
            [("user", "nobody_knows"), ("database", database)],
            [("user", "postgres"), ("database", "not_there")],
            [("user", "postgres"), ("options", "-c nonsense=1")],
            // Its cleartext password is asked for by no server that stores SCRAM; ours answers with a wrong message.
            [("user", "scram_user"), ("replication", "nonsense")],
        ];
        wishes.map(|parameters| Client::open(address).begin(&startup(&parameters)))
    });
}
