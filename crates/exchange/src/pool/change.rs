//! What is asked of a pool, and what follows.

use minicbor::{Decode, Encode};
use money::Amount;

use super::Swap;

/// What is asked of a pool. Amounts name their assets.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum PoolCommand {
    /// Pays exactly this much and takes what the curve gives.
    #[n(0)]
    SwapIn {
        /// What is paid.
        #[n(0)]
        pays: Amount,
        /// The asset to take, and how much it must be at least.
        #[n(1)]
        takes_least: Amount,
    },
    /// Takes exactly this much and pays what the curve asks.
    #[n(1)]
    SwapOut {
        /// What is taken.
        #[n(0)]
        takes: Amount,
        /// The asset to pay in, and how much it may be at most.
        #[n(1)]
        pays_most: Amount,
    },
    /// Puts assets in and gets shares. What is not in the proportion of the reserves pays a part of the fee, as if it had been swapped.
    #[n(2)]
    Add {
        /// One amount for each coin, in the order of the coins; zero is allowed once the pool is not empty.
        #[n(0)]
        pays: Vec<Amount>,
        /// How many shares it must be at least.
        #[n(1)]
        shares_least: Amount,
    },
    /// Gives shares back for a part of each reserve.
    #[n(3)]
    Remove {
        /// The shares.
        #[n(0)]
        shares: Amount,
        /// For each coin, in the order of the coins, what it must be at least.
        #[n(1)]
        takes_least: Vec<Amount>,
    },
    /// Gives shares back for one asset alone; pays a part of the fee.
    #[n(4)]
    RemoveOne {
        /// The shares.
        #[n(0)]
        shares: Amount,
        /// The asset to take, and how much it must be at least.
        #[n(1)]
        takes_least: Amount,
    },
}

/// What follows from a command: what is posted, and what the pool takes up. Applying it cannot fail.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum PoolChange {
    /// A swap.
    #[n(0)]
    Swapped(#[n(0)] Swap),
    /// Liquidity was added.
    #[n(1)]
    Added {
        /// What goes in, in the order of the coins.
        #[n(0)]
        paid: Vec<Amount>,
        /// The shares that the provider gets.
        #[n(1)]
        shares: Amount,
        /// Shares that come to be and are nobody's: [`super::SHARES_LOCKED`] the first time, then none.
        #[n(2)]
        locked: Amount,
    },
    /// Liquidity was removed.
    #[n(2)]
    Removed {
        /// What goes out, in the order of the coins; zeros where one asset alone is taken.
        #[n(0)]
        taken: Vec<Amount>,
        /// The shares that are gone.
        #[n(1)]
        shares: Amount,
    },
}
