//! What `upstream` may be.

use super::loading::{Case, case};
use crate::config::upstream::{comes_back, parse, redacted, server_name};
use crate::tls::settings::UpstreamMode;

#[track_caller]
fn check(text: &str, addresses: &str) {
    let upstream = parse(text).unwrap_or_else(|problem| panic!("{text}: {problem:?}"));
    let shown: Vec<String> = upstream.addresses.iter().map(ToString::to_string).collect();
    assert_eq!(shown.join(" "), addresses, "{text}");
    assert_eq!(upstream.warnings, Vec::<String>::new(), "{text}");
}

#[track_caller]
fn refuse(text: &str, part: &str) {
    let problem = parse(text).expect_err(text);
    let said = format!("{}; {}", problem.what, problem.advice);
    assert!(said.contains(part), "{text}: {said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn plain_addresses() {
    check("db:5433", "db:5433");
    check("a:1, b:2", "a:1 b:2");
    check("[2001:db8::1]:5432", "[2001:db8::1]:5432");
    check("/run/nowhere/.s.PGSQL.5432", "/run/nowhere/.s.PGSQL.5432");
    refuse("db", "no port");
    refuse("db:port", "port");
    refuse("", "empty");
    refuse("a:1,,b:2", "empty");
    refuse("host=db port=5432 password=hunter2", "postgres://");
}

#[test]
fn a_directory_means_the_socket_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    check(path, &format!("{path}/.s.PGSQL.5432"));
}

#[test]
fn urls_of_libpq_and_of_sqlalchemy() {
    check("postgres://db", "db:5432");
    check("postgresql://u:p@db:6000/app?application_name=x", "db:6000");
    check("postgresql+psycopg://u@db/app", "db:5432");
    check("postgresql+asyncpg://[::1]:6000/app", "[::1]:6000");
    check("postgres://a:1,b:2/app", "a:1 b:2");
    check("postgres://a,b:2/app", "a:5432 b:2");
    check("postgres://a,b/app?port=7", "a:7 b:7");
    check("postgres:///app?host=a,b&port=1,2", "a:1 b:2");
    check("postgres://u:p%40ss%2Fw@d%62/app", "db:5432");
    check("postgres://u:p@ss@db/app", "db:5432");
    check("postgres://u:%2F%3F%40%23%25%3A@db/app", "db:5432");
}

#[test]
fn sslmode_and_its_kin_are_read() {
    let tls = |parameters: &str| parse(&format!("postgres://db/app?{parameters}")).unwrap().tls;
    for (mode, expected) in [
        ("sslmode=disable", UpstreamMode::Disable),
        ("sslmode=allow", UpstreamMode::Prefer),
        ("sslmode=prefer", UpstreamMode::Prefer),
        ("sslmode=require", UpstreamMode::Require),
        ("sslmode=verify-ca", UpstreamMode::VerifyCa),
        ("sslmode=verify-full", UpstreamMode::VerifyFull),
        ("ssl=true", UpstreamMode::Require),
        ("sslmode=no-verify", UpstreamMode::Require),
        ("sslrootcert=system", UpstreamMode::VerifyFull),
    ] {
        assert_eq!(tls(mode).mode, Some(expected), "{mode}");
    }
    let all = tls("sslmode=verify-ca&sslrootcert=/ca&sslcert=/c&sslkey=/k&sslnegotiation=direct");
    let paths = [all.ca, all.cert, all.key].map(|path| path.unwrap().display().to_string());
    assert_eq!((paths, all.direct), (["/ca", "/c", "/k"].map(str::to_owned), true));
    assert_eq!(parse("db:1").unwrap().tls.mode, None);
}

#[test]
fn sockets_in_urls() {
    check("postgres://%2Frun%2Fpg/app", "/run/pg/.s.PGSQL.5432");
    check("postgres://u:p@%2Frun%2Fpg:5433/app", "/run/pg/.s.PGSQL.5433");
    check("postgres:///app?host=/run/pg", "/run/pg/.s.PGSQL.5432");
    check("postgres:///app?host=/run/pg&port=5433", "/run/pg/.s.PGSQL.5433");
    check("postgres://localhost/app?host=%2Frun%2Fpg", "/run/pg/.s.PGSQL.5432");
}

#[test]
fn what_a_url_must_not_say() {
    refuse("postgres://u:hunter2@db/app?sslmode=perhaps", "sslmode=disable, allow, prefer");
    refuse("mysql://u:hunter2@db/app", "scheme `mysql`");
    refuse("postgres://u:hunter2@db:x/app", "port");
    refuse("postgres://u:hun/ter2@db/app", "%2F");
    refuse("postgres://u:h@unter/2@db/app", "%40");
    refuse("postgres:///app", "without a host");
    refuse("postgres://d%zz/app", "percent");
    refuse("postgres://a,b,c/app?port=1,2", "2 ports for 3 hosts");
}

