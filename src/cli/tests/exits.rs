//! Exit codes, as LAYOUT §6 says.

use std::process::ExitCode;

use crate::cli::arguments::parse;
use crate::cli::exit::{Failure, code};
use crate::cli::load::store;
use crate::config::load::{Flags, load};

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
}
