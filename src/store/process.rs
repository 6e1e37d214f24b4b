//! What this process costs, as the operating system counts it. Linux tells it in `/proc`; elsewhere it is unknown.

use crate::base::units::Nanos;

/// What the process uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// Memory that is resident now.
    pub resident_bytes: u64,
    /// CPU time since the start, user and system, of all threads.
    pub cpu: Nanos,
}

impl Usage {
    /// Reads it; `None` where the system doesn't tell.
    #[cfg(target_os = "linux")]
    pub fn read() -> Option<Self> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        Some(Self { resident_bytes: resident_bytes(&status)?, cpu: cpu(&stat)? })
    }

    /// Unknown on this system.
    #[cfg(not(target_os = "linux"))]
    pub fn read() -> Option<Self> {
        None
    }
}

/// The unit of times in `/proc`: `USER_HZ`, 100 on every architecture that Linux runs on today (`man 5 proc_pid_stat`).
#[cfg(any(target_os = "linux", test))]
const TICK: Nanos = Nanos::from_millis(10);

/// `VmRSS` of `/proc/self/status`, which is in kibibytes.
#[cfg(any(target_os = "linux", test))]
fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// Fields 14 and 15 of `/proc/self/stat`; the name in field 2 may hold spaces and parentheses.
#[cfg(any(target_os = "linux", test))]
fn cpu(stat: &str) -> Option<Nanos> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Nanos::new(ticks()?.saturating_add(ticks()?).saturating_mul(TICK.get())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_read_by_its_manual() {
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t   2048 kB\nThreads:\t3\n"), Some(2_097_152));
        assert_eq!(resident_bytes("Name:\tx\n"), None);
        let stat = "7 (a ) name) S 1 7 7 0 -1 4194560 90 0 0 0 25 5 0 0 20 0 3 0 100 0 0";
        assert_eq!(cpu(stat), Some(Nanos::from_millis(300)));
        assert_eq!(cpu("7 (name) S 1"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_something() {
        let usage = Usage::read().expect("Linux has /proc");
        assert!(usage.resident_bytes > 100_000, "{usage:?}");
    }
}
