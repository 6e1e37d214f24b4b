//! Exit codes, as LAYOUT §6 says.

use std::process::ExitCode;

use crate::cli::arguments::parse;
use crate::cli::exit::{Failure, code};
use crate::cli::load::store;
use crate::config::load::{Flags, load};
use crate::tls;

/// `ExitCode` compares by what it shows.
fn same(left: ExitCode, right: u8) {
    assert_eq!(format!("{left:?}"), format!("{:?}", ExitCode::from(right)));
}

#[test]
fn each_failure_has_its_code() {
    let parsed = |line: &str| parse(line.split(' ').map(Into::into)).map(drop);
    same(code(Ok(())), 0);
    same(code(parsed("pgvitals --help")), 0);
    same(code(parsed("pgvitals --version")), 0);
    same(code(parsed("pgvitals --nonsense")), 64);
    let settings = load(Flags { config: Some("/nowhere/x".into()), keys: Vec::new() }, []).map(drop);
    same(code(settings.map_err(Failure::from)), 78);
    let without = load(Flags::default(), []).unwrap();
    same(code(store(&without).map(drop)), 78);
    same(code(Err(anyhow::anyhow!("it broke").into())), 1);
    same(code(parsed("pgvitals report --day 2026-13-01")), 64);
}

/// A certificate or roots that a setting names are part of it.
#[test]
fn what_a_setting_names_and_cannot_be_used_is_a_bad_setting() {
    let failed = Failure::at_start(tls::error::Error::NoSystemRoots.into());
    assert!(failed.to_string().contains("tls.upstream_ca"), "{failed}");
    same(code(Err(failed)), 78);
    same(code(Err(Failure::at_start(anyhow::anyhow!("the address is taken")))), 1);
}

#[test]
fn who_can_do_nothing_without_a_store_says_which_setting_is_missing() {
    for line in ["migrate", "migrate --status", "report", "demo", "serve"] {
        let command = parse(format!("pgvitals {line} --config /dev/null").split(' ').map(Into::into)).unwrap();
        let failed = command.run().unwrap_err();
        let said = failed.to_string();
        assert!(said.contains("`store.url`") && said.contains("--store postgres://"), "{line}: {said}");
        same(code(Err(failed)), 78);
    }
}
