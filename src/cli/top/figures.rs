//! Numbers as a person reads them at a glance: three significant digits, which is what a histogram holds, and a unit.

/// What is not known.
const UNKNOWN: &str = "–";

/// A span of time that is given in milliseconds: `45 µs`, `1.25 ms`, `3.4 s`, `12 min`, `26 h`.
pub(super) fn span(ms: f64) -> String {
    const UNITS: [(f64, f64, &str); 4] =
        [(7_200_000.0, 3_600_000.0, "h"), (120_000.0, 60_000.0, "min"), (1_000.0, 1_000.0, "s"), (1.0, 1.0, "ms")];
    for (from, size, unit) in UNITS {
        // What would be rounded up to 1000 is one of the next unit.
        if ms >= from * 0.9995 {
            return format!("{} {unit}", digits(ms / size));
        }
    }
    if ms <= 0.0 { "0 ms".to_owned() } else { format!("{} µs", digits(ms * 1_000.0)) }
}

/// The same of what may not be known.
pub(super) fn maybe_span(ms: Option<f64>) -> String {
    ms.map_or_else(|| UNKNOWN.to_owned(), span)
}

/// How many: `7`, `9999`, `12.3k`, `4.56M`.
pub(super) fn count(count: u64) -> String {
    if count < 10_000 { count.to_string() } else { scaled(count as f64) }
}

/// How many a second: `0.02`, `3.4`, `312`, `12.3k`; no more than 0.
pub(super) fn rate(rate: f64) -> String {
    match rate {
        rate if rate <= 0.0 => "0".to_owned(),
        rate if rate < 0.01 => "<0.01".to_owned(),
        rate if rate < 999.5 => digits(rate),
        rate => scaled(rate),
    }
}

/// A share in percent: `0.3 %`, `34 %`.
pub(super) fn percent(percent: f64) -> String {
    match percent {
        percent if percent > 0.0 && percent < 0.05 => "<0.1 %".to_owned(),
        percent if percent < 9.95 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// The same of what may not be known.
pub(super) fn maybe_percent(share: Option<f64>) -> String {
    share.map_or_else(|| UNKNOWN.to_owned(), percent)
}

fn scaled(value: f64) -> String {
    for (size, unit) in [(1e12, "T"), (1e9, "G"), (1e6, "M")] {
        if value >= size * 0.9995 {
            return format!("{}{unit}", digits(value / size));
        }
    }
    format!("{}k", digits(value / 1e3))
}

/// Three significant digits of a number that is not negative.
fn digits(value: f64) -> String {
    match value {
        value if value < 9.995 => format!("{value:.2}"),
        value if value < 99.95 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}
