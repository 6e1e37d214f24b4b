//! Other settings for a proxy that runs: limits and thresholds change at once, what is bound or started does not.

use std::sync::Arc;

use super::shared::{Current, Shared};
use super::{Route, Settings};
use crate::stats;

/// Gives a running proxy other settings.
#[derive(Clone, Debug)]
pub struct Tuner(Arc<Shared>);

impl Tuner {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// Limits and time-outs hold for the next connection, thresholds from the next second on; certificates are read
    /// again. Returns the keys whose new values can't hold before a restart; their old ones stay.
    pub fn tune(&self, settings: Settings, stats: stats::Settings) -> Vec<&'static str> {
        let old = self.0.settings();
        let fixed = fixed(&old, &settings);
        // Everything is named, so that a new setting has to be decided about.
        let Settings {
            routes: _,
            workers: _,
            max_connections,
            startup_timeout,
            connect_timeout,
            reuse_port: _,
            max_query_text: _,
            drain_mode: _,
            drain_timeout,
        } = settings;
        let settings =
            Settings { max_connections, startup_timeout, connect_timeout, drain_timeout, ..Settings::clone(&old) };
        self.0.current.send_replace(Current { settings: Arc::new(settings), stats: Arc::new(stats) });
        match self.0.tls.reload() {
            Ok(()) => {}
            Err(error) => tracing::error!(%error, "certificates can't be used; the old ones stay"),
        }
        fixed
    }
}

/// Keys of what differs and is bound, started or built once.
fn fixed(old: &Settings, new: &Settings) -> Vec<&'static str> {
    fn each<T: PartialEq>(old: &Settings, new: &Settings, part: impl Fn(&Route) -> &T) -> bool {
        old.routes.iter().map(&part).eq(new.routes.iter().map(&part))
    }
    let same = [
        ("listen", each(old, new, |route| &route.listen)),
        ("upstream", each(old, new, |route| &route.upstream)),
        ("server", each(old, new, |route| &route.server)),
        ("tls", each(old, new, |route| &route.tls)),
        ("workers", old.workers == new.workers),
        ("reuse_port", old.reuse_port == new.reuse_port),
        ("max_query_text", old.max_query_text == new.max_query_text),
        ("drain_mode", old.drain_mode == new.drain_mode),
    ];
    same.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_restart_is_named_by_its_key() {
        let listen = vec!["127.0.0.1:1".parse().unwrap()];
        let route = Route { listen, server: "a".into(), ..Route::default() };
        let old = Settings { routes: vec![route.clone()], ..Settings::default() };
        assert_eq!(fixed(&old, &old), [""; 0]);
        assert_eq!(fixed(&old, &Settings { max_connections: 1, ..old.clone() }), [""; 0]);
        let moved = Route { server: "b".into(), ..route.clone() };
        assert_eq!(
            fixed(&old, &Settings { routes: vec![moved], workers: Some(7), ..old.clone() }),
            ["server", "workers"]
        );
        let more = Settings { routes: vec![route.clone(), route], ..old.clone() };
        assert_eq!(fixed(&old, &more), ["listen", "upstream", "server", "tls"]);
    }
}
