//! What `pgstattuple_approx` finds in tables and their TOAST, the largest first, as far as a budget of pages goes.

use tokio_postgres::types::Type;

use super::ask::{Answer, Session};
use super::error::Error;
use super::missing::Gaps;
use super::server::Extension;
use super::tables::Tables;
use crate::snapshot::relation::{Bloat, Method};
use crate::snapshot::table::Table;

/// Pages that may be read of one database in one round: 100 MiB. Those that are all visible are not.
const PAGES_MAX: u64 = 12_800;
/// Smaller tables are not worth a question.
const LOOK_BYTES: u64 = 1 << 20;

/// Puts measured bloat in place of estimates.
pub(super) async fn look(
    session: &Session,
    extension: &Extension,
    database: &str,
    tables: &mut Tables,
    gaps: &mut Gaps,
) {
    let sql = include_str!("queries/measure.sql").replace("{extension}", &extension.schema);
    let mut left = PAGES_MAX;
    let mut largest: Vec<&mut Table> =
        tables.tables.iter_mut().filter(|table| measured_bytes(table) >= LOOK_BYTES).collect();
    // Of those without an estimate first.
    largest.sort_by_key(|table| (table.figures.withheld.is_none(), std::cmp::Reverse(measured_bytes(table))));
    for table in largest {
        let pages = tables.unseen_pages.get(&table.key.relation).copied().unwrap_or(u64::MAX);
        if table.definition.is_partitioned || pages > left {
            continue;
        }
        match measure(session, &sql, table).await {
            Ok(bloat) => {
                left -= pages;
                table.figures.bloat = bloat.or(table.figures.bloat);
                table.figures.withheld = table.figures.withheld.filter(|_| bloat.is_none());
            }
            Err(error) if error.code() == Some("42501") => return gaps.no_scans(database),
            // Somebody changes the table, or it is gone: the estimate stays.
            Err(error) => tracing::debug!(%error, database, table = table.names.table, "not measured"),
        }
    }
}

/// What a look is about: TOAST counts with its table.
fn measured_bytes(table: &Table) -> u64 {
    table.figures.heap_bytes.saturating_add(table.figures.toast_bytes)
}

async fn measure(session: &Session, sql: &str, table: &Table) -> Result<Option<Bloat>, Error> {
    let (mut length, mut wasted_bytes) = (0_u64, 0_u64);
    for row in session.ask(sql, &[(&table.key.relation.0, Type::OID)]).await? {
        let row = Answer(&row);
        let (there, dead, free) = (row.count("table_len")?, row.count("dead_tuple_len")?, row.count("free_bytes")?);
        let used = there.saturating_sub(dead).saturating_sub(free) as f64;
        // What the fillfactor keeps free is there to be used; TOAST has none.
        let fillfactor = if row.get("is_toast")? { 100 } else { table.definition.fillfactor_percent.max(1) };
        let needed = used * 100.0 / f64::from(fillfactor);
        length = length.saturating_add(there);
        wasted_bytes = wasted_bytes.saturating_add(there.saturating_sub(needed as u64));
    }
    let percent = 100.0 * wasted_bytes as f64 / (length as f64).max(1.0);
    Ok((length > 0).then_some(Bloat { percent: percent.min(100.0), wasted_bytes, method: Method::Measured }))
}
