//! Who wants quiet about what.

use super::row::micros;
use crate::analyze::alert::Silence;
use crate::base::units::WallTime;
use crate::store::error::Error;
use crate::store::link::Link;

/// Those that are not over. One of a kind that a later version has covers nothing that this one knows.
pub(super) async fn read(link: &Link) -> Result<Vec<Silence>, Error> {
    let sql = format!(
        "select s.server, s.kind, s.datname, s.subject, s.silenced_by, {} until_us
         from {{schema}}.silences s where s.until > clock_timestamp()",
        micros("s.until"),
    );
    let mut silences = Vec::new();
    for row in link.client.query_typed(&link.schema.fill(&sql), &[]).await? {
        let kind: Option<String> = row.try_get("kind")?;
        let Ok(kind) = kind.map(|kind| kind.parse()).transpose() else { continue };
        silences.push(Silence {
            server: row.try_get("server")?,
            kind,
            database: row.try_get("datname")?,
            subject: row.try_get("subject")?,
            until: WallTime::from_unix_micros(row.try_get("until_us")?),
            by: row.try_get("silenced_by")?,
        });
    }
    Ok(silences)
}
