//! Pools: two to four assets that trade along a curve, owned by who put them in.
//!
//! A [`Pool`] answers a [`PoolCommand`] with a [`PoolChange`] ([`Pool::decide`]) and then takes it up ([`Pool::apply`]). It keeps the reserves because they
//! are the point on its curve; the money itself is in the ledger accounts of the pool, whose balances must equal [`Pool::reserves`], as the shares
//! issued on the ledger must equal [`Pool::shares`] less the locked ones.
//!
//! **Invariants.** A swap never lowers the invariant of the curve. No change but a swap's fee moves what one share is worth, and nothing lowers it, so that
//! adding and removing, or swapping there and back, never pays. What a curve cannot tell to the last digit is rounded to the side of the pool. What is
//! removed in proportion is always to be had. Reserves change by commands alone: nobody can give a pool something and so move its price.
//!
//! It posts nothing, knows no accounts, and gives nobody a better price for who he is.

mod change;
mod curve;
mod liquidity;
mod refusal;
pub mod stable;
mod swap;

use std::fmt;

use minicbor::{Decode, Encode};
use money::{Amount, Asset};

pub use change::{PoolChange, PoolCommand};
pub use curve::Curve;
pub use refusal::PoolRefusal;
pub use swap::Swap;

use crate::wide;

/// Fewest assets of a pool.
pub const COINS_MIN: usize = 2;
/// Most assets of a pool: beyond, the numbers of the StableSwap curve no longer fit 256 bits with room to spare.
pub const COINS_MAX: usize = 4;
/// Largest fee, ten per cent.
pub const FEE_PPM_MAX: u32 = 100_000;
/// Largest amplification; pools in use have up to some thousands.
pub const AMPLIFICATION_MAX: u32 = 1_000_000;
/// Shares, in minor units, that the first provider leaves behind for ever, so that a pool once opened is never empty and a share never dear.
pub const SHARES_LOCKED: u128 = 1_000;
/// Fewest shares, in minor units, of a first provision: what is locked is at most a thousandth of it.
pub const SHARES_FIRST_MIN: u128 = 1_000_000;
/// One, in [`Coin::rate_e18`].
pub const RATE_ONE: u128 = 1_000_000_000_000_000_000;
/// Largest rate: with it and an asset without decimals, one minor unit still is a number of 128 bits.
pub const RATE_MAX: u128 = 100 * RATE_ONE;

/// A pool, numbered from 1 in the order of opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct PoolNumber(#[n(0)] u32);

impl PoolNumber {
    /// The pool with this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for PoolNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// An asset of a pool and what the curve counts it as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Coin {
    /// The asset.
    #[n(0)]
    pub asset: Asset,
    /// The value of one whole unit of the asset, in units of value × 10¹⁸: 10¹⁸ where the pool's assets are worth the same. It stays as it is for the
    /// life of the pool.
    #[cbor(n(1), with = "money::wide")]
    pub rate_e18: u128,
}

impl Coin {
    /// An asset at rate one.
    #[must_use]
    pub const fn new(asset: Asset) -> Self {
        Self { asset, rate_e18: RATE_ONE }
    }

    /// What one minor unit is worth, in 10⁻³⁶ units of value: the rate times 10 to the decimals that the asset lacks of 18.
    fn minor_value(&self) -> Option<u128> {
        10_u128.checked_pow(18_u32.checked_sub(u32::from(self.asset.scale()))?)?.checked_mul(self.rate_e18)
    }

    /// Minor units in the curve's unit, 10⁻¹⁸ of a unit of value, rounded down.
    fn value_of(&self, minor: u128) -> Option<u128> {
        wide::mul_div_floor(minor, self.minor_value()?, RATE_ONE)
    }

    /// The same, rounded up.
    fn value_of_ceil(&self, minor: u128) -> Option<u128> {
        wide::mul_div_ceil(minor, self.minor_value()?, RATE_ONE)
    }

    /// The curve's unit in minor units, rounded down: what leaves a pool.
    fn minor_of(&self, value: u128) -> Option<u128> {
        wide::mul_div_floor(value, RATE_ONE, self.minor_value()?)
    }

