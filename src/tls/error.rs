//! What can be wrong with certificates, keys and roots.

use std::io;
use std::path::PathBuf;

/// Why a certificate, a key or roots can't be used. Each says what to do.
#[derive(thiserror::Error, Debug)]
pub enum Error {
    /// The file can't be read.
    #[error("{key}: cannot read {path}: {reason}; pgvitals' user must be able to read it")]
    Read {
        /// The file.
        path: PathBuf,
        /// The setting that names it.
        key: &'static str,
        /// The system's reason.
        reason: io::Error,
    },
    /// The file holds something else.
    #[error("{path} holds no {what} in PEM form; it must have a block `-----BEGIN {what}-----`")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What was looked for, as PEM calls it.
        what: &'static str,
    },
    /// A certificate that nobody could be recognised by.
    #[error("{path} holds a certificate that can't be used as a root: {reason}")]
    Root {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: rustls::Error,
    },
    /// Certificate and key don't go together, or are of a kind that isn't known.
    #[error("the certificate {path} and its key can't be used: {reason}; {}", advice(.reason))]
    Pair {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong with it.
        reason: rustls::Error,
    },
    /// No roots on this system.
    #[error("this system has no trusted roots; name a file with them in `tls.upstream_ca`")]
    NoSystemRoots,
    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}; set `tls.cert` and `tls.key`")]
    SelfSigned(rcgen::Error),
    /// The library refuses these settings.
    #[error("TLS can't be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// What to do about a pair. By the manual's steps OpenSSL 3.0 makes certificates that PostgreSQL takes and rustls refuses.
fn advice(reason: &rustls::Error) -> &'static str {
    if format!("{reason:?}").contains("UnsupportedCertVersion") {
        "it is of X.509 version 1, make one of version 3: openssl x509 -req … -extfile, with a subjectAltName"
    } else {
        "do they belong together?"
    }
}
