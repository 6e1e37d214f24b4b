//! `query_stats_at` returns each execution once, whatever was rolled up, came late, or was retired.

use super::{Store, furnish};
use crate::support::client::Client;
use crate::support::postgres::Cluster;

/// A store with what was really executed beside it.
struct Case {
    store: Store,
    /// The moment that the test takes for now, in SQL: the begin of an hour, so that whole hours can be counted back.
    now: String,
    admin: Client,
    writer: Client,
}

impl Case {
    fn new() -> Self {
        let store = Store::on(Cluster::newest());
        furnish(&store, 2);
        let (mut admin, writer) = (store.superuser(), store.writer());
        admin.query("create table public.truth (bucket timestamptz, series_id bigint, calls bigint, total_us bigint)");
        let now = admin.value("select date_trunc('hour', now(), 'UTC')");
        Self { store, now: format!("'{now}'::timestamptz"), admin, writer }
    }

    /// Writes rows as a writer does: what `hold_hours` says for their hours decides where they go. `minutes_ago` are
    /// counted from `now`.
    fn write(&mut self, minutes_ago: &str) {
        let now = self.now.clone();
        self.admin.query(&format!(
            "create table if not exists public.batch (like pgvitals.query_stats); truncate public.batch;
             grant select on public.batch to pgvitals_writer;
             insert into public.batch
             select s, {now} - m * interval '1 minute', 1, 1, 1, 1000 * s, 0, 0, 9000, i, 3, 1, 0, 0, 100, 3, 0, 0, 3, 0, 0,
                 array[1000 + s, 9000 + m % 7]::int[], array[2, 1]
             from generate_series(1, 4) s, generate_series(1, 2) i, generate_series({minutes_ago}) m;
             insert into public.truth select bucket, series_id, calls, total_us from public.batch"
        ));
        self.writer.query("begin");
        self.writer.query(
            "create temp table held on commit drop as select h.* from (
                 select array_agg(distinct date_trunc('hour', bucket, 'UTC')) as hours from public.batch
             ) b, pgvitals.hold_hours(b.hours) h",
        );
        self.writer.query(
            "insert into pgvitals.query_stats select b.* from public.batch b
             join held h on h.hour = date_trunc('hour', b.bucket, 'UTC') where h.to_minutes",
        );
        for (table, span, column) in [("query_stats_hour", "hour", "to_hours"), ("query_stats_day", "day", "to_days")] {
            self.writer.query(&format!(
                "insert into pgvitals.{table}
                 select series_id, date_trunc('{span}', bucket, 'UTC'), rows, bytes_in, bytes_out, total_us, first_row_us,
                     client_stall_us, max_us, 1, calls, errors, aborted, batched, min_us, fast_calls, slow_calls,
                     very_slow_calls, first_row_calls, prepares, prepare_us, buckets_us, counts
                 from public.batch b join held h on h.hour = date_trunc('hour', b.bucket, 'UTC') where h.{column}"
            ));
        }
        self.writer.query("commit");
    }

    /// Ranges by the minute and by the hour hold what was executed in them, by every way to read.
    #[track_caller]
    fn check(&mut self, what: &str, ranges: &[(i64, i64)]) {
        let (mut reader, now) = (self.store.reader(), self.now.clone());
        for (from, to) in ranges {
            let range = format!("{now} - interval '{from} minutes', {now} - interval '{to} minutes'");
            let sums = "coalesce(sum(calls), 0) || ' ' || coalesce(sum(total_us), 0)";
            let truth = self.admin.value(&format!(
                "select {sums} from public.truth
                 where bucket >= {now} - interval '{from} minutes' and bucket < {now} - interval '{to} minutes'"
            ));
            for step in ["", ", '1 minute'", ", '1 hour'", ", '1 day'"] {
                let at = format!("pgvitals.query_stats_at({range}{step})");
                let read = reader.value(&format!("select {sums} from {at}"));
                assert_eq!(read, truth, "{what}: {range}{step}");
                let counted = "coalesce(sum((select sum(n) from unnest(counts) n)), 0) - coalesce(sum(calls), 0)";
                assert_eq!(reader.value(&format!("select {counted} from {at}")), "0", "{what}: {range}{step}");
            }
        }
        let all = reader.value("select sum(calls) from pgvitals.statement_latency");
        assert_eq!(all, self.admin.value("select sum(calls) from public.truth"), "{what}: statement_latency");
    }

    /// Rolls up as the leader does, what is `hours` old or older.
    fn roll_up(&mut self, hours: i64) {
        let now = self.now.clone();
        let due = format!(
            "select resolution, bucket::text from pgvitals.roll_ups_due({now} - interval '{hours} hours', '0')"
        );
        for row in self.writer.query(&due) {
            let [Some(resolution), Some(bucket)] = &row[..] else { panic!("{row:?}") };
            self.writer.query(&format!("select pgvitals.roll_up_{resolution}('{bucket}')"));
        }
    }
}

const RANGES: &[(i64, i64)] =
    &[(600, 0), (600, 60), (545, 7), (180, 120), (179, 121), (150, 130), (61, 59), (4_000, -1), (300, 299), (0, 0)];

