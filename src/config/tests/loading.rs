//! Who wins, and what is said when nobody can.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::base::units::Nanos;
use crate::collect::settings::Settings;
use crate::config::error::Errors;
use crate::config::key::Key;
use crate::config::keys;
use crate::config::load::{Flags, Loaded, load};
use crate::config::log::LogFormat;
use crate::proxy::{DrainMode, Route};
use crate::tls::settings::{ClientMode, UpstreamMode};

/// Runs `load` on a file, variables and flags written as text.
pub(super) struct Case {
    directory: tempfile::TempDir,
    file: String,
    variables: Vec<(OsString, OsString)>,
    flags: Vec<(&'static Key, String)>,
}

pub(super) fn case() -> Case {
    Case { directory: tempfile::tempdir().unwrap(), file: String::new(), variables: Vec::new(), flags: Vec::new() }
}

impl Case {
    pub(super) fn file(mut self, text: &str) -> Self {
        self.file = text.to_owned();
        self
    }

    pub(super) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    pub(super) fn flag(mut self, name: &str, value: &str) -> Self {
        self.flags.push((keys::find(name).unwrap(), value.to_owned()));
        self
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("pgvitals.toml")
    }

    pub(super) fn load(self) -> Result<Loaded, Errors> {
        std::fs::write(self.path(), &self.file).unwrap();
        load(Flags { config: Some(self.path()), keys: self.flags }, self.variables)
    }

    pub(super) fn well(self) -> Loaded {
        self.load().unwrap_or_else(|errors| panic!("{errors}"))
    }

