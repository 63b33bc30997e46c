//! The two curves under one set of questions. All numbers are in 10⁻¹⁸ units of value.

use std::cmp::Ordering;

use minicbor::{Decode, Encode};
use ruint::aliases::{U256, U512};

use super::stable;
use crate::wide::{self, narrow, product};

/// How a pool prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Curve {
    /// The product of two reserves stays: for assets whose prices move freely.
    #[n(0)]
    Product,
    /// StableSwap: for assets that should be worth the same, two to four.
    #[n(1)]
    Stable {
        /// The paper's A · nⁿ⁻¹; how flat the curve is near balance. At least 1.
        #[n(0)]
        amplification: u32,
    },
}

impl Curve {
    /// The invariant: StableSwap's D, or the root of the product, rounded down.
    pub(super) fn invariant(self, values: &[u128]) -> Option<u128> {
        match (self, values) {
            (Self::Product, [x, y]) => Some(wide::root(product(*x, *y))),
            (Self::Product, _) => None,
            (Self::Stable { amplification }, _) => stable::invariant(amplification, values)
                .or_else(|| stable::invariant_exact(amplification, values)),
        }
    }

    /// The least value of coin `of` with which `values` keep what they have when the others become as given in `after`.
    pub(super) fn kept(self, before: &[u128], invariant: u128, after: &[u128], of: usize) -> Option<u128> {
        match (self, before) {
            (Self::Product, [x, y]) => {
                let other = other(after, of)?;
                let (whole, rest) = divide(product(*x, *y), other)?;
                narrow(whole)?.checked_add(u128::from(rest))
            }
            (Self::Product, _) => None,
            (Self::Stable { amplification }, _) => stable::balance(amplification, invariant, after, of),
        }
    }

    /// The value of coin `of` with which the others in `values` reach an invariant, to the side of the pool as far as the curve is exact.
    pub(super) fn reaching(self, invariant: u128, values: &[u128], of: usize) -> Option<u128> {
        match self {
            // The root was rounded down: the product itself may be anything below the next square.
            Self::Product => {
                let next = invariant.checked_add(1)?;
                let (whole, rest) = divide(product(next, next), other(values, of)?)?;
                narrow(whole)?.checked_add(u128::from(rest))
            }
            Self::Stable { amplification } => {
                stable::balance(amplification, invariant, values, of)?.checked_add(1)
            }
        }
    }

    /// Compares what one share is worth after with what it was worth before. Exact for a product; for StableSwap to a millionth of a unit of D, and where that
    /// is not enough to tell, it says less.
    pub(super) fn share_worth(
        self,
        (before, shares_before): (&[u128], u128),
        (after, shares_after): (&[u128], u128),
    ) -> Option<Ordering> {
        match (self, before, after) {
            (Self::Product, [x, y], [x_after, y_after]) => {
                // k' · s² against k · s'², each side below 2^512.
                let side =
                    |k: U256, shares: u128| U512::from(k).checked_mul(U512::from(product(shares, shares)));
                let kept = side(product(*x, *y), shares_after)?;
                Some(side(product(*x_after, *y_after), shares_before)?.cmp(&kept))
            }
            (Self::Product, _, _) => None,
            (Self::Stable { amplification }, _, _) => {
                let bits = fine_bits(before).min(fine_bits(after));
                let fine = |values: &[u128]| {
                    let values: Vec<u128> = values.iter().map(|value| value << bits).collect();
                    stable::invariant_exact(amplification, &values)
                };
                let kept = product(fine(before)?.checked_add(1)?, shares_after);
                Some(product(fine(after)?, shares_before).cmp(&kept))
            }
        }
    }
}

/// By how many bits values can be made finer, at most twenty: D grows with them in proportion. Their sum must still fit.
fn fine_bits(values: &[u128]) -> u32 {
    let largest = values.iter().copied().max().unwrap_or(0);
    largest.leading_zeros().saturating_sub(3).min(20)
}

/// The value of the coin that is not `of`, of two.
fn other(values: &[u128], of: usize) -> Option<u128> {
    match (values, of) {
        ([_, y], 0) => Some(*y),
        ([x, _], 1) => Some(*x),
        _ => None,
    }
}

/// Quotient, and whether anything is left.
fn divide(value: U256, by: u128) -> Option<(U256, bool)> {
    let by = U256::from(by);
    Some((value.checked_div(by)?, !value.checked_rem(by)?.is_zero()))
}
