//! What the owner may set, for each route.

use std::path::PathBuf;

/// TLS on both legs of a route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Towards clients.
    pub client: Client,
    /// Towards the server.
    pub upstream: Upstream,
}

impl Settings {
    /// Every file that is named, with the key that names it; the server's also by a URL's parameter.
    pub(super) fn files(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        let Self { client, upstream } = self;
        let files = [
            ("`tls.cert`", &client.cert),
            ("`tls.key`", &client.key),
            ("`tls.client_ca`", &client.ca),
            ("`tls.upstream_ca` or `sslrootcert`", &upstream.ca),
            ("`tls.upstream_cert` or `sslcert`", &upstream.cert),
            ("`tls.upstream_key` or `sslkey`", &upstream.key),
        ];
        files.into_iter().filter_map(|(key, path)| Some((key, path.as_ref()?)))
    }
}

/// Towards clients. Sessions over Unix sockets are never encrypted, as with PostgreSQL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// Whether clients may or must use TLS.
    pub mode: ClientMode,
    /// The certificate and those between it and its root, PEM. Without one a self-signed one is made at start.
    pub cert: Option<PathBuf>,
    /// The key of `cert`, PEM; without one it is looked for in `cert`.
    pub key: Option<PathBuf>,
    /// Who signed clients' certificates, PEM. With one set, a client that uses TLS has to show a certificate.
    pub ca: Option<PathBuf>,
}

/// Whether clients may or must use TLS.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ClientMode {
    /// They can't.
    #[default]
    Disable,
    /// They may.
    Allow,
    /// They must, but for requests to cancel.
    Require,
}

/// Towards the server. Unix sockets are never encrypted, as with libpq.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upstream {
    /// As libpq's `sslmode`.
    pub mode: UpstreamMode,
    /// Whom to trust, PEM; without one the system's roots. With one, `require` checks as `verify-ca` does, like libpq.
    pub ca: Option<PathBuf>,
    /// The certificate to show to the server, PEM.
    pub cert: Option<PathBuf>,
    /// The key of `cert`, PEM; without one it is looked for in `cert`.
    pub key: Option<PathBuf>,
    /// Begin with TLS at once (PostgreSQL 17), without asking first.
    pub direct: bool,
}

/// As libpq's `sslmode`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum UpstreamMode {
    /// Never.
    Disable,
    /// If the server can; else without.
    #[default]
    Prefer,
    /// Or not at all. Whoever the server is.
    Require,
    /// And its certificate must be signed by somebody who is trusted.
    VerifyCa,
    /// And name the host that was connected to.
    VerifyFull,
}

impl UpstreamMode {
    /// The mode that libpq's `sslmode` calls so; `allow` prefers TLS here.
    pub fn from_sslmode(word: &str) -> Option<Self> {
        Some(match word {
            "disable" => Self::Disable,
            "allow" | "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }
}
