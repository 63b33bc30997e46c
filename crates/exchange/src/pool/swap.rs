//! Swaps: exactly this much in, or exactly this much out.

use std::cmp::Ordering;

use minicbor::{Decode, Encode};
use money::{Amount, Asset};

use super::{Coin, Curve, Pool, PoolRefusal};
use crate::wide;

const MILLION: u128 = 1_000_000;
/// How often a search steps by one minor unit, or doubles a margin, to get past the rounding of the curve.
const CORRECTIONS_MAX: u32 = 16;

/// A swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Swap {
    /// What goes into the pool.
    #[n(0)]
    pub paid: Amount,
    /// What goes out.
    #[n(1)]
    pub taken: Amount,
    /// What the curve would have given beyond that: the fee and the rounding, in the asset that goes out. It stays in the pool.
    #[n(2)]
    pub fee: Amount,
}

/// Two coins of a pool and the numbers that a swap between them starts from.
struct Way<'a> {
    pool: &'a Pool,
    values: Vec<u128>,
    invariant: u128,
    from: (usize, Coin),
    to: (usize, Coin),
}

impl Pool {
    /// What the pool would give in `to` for exactly `pays`.
    ///
    /// # Errors
    /// See [`Pool::decide`].
    pub fn swap_in(&self, pays: Amount, to: Asset) -> Result<Swap, PoolRefusal> {
        if pays.is_zero() {
            return Err(PoolRefusal::ZeroAmount);
        }
        let way = self.way(pays.asset(), to)?;
        let swap = way.give(pays)?;
        if swap.taken.is_zero() { Err(PoolRefusal::Dust) } else { Ok(swap) }
    }

    /// What the pool would ask in `from` for exactly `takes`: the least with which [`Pool::swap_in`] gives as much, but for the last digits of the curve.
    ///
    /// # Errors
    /// See [`Pool::decide`].
    pub fn swap_out(&self, takes: Amount, from: Asset) -> Result<Swap, PoolRefusal> {
        if takes.is_zero() {
            return Err(PoolRefusal::ZeroAmount);
        }
        let way = self.way(from, takes.asset())?;
        let has = self.reserve(way.to.0)?;
        if takes.minor() >= has.minor() {
            return Err(PoolRefusal::Exhausted { asked: takes, has });
        }
        let mut minor = way.ask(takes).ok_or(PoolRefusal::OutOfRange)?.max(1);
        let give = |minor| way.give(Amount::new(from, minor));
        let mut swap = give(minor)?;
        let mut step = 1_u128;
        for _ in 0..CORRECTIONS_MAX {
            if swap.taken.minor() >= takes.minor() {
                break;
            }
            minor = minor.checked_add(step).ok_or(PoolRefusal::OutOfRange)?;
            step = step.saturating_mul(2);
            swap = give(minor)?;
        }
        if swap.taken.minor() < takes.minor() {
            return Err(PoolRefusal::OutOfRange);
        }
        for _ in 0..CORRECTIONS_MAX {
            let Some(less) = minor.checked_sub(1).filter(|less| *less > 0) else { break };
            let cheaper = give(less)?;
            if cheaper.taken.minor() < takes.minor() {
                break;
            }
            (minor, swap) = (less, cheaper);
        }
        // What the pool would give beyond the exact sum stays in it, with the fee.
        let fee = swap.fee.minor().saturating_add(swap.taken.minor().saturating_sub(takes.minor()));
        Ok(Swap { taken: takes, fee: Amount::new(takes.asset(), fee), ..swap })
    }

    fn way(&self, from: Asset, to: Asset) -> Result<Way<'_>, PoolRefusal> {
        let (source, target) = (self.coin(from)?, self.coin(to)?);
        if from == to {
            return Err(PoolRefusal::SameAsset { asset: from });
        }
        if self.is_empty() {
            return Err(PoolRefusal::Empty);
        }
        let values = self.values().ok_or(PoolRefusal::OutOfRange)?;
        let invariant = self.terms.curve.invariant(&values).ok_or(PoolRefusal::OutOfRange)?;
        Ok(Way { pool: self, values, invariant, from: source, to: target })
    }
}

