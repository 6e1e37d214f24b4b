//! Alerts in memory: without a store all that there are, with one what a process sees alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::analyze;
use crate::analyze::alert::{Alert, Change, Silence};
use crate::analyze::book::Book;
use crate::base::telemetry::Channel;
use crate::base::units::WallTime;
use crate::notify;
use crate::notify::queue::first_due;
use crate::store::alerts::desk::Acted;
use crate::store::alerts::notices::{About, Became, Told, Waiting};

/// Alerts that are over and still in memory.
const OVER_MAX: usize = 1_000;

#[derive(Debug)]
pub(super) struct Memory {
    pub(super) book: Book,
    next_id: i64,
    /// Open ones in the tables, as this process last saw them.
    pub(super) seen: Option<(WallTime, Vec<Alert>)>,
    /// What waits to be told of alerts in memory. Their ids are below zero: those of tables are above.
    pub(super) waiting: Vec<Waiting>,
    /// Who heard of which alert, and when of which server and database.
    heard: BTreeMap<i64, BTreeSet<Channel>>,
    pub(super) told: Vec<Told>,
}

impl Memory {
    /// Nothing, by these rules.
    pub(super) fn new(rules: &analyze::Settings) -> Self {
        Self {
            book: Book { settings: rules.clone(), ..Book::default() },
            next_id: 1,
            seen: None,
            waiting: Vec::new(),
            heard: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    /// Takes what was judged over; new rows get their ids.
    pub(super) fn apply(&mut self, changes: &mut [Change]) {
        for alert in changes.iter_mut().map(|change| &mut change.alert).filter(|alert| alert.id.is_none()) {
            alert.id = Some(self.next_id);
            self.next_id += 1;
        }
        self.book.apply(changes);
        self.forget();
    }

    /// Open ones, each once: ours, and those of the tables as they were last seen.
    pub(super) fn open(&self) -> Vec<Alert> {
        let mut open: Vec<Alert> = self.book.alerts.iter().filter(|alert| alert.is_open()).cloned().collect();
        for alert in self.seen.iter().flat_map(|(_, alerts)| alerts) {
            let is_same = |other: &Alert| {
                (&other.server, other.kind, &other.subject) == (&alert.server, alert.kind, &alert.subject)
            };
            if !open.iter().any(is_same) {
                open.push(alert.clone());
            }
        }
        open
    }

    /// Does something about an open one of ours.
    pub(super) fn act(&mut self, id: i64, act: impl FnOnce(&mut Vec<Silence>, &mut Alert)) -> Acted {
        let Book { alerts, silences, .. } = &mut self.book;
        let Some(alert) = alerts.iter_mut().find(|alert| alert.id == Some(id)) else { return Acted::Unknown };
        if !alert.is_open() {
            return Acted::Over;
        }
        act(silences, alert);
        Acted::Done(Box::new(alert.clone()))
    }

    /// Whether somebody was told of an alert of ours.
    pub(super) fn is_heard(&self, alert: &Alert) -> bool {
        alert.id.and_then(|id| self.heard.get(&id)).is_some_and(|heard| !heard.is_empty())
    }

    /// What is to be told of a change, a row for each who hears.
    pub(super) fn note(&mut self, change: &Change, now: WallTime, people: &notify::settings::Settings) {
        let (Some(notice), Some(id)) = (change.notice, change.alert.id) else { return };
        let heard = self.heard.entry(id).or_default();
        let channels = people.channels_of(notice, &change.alert, heard);
        heard.extend(&channels);
        // What waits says the state that the alert has now.
        for waiting in &mut self.waiting {
            if let About::Alert(_, alert) = &mut waiting.about
                && alert.id == Some(id)
            {
                **alert = change.alert.clone();
            }
        }
        for channel in channels {
            let about = About::Alert(notice, Box::new(change.alert.clone()));
            let last = self.waiting.iter().map(|waiting| waiting.id).min().unwrap_or_default();
            self.waiting.push(Waiting { id: last - 1, channel, about, due: first_due(now), attempts: 0 });
        }
        if change.alert.resolved_at.is_some() {
            self.heard.remove(&id);
        }
    }

    /// Notes what became of a row.
    pub(super) fn settle(&mut self, id: i64, became: Became, now: WallTime) {
        let Some(place) = self.waiting.iter().position(|waiting| waiting.id == id) else { return };
        if let (Became::Again(due), Some(waiting)) = (became, self.waiting.get_mut(place)) {
            (waiting.due, waiting.attempts) = (due, waiting.attempts.saturating_add(1));
            return;
        }
        let Waiting { channel, about, .. } = self.waiting.remove(place);
        if let (Became::Sent, About::Alert(_, alert)) = (became, about) {
            let (server, database) = (alert.server.clone(), alert.subject.database.clone());
            self.told.push(Told { channel, server, database, at: now });
        }
    }

    /// Lets go of the oldest that are over.
    fn forget(&mut self) {
        let mut over = self.book.alerts.iter().filter(|alert| !alert.is_open()).count().saturating_sub(OVER_MAX);
        self.book.alerts.retain(|alert| {
            let goes = over > 0 && !alert.is_open();
            over -= usize::from(goes);
            !goes
        });
    }
}
