//! Balances as of a time, on the axis of recording or on that of effect; and an account's own history.

use money::{AccountId, Asset, EntryId, Timestamp, invariant};

use crate::books::Books;
use crate::history::Packed;
use crate::{Account, AccountKind, Balance, Ledger, PostedEntry, Side};

/// Which of an entry's two times is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// When it was recorded: what we knew then.
    Recorded,
    /// When it counts: what was true then, as known now.
    Effective,
}

/// A balance as of a time in the making: today's, less the newest entries that do not belong to it. What it has seen of the history never changes, so
/// the bank may move on between two steps.
#[derive(Debug, Clone, Copy)]
pub struct AsOf {
    axis: Axis,
    at: Timestamp,
    kind: AccountKind,
    asset: Asset,
    position: u32,
    /// The next entry to look at, counted from 1; 0 for none.
    next: u32,
    debits: u128,
    credits: u128,
}

impl Ledger {
    /// The posted balance that was recorded up to and including `at`: what we knew then.
    #[must_use]
    pub fn balance_recorded(&self, account: AccountId, at: Timestamp) -> Option<Balance> {
        self.go_back(self.as_of(account, Axis::Recorded, at)?, usize::MAX).ok()
    }

    /// The posted balance by value time up to and including `at`: what was true then, as known now.
    #[must_use]
    pub fn balance_effective(&self, account: AccountId, at: Timestamp) -> Option<Balance> {
        self.go_back(self.as_of(account, Axis::Effective, at)?, usize::MAX).ok()
    }

    /// Begins an account's balance as of a time.
    #[must_use]
    pub fn as_of(&self, account: AccountId, axis: Axis, at: Timestamp) -> Option<AsOf> {
        let (position, account) = Books::account(self, account)?;
        let Account { kind, asset, debits, credits, last: next, .. } = *account;
        Some(AsOf { axis, at, kind, asset, position, next, debits, credits })
    }

    /// Goes on with a balance over at most `max` entries. Holds have no past, so `held` is zero.
    ///
    /// # Errors
    /// More entries are to be looked at: go on with what it answers.
    pub fn go_back(&self, walk: AsOf, max: usize) -> Result<Balance, AsOf> {
        let AsOf { axis, at, kind, asset, position, mut next, mut debits, mut credits } = walk;
        let mut left = max;
        // None of the entries that were recorded by then is later on either axis.
        while let Some(entry) = next.checked_sub(1).and_then(|index| self.history.at(index))
            && entry.recorded_at > at
        {
            if left == 0 {
                return Err(AsOf { next, debits, credits, ..walk });
            }
            left = left.saturating_sub(1);
            if axis == Axis::Recorded || entry.effective_at > at {
                let (later_debits, later_credits) = entry.sums_of(position);
                invariant!(
                    later_debits <= debits && later_credits <= credits,
                    "an account has less than its entries"
                );
                debits = debits.saturating_sub(later_debits);
                credits = credits.saturating_sub(later_credits);
            }
            next = entry.legs().find(|leg| leg.account == position).map_or(0, |leg| leg.previous);
        }
        Ok(Balance::of(kind, asset, debits, credits, 0))
    }

    /// The entries of an account, newest first by time of recording.
    pub fn history(&self, account: AccountId) -> impl Iterator<Item = PostedEntry> {
        let position = Books::account(self, account).map(|(position, _)| position);
        position.into_iter().flat_map(|position| self.walk(position)).map(|entry| self.unpack(&entry))
    }

    /// The entries of an account ahead of one of them, newest first; none where that entry does not touch the account. It begins right there, however
    /// long the history is.
    pub fn history_before(&self, account: AccountId, before: EntryId) -> impl Iterator<Item = PostedEntry> {
        let position = Books::account(self, account).map(|(position, _)| position);
        let start = position.and_then(|position| {
            let entry = self.history.find(before)?;
            let own = entry.legs().find(|leg| leg.account == position)?;
            Some((position, own.previous))
        });
        let walk = start.into_iter().flat_map(|(position, number)| self.walk_from(position, number));
        walk.map(|entry| self.unpack(&entry))
    }

    /// The entries of the account at a position, newest first.
    pub(crate) fn walk(&self, position: u32) -> impl Iterator<Item = Packed<'_>> {
        self.walk_from(position, self.account_at(position).map_or(0, |account| account.last))
    }

    /// The entries of the account at a position, from the one with this number on, newest first.
    fn walk_from(&self, position: u32, mut number: u32) -> impl Iterator<Item = Packed<'_>> {
        std::iter::from_fn(move || {
            let entry = self.history.at(number.checked_sub(1)?)?;
            let own = entry.legs().find(|leg| leg.account == position);
            number = own.map_or(0, |leg| leg.previous);
            Some(entry)
        })
    }
}

impl Packed<'_> {
    /// What the entry debits and credits on the account at a position.
    pub(crate) fn sums_of(&self, position: u32) -> (u128, u128) {
        let own = self.legs().filter(|leg| leg.account == position);
        own.fold((0, 0), |(debits, credits): (u128, u128), leg| match leg.side {
            Side::Debit => (debits.saturating_add(leg.minor), credits),
            Side::Credit => (debits, credits.saturating_add(leg.minor)),
        })
    }
}
