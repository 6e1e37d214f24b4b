//! From what was said to the rooms' settings.

use std::collections::BTreeMap;

use super::error::{Error, Errors, Problem, Source};
use super::file::Given;
use super::host::Host;
use super::key::{Kind, Preset};
use super::keys;
use super::layers::Layers;
use super::log::{Log, LogFormat, filter};
use super::{upstream, value};
use crate::base::secret::Secret;
use crate::jobs::judge;
use crate::jobs::presence::Role;
use crate::proxy::{DrainMode, Route};
use crate::runtime::listen::Address;
use crate::store::schema::Schema;
use crate::{app, http, proxy, stats};

const CONNECTIONS_MAX: usize = 1_000_000;
const WORKERS_MAX: usize = 256;
const SERIES_MAX: usize = 1_000_000;
/// Shorter ones get a warning.
const SECRET_MIN_BYTES: usize = 16;
/// A text is kept once for each statement, so this times `max_series` is memory.
const QUERY_TEXT_MAX: u64 = 1 << 20;

/// Builds settings and collects all that is wrong; what it builds counts only if nothing is.
pub(super) struct Reader {
    pub(super) layers: Layers,
    host: Host,
    /// The application's database, where the environment says it.
    database: Option<String>,
    warnings: Vec<String>,
    /// Of each route: its server's name, where that is, and what was said about `monitor.url`.
    pub(super) monitored: Vec<Monitored>,
}

/// A route's server.
pub(super) struct Monitored {
    pub(super) server: String,
    pub(super) upstream: Vec<Address>,
    pub(super) url: Option<Given>,
}

/// What came of it.
pub(super) struct Finished {
    pub(super) app: app::Settings,
    pub(super) log: Log,
    pub(super) schema: Schema,
    pub(super) warnings: Vec<String>,
}

impl Reader {
    pub(super) fn new(layers: Layers, host: Host, database: Option<String>) -> Self {
        Self { layers, host, database, warnings: Vec::new(), monitored: Vec::new() }
    }

    pub(super) fn finish(mut self) -> Result<Finished, Errors> {
        let (schema, store) = self.store();
        let proxy = self.proxy();
        let when_idle = self.when_idle();
        let collect = self.collect(&schema, when_idle);
        let monitors = self.monitors(&schema, when_idle);
        let jobs = self.jobs();
        let stats = self.stats();
        let analyze = self.rules();
        self.compare(stats.slow_threshold, &analyze);
        let judge = judge::Rhythm { interval: self.get("alerts.interval", value::duration).into() };
        let name = self.host.name.clone();
        let notify = self.notify(&name, jobs.time_zone.clone());
        let http = self.http(&proxy);
        let log = self.log();
        match (http, self.layers.errors.is_empty()) {
            (Some(http), true) => {
                let app = app::Settings { proxy, stats, analyze, judge, notify, http, store, collect, monitors, jobs };
                Ok(Finished { app, log, schema, warnings: self.warnings })
            }
            _ => Err(Errors(self.layers.errors)),
        }
    }

    fn proxy(&mut self) -> proxy::Settings {
        proxy::Settings {
            routes: self.routes(),
            workers: self.read("workers", |text| value::count(text, WORKERS_MAX)),
            max_connections: self.get("max_connections", |text| value::count(text, CONNECTIONS_MAX)),
            startup_timeout: self.get("startup_timeout", value::duration).into(),
            connect_timeout: self.get("connect_timeout", value::duration).into(),
            reuse_port: self.get("reuse_port", value::switch),
            max_query_text: self.get("max_query_text", query_text),
            drain_mode: self.get("drain_mode", |text| match text {
                "transactions" => Ok(DrainMode::Transactions),
                _ => value::choice(text, choices("drain_mode")).map(|()| DrainMode::Clients),
            }),
            drain_timeout: self.get("drain_timeout", value::duration).into(),
        }
    }

    fn stats(&mut self) -> stats::Settings {
        stats::Settings {
            max_series: self.get("max_series", |text| value::count(text, SERIES_MAX)),
            slow_threshold: self.get("slow_threshold", value::duration),
            sample_rate: self.get("sample_rate", value::part),
            capture_parameters: self.get("capture_parameters", value::switch),
            levels: self.get("levels.latency", value::levels),
        }
    }

