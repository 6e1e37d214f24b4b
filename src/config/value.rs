//! Text to typed values. Durations and sizes carry their unit.

use super::error::Problem;
use crate::base::units::Nanos;
use crate::stats::level::Thresholds;

const DURATION_UNITS: &[(&str, u64)] = &[
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];
const SIZE_UNITS: &[(&str, u64)] = &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];

/// `500ms`, `1.5s`, `5m`, `2h`, `1d`; above zero, because every duration here is a limit.
pub(super) fn duration(text: &str) -> Result<Nanos, Problem> {
    let advice = "write a number and a unit (us, ms, s, m, h, d), such as 500ms or 10s";
    measure(text, DURATION_UNITS, "duration", advice).map(Nanos::new)
}

/// The same, where none at all means something.
pub(super) fn duration_or_none(text: &str) -> Result<Nanos, Problem> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    if number.parse() == Ok(0.0) { Ok(Nanos::ZERO) } else { duration(text) }
}

/// `512B`, `8KiB`, `1GiB`, in bytes.
pub(super) fn size(text: &str) -> Result<u64, Problem> {
    measure(text, SIZE_UNITS, "size", "write a number and a unit (B, KiB, MiB, GiB), such as 8KiB")
}

fn measure(text: &str, units: &[(&str, u64)], what: &str, advice: &str) -> Result<u64, Problem> {
    let digits = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let (number, unit) = text.split_at(digits);
    let Ok(number) = number.parse::<f64>() else {
        return Err(Problem::new(format!("not a {what}"), advice));
    };
    let unit = unit.trim();
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        let what = if unit.is_empty() { format!("a {what} without a unit") } else { format!("unknown unit `{unit}`") };
        return Err(Problem::new(what, advice));
    };
    let value = number * *factor as f64;
    if value < 1.0 {
        return Err(Problem::new("zero", "write a value above zero"));
    }
    if value > i64::MAX as f64 {
        return Err(Problem::new("too large", advice));
    }
    Ok(value.round() as u64)
}

/// A whole number from 1 to `most`.
pub(super) fn count(text: &str, most: usize) -> Result<usize, Problem> {
    let advice = || format!("write a whole number from 1 to {most}");
    let number: usize = text.replace('_', "").parse().map_err(|_| Problem::new("not a whole number", advice()))?;
    if (1..=most).contains(&number) { Ok(number) } else { Err(Problem::new("out of range", advice())) }
}

/// A number from 0 to 1.
pub(super) fn part(text: &str) -> Result<f64, Problem> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| Problem::new("not a part of all", "write a number from 0 to 1, such as 0.01"))
}

/// `true` or `false`, and what people write for them in an environment.
pub(super) fn switch(text: &str) -> Result<bool, Problem> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Ok(true),
        "false" | "off" | "no" | "0" => Ok(false),
        _ => Err(Problem::new("neither true nor false", "write true or false")),
    }
}

/// Three ascending durations: where good, warning and alert end.
pub(super) fn levels(text: &str) -> Result<Thresholds, Problem> {
    let advice = "write three ascending durations, such as 100ms,500ms,1s";
    let bounds = text.split(',').map(|part| duration(part.trim())).collect::<Result<Vec<_>, _>>()?;
    let &[warning, alert, critical] = bounds.as_slice() else {
        return Err(Problem::new(format!("{} durations", bounds.len()), advice));
    };
    if warning >= alert || alert >= critical {
        return Err(Problem::new("not ascending", advice));
    }
    Ok(Thresholds { warning, alert, critical })
}

/// One of `words`.
pub(super) fn choice(text: &str, words: &[&str]) -> Result<(), Problem> {
    if words.contains(&text) {
        return Ok(());
    }
    Err(Problem::new("unknown word", format!("write one of: {}", words.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_carry_units() {
        for (text, nanos) in
            [("500ms", 500_000_000), ("10s", 10_000_000_000), ("1.5 s", 1_500_000_000), ("2m", 120_000_000_000)]
        {
            assert_eq!(duration(text), Ok(Nanos::new(nanos)), "{text}");
        }
        for (text, bytes) in [("8KiB", 8_192), ("512B", 512), ("1GiB", 1 << 30), ("0.5KiB", 512)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["10", "", "s", "-1s", "10 parsecs", "1e3s", "0s", "1..2s", "99999999999999d"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(
            ["0", "0s", "0.0 m", "5m"].map(duration_or_none).map(|read| read.is_ok_and(|span| span == Nanos::ZERO)),
            [true, true, true, false]
        );
        assert!(duration_or_none("").is_err() && duration_or_none("-1s").is_err());
        for text in ["8", "8kB", "8KB", "0B", "KiB", "-1B"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn levels_ascend() {
        let levels_of = |a, b, c| Thresholds {
            warning: Nanos::from_millis(a),
            alert: Nanos::from_millis(b),
            critical: Nanos::from_millis(c),
        };
        assert_eq!(levels("100ms, 500ms,1s"), Ok(levels_of(100, 500, 1_000)));
        for text in ["100ms,500ms", "500ms,100ms,1s", "100ms,100ms,1s", "1,2,3", "1s,2s,3s,4s"] {
            assert!(levels(text).is_err(), "{text}");
        }
    }

    #[test]
    fn counts_and_switches_are_exact() {
        assert_eq!(count("10_000", 1_000_000), Ok(10_000));
        for text in ["0", "-1", "1.5", "", "1000001", "many"] {
            assert!(count(text, 1_000_000).is_err(), "{text}");
        }
        assert_eq!(["0", "0.01", "1", "1.0"].map(part), [Ok(0.0), Ok(0.01), Ok(1.0), Ok(1.0)]);
        for text in ["-0.1", "1.01", "10%", "NaN", "inf", ""] {
            assert!(part(text).is_err(), "{text}");
        }
        assert_eq!((switch("on"), switch("False")), (Ok(true), Ok(false)));
        assert!(switch("perhaps").is_err());
    }
}
