//! Whether an answer is about what was made up (`pgvitals demo`), so that it says so.

use std::sync::Arc;
use std::time::Duration;

use super::ask::{Ask, Scope};
use super::params::Params;
use crate::base::units::{Nanos, WallTime};
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::store::read::MadeUp;

/// Somebody may have played a month meanwhile.
const FRESH: Nanos = Nanos::from_millis(60_000);
/// A mark is not worth a longer wait.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// True when figures that were made up take part. This process's own never are, so that nobody is asked.
///
/// # Errors
/// Values that are not allowed.
pub(in crate::http) async fn fetch(app: &App, params: &Params) -> Result<bool, Problem> {
    // The view goes before the store is waited for.
    let (now, scope, server) = {
        let view = app.view();
        let ask = Ask::new(app, &view, params, None)?;
        (view.at(), ask.scope, ask.filter.server)
    };
    if scope == Scope::Own {
        return Ok(false);
    }
    let known = known(app, now).await;
    Ok(match (&server, &scope) {
        (Some(server), _) => known.servers.contains(server),
        (None, Scope::Service(name)) => known.services.contains(name),
        (None, Scope::Instance(name)) => known.instances.contains(name),
        (None, _) => !known.servers.is_empty(),
    })
}

/// What was made up. A store that doesn't answer says nothing; the answer itself tells of that.
pub(super) async fn known(app: &App, now: WallTime) -> Arc<MadeUp> {
    let Some(store) = &app.sources.store else { return Arc::default() };
    let mut cache = app.kept.made_up.lock().await;
    if let Some((_, known)) = cache.as_ref().filter(|(at, _)| now.since(*at) < FRESH) {
        return Arc::clone(known);
    }
    let asked = tokio::time::timeout(WAIT_MAX, store.reader.made_up()).await;
    let known = Arc::new(asked.map(Result::unwrap_or_default).unwrap_or_default());
    *cache = Some((now, Arc::clone(&known)));
    known
}
