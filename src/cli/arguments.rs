//! The command line: commands, and a flag for each key of the table.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use jiff::civil::Date;

use super::colour::When;
use super::exit::Failure;
use super::load::{load, store};
use super::{check, demo, examples, fingerprint, healthcheck, migrate, report, run, top};
use crate::config::key::{Key, Kind, Preset};
use crate::config::keys::KEYS;
use crate::config::load::{CONFIG_FILE, CONFIG_VARIABLE, Flags};
use crate::config::render;

/// Keys that `top` needs, which asks a running pgvitals.
const TOP_KEYS: &[&str] = &["http", "http_token"];
/// Keys that a probe needs: `/healthz` is open to all.
const PROBE_KEYS: &[&str] = &["http"];
/// Keys that say where the monitoring tables are.
const STORE_KEYS: &[&str] = &["store.url", "store.schema"];
/// What a demo is judged by.
const DEMO_KEYS: &[&str] = &["store.url", "store.schema", "disk_capacity", "time_zone"];

/// What stands in the way of traffic and measures it: none of these keys means anything where no traffic is.
const PROXY_KEYS: &[&str] = &[
    "listen",
    "upstream",
    "server",
    "workers",
    "max_connections",
    "startup_timeout",
    "connect_timeout",
    "reuse_port",
    "drain_mode",
    "drain_timeout",
    "sample_rate",
    "capture_parameters",
    "max_series",
    "max_query_text",
    "monitor.url",
    "store.flush_interval",
    "store.spool_dir",
    "store.spool_max",
    "store.idle_close",
];

/// What was asked for.
#[derive(Debug)]
pub(super) enum Command {
    /// Proxy and HTTP side.
    Run(Flags),
    /// A store's HTTP side, and what is done for a fleet.
    Serve(Flags),
    /// What will and won't work.
    Check(Flags, check::Options),
    /// Monitoring tables made, or looked at.
    Migrate(Flags, migrate::Options),
    /// The daily report.
    Report(Flags, report::Options),
    /// A month played back.
    Demo(Flags, demo::Options),
    /// Statements in, fingerprints out.
    Fingerprint,
    /// A live table.
    Top(Flags, top::Options),
    /// Whether the process answers.
    Healthcheck(Flags),
    /// The file of all keys, or their document.
    Config {
        /// `docs/config.md` instead of the file.
        markdown: bool,
    },
}

impl Command {
    /// Does it.
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Command::Run(flags) => run::run(flags),
            Command::Serve(flags) => run::serve(flags),
            Command::Check(flags, options) => check::run(&load(flags)?, options, std::io::stdout().lock()),
            Command::Migrate(flags, options) => migrate::run(&load(flags)?, options, std::io::stdout().lock()),
            Command::Report(flags, options) => {
                Ok(report::run(store(&load(flags)?)?, &options, std::io::stdout().lock())?)
            }
            Command::Demo(flags, options) => demo::run(&load(flags)?, options, std::io::stdout().lock()),
            Command::Fingerprint => Ok(fingerprint::run(std::io::stdin().lock(), std::io::stdout().lock())?),
            Command::Top(flags, options) => Ok(top::run(&load(flags)?, &options)?),
            Command::Healthcheck(flags) => Ok(healthcheck::run(&load(flags)?)?),
            Command::Config { markdown } => Ok(print(if markdown { render::document() } else { render::file() })?),
        }
    }
}

fn print(text: String) -> anyhow::Result<()> {
    use std::io::Write;
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}

/// Reads arguments, the program's name first.
pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Failure> {
    let matches = command().try_get_matches_from(arguments)?;
    Ok(match matches.subcommand() {
        None => Command::Run(flags(&matches)),
        Some(("serve", matches)) => Command::Serve(flags(matches)),
        Some(("check", matches)) => Command::Check(flags(matches), check_options(matches)),
        Some(("migrate", matches)) => Command::Migrate(flags(matches), migrate_options(matches)),
        Some(("report", matches)) => Command::Report(flags(matches), report_options(matches)),
        Some(("demo", matches)) => Command::Demo(flags(matches), demo_options(matches)),
        Some(("fingerprint", _)) => Command::Fingerprint,
        Some(("top", matches)) => Command::Top(flags(matches), top_options(matches)),
        Some(("healthcheck", matches)) => Command::Healthcheck(flags(matches)),
        Some(("config", matches)) => Command::Config { markdown: matches.get_flag("markdown") },
        Some((_, matches)) => Command::Run(flags(matches)),
    })
}

