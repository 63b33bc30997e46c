//! The checks, in their documented order.

use money::{AccountId, Amount, Asset, EntryId, Timestamp};
use smallvec::SmallVec;

use crate::books::{Books, Posting};
use crate::monitor::MONITORS_MAX;
use crate::{
    Account, Change, Command, Entry, Event, LEGS_MAX, Ledger, Leg, PostedEntry, Refusal, Side, Sizing,
    Transfer,
};

/// Most later postings of an account that an entry dated back is checked against, so that one command cannot hold up all others.
pub const RECHECK_MAX: usize = 100_000;

/// What a change does to one account, in minor units of its asset.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effect {
    pub(crate) account: AccountId,
    /// The account's position in the books.
    pub(crate) position: u32,
    pub(crate) debits: u128,
    pub(crate) credits: u128,
    pub(crate) freed: u128,
    pub(crate) placed: u128,
}

impl Effect {
    const fn none_on(account: AccountId, position: u32) -> Self {
        Self { account, position, debits: 0, credits: 0, freed: 0, placed: 0 }
    }

    /// Whether the change's entry has a leg on the account.
    pub(crate) const fn has_leg(&self) -> bool {
        self.debits > 0 || self.credits > 0
    }
}

/// What a change does, by account. Most changes touch few.
pub(crate) type Effects = SmallVec<[Effect; 4]>;

impl Ledger {
    /// Answers a command with an event to apply, or a refusal.
    ///
    /// # Errors
    /// A [`Refusal`], in the order that the crate's documentation gives.
    pub fn decide(&self, command: &Command, recorded_at: Timestamp) -> Result<Event, Refusal> {
        match command {
            Command::OpenAccount { id, kind, asset, tenant, opened_at } => {
                check_open(self, *id, *opened_at, recorded_at)?;
                let (tenant, opened_at) = (*tenant, *opened_at);
                Ok(Event::AccountOpened { id: *id, kind: *kind, asset: *asset, tenant, opened_at })
            }
            Command::CloseAccount { id } => {
                check_close(self, *id)?;
                Ok(Event::AccountClosed { id: *id })
            }
            Command::Change(change) => {
                check_change(self, change, recorded_at, &mut Effects::new())?;
                Ok(Event::Changed { change: change.clone(), reverses: None })
            }
            Command::Reverse { id, of, memo } => {
                let change = self.mirror(*id, *of, memo)?;
                check_change(self, &change, recorded_at, &mut Effects::new())?;
                Ok(Event::Changed { change, reverses: Some(*of) })
            }
            Command::Transfer(transfer) => {
                let amount = size(self, transfer)?;
                let change = Change { entry: Some(transfer.entry(amount)), ..Change::default() };
                check_change(self, &change, recorded_at, &mut Effects::new())?;
                Ok(Event::Changed { change, reverses: None })
            }
            Command::Seal { through, mark } => {
                let last = self.sealed_through().unwrap_or_default();
                if *through <= last || *through > recorded_at {
                    return Err(Refusal::SealOutOfOrder { through: *through, last, recorded_at });
                }
                Ok(Event::Sealed { through: *through, mark: *mark })
            }
            Command::SetMonitor { .. } | Command::RemoveMonitor { .. } | Command::NoticeDelivered { .. } => {
                self.decide_monitor(command)
            }
        }
    }

    fn decide_monitor(&self, command: &Command) -> Result<Event, Refusal> {
        match command {
            Command::SetMonitor { id, account, threshold } => {
                if self.monitors.contains_key(id) {
                    return Err(Refusal::MonitorExists { id: *id });
                }
                let (_, known) = open_account(self, *account)?;
                let given = threshold.mark().asset();
                if known.asset != given {
                    return Err(Refusal::AssetMismatch { id: *account, expected: known.asset, given });
                }
                if self.monitors_of(*account).count() >= MONITORS_MAX {
                    return Err(Refusal::MonitorsFull { id: *account });
                }
                Ok(Event::MonitorSet { id: *id, account: *account, threshold: *threshold })
            }
            Command::NoticeDelivered { id, number } => match self.notices.get(id) {
                Some(notice) if notice.number == *number => {
                    Ok(Event::NoticeDelivered { id: *id, number: *number })
                }
                _ => Err(Refusal::NoticeUnknown { id: *id, number: *number }),
            },
            Command::RemoveMonitor { id } if self.monitors.contains_key(id) => {
                Ok(Event::MonitorRemoved { id: *id })
            }
            Command::RemoveMonitor { id } => Err(Refusal::MonitorUnknown { id: *id }),
            _ => Err(Refusal::EmptyChange),
        }
    }

