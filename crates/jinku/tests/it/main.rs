//! The binary and what it does with a data folder: history, audit, read models made again, power cuts.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test stops at the first surprise"
)]

mod audited;
mod backups;
mod books;
mod cells;
mod cluster;
mod commands;
mod fix;
mod golden;
mod markets;
mod order_book;
mod orders_in_bulk;
mod power_cut;
mod read_models;
mod support;
mod upgrade;
