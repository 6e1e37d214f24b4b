//! What of a snapshot goes into which column. Pure.

use std::fmt::Write;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::Error;
use crate::base::units::WallTime;
use crate::snapshot::database::Database;
use crate::snapshot::index::{Index, IndexDefinition};
use crate::snapshot::relation::{Bloat, Method, Withheld};
use crate::snapshot::sequence::Sequence;
use crate::snapshot::table::{Table, TableDefinition};

/// A sequence is worth a row when it has used up this share of its range.
const USED_SHARE: f64 = 0.01;

/// A kind of object: its tables, and their columns with types.
pub(super) struct Kind {
    /// `index` or `table`.
    name: &'static str,
    /// Of the definition, beside those that all have.
    definition: &'static [(&'static str, &'static str)],
    /// Of the sample, of which a change makes a new row.
    watched: &'static [(&'static str, &'static str)],
    /// Of the sample: they alone don't.
    others: &'static [(&'static str, &'static str)],
}

/// Indexes.
pub(super) const INDEXES: Kind = Kind {
    name: "index",
    definition: &[
        ("table_relation", "oid"),
        ("root", "oid"),
        ("datname", "text"),
        ("schemaname", "text"),
        ("relname", "text"),
        ("indexrelname", "text"),
        ("is_unique", "boolean"),
        ("is_primary", "boolean"),
        ("is_valid", "boolean"),
        ("enforces", "boolean"),
        ("definition", "text"),
        ("detail", "jsonb"),
    ],
    watched: &[
        ("scans", "bigint"),
        ("tuples_read", "bigint"),
        ("tuples_fetched", "bigint"),
        ("size_bytes", "bigint"),
        ("last_scan", "timestamptz"),
        ("stats_reset", "timestamptz"),
        ("partitions", "integer"),
        ("method", "text"),
        ("withheld", "text"),
    ],
    others: &[("wasted_bytes", "bigint"), ("bloat_percent", "double precision")],
};

/// Tables.
pub(super) const TABLES: Kind = Kind {
    name: "table",
    definition: &[
        ("root", "oid"),
        ("datname", "text"),
        ("schemaname", "text"),
        ("relname", "text"),
        ("detail", "jsonb"),
    ],
    watched: &[
        ("live_tuples", "bigint"),
        ("dead_tuples", "bigint"),
        ("modified_since_analyze", "bigint"),
        ("inserted_since_vacuum", "bigint"),
        ("inserted", "bigint"),
        ("updated", "bigint"),
        ("hot_updated", "bigint"),
        ("deleted", "bigint"),
        ("sequential_scans", "bigint"),
        ("estimated_tuples", "double precision"),
        ("heap_bytes", "bigint"),
        ("toast_bytes", "bigint"),
        ("index_bytes", "bigint"),
        ("last_vacuum", "timestamptz"),
        ("last_autovacuum", "timestamptz"),
        ("last_analyze", "timestamptz"),
        ("last_autoanalyze", "timestamptz"),
        ("stats_reset", "timestamptz"),
        ("partitions", "integer"),
        ("method", "text"),
        ("withheld", "text"),
    ],
    // Ages grow with every transaction of the server.
    others: &[
        ("wasted_bytes", "bigint"),
        ("bloat_percent", "double precision"),
        ("xid_age", "bigint"),
        ("multixact_age", "bigint"),
    ],
};

/// The rows of a statement, and the last samples of the day. $1 rows as JSON, $2 server, $3 database, $4 now, $5 the
/// day's begin.
const LAST: &str = "last as materialized (
    select distinct on (s.relation) s.*
    from {schema}.{kind}_samples s
    where s.server_id = $2 and s.database = $3 and s.at < {now} and s.at >= {day}
    order by s.relation, s.at desc
)";

impl Kind {
    /// Adds definitions that are not there yet. Those that are take no number.
    pub(super) fn definitions(&self) -> String {
        let [names, values] = [list(self.definition, ""), list(self.definition, "n.")];
        self.fill(&format!(
            "with {{rows}}
            insert into {{schema}}.{{kind}}_definitions (server_id, database, relation, digest, since, {names})
            select $2, $3, n.relation, n.digest, {{now}}, {values}
            from n
            where not exists (
                select from {{schema}}.{{kind}}_definitions d
                where d.server_id = $2 and d.database = $3 and d.relation = n.relation and d.digest = n.digest
            )
            on conflict do nothing"
        ))
    }

