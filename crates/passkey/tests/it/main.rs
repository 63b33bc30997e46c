//! Integration tests: outside vectors, ceremonies with the WebAuthn library, one refusal per check, codes, hostile bytes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod ceremony;
mod codes;
mod hostile;
mod keys;
mod refusals;
mod vectors;
