//! Alerts in their tables (STORE §2): what is judged, what becomes of it, who is told, and what people do about it.
//!
//! Reading order: [`row`] an alert as its row, [`facts`] what is judged, [`conditions`] what instances say of themselves,
//! [`judging`] findings to rows in one transaction, [`notices`] who is told, [`reports`] of a day, [`silences`] who wants quiet, [`desk`] for people: lists, acknowledging, silencing.

pub mod conditions;
pub mod desk;
pub mod facts;
pub mod judging;
pub mod notices;
pub mod reports;
mod row;
mod silences;
