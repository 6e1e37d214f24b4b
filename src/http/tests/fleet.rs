//! Who measures, without a store; with one the dashboard's tests see it.

use serde_json::{Value, json};

use super::support::{busy, get, site};

#[tokio::test]
async fn without_a_store_the_fleet_is_this_process() {
    let answer = get(&site(&busy()), "/api/performance?metric=fleet").await;
    let one = &answer["members"][0];
    assert_eq!((&one["state"], &one["version"]), (&json!("memory"), &json!(env!("CARGO_PKG_VERSION"))));
    assert_eq!((&one["silent_s"], &one["rows_per_hour"]), (&Value::Null, &Value::Null));
    assert_eq!(answer["monitored"][0]["server"], one["servers"][0]);
    assert_eq!(answer["services"][0]["instances"], 1);
    let (cost, per_query) = (&answer["cost"], &one["cpu_us_per_query"]);
    assert_eq!((&cost["instances"], &cost["calls"]), (&json!(1), &one["calls"]));
    assert!(one["calls"].as_u64().unwrap() > 0 && per_query == &cost["cpu_us_per_query"], "{answer}");
    assert!(answer["instances"]["names"].is_array(), "what every answer begins with stays: {answer}");
}
