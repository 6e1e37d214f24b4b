//! Tests of the room as a whole: from what sessions tell to what readers see.

mod bounds;
mod churn;
mod history;
mod reading;
pub(crate) mod sample;
pub(crate) mod support;
mod totals;
