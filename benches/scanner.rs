//! What it costs to find frames: small rows, large rows, small requests.

use divan::counter::{BytesCount, ItemsCount};
use pgvitals::wire::backend::Backend;
use pgvitals::wire::frontend::Frontend;
use pgvitals::wire::scanner::{Direction, Scanner};

fn main() {
    divan::main();
}

fn frame(tag: u8, size: usize) -> Vec<u8> {
    let length = size as u32 + 4;
    [&[tag][..], &length.to_be_bytes(), &vec![0; size]].concat()
}

fn scan<D: Direction>(bytes: &[u8]) -> usize {
    let mut scanner = Scanner::<D>::default();
    let (mut input, mut pieces) = (bytes, 0);
    while let Some(piece) = scanner.next(&mut input) {
        divan::black_box_drop(piece);
        pieces += 1;
    }
    pieces
}

/// 10,000 DataRows in a read; 32 bytes is a row of a few numbers.
#[divan::bench(args = [8, 32, 200, 8_000])]
fn data_rows(bencher: divan::Bencher<'_, '_>, size: usize) {
    let bytes = frame(b'D', size).repeat(10_000);
    bencher
        .counter(ItemsCount::new(10_000_u32))
        .counter(BytesCount::new(bytes.len()))
        .bench(|| scan::<Backend>(divan::black_box(&bytes)));
}

/// 1,000 times Bind, Execute, Sync.
#[divan::bench]
fn requests(bencher: divan::Bencher<'_, '_>) {
    let bytes = [frame(b'B', 40), frame(b'E', 5), frame(b'S', 0)].concat().repeat(1_000);
    bencher
        .counter(ItemsCount::new(3_000_u32))
        .counter(BytesCount::new(bytes.len()))
        .bench(|| scan::<Frontend>(divan::black_box(&bytes)));
}

/// 1,000 times BindComplete, DataRow, CommandComplete, ReadyForQuery.
#[divan::bench]
fn answers(bencher: divan::Bencher<'_, '_>) {
    let bytes = [frame(b'2', 0), frame(b'D', 32), frame(b'C', 9), frame(b'Z', 1)].concat().repeat(1_000);
    bencher
        .counter(ItemsCount::new(4_000_u32))
        .counter(BytesCount::new(bytes.len()))
        .bench(|| scan::<Backend>(divan::black_box(&bytes)));
}
