//! A certificate, those between it and its root, and its key.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::error::Error;
use super::files::Files;

/// Who pgvitals says it is.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    chain: Arc<[CertificateDer<'static>]>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl Identity {
    /// Out of the file `cert`, and of `key` or else `cert` again.
    pub(super) fn read(files: &Files, cert: &Path, key: Option<&Path>) -> Result<Self, Error> {
        let chain = certificates(files, cert)?;
        let path = key.unwrap_or(cert);
        let key = PrivateKeyDer::from_pem_slice(files.get(path)?)
            .map_err(|_| Error::Pem { path: path.to_owned(), what: "PRIVATE KEY" })?;
        Ok(Self { chain: chain.into(), key: Arc::new(key) })
    }

    /// Signed by itself, for these names and addresses: encrypts, proves nothing.
    pub(super) fn self_signed(names: Vec<String>) -> Result<Self, Error> {
        let make = || {
            let key = rcgen::KeyPair::generate()?;
            let mut params = rcgen::CertificateParams::new(names)?;
            params.distinguished_name.push(rcgen::DnType::CommonName, "pgvitals");
            let chain = [params.self_signed(&key)?.der().clone()];
            let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
            Ok(Self { chain: chain.into(), key: Arc::new(key) })
        };
        make().map_err(Error::SelfSigned)
    }

    /// What the peer sees first.
    pub(super) fn leaf(&self) -> Option<&CertificateDer<'static>> {
        self.chain.first()
    }

    /// Both, as rustls takes them.
    pub(super) fn parts(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (self.chain.to_vec(), self.key.clone_key())
    }
}

/// Every certificate in a file; at least one.
pub(super) fn certificates(files: &Files, path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let missing = || Error::Pem { path: path.to_owned(), what: "CERTIFICATE" };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(files.get(path)?).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or_else(missing)
}
