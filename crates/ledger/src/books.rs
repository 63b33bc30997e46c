//! What a change is checked against: the books as they are, or with the earlier rows of a chain already in them.

use std::collections::BTreeMap;

use money::{AccountId, EntryId, HoldId, Timestamp};

use crate::decide::{Effects, mirror, same_body};
use crate::{Account, Change, Entry, Hold, Ledger, Memo, Refusal};

/// A posting on the axis of effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Posting {
    pub(crate) effective_at: Timestamp,
    pub(crate) debits: u128,
    pub(crate) credits: u128,
}

/// Read access to books.
pub(crate) trait Books {
    /// An account with its position.
    fn account(&self, id: AccountId) -> Option<(u32, &Account)>;
    /// The account at a position.
    fn account_at(&self, position: u32) -> Option<&Account>;
    /// Whether there is an entry with this id, and if so, whether with the same body.
    fn known_entry(&self, entry: &Entry, now: Timestamp) -> Option<bool>;
    /// An open hold.
    fn hold(&self, id: HoldId) -> Option<Hold>;
    /// Whether the id of a hold was used, open or ended.
    fn is_hold_known(&self, id: HoldId) -> bool;
    /// The time before which nothing counts any more.
    fn sealed_through(&self) -> Option<Timestamp>;
    /// The change that undoes an entry, also one that these books alone have.
    ///
    /// # Errors
    /// The entry is unknown or was reversed.
    fn mirror_of(&self, id: EntryId, of: EntryId, memo: &Memo) -> Result<Change, Refusal>;
    /// An account's postings that count after `after`, newest recorded first; `None` when there are more than `max`.
    fn later_postings(&self, position: u32, after: Timestamp, max: usize) -> Option<Vec<Posting>>;
}

impl Books for Ledger {
    fn account(&self, id: AccountId) -> Option<(u32, &Account)> {
        let position = self.accounts.position(&id)?;
        let (_, account) = self.accounts.at(position)?;
        Some((u32::try_from(position).ok()?, account))
    }

    fn account_at(&self, position: u32) -> Option<&Account> {
        self.accounts.at(usize::try_from(position).ok()?).map(|(_, account)| account)
    }

    fn known_entry(&self, entry: &Entry, now: Timestamp) -> Option<bool> {
        if !self.history.contains(entry.id) {
            return None;
        }
        let known = self.entry(entry.id)?;
        Some(same_body(entry, &known, now))
    }

    fn hold(&self, id: HoldId) -> Option<Hold> {
        self.holds.get(&id).copied()
    }

    fn is_hold_known(&self, id: HoldId) -> bool {
        self.holds.contains(&id) || self.ended_holds.contains(&id)
    }

    fn sealed_through(&self) -> Option<Timestamp> {
        Self::sealed_through(self)
    }

    fn mirror_of(&self, id: EntryId, of: EntryId, memo: &Memo) -> Result<Change, Refusal> {
        self.mirror(id, of, memo)
    }

    fn later_postings(&self, position: u32, after: Timestamp, max: usize) -> Option<Vec<Posting>> {
        let mut postings = Vec::new();
        // What was recorded by then cannot count later.
        for entry in self.walk(position).take_while(|entry| entry.recorded_at > after) {
            if entry.effective_at <= after {
                continue;
            }
            if postings.len() >= max {
                return None;
            }
            let (debits, credits) = entry.sums_of(position);
            postings.push(Posting { effective_at: entry.effective_at, debits, credits });
        }
        Some(postings)
    }
}

/// The books with the rows of a chain in them that were found good so far. Nothing of it is kept: if the whole chain is good, its rows are applied.
pub(crate) struct ChainBooks<'a> {
    ledger: &'a Ledger,
    /// Accounts that the chain has touched or opened.
    accounts: BTreeMap<u32, Account>,
    opened: BTreeMap<AccountId, u32>,
    entries: Vec<Entry>,
    /// Entries that the chain has reversed, and by which.
    reversed: BTreeMap<EntryId, EntryId>,
    /// Holds that the chain has placed, or ended.
    holds: BTreeMap<HoldId, Option<Hold>>,
    postings: Vec<(u32, Posting)>,
}

