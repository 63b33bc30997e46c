//! How much a price moves, in integers.
//!
//! The variance for one second is the weighted mean of squared returns, each divided by the seconds it took; the weight of what is old halves in the half-life.
//! Between two samples lies a second at least: below it, what the median does when sources take turns is not the market's movement.
//! The weight of a sample that took t is t ÷ (t + 1.4427 · half-life), the rational neighbour of 1 − 2^(−t ÷ half-life): equal for short times, and always below one.

use minicbor::{Decode, Encode};
use money::Timestamp;

use crate::rate::Rate;
use crate::wide;

/// Shortest time between two samples.
const SAMPLE_MS_MIN: u64 = 1_000;
/// Largest return of one sample that counts, in thousand-millionths: a thousandfold.
const RETURN_PPB_MAX: u128 = 1_000_000_000_000;
/// 1 ÷ ln 2 in ten-thousandths.
const PER_LN_2_E4: u64 = 14_427;

/// What is kept between samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Volatility {
    /// The price of the last sample.
    #[n(0)]
    rate: Rate,
    /// When it was.
    #[n(1)]
    at: Timestamp,
    /// Squared thousand-millionths for one second.
    #[cbor(n(2), with = "money::wide")]
    variance: u128,
}

impl Volatility {
    /// The first sample.
    pub(super) const fn new(rate: Rate, at: Timestamp) -> Self {
        Self { rate, at, variance: 0 }
    }

    /// After one more price.
    pub(super) fn with(self, rate: Rate, at: Timestamp, half_life_ms: u64) -> Self {
        let took_ms = at.since(self.at);
        if took_ms < SAMPLE_MS_MIN {
            return self;
        }
        let variance = self.weighed(rate, took_ms, half_life_ms).unwrap_or(self.variance);
        Self { rate, at, variance }
    }

    fn weighed(self, rate: Rate, took_ms: u64, half_life_ms: u64) -> Option<u128> {
        let moved = rate.distance_ppb(self.rate)?.min(RETURN_PPB_MAX);
        let sample = moved.checked_mul(moved)?.checked_mul(1_000)?.checked_div(u128::from(took_ms))?;
        let memory = half_life_ms.checked_mul(PER_LN_2_E4)?.checked_div(10_000)?;
        let all = u128::from(took_ms.checked_add(memory)?);
        let new = wide::mul_div_floor(sample, u128::from(took_ms), all)?;
        wide::mul_div_floor(self.variance, u128::from(memory), all)?.checked_add(new)
    }

    /// Thousand-millionths in the root of a second.
    pub(super) fn ppb(self) -> u64 {
        u64::try_from(self.variance.isqrt()).unwrap_or(u64::MAX)
    }
}

/// How far a price with this volatility moves in the ordinary course within a time, in millionths, rounded up.
#[must_use]
pub fn moves_ppm(volatility_ppb: u64, within_ms: u64) -> u64 {
    let volatility = u128::from(volatility_ppb);
    // v² · t, with the thousand of milliseconds and the thousand from 10⁻⁹ to 10⁻⁶ taken out of the root.
    let square = volatility.saturating_mul(volatility);
    let ppb = wide::root(wide::product(square, u128::from(within_ms).saturating_mul(1_000)));
    u64::try_from(ppb.div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
