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

/// The channel of what was noted by a process that has nobody to tell: whoever tells decides who hears of it.
const UNDECIDED: &str = "undecided";
/// If nobody has decided for so long, nobody is told any more.
const DECIDED_WITHIN: Nanos = DAY;

/// Something to tell.
#[derive(Clone, Copy, Debug)]
pub enum News<'a> {
    /// Something that happened to an alert, and who heard of it before.
    Alert(Notice, &'a Alert, &'a BTreeSet<Channel>),
    /// A server's daily report.
    Report(&'a str),
}

/// Who hears of it; `None`: here nobody knows.
pub type Route<'a> = dyn Fn(News<'_>) -> Option<BTreeSet<Channel>> + Send + Sync + 'a;

/// Whom to tell, and how long that waits for more.
#[derive(Clone, Copy)]
pub struct Routing<'a> {
    /// Who hears.
    pub route: &'a Route<'a>,
    /// Whether that is decided here at all.
    pub decides: bool,
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
    let told = told_of(link, id).await?;
    let channels = names((routing.route)(News::Alert(notice, &change.alert, &told)).as_ref());
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

/// Who heard of an alert, or will.
async fn told_of(link: &Link, alert: i64) -> Result<BTreeSet<Channel>, Error> {
    let ask = link.schema.fill("select distinct channel from {schema}.notifications where alert_id = $1");
    let rows = link.client.query_typed(&ask, &[(&alert, Type::INT8)]).await?;
    let names = rows.iter().map(|row| row.try_get::<_, String>(0)).collect::<Result<Vec<_>, _>>()?;
    Ok(names.iter().filter_map(|name| channel(name)).collect())
}

/// Channels as rows name them.
pub(super) fn names(channels: Option<&BTreeSet<Channel>>) -> Vec<&'static str> {
    channels.map_or(vec![UNDECIDED], |channels| channels.iter().map(|channel| channel.as_str()).collect())
}

/// Decides who hears of what was left undecided, in one transaction; of what is too old nobody does.
///
/// # Errors
/// What the store said; then nothing was decided.
pub async fn decide(link: &Link, route: &Route<'_>) -> Result<(), Error> {
    let waits = "select exists (select from {schema}.notifications n
         where n.channel = $1 and n.sent_at is null and n.failed_at is null)";
    let rows = link.client.query_typed(&link.schema.fill(waits), &[(&UNDECIDED, Type::TEXT)]).await?;
    if !rows.first().ok_or(Error::Answer("no word on notifications"))?.try_get::<_, bool>(0)? {
        return Ok(());
    }
    link.begin().await?;
    match decide_all(link, route).await {
        Ok(()) => link.commit().await,
        Err(error) => {
            link.roll_back().await;
            Err(error)
        }
    }
}

async fn decide_all(link: &Link, route: &Route<'_>) -> Result<(), Error> {
    let old = format!(
        "update {{schema}}.notifications n set failed_at = clock_timestamp()
         where n.channel = $1 and n.sent_at is null and n.failed_at is null
             and n.due < clock_timestamp() - {} * interval '1 microsecond'",
        DECIDED_WITHIN.as_micros()
    );
    link.client.execute_typed(&link.schema.fill(&old), &[(&UNDECIDED, Type::TEXT)]).await?;
    // In the order of what happened: who is told that an alert opened is told how it ends.
    let rows = link.client.query_typed(&link.schema.fill(&ask("=", "n.notification_id")), &PARAMETERS).await?;
    for row in &rows {
        let id: i64 = row.try_get("notification_id")?;
        let channels = match about(row)? {
            Some(About::Alert(notice, alert)) => {
                let told = told_of(link, alert.id.unwrap_or_default()).await?;
                route(News::Alert(notice, &alert, &told))
            }
            Some(About::Report(report)) => route(News::Report(&report.server)),
            None => continue,
        };
        let Some(channels) = channels else { return Ok(()) };
        let decided = "with decided as (
                update {schema}.notifications n set sent_at = clock_timestamp() where n.notification_id = $1 returning n.*
            )
            insert into {schema}.notifications (alert_id, report_id, event, channel, due)
            select d.alert_id, d.report_id, d.event, c, d.due from decided d cross join unnest($2) c
            on conflict do nothing";
        let parameters: [Parameter<'_>; 2] = [(&id, Type::INT8), (&names(Some(&channels)), Type::TEXT_ARRAY)];
        link.client.execute_typed(&link.schema.fill(decided), &parameters).await?;
    }
    Ok(())
}

/// Whether anything waits that can be told from here.
pub(super) async fn is_waiting(link: &Link, routing: &Routing<'_>) -> Result<bool, Error> {
    let sql = "select exists (select from {schema}.notifications n
         where n.sent_at is null and n.failed_at is null and ($1 or n.channel <> $2))";
    let parameters: [Parameter<'_>; 2] = [(&routing.decides, Type::BOOL), (&UNDECIDED, Type::TEXT)];
    let rows = link.client.query_typed(&link.schema.fill(sql), &parameters).await?;
    Ok(rows.first().ok_or(Error::Answer("no word on notifications"))?.try_get(0)?)
}

/// What waits: what is critical first, for the rest may be more than is looked at and wait for the end of quiet hours; then
/// the oldest.
///
/// # Errors
/// What the store said.
pub async fn waiting(link: &Link) -> Result<Vec<Waiting>, Error> {
    let order = "(a.severity is not distinct from 'critical') desc, n.due, n.notification_id";
    let rows = link.client.query_typed(&link.schema.fill(&ask("<>", order)), &PARAMETERS).await?;
    let waiting = rows.iter().map(one).filter_map(Result::transpose);
    waiting.collect()
}

const PARAMETERS: [Parameter<'_>; 2] = [(&MOST, Type::INT8), (&UNDECIDED, Type::TEXT)];

/// Rows that wait and are undecided, or that are not.
fn ask(compare: &str, order: &str) -> String {
    format!(
        "select n.notification_id, n.channel, n.event, n.attempts, {} due_us, n.report_id, r.report::text report, {}
         from {{schema}}.notifications n
         left join {{schema}}.alerts a on a.id = n.alert_id
         left join {{schema}}.reports r on r.report_id = n.report_id
         where n.sent_at is null and n.failed_at is null and n.channel {compare} $2
         order by {order} limit $1",
        micros("n.due"),
        row::columns()
    )
}

/// `None` of what a later version made.
fn about(row: &Row) -> Result<Option<About>, Error> {
    let report: Option<i64> = row.try_get("report_id")?;
    if report.is_some() {
        let text: Option<String> = row.try_get("report")?;
        return Ok(text
            .and_then(|text| serde_json::from_str(&text).ok())
            .map(|report| About::Report(Box::new(report))));
    }
    let event: String = row.try_get("event")?;
    Ok(notice(&event).zip(row::read(row)?).map(|(notice, alert)| About::Alert(notice, Box::new(alert))))
}

/// The same.
fn one(row: &Row) -> Result<Option<Waiting>, Error> {
    let name: String = row.try_get("channel")?;
    let Some((about, channel)) = about(row)?.zip(channel(&name)) else { return Ok(None) };
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