/// The parser, also for tests of its coherence.
pub(super) fn command() -> clap::Command {
    let all = || KEYS.iter().map(grouped);
    let serve = || KEYS.iter().filter(|key| !is_proxy(key)).map(grouped);
    let these = |names: &'static [&'static str]| KEYS.iter().filter(|key| names.contains(&key.name)).map(argument);
    let sub = |name: &'static str, about: &'static str| clap::Command::new(name).about(about);
    clap::Command::new("pgvitals")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A sidecar proxy for PostgreSQL that times every statement and changes nothing else")
        .after_help(examples::ALL)
        .args_conflicts_with_subcommands(true)
        .arg(config_argument())
        .args(all())
        .subcommand(
            sub("run", "Run the proxy and its HTTP side").arg(config_argument()).args(all()).after_help(examples::RUN),
        )
        .subcommand(
            sub("serve", "Serve a store to a fleet: API, dashboard, alerts, reports, upkeep; no proxy")
                .arg(config_argument())
                .args(serve()),
        )
        .subcommand(
            sub("check", "Say what will and won't work with these settings")
                .arg(config_argument())
                .args(check_arguments())
                .args(all())
                .after_help(examples::CHECK),
        )
        .subcommand(
            sub("migrate", "Make the monitoring tables, or bring them to this version")
                .arg(config_argument())
                .args(these(STORE_KEYS))
                .args(migrate_arguments()),
        )
        .subcommand(
            sub("report", "Print the last daily report of each server, from the monitoring tables")
                .arg(config_argument())
                .args(these(STORE_KEYS))
                .args(report_arguments()),
        )
        .subcommand(
            sub("demo", "Play a month of a made-up shop into monitoring tables, to be looked at")
                .arg(config_argument())
                .args(these(DEMO_KEYS))
                .args(demo_arguments())
                .after_help(examples::DEMO),
        )
        .subcommand(
            sub("fingerprint", "Read statements as JSON lines, print their fingerprints")
                .after_help(examples::FINGERPRINT),
        )
        .subcommand(
            sub("top", "Show the statements of a running pgvitals, live")
                .arg(config_argument())
                .args(these(TOP_KEYS))
                .args(top_arguments())
                .after_help(examples::TOP),
        )
        .subcommand(
            sub("healthcheck", "Exit 0 if a running pgvitals answers, else 1")
                .arg(config_argument())
                .args(these(PROBE_KEYS)),
        )
        .subcommand(
            sub("config", "Print the configuration file with each key and its default")
                .hide(true)
                .arg(markdown_argument()),
        )
}

fn config_argument() -> Arg {
    let help = format!("Configuration file [env: {CONFIG_VARIABLE}] [default: {CONFIG_FILE}, if there]");
    Arg::new("config").long("config").value_name("FILE").value_parser(value_parser!(PathBuf)).help(help)
}

fn markdown_argument() -> Arg {
    Arg::new("markdown").long("markdown").action(ArgAction::SetTrue).help("Print the keys as a document")
}

/// The flag of a key, among those that are about the same.
fn grouped(key: &'static Key) -> Arg {
    argument(key).help_heading(heading(key))
}

/// The flag of a key.
fn argument(key: &'static Key) -> Arg {
    let default = match key.preset {
        Preset::Value(value) => value,
        Preset::Derived { rule, .. } => rule,
    };
    let variable = match key.is_secret() {
        // As the flag, or the secret itself.
        true => format!("{0}_FILE, or {0} without a file", key.variable()),
        false => key.variable(),
    };
    let help = format!("{} [env: {variable}] [default: {default}]", key.help);
    let argument = Arg::new(key.name).long(key.flag()).value_name(key.kind.placeholder()).help(help);
    match key.kind {
        Kind::Switch => argument.num_args(0..=1).default_missing_value("true").require_equals(true),
        Kind::Choice(words) => argument.value_name(words.join("|")),
        // Several addresses may also be several flags.
        Kind::Addresses => argument.action(ArgAction::Append),
        _ => argument,
    }
}

/// Whether it is about traffic alone.
fn is_proxy(key: &Key) -> bool {
    key.name.starts_with("tls.") || PROXY_KEYS.contains(&key.name)
}

/// What a key is about: its table in the file, or of those that are in none who needs it.
fn heading(key: &Key) -> &'static str {
    match key.name.split_once('.').map_or(key.name, |(table, _)| table) {
        "http" | "http_token" | "cron_secret" => "HTTP",
        "tls" => "TLS",
        "store" => "Store",
        "unused_days" | "large_index" | "bloat_min_wasted" | "disk_capacity" | "levels" | "alerts" => {
            "Levels and alerts"
        }
        "monitor" | "collect" | "jobs" => "Looking at the server",
        "notify" => "Notifications",
        "server" | "service" | "time_zone" | "log" | "log_format" => "Names and logs",
        _ => "Traffic",
    }
}

fn flags(matches: &ArgMatches) -> Flags {
    let given = |key: &'static Key| {
        let values = matches.try_get_many::<String>(key.name).ok().flatten()?;
        Some((key, values.map(String::as_str).collect::<Vec<_>>().join(",")))
    };
    Flags { config: matches.get_one::<PathBuf>("config").cloned(), keys: KEYS.iter().filter_map(given).collect() }
}

