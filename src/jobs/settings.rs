//! What the owner may set.

use jiff::tz::TimeZone;

use super::schedule::Schedule;

/// When jobs run.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// When servers are looked at; `None`: only when somebody asks for it.
    pub hourly: Option<Schedule>,
    /// When the store is maintained, likewise.
    pub daily: Option<Schedule>,
    /// Where these times hold and days begin.
    pub time_zone: TimeZone,
}

impl Default for Settings {
    fn default() -> Self {
        Self { hourly: "0 * * * *".parse().ok(), daily: "0 2 * * *".parse().ok(), time_zone: TimeZone::UTC }
    }
}

impl Settings {
    /// Keys whose values differ; none of them changes while pgvitals runs.
    pub fn changed(&self, new: &Self) -> Vec<&'static str> {
        let same = [
            ("jobs.hourly", self.hourly == new.hourly),
            ("jobs.daily", self.daily == new.daily),
            ("time_zone", self.time_zone == new.time_zone),
        ];
        same.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
    }
}
