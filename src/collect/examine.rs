//! What a role will not see, for `pgvitals check`: a few questions to one database, no round over all of them.

use super::ask::{Answer, Session};
use super::error::Error;
use super::missing::Gaps;
use super::server;
use super::settings::Settings;
use crate::snapshot::set::Missing;

/// What can't be seen with these settings, each with the statement that an owner could run.
///
/// # Errors
/// When the server can't be asked.
pub async fn examine(settings: &Settings) -> Result<Vec<Missing>, Error> {
    let session = Session::open(&settings.target).await?;
    let greeting = server::greet(&session).await?;
    let rows = session.ask(include_str!("queries/rights.sql"), &[]).await?;
    let rights = Answer(rows.first().ok_or(Error::Answer("no word on rights"))?);
    let mut gaps = Gaps::of(&greeting.role, greeting.server.version_number);
    if !greeting.sees_all {
        gaps.no_monitor();
    }
    if !rights.get::<bool>("reads_all")? {
        gaps.no_reading();
    }
    for database in rights.get::<Vec<String>>("closed")? {
        gaps.no_connect(&database);
    }
    if !rights.get::<bool>("counts_calls")? {
        let why = "pg_stat_statements is not in this database; unless it is in another one, nobody knows whose calls go \
                   around pgvitals";
        gaps.add(None, "calls", why, Some("CREATE EXTENSION pg_stat_statements".to_owned()));
    }
    Ok(gaps.list)
}