    /// The change that undoes an entry.
    pub(crate) fn mirror(&self, id: EntryId, of: EntryId, memo: &crate::Memo) -> Result<Change, Refusal> {
        let original = self.entry(of).ok_or(Refusal::EntryUnknown { id: of })?;
        if let Some(by) = original.reversed_by {
            return Err(Refusal::AlreadyReversed { id: of, by });
        }
        Ok(mirror(id, &original.legs, original.reference, memo))
    }
}

/// The entry whose legs are the opposite of these, as a change.
pub(crate) fn mirror(id: EntryId, legs: &[Leg], reference: Option<u64>, memo: &crate::Memo) -> Change {
    let opposite = |leg: &Leg| Leg { side: leg.side.opposite(), ..*leg };
    let legs = legs.iter().map(opposite).collect();
    let entry = Entry { id, legs, effective_at: None, reference, memo: memo.clone() };
    Change { entry: Some(entry), ..Change::default() }
}

impl Transfer {
    /// The entry that moves `amount`.
    pub(crate) fn entry(&self, amount: Amount) -> Entry {
        Entry {
            id: self.id,
            legs: vec![Leg::debit(self.debit, amount), Leg::credit(self.credit, amount)],
            effective_at: self.effective_at,
            reference: self.reference,
            memo: self.memo.clone(),
        }
    }
}

pub(crate) fn check_open(
    books: &impl Books,
    id: AccountId,
    opened_at: Option<Timestamp>,
    recorded_at: Timestamp,
) -> Result<(), Refusal> {
    match opened_at {
        Some(opened_at) if opened_at > recorded_at => Err(Refusal::OpenedInFuture { opened_at, recorded_at }),
        _ if books.account(id).is_some() => Err(Refusal::AccountExists { id }),
        _ => Ok(()),
    }
}

pub(crate) fn check_close(books: &impl Books, id: AccountId) -> Result<(), Refusal> {
    let balance = open_account(books, id)?.1.balance();
    if balance.posted.is_zero() && balance.held.is_zero() {
        Ok(())
    } else {
        Err(Refusal::AccountNotEmpty { id, posted: balance.posted, held: balance.held })
    }
}

/// The amount that a transfer moves. It is bounded by what is available on the accounts it takes from that may not run dry.
pub(crate) fn size(books: &impl Books, transfer: &Transfer) -> Result<Amount, Refusal> {
    let (cap, asset) = match transfer.sizing {
        Sizing::Exact(amount) => return Ok(amount),
        Sizing::UpTo(amount) => (amount.minor(), amount.asset()),
        Sizing::AllAvailable(asset) => (u128::MAX, asset),
    };
    let mut bound: Option<(u128, AccountId)> = None;
    for (id, taken_by) in [(transfer.debit, Side::Debit), (transfer.credit, Side::Credit)] {
        let (_, account) = open_account(books, id)?;
        if account.asset != asset {
            return Err(Refusal::AssetMismatch { id, expected: account.asset, given: asset });
        }
        if account.kind.is_guarded() && account.kind.normal_side() != taken_by {
            let available = account.balance().available.minor();
            bound = Some(bound.map_or((available, id), |least| least.min((available, id))));
        }
    }
    match bound {
        None => Err(Refusal::NothingBounds),
        Some((0, id)) => Err(Refusal::NothingAvailable { id }),
        Some((available, _)) => Ok(Amount::new(asset, available.min(cap))),
    }
}

/// Checks a change, and writes into `effects` what it does to each account.
pub(crate) fn check_change(
    books: &impl Books,
    change: &Change,
    recorded_at: Timestamp,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    check_shape(change)?;
    let effective_at = check_times(books, change, recorded_at)?;
    check_ids(books, change, recorded_at)?;
    find_effects(books, change, effects)?;
    for effect in effects.iter() {
        check_funds(books, effect)?;
    }
    if effective_at < recorded_at {
        for effect in effects.iter() {
            check_later(books, effect, effective_at)?;
        }
    }
    Ok(())
}

fn check_shape(change: &Change) -> Result<(), Refusal> {
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
    check_balanced(&entry.legs)
}

