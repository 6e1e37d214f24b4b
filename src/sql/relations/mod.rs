//! What a statement does with which tables, from its canonical text alone (FINGERPRINT §5). Off the statement path.
//!
//! Reading order: [`token`] tokens of a canonical text, [`lexical`] the rule that answers for every text, [`parsed`]
//! the reading by `sqlparser` where it understands a text: [`walk`] over its tree, with a [`scope`] for each query, in
//! [`statement`], [`from`] and [`expression`].

mod expression;
mod from;
mod lexical;
mod parsed;
mod scope;
mod statement;
mod token;
mod walk;

use super::kind::Kind;

/// What a statement does, in the order of its text.
#[derive(Default, Debug, PartialEq, Eq)]
pub(super) struct Relations {
    /// Operations and what they are done to.
    pub(super) steps: Vec<Step>,
    /// Columns compared in WHERE and JOIN, as `table.column` where the table is known; unique.
    pub(super) filters: Vec<Box<str>>,
}

/// One operation or target.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// `SELECT`, `CREATE TABLE`
    Operation(Box<str>),
    /// A table that is read, as written.
    Read(Box<str>),
    /// A table that is written, as written.
    Write(Box<str>),
    /// Another object that an operation is done to: a function, a setting, an index.
    Target(Box<str>),
}

impl Relations {
    /// Reads a canonical text. Never fails: what `sqlparser` doesn't understand is read by a lexical rule.
    pub(super) fn of(text: &str, kind: Kind) -> Self {
        parsed::relations(text, kind).unwrap_or_else(|| lexical::relations(text, kind))
    }
}

#[cfg(test)]
impl Relations {
    pub(super) fn parsed(text: &str, kind: Kind) -> Option<Self> {
        parsed::relations(text, kind)
    }

    pub(super) fn lexical(text: &str, kind: Kind) -> Self {
        lexical::relations(text, kind)
    }
}