    fn http(&mut self, proxy: &proxy::Settings) -> Option<http::Settings> {
        let listen = self.get("http", |text| upstream::address(text, None).map(Some))?;
        let token: Option<String> = self.read("http_token", token);
        // An empty one closes the endpoints, as none does.
        let cron: Option<String> = self.read("cron_secret", |text| Ok(text.to_owned())).filter(|text| !text.is_empty());
        for (key, secret) in [("http_token", &token), ("cron_secret", &cron)] {
            self.guessable(key, secret.as_ref().map(String::len));
        }
        let service = self.read("service", name).unwrap_or_else(|| self.host.service().to_owned());
        Some(http::Settings {
            listen,
            token: token.map(Secret::new),
            cron_secret: cron.map(Secret::new),
            instance: self.host.name.clone(),
            service,
            servers: proxy.routes.iter().map(|route| route.server.clone()).collect(),
            role: Role::Sidecar,
        })
    }

    fn log(&mut self) -> Log {
        Log {
            filter: self.get("log", filter),
            format: self.get("log_format", |text| match text {
                "json" => Ok(LogFormat::Json),
                _ => value::choice(text, choices("log_format")).map(|()| LogFormat::Text),
            }),
        }
    }

    /// The `[[route]]`s of the file, or one route of the top-level keys.
    fn routes(&mut self) -> Vec<Route> {
        let mut tables = std::mem::take(&mut self.layers.routes);
        if tables.is_empty() {
            let mut route = BTreeMap::from([("listen", default("listen")), ("upstream", self.upstream())]);
            let given = keys::ROUTE.iter().chain(keys::ROUTE_TLS).filter_map(|name| Some((*name, self.given(name)?)));
            route.extend(given);
            return vec![self.route("", &route)];
        }
        for name in keys::ROUTE {
            if let Some(given) = self.layers.given.remove(name) {
                let problem = Problem::new("there are [[route]]s, which say it each", "remove one of the two");
                self.fail(name, &given, problem);
            }
        }
        for name in keys::ROUTE_TLS {
            if let Some(given) = self.given(name) {
                for keys in &mut tables {
                    keys.entry(name).or_insert_with(|| given.clone());
                }
            }
        }
        let routes = tables.iter().map(|keys| self.route("route.", keys)).collect::<Vec<_>>();
        self.distinct(&routes, &tables);
        routes
    }

    /// Where the server is when no setting says it: where the application would go, unless that is here already.
    fn upstream(&self) -> Given {
        let usual = Given { value: upstream::DEFAULT.to_owned(), origin: Source::Default };
        let Some(value) = self.database.clone() else { return usual };
        let listen = self.given("listen").unwrap_or_else(|| default("listen"));
        let listen = upstream::addresses(listen.value.trim(), None).unwrap_or_default();
        match upstream::parse(value.trim()) {
            Ok(url) if upstream::comes_back(&url.addresses, &listen) => usual,
            _ => Given { value, origin: Source::Variable(upstream::VARIABLE.to_owned()) },
        }
    }

    fn route(&mut self, prefix: &str, keys: &BTreeMap<&'static str, Given>) -> Route {
        for name in ["listen", "upstream"] {
            if !keys.contains_key(name) {
                let origin = keys.values().next().map_or(Source::Default, |given| given.origin.clone());
                let problem =
                    Problem::new(format!("a [[route]] without `{name}`"), "write listen and upstream in each");
                self.fail(&format!("{prefix}{name}"), &Given { value: String::new(), origin }, problem);
            }
        }
        let listen = match keys.get("listen") {
            Some(given) => self.parse(&format!("{prefix}listen"), given, |text| upstream::addresses(text, None)),
            None => Vec::new(),
        };
        let upstream = keys
            .get("upstream")
            .and_then(|given| self.parse(&format!("{prefix}upstream"), given, |text| upstream::parse(text).map(Some)));
        let server = keys.get("server").map(|given| self.parse(&format!("{prefix}server"), given, name));
        let Some(upstream::Upstream { addresses, tls: url, warnings }) = upstream else {
            return Route { listen, ..Route::default() };
        };
        if upstream::comes_back(&addresses, &listen)
            && let Some(given) = keys.get("upstream")
        {
            let problem = Problem::new("pgvitals itself listens there", "name the PostgreSQL server");
            self.fail(&format!("{prefix}upstream"), given, problem);
        }
        self.warnings.extend(warnings);
        let server = server.unwrap_or_else(|| upstream::server_name(&addresses, &self.host.name));
        let monitor = keys.get("monitor.url").cloned();
        self.monitored.push(Monitored { server: server.clone(), upstream: addresses.clone(), url: monitor });
        let tls = self.tls(prefix, keys, url);
        Route { listen, upstream: addresses, server, tls }
    }

