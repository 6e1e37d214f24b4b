//! Generated pipelines against a model of the server: what is told is what the model ran.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use crate::base::units::Stamp;
use crate::session::Session;
use crate::session::identity::StartupParameters;
use crate::session::observation::{Event, Outcome};
use crate::session::tests::messages::{backend, frontend, raw};
use crate::session::tests::transcript::{Told, words};
use crate::sql::fingerprint::Fingerprinter;

/// Texts, by what the model does with them: three rows, a tag, an error, transaction control, a syntax error.
const TEXTS: [&str; 7] =
    ["select a from t", "update t set a = b", "select bad from t", "begin", "commit", "rollback", "select frm"];
const ROWS: usize = 0;
const FAILS: usize = 2;
const BEGIN: usize = 3;
const COMMIT: usize = 4;
const SYNTAX: usize = 6;
const UNKNOWN: &str = "(unknown)";

#[derive(Clone, Debug)]
enum Message {
    Query(Vec<usize>),
    Parse(u8, usize),
    Bind(u8, u8),
    Describe(u8),
    Execute(u8, bool),
    Close(bool, u8),
    Sync,
}

/// Name 0 is the unnamed one.
fn name(number: u8) -> String {
    if number == 0 { String::new() } else { format!("name{number}") }
}

impl Message {
    fn bytes(&self) -> Vec<u8> {
        let line = match self {
            Message::Query(texts) => {
                format!("Q \"{}\"", texts.iter().map(|text| TEXTS[*text]).collect::<Vec<_>>().join(";"))
            }
            Message::Parse(statement, text) => format!("P \"{}\" \"{}\"", name(*statement), TEXTS[*text]),
            Message::Bind(portal, statement) => format!("B \"{}\" \"{}\"", name(*portal), name(*statement)),
            Message::Describe(portal) => format!("D P \"{}\"", name(*portal)),
            Message::Execute(portal, limited) => format!("E \"{}\" {}", name(*portal), if *limited { 2 } else { 0 }),
            Message::Close(statement, number) => {
                format!("C {} \"{}\"", if *statement { 'S' } else { 'P' }, name(*number))
            }
            Message::Sync => "S".into(),
        };
        frontend(&mut words(&line)).expect("a message")
    }

    fn statements(&self) -> u64 {
        match self {
            Message::Query(texts) => texts.len().max(1) as u64,
            Message::Execute(..) => 1,
            _ => 0,
        }
    }
}

#[derive(Clone, Copy)]
struct Portal {
    text: usize,
    left: u32,
    fetched: bool,
    done: bool,
}

/// Calls and errors by text.
type Calls = BTreeMap<String, (u64, u64)>;

struct Model {
    statements: HashMap<u8, usize>,
    portals: HashMap<u8, Portal>,
    status: char,
    skipping: bool,
    absorb: bool,
    calls: Calls,
    discarded: u64,
}

impl Model {
    fn new() -> Self {
        let (calls, discarded) = (Calls::new(), 0);
        let (statements, portals) = (HashMap::new(), HashMap::new());
        Self { statements, portals, status: 'I', skipping: false, absorb: false, calls, discarded }
    }

    fn called(&mut self, text: &str, failed: bool) {
        let entry = self.calls.entry(text.to_owned()).or_default();
        entry.0 += 1;
        entry.1 += u64::from(failed);
    }

    fn refuses(&self, text: usize) -> bool {
        self.status == 'E' && ![COMMIT, COMMIT + 1].contains(&text)
    }

    /// The tag, or the error.
    fn run(&mut self, text: usize) -> Result<&'static str, &'static str> {
        if self.refuses(text) {
            return Err("25P02");
        }
        match text {
            ROWS => Ok("SELECT 3"),
            FAILS => Err("22012"),
            BEGIN => {
                self.status = 'T';
                Ok("BEGIN")
            }
            text if text == COMMIT || text == COMMIT + 1 => {
                let committed = text == COMMIT && self.status != 'E';
                self.status = 'I';
                self.portals.clear();
                Ok(if committed { "COMMIT" } else { "ROLLBACK" })
            }
            _ => Ok("UPDATE 2"),
        }
    }

    fn failed(&mut self) {
        if self.status == 'T' {
            self.status = 'E';
        }
    }

    /// What the server answers, in the words of a transcript.
    fn answer(&mut self, message: &Message) -> String {
        if self.skipping && !matches!(message, Message::Sync) {
            let absorbed = matches!(message, Message::Execute(..)) && std::mem::take(&mut self.absorb);
            self.discarded += if absorbed { 0 } else { message.statements() };
            return String::new();
        }
        let answer = match message {
            Message::Query(texts) => return self.query(texts),
            Message::Sync => {
                (self.skipping, self.absorb) = (false, false);
                return self.ready();
            }
            Message::Parse(statement, text) => self.parse(*statement, *text),
            Message::Bind(portal, statement) => self.bind(*portal, *statement),
            Message::Describe(portal) => match self.portals.contains_key(portal) {
                true => Ok("T".into()),
                false => Err(("34000", UNKNOWN, true)),
            },
            Message::Execute(portal, limited) => self.execute(*portal, *limited),
            Message::Close(true, statement) => {
                self.statements.remove(statement);
                Ok("3".into())
            }
            Message::Close(false, portal) => {
                self.portals.remove(portal);
                Ok("3".into())
            }
        };
        answer.unwrap_or_else(|(code, text, absorb)| {
            if !text.is_empty() {
                self.called(text, true);
            }
            (self.skipping, self.absorb) = (true, absorb);
            self.failed();
            format!("E {code} ")
        })
    }

