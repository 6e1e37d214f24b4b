//! Documents and code say the same.

use super::support::{Memory, fields, get, site};
use crate::http::api::choices::Metric;
use crate::http::api::params::PARAMETERS;
use crate::http::metrics::names;
use crate::http::problem::Kind;
use prometheus_client::metrics::MetricType;

const METRICS: &str = include_str!("../../../docs/metrics.md");
const ERRORS: &str = include_str!("../../../docs/errors.md");
const REFERENCE: &str = include_str!("../../../docs/http.md");

#[test]
fn the_document_lists_every_metric_as_it_is() {
    let rows: Vec<&str> = METRICS.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> = names::ALL.iter().map(row).collect();
    assert_eq!(rows, expected, "docs/metrics.md should hold:\n{}", expected.join("\n"));
}

fn row(family: &names::Family) -> String {
    let suffix = match family.kind {
        MetricType::Counter => "_total",
        MetricType::Info => "_info",
        _ => "",
    };
    let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
    let name = format!("{}{suffix}", family.name);
    format!("| `{name}` | {} | {} | {} | {} |", family.kind.as_str(), family.unit, labels.join(", "), family.help)
}

#[test]
fn the_document_explains_every_kind_of_problem() {
    for kind in Kind::ALL {
        let heading = format!("### `{}` ({})", kind.slug(), kind.status().as_u16());
        assert!(ERRORS.lines().any(|line| line == heading), "docs/errors.md lacks: {heading}");
    }
}

#[tokio::test]
async fn the_description_has_every_path_and_every_parameter_and_no_dangling_reference() {
    let api = get(&site(&Memory::new()), "/openapi.json").await;
    assert!(api["openapi"].as_str().unwrap().starts_with("3."));
    let mut paths = fields(&api["paths"]);
    paths.sort_unstable();
    let changes = [
        "/api/alerts/{id}/ack",
        "/api/alerts/{id}/silence",
        "/api/cron/daily-maintenance",
        "/api/cron/hourly-monitoring",
    ];
    assert_eq!(paths[..4], changes);
    assert_eq!(
        paths[4..],
        ["/api/events", "/api/performance", "/api/session", "/healthz", "/metrics", "/openapi.json", "/readyz"]
    );
    let parameters = api["paths"]["/api/performance"]["get"]["parameters"].as_array().unwrap();
    let named: Vec<&str> = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
    assert_eq!(named, PARAMETERS.iter().map(|parameter| parameter.name).collect::<Vec<_>>());
    assert!(parameters.iter().all(|parameter| parameter["in"] == "query" && parameter["schema"]["type"] == "string"));
    let text = api.to_string();
    let references: Vec<&str> = text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(references.len() > 10);
    for reference in references {
        assert!(api.pointer(reference).is_some(), "{reference} leads nowhere");
    }
}

/// What stands in backquotes in a line.
fn quoted(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

#[tokio::test]
async fn the_reference_has_every_metric_parameter_value_and_path() {
    for metric in Metric::NAMES {
        let heading = format!("### `metric={metric}`");
        assert!(REFERENCE.lines().any(|line| line == heading), "docs/http.md lacks: {heading}");
    }
    let table = REFERENCE.split("| parameter | values |").nth(1).unwrap().split("\n\n").next().unwrap();
    let rows: Vec<Vec<&str>> = table.lines().skip(2).map(|row| row.split(" | ").collect()).collect();
    for parameter in PARAMETERS {
        let row = rows.iter().find(|row| quoted(row[0]).contains(&parameter.name));
        let row = row.unwrap_or_else(|| panic!("docs/http.md lacks the parameter {}", parameter.name));
        if !parameter.values.is_empty() {
            assert_eq!(quoted(row[1]), parameter.values, "values of {}", parameter.name);
        }
    }
    let named: usize = rows.iter().map(|row| quoted(row[0]).len()).sum();
    assert_eq!(named, PARAMETERS.len(), "docs/http.md names parameters that are none");
    let api = get(&site(&Memory::new()), "/openapi.json").await;
    for path in fields(&api["paths"]) {
        assert!(REFERENCE.contains(path), "docs/http.md lacks {path}");
    }
}
