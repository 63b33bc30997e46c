//! The bank's own price for a pair: the middle, moved by a spread.

use money::{Amount, Asset};

use crate::Side;
use crate::rate::{Pair, Rate, Rounding};
use crate::route::Exact;

const MILLION: u128 = 1_000_000;

/// A price at which the bank trades with a customer, before the fee.
///
/// Amounts are rounded once, by less than one minor unit, to the side of the bank: what the customer pays up, what he gets down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Firm {
    /// The pair.
    pub pair: Pair,
    /// The customer's side: a bid buys base and pays quote.
    pub side: Side,
    /// The middle.
    pub mid: Rate,
    /// How far the customer's price is from it, in millionths; below a whole.
    pub spread_ppm: u32,
}

impl Firm {
    /// What is paid and what is taken for one amount; `None` where it does not fit, or the assets are others.
    #[must_use]
    pub fn deal(&self, exact: &Exact) -> Option<(Amount, Amount)> {
        let (pays, takes) = exact.assets();
        if (pays, takes) != self.assets() {
            return None;
        }
        let ppm = self.ppm()?;
        Some(match (exact, self.side) {
            (Exact::Pays { amount, takes }, Side::Bid) => {
                (*amount, self.mid.base_at(*amount, *takes, ppm, Rounding::Down)?)
            }
            (Exact::Pays { amount, takes }, Side::Ask) => {
                (*amount, self.mid.quote_at(*amount, *takes, ppm, Rounding::Down)?)
            }
            (Exact::Takes { amount, pays }, Side::Bid) => {
                (self.mid.quote_at(*amount, *pays, ppm, Rounding::Up)?, *amount)
            }
            (Exact::Takes { amount, pays }, Side::Ask) => {
                (self.mid.base_at(*amount, *pays, ppm, Rounding::Up)?, *amount)
            }
        })
    }

    /// The same in minor units, for a part of the amount, and not beyond `most` going out.
    pub(crate) fn deal_up_to(&self, exact: &Exact, minor: u128, most: Amount) -> Option<(u128, u128)> {
        let asset = exact.amount().asset();
        let part = match exact {
            Exact::Pays { takes, .. } => Exact::Pays { amount: Amount::new(asset, minor), takes: *takes },
            Exact::Takes { pays, .. } => Exact::Takes { amount: Amount::new(asset, minor), pays: *pays },
        };
        let (pays, takes) = self.deal(&part)?;
        let (pays, takes) = if takes.exceeds(most).ok()? {
            self.deal(&Exact::Takes { amount: most, pays: pays.asset() })?
        } else {
            (pays, takes)
        };
        Some((pays.minor(), takes.minor()))
    }

    /// What is paid, and what is taken.
    const fn assets(&self) -> (Asset, Asset) {
        match self.side {
            Side::Bid => (self.pair.quote, self.pair.base),
            Side::Ask => (self.pair.base, self.pair.quote),
        }
    }

    /// The customer's price in millionths of the middle.
    fn ppm(&self) -> Option<u128> {
        match self.side {
            Side::Bid => MILLION.checked_add(u128::from(self.spread_ppm)),
            Side::Ask => MILLION.checked_sub(u128::from(self.spread_ppm)),
        }
    }
}
