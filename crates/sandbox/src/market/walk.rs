//! Prices as decimals, and their random walk: whole numbers throughout, so that a seed says the same everywhere.

use std::fmt;

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Serialize, Serializer};

const MILLION: i128 = 1_000_000;
/// Most decimals of a price.
const DECIMALS_MAX: usize = 8;
/// Digits beyond those that are shown, so that a small step is not lost.
const HIDDEN: i128 = 1_000_000;
/// Largest price in its last shown decimal: far from where numbers end.
const UNITS_MAX: i128 = 1_000_000_000_000_000_000;

/// A price above zero; it keeps six more digits than it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal {
    fine: i128,
    decimals: usize,
}

impl Decimal {
    /// Reads a plain decimal above zero with at most eight decimals.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) || fraction.len() > DECIMALS_MAX {
            return None;
        }
        let units: i128 = format!("{whole}{fraction}").parse().ok()?;
        Self { fine: units.checked_mul(HIDDEN)?, decimals: fraction.len() }.checked()
    }

    /// Moved by millionths of itself; `None` where nothing would be left, or too much.
    pub(super) fn moved(self, ppm: i64) -> Option<Self> {
        let factor = MILLION.checked_add(i128::from(ppm))?;
        let fine = self.fine.checked_mul(factor)?.checked_div(MILLION)?;
        Self { fine, ..self }.checked()
    }

    /// A bid and an ask so many millionths from it.
    pub(super) fn about(self, half_width_ppm: u32) -> (Self, Self) {
        let half = i64::from(half_width_ppm);
        (self.moved(half.saturating_neg()).unwrap_or(self), self.moved(half).unwrap_or(self))
    }

    fn checked(self) -> Option<Self> {
        let units = self.fine.checked_div(HIDDEN)?;
        (1..=UNITS_MAX).contains(&units).then_some(self)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.fine.checked_div(HIDDEN).unwrap_or(0);
        let digits = format!("{units:0>width$}", width = self.decimals.saturating_add(1));
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(self.decimals));
        if self.decimals == 0 { f.write_str(whole) } else { write!(f, "{whole}.{fraction}") }
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where the randomness of the market comes from.
#[derive(Debug)]
pub(super) struct Walk {
    random: ChaCha12Rng,
}

impl Walk {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: ChaCha12Rng::seed_from_u64(seed) }
    }

    /// A price after a step with this standard deviation.
    pub(super) fn step(&mut self, price: Decimal, deviation_ppm: u32) -> Decimal {
        // The sum of twelve even numbers below one has a variance of one: nearly a bell, never beyond six.
        let draws = (0..6).map(|_| self.random.next_u32());
        let sum: i64 = draws.map(|draw| i64::from(draw & 0xffff).saturating_add(i64::from(draw >> 16))).sum();
        let bell_e16 = sum.saturating_sub(6 * 0xffff);
        let step_e16 = i128::from(bell_e16).saturating_mul(i128::from(deviation_ppm));
        // Millionths of a millionth would be lost in ppm alone: the price keeps six hidden digits.
        let moved = price.fine.checked_mul(step_e16).and_then(|moved| moved.checked_div(MILLION << 16));
        let fine = moved.and_then(|moved| price.fine.checked_add(moved));
        fine.and_then(|fine| Decimal { fine, ..price }.checked()).unwrap_or(price)
    }
}