fn check_balanced(legs: &[Leg]) -> Result<(), Refusal> {
    // Two legs in one asset, as most entries have.
    if let [one, other] = legs
        && one.side != other.side
        && one.amount == other.amount
    {
        return Ok(());
    }
    let mut sums: SmallVec<[(Asset, u128, u128); 2]> = SmallVec::new();
    for leg in legs {
        let asset = leg.amount.asset();
        let position = sums.iter().position(|(of, ..)| *of == asset).unwrap_or_else(|| {
            sums.push((asset, 0, 0));
            sums.len().saturating_sub(1)
        });
        let Some((_, debits, credits)) = sums.get_mut(position) else { return Err(Refusal::Overflow) };
        let sum = match leg.side {
            Side::Debit => debits,
            Side::Credit => credits,
        };
        *sum = sum.checked_add(leg.amount.minor()).ok_or(Refusal::Overflow)?;
    }
    match sums.into_iter().find(|(_, debits, credits)| debits != credits) {
        Some((asset, debits, credits)) => Err(Refusal::Unbalanced {
            debits: Amount::new(asset, debits),
            credits: Amount::new(asset, credits),
        }),
        None => Ok(()),
    }
}

/// When the change counts.
fn check_times(books: &impl Books, change: &Change, recorded_at: Timestamp) -> Result<Timestamp, Refusal> {
    let asked = change.entry.as_ref().and_then(|entry| entry.effective_at);
    let Some(effective_at) = asked else { return Ok(recorded_at) };
    if effective_at > recorded_at {
        return Err(Refusal::EffectiveInFuture { effective_at, recorded_at });
    }
    match books.sealed_through() {
        Some(through) if effective_at < through => Err(Refusal::DaySealed { effective_at, through }),
        _ => Ok(effective_at),
    }
}

fn check_ids(books: &impl Books, change: &Change, recorded_at: Timestamp) -> Result<(), Refusal> {
    if let Some(entry) = &change.entry
        && let Some(same_body) = books.known_entry(entry, recorded_at)
    {
        return Err(Refusal::EntryExists { id: entry.id, same_body });
    }
    for (index, hold) in change.places.iter().enumerate() {
        let twice = change.places.iter().skip(index.saturating_add(1)).any(|other| other.id == hold.id);
        if twice || books.is_hold_known(hold.id) {
            return Err(Refusal::HoldExists { id: hold.id });
        }
    }
    Ok(())
}

/// Writes into `effects` what a change does to each account.
pub(crate) fn find_effects(
    books: &impl Books,
    change: &Change,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    effects.clear();
    for leg in change.entry.iter().flat_map(|entry| entry.legs.iter()) {
        let effect = effect_on(books, effects, leg.account, leg.amount)?;
        let sum = match leg.side {
            Side::Debit => &mut effect.debits,
            Side::Credit => &mut effect.credits,
        };
        *sum = sum.checked_add(leg.amount.minor()).ok_or(Refusal::Overflow)?;
    }
    for hold in &change.places {
        let effect = effect_on(books, effects, hold.account, hold.amount)?;
        effect.placed = effect.placed.checked_add(hold.amount.minor()).ok_or(Refusal::Overflow)?;
    }
    for (index, end) in change.ends.iter().enumerate() {
        let twice = change.ends.iter().skip(index.saturating_add(1)).any(|other| other.hold == end.hold);
        let Some(hold) = books.hold(end.hold).filter(|_| !twice) else {
            return Err(Refusal::HoldNotOpen { id: end.hold });
        };
        let effect = effect_on(books, effects, hold.account, hold.amount)?;
        effect.freed = effect.freed.checked_add(hold.amount.minor()).ok_or(Refusal::Overflow)?;
    }
    Ok(())
}

fn effect_on<'e>(
    books: &impl Books,
    effects: &'e mut Effects,
    id: AccountId,
    amount: Amount,
) -> Result<&'e mut Effect, Refusal> {
    let (position, account) = open_account(books, id)?;
    if account.asset != amount.asset() {
        return Err(Refusal::AssetMismatch { id, expected: account.asset, given: amount.asset() });
    }
    let index = effects.iter().position(|effect| effect.position == position).unwrap_or_else(|| {
        effects.push(Effect::none_on(id, position));
        effects.len().saturating_sub(1)
    });
    effects.get_mut(index).ok_or(Refusal::Overflow)
}

