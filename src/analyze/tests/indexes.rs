//! Which indexes could go, over thirty days and more of snapshots.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::support::{DATABASE, day, hour, index, rounds, scans, set};
use crate::analyze::indexes::{self, IndexUse, Status};
use crate::analyze::judge::Judge;
use crate::analyze::kind::Kind;
use crate::analyze::level::{HOUR, IndexLevels, Use, days};
use crate::analyze::settings::Settings;
use crate::base::units::{Nanos, WallTime};
use crate::snapshot::history::{History, Round, Sample};
use crate::snapshot::holder::Standby;
use crate::snapshot::index::{Index, IndexDefinition, IndexFigures};
use crate::snapshot::relation::Oid;
use crate::snapshot::set::Set;

/// A server that was watched for so many days.
fn watched(days: u64) -> (Set, History) {
    let mut history = History::default();
    history.rounds.insert(DATABASE, rounds(days));
    let mut set = set();
    set.at = day(days);
    (set, history)
}

/// The verdict on one index whose counter went like this, after so many days.
#[track_caller]
fn check(days: u64, counter: &[(WallTime, u64)], status: Status) {
    let (mut set, mut history) = watched(days);
    let one = index(10, "by_date", &["at"]);
    scans(&mut history, &one, counter);
    set.indexes.push(one);
    let uses = indexes::uses(&set, &history, &IndexLevels::default());
    assert_eq!(uses[0].status, status, "{}", uses[0].reason);
}

#[test]
fn use_is_read_off_the_counter_s_steps_not_off_its_height() {
    check(40, &[(day(0), 0)], Status::Used(Use::Unused));
    // Nine million scans of long ago hide nothing.
    check(40, &[(day(0), 9_000_000)], Status::Used(Use::Unused));
    check(40, &[(day(0), 5), (day(39), 6)], Status::Used(Use::Active));
    check(40, &[(day(0), 5), (day(30), 6)], Status::Used(Use::LowUsage));
    check(40, &[(day(0), 5), (day(9), 6)], Status::Used(Use::Unused));
    check(40, &[(day(0), 5), (day(10), 6)], Status::Used(Use::LowUsage));
}

#[test]
fn a_short_history_says_that_it_is_short() {
    check(20, &[(day(0), 0)], Status::NotEnoughHistory);
    check(30, &[(day(0), 0)], Status::NotEnoughHistory);
    check(31, &[(day(0), 0)], Status::Used(Use::Unused));
    // Made ten days ago, on a server that was watched for long.
    check(40, &[(day(30), 0)], Status::NotEnoughHistory);
    check(20, &[(day(0), 0), (day(19), 1)], Status::Used(Use::Active));
    let (mut set, history) = watched(40);
    set.indexes.push(index(10, "unseen", &["at"]));
    assert_eq!(indexes::uses(&set, &history, &IndexLevels::default())[0].status, Status::NotEnoughHistory);
}

#[test]
fn a_reset_in_the_middle_costs_its_hour_and_no_more() {
    // The counter fell: what was counted since is use, and that time is not covered.
    check(40, &[(day(0), 100), (day(15), 0)], Status::Used(Use::Unused));
    check(40, &[(day(0), 100), (day(35), 3)], Status::Used(Use::Active));
    // Thirty days and one hour, of which a reset took one.
    let (mut set, mut history) = watched(30);
    history.rounds.insert(DATABASE, rounds(31).into_iter().filter(|round| round.at <= hour(30 * 24 + 1)).collect());
    let one = index(10, "by_date", &["at"]);
    scans(&mut history, &one, &[(day(0), 7), (day(15), 7)]);
    let samples = history.indexes.get_mut(&one.key).unwrap();
    samples[1].figures.scans = 0;
    set.indexes.push(one);
    let uses = indexes::uses(&set, &history, &IndexLevels::default());
    assert_eq!(uses[0].status, Status::NotEnoughHistory);
    assert!(uses[0].reason.contains("reset"), "{}", uses[0].reason);
}

