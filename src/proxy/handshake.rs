//! Start-up on both legs (PROTOCOL §1): one packet at a time and not a byte more, until the server has the
//! StartupMessage as the client sent it.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::cancel;
use super::error::{Error, in_time};
use super::local::Local;
use super::shared::{Counted, Shared};
use super::socket::Socket;
use super::tls::gate::Gate;
use super::tls::start;
use super::upstream::{Dialer, Opened, Peer};
use super::{DrainMode, Route};
use crate::base::telemetry::{TlsStartup, Unmeasured};
use crate::base::units::Stamp;
use crate::runtime::shutdown::Phase;
use crate::runtime::timers::Timers;
use crate::session::Session;
use crate::session::identity::StartupParameters;
use crate::tls::settings::ClientMode;
use crate::tls::store::Acceptor;
use crate::wire::reply;
use crate::wire::startup::{self, LENGTH_BYTES, Packet, StartupError};

/// Sockets that may be on their way to a session, or carry requests to cancel, where `max_connections` is small.
const STARTING_MIN: usize = 64;
/// How long a socket may be silent when the process ends.
const LAST_PATIENCE: Duration = Duration::from_millis(250);
/// How long connecting to the server may go on for a client that has ended its side.
const PATIENCE: Duration = Duration::from_secs(1);

/// Both legs stand, and the server has the StartupMessage.
pub(crate) struct Established {
    pub(crate) server: Socket,
    pub(crate) peer: Peer,
    pub(crate) session: Session,
    /// Why the session can't be measured from its first byte on.
    pub(crate) opaque: Option<Unmeasured>,
    pub(crate) slot: Counted,
}

/// Carries a client's start-up as far as the server; `None` when the client wanted a cancel request carried, and it is.
pub(crate) async fn establish(
    local: &Local,
    client: &mut Socket,
    route: usize,
    accepted: Stamp,
) -> Result<Option<Established>, Error> {
    let shared = &local.shared;
    let settings = shared.settings();
    let Some(Route { upstream, tls, .. }) = settings.routes.get(route) else { return Ok(None) };
    let limit = settings.max_connections;
    let place = shared.starting.enter_below(limit.max(STARTING_MIN)).ok_or(Error::Crowded)?;
    let acceptor = shared.tls.acceptor(route).filter(|_| !client.is_unix());
    let packet = tokio::select! {
        packet = read_startup(local, client, acceptor.as_deref(), settings.startup_timeout) => packet?,
        () = silent_at_the_end(shared) => return Err(Error::Draining),
    };
    let dialer = Dialer {
        timers: shared.timers.clone(),
        telemetry: Arc::clone(&shared.telemetry),
        tls: shared.tls.connector(route),
    };
    let (parameters, opaque) = match startup::parse(packet.get(LENGTH_BYTES..).unwrap_or_default())? {
        Packet::Cancel(key) => {
            cancel::forward(&shared.registry, &dialer, &local.loan, route, upstream, &packet, key).await;
            // libpq takes an end without close_notify for a failure.
            drop(client.finish());
            return Ok(None);
        }
        Packet::SslRequest | Packet::GssEncRequest => return Err(Error::AskedTwice),
        Packet::Startup(parameters) => (Some(parameters), None),
        Packet::Unknown(_) => (None, Some(Unmeasured::StartupPacket)),
    };
    if tls.client.mode == ClientMode::Require && client.tls().is_none() && !client.is_unix() {
        shared.telemetry.client_tls(TlsStartup::Required);
        return Err(Error::TlsRequired);
    }
    let welcome = match settings.drain_mode {
        DrainMode::Clients => Phase::Draining,
        DrainMode::Transactions => Phase::Serving,
    };
    if shared.shutdown.phase() > welcome {
        return Err(Error::Draining);
    }
    let slot = shared.sessions.enter_below(limit).ok_or(Error::TooMany(limit))?;
    drop(place);

    let connected = tokio::select! {
        connected = dialer.connect(upstream, settings.connect_timeout) => connected,
        left = left(client, &shared.timers) => return Err(Error::Client(left)),
        () = shared.shutdown.reached(Phase::Flushing) => return Err(Error::Draining),
    };
    let outcome = connected.as_ref().map(drop).map_err(Error::to_string);
    shared.health.record(route, outcome);
    let shown = acceptor.as_deref().filter(|_| client.tls().is_some());
    let (server, peer) = ready(local, connected?, shown);
    server.write_all(&packet).await.map_err(Error::Upstream)?;

    let get = |name| parameters.and_then(|parameters| parameters.get(name));
    let parameters = StartupParameters {
        user: get("user").unwrap_or_default(),
        database: get("database"),
        application_name: get("application_name"),
        replication: get("replication"),
    };
    let name = shared.servers.get(route).cloned().unwrap_or_else(|| "".into());
    let session = local.lens.equipped(Session::new(name, accepted, &parameters));
    Ok(Some(Established { server, peer, session, opaque, slot }))
}

/// Returns when the process ends, and who has come has had a moment to say what for: told before, not every driver would
/// take it for an answer.
async fn silent_at_the_end(shared: &Shared) {
    shared.shutdown.reached(Phase::Flushing).await;
    shared.timers.sleep(LAST_PATIENCE).await;
}

