//! Balances as of a time, on the axis of recording or on that of effect.

use money::{AccountId, Amount, Timestamp};

use crate::{Balance, Ledger, PostedEntry, Side};

impl Ledger {
    /// The posted balance that was recorded up to and including `at`: what we knew then.
    #[must_use]
    pub fn balance_recorded(&self, account: AccountId, at: Timestamp) -> Option<Balance> {
        self.balance_where(account, |entry| entry.recorded_at <= at)
    }

    /// The posted balance by value time up to and including `at`: what was true then, as known now.
    #[must_use]
    pub fn balance_effective(&self, account: AccountId, at: Timestamp) -> Option<Balance> {
        self.balance_where(account, |entry| entry.effective_at <= at)
    }

    /// The entries of an account, oldest first by time of recording.
    pub fn history(&self, account: AccountId) -> impl Iterator<Item = &PostedEntry> {
        let positions = self.accounts.get(&account).map(|a| a.history.as_slice()).unwrap_or_default();
        positions.iter().filter_map(|position| self.entry_at(*position))
    }

    fn entry_at(&self, position: u32) -> Option<&PostedEntry> {
        self.entries.at(usize::try_from(position).ok()?).map(|(_, entry)| entry)
    }

    /// Holds have no past, so `held` is zero in a balance of the past.
    fn balance_where(&self, id: AccountId, counts: impl Fn(&PostedEntry) -> bool) -> Option<Balance> {
        let account = self.accounts.get(&id)?;
        let zero = Amount::zero(account.asset);
        let (mut debits, mut credits) = (zero, zero);
        for leg in
            self.history(id).filter(|e| counts(e)).flat_map(|e| e.legs.iter()).filter(|leg| leg.account == id)
        {
            let sum = match leg.side {
                Side::Debit => &mut debits,
                Side::Credit => &mut credits,
            };
            *sum = sum.plus(leg.amount).ok()?;
        }
        Some(Balance::of(account.kind, debits, credits, zero))
    }
}
