//! The dashboard in a real Chromium, over a real pgvitals with traffic (issue 7). What is done there stands in
//! `tests/browser`, one script a test; pictures of each page land in `target/browser`, for people to look at.

mod month;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::scope;

use self::month::Shop;
use crate::bytes_of;
use crate::support::client::{Client, query};
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::{Cluster, free_port};
use crate::support::tool::Tool;

/// A browser wants a core and more: one at a time.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static BROWSER: Mutex<()> = Mutex::new(());
    BROWSER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A statement that is called, one that fails, one that is slow.
fn browse(client: &mut Client) {
    client.query("select n from numbers where n = 42 /*route='%2Fnumbers'*/");
    client.ask(&bytes_of![query("select 1/0")]);
}

/// A session of an application named `browsed`.
fn application(pgvitals: &Pgvitals) -> Client {
    let mut client = Client::connect(pgvitals.address(), "postgres");
    client.query("set application_name = 'browsed'");
    client.query("create temp table numbers as select generate_series(1, 100) as n");
    for _ in 0..20 {
        browse(&mut client);
    }
    client.query("select pg_sleep(0.6)");
    pgvitals.await_statement("select pg_sleep($1)", 1);
    client
}

/// Runs a script while traffic goes on.
fn with_traffic(script: &str) {
    let _alone = alone();
    let pgvitals = Pgvitals::before(&Cluster::any().tcp);
    let mut client = application(&pgvitals);
    let (is_over, http) = (AtomicBool::new(false), pgvitals.http);
    scope(|threads| {
        threads.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                browse(&mut client);
                client.query("select pg_sleep(0.02)");
            }
        });
        let output = Tool::browser(script, http).run();
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(output.code, Some(0), "{}\n{}", output.stdout, output.stderr);
    });
}

/// "Pages … works at 390 px; readable by screen readers (axe: no serious finding) … first view under 300 KB" (issue 7)
#[test]
fn each_page_shows_what_happened() {
    with_traffic("pages.mjs");
}

/// "Live by server-sent events; a time range … that all panels share and the address holds …; zoom by dragging; keyboard;
/// light and dark" (issue 7)
#[test]
fn links_ranges_keys_and_live_figures_work() {
    with_traffic("ways.mjs");
}

/// "Query text can never run as markup." (issue 7)
#[test]
fn hostile_text_is_shown_as_text() {
    let _alone = alone();
    let pgvitals = Setup::before(&Cluster::any().tcp).flag("slow-threshold", "10ms").start();
    let mut client = Client::connect(pgvitals.address(), "postgres");
    client.query("set application_name = '<script>ran()</script>'");
    client.query("select pg_sleep(0.1) as \"<img src=x onerror=ran()>\" /*route='%3Csvg%20onload%3Dran()%3E'*/");
    pgvitals.await_statement("select pg_sleep($1) as \"<img src=x onerror=ran()>\"", 1);
    Tool::browser("hostile.mjs", pgvitals.http).succeed();
}

/// "Token sign-in when the API needs a token (cookie, HttpOnly, SameSite)." (issue 7)
#[test]
fn a_token_signs_in() {
    const TOKEN: &str = "a-token-of-some-length";
    let _alone = alone();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), TOKEN).unwrap();
    let setup = Setup::before(&Cluster::any().tcp).flag("http", "0.0.0.0:0");
    let pgvitals = setup.flag("http-token-file", &file.path().to_string_lossy()).start();
    Tool::browser("signin.mjs", pgvitals.http).variable("PGVITALS_TOKEN", TOKEN).succeed();
}

/// "A person who never saw pgvitals should say what is wrong" (issue 7): what the rules find, and don't.
#[test]
fn what_stands_out_is_said_with_its_figures() {
    let _alone = alone();
    let pgvitals = Pgvitals::before(&Cluster::any().tcp);
    Tool::browser("findings.mjs", pgvitals.http).succeed();
}

/// "5,000 statements without jank" (issue 7)
#[test]
fn five_thousand_statements_are_shown_by_fifty() {
    const STATEMENTS: usize = 5000;
    let _alone = alone();
    let pgvitals = Setup::before(&Cluster::any().tcp).flag("max-series", "100000").start();
    let mut client = Client::connect(pgvitals.address(), "postgres");
    for number in 0..STATEMENTS {
        client.query(&format!("select 1 as column_{number}"));
    }
    let last = format!("metric=queries&limit=1&search=column_{}", STATEMENTS - 1);
    pgvitals.await_merge("the last statement", |pgvitals| (pgvitals.performance(&last)["total"] == 1).then_some(()));
    let tool = Tool::browser("many.mjs", pgvitals.http);
    tool.variable("PGVITALS_STATEMENTS", &STATEMENTS.to_string()).succeed();
}

/// "filter by database, user, application, route" (issue 7), of which there may be a thousand.
#[test]
fn statements_of_a_route_are_found_among_a_thousand() {
    let _alone = alone();
    let pgvitals = Pgvitals::before(&Cluster::any().tcp);
    let mut client = application(&pgvitals);
    client.query("create temp table shelves as select generate_series(1, 10) as n");
    for call in 0..3 {
        for route in 0..950 {
            client.query(&format!("select n from shelves where n = {call} /*route='/shelves/{{id}}/{route}'*/"));
        }
    }
    pgvitals.await_statement("select n from shelves where n = $1", 2850);
    Tool::browser("routes.mjs", pgvitals.http).succeed();
}

/// "*Alerts* (open, past, acknowledge, silence)" (issue 7)
#[test]
fn an_alert_is_acknowledged_on_the_page() {
    let _alone = alone();
    let setup = Setup::before(&Cluster::any().tcp).flag("alerts-interval", "1s").flag("alerts-learn", "0");
    let pgvitals = setup.start();
    Client::connect(pgvitals.address(), "postgres").query("select pg_sleep(0.6)");
    pgvitals.await_merge("an alert", |pgvitals| {
        pgvitals.performance("metric=alerts")["alerts"].as_array().filter(|alerts| !alerts.is_empty()).map(Vec::len)
    });
    Tool::browser("alerts.mjs", pgvitals.http).succeed();
}

/// "each page with real data, drilling down, range and zoom" (issue 7): a month of it, with all that can be wrong.
#[test]
fn a_month_fills_every_page() {
    let _alone = alone();
    let shop = Shop::open();
    Tool::browser("month.mjs", shop.pgvitals.http).succeed();
}

/// "empty and error states that say what to do" (issue 7): pgvitals begins anew while a page is open.
#[test]
fn a_page_outlives_pgvitals() {
    let _alone = alone();
    let http = format!("127.0.0.1:{}", free_port());
    let setup = || Setup::before(&Cluster::any().tcp).flag("http", &http);
    let first = setup().start();
    let (pid, address) = (first.keeper.pid.to_string(), first.http);
    scope(|threads| {
        let page = threads.spawn(move || Tool::browser("again.mjs", address).variable("PGVITALS_PID", &pid).run());
        first.keeper.log.await_line("to=Stopped", |line| line.contains("to=Stopped").then_some(()));
        let _second = setup().start();
        let output = page.join().unwrap();
        assert_eq!(output.code, Some(0), "{}\n{}", output.stdout, output.stderr);
    });
}
