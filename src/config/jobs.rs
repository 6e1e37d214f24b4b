//! When jobs run, and who may start them.

use jiff::tz::TimeZone;

use super::error::Problem;
use super::settings::Reader;
use super::value;
use crate::jobs::schedule::Schedule;
use crate::jobs::settings::Settings;

impl Reader {
    pub(super) fn jobs(&mut self) -> Settings {
        Settings {
            hourly: self.get("jobs.hourly", schedule),
            first: self.get("jobs.first", value::duration).into(),
            daily: self.get("jobs.daily", schedule),
            time_zone: self.read("time_zone", zone).flatten().unwrap_or_else(TimeZone::system),
        }
    }
}

fn schedule(text: &str) -> Result<Option<Schedule>, Problem> {
    if text == "off" {
        return Ok(None);
    }
    let advice = "write minute, hour, day of the month, month, day of the week, such as 0 2 * * *, or off";
    text.parse().map(Some).map_err(|error: crate::jobs::schedule::Error| Problem::new(error.to_string(), advice))
}

fn zone(text: &str) -> Result<Option<TimeZone>, Problem> {
    let advice = "write a name such as Europe/Berlin, or UTC; names need the system's tzdata";
    TimeZone::get(text).map(Some).map_err(|error| Problem::new(error.to_string(), advice))
}
