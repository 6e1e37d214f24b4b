//! Addresses of the server: plain, or out of a `postgres://` URL of which only host, port and TLS matter.
//!
//! The URL's form is libpq's (PostgreSQL manual, 32.1.1.2), with SQLAlchemy's `postgresql+driver://`. Nothing here
//! quotes user or password.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::error::Problem;
use crate::runtime::listen::Address;
use crate::tls::settings::UpstreamMode;

/// The variable by which applications are told their database, and pgvitals where no setting says it.
pub(super) const VARIABLE: &str = "DATABASE_URL";
/// Where the server is when nobody says it at all.
pub(super) const DEFAULT: &str = "127.0.0.1:5432";
/// PostgreSQL's port when a URL names none.
const DEFAULT_PORT: u16 = 5432;
const SOCKET_PREFIX: &str = ".s.PGSQL.";

/// Parameters of libpq that concern the client's session or are harmless to leave out.
const SESSION_PARAMETERS: &[&str] = &[
    "user",
    "password",
    "passfile",
    "dbname",
    "application_name",
    "fallback_application_name",
    "options",
    "connect_timeout",
    "client_encoding",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "gssencmode",
    "krbsrvname",
    "gsslib",
    "require_auth",
    "service",
    "sslcompression",
    "sslsni",
    "replication",
];

/// Where the server is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Upstream {
    /// Tried in order; at least one.
    pub(super) addresses: Vec<Address>,
    /// What the URL says of TLS.
    pub(super) tls: UrlTls,
    /// Parts of the URL that were left out and might be missed.
    pub(super) warnings: Vec<String>,
}

/// What a URL says of TLS to the server.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct UrlTls {
    /// `sslmode`.
    pub(super) mode: Option<UpstreamMode>,
    /// `sslrootcert`, unless it is `system`.
    pub(super) ca: Option<PathBuf>,
    /// `sslcert`.
    pub(super) cert: Option<PathBuf>,
    /// `sslkey`.
    pub(super) key: Option<PathBuf>,
    /// `sslnegotiation=direct`.
    pub(super) direct: bool,
}

/// Reads a URL or addresses with commas between them.
pub(super) fn parse(text: &str) -> Result<Upstream, Problem> {
    match text.split_once("://") {
        Some((scheme, rest)) => url(scheme, rest),
        None => Ok(Upstream {
            addresses: addresses(text, Some(DEFAULT_PORT))?,
            tls: UrlTls::default(),
            warnings: Vec::new(),
        }),
    }
}

/// Reads addresses with commas between them. A directory means PostgreSQL's socket for `socket_port` in it, where one
/// is given.
pub(super) fn addresses(text: &str, socket_port: Option<u16>) -> Result<Vec<Address>, Problem> {
    text.split(',').map(|part| address(part.trim(), socket_port)).collect()
}

/// Reads one address.
pub(super) fn address(text: &str, socket_port: Option<u16>) -> Result<Address, Problem> {
    let advice = "write HOST:PORT, [IPV6]:PORT, or a path that begins with /";
    if text.is_empty() {
        return Err(Problem::new("an empty address", advice));
    }
    if text.contains(['=', '@']) {
        return Err(Problem::new("not an address", "write HOST:PORT or a postgres:// URL"));
    }
    match text.parse::<Address>() {
        Ok(Address::Unix(path)) if path.is_dir() => match socket_port {
            Some(port) => Ok(socket(&path, port)),
            None => Err(Problem::new("a directory", format!("name the socket in it, such as {text}/.s.PGSQL.5432"))),
        },
        Ok(address) => Ok(address),
        Err(error) => {
            let text = error.to_string();
            let (what, advice) = text.split_once("; ").unwrap_or((&text, advice));
            Err(Problem::new(what, advice))
        }
    }
}

/// A URL with user and password left out, fit to be shown. Anything else as it is, unless it names a password.
pub(super) fn redacted(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return if text.contains("password") { "…".to_owned() } else { text.to_owned() };
    };
    let (authority, path, _) = parts(rest);
    match authority.rsplit_once('@') {
        _ if path.contains('@') => format!("{scheme}://…"),
        Some((_, hosts)) => format!("{scheme}://…@{hosts}"),
        // `user:password` of which the host was forgotten.
        None if authority.split(',').any(has_no_port) => format!("{scheme}://…"),
        None => format!("{scheme}://{authority}"),
    }
}

