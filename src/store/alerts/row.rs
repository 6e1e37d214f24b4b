//! An alert as its row, both ways.

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use crate::analyze::alert::{Acknowledgement, Alert, Notified, Subject};
use crate::base::units::WallTime;
use crate::store::error::Error;

/// A parameter with its type.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// µs since the Unix epoch of a time.
pub(super) fn micros(column: &str) -> String {
    format!("(extract(epoch from {column}) * 1000000)::bigint")
}

/// A time of a parameter in µs since the Unix epoch.
pub(super) fn at(parameter: &str) -> String {
    format!("timestamptz 'epoch' + {parameter} * interval '1 microsecond'")
}

/// What [`read`] needs of a table that is called `a`.
pub(super) fn columns() -> String {
    let times = ["opened_at", "last_seen_at", "updated_at", "resolved_at", "missed_at", "notified_at"];
    let times = times.map(|column| format!("{} {column}_us", micros(&format!("a.{column}"))));
    format!(
        "a.id, a.server, a.kind, a.datname, a.query_hash, a.name, a.severity, a.value, a.worst, a.threshold, a.count,
        a.message, a.missed, a.is_flapping, a.acknowledged_by, a.acknowledged_severity, a.notified_severity, {}",
        times.join(", ")
    )
}

/// Leaves out what is about servers that were made up, of a table that is called `a`: nobody works on that. Servers' rows
/// in tables of an earlier version have no mark, which as JSON shows by its absence.
pub(super) const MEASURED: &str = "not exists (
    select from {schema}.servers v where v.server = a.server and (to_jsonb(v) ->> 'is_demo')::boolean
)";

/// The alert, without who wants quiet about it, which other rows say; `None` of a kind or severity that a later version has.
pub(super) fn read(row: &Row) -> Result<Option<Alert>, Error> {
    let text = |column: &str| row.try_get::<_, String>(column);
    let part = |column: &str| row.try_get::<_, Option<String>>(column);
    let time = |column: &str| row.try_get::<_, Option<i64>>(column).map(|us| us.map(WallTime::from_unix_micros));
    let must = |time: Option<WallTime>| time.ok_or(Error::Answer("an alert without a time"));
    let (Ok(kind), Ok(severity)) = (text("kind")?.parse(), text("severity")?.parse()) else { return Ok(None) };
    let query_hash = part("query_hash")?.map(|hash| hash.parse()).transpose();
    let query_hash = query_hash.map_err(|_| Error::Answer("a query_hash that is none"))?;
    let severity_of = |column: &str| part(column).map(|text| text.and_then(|text| text.parse().ok()));
    let acknowledged = part("acknowledged_by")?.zip(severity_of("acknowledged_severity")?);
    let notified = time("notified_at_us")?.zip(severity_of("notified_severity")?);
    let (count, missed): (i64, i32) = (row.try_get("count")?, row.try_get("missed")?);
    Ok(Some(Alert {
        id: Some(row.try_get("id")?),
        server: text("server")?,
        kind,
        subject: Subject { database: part("datname")?, query_hash, name: text("name")? },
        severity,
        opened_at: must(time("opened_at_us")?)?,
        last_seen_at: must(time("last_seen_at_us")?)?,
        updated_at: must(time("updated_at_us")?)?,
        resolved_at: time("resolved_at_us")?,
        value: row.try_get("value")?,
        worst: row.try_get("worst")?,
        threshold: row.try_get("threshold")?,
        count: count.unsigned_abs(),
        message: text("message")?,
        missed: u16::try_from(missed).unwrap_or(u16::MAX),
        missed_at: time("missed_at_us")?,
        is_flapping: row.try_get("is_flapping")?,
        acknowledged: acknowledged.map(|(by, severity)| Acknowledgement { by, severity }),
        silenced: None,
        notified: notified.map(|(at, severity)| Notified { at, severity }),
    }))
}

/// What judging writes of an alert, as columns; what people did is left alone.
pub(super) struct Written {
    times: [Option<i64>; 6],
    values: [f64; 3],
    count: i64,
    missed: i32,
    is_flapping: bool,
    texts: [String; 6],
    parts: [Option<String>; 3],
}

impl Written {
    /// The columns, in the order of [`Self::parameters`].
    pub(super) const COLUMNS: [&'static str; 20] = [
        "opened_at",
        "last_seen_at",
        "updated_at",
        "resolved_at",
        "missed_at",
        "notified_at",
        "value",
        "worst",
        "threshold",
        "count",
        "missed",
        "is_flapping",
        "server",
        "kind",
        "subject",
        "name",
        "severity",
        "message",
        "datname",
        "query_hash",
    ];

    pub(super) fn new(alert: &Alert) -> Self {
        let us = |at: Option<WallTime>| at.map(WallTime::unix_micros);
        let notified = alert.notified;
        let Subject { database, query_hash, name } = &alert.subject;
        Self {
            times: [
                us(Some(alert.opened_at)),
                us(Some(alert.last_seen_at)),
                us(Some(alert.updated_at)),
                us(alert.resolved_at),
                us(alert.missed_at),
                us(notified.map(|notified| notified.at)),
            ],
            values: [alert.value, alert.worst, alert.threshold],
            count: i64::try_from(alert.count).unwrap_or(i64::MAX),
            missed: alert.missed.into(),
            is_flapping: alert.is_flapping,
            texts: [
                clean(&alert.server),
                alert.kind.as_str().to_owned(),
                clean(&alert.subject.to_string()),
                clean(name),
                alert.severity.as_str().to_owned(),
                clean(&alert.message),
            ],
            parts: [
                database.as_deref().map(clean),
                query_hash.map(|hash| hash.to_string()),
                notified.map(|notified| notified.severity.as_str().to_owned()),
            ],
        }
    }

    /// Each column's value as SQL, `$1` being the first parameter; last that of `notified_severity`.
    pub(super) fn values() -> Vec<String> {
        let value = |n: usize| if n <= 6 { at(&format!("${n}")) } else { format!("${n}") };
        (1..=Self::COLUMNS.len() + 1).map(value).collect()
    }

    pub(super) fn parameters(&self) -> Vec<Parameter<'_>> {
        let mut parameters: Vec<Parameter<'_>> = Vec::new();
        parameters.extend(self.times.iter().map(|time| (time as &(dyn ToSql + Sync), Type::INT8)));
        parameters.extend(self.values.iter().map(|value| (value as &(dyn ToSql + Sync), Type::FLOAT8)));
        parameters.push((&self.count, Type::INT8));
        parameters.push((&self.missed, Type::INT4));
        parameters.push((&self.is_flapping, Type::BOOL));
        parameters.extend(self.texts.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT)));
        parameters.extend(self.parts.iter().map(|part| (part as &(dyn ToSql + Sync), Type::TEXT)));
        parameters
    }
}

/// PostgreSQL has no zero byte in a text.
pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
