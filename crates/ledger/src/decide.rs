//! The checks, in their documented order.

use std::collections::BTreeMap;

use money::{AccountId, Amount, Asset, EntryId, HoldId, Timestamp};
use thiserror::Error;

use crate::{Account, Change, Command, Entry, Event, LEGS_MAX, Ledger, Leg, PostedEntry, Side};

/// A domain "no" of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A change that changes nothing.
    #[error("the change is empty")]
    EmptyChange,
    /// An entry has fewer than two or more than [`LEGS_MAX`] legs.
    #[error("an entry has 2 to {max} legs, not {count}", max = LEGS_MAX)]
    LegCount {
        /// Legs given.
        count: usize,
    },
    /// A leg or hold of nothing.
    #[error("amount is zero")]
    ZeroAmount,
    /// Debits and credits of an asset differ.
    #[error("debits {debits} do not equal credits {credits}")]
    Unbalanced {
        /// Sum of debits.
        debits: Amount,
        /// Sum of credits.
        credits: Amount,
    },
    /// Effective after it is recorded.
    #[error("effective time {effective_at} is after recording at {recorded_at}")]
    EffectiveInFuture {
        /// Asked for.
        effective_at: Timestamp,
        /// Time of recording.
        recorded_at: Timestamp,
    },
    /// The entry's id is taken.
    #[error("entry {id} exists with {}", if *.same_body { "the same body" } else { "another body" })]
    EntryExists {
        /// The id.
        id: EntryId,
        /// Whether the body is the same, so that nothing is missing.
        same_body: bool,
    },
    /// The hold's id is taken.
    #[error("hold {id} exists")]
    HoldExists {
        /// The id.
        id: HoldId,
    },
    /// The account's id is taken.
    #[error("account {id} exists")]
    AccountExists {
        /// The id.
        id: AccountId,
    },
    /// No such account.
    #[error("account {id} is unknown")]
    AccountUnknown {
        /// The id.
        id: AccountId,
    },
    /// The account is closed.
    #[error("account {id} is closed")]
    AccountClosed {
        /// The id.
        id: AccountId,
    },
    /// The account still holds something.
    #[error("account {id} still has {posted} posted and {held} held")]
    AccountNotEmpty {
        /// The id.
        id: AccountId,
        /// Posted.
        posted: Amount,
        /// Held.
        held: Amount,
    },
    /// The amount's asset is not the account's.
    #[error("account {id} holds {expected}, not {given}")]
    AssetMismatch {
        /// The account.
        id: AccountId,
        /// Its asset.
        expected: Asset,
        /// The asset given.
        given: Asset,
    },
    /// No open hold with this id.
    #[error("hold {id} is not open")]
    HoldNotOpen {
        /// The id.
        id: HoldId,
    },
    /// No such entry to reverse.
    #[error("entry {id} is unknown")]
    EntryUnknown {
        /// The id.
        id: EntryId,
    },
    /// The entry was reversed before.
    #[error("entry {id} was reversed by {by}")]
    AlreadyReversed {
        /// The id.
        id: EntryId,
        /// The reversal.
        by: EntryId,
    },
    /// Not enough available.
    #[error("account {id} has {available} available, {needed} is needed")]
    InsufficientFunds {
        /// The account.
        id: AccountId,
        /// Available after the holds that end with the change.
        available: Amount,
        /// What the change takes out.
        needed: Amount,
    },
    /// A sum above 2^128.
    #[error("amount is too large")]
    Overflow,
}

impl Refusal {
    /// Whether the same command can succeed later without being changed.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::InsufficientFunds { .. } | Self::AccountNotEmpty { .. })
    }
}

/// What a change does to one account.
struct Effect {
    debits: Amount,
    credits: Amount,
    freed: Amount,
    placed: Amount,
}

impl Ledger {
    /// Answers a command with events to apply, or a refusal.
    ///
    /// # Errors
    /// A [`Refusal`], in the order that the crate's documentation gives.
    pub fn decide(&self, command: &Command, recorded_at: Timestamp) -> Result<Event, Refusal> {
        match command {
            Command::OpenAccount { id, kind, asset } => match self.accounts.get(id) {
                Some(_) => Err(Refusal::AccountExists { id: *id }),
                None => Ok(Event::AccountOpened { id: *id, kind: *kind, asset: *asset }),
            },
            Command::CloseAccount { id } => self.decide_close(*id),
            Command::Change(change) => self.decide_change(change.clone(), None, recorded_at),
            Command::Reverse { id, of, memo } => self.decide_reverse(*id, *of, memo, recorded_at),
        }
    }

