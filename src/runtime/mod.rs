//! The ground floor of IO: clock, shutdown, tasks, sockets. Knows neither the protocol nor SQL.
//!
//! Reading order: [`clock`] the only file that reads a clock, [`listen`] addresses and listeners, [`task`] named
//! long-lived tasks, [`timers`] time for threads whose runtime has none,
//! [`shutdown`] the phases of an end, [`process`] what this process costs.

pub mod clock;
pub mod listen;
pub mod process;
pub mod shutdown;
pub mod task;
pub mod timers;
