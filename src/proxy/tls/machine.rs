//! rustls without buffers of its own, whichever side it plays: records in, plaintext and records out.

use std::fmt;
use std::io::{self, ErrorKind};
use std::ops::Deref;

use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{CommonState, Error};

/// Longest plaintext of a record (RFC 8446, 5.1).
pub(super) const PLAIN_MAX: usize = 16 * 1024;
/// Longest record: header, plaintext and what encryption may add (RFC 5246, 6.2.3).
pub(super) const RECORD_MAX: usize = 5 + PLAIN_MAX + 2048;
/// What any cipher of ours adds to a record, and to spare.
const OVERHEAD: usize = 64;

/// One end of a TLS connection.
pub(super) enum Machine {
    Client(UnbufferedClientConnection),
    Server(UnbufferedServerConnection),
}

/// What a step came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// There may be more to do with the same bytes.
    Again,
    /// The handshake needs more bytes.
    Blocked,
    /// The handshake is over; all whole records were taken.
    Ready,
    /// The peer has ended its side, or both have.
    Ended,
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Machine::Client(_) => "Machine::Client",
            Machine::Server(_) => "Machine::Server",
        })
    }
}

impl Deref for Machine {
    type Target = CommonState;

    fn deref(&self) -> &CommonState {
        match self {
            Machine::Client(client) => client,
            Machine::Server(server) => server,
        }
    }
}

impl Machine {
    /// Takes what it can off the front of `incoming` and says how many bytes are done with. Plaintext goes to `plain`,
    /// one record at a time; records that are to be sent to the end of `out`.
    pub(super) fn step(
        &mut self,
        incoming: &mut [u8],
        plain: &mut impl FnMut(&[u8]),
        out: &mut Vec<u8>,
    ) -> (usize, Result<Step, Error>) {
        match self {
            Machine::Client(client) => step(client.process_tls_records(incoming), plain, out),
            Machine::Server(server) => step(server.process_tls_records(incoming), plain, out),
        }
    }

    /// Encrypts `plain` to the end of `out`; `incoming` is what is there of a record that is not whole.
    pub(super) fn encrypt(&mut self, incoming: &mut Vec<u8>, plain: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        self.write(incoming, Some(plain), out)
    }

    /// Says to the end of `out` that nothing more will come.
    pub(super) fn close(&mut self, incoming: &mut Vec<u8>, out: &mut Vec<u8>) -> io::Result<()> {
        self.write(incoming, None, out)
    }

    fn write(&mut self, incoming: &mut Vec<u8>, plain: Option<&[u8]>, out: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let (discard, written) = match self {
                Machine::Client(client) => write(client.process_tls_records(incoming), plain, out),
                Machine::Server(server) => write(server.process_tls_records(incoming), plain, out),
            };
            incoming.drain(..discard.min(incoming.len()));
            if written? {
                return Ok(());
            }
        }
    }
}

fn step<D>(
    status: UnbufferedStatus<'_, '_, D>,
    plain: &mut impl FnMut(&[u8]),
    out: &mut Vec<u8>,
) -> (usize, Result<Step, Error>) {
    let UnbufferedStatus { mut discard, state } = status;
    let step = match state {
        Err(error) => return (discard, Err(error)),
        Ok(ConnectionState::ReadTraffic(mut traffic)) => {
            while let Some(record) = traffic.next_record() {
                match record {
                    Ok(record) => {
                        discard += record.discard;
                        plain(record.payload);
                    }
                    Err(error) => return (discard, Err(error)),
                }
            }
            Step::Again
        }
        Ok(ConnectionState::EncodeTlsData(mut data)) => {
            append(out, OVERHEAD, |space| match data.encode(space) {
                Err(EncodeError::InsufficientSize(needed)) => Err(Some(needed.required_size)),
                other => other.map_err(|_| None),
            });
            Step::Again
        }
        Ok(ConnectionState::TransmitTlsData(data)) => {
            data.done();
            Step::Again
        }
        Ok(ConnectionState::WriteTraffic(_)) => Step::Ready,
        Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => Step::Ended,
        // Early data is off.
        Ok(_) => Step::Blocked,
    };
    (discard, Ok(step))
}

/// One step towards writing; true once it is done.
fn write<D>(status: UnbufferedStatus<'_, '_, D>, plain: Option<&[u8]>, out: &mut Vec<u8>) -> (usize, io::Result<bool>) {
    let UnbufferedStatus { discard, state } = status;
    let done = match state {
        Ok(ConnectionState::WriteTraffic(mut traffic)) => {
            let records = 1 + plain.map_or(0, <[u8]>::len) / PLAIN_MAX;
            let room = plain.map_or(0, <[u8]>::len) + records * OVERHEAD;
            let appended = append(out, room, |space| {
                let written = match plain {
                    Some(plain) => traffic.encrypt(plain, space),
                    None => traffic.queue_close_notify(space),
                };
                written.map_err(|error| match error {
                    EncryptError::InsufficientSize(needed) => Some(needed.required_size),
                    EncryptError::EncryptExhausted => None,
                })
            });
            if appended { Ok(true) } else { Err(io::Error::other("a TLS key was used up")) }
        }
        Ok(ConnectionState::EncodeTlsData(mut data)) => {
            append(out, OVERHEAD, |space| match data.encode(space) {
                Err(EncodeError::InsufficientSize(needed)) => Err(Some(needed.required_size)),
                other => other.map_err(|_| None),
            });
            Ok(false)
        }
        Ok(ConnectionState::TransmitTlsData(data)) => {
            data.done();
            Ok(false)
        }
        Ok(_) => Err(ErrorKind::BrokenPipe.into()),
        Err(error) => Err(invalid(error)),
    };
    (discard, done)
}

/// Lets `encode` write behind `out`'s end, in `room` bytes or in as many as it then asks for.
fn append(out: &mut Vec<u8>, room: usize, mut encode: impl FnMut(&mut [u8]) -> Result<usize, Option<usize>>) -> bool {
    let start = out.len();
    let mut room = room;
    loop {
        out.resize(start + room, 0);
        match encode(out.get_mut(start..).unwrap_or_default()) {
            Ok(written) => {
                out.truncate(start + written);
                return true;
            }
            Err(Some(needed)) if needed > room => room = needed,
            Err(_) => {
                out.truncate(start);
                return false;
            }
        }
    }
}

/// A TLS error as an error of the connection.
pub(super) fn invalid(error: Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}