    fn decide_close(&self, id: AccountId) -> Result<Event, Refusal> {
        let balance = self.open_account(id)?.balance();
        if balance.posted.is_zero() && balance.held.is_zero() {
            Ok(Event::AccountClosed { id })
        } else {
            Err(Refusal::AccountNotEmpty { id, posted: balance.posted, held: balance.held })
        }
    }

    fn decide_reverse(
        &self,
        id: EntryId,
        of: EntryId,
        memo: &crate::Memo,
        recorded_at: Timestamp,
    ) -> Result<Event, Refusal> {
        let original = self.entries.get(&of).ok_or(Refusal::EntryUnknown { id: of })?;
        if let Some(by) = original.reversed_by {
            return Err(Refusal::AlreadyReversed { id: of, by });
        }
        let mirror = |leg: &Leg| Leg { side: leg.side.opposite(), ..*leg };
        let entry = Entry {
            id,
            legs: original.legs.iter().map(mirror).collect(),
            effective_at: None,
            reference: original.reference,
            memo: memo.clone(),
        };
        let change = Change { entry: Some(entry), ..Change::default() };
        self.decide_change(change, Some(of), recorded_at)
    }

    fn decide_change(
        &self,
        change: Change,
        reverses: Option<EntryId>,
        recorded_at: Timestamp,
    ) -> Result<Event, Refusal> {
        check_shape(&change, recorded_at)?;
        self.check_ids(&change, recorded_at)?;
        let effects = self.effects_of(&change)?;
        for (id, effect) in &effects {
            self.check_funds(*id, effect)?;
        }
        Ok(Event::Changed { change, reverses })
    }

    fn check_ids(&self, change: &Change, recorded_at: Timestamp) -> Result<(), Refusal> {
        if let Some(entry) = &change.entry
            && let Some(known) = self.entries.get(&entry.id)
        {
            return Err(Refusal::EntryExists {
                id: entry.id,
                same_body: same_body(entry, known, recorded_at),
            });
        }
        for (index, hold) in change.places.iter().enumerate() {
            let twice = change.places.iter().skip(index.saturating_add(1)).any(|other| other.id == hold.id);
            if twice || self.holds.contains(&hold.id) || self.ended_holds.contains(&hold.id) {
                return Err(Refusal::HoldExists { id: hold.id });
            }
        }
        Ok(())
    }

    fn effects_of(&self, change: &Change) -> Result<BTreeMap<AccountId, Effect>, Refusal> {
        let mut effects: BTreeMap<AccountId, Effect> = BTreeMap::new();
        for leg in change.entry.iter().flat_map(|entry| entry.legs.iter()) {
            let effect = self.effect_on(&mut effects, leg.account, leg.amount)?;
            let sum = match leg.side {
                Side::Debit => &mut effect.debits,
                Side::Credit => &mut effect.credits,
            };
            *sum = sum.plus(leg.amount).map_err(|_| Refusal::Overflow)?;
        }
        for hold in &change.places {
            let effect = self.effect_on(&mut effects, hold.account, hold.amount)?;
            effect.placed = effect.placed.plus(hold.amount).map_err(|_| Refusal::Overflow)?;
        }
        for (index, end) in change.ends.iter().enumerate() {
            let twice = change.ends.iter().skip(index.saturating_add(1)).any(|other| other.hold == end.hold);
            let Some(hold) = self.holds.get(&end.hold).filter(|_| !twice) else {
                return Err(Refusal::HoldNotOpen { id: end.hold });
            };
            let effect = self.effect_on(&mut effects, hold.account, hold.amount)?;
            effect.freed = effect.freed.plus(hold.amount).map_err(|_| Refusal::Overflow)?;
        }
        Ok(effects)
    }