#[test]
fn a_reset_that_only_its_time_betrays_is_one() {
    let (mut set, mut history) = watched(31);
    let one = index(10, "by_date", &["at"]);
    scans(&mut history, &one, &[(day(0), 7), (day(15), 7)]);
    history.indexes.get_mut(&one.key).unwrap()[1].figures.stats_reset = Some(day(14));
    set.indexes.push(one);
    // Seven scans since the reset: it is in use.
    let uses = indexes::uses(&set, &history, &IndexLevels::default());
    assert_eq!((uses[0].status, uses[0].evidence.last_used), (Status::Used(Use::LowUsage), Some(day(15))));
}

#[test]
fn a_partition_that_goes_is_no_use_of_the_others_and_no_proof_either() {
    let verdict = |counter: &[(WallTime, u64, u32)], count: u64| {
        let (mut set, mut history) = watched(count);
        let one = index(10, "by_date", &["at"]);
        let samples = counter.iter().map(|(at, scans, partitions)| {
            let figures = IndexFigures { scans: *scans, partitions: *partitions, ..one.figures.clone() };
            Sample { at: *at, figures }
        });
        history.indexes.insert(one.key, samples.collect());
        set.indexes.push(one);
        let uses = indexes::uses(&set, &history, &IndexLevels::default());
        (uses[0].status, uses[0].evidence.last_used)
    };
    // One went every ten days, and a new one came: of what they counted long ago the rest is no new use.
    let rolling = [(day(0), 900, 3), (day(10), 600, 3), (day(20), 300, 3), (day(30), 0, 3)];
    assert_eq!(verdict(&rolling, 40), (Status::Used(Use::Unused), None));
    assert_eq!(verdict(&[(day(0), 900, 3), (day(39), 600, 2)], 40), (Status::Used(Use::Unused), None));
    // Of thirty days three hours are not covered.
    assert_eq!(verdict(&rolling, 30), (Status::NotEnoughHistory, None));
    // What is counted afterwards is use.
    let used = [(day(0), 900, 3), (day(20), 300, 2), (hour(39 * 24), 301, 2)];
    assert_eq!(verdict(&used, 40), (Status::Used(Use::Active), Some(day(39))));
}

#[test]
fn time_in_which_nobody_looked_proves_nothing_unless_the_database_slept() {
    let gap = |after_idle: bool| {
        let (mut set, mut history) = watched(35);
        let away = |round: &Round| round.at <= day(10) || day(20) <= round.at;
        let mut rounds: Vec<Round> = rounds(35).into_iter().filter(away).collect();
        rounds.iter_mut().filter(|round| round.at == day(20)).for_each(|round| round.after_idle = after_idle);
        history.rounds.insert(DATABASE, rounds);
        let one = index(10, "by_date", &["at"]);
        scans(&mut history, &one, &[(day(0), 7)]);
        set.indexes.push(one);
        indexes::uses(&set, &history, &IndexLevels::default())[0].status
    };
    assert_eq!(gap(false), Status::NotEnoughHistory);
    assert_eq!(gap(true), Status::Used(Use::Unused));
}

#[test]
fn an_hour_without_looks_costs_its_time_and_a_day_costs_all() {
    let away = |hours: u64| {
        let (mut set, mut history) = watched(45);
        let gap = |round: &Round| round.at <= day(20) || day(20).after(Nanos::new(HOUR.get() * hours)) <= round.at;
        history.rounds.insert(DATABASE, rounds(45).into_iter().filter(gap).collect());
        let one = index(10, "by_date", &["at"]);
        scans(&mut history, &one, &[(day(0), 7)]);
        set.indexes.push(one);
        indexes::uses(&set, &history, &IndexLevels::default())[0].evidence.unused
    };
    assert_eq!(away(1), days(45));
    assert_eq!(away(12), days(45) - Nanos::new(HOUR.get() * 12));
    assert_eq!(away(36), days(25) - Nanos::new(HOUR.get() * 36));
}

