//! TLS without sockets and without PostgreSQL: who pgvitals is, whom it trusts, and files that are read again.
//!
//! Reading order: [`settings`] what the owner may set, [`files`] contents read at one moment, [`identity`] a certificate
//! with its key, [`trust`] whom to believe, by libpq's rules, [`subject`] the one name of a certificate that webpki
//! leaves out, [`store`] both sides of each route, made anew when files change, [`error`] what can be wrong.
//!
//! TLS 1.2 and 1.3 alone; sessions can be resumed. The cryptography is `ring`'s: it builds with Rust and a C compiler.

pub mod error;
mod files;
mod identity;
pub mod settings;
pub mod store;
mod subject;
mod trust;

#[cfg(test)]
mod tests;
