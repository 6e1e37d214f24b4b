//! What is sent when: instants are parameters, so days pass at once.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::support::at;
use crate::analyze::kind::Severity;
use crate::base::telemetry::Channel;
use crate::base::units::{Nanos, WallTime};
use crate::notify::error::Failure;
use crate::notify::queue::{BATCH_MAX, Batch, EVERY, Outcome, Pending, Plan, Told, WAIT, first_due, plan, settle};
use crate::notify::quiet::QuietHours;

/// A notice for Slack about the database `shop` that came up at this second.
fn pending(id: i64, severity: Severity, came: i64) -> Pending {
    Pending {
        id,
        channel: Channel::Slack,
        server: "db".to_owned(),
        database: Some("shop".to_owned()),
        severity,
        due: first_due(at(came)),
        attempts: 0,
    }
}

fn told(seconds: i64) -> Told {
    Told { channel: Channel::Slack, server: "db".to_owned(), database: Some("shop".to_owned()), at: at(seconds) }
}

fn planned(pending: &[Pending], told: &[Told], seconds: i64) -> Plan {
    plan(pending, told, None, &TimeZone::UTC, at(seconds))
}

fn ids(plan: &Plan) -> Vec<Vec<i64>> {
    plan.batches.iter().map(|batch| batch.notices.iter().map(|(id, _)| *id).collect()).collect()
}

#[test]
fn fifty_alerts_are_one_message_thirty_seconds_after_the_first() {
    let all: Vec<_> = (0..50).map(|id| pending(id, Severity::Warning, id / 2)).collect();
    let early = planned(&all, &[], 29);
    assert_eq!((early.batches.len(), early.next), (0, Some(at(30))));
    let sent = planned(&all, &[], 30);
    assert_eq!(ids(&sent), [(0..50).collect::<Vec<_>>()]);
    assert_eq!(sent.next, None);
}

#[test]
fn a_group_gets_one_message_in_five_minutes_and_others_need_not_wait_for_it() {
    let mut other = pending(2, Severity::Warning, 0);
    other.database = None;
    let all = [pending(1, Severity::Critical, 0), other];
    let plan = planned(&all, &[told(-60)], 30);
    assert_eq!((ids(&plan), plan.next), (vec![vec![2]], Some(at(240))));
    assert_eq!(ids(&planned(&all, &[told(-60)], 240)), [[1], [2]], "the critical one first");
}

#[test]
fn a_clock_that_was_put_back_holds_nothing_up() {
    let all = [pending(1, Severity::Warning, 0)];
    assert_eq!(ids(&planned(&all, &[told(86_400)], 30)), [[1]]);
}

#[test]
fn each_channel_is_a_group_of_its_own() {
    let mut mail = pending(2, Severity::Warning, 0);
    mail.channel = Channel::Email;
    let plan = planned(&[pending(1, Severity::Warning, 0), mail], &[], 30);
    let channels: Vec<_> = plan.batches.iter().map(|batch| batch.channel).collect();
    assert_eq!((channels, ids(&plan)), (vec![Channel::Slack, Channel::Email], vec![vec![1], vec![2]]));
}

#[test]
fn quiet_hours_hold_all_but_what_is_critical() {
    let hours = QuietHours::parse("00:00-07:00").unwrap();
    let all = [pending(1, Severity::Alert, 0), pending(2, Severity::Critical, 0), pending(3, Severity::Warning, 0)];
    let night = plan(&all, &[], Some(&hours), &TimeZone::UTC, at(30));
    assert_eq!((ids(&night), night.next), (vec![vec![2]], Some(at(7 * 3_600))));
    let morning = plan(&all, &[told(30)], Some(&hours), &TimeZone::UTC, at(7 * 3_600));
    assert_eq!(ids(&morning), [[2, 1, 3]], "the worst first");
}

#[test]
fn a_receiver_that_failed_rests_for_all_groups() {
    let mut failed = pending(1, Severity::Warning, 0);
    (failed.attempts, failed.due) = (1, at(100));
    let mut other = pending(2, Severity::Critical, 0);
    other.database = Some("stock".to_owned());
    let mut mail = pending(3, Severity::Warning, 0);
    mail.channel = Channel::Email;
    let all = [failed, other, mail];
    let plan = planned(&all, &[], 50);
    assert_eq!((ids(&plan), plan.next), (vec![vec![3]], Some(at(100))));
    assert_eq!(ids(&planned(&all, &[], 100)), [[2], [1], [3]]);
}

fn batch(notices: &[(i64, u32)]) -> Batch {
    Batch { channel: Channel::Slack, server: "db".to_owned(), database: None, notices: notices.to_vec() }
}