proptest! {
    /// Whatever is used when, reset when, and not looked at when: an index that is called unused was not used in the last
    /// thirty days but in time that was not covered.
    #[test]
    fn what_is_called_unused_was_not_used(
        used in proptest::collection::btree_set(0u64..80 * 24, 0..6),
        resets in proptest::collection::btree_set(0u64..80 * 24, 0..4),
        gaps in proptest::collection::vec((0u64..80 * 24, 1u64..100), 0..4),
        is_crash in any::<bool>(),
    ) {
        // A counter that is lost and reached again within three hours is as it was: nobody can see that.
        let apart = |at: &u64| resets.iter().all(|reset| at.abs_diff(*reset) > 4);
        let used: BTreeSet<u64> = used.into_iter().filter(apart).collect();
        let is_away = |at: u64| gaps.iter().any(|(from, length)| (*from..from + length).contains(&at));
        let (mut set, mut history) = watched(0);
        let (mut rounds, mut samples) = (Vec::new(), Vec::new());
        let mut figures = IndexFigures { size_bytes: 1 << 20, ..IndexFigures::default() };
        for at in 0..=80 * 24 {
            if resets.contains(&at) {
                figures.scans = 0;
                figures.stats_reset = if is_crash { None } else { Some(hour(at)) };
            }
            figures.scans += u64::from(used.contains(&at));
            if !is_away(at) {
                rounds.push(Round { at: hour(at), after_idle: false, is_full: false });
                if samples.last().is_none_or(|last: &Sample<IndexFigures>| last.figures != figures) {
                    samples.push(Sample { at: hour(at), figures: figures.clone() });
                }
            }
        }
        let looked: Vec<u64> = (0..=80 * 24).filter(|at| !is_away(*at)).collect();
        let one = index(10, "by_date", &["at"]);
        history.rounds.insert(DATABASE, rounds);
        history.indexes.insert(one.key, samples);
        set.indexes.push(one);
        let status = indexes::uses(&set, &history, &IndexLevels::default())[0].status;
        if status == Status::Used(Use::Unused) {
            let newest = looked.last().copied().unwrap_or_default();
            for at in used.iter().filter(|at| **at > newest.saturating_sub(30 * 24) && **at <= newest) {
                let before = looked.iter().rev().find(|look| *look < at).copied().unwrap_or_default();
                let after = looked.iter().find(|look| *look >= at).copied().unwrap_or_default();
                let is_reset = resets.iter().any(|reset| before < *reset && *reset <= after);
                prop_assert!(is_reset, "used at {at}, looked at {before} and {after}");
            }
        }
    }
}

#[test]
fn what_the_server_remembers_is_never_later_than_the_truth() {
    let last_scan = |days_ago: u64| {
        let (mut set, mut history) = watched(40);
        let mut one = index(10, "by_date", &["at"]);
        one.figures.last_scan = Some(day(40 - days_ago));
        scans(&mut history, &one, &[(day(0), 7)]);
        set.indexes.push(one);
        indexes::uses(&set, &history, &IndexLevels::default())[0].status
    };
    assert_eq!(last_scan(2), Status::Used(Use::Active));
    assert_eq!(last_scan(20), Status::Used(Use::LowUsage));
    assert_eq!(last_scan(39), Status::Used(Use::Unused));
    // It was used long ago, and watched since yesterday: that is no proof.
    let (mut set, mut history) = watched(1);
    let mut one = index(10, "by_date", &["at"]);
    one.figures.last_scan = Some(WallTime::from_unix_micros(0));
    scans(&mut history, &one, &[(day(0), 7)]);
    set.indexes.push(one);
    assert_eq!(indexes::uses(&set, &history, &IndexLevels::default())[0].status, Status::NotEnoughHistory);
}

/// Changes an index before it is judged.
type Change = fn(&mut Index);

/// An index of 1 GiB, unused for forty days, changed in one way.
fn large(change: Change) -> (Set, History) {
    let (mut set, mut history) = watched(40);
    let mut one = index(10, "by_date", &["at"]);
    one.figures.size_bytes = 1 << 30;
    change(&mut one);
    scans(&mut history, &one, &[(day(0), 7)]);
    set.indexes.push(one);
    (set, history)
}

