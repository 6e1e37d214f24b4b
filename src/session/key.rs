//! Names of statements and portals, reduced to what tells them apart, so that what is owed stays small.

use xxhash_rust::xxh3::xxh3_64;

/// Stands for a name. Equal names have equal keys; two names share one with a chance of 2⁻⁶⁴, which would only
/// charge a call to the other's statement.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Key(u64);

/// `NAMEDATALEN - 1`: the server's tables look at no more of a name.
const NAME_MAX: usize = 63;

impl Key {
    /// The unnamed statement or portal.
    pub(super) const UNNAMED: Key = Key(0);
    /// A name too long to be read: met, never found.
    pub(super) const UNREADABLE: Key = Key(1);

    /// The key of `name`.
    #[inline]
    pub(super) fn of(name: &[u8]) -> Key {
        if name.is_empty() { Key::UNNAMED } else { Key(xxh3_64(name.get(..NAME_MAX).unwrap_or(name)).max(2)) }
    }

    /// The key of a name that may not have been readable.
    #[inline]
    pub(super) fn of_readable(name: Option<&[u8]>) -> Key {
        name.map_or(Key::UNREADABLE, Key::of)
    }
}
