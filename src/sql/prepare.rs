//! What a statement does to the session's names and transaction, read off its skeleton: its literals are gone from it,
//! but PREPARE, EXECUTE and their kin are told by their words alone.

use std::sync::Arc;

use super::kind::{Kind, Words};
use super::query::Query;
use super::statement::{Effect, Name};

/// The effect of a statement. `name` is the one that it gives or uses; `inner` fingerprints what PREPARE prepares.
pub(super) fn effect(
    kind: Kind,
    skeleton: &[u8],
    name: impl FnOnce() -> Option<Name>,
    inner: impl FnOnce(&[u8]) -> Arc<Query>,
) -> Effect {
    let mut words = Words::of(skeleton).map(|(word, _)| word);
    match kind {
        Kind::Prepare => match (name(), prepared(skeleton)) {
            (Some(name), Some(statement)) => Effect::Prepare { name, inner: inner(statement) },
            _ => Effect::None,
        },
        Kind::Execute => name().map_or(Effect::None, Effect::Execute),
        Kind::Declare => name().map_or(Effect::None, |name| {
            let hold = words.take_while(|word| *word != b"for").any(|word| word == b"with");
            Effect::Declare { name, hold }
        }),
        Kind::Deallocate if words.any(|word| word == b"all") => Effect::DeallocateAll,
        Kind::Deallocate => name().map_or(Effect::None, Effect::Deallocate),
        Kind::Close if words.any(|word| word == b"all") => Effect::CloseAll,
        Kind::Close => name().map_or(Effect::None, Effect::Close),
        Kind::Discard if words.nth(1) == Some(b"all") => Effect::DiscardAll,
        Kind::Commit | Kind::Rollback => ending(words),
        _ => Effect::None,
    }
}

/// `commit|end|rollback|abort [work|transaction] {and [no] chain | to …}`
fn ending<'a>(words: impl Iterator<Item = &'a [u8]>) -> Effect {
    let mut words = words.skip(1).skip_while(|word| matches!(*word, b"work" | b"transaction"));
    match (words.next(), words.next()) {
        (Some(b"and"), Some(b"chain")) => Effect::Chain,
        (Some(b"to"), _) => Effect::RollbackTo,
        _ => Effect::None,
    }
}

/// What stands after `as`, outside brackets.
fn prepared(skeleton: &[u8]) -> Option<&[u8]> {
    let mut words = Words::of(skeleton);
    words.find(|(word, depth)| *word == b"as" && *depth == 0)?;
    Some(words.rest().trim_ascii_start()).filter(|statement| !statement.is_empty())
}
