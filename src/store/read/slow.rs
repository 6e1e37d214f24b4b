//! Executions that were written one by one.

use std::sync::Arc;

use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::question::{Question, Slow, Whose};
use super::source::{Asked, count};
use crate::base::sqlstate::Sqlstate;
use crate::base::units::{Nanos, WallTime};
use crate::session::identity::Identity;
use crate::sql::kind::Kind;
use crate::sql::query::Query;
use crate::sql::statement::{Tags, Trace};
use crate::stats::live::{Reason, SlowExecution};
use crate::store::error::Error;
use crate::store::link::Link;

/// Those that are wanted, of one statement where it is named; and how many there are besides.
pub(super) async fn read(link: &Link, question: &Question, wanted: Slow) -> Result<(Vec<SlowExecution>, u64), Error> {
    let asked = Asked::new(link, question);
    let life = if matches!(question.whose, Whose::Life(_)) {
        "and s.instance = (select i.instance from {schema}.instances i where i.instance_id = $9)"
    } else {
        ""
    };
    let order = match wanted.longest {
        false => "order by s.at desc",
        true => "and s.reason <> 'running' order by s.duration_ms desc, s.at desc",
    };
    let sql = format!(
        "select (extract(epoch from s.at) * 1000000)::bigint at_us, s.server, s.query_hash, s.datname, s.usename,
            s.application_name, s.duration_ms, s.first_row_ms, s.client_stall_ms, s.rows, s.sqlstate, s.tags::text tags,
            s.trace_id, s.reason, s.parameters::text parameters, q.query, q.kind, count(*) over () whole
        from {{schema}}.slow_statements s left join {{schema}}.queries q using (query_hash)
        where s.at >= to_timestamp($1) and s.at < to_timestamp($2) and s.duration_ms >= $12
            and ($3 is null or s.server = $3) and ($4 is null or s.datname = $4) and ($5 is null or s.usename = $5)
            and ($6 is null or s.application_name = $6) and ($7 is null or s.service = $7)
            and ($8 is null or s.instance = $8) and ($13::text is null or s.query_hash = $13)
            and ($10::text is null or s.tags ->> $10 = $11) {life} {order} limit $14"
    );
    let hash = question.wanted.statement.map(|hash| hash.to_string());
    let (threshold, most) = (wanted.threshold.as_millis_f64(), i64::try_from(wanted.most).unwrap_or(i64::MAX));
    let more: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
        [(&threshold, Type::FLOAT8), (&hash, Type::TEXT), (&most, Type::INT8)];
    let rows = asked.ask(&sql, &more).await?;
    let whole = rows.first().map_or(Ok(0), |row| count(row, "whole"))?;
    Ok((rows.iter().map(execution).collect::<Result<_, _>>()?, whole))
}

fn execution(row: &Row) -> Result<SlowExecution, Error> {
    let text = |column: &str| row.try_get::<_, Option<String>>(column);
    let span = |column: &str| row.try_get::<_, Option<f64>>(column).map(|ms| ms.map(nanos));
    let part = |column: &str| text(column).map(Option::unwrap_or_default);
    let hash = part("query_hash")?.parse().map_err(|_| Error::Answer("a query_hash that is none"))?;
    let kind = part("kind")?;
    let kind = Kind::ALL.iter().copied().find(|known| known.as_str() == kind).unwrap_or(Kind::Other);
    let identity =
        Identity::new(part("server")?.into(), &part("datname")?, &part("usename")?, &part("application_name")?);
    let rows: Option<i64> = row.try_get("rows")?;
    Ok(SlowExecution {
        reason: Reason::parse(&part("reason")?).unwrap_or_default(),
        at: WallTime::from_unix_micros(row.try_get("at_us")?),
        query: Arc::new(Query { hash, kind, text: part("query")?.into() }),
        identity: Arc::new(identity),
        duration: span("duration_ms")?.unwrap_or_default(),
        statements: 1,
        first_row: span("first_row_ms")?,
        client_stall: span("client_stall_ms")?.unwrap_or_default(),
        rows: rows.unwrap_or_default().unsigned_abs(),
        error: text("sqlstate")?.and_then(|code| Sqlstate::parse(code.as_bytes())),
        tags: text("tags")?.and_then(|tags| tags_of(&tags)),
        trace: text("trace_id")?.and_then(|id| trace(&id)),
        parameters: text("parameters")?.map(Arc::from),
    })
}

fn nanos(ms: f64) -> Nanos {
    Nanos::new((ms * 1e6).round() as u64)
}

fn tags_of(text: &str) -> Option<Arc<Tags>> {
    let Ok(Value::Object(object)) = serde_json::from_str(text) else { return None };
    let pairs = object.into_iter().filter_map(|(key, value)| match value {
        Value::String(value) => Some((key.into(), value.into())),
        _ => None,
    });
    Some(Arc::new(Tags { pairs: pairs.collect(), name: None }))
}

fn trace(id: &str) -> Option<Trace> {
    let id = u128::from_str_radix(id, 16).ok()?;
    Some(Trace { trace_id: id.to_be_bytes(), span_id: [0; 8], sampled: false })
}
