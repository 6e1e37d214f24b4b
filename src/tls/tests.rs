//! Files as people have them, and what becomes of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{ServerName, UnixTime};

use super::files::Files;
use super::settings::{Client, ClientMode, Settings, Upstream, UpstreamMode};
use super::store::Store;
use super::subject;
use super::trust::Verifier;

/// A certificate authority of a test's own.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "test authority");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for these names, or with only a common name where there are none; and its key.
fn server(names: &[&str], common: &str, issuer: &CertifiedIssuer<'_, KeyPair>) -> (Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let names = names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, common);
    (params.signed_by(&key, issuer).unwrap(), key)
}

fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// Whether a server with this certificate would be believed.
#[track_caller]
fn check(mode: UpstreamMode, ca: Option<&Certificate>, leaf: &Certificate, host: &'static str, expected: bool) {
    let directory = tempfile::tempdir().unwrap();
    let ca = ca.map(|ca| write(directory.path(), "ca.pem", &ca.pem()));
    let upstream = Upstream { mode, ca, ..Upstream::default() };
    let files = Files::read(&Settings { upstream: upstream.clone(), ..Settings::default() });
    let verifier = Verifier::new(&upstream, &files, &rustls::crypto::ring::default_provider()).unwrap();
    let name = ServerName::try_from(host).unwrap();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_800_000_000));
    let result = verifier.verify_server_cert(leaf.der(), &[], &name, &[], now);
    assert_eq!(result.is_ok(), expected, "{mode:?} {host}: {result:?}");
}

#[test]
fn servers_are_believed_by_libpqs_rules() {
    use UpstreamMode::{Prefer, Require, VerifyCa, VerifyFull};
    let (ours, theirs) = (authority(), authority());
    let (named, _) = server(&["db.example.com", "10.0.0.1"], "other", &ours);
    let (common, _) = server(&[], "db.example.com", &ours);
    let (root, foreign) = (Some(ours.as_ref()), Some(theirs.as_ref()));
    for mode in [Prefer, Require] {
        check(mode, None, &named, "elsewhere", true);
    }
    for mode in [Require, VerifyCa] {
        check(mode, root, &named, "elsewhere", true);
        check(mode, foreign, &named, "db.example.com", false);
    }
    for host in ["db.example.com", "10.0.0.1"] {
        check(VerifyFull, root, &named, host, true);
    }
    check(VerifyFull, foreign, &named, "db.example.com", false);
    for host in ["elsewhere", "other", "10.0.0.2"] {
        check(VerifyFull, root, &named, host, false);
    }
    check(VerifyFull, root, &common, "DB.example.com", true);
    check(VerifyFull, root, &common, "db2.example.com", false);
}

/// `openssl req -x509` makes a certificate that is its own authority; PostgreSQL's manual shows it.
#[test]
fn a_self_signed_certificate_is_its_own_root() {
    let own = authority();
    check(UpstreamMode::VerifyCa, Some(own.as_ref()), own.as_ref(), "anywhere", true);
    check(UpstreamMode::VerifyFull, Some(own.as_ref()), own.as_ref(), "anywhere", false);
    check(UpstreamMode::VerifyCa, Some(own.as_ref()), authority().as_ref(), "anywhere", false);
}

#[test]
fn a_common_name_may_begin_with_a_star_and_garbage_names_nobody() {
    let ours = authority();
    let (star, _) = server(&[], "*.example.com", &ours);
    for (host, expected) in [("db.example.com", true), ("a.b.example.com", false), ("example.com", false)] {
        assert_eq!(subject::names(star.der(), host), expected, "{host}");
    }
    for end in 0..star.der().len() {
        // Whatever is cut off, nothing is read that isn't there.
        let _ = subject::names(&star.der()[..end], "db.example.com");
    }
    assert!(!subject::names(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], "x"));
}

fn client_side(cert: Option<PathBuf>, key: Option<PathBuf>) -> Settings {
    let client = Client { mode: ClientMode::Allow, cert, key, ca: None };
    Settings { client, upstream: Upstream { mode: UpstreamMode::Disable, ..Upstream::default() } }
}

