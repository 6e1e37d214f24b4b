//! Which column gets what, table by table. Pure.

use super::batch::{ErrorRow, IdleRow, Origin, SessionRow, SlowRow, StatsRow, TagRow};
use super::copy::Rows;
use super::figures::Figures;

/// What all rows of a batch have in common.
#[derive(Clone, Debug)]
pub(super) struct Common<'a> {
    /// Whose rows.
    pub(super) origin: &'a Origin,
    /// What the store calls the instance.
    pub(super) instance_id: i64,
    /// What the store calls the service.
    pub(super) service_id: i64,
    /// To be added to times of our clock, µs.
    pub(super) shift_us: i64,
    /// No bucket is later, µs since the Unix epoch.
    pub(super) latest_us: i64,
}

impl Common<'_> {
    /// A bucket by the store's clock; still the begin of a minute.
    pub(super) fn bucket(&self, bucket_us: i64) -> i64 {
        const MINUTE: i64 = 60_000_000;
        let minutes = self.shift_us.saturating_add(MINUTE / 2).div_euclid(MINUTE);
        bucket_us.saturating_add(minutes * MINUTE).min(self.latest_us.div_euclid(MINUTE) * MINUTE)
    }
}

/// A row that COPY can take.
pub(super) trait Row {
    /// The table.
    const TABLE: &'static str;
    /// Its columns, in the order in which they are written.
    const COLUMNS: &'static [&'static str];

    /// Writes the columns.
    fn write(&self, common: &Common<'_>, to: &mut Rows);

    /// Executions that are lost with it.
    fn calls(&self) -> u64 {
        0
    }
}

impl Row for StatsRow {
    const TABLE: &'static str = "query_stats";
    const COLUMNS: &'static [&'static str] = &columns("instance_id");

    fn write(&self, common: &Common<'_>, to: &mut Rows) {
        let Figures { levels: [fast, slow, very_slow], .. } = self.figures;
        let figures = &self.figures;
        to.int8(self.series_id).timestamptz(common.bucket(self.bucket_us));
        wide(figures, to);
        to.int4(common.instance_id).int4(figures.calls).int4(figures.errors).int4(figures.aborted);
        to.int4(figures.batched).int4(figures.min_us).int4(fast).int4(slow).int4(very_slow);
        to.int4(figures.first_row_calls).int4(figures.prepares).int8(figures.prepare_us);
        to.int4_array(figures.buckets_us.iter().map(|top| i64::from(*top)));
        to.int4_array(figures.counts.iter().copied());
    }

    fn calls(&self) -> u64 {
        self.figures.calls.unsigned_abs()
    }
}

/// The columns of minutes, hours and days; `owner` is whose they are.
const fn columns(owner: &'static str) -> [&'static str; 23] {
    [
        "series_id",
        "bucket",
        "rows",
        "bytes_in",
        "bytes_out",
        "total_us",
        "first_row_us",
        "client_stall_us",
        "max_us",
        owner,
        "calls",
        "errors",
        "aborted",
        "batched",
        "min_us",
        "fast_calls",
        "slow_calls",
        "very_slow_calls",
        "first_row_calls",
        "prepares",
        "prepare_us",
        "buckets_us",
        "counts",
    ]
}

/// A late row of an hour or a day that has been rolled up already.
#[derive(Clone, Debug)]
pub(super) struct Late<const DAY: bool> {
    pub(super) series_id: i64,
    /// Begin of the hour or day, by the store's clock.
    pub(super) bucket_us: i64,
    pub(super) figures: Figures,
}

impl<const DAY: bool> Row for Late<DAY> {
    const TABLE: &'static str = if DAY { "query_stats_day" } else { "query_stats_hour" };
    const COLUMNS: &'static [&'static str] = &columns("service_id");

    fn write(&self, common: &Common<'_>, to: &mut Rows) {
        let Figures { levels: [fast, slow, very_slow], .. } = self.figures;
        let figures = &self.figures;
        to.int8(self.series_id).timestamptz(self.bucket_us);
        wide(figures, to);
        to.int4(common.service_id).int8(figures.calls).int8(figures.errors).int8(figures.aborted);
        to.int8(figures.batched).int4(figures.min_us).int8(fast).int8(slow).int8(very_slow);
        to.int8(figures.first_row_calls).int8(figures.prepares).int8(figures.prepare_us);
        to.int4_array(figures.buckets_us.iter().map(|top| i64::from(*top)));
        to.int8_array(figures.counts.iter().copied());
    }
}

fn wide(figures: &Figures, to: &mut Rows) {
    to.int8(figures.rows).int8(figures.bytes_in).int8(figures.bytes_out).int8(figures.total_us);
    to.int8(figures.first_row_us).int8(figures.client_stall_us).int8(figures.max_us);
}

