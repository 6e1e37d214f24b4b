//! TLS on both legs, with real servers, real libpq and those who mean no good (PROTOCOL §1, §2).
//!
//! Reading order: [`negotiation`] how TLS begins and what is refused, [`trust`] whose certificate is believed,
//! [`traffic`] the same bytes as without, [`binding`] who can authenticate how: `docs/channel-binding.md`.

mod binding;
mod negotiation;
mod traffic;
mod trust;

use crate::support::pgvitals::{Pgvitals, Setup};
use crate::support::pki::Pair;
use crate::support::postgres::Cluster;

/// pgvitals in front of a server, with TLS towards clients (`client`) and server (`upstream`).
fn before(cluster: &Cluster, client: &str, upstream: &str) -> Setup {
    Setup::before(&cluster.tcp).flag("tls-client", client).flag("tls-upstream", upstream)
}

/// Shows this certificate to clients.
fn showing(setup: Setup, pair: &Pair) -> Setup {
    let [cert, key] = pair.text();
    setup.flag("tls-cert", &cert).flag("tls-key", &key)
}

/// How often TLS came out so on this leg.
fn outcomes(pgvitals: &Pgvitals, leg: &str, outcome: &str) -> u64 {
    pgvitals.metric(&format!("pgvitals_tls_startups_total{{leg=\"{leg}\",outcome=\"{outcome}\"}}")) as u64
}