#[test]
fn certificates_are_read_again_when_they_change_and_kept_when_they_are_bad() {
    let (directory, ours) = (tempfile::tempdir().unwrap(), authority());
    let put = |name: &str, pair: &(Certificate, KeyPair)| {
        let text = pair.0.pem() + &pair.1.serialize_pem();
        write(directory.path(), name, &text)
    };
    let [first, second] = [server(&["a"], "a", &ours), server(&["b"], "b", &ours)];
    // As Kubernetes has it: the name is a link, and what it points to is exchanged.
    put("one", &first);
    put("two", &second);
    let link = directory.path().join("tls.pem");
    std::os::unix::fs::symlink("one", &link).unwrap();
    let store = Store::load([&client_side(Some(link.clone()), None)], &[], b"x").unwrap();
    let leaf = || store.acceptor(0).unwrap().leaf.clone().unwrap();
    assert!(store.uses_files());
    assert_eq!((leaf() == *first.0.der(), store.reload_changed().unwrap()), (true, false));
    std::os::unix::fs::symlink("two", directory.path().join("next")).unwrap();
    std::fs::rename(directory.path().join("next"), &link).unwrap();
    assert!(store.reload_changed().unwrap());
    assert_eq!(leaf(), *second.0.der());

    // A certificate whose key has not come yet.
    let mixed = first.0.pem() + &second.1.serialize_pem();
    write(directory.path(), "two", &mixed);
    assert!(store.reload_changed().unwrap_err().to_string().contains("belong together"));
    assert!(!store.reload_changed().unwrap(), "the same bad files are tried once");
    assert!(store.reload().is_err(), "unless somebody asks");
    assert_eq!(leaf(), *second.0.der(), "the old one stays");
    put("two", &first);
    assert!(store.reload_changed().unwrap());
    assert_eq!(leaf(), *first.0.der());
}

#[test]
fn without_a_certificate_one_is_made_and_kept() {
    let store = Store::load([&client_side(None, None)], &["localhost".to_owned()], b"x").unwrap();
    let before = store.acceptor(0).unwrap();
    store.reload().unwrap();
    let after = store.acceptor(0).unwrap();
    assert!(before.leaf.is_some() && before.leaf == after.leaf && !Arc::ptr_eq(&before, &after));
    assert!(!store.uses_files());
    assert!(store.connector(0).is_none(), "its upstream is plaintext");
}

#[test]
fn files_that_cannot_be_used_say_why() {
    let (directory, ours) = (tempfile::tempdir().unwrap(), authority());
    let (cert, key) = server(&["a"], "a", &ours);
    let good = write(directory.path(), "good", &cert.pem());
    let only_key = write(directory.path(), "key", &key.serialize_pem());
    let said = |cert: &Path, key: Option<&Path>| {
        let settings = client_side(Some(cert.to_owned()), key.map(Path::to_owned));
        Store::load([&settings], &[], b"x").unwrap_err().to_string()
    };
    assert!(said(&directory.path().join("none"), None).starts_with("`tls.cert`: cannot read"));
    assert!(said(&good, None).contains("BEGIN PRIVATE KEY"));
    assert!(said(&only_key, None).contains("BEGIN CERTIFICATE"));
    let other = KeyPair::generate().unwrap();
    let other = write(directory.path(), "other", &other.serialize_pem());
    assert!(said(&good, Some(&other)).contains("belong together"));
    assert!(Store::load([&client_side(Some(good), Some(only_key))], &[], b"x").is_ok());
}

/// A certificate without extensions, as `openssl x509 -req` of OpenSSL 3.0 makes it.
const OF_VERSION_1: &str = "\
-----BEGIN CERTIFICATE-----
MIIBFjCBvQIUQHA0df47XvXqB1VnqIY1VPklOJkwCgYIKoZIzj0EAwIwDTELMAkG
A1UEAwwCZGIwIBcNMjYxMTI2MTE1NzIyWhgPMjEyNjExMDIxMTU3MjJaMA0xCzAJ
BgNVBAMMAmRiMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEocgsI2bLH9QTfA3F
0PmdYJoLmlSM7CMN2Out5GA1n02GaNc0LZKL2IGjv8WM7p9KD1/NjDmDcWK2T3x4
SYYS5jAKBggqhkjOPQQDAgNIADBFAiEA+PLU5KuF7hTbBzeKNP0rDX++fhxFz6bz
iNvI/6GCPicCIG//Mm+Y8bM0+Xk31RkJbwQ+LfoQBgQ2gd75UggYGFqp
-----END CERTIFICATE-----
";

#[test]
fn who_has_a_certificate_of_version_1_is_told_to_make_another() {
    let directory = tempfile::tempdir().unwrap();
    let text = OF_VERSION_1.to_owned() + &KeyPair::generate().unwrap().serialize_pem();
    let cert = write(directory.path(), "v1.pem", &text);
    let said = Store::load([&client_side(Some(cert), None)], &[], b"x").unwrap_err().to_string();
    assert!(said.contains("version 1") && said.contains("subjectAltName"), "{said}");
}
