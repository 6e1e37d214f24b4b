//! Roll-ups of hours and days and the partitions of the store: a few minutes after the hour, by one of all processes,
//! and but for `pgvitals serve` only when something was written since the last time.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep_until;

use super::lease::{GLOBAL, Lease};
use super::presence::{Holder, Role};
use crate::runtime::clock::{Clock, chance, deadline};
use crate::runtime::shutdown::{Phase, Shutdown};
use crate::store::error::Error;
use crate::store::link::Link;
use crate::store::settings::{Retention, Settings};
use crate::store::status::Status;
use crate::store::upkeep::{Weight, due, forget_alerts, maintain, roll_up, weigh};

const HOUR_US: i64 = 3_600_000_000;
/// Hours settle for so long: late batches are cheaper before the roll-up.
const SETTLE: Duration = Duration::from_secs(330);
/// A fleet does not come all at once.
const SPREAD: Duration = Duration::from_secs(60);
/// After the first batch of a process: somebody may have been away.
const FIRST: Duration = Duration::from_secs(2);

/// A store that is nearly as large as it may be is looked after so often.
const SOON: Duration = Duration::from_secs(300);
/// "Nearly": this part of what it may be.
const NEARLY: f64 = 0.8;
/// How long minutes are kept while the store is too large, one after the other, if they would be kept longer.
const SHORTER: [Duration; 3] =
    [Duration::from_secs(24 * 3_600), Duration::from_secs(12 * 3_600), Duration::from_secs(6 * 3_600)];
/// Fewer days of partitions ahead are said: whoever should make them doesn't.
const AHEAD_MIN: f64 = 3.0;

/// Runs until the process drains.
pub async fn run(settings: Settings, holder: Holder, status: Arc<Status>, clock: Clock, shutdown: Shutdown) {
    let hourly = async {
        let mut next = deadline(chance(FIRST));
        loop {
            if holder.role == Role::Sidecar {
                status.written().await;
            }
            sleep_until(next).await;
            if let Err(error) = once(&settings, holder, &status, clock).await {
                tracing::warn!(%error, "roll-up and retention were not done; they are tried again within the hour");
            }
            let weight = status.weight();
            if let Some(Weight { days_ahead: days, .. }) = weight.filter(|weight| weight.days_ahead < AHEAD_MIN) {
                tracing::warn!(days, "partitions of the store are about to run out: rows without one are refused");
            }
            let nearly_full = weight.is_some_and(|weight| weight.bytes as f64 > settings.max_size as f64 * NEARLY);
            let pause = if nearly_full { SOON } else { until_next_hour(clock) + SETTLE };
            next = deadline(pause + chance(SPREAD));
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

/// All that is due, unless somebody else is at it, and what the store has come to, whatever else fails.
async fn once(settings: &Settings, holder: Holder, status: &Status, clock: Clock) -> Result<(), Error> {
    let link = Link::open(settings, clock).await?;
    status.weighed(weigh(&link).await?);
    if holder.role.leaves_it(&link).await? {
        return Ok(());
    }
    let Some(lease) = Lease::take(&link, GLOBAL, holder.boot).await? else { return Ok(()) };
    let mut rolled = 0;
    for due in due(&link).await? {
        rolled += usize::from(roll_up(&link, &due).await?);
        if !lease.renew().await? {
            return Ok(());
        }
    }
    while maintain(&link, &settings.retention).await? && lease.renew().await? {}
    forget_alerts(&link, &settings.retention).await?;
    let weight = fit(&link, &lease, settings).await?;
    status.weighed(weight);
    tracing::info!(rolled, bytes = weight.bytes, "roll-up and retention done");
    lease.release().await
}

/// Removes minutes before their time, those in hours alone, while the store is larger than it may be.
async fn fit(link: &Link, lease: &Lease<'_>, settings: &Settings) -> Result<Weight, Error> {
    let mut weight = weigh(link).await?;
    for kept in SHORTER {
        if weight.bytes <= settings.max_size {
            break;
        }
        if settings.retention.minutes.is_some_and(|minutes| minutes <= kept) {
            continue;
        }
        tracing::warn!(
            bytes = weight.bytes,
            ?kept,
            "the store is larger than store.max_size: minutes are kept shorter"
        );
        let retention = Retention { minutes: Some(kept), ..settings.retention };
        while weight.bytes > settings.max_size {
            let removed = maintain(link, &retention).await?;
            weight = weigh(link).await?;
            if !(removed && lease.renew().await?) {
                break;
            }
        }
    }
    Ok(weight)
}
