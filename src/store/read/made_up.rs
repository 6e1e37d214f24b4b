//! What was made up (`pgvitals demo`), by name.

use std::collections::BTreeSet;

use crate::store::error::Error;
use crate::store::link::Link;

/// Servers that were made up, and who writes of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MadeUp {
    /// Monitored servers.
    pub servers: BTreeSet<String>,
    /// Services of which no instance is real.
    pub services: BTreeSet<String>,
    /// Names of instances.
    pub instances: BTreeSet<String>,
}

/// All of them. Tables of an earlier version have no mark, which a row as JSON shows by its absence.
pub(super) async fn read(link: &Link) -> Result<MadeUp, Error> {
    let sql = "with life as (
            select i.instance, v.service, coalesce((to_jsonb(i) ->> 'is_demo')::boolean, false) made_up
            from {schema}.instances i join {schema}.services v using (service_id)
        )
        select array(select v.server from {schema}.servers v where (to_jsonb(v) ->> 'is_demo')::boolean) servers,
            array(select service from life group by 1 having bool_and(made_up)) services,
            array(select distinct instance from life where made_up) instances";
    let rows = link.client.query_typed(&link.schema.fill(sql), &[]).await?;
    let row = rows.first().ok_or(Error::Answer("no word on what was made up"))?;
    let names = |column: &str| row.try_get::<_, Vec<String>>(column).map(BTreeSet::from_iter);
    Ok(MadeUp { servers: names("servers")?, services: names("services")?, instances: names("instances")? })
}
