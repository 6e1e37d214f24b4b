//! Steps over a window: of one statement, or of all data statements.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::question::Question;
use super::source::Asked;
use super::statements::{added_up, stats};
use crate::base::units::{Nanos, WallTime};
use crate::sql::hash::QueryHash;
use crate::stats::live::TimelinePoint;
use crate::store::error::Error;
use crate::store::link::Link;

const MINUTE: Nanos = Nanos::from_millis(60_000);
const HOUR: Nanos = Nanos::from_millis(3_600_000);

/// The steps in which something happened.
pub(super) async fn read(
    link: &Link,
    question: &Question,
    hash: Option<QueryHash>,
    step: Nanos,
) -> Result<Vec<TimelinePoint>, Error> {
    let asked = Asked::new(link, question);
    let seconds = u32::try_from(step.as_micros() / 1_000_000).unwrap_or(u32::MAX);
    let sql = format!(
        "with found as ({rows} and (s.query_hash = $12 or $12::text is null and {data}){named}),
        part as materialized (select {{schema}}.step_of(bucket, make_interval(secs => $13)) h, found.* from found), {added_up}
        select (extract(epoch from t.h) * 1000000)::bigint at, t.*, h.tops, h.counts
        from total t left join histogram h using (h) order by 1",
        rows = asked.rows(seconds),
        data = asked.of_data(),
        named = if hash.is_some() { asked.of_statement() } else { "" },
        added_up = added_up("h"),
    );
    let hash = hash.map(|hash| hash.to_string());
    let rows = asked.ask(&sql, &[(&hash, Type::TEXT), (&f64::from(seconds), Type::FLOAT8)]).await?;
    let point = |row: &Row| {
        // What was rolled up knows hours at best.
        let rolled: Option<bool> = row.try_get("rolled")?;
        let finest = if rolled == Some(true) { HOUR } else { MINUTE };
        Ok(TimelinePoint {
            at: WallTime::from_unix_micros(row.try_get("at")?),
            step: step.max(finest),
            stats: Some(stats(row)?),
        })
    };
    rows.iter().map(point).collect()
}
