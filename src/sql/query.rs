//! A fingerprinted statement text, shared by whoever refers to it.

use std::sync::{Arc, LazyLock};

use super::hash::QueryHash;
use super::kind::{Class, Kind};

/// What all executions of one canonical text have in common. No literal is in it.
#[derive(Debug, PartialEq, Eq)]
pub struct Query {
    /// Hash of the whole canonical text, also where [`Query::text`] is cut.
    pub hash: QueryHash,
    /// From the text's first words.
    pub kind: Kind,
    /// The canonical text, cut at `max_query_text` bytes and then ended with `…`.
    pub text: Box<str>,
}

/// Texts that stand for what has no text of its own: rows like any other, hash = SHA-256 of the name (FINGERPRINT §3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Pseudo {
    /// The empty query.
    Empty,
    /// What did not fit under the ceiling of series.
    Other,
    /// Its lexer buffer was taken for a newer statement.
    Unfingerprinted,
    /// Bound or executed under a name that pgvitals has not seen, or has forgotten.
    Unknown,
    /// The FunctionCall message.
    FunctionCall,
    /// An error that only a commit could have raised.
    Commit,
}

impl Pseudo {
    /// Every pseudo statement.
    pub const ALL: [Pseudo; 6] =
        [Pseudo::Empty, Pseudo::Other, Pseudo::Unfingerprinted, Pseudo::Unknown, Pseudo::FunctionCall, Pseudo::Commit];

    /// The text that stands for it.
    pub const fn text(self) -> &'static str {
        match self {
            Pseudo::Empty => "(empty)",
            Pseudo::Other => "(other)",
            Pseudo::Unfingerprinted => "(unfingerprinted)",
            Pseudo::Unknown => "(unknown)",
            Pseudo::FunctionCall => "(function call)",
            Pseudo::Commit => "(commit)",
        }
    }

    /// Its class; others' follow from kind and relations.
    pub const fn class(self) -> Class {
        match self {
            Pseudo::Empty => Class::Probe,
            Pseudo::Commit => Class::Transaction,
            Pseudo::Other | Pseudo::Unfingerprinted | Pseudo::Unknown | Pseudo::FunctionCall => Class::Data,
        }
    }

    /// The shared query.
    pub fn query(self) -> Arc<Query> {
        static QUERIES: LazyLock<[Arc<Query>; 6]> = LazyLock::new(|| {
            Pseudo::ALL.map(|pseudo| {
                let text = pseudo.text();
                let kind = if pseudo == Pseudo::Commit { Kind::Commit } else { Kind::Other };
                Arc::new(Query { hash: QueryHash::of(text), kind, text: text.into() })
            })
        });
        Arc::clone(&QUERIES[self as usize])
    }
}

impl Query {
    /// What stands for a statement whose text is not at hand.
    pub fn without_text(hash: QueryHash) -> Arc<Self> {
        let other = Pseudo::Other.query();
        if other.hash == hash { other } else { Arc::new(Self { hash, kind: Kind::Other, text: "".into() }) }
    }

    /// The pseudo statement that this is, if it is one.
    pub fn pseudo(&self) -> Option<Pseudo> {
        Pseudo::ALL.into_iter().find(|pseudo| pseudo.text() == &*self.text)
    }
}
