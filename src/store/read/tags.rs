//! Figures by the value of a tag. They have no series, so only whose they are and their time tell which take part.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::question::Question;
use super::source::{Asked, INSTANCES, count};
use super::statements::{durations, histogram};
use crate::base::units::Nanos;
use crate::stats::live::TagRow;
use crate::stats::series::SeriesStats;
use crate::store::error::Error;
use crate::store::link::Link;

/// By value; of one statement where one is wanted.
pub(super) async fn read(link: &Link, question: &Question, key: &str) -> Result<Vec<TagRow>, Error> {
    let asked = Asked::new(link, question);
    let sql = format!(
        "with part as materialized (
            select t.* from {{schema}}.tag_stats t
            where t.bucket >= to_timestamp($1) and t.bucket < to_timestamp($2) and t.tag_key = $12
                and t.instance_id in ({INSTANCES}) and ($13::text is null or t.query_hash = $13)
        ), total as (
            select tag_value, sum(calls)::bigint calls, sum(errors)::bigint errors, sum(rows)::bigint rows,
                sum(total_us)::bigint total_us, count(distinct query_hash)::bigint statements
            from part group by 1
        ), {histogram}
        select t.*, h.tops, h.counts from total t left join histogram h using (tag_value)",
        histogram = histogram("tag_value"),
    );
    let row = |row: &Row| {
        let stats = SeriesStats {
            calls: count(row, "calls")?,
            errors: count(row, "errors")?,
            rows: count(row, "rows")?,
            total: Nanos::from_micros(count(row, "total_us")?),
            durations: durations(row)?,
            ..SeriesStats::default()
        };
        let value: &str = row.try_get("tag_value")?;
        Ok(TagRow { value: value.into(), stats, statements: count(row, "statements")? })
    };
    let hash = question.wanted.statement.map(|hash| hash.to_string());
    asked.ask(&sql, &[(&key, Type::TEXT), (&hash, Type::TEXT)]).await?.iter().map(row).collect()
}
