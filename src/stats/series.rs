//! What is kept of one series over one span of time.

use super::histogram::Histogram;
use crate::base::units::Nanos;

/// Counters, sums and durations of the executions of one series (DESIGN §4). Everything adds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesStats {
    /// Executions, errors and aborted ones included.
    pub calls: u64,
    /// Those that ended with an error.
    pub errors: u64,
    /// Those during which the connection was lost.
    pub aborted: u64,
    /// Those that shared their span with others.
    pub batched: u64,
    /// Rows by command tag.
    pub rows: u64,
    /// Bytes of the client's messages.
    pub bytes_in: u64,
    /// Bytes of the server's answers.
    pub bytes_out: u64,
    /// Sum of durations.
    pub total: Nanos,
    /// Sum of times to the first row.
    pub first_row: Nanos,
    /// Executions that had a row.
    pub first_row_calls: u64,
    /// Sum of the estimates of waiting for the client.
    pub client_stall: Nanos,
    /// Shortest execution; meaningless without calls.
    pub min: Nanos,
    /// Longest execution, exact.
    pub max: Nanos,
    /// Executions by level: good, warning, alert, critical.
    pub levels: [u64; 4],
    /// ParseComplete answers.
    pub prepares: u64,
    /// Sum of Parse round trips, where they can be told.
    pub prepare_time: Nanos,
    /// Durations.
    pub durations: Histogram,
}
