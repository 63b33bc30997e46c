//! Convert: a firm price for one amount, for a short time, to be taken once.
//!
//! [`Desk::decide_offer`] answers a [`QuoteRequest`] with an [`Offer`]: what is paid, what is taken, the fee, and until when. Whoever it was made for takes it by
//! [`Desk::decide_accept`], naming the hash of its terms; there is no last look. The bank delivers from what it has, so all open offers together never promise
//! more than that; where the bank gets it again is the offer's [`Route`](crate::route::Route).
//!
//! The price is the middle of [`crate::price`], moved to the bank's side by a spread: by size, by how much the price moves while the offer is open, and by how far
//! the bank's stock is from where it wants it. Books and pools stand beside it on one ladder, so that the customer gets what is best.
//!
//! **Rounding.** The price of a venue rounds once and the fee once, each by less than one minor unit and each to the side of the bank: what the customer pays up,
//! what he takes down.
//!
//! **Invariants.** An offer is accepted at most once, by its own customer, before its end, on the terms that were shown. It ends by being accepted or by time. What
//! open offers promise is never more than the bank had when the last of them was made.
//!
//! It holds no balance and posts nothing; it asks nobody for a price.

mod change;
mod desk;
mod firm;
mod offer;
mod refusal;
mod spread;

pub use change::{Accept, EndedOffer, OfferEnd, QuoteChange, Stock};
pub use desk::{Desk, ENDED_MAX, OPEN_MAX, OPEN_PER_CUSTOMER_MAX};
pub use firm::Firm;
pub use offer::{Offer, OfferId, QuoteRequest, TermsHash};
pub use refusal::QuoteRefusal;
pub use spread::{ConvertTerms, SizeBand, Spread};

#[cfg(test)]
mod tests;
