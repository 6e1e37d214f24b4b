//! The router, and the server's life from bind to drain.

use std::fmt::Debug;
use std::future::Future;
use std::io;

use axum::Router;
use axum::serve::Listener;

use super::{Settings, Sources};

/// Every endpoint, with the rules of [`super::auth`] around them; for a listener, or a test that calls it in process.
pub fn router(_settings: Settings, _sources: Sources) -> Router {
    Router::new()
}

/// Serves HTTP on `listener`, TCP or Unix, until `shutdown` resolves and the answers under way are out.
///
/// # Errors
/// None at present: a failing accept is retried.
pub async fn serve<L>(
    listener: L,
    settings: Settings,
    sources: Sources,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()>
where
    L: Listener,
    L::Addr: Debug,
{
    axum::serve(listener, router(settings, sources)).with_graceful_shutdown(shutdown).await
}
