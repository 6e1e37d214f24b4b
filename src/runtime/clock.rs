//! The only file that reads a clock. Everybody else takes a [`Stamp`] or a [`WallTime`] as a parameter.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::base::units::{Nanos, Stamp, WallTime};

/// The process's clock: copies share one origin, so their stamps compare.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    /// What the wall clock showed at a moment of the runtime's time; `None`: the system's clock is the wall clock.
    wall: Option<(tokio::time::Instant, WallTime)>,
}

impl Clock {
    /// A clock whose stamps count from now.
    #[allow(clippy::disallowed_methods)] // The one place.
    pub fn start() -> Self {
        Self { origin: Instant::now(), wall: None }
    }

    /// A clock whose wall shows `at` now and goes with the runtime's timers: who moves these, as tests do, moves it too.
    pub fn showing(at: WallTime) -> Self {
        Self { wall: Some((tokio::time::Instant::now(), at)), ..Self::start() }
    }

    /// Now, on the monotonic clock.
    #[inline]
    pub fn stamp(&self) -> Stamp {
        Stamp::from_nanos(u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// Now, on the wall clock.
    #[allow(clippy::disallowed_methods)] // The one place.
    pub fn wall(&self) -> WallTime {
        if let Some((then, at)) = self.wall {
            return at.after(Nanos::new(u64::try_from(then.elapsed().as_nanos()).unwrap_or(u64::MAX)));
        }
        let micros = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
        WallTime::from_unix_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }

    /// How long until the wall clock's next full second.
    pub fn until_next_second(&self) -> Duration {
        let into = self.wall().unix_micros().rem_euclid(1_000_000);
        Duration::from_micros(1_000_000 - into.unsigned_abs())
    }
}

/// The name of the kernel's clock source when reading it is a system call, so that each stamp costs ten times as much.
#[cfg(target_os = "linux")]
pub fn slow_source() -> Option<String> {
    let source = std::fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource").ok()?;
    let source = source.trim();
    (!has_vdso_path(source)).then(|| source.to_owned())
}

/// Elsewhere nothing is known of the clock source.
#[cfg(not(target_os = "linux"))]
pub fn slow_source() -> Option<String> {
    None
}

#[cfg(any(target_os = "linux", test))]
fn has_vdso_path(source: &str) -> bool {
    matches!(source, "tsc" | "kvm-clock" | "arch_sys_counter") || source.starts_with("hyperv")
}

/// The moment `limit` from now, for timers of the runtime.
pub fn deadline(limit: Duration) -> tokio::time::Instant {
    tokio::time::Instant::now() + limit
}

/// A time up to `most`, by chance, so that a fleet doesn't do the same all at once.
pub fn chance(most: Duration) -> Duration {
    let mut byte = [0];
    // Without randomness everybody waits the same time.
    getrandom::fill(&mut byte).unwrap_or_default();
    most.mul_f64(f64::from(byte[0]) / 255.0)
}

/// What is left until `deadline`; zero when it has passed.
pub fn left(deadline: tokio::time::Instant) -> Duration {
    deadline.saturating_duration_since(tokio::time::Instant::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_a_clock_share_their_origin() {
        let clock = Clock::start();
        let copy = clock;
        let (first, second) = (clock.stamp(), copy.stamp());
        assert!(second >= first);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wall_clock_that_was_set_goes_with_the_runtime_s_timers() {
        let clock = Clock::showing(WallTime::from_unix_micros(7));
        assert_eq!(clock.wall(), WallTime::from_unix_micros(7));
        tokio::time::advance(Duration::from_secs(3_600)).await;
        assert_eq!(clock.wall(), WallTime::from_unix_micros(3_600_000_007));
    }

    #[test]
    fn the_next_second_is_at_most_one_away() {
        let wait = Clock::start().until_next_second();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
    }

    #[test]
    fn only_sources_that_are_read_without_a_system_call_pass() {
        for quick in ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter"] {
            assert!(has_vdso_path(quick), "{quick}");
        }
        for slow in ["hpet", "acpi_pm", "xen", "jiffies"] {
            assert!(!has_vdso_path(slow), "{slow}");
        }
    }
}
