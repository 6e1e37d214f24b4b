//! When the server answered what, as far as later statements' starts depend on it (PROTOCOL §5).

use crate::base::units::Stamp;

/// The reads that hold the last answers.
///
/// Answers to Parse, Bind and Describe count only when Sync or Flush parted them from the Execute behind them:
/// otherwise the server holds them back, and they lie inside of it.
#[derive(Debug, Default)]
pub(super) struct Answers {
    last: Stamp,
    /// Of the latest Parse, Bind or Describe that stood alone: when it was sent and answered.
    minor: Option<(Stamp, Stamp)>,
}

impl Answers {
    /// A completion or ReadyForQuery was read at `now`.
    #[inline]
    pub(super) fn major(&mut self, now: Stamp) {
        self.last = now;
        self.minor = None;
    }

    /// The answer to a Parse, Bind or Describe that stood alone was read at `now`.
    pub(super) fn minor(&mut self, sent: Stamp, now: Stamp) {
        if let Some((before, answered)) = self.minor
            && before < sent
        {
            self.last = self.last.max(answered);
        }
        self.minor = Some((sent, now));
    }

    /// The start of a Parse that was sent at `sent` and stands alone, if it is the next to be answered.
    pub(super) fn start_alone(&self, sent: Stamp) -> Stamp {
        let minor = self.minor.map_or(Stamp::default(), |(_, answered)| answered);
        sent.max(self.last).max(minor)
    }

    /// The start of what was sent at `sent`, if it is the next to be answered.
    #[inline]
    pub(super) fn start(&self, sent: Stamp) -> Stamp {
        let minor = self.minor.filter(|(before, _)| *before < sent).map_or(Stamp::default(), |(_, answered)| answered);
        sent.max(self.last).max(minor)
    }
}
