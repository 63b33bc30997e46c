//! The StableSwap curve in exact integers, after M. Egorov, "StableSwap: efficient mechanism for Stablecoin liquidity" (2019).
//!
//! With n coins, balances x, their sum S and product P, the invariant D solves `A·nⁿ·S + D = A·D·nⁿ + Dⁿ⁺¹ ÷ (nⁿ·P)`. Where the balances are near each
//! other the price stays near one; far from it, the curve becomes that of a constant product. Both D and a balance are found by Newton's method with
//! each division rounded down and a stop as soon as a step moves by one or less, so that every digit of a result is defined.
//!
//! The *amplification* here is the paper's A · nⁿ⁻¹, as pools commonly quote it. All balances are in one unit of value (see [`crate::pool::Coin`]).
//! These functions know no fee policy beyond [`trade`], no liquidity and no rounding in anybody's favour: [`crate::pool::Pool`] does.

use ruint::Uint;

/// Most steps of Newton's method. D falls by a part of itself at each step while far and the error is squared when near; what has not settled by then
/// goes round in a circle of the last digits.
const STEPS_MAX: usize = 255;
/// What the fee of [`trade`] is counted in.
const MILLION: u128 = 1_000_000;

/// The invariant D of these balances as Newton's method finds it; 0 where there is nothing at all.
///
/// Where reserves are far from each other (thousands to one and more) its last digits are not exact: the divisions lose them. `None` where the search
/// does not settle there, where a balance is zero and others are not, or where a number on the way does not fit 512 bits.
#[must_use]
pub fn invariant(amplification: u32, balances: &[u128]) -> Option<u128> {
    // Reserves far from each other need more than 256 bits on the way; the digits are the same.
    invariant_in::<256, 4>(amplification, balances)
        .or_else(|| invariant_in::<512, 8>(amplification, balances))
}

fn invariant_in<const BITS: usize, const LIMBS: usize>(
    amplification: u32,
    balances: &[u128],
) -> Option<u128> {
    let coins = Uint::<BITS, LIMBS>::from(balances.len());
    let leverage = Uint::from(amplification).checked_mul(coins)?;
    let sum = balances.iter().try_fold(Uint::ZERO, |sum, balance| sum.checked_add(Uint::from(*balance)))?;
    if sum.is_zero() {
        return Some(0);
    }
    let mut found = sum;
    for _ in 0..STEPS_MAX {
        // D ⁿ⁺¹ ÷ (nⁿ · P), one coin at a time.
        let mut power = found;
        for balance in balances {
            power = power.checked_mul(found)?.checked_div(coins.checked_mul(Uint::from(*balance))?)?;
        }
        let weighed = leverage.checked_mul(sum)?.checked_add(power.checked_mul(coins)?)?;
        let slope = leverage.checked_sub(Uint::ONE)?.checked_mul(found)?;
        let slope = slope.checked_add(coins.checked_add(Uint::ONE)?.checked_mul(power)?)?;
        let next = weighed.checked_mul(found)?.checked_div(slope)?;
        let step = next.abs_diff(found);
        found = next;
        if step <= Uint::ONE {
            return u128::try_from(found).ok();
        }
    }
    None
}

