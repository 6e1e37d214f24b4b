//! What the owner may set.

use crate::pgclient::target::Target;

/// The monitored server, as it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its name in statistics.
    pub server: String,
    /// Where, as whom: the database of this URL is asked for what the whole server knows.
    pub target: Target,
    /// pgvitals' own schema: no finding is made of it.
    pub own_schema: String,
    /// Whether the own scheduler looks at a server on which no data statement passed.
    pub when_idle: WhenIdle,
}

/// What the own scheduler does about a server on which no data statement passed since the last round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenIdle {
    /// Looks once a day, so that a database that sleeps sleeps on.
    #[default]
    Auto,
    /// Looks all the same.
    Always,
    /// Doesn't look.
    Never,
}
