//! What the owner may set.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::schedule::Schedule;

/// When jobs run.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// When servers are looked at; `None`: only when somebody asks for it.
    pub hourly: Option<Schedule>,
    /// How long after its first statement a process looks for the first time, if nobody has in this hour.
    pub first: Duration,
    /// When the store is maintained, likewise.
    pub daily: Option<Schedule>,
    /// Where these times hold and days begin.
    pub time_zone: TimeZone,
}

impl Default for Settings {
    fn default() -> Self {
        let (hourly, daily) = ("0 * * * *".parse().ok(), "0 2 * * *".parse().ok());
        Self { hourly, first: Duration::from_secs(300), daily, time_zone: TimeZone::UTC }
    }
}

impl Settings {
    /// Keys whose values differ; none of them changes while pgvitals runs.
    pub fn changed(&self, new: &Self) -> Vec<&'static str> {
        let same = [
            ("jobs.hourly", self.hourly == new.hourly),
            ("jobs.first", self.first == new.first),
            ("jobs.daily", self.daily == new.daily),
            ("time_zone", self.time_zone == new.time_zone),
        ];
        same.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
    }
}
