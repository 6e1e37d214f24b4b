//! The ground floor of IO: clock, shutdown, tasks, sockets.
