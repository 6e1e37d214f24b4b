//! The composition roots: settings to rooms, wired together, run, drained.
//!
//! Reading order: [`Settings`], [`process`] what every process has, [`run`] a proxy with its HTTP side, [`serve`] a store's HTTP
//! side and what is done there for all, without a proxy.

mod process;
mod run;
mod serve;

use crate::jobs::judge;
use crate::{analyze, collect, http, jobs, notify, proxy, stats, store};

pub use run::run;
pub use serve::serve;

/// The settings of every room.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The data plane.
    pub proxy: proxy::Settings,
    /// Aggregates in memory.
    pub stats: stats::Settings,
    /// The rules.
    pub analyze: analyze::Settings,
    /// When alerts are judged.
    pub judge: judge::Rhythm,
    /// Who is told of alerts, and how.
    pub notify: notify::settings::Settings,
    /// The HTTP side.
    pub http: http::Settings,
    /// The monitoring tables, if there are any.
    pub store: Option<store::settings::Settings>,
    /// The monitored servers behind the routes that can be asked.
    pub collect: Vec<collect::settings::Settings>,
    /// The monitored servers that [`serve`] asks by itself.
    pub monitors: Vec<collect::settings::Settings>,
    /// When that is done, and what is done for all.
    pub jobs: jobs::settings::Settings,
}

impl Settings {
    /// Keys whose values differ in `new` and that wait for a restart in every process.
    fn fixed(&self, new: &Self) -> Vec<&'static str> {
        let mut fixed = self.analyze.changed(&new.analyze);
        fixed.extend(self.notify.changed(&new.notify));
        fixed.extend(self.jobs.changed(&new.jobs));
        fixed.extend(self.http.changed(&new.http));
        fixed.extend(store::settings::Settings::changed(self.store.as_ref(), new.store.as_ref()));
        fixed
    }
}
