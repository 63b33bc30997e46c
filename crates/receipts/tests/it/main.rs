//! Integration tests: outside proof vectors, trees of every small size, notes, checkpoints, receipts and their golden files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod golden;
mod hostile;
mod notes;
mod statements;
mod support;
mod trees;
mod vectors;
