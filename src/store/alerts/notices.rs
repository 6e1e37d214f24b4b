//! What is to be told to whom: a row for each thing that happened to an alert and each channel, in the transaction of the
//! change, and what became of it. They survive whoever tells.

use std::collections::BTreeSet;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::row::{self, Parameter, at, micros};
use crate::analyze::alert::{Alert, Change, Notice};
use crate::analyze::level::DAY;
use crate::analyze::report::Report;
use crate::base::telemetry::Channel;
use crate::base::units::{Nanos, WallTime};
use crate::store::error::Error;
use crate::store::link::Link;

/// Rows that are looked at in one go; the rest follows.
const MOST: i64 = 2_000;

/// Who hears of something that happened to an alert; those who heard of it before are known.
pub type Route<'a> = dyn Fn(Notice, &Alert, &BTreeSet<Channel>) -> BTreeSet<Channel> + Send + Sync + 'a;

/// Whom to tell, and how long that waits for more.
#[derive(Clone, Copy)]
pub struct Routing<'a> {
    /// Who hears.
    pub route: &'a Route<'a>,
    /// A row is due so long after it was made.
    pub wait: Nanos,
}

/// What a row is about.
#[derive(Clone, PartialEq, Debug)]
pub enum About {
    /// Something that happened to an alert, which is as it is now.
    Alert(Notice, Box<Alert>),
    /// A day's report.
    Report(Box<Report>),
}

/// A row that waits.
#[derive(Clone, PartialEq, Debug)]
pub struct Waiting {
    /// The row.
    pub id: i64,
    /// Who hears.
    pub channel: Channel,
    /// Of what.
    pub about: About,
    /// Not before.
    pub due: WallTime,
    /// Attempts that failed.
    pub attempts: u32,
}

/// When somebody was last told something about a database, or about a server as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// Who.
    pub channel: Channel,
    /// The monitored server.
    pub server: String,
    /// The database, where there is one.
    pub database: Option<String>,
    /// When.
    pub at: WallTime,
}

/// What became of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Became {
    /// It was told.
    Sent,
    /// It is tried again, not before.
    Again(WallTime),
    /// It is given up.
    Dead,
}

/// What happened, as the row's key: what can happen again is told apart.
pub fn event(notice: Notice, alert: &Alert) -> String {
    let name = notice.as_str();
    match notice {
        Notice::Escalated => format!("{name} {}", alert.severity.as_str()),
        Notice::Reminder => {
            let days = alert.updated_at.since(alert.opened_at).get() / DAY.get();
            format!("{name} {days}")
        }
        Notice::Opened | Notice::Flapping | Notice::Resolved => name.to_owned(),
    }
}

fn notice(event: &str) -> Option<Notice> {
    let name = event.split(' ').next()?;
    let all = [Notice::Opened, Notice::Escalated, Notice::Flapping, Notice::Reminder, Notice::Resolved];
    all.into_iter().find(|notice| notice.as_str() == name)
}

fn channel(name: &str) -> Option<Channel> {
    Channel::ALL.iter().copied().find(|channel| channel.as_str() == name)
}

