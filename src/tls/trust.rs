//! Whom to believe: the server's certificate by the rules of libpq's `sslmode`.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::error::Error;
use super::files::Files;
use super::identity::certificates;
use super::settings::{Upstream, UpstreamMode};
use super::subject;

/// Roots, and the certificates that they were made from.
#[derive(Debug)]
pub(super) struct Trust {
    pub(super) roots: Arc<RootCertStore>,
    anchors: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// Every certificate of a file.
    pub(super) fn read(files: &Files, path: &Path) -> Result<Self, Error> {
        let anchors = certificates(files, path)?;
        let mut roots = RootCertStore::empty();
        for anchor in &anchors {
            roots.add(anchor.clone()).map_err(|reason| Error::Root { path: path.to_owned(), reason })?;
        }
        Ok(Self { roots: Arc::new(roots), anchors })
    }

    /// The system's.
    fn system() -> Result<Self, Error> {
        let anchors = rustls_native_certs::load_native_certs().certs;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(anchors.iter().cloned());
        if roots.is_empty() { Err(Error::NoSystemRoots) } else { Ok(Self { roots: Arc::new(roots), anchors }) }
    }
}

/// How much of a server's certificate is checked. That the server has its key is always checked.
#[derive(Debug)]
enum Check {
    Nothing,
    Signer(Trust),
    SignerAndName(Trust),
}

/// Checks a server's certificate.
#[derive(Debug)]
pub(super) struct Verifier {
    check: Check,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// As `settings` want it.
    pub(super) fn new(settings: &Upstream, files: &Files, provider: &CryptoProvider) -> Result<Self, Error> {
        let trust = || settings.ca.as_deref().map_or_else(Trust::system, |path| Trust::read(files, path));
        let check = match settings.mode {
            UpstreamMode::VerifyFull => Check::SignerAndName(trust()?),
            UpstreamMode::VerifyCa => Check::Signer(trust()?),
            UpstreamMode::Require if settings.ca.is_some() => Check::Signer(trust()?),
            _ => Check::Nothing,
        };
        Ok(Self { check, algorithms: provider.signature_verification_algorithms })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let trust = match &self.check {
            Check::Nothing => return Ok(ServerCertVerified::assertion()),
            Check::Signer(trust) | Check::SignerAndName(trust) => trust,
        };
        let parsed = ParsedCertificate::try_from(leaf)?;
        // A self-signed server's certificate is its own root, and says that it is a CA: webpki would refuse that.
        if !trust.anchors.contains(leaf) {
            let algorithms = self.algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&parsed, &trust.roots, between, now, algorithms)?;
        }
        if matches!(self.check, Check::SignerAndName(_)) {
            verify_server_name(&parsed, name).or_else(|error| by_common_name(leaf, name, error))?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, leaf, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, leaf, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Of a certificate without subjectAltName the common name counts, as with libpq.
fn by_common_name(leaf: &[u8], name: &ServerName<'_>, error: rustls::Error) -> Result<(), rustls::Error> {
    match &error {
        rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. })
            if presented.is_empty() && subject::names(leaf, &name.to_str()) =>
        {
            Ok(())
        }
        _ => Err(error),
    }
}
