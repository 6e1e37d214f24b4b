//! `/metrics`: every line parses, buckets add up, counters only grow, labels are capped, no statement is named.

use std::collections::BTreeMap;

use super::support::{Memory, SONGS, ask, at, busy, executed, identity, millis, query, site};
use crate::base::sqlstate::Sqlstate;
use crate::http::metrics::names;
use crate::session::observation::{Event, Observation, Outcome};
use crate::sql::kind::Kind;

/// Samples by name with labels, and types by family.
#[derive(Default)]
struct Scrape {
    samples: BTreeMap<String, f64>,
    types: BTreeMap<String, String>,
}

async fn scrape(memory: &Memory, accept: &str) -> Scrape {
    let answered = ask(&site(memory), "/metrics", &[("accept", accept)]).await;
    let open = accept.contains("openmetrics");
    let expected = if open {
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    } else {
        "text/plain; version=0.0.4; charset=utf-8"
    };
    assert_eq!(answered.header("content-type"), expected);
    assert_eq!(answered.text.ends_with("# EOF\n"), open);
    let mut scrape = Scrape::default();
    for line in answered.text.lines().filter(|line| *line != "# EOF") {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (keyword, name, rest) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            assert!(["HELP", "TYPE", "UNIT"].contains(&keyword), "{line}");
            if keyword == "TYPE" {
                assert!(scrape.types.insert(name.to_owned(), rest.to_owned()).is_none(), "{name} comes twice");
            }
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
        assert!(value.is_finite(), "{line}");
        let (name, labels) = sample.split_once('{').unwrap_or((sample, "}"));
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
        assert!(labels.ends_with('}'), "{line}");
        assert!(scrape.samples.insert(sample.to_owned(), value).is_none(), "{sample} comes twice");
    }
    scrape
}

