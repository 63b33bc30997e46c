//! The desk against a venue in memory, and the gateway against clients over sockets.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test stops at the first surprise"
)]

mod client;
mod desk;
mod gateway;
mod quickfix;
mod venue;