/// Returns when there is nobody to connect for any more. A client that has only ended its side still wants its answer,
/// and can't be told from one that is gone: it is given a while. Whoever has sent more is asked nothing.
async fn left(client: &Socket, timers: &Timers) -> std::io::Error {
    match client.ends_next().await {
        Ok(true) => timers.sleep(PATIENCE).await,
        Ok(false) => std::future::pending().await,
        Err(error) => return error,
    }
    std::io::ErrorKind::UnexpectedEof.into()
}

/// The server's leg. Where it is encrypted and the client doesn't see the server's own certificate (`shown` is what it
/// sees), channel binding can't hold.
fn ready(local: &Local, opened: Opened, shown: Option<&Acceptor>) -> (Socket, Peer) {
    let Opened { mut socket, peer, secured } = opened;
    if let Some(secured) = secured {
        let seen = shown.and_then(|acceptor| acceptor.leaf.as_ref());
        let binds = seen.is_some() && seen == secured.peer();
        socket.encrypt(secured, Rc::clone(&local.loan));
        if let (false, Some(tls)) = (binds, socket.tls()) {
            tls.install(Gate::new(Arc::clone(&local.shared.unbound)));
        }
    }
    (socket, peer)
}

/// The packet that says what the client wants, whole, once encryption was negotiated; all in time, and counted.
async fn read_startup(
    local: &Local,
    client: &mut Socket,
    acceptor: Option<&Acceptor>,
    limit: Duration,
) -> Result<Vec<u8>, Error> {
    let shared = &local.shared;
    let handshaking = Cell::new(false);
    let opening = Opening { local, client, acceptor, handshaking: &handshaking };
    let late = || {
        if handshaking.get() {
            shared.telemetry.client_tls(TlsStartup::Timeout);
        }
        Error::StartupTimeout
    };
    in_time(&shared.timers, limit, opening.packet(), late).await
}

/// A client that has not said yet what it wants.
struct Opening<'a> {
    local: &'a Local,
    client: &'a mut Socket,
    acceptor: Option<&'a Acceptor>,
    handshaking: &'a Cell<bool>,
}

/// What a client's first bytes are.
enum First {
    Packet(Vec<u8>),
    /// TLS without asking: these bytes belong to its handshake.
    Tls([u8; LENGTH_BYTES]),
}

impl Opening<'_> {
    /// Answers requests for encryption, each once, and returns what comes behind them.
    async fn packet(mut self) -> Result<Vec<u8>, Error> {
        let (mut ssl, mut gssenc) = (false, false);
        loop {
            let packet = match read_packet(self.client).await? {
                First::Packet(packet) => packet,
                First::Tls(first) => {
                    let Some(acceptor) = self.acceptor.filter(|_| !ssl) else {
                        return Err(StartupError::DirectTls.into());
                    };
                    ssl = true;
                    self.encrypt(acceptor, &first, true).await?;
                    continue;
                }
            };
            let asked = match startup::parse(packet.get(LENGTH_BYTES..).unwrap_or_default())? {
                Packet::SslRequest => &mut ssl,
                Packet::GssEncRequest => &mut gssenc,
                _ => return Ok(packet),
            };
            if std::mem::replace(asked, true) {
                return Err(Error::AskedTwice);
            }
            if self.client.has_more() {
                self.local.shared.telemetry.client_tls(TlsStartup::EarlyBytes);
                return Err(Error::EarlyBytes);
            }
            let for_tls = packet.as_slice() == reply::SSL_REQUEST;
            match self.acceptor.filter(|_| for_tls) {
                Some(acceptor) => {
                    self.answer(reply::ACCEPT_ENCRYPTION).await?;
                    self.encrypt(acceptor, &[], false).await?;
                }
                None => {
                    if for_tls {
                        self.local.shared.telemetry.client_tls(TlsStartup::Declined);
                    }
                    self.answer(reply::REFUSE_ENCRYPTION).await?;
                }
            }
        }
    }

    async fn answer(&self, byte: &[u8]) -> Result<(), Error> {
        self.client.write_all(byte).await.map_err(Error::Client)
    }

    /// The handshake; one that began at once must say for what (PostgreSQL 17).
    async fn encrypt(&mut self, acceptor: &Acceptor, first: &[u8], direct: bool) -> Result<(), Error> {
        self.handshaking.set(true);
        let accepted = start::accept(self.client, acceptor, first).await;
        let accepted = if direct { accepted.and_then(start::with_protocol) } else { accepted };
        self.handshaking.set(false);
        self.local.shared.telemetry.client_tls(match &accepted {
            Ok(_) => TlsStartup::Completed,
            Err(failure) => failure.outcome(),
        });
        self.client.encrypt(accepted.map_err(Error::ClientTls)?, Rc::clone(&self.local.loan));
        Ok(())
    }
}

/// One packet, its length in front; or the beginning of TLS.
async fn read_packet(client: &Socket) -> Result<First, Error> {
    let mut header = [0; LENGTH_BYTES];
    let read = client.read_exact(&mut header).await;
    read.map_err(|error| match error.kind() {
        // A bare connect, as health checks do it, or libpq after a refusal.
        std::io::ErrorKind::UnexpectedEof if header == [0; LENGTH_BYTES] => Error::NothingSent,
        _ => Error::Client(error),
    })?;
    let body = match startup::body_length(header) {
        Err(StartupError::DirectTls) => return Ok(First::Tls(header)),
        length => length?,
    };
    let mut packet = vec![0; LENGTH_BYTES + body];
    let (length, rest) = packet.split_at_mut(LENGTH_BYTES);
    length.copy_from_slice(&header);
    client.read_exact(rest).await.map_err(Error::Client)?;
    Ok(First::Packet(packet))
}
