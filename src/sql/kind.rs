//! What a statement does, from its first words alone (FINGERPRINT §5), and the class that follows from it (DESIGN §4).

use super::text::PLACEHOLDER;
use super::token::{Byte, FOLDED, class};

/// Declares the kinds with their names.
macro_rules! kinds {
    ($($variant:ident => $text:literal),+ $(,)?) => {
        /// The kind of a statement, named as in the API.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[allow(missing_docs)] // Named as the statements that they stand for.
        pub enum Kind { $($variant),+ }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Kind] = &[$(Kind::$variant),+];

            /// The name that API, tables and metrics use.
            pub const fn as_str(self) -> &'static str {
                match self { $(Kind::$variant => $text),+ }
            }
        }
    };
}

kinds! {
    Select => "select", Insert => "insert", Update => "update", Delete => "delete", Merge => "merge",
    Values => "values", Table => "table", Copy => "copy", Call => "call", Do => "do", Explain => "explain",
    Begin => "begin", Commit => "commit", Rollback => "rollback", Savepoint => "savepoint", Release => "release",
    Prepare => "prepare", Execute => "execute", Deallocate => "deallocate", Declare => "declare", Fetch => "fetch",
    Move => "move", Close => "close", Set => "set", Reset => "reset", Show => "show", Discard => "discard",
    Listen => "listen", Notify => "notify", Unlisten => "unlisten", Lock => "lock", Truncate => "truncate",
    Vacuum => "vacuum", Analyze => "analyze", Ddl => "ddl", Other => "other",
}

impl Kind {
    /// The kind of a canonical text or a skeleton: its first word, behind brackets; after `with` the first word at the
    /// same depth that can follow it.
    pub(super) fn of(canonical: &[u8]) -> Self {
        let mut words = Words::of(canonical);
        let Some((word, depth)) = words.next() else { return Kind::Other };
        if !matches!(word, b"with") {
            return Kind::named(word);
        }
        words
            .filter(|(_, at)| *at == depth)
            .map(|(word, _)| Kind::named(word))
            .find(|kind| kind.is_dml())
            .unwrap_or(Kind::Other)
    }

    fn is_dml(self) -> bool {
        use Kind::{Delete, Insert, Merge, Select, Table, Update, Values};
        matches!(self, Select | Insert | Update | Delete | Merge | Values | Table)
    }

    fn named(word: &[u8]) -> Self {
        match word {
            b"start" => Kind::Begin,
            b"end" => Kind::Commit,
            b"abort" => Kind::Rollback,
            b"analyse" => Kind::Analyze,
            b"create" | b"alter" | b"drop" | b"comment" | b"grant" | b"revoke" | b"reindex" | b"refresh"
            | b"cluster" | b"security" | b"import" | b"reassign" => Kind::Ddl,
            b"ddl" | b"other" => Kind::Other,
            _ => Kind::ALL.iter().copied().find(|kind| kind.as_str().as_bytes() == word).unwrap_or(Kind::Other),
        }
    }
}

/// Words that stand at a text's own depths, with their depth; what is quoted is none.
pub(super) struct Words<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl<'a> Words<'a> {
    /// The words of a canonical text or a skeleton.
    pub(super) fn of(canonical: &'a [u8]) -> Self {
        Self { rest: canonical, depth: 0 }
    }

    /// What follows the last word.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = (&'a [u8], usize);

    fn next(&mut self) -> Option<Self::Item> {
        while let [byte, rest @ ..] = self.rest {
            match class(*byte) {
                Byte::Word | Byte::Prefix if *byte != PLACEHOLDER => {
                    let end = self.rest.iter().position(|byte| FOLDED[usize::from(*byte)] == 0 || *byte == PLACEHOLDER);
                    let (word, rest) = self.rest.split_at_checked(end.unwrap_or(self.rest.len()))?;
                    self.rest = rest;
                    return Some((word, self.depth));
                }
                Byte::DoubleQuote => {
                    let close = rest.iter().position(|byte| *byte == b'"').map_or(rest.len(), |at| at + 1);
                    self.skip(1 + close);
                }
                Byte::Dollar => self.skip(1 + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()),
                Byte::Open => {
                    self.depth += 1;
                    self.skip(1);
                }
                Byte::Close => {
                    self.depth = self.depth.saturating_sub(1);
                    self.skip(1);
                }
                _ => self.skip(1),
            }
        }
        None
    }
}

/// What a statement is for. Headline figures are of [`Class::Data`] alone, and say so.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Class {
    /// Reads or changes the application's data.
    Data,
    /// Transaction control.
    Transaction,
    /// Session state.
    Session,
    /// Schema and maintenance.
    Ddl,
    /// The empty query and `select $1`.
    Probe,
    /// Reads only relations of `pg_catalog` or `information_schema`, at least one.
    Introspection,
}

impl Class {
    /// Every class.
    pub const ALL: &[Class] =
        &[Class::Data, Class::Transaction, Class::Session, Class::Ddl, Class::Probe, Class::Introspection];

    /// The name that API and tables use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Class::Data => "data",
            Class::Transaction => "transaction",
            Class::Session => "session",
            Class::Ddl => "ddl",
            Class::Probe => "probe",
            Class::Introspection => "introspection",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(canonical: &str, kind: Kind) {
        assert_eq!(Kind::of(canonical.as_bytes()), kind, "{canonical}");
    }

    #[test]
    fn the_first_word_tells() {
        check("select $1", Kind::Select);
        check("((values ($1)) union select $2)", Kind::Values);
        check("start transaction", Kind::Begin);
        check("end", Kind::Commit);
        check("abort", Kind::Rollback);
        check("create table t(a int)", Kind::Ddl);
        check("explain(analyze) select $1", Kind::Explain);
        check("checkpoint", Kind::Other);
        check("ddl", Kind::Other);
        check("\"select\" $1", Kind::Other);
        check("", Kind::Other);
    }

    #[test]
    fn after_with_the_statement_itself_tells() {
        check("with x as (select $1), y as (delete from t returning *) update t set a = $2", Kind::Update);
        check("(with \"insert\" as (select $1) select * from x)", Kind::Select);
        check("with \"a(\" as (insert into t values ($1)) merge into u using x on true", Kind::Merge);
        check("with x as (select $1)", Kind::Other);
    }
}
