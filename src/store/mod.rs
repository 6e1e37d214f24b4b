//! Monitoring tables: what was measured outlives the process, adds up across a fleet, and answers in plain SQL
//! (docs/design/store.md).
//!
//! Reading order: [`settings`] what the owner may set, [`schema`] names in it and templates of SQL, `migrations/` the
//! tables and functions themselves, [`script`] them in order, [`migrate`] applies them, [`examine`] says what will and
//! won't work.

pub mod examine;
pub mod migrate;
pub mod schema;
pub mod script;
pub mod settings;
