//! What is known of a session while it is owed more than is followed.

/// What is known while nothing is measured.
#[derive(Debug, Default)]
pub(super) struct Overrun {
    /// How often the server owes ReadyForQuery.
    ready: u64,
    /// Messages of the extended protocol stand behind the last that owes it.
    unsynced: bool,
    /// A Query or FunctionCall stood behind such a message: if that fails it is skipped and owes nothing.
    mixed: bool,
    /// Statements that were sent and are not told.
    pub(super) lost: u64,
}

impl Overrun {
    /// One that begins with `statements` that will not be told.
    pub(super) fn losing(statements: u64) -> Self {
        Self { lost: statements, ..Self::default() }
    }

    /// Sync was sent.
    pub(super) fn synced(&mut self) {
        self.ready += 1;
        self.unsynced = false;
    }

    /// A message that owes something was sent: ReadyForQuery as well, or not.
    pub(super) fn sent(&mut self, with_ready: bool) {
        if with_ready {
            self.mixed |= self.unsynced;
            self.synced();
        } else {
            self.unsynced = true;
        }
    }

    /// ReadyForQuery has come: whether nothing is owed any more.
    pub(super) fn answered(&mut self) -> bool {
        self.ready = self.ready.saturating_sub(1);
        self.ready == 0 && !self.unsynced
    }

    /// After an error nobody knows how often ReadyForQuery is owed.
    pub(super) fn is_doubtful(&self) -> bool {
        self.mixed
    }
}
