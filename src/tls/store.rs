//! Both sides of each route, ready to use; made anew when their files change.

use std::sync::{Arc, Mutex, MutexGuard};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ServerConfig};

use super::error::Error;
use super::files::{Files, Seen};
use super::identity::Identity;
use super::settings::{ClientMode, Settings, Upstream, UpstreamMode};
use super::trust::{Trust, Verifier};

/// Towards clients.
#[derive(Debug)]
pub struct Acceptor {
    /// What a handshake begins with.
    pub config: Arc<ServerConfig>,
    /// The certificate that clients see, as DER.
    pub leaf: Option<CertificateDer<'static>>,
}

/// Towards the server.
#[derive(Debug)]
pub struct Connector {
    /// What a handshake begins with.
    pub config: Arc<ClientConfig>,
    /// Above `Disable`.
    pub mode: UpstreamMode,
    /// Whether to begin with TLS at once.
    pub direct: bool,
}

/// The sides of all routes.
#[derive(Debug)]
pub struct Store {
    provider: Arc<CryptoProvider>,
    /// The application protocol that is offered and accepted (ALPN).
    protocol: Vec<u8>,
    routes: Vec<Route>,
}

#[derive(Debug)]
struct Route {
    settings: Settings,
    /// Made at start where none is set, kept when files change.
    own: Option<Identity>,
    /// Locked for a moment when a connection begins, and by whoever reloads.
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    acceptor: Option<Arc<Acceptor>>,
    connector: Option<Arc<Connector>>,
    /// What the files held when they were last tried, well or not.
    seen: Seen,
}

impl Store {
    /// Reads everything that `routes` name; `names` are those of a certificate that has to be made.
    ///
    /// # Errors
    /// The first file that can't be used.
    pub fn load<'a>(
        routes: impl IntoIterator<Item = &'a Settings>,
        names: &[String],
        protocol: &[u8],
    ) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut store = Self { provider, protocol: protocol.to_vec(), routes: Vec::new() };
        for settings in routes {
            let lacks = settings.client.mode != ClientMode::Disable && settings.client.cert.is_none();
            let own = lacks.then(|| Identity::self_signed(names.to_vec())).transpose()?;
            let files = Files::read(settings);
            let (acceptor, connector) = store.build(settings, own.as_ref(), &files)?;
            let current = Current { acceptor, connector, seen: files.seen() };
            store.routes.push(Route { settings: settings.clone(), own, current: Mutex::new(current) });
        }
        Ok(store)
    }

    /// How clients of this route are accepted; `None` without TLS.
    pub fn acceptor(&self, route: usize) -> Option<Arc<Acceptor>> {
        self.routes.get(route)?.current().acceptor.clone()
    }

    /// How this route's server is connected to; `None` without TLS.
    pub fn connector(&self, route: usize) -> Option<Arc<Connector>> {
        self.routes.get(route)?.current().connector.clone()
    }

    /// Whether any file is used at all, so that it is worth looking for changes.
    pub fn uses_files(&self) -> bool {
        self.routes.iter().any(|route| route.settings.files().next().is_some())
    }

    /// Reads all files again. New connections use them; a route whose files can't be used keeps what it has.
    ///
    /// # Errors
    /// The first file that can't be used.
    pub fn reload(&self) -> Result<(), Error> {
        let results: Vec<_> =
            self.routes.iter().map(|route| self.refresh(route, &Files::read(&route.settings))).collect();
        results.into_iter().collect()
    }

    /// Reads the files again where they have changed since they were last tried; says whether any had.
    ///
    /// # Errors
    /// As [`Store::reload`].
    pub fn reload_changed(&self) -> Result<bool, Error> {
        let mut results = Vec::new();
        for route in &self.routes {
            let files = Files::read(&route.settings);
            if files.seen() != route.current().seen {
                results.push(self.refresh(route, &files));
            }
        }
        let changed = !results.is_empty();
        results.into_iter().collect::<Result<(), _>>().map(|()| changed)
    }

    fn refresh(&self, route: &Route, files: &Files) -> Result<(), Error> {
        let built = self.build(&route.settings, route.own.as_ref(), files);
        let mut current = route.current();
        current.seen = files.seen();
        (current.acceptor, current.connector) = built?;
        Ok(())
    }

    #[allow(clippy::type_complexity)] // Both sides of a route; a name would say no more.
    fn build(
        &self,
        settings: &Settings,
        own: Option<&Identity>,
        files: &Files,
    ) -> Result<(Option<Arc<Acceptor>>, Option<Arc<Connector>>), Error> {
        let acceptor = match settings.client.mode {
            ClientMode::Disable => None,
            ClientMode::Allow | ClientMode::Require => Some(Arc::new(self.acceptor_of(settings, own, files)?)),
        };
        let connector = match settings.upstream.mode {
            UpstreamMode::Disable => None,
            _ => Some(Arc::new(self.connector_of(&settings.upstream, files)?)),
        };
        Ok((acceptor, connector))
    }

    fn acceptor_of(&self, settings: &Settings, own: Option<&Identity>, files: &Files) -> Result<Acceptor, Error> {
        let client = &settings.client;
        let identity = match (&client.cert, own) {
            (Some(cert), _) => Identity::read(files, cert, client.key.as_deref())?,
            (None, Some(own)) => own.clone(),
            (None, None) => Identity::self_signed(Vec::new())?,
        };
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&self.provider)).with_safe_default_protocol_versions()?;
        let builder = match &client.ca {
            Some(path) => {
                let roots = Trust::read(files, path)?.roots;
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&self.provider)).build();
                builder.with_client_cert_verifier(verifier.map_err(|error| rustls::Error::General(error.to_string()))?)
            }
            None => builder.with_no_client_auth(),
        };
        let (chain, key) = identity.parts();
        let pair = |reason| Error::Pair { path: client.cert.clone().unwrap_or_default(), reason };
        let mut config = builder.with_single_cert(chain, key).map_err(pair)?;
        config.alpn_protocols = vec![self.protocol.clone()];
        config.ticketer = rustls::crypto::ring::Ticketer::new()?;
        // libpq resumes nothing; who does needs one.
        config.send_tls13_tickets = 1;
        Ok(Acceptor { config: Arc::new(config), leaf: identity.leaf().cloned() })
    }

    fn connector_of(&self, upstream: &Upstream, files: &Files) -> Result<Connector, Error> {
        let verifier = Arc::new(Verifier::new(upstream, files, &self.provider)?);
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &upstream.cert {
            Some(cert) => {
                let (chain, key) = Identity::read(files, cert, upstream.key.as_deref())?.parts();
                let pair = |reason| Error::Pair { path: cert.clone(), reason };
                builder.with_client_auth_cert(chain, key).map_err(pair)?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![self.protocol.clone()];
        Ok(Connector { config: Arc::new(config), mode: upstream.mode, direct: upstream.direct })
    }
}

impl Route {
    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
