//! Where to connect to, as whom, with what TLS.

use std::fmt;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, SslNegotiation, TargetSessionAttrs};

use crate::tls::settings::{Upstream, UpstreamMode};

/// What one host may take when the URL says nothing.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A host that vanished closes no connection: who waits for its answer is told so long after, not after the system's two
/// hours. Also what the URL may set.
const SILENCE_MAX: Duration = Duration::from_secs(60);
const PROBE_AFTER: Duration = Duration::from_secs(30);
const PROBE_EVERY: Duration = Duration::from_secs(10);
const PROBES: u32 = 3;

/// A database to connect to. `Debug` and `Display` show no password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    config: Config,
    tls: Upstream,
    /// The URL has a `target_session_attrs`.
    names_attrs: bool,
}

impl Target {
    /// What a URL says, without its parts about TLS, and these. All hosts are tried until one can be written to, unless
    /// the URL has another `target_session_attrs`.
    ///
    /// # Errors
    /// What of the URL can't be understood; without a value that may be a secret.
    pub fn new(url: &str, tls: Upstream) -> Result<Self, String> {
        let mut config: Config = url.parse().map_err(|error| describe(&error))?;
        let names_attrs = url.contains("target_session_attrs=");
        if !names_attrs {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if !url.contains("keepalives_idle=") {
            config.keepalives_idle(PROBE_AFTER);
        }
        if config.get_keepalives_interval().is_none() {
            config.keepalives_interval(PROBE_EVERY);
        }
        if config.get_keepalives_retries().is_none() {
            config.keepalives_retries(PROBES);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE_MAX);
        }
        if config.get_application_name().is_none() {
            config.application_name("pgvitals");
        }
        config.ssl_mode(match tls.mode {
            UpstreamMode::Disable => SslMode::Disable,
            UpstreamMode::Prefer => SslMode::Prefer,
            UpstreamMode::Require | UpstreamMode::VerifyCa | UpstreamMode::VerifyFull => SslMode::Require,
        });
        config.ssl_negotiation(if tls.direct { SslNegotiation::Direct } else { SslNegotiation::Postgres });
        Ok(Self { config, tls, names_attrs })
    }

    /// The same server, whether it can be written to or not, unless the URL asked for something else.
    pub fn also_standbys(mut self) -> Self {
        if !self.names_attrs {
            self.config.target_session_attrs(TargetSessionAttrs::Any);
        }
        self
    }

    /// Another database of the same server.
    pub fn in_database(&self, name: &str) -> Self {
        let mut other = self.clone();
        other.config.dbname(name);
        other
    }

    /// As the driver knows it.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// TLS, as libpq's parameters have it.
    pub fn tls(&self) -> &Upstream {
        &self.tls
    }

    /// The role's name, where the URL has one.
    pub fn user(&self) -> Option<&str> {
        self.config.get_user()
    }
}

impl fmt::Display for Target {
    /// Hosts, ports and database, fit for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports = self.config.get_ports();
        for (index, host) in self.config.get_hosts().iter().enumerate() {
            let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
            f.write_str(if index == 0 { "" } else { "," })?;
            match host {
                Host::Tcp(name) if name.contains(':') => write!(f, "[{name}]:{port}")?,
                Host::Tcp(name) => write!(f, "{name}:{port}")?,
                #[cfg(unix)]
                Host::Unix(path) => write!(f, "{}/.s.PGSQL.{port}", path.display())?,
            }
        }
        let database = self.config.get_dbname().or(self.config.get_user());
        database.map_or(Ok(()), |name| write!(f, "/{name}"))
    }
}

/// What a driver's error says, with what is behind it: its own text names only the kind.
pub fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{} ({})", said.message(), said.code().code());
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target::new(url, Upstream::default()).unwrap()
    }

    #[test]
    fn all_hosts_are_named_and_no_password_is() {
        let target = target("postgres://app:hunter2@a:1,[::1]:2/stats");
        assert_eq!(target.to_string(), "a:1,[::1]:2/stats");
        assert!(!format!("{target:?}").contains("hunter2"), "{target:?}");
        assert_eq!(target.user(), Some("app"));
    }

    #[test]
    fn a_store_is_written_to_unless_the_url_says_otherwise() {
        let asked = |url| target(url).config().get_target_session_attrs();
        assert_eq!(asked("postgres://a/x"), TargetSessionAttrs::ReadWrite);
        assert_eq!(asked("postgres://a/x?target_session_attrs=any"), TargetSessionAttrs::Any);
    }

    /// With the driver's own two hours roll-ups and alerts waited for a host that was gone.
    #[test]
    fn a_host_that_vanished_is_noticed_unless_the_url_says_otherwise() {
        let silence = |url| {
            let target = target(url);
            let config = target.config();
            (config.get_keepalives_idle().as_secs(), config.get_tcp_user_timeout().map(Duration::as_secs))
        };
        assert_eq!(silence("postgres://a/x"), (30, Some(60)));
        assert_eq!(silence("postgres://a/x?keepalives_idle=600&tcp_user_timeout=5"), (600, Some(5)));
    }

    #[test]
    fn a_server_is_looked_at_in_all_its_databases_standby_or_not() {
        let looked_at = |url| target(url).also_standbys();
        let there = looked_at("postgres://u@a:1,b:2/x").in_database("My db");
        assert_eq!(there.config().get_target_session_attrs(), TargetSessionAttrs::Any);
        assert_eq!((there.to_string().as_str(), there.user()), ("a:1,b:2/My db", Some("u")));
        let first = looked_at("postgres://a,b/x?target_session_attrs=read-only");
        assert_eq!(first.config().get_target_session_attrs(), TargetSessionAttrs::ReadOnly);
    }
}
