//! Transcripts: what two sides say, and what is to be told of it. The language is described in `tests/data/README.md`.

use std::fmt::Write;
use std::sync::Arc;

use crate::base::units::{Nanos, Stamp};
use crate::session::identity::StartupParameters;
use crate::session::observation::{Event, Observation, Observer, Outcome};
use crate::session::tests::messages::{backend, frontend, raw};
use crate::session::{Leg, Session};
use crate::sql::fingerprint::Fingerprinter;

/// One step of a transcript.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Client(Vec<u8>),
    Server(Vec<u8>),
    After(Nanos),
    Holding(Leg),
    Drained(Leg),
    HalfClosed,
    Closed,
    /// What must have been told since the last expectation.
    Told(Vec<String>),
    /// What must be true from outside.
    Seen(String),
}

/// A transcript: its name and its steps.
#[derive(Clone, Debug)]
pub(super) struct Transcript {
    pub(super) name: String,
    pub(super) startup: Vec<(String, String)>,
    pub(super) show: Vec<String>,
    pub(super) steps: Vec<Step>,
}

/// Cuts a read into parts.
pub(super) type Cut<'a> = &'a mut dyn FnMut(usize) -> Vec<usize>;

/// The words of a line; `"…"` is one word.
pub(super) fn words(line: &str) -> std::vec::IntoIter<String> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').expect("a closing quote"),
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words.into_iter()
}

/// The transcripts of a file.
pub(super) fn parse(text: &str) -> Vec<Transcript> {
    let mut transcripts: Vec<Transcript> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        if first == "==" {
            let name = rest.to_owned();
            transcripts.push(Transcript { name, startup: vec![], show: vec![], steps: vec![] });
            continue;
        }
        let transcript = transcripts.last_mut().expect("a transcript begins with ==");
        let mut words = words(rest);
        let step = match first {
            ">" => Step::Client(std::iter::from_fn(|| frontend(&mut words)).flatten().collect()),
            "<" => Step::Server(std::iter::from_fn(|| backend(&mut words)).flatten().collect()),
            "=" => match transcript.steps.last_mut() {
                Some(Step::Told(lines)) if rest != "nothing" => {
                    lines.push(rest.to_owned());
                    continue;
                }
                _ if rest == "nothing" => Step::Told(vec![]),
                _ => Step::Told(vec![rest.to_owned()]),
            },
            "?" => Step::Seen(rest.to_owned()),
            "holding" => Step::Holding(leg(rest)),
            "drained" => Step::Drained(leg(rest)),
            "half-closed" => Step::HalfClosed,
            "closed" => Step::Closed,
            "show" => {
                transcript.show.extend(words);
                continue;
            }
            "startup" => {
                let pairs = words.map(|word| word.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())));
                transcript.startup.extend(pairs.map(|pair| pair.expect("key=value")));
                continue;
            }
            _ => Step::After(span(line.strip_prefix('+').unwrap_or_else(|| panic!("what is {line:?}")))),
        };
        transcript.steps.push(step);
    }
    transcripts
}

fn leg(word: &str) -> Leg {
    if word == "client" { Leg::Client } else { Leg::Upstream }
}

fn span(text: &str) -> Nanos {
    let number = |digits: &str| digits.parse().expect("a number");
    match (text.strip_suffix("ms"), text.strip_suffix("us")) {
        (Some(millis), _) => Nanos::from_millis(number(millis)),
        (_, Some(micros)) => Nanos::from_micros(number(micros)),
        _ => panic!("a span of time ends with ms or us: {text}"),
    }
}

/// Keeps what is told.
#[derive(Default)]
pub(super) struct Told(pub(super) Vec<Event>);

impl Observer for Told {
    fn observe(&mut self, event: Event) {
        self.0.push(event);
    }
}

