//! One future owns both sockets, both directions and the session (LAYOUT §5): here bytes meet what measures them.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::cancel::Registered;
use super::error::shutting_down;
use super::handshake::Established;
use super::link::{Link, Order};
use super::local::Local;
use super::look::Eye;
use super::pump::{Direction, End, Turn};
use super::shared::Counted;
use super::socket::Socket;
use super::upstream::Peer;
use super::watched::Watched;
use crate::session::{Leg, Phase};

/// An established connection. Ready when both directions are over.
pub(crate) struct Connection {
    local: Rc<Local>,
    link: Rc<Link>,
    client: Rc<Socket>,
    server: Rc<Socket>,
    up: Direction,
    down: Direction,
    up_end: Option<End>,
    down_end: Option<End>,
    start: Option<Box<Start>>,
    registered: Option<Registered>,
    slot: Option<Counted>,
}

/// Needed until the session has started.
struct Start {
    route: usize,
    peer: Peer,
}

impl Connection {
    pub(crate) fn new(local: Rc<Local>, client: Socket, route: usize, established: Established) -> Self {
        let Established { server, peer, session, opaque, slot } = established;
        let link = Rc::new(Link::new(Watched::new(session)));
        if let Some(reason) = opaque {
            local.lens.look(&link.watched, |session, _, recorder| session.make_opaque(reason, recorder));
        }
        Self {
            local,
            link,
            client: Rc::new(client),
            server: Rc::new(server),
            up: Direction::default(),
            down: Direction::default(),
            up_end: None,
            down_end: None,
            start: Some(Box::new(Start { route, peer })),
            registered: None,
            slot: Some(slot),
        }
    }

    pub(crate) fn link(&self) -> &Rc<Link> {
        &self.link
    }

    /// Client to server first, then server to client, in one poll.
    fn pump(&mut self, cx: &mut Context<'_>) {
        let Self { local, link, client, server, start, .. } = self;
        let mut buffer = local.buffer.borrow_mut();
        let mut turn = Turn { buffer: &mut buffer, budget: &local.budget, clock: local.shared.clock };
        let mut eye = Eye { lens: &local.lens, link, from: Leg::Client, at_once: start.is_some() };
        if self.up_end.is_none()
            && let Poll::Ready(end) = self.up.poll(cx, client, server, &mut turn, &mut eye)
        {
            self.up_end = Some(end);
        }
        eye.from = Leg::Upstream;
        if self.down_end.is_none()
            && let Poll::Ready(end) = self.down.poll(cx, server, client, &mut turn, &mut eye)
        {
            self.down_end = Some(end);
        }
    }

    /// Whether the connection is over. A reset on one leg resets the other at once; a leg that can't be written to ends
    /// its direction, and what it had still sent is delivered first.
    fn over(&mut self) -> bool {
        if matches!(self.up_end, Some(End::Broken(_))) || matches!(self.down_end, Some(End::Broken(_))) {
            self.client.reset_on_close();
            self.server.reset_on_close();
            return true;
        }
        if self.down_end.is_some() {
            // The server's side is gone, so is its place, though the client may not have noticed yet.
            self.slot = None;
            self.registered = None;
        }
        self.up_end.is_some() && self.down_end.is_some()
    }

    /// Registers the key for cancel requests when the server has given it; at ReadyForQuery the start is over.
    fn follow_start(&mut self) {
        let (Some(start), Some(session)) = (&self.start, self.link.watched.session()) else { return };
        if self.registered.is_none()
            && self.down_end.is_none()
            && let Some(key) = session.backend_key()
        {
            let registry = &self.local.shared.registry;
            self.registered = Some(Arc::clone(registry).register(start.route, key, start.peer.clone()));
        }
        let over = session.started() || session.phase() == Phase::Opaque;
        drop(session);
        if over {
            self.start = None;
        }
    }

    /// Ends the connection as `order` wants it, if it can be now; says so where PROTOCOL §8 allows.
    fn part(&self, order: Order, cx: &mut Context<'_>) -> bool {
        let holds = self.up.holds() || self.down.holds();
        self.local.lens.catch_up();
        let stands = self.link.watched.session().map(|session| (session.phase(), session.client_quiet()));
        let told = !holds
            && match stands {
                Some((Phase::Idle, quiet)) => quiet,
                Some((Phase::InTransaction, quiet)) => quiet && order == Order::Now,
                Some((Phase::Startup, _)) => order == Order::Now,
                _ => false,
            };
        if told && self.down_end.is_none() {
            // What can't be written at once to an idle client is not worth waiting for.
            drop((self.client.poll_write(cx, &shutting_down()), self.client.finish()));
        }
        told || order == Order::Now
    }
}

impl Future for Connection {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.start.is_some() {
            this.link.wake_with(cx.waker());
        }
        let order = this.link.ordered();
        // What has come before the order is still served.
        let over = order == Some(Order::Now) && this.part(Order::Now, cx) || {
            this.pump(cx);
            if this.start.is_some() {
                this.follow_start();
            }
            this.over() || order.is_some_and(|order| this.part(order, cx))
        };
        if !over {
            return Poll::Pending;
        }
        let [up, down] = [&this.up_end, &this.down_end].map(|end| end.as_ref().and_then(End::error));
        tracing::debug!(?up, ?down, ?order, "a connection ended");
        Poll::Ready(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let now = self.local.shared.clock.stamp();
        self.local.lens.look(&self.link.watched, |session, fingerprinter, recorder| {
            session.closed(now, fingerprinter, recorder);
        });
    }
}
