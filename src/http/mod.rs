//! The HTTP side: API, metrics, health, all read from a [`crate::stats::live::LiveView`]. Knows nothing of the data plane.
