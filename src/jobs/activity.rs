//! Whether anything happens on a monitored server: what memory has measured, or what sidecars have written.

use tokio::sync::watch;

use crate::base::units::{Nanos, WallTime};
use crate::stats::live::{Filter, LiveView, Window};
use crate::store::read::{Question, Reader, Wanted, Whose};

/// A step of the tables' answer; how fine it is does not matter.
const STEP: Nanos = Nanos::from_millis(3_600_000);

/// Who knows.
#[derive(Debug)]
pub enum Activity {
    /// This process measures.
    Memory(watch::Receiver<LiveView>),
    /// Others do.
    Tables(Box<Reader>),
}

impl Activity {
    /// Returns when a data statement has passed; false when nobody measures any more. Whoever asks the tables need not wait:
    /// others have measured before.
    pub(super) async fn begun(&mut self) -> bool {
        let Self::Memory(live) = self else { return true };
        live.wait_for(|view| calls(view, Window { from: view.started(), to: view.at() }, None) > 0).await.is_ok()
    }

    /// Whether no data statement passed to a server from then until now. Where the tables don't answer something may have.
    pub(super) async fn is_idle(&self, server: &str, from: WallTime, now: WallTime) -> bool {
        let window = Window { from, to: now.after(Nanos::new(1_000)) };
        let reader = match self {
            Self::Memory(live) => {
                // A clone: whoever merges must not wait for us.
                let view = live.borrow().clone();
                return calls(&view, window, Some(server)) == 0;
            }
            Self::Tables(reader) => reader,
        };
        let question = Question {
            window: Window { from: window.from.minute(), to: window.to },
            filter: of(Some(server)),
            whose: Whose::All,
            wanted: Wanted { timeline: Some(STEP), ..Wanted::default() },
        };
        let past = reader.ask(&question).await;
        past.is_ok_and(|past| {
            past.timeline.iter().filter_map(|point| point.stats.as_ref()).all(|stats| stats.calls == 0)
        })
    }
}

fn of(server: Option<&str>) -> Filter {
    Filter { server: server.map(str::to_owned), ..Filter::default() }
}

fn calls(view: &LiveView, window: Window, server: Option<&str>) -> u64 {
    view.totals(window, &of(server)).calls
}
