//! Which monitored servers there are: those behind this process's routes; of `pgvitals serve` those in the tables.

use std::sync::Arc;

use crate::base::units::Nanos;
use crate::http::app::App;
use crate::http::problem::Problem;

/// A new server may wait so long until it is shown.
const FRESH: Nanos = Nanos::from_millis(60_000);

/// Their names.
///
/// # Errors
/// A store that doesn't answer.
pub(in crate::http) async fn fetch(app: &App) -> Result<Arc<Vec<String>>, Problem> {
    let Some(store) = app.sources.store.as_ref().filter(|_| !app.measures()) else {
        return Ok(Arc::new(app.settings.servers.clone()));
    };
    let now = app.view().at();
    let known = app.kept.servers.lock().await.clone();
    if let Some((_, servers)) = known.filter(|(at, _)| now.since(*at) < FRESH) {
        return Ok(servers);
    }
    let servers = Arc::new(store.reader.servers().await?);
    // One that nobody has written to yet may have its first server in a moment.
    *app.kept.servers.lock().await = Some((now, Arc::clone(&servers))).filter(|_| !servers.is_empty());
    Ok(servers)
}
