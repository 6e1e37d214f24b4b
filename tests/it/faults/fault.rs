//! What can happen to a stream of bytes, at which of them.

use std::io::Write;
use std::time::Duration;

use crate::support::address::Stream;

/// How long a stalled stream stands still.
const STALL: Duration = Duration::from_millis(5);

/// What happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    None,
    /// The stream ends.
    Cut,
    /// Two writes.
    Split,
    /// The byte is another.
    Corrupt,
    /// Nothing comes for a while.
    Stall,
    /// The connection is reset.
    Reset,
}

/// A fault and its place, counted over all that its side says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    pub(super) at: usize,
}

impl Fault {
    pub(super) const NONE: Fault = Fault { kind: Kind::None, at: 0 };

    /// As the start-up's `options` carry it to the server.
    pub(super) fn label(self) -> String {
        format!("{:?}-{};", self.kind, self.at)
    }

    /// What the start-up asks for; nothing when it was spoilt.
    pub(super) fn of(packet: &[u8]) -> Self {
        let text = String::from_utf8_lossy(packet);
        let find = |kind: &Kind| -> Option<usize> {
            let (_, rest) = text.split_once(&format!("{kind:?}-"))?;
            rest.split_once(';')?.0.parse().ok()
        };
        let kinds = [Kind::Cut, Kind::Split, Kind::Corrupt, Kind::Stall, Kind::Reset];
        let found = kinds.into_iter().find_map(|kind| Some(Fault { kind, at: find(&kind)? }));
        found.unwrap_or(Fault::NONE)
    }

    /// Whether nothing is said behind it.
    pub(super) fn ends(self) -> bool {
        matches!(self.kind, Kind::Cut | Kind::Reset)
    }
}

/// One side's stream, with a fault in it.
pub(super) struct Faulty {
    fault: Fault,
    written: usize,
}

impl Faulty {
    pub(super) fn new(fault: Fault) -> Self {
        Self { fault, written: 0 }
    }

    /// Writes the next bytes as the fault wants it; false when nothing may follow. A peer that left ends it, too.
    pub(super) fn write(&mut self, bytes: &[u8], stream: &mut Stream) -> bool {
        let place = self.fault.at.checked_sub(self.written).filter(|place| *place < bytes.len());
        self.written += bytes.len();
        let Some(place) = place.filter(|_| self.fault.kind != Kind::None) else {
            return stream.write_all(bytes).is_ok();
        };
        let mut bytes = bytes.to_vec();
        if self.fault.kind == Kind::Corrupt {
            bytes[place] = !bytes[place];
        }
        let (first, rest) = bytes.split_at(place);
        if stream.write_all(first).is_err() {
            return false;
        }
        match self.fault.kind {
            Kind::Cut => return false,
            Kind::Reset => {
                stream.reset_on_close().unwrap();
                return false;
            }
            Kind::Stall => stream.quiet_for(STALL),
            Kind::None | Kind::Split | Kind::Corrupt => {}
        }
        stream.write_all(rest).is_ok()
    }
}