    fn effect_on<'e>(
        &self,
        effects: &'e mut BTreeMap<AccountId, Effect>,
        id: AccountId,
        amount: Amount,
    ) -> Result<&'e mut Effect, Refusal> {
        let account = self.open_account(id)?;
        if account.asset != amount.asset() {
            return Err(Refusal::AssetMismatch { id, expected: account.asset, given: amount.asset() });
        }
        let zero = Amount::zero(account.asset);
        Ok(effects.entry(id).or_insert(Effect { debits: zero, credits: zero, freed: zero, placed: zero }))
    }

    /// A guarded account must still cover its holds, unless the change takes nothing out of it.
    fn check_funds(&self, id: AccountId, effect: &Effect) -> Result<(), Refusal> {
        let account = self.open_account(id)?;
        let sum = |a: Amount, b: Amount| a.plus(b).map_err(|_| Refusal::Overflow);
        let debits = sum(account.debits, effect.debits)?;
        let credits = sum(account.credits, effect.credits)?;
        let held = account.held.minus(effect.freed).map_err(|_| Refusal::Overflow)?;
        if !account.kind.is_guarded() {
            return Ok(());
        }
        let (plus, minus, taken) = match account.kind.normal_side() {
            Side::Debit => (debits, credits, effect.credits),
            Side::Credit => (credits, debits, effect.debits),
        };
        let needed = sum(taken, effect.placed)?;
        let claims = sum(sum(minus, held)?, effect.placed)?;
        if needed.is_zero() || plus.minor() >= claims.minor() {
            return Ok(());
        }
        let balance = account.balance();
        let available = balance.available.plus(effect.freed).unwrap_or(balance.available);
        Err(Refusal::InsufficientFunds { id, available, needed })
    }

    fn open_account(&self, id: AccountId) -> Result<&Account, Refusal> {
        let account = self.accounts.get(&id).ok_or(Refusal::AccountUnknown { id })?;
        if account.is_open() { Ok(account) } else { Err(Refusal::AccountClosed { id }) }
    }
}

fn check_shape(change: &Change, recorded_at: Timestamp) -> Result<(), Refusal> {
    let Change { ends, entry, places } = change;
    if ends.is_empty() && entry.is_none() && places.is_empty() {
        return Err(Refusal::EmptyChange);
    }
    if places.iter().any(|hold| hold.amount.is_zero()) {
        return Err(Refusal::ZeroAmount);
    }
    let Some(entry) = entry else { return Ok(()) };
    let count = entry.legs.len();
    if !(2..=LEGS_MAX).contains(&count) {
        return Err(Refusal::LegCount { count });
    }
    if entry.legs.iter().any(|leg| leg.amount.is_zero()) {
        return Err(Refusal::ZeroAmount);
    }
    check_balanced(&entry.legs)?;
    match entry.effective_at {
        Some(effective_at) if effective_at > recorded_at => {
            Err(Refusal::EffectiveInFuture { effective_at, recorded_at })
        }
        _ => Ok(()),
    }
}

fn check_balanced(legs: &[Leg]) -> Result<(), Refusal> {
    let mut sums: Vec<(Amount, Amount)> = Vec::with_capacity(1);
    for leg in legs {
        let asset = leg.amount.asset();
        let position = sums.iter().position(|(debits, _)| debits.asset() == asset);
        let position = position.unwrap_or_else(|| {
            sums.push((Amount::zero(asset), Amount::zero(asset)));
            sums.len().saturating_sub(1)
        });
        let Some((debits, credits)) = sums.get_mut(position) else { return Err(Refusal::Overflow) };
        let sum = match leg.side {
            Side::Debit => debits,
            Side::Credit => credits,
        };
        *sum = sum.plus(leg.amount).map_err(|_| Refusal::Overflow)?;
    }
    match sums.into_iter().find(|(debits, credits)| debits != credits) {
        Some((debits, credits)) => Err(Refusal::Unbalanced { debits, credits }),
        None => Ok(()),
    }
}

fn same_body(entry: &Entry, known: &PostedEntry, recorded_at: Timestamp) -> bool {
    let same_time = match entry.effective_at {
        Some(effective_at) => effective_at == known.effective_at,
        None => known.effective_at == known.recorded_at && known.recorded_at <= recorded_at,
    };
    same_time
        && entry.legs.as_slice() == known.legs.as_ref()
        && entry.reference == known.reference
        && entry.memo == known.memo
}
