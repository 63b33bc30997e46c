//! The ledger's state and what can be read of it.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use money::{AccountId, Amount, Asset, EntryId, HoldId, IdMap, Timestamp};

use crate::{AccountKind, Leg, Memo, Side};

/// An account.
#[derive(Debug, Clone, Encode, Decode)]
pub struct Account {
    #[n(0)]
    pub(crate) kind: AccountKind,
    #[n(1)]
    pub(crate) asset: Asset,
    #[n(2)]
    pub(crate) debits: Amount,
    #[n(3)]
    pub(crate) credits: Amount,
    #[n(4)]
    pub(crate) held: Amount,
    #[n(5)]
    pub(crate) opened_at: Timestamp,
    #[n(6)]
    pub(crate) closed_at: Option<Timestamp>,
    /// Positions in [`Ledger::entries`], oldest first: the account's own history.
    #[n(7)]
    pub(crate) history: Vec<u32>,
}

/// What an account holds. `posted` is `None` in a direction that has no positive balance (see [`Balance::is_overdrawn`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Booked balance on the normal side; when overdrawn, by how much.
    pub posted: Amount,
    /// Sum of open holds.
    pub held: Amount,
    /// `posted − held`; zero when overdrawn.
    pub available: Amount,
    /// Whether the balance is on the other side than normal (only unguarded kinds can be).
    pub is_overdrawn: bool,
}

impl Account {
    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> AccountKind {
        self.kind
    }

    /// The only asset it holds.
    #[must_use]
    pub const fn asset(&self) -> Asset {
        self.asset
    }

    /// Whether entries are accepted.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.closed_at.is_none()
    }

    /// When it was opened.
    #[must_use]
    pub const fn opened_at(&self) -> Timestamp {
        self.opened_at
    }

    /// How many entries touched it.
    #[must_use]
    pub fn entries_count(&self) -> usize {
        self.history.len()
    }

    /// The balance now.
    #[must_use]
    pub fn balance(&self) -> Balance {
        Balance::of(self.kind, self.debits, self.credits, self.held)
    }
}

impl Balance {
    pub(crate) fn of(kind: AccountKind, debits: Amount, credits: Amount, held: Amount) -> Self {
        let (plus, minus) = match kind.normal_side() {
            Side::Debit => (debits, credits),
            Side::Credit => (credits, debits),
        };
        match plus.minus(minus) {
            Ok(posted) => {
                let available = posted.minus(held).unwrap_or(Amount::zero(posted.asset()));
                Self { posted, held, available, is_overdrawn: false }
            }
            Err(_) => {
                let posted = minus.minus(plus).unwrap_or(minus);
                Self { posted, held, available: Amount::zero(posted.asset()), is_overdrawn: true }
            }
        }
    }
}

/// An open hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Hold {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// How much.
    #[n(1)]
    pub amount: Amount,
    /// When it was placed.
    #[n(2)]
    pub placed_at: Timestamp,
    /// When it is released by itself.
    #[n(3)]
    pub expires_at: Option<Timestamp>,
}

/// A posted entry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PostedEntry {
    /// The legs.
    #[n(0)]
    pub legs: Box<[Leg]>,
    /// When it was recorded.
    #[n(1)]
    pub recorded_at: Timestamp,
    /// When it counts.
    #[n(2)]
    pub effective_at: Timestamp,
    /// The caller's object.
    #[n(3)]
    pub reference: Option<u64>,
    /// Free words.
    #[n(4)]
    pub memo: Memo,
    /// The entry that this one reverses.
    #[n(5)]
    pub reverses: Option<EntryId>,
    /// The entry that reverses this one.
    #[n(6)]
    pub reversed_by: Option<EntryId>,
}