    /// Asserts that one error is said, with all of `parts` in it.
    #[track_caller]
    pub(super) fn refused(self, parts: &[&str]) {
        let errors = self.load().expect_err("settings that must be refused");
        let said = errors.to_string();
        assert_eq!(errors.0.len(), 1, "{said}");
        for part in parts {
            assert!(said.contains(part), "{part:?} is not in {said:?}");
        }
    }
}

fn listen(loaded: &Loaded) -> String {
    loaded
        .app
        .proxy
        .routes
        .iter()
        .flat_map(|route| &route.listen)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn without_a_word_defaults_are_those_of_the_design() {
    let loaded = case().well();
    assert_eq!(listen(&loaded), "127.0.0.1:7432");
    let proxy = &loaded.app.proxy;
    assert_eq!(proxy.routes[0].upstream[0].to_string(), "127.0.0.1:5432");
    assert!(proxy.routes[0].server.ends_with(":5432") && !proxy.routes[0].server.starts_with("127."));
    let defaults = crate::proxy::Settings { routes: proxy.routes.clone(), ..Default::default() };
    assert_eq!(*proxy, defaults);
    assert_eq!(loaded.app.stats, crate::stats::Settings::default());
    assert_eq!(loaded.app.http.listen.to_string(), "127.0.0.1:7480");
    assert_eq!((loaded.log.filter.as_str(), loaded.log.format), ("info", LogFormat::Text));
    assert_eq!(loaded.warnings, Vec::<String>::new());
}

/// A lone word that is no level would turn all other logging off.
#[test]
fn a_log_level_is_one_that_there_is() {
    case().variable("PGVITALS_LOG", "verbose").refused(&["`verbose` is no level", "debug"]);
    case().flag("log", "info,pgvitals::store=loud").refused(&["--log"]);
    for log in ["debug", "info,pgvitals::store=debug", "warn,pgvitals::proxy", "off"] {
        assert_eq!(case().flag("log", log).well().log.filter, log);
    }
}

#[test]
fn flags_go_over_environment_over_file() {
    let file = "listen = 'a:1'\n";
    assert_eq!(listen(&case().file(file).well()), "a:1");
    assert_eq!(listen(&case().file(file).variable("PGVITALS_LISTEN", "b:2").well()), "b:2");
    assert_eq!(listen(&case().file(file).variable("PGVITALS_LISTEN", "").well()), "a:1");
    let all = case().file(file).variable("PGVITALS_LISTEN", "b:2").flag("listen", "c:3");
    assert_eq!(listen(&all.well()), "c:3");
}

#[test]
fn every_kind_of_value_is_read_from_the_file() {
    let loaded = case()
        .file(
            "listen = ['127.0.0.1:1', '/tmp/nowhere/s']\nworkers = 3\nreuse_port = true\nmax_query_text = '2KiB'\n\
             slow_threshold = '1.5s'\nsample_rate = 0.25\ndrain_mode = 'transactions'\nlog_format = 'json'\nservice = 'orders'\n\
             [levels]\nlatency = ['1ms', '2ms', '3ms']\n[store]\nurl = 'off'\n",
        )
        .well();
    assert_eq!(listen(&loaded), "127.0.0.1:1 /tmp/nowhere/s");
    let proxy = &loaded.app.proxy;
    assert_eq!((proxy.workers, proxy.reuse_port, proxy.max_query_text), (Some(3), true, 2_048));
    assert_eq!(proxy.drain_mode, DrainMode::Transactions);
    assert_eq!((loaded.app.stats.slow_threshold, loaded.app.stats.sample_rate), (Nanos::from_millis(1_500), 0.25));
    assert_eq!(loaded.app.stats.levels.alert, Nanos::from_millis(2));
    assert_eq!(loaded.app.http.service, "orders");
    assert_eq!(loaded.log.format, LogFormat::Json);
}

#[test]
fn routes_have_their_own_addresses_and_names() {
    let loaded = case()
        .file("[[route]]\nlisten = 'a:1'\nupstream = 'x:1'\n[[route]]\nlisten = 'b:2'\nupstream = 'y:1'\nserver = 'why'\n")
        .well();
    let routes = &loaded.app.proxy.routes;
    assert_eq!(routes.iter().map(|route| route.server.as_str()).collect::<Vec<_>>(), ["x:1", "why"]);
    assert_eq!(listen(&loaded), "a:1 b:2");
    assert_eq!(loaded.app.http.servers, ["x:1", "why"]);
}

/// Port 0 is any free one, so routes may share it.
#[test]
fn several_routes_may_ask_for_any_port() {
    let routes = ["x:1", "y:1"].map(|upstream| format!("[[route]]\nlisten = '127.0.0.1:0'\nupstream = '{upstream}'\n"));
    let loaded = case().file(&routes.concat()).well();
    assert_eq!(loaded.app.proxy.routes.len(), 2);
}

#[test]
fn tls_is_a_routes_own_or_everybodys() {
    let loaded = case()
        .file(
            "[tls]\nclient = 'allow'\nupstream = 'require'\nupstream_ca = '/ca'\n\
             [[route]]\nlisten = 'a:1'\nupstream = 'x:1'\n\
             [[route]]\nlisten = 'b:2'\nupstream = 'y:1'\ntls.client = 'disable'\ntls.upstream = 'verify-full'\n",
        )
        .well();
    let modes = |route: &Route| (route.tls.client.mode, route.tls.upstream.mode, route.tls.upstream.ca.clone());
    let routes = loaded.app.proxy.routes.iter().map(modes).collect::<Vec<_>>();
    let ca = Some(PathBuf::from("/ca"));
    assert_eq!(
        routes,
        [(ClientMode::Allow, UpstreamMode::Require, ca.clone()), (ClientMode::Disable, UpstreamMode::VerifyFull, ca)]
    );
}

#[test]
fn a_url_says_how_its_server_is_spoken_to_unless_a_key_does() {
    let mode = |case: Case| case.well().app.proxy.routes[0].tls.upstream.mode;
    let url = "postgres://db/app?sslmode=verify-full";
    assert_eq!(mode(case()), UpstreamMode::Prefer);
    assert_eq!(mode(case().flag("upstream", url)), UpstreamMode::VerifyFull);
    assert_eq!(mode(case().flag("upstream", url).flag("tls.upstream", "require")), UpstreamMode::Require);
}

#[test]
fn tls_that_cannot_be_meant_is_refused() {
    case().flag("tls.client", "maybe").refused(&["--tls-client", "disable, allow, require"]);
    case().flag("tls.key", "/k").refused(&["--tls-key", "tls.cert"]);
    case().flag("tls.upstream_key", "/k").refused(&["--tls-upstream-key", "tls.upstream_cert"]);
    case().flag("tls.upstream_negotiation", "direct").refused(&["--tls-upstream-negotiation", "require"]);
    let unused = case().flag("tls.cert", "/c").well();
    assert!(unused.warnings[0].contains("tls.client"), "{:?}", unused.warnings);
}

#[test]
fn wrong_routes_are_refused() {
    let two = "[[route]]\nlisten = 'a:1'\nupstream = 'x:1'\n[[route]]\nlisten = 'a:1'\nupstream = 'y:1'\n";
    case().file(two).refused(&["pgvitals.toml:5", "route.listen", "a:1", "of its own"]);
    let one = "[[route]]\nlisten = 'a:1'\nupstream = 'x:1'\n";
    case().file(one).flag("upstream", "y:1").refused(&["--upstream", "y:1", "[[route]]"]);
    case().file("[[route]]\nlisten = 'a:1'\n").refused(&["route.upstream", "without `upstream`"]);
    case().file("[[route]]\nlisten = 'a:1'\nupstream = 'x:1'\nsever = 'z'\n").refused(&["route.sever", "route.server"]);
    case().file("route = ['a:1']\n").refused(&["pgvitals.toml:1", "[[route]]"]);
}

#[test]
fn unknown_names_are_refused_with_the_nearest_known_one() {
    case().file("\nlisen = 'a:1'\n").refused(&["pgvitals.toml:2", "`lisen`", "`listen`"]);
    case().file("[levels]\nlatencies = ['1ms']\n").refused(&["levels.latencies", "`levels.latency`"]);
    case().file("http_tokenfile = 'x'\n").refused(&["`http_token_file`"]);
    case().variable("PGVITALS_UPSTEAM", "a:1").refused(&["PGVITALS_UPSTEAM", "`PGVITALS_UPSTREAM`"]);
}

#[test]
fn variables_that_kubernetes_makes_are_not_ours() {
    let loaded = case()
        .variable("PGVITALS_PORT", "tcp://10.0.0.1:7432")
        .variable("PGVITALS_PORT_7432_TCP_ADDR", "10.0.0.1")
        .variable("PGVITALS_SERVICE_HOST", "10.0.0.1")
        .variable("PGVITALS_SERVICE_PORT_HTTP", "7480")
        .variable("PGVITALS_SERVICE", "orders")
        .variable("PATH", "/bin")
        .well();
    assert_eq!(loaded.app.http.service, "orders");
}

#[test]
fn each_error_says_who_what_and_what_to_do() {
    case().file("startup_timeout = 10\n").refused(&[
        "pgvitals.toml:1",
        "startup_timeout",
        "\"10\"",
        "without a unit",
        "10s",
    ]);
    case().variable("PGVITALS_WORKERS", "0").refused(&["PGVITALS_WORKERS", "`workers`", "\"0\"", "from 1 to"]);
    case().flag("listen", "7432").refused(&["--listen", "\"7432\"", "no port"]);
    case().flag("listen", "/").refused(&["--listen", "a directory", "name the socket"]);
    case().flag("http", ":7480").refused(&["--http", ":7480", "0.0.0.0:port"]);
    case().flag("drain_mode", "client").refused(&["--drain-mode", "clients, transactions"]);
    case().flag("log", "pgvitals=loud").refused(&["--log", "pgvitals=loud"]);
    case().flag("max_query_text", "1GiB").refused(&["--max-query-text", "at most 1MiB"]);
    case().flag("store.url", "mysql://u:hunter2@db/x").refused(&["--store", "scheme `mysql`", "write postgres://"]);
    case().flag("store.schema", "a; drop").refused(&["--store-schema", "a; drop", "a-z, 0-9 and _"]);
    case().flag("store.retention.hours", "30m").refused(&["--store-retention-hours", "less than an hour"]);
    case().file("max_series = { a = 1 }\n").refused(&["max_series.a"]);
    case().file("max_series = 1999-01-01\n").refused(&["pgvitals.toml:1", "max_series", "datetime"]);
    case().file("upstream = ['postgres://a/x', 'b:1']\n").refused(&["upstream", "a URL among several"]);
    case().file("listen = 'a:1\n").refused(&["pgvitals.toml", "line 1"]);
    case().file("listen = 'a:1'\nlisten = 'b:2'\n").refused(&["pgvitals.toml", "duplicate"]);
}

#[test]
fn all_errors_are_said_at_once() {
    let errors = case().flag("workers", "x").flag("http", "x").variable("PGVITALS_LOGS", "x").load().unwrap_err();
    assert_eq!(errors.0.len(), 3, "{errors}");
}

#[test]
fn a_missing_file_that_was_named_is_refused() {
    let flags = Flags { config: Some("/nowhere/pgvitals.toml".into()), keys: Vec::new() };
    let said = load(flags, []).unwrap_err().to_string();
    assert!(said.contains("/nowhere/pgvitals.toml"), "{said}");
}

#[test]
fn passwords_are_never_said() {
    let url = "postgres://u:hunter2@db/app?sslmode=perhaps";
    for errors in [case().flag("upstream", url).load(), case().variable("PGVITALS_UPSTREAM", url).load()] {
        let said = errors.unwrap_err().to_string();
        assert!(!said.contains("hunter2") && said.contains("postgres://…@db"), "{said}");
    }
    // The first stood whole in a pod's log.
    for (key, url) in [
        ("store.url", "cG9zdGdyZXM6Ly91Omh1bnRlcjI="),
        ("store.url", "u:hunter2@db/app"),
        ("upstream", "u:hunter2@db:1"),
    ] {
        let said = case().flag(key, url).load().unwrap_err().to_string();
        assert!(!said.contains(url) && !said.contains("hunter2"), "{said}");
    }
    let loaded = case().variable("PGVITALS_HTTP_TOKEN", "hunter2").well();
    assert!(!format!("{loaded:?}").contains("hunter2"));
    assert_eq!(loaded.app.http.token.unwrap().expose(), "hunter2");
}

#[test]
fn a_secret_may_be_in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, "a-token-that-is-long-enough\n").unwrap();
    let path = path.to_str().unwrap().to_owned();
    let token = |loaded: Loaded| loaded.app.http.token.unwrap().expose().clone();
    let expected = "a-token-that-is-long-enough";
    assert_eq!(token(case().variable("PGVITALS_HTTP_TOKEN_FILE", &path).well()), expected);
    assert_eq!(token(case().flag("http_token", &path).well()), expected);
    assert_eq!(token(case().file(&format!("http_token_file = {path:?}")).well()), expected);
}

