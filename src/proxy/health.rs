//! Whether traffic can be served (DESIGN §8): not draining, and the newest connection to each server succeeded.

use std::sync::Mutex;
use std::time::Duration;

use super::Route;
use super::upstream;
use crate::base::units::{Nanos, Stamp};
use crate::runtime::clock::Clock;
use crate::runtime::shutdown::{Phase, Shutdown};
use crate::runtime::timers::Timers;

/// A result older than this says nothing; then a bare connect is tried, never a start-up packet.
const FRESH: Nanos = Nanos::from_millis(10_000);
/// How long that may take: less than orchestrators wait.
const PROBE_LIMIT: Duration = Duration::from_millis(800);

/// When a server was last connected to, and what came of it.
type Newest = Option<(Stamp, Result<(), String>)>;

/// The newest result for each route. Locked once for each connection, by workers and by whoever asks.
#[derive(Debug)]
pub struct Health {
    clock: Clock,
    shutdown: Shutdown,
    routes: Vec<(Route, Mutex<Newest>)>,
}

impl Health {
    pub(crate) fn new(clock: Clock, shutdown: Shutdown, routes: &[Route]) -> Self {
        let routes = routes.iter().map(|route| (route.clone(), Mutex::new(None))).collect();
        Self { clock, shutdown, routes }
    }

    /// A connection to the server of `route` came about, or did not.
    pub(crate) fn record(&self, route: usize, result: Result<(), String>) {
        if let Some((_, newest)) = self.routes.get(route) {
            *newest.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some((self.clock.stamp(), result));
        }
    }

    /// Ready, or the reason why not.
    ///
    /// # Errors
    /// In words for whoever operates pgvitals.
    pub async fn check(&self) -> Result<(), String> {
        if self.shutdown.phase() > Phase::Serving {
            return Err("draining".to_owned());
        }
        for (number, (route, newest)) in self.routes.iter().enumerate() {
            let known = read(newest).filter(|(at, _)| self.is_fresh(*at));
            let result = match known {
                Some((_, result)) => result,
                None => self.probe(number, route).await,
            };
            result.map_err(|reason| format!("{}: {reason}", route.server))?;
        }
        Ok(())
    }

    /// Names of the servers to which the newest connection failed, and a bare connect does now.
    pub async fn down(&self) -> Vec<String> {
        let mut down = Vec::new();
        for (number, (route, newest)) in self.routes.iter().enumerate() {
            let Some((at, Err(_))) = read(newest) else { continue };
            let is_down = self.is_fresh(at) || self.probe(number, route).await.is_err();
            if is_down && !down.contains(&route.server) {
                down.push(route.server.clone());
            }
        }
        down
    }

    fn is_fresh(&self, at: Stamp) -> bool {
        self.clock.stamp().since(at) <= FRESH
    }

    /// A bare connect, whose result is the newest from now on.
    async fn probe(&self, number: usize, route: &Route) -> Result<(), String> {
        let probed = upstream::reach(&Timers::current(), &route.upstream, PROBE_LIMIT).await;
        let result = probed.map_err(|error| error.to_string());
        self.record(number, result.clone());
        result
    }
}

fn read(newest: &Mutex<Newest>) -> Newest {
    newest.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(upstream: std::net::SocketAddr) -> Health {
        let route = Route { upstream: vec![upstream.into()], server: "s".to_owned(), ..Route::default() };
        Health::new(Clock::start(), Shutdown::default(), &[route])
    }

    #[tokio::test]
    async fn without_a_fresh_result_a_bare_connect_decides() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        assert_eq!(health(at).check().await, Ok(()));
        drop(listener);
        assert!(health(at).check().await.unwrap_err().starts_with("s: could not connect"));
    }

    #[tokio::test]
    async fn the_newest_connection_decides_and_draining_is_never_ready() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let health = health(listener.local_addr().unwrap());
        health.record(0, Err("refused".to_owned()));
        assert_eq!(health.check().await, Err("s: refused".to_owned()));
        health.record(0, Ok(()));
        assert_eq!(health.check().await, Ok(()));
        health.shutdown.advance(Phase::Draining);
        assert_eq!(health.check().await, Err("draining".to_owned()));
    }
}
