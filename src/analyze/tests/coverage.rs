//! What share is seen, and who goes around.

use super::support::{day, set};
use crate::analyze::coverage::{self, Before, Own, Seen};
use crate::snapshot::activity::{Calls, CallsBy, SessionsBy};
use crate::snapshot::set::Set;

fn calls(by: &[(&str, u64)]) -> Calls {
    let by = by.iter().map(|(user, calls)| CallsBy { user: (*user).into(), database: "shop".into(), calls: *calls });
    Calls { by: by.collect(), since: Some(day(0)), evictions: Some(0) }
}

fn seen(by: &[(&str, u64)]) -> Vec<Seen> {
    by.iter().map(|(user, calls)| Seen { user: (*user).into(), database: "shop".into(), calls: *calls }).collect()
}

fn counted(calls: Calls) -> Set {
    let mut set = set();
    set.server.calls = Some(calls);
    set
}

#[test]
fn a_share_is_of_what_was_called_between_two_looks() {
    let before = Before { at: day(1), calls: calls(&[("app", 1_000), ("cron", 50)]) };
    let set = counted(calls(&[("app", 2_000), ("cron", 150), ("ann", 10)]));
    let coverage = coverage::coverage(&set, Some(&before), &seen(&[("app", 900), ("late", 5)]), &Own::new());
    let shares: Vec<_> = coverage
        .by_user
        .iter()
        .map(|one| (one.user.as_str(), one.seen_calls, one.server_calls, one.share_percent))
        .collect();
    let expected = [
        ("app", 900, Some(1_000), Some(90.0)),
        ("cron", 0, Some(100), Some(0.0)),
        ("ann", 0, Some(10), Some(0.0)),
        ("late", 5, Some(0), None),
    ];
    assert_eq!(shares, expected);
    assert_eq!(coverage.unknown, None);
}

#[test]
fn more_than_all_is_all() {
    let set = counted(calls(&[("app", 1_000)]));
    let coverage = coverage::coverage(&set, None, &seen(&[("app", 1_003)]), &Own::new());
    assert_eq!(coverage.by_user[0].share_percent, Some(100.0));
}

#[test]
fn what_can_t_be_compared_is_unknown_and_says_why() {
    let before = |calls: Calls| Some(Before { at: day(1), calls });
    let usual = || calls(&[("app", 1_000)]);
    let cases = [
        (set(), before(usual()), "not there"),
        (counted(Calls { evictions: Some(3), ..usual() }), before(usual()), "evicted"),
        (counted(Calls { evictions: Some(3), ..usual() }), None, "evicted"),
        (counted(Calls { evictions: None, ..usual() }), before(usual()), "does not say"),
        (counted(Calls { since: None, ..usual() }), None, "since when"),
        (counted(Calls { since: Some(day(2)), ..usual() }), before(usual()), "reset"),
        (counted(calls(&[("app", 10)])), before(usual()), "reset in part"),
    ];
    for (set, before, why) in cases {
        let coverage = coverage::coverage(&set, before.as_ref(), &seen(&[("app", 5)]), &Own::new());
        assert!(coverage.unknown.is_some_and(|said| said.contains(why)), "{why}: {:?}", coverage.unknown);
        let one = &coverage.by_user[0];
        assert_eq!((one.seen_calls, one.server_calls, one.share_percent), (5, None, None));
    }
}

#[test]
fn sessions_that_pgvitals_does_not_hold_go_around_it() {
    let sessions = |user: &str, application: &str, address: &str, sessions: u64| SessionsBy {
        user: user.into(),
        database: "shop".into(),
        application: application.into(),
        address: Some(address.into()),
        sessions,
    };
    let mut set = set();
    set.server.sessions = vec![
        sessions("app", "web", "10.0.0.1", 20),
        sessions("app", "web", "10.0.0.9", 2),
        sessions("ann", "psql", "10.0.0.7", 1),
    ];
    let own = Own::from([(("app".into(), "shop".into(), "web".into()), 20)]);
    let around: Vec<_> = coverage::coverage(&set, None, &[], &own)
        .around
        .into_iter()
        .map(|one| (one.user, one.application, one.address.unwrap(), one.sessions))
        .collect();
    let expected = [("app", "web", "10.0.0.9", 2), ("ann", "psql", "10.0.0.7", 1)];
    let expected = expected.map(|(a, b, c, n)| (a.to_owned(), b.to_owned(), c.to_owned(), n));
    assert_eq!(around, expected);
}
