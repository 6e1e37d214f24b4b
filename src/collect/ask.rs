//! One question to one database, and columns of its answer.

use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql, Type};

use super::error::Error;
use crate::base::units::WallTime;
use crate::pgclient::connect::Connection;
use crate::pgclient::target::Target;

/// What each question begins with. Nothing outlives it, so that a pooler may stand in between; nothing can be written, and
/// what others hold is waited for so shortly that nobody queues up behind us.
const BEGIN: &str = "\
begin transaction isolation level read committed read only;
set local time zone 'UTC';
set local datestyle = 'ISO, YMD';
set local search_path = pg_catalog, pg_temp;
set local client_min_messages = warning;
set local jit = off;
set local lock_timeout = '100ms';
set local statement_timeout = '30s';
set local idle_in_transaction_session_timeout = '60s'";

/// Connecting may take so long, all hosts together.
const OPEN_MAX: Duration = Duration::from_secs(20);
/// The server ends a statement before.
const ANSWER_MAX: Duration = Duration::from_secs(40);
/// A lock that came between the look at the locks and the size: then we look again.
const ATTEMPTS: u32 = 3;
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// What goes with a question.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// A connection to one database.
#[derive(Debug)]
pub(super) struct Session {
    client: Connection,
}

impl Session {
    pub(super) async fn open(target: &Target) -> Result<Self, Error> {
        let opened = tokio::time::timeout(OPEN_MAX, Connection::open(target)).await;
        Ok(Self { client: opened.map_err(|_| Error::Timeout(OPEN_MAX.as_secs()))?? })
    }

    /// The answer to `sql`.
    ///
    /// # Errors
    /// What the server said; a lock that stays in the way, too.
    pub(super) async fn ask(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Error> {
        let mut answer = self.attempt(sql, parameters).await;
        for _ in 1..ATTEMPTS {
            match &answer {
                Err(error) if error.code() == Some(LOCK_NOT_AVAILABLE) => answer = self.attempt(sql, parameters).await,
                _ => break,
            }
        }
        answer
    }

    async fn attempt(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Error> {
        let answer = async {
            self.client.batch_execute(BEGIN).await?;
            let rows = self.client.query_typed(sql, parameters).await;
            self.client.batch_execute("rollback").await?;
            Ok(rows?)
        };
        tokio::time::timeout(ANSWER_MAX, answer).await.unwrap_or(Err(Error::Timeout(ANSWER_MAX.as_secs())))
    }
}

/// Columns of an answer, by name.
pub(super) struct Answer<'a>(pub(super) &'a Row);

impl<'a> Answer<'a> {
    pub(super) fn get<T: FromSql<'a>>(&self, column: &str) -> Result<T, Error> {
        Ok(self.0.try_get(column)?)
    }

    /// A count or a size; NULL and what is negative by some mistake are 0.
    pub(super) fn count(&self, column: &str) -> Result<u64, Error> {
        Ok(self.some_count(column)?.unwrap_or_default())
    }

    /// A count or a size that need not be there.
    pub(super) fn some_count(&self, column: &str) -> Result<Option<u64>, Error> {
        let value: Option<i64> = self.get(column)?;
        Ok(value.map(|value| u64::try_from(value).unwrap_or_default()))
    }

    /// A small number that is never NULL.
    pub(super) fn small(&self, column: &str) -> Result<u32, Error> {
        let value: i32 = self.get(column)?;
        Ok(u32::try_from(value).unwrap_or_default())
    }

    /// µs since the Unix epoch.
    pub(super) fn time(&self, column: &str) -> Result<Option<WallTime>, Error> {
        let value: Option<i64> = self.get(column)?;
        Ok(value.map(WallTime::from_unix_micros))
    }
}