#[test]
fn what_others_put_into_urls_warns() {
    let said = |text: &str| parse(text).unwrap().warnings;
    assert_eq!(said("postgres://db/app?schema=public&pgbouncer=true&connection_limit=5").len(), 3);
    assert!(said("postgres://a,b/app?target_session_attrs=read-write")[0].contains("first address that answers"));
    assert!(said("postgres://db/app?channel_binding=require")[0].contains("tls.cert"));
    assert!(said("postgres://db/app?options=-csearch_path%3Dx&connect_timeout=3").is_empty());
}

#[test]
fn a_shown_url_has_neither_user_nor_password() {
    assert_eq!(redacted("postgres://u:hunter2@db:1/app?password=hunter2"), "postgres://…@db:1");
    assert_eq!(redacted("postgres://u:hun/ter2@db/app"), "postgres://…");
    assert_eq!(redacted("postgres://u:hun@ter/2@db/app"), "postgres://…");
    assert_eq!(redacted("postgres://u:hunter2"), "postgres://…");
    assert_eq!(redacted("postgres://a:1,[::1]/app"), "postgres://a:1,[::1]");
    assert_eq!(redacted("host=db password=hunter2"), "…");
    assert_eq!(redacted("db:5432"), "db:5432");
}

#[test]
fn a_server_without_a_name_gets_one_that_others_understand() {
    let named = |text: &str| server_name(&parse(text).unwrap().addresses, "web-1");
    assert_eq!(named("db:5432"), "db:5432");
    assert_eq!(named("a:1,b:2"), "a:1,b:2");
    assert_eq!(named("127.0.0.1:5432"), "web-1:5432");
    assert_eq!(named("localhost:5432"), "web-1:5432");
    assert_eq!(named("[::1]:5432"), "web-1:5432");
    assert_eq!(named("[2001:db8::1]:5432"), "[2001:db8::1]:5432");
    assert_eq!(named("postgres:///app?host=/run/pg&port=5433"), "web-1:5433");
}

#[test]
fn who_listens_is_not_connected_to() {
    let back = |to: &str, listen: &str| {
        let addresses = |text: &str| parse(text).unwrap().addresses;
        comes_back(&addresses(to), &addresses(listen))
    };
    assert!(back("127.0.0.1:7432", "127.0.0.1:7432"));
    assert!(back("postgres://u:p@localhost:7432/shop", "127.0.0.1:7432"));
    assert!(back("127.0.0.1:7432", "0.0.0.0:7432") && back("0.0.0.0:7432", "127.0.0.1:7432"));
    assert!(back("[::1]:7432", "[::]:7432") && back("127.0.0.1:7432", "[::]:7432"));
    assert!(back("localhost:7432", "0.0.0.0:7432") && back("[::1]:7432", "localhost:7432"));
    assert!(back("db:1,127.0.0.1:7432", "/run/x,127.0.0.1:7432"));
    assert!(back("/run/nowhere/s", "/run/nowhere/s"));
    assert!(!back("127.0.0.1:5432", "127.0.0.1:7432"));
    assert!(!back("db:7432", "0.0.0.0:7432"));
    assert!(!back("127.0.0.1:7432", "10.0.0.1:7432"));
    // Of one machine, and yet others.
    assert!(!back("127.0.0.1:5432", "127.0.0.2:5432"));
    assert!(!back("[::1]:5432", "127.0.0.1:5432") && !back("[::1]:5432", "0.0.0.0:5432"));
}

/// What an application is told, said to pgvitals instead, leads to the same server.
#[test]
fn the_applications_database_is_the_upstream_where_nobody_says_another() {
    let url = |url: &str| case().variable("DATABASE_URL", url);
    let upstream = |case: Case| case.well().app.proxy.routes[0].upstream[0].to_string();
    assert_eq!(upstream(url("postgres://u:p%40ss@db:6000/shop?sslmode=require")), "db:6000");
    assert_eq!(upstream(url("postgres://db/shop").variable("PGVITALS_UPSTREAM", "other:1")), "other:1");
    assert_eq!(upstream(url("postgres://db/shop").file("upstream = 'other:1'")), "other:1");
    assert_eq!(upstream(url("mysql://db/shop")), "127.0.0.1:5432");
    // It names pgvitals already: it is what the application was told afterwards.
    assert_eq!(upstream(url("postgres://u:p@localhost:7432/shop")), "127.0.0.1:5432");
    url("postgres://u:hunter2@db/shop?sslmode=perhaps").refused(&["DATABASE_URL", "sslmode=perhaps"]);
}

#[test]
fn an_upstream_that_is_pgvitals_itself_is_refused() {
    case().flag("upstream", "127.0.0.1:7432").refused(&["--upstream", "pgvitals itself listens there"]);
    let file =
        "[[route]]\nlisten = 'a:1'\nupstream = 'b:2'\n[[route]]\nlisten = '0.0.0.0:3'\nupstream = 'localhost:3'\n";
    case().file(file).refused(&["`route.upstream`", "pgvitals itself"]);
}