/// "returns each execution once: days, then hours, that `rollups` records and that lie wholly inside the range, plus
/// minutes outside them"; "A batch … where the key is there already, also adds its delta row" (STORE §2, §3).
#[test]
fn each_execution_is_read_once() {
    let mut case = Case::new();
    let now = case.now.clone();
    case.write("1, 600, 7");
    case.check("minutes alone", RANGES);

    // In no order, with gaps.
    for hours in [3, 8, 5] {
        let hour = format!("{now} - interval '{hours} hours'");
        assert_eq!(case.writer.value(&format!("select pgvitals.roll_up_hour({hour})")), "t");
        assert_eq!(case.writer.value(&format!("select pgvitals.roll_up_hour({hour})")), "f", "only once");
    }
    case.check("three hours", RANGES);
    case.write("100, 500, 13");
    case.check("late rows", RANGES);
    case.roll_up(0);
    case.check("all hours that are over", RANGES);
    case.write("2, 590, 31");
    case.check("late rows in all of them", RANGES);
    let left = case.writer.value(&format!("select count(*) from pgvitals.roll_ups_due({now}, '0')"));
    assert_eq!(left, "0");
}

/// "no dead tuples to speak of in pgvitals' schema" (issue 5): a tool that warns of bloat makes none.
#[test]
fn a_day_of_minutes_written_and_retired_leaves_no_dead_rows() {
    let mut case = Case::new();
    for hour in (1..=24).rev() {
        case.write(&format!("{}, {}", (hour - 1) * 60 + 1, hour * 60));
        let lease = "insert into pgvitals.leases values ('global', '', gen_random_uuid(), 1, now())
             on conflict (duty, server) do update set holder = excluded.holder, epoch = leases.epoch + 1";
        case.writer.query(lease);
        case.roll_up(hour - 1);
        case.writer.query("select * from pgvitals.maintain()");
        case.writer.query("select * from pgvitals.weigh()");
    }
    let retire = "select action from pgvitals.maintain_at(
             clock_timestamp() + interval '2 days', '6 h', '60 d', '700 d', '60 d', '60 d'
         ) where action <> 'made'";
    let now = case.now.clone();
    for row in case
        .writer
        .query(&format!("select resolution, bucket::text from pgvitals.roll_ups_due({now} + interval '2 days', '0')"))
    {
        let [Some(resolution), Some(bucket)] = &row[..] else { panic!("{row:?}") };
        case.writer.query(&format!("select pgvitals.roll_up_{resolution}('{bucket}')"));
    }
    let mut dropped = 0;
    while case.admin.query(retire).contains(&vec![Some("dropped".to_owned())]) {
        dropped += 1;
    }
    assert!(dropped > 0);
    case.writer.query("select pg_stat_force_next_flush()");
    case.writer.query("select 1");
    case.admin.query("select pg_stat_force_next_flush()");
    case.admin.query("select 1");
    let dead = "select coalesce(sum(n_dead_tup), 0) from pg_stat_user_tables where schemaname = 'pgvitals'";
    let dead: u64 = case.admin.value(dead).parse().unwrap();
    let worst = "select relname, n_live_tup, n_dead_tup from pg_stat_user_tables
         where schemaname = 'pgvitals' and n_dead_tup > 0 order by n_dead_tup desc";
    assert!(dead <= 100, "{dead}: {:?}", case.admin.query(worst));
    let changed = "select coalesce(sum(n_tup_upd + n_tup_del), 0) from pg_stat_user_tables
         where schemaname = 'pgvitals' and relname not in ('meta', 'leases', 'queries')";
    assert_eq!(case.admin.value(changed), "0", "append only");
}

/// Days take over from hours, with rows that come later still; minutes that are retired stay counted by the hour.
#[test]
fn days_and_retired_minutes_are_read_once() {
    let mut case = Case::new();
    let now = case.now.clone();
    case.write("1, 2880, 60");
    let day = format!("date_trunc('day', {now} - interval '1 day', 'UTC')");
    assert_eq!(case.writer.value(&format!("select pgvitals.roll_up_day({day})")), "t");
    case.check("a day, its hours with it, others not", RANGES);
    case.write("1, 2800, 90");
    case.check("late rows in a day", RANGES);
    case.roll_up(0);
    case.check("everything rolled up", RANGES);

    // Two days later the minutes of all but the last days are gone; ranges by the hour are still exact.
    let maintain = "select action from pgvitals.maintain_at(clock_timestamp() + interval '1 day', '1 h', '60 d', '700 d', '60 d', '60 d')
         where action <> 'made'";
    while case.admin.query(maintain).contains(&vec![Some("dropped".to_owned())]) {}
    let from = case.admin.value("select minutes_from > clock_timestamp() - interval '25 hours' from pgvitals.meta");
    assert_eq!(from, "t", "minutes of yesterday and before are gone");
    let hourly = [(600, 0), (2_880, 60), (1_500, 1_440), (3_000, 1_200)];
    case.check("minutes retired", &hourly);
    // A spool that comes back after that goes to the hours and days.
    case.write("1500, 2800, 50");
    case.check("rows older than the minutes", &hourly);
}
