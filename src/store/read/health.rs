//! What was seen in a monitored server: the last round, and those before.

use std::collections::HashMap;

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::objects::{
    at, index, index_columns, index_figures, json, key, micros, table, table_columns, table_figures, time,
};
use crate::base::units::{Nanos, WallTime};
use crate::snapshot::database::Database;
use crate::snapshot::history::{History, Round, Sample};
use crate::snapshot::relation::{Key, Oid};
use crate::snapshot::sequence::Sequence;
use crate::snapshot::set::Set;
use crate::store::error::Error;
use crate::store::link::Link;

/// Up to so long before the last round all samples are read; of the time before, one a day.
const RECENT: Nanos = Nanos::from_millis(2 * 86_400_000);

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// The last round. Objects that did not change since are there as they were; partitions as at the day's first round.
    pub set: Set,
    /// The rounds since a time: of each object all samples of the last two days and the last of each day before;
    /// partitions are in their topmost parent's samples alone, of which there are all.
    pub history: History,
}

struct Asked<'a> {
    link: &'a Link,
    server_id: i32,
    /// The last round.
    last: i64,
    since: i64,
}

type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// `None` when nobody looked yet.
pub(super) async fn read(link: &Link, server: &str, since: WallTime) -> Result<Option<Health>, Error> {
    let sql = format!(
        "select s.server_id, {at} at_us, s.facts::text facts, s.missing::text missing
        from {{schema}}.server_samples s join {{schema}}.servers v using (server_id)
        where v.server = $1 order by s.at desc limit 1",
        at = micros("s.at")
    );
    let rows = link.client.query_typed(&link.schema.fill(&sql), &[(&server, Type::TEXT)]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let mut set = Set { at: at(row)?, server: json(row, "facts")?, missing: json(row, "missing")?, ..Set::default() };
    let asked =
        Asked { link, server_id: row.try_get("server_id")?, last: set.at.unix_micros(), since: since.unix_micros() };
    let mut history = History::default();
    asked.databases(&mut set, &mut history).await?;
    set.tables = asked.objects("table", &table_columns(), table).await?;
    set.indexes = asked.objects("index", &index_columns(), index).await?;
    history.tables = asked.samples("table", &table_columns(), table_figures).await?;
    history.indexes = asked.samples("index", &index_columns(), index_figures).await?;
    let connections = format!(
        "select {at} at_us, (s.facts -> 'connections')::text figures
        from {{schema}}.server_samples s where s.server_id = $1 and {since} and {last} order by s.at",
        at = micros("s.at"),
        since = "s.at >= timestamptz 'epoch' + $3 * interval '1 microsecond'",
        last = "s.at <= timestamptz 'epoch' + $2 * interval '1 microsecond'",
    );
    for row in asked.ask(&connections, &[]).await? {
        history.connections.push(Sample { at: at(&row)?, figures: json(&row, "figures")? });
    }
    Ok(Some(Health { set, history }))
}

impl Asked<'_> {
    /// $1 server, $2 the last round, $3 since.
    async fn ask(&self, sql: &str, more: &[Parameter<'_>]) -> Result<Vec<Row>, Error> {
        let mut parameters: Vec<Parameter<'_>> =
            vec![(&self.server_id, Type::INT4), (&self.last, Type::INT8), (&self.since, Type::INT8)];
        parameters.extend(more.iter().cloned());
        Ok(self.link.client.query_typed(&self.link.schema.fill(sql), &parameters).await?)
    }

    /// Those of the last round, and what rounds before said of them.
    async fn databases(&self, set: &mut Set, history: &mut History) -> Result<(), Error> {
        let sql = format!(
            "select {at} at_us, s.database, s.is_seen, s.is_full, s.after_idle, s.datname, s.figures::text figures,
                s.sequences::text sequences
            from {{schema}}.database_samples s
            where s.server_id = $1 and s.at >= timestamptz 'epoch' + least($2, $3) * interval '1 microsecond'
                and s.at <= timestamptz 'epoch' + $2 * interval '1 microsecond'
            order by s.at, s.datname",
            at = micros("s.at")
        );
        for row in self.ask(&sql, &[]).await? {
            let (at, oid) = (at(&row)?, Oid(row.try_get("database")?));
            let is_seen: bool = row.try_get("is_seen")?;
            let round = Round { at, after_idle: row.try_get("after_idle")?, is_full: row.try_get("is_full")? };
            let figures = json(&row, "figures")?;
            let sequences: Vec<Sequence> = json(&row, "sequences")?;
            if is_seen {
                history.rounds.entry(oid).or_default().push(round);
                for sequence in &sequences {
                    let Some(figures) = sequence.last_value else { continue };
                    let key = Key { database: oid, relation: sequence.oid };
                    history.sequences.entry(key).or_default().push(Sample { at, figures });
                }
            }
            if at == set.at {
                let name = row.try_get("datname")?;
                set.databases.push(Database { oid, name, is_seen, figures, sequences });
            } else {
                history.databases.entry(oid).or_default().push(Sample { at, figures });
            }
        }
        for database in &set.databases {
            let sample = Sample { at: set.at, figures: database.figures.clone() };
            history.databases.entry(database.oid).or_default().push(sample);
        }
        Ok(())
    }

    /// Objects of the databases that the last round saw, each as its newest sample has it.
    async fn objects<T>(
        &self,
        kind: &str,
        columns: &str,
        read: impl Fn(&Row) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let definition = match kind {
            "index" => "d.table_relation, d.root, d.datname, d.schemaname, d.relname, d.indexrelname",
            _ => "d.root, d.datname, d.schemaname, d.relname",
        };
        let sql = format!(
            "with seen as materialized (
                select l.database, (
                    select max(f.at) from {{schema}}.database_samples f
                    where f.server_id = $1 and f.database = l.database and f.is_full and f.at <= l.at
                ) as full_at
                from {{schema}}.database_samples l
                where l.server_id = $1 and l.is_seen and l.at = timestamptz 'epoch' + $2 * interval '1 microsecond'
            )
            select * from (
                select distinct on (s.database, s.relation) s.database, s.relation, {columns}, {definition}, d.detail::text detail
                from {{schema}}.{kind}_samples s
                join seen on seen.database = s.database
                join {{schema}}.{kind}_definitions d using (definition_id)
                where s.server_id = $1 and s.at >= (select min(full_at) from seen) and s.at >= seen.full_at
                    and s.at <= timestamptz 'epoch' + $2 * interval '1 microsecond'
                order by s.database, s.relation, s.at desc
            ) newest
            where not is_gone
            order by datname, schemaname, relname, relation"
        );
        self.ask(&sql, &[]).await?.iter().map(read).collect()
    }

    /// Samples by object. An index that REINDEX CONCURRENTLY made in place of another has another oid, and what was counted
    /// before: it has the other's history. What it was before it was valid does not count.
    async fn samples<T>(
        &self,
        kind: &str,
        columns: &str,
        read: impl Fn(&Row) -> Result<T, Error>,
    ) -> Result<HashMap<Key, Vec<Sample<T>>>, Error> {
        let definitions = match kind {
            "index" => {
                "select d.definition_id, d.root, first_value(d.relation) over (
                    partition by d.database, d.table_relation, d.indexrelname, d.definition
                    order by d.since desc, d.definition_id desc
                ) as relation
                from {schema}.index_definitions d where d.server_id = $1 and d.is_valid"
            }
            _ => "select definition_id, root, relation from {schema}.table_definitions where server_id = $1",
        };
        let sql = format!(
            "select distinct on (s.database, d.relation, step) s.database, d.relation, {columns}, case
                when s.partitions > 0 or s.at >= timestamptz 'epoch' + $4 * interval '1 microsecond' then s.at
                else date_trunc('day', s.at)
            end as step
            from {{schema}}.{kind}_samples s
            join ({definitions}) d using (definition_id)
            where s.server_id = $1 and d.root is null and not s.is_gone
                and s.at >= timestamptz 'epoch' + $3 * interval '1 microsecond'
                and s.at <= timestamptz 'epoch' + $2 * interval '1 microsecond'
            order by s.database, d.relation, step, s.at desc"
        );
        let recent = WallTime::from_unix_micros(self.last).before(RECENT).unix_micros();
        let mut samples: HashMap<Key, Vec<Sample<T>>> = HashMap::new();
        for row in self.ask(&sql, &[(&recent, Type::INT8)]).await? {
            let at = time(&row, "at_us")?.ok_or(Error::Answer("a sample without a time"))?;
            samples.entry(key(&row)?).or_default().push(Sample { at, figures: read(&row)? });
        }
        Ok(samples)
    }
}