    /// The same, rounded up: what comes in.
    fn minor_of_ceil(&self, value: u128) -> Option<u128> {
        wide::mul_div_ceil(value, RATE_ONE, self.minor_value()?)
    }
}

/// What a pool is opened with; fixed for its life.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PoolTerms {
    /// Its assets, [`COINS_MIN`] to [`COINS_MAX`], each once.
    #[n(0)]
    pub coins: Vec<Coin>,
    /// Its curve.
    #[n(1)]
    pub curve: Curve,
    /// Fee of a swap in parts per million of what goes out, at most [`FEE_PPM_MAX`]; it stays in the pool.
    #[n(2)]
    pub fee_ppm: u32,
    /// The asset that its shares are; none of `coins`. A minor unit of it is 10⁻¹⁸ of a unit of value at the start, whatever its scale.
    #[n(3)]
    pub share: Asset,
}

/// A pool: its terms, its reserves and how many shares there are.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Pool {
    #[n(0)]
    terms: PoolTerms,
    /// In the order of the coins.
    #[n(1)]
    reserves: Vec<Amount>,
    /// All shares, with the locked ones.
    #[n(2)]
    shares: Amount,
}

impl Pool {
    /// An empty pool.
    ///
    /// # Errors
    /// [`PoolRefusal::Terms`]: what the documentation of [`PoolTerms`] does not allow.
    pub fn open(terms: PoolTerms) -> Result<Self, PoolRefusal> {
        check(&terms).map_err(|problem| PoolRefusal::Terms { problem })?;
        let reserves = terms.coins.iter().map(|coin| Amount::zero(coin.asset)).collect();
        let shares = Amount::zero(terms.share);
        Ok(Self { terms, reserves, shares })
    }

    /// What it was opened with.
    #[must_use]
    pub const fn terms(&self) -> &PoolTerms {
        &self.terms
    }

    /// What is in it, in the order of the coins: the balances of its ledger accounts.
    #[must_use]
    pub fn reserves(&self) -> &[Amount] {
        &self.reserves
    }

    /// All its shares. [`SHARES_LOCKED`] of them are nobody's; the others are on the ledger.
    #[must_use]
    pub const fn shares(&self) -> Amount {
        self.shares
    }

    /// Whether nobody has put anything in yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.shares.is_zero()
    }

    /// The invariant of its curve in 10⁻¹⁸ units of value, rounded as the curve says; `None` where the reserves are beyond what can be computed.
    #[must_use]
    pub fn invariant(&self) -> Option<u128> {
        self.terms.curve.invariant(&self.values()?)
    }

    /// Answers a command with the change that follows from it.
    ///
    /// # Errors
    /// A [`PoolRefusal`], in this order: zero amounts → assets of the pool → liquidity in it → what the curve can do → the caller's bound.
    pub fn decide(&self, command: &PoolCommand) -> Result<PoolChange, PoolRefusal> {
        match command {
            PoolCommand::SwapIn { pays, takes_least } => {
                let swap = self.swap_in(*pays, takes_least.asset())?;
                at_least(swap.taken, *takes_least)?;
                Ok(PoolChange::Swapped(swap))
            }
            PoolCommand::SwapOut { takes, pays_most } => {
                let swap = self.swap_out(*takes, pays_most.asset())?;
                at_most(swap.paid, *pays_most)?;
                Ok(PoolChange::Swapped(swap))
            }
            PoolCommand::Add { pays, shares_least } => self.add(pays, *shares_least),
            PoolCommand::Remove { shares, takes_least } => self.remove(*shares, takes_least),
            PoolCommand::RemoveOne { shares, takes_least } => self.remove_one(*shares, *takes_least),
        }
    }

    /// Takes up a change that [`Pool::decide`] gave in this very state.
    pub fn apply(&mut self, change: &PoolChange) {
        match change {
            PoolChange::Swapped(swap) => {
                self.take_in(swap.paid);
                self.give_out(swap.taken);
            }
            PoolChange::Added { paid, shares, locked } => {
                paid.iter().for_each(|amount| self.take_in(*amount));
                self.shares = sum(self.shares, sum(*shares, *locked));
            }
            PoolChange::Removed { taken, shares } => {
                taken.iter().for_each(|amount| self.give_out(*amount));
                self.shares = difference(self.shares, *shares);
            }
        }
    }

    fn take_in(&mut self, amount: Amount) {
        for reserve in self.reserves.iter_mut().filter(|reserve| reserve.asset() == amount.asset()) {
            *reserve = sum(*reserve, amount);
        }
    }

    fn give_out(&mut self, amount: Amount) {
        for reserve in self.reserves.iter_mut().filter(|reserve| reserve.asset() == amount.asset()) {
            *reserve = difference(*reserve, amount);
        }
    }

    /// The reserves as the curve counts them.
    fn values(&self) -> Option<Vec<u128>> {
        values(&self.terms.coins, &self.reserves)
    }

    /// The place of an asset and its coin.
    fn coin(&self, asset: Asset) -> Result<(usize, Coin), PoolRefusal> {
        let place = self.terms.coins.iter().enumerate().find(|(_, coin)| coin.asset == asset);
        place.map(|(place, coin)| (place, *coin)).ok_or(PoolRefusal::NotInPool { asset })
    }

    fn reserve(&self, place: usize) -> Result<Amount, PoolRefusal> {
        self.reserves.get(place).copied().ok_or(PoolRefusal::OutOfRange)
    }
}

