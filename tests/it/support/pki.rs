//! Certificates for tests: one authority for all, and who it signs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};

/// An authority and those whom it has signed, in files.
pub(crate) struct Pki {
    directory: PathBuf,
    authority: CertifiedIssuer<'static, KeyPair>,
    /// The authority's certificate.
    pub(crate) ca: PathBuf,
    /// What the server shows: it is called `localhost`, and nothing else.
    pub(crate) server: Pair,
    /// What pgvitals shows when it isn't the server's own.
    pub(crate) other: Pair,
    /// What a client called `cert_user` shows.
    pub(crate) client: Pair,
}

/// A certificate's file and its key's.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

impl Pair {
    /// Both as text, for flags and variables.
    pub(crate) fn text(&self) -> [String; 2] {
        [&self.cert, &self.key].map(|path| path.display().to_string())
    }
}

impl Pki {
    /// All of them, in `directory`.
    pub(crate) fn new(directory: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "tests' authority");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let ca = directory.join("ca.crt");
        std::fs::write(&ca, authority.pem()).unwrap();
        let server = sign(directory, "server", &["localhost"], &authority);
        let other = sign(directory, "other", &["localhost", "127.0.0.1"], &authority);
        let client = sign(directory, "cert_user", &[], &authority);
        Self { directory: directory.to_owned(), authority, ca, server, other, client }
    }

    /// A further certificate called `name`, for these hosts.
    pub(crate) fn sign(&self, name: &str, hosts: &[&str]) -> Pair {
        sign(&self.directory, name, hosts, &self.authority)
    }

    /// The settings of a TLS client that trusts the authority and offers these application protocols.
    pub(crate) fn client_config(&self, protocols: &[&[u8]]) -> Arc<rustls::ClientConfig> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.authority.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Arc::new(config)
    }
}

fn sign(directory: &Path, name: &str, hosts: &[&str], issuer: &Issuer<'_, KeyPair>) -> Pair {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(hosts.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let pair = Pair { cert: directory.join(format!("{name}.crt")), key: directory.join(format!("{name}.key")) };
    std::fs::write(&pair.cert, params.signed_by(&key, issuer).unwrap().pem()).unwrap();
    private(&pair.key, &key.serialize_pem());
    pair
}

/// libpq refuses a key that others can read.
fn private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
