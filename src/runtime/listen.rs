//! Addresses as settings name them, and listeners on them: TCP over IPv4 and IPv6, Unix sockets; bound here, shared with
//! other processes, or lent by whoever started this one.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

#[cfg(target_os = "linux")]
use socket2::SockFilter;
use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::{TcpListener, UnixListener};

/// Connections that the kernel keeps ready for `accept`; it cuts this to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// Who may connect to a Unix socket: everyone, as PostgreSQL's own default is. The server still authenticates.
const SOCKET_MODE: u32 = 0o777;

/// Where to listen or to connect: `host:port`, `[v6]:port`, or a path that begins with `/`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Address {
    /// A name or an IP address (without brackets), and a port.
    Tcp {
        /// Resolved each time it is used.
        host: String,
        /// 0 listens on a free port.
        port: u16,
    },
    /// A Unix socket's file.
    Unix(PathBuf),
}

/// What is wrong with an address that a setting names.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum AddressError {
    /// Neither a path nor `host:port`.
    #[error("`{0}` has no port; write host:port, [v6]:port, or a path that begins with /")]
    NoPort(String),
    /// The port is not a number up to 65535.
    #[error("`{0}` has a port that is not a number from 0 to 65535")]
    BadPort(String),
    /// Nothing before the port.
    #[error("`{0}` has no host; write 127.0.0.1:port for this machine alone, 0.0.0.0:port for every network")]
    NoHost(String),
    /// An IPv6 address without brackets is ambiguous.
    #[error("`{0}` looks like an IPv6 address; write [address]:port")]
    NoBrackets(String),
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.starts_with('/') {
            return Ok(Address::Unix(PathBuf::from(text)));
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(|| AddressError::NoPort(text.to_owned()))?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if bracketed.is_none() && host.contains(':') {
            return Err(AddressError::NoBrackets(text.to_owned()));
        }
        let host = bracketed.unwrap_or(host);
        if host.is_empty() {
            return Err(AddressError::NoHost(text.to_owned()));
        }
        let port = port.parse().map_err(|_| AddressError::BadPort(text.to_owned()))?;
        Ok(Address::Tcp { host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Address::Tcp { host, port } => write!(f, "{host}:{port}"),
            Address::Unix(path) => path.display().fmt(f),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Address::Tcp { host: address.ip().to_string(), port: address.port() }
    }
}

impl Address {
    /// Every socket address that this one means now, in the resolver's order; none for a Unix socket.
    ///
    /// # Errors
    /// The resolver's.
    pub async fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let Address::Tcp { host, port } = self else { return Ok(Vec::new()) };
        let found: Vec<_> = tokio::net::lookup_host((host.as_str(), *port)).await?.collect();
        if found.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        }
        Ok(found)
    }
}

/// Why an address can't be listened on.
#[derive(thiserror::Error, Debug)]
#[error("cannot listen on {address}: {reason}{}", self.hint())]
pub struct BindError {
    /// The address as it was set.
    pub address: Address,
    /// The system's reason; part of the text, and so not its `source`.
    pub reason: io::Error,
}

impl BindError {
    /// What to do about it, as the end of a sentence.
    fn hint(&self) -> &'static str {
        match self.reason.kind() {
            io::ErrorKind::AddrInUse => {
                "; another process has it (find it with `ss -lptn` or `lsof -i`): stop that one or choose another port"
            }
            io::ErrorKind::PermissionDenied => "; choose a port from 1024, or a directory that this user may write to",
            io::ErrorKind::AddrNotAvailable => "; no interface of this machine has that address",
            _ => "",
        }
    }
}

/// Who serves a listener's address once this process does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tenure {
    /// Nobody.
    Own,
    /// Whoever else listens there with SO_REUSEPORT: each has a queue of its own, and what waits in it is lost with it.
    Shared,
    /// Who started this process keeps the socket and its one queue for the next.
    Lent,
}

