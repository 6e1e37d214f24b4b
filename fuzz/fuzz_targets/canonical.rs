//! A canonical text is its own canonical text, and has the hash of its bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgvitals::sql::fingerprint::fingerprint;
use pgvitals::sql::hash::QueryHash;
use pgvitals::sql::statement::Dialect;

fuzz_target!(|sql: &str| {
    for statement in fingerprint(sql.as_bytes(), Dialect::default()) {
        assert_eq!(statement.hash, QueryHash::of(&statement.text));
        let again = fingerprint(statement.text.as_bytes(), Dialect::default());
        assert!(again.len() <= 1);
        assert!(again.iter().all(|again| again.text == statement.text), "{:?}", statement.text);
    }
});
