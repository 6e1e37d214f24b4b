//! How a family is written, over the encoder of `prometheus-client`.

use std::fmt::Error;

use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, EncodeLabelSet, LabelSetEncoder, MetricEncoder, NoLabelSet,
};
use prometheus_client::registry::Unit;

use super::names::Family;
use crate::base::units::Nanos;
use crate::stats::histogram::Histogram;

/// Upper bounds in seconds: OpenTelemetry's and those between, by the levels of DESIGN §7 (FIELD (c)).
const BOUNDS_S: [f64; 15] =
    [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The same for spans of microseconds: what pgvitals itself adds.
const BRIEF_BOUNDS_S: [f64; 12] =
    [0.000002, 0.000005, 0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.005, 0.01, 0.1];

/// The values of a family's labels, in the order of their names.
pub(super) type Values<'v> = &'v [&'v str];

/// Names and values of one sample's labels.
struct Labels<'v>(&'static [&'static str], Values<'v>);

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder) -> Result<(), Error> {
        self.0.iter().copied().zip(self.1.iter().copied()).collect::<Vec<_>>().encode(encoder)
    }
}

/// Writes one sample: its labels' values, and its own.
type Sample<'f, V> = &'f mut dyn FnMut(Values<'_>, V) -> Result<(), Error>;

/// Writes families one after the other.
pub(super) struct Writer<'e>(pub(super) DescriptorEncoder<'e>);

impl Writer<'_> {
    /// A counter without labels.
    pub(super) fn counter<V: EncodeCounterValue>(&mut self, family: &'static Family, value: V) -> Result<(), Error> {
        self.counters(family, |sample| sample(&[], value))
    }

    /// A counter with labels: `fill` calls back for each sample.
    pub(super) fn counters<V: EncodeCounterValue>(
        &mut self,
        family: &'static Family,
        fill: impl FnOnce(Sample<'_, V>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.samples(family, |mut encoder, value| encoder.encode_counter::<NoLabelSet, V, u64>(&value, None), fill)
    }

    /// A gauge without labels.
    pub(super) fn gauge<V: EncodeGaugeValue>(&mut self, family: &'static Family, value: V) -> Result<(), Error> {
        self.gauges(family, |sample| sample(&[], value))
    }

    /// A gauge with labels.
    pub(super) fn gauges<V: EncodeGaugeValue>(
        &mut self,
        family: &'static Family,
        fill: impl FnOnce(Sample<'_, V>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.samples(family, |mut encoder, value| encoder.encode_gauge(&value), fill)
    }

    /// A histogram: `fill` gives each sample's durations and their sum.
    pub(super) fn histograms<'h>(
        &mut self,
        family: &'static Family,
        fill: impl FnOnce(Sample<'_, (&'h Histogram, Nanos)>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let encode = |mut encoder: MetricEncoder<'_>, (durations, sum): (&'h Histogram, Nanos)| {
            let (sum, buckets) = (sum.as_secs_f64(), classic(durations, &BOUNDS_S));
            encoder.encode_histogram::<NoLabelSet>(sum, durations.count(), &buckets, None)
        };
        self.samples(family, encode, fill)
    }

    fn samples<V>(
        &mut self,
        family: &'static Family,
        mut encode: impl FnMut(MetricEncoder<'_>, V) -> Result<(), Error>,
        fill: impl FnOnce(Sample<'_, V>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut encoder = descriptor(&mut self.0, family)?;
        fill(&mut |values, value| encode(encoder.encode_family(&Labels(family.labels, values))?, value))
    }

    /// A histogram of spans so short that the usual bounds don't tell them apart.
    pub(super) fn brief_histogram(
        &mut self,
        family: &'static Family,
        spans: &Histogram,
        sum: Nanos,
    ) -> Result<(), Error> {
        let mut encoder = descriptor(&mut self.0, family)?;
        let buckets = classic(spans, &BRIEF_BOUNDS_S);
        encoder.encode_histogram::<NoLabelSet>(sum.as_secs_f64(), spans.count(), &buckets, None)
    }

    /// Facts as labels.
    pub(super) fn info(&mut self, family: &'static Family, values: Values<'_>) -> Result<(), Error> {
        let mut encoder = descriptor(&mut self.0, family)?;
        encoder.encode_info(&Labels(family.labels, values))
    }
}

/// Name, type, unit and meaning of a family; OpenMetrics wants a base unit apart and puts it behind the name itself.
fn descriptor<'e>(encoder: &'e mut DescriptorEncoder<'_>, family: &'static Family) -> Result<MetricEncoder<'e>, Error> {
    let (name, unit) = match (family.name.strip_suffix("_seconds"), family.name.strip_suffix("_bytes")) {
        (Some(name), _) => (name, Some(&Unit::Seconds)),
        (_, Some(name)) => (name, Some(&Unit::Bytes)),
        _ => (family.name, None),
    };
    encoder.encode_descriptor(name, family.help, unit, family.kind)
}

/// Counts between the classic bounds; a value that shares a bucket with a bound may lie up to 1 % off it.
fn classic(durations: &Histogram, bounds_s: &[f64]) -> Vec<(f64, u64)> {
    let mut classic: Vec<_> = bounds_s.iter().chain([&f64::INFINITY]).map(|bound| (*bound, 0)).collect();
    for (top_us, count) in durations.buckets() {
        let top_s = f64::from(top_us) / 1e6;
        if let Some(bucket) = classic.iter_mut().find(|bucket| top_s <= bucket.0) {
            bucket.1 += count;
        }
    }
    classic
}