impl Transcript {
    fn session(&self) -> Session {
        let value = |key: &str| self.startup.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_bytes());
        let startup = StartupParameters {
            user: value("user").unwrap_or(b"app"),
            database: value("database"),
            application_name: value("application_name"),
            replication: value("replication"),
        };
        Session::new(Arc::from("db:5432"), Stamp::from_nanos(0), &startup)
    }

    /// Plays it, each read cut as `cut` says, and returns what was told.
    ///
    /// # Errors
    /// Something else was told than the transcript says.
    pub(super) fn play(&self, fingerprinter: &mut Fingerprinter, cut: Cut<'_>) -> Result<Vec<Event>, String> {
        let mut session = self.session();
        let (mut now, mut told, mut all) = (Stamp::from_nanos(0), Told::default(), Vec::new());
        if self.startup.is_empty() {
            let bytes = [raw(b'R', &[0; 4]), raw(b'Z', b"I")].concat();
            session.server_bytes(&bytes, now, &mut told);
            told.0.clear();
            now = Stamp::from_nanos(1_000_000_000);
        }
        let parts = |bytes: &[u8], cut: Cut<'_>| {
            let (mut begin, mut parts) = (0, Vec::new());
            for end in cut(bytes.len()).into_iter().chain([bytes.len()]) {
                parts.push(bytes[begin..end].to_vec());
                begin = end;
            }
            parts
        };
        for step in &self.steps {
            match step {
                Step::Client(bytes) => {
                    parts(bytes, cut).iter().for_each(|part| session.client_part(part, now, fingerprinter));
                    session.settle(now, &mut told);
                }
                Step::Server(bytes) => {
                    parts(bytes, cut).iter().for_each(|part| session.server_part(part, now));
                    session.settle(now, &mut told);
                }
                Step::After(span) => now = now + *span,
                Step::Holding(leg) => session.holding(*leg, now),
                Step::Drained(leg) => session.drained(*leg, now),
                Step::HalfClosed => session.client_closed(),
                Step::Closed => session.closed(now, fingerprinter, &mut told),
                Step::Told(lines) => {
                    let events: Vec<Event> = told.0.drain(..).collect();
                    let shown: Vec<String> = events.iter().filter_map(|event| self.show(event)).collect();
                    self.same(&shown, lines)?;
                    all.extend(events);
                }
                Step::Seen(expected) => self.same(&[seen(&session, now)], std::slice::from_ref(expected))?,
            }
        }
        let rest: Vec<String> = told.0.iter().filter_map(|event| self.show(event)).collect();
        self.same(&rest, &[])?;
        all.append(&mut told.0);
        Ok(all)
    }

    fn same(&self, shown: &[String], expected: &[String]) -> Result<(), String> {
        if shown == expected {
            return Ok(());
        }
        Err(format!("{}: told\n  {}\ninstead of\n  {}", self.name, shown.join("\n  "), expected.join("\n  ")))
    }

    fn shows(&self, what: &str) -> bool {
        self.show.iter().any(|shown| shown == what)
    }

    /// An event as transcripts write it; `None` for those that this transcript does not show.
    fn show(&self, event: &Event) -> Option<String> {
        Some(match event {
            Event::Statement(observation) => self.show_call(observation),
            Event::Prepared { query, time, .. } => match time {
                Some(time) => format!("prepared {:?} {}", query.text, millis(*time)),
                None => format!("prepared {:?}", query.text),
            },
            Event::Transaction(transaction) => format!(
                "transaction {} {} statements={}",
                if transaction.committed { "committed" } else { "rolled back" },
                millis(transaction.duration),
                transaction.statements
            ),
            Event::IdleInTransaction { after, span, .. } => format!("idle {} after {:?}", millis(*span), after.text),
            Event::Started { startup, .. } => format!("started {}", millis(*startup)),
            Event::StartupFailed(code) => format!("startup failed {}", code.map_or("-".into(), |c| c.to_string())),
            Event::Ended(code) => format!("ended {}", code.map_or("-".into(), |code| code.to_string())),
            Event::Overhead { bytes_in, bytes_out } if self.shows("overhead") => {
                format!("overhead in={bytes_in} out={bytes_out}")
            }
            Event::Overhead { .. } => return None,
            Event::Discarded(reason, count) => format!("discarded {count} {}", reason.as_str()),
            Event::Lost(count) => format!("lost {count}"),
            Event::ProtocolError => "protocol error".into(),
            Event::Mismatch => "mismatch".into(),
            Event::Unmeasured(reason) => format!("unmeasured {}", reason.as_str()),
        })
    }

    fn show_call(&self, call: &Observation) -> String {
        let mut line = format!("{:?} {}", call.query.text, millis(call.duration));
        let mut add = |text: String| write!(line, " {text}").expect("a string takes all");
        match call.outcome {
            Outcome::Completed => {}
            Outcome::Failed(code) => add(format!("error={code}")),
            Outcome::Aborted => add("aborted".into()),
        }
        if let Some(first) = call.first_row {
            add(format!("first={}", millis(first)));
        }
        if call.rows > 0 {
            add(format!("rows={}", call.rows));
        }
        if call.client_stall > Nanos::ZERO {
            add(format!("stall={}", millis(call.client_stall)));
        }
        if let Some(batch) = call.batch {
            let leader = if batch.leader { "*" } else { "" };
            add(format!("batch={}/{}{leader}", batch.statements, millis(batch.span)));
        }
        if self.shows("tags") {
            let pairs =
                call.tags().into_iter().flat_map(|tags| &tags.pairs).map(|(key, value)| format!("{key}:{value}"));
            add(format!("tags={}", pairs.collect::<Vec<_>>().join(",")));
        }
        if self.shows("bytes") {
            add(format!("in={} out={}", call.bytes_in, call.bytes_out));
        }
        if self.shows("start") {
            add(format!("start={}", millis(call.start.since(Stamp::from_nanos(1_000_000_000)))));
        }
        if self.shows("identity") {
            let identity = &call.identity;
            add(format!("{}/{}/{}", identity.database, identity.user, identity.application));
        }
        line
    }
}

/// What a session shows from outside.
fn seen(session: &Session, now: Stamp) -> String {
    let mut line = format!("{:?}", session.phase());
    if let Some(flight) = session.in_flight() {
        let age = millis(now.since(flight.start));
        write!(line, " {:?} {:?} {age}", flight.query.text, flight.state).expect("a string takes all");
    }
    if let Some(open) = session.open_transaction() {
        let idle = open.idle_since.map_or("-".into(), |since| millis(now.since(since)));
        let age = millis(now.since(open.start));
        write!(line, " transaction {age} idle={idle} statements={}", open.statements).expect("a string takes all");
    }
    line
}

fn millis(span: Nanos) -> String {
    let micros = span.as_micros();
    if micros.is_multiple_of(1_000) { format!("{}ms", micros / 1_000) } else { format!("{micros}us") }
}
