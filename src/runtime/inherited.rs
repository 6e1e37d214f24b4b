//! Listening sockets that were there before the process.

use std::io;

use listenfd::ListenFd;
use socket2::Socket;

use super::listen::{Address, BindError, Listener};

/// The sockets that systemd, or who does as it does (`sd_listen_fds(3)`), has bound for this process.
#[derive(Debug, Default)]
pub struct Inherited(Vec<Lent>);

#[derive(Debug)]
struct Lent {
    name: String,
    socket: Socket,
    local: Address,
}

impl Inherited {
    /// Takes what LISTEN_FDS and LISTEN_FDNAMES tell of. Call it once, and before there are threads: it changes the
    /// environment.
    ///
    /// # Errors
    /// When a descriptor is not a stream socket.
    pub fn take() -> io::Result<Self> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut passed = ListenFd::from_env();
        let mut inherited = Self::default();
        for place in 0..passed.len() {
            let name = names.next().unwrap_or_default();
            let socket = match passed.take_tcp_listener(place) {
                Ok(listener) => listener.map(Socket::from),
                Err(_) => passed.take_unix_listener(place)?.map(Socket::from),
            };
            socket.map(|socket| inherited.add(name, socket)).transpose()?;
        }
        Ok(inherited)
    }

    fn add(&mut self, name: &str, socket: Socket) -> io::Result<()> {
        let at = socket.local_addr()?;
        let path = || at.as_pathname().map(|path| Address::Unix(path.to_owned()));
        let local = at.as_socket().map(Address::from).or_else(path).ok_or(io::ErrorKind::AddrNotAvailable)?;
        self.0.push(Lent { name: name.to_owned(), socket, local });
        Ok(())
    }

    /// The socket of this name, if there is one. Must be called inside a runtime that drives IO.
    ///
    /// # Errors
    /// The system's.
    pub fn named(&mut self, name: &str) -> io::Result<Option<Listener>> {
        self.find(|lent| lent.name == name)
    }

    /// Listens on everything that `address` means: on a socket that was inherited, or as [`Listener::bind`] does.
    ///
    /// # Errors
    /// As there.
    pub async fn bind(&mut self, address: &Address, reuse_port: bool) -> Result<Vec<Listener>, BindError> {
        let failed = |reason| BindError { address: address.clone(), reason };
        let mut listeners = Vec::new();
        let mut free = Vec::new();
        let each = match address {
            Address::Unix(_) => vec![address.clone()],
            Address::Tcp { .. } => address.resolve().await.map_err(failed)?.into_iter().map(Address::from).collect(),
        };
        for address in each {
            match self.find(|lent| serves(&lent.local, &address)).map_err(failed)? {
                Some(listener) => listeners.push(listener),
                None => free.push(address),
            }
        }
        if listeners.is_empty() {
            return Listener::bind(address, reuse_port).await;
        }
        for address in free {
            listeners.extend(Listener::bind(&address, reuse_port).await?);
        }
        Ok(listeners)
    }

    /// Where those listen that nobody has asked for.
    pub fn left(&self) -> impl Iterator<Item = &Address> {
        self.0.iter().map(|lent| &lent.local)
    }

    fn find(&mut self, wanted: impl Fn(&Lent) -> bool) -> io::Result<Option<Listener>> {
        let Some(place) = self.0.iter().position(wanted) else { return Ok(None) };
        let Lent { socket, local, .. } = self.0.remove(place);
        Listener::lent(socket, local).map(Some)
    }
}

/// Whether a socket on `local` is one on `address`; `[::]` is IPv4 too, as systemd binds it.
fn serves(local: &Address, address: &Address) -> bool {
    let is = |address: &Address, all: &str| match address {
        Address::Tcp { host, port } if host == all => Some(*port),
        _ => None,
    };
    local == address || is(local, "::").is_some_and(|port| is(address, "0.0.0.0") == Some(port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::listen::Tenure;

    #[tokio::test]
    async fn an_inherited_socket_is_found_by_its_name_or_its_address_and_outlives_its_listener() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let mut inherited = Inherited::default();
        let unix = std::os::unix::net::UnixListener::bind(&path).unwrap();
        inherited.add("", unix.try_clone().unwrap().into()).unwrap();
        inherited.add("http", std::net::TcpListener::bind("127.0.0.1:0").unwrap().into()).unwrap();
        let open = std::net::TcpListener::bind("[::]:0").unwrap();
        let port = open.local_addr().unwrap().port();
        inherited.add("", open.into()).unwrap();

        assert!(inherited.named("other").unwrap().is_none());
        assert_eq!(inherited.named("http").unwrap().map(|http| http.tenure()), Some(Tenure::Lent));
        let found = inherited.bind(&Address::Unix(path.clone()), false).await.unwrap();
        assert_eq!(found[0].tenure(), Tenure::Lent);
        drop(found);
        assert!(std::os::unix::net::UnixStream::connect(&path).is_ok(), "it is its owner's");
        assert_eq!(inherited.left().count(), 1);
        let found = inherited.bind(&format!("0.0.0.0:{port}").parse().unwrap(), false).await.unwrap();
        assert_eq!((found.len(), inherited.left().count()), (1, 0));
    }
}
