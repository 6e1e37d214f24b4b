//! Tests of the whole room in process: events go into a recorder, its harvest into a view, requests into the router.

mod auth;
mod cron;
mod dashboard;
mod docs;
mod events;
mod fleet;
mod metrics;
mod params;
mod performance;
mod route;
mod serve;
mod session;
mod support;
