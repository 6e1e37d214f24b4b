//! A server that says exactly what a test wants: for what no real server does on demand.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use super::address::{Address, Stream};
use super::client::Frame;
use super::clock::PATIENCE;

/// SSLRequest behind its length.
pub(crate) const SSL_REQUEST: &[u8] = b"\x04\xd2\x16\x2f";

/// Listens on a port of its own as long as the process lives; each connection runs the script on a thread.
pub(crate) struct Server {
    pub(crate) address: Address,
}

/// One connection as the script sees it.
pub(crate) struct Peer {
    pub(crate) stream: Stream,
}

impl Server {
    /// Starts a server that runs `script` for each connection and then closes it.
    pub(crate) fn start(script: impl Fn(&mut Peer) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let script = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = Stream::Tcp(stream.unwrap());
                stream.set_patience(PATIENCE).unwrap();
                let script = Arc::clone(&script);
                thread::spawn(move || script(&mut Peer { stream }));
            }
        });
        Self { address: Address::Tcp(address) }
    }
}

impl Peer {
    /// The untagged packet that begins a session, once a wish for TLS was declined; `None` when the client left.
    pub(crate) fn startup(&mut self) -> Option<Vec<u8>> {
        let packet = self.packet()?;
        if packet != SSL_REQUEST {
            return Some(packet);
        }
        self.send(b"N");
        self.packet()
    }

    /// The next untagged packet; `None` when the client left.
    pub(crate) fn packet(&mut self) -> Option<Vec<u8>> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).ok()?;
        let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
        self.stream.read_exact(&mut body).ok()?;
        Some(body)
    }

    /// Reads the start-up and lets the client in.
    pub(crate) fn welcome(&mut self) -> Option<Vec<u8>> {
        let packet = self.startup()?;
        self.send(b"R\0\0\0\x08\0\0\0\0K\0\0\0\x0c\0\0\0\x01\0\0\0\x02Z\0\0\0\x05I");
        Some(packet)
    }

    /// The next message; `None` when the client left.
    pub(crate) fn frame(&mut self) -> Option<Frame> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head).ok()?;
        let mut body = vec![0; u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize - 4];
        self.stream.read_exact(&mut body).ok()?;
        Some(Frame { tag: head[0], body })
    }

    /// Reads up to and with a message of this tag; `None` when the client left before.
    pub(crate) fn until(&mut self, tag: u8) -> Option<()> {
        while self.frame()?.tag != tag {}
        Some(())
    }

    /// Ends the connection by a reset.
    pub(crate) fn reset(&mut self) {
        self.stream.reset_on_close().unwrap();
    }

    /// Writes bytes as they are; a client that left is no error.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        if self.stream.write_all(bytes).is_err() {
            // The script's next read says so.
        }
    }
}
