//! Alerts and instants of the tests.

use crate::analyze::alert::{Alert, Subject};
use crate::analyze::kind::{Kind, Severity};
use crate::base::units::WallTime;

/// Seconds after some midnight in UTC: 2026-11-26.
pub(super) fn at(seconds: i64) -> WallTime {
    WallTime::from_unix_micros((1_795_651_200 + seconds) * 1_000_000)
}

/// An open alert about a bloated table.
pub(super) fn alert(id: i64, severity: Severity, table: &str) -> Alert {
    Alert {
        id: Some(id),
        server: "orders-db:5432".to_owned(),
        kind: Kind::HighBloat,
        subject: Subject::of("shop", table),
        severity,
        opened_at: at(0),
        last_seen_at: at(60),
        updated_at: at(60),
        resolved_at: None,
        value: 35.0,
        worst: 42.0,
        threshold: 20.0,
        count: 7,
        message: format!("{table} is bloated by 42 %; run VACUUM"),
        missed: 0,
        missed_at: None,
        is_flapping: false,
        acknowledged: None,
        silenced: None,
        notified: None,
    }
}
