//! Applying events. Every event here was decided on the same state, so nothing can fail; if it does, the core stops.

use money::{AccountId, AmountError, EntryId, Timestamp, invariant};
use smallvec::SmallVec;

use crate::books::Books;
use crate::history::{NewEntry, PackedLeg};
use crate::{Account, AccountKind, Change, Entry, Event, Hold, Ledger, NewHold, Seal, Side, Tenant};

impl Ledger {
    /// Applies one event, recorded at `recorded_at`.
    pub fn apply(&mut self, event: &Event, recorded_at: Timestamp) {
        match event {
            Event::AccountOpened { id, kind, asset, tenant, opened_at } => {
                let opened_at = opened_at.unwrap_or(recorded_at);
                self.open(*id, Account::new(*kind, *asset, tenant.unwrap_or_default(), opened_at));
            }
            Event::AccountClosed { id } => self.close(*id, recorded_at),
            Event::Changed { change, reverses } => self.apply_change(change, *reverses, recorded_at),
            Event::Sealed { through, mark } => {
                let entries = self.history.len();
                let seal = Seal { through: *through, sealed_at: recorded_at, entries, mark: *mark };
                self.seals.push(seal);
            }
            Event::MonitorSet { id, account, threshold } => {
                self.set_monitor(*id, *account, *threshold, recorded_at);
            }
            Event::MonitorRemoved { id } => self.remove_monitor(*id),
            Event::NoticeDelivered { id, .. } => {
                self.notices.remove(id);
            }
        }
    }

    pub(crate) fn open(&mut self, id: AccountId, account: Account) {
        let taken = self.accounts.insert(id, account).is_some();
        invariant!(!taken, "account {id} opened twice");
    }

    pub(crate) fn close(&mut self, id: AccountId, recorded_at: Timestamp) {
        match self.accounts.get_mut(&id) {
            Some(account) => account.closed_at = Some(recorded_at),
            None => invariant!(false, "closed account {id} is unknown"),
        }
    }

    pub(crate) fn apply_change(
        &mut self,
        change: &Change,
        reverses: Option<EntryId>,
        recorded_at: Timestamp,
    ) {
        let mut watched: SmallVec<[AccountId; 4]> = SmallVec::new();
        for end in &change.ends {
            watched.extend(self.apply_end(end.hold));
        }
        if let Some(entry) = &change.entry {
            self.apply_entry(entry, reverses, recorded_at, &mut watched);
        }
        for hold in &change.places {
            watched.extend(self.apply_place(hold, recorded_at));
        }
        for account in watched {
            self.look_at(account, recorded_at);
        }
    }

    /// Ends a hold; answers with its account if that is watched.
    fn apply_end(&mut self, id: money::HoldId) -> Option<AccountId> {
        let Some(hold) = self.holds.remove(&id) else {
            invariant!(false, "hold {id} ends but is not open");
            return None;
        };
        if let Some(expires_at) = hold.expires_at {
            self.expiries.remove(&(expires_at, id));
        }
        self.ended_holds.insert(id, ());
        let account = self.account_to_change(hold.account)?;
        account.held = checked(account.held.checked_sub(hold.amount.minor()), hold.account);
        account.is_watched.then_some(hold.account)
    }

    fn apply_entry(
        &mut self,
        entry: &Entry,
        reverses: Option<EntryId>,
        recorded_at: Timestamp,
        watched: &mut SmallVec<[AccountId; 4]>,
    ) {
        let position = self.history.len();
        let number = position.saturating_add(1);
        let effective_at = entry.effective_at.unwrap_or(recorded_at);
        let mut legs: SmallVec<[PackedLeg; 4]> = SmallVec::new();
        for leg in &entry.legs {
            let Some((at, _)) = Books::account(self, leg.account) else {
                invariant!(false, "account {} is unknown", leg.account);
                return;
            };
            // A second leg on the same account names the same entry before.
            let first = legs.iter().find(|first| first.account == at).copied();
            let Some(account) = self.accounts.at_mut(usize::try_from(at).unwrap_or(usize::MAX)) else {
                return;
            };
            let sum = match leg.side {
                Side::Debit => &mut account.debits,
                Side::Credit => &mut account.credits,
            };
            *sum = checked(sum.checked_add(leg.amount.minor()), leg.account);
            let previous = first.map_or(account.last, |first| first.previous);
            if first.is_none() {
                account.last = number;
                account.entries = account.entries.saturating_add(1);
                account.effective_to = account.effective_to.max(effective_at);
                if account.is_watched {
                    watched.push(leg.account);
                }
            }
            legs.push(PackedLeg { account: at, side: leg.side, minor: leg.amount.minor(), previous });
        }
        if let Some(original) = reverses {
            self.reversals.insert(original, entry.id);
        }
        let new = NewEntry {
            id: entry.id,
            recorded_at,
            effective_at,
            reference: entry.reference,
            memo: entry.memo.as_str(),
            reverses,
        };
        self.history.push(&new, &legs);
    }

    /// Places a hold; answers with its account if that is watched.
    fn apply_place(&mut self, new: &NewHold, recorded_at: Timestamp) -> Option<AccountId> {
        if let Some(expires_at) = new.expires_at {
            self.expiries.insert((expires_at, new.id));
        }
        let hold = Hold {
            account: new.account,
            amount: new.amount,
            placed_at: recorded_at,
            expires_at: new.expires_at,
        };
        let taken = self.holds.insert(new.id, hold).is_some();
        invariant!(!taken, "hold {} placed twice", new.id);
        let account = self.account_to_change(new.account)?;
        account.held = checked(account.held.checked_add(new.amount.minor()), new.account);
        account.is_watched.then_some(new.account)
    }

    fn account_to_change(&mut self, id: AccountId) -> Option<&mut Account> {
        let account = self.accounts.get_mut(&id);
        invariant!(account.is_some(), "account {id} is unknown");
        account
    }
}

impl Account {
    pub(crate) const fn new(
        kind: AccountKind,
        asset: money::Asset,
        tenant: Tenant,
        opened_at: Timestamp,
    ) -> Self {
        Self {
            kind,
            asset,
            debits: 0,
            credits: 0,
            held: 0,
            opened_at,
            closed_at: None,
            tenant,
            last: 0,
            entries: 0,
            effective_to: Timestamp::from_ms(0),
            is_watched: false,
        }
    }
}

/// The sum, which was checked when the change was decided.
fn checked(sum: Option<u128>, id: AccountId) -> u128 {
    invariant!(sum.is_some(), "account {id}: {}", AmountError::Overflow);
    sum.unwrap_or_default()
}
