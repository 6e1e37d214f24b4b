//! One statement's errors by SQLSTATE.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::question::Question;
use super::source::{Asked, INSTANCES, count};
use crate::base::sqlstate::Sqlstate;
use crate::sql::hash::QueryHash;
use crate::store::error::Error;
use crate::store::link::Link;

/// Most frequent first.
pub(super) async fn read(link: &Link, question: &Question, hash: QueryHash) -> Result<Vec<(Sqlstate, u64)>, Error> {
    let asked = Asked::new(link, question);
    let sql = format!(
        "select e.sqlstate, sum(e.errors)::bigint errors
        from {{schema}}.errors e join {{schema}}.series s using (series_id)
        where e.bucket >= to_timestamp($1) and e.bucket < to_timestamp($2) and s.query_hash = $12
            and ($3 is null or s.server = $3) and ($4 is null or s.datname = $4) and ($5 is null or s.usename = $5)
            and ($6 is null or s.application_name = $6) and e.instance_id in ({INSTANCES})
        group by 1 order by 2 desc, 1"
    );
    let error = |row: &Row| {
        let code: &str = row.try_get("sqlstate")?;
        Ok((Sqlstate::parse(code.as_bytes()).unwrap_or(Sqlstate::OTHER), count(row, "errors")?))
    };
    asked.ask(&sql, &[(&hash.to_string(), Type::TEXT)]).await?.iter().map(error).collect()
}
