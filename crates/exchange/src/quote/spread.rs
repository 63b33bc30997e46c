//! The terms of convert for a pair, and the spread that follows from them.

use minicbor::{Decode, Encode};
use money::Amount;

use super::QuoteRefusal;
use crate::Side;
use crate::price::{Mid, Pair, moves_ppm};
use crate::wide::mul_div_ceil;

const MILLION: u128 = 1_000_000;
/// Most bands of sizes.
const BANDS_MAX: usize = 16;
/// Largest spread and fee that terms may allow, a half: a price that is further away is a mistake.
const PPM_MAX: u32 = 500_000;
/// Longest lock, ten minutes.
const LOCK_MS_MAX: u64 = 600_000;

/// The spread for amounts up to a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct SizeBand {
    /// The size, in quote.
    #[n(0)]
    pub up_to: Amount,
    /// The spread in millionths.
    #[n(1)]
    pub spread_ppm: u32,
}

/// How a pair is converted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConvertTerms {
    /// Spreads by size, sizes rising; what is above the last is not converted. At most 16.
    #[n(0)]
    pub bands: Vec<SizeBand>,
    /// The least that is converted, in quote; above zero.
    #[n(1)]
    pub least: Amount,
    /// How long an offer is open, in milliseconds; above zero and at most ten minutes.
    #[n(2)]
    pub lock_ms: u64,
    /// How much of what the price moves in that time goes into the spread, in millionths; 1,000,000 is one standard deviation.
    #[n(3)]
    pub volatility_share_ppm: u32,
    /// How much base the bank wants to have.
    #[n(4)]
    pub target: Amount,
    /// How far from the target the skew is whole; above zero.
    #[n(5)]
    pub target_band: Amount,
    /// The whole skew in millionths: what brings the bank nearer to its target is cheaper by it, what takes it further away is dearer.
    #[n(6)]
    pub skew_ppm: u32,
    /// The widest spread in millionths; where it would be wider there is no offer. At most a half.
    #[n(7)]
    pub spread_max_ppm: u32,
    /// The fee in millionths of what changes hands in quote, rounded up. At most a half.
    #[n(8)]
    pub fee_ppm: u32,
}

/// A spread and what it is made of, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Spread {
    /// By size.
    #[n(0)]
    pub size_ppm: u32,
    /// By how much the price moves while the offer is open.
    #[n(1)]
    pub volatility_ppm: u32,
    /// By the bank's stock; below zero where the customer helps it.
    #[n(2)]
    pub skew_ppm: i32,
    /// All together, not below zero: nobody gets a better price than the middle.
    #[n(3)]
    pub total_ppm: u32,
}

impl ConvertTerms {
    /// What is wrong with them for a pair.
    pub(super) fn check(&self, pair: Pair) -> Result<(), &'static str> {
        let in_quote = self.bands.iter().map(|band| band.up_to).chain([self.least]);
        if pair.base == pair.quote || in_quote.into_iter().any(|amount| amount.asset() != pair.quote) {
            return Err("sizes are in quote, and a pair has two assets");
        }
        if self.target.asset() != pair.base || self.target_band.asset() != pair.base {
            return Err("the target and its band are in base");
        }
        if self.bands.is_empty() || self.bands.len() > BANDS_MAX {
            return Err("there are 1 to 16 bands");
        }
        let sizes = self.bands.iter().zip(self.bands.iter().skip(1));
        if sizes.into_iter().any(|(band, next)| band.up_to.minor() >= next.up_to.minor()) {
            return Err("the sizes of the bands must rise");
        }
        if self.least.is_zero() || self.target_band.is_zero() {
            return Err("the least amount and the band of the target must be above zero");
        }
        if !(1..=LOCK_MS_MAX).contains(&self.lock_ms) {
            return Err("an offer is open for up to ten minutes");
        }
        if self.spread_max_ppm > PPM_MAX || self.fee_ppm > PPM_MAX {
            return Err("a spread or fee is above a half");
        }
        Ok(())
    }

    /// The spread for a size in quote, at this middle, with this much base in stock.
    ///
    /// # Errors
    /// [`QuoteRefusal::TooSmall`], [`QuoteRefusal::TooLarge`], [`QuoteRefusal::SpreadTooWide`].
    pub fn spread(&self, side: Side, size: Amount, mid: &Mid, base: Amount) -> Result<Spread, QuoteRefusal> {
        if size.minor() < self.least.minor() {
            return Err(QuoteRefusal::TooSmall { size, least: self.least });
        }
        let most = self.bands.last().map_or(self.least, |band| band.up_to);
        let band = self.bands.iter().find(|band| size.minor() <= band.up_to.minor());
        let size_ppm = band.ok_or(QuoteRefusal::TooLarge { size, most })?.spread_ppm;
        let moves = u128::from(moves_ppm(mid.volatility_ppb, self.lock_ms));
        let volatility = mul_div_ceil(moves, u128::from(self.volatility_share_ppm), MILLION);
        let volatility_ppm = narrow(volatility);
        let skew_ppm = self.skew(side, base);
        let total =
            i64::from(size_ppm).saturating_add(i64::from(volatility_ppm)).saturating_add(i64::from(skew_ppm));
        let total_ppm = u32::try_from(total.max(0)).unwrap_or(u32::MAX);
        if total_ppm > self.spread_max_ppm {
            return Err(QuoteRefusal::SpreadTooWide { spread_ppm: total_ppm, most_ppm: self.spread_max_ppm });
        }
        Ok(Spread { size_ppm, volatility_ppm, skew_ppm, total_ppm })
    }

    /// In proportion to the distance from the target, up to the whole skew; rounded against the customer.
    fn skew(&self, side: Side, base: Amount) -> i32 {
        let distance = base.minor().abs_diff(self.target.minor()).min(self.target_band.minor());
        let has_too_much = base.minor() > self.target.minor();
        // A customer who buys base helps a bank that has too much of it.
        let helps = has_too_much == (side == Side::Bid);
        let (skew, band) = (u128::from(self.skew_ppm), self.target_band.minor());
        let part = if helps {
            crate::wide::mul_div_floor(skew, distance, band)
        } else {
            mul_div_ceil(skew, distance, band)
        };
        let part = i32::try_from(part.unwrap_or(0)).unwrap_or(i32::MAX);
        if helps { part.saturating_neg() } else { part }
    }
}

fn narrow(ppm: Option<u128>) -> u32 {
    ppm.and_then(|ppm| u32::try_from(ppm).ok()).unwrap_or(u32::MAX)
}
