//! A lease in the store (STORE §4): of many processes one does a duty. It only saves work: two at once do no harm,
//! because what is done has a key in its own transaction.

use std::time::Duration;

use tokio::time::sleep;

use crate::base::units::WallTime;
use crate::store::error::Error;
use crate::store::link::Link;
use crate::store::{runs, upkeep};

/// What all processes share, of all servers.
pub const GLOBAL: &str = "global";
/// Looking at a server.
pub const COLLECT: &str = "collect";

/// It is renewed so often while the work goes on: two may fail.
pub(super) const RENEW: Duration = Duration::from_secs(9);

/// A lease that was granted. It lasts for 30 s from the last time it was renewed.
#[derive(Debug)]
pub struct Lease<'a> {
    link: &'a Link,
    duty: &'a str,
    server: &'a str,
    holder: u128,
}

/// What came of asking for one.
#[derive(Debug)]
pub enum Taken<'a> {
    /// It is ours.
    Ours(Lease<'a>),
    /// Somebody else has it since then.
    Theirs(WallTime),
}

impl<'a> Lease<'a> {
    /// Takes the lease of `duty`; `None` when somebody else has it.
    ///
    /// # Errors
    /// What the store said.
    pub async fn take(link: &'a Link, duty: &'a str, holder: u128) -> Result<Option<Self>, Error> {
        let taken = upkeep::lease(link, duty, "", holder).await?;
        Ok(taken.then_some(Self { link, duty, server: "", holder }))
    }

    /// Takes the lease of `duty` at a server, or says since when somebody else has it; `now` where that was just over.
    ///
    /// # Errors
    /// What the store said.
    pub async fn of(
        link: &'a Link,
        duty: &'a str,
        server: &'a str,
        holder: u128,
        now: WallTime,
    ) -> Result<Taken<'a>, Error> {
        if upkeep::lease(link, duty, server, holder).await? {
            return Ok(Taken::Ours(Self { link, duty, server, holder }));
        }
        let since = runs::held_since(link, duty, server).await?;
        Ok(Taken::Theirs(since.unwrap_or(now)))
    }

    /// Renews it; false when somebody else has taken it meanwhile.
    ///
    /// # Errors
    /// What the store said.
    pub async fn renew(&self) -> Result<bool, Error> {
        upkeep::lease(self.link, self.duty, self.server, self.holder).await
    }

    /// Does the work, and renews the lease meanwhile. The work must leave the lease's own connection alone.
    pub async fn keep<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = sleep(RENEW) => {}
            }
            if !matches!(self.renew().await, Ok(true)) {
                tracing::warn!(
                    duty = self.duty,
                    server = self.server,
                    "a lease was not renewed; somebody else may begin"
                );
            }
        }
    }

    /// Gives it back.
    ///
    /// # Errors
    /// What the store said; then it runs out by itself.
    pub async fn release(self) -> Result<(), Error> {
        upkeep::release(self.link, self.duty, self.server, self.holder).await
    }
}
