//! Roll-ups of hours and days and the partitions of the store: a few minutes after the hour, by one of all processes,
//! and only when something was written since the last time.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep_until;

use super::lease::{GLOBAL, Lease};
use crate::runtime::clock::{Clock, chance, deadline};
use crate::runtime::shutdown::{Phase, Shutdown};
use crate::store::error::Error;
use crate::store::link::Link;
use crate::store::settings::Settings;
use crate::store::status::Status;
use crate::store::upkeep::{due, forget_alerts, maintain, roll_up};

const HOUR_US: i64 = 3_600_000_000;
/// Hours settle for so long: late batches are cheaper before the roll-up.
const SETTLE: Duration = Duration::from_secs(330);
/// A fleet does not come all at once.
const SPREAD: Duration = Duration::from_secs(60);
/// After the first batch of a process: somebody may have been away.
const FIRST: Duration = Duration::from_secs(2);

/// Runs until the process drains. `holder` is the process's boot.
pub async fn run(settings: Settings, holder: u128, status: Arc<Status>, clock: Clock, shutdown: Shutdown) {
    let hourly = async {
        let mut next = deadline(chance(FIRST));
        loop {
            status.written().await;
            sleep_until(next).await;
            if let Err(error) = once(&settings, holder, clock).await {
                tracing::warn!(%error, "roll-up and retention were not done; they are tried again within the hour");
            }
            next = deadline(until_next_hour(clock) + SETTLE + chance(SPREAD));
        }
    };
    tokio::select! {
        () = hourly => {}
        () = shutdown.reached(Phase::Draining) => {}
    }
}

fn until_next_hour(clock: Clock) -> Duration {
    let into = clock.wall().unix_micros().rem_euclid(HOUR_US);
    Duration::from_micros((HOUR_US - into).unsigned_abs())
}

/// All that is due, unless somebody else is at it.
async fn once(settings: &Settings, holder: u128, clock: Clock) -> Result<(), Error> {
    let link = Link::open(settings, clock).await?;
    let Some(lease) = Lease::take(&link, GLOBAL, holder).await? else { return Ok(()) };
    let mut rolled = 0;
    for due in due(&link).await? {
        rolled += usize::from(roll_up(&link, &due).await?);
        if !lease.renew().await? {
            return Ok(());
        }
    }
    while maintain(&link, &settings.retention).await? && lease.renew().await? {}
    forget_alerts(&link, &settings.retention).await?;
    tracing::info!(rolled, "roll-up and retention done");
    lease.release().await
}
