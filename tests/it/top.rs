//! `pgvitals top` in a real terminal.

use crate::bytes_of;
use crate::support::client::{Client, query};
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;
use crate::support::terminal::Terminal;
use crate::support::tool::Tool;

/// A pgvitals that has seen a statement that takes long, one that is frequent, and one that fails.
fn busy(setup: Setup) -> (Pgvitals, Client) {
    let pgvitals = setup.start();
    let mut client = Client::connect(pgvitals.address(), "postgres");
    client.query("select pg_sleep(0.2)");
    for _ in 0..20 {
        client.query("select 42");
    }
    client.ask(&bytes_of![query("select 1/0")]);
    pgvitals.await_statement("select $1 / $2", 1);
    (pgvitals, client)
}

fn top(pgvitals: &Pgvitals) -> Terminal {
    let program = env!("CARGO_BIN_EXE_pgvitals");
    Terminal::run(&format!("{program} top --interval 1 --http {}", pgvitals.http), 100, 30)
}

/// The first statement of the table.
fn first(lines: &[String]) -> Option<&String> {
    let head = lines.iter().position(|line| line.ends_with("statement"))?;
    lines.get(head + 1)
}

fn has(lines: &[String], words: &str) -> bool {
    lines.iter().any(|line| line.contains(words))
}

/// The screen after the program: what stood there before is back, so are the cursor, lines and echo.
#[track_caller]
fn assert_clean(terminal: &mut Terminal) {
    let lines = terminal.await_screen("the end", |lines| has(lines, "iexten"));
    assert!(has(&lines, "exit code 0"), "{lines:#?}");
    let settings = lines.join(" ");
    for setting in ["icanon", "echo", "isig", "opost"] {
        assert!(settings.contains(&format!(" {setting}")) && !settings.contains(&format!("-{setting} ")), "{settings}");
    }
    assert_eq!((terminal.property("alternate_on"), terminal.property("cursor_flag")), ("0".into(), "1".into()));
    assert!(!has(&lines, "statements by"), "{lines:#?}");
}

/// "statements by total time, calls/s, P95, errors; sort, filter, drill into one with a histogram, alerts line" (issue 7)
#[test]
fn a_person_finds_the_slow_statement_with_keys() {
    let (pgvitals, _client) = busy(Setup::before(&Cluster::any().tcp));
    let mut terminal = top(&pgvitals);
    let lines = terminal.await_screen("statements", |lines| has(lines, "select pg_sleep($1)"));
    assert!(first(&lines).unwrap().ends_with("select pg_sleep($1)"), "{lines:#?}");
    assert!(lines[0].starts_with(" pgvitals  ") && lines[0].ends_with("● live"), "{lines:#?}");
    assert!(has(&lines, "errors 1 (") && has(&lines, "no alert is open"), "{lines:#?}");
    assert_eq!(terminal.property("alternate_on"), "1");

    terminal.press("s");
    let lines =
        terminal.await_screen("another order", |lines| first(lines).is_some_and(|row| row.ends_with("select $1")));
    assert!(has(&lines, "▼calls/s") && has(&lines, "statements by calls"), "{lines:#?}");

    terminal.write("/sleep");
    let lines = terminal.await_screen("one statement", |lines| has(lines, "1 of 1") && has(lines, "pg_sleep"));
    assert!(!has(&lines, "select $1 / $2"), "{lines:#?}");

    terminal.press("Enter Enter");
    let lines = terminal.await_screen("one statement's bars", |lines| has(lines, "how long calls took"));
    assert!(has(&lines, "P99") && has(&lines, "█") && has(&lines, "calls 1 ("), "{lines:#?}");

    terminal.resize(40, 12);
    terminal.await_screen("a small screen", |lines| lines.len() == 12 && has(lines, "Esc back"));
    terminal.press("Escape");
    terminal.await_screen("the list", |lines| has(lines, "1 of 1") && has(lines, "pg_sleep"));
    terminal.resize(100, 30);
    terminal.await_screen("a large screen", |lines| has(lines, "mean") && has(lines, "with “sleep”"));
    terminal.press("q");
    assert_clean(&mut terminal);
}

/// A lost instance leaves its last figures and comes back; SIGTERM leaves a clean terminal.
#[test]
fn an_instance_goes_and_comes_back_and_sigterm_cleans_up() {
    let cluster = Cluster::any();
    let (pgvitals, client) = busy(Setup::before(&cluster.tcp));
    let http = pgvitals.http.to_string();
    let mut terminal = top(&pgvitals);
    terminal.await_screen("statements", |lines| has(lines, "select pg_sleep($1)"));
    drop((client, pgvitals));
    let lines = terminal.await_screen("that it is lost", |lines| has(lines, "● lost"));
    assert!(has(&lines, "no answer for") && has(&lines, "select pg_sleep($1)"), "{lines:#?}");
    let (_pgvitals, _client) = busy(Setup::before(&cluster.tcp).flag("http", &http));
    terminal.await_screen("that it is back", |lines| has(lines, "● live"));
    let sent = std::process::Command::new("kill").args(["-TERM", &terminal.pid()]).status().unwrap();
    assert!(sent.success());
    assert_clean(&mut terminal);
}

/// "`--once` prints plain text for scripts", and so does a pipe.
#[test]
fn scripts_get_plain_text() {
    let (pgvitals, _client) = busy(Setup::before(&Cluster::any().tcp));
    let http = pgvitals.http.to_string();
    let once = |arguments: &[&str]| {
        Tool::pgvitals()
            .args(&["top", "--once", "--http", &http])
            .args(arguments)
            .variable("TERM", "xterm")
            .succeed()
            .stdout
    };
    let table = once(&[]);
    assert!(table.starts_with("last hour: 2 calls, 1 errors") && !table.contains('\x1b'), "{table}");
    assert!(table.lines().nth(3).unwrap().ends_with("select pg_sleep($1)"), "{table}");
    let sorted = once(&["--sort", "calls", "--window", "5m", "--limit", "1"]);
    assert!(sorted.starts_with("last 5 minutes") && sorted.trim_end().ends_with("  select $1"), "{sorted}");
    assert_eq!(sorted.lines().count(), 4, "{sorted}");
    // Without `--once` a pipe gets one table after the other; that nobody reads on is no failure.
    let head =
        format!("{} top --http {http} --interval 1 | sed -n '/^last hour/{{p;q}}'", env!("CARGO_BIN_EXE_pgvitals"));
    let piped = std::process::Command::new("bash").args(["-o", "pipefail", "-c", &head]).output().unwrap();
    assert!(piped.status.success() && piped.stderr.is_empty(), "{piped:?}");
    assert!(piped.stdout.starts_with(b"last hour: 2 calls"), "{piped:?}");
}