/// The pause after as many failures.
fn pause(attempts: u32, failure: &Failure) -> Option<i64> {
    match settle(&batch(&[(1, attempts)]), &Err(failure.clone()), at(0))[0].1 {
        Outcome::Again { due } => Some((due.unix_micros() - at(0).unix_micros()) / 1_000_000),
        Outcome::Dead => None,
        Outcome::Sent => panic!("sent after a failure"),
    }
}

#[test]
fn pauses_double_up_to_a_quarter_of_an_hour_and_end_after_a_day() {
    let away = Failure::Unreachable("away".to_owned());
    let pauses: Vec<_> = (0..7).map(|attempts| pause(attempts, &away)).collect();
    assert_eq!(pauses, [30, 60, 120, 240, 480, 900, 900].map(Some));
    let all: i64 = (0..).map_while(|attempts| pause(attempts, &away)).sum();
    assert!((20 * 3_600..28 * 3_600).contains(&all), "{all}");
}

#[test]
fn a_receiver_that_refuses_is_asked_four_times() {
    let refused = Failure::Refused("404".to_owned());
    assert_eq!(
        (0..5).map(|attempts| pause(attempts, &refused).is_some()).collect::<Vec<_>>(),
        [true, true, true, false, false]
    );
}

#[test]
fn retry_after_is_obeyed_within_an_hour() {
    let busy =
        |seconds: u64| Failure::Busy { what: "429".to_owned(), retry_after: Some(Nanos::from_millis(seconds * 1_000)) };
    assert_eq!(pause(0, &busy(7)), Some(30), "our own pause is longer");
    assert_eq!(pause(0, &busy(77)), Some(77));
    assert_eq!(pause(0, &busy(86_400)), Some(3_600));
}

#[test]
fn a_notice_that_joined_late_has_its_own_count_of_attempts() {
    let away = Failure::Unreachable("away".to_owned());
    let settled = settle(&batch(&[(1, 99), (2, 0)]), &Err(away), at(0));
    assert_eq!(settled, [(1, Outcome::Dead), (2, Outcome::Again { due: at(30) })]);
    assert_eq!(settle(&batch(&[(1, 99)]), &Ok(()), at(0)), [(1, Outcome::Sent)]);
}

#[test]
fn a_flood_goes_out_in_parts_and_none_is_forgotten() {
    let all: Vec<_> = (0..BATCH_MAX as i64 + 3).map(|id| pending(id, Severity::Warning, 0)).collect();
    let first = planned(&all, &[], 30);
    assert_eq!((first.batches[0].notices.len(), first.next), (BATCH_MAX, Some(at(330))));
    let left: Vec<_> = all.into_iter().filter(|one| !ids(&first)[0].contains(&one.id)).collect();
    assert_eq!(planned(&left, &[told(30)], 330).batches[0].notices.len(), 3);
}

/// Plays the queue against a channel that is always there.
fn play(mut waiting: Vec<Pending>) -> Vec<(WallTime, Batch)> {
    let (mut sent, mut log, mut now) = (Vec::new(), Vec::new(), at(0));
    while !waiting.is_empty() {
        let plan = plan(&waiting, &sent, None, &TimeZone::UTC, now);
        for batch in plan.batches {
            waiting.retain(|one| !batch.notices.iter().any(|(id, _)| *id == one.id));
            let (server, database) = (batch.server.clone(), batch.database.clone());
            sent.push(Told { channel: batch.channel, server, database, at: now });
            log.push((now, batch));
        }
        now = plan.next.map_or(now, |next| next.max(now.after(Nanos::from_millis(1_000))));
    }
    log
}

proptest! {
    #[test]
    fn everything_is_told_once_and_in_time(came in prop::collection::vec((0i64..2_000, 0usize..3), 1..60)) {
        let all: Vec<_> = came.iter().enumerate().map(|(id, (second, database))| {
            let mut one = pending(id as i64, Severity::Warning, *second);
            one.database = Some(format!("db{database}"));
            one
        }).collect();
        let log = play(all.clone());
        let mut told: Vec<i64> = log.iter().flat_map(|(_, batch)| batch.notices.iter().map(|(id, _)| *id)).collect();
        told.sort_unstable();
        prop_assert_eq!(told, (0..all.len() as i64).collect::<Vec<_>>());
        for (when, batch) in &log {
            for other in log.iter().filter(|(_, other)| other.database == batch.database) {
                let apart = when.since(other.0);
                prop_assert!(apart == Nanos::ZERO || apart >= EVERY);
            }
            for (id, _) in &batch.notices {
                let came = all[*id as usize].due.before(WAIT);
                prop_assert!(when.since(came) <= WAIT + EVERY + Nanos::from_millis(1_000));
            }
        }
    }
}
