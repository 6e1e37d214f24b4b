//! The composition root: settings to rooms, wired together, run, drained.

/// What each room is set to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The data plane.
    pub proxy: crate::proxy::Settings,
    /// Aggregates in memory.
    pub stats: crate::stats::Settings,
}
