//! Liquidity: putting assets in for shares, and giving shares back.
//!
//! What is not in the proportion of the reserves changes the price as a swap would. It pays the swap's fee on the part that was in effect swapped:
//! with n coins, n ÷ 4(n−1) of the fee on the distance of each reserve from where the same change in proportion would have put it.

use std::cmp::Ordering;

use money::Amount;

use super::{Pool, PoolChange, PoolRefusal, SHARES_FIRST_MIN, SHARES_LOCKED, at_least, values};
use crate::wide::{mul_div_ceil, mul_div_floor};

const MILLION: u128 = 1_000_000;
/// How often a margin doubles to get past the rounding of the curve.
const CORRECTIONS_MAX: u32 = 32;

impl Pool {
    pub(super) fn add(&self, pays: &[Amount], shares_least: Amount) -> Result<PoolChange, PoolRefusal> {
        if pays.iter().all(Amount::is_zero) {
            return Err(PoolRefusal::ZeroAmount);
        }
        self.check_places(pays)?;
        self.check_shares(shares_least)?;
        let pairs = self.reserves.iter().zip(pays);
        let after: Option<Vec<Amount>> = pairs.map(|(reserve, paid)| reserve.plus(*paid).ok()).collect();
        let after = values(&self.terms.coins, &after.ok_or(PoolRefusal::OutOfRange)?);
        let after = after.ok_or(PoolRefusal::OutOfRange)?;
        let none = Amount::zero(self.terms.share);
        let (shares, locked) = if self.is_empty() {
            (self.first_shares(pays, &after)?, Amount::new(self.terms.share, SHARES_LOCKED))
        } else {
            (Amount::new(self.terms.share, self.more_shares(&after).ok_or(PoolRefusal::OutOfRange)?), none)
        };
        if shares.is_zero() {
            return Err(PoolRefusal::Dust);
        }
        at_least(shares, shares_least)?;
        Ok(PoolChange::Added { paid: pays.to_vec(), shares, locked })
    }

    pub(super) fn remove(&self, shares: Amount, takes_least: &[Amount]) -> Result<PoolChange, PoolRefusal> {
        self.check_places(takes_least)?;
        self.check_given_back(shares)?;
        let part = |reserve: &Amount| {
            let minor = mul_div_floor(reserve.minor(), shares.minor(), self.shares.minor())?;
            Some(Amount::new(reserve.asset(), minor))
        };
        let taken: Option<Vec<Amount>> = self.reserves.iter().map(part).collect();
        let taken = taken.ok_or(PoolRefusal::OutOfRange)?;
        if taken.iter().all(Amount::is_zero) {
            return Err(PoolRefusal::Dust);
        }
        taken.iter().zip(takes_least).try_for_each(|(got, least)| at_least(*got, *least))?;
        Ok(PoolChange::Removed { taken, shares })
    }

    pub(super) fn remove_one(&self, shares: Amount, takes_least: Amount) -> Result<PoolChange, PoolRefusal> {
        let (place, _) = self.coin(takes_least.asset())?;
        self.check_given_back(shares)?;
        let minor = self.one_for(shares.minor(), place).ok_or(PoolRefusal::OutOfRange)?;
        if minor == 0 {
            return Err(PoolRefusal::Dust);
        }
        let got = Amount::new(takes_least.asset(), minor);
        at_least(got, takes_least)?;
        let mut taken: Vec<Amount> =
            self.reserves.iter().map(|reserve| Amount::zero(reserve.asset())).collect();
        if let Some(slot) = taken.get_mut(place) {
            *slot = got;
        }
        Ok(PoolChange::Removed { taken, shares })
    }

    fn check_places(&self, amounts: &[Amount]) -> Result<(), PoolRefusal> {
        if amounts.len() != self.terms.coins.len() {
            let (given, coins) = (amounts.len(), self.terms.coins.len());
            return Err(PoolRefusal::AmountsMissing { given, coins });
        }
        let mut pairs = amounts.iter().zip(&self.terms.coins);
        match pairs.find(|(amount, coin)| amount.asset() != coin.asset) {
            Some((amount, _)) => Err(PoolRefusal::NotInPool { asset: amount.asset() }),
            None => Ok(()),
        }
    }

    fn check_shares(&self, shares: Amount) -> Result<(), PoolRefusal> {
        let asset = shares.asset();
        if asset == self.terms.share { Ok(()) } else { Err(PoolRefusal::NotInPool { asset }) }
    }

