//! What is true now and in the last hour: the one thing that HTTP, metrics and the terminal read.
//!
//! [`LiveView`] is the merged state itself. All its parts are shared: a clone costs a few counters and never changes,
//! and the one who merges copies only what a reader still holds.
//!
//! Reading order: [`answer`] questions and answers, [`view`] how harvests come in, [`read`] how questions are answered,
//! [`order`] which rows come first, [`cumulative`], [`sessions`], [`active`] and [`second`] the parts beside the history.

mod active;
mod answer;
mod cumulative;
mod order;
mod read;
mod second;
mod sessions;
mod view;

pub use answer::{
    ActiveState, ActiveStatement, ActiveTransaction, Filter, GroupBy, KnownQuery, Reason, SlowExecution, StatementRow,
    Tag, TagRow, TimelinePoint, Window,
};
pub use cumulative::Cumulative;
pub use order::{Page, Sort, sort_rows};
pub use sessions::SessionStats;
pub use view::LiveView;
