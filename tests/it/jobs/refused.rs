//! Steps that fail.

use serde_json::Value;

use super::{DAILY, HOURLY, Site, cluster, steps, url};
use crate::store::Store;
use crate::support::address::Address;
use crate::support::pgvitals::Setup;
use crate::support::postgres::free_port;
use crate::support::tool::Tool;

/// "One step's failure doesn't stop the others and makes the answer 207", and "after a 207 only the failed steps run
/// again": the server is away first, and there later.
#[test]
fn what_failed_is_done_again_when_it_can_be() {
    let database = cluster().database();
    let store = url(&cluster().tcp, &database);
    let away = Address::Tcp((std::net::Ipv4Addr::LOCALHOST, free_port()).into());
    let setup = Setup::before(&cluster().tcp).flag("store", &store).flag("server", "db");
    let site = Site::new(setup.flag("monitor-url", &url(&away, &database)));
    let failed = site.answer(HOURLY, 207);
    assert_eq!(failed["success"], false);
    let errors: Vec<bool> = failed["steps"].as_array().unwrap().iter().map(|step| step["error"].is_string()).collect();
    assert_eq!(errors, [true; 5], "{failed}");
    let mut client = cluster().client(&database);
    assert_eq!(client.value("select count(*) from pgvitals.server_samples"), "0");

    // By way of a second pgvitals it is there.
    let _way = Setup::default().route(away, &cluster().tcp).start();
    let ran = site.answer(HOURLY, 200);
    assert_eq!((&ran["success"], steps(&ran).len()), (&true.into(), 5), "{ran}");
    assert_eq!(client.value("select count(*) from pgvitals.server_samples"), "1");
}

/// "After a 207 only the failed steps run again" (API.md): of a day, and of an hour, whose writer lacked a right.
#[test]
fn after_a_207_only_the_failed_steps_run_again() {
    let store = Store::on(cluster());
    let mut admin = store.superuser();
    let setup = Setup::before(&cluster().tcp).flag("store", &store.url("pgvitals_writer")).flag("server", "db");
    let site = Site::new(setup.flag("monitor-url", &store.url("postgres")));
    let failed = |answer: &Value| -> Vec<String> {
        let steps = answer["steps"].as_array().unwrap().iter().filter(|step| step["ok"] == false);
        steps.map(|step| step["name"].as_str().unwrap().to_owned()).collect()
    };
    admin.query("insert into pgvitals.servers (server) values ('db')");
    admin.query("revoke insert on pgvitals.reports from pgvitals_writer");
    let partly = site.answer(DAILY, 207);
    assert_eq!((failed(&partly), &partly["success"]), (vec!["reports".to_owned()], &false.into()), "{partly}");
    assert_eq!(steps(&partly), ["roll_up", "retention", "forecasts", "reports"]);
    let why = partly["steps"][3]["error"].as_str().unwrap();
    assert!(why.contains("reports"), "{why}");
    admin.query("grant insert on pgvitals.reports to pgvitals_writer");
    let rest = site.answer(DAILY, 200);
    assert_eq!((steps(&rest), &rest["steps"][0]["count"]), (vec!["reports"], &1.into()), "{rest}");
    assert_eq!(site.answer(DAILY, 200)["skipped"], "already_done");

    admin.query("revoke select on pgvitals.alerts from pgvitals_writer");
    let partly = site.answer(HOURLY, 207);
    assert_eq!(failed(&partly), ["alerts"], "{partly}");
    let rounds = "select count(*) from pgvitals.server_samples";
    assert_eq!(admin.value(rounds), "1", "what was seen is kept");
    admin.query("grant select on pgvitals.alerts to pgvitals_writer");
    let rest = site.answer(HOURLY, 200);
    // The hour may have ended in between.
    if rest["started_at"].as_str().unwrap()[..13] == partly["started_at"].as_str().unwrap()[..13] {
        assert_eq!(steps(&rest), ["alerts"], "{rest}");
        assert_eq!(admin.value(rounds), "1");
    }
}

/// A store that is away doesn't keep anybody from looking; what was seen is not kept, and the answer says so.
#[test]
fn without_its_store_a_look_fails_and_says_why() {
    let database = cluster().database();
    let away = Address::Tcp((std::net::Ipv4Addr::LOCALHOST, free_port()).into());
    let setup = Setup::before(&cluster().tcp).flag("store", &url(&away, "nowhere")).flag("server", "db");
    let site = Site::new(setup.flag("monitor-url", &url(&cluster().tcp, &database)));
    let failed = site.answer(HOURLY, 207);
    let said = failed["steps"][0]["error"].as_str().unwrap();
    assert!(said.contains("the store does not answer"), "{failed}");
}

/// `check` names what a role may not see, and the statement that an owner could run.
#[test]
fn check_names_the_missing_grants() {
    let database = cluster().database();
    let mut admin = cluster().client(&database);
    admin.query("create role looks_only login");
    admin.query(&format!("create database \"closed {database}\""));
    admin.query(&format!("revoke connect on database \"closed {database}\" from public"));
    let check = |role: &str| {
        let url = url(&cluster().tcp, &database).replace("postgres@", &format!("{role}@"));
        let upstream = cluster().tcp.to_string();
        let arguments = ["check", "--http", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--upstream", &upstream];
        Tool::pgvitals().args(&arguments).args(&["--monitor-url", &url]).run().stdout
    };
    let said = check("looks_only");
    for remedy in ["GRANT pg_monitor TO looks_only", "GRANT pg_read_all_data TO looks_only"] {
        assert!(said.contains(remedy), "{remedy}: {said}");
    }
    assert!(said.contains(&format!("GRANT CONNECT ON DATABASE \"closed {database}\" TO looks_only")), "{said}");
    let said = check("postgres");
    assert!(said.contains("can be asked") && !said.contains("GRANT"), "{said}");
    admin.query(&format!("drop database \"closed {database}\""));
    admin.query("drop role looks_only");
    assert!(check("nobody_there").contains("FAIL  can't connect to"));
}
