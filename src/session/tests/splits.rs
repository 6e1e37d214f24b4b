//! Every transcript, however its reads are cut.

use proptest::prelude::*;

use crate::session::Session;
use crate::session::tests::transcript::{Step, Transcript, parse};
use crate::sql::fingerprint::Fingerprinter;

/// The transcripts in `tests/data`, by file.
const FILES: &[(&str, &str)] = &[
    ("copy", include_str!("../../../tests/data/copy.txt")),
    ("errors", include_str!("../../../tests/data/errors.txt")),
    ("extended", include_str!("../../../tests/data/extended.txt")),
    ("portals", include_str!("../../../tests/data/portals.txt")),
    ("sessions", include_str!("../../../tests/data/sessions.txt")),
    ("simple", include_str!("../../../tests/data/simple.txt")),
    ("time", include_str!("../../../tests/data/time.txt")),
];

/// Reads up to this size are cut at each point; longer ones at random.
const SHORT: usize = 400;

fn all() -> Vec<Transcript> {
    let all: Vec<Transcript> = FILES.iter().flat_map(|(_, text)| parse(text)).collect();
    assert!(all.len() > 50, "transcripts are missing");
    all
}

fn lexer() -> Fingerprinter {
    Fingerprinter::new(1 << 13, 7)
}

#[test]
fn an_idle_session_is_small() {
    assert!(size_of::<Session>() < 2_048, "{}", size_of::<Session>());
}

#[test]
fn what_is_told_is_what_the_transcript_says() {
    let mut lexer = lexer();
    let wrong: Vec<String> =
        all().iter().filter_map(|transcript| transcript.play(&mut lexer, &mut |_| vec![]).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn byte_by_byte_the_same_is_told() {
    let mut lexer = lexer();
    for transcript in all() {
        let whole = transcript.play(&mut lexer, &mut |_| vec![]);
        assert_eq!(transcript.play(&mut lexer, &mut |length| (1..length).collect()), whole);
    }
}

#[test]
fn cut_at_any_one_point_the_same_is_told() {
    let mut lexer = lexer();
    for transcript in all() {
        let longest = transcript.steps.iter().map(|step| match step {
            Step::Client(bytes) | Step::Server(bytes) => bytes.len(),
            _ => 0,
        });
        let whole = transcript.play(&mut lexer, &mut |_| vec![]);
        for point in 1..longest.max().unwrap_or(0).min(SHORT) {
            let cut = transcript.play(&mut lexer, &mut |length| if point < length { vec![point] } else { vec![] });
            assert_eq!(cut, whole, "cut at {point}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cut_at_random_points_the_same_is_told(
        seeds in proptest::collection::vec(any::<proptest::sample::Index>(), 1..9)
    ) {
        let mut lexer = lexer();
        for transcript in all() {
            let whole = transcript.play(&mut lexer, &mut |_| vec![]);
            let cut = transcript.play(&mut lexer, &mut |length| {
                let mut points: Vec<usize> = seeds.iter().map(|seed| seed.index(length.max(1))).collect();
                points.sort_unstable();
                points
            });
            prop_assert_eq!(cut, whole);
        }
    }
}