#[test]
fn rules_have_the_defaults_of_the_design_and_take_what_is_said() {
    use crate::analyze::kind::Kind;
    use crate::analyze::level::days;
    let usual = case().well().app.analyze;
    assert_eq!(usual, crate::analyze::Settings::default());
    let text = "unused_days = 14\ndisk_capacity = '500GiB'\nlevels.bloat = [5, 25, 60]\n\
                [alerts]\nlearn = '0'\n\
                [[alerts.override]]\nkind = 'slow_statement'\ndatabase = 'warehouse'\nthreshold = '30s'\n\
                [[alerts.override]]\nkind = 'regression'\nquery_hash = '7609165d94c8f1be'\nthreshold = 'off'\n";
    let rules = case().file(text).well().app.analyze;
    assert_eq!((rules.index.unused, rules.disk_capacity_bytes), (days(14), Some(500 << 30)));
    assert_eq!((rules.bloat.warning, rules.learn), (25.0, Nanos::ZERO));
    let bounds = Kind::SlowStatement.thresholds(&rules, Some("warehouse"), None);
    assert_eq!(bounds.map(|bounds| (bounds.first, bounds.critical)), Some((30_000.0, 60_000.0)));
    let hash = "7609165d94c8f1be".parse().unwrap();
    assert_eq!(Kind::Regression.thresholds(&rules, Some("shop"), Some(hash)), None);
}

