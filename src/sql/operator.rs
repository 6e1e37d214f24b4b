//! The bytes of an operator, which may come one by one.

/// Bytes of one operator: PostgreSQL refuses any longer than 63, here it goes on as another one.
const OPERATOR_MAX: usize = 64;

/// The operator in progress.
pub(super) struct Operator {
    pub(super) bytes: [u8; OPERATOR_MAX],
    pub(super) len: usize,
}

impl Default for Operator {
    fn default() -> Self {
        Self { bytes: [0; OPERATOR_MAX], len: 0 }
    }
}

impl Operator {
    /// Its last byte.
    pub(super) fn last(&self) -> Option<u8> {
        self.bytes.get(..self.len)?.last().copied()
    }

    /// False when no room is left.
    pub(super) fn push(&mut self, byte: u8) -> bool {
        let slot = self.bytes.get_mut(self.len);
        self.len += usize::from(slot.is_some());
        slot.map(|slot| *slot = byte).is_some()
    }
}