/// Reserves as the curve counts them, each rounded down.
fn values(coins: &[Coin], reserves: &[Amount]) -> Option<Vec<u128>> {
    coins.iter().zip(reserves).map(|(coin, reserve)| coin.value_of(reserve.minor())).collect()
}

fn check(terms: &PoolTerms) -> Result<(), &'static str> {
    let PoolTerms { coins, curve, fee_ppm, share } = terms;
    if !(COINS_MIN..=COINS_MAX).contains(&coins.len()) {
        return Err("a pool has two to four assets");
    }
    let is_twice = |asset: Asset| coins.iter().filter(|coin| coin.asset == asset).count() > 1;
    if coins.iter().any(|coin| is_twice(coin.asset) || coin.asset == *share) {
        return Err("its assets and its share must differ");
    }
    if *fee_ppm > FEE_PPM_MAX {
        return Err("the fee is above ten per cent");
    }
    match curve {
        Curve::Product if coins.len() != COINS_MIN => Err("a constant product has two assets"),
        Curve::Product if coins.iter().any(|coin| coin.rate_e18 != RATE_ONE) => {
            Err("a constant product has rates of one")
        }
        Curve::Stable { amplification } if !(1..=AMPLIFICATION_MAX).contains(amplification) => {
            Err("the amplification is not between 1 and 1000000")
        }
        Curve::Product | Curve::Stable { .. } => {
            let is_rate = |coin: &Coin| (1..=RATE_MAX).contains(&coin.rate_e18);
            if coins.iter().all(is_rate) { Ok(()) } else { Err("a rate is not above 0 and at most 100") }
        }
    }
}

fn at_least(got: Amount, least: Amount) -> Result<(), PoolRefusal> {
    let is_less = least.exceeds(got).map_err(|_| PoolRefusal::NotInPool { asset: least.asset() })?;
    if is_less { Err(PoolRefusal::TooLittle { got, least }) } else { Ok(()) }
}

fn at_most(needed: Amount, most: Amount) -> Result<(), PoolRefusal> {
    let is_more = needed.exceeds(most).map_err(|_| PoolRefusal::NotInPool { asset: most.asset() })?;
    if is_more { Err(PoolRefusal::TooMuch { needed, most }) } else { Ok(()) }
}

fn sum(left: Amount, right: Amount) -> Amount {
    let sum = left.plus(right);
    money::invariant!(sum.is_ok(), "{right} cannot be added to {left} of a pool");
    sum.unwrap_or(left)
}

fn difference(left: Amount, right: Amount) -> Amount {
    let difference = left.minus(right);
    money::invariant!(difference.is_ok(), "{right} cannot be taken from {left} of a pool");
    difference.unwrap_or(left)
}

#[cfg(test)]
mod tests;
