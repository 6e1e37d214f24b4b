//! Endpoints that answer in JSON.
