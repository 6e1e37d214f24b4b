//! The month hour by hour: figures as two pgvitals would have handed them out, and what rules need of them. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chance::Chance;
use super::course::hour;
use super::shop::{HOUR, MINUTE, Shop};
use super::spec::Service;
use crate::analyze::baseline::Hour;
use crate::analyze::judge::Execution;
use crate::analyze::statements::Statement;
use crate::base::sqlstate::Sqlstate;
use crate::base::units::{Nanos, WallTime};
use crate::session::observation::Transaction;
use crate::snapshot::activity::{Calls, CallsBy};
use crate::sql::hash::QueryHash;
use crate::sql::kind::Class;
use crate::stats::live::{Reason, SessionStats};
use crate::stats::minutes::{Minutes, Noted, Span};
use crate::stats::series::SeriesStats;

/// A statement's hours are looked at as far back.
const HOURS_BACK: Nanos = Nanos::from_millis(9 * 86_400_000);
/// Single executions are kept so long.
const SLOW_KEPT: Nanos = Nanos::from_millis(14 * 86_400_000);
/// Transactions of which durations are told: one stands for so many.
const TRANSACTIONS_MAX: u64 = 40;

/// What has been played so far.
#[derive(Debug)]
pub struct Month {
    /// Whose.
    pub shop: Shop,
    /// From here on there are minutes.
    fine_from: WallTime,
    hours: BTreeMap<(String, QueryHash), Vec<Hour>>,
    executions: Vec<Execution>,
    /// Calls without errors by user and database, up to the begin of each hour.
    counted: BTreeMap<WallTime, BTreeMap<(String, String), u64>>,
    counting: BTreeMap<(String, String), u64>,
    calls: u64,
}

/// What one service's pgvitals would have handed out.
pub(super) type Handed = Vec<(Service, Minutes)>;

impl Month {
    /// Nothing yet; `fine_from`, an hour's begin, is from when on the store keeps minutes.
    pub fn new(shop: Shop, fine_from: WallTime) -> Self {
        let (hours, counted, counting) = Default::default();
        Self { shop, fine_from, hours, executions: Vec::new(), counted, counting, calls: 0 }
    }

    /// Executions so far.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// Plays the hour from `at` on, or what of it lies before the end.
    pub(super) fn play(&mut self, at: WallTime) -> Handed {
        self.counted.insert(at, self.counting.clone());
        let mut sums: Vec<SeriesStats> = vec![SeriesStats::default(); self.shop.lines.len()];
        let mut handed = Vec::new();
        for service in Service::ALL {
            let mut minutes = Minutes::default();
            for (from, length) in steps(at, self.fine_from, self.shop.course.to) {
                minutes.spans.push(self.shop.span(service, from, length, &mut minutes.slow, &mut sums));
            }
            self.remember(&minutes.slow);
            let oldest = self.shop.course.to.before(SLOW_KEPT);
            minutes.slow.retain(|noted| noted.execution.at >= oldest);
            handed.push((service, minutes));
        }
        self.add(at, &sums);
        handed
    }

    fn remember(&mut self, noted: &[Noted]) {
        let slow = noted.iter().filter(|noted| noted.execution.reason == Reason::Slow);
        let executions = slow.filter_map(|noted| {
            let slow = &noted.execution;
            let line = self.shop.lines.iter().find(|line| line.query.query.hash == slow.query.hash)?;
            Some(Execution {
                at: slow.at,
                database: slow.identity.database.to_string(),
                query_hash: slow.query.hash,
                class: line.query.class,
                summary: line.query.summary.to_string(),
                duration: slow.duration,
                is_running: false,
                is_exempt: false,
            })
        });
        self.executions.extend(executions);
    }

    fn add(&mut self, at: WallTime, sums: &[SeriesStats]) {
        for (line, sum) in self.shop.lines.iter().zip(sums).filter(|(_, sum)| sum.calls > 0) {
            self.calls += sum.calls;
            let database = line.identity.database.to_string();
            *self.counting.entry((line.identity.user.to_string(), database.clone())).or_default() +=
                sum.calls - sum.errors;
            let hours = self.hours.entry((database, line.query.query.hash)).or_default();
            let hour =
                Hour { at, calls: sum.calls, errors: sum.errors, total: sum.total, durations: sum.durations.clone() };
            match hours.last_mut().filter(|last| last.at == at) {
                Some(last) => last.add(&hour),
                None => hours.push(hour),
            }
        }
    }

    /// The data statements with their hours before `to`, as whoever judges reads them.
    pub(super) fn statements(&self, to: WallTime) -> Vec<Statement> {
        let since = to.before(HOURS_BACK);
        let statements = self.hours.iter().filter_map(|((database, hash), hours)| {
            let line = self.shop.lines.iter().find(|line| line.query.query.hash == *hash)?;
            let recent = hours.iter().filter(|hour| since <= hour.at && hour.at < to).cloned().collect::<Vec<_>>();
            (line.query.class == Class::Data && !recent.is_empty()).then(|| Statement {
                query_hash: *hash,
                database: Some(database.clone()),
                class: line.query.class,
                summary: line.query.summary.to_string(),
                is_exempt: false,
                first_seen: self.shop.first_seen(line),
                hours: recent,
                regressed_since: None,
            })
        });
        statements.collect()
    }

