//! What tests of this room build their cases from.

use std::sync::Arc;

use crate::base::sqlstate::Sqlstate;
use crate::base::units::{Nanos, Stamp, WallTime};
use crate::session::observation::{Event, Observer};
use crate::sql::statement::{Details, Tags};
use crate::stats::Settings;
use crate::stats::live::{LiveView, Window};
use crate::stats::outbox::Outbox;
use crate::stats::recorder::Recorder;
pub(crate) use crate::stats::tests::sample::{identity, observation, query};

/// Details of an execution that has these tags.
pub(crate) fn tagged(tags: Tags) -> Option<Arc<Details>> {
    Details { tags: Some(Arc::new(tags)), ..Details::default() }.kept()
}

/// The `n`th of many SQLSTATEs.
pub(crate) fn code(n: usize) -> Sqlstate {
    Sqlstate::parse(format!("22{n:03}").as_bytes()).expect("five digits")
}

/// Seconds into the epoch's first hours.
pub(crate) fn at(seconds: i64) -> WallTime {
    WallTime::from_unix_micros(seconds * 1_000_000)
}

/// A worker that feeds a view.
pub(crate) struct Worker {
    pub(crate) recorder: Recorder,
    number: usize,
}

impl Worker {
    /// One of `of` workers.
    pub(crate) fn new(number: usize, of: usize, settings: &Settings) -> Self {
        Self { recorder: Recorder::new(settings, of, Arc::default()), number }
    }

    /// The only worker, default settings.
    pub(crate) fn alone() -> Self {
        Self::new(0, 1, &Settings::default())
    }

    /// Executes `text` as `application` on database `app`.
    pub(crate) fn run(&mut self, text: &str, application: &str, millis: u64) {
        let one = observation(&query(text), &identity("app", application), Nanos::from_millis(millis));
        self.tell(Event::Statement(one));
    }

    /// Records any event.
    pub(crate) fn tell(&mut self, event: Event) {
        self.recorder.observe(event);
    }

    /// Hands in what was recorded, as if taken `seconds` into the epoch.
    pub(crate) fn hand_in(&mut self, view: &mut LiveView, seconds: i64) {
        self.hand_in_to(view, None, seconds);
    }

    /// The same, also into an outbox.
    pub(crate) fn hand_in_to(&mut self, view: &mut LiveView, outbox: Option<&mut Outbox>, seconds: i64) {
        if let Some(harvest) = self.recorder.harvest(at(seconds), Stamp::from_nanos(0)) {
            view.absorb_into(self.number, harvest, outbox);
        }
    }
}

/// From one second to another, the end excluded.
pub(crate) fn window(from: i64, to: i64) -> Window {
    Window { from: at(from), to: at(to) }
}

/// All that there is.
pub(crate) fn ever() -> Window {
    window(0, i64::from(u32::MAX))
}
