//! Bind values come with their execution, however the streams are cut and whatever the server makes of them.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use pgwire::messages::Message;
use pgwire::messages::extendedquery::{Bind, Describe, Execute, Parse, Sync};
use proptest::prelude::*;

use crate::base::units::Stamp;
use crate::session::Session;
use crate::session::identity::StartupParameters;
use crate::session::observation::{Event, Outcome};
use crate::session::parameters::json;
use crate::session::tests::messages::raw;
use crate::session::tests::transcript::Told;
use crate::sql::bound::Allowance;
use crate::sql::fingerprint::Fingerprinter;

const INT4: u32 = 23;
const TEXT: u32 = 25;

fn encoded(message: &impl Message) -> Vec<u8> {
    let mut buffer = BytesMut::new();
    message.encode(&mut buffer).expect("pgwire encodes what the tests build");
    buffer.to_vec()
}

fn parse(name: &str, types: &[u32]) -> Vec<u8> {
    encoded(&Parse::new(Some(name.to_owned()), format!("select {name} where a = $1"), types.to_vec()))
}

fn bind(portal: &str, statement: &str, formats: &[i16], values: &[Option<Vec<u8>>]) -> Vec<u8> {
    let values = values.iter().map(|value| value.clone().map(Bytes::from)).collect();
    encoded(&Bind::new(Some(portal.to_owned()), Some(statement.to_owned()), formats.to_vec(), values, vec![]))
}

fn text(value: &str) -> Option<Vec<u8>> {
    Some(value.as_bytes().to_vec())
}

fn execute(portal: &str, rows: i32) -> Vec<u8> {
    encoded(&Execute::new(Some(portal.to_owned()), rows))
}

fn sync() -> Vec<u8> {
    encoded(&Sync::new())
}

fn complete() -> Vec<u8> {
    raw(b'C', b"SELECT 1\0")
}

fn ready() -> Vec<u8> {
    raw(b'Z', b"I")
}

fn failed(code: &str) -> Vec<u8> {
    raw(b'E', format!("SERROR\0VERROR\0C{code}\0Mno\0\0").as_bytes())
}

struct Case {
    session: Session,
    fingerprinter: Fingerprinter,
    told: Told,
    now: u64,
}

impl Case {
    fn new() -> Self {
        let startup = StartupParameters { user: b"app", ..StartupParameters::default() };
        let session = Session::new(Arc::from("db"), Stamp::from_nanos(0), &startup);
        let session = session.with_parameters(Allowance::new(&Arc::default()));
        let mut case = Self { session, fingerprinter: Fingerprinter::new(1 << 13, 7), told: Told::default(), now: 0 };
        case.server(&ready());
        case
    }

    fn now(&mut self) -> Stamp {
        self.now += 1_000;
        Stamp::from_nanos(self.now)
    }

    fn client(&mut self, bytes: &[u8]) {
        let now = self.now();
        self.session.client_bytes(bytes, now, &mut self.fingerprinter, &mut self.told);
    }

    fn server(&mut self, bytes: &[u8]) {
        let now = self.now();
        self.session.server_bytes(bytes, now, &mut self.told);
    }

    /// How each execution ended, and with which values.
    fn calls(&mut self) -> Vec<(Outcome, Option<String>)> {
        let calls = self.told.0.drain(..).filter_map(|event| match event {
            Event::Statement(call) => Some((call.outcome, call.details.as_deref().and_then(json))),
            _ => None,
        });
        calls.collect()
    }

    /// The values of each.
    fn values(&mut self) -> Vec<Option<String>> {
        self.calls().into_iter().map(|(_, values)| values).collect()
    }
}

