//! What the tests stand on: real servers, the program under test, clients and servers that say what a test wants.
//!
//! [`postgres`] a private cluster per major version, [`pgvitals`] the program under test, [`client`] and [`server`]
//! scripted peers, [`tool`] other people's programs, [`http`] what pgvitals tells, [`keeper`] processes that end with
//! us, [`pki`] certificates, [`ledger`] a load that notices what is lost or doubled, [`once`] answers as well, [`document`] what
//! is written for people, [`terminal`] a screen with keys, [`address`] and [`clock`].

pub(crate) mod address;
pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod document;
pub(crate) mod http;
pub(crate) mod keeper;
pub(crate) mod ledger;
pub(crate) mod once;
pub(crate) mod pgvitals;
pub(crate) mod pki;
pub(crate) mod postgres;
pub(crate) mod server;
pub(crate) mod terminal;
pub(crate) mod tool;
