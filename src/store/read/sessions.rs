//! Sessions and transactions; they have no series either.

use super::question::Question;
use super::source::{Asked, INSTANCES, count};
use super::statements::durations;
use crate::base::units::Nanos;
use crate::stats::histogram::Histogram;
use crate::store::error::Error;
use crate::store::link::Link;

/// All sessions together over a window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PastSessions {
    /// Sessions that reached ReadyForQuery.
    pub opened: u64,
    /// Start-ups that failed.
    pub failed: u64,
    /// Explicit transactions that were committed.
    pub committed: u64,
    /// Those that were rolled back.
    pub rolled_back: u64,
    /// Durations of both.
    pub transactions: Histogram,
    /// Sum of them.
    pub transaction_time: Nanos,
    /// Time idle in transactions.
    pub idle_in_transaction: Nanos,
}

/// All of them.
pub(super) async fn read(link: &Link, question: &Question) -> Result<PastSessions, Error> {
    let asked = Asked::new(link, question);
    let sql = format!(
        "with part as materialized (
            select s.* from {{schema}}.session_stats s
            where s.bucket >= to_timestamp($1) and s.bucket < to_timestamp($2) and s.instance_id in ({INSTANCES})
        ), bucket as (
            select top_us, sum(n)::bigint n
            from (select unnest(transaction_buckets_us) top_us, unnest(transaction_counts) n from part) u group by 1
        )
        select sum(opened)::bigint opened, sum(failed)::bigint failed, sum(committed)::bigint committed,
            sum(rolled_back)::bigint rolled_back, sum(transaction_us)::bigint transaction_us,
            sum(idle_in_transaction_us)::bigint idle_us, (select array_agg(top_us) from bucket) tops,
            (select array_agg(n) from bucket) counts
        from part"
    );
    let rows = asked.ask(&sql, &[]).await?;
    let row = rows.first().ok_or(Error::Answer("a sum without a row"))?;
    Ok(PastSessions {
        opened: count(row, "opened")?,
        failed: count(row, "failed")?,
        committed: count(row, "committed")?,
        rolled_back: count(row, "rolled_back")?,
        transactions: durations(row)?,
        transaction_time: Nanos::from_micros(count(row, "transaction_us")?),
        idle_in_transaction: Nanos::from_micros(count(row, "idle_us")?),
    })
}
