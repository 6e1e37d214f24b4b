//! The store: its URL, as libpq and drivers write it, and how it is used.

use std::path::PathBuf;

use super::error::Problem;
use super::settings::Reader;
use super::upstream;
use super::value;
use crate::pgclient::target::Target;
use crate::store::schema::Schema;
use crate::store::settings::{Retention, Settings};
use crate::tls::settings::Upstream;

/// Parameters of a URL that its driver understands. Those about TLS are read here, others are libpq's or an ORM's.
const PARAMETERS: &[&str] = &[
    "user",
    "password",
    "dbname",
    "options",
    "application_name",
    "host",
    "hostaddr",
    "port",
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "target_session_attrs",
    "channel_binding",
    "load_balance_hosts",
];

impl Reader {
    /// The schema's name, and the store unless it is `off`.
    pub(super) fn store(&mut self) -> (Schema, Option<Settings>) {
        let schema: Schema = self.get("store.schema", |text| {
            let advice = "write a name such as pgvitals: a-z, 0-9 and _, at most 56 characters";
            Schema::new(text).map_err(|error| Problem::new(error.to_string(), advice))
        });
        let url = self.get("store.url", |text| Ok(Some(text.to_owned()).filter(|text| text != "off")));
        let target = url.and_then(|_| self.get("store.url", |text| target(text).map(Some)));
        let retention = Retention {
            minutes: self.read("store.retention.minutes", retention).map(Into::into),
            hours: self.get("store.retention.hours", retention).into(),
            days: self.get("store.retention.days", retention).into(),
            slow: self.get("store.retention.slow", retention).into(),
            errors: self.get("store.retention.errors", retention).into(),
            snapshots: self.get("store.retention.snapshots", retention).into(),
        };
        let flush_interval = self.get("store.flush_interval", value::duration).into();
        let spool_dir = self.read("store.spool_dir", |text| Ok(PathBuf::from(text)));
        let spool_max = self.get("store.spool_max", value::size);
        let max_size = self.get("store.max_size", value::size);
        let idle_close = self.get("store.idle_close", value::duration).into();
        let spool_dir = spool_dir.filter(|path| !path.as_os_str().is_empty());
        let settings = target.map(|target| Settings {
            target,
            schema: schema.clone(),
            flush_interval,
            spool_dir,
            spool_max,
            max_size,
            idle_close,
            retention,
        });
        (schema, settings)
    }
}

/// What a partition is cut by is an hour at least.
fn retention(text: &str) -> Result<crate::base::units::Nanos, Problem> {
    let span = value::duration(text)?;
    if span.as_secs_f64() < 3_600.0 {
        return Err(Problem::new("less than an hour", "write a longer time, such as 2d"));
    }
    Ok(span)
}

/// A `postgres://` URL. What it says of TLS has libpq's meaning.
pub(super) fn target(url: &str) -> Result<Target, Problem> {
    let advice = "write postgres://USER@HOST:PORT/DATABASE, or off";
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(Problem::new("not a URL", advice));
    };
    let upstream::Upstream { tls, .. } = upstream::parse(url)?;
    let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
    let known = |pair: &&str| PARAMETERS.contains(&pair.split('=').next().unwrap_or_default());
    let query: Vec<_> = query.split('&').filter(known).collect();
    let scheme = scheme.split('+').next().unwrap_or_default();
    let plain = format!("{scheme}://{base}{}{}", if query.is_empty() { "" } else { "?" }, query.join("&"));
    let tls =
        Upstream { mode: tls.mode.unwrap_or_default(), ca: tls.ca, cert: tls.cert, key: tls.key, direct: tls.direct };
    Target::new(&plain, tls).map_err(|what| Problem::new(what, advice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::settings::UpstreamMode;

    #[test]
    fn a_url_of_libpq_or_of_a_driver_is_understood() {
        let read = |url| target(url).unwrap();
        let all =
            read("postgresql+asyncpg://u:p%40ss@a:1,b:2/stats?sslmode=verify-full&sslrootcert=/ca&pgbouncer=true");
        assert_eq!((all.to_string().as_str(), all.user()), ("a:1,b:2/stats", Some("u")));
        assert_eq!((all.tls().mode, all.tls().ca.as_deref()), (UpstreamMode::VerifyFull, Some("/ca".as_ref())));
        assert_eq!(read("postgres:///stats?host=/run/pg&user=u").to_string(), "/run/pg/.s.PGSQL.5432/stats");
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in ["db:5432", "host=db", "mysql://db/x", "postgres://", "postgres://db:x/y"] {
            assert!(target(text).is_err(), "{text}");
        }
    }
}