#[test]
fn a_threshold_below_what_is_kept_is_warned_of() {
    let warned = |text: &str| case().file(text).well().warnings;
    let strict = "[[alerts.override]]\nkind = 'slow_statement'\nthreshold = '50ms'\n";
    let said = warned(strict);
    assert!(said.len() == 1 && said[0].contains("set slow_threshold to 50 ms"), "{said:?}");
    assert_eq!(warned(&format!("slow_threshold = '50ms'\n{strict}")), Vec::<String>::new());
    assert!(warned("slow_threshold = '2s'\n")[0].contains("begin at 500 ms"));
}

#[test]
fn what_is_wrong_with_an_override_is_said() {
    let refused = |lines: &str, parts: &[&str]| case().file(&format!("[[alerts.override]]\n{lines}")).refused(parts);
    refused("kind = 'slow'\nthreshold = '1s'\n", &["pgvitals.toml:2", "alerts.override.kind", "slow_statement"]);
    refused("kind = 'slow_statement'\nthreshold = '1'\n", &["alerts.override.threshold", "without a unit"]);
    refused("kind = 'high_bloat'\n", &["without `threshold`"]);
    refused("kind = 'high_bloat'\nthreshold = 1\nhash = 'x'\n", &["alerts.override.hash", "unknown"]);
    refused("kind = 'high_bloat'\nthreshold = 1\nquery_hash = 'x'\n", &["16 hexadecimal digits"]);
}

