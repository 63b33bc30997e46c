//! Integration tests: own small schema, outside samples, a second opinion, hostile bytes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod hostile;
mod mutants;
mod samples;
mod second_opinion;
mod small;
mod vectors;
mod views;