/// A bound socket that accepts connections. A Unix socket's file goes with the listener, unless it is lent.
#[derive(Debug)]
pub struct Listener {
    socket: Bound,
    local: Address,
    tenure: Tenure,
}

#[derive(Debug)]
enum Bound {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection that was accepted: not blocking, and not yet any runtime's, so that it may change threads.
#[derive(Debug)]
pub enum Accepted {
    /// Over TCP.
    Tcp(std::net::TcpStream),
    /// Over a Unix socket.
    Unix(std::os::unix::net::UnixStream),
}

impl Listener {
    /// Listens on everything that `address` means; on the first of it alone when the port is 0.
    ///
    /// Must be called inside a runtime that drives IO.
    ///
    /// # Errors
    /// When the name doesn't resolve or one of the addresses can't be bound.
    pub async fn bind(address: &Address, reuse_port: bool) -> Result<Vec<Listener>, BindError> {
        let failed = |reason| BindError { address: address.clone(), reason };
        match address {
            Address::Unix(path) => Ok(vec![Self::bind_unix(path).map_err(failed)?]),
            Address::Tcp { port, .. } => {
                let mut found = address.resolve().await.map_err(failed)?;
                if *port == 0 {
                    found.truncate(1);
                }
                found.into_iter().map(|at| Self::bind_tcp(at, reuse_port).map_err(failed)).collect()
            }
        }
    }

    fn bind_tcp(at: SocketAddr, reuse_port: bool) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(at), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_reuse_address(true)?;
        if at.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        if reuse_port {
            socket.set_reuse_port(true)?;
        }
        socket.bind(&at.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from_std(socket.into())?;
        let local = listener.local_addr()?.into();
        let tenure = if reuse_port { Tenure::Shared } else { Tenure::Own };
        Ok(Self { socket: Bound::Tcp(listener), local, tenure })
    }

    fn bind_unix(path: &Path) -> io::Result<Self> {
        remove_stale(path)?;
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(SOCKET_MODE))?;
        Ok(Self { socket: Bound::Unix(listener), local: Address::Unix(path.to_owned()), tenure: Tenure::Own })
    }

    /// A listening socket that somebody else keeps. Must be called inside a runtime that drives IO.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn lent(socket: Socket, local: Address) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        socket.listen(BACKLOG)?;
        let socket = match local {
            Address::Tcp { .. } => Bound::Tcp(TcpListener::from_std(socket.into())?),
            Address::Unix(_) => Bound::Unix(UnixListener::from_std(socket.into())?),
        };
        Ok(Self { socket, local, tenure: Tenure::Lent })
    }

    /// The address that was bound, with the real port.
    pub fn local(&self) -> &Address {
        &self.local
    }

    /// Who serves its address afterwards.
    pub fn tenure(&self) -> Tenure {
        self.tenure
    }

    /// The next connection.
    ///
    /// # Errors
    /// Those of `accept(2)`; EMFILE and ENFILE want a pause before the next try.
    ///
    /// # Cancel safety
    /// A connection is never lost.
    pub async fn accept(&self) -> io::Result<Accepted> {
        match &self.socket {
            Bound::Tcp(listener) => Ok(Accepted::Tcp(listener.accept().await?.0.into_std()?)),
            Bound::Unix(listener) => Ok(Accepted::Unix(listener.accept().await?.0.into_std()?)),
        }
    }

    /// A connection that waits already, as the kernel has it.
    ///
    /// # Errors
    /// Those of `accept(2)`: `WouldBlock` when none waits.
    pub fn accept_waiting(&self) -> io::Result<Accepted> {
        let (socket, _) = match &self.socket {
            Bound::Tcp(listener) => SockRef::from(listener).accept()?,
            Bound::Unix(listener) => SockRef::from(listener).accept()?,
        };
        socket.set_nonblocking(true)?;
        Ok(match &self.socket {
            Bound::Tcp(_) => Accepted::Tcp(socket.into()),
            Bound::Unix(_) => Accepted::Unix(socket.into()),
        })
    }

    /// From now on the kernel drops every SYN for this listener and finishes the handshakes that have begun. Who was
    /// dropped tries again a second later, and gets to another listener of the port once this one is closed. Without
    /// that, handshakes that end after the last accept would be reset. False where there is nothing to wait for: the
    /// kernel hands queue and handshakes to another listener of the port (`net.ipv4.tcp_migrate_req`), or can't do this.
    pub fn turn_away(&self) -> bool {
        match &self.socket {
            #[cfg(target_os = "linux")]
            Bound::Tcp(listener) => {
                let migrates = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_migrate_req");
                let migrates = migrates.is_ok_and(|value| value.trim() != "0");
                !migrates && SockRef::from(listener).attach_filter(&NO_SYN).is_ok()
            }
            _ => false,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.tenure != Tenure::Lent
            && let Address::Unix(path) = &self.local
            && let Err(error) = std::fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "the socket's file stays behind");
        }
    }
}

