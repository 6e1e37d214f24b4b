//! What people read, and what programs read.

use super::report::Report;

fn report() -> Report {
    let mut report = Report::default();
    report.about("listen");
    report.well("listen 127.0.0.1:7432: free");
    report.about("store");
    report.bad("store: role `x` may not write; an owner should GRANT y TO x");
    report.about("listen");
    report.bad("listen 127.0.0.1:1: taken by \x1b[2Jsshd; stop that one, or set `listen`");
    report.note("a note");
    report
}

#[test]
fn findings_stand_under_their_topic_with_what_to_do_below_them() {
    assert_eq!(
        report().text(false),
        "listen\n  ok    127.0.0.1:7432: free\n  FAIL  127.0.0.1:1: taken by [2Jsshd\n        → stop that one, or set `listen`\n  \
         note  a note\n\nstore\n  FAIL  role `x` may not write\n        → an owner should GRANT y TO x\n\n\
         2 things won't work (1 ok, 1 note; exit code 1)\n"
    );
    assert!(report().is_bad());
    let mut well = Report::default();
    well.about("http");
    well.well("http 127.0.0.1:7480: free");
    assert!(!well.is_bad());
    assert!(well.text(false).ends_with("nothing is in the way (1 ok, 0 notes; exit code 0)\n"));
}

#[test]
fn colours_are_all_that_colour_adds() {
    let coloured = report().text(true);
    assert!(coloured.contains("\x1b[1;31mFAIL\x1b[0m  role"), "{coloured:?}");
    let parts = coloured.split('\x1b').enumerate();
    let plain: String = parts.map(|(at, part)| if at == 0 { part } else { part.split_once('m').unwrap().1 }).collect();
    assert_eq!(plain, report().text(false));
}

#[test]
fn programs_get_counts_and_findings() {
    let data: serde_json::Value = serde_json::from_str(&report().json().unwrap()).unwrap();
    assert_eq!((&data["ok"], &data["notes"], &data["failed"]), (&1.into(), &1.into(), &2.into()));
    let finding = serde_json::json!({
        "topic": "store", "outcome": "fail", "text": "role `x` may not write", "remedy": "an owner should GRANT y TO x",
    });
    assert_eq!(data["findings"][1], finding);
}