/// A guarded account must still cover its holds, unless the change takes nothing out of it.
fn check_funds(books: &impl Books, effect: &Effect) -> Result<(), Refusal> {
    let Some(account) = books.account_at(effect.position) else { return Err(Refusal::Overflow) };
    let sum = |a: u128, b: u128| a.checked_add(b).ok_or(Refusal::Overflow);
    let debits = sum(account.debits, effect.debits)?;
    let credits = sum(account.credits, effect.credits)?;
    let held = account.held.checked_sub(effect.freed).ok_or(Refusal::Overflow)?;
    if !account.kind.is_guarded() {
        return Ok(());
    }
    let (plus, minus, taken) = match account.kind.normal_side() {
        Side::Debit => (debits, credits, effect.credits),
        Side::Credit => (credits, debits, effect.debits),
    };
    let needed = sum(taken, effect.placed)?;
    let claims = sum(sum(minus, held)?, effect.placed)?;
    if needed == 0 || plus >= claims {
        return Ok(());
    }
    let available = account.balance().available.minor().saturating_add(effect.freed);
    Err(Refusal::InsufficientFunds {
        id: effect.account,
        available: Amount::new(account.asset, available),
        needed: Amount::new(account.asset, needed),
    })
}

/// An entry dated back must leave every later balance, by value time, at or above zero.
fn check_later(books: &impl Books, effect: &Effect, effective_at: Timestamp) -> Result<(), Refusal> {
    let Some(account) = books.account_at(effect.position) else { return Err(Refusal::Overflow) };
    let needed = match account.kind.normal_side() {
        Side::Debit => effect.credits.saturating_sub(effect.debits),
        Side::Credit => effect.debits.saturating_sub(effect.credits),
    };
    if needed == 0 || !account.kind.is_guarded() || account.effective_to <= effective_at {
        return Ok(());
    }
    let id = effect.account;
    let postings = books.later_postings(effect.position, effective_at, RECHECK_MAX);
    let postings = postings.ok_or(Refusal::TooFarBack { id, effective_at })?;
    let (at, posted) = least_balance(account, postings, effective_at);
    if posted >= needed {
        return Ok(());
    }
    let (posted, needed) = (Amount::new(account.asset, posted), Amount::new(account.asset, needed));
    Err(Refusal::LaterBalance { id, effective_at, at, posted, needed })
}

/// The least balance by value time from `since` on, and when it was: from today's balance backwards over the `postings` after `since`.
fn least_balance(account: &Account, mut postings: Vec<Posting>, since: Timestamp) -> (Timestamp, u128) {
    postings.sort_unstable_by_key(|posting| std::cmp::Reverse(posting.effective_at));
    let (mut debits, mut credits) = (account.debits, account.credits);
    let balance = |debits: u128, credits: u128| match account.kind.normal_side() {
        Side::Debit => debits.saturating_sub(credits),
        Side::Credit => credits.saturating_sub(debits),
    };
    let latest = postings.first().map_or(since, |posting| posting.effective_at);
    let mut least = (latest, balance(debits, credits));
    let mut rest = postings.into_iter().peekable();
    while let Some(posting) = rest.next() {
        debits = debits.saturating_sub(posting.debits);
        credits = credits.saturating_sub(posting.credits);
        // Postings of one instant count together; the balance before them began with the posting ahead of them.
        let before = rest.peek().map_or(since, |next| next.effective_at);
        if before < posting.effective_at && balance(debits, credits) < least.1 {
            least = (before, balance(debits, credits));
        }
    }
    least
}

pub(crate) fn open_account(books: &impl Books, id: AccountId) -> Result<(u32, &Account), Refusal> {
    let (position, account) = books.account(id).ok_or(Refusal::AccountUnknown { id })?;
    if account.is_open() { Ok((position, account)) } else { Err(Refusal::AccountClosed { id }) }
}

pub(crate) fn same_body(entry: &Entry, known: &PostedEntry, recorded_at: Timestamp) -> bool {
    let same_time = match entry.effective_at {
        Some(effective_at) => effective_at == known.effective_at,
        None => known.effective_at == known.recorded_at && known.recorded_at <= recorded_at,
    };
    same_time && entry.legs == known.legs && entry.reference == known.reference && entry.memo == known.memo
}
