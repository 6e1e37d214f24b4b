//! The table of keys and the files that are made from it.

use std::path::Path;

use crate::config::key::Preset;
use crate::config::keys::{KEYS, find};
use crate::config::load::{Flags, load};
use crate::config::render;

fn same(path: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == generated, "{} differs from src/config/keys.rs; run `make config`", path.display());
}

#[test]
fn files_are_what_the_table_says() {
    same("config/pgvitals.toml", &render::file());
    same("docs/config.md", &render::document());
}

#[test]
fn each_key_is_in_the_file_once() {
    let file = render::file();
    for key in KEYS {
        let name = key.name.rsplit('.').next().unwrap();
        let lines = file.lines().filter(|line| line.starts_with(&format!("#{name} = "))).count();
        // The example of a route repeats the keys of a route.
        let routes = usize::from(crate::config::keys::ROUTE.contains(&name));
        let monitors = usize::from(crate::config::keys::MONITOR.contains(&name));
        let namesakes = KEYS.iter().filter(|other| other.name.rsplit('.').next() == Some(name)).count();
        assert_eq!(lines, namesakes + routes + monitors, "{name}");
    }
}

#[test]
fn the_file_with_its_defaults_uncommented_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pgvitals.toml");
    let file = render::file();
    let mut table = "";
    let defaults = file
        .lines()
        .take_while(|line| !line.starts_with("#[[route]]"))
        .filter(|line| {
            if let Some(name) = line.strip_prefix('[') {
                table = name.trim_end_matches(']');
                return true;
            }
            let key = line.strip_prefix('#').and_then(|line| line.split_once(" = ")).map(|(key, _)| match table {
                "" => key.to_owned(),
                _ => format!("{table}.{key}"),
            });
            key.and_then(|key| find(&key)).is_some_and(|key| matches!(key.preset, Preset::Value(_)))
        })
        .map(|line| line.trim_start_matches('#'))
        .collect::<Vec<_>>()
        .join("\n");
    assert!(defaults.lines().count() > 10, "{defaults}");
    std::fs::write(&path, defaults).unwrap();
    let empty = directory.path().join("empty.toml");
    std::fs::write(&empty, "").unwrap();
    let from = |path| {
        load(Flags { config: Some(path), keys: Vec::new() }, [])
            .map(|loaded| format!("{:?} {:?}", loaded.app, loaded.log))
    };
    assert_eq!(from(path), from(empty));
}

#[test]
fn names_of_flags_and_variables_follow_the_rule() {
    let named = |name: &str| crate::config::keys::find(name).map(|key| (key.flag(), key.variable())).unwrap();
    let pair = |flag: &str, variable: &str| (flag.to_owned(), variable.to_owned());
    assert_eq!(named("levels.latency"), pair("levels-latency", "PGVITALS_LEVELS_LATENCY"));
    assert_eq!(named("max_connections"), pair("max-connections", "PGVITALS_MAX_CONNECTIONS"));
    assert_eq!(named("store.url"), pair("store", "PGVITALS_STORE"));
    assert_eq!(named("http_token"), pair("http-token-file", "PGVITALS_HTTP_TOKEN"));
    assert_eq!(named("cron_secret"), pair("cron-secret-file", "CRON_SECRET"));
}
