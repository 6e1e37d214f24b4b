//! What the tables know of a time that is over, in the shapes that memory answers in: [`Past`].
//!
//! Reading order: [`question`] what is asked, `source` which rows take part, then one file per kind of figures
//! (`statements`, `timeline`, `hours`, `slow`, `tags`, `sessions`, `errors`), [`coverage`] whose rows there are and up to
//! when; [`fleet`] who writes them. Percentiles come from added buckets, as everywhere. Of monitored servers: `days` what
//! changed in a statement's day, [`health`], with `objects` for tables and indexes, [`object`] one of them over a time.
//! [`MadeUp`]: what was not measured at all.

mod coverage;
mod days;
mod errors;
pub mod fleet;
pub mod health;
mod hours;
mod made_up;
pub mod object;
mod objects;
pub mod question;
mod sessions;
mod slow;
mod source;
mod statements;
mod tags;
mod timeline;

use std::sync::Arc;
use std::time::Duration;

use super::alerts::facts;
use super::error::Error;
use super::link::Link;
use super::settings::Settings;
use crate::base::sqlstate::Sqlstate;
use crate::base::units::{Nanos, WallTime};
use crate::snapshot::activity::Calls;
use crate::sql::hash::QueryHash;
use crate::stats::histogram::Histogram;
use crate::stats::live::{KnownQuery, SlowExecution, StatementRow, TagRow, TimelinePoint};
pub use coverage::Coverage;
pub use days::Days;
pub use hours::Hours;
pub use made_up::MadeUp;
pub use question::{Durations, Question, Slow, Statements, Wanted, Whose};
pub use sessions::PastSessions;

/// An answer that isn't there by then is of no use to a person.
const READ_MAX: Duration = Duration::from_secs(30);

const HOUR: Nanos = Nanos::from_millis(3_600_000);
/// A series of a large fleet is by the minute for so long at most; a little more is what a window in whole minutes has.
const MINUTES_MAX: Nanos = Nanos::from_millis(2 * 3_600_000 + 60_000);
/// More live instances than these.
const LARGE_FLEET: usize = 20;

/// Figures of the tables; only what was [`Wanted`] is there.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Statements, grouped as was wanted; only some have durations, as was wanted.
    pub statements: Vec<StatementRow>,
    /// The durations of all data statements together.
    pub together: Option<Histogram>,
    /// Durations of statements in parts of a time, with the part's number.
    pub sparklines: Vec<(usize, StatementRow)>,
    /// One statement's series; with a tag its one row.
    pub callers: Vec<StatementRow>,
    /// Steps in order of time, without those in which nothing happened.
    pub timeline: Vec<TimelinePoint>,
    /// Newest first, or longest, as was wanted.
    pub slow: Vec<SlowExecution>,
    /// How many of them there are besides.
    pub slow_count: u64,
    /// By value of the tag.
    pub tags: Vec<TagRow>,
    /// One statement's errors; of a tag they are not known by SQLSTATE.
    pub errors: Vec<(Sqlstate, u64)>,
    /// All sessions together.
    pub sessions: PastSessions,
    /// What is known of the statement.
    pub known: Option<Arc<KnownQuery>>,
    /// Whose rows there are.
    pub coverage: Coverage,
}

/// Asks the store; a connection for each question, none in between.
#[derive(Clone, Debug)]
pub struct Reader {
    settings: Settings,
}

impl Reader {
    /// A reader of this store.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// The answer; of tables that nobody has made yet, nothing.
    ///
    /// # Errors
    /// What the store said, or that it didn't in time.
    pub async fn ask(&self, question: &Question) -> Result<Past, Error> {
        or_none(self.look(async |link| Self::answer(link, question).await).await, Past::default())
    }

    /// One statement's whole hours in the question's window.
    ///
    /// # Errors
    /// What the store said, or that it didn't in time.
    pub async fn hours(&self, question: &Question, hash: QueryHash) -> Result<Hours, Error> {
        or_none(self.look(async |link| hours::read(link, question, hash).await).await, Hours::default())
    }

    /// What was seen last in a server, and what was seen since `since`; `None` when nobody looked yet.
    ///
    /// # Errors
    /// What the store said, or that it didn't in time.
    pub async fn health(&self, server: &str, since: WallTime) -> Result<Option<health::Health>, Error> {
        or_none(self.look(async |link| health::read(link, server, since).await).await, None)
    }

    /// An index of a server, and what was seen of it since `since`; `None`: nothing is called so.
    ///
    /// # Errors
    /// What the store said, or that it didn't in time.
    pub async fn index(
        &self,
        server: &str,
        name: &object::Name,
        since: WallTime,
    ) -> Result<Option<object::TracedIndex>, Error> {
        self.look(async |link| object::read_index(link, server, name, since).await).await
    }

    /// A table, likewise.
    ///
    /// # Errors
    /// What the store said, or that it didn't in time.
    pub async fn table(
        &self,
        server: &str,
        name: &object::Name,
        since: WallTime,
    ) -> Result<Option<object::TracedTable>, Error> {
        self.look(async |link| object::read_table(link, server, name, since).await).await
    }

