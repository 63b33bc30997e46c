//! What the binary `jinku` does, one module for each of its commands.

pub mod archive;
pub mod audit;
pub mod backup;
pub mod bench;
pub mod books;
pub mod bulk;
pub mod cells;
pub mod client;
pub mod cluster;
pub mod config;
pub mod demo;
pub mod drill;
pub mod fix_venue;
pub mod huge_pages;
pub mod iso;
pub mod notices;
pub mod opening;
pub mod operate;
mod prices;
pub mod process;
pub mod restore;
pub mod serve;
pub mod tenants;
pub mod verify;
mod worker;