impl Way<'_> {
    /// What goes out for `pays`, after the fee; it may be nothing.
    fn give(&self, pays: Amount) -> Result<Swap, PoolRefusal> {
        let mut margin = 0;
        for _ in 0..CORRECTIONS_MAX {
            let (swap, after) = self.give_less(pays, margin).ok_or(PoolRefusal::OutOfRange)?;
            if swap.taken.is_zero() || self.keeps(&after).ok_or(PoolRefusal::OutOfRange)? {
                return Ok(swap);
            }
            // The last digits of D and y can meet so that D falls by one: the pool keeps a little more.
            margin = margin.saturating_mul(2).max(1);
        }
        Err(PoolRefusal::OutOfRange)
    }

    /// The swap with the pool keeping `margin` beyond the fee, and the values after it.
    fn give_less(&self, pays: Amount, margin: u128) -> Option<(Swap, Vec<u128>)> {
        let curve = self.pool.terms.curve;
        let mut after = self.values.clone();
        let paid_in = self.pool.reserves.get(self.from.0)?.minor().checked_add(pays.minor())?;
        *after.get_mut(self.from.0)? = self.from.1.value_of(paid_in)?;
        let kept = curve.kept(&self.values, self.invariant, &after, self.to.0)?;
        let out = self.values.get(self.to.0)?.saturating_sub(kept);
        let net = out.saturating_sub(fee(curve, self.pool.terms.fee_ppm, out)?).saturating_sub(margin);
        let taken = self.to.1.minor_of(net)?;
        let left = self.pool.reserves.get(self.to.0)?.minor().checked_sub(taken)?;
        *after.get_mut(self.to.0)? = self.to.1.value_of(left)?;
        let asset = self.to.1.asset;
        let fee = self.to.1.minor_of(out)?.saturating_sub(taken);
        Some((Swap { paid: pays, taken: Amount::new(asset, taken), fee: Amount::new(asset, fee) }, after))
    }

    /// What must come in for `takes`, after the curve and before the search for the least.
    fn ask(&self, takes: Amount) -> Option<u128> {
        let curve = self.pool.terms.curve;
        let net = self.to.1.value_of_ceil(takes.minor())?;
        let share = MILLION.checked_sub(u128::from(self.pool.terms.fee_ppm))?;
        let out = wide::mul_div_ceil(net, MILLION, share)?.max(net.checked_add(margin(curve))?);
        let mut after = self.values.clone();
        let target = after.get_mut(self.to.0)?;
        *target = target.checked_sub(out).filter(|left| *left > 0)?;
        let needed = curve.kept(&self.values, self.invariant, &after, self.from.0)?;
        let source = self.values.get(self.from.0)?;
        self.from.1.minor_of_ceil(needed.saturating_sub(*source))
    }

    /// Whether the invariant has not fallen.
    fn keeps(&self, after: &[u128]) -> Option<bool> {
        let worth = self.pool.terms.curve.share_worth((&self.values, 1), (after, 1))?;
        Some(worth != Ordering::Less)
    }
}

/// The fee on `out`. On the StableSwap curve it is rounded down and at least one, which covers the last digit of a balance found by steps; on a product,
/// whose balance is rounded up already, it is rounded up.
fn fee(curve: Curve, fee_ppm: u32, out: u128) -> Option<u128> {
    match curve {
        Curve::Product => wide::mul_div_ceil(out, u128::from(fee_ppm), MILLION),
        Curve::Stable { .. } => {
            Some(wide::mul_div_floor(out, u128::from(fee_ppm), MILLION)?.max(margin(curve)))
        }
    }
}

/// The least that a pool keeps of what its curve gives, in the curve's unit.
const fn margin(curve: Curve) -> u128 {
    match curve {
        Curve::Product => 0,
        Curve::Stable { .. } => 1,
    }
}
