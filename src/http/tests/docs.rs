//! Documents and code say the same.

use serde_json::{Value, json};

use super::support::{Memory, SONGS, busy, fields, get, site};
use crate::http::api::choices::Metric;
use crate::http::api::params::PARAMETERS;
use crate::http::metrics::names;
use crate::http::problem::Kind;
use crate::sql::hash::QueryHash;
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
    assert!(parameters.iter().all(|parameter| parameter["in"] == "query" && parameter["schema"]["type"].is_string()));
    let text = api.to_string();
    let references: Vec<&str> = text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(references.len() > 10);
    for reference in references {
        assert!(api.pointer(reference).is_some(), "{reference} leads nowhere");
    }
}

/// Whether `value` is as `schema` says, by what of JSON Schema the description uses.
fn fits(api: &Value, schema: &Value, value: &Value) -> bool {
    let any = |key: &str| schema[key].as_array().map(|all| all.iter().filter(|one| fits(api, one, value)).count());
    let of_type = |name: &Value| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("type {other}"),
    };
    let types = &schema["type"];
    let has_type =
        types.as_array().map_or_else(|| types.is_null() || of_type(types), |types| types.iter().any(of_type));
    let parts = schema["properties"].as_object().into_iter().flatten();
    let items = value.as_array().into_iter().flatten();
    let referred = schema["$ref"].as_str().and_then(|to| to.strip_prefix('#'));
    referred.is_none_or(|to| fits(api, api.pointer(to).unwrap(), value))
        && any("allOf").is_none_or(|count| count == schema["allOf"].as_array().unwrap().len())
        && any("oneOf").is_none_or(|count| count == 1)
        && any("anyOf").is_none_or(|count| count > 0)
        && has_type
        && schema["required"].as_array().into_iter().flatten().all(|name| value.get(name.as_str().unwrap()).is_some())
        && parts.into_iter().all(|(name, part)| value.get(name).is_none_or(|value| fits(api, part, value)))
        && (schema["items"].is_null() || items.into_iter().all(|item| fits(api, &schema["items"], item)))
}

#[tokio::test]
async fn every_answer_is_as_the_description_says() {
    let site = site(&busy());
    let api = get(&site, "/openapi.json").await;
    let answer = &api["paths"]["/api/performance"]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    let hash = QueryHash::of(SONGS);
    for metric in [
        "summary",
        "queries&sparkline=p95_ms",
        "timeline",
        "tags&key=route",
        "active",
        "slow_queries",
        "alerts",
        "fleet",
    ] {
        let told = get(&site, &format!("/api/performance?metric={metric}")).await;
        assert!(fits(&api, answer, &told), "{metric}: {told:#}");
    }
    // It has what two other answers are told by.
    let told = get(&site, &format!("/api/performance?metric=query&hash={hash}")).await;
    assert!(fits(&api, answer, &told), "{told:#}");
    assert!(!fits(&api, answer, &json!({"metric": "query"})));
}

#[tokio::test]
async fn the_description_says_what_may_be_refused_and_who_may_ask() {
    let api = get(&site(&Memory::new()), "/openapi.json").await;
    let codes = |path: &str| fields(&api["paths"][path]["get"]["responses"]).join(" ");
    assert_eq!(codes("/api/performance"), "200 400 401 403 404 503");
    assert_eq!(codes("/api/cron/hourly-monitoring"), "200 207 400 401 403 409 503");
    assert_eq!((codes("/healthz"), codes("/api/events")), ("200 403".to_owned(), "200 401 403 503".to_owned()));
    let security = |path: &str| api["paths"][path]["get"]["security"].clone();
    assert_eq!(security("/api/cron/daily-maintenance"), json!([{"cron_secret": []}]));
    assert_eq!(security("/api/performance"), json!([{}, {"http_token": []}, {"cookie": []}]));
    assert_eq!(security("/metrics"), json!([]));
    let parameters = api["paths"]["/api/performance"]["get"]["parameters"].as_array().unwrap();
    let schema = |name: &str| parameters.iter().find(|one| one["name"] == name).unwrap()["schema"].clone();
    assert_eq!(schema("hours"), json!({"type": "number", "exclusiveMinimum": 0, "maximum": 87600}));
    assert_eq!(schema("limit"), json!({"type": "integer", "minimum": 1, "maximum": 1000}));
    assert_eq!(schema("from"), json!({"type": "string", "format": "date-time"}));
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
