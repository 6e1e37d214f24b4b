//! What the owner says of single databases, statements and kinds (`[[alerts.override]]`).

use serde_json::Value;

use super::{SLEEP, alerts, await_alert, eager, file, slow};
use crate::support::pgvitals::Setup;
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;

/// The hash of a statement, as pgvitals tells it.
fn hash(sql: &str) -> String {
    let line = serde_json::json!({ "sql": sql }).to_string();
    let told: Value = serde_json::from_str(&Tool::pgvitals().arg("fingerprint").input(&line).succeed().stdout).unwrap();
    told["query_hash"].as_str().unwrap().to_owned()
}

/// "Thresholds per kind, database or statement hash in configuration" (issue 6).
#[test]
fn thresholds_hold_for_the_database_and_the_statement_that_they_name() {
    let cluster = Cluster::any();
    let [quiet, judged] = [(); 2].map(|()| cluster.database());
    let [patient, strict] = [format!("{SLEEP}, 'patient'"), "select pg_sleep(0.1)".to_owned()];
    let text = format!(
        "[[alerts.override]]\nkind = 'slow_statement'\ndatabase = '{quiet}'\nthreshold = 'off'\n\
         [[alerts.override]]\nkind = 'slow_statement'\nquery_hash = '{}'\nthreshold = '1h'\n\
         [[alerts.override]]\nkind = 'slow_statement'\ndatabase = '{judged}'\nquery_hash = '{}'\nthreshold = '50ms'\n",
        hash(&patient),
        hash(&strict)
    );
    let (_config, config) = file(&text);
    let setup = eager(Setup::before(&cluster.tcp)).flag("config", &config);
    // What is not kept by itself is not judged.
    let pgvitals = setup.flag("slow-threshold", "50ms").start();
    let usual = format!("{SLEEP}, 'usual', 1");
    slow(&pgvitals, &quiet, &[&usual]);
    slow(&pgvitals, &judged, &[&patient, &strict]);
    let one = await_alert(&pgvitals, "an alert of the strict threshold", |_| true);
    assert_eq!((&one["query_hash"], &one["threshold"]), (&hash(&strict).into(), &50.0.into()), "{one:#}");
    slow(&pgvitals, &judged, &[&usual]);
    let last = await_alert(&pgvitals, "an alert of the usual threshold", |alert| alert["query_hash"] == *hash(&usual));
    assert_eq!((&last["threshold"], &last["database"]), (&500.0.into(), &judged.into()), "{last:#}");
    assert_eq!(alerts(&pgvitals).len(), 2, "{:#?}", alerts(&pgvitals));
}
