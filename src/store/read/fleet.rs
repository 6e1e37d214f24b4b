//! Who writes to the store, how far each has come, and which servers they measure.

use tokio_postgres::Row;

use super::source::count;
use crate::base::units::{Nanos, WallTime};
use crate::store::error::Error;
use crate::store::link::Link;

/// All who wrote in the last day, and every server.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fleet {
    /// By service and name.
    pub members: Vec<Member>,
    /// By name.
    pub servers: Vec<Server>,
}

/// One process's life.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Its name; another life may have had the same.
    pub instance: String,
    /// Its application.
    pub service: String,
    /// Of pgvitals.
    pub version: String,
    /// When it began.
    pub started_at: WallTime,
    /// The end of the last minute that it wrote; `None`: none yet.
    pub written_to: Option<WallTime>,
    /// Since its last batch.
    pub silent: Nanos,
    /// It said that nothing was to be written.
    pub is_idle: bool,
    /// Rows that it wrote in the last hour.
    pub rows: u64,
    /// The servers of its last minutes' statements.
    pub servers: Vec<String>,
}

/// A monitored PostgreSQL.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Server {
    /// The name that statistics carry.
    pub name: String,
    /// When somebody looked into it last; `None`: nobody did.
    pub looked_at: Option<WallTime>,
    /// It was made up.
    pub is_demo: bool,
}

/// Reads both.
pub(super) async fn read(link: &Link) -> Result<Fleet, Error> {
    let members = "\
with today as (
    select b.instance_id, b.sequence, b.idle, b.written_at, b.last_bucket, b.rows
    from {schema}.batches b
    where b.day >= (now() - interval '1 day')::date
), newest as (
    select distinct on (instance_id) instance_id, idle, written_at
    from today order by instance_id, sequence desc
), sums as (
    select instance_id, max(last_bucket) as last_bucket,
        sum(rows) filter (where written_at > now() - interval '1 hour') as rows
    from today group by 1
), measured as (
    select q.instance_id, array_agg(distinct s.server order by s.server) as servers
    from {schema}.query_stats q join {schema}.series s using (series_id)
    where q.bucket >= now() - interval '5 minutes'
    group by 1
)
select i.instance, v.service, i.version, (extract(epoch from i.started_at) * 1000000)::bigint started_us,
    (extract(epoch from t.last_bucket + interval '1 minute') * 1000000)::bigint written_to_us,
    greatest(0, extract(epoch from clock_timestamp() - n.written_at) * 1000000)::bigint silent_us, n.idle,
    coalesce(t.rows, 0)::bigint as rows, coalesce(m.servers, '{}') as servers
from newest n
join sums t using (instance_id)
join {schema}.instances i using (instance_id)
join {schema}.services v using (service_id)
left join measured m using (instance_id)
order by v.service, i.instance, i.started_at desc";
    let servers = "\
select v.server, v.is_demo, (extract(epoch from max(s.at)) * 1000000)::bigint looked_us
from {schema}.servers v left join {schema}.server_samples s using (server_id)
group by 1, 2 order by 1";
    let members = link.client.query_typed(&link.schema.fill(members), &[]).await?;
    let servers = link.client.query_typed(&link.schema.fill(servers), &[]).await?;
    Ok(Fleet {
        members: members.iter().map(member).collect::<Result<_, Error>>()?,
        servers: servers
            .iter()
            .map(|row| {
                let (name, is_demo) = (row.try_get("server")?, row.try_get("is_demo")?);
                Ok(Server { name, looked_at: time(row, "looked_us")?, is_demo })
            })
            .collect::<Result<_, Error>>()?,
    })
}

fn member(row: &Row) -> Result<Member, Error> {
    Ok(Member {
        instance: row.try_get("instance")?,
        service: row.try_get("service")?,
        version: row.try_get("version")?,
        started_at: time(row, "started_us")?.ok_or(Error::Answer("an instance that never began"))?,
        written_to: time(row, "written_to_us")?,
        silent: Nanos::from_micros(count(row, "silent_us")?),
        is_idle: row.try_get("idle")?,
        rows: count(row, "rows")?,
        servers: row.try_get("servers")?,
    })
}

fn time(row: &Row, column: &str) -> Result<Option<WallTime>, Error> {
    let us: Option<i64> = row.try_get(column)?;
    Ok(us.map(WallTime::from_unix_micros))
}
