//! Steps that fail.

use super::{HOURLY, Site, cluster, steps, url};
use crate::support::address::Address;
use crate::support::pgvitals::Setup;
use crate::support::postgres::free_port;

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
    assert_eq!(errors, [true; 4], "{failed}");
    let mut client = cluster().client(&database);
    assert_eq!(client.value("select count(*) from pgvitals.server_samples"), "0");

    // By way of a second pgvitals it is there.
    let _way = Setup::default().route(away, &cluster().tcp).start();
    let ran = site.answer(HOURLY, 200);
    assert_eq!((&ran["success"], steps(&ran).len()), (&true.into(), 4), "{ran}");
    assert_eq!(client.value("select count(*) from pgvitals.server_samples"), "1");
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
