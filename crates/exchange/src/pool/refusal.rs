//! Why a pool says no.

use money::{Amount, Asset};
use thiserror::Error;

/// A domain "no" of a pool.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PoolRefusal {
    /// A pool with such terms cannot be opened.
    #[error("a pool cannot have these terms: {problem}")]
    Terms {
        /// What is wrong.
        problem: &'static str,
    },
    /// Nothing is paid, taken or given back.
    #[error("the amount is zero")]
    ZeroAmount,
    /// One asset for itself.
    #[error("{asset} cannot be swapped for itself")]
    SameAsset {
        /// The asset.
        asset: Asset,
    },
    /// The asset is none of this pool's, or stands at another coin's place, or is not its share.
    #[error("{asset} is not what the pool has there")]
    NotInPool {
        /// The asset.
        asset: Asset,
    },
    /// Not one amount for each coin.
    #[error("{given} amounts for {coins} coins")]
    AmountsMissing {
        /// Amounts given.
        given: usize,
        /// Coins of the pool.
        coins: usize,
    },
    /// Nobody has put anything in yet.
    #[error("the pool is empty")]
    Empty,
    /// The first provision is too small, or leaves out a coin.
    #[error("a first provision makes at least {least}, this one {got}")]
    FirstTooSmall {
        /// Shares it would make.
        got: Amount,
        /// Fewest shares.
        least: Amount,
    },
    /// More is asked for than there is.
    #[error("{asked} is asked for and the pool has {has}")]
    Exhausted {
        /// What is asked for.
        asked: Amount,
        /// What there is.
        has: Amount,
    },
    /// So little that nothing is left of it after rounding.
    #[error("too little for the pool to give anything")]
    Dust,
    /// The numbers are beyond what the curve can compute: too large, or the reserves too far from each other.
    #[error("beyond the range of the pool's curve")]
    OutOfRange,
    /// The caller gets less than he asked for.
    #[error("gives {got}, at least {least} was asked for")]
    TooLittle {
        /// What he would get.
        got: Amount,
        /// What he asked for.
        least: Amount,
    },
    /// The caller pays more than he wanted.
    #[error("costs {needed}, at most {most} was offered")]
    TooMuch {
        /// What he would pay.
        needed: Amount,
        /// What he offered.
        most: Amount,
    },
}

impl PoolRefusal {
    /// Whether the same command can succeed later without being changed: reserves move.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Empty
            | Self::Exhausted { .. }
            | Self::Dust
            | Self::OutOfRange
            | Self::TooLittle { .. }
            | Self::TooMuch { .. } => true,
            Self::Terms { .. }
            | Self::ZeroAmount
            | Self::SameAsset { .. }
            | Self::NotInPool { .. }
            | Self::AmountsMissing { .. }
            | Self::FirstTooSmall { .. } => false,
        }
    }
}
