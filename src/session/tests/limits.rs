//! Memory is bounded: what does not fit is told.

use std::sync::Arc;

use crate::base::telemetry::Unmeasured;
use crate::base::units::Stamp;
use crate::session::identity::StartupParameters;
use crate::session::observation::Event;
use crate::session::tests::messages::{backend, frontend, raw};
use crate::session::tests::transcript::{Told, words};
use crate::session::{OWED_MAX, Phase, STATEMENTS_MAX, Session};
use crate::sql::fingerprint::Fingerprinter;
use crate::sql::statement::STATEMENTS_MAX as STATEMENTS_OF_A_TEXT_MAX;

struct Talk {
    session: Session,
    lexer: Fingerprinter,
    told: Told,
}

impl Talk {
    fn new() -> Self {
        let startup = StartupParameters { user: b"app", ..StartupParameters::default() };
        let session = Session::new(Arc::from("db"), Stamp::from_nanos(0), &startup);
        let mut talk = Self { session, lexer: Fingerprinter::new(1 << 13, 7), told: Told::default() };
        talk.server(&raw(b'Z', b"I"));
        talk
    }

    fn client(&mut self, bytes: &[u8]) {
        self.session.client_bytes(bytes, Stamp::from_nanos(1), &mut self.lexer, &mut self.told);
    }

    fn server(&mut self, bytes: &[u8]) {
        self.session.server_bytes(bytes, Stamp::from_nanos(2), &mut self.lexer, &mut self.told);
    }

    fn say(&mut self, request: &str, answer: &str) {
        let (mut request, mut answer) = (words(request), words(answer));
        let request: Vec<u8> = std::iter::from_fn(|| frontend(&mut request)).flatten().collect();
        let answer: Vec<u8> = std::iter::from_fn(|| backend(&mut answer)).flatten().collect();
        self.client(&request);
        self.server(&answer);
    }

    fn executed(&mut self, name: usize) -> String {
        self.told.0.clear();
        self.say(&format!("B \"\" \"s{name}\" E \"\" 0 S"), "2 C \"SELECT 1\" Z I");
        let texts = self.told.0.iter().filter_map(|event| match event {
            Event::Statement(call) => Some(call.query.text.to_string()),
            _ => None,
        });
        texts.collect()
    }
}

/// issue §3 "least recently used statements go; what is met again counts as *unknown text*, visibly"
#[test]
fn statements_that_were_used_longest_ago_go_and_count_as_unknown() {
    let mut talk = Talk::new();
    for name in 0..STATEMENTS_MAX {
        talk.say(&format!("P \"s{name}\" \"select c{name} from t\" S"), "1 Z I");
    }
    assert_eq!(talk.executed(0), "select c0 from t");
    talk.say("P \"one_more\" \"select a from t\" S", "1 Z I");
    assert_eq!(talk.executed(0), "select c0 from t", "it was just used");
    assert_eq!(talk.executed(1), "(unknown)");
    let last = STATEMENTS_MAX - 1;
    assert_eq!(talk.executed(last), format!("select c{last} from t"));
}

#[test]
fn more_than_can_be_owed_makes_the_session_opaque() {
    let mut talk = Talk::new();
    let execute = [b'E', 0, 0, 0, 9, 0, 0, 0, 0, 0];
    talk.client(&execute.repeat(OWED_MAX));
    assert_eq!(talk.session.phase(), Phase::Busy);
    talk.told.0.clear();
    talk.client(&execute);
    assert_eq!(talk.session.phase(), Phase::Opaque);
    let opaque = Event::Unmeasured(Unmeasured::PipelineFull);
    let bytes_in = (execute.len() * OWED_MAX) as u64;
    let overhead = Event::Overhead { bytes_in, bytes_out: 0 };
    assert_eq!(talk.told.0, [Event::Lost(1), opaque, Event::Lost(OWED_MAX as u64), overhead]);
}

/// "every statement counted once … nothing lost silently" (DESIGN §1.3): what was told is not lost as well.
#[test]
fn what_is_owed_when_a_session_becomes_opaque_is_counted() {
    for (answered, lost) in [("", 4), ("C \"SELECT 1\"", 3), ("C \"SELECT 1\" C \"SELECT 2\"", 2), ("E \"C57014\"", 2)]
    {
        let mut talk = Talk::new();
        talk.say("Q \"select 1; select 2\" B \"\" \"\" E \"\" 0 S Q \"\"", answered);
        assert_eq!(talk.session.untold(), lost, "{answered}");
        talk.told.0.clear();
        talk.server(b"D\0\0\0\0");
        assert_eq!(talk.told.0, [Event::Unmeasured(Unmeasured::Framing), Event::Lost(lost)]);
    }
    let mut talk = Talk::new();
    talk.say("P \"\" \"select 1\" B \"\" \"\" E \"\" 1 H", "1 2 D s");
    assert_eq!(talk.session.untold(), 1, "a suspended call");
    talk.say("E \"\" 1 H", "");
    assert_eq!(talk.session.untold(), 1, "its next fetch is the same call");
}

#[test]
fn after_a_panic_bytes_are_counted_and_the_end_is_told() {
    let mut talk = Talk::new();
    talk.told.0.clear();
    talk.session.make_opaque(Unmeasured::Panic, &mut talk.told);
    talk.client(&raw(b'Q', b"select 1\0"));
    talk.server(&[0; 100]);
    talk.session.closed(Stamp::from_nanos(9), &mut talk.lexer, &mut talk.told);
    let overhead = Event::Overhead { bytes_in: 14, bytes_out: 100 };
    assert_eq!(talk.told.0, [Event::Unmeasured(Unmeasured::Panic), Event::Ended(None), overhead]);
}

#[test]
fn statements_of_a_text_with_too_many_are_counted_all_the_same() {
    let mut talk = Talk::new();
    let count = STATEMENTS_OF_A_TEXT_MAX + 5;
    talk.client(&raw(b'Q', &["select 1;".repeat(count).as_bytes(), b"\0"].concat()));
    assert_eq!(talk.session.untold(), count as u64);
    talk.told.0.clear();
    talk.server(&raw(b'C', b"SELECT 1\0").repeat(count));
    talk.server(&raw(b'Z', b"I"));
    let calls = |text: &str| {
        let of = |event: &&Event| matches!(event, Event::Statement(call) if &*call.query.text == text);
        talk.told.0.iter().filter(of).count()
    };
    assert_eq!((calls("select $1"), calls("(unfingerprinted)")), (STATEMENTS_OF_A_TEXT_MAX, 5));
    assert!(!talk.told.0.contains(&Event::Mismatch));
}
