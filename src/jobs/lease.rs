//! A lease in the store (STORE §4): of many processes one does a duty. It only saves work: two at once do no harm,
//! because what is done has a key in its own transaction.

use crate::store::link::Link;
use crate::store::upkeep;

/// What all processes share, of all servers.
pub const GLOBAL: &str = "global";

/// A lease that was granted. It lasts for 30 s from the last time it was renewed.
#[derive(Debug)]
pub struct Lease<'a> {
    link: &'a Link,
    duty: &'a str,
    holder: u128,
}

impl<'a> Lease<'a> {
    /// Takes the lease of `duty`; `None` when somebody else has it.
    ///
    /// # Errors
    /// What the store said.
    pub async fn take(link: &'a Link, duty: &'a str, holder: u128) -> Result<Option<Self>, crate::store::error::Error> {
        Ok(upkeep::lease(link, duty, "", holder).await?.then_some(Self { link, duty, holder }))
    }

    /// Renews it; false when somebody else has taken it meanwhile.
    ///
    /// # Errors
    /// What the store said.
    pub async fn renew(&self) -> Result<bool, crate::store::error::Error> {
        upkeep::lease(self.link, self.duty, "", self.holder).await
    }

    /// Gives it back.
    ///
    /// # Errors
    /// What the store said; then it runs out by itself.
    pub async fn release(self) -> Result<(), crate::store::error::Error> {
        upkeep::release(self.link, self.duty, "", self.holder).await
    }
}
