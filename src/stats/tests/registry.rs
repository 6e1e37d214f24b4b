use super::*;
use crate::sql::kind::Class;
use crate::stats::tests::support::{at, query};

#[test]
fn a_text_is_described_once_and_keeps_the_first_name() {
    let mut registry = Registry::default();
    let text = query("commit");
    let known = registry.learn(&text, at(0));
    assert_eq!(known.class, Class::Transaction);
    assert!(Arc::ptr_eq(&known, &registry.learn(&query("commit"), at(1))));
    registry.name(text.hash, "Finish");
    registry.name(text.hash, "Later");
    assert_eq!(registry.get(text.hash).and_then(|known| known.name.as_deref()), Some("Finish"));
}

#[test]
fn what_no_series_refers_to_goes_after_ninety_minutes() {
    let mut registry = Registry::default();
    let (used, unused) = (query("select a"), query("select b"));
    registry.learn(&used, at(0));
    registry.learn(&unused, at(0));
    let referred = FxHashSet::from_iter([used.hash]);
    registry.sweep(&referred, at(90 * 60), 1 << 20);
    assert!(registry.get(unused.hash).is_some());
    registry.sweep(&referred, at(90 * 60 + 1), 1 << 20);
    assert!(registry.get(unused.hash).is_none() && registry.get(used.hash).is_some());
    registry.sweep(&FxHashSet::default(), at(180 * 60), 1 << 20);
    assert_eq!(registry.memory_bytes(), 0);
}

#[test]
fn unused_texts_have_a_ceiling_and_the_newest_stay() {
    let mut registry = Registry::default();
    let long = "x".repeat(8 << 10);
    for n in 0..1_000 {
        registry.learn(&query(&format!("select {n} {long}")), at(n));
    }
    registry.sweep(&FxHashSet::default(), at(1_000), 4 << 20);
    assert!(registry.memory_bytes() <= 4 << 20);
    assert!(registry.get(query(&format!("select 999 {long}")).hash).is_some());
    assert!(registry.get(query(&format!("select 0 {long}")).hash).is_none());
}
