//! Lexer buffers for texts that come in pieces: a bounded number, taken from whoever was fed longest ago when none is
//! free (FINGERPRINT §4).

use super::characters::Characters;
use super::split::Reader;
use super::statement::{Dialect, Statements};

/// Texts in pieces at once.
const BUFFERS_MAX: usize = 32;

/// A text that comes in pieces. Good until its buffer is taken for another one.
#[derive(Debug)]
pub struct Ticket {
    /// Of the `Fingerprinter` that gave it. Another one knows nothing of it: a worker replaces its own after a panic.
    owner: u64,
    index: usize,
    generation: u64,
}

/// A text in the making.
pub(super) struct Text {
    pub(super) reader: Reader,
    /// Statements that have ended.
    pub(super) statements: Statements,
    /// Characters read.
    pub(super) characters: Characters,
    /// Who holds it; `None` when it is free.
    generation: Option<u64>,
    /// When it was fed last.
    fed: u64,
}

/// The buffers, made when first needed.
pub(super) struct Pool {
    /// Tells its tickets from those of any other pool.
    owner: u64,
    texts: Vec<Text>,
    /// Counts tickets and feedings.
    clock: u64,
}

impl Pool {
    /// `owner` is a number that no other pool has.
    pub(super) fn new(owner: u64) -> Self {
        Self { owner, texts: Vec::new(), clock: 0 }
    }

    /// Begins a text.
    pub(super) fn begin(&mut self, dialect: Dialect) -> Ticket {
        self.clock += 1;
        let generation = self.clock;
        let index = self.choose();
        if let Some(text) = self.texts.get_mut(index) {
            text.reader.begin(dialect);
            text.statements = Statements::default();
            text.characters = Characters::new(dialect.encoding);
            text.generation = Some(generation);
            text.fed = generation;
        }
        Ticket { owner: self.owner, index, generation }
    }

    fn choose(&mut self) -> usize {
        if let Some(free) = self.texts.iter().position(|text| text.generation.is_none()) {
            return free;
        }
        if self.texts.len() < BUFFERS_MAX {
            self.texts.push(Text {
                reader: Reader::new(),
                statements: Statements::default(),
                characters: Characters::default(),
                generation: None,
                fed: 0,
            });
            return self.texts.len() - 1;
        }
        self.texts.iter().enumerate().min_by_key(|(_, text)| text.fed).map_or(0, |(index, _)| index)
    }

    /// The text of a ticket, about to be fed; `None` when its buffer was taken, or was never one of this pool.
    pub(super) fn get(&mut self, ticket: &Ticket) -> Option<&mut Text> {
        let texts = (ticket.owner == self.owner).then_some(&mut self.texts)?;
        let text = texts.get_mut(ticket.index).filter(|text| text.generation == Some(ticket.generation))?;
        self.clock += 1;
        text.fed = self.clock;
        Some(text)
    }

    /// Frees the buffer of a ticket, if it still holds one.
    pub(super) fn release(&mut self, ticket: Ticket) {
        if let Some(text) = self.get(&ticket) {
            text.generation = None;
            text.statements = Statements::default();
        }
    }
}
