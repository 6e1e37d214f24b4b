//! A month of an online shop that there never was, played back into the monitoring tables: so that pages, reports and alerts
//! can be seen full on the first day. What is played is marked as made up.
//!
//! Reading order: [`course`] the month's time and what goes wrong in it, `chance` numbers that look random; `spec`, `statements`
//! and `objects` what the shop asks and holds; [`shop`] figures of a statement and a time, [`month`] hour by hour, `rounds` what a
//! look at the server shows; `judged` what the rules say of all that. All of it is pure: seed and time in, figures out.
//! [`play`] writes it, through the writers and roll-ups that measured figures go through.

mod chance;
pub mod course;
mod judged;
pub mod month;
mod objects;
pub mod play;
mod rounds;
pub mod shop;
mod spec;
mod statements;
