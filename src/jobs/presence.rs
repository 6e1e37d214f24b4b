//! Whether `pgvitals serve` is there (STORE §4). It says so every minute; while it was seen within five, sidecars leave to it
//! what one process does for all.

use std::time::Duration;

use tokio::time::sleep;

use crate::runtime::clock::Clock;
use crate::runtime::shutdown::{Phase, Shutdown};
use crate::store::error::Error;
use crate::store::link::Link;
use crate::store::settings::Settings;
use crate::store::upkeep::{appear, is_served};

/// It says so often that it is there: four times may fail.
const EVERY: Duration = Duration::from_secs(60);
/// After a store that didn't answer.
const AGAIN: Duration = Duration::from_secs(10);

/// What a process is in a fleet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Role {
    /// It measures, writes, and does what is to be done for all if nobody else does.
    #[default]
    Sidecar,
    /// It measures nothing: it does for all what is to be done, also while nothing is written.
    Serve,
}

/// Who takes leases.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holder {
    /// As what.
    pub role: Role,
    /// The process's boot; 0 without a store.
    pub boot: u128,
}

impl Role {
    /// Whether what is to be done for all is left to somebody else.
    ///
    /// # Errors
    /// What the store said.
    pub(super) async fn leaves_it(self, link: &Link) -> Result<bool, Error> {
        Ok(self == Self::Sidecar && is_served(link).await?)
    }
}

/// Says that a `pgvitals serve` is there, until the process drains. It doesn't say that it ends: the next one is there
/// before sidecars take over.
pub async fn run(settings: Settings, boot: u128, clock: Clock, shutdown: Shutdown) {
    let saying = async {
        loop {
            let said = async { appear(&Link::open(&settings, clock).await?, boot).await };
            let pause = match said.await {
                Ok(()) => EVERY,
                Err(error) => {
                    tracing::warn!(%error, "the store does not know that this process is there; it is tried again");
                    AGAIN
                }
            };
            sleep(pause).await;
        }
    };
    tokio::select! {
        () = saying => {}
        () = shutdown.reached(Phase::Draining) => {}
    }
}