/// Rows for a change, in its transaction.
pub(super) async fn note(link: &Link, change: &Change, now: WallTime, routing: &Routing<'_>) -> Result<(), Error> {
    let (Some(notice), Some(id)) = (change.notice, change.alert.id) else { return Ok(()) };
    let ask = link.schema.fill("select distinct channel from {schema}.notifications where alert_id = $1");
    let rows = link.client.query_typed(&ask, &[(&id, Type::INT8)]).await?;
    let told = rows.iter().map(|row| row.try_get::<_, String>(0)).collect::<Result<Vec<_>, _>>()?;
    let told: BTreeSet<Channel> = told.iter().filter_map(|name| channel(name)).collect();
    let channels = (routing.route)(notice, &change.alert, &told);
    let channels: Vec<&str> = channels.into_iter().map(Channel::as_str).collect();
    if channels.is_empty() {
        return Ok(());
    }
    let insert = format!(
        "insert into {{schema}}.notifications (alert_id, event, channel, due) select $1, $2, c, {} from unnest($3) c
         on conflict do nothing",
        at("$4")
    );
    let (event, due) = (event(notice, &change.alert), now.after(routing.wait).unix_micros());
    let parameters: [Parameter<'_>; 4] =
        [(&id, Type::INT8), (&event, Type::TEXT), (&channels, Type::TEXT_ARRAY), (&due, Type::INT8)];
    link.client.execute_typed(&link.schema.fill(&insert), &parameters).await?;
    Ok(())
}

/// Whether anything waits.
pub(super) async fn is_waiting(link: &Link) -> Result<bool, Error> {
    let sql = "select exists (select from {schema}.notifications where sent_at is null and failed_at is null)";
    let rows = link.client.query_typed(&link.schema.fill(sql), &[]).await?;
    Ok(rows.first().ok_or(Error::Answer("no word on notifications"))?.try_get(0)?)
}

/// What waits, the oldest first.
///
/// # Errors
/// What the store said.
pub async fn waiting(link: &Link) -> Result<Vec<Waiting>, Error> {
    let sql = format!(
        "select n.notification_id, n.channel, n.event, n.attempts, {} due_us, n.report_id, r.report::text report, {}
         from {{schema}}.notifications n
         left join {{schema}}.alerts a on a.id = n.alert_id
         left join {{schema}}.reports r on r.report_id = n.report_id
         where n.sent_at is null and n.failed_at is null order by n.due, n.notification_id limit $1",
        micros("n.due"),
        row::columns()
    );
    let rows = link.client.query_typed(&link.schema.fill(&sql), &[(&MOST, Type::INT8)]).await?;
    let waiting = rows.iter().map(one).filter_map(Result::transpose);
    waiting.collect()
}

/// `None` of what a later version made.
fn one(row: &Row) -> Result<Option<Waiting>, Error> {
    let report: Option<i64> = row.try_get("report_id")?;
    let about = match report {
        Some(_) => {
            let text: Option<String> = row.try_get("report")?;
            text.and_then(|text| serde_json::from_str(&text).ok()).map(|report| About::Report(Box::new(report)))
        }
        None => {
            let event: String = row.try_get("event")?;
            notice(&event).zip(row::read(row)?).map(|(notice, alert)| About::Alert(notice, Box::new(alert)))
        }
    };
    let name: String = row.try_get("channel")?;
    let Some((about, channel)) = about.zip(channel(&name)) else { return Ok(None) };
    let attempts: i32 = row.try_get("attempts")?;
    Ok(Some(Waiting {
        id: row.try_get("notification_id")?,
        channel,
        about,
        due: WallTime::from_unix_micros(row.try_get("due_us")?),
        attempts: attempts.unsigned_abs(),
    }))
}

/// What was told since a time.
///
/// # Errors
/// What the store said.
pub async fn told(link: &Link, since: WallTime) -> Result<Vec<Told>, Error> {
    let sql = format!(
        "select n.channel, a.server, a.datname, {} sent_us
         from {{schema}}.notifications n join {{schema}}.alerts a on a.id = n.alert_id
         where n.sent_at > {} group by 1, 2, 3",
        micros("max(n.sent_at)"),
        at("$1")
    );
    let since = since.unix_micros();
    let rows = link.client.query_typed(&link.schema.fill(&sql), &[(&since, Type::INT8)]).await?;
    let mut told = Vec::new();
    for row in &rows {
        let name: String = row.try_get("channel")?;
        let Some(channel) = channel(&name) else { continue };
        let at = WallTime::from_unix_micros(row.try_get("sent_us")?);
        told.push(Told { channel, server: row.try_get("server")?, database: row.try_get("datname")?, at });
    }
    Ok(told)
}

/// Notes what became of rows.
///
/// # Errors
/// What the store said.
pub async fn settle(link: &Link, outcomes: &[(i64, Became)]) -> Result<(), Error> {
    let update = format!(
        "update {{schema}}.notifications n set
             sent_at = case o.state when 'sent' then clock_timestamp() end,
             failed_at = case o.state when 'dead' then clock_timestamp() end,
             due = coalesce({}, n.due), attempts = n.attempts + case o.state when 'sent' then 0 else 1 end
         from unnest($1, $2, $3) o (id, state, due_us)
         where n.notification_id = o.id and n.sent_at is null",
        at("o.due_us")
    );
    let ids: Vec<i64> = outcomes.iter().map(|(id, _)| *id).collect();
    let state = |became: &Became| match became {
        Became::Sent => "sent",
        Became::Again(_) => "again",
        Became::Dead => "dead",
    };
    let states: Vec<&str> = outcomes.iter().map(|(_, became)| state(became)).collect();
    let due = |became: &Became| match became {
        Became::Again(due) => Some(due.unix_micros()),
        Became::Sent | Became::Dead => None,
    };
    let dues: Vec<Option<i64>> = outcomes.iter().map(|(_, became)| due(became)).collect();
    let parameters: [Parameter<'_>; 3] =
        [(&ids, Type::INT8_ARRAY), (&states, Type::TEXT_ARRAY), (&dues, Type::INT8_ARRAY)];
    link.client.execute_typed(&link.schema.fill(&update), &parameters).await?;
    Ok(())
}