impl<'a> ChainBooks<'a> {
    pub(crate) const fn new(ledger: &'a Ledger) -> Self {
        Self {
            ledger,
            accounts: BTreeMap::new(),
            opened: BTreeMap::new(),
            entries: Vec::new(),
            reversed: BTreeMap::new(),
            holds: BTreeMap::new(),
            postings: Vec::new(),
        }
    }

    /// Puts in an account that the chain opens.
    pub(crate) fn open(&mut self, id: AccountId, account: Account) {
        let position = self.ledger.accounts.len().saturating_add(self.opened.len());
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        self.opened.insert(id, position);
        self.accounts.insert(position, account);
    }

    /// Marks an account closed.
    pub(crate) fn close(&mut self, id: AccountId, now: Timestamp) {
        let Some((position, account)) = self.account(id) else { return };
        let closed = Account { closed_at: Some(now), ..account.clone() };
        self.accounts.insert(position, closed);
    }

    /// Puts in a change that was found good.
    pub(crate) fn absorb(
        &mut self,
        change: &Change,
        effects: &Effects,
        reverses: Option<EntryId>,
        now: Timestamp,
    ) {
        if let (Some(of), Some(entry)) = (reverses, &change.entry) {
            self.reversed.insert(of, entry.id);
        }
        let effective_at = change.entry.as_ref().map_or(now, |entry| entry.effective_at.unwrap_or(now));
        for effect in effects {
            let Some(mut account) = self.account_at(effect.position).cloned() else { continue };
            account.absorb(effect, account.last, effective_at);
            self.accounts.insert(effect.position, account);
            let posting = Posting { effective_at, debits: effect.debits, credits: effect.credits };
            self.postings.push((effect.position, posting));
        }
        for end in &change.ends {
            self.holds.insert(end.hold, None);
        }
        for new in &change.places {
            let hold =
                Hold { account: new.account, amount: new.amount, placed_at: now, expires_at: new.expires_at };
            self.holds.insert(new.id, Some(hold));
        }
        self.entries.extend(change.entry.clone());
    }
}

impl Books for ChainBooks<'_> {
    fn account(&self, id: AccountId) -> Option<(u32, &Account)> {
        let position = match self.opened.get(&id) {
            Some(position) => *position,
            None => Books::account(self.ledger, id)?.0,
        };
        Some((position, self.account_at(position)?))
    }

    fn account_at(&self, position: u32) -> Option<&Account> {
        self.accounts.get(&position).or_else(|| self.ledger.account_at(position))
    }

    fn known_entry(&self, entry: &Entry, now: Timestamp) -> Option<bool> {
        match self.entries.iter().find(|known| known.id == entry.id) {
            Some(known) => Some(known == entry),
            None => self.ledger.known_entry(entry, now),
        }
    }

    fn hold(&self, id: HoldId) -> Option<Hold> {
        match self.holds.get(&id) {
            Some(found) => *found,
            None => Books::hold(self.ledger, id),
        }
    }

    fn is_hold_known(&self, id: HoldId) -> bool {
        self.holds.contains_key(&id) || self.ledger.is_hold_known(id)
    }

    fn sealed_through(&self) -> Option<Timestamp> {
        Books::sealed_through(self.ledger)
    }

    fn mirror_of(&self, id: EntryId, of: EntryId, memo: &Memo) -> Result<Change, Refusal> {
        if let Some(by) = self.reversed.get(&of) {
            return Err(Refusal::AlreadyReversed { id: of, by: *by });
        }
        match self.entries.iter().find(|entry| entry.id == of) {
            Some(entry) => Ok(mirror(id, &entry.legs, entry.reference, memo)),
            None => self.ledger.mirror(id, of, memo),
        }
    }

    fn later_postings(&self, position: u32, after: Timestamp, max: usize) -> Option<Vec<Posting>> {
        let mut postings = self.ledger.later_postings(position, after, max)?;
        let of_chain =
            self.postings.iter().filter(|(of, posting)| *of == position && posting.effective_at > after);
        postings.extend(of_chain.map(|(_, posting)| *posting));
        Some(postings)
    }
}
