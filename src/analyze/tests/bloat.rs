//! Levels, causes, advice.

use super::support::{DATABASE, day, index, set, table};
use crate::analyze::bloat::{self, Bloated, Cause};
use crate::analyze::judge::Judge;
use crate::analyze::kind::Severity;
use crate::analyze::level::Bloat as Level;
use crate::analyze::settings::Settings;
use crate::snapshot::history::{History, Sample};
use crate::snapshot::holder::{Prepared, Slot, Standby, Transaction};
use crate::snapshot::relation::{Bloat, Key, Method, Oid, Withheld};
use crate::snapshot::server::Setting;
use crate::snapshot::set::Set;

/// The cause and the statement for a table in a set.
fn judged(set: &Set) -> (Option<Cause>, String) {
    let all = bloat::tables(set, &History::default(), &Settings::default());
    let Bloated { cause, statement, .. } = all[0].clone();
    (cause, statement.unwrap_or_default())
}

/// A bloated table with so many dead rows among a million live ones.
fn with_dead(dead: u64) -> Set {
    let mut one = table(1, "orders", 40.0);
    one.figures.dead_tuples = dead;
    Set { tables: vec![one], ..set() }
}

#[test]
fn the_advice_fits_the_cause() {
    let (cause, statement) = judged(&with_dead(1_000));
    assert_eq!(cause, Some(Cause::NeedsRepacking));
    assert_eq!(statement, "pg_repack --dbname='shop' --table='public.orders'");

    let (cause, statement) = judged(&with_dead(500_000));
    assert_eq!(cause, Some(Cause::VacuumDue));
    assert_eq!(statement, "VACUUM (ANALYZE) public.orders;");

    let (cause, statement) = judged(&with_dead(150_000));
    assert_eq!(cause, Some(Cause::SettingsTooLax));
    assert!(statement.starts_with("ALTER TABLE public.orders SET (autovacuum_vacuum_scale_factor"), "{statement}");

    let mut lax = with_dead(500_000);
    lax.tables[0].definition.options.push("autovacuum_vacuum_scale_factor=0.6".into());
    assert_eq!(judged(&lax).0, Some(Cause::SettingsTooLax));

    // A table of few wide rows: a threshold above the usual one would put vacuum off instead.
    let mut few = with_dead(300);
    few.tables[0].figures.live_tuples = 2_000;
    let (cause, statement) = judged(&few);
    assert_eq!(cause, Some(Cause::SettingsTooLax));
    assert!(statement.contains("scale_factor = 0.02, autovacuum_vacuum_threshold = 50)"), "{statement}");

    // PostgreSQL 18 waits for no more than that, however many rows there are.
    let mut huge = with_dead(150_000_000);
    huge.tables[0].figures.live_tuples = 1_000_000_000;
    assert_eq!(judged(&huge).0, Some(Cause::SettingsTooLax));
    let most =
        Setting { name: "autovacuum_vacuum_max_threshold".into(), value: "100000000".into(), unit: String::new() };
    huge.server.settings.push(most);
    assert_eq!(judged(&huge).0, Some(Cause::VacuumDue));

    let mut off = with_dead(500_000);
    off.tables[0].definition.options.push("autovacuum_enabled=false".into());
    assert_eq!(
        judged(&off),
        (Some(Cause::AutovacuumOff), "ALTER TABLE public.orders SET (autovacuum_enabled = on);".into())
    );
    let mut server_off = with_dead(500_000);
    server_off.server.settings.push(Setting { name: "autovacuum".into(), value: "off".into(), unit: String::new() });
    assert_eq!(judged(&server_off).0, Some(Cause::AutovacuumOff));
}

#[test]
fn who_holds_dead_rows_is_named_with_what_ends_it() {
    let held = |change: fn(&mut Set)| {
        let mut set = with_dead(500_000);
        change(&mut set);
        let (cause, statement) = judged(&set);
        assert!(matches!(cause, Some(Cause::Held(_))), "{cause:?}");
        statement
    };
    let vacuum = "VACUUM (ANALYZE) public.orders;";
    let transaction = held(|set| {
        set.server.transactions.push(Transaction { pid: 4_711, xmin_age: Some(5_000_000), ..Transaction::default() });
    });
    assert_eq!(transaction, format!("SELECT pg_terminate_backend(4711);\n{vacuum}"));
    let slot = held(|set| {
        set.server.slots.push(Slot { name: "old".into(), xmin_age: Some(5_000_000), ..Slot::default() });
    });
    assert_eq!(slot, format!("SELECT pg_drop_replication_slot('old');\n{vacuum}"));
    let prepared = held(|set| {
        set.server.prepared.push(Prepared { gid: "it's".into(), xid_age: 5_000_000, ..Prepared::default() });
    });
    assert_eq!(prepared, format!("ROLLBACK PREPARED 'it''s';\n{vacuum}"));
    let standby = held(|set| {
        set.server.standbys.push(Standby { name: "s1".into(), xmin_age: Some(5_000_000), ..Standby::default() });
    });
    // A remark ends with its line, so that the statement after it is one.
    assert!(standby.starts_with("-- ") && standby.ends_with(&format!("\n{vacuum}")), "{standby}");

    // The oldest of them is to blame; vacuum itself, and the young, are not.
    let mut set = with_dead(500_000);
    set.server.transactions.push(Transaction {
        pid: 1,
        xmin_age: Some(9_000_000),
        is_vacuum: true,
        ..Transaction::default()
    });
    set.server.transactions.push(Transaction { pid: 2, xmin_age: Some(500), ..Transaction::default() });
    assert_eq!(judged(&set).0, Some(Cause::VacuumDue));
    set.server.transactions.push(Transaction { pid: 3, xmin_age: Some(6_000_000), ..Transaction::default() });
    set.server.slots.push(Slot { name: "older".into(), xmin_age: Some(7_000_000), ..Slot::default() });
    assert!(judged(&set).1.contains("'older'"));
}