    fn ready(&mut self) -> String {
        if self.status == 'I' {
            self.portals.clear();
        }
        format!("Z {} ", self.status)
    }

    fn query(&mut self, texts: &[usize]) -> String {
        self.statements.remove(&0);
        self.portals.remove(&0);
        let mut answer = String::new();
        if texts.is_empty() {
            self.called("(empty)", false);
            answer += "I ";
        } else if let Some(wrong) = texts.iter().position(|text| *text == SYNTAX) {
            let before: usize = texts[..wrong].iter().map(|text| TEXTS[*text].len() + 1).sum();
            self.called(TEXTS[SYNTAX], true);
            self.discarded += texts.len() as u64 - 1;
            self.failed();
            answer += &format!("E 42601@{} ", before + 8);
        } else {
            for (index, text) in texts.iter().enumerate() {
                let outcome = self.run(*text);
                self.called(TEXTS[*text], outcome.is_err());
                match outcome {
                    Ok(tag) if *text == ROWS => answer += &format!("T D*3 C \"{tag}\" "),
                    Ok(tag) => answer += &format!("C \"{tag}\" "),
                    Err(code) => {
                        self.discarded += (texts.len() - index - 1) as u64;
                        self.failed();
                        answer += &format!("E {code} ");
                        break;
                    }
                }
            }
        }
        answer + &self.ready()
    }

    fn parse(&mut self, statement: u8, text: usize) -> Result<String, (&'static str, &'static str, bool)> {
        if statement == 0 {
            self.statements.remove(&0);
        }
        let code = match text {
            SYNTAX => "42601",
            _ if self.refuses(text) => "25P02",
            _ if self.statements.contains_key(&statement) => "42P05",
            _ => {
                self.statements.insert(statement, text);
                return Ok("1".into());
            }
        };
        Err((code, TEXTS[text], true))
    }

    fn bind(&mut self, portal: u8, statement: u8) -> Result<String, (&'static str, &'static str, bool)> {
        match self.statements.get(&statement) {
            None => Err(("26000", UNKNOWN, true)),
            Some(text) if self.refuses(*text) => Err(("25P02", TEXTS[*text], true)),
            Some(text) => {
                self.portals.insert(portal, Portal { text: *text, left: 3, fetched: false, done: false });
                Ok("2".into())
            }
        }
    }

    fn execute(&mut self, name: u8, limited: bool) -> Result<String, (&'static str, &'static str, bool)> {
        let Some(mut portal) = self.portals.get(&name).copied() else { return Err(("34000", UNKNOWN, false)) };
        if portal.done {
            return Ok("C \"SELECT 0\"".into());
        }
        let tag = self.run(portal.text).map_err(|code| {
            let uncounted = if portal.fetched { "" } else { TEXTS[portal.text] };
            (code, uncounted, false)
        });
        portal.done = true;
        if let Some(slot) = self.portals.get_mut(&name) {
            *slot = portal;
        }
        if tag.is_err() && portal.fetched {
            self.calls.entry(TEXTS[portal.text].to_owned()).or_default().1 += 1;
        }
        let tag = tag?;
        if !portal.fetched {
            self.called(TEXTS[portal.text], false);
        }
        if portal.text != ROWS {
            return Ok(format!("C \"{tag}\""));
        }
        if limited && portal.left > 2 {
            let again = Portal { left: portal.left - 2, fetched: true, done: false, ..portal };
            self.portals.insert(name, again);
            return Ok("D*2 s".into());
        }
        Ok(format!("D*{} C \"SELECT {}\"", portal.left, portal.left))
    }
}

/// Reads of both sides: client messages in groups, answers after each group or later.
fn reads(messages: &[Message], pace: &[(u8, bool)]) -> (Model, Vec<(bool, Vec<u8>)>) {
    let (mut model, mut reads, mut pending) = (Model::new(), Vec::new(), Vec::new());
    let mut pace = pace.iter().cycle();
    let mut rest = messages;
    while !rest.is_empty() {
        let &(count, answers) = pace.next().unwrap_or(&(1, true));
        let (group, behind) = rest.split_at(usize::from(count).clamp(1, rest.len()));
        reads.push((true, group.iter().flat_map(Message::bytes).collect()));
        for message in group {
            let answer = model.answer(message);
            let mut words = words(&answer);
            pending.extend(std::iter::from_fn(|| backend(&mut words)).flatten());
        }
        if (answers || behind.is_empty()) && !pending.is_empty() {
            reads.push((false, std::mem::take(&mut pending)));
        }
        rest = behind;
    }
    (model, reads)
}