/// The largest whole D that is not above the invariant, exact in every digit, whatever the balances. `None` where their sum does not fit 128 bits.
///
/// It is slower than [`invariant`] by the search from there, which has one step where reserves are near each other.
#[must_use]
pub fn invariant_exact(amplification: u32, balances: &[u128]) -> Option<u128> {
    let sum = balances.iter().try_fold(0_u128, |sum, balance| sum.checked_add(*balance))?;
    let fits = |found| is_not_above(amplification, balances, sum, found);
    let near = invariant(amplification, balances).unwrap_or(sum).min(sum);
    // D lies between zero, which always fits, and the sum. Steps away from where Newton's method ended double, then the rest is halved.
    let (mut low, mut high) = (0, sum.checked_add(1)?);
    let mut step = 1_u128;
    if fits(near)? {
        low = near;
        while let Some(next) = low.checked_add(step).filter(|next| *next < high) {
            if !fits(next)? {
                high = next;
                break;
            }
            (low, step) = (next, step.saturating_mul(2));
        }
    } else {
        high = near;
        while let Some(next) = high.checked_sub(step) {
            if fits(next)? {
                low = next;
                break;
            }
            (high, step) = (next, step.saturating_mul(2));
        }
    }
    while high.abs_diff(low) > 1 {
        let middle = low.midpoint(high);
        if fits(middle)? {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(low)
}

/// Whether D is not above the invariant: `(l·S − (l−1)·D) · nⁿ · P ≥ Dⁿ⁺¹` with l = A·n. For numbers of 128 bits all of it fits 1024.
fn is_not_above(amplification: u32, balances: &[u128], sum: u128, found: u128) -> Option<bool> {
    let coins = Uint::<1024, 16>::from(balances.len());
    let leverage = Uint::from(amplification).checked_mul(coins)?;
    let found = Uint::from(found);
    let linear = leverage.checked_mul(Uint::from(sum))?;
    let Some(mut left) = linear.checked_sub(leverage.checked_sub(Uint::ONE)?.checked_mul(found)?) else {
        return Some(false);
    };
    let mut right = found;
    for balance in balances {
        left = left.checked_mul(coins)?.checked_mul(Uint::from(*balance))?;
        right = right.checked_mul(found)?;
    }
    Some(left >= right)
}

/// The balance of coin `of` at which the invariant is `invariant`, with the other balances as given (the one at `of` is not looked at).
///
/// `None` where another balance is zero, or a number on the way does not fit 512 bits.
#[must_use]
pub fn balance(amplification: u32, invariant: u128, balances: &[u128], of: usize) -> Option<u128> {
    balance_in::<256, 4>(amplification, invariant, balances, of)
        .or_else(|| balance_in::<512, 8>(amplification, invariant, balances, of))
}

fn balance_in<const BITS: usize, const LIMBS: usize>(
    amplification: u32,
    invariant: u128,
    balances: &[u128],
    of: usize,
) -> Option<u128> {
    let coins = Uint::<BITS, LIMBS>::from(balances.len());
    let leverage = Uint::from(amplification).checked_mul(coins)?;
    let invariant = Uint::from(invariant);
    let (mut product, mut sum) = (invariant, Uint::ZERO);
    for (_, other) in balances.iter().enumerate().filter(|(place, _)| *place != of) {
        let other = Uint::from(*other);
        product = product.checked_mul(invariant)?.checked_div(other.checked_mul(coins)?)?;
        sum = sum.checked_add(other)?;
    }
    // y² + (b − D)·y = c, where c and b follow from the other balances.
    let product = product.checked_mul(invariant)?.checked_div(coins.checked_mul(leverage)?)?;
    let linear = sum.checked_add(invariant.checked_div(leverage)?)?;
    let mut found = invariant;
    for _ in 0..STEPS_MAX {
        let square = found.checked_mul(found)?.checked_add(product)?;
        let slope = found.checked_add(found)?.checked_add(linear)?.checked_sub(invariant)?;
        let next = square.checked_div(slope)?;
        let step = next.abs_diff(found);
        found = next;
        if step <= Uint::ONE {
            return u128::try_from(found).ok();
        }
    }
    None
}

/// What the curve says of a trade, without anybody's margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    /// The invariant before.
    pub invariant: u128,
    /// The balance of the coin that goes out, as the curve wants it afterwards.
    pub balance: u128,
    /// What goes out before the fee.
    pub out: u128,
    /// The fee, rounded down.
    pub fee: u128,
}

impl Trade {
    /// What goes out after the fee.
    #[must_use]
    pub const fn out_after_fee(&self) -> u128 {
        self.out.saturating_sub(self.fee)
    }
}

/// A trade of `pays` of coin `from` into coin `to`, at a fee in parts per million of what goes out.
///
/// `None` where the coins are one or not there, or a number on the way does not fit.
#[must_use]
pub fn trade(
    amplification: u32,
    fee_ppm: u32,
    balances: &[u128],
    (from, to): (usize, usize),
    pays: u128,
) -> Option<Trade> {
    let invariant = invariant(amplification, balances)?;
    let (mut after, before) = (balances.to_vec(), *balances.get(to)?);
    let source = after.get_mut(from)?;
    *source = source.checked_add(pays)?;
    if from == to {
        return None;
    }
    let balance = balance(amplification, invariant, &after, to)?;
    let out = before.checked_sub(balance)?;
    let fee = crate::wide::mul_div_floor(out, u128::from(fee_ppm), MILLION)?;
    Some(Trade { invariant, balance, out, fee })
}