#[test]
fn names_are_quoted_for_sql_and_for_the_shell() {
    let mut one = table(1, "o'Orders", 40.0);
    one.names.database = "my shop".into();
    let set = Set { tables: vec![one], ..set() };
    assert_eq!(judged(&set).1, r#"pg_repack --dbname='my shop' --table='public."o'\''Orders"'"#);
}

#[test]
fn percent_alone_is_no_alert() {
    let settings = Settings::default();
    let finds = |percent: f64, wasted: u64| {
        let mut one = table(1, "orders", percent);
        one.figures.bloat = Some(Bloat { percent, wasted_bytes: wasted, method: Method::Measured });
        let set = Set { tables: vec![one], ..set() };
        let all = bloat::tables(&set, &History::default(), &settings);
        let findings = Judge { settings: &settings, server: "db" }.bloat(set.at, &all);
        (all[0].level, findings.first().map(|finding| finding.sightings[0].severity))
    };
    let mib = 1 << 20;
    assert_eq!(finds(90.0, 9 * mib), (Some(Level::Critical), None));
    assert_eq!(finds(90.0, 10 * mib), (Some(Level::Critical), Some(Severity::Critical)));
    assert_eq!(finds(20.0, 100 * mib), (Some(Level::Monitor), None));
    assert_eq!(finds(20.1, 100 * mib), (Some(Level::Warning), Some(Severity::Warning)));
}

#[test]
fn what_is_withheld_is_listed_and_judged_by_nobody() {
    let mut one = table(1, "orders", 0.0);
    (one.figures.bloat, one.figures.withheld) = (None, Some(Withheld::NoStatistics));
    let set = Set { tables: vec![one], ..set() };
    let all = bloat::tables(&set, &History::default(), &Settings::default());
    assert_eq!((all[0].level, all[0].withheld, all[0].wasted_bytes()), (None, Some(Withheld::NoStatistics), 0));
    let settings = Settings::default();
    assert!(Judge { settings: &settings, server: "db" }.bloat(day(1), &all).is_empty());
}

#[test]
fn a_bloated_index_is_built_anew_beside_its_users() {
    let mut one = index(10, "By Date", &["at"]);
    one.figures.bloat = Some(Bloat { percent: 60.0, wasted_bytes: 1 << 30, method: Method::Estimated });
    let mut parent = index(11, "parent", &["at"]);
    parent.definition.is_partitioned = true;
    let set = Set { indexes: vec![parent, one], ..set() };
    let all = bloat::indexes(&set, &History::default(), &Settings::default());
    let [one] = &all[..] else { panic!("{all:?}") };
    assert_eq!(one.statement.as_deref(), Some("REINDEX INDEX CONCURRENTLY public.\"By Date\";"));
    assert_eq!(one.subject().to_string(), "shop public.By Date");
}

#[test]
fn the_most_wasted_comes_first_and_its_trend_is_of_one_method() {
    let mut history = History::default();
    let key = Key { database: DATABASE, relation: Oid(2) };
    let sample = |at: u64, wasted: u64, method: Method| {
        let mut figures = table(2, "b", 40.0).figures;
        figures.bloat = Some(Bloat { percent: 40.0, wasted_bytes: wasted, method });
        Sample { at: day(at), figures }
    };
    let estimated = (0..5).map(|at| sample(at, 900 << 20, Method::Estimated));
    let measured = (5..15).map(|at| sample(at, (100 << 20) + at * 1_000, Method::Measured));
    history.tables.insert(key, estimated.chain(measured).collect());
    let set = Set { tables: vec![table(1, "a", 5.0), table(2, "b", 40.0), table(3, "c", 30.0)], ..set() };
    let all = bloat::tables(&set, &history, &Settings::default());
    assert_eq!(all.iter().map(|one| one.table).collect::<Vec<_>>(), ["b", "c", "a"]);
    let trend = all[0].trend.unwrap();
    // A fall of 800 MiB at the change of method would be a negative trend.
    assert!((trend.per_day - 1_000.0).abs() < 1.0, "{trend:?}");
    assert_eq!(all[2].cause, None);
}

#[test]
fn vacuum_full_is_nobody_s_advice() {
    for dead in [0, 150_000, 900_000] {
        let (_, statement) = judged(&with_dead(dead));
        assert!(!statement.is_empty() && !statement.contains("FULL"), "{statement}");
    }
}
