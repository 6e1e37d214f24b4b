//! Daily reports: kept once for each day and server, with a row for each channel that gets them.

use std::collections::BTreeSet;

use tokio_postgres::types::Type;

use super::notices;
use super::row::{Parameter, at, clean};
use crate::analyze::report::Report;
use crate::base::telemetry::Channel;
use crate::base::units::WallTime;
use crate::store::error::Error;
use crate::store::link::Link;
use crate::store::settings::Settings;

/// A report as it is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// The monitored server.
    pub server: String,
    /// As text for people.
    pub text: String,
    /// As data, JSON.
    pub json: String,
}

/// Keeps a report, and who gets it from `due` on (`None`: whoever tells decides); false when there was one of its day and server.
///
/// # Errors
/// What the store said; then nothing of it is there.
pub async fn keep(
    link: &Link,
    report: &Report,
    text: &str,
    channels: Option<&BTreeSet<Channel>>,
    due: WallTime,
) -> Result<bool, Error> {
    let json = serde_json::to_string(report).map_err(|_| Error::Answer("a report that is no JSON"))?;
    let json = json.replace("\\u0000", "\u{fffd}");
    // One statement: the rows are there together or not at all.
    let insert = format!(
        "with kept as (
            insert into {{schema}}.reports (day, server, report, text)
            values ($1::text::date, $2, $3::text::jsonb, $4) on conflict do nothing returning report_id
        ), told as (
            insert into {{schema}}.notifications (report_id, event, channel, due)
            select k.report_id, 'report', c, {} from kept k cross join unnest($5) c
        )
        select count(*) from kept",
        at("$6")
    );
    let (server, text) = (clean(&report.server), clean(text));
    let channels = notices::names(channels);
    let due = due.unix_micros();
    let parameters: [Parameter<'_>; 6] = [
        (&report.day, Type::TEXT),
        (&server, Type::TEXT),
        (&json, Type::TEXT),
        (&text, Type::TEXT),
        (&channels, Type::TEXT_ARRAY),
        (&due, Type::INT8),
    ];
    let rows = link.client.query_typed(&link.schema.fill(&insert), &parameters).await?;
    let kept: i64 = rows.first().ok_or(Error::Answer("no word on a report"))?.try_get(0)?;
    Ok(kept > 0)
}

/// The reports of a day, or of the last day that has some; of one server where it is named.
///
/// # Errors
/// What the store said.
pub async fn read(settings: &Settings, day: Option<&str>, server: Option<&str>) -> Result<Vec<Kept>, Error> {
    let link = Link::look(settings).await?;
    let sql = "select r.server, r.text, r.report::text report from {schema}.reports r
               where ($2::text is null or r.server = $2) and r.day = coalesce($1::text::date, (
                   select max(l.day) from {schema}.reports l where $2::text is null or l.server = $2
               )) order by r.server";
    let parameters: [Parameter<'_>; 2] = [(&day, Type::TEXT), (&server, Type::TEXT)];
    let rows = link.client.query_typed(&link.schema.fill(sql), &parameters).await?;
    let kept = rows.iter().map(|row| {
        Ok(Kept { server: row.try_get("server")?, text: row.try_get("text")?, json: row.try_get("report")? })
    });
    kept.collect()
}
