//! One batch into the tables: exactly once, whatever happens on the way (STORE §3).
//!
//! What statements and series are is told before, in transactions of their own; then one transaction takes the batch's key
//! and its rows. COPY goes through an unnamed moment of the extended protocol inside it: the driver's statement is closed
//! before COMMIT, so a pooler never sees it elsewhere.

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;

use bytes::Bytes;
use futures_util::SinkExt;
use tokio_postgres::types::Type;

use super::batch::{Batch, StatsRow};
use super::cost::Cost;
use super::error::Error;
use super::figures::{micros, signed};
use super::link::Link;
use super::tables::{Common, Late, Row, encode};
use super::verdict::Verdict;
use crate::base::telemetry::{Dropped, Telemetry};

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// A bucket is never later than so much after the store's now.
const AHEAD: i64 = 60_000_000;

/// What was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Written {
    /// Rows of the tables that grow.
    pub(super) rows: u64,
    /// Bytes that were sent for them.
    pub(super) bytes: u64,
}

/// Writes one batch.
pub(super) struct Writing<'a> {
    pub(super) link: &'a Link,
    pub(super) batch: &'a Batch,
    pub(super) common: Common<'a>,
    pub(super) telemetry: &'a Telemetry,
    cost: Option<Cost>,
    written: Written,
    /// A row is at fault: look for it.
    careful: bool,
    lost: Vec<(Dropped, u64)>,
}

/// Where the rows of an hour go.
#[derive(Clone, Copy, Debug)]
struct Route {
    minutes: bool,
    hours: bool,
    days: bool,
}

impl<'a> Writing<'a> {
    /// `now_us` by our clock. `cost` of the process whose batch it is; `None` where that isn't known any more.
    pub(super) fn new(
        link: &'a Link,
        batch: &'a Batch,
        ids: super::link::Registered,
        now_us: i64,
        telemetry: &'a Telemetry,
        cost: Option<Cost>,
    ) -> Self {
        let common = Common {
            origin: &batch.origin,
            instance_id: ids.instance_id.into(),
            service_id: ids.service_id.into(),
            shift_us: link.offset_us,
            latest_us: now_us.saturating_add(link.offset_us).saturating_add(AHEAD),
        };
        Self { link, batch, common, telemetry, cost, written: Written::default(), careful: false, lost: Vec::new() }
    }

    /// Returns when the batch's rows are in the tables, now or since an earlier attempt.
    ///
    /// # Errors
    /// Anything but what a row is guilty of: that is dropped, counted and said.
    pub(super) async fn run(mut self) -> Result<Written, Error> {
        let mut done = self.attempt().await;
        if done.as_ref().is_err_and(|error| error.verdict() == Verdict::Row) {
            self.link.roll_back().await;
            (self.careful, self.written) = (true, Written::default());
            self.lost.clear();
            done = self.attempt().await;
        }
        if let Err(error) = done {
            self.link.roll_back().await;
            // No row is at fault any more: it is the key.
            if error.verdict() == Verdict::Row && self.is_expired().await? {
                let executions = self.batch.calls();
                tracing::error!(executions, "a batch is older than all that the store knows of; it is dropped");
                self.telemetry.dropped(Dropped::TooOld, executions);
                return Ok(Written::default());
            }
            return Err(error);
        }
        for (reason, calls) in self.lost {
            self.telemetry.dropped(reason, calls);
        }
        Ok(self.written)
    }

    async fn attempt(&mut self) -> Result<(), Error> {
        self.link.begin().await?;
        if !self.take_key().await? {
            self.link.roll_back().await;
            return Ok(());
        }
        self.statistics().await?;
        let batch = self.batch;
        self.copy(&batch.errors).await?;
        self.copy(&batch.tags).await?;
        self.copy(&batch.sessions).await?;
        self.copy(&batch.idle_after).await?;
        self.copy(&batch.slow).await?;
        self.link.commit().await
    }

    /// False: it was written before. Its day is our clock's; there is no partition for one that is far ahead of the store's.
    async fn take_key(&self) -> Result<bool, Error> {
        let insert = self.link.schema.fill(
            "insert into {schema}.batches \
             (instance_id, sequence, day, first_bucket, last_bucket, clock_offset_us, rows, idle, cpu_us, \
             resident_bytes, calls, dropped, series) \
             values ($1, $2, least(date '1970-01-01' + $3, current_date + 1), \
             timestamptz 'epoch' + $4 * interval '1 microsecond', \
             timestamptz 'epoch' + $5 * interval '1 microsecond', $6, $7, $8, $9, $10, $11, $12, $13) on conflict do nothing",
        );
        let (batch, common) = (self.batch, &self.common);
        let range = batch.buckets().map(|(from, to)| (common.bucket(from), common.bucket(to)));
        let (first, last) = (range.map(|range| range.0), range.map(|range| range.1));
        let instance = i32::try_from(common.instance_id).unwrap_or_default();
        let rows = i32::try_from(batch.rows()).unwrap_or(i32::MAX);
        let cost = self.cost;
        let cpu_us = cost.and_then(|cost| cost.cpu).map(micros);
        let resident_bytes = cost.and_then(|cost| cost.resident_bytes).map(signed);
        let [calls, dropped] = [cost.map(|cost| signed(cost.calls)), cost.map(|cost| signed(cost.dropped))];
        let series = cost.map(|cost| i32::try_from(cost.series).unwrap_or(i32::MAX));
        let inserted = self
            .link
            .client
            .execute_typed(
                &insert,
                &[
                    (&instance, Type::INT4),
                    (&batch.sequence, Type::INT8),
                    (&batch.day, Type::INT4),
                    (&first, Type::INT8),
                    (&last, Type::INT8),
                    (&common.shift_us, Type::INT8),
                    (&rows, Type::INT4),
                    (&batch.idle, Type::BOOL),
                    (&cpu_us, Type::INT8),
                    (&resident_bytes, Type::INT8),
                    (&calls, Type::INT8),
                    (&dropped, Type::INT8),
                    (&series, Type::INT4),
                ],
            )
            .await?;
        Ok(inserted > 0)
    }