fn migrate_arguments() -> [Arg; 4] {
    let switch = |name: &'static str, help| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    [
        switch("print", "Print the SQL that is missing, or all of it without a store; change nothing"),
        switch("status", "Say what was applied and what is missing; change nothing").conflicts_with("print"),
        switch("single-role", "Make no roles: whoever migrates owns, writes and reads"),
        switch("citus", "Print also what spreads the tables over a Citus cluster").requires("print"),
    ]
}

fn report_arguments() -> [Arg; 3] {
    let text = |name: &'static str, value: &'static str, help| Arg::new(name).long(name).value_name(value).help(help);
    [
        text("day", "DAY", "Of that day, as 2026-11-25").value_parser(day),
        text("of", "SERVER", "Of that monitored server alone"),
        Arg::new("json").long("json").action(ArgAction::SetTrue).help("As data, a line each"),
    ]
}

/// A day as it is written in the tables.
fn day(text: &str) -> Result<String, String> {
    let day: Date = text.parse().map_err(|_| "no day; write 2026-11-25".to_owned())?;
    Ok(day.to_string())
}

fn report_options(matches: &ArgMatches) -> report::Options {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    report::Options { day: text("day"), server: text("of"), json: matches.get_flag("json") }
}

fn migrate_options(matches: &ArgMatches) -> migrate::Options {
    let given = |name: &str| matches.get_flag(name);
    migrate::Options {
        print: given("print"),
        status: given("status"),
        single_role: given("single-role"),
        citus: given("citus"),
    }
}

fn demo_arguments() -> [Arg; 3] {
    let days = value_parser!(u32).range(10..=55);
    [
        Arg::new("days")
            .long("days")
            .value_name("DAYS")
            .value_parser(days)
            .default_value("30")
            .help("Full days, 10 to 55; below 30 no index can be told to be unused"),
        Arg::new("seed")
            .long("seed")
            .value_name("NUMBER")
            .value_parser(value_parser!(u64))
            .default_value("1")
            .help("The same number makes the same month"),
        Arg::new("mix")
            .long("mix")
            .action(ArgAction::SetTrue)
            .help("Play it also into tables that hold figures of other servers"),
    ]
}

fn demo_options(matches: &ArgMatches) -> demo::Options {
    demo::Options {
        days: matches.get_one("days").copied().unwrap_or_default(),
        seed: matches.get_one("seed").copied().unwrap_or_default(),
        mix: matches.get_flag("mix"),
    }
}

fn check_arguments() -> [Arg; 2] {
    let format = Arg::new("format").long("format").value_name("WORD").value_parser(["text", "json"]);
    [format.default_value("text").help("How to write it"), color_argument()]
}

fn check_options(matches: &ArgMatches) -> check::Options {
    let is_json = matches.get_one::<String>("format").is_some_and(|format| format == "json");
    check::Options { json: is_json, color: color(matches) }
}

fn color_argument() -> Arg {
    let argument = Arg::new("color").long("color").value_name("WHEN").value_parser(When::WORDS);
    argument.default_value("auto").help("In colour; auto is on a terminal, unless NO_COLOR is set")
}

fn color(matches: &ArgMatches) -> When {
    When::named(matches.get_one::<String>("color").map_or("", String::as_str))
}

fn top_arguments() -> [Arg; 6] {
    let positive = value_parser!(u64).range(1..=1_000);
    [
        Arg::new("once").long("once").action(ArgAction::SetTrue).help("Print one table and end"),
        Arg::new("sort")
            .long("sort")
            .value_name("COLUMN")
            .value_parser(top::SORTS.map(|(name, _)| name))
            .default_value("total_ms")
            .help("Largest first"),
        Arg::new("window")
            .long("window")
            .value_name("TIME")
            .value_parser(top::WINDOWS.map(|window| window.flag))
            .default_value("1h")
            .help("Of the last minute, 5 minutes, hour or day"),
        Arg::new("limit")
            .long("limit")
            .value_name("ROWS")
            .value_parser(positive)
            .help("Rows of a printed table [default: 15]"),
        Arg::new("interval")
            .long("interval")
            .value_name("SECONDS")
            .value_parser(positive)
            .default_value("2")
            .help("Time between two looks"),
        color_argument(),
    ]
}

fn top_options(matches: &ArgMatches) -> top::Options {
    let number = |name: &str| matches.get_one::<u64>(name).copied();
    let text = |name: &str| matches.get_one::<String>(name).cloned().unwrap_or_default();
    top::Options {
        once: matches.get_flag("once"),
        sort: text("sort"),
        window: text("window"),
        limit: number("limit"),
        interval: Duration::from_secs(number("interval").unwrap_or(2)),
        color: color(matches),
    }
}
