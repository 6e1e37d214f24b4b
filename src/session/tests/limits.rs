//! Memory is bounded: what does not fit is told.

use std::sync::Arc;

use crate::base::sqlstate::Sqlstate;
use crate::base::telemetry::Unmeasured;
use crate::base::units::Stamp;
use crate::session::backlog::Backlog;
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
        self.session.server_bytes(bytes, Stamp::from_nanos(2), &mut self.told);
    }

    fn say(&mut self, request: &str, answer: &str) {
        let (mut request, mut answer) = (words(request), words(answer));
        let request: Vec<u8> = std::iter::from_fn(|| frontend(&mut request)).flatten().collect();
        let answer: Vec<u8> = std::iter::from_fn(|| backend(&mut answer)).flatten().collect();
        self.client(&request);
        self.server(&answer);
    }

    fn executed(&mut self, name: usize) -> String {
        self.executed_named(&format!("s{name}"))
    }

    fn executed_named(&mut self, name: &str) -> String {
        self.told.0.clear();
        self.say(&format!("B \"\" \"{name}\" E \"\" 0 S"), "2 C \"SELECT 1\" Z I");
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

/// As much as can be owed: Executes of a portal that is there.
fn full() -> Talk {
    let mut talk = Talk::new();
    talk.say("P \"s\" \"select a from t\" S", "1 Z I");
    let execute = [b'E', 0, 0, 0, 9, 0, 0, 0, 0, 0];
    talk.client(&execute.repeat(OWED_MAX));
    assert_eq!(talk.session.phase(), Phase::Busy);
    talk.told.0.clear();
    talk
}

fn lost(talk: &Talk) -> u64 {
    let lost = |event: &Event| if let Event::Lost(count) = event { *count } else { 0 };
    talk.told.0.iter().map(lost).sum()
}

/// "ReadyForQuery is the resynchronisation point … Only broken framing is permanent." (PROTOCOL §3)
#[test]
fn what_is_more_than_can_be_owed_is_lost_and_no_more() {
    let mut talk = full();
    talk.say(
        "E \"\" 0 P \"late\" \"select b from t\" C S \"s\" P \"\" \"select c from t\" S",
        "2 C \"SELECT 1\" E 22012",
    );
    assert_eq!(talk.told.0, [Event::Unmeasured(Unmeasured::PipelineFull)]);
    assert_eq!((talk.session.phase(), talk.session.untold()), (Phase::Busy, OWED_MAX as u64 + 1));
    // What was sent meanwhile is owed, too.
    talk.say(
        "Q \"select a from t; select b from t\" B \"\" \"late\" E \"\" 0",
        "Z I C \"SELECT 1\" C \"SELECT 1\" Z T",
    );
    talk.say("S", "");
    assert_eq!(talk.session.phase(), Phase::Busy);
    talk.server(&raw(b'Z', b"T"));
    assert_eq!((talk.session.phase(), lost(&talk)), (Phase::InTransaction, OWED_MAX as u64 + 4));
    assert_eq!(talk.executed_named("late"), "select b from t");
    assert_eq!(talk.executed_named("s"), "(unknown)", "it was closed");
    assert!(!talk.told.0.contains(&Event::Mismatch));
}

/// "Memory has a ceiling that does not depend on traffic" (DESIGN §1.4): sessions of a worker share what they may be owed.
#[test]
fn sessions_of_a_worker_are_owed_no_more_together_than_one_alone() {
    let backlog = Backlog::default();
    let sharing = || {
        let mut talk = Talk::new();
        talk.session = talk.session.sharing(&backlog);
        talk
    };
    let (mut greedy, mut small, mut large) = (sharing(), sharing(), sharing());
    greedy.client(&raw(b'S', b"").repeat(OWED_MAX));
    small.client(&raw(b'S', b"").repeat(250));
    large.client(&raw(b'S', b"").repeat(1_000));
    let unmeasured = |talk: &Talk| talk.told.0.contains(&Event::Unmeasured(Unmeasured::PipelineFull));
    assert_eq!([&greedy, &small, &large].map(unmeasured), [false, false, true]);
    for (talk, owed) in [(&mut large, 1_000), (&mut small, 250), (&mut greedy, OWED_MAX)] {
        talk.server(&raw(b'Z', b"I").repeat(owed));
        assert_eq!(talk.session.phase(), Phase::Idle);
        assert!(!talk.told.0.contains(&Event::Mismatch));
        talk.told.0.clear();
    }
    // What was given back is there for all.
    large.client(&raw(b'S', b"").repeat(OWED_MAX / 2));
    assert!(!unmeasured(&large));
    drop(large);
    small.client(&raw(b'S', b"").repeat(OWED_MAX));
    assert!(!unmeasured(&small));
}

#[test]
fn the_loss_of_a_connection_loses_what_was_not_followed_once() {
    let mut talk = full();
    talk.say("E \"\" 0 S", "E 57P01/FATAL");
    talk.session.closed(Stamp::from_nanos(9), &mut talk.lexer, &mut talk.told);
    assert_eq!(lost(&talk), OWED_MAX as u64 + 1);
    let code = Sqlstate::ADMIN_SHUTDOWN;
    assert!(talk.told.0.contains(&Event::Ended(Some(code))), "{:?}", talk.told.0);
}

/// Where nobody can know how often the server owes ReadyForQuery the session is not followed again.
#[test]
fn what_cannot_be_followed_again_is_opaque() {
    for (request, answer) in [("E \"\" 0 Q \"select a from t\" S", "E 22012"), ("E \"\" 0 S", "G"), ("S", "G")] {
        let mut talk = full();
        talk.say(request, answer);
        assert_eq!(talk.session.phase(), Phase::Opaque, "{request}");
        let lost = (lost(&talk) - OWED_MAX as u64) as usize;
        assert_eq!(lost, request.matches(['E', 'Q']).count(), "{request}");
    }
    let mut talk = full();
    talk.say("E \"\" 0 S Q \"select a from t\"", "E 22012 Z I C \"SELECT 1\" Z I");
    assert_eq!(talk.session.phase(), Phase::Idle, "behind a Sync a Query is answered in any case");
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
