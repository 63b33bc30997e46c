//! Applying events. Every event here was decided on the same state, so nothing can fail; if it does, the core stops.

use money::{AccountId, AmountError, EntryId, HoldId, Timestamp, invariant};
use smallvec::SmallVec;

use crate::books::Books;
use crate::decide::{Effect, Effects, find_effects};
use crate::history::{NewEntry, PackedLeg};
use crate::{Account, AccountKind, Change, Entry, Event, Hold, Ledger, NewHold, Seal, Tenant};

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

    /// Applies a change that was decided or stands in the journal.
    pub(crate) fn apply_change(
        &mut self,
        change: &Change,
        reverses: Option<EntryId>,
        recorded_at: Timestamp,
    ) {
        let mut effects = Effects::new();
        let found = find_effects(self, change, &mut effects);
        invariant!(found.is_ok(), "a change was decided that cannot be: {found:?}");
        self.enact_change(change, &effects, reverses, recorded_at);
    }

    /// Applies a change whose effects are known.
    pub(crate) fn enact_change(
        &mut self,
        change: &Change,
        effects: &Effects,
        reverses: Option<EntryId>,
        recorded_at: Timestamp,
    ) {
        for end in &change.ends {
            self.end_hold(end.hold);
        }
        let (mut number, mut effective_at) = (0, recorded_at);
        if let Some(entry) = &change.entry {
            effective_at = entry.effective_at.unwrap_or(recorded_at);
            number = self.keep_entry(entry, effects, reverses, recorded_at);
        }
        for hold in &change.places {
            self.place_hold(hold, recorded_at);
        }
        let mut watched: SmallVec<[AccountId; 4]> = SmallVec::new();
        for effect in effects {
            let account = self.accounts.at_mut(usize::try_from(effect.position).unwrap_or(usize::MAX));
            let Some(account) = account else {
                invariant!(false, "account {} is unknown", effect.account);
                continue;
            };
            account.absorb(effect, number, effective_at);
            if account.is_watched {
                watched.push(effect.account);
            }
        }
        for account in watched {
            self.look_at(account, recorded_at);
        }
    }

    fn end_hold(&mut self, id: HoldId) {
        let Some(hold) = self.holds.remove(&id) else {
            invariant!(false, "hold {id} ends but is not open");
            return;
        };
        if let Some(expires_at) = hold.expires_at {
            self.expiries.remove(&(expires_at, id));
        }
        self.ended_holds.insert(id, ());
    }

    fn place_hold(&mut self, new: &NewHold, recorded_at: Timestamp) {
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

    /// Puts an entry into the history; answers with its number there, from 1.
    fn keep_entry(
        &mut self,
        entry: &Entry,
        effects: &Effects,
        reverses: Option<EntryId>,
        recorded_at: Timestamp,
    ) -> u32 {
        let mut legs: SmallVec<[PackedLeg; 4]> = SmallVec::new();
        for leg in &entry.legs {
            let Some(effect) = effects.iter().find(|effect| effect.account == leg.account) else {
                invariant!(false, "a leg on {} has no effect", leg.account);
                continue;
            };
            let previous = self.account_at(effect.position).map_or(0, |account| account.last);
            let (side, minor) = (leg.side, leg.amount.minor());
            legs.push(PackedLeg { account: effect.position, side, minor, previous });
        }
        if let Some(original) = reverses {
            self.reversals.insert(original, entry.id);
        }
        let new = NewEntry {
            id: entry.id,
            recorded_at,
            effective_at: entry.effective_at.unwrap_or(recorded_at),
            reference: entry.reference,
            memo: entry.memo.as_str(),
            reverses,
        };
        self.history.push(&new, &legs).saturating_add(1)
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
            reserved: 0,
            opened_at,
            closed_at: None,
            tenant,
            last: 0,
            entries: 0,
            effective_to: Timestamp::from_ms(0),
            is_watched: false,
        }
    }

    /// Takes up what a change does to it. `number` is that of the change's entry, if it has one that touches the account.
    pub(crate) fn absorb(&mut self, effect: &Effect, number: u32, effective_at: Timestamp) {
        self.debits = checked(self.debits.checked_add(effect.debits), effect.account);
        self.credits = checked(self.credits.checked_add(effect.credits), effect.account);
        let kept = self.held.checked_sub(effect.freed).and_then(|held| held.checked_add(effect.placed));
        self.held = checked(kept, effect.account);
        if effect.has_leg() {
            self.last = number;
            self.entries = self.entries.saturating_add(1);
            self.effective_to = self.effective_to.max(effective_at);
        }
    }
}

/// The sum, which was checked when the change was decided.
fn checked(sum: Option<u128>, id: AccountId) -> u128 {
    invariant!(sum.is_some(), "account {id}: {}", AmountError::Overflow);
    sum.unwrap_or_default()
}
