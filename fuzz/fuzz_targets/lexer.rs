//! Any bytes in any dialect have an answer, and any split the same one. The first two bytes choose dialect and split.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgvitals::sql::fingerprint::Fingerprinter;
use pgvitals::sql::statement::{Dialect, Encoding};

fuzz_target!(|data: &[u8]| {
    let [choice, step, sql @ ..] = data else { return };
    let encoding = match choice % 4 {
        0 => Encoding::AsciiSafe,
        1 => Encoding::DoubleByte,
        2 => Encoding::SingleByte,
        _ => Encoding::ShiftJis,
    };
    let dialect = Dialect { standard_strings: choice & 0x80 == 0, encoding };
    let mut fingerprinter = Fingerprinter::new(8_192, 1);
    let whole = fingerprinter.statements(sql, dialect);
    let ticket = fingerprinter.begin(dialect);
    for piece in sql.chunks(usize::from(*step).max(1)) {
        fingerprinter.feed(&ticket, piece);
    }
    assert_eq!(fingerprinter.end(ticket), whole);
});