#[test]
fn a_large_unused_index_is_to_drop_with_what_undoes_it() {
    let (set, history) = large(|_| ());
    let uses = indexes::uses(&set, &history, &IndexLevels::default());
    let IndexUse { status, statement, undo, reason, .. } = &uses[0];
    assert_eq!(*status, Status::Used(Use::Drop));
    assert_eq!(statement.as_deref(), Some("DROP INDEX CONCURRENTLY public.by_date;"));
    assert_eq!(undo.as_deref(), Some("CREATE INDEX CONCURRENTLY by_date ON public.orders USING btree (at);"));
    assert_eq!(reason, "never used in the 40 days that were watched");
    let settings = Settings::default();
    let findings = Judge { settings: &settings, server: "db:5432" }.indexes(&set, &uses);
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].kind, findings[0].subject.to_string()), (Kind::UnusedIndex, "shop public.by_date".into()));
}

#[test]
fn what_enforces_or_is_unfinished_never_goes() {
    let kept: [(&str, Change); 8] = [
        ("primary key", |one| (one.definition.is_primary, one.definition.is_unique) = (true, true)),
        ("uniqueness", |one| one.definition.is_unique = true),
        ("exclusion", |one| one.definition.is_exclusion = true),
        ("replica identity", |one| one.definition.is_replica_identity = true),
        ("constraint", |one| one.definition.constraint = Some("c".into())),
        ("foreign keys", |one| one.definition.referenced_by = vec!["fk".into()]),
        ("invalid", |one| one.definition.is_valid = false),
        ("being built", |one| (one.definition.is_valid, one.definition.is_building) = (false, true)),
    ];
    for (why, change) in kept {
        let (set, history) = large(change);
        let uses = indexes::uses(&set, &history, &IndexLevels::default());
        assert_eq!(uses[0].status, Status::Used(Use::LowUsage), "{why}");
        assert!(uses[0].reason.contains(why) && uses[0].statement.is_none(), "{why}: {}", uses[0].reason);
    }
}

#[test]
fn what_may_be_needed_all_the_same_is_said_before_anything_is_dropped() {
    let checked: [(&str, Change); 3] = [
        ("refer to", |one| one.definition.foreign_keys = vec!["orders_customer_fkey".into()]),
        ("expressions", |one| one.definition.columns[0].is_expression = true),
        ("CLUSTER", |one| one.definition.is_clustered = true),
    ];
    for (what, change) in checked {
        let (set, history) = large(change);
        let uses = indexes::uses(&set, &history, &IndexLevels::default());
        assert_eq!(uses[0].status, Status::Used(Use::Unused), "{what}");
        assert!(uses[0].reason.contains(what) && uses[0].statement.is_some(), "{what}: {}", uses[0].reason);
        let settings = Settings::default();
        assert!(Judge { settings: &settings, server: "db" }.indexes(&set, &uses).is_empty(), "{what}");
    }
    let (mut set, history) = large(|_| ());
    set.server.standbys.push(Standby::default());
    assert!(indexes::uses(&set, &history, &IndexLevels::default())[0].reason.contains("standby"));
}

#[test]
fn partitions_are_judged_together() {
    let (mut set, mut history) = watched(40);
    let mut parent = index(10, "by_date", &["at"]);
    parent.definition.is_partitioned = true;
    parent.definition.statement = "CREATE INDEX by_date ON ONLY public.orders USING btree (at)".into();
    parent.figures.partitions = 2;
    let child = Index { root: Some(Oid(10)), ..index(11, "orders_1_at_idx", &["at"]) };
    // One partition is used, so the sum moves, and nothing may go.
    scans(&mut history, &parent, &[(day(0), 7), (day(39), 8)]);
    scans(&mut history, &child, &[(day(0), 0)]);
    set.indexes = vec![parent.clone(), child];
    let uses = indexes::uses(&set, &history, &IndexLevels::default());
    assert_eq!(uses.len(), 1);
    assert_eq!(uses[0].status, Status::Used(Use::Active));
    scans(&mut history, &parent, &[(day(0), 7)]);
    let uses = indexes::uses(&set, &history, &IndexLevels::default());
    assert_eq!(uses[0].statement.as_deref(), Some("SET lock_timeout = '2s'; DROP INDEX public.by_date;"));
}

