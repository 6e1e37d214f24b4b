//! Who may do what.

use super::{Store, furnish, sqlstate};
use crate::support::postgres::Cluster;

const DENIED: &str = "42501";

/// The writer adds rows, calls what a batch and the leader need, and reads nobody's statistics.
#[test]
fn the_writer_adds_rows_and_reads_no_statistics() {
    let store = Store::on(Cluster::newest());
    furnish(&store, 1);
    let mut writer = store.writer();
    writer.query("insert into pgvitals.batches (instance_id, sequence, day, rows) values (1, 1, current_date, 0)");
    writer.query("insert into pgvitals.leases (duty, holder, until) values ('global', gen_random_uuid(), now())");
    writer.query("select * from pgvitals.hold_hours(array[now()])");
    writer.query("select * from pgvitals.roll_ups_due()");
    writer.query("select pgvitals.roll_up_day(date_trunc('day', now() - interval '1 day', 'UTC'))");
    writer.query("select * from pgvitals.maintain()");
    writer.query("select * from pgvitals.long_executions(now(), now(), 0)");
    writer.query("select * from pgvitals.failing_statements(now(), now(), 1)");
    writer.query("select * from pgvitals.busy_statements('db', now(), 9)");
    writer.query("select * from pgvitals.statement_hours('db', '{}', now(), now())");
    writer.query("select pgvitals.forget_alerts('1 day')");
    assert!(writer.value("select floor(pgvitals.days_ahead())").parse::<u32>().unwrap() >= 13);
    for table in ["query_stats", "query_stats_hour", "query_stats_day", "errors", "tag_stats", "slow_statements"] {
        assert_eq!(sqlstate(&mut writer, &format!("select * from pgvitals.{table}")), DENIED, "{table}");
        assert_eq!(sqlstate(&mut writer, &format!("delete from pgvitals.{table}")), DENIED, "{table}");
    }
    for sql in [
        "select query from pgvitals.queries",
        "update pgvitals.queries set query = ''",
        "update pgvitals.meta set min_writer = 9",
        "insert into pgvitals.rollups (resolution, bucket) values ('hour', now())",
        "create table pgvitals.mine (a int)",
        "drop table pgvitals.query_stats",
        "alter table pgvitals.query_stats add mine int",
        "select pgvitals.maintain_at(now() + interval '9 years', '1d', '1d', '1d', '1d', '1d')",
        "select pgvitals.make_partition('query_stats', 'x', now(), now())",
        "select pgvitals.query_stats_at(now(), now())",
    ] {
        assert!([DENIED, "42P17"].contains(&sqlstate(&mut writer, sql).as_str()), "{sql}");
    }
}

/// The reader reads everything, and changes nothing.
#[test]
fn the_reader_reads_only() {
    let store = Store::on(Cluster::newest());
    let mut reader = store.reader();
    assert_eq!(reader.value("show statement_timeout"), "30s");
    let tables = "select string_agg(relname, ' ') from pg_class
         where relnamespace = 'pgvitals'::regnamespace and relkind in ('r', 'p', 'v') and not relispartition";
    for table in reader.value(tables).split(' ') {
        reader.query(&format!("select * from pgvitals.{table} limit 1"));
    }
    for sql in [
        "insert into pgvitals.services (service) values ('x')",
        "update pgvitals.leases set until = now()",
        "delete from pgvitals.queries",
        "select pgvitals.maintain()",
        "select pgvitals.roll_up_hour(date_trunc('hour', now()))",
        "select pgvitals.hold_hours(array[now()])",
        "select pgvitals.forget_alerts('1 day')",
        "update pgvitals.alerts set message = ''",
        "create table pgvitals.mine (a int)",
    ] {
        assert_eq!(sqlstate(&mut reader, sql), DENIED, "{sql}");
    }
}

/// "REVOKE ALL from PUBLIC" (STORE §4): nobody else can look in.
#[test]
fn everybody_else_is_shut_out() {
    let store = Store::on(Cluster::newest());
    store.superuser().query("create role stranger login");
    let mut stranger = store.client("stranger");
    for sql in ["select * from pgvitals.meta", "select pgvitals.percentile_of(0.5, '{1}', '{1}')"] {
        assert_eq!(sqlstate(&mut stranger, sql), DENIED, "{sql}");
    }
    // Not even with the schema open.
    store.superuser().query("grant usage on schema pgvitals to stranger");
    for sql in ["select * from pgvitals.queries", "select pgvitals.maintain()", "select pgvitals.roll_ups_due()"] {
        assert_eq!(sqlstate(&mut stranger, sql), DENIED, "{sql}");
    }
}
