//! The ground floor of IO: clock, shutdown, tasks, sockets. Knows neither the protocol nor SQL.
//!
//! Reading order: [`clock`] the only file that reads a clock, [`listen`] addresses and listeners, [`inherited`] sockets
//! that were there before the process, [`task`] named long-lived tasks, [`timers`] time for threads whose runtime has none,
//! [`shutdown`] the phases of an end.

pub mod clock;
pub mod inherited;
pub mod listen;
pub mod shutdown;
pub mod task;
pub mod timers;
