//! Integration tests: the format, crashes, damage, files, followers, and random histories.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod crashes;
mod damage;
mod files;
mod followers;
mod golden;
mod histories;
mod releases;
mod support;
