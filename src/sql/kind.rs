//! What a statement does, from its first words alone (FINGERPRINT §5), and the class that follows from it (DESIGN §4).

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