    /// Two routes that listen on one address are a mistake; with port 0 each gets one of its own.
    fn distinct(&mut self, routes: &[Route], tables: &[BTreeMap<&'static str, Given>]) {
        for (index, (route, keys)) in routes.iter().zip(tables).enumerate() {
            let earlier = routes.get(..index).unwrap_or_default();
            let mut fixed = route.listen.iter().filter(|address| !matches!(address, Address::Tcp { port: 0, .. }));
            let clash = fixed.any(|address| earlier.iter().any(|other| other.listen.contains(address)));
            if let (true, Some(given)) = (clash, keys.get("listen")) {
                let problem = Problem::new("an earlier route listens there", "give each route an address of its own");
                self.fail("route.listen", given, problem);
            }
        }
    }

    /// What was said about `name`, if anything.
    pub(super) fn given(&self, name: &str) -> Option<Given> {
        self.layers.given.get(name).cloned()
    }

    /// The value of a key that has a default.
    pub(super) fn get<T: Default>(&mut self, name: &'static str, parse: impl FnOnce(&str) -> Result<T, Problem>) -> T {
        let given = self.given(name).unwrap_or_else(|| default(name));
        self.parse(name, &given, parse)
    }

    /// The value of a key that need not be given.
    pub(super) fn read<T: Default>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        let given = self.given(name)?;
        Some(self.parse(name, &given, parse))
    }

    pub(super) fn parse<T: Default>(
        &mut self,
        name: &str,
        given: &Given,
        parse: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> T {
        parse(given.value.trim()).unwrap_or_else(|problem| {
            self.fail(name, given, problem);
            T::default()
        })
    }

    /// Warns of a secret of so few bytes that it can be guessed.
    pub(super) fn guessable(&mut self, key: &str, bytes: Option<usize>) {
        if bytes.is_some_and(|bytes| bytes < SECRET_MIN_BYTES) {
            self.warn(format!(
                "`{key}` has fewer than {SECRET_MIN_BYTES} bytes and can be guessed; `openssl rand -hex 24` makes a better one"
            ));
        }
    }

    /// Adds a warning for the owner.
    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    pub(super) fn fail(&mut self, name: &str, given: &Given, Problem { what, advice }: Problem) {
        let is_url = given.value.contains("://");
        let is_secret = match keys::find(name).map(|key| key.kind) {
            Some(Kind::Secret) => true,
            // What is neither a URL nor an address may be a URL in disguise, with its password.
            Some(Kind::Url) => !is_url && given.value.parse::<Address>().is_err(),
            Some(Kind::Upstream) => !is_url && given.value.contains('@'),
            _ => false,
        };
        let value = (!is_secret && !given.value.is_empty()).then(|| upstream::redacted(&given.value));
        self.layers.errors.push(Error::Value {
            key: name.to_owned(),
            value,
            origin: given.origin.clone(),
            what,
            advice,
        });
    }
}

pub(super) fn default(name: &str) -> Given {
    let value = match keys::find(name).map(|key| key.preset) {
        Some(Preset::Value(value)) => value.to_owned(),
        _ => String::new(),
    };
    Given { value, origin: Source::Default }
}

pub(super) fn choices(name: &str) -> &'static [&'static str] {
    match keys::find(name).map(|key| key.kind) {
        Some(Kind::Choice(words)) => words,
        _ => &[],
    }
}

fn query_text(text: &str) -> Result<usize, Problem> {
    match value::size(text)? {
        bytes @ ..=QUERY_TEXT_MAX => Ok(bytes as usize),
        _ => Err(Problem::new("too large", "write at most 1MiB")),
    }
}

fn token(text: &str) -> Result<String, Problem> {
    if text.is_empty() {
        return Err(Problem::new("an empty token", "write a token of at least 16 bytes, or leave it out"));
    }
    Ok(text.to_owned())
}

pub(super) fn name(text: &str) -> Result<String, Problem> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(Problem::new("not a name", "write printable text"));
    }
    Ok(text.to_owned())
}