    /// Adds samples. $6: of everything, not only of what changed.
    pub(super) fn samples(&self) -> String {
        let columns = [self.watched, self.others].concat();
        let [names, values] = [list(&columns, ""), list(&columns, "n.")];
        let [was, is] = [list(self.watched, "l."), list(self.watched, "n.")];
        self.fill(&format!(
            "with {{rows}}, {{last}}
            insert into {{schema}}.{{kind}}_samples (at, server_id, database, relation, definition_id, {names})
            select {{now}}, $2, $3, n.relation, d.definition_id, {values}
            from n
            join {{schema}}.{{kind}}_definitions d
                on d.server_id = $2 and d.database = $3 and d.relation = n.relation and d.digest = n.digest
            left join last l on l.relation = n.relation
            where $6 or (n.root is null
                and (l.relation is null or l.is_gone or (l.definition_id, {was}) is distinct from (d.definition_id, {is})))"
        ))
    }

    /// Adds a last sample for what was there and is no more. $1: the oids of what there is.
    pub(super) fn gone(&self) -> String {
        let names = list(&[self.watched, self.others].concat(), "");
        let last = list(&[self.watched, self.others].concat(), "l.");
        self.fill(&format!(
            "with {{last}}
            insert into {{schema}}.{{kind}}_samples
                (at, server_id, database, relation, definition_id, is_gone, {names})
            select {{now}}, $2, $3, l.relation, l.definition_id, true, {last}
            from last l
            where not l.is_gone and l.relation <> all ($1)"
        ))
    }

    fn fill(&self, sql: &str) -> String {
        let columns = [self.definition, self.watched, self.others].concat();
        let columns = columns.iter().fold(String::from("relation oid, digest text"), |mut all, (name, sql_type)| {
            write!(all, ", {name} {sql_type}").unwrap_or_default(); // Writing to a String can't fail.
            all
        });
        let rows = format!("n as materialized (select * from jsonb_to_recordset($1::text::jsonb) as r ({columns}))");
        let moment = |parameter| format!("(timestamptz 'epoch' + {parameter} * interval '1 microsecond')");
        sql.replace("{rows}", &rows)
            .replace("{last}", LAST)
            .replace("{now}", &moment("$4"))
            .replace("{day}", &moment("$5"))
            .replace("{kind}", self.name)
    }
}

fn list(columns: &[(&str, &str)], prefix: &str) -> String {
    columns.iter().map(|(name, _)| format!("{prefix}{name}")).collect::<Vec<_>>().join(", ")
}

/// Adds a database's row.
pub(super) const DATABASE: &str = "\
insert into {schema}.database_samples
    (at, server_id, database, is_seen, is_full, after_idle, datname, figures, sequences)
values (timestamptz 'epoch' + $1 * interval '1 microsecond', $2, $3, $4, $5, $6, $7, $8::text::jsonb, $9::text::jsonb)";

/// Adds the server's row.
pub(super) const SERVER: &str = "\
insert into {schema}.server_samples (at, server_id, facts, missing)
values (timestamptz 'epoch' + $1 * interval '1 microsecond', $2, $3::text::jsonb, $4::text::jsonb)";

/// Each row as a JSON object.
pub(super) fn rows_of_indexes<'a>(indexes: impl Iterator<Item = &'a Index>) -> Result<Vec<String>, Error> {
    let row = |index: &Index| {
        let (names, definition, figures) = (&index.names, &index.definition, &index.figures);
        let (method, wasted_bytes, bloat_percent) = bloat(figures.bloat);
        object(&IndexRow {
            relation: index.key.relation.0,
            table_relation: index.table.0,
            root: index.root.map(|root| root.0),
            datname: &names.database,
            schemaname: &names.schema,
            relname: &names.table,
            indexrelname: &names.index,
            is_unique: definition.is_unique,
            is_primary: definition.is_primary,
            is_valid: definition.is_valid,
            enforces: definition.enforces(),
            definition: &definition.statement,
            digest: digest(&(
                index.table,
                index.root,
                [&names.database, &names.schema, &names.table, &names.index],
                definition,
            ))?,
            detail: definition,
            scans: figures.scans,
            tuples_read: figures.tuples_read,
            tuples_fetched: figures.tuples_fetched,
            size_bytes: figures.size_bytes,
            last_scan: moment(figures.last_scan),
            stats_reset: moment(figures.stats_reset),
            partitions: figures.partitions,
            method,
            withheld: figures.withheld.map(Withheld::as_str),
            wasted_bytes,
            bloat_percent,
        })
    };
    indexes.map(row).collect()
}

