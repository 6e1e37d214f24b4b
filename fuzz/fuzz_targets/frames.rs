//! Frames with lying lengths, drip-fed: the scanners take anything, and any split gives the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgvitals::wire::backend::Backend;
use pgvitals::wire::frontend::Frontend;
use pgvitals::wire::scanner::{Direction, Piece, Scanner};

/// Frames and bytes told, and whether the stream broke.
fn scan<'a, D: Direction>(parts: impl Iterator<Item = &'a [u8]>) -> (u64, u64, bool) {
    let mut scanner = Scanner::<D>::default();
    let mut seen = (0, 0, false);
    for mut input in parts {
        while let Some(piece) = scanner.next(&mut input) {
            match piece {
                Ok(Piece::Run { frames, bytes, .. }) => seen = (seen.0 + frames, seen.1 + bytes, seen.2),
                Ok(Piece::Frame { bytes, .. } | Piece::Begin { bytes, .. }) => seen = (seen.0 + 1, seen.1 + bytes, seen.2),
                Ok(Piece::Chunk(_) | Piece::End) => {}
                Err(_) => {
                    assert!(!seen.2, "a violation is told once");
                    seen.2 = true;
                }
            }
        }
    }
    seen
}

fuzz_target!(|data: &[u8]| {
    let Some((size, bytes)) = data.split_first() else { return };
    let size = usize::from(*size).max(1);
    // A kept body is told at its end, so only broken streams and whole frames compare.
    assert_eq!(scan::<Backend>(bytes.chunks(size)), scan::<Backend>(std::iter::once(bytes)));
    assert_eq!(scan::<Frontend>(bytes.chunks(size)), scan::<Frontend>(std::iter::once(bytes)));
});