impl Row for ErrorRow {
    const TABLE: &'static str = "errors";
    const COLUMNS: &'static [&'static str] = &["series_id", "bucket", "instance_id", "errors", "sqlstate"];

    fn write(&self, common: &Common<'_>, to: &mut Rows) {
        to.int8(self.series_id).timestamptz(common.bucket(self.bucket_us)).int4(common.instance_id);
        to.int4(self.errors).text(&self.sqlstate);
    }
}

impl Row for TagRow {
    const TABLE: &'static str = "tag_stats";
    const COLUMNS: &'static [&'static str] = &[
        "bucket",
        "rows",
        "total_us",
        "instance_id",
        "calls",
        "errors",
        "tag_key",
        "tag_value",
        "query_hash",
        "buckets_us",
        "counts",
    ];

    fn write(&self, common: &Common<'_>, to: &mut Rows) {
        let figures = &self.figures;
        to.timestamptz(common.bucket(self.bucket_us)).int8(figures.rows).int8(figures.total_us);
        to.int4(common.instance_id).int4(figures.calls).int4(figures.errors);
        to.text(&self.key).text(&self.value).text(&self.query_hash);
        to.int4_array(figures.buckets_us.iter().map(|top| i64::from(*top)));
        to.int4_array(figures.counts.iter().copied());
    }
}

impl Row for SessionRow {
    const TABLE: &'static str = "session_stats";
    const COLUMNS: &'static [&'static str] = &[
        "bucket",
        "startup_us",
        "transaction_us",
        "idle_in_transaction_us",
        "transaction_statements",
        "instance_id",
        "open_sessions",
        "opened",
        "failed",
        "closed",
        "ended_by_error",
        "committed",
        "rolled_back",
        "transaction_buckets_us",
        "transaction_counts",
    ];

    fn write(&self, common: &Common<'_>, to: &mut Rows) {
        to.timestamptz(common.bucket(self.bucket_us)).int8(self.startup_us).int8(self.transaction_us);
        to.int8(self.idle_in_transaction_us).int8(self.transaction_statements).int4(common.instance_id);
        to.int4(self.open).int4(self.opened).int4(self.failed).int4(self.closed).int4(self.ended_by_error);
        to.int4(self.committed).int4(self.rolled_back);
        to.int4_array(self.buckets_us.iter().map(|top| i64::from(*top)));
        to.int4_array(self.counts.iter().copied());
    }
}

impl Row for IdleRow {
    const TABLE: &'static str = "idle_after";
    const COLUMNS: &'static [&'static str] = &["series_id", "bucket", "idle_us", "instance_id", "times"];

    fn write(&self, common: &Common<'_>, to: &mut Rows) {
        to.int8(self.series_id).timestamptz(common.bucket(self.bucket_us)).int8(self.idle_us);
        to.int4(common.instance_id).int4(self.times);
    }
}

impl Row for SlowRow {
    const TABLE: &'static str = "slow_statements";
    const COLUMNS: &'static [&'static str] = &[
        "at",
        "reason",
        "server",
        "service",
        "instance",
        "query_hash",
        "datname",
        "usename",
        "application_name",
        "duration_ms",
        "first_row_ms",
        "client_stall_ms",
        "rows",
        "level",
        "sqlstate",
        "tags",
        "trace_id",
        "parameters",
        "suppressed",
    ];

    fn write(&self, common: &Common<'_>, to: &mut Rows) {
        let (series, origin) = (&self.series, common.origin);
        to.timestamptz(self.at_us.saturating_add(common.shift_us).min(common.latest_us)).text(&self.reason);
        to.text(&series.server).text(&origin.service).text(&origin.instance).text(&series.query_hash);
        to.text(&series.database).text(&series.user).text(&series.application);
        to.float8(self.duration_ms).optional(self.first_row_ms, |to, ms| to.float8(ms));
        to.float8(self.client_stall_ms).int8(self.rows).text(&self.level);
        to.optional(self.sqlstate.as_deref(), |to, code| to.text(code));
        to.optional(self.tags.as_deref(), |to, tags| to.jsonb(tags));
        to.optional(self.trace_id.as_deref(), |to, id| to.text(id));
        to.optional(self.parameters.as_deref(), |to, values| to.jsonb(values)).int4(self.suppressed);
    }
}

/// The rows, encoded.
pub(super) fn encode<R: Row>(rows: &[R], common: &Common<'_>) -> Vec<u8> {
    let mut to = Rows::new();
    for row in rows {
        row.write(common, to.row(i16::try_from(R::COLUMNS.len()).unwrap_or_default()));
    }
    to.finish()
}
