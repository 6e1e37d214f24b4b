//! Statements whose first word brings rules of its own: names that are data, SET, bodies of CREATE (FINGERPRINT §1; §2,
//! rules 6 and 7).

use super::statement::Name;
use super::token::{Rules, rule};

/// What the statement's first words ask of those that follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    /// Nothing.
    Plain,
    /// No word has been seen.
    First,
    /// `begin atomic` may open a body, in which `;` ends nothing; so many `end` are due.
    Create(u32),
    /// The next word is a name, unless it is this one, which may precede it.
    Name(Before),
    /// `to` brings a name.
    Rollback,
    /// All words are names, but for a few.
    Fetch,
    /// `set` may bring a setting's name.
    Alter,
    /// `set`, and how far.
    Set(Set),
    /// What follows is one placeholder; whether that has been written.
    Rest(bool),
}

/// A word that may stand before a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Before {
    Nothing,
    Savepoint,
    Prepare,
    /// With `transaction` it isn't a name that follows.
    Transaction,
}

/// How far a SET statement has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Set {
    Start,
    /// After `local`.
    Local,
    /// After `session`.
    Session,
    /// After `time`.
    Time,
    /// After a name.
    Name,
    /// After a name and `.`.
    Dot,
}

/// What becomes of a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    Word,
    /// A name that is data: a placeholder.
    Name,
    /// Part of what one placeholder stands for.
    Rest,
}

impl Mode {
    /// The role of `word`; `rules` are what is said of it.
    pub(super) fn word(&mut self, word: &[u8], rules: Rules, after_begin: bool) -> Role {
        match *self {
            Mode::Plain => {}
            Mode::First => *self = if rules & rule::HEAD == 0 { Mode::Plain } else { head(word) },
            Mode::Create(due) => *self = Mode::Create(body(due, rules, after_begin)),
            Mode::Name(before) => return self.name(before, word),
            Mode::Rollback if word == b"to" => *self = Mode::Name(Before::Savepoint),
            Mode::Rollback => {}
            Mode::Fetch => {
                return match word {
                    b"next" | b"prior" | b"first" | b"last" | b"absolute" | b"relative" | b"all" | b"forward"
                    | b"backward" | b"from" | b"in" => Role::Word,
                    _ => Role::Name,
                };
            }
            Mode::Alter if word == b"set" => *self = Mode::Set(Set::Start),
            Mode::Alter => {}
            Mode::Set(set) => *self = set.word(word),
            Mode::Rest(_) => return Role::Rest,
        }
        Role::Word
    }

    fn name(&mut self, before: Before, word: &[u8]) -> Role {
        let (next, role) = match (before, word) {
            (Before::Savepoint, b"savepoint") | (Before::Prepare, b"prepare") => {
                (Mode::Name(Before::Nothing), Role::Word)
            }
            (Before::Transaction, b"transaction") | (_, b"all") => (Mode::Plain, Role::Word),
            _ => (Mode::Plain, Role::Name),
        };
        *self = next;
        role
    }

    /// The role of a quoted word that keeps its quotes.
    pub(super) fn quoted(&mut self) -> Role {
        self.word(b"\"", 0, false)
    }

    /// A token that is no word follows: true when it is part of what one placeholder stands for.
    pub(super) fn other(&mut self) -> bool {
        match *self {
            Mode::Rest(_) => return true,
            Mode::Name(_) | Mode::Set(_) => *self = Mode::Plain,
            _ => {}
        }
        false
    }

    /// `.` follows: true as above.
    pub(super) fn dot(&mut self) -> bool {
        match *self {
            Mode::Set(Set::Name | Set::Time) => {
                *self = Mode::Set(Set::Dot);
                false
            }
            _ => self.other(),
        }
    }

    /// `=` follows: true when it stands between a setting's name and its value.
    pub(super) fn assigns(&self) -> bool {
        matches!(self, Mode::Set(Set::Name | Set::Time))
    }

    /// Whether `;` ends the statement.
    pub(super) fn ends(&self) -> bool {
        !matches!(self, Mode::Create(1..))
    }
}

fn head(word: &[u8]) -> Mode {
    match word {
        b"prepare" => Mode::Name(Before::Transaction),
        b"release" => Mode::Name(Before::Savepoint),
        b"deallocate" => Mode::Name(Before::Prepare),
        b"rollback" | b"abort" => Mode::Rollback,
        b"fetch" | b"move" => Mode::Fetch,
        b"set" => Mode::Set(Set::Start),
        b"alter" => Mode::Alter,
        b"create" => Mode::Create(0),
        _ => Mode::Name(Before::Nothing),
    }
}

fn body(due: u32, rules: Rules, after_begin: bool) -> u32 {
    match due {
        0 => u32::from(rules & rule::ATOMIC != 0 && after_begin),
        _ if rules & rule::CASE != 0 => due.saturating_add(1),
        _ if rules & rule::END != 0 => due - 1,
        _ => due,
    }
}

impl Set {
    fn word(self, word: &[u8]) -> Mode {
        match (self, word) {
            (Set::Time | Set::Name, b"to") | (Set::Time, b"zone") => Mode::Rest(false),
            (Set::Time | Set::Name, _) => Mode::Plain,
            (Set::Dot, _) => Mode::Set(Set::Name),
            (Set::Session, b"authorization") | (_, b"role") => Mode::Rest(false),
            (_, b"session") => Mode::Set(Set::Session),
            (_, b"local") => Mode::Set(Set::Local),
            (_, b"time") => Mode::Set(Set::Time),
            (_, b"transaction" | b"constraints" | b"characteristics" | b"names" | b"schema" | b"xml") => Mode::Plain,
            _ => Mode::Set(Set::Name),
        }
    }
}

/// PostgreSQL keeps so many bytes of a name.
const NAME_MAX: usize = 63;

/// A name as PostgreSQL reads it from SQL, from a word that is folded already or as it is written in quotes:
/// `""` undone, `U&"…"` as written, cut at 63 bytes.
pub(super) fn folded(written: &[u8]) -> Name {
    let mut name = Name::new();
    match written {
        [b'"', rest @ ..] => {
            let content = rest.strip_suffix(b"\"").unwrap_or(rest);
            let mut after_quote = false;
            for byte in content {
                after_quote = *byte == b'"' && !after_quote;
                if !after_quote {
                    name.push(*byte);
                }
                if name.len() > NAME_MAX {
                    break;
                }
            }
        }
        _ => name.extend_from_slice(written.get(..written.len().min(NAME_MAX + 1)).unwrap_or_default()),
    }
    if name.len() > NAME_MAX {
        let mut end = NAME_MAX;
        while end > 0 && name.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
            end -= 1;
        }
        name.truncate(end);
    }
    name
}
