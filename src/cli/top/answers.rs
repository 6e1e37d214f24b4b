//! What `/api/performance` and `/api/events` answer (API.md), as far as it is shown. What is not there, in an answer of
//! another version or of a process that has no such thing, is nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::cli::text::Text;

/// What every answer begins with.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Envelope {
    pub(super) window: Window,
    pub(super) server: Text,
    pub(super) instances: Instances,
}

/// What the figures are of.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Window {
    #[serde(deserialize_with = "time")]
    pub(super) from: Timestamp,
    #[serde(deserialize_with = "time")]
    pub(super) to: Timestamp,
}

/// Whose figures these are.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Instances {
    pub(super) count: u64,
    pub(super) names: Vec<Text>,
}

/// Answer of `metric=summary`.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Summary {
    #[serde(flatten)]
    pub(super) envelope: Envelope,
    pub(super) totals: Totals,
    pub(super) connections: Option<Connections>,
    pub(super) alerts: Option<AlertCounts>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Totals {
    pub(super) calls: u64,
    pub(super) errors: u64,
    pub(super) mean_ms: Option<f64>,
    pub(super) p50_ms: Option<f64>,
    pub(super) p95_ms: Option<f64>,
    pub(super) p99_ms: Option<f64>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Connections {
    pub(super) open: Option<u64>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct AlertCounts {
    pub(super) open: u64,
}

/// Answer of `metric=queries`.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Queries {
    #[serde(flatten)]
    pub(super) envelope: Envelope,
    pub(super) queries: Vec<Statement>,
    pub(super) total: u64,
}

/// A row of it.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Statement {
    pub(super) query_hash: Text,
    pub(super) query: Text,
    pub(super) kind: Text,
    pub(super) class: Text,
    pub(super) summary: Text,
    pub(super) tables: Vec<Text>,
    pub(super) database: Option<Text>,
    pub(super) user: Option<Text>,
    pub(super) application: Option<Text>,
    pub(super) calls: u64,
    pub(super) errors: u64,
    pub(super) aborted: u64,
    pub(super) rows: u64,
    pub(super) total_ms: f64,
    pub(super) mean_ms: Option<f64>,
    pub(super) min_ms: Option<f64>,
    pub(super) max_ms: Option<f64>,
    pub(super) p50_ms: Option<f64>,
    pub(super) p95_ms: Option<f64>,
    pub(super) p99_ms: Option<f64>,
    pub(super) first_row_mean_ms: Option<f64>,
    pub(super) client_stall_ms: f64,
    pub(super) level: Option<Text>,
    pub(super) share_percent: Option<f64>,
}

/// Answer of `metric=query`.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Detail {
    #[serde(flatten)]
    pub(super) envelope: Envelope,
    #[serde(flatten)]
    pub(super) statement: Statement,
    pub(super) series: Series,
    pub(super) histogram: Histogram,
    pub(super) callers: Vec<Caller>,
    pub(super) errors_by_code: BTreeMap<String, u64>,
    pub(super) samples: Vec<Sample>,
    pub(super) baseline: Option<Baseline>,
}

/// Answer of `metric=timeline`.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Timeline {
    pub(super) series: Series,
}

/// Columns of equal length; a gap is `None`.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Series {
    pub(super) step_seconds: u64,
    #[serde(deserialize_with = "times")]
    pub(super) at: Vec<Timestamp>,
    pub(super) calls: Vec<Option<u64>>,
    pub(super) errors: Vec<Option<u64>>,
    pub(super) p95_ms: Vec<Option<f64>>,
}

/// Greatest value of each bucket, and how many lie in it.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Histogram {
    pub(super) values_us: Vec<u64>,
    pub(super) counts: Vec<u64>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Caller {
    pub(super) database: Text,
    pub(super) user: Text,
    pub(super) application: Text,
    pub(super) calls: u64,
    pub(super) errors: u64,
    pub(super) p95_ms: Option<f64>,
    pub(super) share_percent: f64,
}

/// A single execution.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Sample {
    #[serde(deserialize_with = "time")]
    pub(super) at: Timestamp,
    pub(super) duration_ms: f64,
    pub(super) rows: u64,
    pub(super) level: Text,
    pub(super) user: Text,
    pub(super) application: Text,
    pub(super) error: Option<Text>,
}

/// What the statement used to be, or why that is not known.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Baseline {
    pub(super) p95_ms: Option<f64>,
    pub(super) now_p95_ms: Option<f64>,
    pub(super) ratio: Option<f64>,
    pub(super) days: Option<f64>,
    pub(super) is_regression: Option<bool>,
    pub(super) reason: Option<Text>,
}

/// Answer of `metric=active`.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Active {
    pub(super) transactions: Vec<Transaction>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Transaction {
    /// Idle for so long now; `None` while a statement runs.
    pub(super) idle_ms: Option<f64>,
}

/// Answer of `metric=alerts`: open ones first, the worst first of them.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Alerts {
    pub(super) alerts: Vec<Alert>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub(super) struct Alert {
    pub(super) severity: Text,
    pub(super) message: Text,
    pub(super) acknowledged: Option<Text>,
    pub(super) resolved_at: Option<Text>,
}

/// Event `live`: the last second.
#[derive(Deserialize, Clone, Copy, Debug, Default)]
#[serde(default)]
pub(super) struct Second {
    pub(super) calls: u64,
    pub(super) p95_ms: Option<f64>,
}

impl Window {
    /// Its length in seconds; never zero.
    pub(super) fn seconds(&self) -> f64 {
        self.to.duration_since(self.from).as_secs_f64().max(1.0)
    }
}

/// A time of RFC 3339.
fn time<'de, D: Deserializer<'de>>(text: D) -> Result<Timestamp, D::Error> {
    String::deserialize(text)?.parse().map_err(serde::de::Error::custom)
}

fn times<'de, D: Deserializer<'de>>(texts: D) -> Result<Vec<Timestamp>, D::Error> {
    let texts = Vec::<String>::deserialize(texts)?;
    texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom)).collect()
}
