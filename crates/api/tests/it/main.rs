//! The interface from outside: a real node and real read models in a folder of their own, a software authenticator as the customer's phone.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]
#![expect(clippy::arithmetic_side_effects, reason = "figures of a test are small")]

mod contract;
mod guarding;
mod live;
mod markets;
mod paying;
mod reading;
mod refusals;
mod signing_in;
mod support;
