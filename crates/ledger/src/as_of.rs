//! Balances as of a time, on the axis of recording or on that of effect; and an account's own history.

use money::{AccountId, EntryId, Timestamp};

use crate::books::Books;
use crate::history::Packed;
use crate::{Balance, Ledger, PostedEntry, Side};

impl Ledger {
    /// The posted balance that was recorded up to and including `at`: what we knew then.
    #[must_use]
    pub fn balance_recorded(&self, account: AccountId, at: Timestamp) -> Option<Balance> {
        self.balance_without(account, at, |entry| entry.recorded_at > at)
    }

    /// The posted balance by value time up to and including `at`: what was true then, as known now.
    #[must_use]
    pub fn balance_effective(&self, account: AccountId, at: Timestamp) -> Option<Balance> {
        self.balance_without(account, at, |entry| entry.effective_at > at)
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

    /// Today's balance without the entries that `is_later` names, none of which was recorded by `at`. Holds have no past, so `held` is zero.
    fn balance_without(
        &self,
        id: AccountId,
        at: Timestamp,
        is_later: impl Fn(&Packed<'_>) -> bool,
    ) -> Option<Balance> {
        let (position, account) = Books::account(self, id)?;
        let (mut debits, mut credits) = (account.debits, account.credits);
        let recent = self.walk(position).take_while(|entry| entry.recorded_at > at);
        for entry in recent.filter(|entry| is_later(entry)) {
            let (later_debits, later_credits) = entry.sums_of(position);
            debits = debits.checked_sub(later_debits)?;
            credits = credits.checked_sub(later_credits)?;
        }
        Some(Balance::of(account.kind, account.asset, debits, credits, 0))
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