#[test]
fn a_client_or_the_server_names_the_types() {
    let mut case = Case::new();
    let five = [text("5")];
    case.client(&[parse("a", &[INT4]), bind("", "a", &[], &five), execute("", 0), sync()].concat());
    case.server(&[raw(b'1', b""), raw(b'2', b""), complete(), ready()].concat());
    assert_eq!(case.values(), [Some("[5]".to_owned())]);

    case.client(&[parse("b", &[]), bind("", "b", &[], &five), execute("", 0), sync()].concat());
    case.server(&[raw(b'1', b""), raw(b'2', b""), complete(), ready()].concat());
    assert_eq!(case.values(), [Some("[\"5\"]".to_owned())], "nobody has said what it is");

    case.client(&[encoded(&Describe::new(b'S', Some("b".to_owned()))), sync()].concat());
    case.server(&[raw(b't', &[0, 1, 0, 0, 0, 23]), raw(b'n', b""), ready()].concat());
    case.client(&[bind("", "b", &[], &five), execute("", 0), sync()].concat());
    case.server(&[raw(b'2', b""), complete(), ready()].concat());
    assert_eq!(case.values(), [Some("[5]".to_owned())]);
}

#[test]
fn a_bind_that_fails_tells_what_it_failed_with() {
    let mut case = Case::new();
    let (bad, good) = ([text("five")], [text("6")]);
    case.client(&[parse("a", &[INT4]), sync()].concat());
    case.server(&[raw(b'1', b""), ready()].concat());
    case.client(&[bind("", "a", &[], &bad), execute("", 0), sync()].concat());
    case.client(&[bind("", "a", &[], &good), execute("", 0), sync()].concat());
    case.server(&[failed("22P02"), ready(), raw(b'2', b""), complete(), ready()].concat());
    let calls = case.calls();
    assert!(matches!(calls[0], (Outcome::Failed(_), Some(ref values)) if values == "[\"five\"]"), "{calls:?}");
    assert_eq!(calls[1], (Outcome::Completed, Some("[6]".to_owned())));
}

#[test]
fn what_the_server_skips_takes_its_values_with_it() {
    let mut case = Case::new();
    let one = |value: &str| [bind("", "a", &[], &[text(value)]), execute("", 0)].concat();
    case.client(&[parse("a", &[INT4]), sync()].concat());
    case.server(&[raw(b'1', b""), ready()].concat());
    case.client(&[one("1"), one("2"), one("3"), sync(), one("4"), sync()].concat());
    case.server(&[raw(b'2', b""), failed("23505"), ready(), raw(b'2', b""), complete(), ready()].concat());
    assert_eq!(case.values(), [Some("[1]".to_owned()), Some("[4]".to_owned())]);
}

#[test]
fn a_portal_that_is_fetched_in_parts_is_one_call_with_its_values() {
    let mut case = Case::new();
    case.client(&[parse("a", &[INT4]), bind("p", "a", &[], &[text("1")]), execute("p", 1), sync()].concat());
    case.client(&[bind("q", "a", &[], &[text("2")]), execute("q", 0), execute("p", 1), sync()].concat());
    let in_transaction = raw(b'Z', b"T");
    case.server(&[raw(b'1', b""), raw(b'2', b""), raw(b's', b""), in_transaction].concat());
    case.server(&[raw(b'2', b""), complete(), complete(), ready()].concat());
    assert_eq!(case.values(), [Some("[2]".to_owned()), Some("[1]".to_owned())]);
}

#[test]
fn what_runs_shows_its_values_before_the_server_has_answered_anything() {
    let mut case = Case::new();
    let statement = |values: &[Option<Vec<u8>>]| [bind("", "a", &[], values), execute("", 0), sync()].concat();
    case.client(&[parse("a", &[INT4, TEXT]), statement(&[text("7"), None]), statement(&[text("8"), None])].concat());
    let running = |case: &Case| case.session.in_flight().and_then(|flight| flight.details.as_deref().and_then(json));
    assert_eq!(running(&case).as_deref(), Some("[7,null]"));
    case.server(&[raw(b'1', b""), raw(b'2', b"")].concat());
    assert_eq!(running(&case).as_deref(), Some("[7,null]"));
    case.server(&[complete(), ready()].concat());
    assert_eq!(running(&case).as_deref(), Some("[8,null]"));
    case.session.closed(Stamp::from_nanos(1_000_000), &mut case.fingerprinter, &mut case.told);
    assert_eq!(case.calls()[1], (Outcome::Aborted, Some("[8,null]".to_owned())));
}

