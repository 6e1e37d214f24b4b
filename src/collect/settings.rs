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

impl Settings {
    /// Keys whose values differ; none of them changes while pgvitals runs.
    pub fn changed(old: &[Self], new: &[Self]) -> Vec<&'static str> {
        let asked = |all: &[Self]| all.iter().map(|one| (one.server.clone(), one.target.clone())).collect::<Vec<_>>();
        let when = |all: &[Self]| all.first().map(|one| one.when_idle);
        let is_same_when = when(old).zip(when(new)).is_none_or(|(old, new)| old == new);
        let same = [("monitor.url", asked(old) == asked(new)), ("collect.when_idle", is_same_when)];
        same.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
    }
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
