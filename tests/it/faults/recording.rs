//! Sessions as they went with a real server.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::{Arc, Mutex};

use crate::bytes_of;
use crate::support::address::Stream;
use crate::support::client::{Client, Frame, bind, close_statement, describe_portal, execute, extended, flush, parse};
use crate::support::client::{query, startup, sync};
use crate::support::postgres::Cluster;
use crate::support::server::Server;
use crate::support::tool::Tool;

/// What the client says, then what the server answers to it.
#[derive(Clone, Default)]
pub(super) struct Turn {
    pub(super) client: Vec<u8>,
    pub(super) server: Vec<u8>,
    /// Statements that the client sends.
    pub(super) statements: u64,
}

/// A session, but for its StartupMessage.
#[derive(Clone)]
pub(super) struct Recording {
    pub(super) name: &'static str,
    pub(super) turns: Vec<Turn>,
    /// Bytes that the server says in the start-up.
    pub(super) start: usize,
}

impl Recording {
    /// All of them.
    pub(super) fn all() -> [Recording; 3] {
        [Self::simple(), Self::extended(), Self::copy()]
    }

    /// Simple protocol, all of it sent at once.
    pub(super) fn simple() -> Self {
        let client = bytes_of![query("select 1, 'a'"), query("select 1/0")].to_vec();
        let mut recording = Self::scripted("simple", &[(&client, 2, "ZZ")]);
        // The statements lie right behind the start-up.
        let turn = recording.turns.pop().unwrap();
        recording.turns[0].server.extend(turn.server);
        (recording.turns[0].client, recording.turns[0].statements) = (turn.client, turn.statements);
        recording
    }

    /// Extended protocol: a named statement and its portal described, one that is fetched in two parts, an error with
    /// what is skipped behind it.
    fn extended() -> Self {
        let named = bytes_of![
            parse("s", "select $1::text, 2"),
            bind("p", "s", &["x"]),
            describe_portal("p"),
            execute("p", 0),
            close_statement("s"),
            sync()
        ];
        let first = bytes_of![parse("", "select generate_series(1, 3)"), bind("", "", &[]), execute("", 1), flush()];
        let rest = bytes_of![execute("", 0), sync()];
        let failing =
            [&extended("select 1/0", &[])[..], &extended("select 'skipped'", &[]), &bytes_of![sync()]].concat();
        Self::scripted("extended", &[(&named, 1, "Z"), (&first, 1, "s"), (&rest, 0, "Z"), (&failing, 2, "Z")])
    }

    /// What a client says in its turns, how many statements that is, and tags up to which the answer goes.
    fn scripted(name: &'static str, script: &[(&[u8], u64, &str)]) -> Self {
        let mut client = Client::open(&Cluster::any().tcp);
        let server = bytes(&client.begin(&startup(&[("user", "postgres")])));
        let start = server.len();
        let mut turns = vec![Turn { server, ..Turn::default() }];
        for (said, statements, ends) in script {
            client.send(said);
            let server = ends.bytes().flat_map(|tag| bytes(&client.until(tag))).collect();
            turns.push(Turn { client: said.to_vec(), server, statements: *statements });
        }
        Self { name, turns, start }
    }

    /// psql with SCRAM and COPY in both directions, recorded on its way.
    pub(super) fn copy() -> Self {
        let cluster = Cluster::any();
        let database = cluster.database();
        cluster.client(&database).query("create table t (a int, b text)");
        let turns = Arc::new(Mutex::new(vec![Turn::default()]));
        let tap = {
            let turns = Arc::clone(&turns);
            Server::start(move |peer| {
                let packet = peer.startup().unwrap();
                let mut upstream = cluster.tcp.open();
                let length = packet.len() as u32 + 4;
                upstream.write_all(&[&length.to_be_bytes()[..], &packet].concat()).unwrap();
                let (mut from, mut to) = (peer.stream.try_clone().unwrap(), upstream.try_clone().unwrap());
                std::thread::scope(|scope| {
                    scope.spawn(|| pass(&mut from, &mut to, |bytes| hear(&mut turns.lock().unwrap(), bytes)));
                    pass(&mut upstream, &mut peer.stream, |bytes| {
                        turns.lock().unwrap().last_mut().unwrap().server.extend_from_slice(bytes);
                    });
                });
            })
        };
        let script = "copy t from stdin;\n1\tone\n2\ttwo\n3\t\\N\n\\.\ncopy t to stdout;\n";
        let psql = Tool::postgres("psql", cluster.major).against(&tap.address, &database).input(script);
        let psql = psql.variable("PGUSER", "scram_user").variable("PGPASSWORD", "secret of scram_user");
        let psql = psql.variable("PGSSLMODE", "disable").variable("PGGSSENCMODE", "disable");
        assert_eq!(psql.args(&["-X", "-f", "-"]).succeed().stdout, "COPY 3\n1\tone\n2\ttwo\n3\t\\N\n");
        let mut turns = turns.lock().unwrap().clone();
        let ready = |turn: &Turn| turn.server.ends_with(b"Z\0\0\0\x05I");
        let start = turns.iter().position(ready).unwrap();
        let start = turns[..=start].iter().map(|turn| turn.server.len()).sum();
        for turn in turns.iter_mut().filter(|turn| turn.client.first() == Some(&b'Q')) {
            turn.statements = 1;
        }
        Self { name: "copy", turns, start }
    }

    /// All that one side says after the StartupMessage.
    pub(super) fn length(&self, side: impl Fn(&Turn) -> &Vec<u8>) -> usize {
        self.turns.iter().map(|turn| side(turn).len()).sum()
    }

    /// Statements that the client sends before it waits for the server's byte at this place.
    pub(super) fn statements_before(&self, at: usize) -> u64 {
        let mut end = 0;
        let mut statements = 0;
        for turn in &self.turns {
            statements += turn.statements;
            end += turn.server.len();
            if at < end {
                break;
            }
        }
        statements
    }
}

fn bytes(frames: &[Frame]) -> Vec<u8> {
    let one = |frame: &Frame| [&[frame.tag][..], &(frame.body.len() as u32 + 4).to_be_bytes(), &frame.body].concat();
    frames.iter().flat_map(one).collect()
}

/// The client speaks: a new turn, unless it is still its own.
fn hear(turns: &mut Vec<Turn>, bytes: &[u8]) {
    if !turns.last().unwrap().server.is_empty() {
        turns.push(Turn::default());
    }
    turns.last_mut().unwrap().client.extend_from_slice(bytes);
}

/// Moves bytes to their end; each part is heard before it goes on.
fn pass(from: &mut Stream, to: &mut Stream, mut hear: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        hear(&buffer[..count]);
        to.write_all(&buffer[..count]).unwrap();
    }
    let Stream::Tcp(to) = to else { unreachable!("TCP") };
    let _gone = to.shutdown(Shutdown::Write).is_err();
}
