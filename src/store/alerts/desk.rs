//! Alerts for people: lists and counts, and what people do about one.

use std::time::Duration;

use tokio_postgres::types::Type;

use super::notices::{self, Became, Route, Told, Waiting};
use super::row::{self, Parameter, at, clean};
use super::silences;
use crate::analyze::alert::{Alert, Silence};
use crate::base::units::{Nanos, WallTime};
use crate::store::error::Error;
use crate::store::link::Link;
use crate::store::settings::Settings;

/// Somebody waits for the answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Which alerts.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Wanted {
    /// Open at some time from here on; `None`: open now.
    pub since: Option<WallTime>,
    /// Opened before.
    pub until: Option<WallTime>,
    /// Of this server; `None`: of all that were not made up.
    pub server: Option<String>,
    /// Of this database.
    pub database: Option<String>,
    /// At most so many.
    pub limit: usize,
}

impl Wanted {
    /// Whether an alert is one of them.
    pub fn admits(&self, alert: &Alert) -> bool {
        let is_late = |since| alert.resolved_at.is_none_or(|resolved| resolved >= since);
        self.since.map_or(alert.is_open(), is_late)
            && self.until.is_none_or(|until| alert.opened_at < until)
            && self.server.as_ref().is_none_or(|server| *server == alert.server)
            && self.database.as_ref().is_none_or(|name| Some(name) == alert.subject.database.as_ref())
    }
}

/// What became of an action.
#[derive(Clone, PartialEq, Debug)]
pub enum Acted {
    /// The alert as it is now.
    Done(Box<Alert>),
    /// It is over.
    Over,
    /// There is no such alert.
    Unknown,
}

/// Reads alerts and writes what people do; a connection for each question.
#[derive(Clone, Debug)]
pub struct Desk {
    settings: Settings,
}

impl Desk {
    /// At this store.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Open ones first, then the newest; the worst first of those that are open.
    ///
    /// # Errors
    /// What the store said, or that it didn't in time.
    pub async fn list(&self, wanted: &Wanted) -> Result<Vec<Alert>, Error> {
        let sql = format!(
            "select {} from {{schema}}.alerts a
             where case when $1::bigint is null then a.resolved_at is null
                 else a.resolved_at is null or a.resolved_at >= {} end
                 and ($2::bigint is null or a.opened_at < {}) and (a.server = $3 or $3::text is null and {})
                 and ($4::text is null or a.datname = $4)
             order by a.resolved_at is null desc, case when a.resolved_at is null then
                 array_position(array['critical', 'alert', 'warning'], a.severity) end, a.opened_at desc, a.id desc
             limit $5",
            row::columns(),
            at("$1"),
            at("$2"),
            row::MEASURED,
        );
        let us = |time: Option<WallTime>| time.map(WallTime::unix_micros);
        let (since, until) = (us(wanted.since), us(wanted.until));
        let limit = i64::try_from(wanted.limit).unwrap_or(i64::MAX);
        let parameters: [Parameter<'_>; 5] = [
            (&since, Type::INT8),
            (&until, Type::INT8),
            (&wanted.server, Type::TEXT),
            (&wanted.database, Type::TEXT),
            (&limit, Type::INT8),
        ];
        self.ask(async |link| {
            let rows = link.client.query_typed(&link.schema.fill(&sql), &parameters).await?;
            let alerts = rows.iter().filter_map(|row| row::read(row).transpose()).collect::<Result<Vec<_>, _>>()?;
            hushed(link, alerts).await
        })
        .await
        .or_else(|error| if error.is_empty_store() { Ok(Vec::new()) } else { Err(error) })
    }