/// "`store.url` when that is the monitored server" (DESIGN §9), else what `monitor.url` says, else nothing.
#[test]
fn the_monitored_server_is_asked_where_it_can_be() {
    let asked = |case: Case| -> Vec<(String, String)> {
        let collect = case.well().app.collect;
        collect.into_iter().map(|one| (one.server.clone(), one.target.to_string())).collect()
    };
    let pair = |server: &str, target: &str| vec![(server.to_owned(), target.to_owned())];
    let upstream = "upstream = 'db:5432'\n";
    assert_eq!(asked(case().file(upstream)), []);
    let here = format!("{upstream}store.url = 'postgres://w@db/stats'\nstore.schema = 'own'\n");
    assert_eq!(asked(case().file(&here)), pair("db:5432", "db:5432/stats"));
    assert_eq!(case().file(&here).well().app.collect[0].own_schema, "own");
    assert_eq!(asked(case().file(&format!("{upstream}store.url = 'postgres://w@other/stats'"))), []);
    assert_eq!(asked(case().file(&format!("{here}monitor.url = 'off'"))), []);
    let other = case().file(&here).variable("PGVITALS_MONITOR_URL", "postgres://m:secret@replica:6/x");
    assert_eq!(asked(other), pair("db:5432", "replica:6/x"));
    let of = |text: &str| case().file(text).well().app.collect;
    assert_eq!(Settings::changed(&of(&here), &of(upstream)), ["monitor.url"]);
    let always = format!("{here}collect.when_idle = 'always'");
    assert_eq!(Settings::changed(&of(&here), &of(&always)), ["collect.when_idle"]);
    case().file("monitor.url = 'db:5432'").refused(&["monitor.url", "postgres://USER@HOST"]);
    case().file("collect.when_idle = 'seldom'").refused(&["collect.when_idle", "auto, always, never"]);
}

#[test]
fn each_route_says_who_is_asked() {
    let routes = "store.url = 'postgres://w@b/stats'\n\
                  [[route]]\nlisten = '127.0.0.1:1'\nupstream = 'a:5432'\nmonitor.url = 'postgres://m@a/x'\n\
                  [[route]]\nlisten = '127.0.0.1:2'\nupstream = 'b:5432'\nserver = 'billing'\n\
                  [[route]]\nlisten = '127.0.0.1:3'\nupstream = 'c:5432'\n";
    let collect = case().file(routes).well().app.collect;
    let asked: Vec<_> = collect.iter().map(|one| (one.server.as_str(), one.target.to_string())).collect();
    assert_eq!(asked, [("a:5432", "a:5432/x".to_owned()), ("billing", "b:5432/stats".to_owned())]);
    case().file(&format!("monitor.url = 'postgres://m@a/x'\n{routes}")).refused(&["monitor.url", "[[route]]s"]);
}

#[test]
fn who_serves_asks_the_servers_that_it_is_told_of() {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("url");
    std::fs::write(&secret, "postgres://m:secret@orders/shop\n").unwrap();
    let two = format!(
        "[[monitor]]\nserver = 'orders-db'\nurl_file = '{}'\n[[monitor]]\nserver = 'billing'\nurl = 'postgres://m@b:6/x'\n",
        secret.display()
    );
    let monitors = case().file(&two).well().app.monitors;
    let asked: Vec<_> = monitors.iter().map(|one| (one.server.as_str(), one.target.to_string())).collect();
    assert_eq!(asked, [("orders-db", "orders:5432/shop".to_owned()), ("billing", "b:6/x".to_owned())]);
    assert!(case().file(&two).well().app.collect.is_empty(), "nobody asks them on behalf of a route");
    let refused = |lines: &str, parts: &[&str]| case().file(&format!("[[monitor]]\n{lines}")).refused(parts);
    refused("server = 'a'\n", &["monitor.url", "without `url`", "server, as sidecars call it"]);
    refused("url = 'postgres://m@a/x'\n", &["monitor.server", "without `server`"]);
    refused("server = 'a'\nurl = 'a:5432'\n", &["monitor.url", "a:5432", "postgres://USER@HOST"]);
    refused("server = 'a'\nurl_file = '/nowhere'\n", &["monitor.url_file", "/nowhere"]);
    let one = "server = 'a'\nurl = 'postgres://m@a/x'\n";
    refused(&format!("{one}urk = 'x'\n"), &["monitor.urk", "monitor.url"]);
    refused(&format!("{one}[[monitor]]\n{one}"), &["monitor.server", "earlier [[monitor]]"]);
}
