//! The command line is the table of keys.

use crate::cli::arguments::{Command, command, parse};
use crate::cli::exit::Failure;
use crate::config::keys::KEYS;

fn parsed(line: &str) -> Result<Command, Failure> {
    parse(line.split(' ').map(Into::into))
}

/// Key and value pairs that a command line gives, and the command's name.
fn keys(line: &str) -> (String, Vec<(&'static str, String)>) {
    let command = parsed(line).unwrap_or_else(|failure| panic!("{line}: {failure}"));
    let name = format!("{command:?}").split(['(', ' ']).next().unwrap().to_owned();
    let flags = match command {
        Command::Run(flags) | Command::Serve(flags) | Command::Check(flags, _) => flags,
        Command::Top(flags, _) | Command::Healthcheck(flags) => flags,
        other => panic!("{other:?} has no settings"),
    };
    (name, flags.keys.into_iter().map(|(key, value)| (key.name, value)).collect())
}

#[test]
fn the_parser_is_coherent() {
    command().debug_assert();
}

#[test]
fn every_key_is_a_flag_of_run_and_in_its_help() {
    let help = command().find_subcommand_mut("run").unwrap().render_long_help().to_string();
    for key in KEYS {
        assert!(help.contains(&format!("--{}", key.flag())), "{}", key.name);
        assert!(help.contains(&key.variable()), "{}", key.name);
        let (_, given) =
            keys(&format!("pgvitals run --{}=x", key.flag()).replace("--drain-mode=x", "--drain-mode=clients"));
        assert_eq!(given[0].0, key.name);
    }
}

#[test]
fn without_a_command_it_runs() {
    assert_eq!(keys("pgvitals"), ("Run".to_owned(), vec![]));
    assert_eq!(keys("pgvitals --listen a:1"), keys("pgvitals run --listen a:1"));
    assert_eq!(keys("pgvitals check --store off"), ("Check".to_owned(), vec![("store.url", "off".to_owned())]));
}

/// `pgvitals serve --store … --http …` has no proxy: what is about traffic is refused rather than ignored.
#[test]
fn who_serves_has_no_flags_of_a_proxy() {
    let (name, given) = keys("pgvitals serve --store postgres://u@h/d --http 0.0.0.0:7480");
    let expected = [("http", "0.0.0.0:7480".to_owned()), ("store.url", "postgres://u@h/d".to_owned())];
    assert_eq!((name.as_str(), given), ("Serve", expected.to_vec()));
    for flag in ["--listen a:1", "--upstream b:2", "--tls-client require", "--store-spool-dir /x", "--monitor-url x"] {
        assert!(matches!(parsed(&format!("pgvitals serve {flag}")), Err(Failure::Arguments(_))), "{flag}");
    }
}

#[test]
fn lists_and_switches_are_written_as_people_do() {
    let (_, given) = keys("pgvitals run --listen a:1 --listen b:2 --reuse-port");
    assert_eq!(given, [("listen", "a:1,b:2".to_owned()), ("reuse_port", "true".to_owned())]);
    let (_, given) = keys("pgvitals run --reuse-port=false");
    assert_eq!(given, [("reuse_port", "false".to_owned())]);
}

#[test]
fn a_token_never_stands_on_the_command_line() {
    assert!(matches!(parsed("pgvitals run --http-token x"), Err(Failure::Arguments(_))));
    assert_eq!(keys("pgvitals top --http-token-file x").1, [("http_token", "x".to_owned())]);
    // `/healthz` is open to all: a flag that changes nothing would be read as one that does.
    assert_eq!(keys("pgvitals healthcheck --http a:1").1, [("http", "a:1".to_owned())]);
    assert!(matches!(parsed("pgvitals healthcheck --http-token-file x"), Err(Failure::Arguments(_))));
}

#[test]
fn what_means_nothing_is_refused_with_what_was_perhaps_meant() {
    let Err(Failure::Arguments(error)) = parsed("pgvitals run --upsteam a:1") else { panic!("accepted") };
    assert!(error.to_string().contains("--upstream"), "{error}");
    assert!(matches!(parsed("pgvitals stop"), Err(Failure::Arguments(_))));
    assert!(matches!(parsed("pgvitals top --sort size"), Err(Failure::Arguments(_))));
}
