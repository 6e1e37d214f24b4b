//! Hours in which people sleep: what is not critical waits for their end.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::base::units::WallTime;

/// A part of each local day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuietHours {
    from: Time,
    to: Time,
}

/// What can be wrong with them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotHours {
    /// Not `22:00-07:00`.
    #[error("not two times of the day")]
    Form,
    /// They end when they begin.
    #[error("the two times are the same")]
    Same,
}

impl QuietHours {
    /// `22:00-07:00`: from the first time to the second, of the next day where that is earlier.
    ///
    /// # Errors
    /// Another form, or twice the same time.
    pub fn parse(text: &str) -> Result<Self, NotHours> {
        let (from, to) = text.split_once('-').ok_or(NotHours::Form)?;
        let (from, to) = (time(from)?, time(to)?);
        if from == to { Err(NotHours::Same) } else { Ok(Self { from, to }) }
    }

    /// When the hours that hold `now` end; `None` outside of them.
    pub fn end(&self, now: WallTime, time_zone: &TimeZone) -> Option<WallTime> {
        let local = Timestamp::from_microsecond(now.unix_micros()).ok()?.to_zoned_datetime(time_zone.clone());
        let time = local.time();
        let over_midnight = self.from > self.to;
        let is_inside =
            if over_midnight { time >= self.from || time < self.to } else { time >= self.from && time < self.to };
        if !is_inside {
            return None;
        }
        let last_day = if over_midnight && time >= self.from { local.date().tomorrow().ok()? } else { local.date() };
        // A time that the clock skips that day is taken as the one after the gap.
        let end = last_day.to_datetime(self.to).to_zoned_datetime(time_zone.clone()).ok()?;
        Some(WallTime::from_unix_micros(end.timestamp().as_microsecond()))
    }
}

/// `7:30` or `07:30`.
fn time(text: &str) -> Result<Time, NotHours> {
    let (hour, minute) = text.trim().split_once(':').ok_or(NotHours::Form)?;
    let part = |text: &str, width: std::ops::RangeInclusive<usize>| {
        let is_number = width.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { text.parse::<i8>().map_err(|_| NotHours::Form) } else { Err(NotHours::Form) }
    };
    Time::new(part(hour, 1..=2)?, part(minute, 2..=2)?, 0, 0).map_err(|_| NotHours::Form)
}
