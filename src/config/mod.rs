//! Settings: flags over environment over file over default, all from one table of keys.
//!
//! No room imports this one: it fills in the `Settings` that each room declares. Reading order: [`key`] one setting,
//! [`keys`] the table, [`render`] what is generated from it, [`layers`] who said what, [`value`] text to typed values,
//! [`upstream`] addresses and URLs, [`load`] file, environment, flags, [`settings`] the rooms' settings, [`log`] what is
//! logged, [`tls`] a route's TLS, [`store`] the monitoring tables, [`collect`] who is asked, [`jobs`] when, [`rules`] levels and
//! alerts and [`notify`] who is told among them, [`error`] what is said when it can't be done.

mod collect;
pub mod error;
mod file;
mod host;
mod jobs;
pub mod key;
pub mod keys;
mod layers;
pub mod load;
pub mod log;
mod notify;
pub mod render;
mod rules;
mod settings;
mod store;
mod tls;
mod upstream;
mod value;

#[cfg(test)]
mod tests;
