//! What a walk over a statement's tree has found, and where it stands.

use super::Relations;
use super::scope::Scope;

/// A walk over one statement. The tree's depth is bounded by the parser but for chains that nest to the left; those are
/// walked in loops.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) found: Relations,
    /// Names that WITH gave to queries, the innermost last.
    pub(super) ctes: Vec<String>,
    /// What FROM names, the innermost query's last.
    pub(super) scopes: Vec<Scope>,
    /// Inside WHERE or a join's condition.
    pub(super) filtering: bool,
}
