//! Rates in basis points.

use minicbor::{Decode, Encode};

/// A rate in basis points: 1 bps is one ten-thousandth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Bps(#[n(0)] u32);

impl Bps {
    /// Basis points in a whole.
    pub const WHOLE: u128 = 10_000;

    /// A rate of `value` basis points.
    #[must_use]
    pub const fn new(value: u32) -> Self {
        Self(value)
    }

    /// The basis points.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }
}