/// Classic BPF over a TCP header: the byte of flags; SYN among them; then keep 0 bytes, else all.
#[cfg(target_os = "linux")]
const NO_SYN: [SockFilter; 4] = [
    SockFilter::new(BPF_LOAD_BYTE, 0, 0, 13),
    SockFilter::new(BPF_JUMP_IF_SET, 0, 1, 0x02),
    SockFilter::new(BPF_RETURN, 0, 0, 0),
    SockFilter::new(BPF_RETURN, 0, 0, u32::MAX),
];
/// `BPF_LD | BPF_B | BPF_ABS`, `BPF_JMP | BPF_JSET | BPF_K`, `BPF_RET | BPF_K` of `linux/bpf_common.h`.
#[cfg(target_os = "linux")]
const BPF_LOAD_BYTE: u16 = 0x30;
#[cfg(target_os = "linux")]
const BPF_JUMP_IF_SET: u16 = 0x45;
#[cfg(target_os = "linux")]
const BPF_RETURN: u16 = 0x06;

/// Removes a socket's file that nobody listens on: what a killed process leaves behind.
fn remove_stale(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => {}
        _ => return Ok(()),
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown_alike() {
        for text in ["127.0.0.1:7432", "localhost:0", "[::1]:5432", "/run/postgresql/.s.PGSQL.5432"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_says_what_is_wrong() {
        let check = |text: &str, expected: fn(String) -> AddressError| {
            assert_eq!(text.parse::<Address>(), Err(expected(text.to_owned())));
        };
        check("localhost", AddressError::NoPort);
        check("localhost:65536", AddressError::BadPort);
        check(":5432", AddressError::NoHost);
        check("::1:5432", AddressError::NoBrackets);
    }

    #[tokio::test]
    async fn a_port_of_zero_becomes_a_real_one_and_a_taken_one_is_explained() {
        let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap(), false).await.unwrap().remove(0);
        assert!(matches!(listener.local(), Address::Tcp { port, .. } if *port != 0));
        let error = Listener::bind(listener.local(), false).await.unwrap_err();
        assert!(error.to_string().contains("another process has it"), "{error}");
        let (whole, reason) = (format!("{:#}", anyhow::Error::from(error)), "Address already in use");
        assert_eq!(whole.matches(reason).count(), 1, "{whole}");
    }

    #[tokio::test]
    async fn a_socket_file_is_taken_over_only_when_nobody_listens() {
        let directory = tempfile::tempdir().unwrap();
        let address = Address::Unix(directory.path().join("s"));
        let first = Listener::bind(&address, false).await.unwrap();
        assert!(Listener::bind(&address, false).await.is_err(), "somebody listens");
        // A process that is killed leaves its file.
        let stale = Address::Unix(directory.path().join("stale"));
        let Address::Unix(path) = &stale else { unreachable!() };
        drop(std::os::unix::net::UnixListener::bind(path).unwrap());
        assert!(Listener::bind(&stale, false).await.is_ok());
        drop(first);
        assert!(!directory.path().join("s").exists(), "the file goes with its listener");
    }
}