/// Whether something else than a port stands where one would.
fn has_no_port(host: &str) -> bool {
    let behind = host.rsplit_once(':').map(|(_, port)| port);
    behind.is_some_and(|port| !port.ends_with(']') && !port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether it is a URL of PostgreSQL, whatever else may be wrong with it.
pub(super) fn is_url(text: &str) -> bool {
    text.trim().split_once("://").is_some_and(|(scheme, _)| is_postgres(scheme))
}

/// Whether connections to one of `addresses` would come back to one of `listen`.
pub(super) fn comes_back(addresses: &[Address], listen: &[Address]) -> bool {
    let same = |to: &Address, own: &Address| match (to, own) {
        (Address::Tcp { host, port }, Address::Tcp { host: own, port: listens }) => {
            port == listens && *port != 0 && (host == own || meets(host, own) || meets(own, host))
        }
        (Address::Unix(path), Address::Unix(own)) => path == own,
        _ => false,
    };
    addresses.iter().any(|to| listen.iter().any(|own| same(to, own)))
}

/// What stands before the first `/` or `?`, from there to the `?`, and behind that.
fn parts(rest: &str) -> (&str, &str, &str) {
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    (authority, path, query)
}

/// libpq's two names, and SQLAlchemy's with a driver behind it.
fn is_postgres(scheme: &str) -> bool {
    let base = scheme.split_once('+').map_or(scheme, |(base, _)| base);
    matches!(base, "postgres" | "postgresql")
}

fn url(scheme: &str, rest: &str) -> Result<Upstream, Problem> {
    if !is_postgres(scheme) {
        return Err(Problem::new(format!("a URL of scheme `{scheme}`"), "write postgres://HOST:PORT or HOST:PORT"));
    }
    let (authority, path, query) = parts(rest);
    if path.contains('@') {
        return Err(Problem::new("an @ behind the host", "write @ as %40, / as %2F and ? as %3F in user and password"));
    }
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let mut parts = Parts::default();
    for host in hosts.split(',').filter(|host| !host.is_empty()) {
        parts.authority(host)?;
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        parts.parameter(&decode(name)?, &decode(value)?)?;
    }
    parts.finish()
}

/// What a URL says of hosts and ports, in libpq's two lists.
#[derive(Default)]
struct Parts {
    hosts: Vec<String>,
    ports: Vec<Option<u16>>,
    tls: UrlTls,
    warnings: Vec<String>,
}

impl Parts {
    /// `host`, `host:port`, `[v6]:port`, `%2Fdirectory:port`.
    fn authority(&mut self, text: &str) -> Result<(), Problem> {
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        self.hosts.push(decode(host)?);
        self.ports.push(port.filter(|port| !port.is_empty()).map(number).transpose()?);
        Ok(())
    }

    /// As in libpq, a list of hosts or ports behind the `?` replaces the one in front of it.
    fn parameter(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        match name {
            "host" | "hostaddr" => {
                self.hosts = value.split(',').filter(|host| !host.is_empty()).map(str::to_owned).collect();
            }
            "port" => self.ports = value.split(',').map(|port| number(port).map(Some)).collect::<Result<_, _>>()?,
            "sslmode" | "ssl" => self.tls.mode = Some(sslmode(name, value)?),
            "sslrootcert" if value == "system" => {
                self.tls.mode = Some(UpstreamMode::VerifyFull);
            }
            "sslrootcert" => self.tls.ca = file(value),
            "sslcert" => self.tls.cert = file(value),
            "sslkey" => self.tls.key = file(value),
            "sslnegotiation" => self.tls.direct = value == "direct",
            "sslpassword" | "sslcrl" | "sslcrldir" => self.warn(name, "isn't looked at"),
            "channel_binding" if value == "require" => {
                self.warn(
                    "channel_binding=require",
                    "is the application's, and works with the server's own certificate in `tls.cert` alone: docs/channel-binding.md",
                );
            }
            "target_session_attrs" if value != "any" => {
                self.warn("target_session_attrs", "isn't looked at: the first address that answers is used");
            }
            _ if SESSION_PARAMETERS.contains(&name) => {}
            "target_session_attrs" | "channel_binding" => {}
            _ => self.warn(name, "means nothing to pgvitals and is ignored"),
        }
        Ok(())
    }

    fn warn(&mut self, name: &str, why: &str) {
        self.warnings.push(format!("`{name}` in the URL {why}"));
    }

    fn finish(self) -> Result<Upstream, Problem> {
        if self.hosts.is_empty() {
            return Err(Problem::new(
                "a URL without a host",
                "write postgres://HOST:PORT, or ?host=/directory for a socket",
            ));
        }
        if self.ports.len() > 1 && self.ports.len() != self.hosts.len() {
            let what = format!("{} ports for {} hosts", self.ports.len(), self.hosts.len());
            return Err(Problem::new(what, "write one port, or one for each host"));
        }
        let port_of = |index: usize| {
            let single = (self.ports.len() == 1).then_some(0);
            self.ports.get(single.unwrap_or(index)).copied().flatten().unwrap_or(DEFAULT_PORT)
        };
        let addresses = self.hosts.iter().enumerate().map(|(index, host)| match host.strip_prefix('/') {
            Some(_) => socket(Path::new(host), port_of(index)),
            None => Address::Tcp { host: host.clone(), port: port_of(index) },
        });
        Ok(Upstream { addresses: addresses.collect(), tls: self.tls, warnings: self.warnings })
    }
}

/// Values of libpq, and of drivers that know `ssl=true`.
fn sslmode(name: &str, value: &str) -> Result<UpstreamMode, Problem> {
    match value {
        "false" | "0" => Ok(UpstreamMode::Disable),
        "no-verify" | "true" | "1" => Ok(UpstreamMode::Require),
        _ => UpstreamMode::from_sslmode(value).ok_or_else(|| {
            Problem::new(
                format!("{name}={value}"),
                "write sslmode=disable, allow, prefer, require, verify-ca or verify-full",
            )
        }),
    }
}

fn file(value: &str) -> Option<PathBuf> {
    (!value.is_empty()).then(|| PathBuf::from(value))
}

fn socket(directory: &Path, port: u16) -> Address {
    let is_socket = directory.file_name().is_some_and(|name| name.to_string_lossy().starts_with(SOCKET_PREFIX));
    let path = if is_socket { PathBuf::from(directory) } else { directory.join(format!("{SOCKET_PREFIX}{port}")) };
    Address::Unix(path)
}

fn number(text: &str) -> Result<u16, Problem> {
    let port: Option<u16> = text.parse().ok().filter(|port| *port != 0);
    port.ok_or_else(|| Problem::new("a port that is not a number from 1 to 65535", "write postgres://HOST:PORT"))
}

/// Undoes percent-encoding (RFC 3986, 2.1).
fn decode(text: &str) -> Result<String, Problem> {
    let broken = || Problem::new("broken percent-encoding", "write % itself as %25");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let decoded = if byte == b'%' {
            let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
            let (high, low) = (digit(), digit());
            high.zip(low).map(|(high, low)| (high * 16 + low) as u8).ok_or_else(broken)?
        } else {
            byte
        };
        bytes.push(decoded);
    }
    String::from_utf8(bytes).map_err(|_| broken())
}

/// The server's name in statistics when nobody gave one: its addresses, with `host` for loopback and sockets, which
/// mean another server on each machine (DESIGN §9, `server`).
pub(super) fn server_name(addresses: &[Address], host: &str) -> String {
    let names = addresses.iter().map(|address| match address {
        Address::Tcp { host: name, port } if is_loopback(name) => format!("{host}:{port}"),
        Address::Tcp { host: name, port } if name.contains(':') => format!("[{name}]:{port}"),
        Address::Tcp { host: name, port } => format!("{name}:{port}"),
        Address::Unix(path) => {
            let file = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            match file.strip_prefix(SOCKET_PREFIX) {
                Some(port) => format!("{host}:{port}"),
                None => format!("{host}:{}", path.display()),
            }
        }
    });
    names.collect::<Vec<_>>().join(",")
}

/// Whether `wide` is also where `host` is: every address of this machine, or its name. 127.0.0.2 is not 127.0.0.1, nor is
/// `::1` one of 0.0.0.0.
fn meets(wide: &str, host: &str) -> bool {
    let is_here = |address: IpAddr| address.is_loopback() || address.is_unspecified();
    match (wide.parse::<IpAddr>(), host.parse::<IpAddr>()) {
        (Ok(IpAddr::V4(wide)), Ok(host)) => wide.is_unspecified() && host.is_ipv4() && is_here(host),
        (Ok(IpAddr::V6(wide)), Ok(host)) => wide.is_unspecified() && is_here(host),
        (Ok(wide), Err(_)) => wide.is_unspecified() && host == "localhost",
        (Err(_), _) => wide == "localhost" && matches!(host, "127.0.0.1" | "::1"),
    }
}

fn is_loopback(name: &str) -> bool {
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
