//! Integration tests: scenarios as text, and properties of random command sequences.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod bench;
mod between_cells;
mod cells_apart;
mod on_markets;
mod opening;
mod people;
mod properties;
mod render;
mod scenarios;
mod steps;