    /// Whether the store has forgotten the batches of its day, so that nobody can tell whether it was written.
    async fn is_expired(&self) -> Result<bool, Error> {
        let ask = self.link.schema.fill(
            "select coalesce(date '1970-01-01' + $1 < min(since at time zone 'UTC')::date, false) \
             from {schema}.partitions('batches')",
        );
        let rows = self.link.client.query_typed(&ask, &[(&self.batch.day, Type::INT4)]).await?;
        Ok(rows.first().ok_or(Error::Answer("no word on a day"))?.try_get(0)?)
    }

    async fn statistics(&mut self) -> Result<(), Error> {
        let batch = self.batch;
        if batch.stats.is_empty() {
            return Ok(());
        }
        let routes = self.routes().await?;
        let (mut minutes, mut hours, mut days) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        for row in &batch.stats {
            let bucket = self.common.bucket(row.bucket_us);
            let Some(route) = routes.get(&bucket.div_euclid(HOUR)) else {
                return Err(Error::Answer("an hour that was asked for is missing"));
            };
            if route.minutes {
                minutes.push(row.clone());
            }
            for (wanted, step, late) in [(route.hours, HOUR, &mut hours), (route.days, DAY, &mut days)] {
                if wanted {
                    let key = (bucket.div_euclid(step) * step, row.series_id);
                    let figures: &mut super::figures::Figures = late.entry(key).or_default();
                    figures.add(&row.figures);
                }
            }
            if !(route.minutes || route.hours || route.days) {
                self.lost.push((Dropped::TooOld, StatsRow::calls(row)));
            }
        }
        self.copy(&minutes).await?;
        let hours: Vec<Late<false>> = late(hours);
        self.copy(&hours).await?;
        let days: Vec<Late<true>> = late(days);
        self.copy(&days).await
    }

    /// Shares the hours of the batch with other batches until the transaction ends; no roll-up comes in between.
    async fn routes(&self) -> Result<HashMap<i64, Route>, Error> {
        let mut hours: Vec<i64> =
            self.batch.stats.iter().map(|row| self.common.bucket(row.bucket_us).div_euclid(HOUR)).collect();
        hours.sort_unstable();
        hours.dedup();
        let hold = self.link.schema.fill(
            "select (extract(epoch from hour) / 3600)::bigint, to_minutes, to_hours, to_days \
             from {schema}.hold_hours(array(select timestamptz 'epoch' + h * interval '1 hour' from unnest($1) h))",
        );
        let rows = self.link.client.query_typed(&hold, &[(&hours, Type::INT8_ARRAY)]).await?;
        let route = |row: &tokio_postgres::Row| {
            let flag = |column| row.try_get::<_, Option<bool>>(column).map(|flag| flag == Some(true));
            let route = Route { minutes: flag(1)?, hours: flag(2)?, days: flag(3)? };
            Ok((row.try_get(0)?, route))
        };
        rows.iter().map(route).collect::<Result<_, tokio_postgres::Error>>().map_err(Error::from)
    }

    async fn copy<R: Row>(&mut self, rows: &[R]) -> Result<(), Error> {
        let mut ranges = vec![rows];
        while let Some(rows) = ranges.pop() {
            if rows.is_empty() {
                continue;
            }
            if !self.careful {
                self.send(rows).await?;
                continue;
            }
            self.link.client.batch_execute("savepoint part").await?;
            match self.send(rows).await {
                Ok(()) => self.link.client.batch_execute("release part").await?,
                Err(error) if error.verdict() == Verdict::Row => {
                    self.link.client.batch_execute("rollback to part; release part").await?;
                    match rows {
                        [row] => {
                            tracing::warn!(table = R::TABLE, %error, "the store refuses a row; it is dropped");
                            self.lost.push((Dropped::StoreRow, row.calls()));
                        }
                        _ => {
                            let (front, back) = rows.split_at(rows.len() / 2);
                            ranges.extend([back, front]);
                        }
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn send<R: Row>(&mut self, rows: &[R]) -> Result<(), Error> {
        let (table, columns) = (R::TABLE, R::COLUMNS.join(", "));
        let copy = self.link.schema.fill(&format!("copy {{schema}}.{table} ({columns}) from stdin (format binary)"));
        let bytes = encode(rows, &self.common);
        let length = bytes.len() as u64;
        let mut sink = pin!(self.link.client.copy_in::<_, Bytes>(&copy).await?);
        sink.send(bytes.into()).await?;
        sink.finish().await?;
        self.written.rows += rows.len() as u64;
        self.written.bytes += length;
        Ok(())
    }
}

fn late<const DAYS: bool>(rows: BTreeMap<(i64, i64), super::figures::Figures>) -> Vec<Late<DAYS>> {
    rows.into_iter().map(|((bucket_us, series_id), figures)| Late { series_id, bucket_us, figures }).collect()
}
