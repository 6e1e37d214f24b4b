//! The families, filled from one view of memory.

use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::names;
use super::writer::Writer;
use crate::analyze::kind as alert;
use crate::base::telemetry::{Channel, Discarded, Dropped, Notification, Telemetry, TlsStartup, Unmeasured};
use crate::base::units::{Nanos, WallTime};
use crate::http::Sources;
use crate::jobs::insight::Vitals;
use crate::jobs::job::Job;
use crate::stats::live::LiveView;
use crate::stats::series::SeriesStats;
use crate::store::process::Usage;
use crate::store::status::Status;

/// Slots that are told apart.
const SLOTS_MAX: usize = 100;
const DAY_SECONDS: f64 = 86_400.0;

/// What one scrape sees.
#[derive(Debug)]
pub(super) struct Snapshot {
    view: LiveView,
    /// Otherwise nothing is said of a proxy that isn't there.
    measures: bool,
    telemetry: Arc<Telemetry>,
    panics: u64,
    usage: Option<Usage>,
    store: Option<Arc<Status>>,
    alerts: BTreeMap<(alert::Kind, alert::Severity), u64>,
    successes: [(Job, Option<WallTime>); 2],
    servers: Vec<(String, Arc<Vitals>)>,
}

impl Snapshot {
    /// A scrape of `view`, and of the process now.
    pub(super) fn new(view: LiveView, measures: bool, sources: &Sources) -> Self {
        let (telemetry, panics) = (Arc::clone(&sources.telemetry), sources.panics.total());
        let store = sources.store.as_ref().map(|store| Arc::clone(&store.status));
        let (usage, alerts) = (Usage::read(), sources.alerts.gauges());
        let successes = Job::ALL.map(|job| (job, sources.jobs.succeeded(job)));
        let servers = sources.jobs.rounds().vitals();
        Self { view, measures, telemetry, panics, usage, store, alerts, successes, servers }
    }
}

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder) -> Result<(), Error> {
        let mut writer = Writer(encoder);
        writer.info(&names::BUILD, &[env!("CARGO_PKG_VERSION")])?;
        if self.measures {
            self.statements(&mut writer)?;
            self.now(&mut writer)?;
            self.transactions(&mut writer)?;
            self.connections(&mut writer)?;
            self.telemetry(&mut writer)?;
            self.store(&mut writer)?;
        } else {
            writer.counter(&names::PANICS, self.panics)?;
            self.weight(&mut writer)?;
        }
        writer.gauges(&names::ALERTS_OPEN, |sample| {
            let mut open = self.alerts.iter();
            open.try_for_each(|((kind, severity), count)| sample(&[kind.as_str(), severity.as_str()], *count))
        })?;
        self.notifications(&mut writer)?;
        self.servers(&mut writer)?;
        self.process(&mut writer)
    }
}

impl Snapshot {
    fn statements(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let cumulative = self.view.cumulative();
        let all = || cumulative.statements.values();
        let total = |field: fn(&SeriesStats) -> u64| all().map(field).sum::<u64>();
        writer.histograms(&names::STATEMENT_DURATION, |sample| {
            cumulative.statements.iter().try_for_each(|((database, kind), stats)| {
                sample(&[database, kind.as_str()], (&stats.durations, stats.total))
            })
        })?;
        let first_row = &cumulative.first_row;
        writer.histograms(&names::STATEMENT_FIRST_ROW, |sample| sample(&[], (first_row, cumulative.first_row_time)))?;
        let stall: Nanos = all().map(|stats| stats.client_stall).sum();
        writer.counter(&names::STATEMENT_CLIENT_STALL, stall.as_secs_f64())?;
        writer.counters(&names::STATEMENT_ERRORS, |sample| {
            let mut errors = cumulative.errors.iter();
            errors.try_for_each(|((database, code), count)| sample(&[database, code], *count))
        })?;
        writer.counter(&names::STATEMENTS_ABORTED, total(|stats| stats.aborted))?;
        writer.counter(&names::STATEMENT_ROWS, total(|stats| stats.rows))?;
        writer.counter(&names::PREPARES, total(|stats| stats.prepares))?;
        let [_, warning, alert, critical] = cumulative.levels;
        writer.counters(&names::SLOW_STATEMENTS, |sample| {
            sample(&["warning"], warning)?;
            sample(&["alert"], alert)?;
            sample(&["critical"], critical)
        })?;
        writer.counters(&names::NETWORK_BYTES, |sample| {
            sample(&["in"], total(|stats| stats.bytes_in) + cumulative.sessions.overhead_in)?;
            sample(&["out"], total(|stats| stats.bytes_out) + cumulative.sessions.overhead_out)
        })
    }

