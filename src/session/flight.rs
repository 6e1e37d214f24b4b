//! What the server is working on now, seen from outside.

use std::sync::Arc;

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

use crate::session::key::Key;
use crate::session::observation::{FlightState, InFlight};
use crate::session::owed::Owed;
use crate::session::parameters::bind;
use crate::session::portal::Portal;
use crate::session::track::{Mode, Track, pseudo};
use crate::sql::query::{Pseudo, Query};
use crate::sql::statement::{Effect, Statement, Statements};

impl Track {
    /// Position of the statement that is running: the first that is owed, unless only ReadyForQuery is left of it.
    fn running(&self) -> Option<usize> {
        let index = self.pipeline.iter().position(Owed::is_statement)?;
        let over = index == 0 && !matches!(self.pipeline.front(), Some(Owed::Execute { .. })) && self.message_is_over();
        (!over).then_some(index)
    }

    /// A statement is running, and no Sync before it is owed.
    pub(super) fn is_running(&self) -> bool {
        self.running().is_some_and(|index| !self.pipeline.iter().take(index).any(|o| matches!(o, Owed::Sync { .. })))
    }

    /// Calls that are owed or suspended, and are not told yet.
    pub(super) fn untold(&self) -> u64 {
        let mut texts = self.pipeline.texts().map(Statements::answers);
        let owed = self.pipeline.iter().map(|owed| match owed {
            Owed::Query { .. } => texts.next().unwrap_or(1),
            Owed::FunctionCall { .. } | Owed::Execute { .. } => 1,
            _ => 0,
        });
        let owed: usize = owed.sum();
        let front = match self.pipeline.front() {
            Some(Owed::Query { .. }) => self.pipeline.text().map_or(1, Statements::answers),
            Some(_) => 1,
            None => 0,
        };
        let told = if self.message_is_over() { front } else { self.flight.piece.min(front) };
        let suspended = self.portals.iter().filter(|(_, portal)| matches!(portal, Portal::Suspended(_)));
        let mut suspended: HashSet<Key, FxBuildHasher> = suspended.map(|(name, _)| name).collect();
        if !suspended.is_empty() {
            // What is executed is owed already.
            self.pipeline.iter().filter_map(Owed::portal).for_each(|name| {
                suspended.remove(&name);
            });
        }
        (owed - told + suspended.len()) as u64 + self.overrun.lost
    }

    /// The statement that is running.
    pub(super) fn in_flight(&self) -> Option<InFlight> {
        if self.mode != Mode::Measuring {
            return None;
        }
        let index = self.running()?;
        let owed = *self.pipeline.iter().nth(index)?;
        let statement = match owed {
            Owed::Query { .. } => self.pipeline.text().and_then(|text| text.get(self.flight.piece)).cloned(),
            Owed::Execute { portal, .. } => self.executing(index, portal).cloned(),
            _ => Some(pseudo(Pseudo::FunctionCall)),
        };
        let state = if self.spans.waiting() {
            FlightState::WaitingForClient
        } else if self.flight.first_row.is_some() {
            FlightState::Fetching
        } else {
            FlightState::Running
        };
        let fallback = if matches!(owed, Owed::Query { .. }) { Pseudo::Empty } else { Pseudo::Unknown };
        let mut statement = statement.unwrap_or_else(|| pseudo(fallback));
        if let Owed::Execute { portal, .. } = owed {
            self.bound_ahead(index, portal).into_iter().for_each(|values| bind(&mut statement, values));
        }
        Some(InFlight {
            query: self.counted_under(&statement),
            identity: self.flight.identity.clone().unwrap_or_else(|| self.owner.identity().clone()),
            start: self.flight.start.unwrap_or_else(|| self.answers.start(owed.sent())),
            state,
            first_row: self.flight.first_row,
            details: statement.details,
        })
    }

    fn counted_under(&self, statement: &Statement) -> Arc<Query> {
        let Effect::Execute(name) = statement.effect() else { return statement.query.clone() };
        self.statements.peek(Key::of(name)).map_or_else(|| Pseudo::Unknown.query(), |inner| inner.query.clone())
    }

    /// The statement that the Execute of `portal` at `index` runs once the entries before it are answered.
    fn executing(&self, index: usize, portal: Key) -> Option<&Statement> {
        let before = self.pipeline.iter().take(index).enumerate();
        let bind = before.rev().find_map(|(at, owed)| match *owed {
            Owed::Bind { portal: bound, statement, .. } if bound == portal => Some((at, statement)),
            _ => None,
        });
        let Some((bind, name)) = bind else { return self.portals.peek(portal)?.statement() };
        let parses = || self.pipeline.iter().take(bind).filter(|owed| matches!(owed, Owed::Parse { .. }));
        let parse = parses().collect::<Vec<_>>().iter().rposition(|owed| match owed {
            Owed::Parse { name: parsed, .. } => *parsed == name,
            _ => false,
        });
        match parse {
            Some(nth) => self.pipeline.parsed().nth(nth),
            None => self.statements.peek(name),
        }
    }
}
