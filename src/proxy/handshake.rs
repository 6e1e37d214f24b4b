//! Start-up on both legs (PROTOCOL §1): one packet at a time and not a byte more, until the server has the
//! StartupMessage as the client sent it.

use std::rc::Rc;

use super::cancel;
use super::error::{Error, in_time};
use super::shared::Counted;
use super::socket::Socket;
use super::upstream::{self, Peer};
use super::worker::Worker;
use super::{DrainMode, Route};
use crate::base::telemetry::Unmeasured;
use crate::base::units::Stamp;
use crate::runtime::shutdown::Phase;
use crate::session::Session;
use crate::session::identity::StartupParameters;
use crate::wire::reply;
use crate::wire::startup::{self, LENGTH_BYTES, Packet};

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
    worker: &Rc<Worker>,
    client: &Socket,
    route: usize,
    accepted: Stamp,
) -> Result<Option<Established>, Error> {
    let shared = &worker.shared;
    let Some(Route { upstream, .. }) = shared.settings.routes.get(route) else { return Ok(None) };
    let packet =
        in_time(&shared.timers, shared.settings.startup_timeout, read_startup(client), || Error::StartupTimeout)
            .await?;
    let (parameters, opaque) = match startup::parse(packet.get(LENGTH_BYTES..).unwrap_or_default())? {
        Packet::Cancel(key) => {
            cancel::forward(&shared.registry, &shared.timers, route, upstream, &packet, key).await;
            return Ok(None);
        }
        Packet::SslRequest | Packet::GssEncRequest => return Err(Error::AskedTwice),
        Packet::Startup(parameters) => (Some(parameters), None),
        Packet::Unknown(_) => (None, Some(Unmeasured::StartupPacket)),
    };
    if shared.shutdown.phase() > Phase::Serving && shared.settings.drain_mode == DrainMode::Transactions {
        return Err(Error::Draining);
    }
    let limit = shared.settings.max_connections;
    let slot = shared.sessions.enter_below(limit).ok_or(Error::TooMany(limit))?;

    let connected = upstream::connect(&shared.timers, upstream, shared.settings.connect_timeout).await;
    let outcome = connected.as_ref().map(drop).map_err(Error::to_string);
    shared.health.record(route, outcome);
    let (server, peer) = connected?;
    server.write_all(&packet).await.map_err(Error::Upstream)?;

    let get = |name| parameters.and_then(|parameters| parameters.get(name));
    let parameters = StartupParameters {
        user: get("user").unwrap_or_default(),
        database: get("database"),
        application_name: get("application_name"),
        replication: get("replication"),
    };
    let name = shared.servers.get(route).cloned().unwrap_or_else(|| "".into());
    let session = Session::new(name, accepted, &parameters);
    Ok(Some(Established { server, peer, session, opaque, slot }))
}

/// The packet that says what the client wants, whole, after requests for encryption were refused, each once.
async fn read_startup(client: &Socket) -> Result<Vec<u8>, Error> {
    let (mut ssl, mut gssenc) = (false, false);
    loop {
        let packet = read_packet(client).await?;
        let asked = match startup::parse(packet.get(LENGTH_BYTES..).unwrap_or_default())? {
            Packet::SslRequest => &mut ssl,
            Packet::GssEncRequest => &mut gssenc,
            _ => return Ok(packet),
        };
        if std::mem::replace(asked, true) {
            return Err(Error::AskedTwice);
        }
        if client.has_more() {
            return Err(Error::EarlyBytes);
        }
        client.write_all(reply::REFUSE_ENCRYPTION).await.map_err(Error::Client)?;
    }
}

/// One packet, its length in front.
async fn read_packet(client: &Socket) -> Result<Vec<u8>, Error> {
    let mut header = [0; LENGTH_BYTES];
    let read = client.read_exact(&mut header).await;
    read.map_err(|error| match error.kind() {
        // A bare connect, as health checks do it, or libpq after a refusal.
        std::io::ErrorKind::UnexpectedEof if header == [0; LENGTH_BYTES] => Error::NothingSent,
        _ => Error::Client(error),
    })?;
    let body = startup::body_length(header)?;
    let mut packet = vec![0; LENGTH_BYTES + body];
    let (length, rest) = packet.split_at_mut(LENGTH_BYTES);
    length.copy_from_slice(&header);
    client.read_exact(rest).await.map_err(Error::Client)?;
    Ok(packet)
}