    fn now(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let (statements, transactions) = (self.view.active_statements(), self.view.active_transactions());
        let oldest = |ages: &mut dyn Iterator<Item = Nanos>| ages.max().unwrap_or_default().as_secs_f64();
        writer.gauge(&names::STATEMENTS_IN_FLIGHT, statements.len())?;
        writer.gauge(&names::OLDEST_STATEMENT, oldest(&mut statements.iter().map(|row| row.age)))?;
        writer.gauge(&names::OLDEST_TRANSACTION, oldest(&mut transactions.iter().map(|row| row.age)))
    }

    fn transactions(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let sessions = &self.view.cumulative().sessions;
        writer.histograms(&names::TRANSACTION_DURATION, |sample| {
            sample(&["committed"], (&sessions.committed, sessions.committed_time))?;
            sample(&["rolled_back"], (&sessions.rolled_back, sessions.rolled_back_time))
        })?;
        writer.counter(&names::IDLE_IN_TRANSACTION, sessions.idle_in_transaction.as_secs_f64())
    }

    fn connections(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let sessions = &self.view.cumulative().sessions;
        let open = self.view.open_sessions();
        let active = (self.view.active_statements().len() as u64).min(open);
        let waiting = self.view.active_transactions().iter().filter(|row| row.idle.is_some()).count() as u64;
        writer.gauges(&names::CONNECTIONS, |sample| {
            sample(&["active"], active)?;
            sample(&["idle_in_transaction"], waiting)?;
            sample(&["idle"], open.saturating_sub(active).saturating_sub(waiting))
        })?;
        writer.counter(&names::CONNECTIONS_OPENED, sessions.opened)?;
        writer.counters(&names::CONNECTIONS_FAILED, |sample| {
            let mut failed = sessions.failed.iter();
            failed.try_for_each(|(code, count)| sample(&[code.as_ref().map_or("(none)", |code| code.as_str())], *count))
        })?;
        writer
            .histograms(&names::CONNECTION_STARTUP, |sample| sample(&[], (&sessions.startup, sessions.startup_time)))?;
        let ended: BTreeMap<_, _> = sessions.ended.iter().map(|(code, count)| (code.as_str(), *count)).collect();
        writer.counters(&names::SESSIONS_ENDED, |sample| {
            ended.iter().try_for_each(|(code, count)| sample(&[code], *count))
        })?;
        writer.counter(&names::PROTOCOL_ERRORS, sessions.protocol_errors)?;
        writer.counter(&names::MISMATCHES, sessions.mismatches)
    }

    fn telemetry(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let telemetry = &self.telemetry;
        writer.counters(&names::UNMEASURED, |sample| {
            Unmeasured::ALL.iter().try_for_each(|why| sample(&[why.as_str()], telemetry.unmeasured_total(*why)))
        })?;
        writer.counters(&names::SAMPLES_DROPPED, |sample| {
            Dropped::ALL.iter().try_for_each(|why| sample(&[why.as_str()], telemetry.dropped_total(*why)))
        })?;
        writer.counters(&names::STATEMENTS_DISCARDED, |sample| {
            Discarded::ALL.iter().try_for_each(|why| sample(&[why.as_str()], telemetry.discarded_total(*why)))
        })?;
        writer.counters(&names::TLS_STARTUPS, |sample| {
            TlsStartup::ALL.iter().try_for_each(|outcome| {
                let [client, upstream] = telemetry.tls_total(*outcome);
                sample(&["client", outcome.as_str()], client)?;
                sample(&["upstream", outcome.as_str()], upstream)
            })
        })?;
        writer.counter(&names::PANICS, self.panics)?;
        let sessions = &self.view.cumulative().sessions;
        writer.brief_histogram(&names::PROXY_OVERHEAD, &sessions.forwarding, sessions.forwarding_time)?;
        let (series, limit) = self.view.series();
        writer.gauge(&names::SERIES, series)?;
        writer.gauge(&names::SERIES_LIMIT, limit)
    }