    /// Slow executions that ended in a time.
    pub(super) fn executions(&self, from: WallTime, to: WallTime) -> Vec<Execution> {
        self.executions.iter().filter(|one| from < one.at && one.at <= to).cloned().collect()
    }

    /// What the server had counted by then; of users that go around pgvitals as well.
    pub(super) fn counted(&self, at: WallTime) -> Calls {
        let known = self.counted.range(..=at).next_back().map(|(_, counted)| counted);
        let counted = if at >= self.shop.course.to { Some(&self.counting) } else { known };
        let by = counted.into_iter().flatten().map(|((user, database), calls)| CallsBy {
            user: user.clone(),
            database: database.clone(),
            calls: if user == "analyst" { calls + calls / 5 } else { *calls },
        });
        let around = CallsBy {
            user: "admin".to_owned(),
            database: "shop".to_owned(),
            calls: (self.shop.course.days(at) * 310.0) as u64,
        };
        Calls { by: by.chain([around]).collect(), since: Some(self.shop.course.from), evictions: Some(0) }
    }
}

impl Shop {
    /// Executions that are played in a time: of minutes, and before there are any of hours, that begin in it.
    pub fn calls(&self, fine_from: WallTime, from: WallTime, to: WallTime) -> u64 {
        let (mut at, mut calls) = (hour(from), 0);
        while at < to {
            let mut sums: Vec<SeriesStats> = vec![SeriesStats::default(); self.lines.len()];
            for service in Service::ALL {
                for (begin, length) in steps(at, fine_from, to).filter(|(begin, _)| *begin >= from) {
                    self.add_stats(service, begin, length, &mut Vec::new(), &mut sums);
                }
            }
            calls += sums.iter().map(|sum| sum.calls).sum::<u64>();
            at = at.after(HOUR);
        }
        calls
    }

    fn span(
        &self,
        service: Service,
        from: WallTime,
        length: Nanos,
        noted: &mut Vec<Noted>,
        sums: &mut [SeriesStats],
    ) -> Span {
        let mut span =
            Span::made(from, from.after(length), self.sessions(service, from, length), self.open(service, from));
        for (place, stats) in self.add_stats(service, from, length, noted, sums) {
            if let Some(line) = self.lines.get(place) {
                let none = crate::sql::statement::Tags::default();
                let tags = if line.is_data() { &*line.tags } else { &none };
                span.add(&line.query, &line.identity, tags, &stats);
            }
        }
        span
    }

    fn add_stats(
        &self,
        service: Service,
        from: WallTime,
        length: Nanos,
        noted: &mut Vec<Noted>,
        sums: &mut [SeriesStats],
    ) -> Vec<(usize, SeriesStats)> {
        let mut found = Vec::new();
        for (place, line) in self.lines.iter().enumerate().filter(|(_, line)| line.service == service) {
            let Some(stats) = self.stats(line, from, length, noted) else { continue };
            if let Some(sum) = sums.get_mut(place) {
                sum.merge(&stats);
            }
            found.push((place, stats));
        }
        found
    }

    fn open(&self, service: Service, at: WallTime) -> u64 {
        match service {
            Service::Shop => (30.0 + 30.0 * self.course.load(at)) as u64,
            Service::BackOffice => 9 + 4 * (self.course.office(at) as u64),
        }
    }

    fn sessions(&self, service: Service, from: WallTime, length: Nanos) -> SessionStats {
        let mut chance = Chance::of(self.course.seed, [service as u64 + (1 << 40), from.unix_micros().cast_unsigned()]);
        let (minutes, mut stats) = (length.as_secs_f64() / 60.0, SessionStats::default());
        let (opened, transactions, idle) = match service {
            Service::Shop => (1.6, 21.0 * self.course.load(from), 0.08),
            Service::BackOffice => (0.5, 3.0, 0.3),
        };
        for _ in 0..chance.count(opened * minutes) {
            stats.started(Nanos::from_micros((3_200.0 * chance.factor(0.4)) as u64));
            stats.session_ended(None);
        }
        let all = chance.count(transactions * minutes);
        let Some(identity) = self.lines.iter().find(|line| line.service == service).map(|line| &line.identity) else {
            return stats;
        };
        for _ in 0..all.min(TRANSACTIONS_MAX * minutes.max(1.0) as u64) {
            let duration = Nanos::from_micros((31_000.0 * chance.factor(0.5)) as u64);
            let committed = chance.unit() > 0.01;
            stats.transaction(&Transaction { identity: Arc::clone(identity), duration, statements: 4, committed });
            stats.idle_in_transaction += Nanos::new((duration.get() as f64 * idle) as u64);
        }
        if service == Service::Shop && self.course.sale().holds(from) {
            let refused = chance.count(0.4 * minutes);
            (0..refused).for_each(|_| stats.startup_failed(Some(Sqlstate::TOO_MANY_CONNECTIONS)));
        }
        stats
    }
}

/// The steps of an hour that begin before `end`.
fn steps(at: WallTime, fine_from: WallTime, end: WallTime) -> impl Iterator<Item = (WallTime, Nanos)> {
    let (count, length) = if at >= fine_from { (60, MINUTE) } else { (1, HOUR) };
    let step = move |place: u64| (at.after(Nanos::new(length.get() * place)), length);
    (0..count).map(step).filter(move |(from, _)| *from < end)
}
