//! Integration tests of the exchange.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod agreement;
mod flow;
mod golden;
mod stableswap;
