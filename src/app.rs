//! The composition root: settings to rooms, wired together, run, drained.

use crate::{http, proxy, stats};

/// The settings of every room.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The data plane.
    pub proxy: proxy::Settings,
    /// Aggregates in memory.
    pub stats: stats::Settings,
    /// The HTTP side.
    pub http: http::Settings,
}
