//! tokio-postgres, over TLS where the environment names an authority.

use std::sync::Arc;

use futures_util::{SinkExt, TryStreamExt, future};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres::config::SslMode;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Believes whom the authority signed, whatever it is called: libpq's `verify-ca`.
#[derive(Debug)]
struct Signed {
    roots: RootCertStore,
    provider: CryptoProvider,
}

impl ServerCertVerifier for Signed {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(certificate)?;
        let schemes = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&certificate, &self.roots, between, now, schemes)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn tls() -> MakeRustlsConnect {
    let pem = std::fs::read(variable("PGSSLROOTCERT")).unwrap();
    let mut roots = RootCertStore::empty();
    for certificate in rustls_pemfile::certs(&mut &pem[..]) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let signed = Signed { roots, provider: ring::default_provider() };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(signed));
    MakeRustlsConnect::new(builder.with_no_client_auth())
}

/// Connects; notifications and notices are printed as they come.
macro_rules! connect {
    ($config:expr, $tls:expr) => {{
        let (client, mut connection) = $config.connect($tls).await.unwrap();
        tokio::spawn(async move {
            while let Some(Ok(message)) = future::poll_fn(|context| connection.poll_message(context)).await {
                match message {
                    AsyncMessage::Notice(notice) => println!("notice {notice}"),
                    AsyncMessage::Notification(note) => println!("notification {} {}", note.channel(), note.payload()),
                    _ => {}
                }
            }
        });
        client
    }};
}

pub async fn run() {
    println!("version {}", crate::locked("tokio-postgres"));
    let mut config = Config::new();
    config.host(variable("PGHOST")).port(variable("PGPORT").parse().unwrap()).dbname(variable("PGDATABASE"));
    config.user(variable("PGUSER")).password(variable("PGPASSWORD"));
    let encrypted = std::env::var_os("PGSSLROOTCERT").is_some();
    let mut client = if encrypted { connect!(config.ssl_mode(SslMode::Require), tls()) } else { connect!(config, NoTls) };
    session(&mut client).await;

    let token = client.cancel_token();
    let running = client.query("select pg_sleep(600)", &[]);
    let cancelling = async {
        let watcher = if encrypted { connect!(config, tls()) } else { connect!(config, NoTls) };
        let sleeping = "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
        while watcher.query_one(sleeping, &[]).await.unwrap().get::<_, i64>(0) == 0 {}
        if encrypted { token.cancel_query(tls()).await.unwrap() } else { token.cancel_query(NoTls).await.unwrap() }
    };
    let (cancelled, ()) = future::join(running, cancelling).await;
    println!("cancelled {}", cancelled.unwrap_err().as_db_error().unwrap());

    client.batch_execute("create table counted (id int primary key)").await.unwrap();
    let insert = client.prepare("insert into counted (id) values ($1)").await.unwrap();
    for id in 0..100 {
        client.execute(&insert, &[&id]).await.unwrap();
    }
    let row = client.query_one("select count(*), sum(id) from counted", &[]).await.unwrap();
    println!("counted {} {}", row.get::<_, i64>(0), row.get::<_, i64>(1));
}

async fn session(client: &mut Client) {
    client.batch_execute("create table t (id int primary key, body text)").await.unwrap();
    let insert = client.prepare("insert into t values ($1, $2)").await.unwrap();
    let rows: Vec<(i32, String)> = (0..200).map(|id| (id, format!("body {id}"))).collect();
    // All on the way at once.
    let inserts = rows.iter().map(|(id, body)| async { client.execute(&insert, &[id, body]).await.unwrap() });
    println!("inserted {}", future::join_all(inserts).await.iter().sum::<u64>());
    let transaction = client.transaction().await.unwrap();
    let portal = transaction.bind("select id from t order by id", &[]).await.unwrap();
    for _ in 0..3 {
        let rows = transaction.query_portal(&portal, 30).await.unwrap();
        println!("portal {}", rows.iter().map(|row| row.get::<_, i32>(0)).sum::<i32>());
    }
    drop(portal);
    println!("{}", transaction.query("select broken", &[]).await.unwrap_err().as_db_error().unwrap());
    transaction.rollback().await.unwrap();

    let mut sink = std::pin::pin!(client.copy_in::<_, &[u8]>("copy t from stdin").await.unwrap());
    sink.send(&b"1000\tcopied\n1001\tcopied\n"[..]).await.unwrap();
    println!("copied {}", sink.finish().await.unwrap());
    let out: Vec<_> = client.copy_out("copy t to stdout").await.unwrap().try_collect().await.unwrap();
    println!("out {}", out.iter().map(|block| block.len()).sum::<usize>());
    client.batch_execute("do $$ begin raise notice 'n'; end $$; listen l; notify l, 'hello'").await.unwrap();
    println!("{:?}", client.query_one("select 'alive'", &[]).await.unwrap().get::<_, &str>(0));
}
