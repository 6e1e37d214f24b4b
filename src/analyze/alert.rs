//! An alert as its row holds it, and what makes one: findings, looks, silences. What becomes of it: [`crate::analyze::book`].

use std::collections::BTreeSet;
use std::fmt;

use crate::analyze::kind::{Kind, Severity};
use crate::base::units::WallTime;
use crate::sql::hash::QueryHash;

/// What of a server an alert is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Subject {
    /// The database, where there is one.
    pub database: Option<String>,
    /// The statement, where it is one.
    pub query_hash: Option<QueryHash>,
    /// What else tells it from others: a relation, a sequence, a slot, a user. Empty for the server or database itself.
    pub name: String,
}

impl Subject {
    /// The server as a whole.
    pub fn server() -> Self {
        Self::default()
    }

    /// Something that belongs to the server.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Something in a database.
    pub fn of(database: impl Into<String>, name: impl Into<String>) -> Self {
        Self { database: Some(database.into()), query_hash: None, name: name.into() }
    }

    /// A statement in a database.
    pub fn statement(database: impl Into<String>, query_hash: QueryHash) -> Self {
        Self { database: Some(database.into()), query_hash: Some(query_hash), name: String::new() }
    }
}

/// The text of the column `subject`; distinct subjects have distinct texts.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = self.query_hash.map(|hash| hash.to_string());
        let name = (!self.name.is_empty()).then_some(&self.name);
        let parts = [self.database.as_ref(), hash.as_ref(), name];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        f.write_str(if parts.is_empty() { "server" } else { "" })?;
        f.write_str(&parts.join(" "))
    }
}

/// One instant at which it was so.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sighting {
    /// When: of an execution its end, of what a snapshot shows the snapshot's instant.
    pub at: WallTime,
    /// In the kind's unit.
    pub value: f64,
    /// How bad this was.
    pub severity: Severity,
}

/// Something that is or was beyond its threshold.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// The monitored server.
    pub server: String,
    /// What it is about.
    pub kind: Kind,
    /// Of what.
    pub subject: Subject,
    /// What was passed, in the kind's unit.
    pub threshold: f64,
    /// One sentence for people: what, how much, where, and the next step.
    pub message: String,
    /// At least one. Ones that were handed over before are known by their instants, so a window may be handed over again
    /// as long as it reaches no further than all instances have written.
    pub sightings: Vec<Sighting>,
}

/// That a kind was judged: without one its alerts stay as they are, for no data is not "resolved".
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Look {
    /// The monitored server.
    pub server: String,
    /// Which kind.
    pub kind: Kind,
    /// What is known up to when: the snapshot's instant, or the last minute that all instances have written.
    pub at: WallTime,
    /// Databases that could not be looked into.
    pub blind: BTreeSet<String>,
    /// Single subjects of which nothing can be said.
    pub unknown: BTreeSet<Subject>,
}

/// Who said that they know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acknowledgement {
    /// As given.
    pub by: String,
    /// How bad it was then; worse is told again.
    pub severity: Severity,
}

/// Who wants quiet about an alert.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quiet {
    /// As given.
    pub by: String,
    /// The end.
    pub until: WallTime,
}

/// What was told last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notified {
    /// When.
    pub at: WallTime,
    /// How bad it was then.
    pub severity: Severity,
}

/// A row of `alerts`. One that is open is the only one of its server, kind and subject.
#[derive(Clone, PartialEq, Debug)]
pub struct Alert {
    /// `None` until the table has given one.
    pub id: Option<i64>,
    /// The monitored server.
    pub server: String,
    /// What it is about.
    pub kind: Kind,
    /// Of what.
    pub subject: Subject,
    /// The worst that it was.
    pub severity: Severity,
    /// Its first sighting.
    pub opened_at: WallTime,
    /// Its last sighting that is counted.
    pub last_seen_at: WallTime,
    /// When the row was written last.
    pub updated_at: WallTime,
    /// When it was over.
    pub resolved_at: Option<WallTime>,
    /// At the last sighting.
    pub value: f64,
    /// At the worst one.
    pub worst: f64,
    /// What is passed.
    pub threshold: f64,
    /// Sightings.
    pub count: u64,
    /// For people.
    pub message: String,
    /// Looks in a row that didn't show it; [`crate::analyze::kind::Cadence::Hourly`] alone.
    pub missed: u16,
    /// The last of them.
    pub missed_at: Option<WallTime>,
    /// It came and went too often: held open until it was quiet for an hour.
    pub is_flapping: bool,
    /// Who knows.
    pub acknowledged: Option<Acknowledgement>,
    /// Who wants quiet; over when its end is.
    pub silenced: Option<Quiet>,
    /// What was told.
    pub notified: Option<Notified>,
}

impl Alert {
    /// Not over.
    pub fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }

    /// What no two open alerts share.
    pub(super) fn key(&self) -> (&str, Kind, &Subject) {
        (&self.server, self.kind, &self.subject)
    }
}

/// Nobody is told of alerts that match, until then. What is `None` matches all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Silence {
    /// The monitored server.
    pub server: Option<String>,
    /// Which kind.
    pub kind: Option<Kind>,
    /// The database.
    pub database: Option<String>,
    /// The subject's text.
    pub subject: Option<String>,
    /// The end.
    pub until: WallTime,
    /// Who wants it, as given.
    pub by: String,
}

impl Silence {
    /// Whether it keeps an alert quiet at `now`.
    pub fn covers(&self, alert: &Alert, now: WallTime) -> bool {
        now < self.until && self.is_about(alert)
    }

    /// Of those that are about an alert, the one that ends last.
    pub fn longest(silences: &[Silence], alert: &Alert) -> Option<Quiet> {
        let about = silences.iter().filter(|silence| silence.is_about(alert));
        let last = about.max_by_key(|silence| silence.until)?;
        Some(Quiet { by: last.by.clone(), until: last.until })
    }

    fn is_about(&self, alert: &Alert) -> bool {
        self.server.as_ref().is_none_or(|server| *server == alert.server)
            && self.kind.is_none_or(|kind| kind == alert.kind)
            && self.database.as_ref().is_none_or(|name| Some(name) == alert.subject.database.as_ref())
            && self.subject.as_ref().is_none_or(|text| *text == alert.subject.to_string())
    }
}

/// What is to be told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Notice {
    /// It began.
    Opened,
    /// It got worse.
    Escalated,
    /// It comes and goes; from now on it is held open.
    Flapping,
    /// It is critical, and has been for another day.
    Reminder,
    /// It is over.
    Resolved,
}

impl Notice {
    /// The name that tables and messages use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Notice::Opened => "opened",
            Notice::Escalated => "escalated",
            Notice::Flapping => "flapping",
            Notice::Reminder => "reminder",
            Notice::Resolved => "resolved",
        }
    }
}

/// What became of an alert.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// A new row.
    Opened,
    /// Sightings were added.
    Seen,
    /// It got worse.
    Escalated,
    /// A look didn't show it; it is not over yet.
    Missed,
    /// From now on it is held open.
    Flapping,
    /// It is over.
    Resolved,
}

/// A row to write, and whether somebody is to be told.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// What it is about.
    pub what: What,
    /// The row as it is from now on.
    pub alert: Alert,
    /// What to tell, if anything.
    pub notice: Option<Notice>,
}