#[tokio::test]
async fn both_formats_tell_the_same_samples() {
    let memory = busy();
    let (classic, open) =
        (scrape(&memory, "text/plain").await, scrape(&memory, "application/openmetrics-text; version=1.0.0").await);
    let names = |scrape: &Scrape| {
        let name = |sample: &String| sample.replace("le=\"+Inf\"", "").split('{').next().unwrap().to_owned();
        scrape.samples.keys().map(name).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(names(&classic), names(&open));
    assert_eq!(classic.samples["pgvitals_statement_rows_total"], 46.0);
    assert_eq!(open.samples["pgvitals_statement_rows_total"], 46.0);
}

#[tokio::test]
async fn figures_are_those_of_memory() {
    let samples = scrape(&busy(), "").await.samples;
    let songs = "{database=\"music\",kind=\"select\"}";
    assert_eq!(samples[&format!("pgvitals_statement_duration_seconds_count{songs}")], 20.0);
    assert!((samples[&format!("pgvitals_statement_duration_seconds_sum{songs}")] - 0.39).abs() < 1e-9);
    assert_eq!(samples["pgvitals_statement_errors_total{database=\"music\",sqlstate=\"57014\"}"], 1.0);
    assert_eq!(samples["pgvitals_slow_statements_total{level=\"critical\"}"], 1.0);
    assert_eq!(samples["pgvitals_slow_statements_total{level=\"warning\"}"], 2.0);
    assert_eq!(samples["pgvitals_network_bytes_total{direction=\"out\"}"], 23.0 * 200.0);
    assert_eq!(samples["pgvitals_statements_in_flight"], 1.0);
    assert_eq!(samples["pgvitals_oldest_statement_age_seconds"], 1.5);
    assert_eq!(samples["pgvitals_oldest_transaction_age_seconds"], 3.0);
    assert_eq!(samples["pgvitals_connections{state=\"active\"}"], 1.0);
    assert_eq!(samples["pgvitals_connections{state=\"idle_in_transaction\"}"], 1.0);
    assert_eq!(samples["pgvitals_connections{state=\"idle\"}"], 0.0);
    assert_eq!(samples["pgvitals_connections_opened_total"], 2.0);
    assert_eq!(samples["pgvitals_connections_failed_total{sqlstate=\"28000\"}"], 1.0);
    assert_eq!(samples["pgvitals_transaction_duration_seconds_count{outcome=\"committed\"}"], 1.0);
    assert!((samples["pgvitals_idle_in_transaction_seconds_total"] - 0.03).abs() < 1e-9);
    assert_eq!(samples["process_start_time_seconds"], 1_769_860_800.0);
}

#[tokio::test]
async fn buckets_are_cumulative_and_end_with_the_count() {
    let scrape = scrape(&busy(), "").await;
    let prefix = "pgvitals_statement_duration_seconds_bucket{";
    let mut buckets: Vec<(f64, f64)> = Vec::new();
    for (sample, value) in
        scrape.samples.iter().filter(|(sample, _)| sample.starts_with(prefix) && sample.contains("\"select\""))
    {
        let le = sample.split("le=\"").nth(1).unwrap().split('"').next().unwrap();
        buckets.push((if le == "+Inf" { f64::INFINITY } else { le.parse().unwrap() }, *value));
    }
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let bounds: Vec<f64> = buckets.iter().map(|(le, _)| *le).collect();
    let expected =
        [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, f64::INFINITY];
    assert_eq!(bounds, expected);
    assert!(buckets.is_sorted_by_key(|(_, count)| *count), "{buckets:?}");
    let at = |le: f64| buckets.iter().find(|(bound, _)| *bound == le).unwrap().1;
    assert_eq!((at(0.0005), at(0.025), at(0.1), at(0.25), at(f64::INFINITY)), (0.0, 19.0, 19.0, 20.0, 20.0));
}

#[tokio::test]
async fn counters_only_grow() {
    let mut memory = busy();
    let before = scrape(&memory, "").await;
    memory.ran(executed(&query(Kind::Select, SONGS), &identity("music", "shop", "web"), millis(3)));
    memory.merge(at(7_300), |_| {});
    let after = scrape(&memory, "").await;
    let mut grown = 0;
    for (sample, value) in &before.samples {
        let family = sample.split('{').next().unwrap();
        let counts =
            family.ends_with("_total") || ["_count", "_sum", "_bucket"].iter().any(|suffix| family.ends_with(suffix));
        if counts {
            assert!(after.samples[sample] >= *value, "{sample} fell from {value} to {}", after.samples[sample]);
            grown += usize::from(after.samples[sample] > *value);
        }
    }
    assert!(grown > 3);
}

#[tokio::test]
async fn labels_that_clients_choose_are_capped_and_statements_are_never_among_them() {
    let mut memory = Memory::new();
    let text = query(Kind::Select, SONGS);
    for n in 0..250_u32 {
        let who = identity(&format!("db{n}"), "shop", "secret-application");
        let code = Sqlstate::parse(format!("P{n:04}").as_bytes()).unwrap();
        memory.ran(Observation { outcome: Outcome::Failed(code), ..executed(&text, &who, millis(1)) });
        memory.happens(Event::StartupFailed(Some(code)));
    }
    memory.merge(at(1), |_| {});
    let scrape = scrape(&memory, "").await;
    let values = |family: &str, label: &str| {
        let part = format!("{label}=\"");
        let samples = scrape.samples.keys().filter(|sample| sample.starts_with(family));
        let value = |sample: &String| sample.split(&part).nth(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        samples.filter_map(value).collect::<std::collections::BTreeSet<_>>()
    };
    for (family, label) in [
        ("pgvitals_statement_duration_seconds_count", "database"),
        ("pgvitals_statement_errors_total", "database"),
        ("pgvitals_statement_errors_total", "sqlstate"),
        ("pgvitals_connections_failed_total", "sqlstate"),
    ] {
        let values = values(family, label);
        assert!(values.len() <= 101, "{family} {label}: {}", values.len());
        assert!(values.contains("(other)") || values.contains("(none)"), "{family} {label}: {values:?}");
    }
    let errors: f64 =
        scrape.samples.iter().filter(|(name, _)| name.starts_with("pgvitals_statement_errors")).map(|(_, n)| n).sum();
    assert_eq!(errors, 250.0, "what has no label of its own is still counted");
    let all: String = scrape.samples.keys().cloned().collect();
    assert!(!all.contains("songs") && !all.contains("secret-application") && !all.contains("query"));
}

#[tokio::test]
async fn families_are_those_of_the_table_with_their_types_and_labels() {
    let scrape = scrape(&busy(), "application/openmetrics-text").await;
    let mut written: Vec<&str> = scrape.types.keys().map(String::as_str).collect();
    let mut listed: Vec<&str> = names::ALL.iter().map(|family| family.name).collect();
    written.sort_unstable();
    listed.sort_unstable();
    if cfg!(target_os = "linux") {
        assert_eq!(written, listed);
    }
    for family in names::ALL {
        assert_eq!(scrape.types.get(family.name).map(String::as_str), Some(family.kind.as_str()), "{}", family.name);
        for sample in scrape.samples.keys().filter(|sample| is_of(sample, family.name)) {
            let labels = sample.split_once('{').map_or("", |(_, labels)| labels);
            let labels: Vec<&str> =
                labels.split("\",").filter_map(|pair| pair.split_once("=\"")).map(|(name, _)| name).collect();
            let labels: Vec<&str> = labels.into_iter().filter(|name| *name != "le").collect();
            assert_eq!(labels, family.labels, "{sample}");
        }
    }
}

fn is_of(sample: &str, family: &str) -> bool {
    let name = sample.split('{').next().unwrap_or_default();
    name.strip_prefix(family).is_some_and(|rest| ["", "_total", "_info", "_sum", "_count", "_bucket"].contains(&rest))
}
