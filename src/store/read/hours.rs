//! One statement's hours, for what is usual for it.

use tokio_postgres::types::Type;

use super::question::Question;
use super::timeline;
use crate::analyze::baseline::Hour;
use crate::base::units::{Nanos, WallTime};
use crate::sql::hash::QueryHash;
use crate::store::error::Error;
use crate::store::link::Link;

const HOUR: Nanos = Nanos::from_millis(3_600_000);

/// A statement's past.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Hours {
    /// All whole hours of the window in which something happened.
    pub hours: Vec<Hour>,
    /// Since when an alert says that it is slower.
    pub regressed_since: Option<WallTime>,
}

/// Hours of the question's window.
pub(super) async fn read(link: &Link, question: &Question, hash: QueryHash) -> Result<Hours, Error> {
    let points = timeline::read(link, question, Some(hash), HOUR).await?;
    let hours = points.into_iter().filter_map(|point| {
        let stats = point.stats?;
        Some(Hour {
            at: point.at,
            calls: stats.calls,
            errors: stats.errors,
            total: stats.total,
            durations: stats.durations,
        })
    });
    Ok(Hours { hours: hours.collect(), regressed_since: regressed_since(link, question, hash).await? })
}

/// Of several databases or servers the first.
async fn regressed_since(link: &Link, question: &Question, hash: QueryHash) -> Result<Option<WallTime>, Error> {
    let sql = "select (extract(epoch from min(a.opened_at)) * 1000000)::bigint
        from {schema}.alerts a
        where a.kind = 'regression' and a.resolved_at is null and a.query_hash = $1
            and ($2::text is null or a.server = $2) and ($3::text is null or a.datname = $3)";
    let (hash, filter) = (hash.to_string(), &question.filter);
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
        [(&hash, Type::TEXT), (&filter.server, Type::TEXT), (&filter.database, Type::TEXT)];
    let rows = link.client.query_typed(&link.schema.fill(sql), &parameters).await?;
    let since: Option<i64> = rows.first().map(|row| row.try_get(0)).transpose()?.flatten();
    Ok(since.map(WallTime::from_unix_micros))
}
