//! What the rules go by: levels, what alerts need, and exceptions from it.

use std::collections::BTreeMap;

use super::error::{Problem, Source};
use super::file::Given;
use super::settings::Reader;
use super::value;
use crate::analyze;
use crate::analyze::kind::{Kind, Unit};
use crate::analyze::level::{BloatLevels, DAY, IndexLevels, days};
use crate::analyze::settings::Override;
use crate::base::units::Nanos;

/// Longer than anybody keeps snapshots.
const UNUSED_DAYS_MAX: usize = 3_650;

impl Reader {
    /// Levels and alerts.
    pub(super) fn rules(&mut self) -> analyze::Settings {
        let (active, unused) = self.get("levels.index", ages);
        let unused_days: Option<usize> = self.read("unused_days", |text| value::count(text, UNUSED_DAYS_MAX));
        let unused = unused_days.filter(|count| *count > 0).map_or(unused, |count| days(count as u64));
        let overrides = std::mem::take(&mut self.layers.overrides);
        analyze::Settings {
            bloat: self.get("levels.bloat", bloat),
            bloat_min_wasted_bytes: self.get("bloat_min_wasted", value::size),
            index: IndexLevels { active, unused, large_bytes: self.get("large_index", value::size) },
            disk_capacity_bytes: self.read("disk_capacity", value::size),
            cooldown: self.get("alerts.cooldown", value::duration),
            learn: self.get("alerts.learn", value::duration_or_none),
            overrides: overrides.iter().filter_map(|keys| self.exception(keys)).collect(),
        }
    }

    /// Executions that are not kept one by one are not judged.
    pub(super) fn compare(&mut self, slow_threshold: Nanos, rules: &analyze::Settings) {
        let least_ms = rules.least(Kind::SlowStatement);
        if slow_threshold.as_millis_f64() > least_ms {
            let (kept, least) = (Unit::Millis.show(slow_threshold.as_millis_f64()), Unit::Millis.show(least_ms));
            self.warn(format!(
                "slow_threshold is {kept} and alerts of slow statements begin at {least}: quicker executions than {kept} \
                 are not kept and so raise no alert; set slow_threshold to {least}"
            ));
        }
    }

    /// One `[[alerts.override]]`; `None` when it can't be used, which was then said.
    fn exception(&mut self, keys: &BTreeMap<&'static str, Given>) -> Option<Override> {
        for name in ["kind", "threshold"].into_iter().filter(|name| !keys.contains_key(name)) {
            let origin = keys.values().next().map_or(Source::Default, |given| given.origin.clone());
            let what = format!("an [[alerts.override]] without `{name}`");
            let problem = Problem::new(what, "write kind and threshold in each");
            self.fail(&format!("alerts.override.{name}"), &Given { value: String::new(), origin }, problem);
        }
        let kind = self.parse("alerts.override.kind", keys.get("kind")?, |text| kind(text).map(Some))?;
        let threshold =
            self.parse("alerts.override.threshold", keys.get("threshold")?, |text| threshold(kind, text).map(Some))?;
        let query_hash = keys.get("query_hash").and_then(|given| {
            let advice = "write the 16 hexadecimal digits that the API shows";
            self.parse("alerts.override.query_hash", given, |text| {
                text.parse().map(Some).map_err(|error| Problem::new(format!("{error}"), advice))
            })
        });
        let database = keys.get("database").map(|given| given.value.clone());
        Some(Override { kind, database, query_hash, threshold })
    }
}

fn kind(text: &str) -> Result<Kind, Problem> {
    let names = || Kind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
    text.parse().map_err(|_| Problem::new("unknown word", format!("write one of: {}", names())))
}

/// A threshold in the kind's unit, or `off`.
fn threshold(kind: Kind, text: &str) -> Result<Option<f64>, Problem> {
    let seconds = |text| value::duration(text).map(Nanos::as_secs_f64);
    if text == "off" {
        return Ok(None);
    }
    let value = match kind.unit() {
        Unit::Millis => seconds(text)? * 1_000.0,
        Unit::Seconds => seconds(text)?,
        Unit::Days => seconds(text)? / DAY.as_secs_f64(),
        Unit::Bytes => value::size(text)? as f64,
        Unit::Percent => percent(text)?,
        Unit::Times | Unit::Count => number(text, f64::MAX)?,
    };
    Ok(Some(value))
}

/// Three ascending percentages: where healthy, monitor and warning end.
fn bloat(text: &str) -> Result<BloatLevels, Problem> {
    let advice = "write three ascending percentages, such as 10,20,50";
    let bounds = text.split(',').map(|part| percent(part.trim())).collect::<Result<Vec<_>, _>>()?;
    match bounds.as_slice() {
        &[monitor, warning, critical] if monitor < warning && warning < critical => {
            Ok(BloatLevels { monitor, warning, critical })
        }
        [_, _, _] => Err(Problem::new("not ascending", advice)),
        _ => Err(Problem::new(format!("{} percentages", bounds.len()), advice)),
    }
}

/// Two ascending durations: where active and low usage end.
fn ages(text: &str) -> Result<(Nanos, Nanos), Problem> {
    let advice = "write two ascending durations, such as 7d,30d";
    let bounds = text.split(',').map(|part| value::duration(part.trim())).collect::<Result<Vec<_>, _>>()?;
    match bounds.as_slice() {
        &[active, unused] if active < unused => Ok((active, unused)),
        [_, _] => Err(Problem::new("not ascending", advice)),
        _ => Err(Problem::new(format!("{} durations", bounds.len()), advice)),
    }
}

/// `20` or `20%`.
fn percent(text: &str) -> Result<f64, Problem> {
    number(text.trim_end_matches('%').trim_end(), 100.0)
}

/// A number from 0 to `most`.
fn number(text: &str, most: f64) -> Result<f64, Problem> {
    match text.parse::<f64>() {
        Ok(number) if (0.0..=most).contains(&number) => Ok(number),
        Ok(_) => Err(Problem::new("out of range", "write a number that means something here")),
        Err(_) => Err(Problem::new("not a number", "write a number, such as 20")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_read_in_the_unit_of_its_kind() {
        for (kind, text, value) in [
            (Kind::SlowStatement, "2s", Some(2_000.0)),
            (Kind::IdleInTransaction, "10m", Some(600.0)),
            (Kind::DiskForecast, "14d", Some(14.0)),
            (Kind::HighBloat, "30%", Some(30.0)),
            (Kind::HighBloat, "30", Some(30.0)),
            (Kind::ReplicationSlot, "2GiB", Some(2_147_483_648.0)),
            (Kind::Regression, "2.5", Some(2.5)),
            (Kind::Regression, "off", None),
        ] {
            assert_eq!(threshold(kind, text), Ok(value), "{kind} {text}");
        }
        for (kind, text) in [(Kind::SlowStatement, "2"), (Kind::HighBloat, "101"), (Kind::Regression, "NaN")] {
            assert!(threshold(kind, text).is_err(), "{kind} {text}");
        }
    }

    #[test]
    fn levels_ascend() {
        assert_eq!(bloat("10, 20,50%"), Ok(BloatLevels::default()));
        assert_eq!(ages("7d,30d"), Ok((days(7), days(30))));
        for text in ["10,20", "20,10,50", "10,10,50", "10,20,500", "a,b,c", ""] {
            assert!(bloat(text).is_err(), "{text}");
        }
        for text in ["7d", "30d,7d", "7d,7d", "7,30"] {
            assert!(ages(text).is_err(), "{text}");
        }
    }
}
