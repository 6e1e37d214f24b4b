//! What a job is: its slots, its steps, and what came of them.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::schedule::{day_of, hour_of, slot_of};
use crate::base::units::{Nanos, WallTime};

/// What there is to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Job {
    /// Looks at the monitored servers, keeps what was seen, judges it.
    Hourly,
    /// Rolls up, drops what is old, looks ahead.
    Daily,
}

impl Job {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Hourly, Self::Daily];

    /// Its name in addresses, tables and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hourly => "hourly-monitoring",
            Self::Daily => "daily-maintenance",
        }
    }

    /// The slot that `at` belongs to: an hour, or a local day.
    pub fn slot(self, at: WallTime, zone: &TimeZone) -> WallTime {
        match self {
            Self::Hourly => hour_of(at),
            Self::Daily => slot_of(day_of(at, zone)),
        }
    }
}

/// What came of a step.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// The monitored server; empty of the store's own.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server: String,
    /// Whether it went well.
    pub ok: bool,
    /// How many things it saw, found or did.
    pub count: u64,
    /// How long it took.
    pub took_ms: f64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Step {
    /// One that did `count` things, or why not.
    pub(super) fn new<E: std::fmt::Display>(name: &str, server: &str, took: Nanos, outcome: Result<u64, E>) -> Self {
        let (count, error) = match outcome {
            Ok(count) => (count, None),
            Err(error) => (0, Some(error.to_string())),
        };
        let took_ms = (took.as_millis_f64() * 10.0).round() / 10.0;
        Self { name: name.to_owned(), server: server.to_owned(), ok: error.is_none(), count, took_ms, error }
    }
}

/// What a slot came to so far.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Record(pub(super) Vec<Step>);

impl Record {
    /// As the store keeps it; what can't be read counts as not done.
    pub(super) fn parse(json: &str) -> Self {
        Self(serde_json::from_str(json).unwrap_or_default())
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// Whether a step is still to be done.
    pub(super) fn lacks(&self, name: &str) -> bool {
        !self.0.iter().any(|step| step.name == name && step.ok)
    }

    /// Whether nothing is left to do.
    pub(super) fn is_done(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|step| step.ok)
    }

    /// Takes over what came of steps now.
    pub(super) fn update(&mut self, steps: &[Step]) {
        self.0.retain(|old| !steps.iter().any(|new| new.name == old.name));
        self.0.extend_from_slice(steps);
    }
}

/// What came of a job.
#[derive(Clone, PartialEq, Debug)]
pub struct Ran {
    /// Which.
    pub job: Job,
    /// When it began.
    pub started_at: WallTime,
    /// How long it took.
    pub took: Nanos,
    /// What it did now, in order.
    pub steps: Vec<Step>,
    /// All of its slot had been done before, so that nothing was done now.
    pub already_done: bool,
}

impl Ran {
    /// Whether all went well.
    pub fn success(&self) -> bool {
        self.steps.iter().all(|step| step.ok)
    }
}

/// Why a job did not run.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// It runs already, here or in another process.
    #[error("it is running")]
    Running {
        /// Since when.
        since: WallTime,
    },
    /// There is nothing that it could do.
    #[error("{0}")]
    Nothing(&'static str),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, ok: bool) -> Step {
        let outcome = if ok { Ok(1) } else { Err("no") };
        Step::new(name, "db:5432", Nanos::from_micros(1_234), outcome)
    }

    #[test]
    fn only_what_failed_is_left_to_do() {
        let mut record = Record::default();
        assert!(record.lacks("a") && !record.is_done(), "nobody was at it");
        record.update(&[step("a", true), step("b", false)]);
        assert!(!record.lacks("a") && record.lacks("b") && !record.is_done());
        record.update(&[step("b", true)]);
        assert!(!record.lacks("b") && record.is_done());
        assert_eq!(record.0.len(), 2);
    }

    #[test]
    fn a_record_comes_back_as_it_was_kept() {
        let record = Record(vec![step("a", true), step("b", false)]);
        assert_eq!(Record::parse(&record.json()), record);
        assert!(!Record::parse("null").is_done(), "what can't be read is done again");
    }

    #[test]
    fn slots_are_hours_and_local_days() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        // 2026-01-31T23:30:00Z, half an hour into February in Berlin.
        let at = WallTime::from_unix_micros(1_769_902_200_000_000);
        assert_eq!(Job::Hourly.slot(at, &zone).unix_micros(), 1_769_900_400_000_000);
        assert_eq!(Job::Daily.slot(at, &zone).unix_micros(), 1_769_904_000_000_000);
    }
}
