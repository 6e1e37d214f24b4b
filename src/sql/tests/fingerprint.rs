//! FINGERPRINT.md by its examples, and what must hold for every text.

use proptest::prelude::*;

use super::*;
use crate::sql::statement::Encoding;

fn canonical(sql: &str) -> String {
    let statements = fingerprint(sql.as_bytes(), Dialect::default());
    statements.into_iter().next().map(|statement| statement.text).unwrap_or_default()
}

#[track_caller]
fn check(sql: &str, text: &str) {
    assert_eq!(canonical(sql), text, "{sql}");
}

#[test]
fn each_example_has_its_text_and_hash() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/fingerprints.jsonl");
    let mut count = 0;
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let fact: serde_json::Value = serde_json::from_str(line).unwrap();
        let sql = fact["sql"].as_str().unwrap();
        let found = fingerprint(sql.as_bytes(), Dialect::default());
        let first = found.first().unwrap();
        assert_eq!(first.text, fact["query"].as_str().unwrap(), "{sql}");
        assert_eq!(first.hash.to_string(), fact["query_hash"].as_str().unwrap(), "{sql}");
        count += 1;
    }
    assert!(count >= 100);
}
