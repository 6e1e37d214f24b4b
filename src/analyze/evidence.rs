//! When an index was used last, by comparing snapshots: the lifetime counter hides idle months, and a reset erases it.
//!
//! Only time that two rounds enclose counts as covered. A counter that fell or a reset that moved says that uses between
//! those two rounds may be forgotten; so does a gap in which nobody looked, and a partition that was dropped from a sum. Such time is not covered, and no proof; after a
//! day of it all begins anew, for what is done once a month may have been done then.

use crate::analyze::level::{DAY, days};
use crate::base::units::{Nanos, WallTime};
use crate::snapshot::history::{Round, Sample};
use crate::snapshot::index::IndexFigures;

/// Rounds come hourly; further apart than this, a crash and its recovery may lie between them unseen.
pub(super) const GAP: Nanos = Nanos::from_millis(3 * 3_600_000);

/// What rounds say of an index's use.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Evidence {
    /// The round that saw it first.
    pub since: WallTime,
    /// The last use that was seen, or what PostgreSQL 16 and later remember of it.
    pub last_used: Option<WallTime>,
    /// How long ago that was at the last round.
    pub last_used_ago: Option<Nanos>,
    /// Covered time since then, since it was seen first, or since a day without looks.
    pub unused: Nanos,
    /// Something was forgotten or missed since then.
    pub has_holes: bool,
    /// Scans a day over the last week that is covered.
    pub scans_per_day: Option<f64>,
    /// And in the week before it.
    pub scans_per_day_before: Option<f64>,
}

/// Scans between two rounds.
pub(super) struct Span {
    pub(super) from: WallTime,
    pub(super) to: WallTime,
    pub(super) scans: u64,
    is_covered: bool,
}

/// The evidence of rounds at which the index stood as its samples say; both ascending. `None` before it was seen.
pub fn of(samples: &[Sample<IndexFigures>], rounds: &[Round]) -> Option<Evidence> {
    let first = samples.first()?;
    let spans = spans(samples, rounds);
    let mut evidence = Evidence { since: first.at, ..Evidence::default() };
    for span in &spans {
        if span.scans > 0 {
            (evidence.last_used, evidence.unused, evidence.has_holes) = (Some(span.to), Nanos::ZERO, false);
        } else if span.is_covered {
            evidence.unused += span.to.since(span.from);
        } else {
            let is_long = span.to.since(span.from) > DAY;
            evidence.unused = if is_long { Nanos::ZERO } else { evidence.unused };
            evidence.has_holes = true;
        }
    }
    let last = samples.last().unwrap_or(first);
    let now = spans.last().map_or(last.at, |span| span.to);
    // What the server remembers is a floor: it may have been used later, never earlier.
    if let Some(known) = last.figures.last_scan.filter(|known| evidence.last_used.is_none_or(|used| used < *known)) {
        evidence.last_used = Some(known);
        evidence.unused = evidence.unused.min(now.since(known));
    }
    evidence.last_used_ago = evidence.last_used.map(|used| now.since(used));
    let week = days(7);
    evidence.scans_per_day = rate(&spans, now.before(week), now);
    evidence.scans_per_day_before = rate(&spans, now.before(week + week), now.before(week));
    Some(evidence)
}

/// From round to round since the first sample.
pub(super) fn spans(samples: &[Sample<IndexFigures>], rounds: &[Round]) -> Vec<Span> {
    let Some((first, mut rest)) = samples.split_first() else { return Vec::new() };
    let mut before = &first.figures;
    let mut at = first.at;
    let mut spans = Vec::new();
    for round in rounds.iter().filter(|round| round.at > first.at) {
        let mut figures = before;
        while let Some((sample, later)) = rest.split_first().filter(|(sample, _)| sample.at <= round.at) {
            (figures, rest) = (&sample.figures, later);
        }
        let has_fallen = figures.scans < before.scans;
        let is_reset = has_fallen || figures.stats_reset != before.stats_reset;
        let scans = if has_fallen && before.partitions > 0 && figures.stats_reset == before.stats_reset {
            // A partition that went took its count out of the sum: a hole, in which nobody can tell use.
            0
        } else if is_reset {
            // All that is counted is new.
            figures.scans
        } else {
            figures.scans - before.scans
        };
        let is_near = round.at.since(at) <= GAP || round.after_idle;
        spans.push(Span { from: at, to: round.at, scans, is_covered: is_near && !is_reset });
        (before, at) = (figures, round.at);
    }
    spans
}

/// Scans a day in a time, of what of it is covered; `None` below a day.
fn rate(spans: &[Span], from: WallTime, to: WallTime) -> Option<f64> {
    let inside = spans.iter().filter(|span| from <= span.from && span.to <= to && span.is_covered);
    let (scans, time) =
        inside.fold((0u64, Nanos::ZERO), |(scans, time), span| (scans + span.scans, time + span.to.since(span.from)));
    let days = time.as_secs_f64() / 86_400.0;
    (days >= 1.0).then(|| scans as f64 / days)
}