    /// Shares to give back: some, of this pool, and not the locked ones.
    fn check_given_back(&self, shares: Amount) -> Result<(), PoolRefusal> {
        if shares.is_zero() {
            return Err(PoolRefusal::ZeroAmount);
        }
        self.check_shares(shares)?;
        if self.is_empty() {
            return Err(PoolRefusal::Empty);
        }
        let has = Amount::new(self.terms.share, self.shares.minor().saturating_sub(SHARES_LOCKED));
        if shares.minor() > has.minor() {
            return Err(PoolRefusal::Exhausted { asked: shares, has });
        }
        Ok(())
    }

    /// The first shares are the invariant itself, less the locked ones.
    fn first_shares(&self, pays: &[Amount], after: &[u128]) -> Result<Amount, PoolRefusal> {
        let least = Amount::new(self.terms.share, SHARES_FIRST_MIN);
        if pays.iter().any(Amount::is_zero) {
            return Err(PoolRefusal::FirstTooSmall { got: Amount::zero(self.terms.share), least });
        }
        let invariant = self.terms.curve.invariant(after).ok_or(PoolRefusal::OutOfRange)?;
        if invariant < SHARES_FIRST_MIN {
            return Err(PoolRefusal::FirstTooSmall { got: Amount::new(self.terms.share, invariant), least });
        }
        Ok(Amount::new(self.terms.share, invariant.saturating_sub(SHARES_LOCKED)))
    }

    /// Shares in the proportion in which the invariant grows, after the fee on what is out of proportion.
    fn more_shares(&self, after: &[u128]) -> Option<u128> {
        let (curve, before) = (self.terms.curve, self.values()?);
        let (old, new) = (curve.invariant(&before)?, curve.invariant(after)?);
        let charged: Option<Vec<u128>> = before
            .iter()
            .zip(after)
            .map(|(before, after)| {
                let in_proportion = mul_div_floor(*before, new, old)?;
                after.checked_sub(self.imbalance_fee(in_proportion.abs_diff(*after))?)
            })
            .collect();
        let grown = curve.invariant(&charged?)?;
        // Both invariants are known to one digit: what was there counts for one more, what came for one less.
        let old = old.checked_add(1)?;
        let growth = grown.saturating_sub(1).saturating_sub(old);
        let shares = mul_div_floor(self.shares.minor(), growth, old)?;
        self.with_margin(|margin| {
            let shares = shares.saturating_sub(margin);
            Some((shares, after.to_vec(), self.shares.minor().checked_add(shares)?))
        })
    }

    /// How much of one coin, in its minor units, goes out for shares.
    fn one_for(&self, shares: u128, place: usize) -> Option<u128> {
        let (curve, before) = (self.terms.curve, self.values()?);
        let left = self.shares.minor().checked_sub(shares)?;
        let old = curve.invariant(&before)?;
        let new = mul_div_ceil(old, left, self.shares.minor())?;
        let alone = curve.reaching(new, &before, place)?;
        let charged: Option<Vec<u128>> = before
            .iter()
            .enumerate()
            .map(|(coin, value)| {
                let in_proportion = mul_div_floor(*value, new, old)?;
                let moved_to = if coin == place { alone } else { *value };
                value.checked_sub(self.imbalance_fee(in_proportion.abs_diff(moved_to))?)
            })
            .collect();
        let charged = charged?;
        let out = charged.get(place)?.saturating_sub(curve.reaching(new, &charged, place)?);
        let coin = self.terms.coins.get(place)?;
        let reserve = self.reserves.get(place)?.minor();
        self.with_margin(|margin| {
            let minor = coin.minor_of(out.saturating_sub(margin))?;
            let mut after = before.clone();
            *after.get_mut(place)? = coin.value_of(reserve.checked_sub(minor)?)?;
            Some((minor, after, left))
        })
    }

    /// Tries a result with a growing margin, in the curve's unit, until no share has lost anything by it; nothing is a result too.
    fn with_margin(&self, result: impl Fn(u128) -> Option<(u128, Vec<u128>, u128)>) -> Option<u128> {
        let before = self.values()?;
        let mut margin = 0_u128;
        for _ in 0..CORRECTIONS_MAX {
            let (result, after, shares) = result(margin)?;
            let worth = self.terms.curve.share_worth((&before, self.shares.minor()), (&after, shares))?;
            if result == 0 || worth != Ordering::Less {
                return Some(result);
            }
            margin = margin.saturating_mul(2).max(1);
        }
        None
    }

    /// The fee on a distance out of proportion, rounded up.
    fn imbalance_fee(&self, distance: u128) -> Option<u128> {
        let coins = u128::try_from(self.terms.coins.len()).ok()?;
        let parts = u128::from(self.terms.fee_ppm).checked_mul(coins)?;
        mul_div_ceil(distance, parts, MILLION.checked_mul(4)?.checked_mul(coins.checked_sub(1)?)?)
    }
}