/// All accounts, entries and holds.
#[derive(Debug, Clone, Default, Encode, Decode)]
pub struct Ledger {
    #[n(0)]
    pub(crate) accounts: IdMap<AccountId, Account>,
    #[n(1)]
    pub(crate) entries: IdMap<EntryId, PostedEntry>,
    #[n(2)]
    pub(crate) holds: IdMap<HoldId, Hold>,
    /// Holds that end by themselves, soonest first.
    #[n(3)]
    pub(crate) expiries: BTreeSet<(Timestamp, HoldId)>,
    /// Ids of holds that have ended, so that none is used twice.
    #[n(4)]
    pub(crate) ended_holds: BTreeSet<HoldId>,
}

impl Ledger {
    /// An account.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// A posted entry.
    #[must_use]
    pub fn entry(&self, id: EntryId) -> Option<&PostedEntry> {
        self.entries.get(&id)
    }

    /// An open hold.
    #[must_use]
    pub fn hold(&self, id: HoldId) -> Option<&Hold> {
        self.holds.get(&id)
    }

    /// Open holds of an account, in the order they were placed.
    pub fn holds_of(&self, account: AccountId) -> impl Iterator<Item = (HoldId, &Hold)> {
        self.holds.in_order().filter(move |(_, hold)| hold.account == account).map(|(id, hold)| (*id, hold))
    }

    /// All open holds, in the order they were placed.
    pub fn holds(&self) -> impl Iterator<Item = (HoldId, &Hold)> {
        self.holds.in_order().map(|(id, hold)| (*id, hold))
    }

    /// All accounts, in the order they were opened.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, &Account)> {
        self.accounts.in_order().map(|(id, account)| (*id, account))
    }

    /// How many accounts, entries and open holds there are.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.accounts.len(), self.entries.len(), self.holds.len())
    }

    /// When the next hold ends by itself.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.expiries.first().map(|(at, _)| *at)
    }

    /// Up to `max` holds whose time is over at `now`.
    #[must_use]
    pub fn expired_holds(&self, now: Timestamp, max: usize) -> Vec<HoldId> {
        self.expiries.iter().take_while(|(at, _)| *at <= now).take(max).map(|(_, hold)| *hold).collect()
    }

    /// Debits and credits over all accounts, per asset: equal, or the books are broken.
    #[must_use]
    pub fn trial_balance(&self) -> Vec<(Asset, Amount, Amount)> {
        let mut totals: std::collections::BTreeMap<Asset, (Amount, Amount)> =
            std::collections::BTreeMap::new();
        for (_, account) in self.accounts.in_order() {
            let zero = Amount::zero(account.asset);
            let (debits, credits) = totals.entry(account.asset).or_insert((zero, zero));
            *debits = debits.plus(account.debits).unwrap_or(*debits);
            *credits = credits.plus(account.credits).unwrap_or(*credits);
        }
        totals.into_iter().map(|(asset, (debits, credits))| (asset, debits, credits)).collect()
    }

    /// What is wrong with the books, in words; empty when every invariant holds. Walks every account.
    #[must_use]
    pub fn broken_invariants(&self) -> Vec<String> {
        let mut broken = Vec::new();
        for (asset, debits, credits) in self.trial_balance() {
            if debits != credits {
                broken.push(format!("{asset}: debits {debits} are not credits {credits}"));
            }
        }
        let mut held: std::collections::BTreeMap<AccountId, Amount> = std::collections::BTreeMap::new();
        for (id, hold) in self.holds.in_order() {
            let sum = held.entry(hold.account).or_insert(Amount::zero(hold.amount.asset()));
            match sum.plus(hold.amount) {
                Ok(more) => *sum = more,
                Err(error) => broken.push(format!("{id}: {error}")),
            }
        }
        for (id, account) in self.accounts.in_order() {
            let balance = account.balance();
            let open_holds = held.get(id).copied().unwrap_or(Amount::zero(account.asset));
            if open_holds != account.held {
                broken.push(format!("{id}: holds {open_holds} are not {} held", account.held));
            }
            if account.kind.is_guarded()
                && (balance.is_overdrawn || balance.held.minor() > balance.posted.minor())
            {
                broken.push(format!("{id}: posted {} is below held {}", balance.posted, balance.held));
            }
        }
        broken
    }
}
