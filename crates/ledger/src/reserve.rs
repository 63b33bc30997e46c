//! What open orders on markets set aside, and the entries that their trades leave.
//!
//! An order needs its funds from the moment it rests, changes what it needs with every fill, and may be one of very many: a hold of its own, with an id that is
//! remembered for ever, would cost more than the trade. So an account has one amount set aside for all its open orders together, as part of what is held. Which
//! order it is for is known where the orders are; the bank compares the two.
//!
//! Nothing here asks whether it may be done: [`Ledger::can_reserve`] says so before, and what is done later was decided then.

use money::{AccountId, Amount, EntryId, Timestamp, invariant};
use smallvec::SmallVec;

use crate::decide::open_account;
use crate::history::{NewEntry, PackedLeg};
use crate::{Account, Ledger, Refusal, Side};

/// Most legs of a trade: base and quote on both sides, and fees.
const TRADE_LEGS_MAX: usize = 8;

/// An account by its position in the books. It names the account for as long as there is one, and is found without a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct Position(#[n(0)] u32);

/// One leg of a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradeLeg {
    /// The account.
    pub account: Position,
    /// Its side.
    pub side: Side,
    /// How much, in minor units of the account's asset; never zero.
    pub minor: u128,
    /// How much of what is set aside on the account is not needed any more.
    pub frees: u128,
}

/// An entry that a trade leaves.
#[derive(Debug, Clone, Copy)]
pub struct Trade<'a> {
    /// Its id.
    pub id: EntryId,
    /// Its legs: balanced in each asset, each account on one leg only.
    pub legs: &'a [TradeLeg],
    /// What it is about.
    pub reference: Option<u64>,
    /// Free words.
    pub memo: &'a str,
}

impl Ledger {
    /// Where an open account stands in the books.
    ///
    /// # Errors
    /// It is unknown or closed.
    pub fn position(&self, id: AccountId) -> Result<Position, Refusal> {
        open_account(self, id).map(|(position, _)| Position(position))
    }

    /// The account at a position, with its id.
    #[must_use]
    pub fn at(&self, position: Position) -> Option<(AccountId, &Account)> {
        let (id, account) = self.accounts.at(usize::try_from(position.0).ok()?)?;
        Some((*id, account))
    }

    /// Whether so many minor units can be set aside on an account.
    ///
    /// # Errors
    /// The account is closed, or less is available.
    pub fn can_reserve(&self, position: Position, minor: u128) -> Result<(), Refusal> {
        let Some((id, account)) = self.at(position) else { return Err(Refusal::Overflow) };
        if !account.is_open() {
            return Err(Refusal::AccountClosed { id });
        }
        let available = account.balance().available;
        if minor <= available.minor() || !account.kind.is_guarded() {
            return Ok(());
        }
        Err(Refusal::InsufficientFunds { id, available, needed: Amount::new(account.asset, minor) })
    }

    /// Sets so many minor units aside; [`Ledger::can_reserve`] said that they can be.
    pub fn reserve(&mut self, position: Position, minor: u128) {
        self.change_reserved(position, |reserved| reserved.checked_add(minor));
    }

    /// Gives back so many minor units that were set aside.
    pub fn unreserve(&mut self, position: Position, minor: u128) {
        self.change_reserved(position, |reserved| reserved.checked_sub(minor));
    }

    fn change_reserved(&mut self, position: Position, change: impl Fn(u128) -> Option<u128>) {
        let account = self.accounts.at_mut(usize::try_from(position.0).unwrap_or(usize::MAX));
        let changed = account.is_some_and(|account| account.set_reserved(change(account.reserved)));
        invariant!(changed, "what is set aside on the account at {position:?} cannot change like this");
    }

    /// Posts the entry of a trade.
    pub fn post_trade(&mut self, trade: &Trade<'_>, recorded_at: Timestamp) {
        invariant!(self.is_balanced(trade.legs), "trade {} is not balanced", trade.id);
        let mut legs: SmallVec<[PackedLeg; TRADE_LEGS_MAX]> = SmallVec::new();
        for leg in trade.legs {
            let previous = self.account_of(leg).map_or(0, |account| account.last);
            legs.push(PackedLeg { account: leg.account.0, side: leg.side, minor: leg.minor, previous });
        }
        let (id, reference, memo) = (trade.id, trade.reference, trade.memo);
        let new = NewEntry { id, recorded_at, effective_at: recorded_at, reference, memo, reverses: None };
        let number = self.history.push(&new, &legs).saturating_add(1);
        let mut watched: SmallVec<[AccountId; 4]> = SmallVec::new();
        for leg in trade.legs {
            let account = self.accounts.at_mut(usize::try_from(leg.account.0).unwrap_or(usize::MAX));
            let Some(account) = account else { continue };
            let is_whole = account.take_leg(leg, number, recorded_at);
            let is_watched = account.is_watched;
            invariant!(is_whole, "account at {:?} cannot bear trade {}", leg.account, trade.id);
            if is_watched {
                watched.extend(self.at(leg.account).map(|(id, _)| id));
            }
        }
        for account in watched {
            self.look_at(account, recorded_at);
        }
    }

    fn account_of(&self, leg: &TradeLeg) -> Option<&Account> {
        self.at(leg.account).map(|(_, account)| account)
    }

    /// Whether debits equal credits in each asset.
    fn is_balanced(&self, legs: &[TradeLeg]) -> bool {
        let mut sums: SmallVec<[(money::Asset, u128, u128); 2]> = SmallVec::new();
        for leg in legs {
            let Some(account) = self.account_of(leg) else { return false };
            let known = sums.iter_mut().find(|(asset, ..)| *asset == account.asset);
            let (debit, credit) = match leg.side {
                Side::Debit => (leg.minor, 0),
                Side::Credit => (0, leg.minor),
            };
            match known {
                Some((_, debits, credits)) => {
                    *debits = debits.saturating_add(debit);
                    *credits = credits.saturating_add(credit);
                }
                None => sums.push((account.asset, debit, credit)),
            }
        }
        sums.iter().all(|(_, debits, credits)| debits == credits)
    }
}

impl Account {
    /// What is set aside for open orders, as part of what is held.
    #[must_use]
    pub const fn reserved(&self) -> Amount {
        Amount::new(self.asset, self.reserved)
    }

    fn set_reserved(&mut self, reserved: Option<u128>) -> bool {
        let Some(reserved) = reserved else { return false };
        let others = self.held.saturating_sub(self.reserved);
        let Some(held) = others.checked_add(reserved) else { return false };
        self.reserved = reserved;
        self.held = held;
        true
    }

    /// Takes up a leg; says whether the account still covers what is held.
    fn take_leg(&mut self, leg: &TradeLeg, number: u32, effective_at: Timestamp) -> bool {
        let sum = match leg.side {
            Side::Debit => &mut self.debits,
            Side::Credit => &mut self.credits,
        };
        let Some(grown) = sum.checked_add(leg.minor) else { return false };
        *sum = grown;
        if !self.set_reserved(self.reserved.checked_sub(leg.frees)) {
            return false;
        }
        self.last = number;
        self.entries = self.entries.saturating_add(1);
        self.effective_to = self.effective_to.max(effective_at);
        let balance = self.balance();
        !self.kind.is_guarded() || (!balance.is_overdrawn && balance.posted.minor() >= self.held)
    }
}

#[cfg(test)]
mod tests;
