//! A connection: the driver's client, and the task that moves its bytes.

use std::ops::Deref;

use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::target::{Target, describe};
use crate::tls;
use crate::tls::settings::Settings;
use crate::tls::store::Store;

/// ALPN of PostgreSQL, which direct negotiation asks for.
const PROTOCOL: &[u8] = b"postgresql";

/// Why there is no connection.
#[derive(thiserror::Error, Debug)]
pub enum Error {
    /// Files that TLS needs can't be used.
    #[error(transparent)]
    Tls(#[from] tls::error::Error),
    /// No host took it, or none that can be written to.
    #[error("can't connect to {target}: {}", describe(reason))]
    Connect {
        /// Hosts, ports and database.
        target: String,
        /// Of the last host.
        reason: tokio_postgres::Error,
    },
}

impl Error {
    /// The SQLSTATE, where a server gave one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Error::Connect { reason, .. } => reason.code().map(SqlState::code),
            Error::Tls(_) => None,
        }
    }
}

/// An open connection; dropped, it is closed.
#[derive(Debug)]
pub struct Connection {
    client: Client,
    driver: JoinHandle<()>,
}

impl Connection {
    /// Connects to the first host that takes it.
    ///
    /// # Errors
    /// Files of TLS that can't be used, or what the last host said.
    pub async fn open(target: &Target) -> Result<Self, Error> {
        let settings = Settings { upstream: target.tls().clone(), ..Settings::default() };
        let connector = Store::load([&settings], &[], PROTOCOL)?.connector(0);
        let opened = match connector {
            Some(tls) => Self::begin(target.config(), MakeRustlsConnect::new((*tls.config).clone())).await,
            None => Self::begin(target.config(), NoTls).await,
        };
        opened.map_err(|reason| Error::Connect { target: target.to_string(), reason })
    }

    async fn begin<T>(config: &Config, tls: T) -> Result<Self, tokio_postgres::Error>
    where
        T: tokio_postgres::tls::MakeTlsConnect<tokio_postgres::Socket>,
        T::Stream: Send + 'static,
    {
        let (client, connection) = config.connect(tls).await?;
        let driver = tokio::spawn(async move {
            // Whoever waits for an answer is told; between two questions an end is no event.
            if let Err(error) = connection.await {
                tracing::debug!(error = describe(&error), "a connection of our own ended");
            }
        });
        Ok(Self { client, driver })
    }
}

impl Deref for Connection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
