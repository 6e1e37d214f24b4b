//! What every handler knows, and its turn to compute.

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::api::kept::Kept;
use super::listener::{CONNECTIONS_MAX, Patience};
use super::problem::{Kind, Problem};
use super::{Settings, Sources};
use crate::jobs::presence::Role;
use crate::stats::live::LiveView;

/// Answers computed at a time: large ones take milliseconds, and the workers want the cores.
const ANSWERS_AT_A_TIME: usize = 2;

/// Streams of events at a time: those who ask for one answer, and probes, have the other half of the connections.
pub(super) const STREAMS_MAX: usize = CONNECTIONS_MAX / 2;

/// What every handler knows; shared, so cheap to clone.
#[derive(Clone)]
pub(super) struct App(Arc<Shared>);

/// See [`App`].
pub(super) struct Shared {
    /// What the owner set.
    pub(super) settings: Settings,
    /// What answers are read from.
    pub(super) sources: Sources,
    /// Cancelled when the server goes; ends the streams, which would never end by themselves.
    pub(super) closing: CancellationToken,
    /// What answers are made from more than once.
    pub(super) kept: Kept,
    /// Held by whoever takes longer than a connection may be idle.
    pub(super) patience: Patience,
    /// Each stream of events has one of these places.
    pub(super) streams: Arc<Semaphore>,
    turns: Semaphore,
}

impl Deref for App {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// Nothing was answered yet; `closing` is cancelled when the server goes.
    pub(super) fn new(mut settings: Settings, sources: Sources, closing: CancellationToken) -> Self {
        // Several routes may lead to one server.
        let mut names = HashSet::new();
        settings.servers.retain(|server| names.insert(server.clone()));
        let (patience, turns) = (Patience::default(), Semaphore::new(ANSWERS_AT_A_TIME));
        let streams = Arc::new(Semaphore::new(STREAMS_MAX));
        Self(Arc::new(Shared { settings, sources, closing, kept: Kept::default(), patience, streams, turns }))
    }

    /// Whether this process measures; if not, the tables alone know.
    pub(super) fn measures(&self) -> bool {
        self.settings.role == Role::Sidecar
    }

    /// The newest view. The channel is borrowed no longer than it takes to clone a few pointers.
    pub(super) fn view(&self) -> LiveView {
        self.sources.live.borrow().clone()
    }

    /// Computes an answer on a thread that may be busy for a while, when its turn comes.
    pub(super) async fn compute<T: Send + 'static>(
        &self,
        answer: impl FnOnce(&App, &LiveView) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let _turn = self.turns.acquire().await;
        let app = self.clone();
        let task = tokio::task::spawn_blocking(move || answer(&app, &app.view()));
        task.await.unwrap_or_else(|error| Err(Problem::new(Kind::Internal, error.to_string())))
    }
}