/// "bounded per connection and per worker": what does not fit is said, and all is given back.
#[test]
fn a_long_pipeline_holds_no_more_than_its_allowance() {
    let all = Arc::default();
    let mut case = Case::new();
    case.session = {
        let startup = StartupParameters { user: b"app", ..StartupParameters::default() };
        let session = Session::new(Arc::from("db"), Stamp::from_nanos(0), &startup);
        session.with_parameters(Allowance::new(&all))
    };
    case.server(&ready());
    case.client(&parse("a", &[TEXT]));
    let long = "x".repeat(5_000);
    let one = [bind("", "a", &[], &[text(&long)]), execute("", 0)].concat();
    (0..200).for_each(|_| case.client(&one));
    case.client(&sync());
    let held = all.load(std::sync::atomic::Ordering::Relaxed);
    assert!((10_000..100_000).contains(&held), "{held}");
    case.server(&[raw(b'1', b""), [raw(b'2', b""), complete()].concat().repeat(200), ready()].concat());
    let values = case.values();
    assert_eq!(values.len(), 200);
    assert!(values[0].as_deref().is_some_and(|values| values.starts_with("[\"xxx") && values.ends_with("…\"]")));
    assert_eq!(values[199].as_deref(), Some("[\"…\"]"));
    assert_eq!(all.load(std::sync::atomic::Ordering::Relaxed), 0);
}

/// A statement's types, and the formats and values of one execution of it.
type Execution = (Vec<u32>, bool, Vec<Option<Vec<u8>>>);

fn executions() -> impl Strategy<Value = Vec<Execution>> {
    let value = prop::option::weighted(0.8, prop::collection::vec(any::<u8>(), 0..40));
    let long = prop::option::weighted(0.8, prop::collection::vec(any::<u8>(), 0..4_000));
    let values = prop::collection::vec(prop_oneof![9 => value, 1 => long], 0..6);
    let types = prop::collection::vec(prop_oneof![Just(0), Just(INT4), Just(TEXT), Just(1700), Just(1007)], 0..6);
    prop::collection::vec((types, any::<bool>(), values), 1..6)
}

/// Plays a pipeline of them, both streams cut at `cuts`.
fn played(executions: &[Execution], cuts: &[prop::sample::Index]) -> Vec<Option<String>> {
    let mut case = Case::new();
    let (mut request, mut answer) = (Vec::new(), Vec::new());
    for (index, (types, binary, values)) in executions.iter().enumerate() {
        let name = format!("s{index}");
        request.extend([parse(&name, types), bind("", &name, &[i16::from(*binary)], values), execute("", 0)].concat());
        answer.extend([raw(b'1', b""), raw(b'2', b""), complete()].concat());
    }
    request.extend(sync());
    answer.extend(ready());
    let parts = |bytes: &[u8]| {
        let mut points: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).chain([0, bytes.len()]).collect();
        points.sort_unstable();
        points.windows(2).map(|pair| bytes[pair[0]..pair[1]].to_vec()).collect::<Vec<_>>()
    };
    parts(&request).iter().for_each(|part| case.client(part));
    parts(&answer).iter().for_each(|part| case.server(part));
    case.values()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_each_execution_its_values(
        executions in executions(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let whole = played(&executions, &[]);
        prop_assert_eq!(whole.len(), executions.len());
        for ((_, _, values), told) in executions.iter().zip(&whole) {
            let Some(told) = told else {
                prop_assert!(values.is_empty());
                continue;
            };
            let told: Vec<serde_json::Value> = serde_json::from_str(told).expect("an array");
            for (value, told) in values.iter().zip(&told) {
                prop_assert_eq!(value.is_none(), told.is_null());
            }
            let cut = told.last() == Some(&"…".into());
            prop_assert!(told.len() == values.len() || cut, "{told:?}");
            prop_assert!(!serde_json::to_string(&told).expect("JSON").contains("\\u0000"));
        }
        prop_assert_eq!(played(&executions, &cuts), whole);
    }
}
