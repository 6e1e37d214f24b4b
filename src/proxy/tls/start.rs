//! The handshake, on either leg.

use std::io;
use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::server::UnbufferedServerConnection;

use super::machine::{Machine, PLAIN_MAX, RECORD_MAX, Step};
use super::secured::Secured;
use crate::base::telemetry::TlsStartup;
use crate::proxy::socket::Socket;
use crate::tls::store::{Acceptor, Connector};

/// Bytes of one read.
const READ: usize = 4096;

/// Why a leg could not be encrypted.
#[derive(thiserror::Error, Debug)]
pub(crate) enum Failure {
    #[error("the connection was lost in the TLS handshake: {0}")]
    Lost(#[from] io::Error),
    #[error("TLS: {error}{}", advice(error))]
    Tls {
        #[from]
        error: rustls::Error,
    },
    #[error("the server has no TLS; set `tls.upstream = \"prefer\"` to go on without, or turn `ssl` on at the server")]
    Declined,
    #[error("the server answered {0:#04x} when asked for TLS; is it PostgreSQL?")]
    Answer(u8),
    #[error("bytes in front of the TLS handshake: somebody may be tampering with this connection")]
    EarlyBytes,
    #[error("TLS began at once, without the application protocol `postgresql` (ALPN)")]
    NoProtocol,
    #[error("`{0}` is no name that a certificate could have")]
    Name(String),
}

/// What to do about it, as the end of a sentence.
fn advice(error: &rustls::Error) -> &'static str {
    use rustls::{AlertDescription as Alert, CertificateError as Bad, Error};
    match error {
        Error::InvalidCertificate(Bad::UnknownIssuer) => "; name the file with its root in `tls.upstream_ca`",
        Error::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            "; `upstream` must name the host as its certificate does, or `tls.upstream` be verify-ca"
        }
        Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => "; renew it",
        Error::AlertReceived(Alert::CertificateRequired | Alert::HandshakeFailure) => {
            "; the peer may want a certificate, or share no cipher"
        }
        Error::AlertReceived(Alert::UnknownCA | Alert::BadCertificate) => "; the peer does not trust our certificate",
        _ => "",
    }
}

impl Failure {
    /// What it is counted as.
    pub(crate) fn outcome(&self) -> TlsStartup {
        match self {
            Failure::Lost(_) => TlsStartup::Lost,
            Failure::Tls { error } => match error {
                rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
                    TlsStartup::Certificate
                }
                rustls::Error::AlertReceived(_) => TlsStartup::Alert,
                rustls::Error::NoApplicationProtocol => TlsStartup::Alpn,
                _ => TlsStartup::Protocol,
            },
            Failure::NoProtocol => TlsStartup::Alpn,
            Failure::Answer(_) | Failure::Name(_) => TlsStartup::Protocol,
            Failure::Declined => TlsStartup::Declined,
            Failure::EarlyBytes => TlsStartup::EarlyBytes,
        }
    }
}

/// Fails unless the peer speaks our protocol and has said so.
pub(crate) fn with_protocol(secured: Secured) -> Result<Secured, Failure> {
    if secured.has_protocol() { Ok(secured) } else { Err(Failure::NoProtocol) }
}

/// The server's part, towards a client. `first` was read already.
pub(crate) async fn accept(socket: &Socket, acceptor: &Acceptor, first: &[u8]) -> Result<Secured, Failure> {
    let machine = UnbufferedServerConnection::new(Arc::clone(&acceptor.config))?;
    run(socket, Machine::Server(machine), first).await
}

/// The client's part, towards the server called `host`.
pub(crate) async fn connect(socket: &Socket, connector: &Connector, host: &str) -> Result<Secured, Failure> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| Failure::Name(host.to_owned()))?;
    let machine = UnbufferedClientConnection::new(Arc::clone(&connector.config), name)?;
    run(socket, Machine::Client(machine), &[]).await
}

async fn run(socket: &Socket, mut machine: Machine, first: &[u8]) -> Result<Secured, Failure> {
    let (mut incoming, mut plain, mut out) = (first.to_vec(), Vec::new(), Vec::new());
    let ended = loop {
        let (discard, step) = machine.step(&mut incoming, &mut |bytes| plain.extend_from_slice(bytes), &mut out);
        incoming.drain(..discard.min(incoming.len()));
        let step = match step {
            Ok(step) => step,
            Err(error) => {
                // The peer is told why, if it still listens.
                while machine.step(&mut [], &mut |_| (), &mut out).1 == Ok(Step::Again) {}
                drop(socket.write_all(&out).await);
                drop(socket.finish());
                return Err(error.into());
            }
        };
        if step == Step::Again {
            continue;
        }
        let is_over = !machine.is_handshaking();
        if !out.is_empty() {
            let sent = socket.write_all(&out).await;
            // Tickets behind the handshake are nothing to a client that has said all, asked to cancel, and gone.
            if !is_over {
                sent?;
            }
            out.clear();
        }
        match step {
            Step::Ready if is_over => break false,
            Step::Ended if is_over => break true,
            Step::Ended => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            _ if incoming.len() > 4 * RECORD_MAX || plain.len() > PLAIN_MAX => {
                return Err(rustls::Error::PeerSentOversizedRecord.into());
            }
            _ => read(socket, &mut incoming).await?,
        }
    };
    incoming.shrink_to_fit();
    Ok(Secured { machine, incoming, plain, ended })
}

/// Reads once, to the end of `incoming`.
async fn read(socket: &Socket, incoming: &mut Vec<u8>) -> io::Result<()> {
    let start = incoming.len();
    incoming.resize(start + READ, 0);
    let count = socket.read(incoming.get_mut(start..).unwrap_or_default()).await?;
    incoming.truncate(start + count);
    if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}
