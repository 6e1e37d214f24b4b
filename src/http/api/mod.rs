//! Endpoints that answer in JSON, in the shapes of API.md.
//!
//! Reading order: [`performance`] dispatches by metric; [`choices`] values that have names, [`params`] what may be asked,
//! [`ask`] what was asked; [`past`] what the tables answer of it, [`figures`] memory and tables together; [`shape`] what several
//! answers have in common; one file per metric ([`summary`], [`queries`] and their [`statement`], [`query`] with its
//! [`baseline`], [`timeline`], [`tags`], [`active`], [`slow`], [`alerts`], [`fleet`]); of monitored [`servers`] what was [`seen`]
//! at the [`latest`] look, shown as [`indexes`], [`bloat`], [`capacity`], one [`object`] of it, [`recommendations`] with [`changes`] of statements,
//! [`coverage`]; [`made_up`] whether figures were measured at all; [`kept`] what of all this the next question finds; [`csv`] the
//! same rows for spreadsheets; [`events`] the stream; [`cron`] jobs for schedulers outside; [`openapi`] the description, generated
//! from all of these.

pub(super) mod active;
pub(super) mod alerts;
pub(super) mod ask;
pub(super) mod baseline;
pub(super) mod bloat;
pub(super) mod capacity;
pub(super) mod changes;
pub(super) mod choices;
pub(super) mod coverage;
pub(super) mod cron;
pub(super) mod csv;
pub(super) mod events;
pub(super) mod figures;
pub(super) mod fleet;
pub(super) mod indexes;
pub(super) mod kept;
pub(super) mod latest;
pub(super) mod made_up;
pub(super) mod object;
pub(super) mod openapi;
pub(super) mod params;
pub(super) mod past;
pub(super) mod performance;
pub(super) mod queries;
pub(super) mod query;
pub(super) mod recommendations;
pub(super) mod seen;
pub(super) mod servers;
pub(super) mod shape;
pub(super) mod slow;
pub(super) mod statement;
pub(super) mod summary;
pub(super) mod tags;
pub(super) mod timeline;