    /// Who writes to the store, and which servers it knows.
    ///
    /// # Errors
    /// What the store said, or that it didn't in time.
    pub async fn fleet(&self) -> Result<fleet::Fleet, Error> {
        or_none(self.look(async |link| fleet::read(link).await).await, fleet::Fleet::default())
    }

    /// A server's statements on the day from `from` to `to`, and in the week before it.
    ///
    /// # Errors
    /// What the store said, or that it didn't in time.
    pub async fn days(&self, server: &str, from: WallTime, to: WallTime) -> Result<Days, Error> {
        let none = Days { from, to, ..Days::default() };
        or_none(self.look(async |link| days::read(link, server, from, to).await).await, none)
    }

    /// The server's own count of calls at the first round since `since`.
    ///
    /// # Errors
    /// What the store said, or that it didn't in time.
    pub async fn calls(&self, server: &str, since: WallTime) -> Result<Option<(WallTime, Calls)>, Error> {
        self.look(async |link| health::calls(link, server, since).await).await
    }

    /// Every monitored server.
    ///
    /// # Errors
    /// What the store said, or that it didn't in time.
    pub async fn servers(&self) -> Result<Vec<String>, Error> {
        or_none(self.look(async |link| facts::servers(link).await).await, Vec::new())
    }

    /// Whether the store answers, within `limit`.
    ///
    /// # Errors
    /// What it said, or that it didn't in time.
    pub async fn answers(&self, limit: Duration) -> Result<(), Error> {
        let asked = async { Ok(Link::look(&self.settings).await?.client.batch_execute("select 1").await?) };
        tokio::time::timeout(limit, Box::pin(asked)).await.unwrap_or(Err(Error::Timeout(limit.as_secs())))
    }

    /// What was made up.
    ///
    /// # Errors
    /// What the store said, or that it didn't in time.
    pub async fn made_up(&self) -> Result<MadeUp, Error> {
        self.look(async |link| made_up::read(link).await).await
    }

    /// One look at the tables, all of it at one moment, in time.
    async fn look<T>(&self, read: impl AsyncFnOnce(&Link) -> Result<T, Error>) -> Result<T, Error> {
        in_time(Box::pin(async {
            let link = Link::look(&self.settings).await?;
            link.begin_reading().await?;
            let found = read(&link).await;
            link.roll_back().await;
            found
        }))
        .await
    }

    async fn answer(link: &Link, question: &Question) -> Result<Past, Error> {
        let wanted = &question.wanted;
        let mut past = Past { coverage: coverage::read(link, question).await?, ..Past::default() };
        if let Some(statements) = &wanted.statements {
            Self::statements(link, question, statements, &mut past).await?;
        }
        if let Some(hash) = wanted.statement {
            past.known = statements::known(link, &[hash]).await?.pop().map(Arc::new);
            past.callers = statements::read(link, question, question.filter.finest(), Some(&[hash])).await?;
            if question.filter.tag.is_none() {
                past.errors = errors::read(link, question, hash).await?;
            }
        }
        if let Some(step) = wanted.timeline {
            let step = affordable(step, question, past.coverage.live);
            past.timeline = timeline::read(link, question, wanted.statement, step).await?;
        }
        if let Some(wanted) = wanted.slow {
            (past.slow, past.slow_count) = slow::read(link, question, wanted).await?;
        }
        if let Some(key) = &wanted.tags {
            past.tags = tags::read(link, question, key).await?;
        }
        if wanted.sessions {
            past.sessions = sessions::read(link, question).await?;
        }
        if wanted.statements.as_ref().is_some_and(|statements| statements.together) {
            past.together = Some(statements::together(link, question).await?);
        }
        Ok(past)
    }

    async fn statements(link: &Link, question: &Question, wanted: &Statements, past: &mut Past) -> Result<(), Error> {
        let group = wanted.group;
        let mut shown = None;
        past.statements = match &wanted.durations {
            Durations::All => statements::read(link, question, group, None).await?,
            durations => statements::sums(link, question, group, durations.is_searched()).await?,
        };
        if let Durations::Of(page) = &wanted.durations {
            shown = Some(statements::describe(link, question, group, page, &mut past.statements).await?);
        }
        if let Some(parts) = wanted.sparklines {
            past.sparklines = statements::sparklines(link, question, group, parts, shown.as_deref()).await?;
        }
        Ok(())
    }
}

/// Minutes of a large fleet are read for some hours alone (STORE §5).
fn affordable(step: Nanos, question: &Question, instances: usize) -> Nanos {
    let span = question.window.to.since(question.window.from);
    if instances > LARGE_FLEET && span > MINUTES_MAX { step.max(HOUR) } else { step }
}

/// `none` of tables that nobody has made yet.
fn or_none<T>(found: Result<T, Error>, none: T) -> Result<T, Error> {
    found.or_else(|error| if error.is_empty_store() { Ok(none) } else { Err(error) })
}

async fn in_time<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(READ_MAX, answer).await.unwrap_or(Err(Error::Timeout(READ_MAX.as_secs())))
}
