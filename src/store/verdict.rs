//! What an error of the store means for what was to be written. docs/store.md shows this table to people.

use std::time::Duration;

use tokio_postgres::error::SqlState;

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// A row is at fault: find it, drop it, write the others.
    Row,
    /// The store is away or busy: try again soon.
    Retry,
    /// Somebody has to do something: look again later.
    Later,
}

impl Verdict {
    /// By SQLSTATE; `None` is an error of the network or of the driver.
    pub fn of(code: Option<&SqlState>) -> Self {
        let Some(code) = code.map(SqlState::code) else { return Self::Retry };
        match code {
            // Out of disk, too many rules of the owner's: no haste.
            "53100" => Self::Later,
            // Refused in a hurry: a lock, a server that starts or stops, a role of a standby, a deadlock.
            "25006" | "55P03" | "57014" | "57P01" | "57P02" | "57P03" | "57P05" => Self::Retry,
            _ => match code.get(..2).unwrap_or_default() {
                "22" | "23" => Self::Row,
                "08" | "40" | "53" | "57" | "58" | "25" | "XX" => Self::Retry,
                // Rights (42501), row-level security (0A000), tables or schema gone (42P01, 3F000), log-in (28…), and
                // whatever else time alone will not mend.
                _ => Self::Later,
            },
        }
    }

    /// The pause before attempt `n` (from 1), before chance is added.
    pub fn pause(self, attempt: u32) -> Duration {
        const FIRST: Duration = Duration::from_millis(500);
        const LONGEST: Duration = Duration::from_secs(30);
        match self {
            Self::Later => Duration::from_secs(60),
            Self::Row | Self::Retry => FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(LONGEST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sqlstate_of_the_documents_has_its_verdict() {
        let of = |code: &str| Verdict::of(Some(&SqlState::from_code(code)));
        ["22021", "22P05", "23514"].iter().for_each(|code| assert_eq!(of(code), Verdict::Row, "{code}"));
        ["53300", "57P01", "57P05", "25006", "08006", "40P01", "55P03"]
            .iter()
            .for_each(|code| assert_eq!(of(code), Verdict::Retry, "{code}"));
        ["42501", "3F000", "42P01", "53100", "0A000", "28P01", "3D000"]
            .iter()
            .for_each(|code| assert_eq!(of(code), Verdict::Later, "{code}"));
        assert_eq!(Verdict::of(None), Verdict::Retry);
    }

    #[test]
    fn pauses_grow_to_a_limit() {
        let pause = |attempt| Verdict::Retry.pause(attempt).as_millis();
        assert_eq!([1, 2, 3, 9, 4_000].map(pause), [500, 1_000, 2_000, 30_000, 30_000]);
        assert_eq!(Verdict::Later.pause(1), Duration::from_secs(60));
    }
}
