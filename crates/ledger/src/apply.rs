//! Applying events. Every event here was decided on the same state, so nothing can fail; if it does, the core stops.

use money::{Amount, Timestamp, invariant};

use crate::{Account, Change, Entry, Event, Hold, Ledger, NewHold, PostedEntry, Side};

impl Ledger {
    /// Applies one event, recorded at `recorded_at`.
    pub fn apply(&mut self, event: &Event, recorded_at: Timestamp) {
        match event {
            Event::AccountOpened { id, kind, asset } => {
                let zero = Amount::zero(*asset);
                let account = Account {
                    kind: *kind,
                    asset: *asset,
                    debits: zero,
                    credits: zero,
                    held: zero,
                    opened_at: recorded_at,
                    closed_at: None,
                    history: Vec::new(),
                };
                let taken = self.accounts.insert(*id, account).is_some();
                invariant!(!taken, "account {id} opened twice");
            }
            Event::AccountClosed { id } => match self.accounts.get_mut(id) {
                Some(account) => account.closed_at = Some(recorded_at),
                None => invariant!(false, "closed account {id} is unknown"),
            },
            Event::Changed { change, reverses } => {
                self.apply_ends(change);
                if let Some(entry) = &change.entry {
                    self.apply_entry(entry, *reverses, recorded_at);
                }
                for hold in &change.places {
                    self.apply_place(hold, recorded_at);
                }
            }
        }
    }

    fn apply_ends(&mut self, change: &Change) {
        for end in &change.ends {
            let Some(hold) = self.holds.remove(&end.hold) else {
                invariant!(false, "hold {} ends but is not open", end.hold);
                return;
            };
            if let Some(expires_at) = hold.expires_at {
                self.expiries.remove(&(expires_at, end.hold));
            }
            self.ended_holds.insert(end.hold);
            self.with_account(&hold.account, |account| {
                account.held.minus(hold.amount).map(|held| account.held = held)
            });
        }
    }

    fn apply_entry(&mut self, entry: &Entry, reverses: Option<money::EntryId>, recorded_at: Timestamp) {
        let position = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        invariant!(position != u32::MAX, "more entries than positions");
        for leg in &entry.legs {
            self.with_account(&leg.account, |account| {
                let sum = match leg.side {
                    Side::Debit => &mut account.debits,
                    Side::Credit => &mut account.credits,
                };
                *sum = sum.plus(leg.amount)?;
                if account.history.last() != Some(&position) {
                    account.history.push(position);
                }
                Ok(())
            });
        }
        if let Some(original) = reverses.and_then(|id| self.entries.get_mut(&id)) {
            original.reversed_by = Some(entry.id);
        }
        let posted = PostedEntry {
            legs: entry.legs.clone().into_boxed_slice(),
            recorded_at,
            effective_at: entry.effective_at.unwrap_or(recorded_at),
            reference: entry.reference,
            memo: entry.memo.clone(),
            reverses,
            reversed_by: None,
        };
        let taken = self.entries.insert(entry.id, posted).is_some();
        invariant!(!taken, "entry {} posted twice", entry.id);
    }

    fn apply_place(&mut self, new: &NewHold, recorded_at: Timestamp) {
        self.with_account(&new.account, |account| {
            account.held.plus(new.amount).map(|held| account.held = held)
        });
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
    }

    fn with_account(
        &mut self,
        id: &money::AccountId,
        change: impl FnOnce(&mut Account) -> Result<(), money::AmountError>,
    ) {
        let Some(account) = self.accounts.get_mut(id) else {
            invariant!(false, "account {id} is unknown");
            return;
        };
        if let Err(error) = change(account) {
            invariant!(false, "account {id}: {error}");
        }
    }
}
