//! What the tables know of a time that is over, in the shapes that memory answers in: [`Past`].
//!
//! Reading order: [`question`] what is asked, `source` which rows take part, then one file per kind of figures
//! (`statements`, `timeline`, `slow`, `tags`, `sessions`, `errors`), [`coverage`] whose rows there are and up to when.
//! Percentiles come from added buckets, as everywhere. Of monitored servers: [`health`], with `objects` for tables and
//! indexes. [`MadeUp`]: what was not measured at all.

mod coverage;
mod errors;
pub mod health;
mod made_up;
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

use super::error::Error;
use super::link::Link;
use super::settings::Settings;
use crate::base::sqlstate::Sqlstate;
use crate::base::units::WallTime;
use crate::snapshot::activity::Calls;
use crate::stats::live::{KnownQuery, SlowExecution, StatementRow, TagRow, TimelinePoint};
pub use coverage::Coverage;
pub use made_up::MadeUp;
pub use question::{Question, Wanted, Whose};
pub use sessions::PastSessions;

/// An answer that isn't there by then is of no use to a person.
const READ_MAX: Duration = Duration::from_secs(30);

/// Figures of the tables; only what was [`Wanted`] is there.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Statements, grouped as was wanted.
    pub statements: Vec<StatementRow>,
    /// One statement's series.
    pub callers: Vec<StatementRow>,
    /// Steps in order of time, without those in which nothing happened.
    pub timeline: Vec<TimelinePoint>,
    /// Newest first.
    pub slow: Vec<SlowExecution>,
    /// By value of the tag.
    pub tags: Vec<TagRow>,
    /// One statement's errors.
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
        let asked = in_time(Box::pin(async {
            let link = self.begin().await?;
            let past = Self::answer(&link, question).await;
            link.roll_back().await;
            past
        }));
        asked.await.or_else(|error| if error.is_empty_store() { Ok(Past::default()) } else { Err(error) })
    }

    /// What was seen last in a server, and what was seen since `since`; `None` when nobody looked yet.
    ///
    /// # Errors
    /// What the store said, or that it didn't in time.
    pub async fn health(&self, server: &str, since: WallTime) -> Result<Option<health::Health>, Error> {
        let asked = in_time(Box::pin(async {
            let link = self.begin().await?;
            let seen = health::read(&link, server, since).await;
            link.roll_back().await;
            seen
        }));
        asked.await.or_else(|error| if error.is_empty_store() { Ok(None) } else { Err(error) })
    }

    /// The server's own count of calls at the first round since `since`.
    ///
    /// # Errors
    /// What the store said, or that it didn't in time.
    pub async fn calls(&self, server: &str, since: WallTime) -> Result<Option<(WallTime, Calls)>, Error> {
        in_time(Box::pin(async {
            let link = self.begin().await?;
            let calls = health::calls(&link, server, since).await;
            link.roll_back().await;
            calls
        }))
        .await
    }

    /// What was made up.
    ///
    /// # Errors
    /// What the store said, or that it didn't in time.
    pub async fn made_up(&self) -> Result<MadeUp, Error> {
        in_time(Box::pin(async {
            let link = self.begin().await?;
            let made_up = made_up::read(&link).await;
            link.roll_back().await;
            made_up
        }))
        .await
    }

    async fn begin(&self) -> Result<Link, Error> {
        let link = Link::look(&self.settings).await?;
        link.begin().await?;
        Ok(link)
    }

    async fn answer(link: &Link, question: &Question) -> Result<Past, Error> {
        let wanted = &question.wanted;
        let mut past = Past { coverage: coverage::read(link, question).await?, ..Past::default() };
        if let Some(group) = wanted.statements {
            past.statements = statements::read(link, question, group, None).await?;
        }
        if let Some(hash) = wanted.statement {
            past.known = statements::known(link, hash).await?;
            past.callers = statements::read(link, question, crate::stats::live::GroupBy::Full, Some(hash)).await?;
            past.errors = errors::read(link, question, hash).await?;
        }
        if let Some(step) = wanted.timeline {
            past.timeline = timeline::read(link, question, wanted.statement, step).await?;
        }
        if let Some(threshold) = wanted.slow {
            past.slow = slow::read(link, question, threshold).await?;
        }
        if let Some(key) = &wanted.tags {
            past.tags = tags::read(link, question, key).await?;
        }
        if wanted.sessions {
            past.sessions = sessions::read(link, question).await?;
        }
        Ok(past)
    }
}

async fn in_time<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(READ_MAX, answer).await.unwrap_or(Err(Error::Timeout(READ_MAX.as_secs())))
}
