//! What is kept from one question to the next, so that the store is not asked each time.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::seen::Seen;
use crate::base::units::WallTime;
use crate::store::read::{Days, MadeUp};

/// Each part is filled, and found to be too old, by whoever answers from it.
#[derive(Debug, Default)]
pub(in crate::http) struct Kept {
    /// What was made of the last look at each server.
    pub(in crate::http) seen: Mutex<HashMap<String, Made>>,
    /// What changed in each server's statements on the last day.
    pub(in crate::http) days: Mutex<HashMap<String, Arc<Days>>>,
    /// Which servers the tables knew, and when; only of who serves.
    pub(in crate::http) servers: Mutex<Option<(WallTime, Arc<Vec<String>>)>>,
    /// What was not measured at all, and when that was known.
    pub(in crate::http) made_up: Mutex<Option<(WallTime, Arc<MadeUp>)>>,
}

/// What was made of a look at a server.
#[derive(Debug)]
pub(in crate::http) struct Made {
    /// When.
    pub(in crate::http) at: WallTime,
    /// This process's round of which it was made.
    pub(in crate::http) round: Option<WallTime>,
    /// `None`: the store didn't answer in time for a headline.
    pub(in crate::http) seen: Option<Arc<Seen>>,
}
