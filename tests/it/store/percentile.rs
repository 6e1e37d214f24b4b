//! Percentiles in SQL are those of the merged data.

use hdrhistogram::Histogram;

use super::{Store, sqlstate};
use crate::support::postgres::Cluster;

/// Numbers that are the same in each run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    /// Below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

const QUANTILES: [f64; 9] = [0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0];

fn empty() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 2_147_483_647, 2).unwrap()
}

/// Durations of a statement about `typical` µs, some of them far off.
fn durations(numbers: &mut Numbers, typical: u64) -> Histogram<u64> {
    let mut histogram = empty();
    for _ in 0..=numbers.below(40) {
        let off = if numbers.below(20) == 0 { 1_000 } else { 4 };
        histogram.record_n(1 + numbers.below(typical * off), 1 + numbers.below(1_000)).unwrap();
    }
    histogram
}

/// As the tables have it: `buckets_us` and `counts`.
fn arrays(histogram: &Histogram<u64>) -> String {
    let (tops, counts): (Vec<_>, Vec<_>) = histogram
        .iter_recorded()
        .map(|step| (histogram.highest_equivalent(step.value_iterated_to()), step.count_at_value()))
        .unzip();
    format!("array{tops:?}::int[], array{counts:?}::bigint[]")
}

/// "equal to what `hdrhistogram` answers on the merged data, tested on random ones" (issue 5), on every server, alone and
/// in parallel.
#[test]
fn percentiles_are_those_of_the_merged_histograms() {
    let mut numbers = Numbers(1);
    let mut merged = empty();
    let mut rows = Vec::new();
    for _ in 0..1_500 {
        let typical = [50, 900, 70_000, 2_000_000][numbers.below(4) as usize];
        let histogram = durations(&mut numbers, typical);
        merged.add(&histogram).unwrap();
        rows.push((arrays(&histogram), histogram));
    }
    for major in Cluster::majors() {
        let store = Store::on(Cluster::of(major));
        let mut client = store.superuser();
        client.query("create table public.h (id serial, b int[], n bigint[])");
        for part in rows.chunks(250) {
            let values: Vec<String> = part.iter().map(|(arrays, _)| format!("({arrays})")).collect();
            client.query(&format!("insert into public.h (b, n) values {}", values.join(",")));
        }
        // What the aggregate has to skip.
        client.query("insert into public.h (b, n) values (null, null), ('{1,2}', '{1}'), ('{1}', null), ('{}', '{}')");
        for q in QUANTILES {
            let expected = merged.value_at_quantile(q) as f64 / 1_000.0;
            let aggregate = client.value(&format!("select pgvitals.percentile({q}, b, n) from public.h"));
            assert_eq!(aggregate.parse(), Ok(expected), "PostgreSQL {major}, quantile {q}");
        }
        for (id, (_, histogram)) in rows.iter().enumerate().take(60) {
            let of = |q| format!("select pgvitals.percentile_of({q}, b, n) from public.h where id = {}", id + 1);
            for q in [0.5, 0.95, 1.0] {
                let expected = histogram.value_at_quantile(q) as f64 / 1_000.0;
                assert_eq!(client.value(&of(q)).parse(), Ok(expected), "PostgreSQL {major}, row {id}, quantile {q}");
            }
        }
        client.query("set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0");
        client.query("alter table public.h set (parallel_workers = 2)");
        let sql = "select pgvitals.percentile(0.95, b, n) from public.h";
        let plan = client.query(&format!("explain {sql}"));
        assert!(format!("{plan:?}").contains("Partial Aggregate"), "PostgreSQL {major}: {plan:?}");
        let expected = merged.value_at_quantile(0.95) as f64 / 1_000.0;
        assert_eq!(client.value(sql).parse(), Ok(expected), "PostgreSQL {major}, in parallel");
    }
}

/// "q outside 0–1: error; NULL or unequal arrays: skipped; no rows: NULL" (STORE §2); the minutes' `integer[]` casts by
/// itself.
#[test]
fn what_is_no_percentile_is_refused_or_null() {
    let store = Store::on(Cluster::newest());
    let mut reader = store.reader();
    for q in ["-0.1", "1.1"] {
        for sql in ["percentile", "percentile_of"] {
            assert_eq!(sqlstate(&mut reader, &format!("select pgvitals.{sql}({q}, '{{1}}'::int[], '{{1}}')")), "22003");
        }
    }
    for arguments in
        ["null, '{1}'::int[], '{1}'", "0.5, null, '{1}'", "0.5, '{1}'::int[], '{1,2}'", "0.5, '{}'::int[], '{}'"]
    {
        for sql in ["percentile", "percentile_of"] {
            let value = reader.value(&format!("select coalesce(pgvitals.{sql}({arguments})::text, 'null')"));
            assert_eq!(value, "null", "{sql}({arguments})");
        }
    }
    let none =
        "select coalesce(pgvitals.percentile(0.5, '{1}'::int[], '{1}')::text, 'null') from generate_series(1, 0)";
    assert_eq!(reader.value(none), "null");
    assert_eq!(reader.value("select pgvitals.percentile(0.5, '{7000}'::int[], '{3}'::int[])"), "7");
    assert_eq!(reader.value("select pgvitals.percentile(0, '{1000,7000}'::int[], '{3,1}'::int[])"), "1");
}