#[derive(Serialize)]
struct IndexRow<'a> {
    relation: u32,
    table_relation: u32,
    root: Option<u32>,
    datname: &'a str,
    schemaname: &'a str,
    relname: &'a str,
    indexrelname: &'a str,
    is_unique: bool,
    is_primary: bool,
    is_valid: bool,
    enforces: bool,
    definition: &'a str,
    digest: String,
    detail: &'a IndexDefinition,
    scans: u64,
    tuples_read: u64,
    tuples_fetched: u64,
    size_bytes: u64,
    last_scan: Option<String>,
    stats_reset: Option<String>,
    partitions: u32,
    method: Option<&'static str>,
    withheld: Option<&'static str>,
    wasted_bytes: Option<u64>,
    bloat_percent: Option<f64>,
}

/// Each row as a JSON object.
pub(super) fn rows_of_tables<'a>(tables: impl Iterator<Item = &'a Table>) -> Result<Vec<String>, Error> {
    let row = |table: &Table| {
        let (names, figures) = (&table.names, &table.figures);
        let (method, wasted_bytes, bloat_percent) = bloat(figures.bloat);
        object(&TableRow {
            relation: table.key.relation.0,
            root: table.root.map(|root| root.0),
            datname: &names.database,
            schemaname: &names.schema,
            relname: &names.table,
            digest: digest(&(table.root, [&names.database, &names.schema, &names.table], &table.definition))?,
            detail: &table.definition,
            live_tuples: figures.live_tuples,
            dead_tuples: figures.dead_tuples,
            modified_since_analyze: figures.modified_since_analyze,
            inserted_since_vacuum: figures.inserted_since_vacuum,
            inserted: figures.inserted,
            updated: figures.updated,
            hot_updated: figures.hot_updated,
            deleted: figures.deleted,
            sequential_scans: figures.sequential_scans,
            estimated_tuples: figures.estimated_tuples,
            heap_bytes: figures.heap_bytes,
            toast_bytes: figures.toast_bytes,
            index_bytes: figures.index_bytes,
            last_vacuum: moment(figures.last_vacuum),
            last_autovacuum: moment(figures.last_autovacuum),
            last_analyze: moment(figures.last_analyze),
            last_autoanalyze: moment(figures.last_autoanalyze),
            stats_reset: moment(figures.stats_reset),
            partitions: figures.partitions,
            method,
            withheld: figures.withheld.map(Withheld::as_str),
            wasted_bytes,
            bloat_percent,
            xid_age: figures.xid_age,
            multixact_age: figures.multixact_age,
        })
    };
    tables.map(row).collect()
}

#[derive(Serialize)]
struct TableRow<'a> {
    relation: u32,
    root: Option<u32>,
    datname: &'a str,
    schemaname: &'a str,
    relname: &'a str,
    digest: String,
    detail: &'a TableDefinition,
    live_tuples: u64,
    dead_tuples: u64,
    modified_since_analyze: u64,
    inserted_since_vacuum: u64,
    inserted: u64,
    updated: u64,
    hot_updated: u64,
    deleted: u64,
    sequential_scans: u64,
    estimated_tuples: Option<f64>,
    heap_bytes: u64,
    toast_bytes: u64,
    index_bytes: u64,
    last_vacuum: Option<String>,
    last_autovacuum: Option<String>,
    last_analyze: Option<String>,
    last_autoanalyze: Option<String>,
    stats_reset: Option<String>,
    partitions: u32,
    method: Option<&'static str>,
    withheld: Option<&'static str>,
    wasted_bytes: Option<u64>,
    bloat_percent: Option<f64>,
    xid_age: u64,
    multixact_age: u64,
}

/// Sequences that are worth a row.
pub(super) fn sequences(database: &Database) -> Vec<&Sequence> {
    let is_used = |sequence: &&Sequence| {
        sequence.last_value.is_some_and(|last| {
            let span = |to: i64| (to as f64 - sequence.first as f64).abs();
            span(last) >= USED_SHARE * span(sequence.limit)
        })
    };
    database.sequences.iter().filter(is_used).collect()
}

fn bloat(bloat: Option<Bloat>) -> (Option<&'static str>, Option<u64>, Option<f64>) {
    (
        bloat.map(|bloat| Method::as_str(bloat.method)),
        bloat.map(|bloat| bloat.wasted_bytes),
        bloat.map(|bloat| bloat.percent),
    )
}

/// As PostgreSQL reads it, in the transaction's UTC.
fn moment(time: Option<WallTime>) -> Option<String> {
    let time = jiff::Timestamp::from_microsecond(time?.unix_micros()).ok()?;
    Some(time.to_string())
}

fn object<T: Serialize>(row: &T) -> Result<String, Error> {
    serde_json::to_string(row).map_err(|_| Error::Answer("a snapshot that is no JSON"))
}

fn digest<T: Serialize>(what: &T) -> Result<String, Error> {
    let digest = Sha256::digest(object(what)?.as_bytes());
    Ok(digest.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap_or_default(); // Writing to a String can't fail.
        hex
    }))
}
