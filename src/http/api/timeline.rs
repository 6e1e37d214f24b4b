//! `metric=timeline`: all data statements together, step by step.

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::Ask;
use super::shape::Series;
use crate::http::problem::Problem;

/// All data statements over time.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Timeline {
    /// As in `metric=query`.
    pub(in crate::http) series: Series,
}

/// The answer.
pub(in crate::http) fn timeline(ask: &Ask<'_>) -> Result<Timeline, Problem> {
    let step = ask.step()?;
    Ok(Timeline { series: Series::new(&ask.timeline(None), step) })
}