    /// Says who knows of an alert: from now on it is told again only when it gets worse, and when it is over.
    ///
    /// # Errors
    /// As [`Desk::list`].
    pub async fn acknowledge(&self, id: i64, by: &str) -> Result<Acted, Error> {
        let by = clean(by);
        let update = "update {schema}.alerts a set acknowledged_by = $2, acknowledged_at = clock_timestamp(), \
                      acknowledged_severity = a.severity where a.id = $1 and a.resolved_at is null";
        self.ask(async |link| {
            let parameters: [Parameter<'_>; 2] = [(&id, Type::INT8), (&by, Type::TEXT)];
            let updated = link.client.execute_typed(&link.schema.fill(update), &parameters).await?;
            acted(link, id, updated).await
        })
        .await
    }

    /// Tells nobody of an alert's subject for a time.
    ///
    /// # Errors
    /// As [`Desk::list`].
    pub async fn silence(&self, id: i64, by: &str, span: Nanos) -> Result<Acted, Error> {
        let by = clean(by);
        let insert = "insert into {schema}.silences (until, server, kind, datname, subject, silenced_by) \
                      select clock_timestamp() + $2 * interval '1 microsecond', a.server, a.kind, a.datname, a.subject, $3 \
                      from {schema}.alerts a where a.id = $1 and a.resolved_at is null";
        let span_us = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        self.ask(async |link| {
            let parameters: [Parameter<'_>; 3] = [(&id, Type::INT8), (&span_us, Type::INT8), (&by, Type::TEXT)];
            let inserted = link.client.execute_typed(&link.schema.fill(insert), &parameters).await?;
            acted(link, id, inserted).await
        })
        .await
    }

    /// What waits to be told, once it is decided who hears of what.
    ///
    /// # Errors
    /// As [`Desk::list`].
    pub async fn waiting(&self, route: &Route<'_>) -> Result<Vec<Waiting>, Error> {
        let waiting = self.ask(async |link| {
            notices::decide(link, route).await?;
            notices::waiting(link).await
        });
        waiting.await.or_else(|error| if error.is_empty_store() { Ok(Vec::new()) } else { Err(error) })
    }

    /// What was told since a time.
    ///
    /// # Errors
    /// As [`Desk::list`].
    pub async fn told(&self, since: WallTime) -> Result<Vec<Told>, Error> {
        self.ask(async |link| notices::told(link, since).await).await
    }

    /// Notes what became of what waited.
    ///
    /// # Errors
    /// As [`Desk::list`].
    pub async fn settle(&self, outcomes: &[(i64, Became)]) -> Result<(), Error> {
        self.ask(async |link| notices::settle(link, outcomes).await).await
    }

    async fn ask<T>(&self, question: impl AsyncFnOnce(&Link) -> Result<T, Error>) -> Result<T, Error> {
        let answer = async {
            let link = Link::look(&self.settings).await?;
            question(&link).await
        };
        tokio::time::timeout(ANSWER_MAX, Box::pin(answer)).await.unwrap_or(Err(Error::Timeout(ANSWER_MAX.as_secs())))
    }
}

/// The same, with who wants quiet about them.
async fn hushed(link: &Link, mut alerts: Vec<Alert>) -> Result<Vec<Alert>, Error> {
    let silences = if alerts.iter().any(Alert::is_open) { silences::read(link).await? } else { Vec::new() };
    for alert in alerts.iter_mut().filter(|alert| alert.is_open()) {
        alert.silenced = Silence::longest(&silences, alert);
    }
    Ok(alerts)
}

/// After a statement that changed so many rows because of the alert, if it is open.
async fn acted(link: &Link, id: i64, changed: u64) -> Result<Acted, Error> {
    let sql = format!("select {} from {{schema}}.alerts a where a.id = $1", row::columns());
    let rows = link.client.query_typed(&link.schema.fill(&sql), &[(&id, Type::INT8)]).await?;
    let alert = rows.first().map(row::read).transpose()?.flatten();
    Ok(match hushed(link, alert.into_iter().collect()).await?.pop() {
        Some(alert) if changed > 0 => Acted::Done(Box::new(alert)),
        Some(_) => Acted::Over,
        None => Acted::Unknown,
    })
}