    /// Zeros without a store.
    fn store(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let status = self.store.as_deref();
        let counts = status.map(Status::counts).unwrap_or_default();
        let (durations, sum) = status.map(Status::flushes).unwrap_or_default();
        let last = status.and_then(Status::last).map_or(0, WallTime::unix_micros);
        let lag = status.map(|status| status.lag(self.view.at())).unwrap_or_default();
        let offset_us = status.map(Status::offset_us).unwrap_or_default();
        writer.histograms(&names::STORE_FLUSH_DURATION, |sample| sample(&[], (&durations, sum)))?;
        writer.counter(&names::STORE_FLUSH_FAILURES, counts.failures)?;
        writer.gauge(&names::STORE_LAST_FLUSH, last as f64 / 1e6)?;
        writer.gauge(&names::STORE_LAG, lag.as_secs_f64())?;
        writer.counter(&names::STORE_ROWS, counts.rows)?;
        writer.counter(&names::STORE_BYTES, counts.bytes)?;
        writer.gauge(&names::STORE_CLOCK_OFFSET, offset_us as f64 / 1e6)?;
        self.weight(writer)?;
        writer.gauge(&names::STORE_FULL, u64::from(status.is_some_and(Status::full)))?;
        writer.gauge(&names::SPOOL_BYTES, counts.spool_bytes)?;
        let age = status.map(|status| status.spool_age(self.view.at())).unwrap_or_default();
        writer.gauge(&names::SPOOL_AGE, age.as_secs_f64())?;
        writer.counter(&names::SPOOL_WRITTEN, counts.spool_written_bytes)
    }

    fn weight(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let weight = self.store.as_deref().and_then(Status::weight);
        writer.gauge(&names::STORE_SIZE, weight.map_or(0, |weight| weight.bytes))?;
        writer.gauge(&names::STORE_AHEAD, weight.map_or(0.0, |weight| weight.days_ahead * DAY_SECONDS))
    }

    fn notifications(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.counters(&names::NOTIFICATIONS, |sample| {
            Channel::ALL.iter().try_for_each(|channel| {
                Notification::ALL.iter().try_for_each(|outcome| {
                    let total = self.telemetry.notified_total(*channel, *outcome);
                    sample(&[channel.as_str(), outcome.as_str()], total)
                })
            })
        })
    }

    /// Nothing before the first look at a server.
    fn servers(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.gauges(&names::TASK_LAST_SUCCESS, |sample| {
            self.successes
                .iter()
                .try_for_each(|(job, at)| sample(&[job.as_str()], at.map_or(0.0, |at| at.unix_micros() as f64 / 1e6)))
        })?;
        let all = || self.servers.iter().map(|(server, vitals)| (server.as_str(), vitals));
        writer.gauges(&names::UNUSED_INDEX_BYTES, |sample| {
            all().try_for_each(|(server, vitals)| sample(&[server], vitals.unused_index_bytes))
        })?;
        writer.gauges(&names::BLOAT_BYTES, |sample| {
            all().try_for_each(|(server, vitals)| {
                sample(&[server, "table"], vitals.table_bloat_bytes)?;
                sample(&[server, "index"], vitals.index_bloat_bytes)
            })
        })?;
        writer.gauges(&names::SEQUENCE_USED, |sample| {
            all().try_for_each(|(server, vitals)| sample(&[server], vitals.sequence_used_ratio_max))
        })?;
        writer.gauges(&names::XID_USED, |sample| {
            all().try_for_each(|(server, vitals)| sample(&[server], vitals.xid_used_ratio))
        })?;
        writer.gauges(&names::SLOT_RETAINED, |sample| {
            all().try_for_each(|(server, vitals)| {
                slots(vitals).try_for_each(|(slot, bytes)| sample(&[server, slot], bytes))
            })
        })
    }

    fn process(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        if let Some(usage) = &self.usage {
            writer.counter(&names::PROCESS_CPU, usage.cpu.as_secs_f64())?;
            writer.gauge(&names::PROCESS_RESIDENT, usage.resident_bytes)?;
        }
        writer.gauge(&names::PROCESS_START, self.view.started().unix_micros() as f64 / 1e6)
    }
}

/// Slots are named by whoever replicates; what doesn't fit is summed up.
fn slots(vitals: &Vitals) -> impl Iterator<Item = (&str, u64)> {
    let (told, rest) = vitals.slots.split_at(vitals.slots.len().min(SLOTS_MAX));
    let rest = (!rest.is_empty()).then(|| ("(other)", rest.iter().map(|(_, bytes)| bytes).sum()));
    told.iter().map(|(slot, bytes)| (slot.as_str(), *bytes)).chain(rest)
}
