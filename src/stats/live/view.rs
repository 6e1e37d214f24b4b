//! How harvests come into the live view, and how it stays under its ceiling.

use std::sync::Arc;

use super::active::Active;
use super::answer::Reason;
use super::cumulative::Cumulative;
use super::second::Second;
use crate::base::telemetry::{Dropped, Telemetry};
use crate::base::units::WallTime;
use crate::sql::kind::Class;
use crate::stats::Settings;
use crate::stats::admission::{Admission, Evicted};
use crate::stats::ceiling;
use crate::stats::harvest::{Harvest, HarvestedTags};
use crate::stats::history::History;
use crate::stats::outbox::Outbox;
use crate::stats::registry::Registry;
use crate::stats::rings::Rings;

/// What a new series costs in all tables together, its text and buckets aside; rounded up.
const NEWCOMER: usize = 2_048;

/// Memory at one moment; one is published after each merge.
#[derive(Clone, Debug)]
pub struct LiveView {
    pub(super) at: WallTime,
    pub(super) started: WallTime,
    pub(super) history: Arc<History>,
    pub(super) admission: Arc<Admission>,
    pub(super) registry: Arc<Registry>,
    pub(super) slow: Arc<Rings>,
    pub(super) active: Arc<Active>,
    pub(super) cumulative: Arc<Cumulative>,
    pub(super) last_second: Arc<Second>,
    this_second: Arc<Second>,
    settings: Settings,
    telemetry: Arc<Telemetry>,
    most_bytes: usize,
}

impl Default for LiveView {
    fn default() -> Self {
        Self::new(&Settings::default(), WallTime::default(), Arc::default())
    }
}

impl LiveView {
    /// An empty view of a process that began to measure at `started`; counts in `telemetry` what it has to leave out.
    pub fn new(settings: &Settings, started: WallTime, telemetry: Arc<Telemetry>) -> Self {
        Self {
            at: started,
            started,
            history: Arc::new(History::new(started)),
            admission: Arc::new(Admission::new(settings.max_series)),
            registry: Arc::default(),
            slow: Arc::default(),
            active: Arc::default(),
            cumulative: Arc::default(),
            last_second: Arc::default(),
            this_second: Arc::new(Second::of(started)),
            settings: settings.clone(),
            telemetry,
            most_bytes: ceiling::MERGED,
        }
    }

    /// Goes on under other settings.
    pub fn tune(&mut self, settings: &Settings) {
        if self.settings != *settings {
            self.settings = settings.clone();
            Arc::make_mut(&mut self.admission).limit(settings.max_series);
        }
    }

    /// What it is kept under: thresholds for those who show it.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The same under another ceiling than [`ceiling::MERGED`].
    pub fn bounded(self, most_bytes: usize) -> Self {
        Self { most_bytes, ..self }
    }

    /// Adds the harvest of one worker; what is active in it replaces what was. A harvest that comes late goes into the
    /// minute that it was taken in.
    pub fn absorb(&mut self, worker: usize, harvest: Harvest) {
        self.absorb_into(worker, harvest, None);
    }

    /// The same, and what it brings is also put into the outbox.
    pub fn absorb_into(&mut self, worker: usize, mut harvest: Harvest, mut outbox: Option<&mut Outbox>) {
        self.at = self.at.max(harvest.at);
        self.roll(harvest.at);
        let active = Arc::make_mut(&mut self.active);
        let (statements, transactions) =
            (std::mem::take(&mut harvest.active), std::mem::take(&mut harvest.transactions));
        active.replace(worker, statements, transactions, harvest.open_sessions);
        self.absorb_series(&harvest, outbox.as_deref_mut());
        self.absorb_tags(&harvest, outbox.as_deref_mut());
        self.absorb_slow(&mut harvest, outbox.as_deref_mut());
        if let Some(outbox) = outbox {
            outbox.set_open_sessions(harvest.at, self.active.open_sessions);
        }
        self.settle();
    }

    fn absorb_series(&mut self, harvest: &Harvest, mut outbox: Option<&mut Outbox>) {
        let mut left = self.most_bytes.saturating_sub(self.memory_bytes());
        let admission = Arc::make_mut(&mut self.admission);
        let registry = Arc::make_mut(&mut self.registry);
        let cumulative = Arc::make_mut(&mut self.cumulative);
        let second = Arc::make_mut(&mut self.this_second);
        let span = Arc::make_mut(&mut self.history).span_of(harvest.at);
        cumulative.sessions.merge(&harvest.sessions);
        span.sessions.merge(&harvest.sessions);
        if let Some(outbox) = outbox.as_deref_mut() {
            outbox.add_sessions(harvest);
        }
        for gained in &harvest.series {
            let known = admission.series().0;
            let place = admission.place(&gained.query, &gained.identity, harvest.at, left > 0, registry);
            if admission.series().0 > known {
                left = left.saturating_sub(NEWCOMER + gained.query.text.len() + 2 * gained.stats.heap_bytes());
            }
            cumulative.add(&place, gained);
            second.add(&place, &gained.stats);
            span.add(&place, &gained.stats);
            if let Some(outbox) = outbox.as_deref_mut() {
                outbox.add(harvest.at, &place, &gained.stats);
            }
        }
    }

