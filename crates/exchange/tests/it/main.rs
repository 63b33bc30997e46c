//! Integration tests of the exchange.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod agreement;
mod features;
mod flow;
mod golden;
mod stableswap;
