//! "the same script run directly and through pgvitals gives the same output" (issue 3, §8). "Transparent means: a client
//! can't tell, except by the clock" (PROTOCOL.md).

pub(crate) mod psql;
mod rust;
pub(crate) mod wire;

use crate::support::address::Address;
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;

/// Runs `script` directly, then through pgvitals, each time in a new database of the same name; both must say the same.
#[track_caller]
fn same<T: PartialEq + std::fmt::Debug>(cluster: &Cluster, script: impl Fn(&Address, &str) -> T) -> Pgvitals {
    same_through(Setup::before(&cluster.tcp), cluster, script)
}

/// The same with a pgvitals of this kind.
#[track_caller]
pub(crate) fn same_through<T: PartialEq + std::fmt::Debug>(
    setup: Setup,
    cluster: &Cluster,
    script: impl Fn(&Address, &str) -> T,
) -> Pgvitals {
    let database = cluster.database();
    let direct = script(&cluster.tcp, &database);
    cluster.recreate(&database);
    let pgvitals = setup.start();
    let through = script(pgvitals.address(), &database);
    if direct != through {
        let (direct, through) = (format!("{direct:#?}"), format!("{through:#?}"));
        let (a, b) = (direct.replace("\\n", "\n"), through.replace("\\n", "\n"));
        let line = a.lines().zip(b.lines()).find(|(a, b)| a != b);
        panic!("first difference: {line:#?}\n--- directly ---\n{a}\n--- through pgvitals ---\n{b}");
    }
    pgvitals
}

/// Replaces the run of digits behind each `mark` by `N`: process ids and the like.
fn mask(text: &str, mark: &str) -> String {
    let mut parts = text.split(mark);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + mark + "N" + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}