/// Plays reads up to `limit` bytes, then the connection is over.
fn play(reads: &[(bool, Vec<u8>)], mut limit: usize, fingerprinter: &mut Fingerprinter) -> Vec<Event> {
    let mut told = Told::default();
    let startup = StartupParameters { user: b"app", ..StartupParameters::default() };
    let mut session = Session::new("db".into(), Stamp::from_nanos(0), &startup);
    let mut now = 1_000;
    session.server_bytes(&raw(b'Z', b"I"), Stamp::from_nanos(now), &mut told);
    told.0.clear();
    for (client, bytes) in reads {
        now += 1_000;
        let bytes = &bytes[..limit.min(bytes.len())];
        limit -= bytes.len();
        match client {
            true => session.client_bytes(bytes, Stamp::from_nanos(now), fingerprinter, &mut told),
            false => session.server_bytes(bytes, Stamp::from_nanos(now), &mut told),
        }
    }
    session.closed(Stamp::from_nanos(now + 1_000), fingerprinter, &mut told);
    told.0
}

fn message() -> impl Strategy<Value = Message> {
    let text = 0..TEXTS.len();
    prop_oneof![
        1 => proptest::collection::vec(text.clone(), 0..4).prop_map(Message::Query),
        1 => (0..3_u8, text).prop_map(|(statement, text)| Message::Parse(statement, text)),
        3 => (0..3_u8, 0..3_u8).prop_map(|(portal, statement)| Message::Bind(portal, statement)),
        1 => (0..3_u8).prop_map(Message::Describe),
        4 => (0..3_u8, any::<bool>()).prop_map(|(portal, limited)| Message::Execute(portal, limited)),
        1 => (any::<bool>(), 0..3_u8).prop_map(|(statement, number)| Message::Close(statement, number)),
        2 => Just(Message::Sync),
    ]
}

/// Statements that never fail before Execute, each Execute a call of its own.
fn plain() -> impl Strategy<Value = Vec<Message>> {
    let extended = (0..3_usize, any::<bool>()).prop_map(|(text, sync)| {
        let group = [Message::Parse(0, text), Message::Bind(0, 0), Message::Describe(0), Message::Execute(0, false)];
        group.into_iter().chain(sync.then_some(Message::Sync)).collect::<Vec<_>>()
    });
    let simple =
        proptest::collection::vec(0..3_usize, 0..4).prop_map(|texts| vec![Message::Sync, Message::Query(texts)]);
    proptest::collection::vec(prop_oneof![extended, simple], 1..5).prop_map(|groups| groups.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn calls_told_are_calls_that_the_server_ran(
        mut messages in proptest::collection::vec(message(), 1..40),
        pace in proptest::collection::vec((1..9_u8, any::<bool>()), 1..9),
    ) {
        messages.push(Message::Sync);
        let (model, reads) = reads(&messages, &pace);
        let mut fingerprinter = Fingerprinter::new(1 << 13, 7);
        let (mut calls, mut discarded) = (Calls::new(), 0);
        for event in play(&reads, usize::MAX, &mut fingerprinter) {
            match event {
                Event::Statement(call) => {
                    let entry = calls.entry(call.query.text.to_string()).or_default();
                    entry.0 += 1;
                    entry.1 += u64::from(matches!(call.outcome, Outcome::Failed(_)));
                    prop_assert_ne!(call.outcome, Outcome::Aborted);
                }
                Event::Discarded(_, count) => discarded += count,
                Event::Mismatch | Event::Unmeasured(_) => prop_assert!(false, "{event:?}"),
                _ => {}
            }
        }
        prop_assert_eq!(calls, model.calls);
        prop_assert_eq!(discarded, model.discarded);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn wherever_the_connection_is_lost_each_statement_is_accounted_for_once(
        messages in plain(),
        pace in proptest::collection::vec((1..9_u8, any::<bool>()), 1..9),
    ) {
        let (_, reads) = reads(&messages, &pace);
        let mut fingerprinter = Fingerprinter::new(1 << 13, 7);
        let total: usize = reads.iter().map(|(_, bytes)| bytes.len()).sum();
        for limit in 0..=total {
            let (mut passed, mut sent) = (0, 0);
            for (client, bytes) in &reads {
                let part = bytes.len().min(limit - passed);
                sent += if *client { part } else { 0 };
                passed += part;
            }
            let ends = messages.iter().scan(0, |end, message| {
                *end += message.bytes().len();
                Some((*end, message.statements()))
            });
            let started: u64 = ends.take_while(|(end, _)| *end <= sent).map(|(_, statements)| statements).sum();
            let accounted: u64 = play(&reads, limit, &mut fingerprinter).iter().map(|event| match event {
                Event::Statement(_) => 1,
                Event::Discarded(_, count) => *count,
                _ => 0,
            }).sum();
            prop_assert_eq!(accounted, started, "lost at {}", limit);
        }
    }
}
