//! The scanner: any split gives the same frames, lengths out of bounds are told once.

use proptest::prelude::*;

use crate::wire::backend::Backend;
use crate::wire::error::{Sender, Violation};
use crate::wire::frontend::Frontend;
use crate::wire::scanner::{Direction, Interest, Piece, Scanner};
use crate::wire::tag::{BackendTag, FrontendTag};

/// A frame with any tag and body.
fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[tag][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
}

/// What a scanner told, in a form that does not depend on where reads ended: tag, frames, bytes, body.
type Seen<Tag> = Vec<(Tag, u64, u64, Vec<u8>)>;

fn scan<D: Direction>(parts: &[&[u8]]) -> (Seen<D::Tag>, Option<Violation>, bool) {
    let mut scanner = Scanner::<D>::default();
    let (mut seen, mut violation): (Seen<D::Tag>, _) = (Vec::new(), None);
    for part in parts {
        let mut input = *part;
        while let Some(piece) = scanner.next(&mut input) {
            match piece {
                Ok(Piece::Run { tag, frames, bytes }) => match seen.last_mut() {
                    Some(last) if last.0 == tag => (last.1, last.2) = (last.1 + frames, last.2 + bytes),
                    _ => seen.push((tag, frames, bytes, vec![])),
                },
                Ok(Piece::Frame { tag, body, bytes }) => seen.push((tag, 1, bytes, body.to_vec())),
                Ok(Piece::Begin { tag, bytes }) => seen.push((tag, 1, bytes, vec![])),
                Ok(Piece::Chunk(chunk)) => seen.last_mut().expect("a begin").3.extend_from_slice(chunk),
                Ok(Piece::End) => {}
                Err(found) => assert_eq!(violation.replace(found), None, "told once"),
            }
        }
    }
    (seen, violation, scanner.at_boundary())
}

#[test]
fn ten_thousand_rows_are_one_run() {
    let bytes = [frame(b'T', b"x"), frame(b'D', b"row").repeat(10_000), frame(b'Z', b"I")].concat();
    let mut scanner = Scanner::<Backend>::default();
    let mut input = &bytes[..];
    let mut pieces = Vec::new();
    while let Some(piece) = scanner.next(&mut input) {
        pieces.push(format!("{:?}", piece.expect("frames are well formed")));
    }
    assert_eq!(
        pieces,
        [
            "Run { tag: RowDescription, frames: 1, bytes: 6 }",
            "Run { tag: DataRow, frames: 10000, bytes: 80000 }",
            "Frame { tag: ReadyForQuery, body: [73], bytes: 6 }",
        ]
    );
}

#[test]
fn a_row_of_a_gigabyte_is_told_at_its_header_and_passes_unstored() {
    let header = [&b"D"[..], &0x3fff_ffff_u32.to_be_bytes()].concat();
    let chunk = vec![0; 1 << 16];
    let mut scanner = Scanner::<Backend>::default();
    let mut input = &header[..];
    let run = Piece::Run { tag: BackendTag::DataRow, frames: 1, bytes: 0x4000_0000 };
    assert_eq!(scanner.next(&mut input), Some(Ok(run)));
    for _ in 0..(0x3fff_ffff - 4) / chunk.len() {
        let mut input = &chunk[..];
        assert_eq!(scanner.next(&mut input), None);
        assert!(input.is_empty() && !scanner.at_boundary());
    }
    let mut input = &chunk[..(0x3fff_ffff - 4) % chunk.len()];
    assert_eq!(scanner.next(&mut input), None);
    assert!(scanner.at_boundary());
}

#[test]
fn only_the_part_of_a_body_that_was_asked_for_is_kept() {
    let body = [b'x'; 5_000];
    let bytes = frame(b'B', &body);
    let limit = match Frontend::default().interest(FrontendTag::Bind) {
        Interest::Keep(limit) => usize::from(limit),
        other => panic!("names of Bind are kept, not {other:?}"),
    };
    let expected = (vec![(FrontendTag::Bind, 1, 5_005, body[..limit].to_vec())], None, true);
    assert_eq!(scan::<Frontend>(&[&bytes]), expected);
    assert_eq!(scan::<Frontend>(&bytes.chunks(7).collect::<Vec<_>>()), expected);
}

#[test]
fn a_length_out_of_bounds_ends_the_stream() {
    for (tag, length, longest) in [
        (b'Q', 3, 0x3fff_fffe),
        (b'Q', 0, 0x3fff_fffe),
        (b'Q', 0x3fff_ffff, 0x3fff_fffe),
        (b'B', u32::MAX, 0x3fff_fffe),
        (b'S', 10_001, 10_000),
        (b'E', 10_001, 10_000),
        (b'p', 65_536, 65_535),
    ] {
        let sound = frame(b'd', b"abc");
        let wrong = [&[tag][..], &length.to_be_bytes(), b"and more"].concat();
        let bytes = [sound.clone(), wrong, sound].concat();
        let violation = Violation { sender: Sender::Frontend, tag, length, longest, offset: 8 };
        for size in [1, 4, 9, bytes.len()] {
            let (seen, found, _) = scan::<Frontend>(&bytes.chunks(size).collect::<Vec<_>>());
            assert_eq!(seen, [(FrontendTag::CopyData, 1, 8, vec![])]);
            assert_eq!(found, Some(violation));
        }
    }
    let longest_row = [&b"D"[..], &0x4000_0003_u32.to_be_bytes()].concat();
    assert_eq!(scan::<Backend>(&[&longest_row]).1, None);
    let too_long = [&b"D"[..], &0x4000_0004_u32.to_be_bytes()].concat();
    assert!(scan::<Backend>(&[&too_long]).1.is_some());
}

fn frames() -> impl Strategy<Value = Vec<u8>> {
    let tag = prop_oneof![proptest::sample::select(&b"QPBDECSHFdcfXp12ns3tTZKRIVNAGW"[..]), any::<u8>()];
    let body =
        prop_oneof![proptest::collection::vec(any::<u8>(), 0..9), proptest::collection::vec(any::<u8>(), 0..700)];
    proptest::collection::vec((tag, body), 0..20)
        .prop_map(|frames| frames.iter().flat_map(|(tag, body)| frame(*tag, body)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_the_same_frames(
        bytes in frames(),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..20),
    ) {
        let mut points: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        points.sort_unstable();
        points.push(bytes.len());
        let mut begin = 0;
        let parts: Vec<&[u8]> = points.iter().map(|end| &bytes[std::mem::replace(&mut begin, *end)..*end]).collect();
        let whole = scan::<Frontend>(&[&bytes]);
        prop_assert_eq!(whole.0.iter().map(|seen| seen.2).sum::<u64>(), bytes.len() as u64, "each byte is in a frame");
        prop_assert!(whole.2);
        prop_assert_eq!(scan::<Frontend>(&parts), whole);
        prop_assert_eq!(scan::<Backend>(&parts), scan::<Backend>(&[&bytes]));
    }

    #[test]
    fn anything_at_all_is_swallowed(bytes in proptest::collection::vec(any::<u8>(), 0..300), size in 1..20_usize) {
        let parts: Vec<&[u8]> = bytes.chunks(size).collect();
        prop_assert_eq!(scan::<Backend>(&parts).1, scan::<Backend>(&[&bytes]).1);
        prop_assert_eq!(scan::<Frontend>(&parts).1, scan::<Frontend>(&[&bytes]).1);
    }
}
