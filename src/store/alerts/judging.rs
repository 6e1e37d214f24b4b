//! What findings change, written in one transaction: whoever judges holds a lock until it is over, so that an alert opens
//! once however many processes judge.

use tokio_postgres::types::Type;

use super::notices::{self, Routing};
use super::row::{self, Parameter, Written, at, micros};
use super::silences;
use crate::analyze;
use crate::analyze::alert::{Alert, Change, Finding, Look, Silence};
use crate::analyze::book::{Book, REMEMBERED};
use crate::analyze::kind::Kind;
use crate::base::units::{Nanos, WallTime};
use crate::store::error::Error;
use crate::store::link::Link;

/// What came of it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Judged {
    /// What was written; rows have their ids.
    pub changes: Vec<Change>,
    /// All that are open now.
    pub open: Vec<Alert>,
    /// Something waits to be told.
    pub is_waiting: bool,
}

/// Judges: what the rows and the findings come to is written, and who is to be told of it.
///
/// # Errors
/// What the store said; then nothing of it is there.
pub async fn judge(
    link: &Link,
    settings: &analyze::Settings,
    looks: &[Look],
    findings: Vec<Finding>,
    routing: &Routing<'_>,
) -> Result<Judged, Error> {
    link.begin().await?;
    let done = async {
        let now = lock(link).await?;
        let mut book = book(link, settings, now).await?;
        let mut changes = book.judge(now, looks, findings);
        for change in &mut changes {
            write(link, &mut change.alert).await?;
            notices::note(link, change, now, routing).await?;
        }
        book.apply(&changes);
        book.alerts.retain(Alert::is_open);
        Ok(Judged { changes, open: book.alerts, is_waiting: notices::is_waiting(link, routing).await? })
    };
    match done.await {
        Ok(judged) => link.commit().await.map(|()| judged),
        Err(error) => {
            link.roll_back().await;
            Err(error)
        }
    }
}

/// Writes alerts whose lives were judged before; each gets its id.
///
/// # Errors
/// What the store said; then none is there.
pub async fn keep(link: &Link, alerts: &mut [Alert]) -> Result<(), Error> {
    link.begin().await?;
    let done = async {
        for alert in alerts {
            write(link, alert).await?;
        }
        Ok(())
    };
    match done.await {
        Ok(()) => link.commit().await,
        Err(error) => {
            link.roll_back().await;
            Err(error)
        }
    }
}

/// Alerts of a kind that are open.
///
/// # Errors
/// What the store said.
pub async fn open(link: &Link, kind: Kind) -> Result<Vec<Alert>, Error> {
    let sql = format!("select {} from {{schema}}.alerts a where a.resolved_at is null and a.kind = $1", row::columns());
    let rows = link.client.query_typed(&link.schema.fill(&sql), &[(&kind.as_str(), Type::TEXT)]).await?;
    rows.iter().filter_map(|row| row::read(row).transpose()).collect()
}

/// Waits for others that judge; then it is this time by the store's clock.
async fn lock(link: &Link) -> Result<WallTime, Error> {
    let lock = "select pg_advisory_xact_lock(hashtext('{schema_name}' || ' alerts'), 0)";
    link.client.query_typed(&link.schema.fill(lock), &[]).await?;
    let now = format!("select {}", micros("clock_timestamp()"));
    let rows = link.client.query_typed(&now, &[]).await?;
    let us: i64 = rows.first().ok_or(Error::Answer("no time"))?.try_get(0)?;
    Ok(WallTime::from_unix_micros(us))
}

async fn book(link: &Link, settings: &analyze::Settings, now: WallTime) -> Result<Book, Error> {
    let ask = async |sql: String, parameters: &[Parameter<'_>]| {
        link.client.query_typed(&link.schema.fill(&sql), parameters).await
    };
    let since = now.before(REMEMBERED).unix_micros();
    let alerts = format!(
        "select {} from {{schema}}.alerts a where (a.resolved_at is null or a.resolved_at > {since}
         or a.opened_at > {since}) and {} order by a.id",
        row::columns(),
        row::MEASURED,
        since = at("$1")
    );
    let mut book = Book { settings: settings.clone(), ..Book::default() };
    for row in ask(alerts, &[(&since, Type::INT8)]).await? {
        book.alerts.extend(row::read(&row)?);
    }
    book.silences = silences::read(link).await?;
    for alert in &mut book.alerts {
        alert.silenced = Silence::longest(&book.silences, alert);
    }
    if settings.learn == Nanos::ZERO {
        // A server is known from its first batch on, and an execution in that was before.
        return Ok(book);
    }
    let servers = format!("select v.server, {} first_us from {{schema}}.servers v", micros("v.first_seen"));
    for row in ask(servers, &[]).await? {
        book.servers.insert(row.try_get("server")?, WallTime::from_unix_micros(row.try_get("first_us")?));
    }
    Ok(book)
}

/// A new row gets its id.
async fn write(link: &Link, alert: &mut Alert) -> Result<(), Error> {
    let written = Written::new(alert);
    let (columns, values) = (Written::COLUMNS.join(", "), Written::values().join(", "));
    let mut parameters = written.parameters();
    if let Some(id) = &alert.id {
        let place = parameters.len() + 1;
        parameters.push((id, Type::INT8));
        let update =
            format!("update {{schema}}.alerts set ({columns}, notified_severity) = ({values}) where id = ${place}");
        link.client.execute_typed(&link.schema.fill(&update), &parameters).await?;
        return Ok(());
    }
    let insert = format!("insert into {{schema}}.alerts ({columns}, notified_severity) values ({values}) returning id");
    let rows = link.client.query_typed(&link.schema.fill(&insert), &parameters).await?;
    let id: i64 = rows.first().ok_or(Error::Answer("no word on an alert"))?.try_get(0)?;
    drop(parameters);
    alert.id = Some(id);
    Ok(())
}
