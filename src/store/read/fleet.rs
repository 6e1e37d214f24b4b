//! Who writes to the store, how far each has come, and which servers they measure.

use tokio_postgres::Row;

use super::source::count;
use crate::base::units::{Nanos, WallTime};
use crate::store::cost::Cost;
use crate::store::error::Error;
use crate::store::link::Link;

/// What a batch says of its process's cost.
const COST: &str = "b.cpu_us, b.resident_bytes, b.calls, b.dropped, b.series";
/// The same of a store that nobody has brought to version 14 yet.
const NO_COST: &str = "null::bigint cpu_us, null::bigint resident_bytes, null::bigint calls, null::bigint dropped, \
                       null::integer series";
const TELLS_COSTS: i32 = 14;

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
    /// The servers of the statements of the last five minutes that it wrote.
    pub servers: Vec<String>,
    /// What it costs, as it said last; `None`: it didn't.
    pub cost: Option<Cost>,
    /// And what of its CPU time fell into the hour before that, or into its life where that is shorter.
    pub recent: Option<Recent>,
}

/// CPU time, and the time in which it was used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recent {
    /// User and system, of all threads.
    pub cpu: Nanos,
    /// By the clock.
    pub time: Nanos,
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
    let cost = if tells_costs(link).await? { COST } else { NO_COST };
    let members = "\
with today as (
    select b.instance_id, b.sequence, b.idle, b.written_at, b.last_bucket, b.rows, {cost}
    from {schema}.batches b
    where b.day >= (now() - interval '1 day')::date
), newest as (
    select distinct on (instance_id) instance_id, idle, written_at, resident_bytes, series
    from today order by instance_id, sequence desc
), sums as (
    select instance_id, max(last_bucket) as last_bucket,
        sum(rows) filter (where written_at > now() - interval '1 hour') as rows,
        max(written_at) filter (where calls is not null) as told_at, max(cpu_us) as cpu_us, max(calls) as calls,
        max(dropped) as dropped
    from today group by 1
), hour_ago as (
    select t.instance_id, min(t.written_at) as at, min(t.cpu_us) as cpu_us
    from today t join sums using (instance_id)
    where t.cpu_us is not null and t.written_at >= sums.told_at - interval '1 hour'
    group by 1
), measured as (
    -- By its own last minutes, by the index of instances: one that is idle measures what it measured.
    select t.instance_id, array_agg(distinct s.server order by s.server) as servers
    from sums t
    cross join lateral (
        select distinct q.series_id from {schema}.query_stats q
        where q.instance_id = t.instance_id and q.bucket <= t.last_bucket
            and q.bucket > t.last_bucket - interval '5 minutes'
    ) q
    join {schema}.series s using (series_id)
    group by 1
)
select i.instance, v.service, i.version, (extract(epoch from i.started_at) * 1000000)::bigint started_us,
    (extract(epoch from t.last_bucket + interval '1 minute') * 1000000)::bigint written_to_us,
    greatest(0, extract(epoch from clock_timestamp() - n.written_at) * 1000000)::bigint silent_us, n.idle,
    coalesce(t.rows, 0)::bigint as rows, coalesce(m.servers, '{}') as servers,
    t.cpu_us, t.calls, t.dropped, n.resident_bytes, n.series::bigint as series,
    case when h.at < t.told_at then t.cpu_us - h.cpu_us else t.cpu_us end as recent_cpu_us,
    (extract(epoch from t.told_at - case when h.at < t.told_at then h.at else i.started_at end) * 1000000)::bigint
        as recent_us
from newest n
join sums t using (instance_id)
join {schema}.instances i using (instance_id)
join {schema}.services v using (service_id)
left join measured m using (instance_id)
left join hour_ago h using (instance_id)
order by v.service, i.instance, i.started_at desc";
    let servers = "\
select v.server, v.is_demo, (extract(epoch from max(s.at)) * 1000000)::bigint looked_us
from {schema}.servers v left join {schema}.server_samples s using (server_id)
group by 1, 2 order by 1";
    let members = members.replace("{cost}", cost);
    let members = link.client.query_typed(&link.schema.fill(&members), &[]).await?;
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

async fn tells_costs(link: &Link) -> Result<bool, Error> {
    let rows = link.client.query_typed(&link.schema.fill("select schema_version from {schema}.meta"), &[]).await?;
    let version: i32 = rows.first().ok_or(Error::Answer("no version"))?.try_get(0)?;
    Ok(version >= TELLS_COSTS)
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
        cost: cost(row)?,
        recent: recent(row)?,
    })
}

/// All of it was told together, or nothing.
fn cost(row: &Row) -> Result<Option<Cost>, Error> {
    let calls: Option<i64> = row.try_get("calls")?;
    if calls.is_none() {
        return Ok(None);
    }
    let known = |column| row.try_get::<_, Option<i64>>(column).map(|value| value.map(i64::unsigned_abs));
    Ok(Some(Cost {
        cpu: known("cpu_us")?.map(Nanos::from_micros),
        resident_bytes: known("resident_bytes")?,
        calls: count(row, "calls")?,
        dropped: count(row, "dropped")?,
        series: count(row, "series")?,
    }))
}

fn recent(row: &Row) -> Result<Option<Recent>, Error> {
    let (cpu, time): (Option<i64>, Option<i64>) = (row.try_get("recent_cpu_us")?, row.try_get("recent_us")?);
    let known = cpu.zip(time.filter(|time| *time > 0));
    Ok(known.map(|(cpu, time)| Recent {
        cpu: Nanos::from_micros(cpu.unsigned_abs()),
        time: Nanos::from_micros(time.unsigned_abs()),
    }))
}

fn time(row: &Row, column: &str) -> Result<Option<WallTime>, Error> {
    let us: Option<i64> = row.try_get(column)?;
    Ok(us.map(WallTime::from_unix_micros))
}
