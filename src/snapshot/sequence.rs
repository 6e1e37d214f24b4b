//! A sequence and where it ends.

use serde::{Deserialize, Serialize};

use super::relation::Oid;

/// A sequence, owned by a column or not.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sequence {
    /// Its number in its database.
    pub oid: Oid,
    /// Its schema, unquoted.
    pub schema: String,
    /// Its name, unquoted.
    pub name: String,
    /// The last value handed out; `None`: see `is_readable`.
    pub last_value: Option<i64>,
    /// False: the role may not read it. With true and no last value it was never used.
    pub is_readable: bool,
    /// The value that it counted from.
    pub start: i64,
    /// Added each time; negative: it counts downwards.
    pub increment: i64,
    /// The last value that it can hand out and its column can hold: MAXVALUE and the column's type, whichever is nearer
    /// (MINVALUE for one that counts downwards).
    pub limit: i64,
    /// The other end.
    pub first: i64,
    /// It begins again at its end.
    pub is_cycle: bool,
    /// The column that takes its values.
    pub column: Option<SequenceColumn>,
}

/// The column that a sequence belongs to.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SequenceColumn {
    /// Its table's schema, unquoted.
    pub schema: String,
    /// Its table, unquoted.
    pub table: String,
    /// Its name, unquoted.
    pub column: String,
    /// Its type, as `format_type` writes it.
    pub data_type: String,
    /// GENERATED … AS IDENTITY, not a default.
    pub is_identity: bool,
}
