//! A role with `pg_monitor` alone, as managed services have it, and one without anything.

use ::pgvitals::snapshot::relation::{Method, Withheld};

use super::Patient;
use crate::support::postgres::Cluster;

/// "`pg_monitor` can't read `pg_stats`: a 0.5 % table reads 88 %, without error. Missing statistics: no estimate, name the
/// grant" (FIELD).
#[test]
fn a_monitor_sees_all_but_statistics_and_is_told_what_they_take() {
    for major in Cluster::majors() {
        let patient = Patient::of(major);
        let mut client = patient.client();
        let role = format!("Watcher {}", patient.name);
        client.query(&format!("create role \"{role}\" login in role pg_monitor"));
        client.query("create table t as select i as id, repeat('x', 100) as note from generate_series(1, 30000) i");
        client.query("create index t_id on t (id)");
        client.query("select pg_stat_force_next_flush()");
        client.query("vacuum analyze t");
        client.query("begin; select pg_current_xact_id()");
        let role = role.replace(' ', "%20");
        let seen = patient.look_as(&role);
        let figures = &seen.table("t").figures;
        assert_eq!(figures.withheld, Some(Withheld::NoStatistics));
        assert_eq!(figures.bloat.map(|bloat| (bloat.method, bloat.wasted_bytes)), Some((Method::DeadTuples, 0)));
        assert_eq!(seen.index("t_id").figures.withheld, Some(Withheld::NoStatistics));
        let remedy = seen.missing("statistics").and_then(|missing| missing.remedy.clone());
        assert_eq!(remedy, Some(format!("GRANT pg_read_all_data TO \"Watcher {}\"", patient.name)));
        let transaction = seen.set.server.transactions.iter().find(|one| one.database.as_ref() == Some(&patient.name));
        let transaction = transaction.expect("another role's transaction");
        assert_eq!((transaction.state.as_deref(), transaction.is_vacuum), (Some("idle in transaction"), false));
        assert!(transaction.xmin_age.is_some() && transaction.began_at.is_some(), "{transaction:?}");
        assert_eq!(seen.missing("sessions"), None);

        client.query("rollback");
        client.query(&format!("grant pg_read_all_data to \"Watcher {}\"", patient.name));
        let seen = patient.look_as(&role);
        assert_eq!(seen.table("t").figures.bloat.map(|bloat| bloat.method), Some(Method::Estimated));
        assert_eq!(seen.missing("statistics"), None);
        client.query("create extension pgstattuple");
        let seen = patient.look_as(&role);
        assert_eq!(seen.table("t").figures.bloat.map(|bloat| bloat.method), Some(Method::Measured));
        client.query("revoke pg_stat_scan_tables from pg_monitor");
        let seen = patient.look_as(&role);
        client.query("grant pg_stat_scan_tables to pg_monitor");
        assert_eq!(seen.table("t").figures.bloat.map(|bloat| bloat.method), Some(Method::Estimated));
        let remedy = seen.missing("pgstattuple").and_then(|missing| missing.remedy.clone());
        assert_eq!(remedy, Some(format!("GRANT pg_stat_scan_tables TO \"Watcher {}\"", patient.name)));
        client.query(&format!("drop role \"Watcher {}\"", patient.name));
    }
}

/// What can't be seen is named, with the grant, and everything else is there.
#[test]
fn a_role_without_rights_is_told_what_it_does_not_see() {
    for major in Cluster::majors() {
        let patient = Patient::of(major);
        let (closed, shut) = (Patient::of(major), Patient::of(major));
        let mut client = patient.client();
        let role = format!("nobody_{}", patient.name);
        client.query(&format!("create role {role} login"));
        client.query(&format!("revoke connect on database {} from public", closed.name));
        client.query(&format!("alter database {} allow_connections false", shut.name));
        client.query("create table t (id int primary key)");
        let seen = patient.look_as(&role);
        client.query(&format!("alter database {} allow_connections true", shut.name));
        client.query(&format!("drop role {role}"));
        assert_eq!(seen.index("t_pkey").names.table, "t");
        let missing = |database: &str| {
            let mut list = seen.set.missing.iter();
            list.find(|missing| missing.database.as_deref() == Some(database) && missing.what == "database")
        };
        let remedy = missing(&closed.name).and_then(|missing| missing.remedy.clone());
        assert_eq!(remedy, Some(format!("GRANT CONNECT ON DATABASE {} TO {role}", closed.name)));
        assert!(missing(&shut.name).is_some_and(|missing| missing.why.contains("datallowconn")));
        for name in [&closed.name, &shut.name] {
            let database = seen.set.databases.iter().find(|database| database.name == *name).unwrap();
            assert!(!database.is_seen, "{database:?}");
        }
        let sessions = seen.missing("sessions").and_then(|missing| missing.remedy.clone());
        assert_eq!(sessions, Some(format!("GRANT pg_monitor TO {role}")));
    }
}