    fn absorb_tags(&mut self, harvest: &Harvest, mut outbox: Option<&mut Outbox>) {
        if harvest.tagged.is_empty() && harvest.tagged_other.is_empty() {
            return;
        }
        let registry = Arc::make_mut(&mut self.registry);
        let tags = &mut Arc::make_mut(&mut self.history).span_of(harvest.at).tags;
        for HarvestedTags { query, tags: set, stats } in &harvest.tagged {
            if let Some(name) = &set.name {
                registry.name(query.hash, name);
            }
            if registry.get(query.hash).is_none_or(|known| known.class == Class::Data) {
                tags.add(set, query.hash, stats);
                if let Some(outbox) = outbox.as_deref_mut() {
                    outbox.add_tags(harvest.at, set, query.hash, stats);
                }
            }
        }
        for (key, stats) in &harvest.tagged_other {
            tags.add_other(key, stats);
            if let Some(outbox) = outbox.as_deref_mut() {
                outbox.add_other_tags(harvest.at, key, stats);
            }
        }
    }

    fn absorb_slow(&mut self, harvest: &mut Harvest, mut outbox: Option<&mut Outbox>) {
        if harvest.slow.is_empty() && harvest.refused.is_empty() {
            return;
        }
        let rings = Arc::make_mut(&mut self.slow);
        for mut execution in harvest.slow.drain(..) {
            let (hash, reason) = (execution.query.hash, execution.reason);
            let known = self.registry.get(hash);
            let by_time = matches!(reason, Reason::Slow | Reason::Running);
            if by_time && known.is_some_and(|known| known.class == Class::Introspection) {
                continue;
            }
            if let Some(known) = known {
                execution.query = Arc::clone(&known.query);
            }
            let execution = Arc::new(execution);
            let pushed = rings.push(Arc::clone(&execution));
            match pushed {
                Some(older) => self.telemetry.dropped(Dropped::History, older),
                None => self.telemetry.dropped(reason.dropped(), 1),
            }
            match outbox.as_deref_mut() {
                Some(outbox) if pushed.is_some() => outbox.note(&execution),
                Some(outbox) => outbox.suppress(hash, reason, 1),
                None => {}
            }
        }
        if let Some(outbox) = outbox {
            harvest.refused.iter().for_each(|refused| outbox.suppress(refused.hash, refused.reason, refused.count));
        }
    }

    /// Closes the second and the minute that are over at `now`; called once a second.
    pub fn tick(&mut self, now: WallTime) {
        self.at = now;
        if !self.this_second.holds(now) {
            self.last_second = std::mem::replace(&mut self.this_second, Arc::new(Second::of(now)));
        }
        if now < self.history.opened() && Arc::make_mut(&mut self.history).set_back(now) {
            Arc::make_mut(&mut self.admission).set_back(now);
            Arc::make_mut(&mut self.slow).set_back(now);
        }
        self.roll(now);
    }

    /// Closes the open minute if it is over; series that were idle in it make room for those that were turned away.
    fn roll(&mut self, now: WallTime) {
        if now < self.history.opened_until() {
            return;
        }
        let Some(closed) = Arc::make_mut(&mut self.history).roll(now) else { return };
        let registry = Arc::make_mut(&mut self.registry);
        let admission = Arc::make_mut(&mut self.admission);
        let evicted = admission.make_room(closed, registry);
        registry.sweep(&admission.hashes(), now, self.most_bytes / 10);
        Arc::make_mut(&mut self.history).fold(&evicted);
    }

    /// Gets under the ceiling: resolution goes first, then the series that were idle longest. Counts stay exact.
    fn settle(&mut self) {
        while self.memory_bytes() > self.most_bytes / 8 * 7 {
            if !Arc::make_mut(&mut self.history).coarsen() && !self.shed() {
                break;
            }
        }
    }

    fn shed(&mut self) -> bool {
        let registry = Arc::make_mut(&mut self.registry);
        let admission = Arc::make_mut(&mut self.admission);
        let evicted: Vec<Evicted> = admission.shed(registry);
        registry.sweep(&admission.hashes(), self.at, 0);
        Arc::make_mut(&mut self.history).fold(&evicted);
        !evicted.is_empty()
    }

    /// Bytes that it holds, the registry of texts included.
    pub fn memory_bytes(&self) -> usize {
        self.history.memory_bytes()
            + self.registry.memory_bytes()
            + self.admission.memory_bytes()
            + self.slow.memory_bytes()
            + self.cumulative.memory_bytes()
            + self.this_second.memory_bytes()
            + self.last_second.memory_bytes()
    }
}