#[test]
fn use_over_time_is_told() {
    let (mut set, mut history) = watched(20);
    let one = index(10, "by_date", &["at"]);
    let counter: Vec<_> =
        (0..=20).map(|at| (day(at), if at <= 13 { at * 240 } else { 13 * 240 + (at - 13) * 24 })).collect();
    scans(&mut history, &one, &counter);
    set.indexes.push(one);
    let evidence = indexes::uses(&set, &history, &IndexLevels::default())[0].evidence;
    assert_eq!((evidence.scans_per_day, evidence.scans_per_day_before), (Some(24.0), Some(240.0)));
}

#[test]
fn an_invalid_index_is_a_finding_unless_somebody_builds_it() {
    let invalid = |definition: IndexDefinition, name: &str| {
        let mut one = index(10, name, &["at"]);
        one.definition = IndexDefinition { columns: one.definition.columns, ..definition };
        let set = Set { indexes: vec![one], ..set() };
        indexes::invalid(&set).first().map(|index| indexes::mend(index))
    };
    let valid = IndexDefinition { is_valid: true, is_ready: true, ..IndexDefinition::default() };
    let failed = IndexDefinition { is_valid: false, ..valid.clone() };
    let reindex = Some("REINDEX INDEX CONCURRENTLY public.by_date;".to_owned());
    assert_eq!(invalid(valid, "by_date"), None);
    assert_eq!(invalid(IndexDefinition { is_building: true, ..failed.clone() }, "by_date"), None);
    assert_eq!(invalid(failed.clone(), "by_date"), reindex);
    assert_eq!(invalid(failed, "by_date_ccnew1"), Some("DROP INDEX CONCURRENTLY public.by_date_ccnew1;".to_owned()));
}

#[test]
fn thirty_days_with_a_reset_and_a_restart_name_exactly_the_right_ones() {
    let (mut set, mut history) = watched(45);
    let mut add = |oid: u32, name: &str, size: u64, counter: &dyn Fn(u64) -> u64, change: Change| {
        let mut one = index(oid, name, &["at"]);
        one.figures.size_bytes = size;
        change(&mut one);
        let mut samples: Vec<_> = (0..=45 * 24).map(|at| (hour(at), counter(at))).collect();
        // Rows are there for what changed, and once a day.
        let mut before = None;
        samples.retain(|(at, scans)| {
            let is_full = at.since(day(0)).as_secs_f64() % 86_400.0 == 0.0;
            before.replace(*scans) != Some(*scans) || is_full
        });
        scans(&mut history, &one, &samples);
        set.indexes.push(one);
    };
    // On day 20 the server crashed: all counters began anew.
    let since = |at: u64| if at < 480 { at } else { at - 480 };
    add(10, "busy", 1 << 30, &|at| since(at) * 100, |_| ());
    add(11, "weekly", 1 << 30, &|at| since(at) / 168, |_| ());
    add(12, "idle_large", 1 << 30, &|at| if at < 480 { 5_000 } else { 0 }, |_| ());
    add(13, "idle_small", 1 << 20, &|_| 0, |_| ());
    add(
        14,
        "stopped",
        1 << 30,
        &|at| {
            if at < 240 {
                at
            } else if at < 480 {
                240
            } else {
                0
            }
        },
        |_| (),
    );
    add(15, "idle_primary", 1 << 30, &|_| 0, |one| one.definition.is_primary = true);
    let uses = indexes::uses(&set, &history, &IndexLevels::default());
    let of = |level: Use| -> Vec<&str> {
        let of_level = uses.iter().filter(|one| one.status == Status::Used(level));
        of_level.map(|one| one.index.names.index.as_str()).collect()
    };
    assert_eq!(of(Use::Drop), ["idle_large", "stopped"]);
    assert_eq!(of(Use::Unused), ["idle_small"]);
    assert_eq!(of(Use::LowUsage), ["idle_primary"]);
    assert_eq!(of(Use::Active), ["busy", "weekly"]);
}
