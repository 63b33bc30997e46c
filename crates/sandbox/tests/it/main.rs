//! Integration tests: every flow and every fault on the pure world, the replay of its log, and the process over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod bench;
mod checks;
mod day;
mod faults;
mod http;
mod inbound;
mod market;
mod outbound;
mod properties;
mod replay;
mod returns;
