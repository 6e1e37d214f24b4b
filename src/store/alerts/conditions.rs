//! What an instance says of itself and of its sessions, for whoever judges: facts that are in no other table.

use serde::{Deserialize, Serialize};
use tokio_postgres::types::Type;

use super::row::{Parameter, at, clean, micros};
use crate::analyze::judge::Idle;
use crate::base::units::{Nanos, WallTime};
use crate::sql::hash::QueryHash;
use crate::store::batch::Origin;
use crate::store::error::Error;
use crate::store::link::Link;

/// What an instance has to say; empty: nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Conditions {
    /// Sessions that are idle in their transactions.
    pub idle: Vec<IdleSession>,
    /// Servers that can't be reached, and since when.
    pub down: Vec<Down>,
    /// Reasons and how many samples each took since the last time.
    pub dropped: Vec<(String, u64)>,
}

/// A session that is idle in its transaction.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct IdleSession {
    /// The monitored server.
    pub server: String,
    /// Where, whose.
    pub database: String,
    /// As above.
    pub user: String,
    /// As above.
    pub application: String,
    /// For how long, µs.
    pub idle_us: u64,
    /// The statement after which it began, as 16 hex digits.
    pub after: Option<String>,
}

/// A server that can't be reached.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Down {
    /// The monitored server.
    pub server: String,
    /// Since when, µs since the Unix epoch by the instance's clock.
    pub since_us: i64,
}

/// What an instance said, and when.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Said {
    /// Its name.
    pub instance: String,
    /// When, by the store's clock.
    pub at: WallTime,
    /// What.
    pub conditions: Conditions,
}

impl Conditions {
    /// Nothing to say.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl IdleSession {
    /// As rules take it; seen at `at`.
    pub fn seen(&self, at: WallTime) -> Idle {
        Idle {
            at,
            database: self.database.clone(),
            user: self.user.clone(),
            application: self.application.clone(),
            idle: Nanos::from_micros(self.idle_us),
            after: self.after.as_ref().and_then(|hash| hash.parse::<QueryHash>().ok()),
        }
    }
}

/// Says it in the instance's name, instead of what it said before.
///
/// # Errors
/// What the store said.
pub async fn say(link: &mut Link, origin: &Origin, conditions: &Conditions) -> Result<(), Error> {
    let instance_id = link.register(origin).await?.instance_id;
    let facts = serde_json::to_string(conditions).map_err(|_| Error::Answer("conditions that are no JSON"))?;
    // A text with a zero byte is no jsonb, however it is written.
    let facts = clean(&facts).replace("\\u0000", "\u{fffd}");
    let insert = "insert into {schema}.conditions (instance_id, at, facts) values ($1, clock_timestamp(), $2::text::jsonb) \
                  on conflict (instance_id) do update set at = excluded.at, facts = excluded.facts";
    let parameters: [Parameter<'_>; 2] = [(&instance_id, Type::INT4), (&facts, Type::TEXT)];
    link.client.execute_typed(&link.schema.fill(insert), &parameters).await?;
    Ok(())
}

/// What instances said since a time.
pub(super) async fn read(link: &Link, since: WallTime) -> Result<Vec<Said>, Error> {
    let sql = format!(
        "select i.instance, {} at_us, c.facts::text facts
         from {{schema}}.conditions c join {{schema}}.instances i using (instance_id) where c.at > {}",
        micros("c.at"),
        at("$1")
    );
    let since = since.unix_micros();
    let rows = link.client.query_typed(&link.schema.fill(&sql), &[(&since, Type::INT8)]).await?;
    let said = rows.iter().map(|row| {
        let facts: &str = row.try_get("facts")?;
        // What a later version says and this one doesn't understand is nothing.
        let conditions = serde_json::from_str(facts).unwrap_or_default();
        let at = WallTime::from_unix_micros(row.try_get("at_us")?);
        Ok(Said { instance: row.try_get("instance")?, at, conditions })
    });
    said.collect()
}
