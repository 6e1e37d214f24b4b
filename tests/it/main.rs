//! pgvitals in front of real servers: what an application, its owner and an attacker can see from outside.
//!
//! Servers and drivers come from `scripts/bootstrap`. Each test quotes the sentence that it proves. Reading order:
//! [`support`], [`harness`] (the servers themselves), then one module per promise.

#![allow(clippy::unwrap_used, clippy::string_slice, clippy::print_stderr)] // A panic is a test's way to fail.

mod alerts;
mod browser;
mod calls;
mod cancel;
mod clients;
mod copy;
mod demo;
mod deploy;
mod docs;
mod faults;
mod groups;
#[cfg(feature = "fault-injection")]
mod harmless;
mod harness;
mod health;
mod http;
mod inherited;
mod jobs;
mod life;
mod limits;
mod notify;
mod pipeline;
mod reload;
mod rolling;
mod routes;
mod serve;
mod startup;
mod store;
mod support;
mod tls;
mod top;
mod transparency;
mod truth;
mod upstream;
