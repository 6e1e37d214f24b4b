//! `pgvitals serve` (STORE §4): [`place`] a fleet's one place to look at, [`duties`] what it does for all and what sidecars
//! leave to it, [`told`] who is told, also of a store that is away.

mod duties;
mod place;
mod told;

use crate::alerts::eager;
use crate::store::Store;
use crate::store::writing::writing;
use crate::support::client::Client;
use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::postgres::Cluster;

const HOURLY: &str = "/api/cron/hourly-monitoring";
const DAILY: &str = "/api/cron/daily-maintenance";

/// One that serves this store, judges each second, and whose own scheduler looks at nothing.
fn serving(store: &Store) -> Setup {
    eager(Setup::serving(&store.url("postgres")).flag("jobs-hourly", "off").flag("jobs-daily", "off"))
}

/// A sidecar that writes to this store, by the name of the server behind it, and would judge each second.
fn sidecar(store: &Store, server: &str) -> Setup {
    calm_sidecar(store, server).flag("alerts-interval", "1s").flag("alerts-learn", "0")
}

/// The same that judges when it judges.
fn calm_sidecar(store: &Store, server: &str) -> Setup {
    let setup = writing(Cluster::any(), &store.url("postgres")).flag("server", server);
    setup.flag("slow-threshold", "1us").flag("jobs-hourly", "off").flag("jobs-daily", "off")
}

/// Statements through a sidecar: something to write each second.
fn busy(sidecar: &Pgvitals) {
    let mut client = Client::connect(sidecar.address(), "postgres");
    (0..3).for_each(|_| drop(client.query("select 1 as something /* route='/something' */")));
}
