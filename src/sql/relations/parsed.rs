//! Relations by `sqlparser`'s tree, for statements that read or change data.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::token::{Class, Token, tokens};
use super::walk::Walk;
use super::{Relations, Step};
use crate::sql::kind::Kind;

/// Bytes of the longest text that is parsed. A tree is dropped by recursion, as deep as `a + a + …` has terms: 4 bytes
/// each, so that 16 KiB stay far inside a stack of 2 MiB.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// What `text` does; `None` where `sqlparser` or the walk over its tree doesn't understand it.
pub(super) fn relations(text: &str, kind: Kind) -> Option<Relations> {
    if text.len() > TEXT_BYTES_MAX || text.ends_with('…') {
        return None;
    }
    let inner = match kind {
        Kind::Select | Kind::Insert | Kind::Update | Kind::Delete | Kind::Merge | Kind::Values | Kind::Table => text,
        Kind::Call => text,
        Kind::Explain | Kind::Declare | Kind::Prepare => text.get(inner_start(text, kind)?..)?,
        _ => return None,
    };
    let sql = parsable(inner);
    // A panic of the parser is a text that it doesn't understand.
    let found = catch_unwind(AssertUnwindSafe(|| walk(&sql))).ok().flatten()?;
    Some(match kind {
        Kind::Explain | Kind::Declare | Kind::Prepare => found.behind(kind.as_str()),
        _ => found,
    })
}

fn walk(sql: &str) -> Option<Relations> {
    let statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).ok()?;
    let [statement] = statements.as_slice() else { return None };
    let mut walk = Walk::default();
    walk.statement(statement)?;
    Some(walk.found)
}

impl Relations {
    /// The same, as part of another operation.
    fn behind(mut self, operation: &str) -> Self {
        self.steps.insert(0, Step::Operation(operation.to_ascii_uppercase().into()));
        self
    }
}

/// Where the statement begins that is explained, prepared or opened as a cursor.
fn inner_start(text: &str, kind: Kind) -> Option<usize> {
    let mut tokens = tokens(text).skip(1).peekable();
    match kind {
        Kind::Explain => {
            if tokens.next_if(|token| token.is(b'(')).is_some() {
                tokens.by_ref().find(|token| token.is(b')'))?;
            }
            while tokens.next_if(|token| matches!(token.text, "analyze" | "analyse" | "verbose")).is_some() {}
            tokens.next().map(|token| token.start)
        }
        _ => {
            let before = if kind == Kind::Declare { "for" } else { "as" };
            tokens.find(|token| token.class == Class::Word && token.text == before).map(|token| token.end())
        }
    }
}

/// The text with a constant for each placeholder, because `sqlparser` wants one in `date $1` and `numeric($1, $2)`.
fn parsable(text: &str) -> String {
    let mut sql = String::with_capacity(text.len() + 64);
    let mut copied = 0;
    let mut before = None;
    let mut modifier = false;
    for token in tokens(text) {
        modifier = match token.class {
            Class::Other if token.is(b'(') => before.is_some_and(takes_modifier),
            Class::Other if token.is(b')') => false,
            _ => modifier,
        };
        if token.class == Class::Placeholder {
            sql.push_str(text.get(copied..token.start).unwrap_or_default());
            sql.push_str(if modifier { "1" } else { "''" });
            copied = token.end();
        }
        before = Some(token);
    }
    sql.push_str(text.get(copied..).unwrap_or_default());
    sql
}

fn takes_modifier(token: Token<'_>) -> bool {
    matches!(
        token.text,
        "varchar"
            | "char"
            | "character"
            | "varying"
            | "bpchar"
            | "numeric"
            | "decimal"
            | "dec"
            | "float"
            | "bit"
            | "varbit"
            | "time"
            | "timestamp"
            | "timetz"
            | "timestamptz"
            | "interval"
            | "second"
    )
}
