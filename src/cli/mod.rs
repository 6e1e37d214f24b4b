//! One file per command.

pub mod fingerprint;
