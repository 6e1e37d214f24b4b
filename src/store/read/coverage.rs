//! Whose rows there are, and up to when they are all there (STORE §3, "Live").

use super::question::Question;
use super::source::{Asked, INSTANCES, count};
use crate::base::units::WallTime;
use crate::store::error::Error;
use crate::store::link::Link;

/// Instances that take part.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Coverage {
    /// How many are live: a batch in the last 5 minutes, or idle and one in the last day.
    pub live: usize,
    /// Their names, each once: several may have the same.
    pub names: Vec<String>,
    /// Of these, those that are not idle and have been silent for 2 minutes.
    pub lagging: Vec<String>,
    /// The last minute that every live instance has written ends there; `None`: all that there was.
    pub complete_to: Option<WallTime>,
    /// What the tables still keep of the window's begin: minute, hour or day.
    pub resolution: String,
}

/// Looks at the newest batches.
pub(super) async fn read(link: &Link, question: &Question) -> Result<Coverage, Error> {
    let asked = Asked::new(link, question);
    let sql = format!(
        "with newest as (
            select distinct on (b.instance_id) b.instance_id, b.idle, clock_timestamp() - b.written_at as silent
            from {{schema}}.batches b
            where b.day >= (now() - interval '1 day')::date and b.instance_id in ({INSTANCES})
            order by b.instance_id, b.sequence desc
        ), live as (
            select n.*, i.instance, (
                select max(b.last_bucket) + interval '1 minute' from {{schema}}.batches b
                where b.instance_id = n.instance_id and b.day >= (now() - interval '1 day')::date
            ) as written_to
            from newest n join {{schema}}.instances i using (instance_id)
            where n.silent < case when n.idle then interval '1 day' else interval '5 minutes' end
        )
        select count(*) live, coalesce(array_agg(distinct instance), '{{}}') names,
            coalesce(array_agg(distinct instance) filter (where not idle and silent > interval '2 minutes'), '{{}}') lagging,
            (extract(epoch from min(written_to) filter (where not idle)) * 1000000)::bigint complete_to,
            (select case when to_timestamp($1) >= minutes_from then 'minute' when to_timestamp($1) >= hours_from
                then 'hour' else 'day' end from {{schema}}.meta) resolution
        from live"
    );
    let rows = asked.ask(&sql, &[]).await?;
    let row = rows.first().ok_or(Error::Answer("a sum without a row"))?;
    let complete_to: Option<i64> = row.try_get("complete_to")?;
    Ok(Coverage {
        live: usize::try_from(count(row, "live")?).unwrap_or(usize::MAX),
        names: row.try_get("names")?,
        lagging: row.try_get("lagging")?,
        complete_to: complete_to.map(WallTime::from_unix_micros),
        resolution: row.try_get("resolution")?,
    })
}
