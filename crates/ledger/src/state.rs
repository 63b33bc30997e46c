//! The ledger's state and what can be read of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minicbor::{Decode, Encode};
use money::{AccountId, Amount, Asset, EntryId, HoldId, IdMap, MonitorId, Timestamp};

use crate::history::chunk::{ColdHistory, HistoryChunk, HistoryFault};
use crate::history::{Forgotten, History, Packed};
use crate::monitor::{Monitor, Notice};
use crate::{AccountKind, JournalMark, Leg, Memo, Side, Tenant};

/// An account.
#[derive(Debug, Clone, Encode, Decode)]
pub struct Account {
    #[n(0)]
    pub(crate) kind: AccountKind,
    #[n(1)]
    pub(crate) asset: Asset,
    #[cbor(n(2), with = "money::wide")]
    pub(crate) debits: u128,
    #[cbor(n(3), with = "money::wide")]
    pub(crate) credits: u128,
    #[cbor(n(4), with = "money::wide")]
    pub(crate) held: u128,
    #[n(5)]
    pub(crate) opened_at: Timestamp,
    #[n(6)]
    pub(crate) closed_at: Option<Timestamp>,
    #[n(7)]
    pub(crate) tenant: Tenant,
    /// Its newest entry, counted from 1; 0 for none.
    #[n(8)]
    pub(crate) last: u32,
    /// How many entries touched it.
    #[n(9)]
    pub(crate) entries: u32,
    /// Latest time at which an entry of it counts.
    #[n(10)]
    pub(crate) effective_to: Timestamp,
    /// Whether a monitor watches it.
    #[n(11)]
    pub(crate) is_watched: bool,
    /// The part of what is held that is set aside for open orders.
    #[cbor(n(12), with = "money::wide")]
    pub(crate) reserved: u128,
}

/// What an account holds. `posted` is `None` in a direction that has no positive balance (see [`Balance::is_overdrawn`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Booked balance on the normal side; when overdrawn, by how much.
    pub posted: Amount,
    /// Sum of open holds, and what is set aside for open orders.
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

    /// Since when it exists.
    #[must_use]
    pub const fn opened_at(&self) -> Timestamp {
        self.opened_at
    }

    /// Since when it is closed.
    #[must_use]
    pub const fn closed_at(&self) -> Option<Timestamp> {
        self.closed_at
    }

    /// Whose it is.
    #[must_use]
    pub const fn tenant(&self) -> Tenant {
        self.tenant
    }

    /// How many entries touched it.
    #[must_use]
    pub const fn entries_count(&self) -> u32 {
        self.entries
    }

    /// The balance now.
    #[must_use]
    pub const fn balance(&self) -> Balance {
        Balance::of(self.kind, self.asset, self.debits, self.credits, self.held)
    }
}

impl Balance {
    pub(crate) const fn of(kind: AccountKind, asset: Asset, debits: u128, credits: u128, held: u128) -> Self {
        let (plus, minus) = match kind.normal_side() {
            Side::Debit => (debits, credits),
            Side::Credit => (credits, debits),
        };
        let (posted, available, is_overdrawn) = if plus >= minus {
            let posted = plus.saturating_sub(minus);
            (posted, posted.saturating_sub(held), false)
        } else {
            (minus.saturating_sub(plus), 0, true)
        };
        Self {
            posted: Amount::new(asset, posted),
            held: Amount::new(asset, held),
            available: Amount::new(asset, available),
            is_overdrawn,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedEntry {
    /// Its id.
    pub id: EntryId,
    /// The legs.
    pub legs: Vec<Leg>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// When it counts.
    pub effective_at: Timestamp,
    /// The caller's object.
    pub reference: Option<u64>,
    /// Free words.
    pub memo: Memo,
    /// The entry that this one reverses.
    pub reverses: Option<EntryId>,
    /// The entry that reverses this one.
    pub reversed_by: Option<EntryId>,
}

/// Days that nothing can be booked into any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Seal {
    /// The end of the last day sealed: an entry counts at this time or later.
    #[n(0)]
    pub through: Timestamp,
    /// When it was sealed.
    #[n(1)]
    pub sealed_at: Timestamp,
    /// How many entries had been posted.
    #[n(2)]
    pub entries: u32,
    /// The journal as it was.
    #[n(3)]
    pub mark: JournalMark,
}

/// All accounts, entries and holds.
#[derive(Debug, Clone, Default, Encode, Decode)]
pub struct Ledger {
    /// Never removed from, so that an account's position names it.
    #[n(0)]
    pub(crate) accounts: IdMap<AccountId, Account>,
    #[n(1)]
    pub(crate) history: History,
    #[n(2)]
    pub(crate) holds: IdMap<HoldId, Hold>,
    /// Holds that end by themselves, soonest first.
    #[n(3)]
    pub(crate) expiries: BTreeSet<(Timestamp, HoldId)>,
    /// Ids of holds that have ended, so that none is used twice.
    #[n(4)]
    pub(crate) ended_holds: IdMap<HoldId, ()>,
    /// Reversed entries, and by which.
    #[n(5)]
    pub(crate) reversals: BTreeMap<EntryId, EntryId>,
    #[n(6)]
    pub(crate) seals: Vec<Seal>,
    #[n(7)]
    pub(crate) monitors: BTreeMap<MonitorId, Monitor>,
    /// Which monitors watch an account.
    #[n(8)]
    pub(crate) watched: BTreeSet<(AccountId, MonitorId)>,
    /// What monitors have to say, until it is delivered: the latest of each.
    #[n(9)]
    pub(crate) notices: BTreeMap<MonitorId, Notice>,
    #[n(10)]
    pub(crate) notices_count: u64,
}

impl Ledger {
    /// An account.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// A posted entry.
    #[must_use]
    pub fn entry(&self, id: EntryId) -> Option<PostedEntry> {
        self.history.find(id).map(|entry| self.unpack(&entry))
    }

    /// The entry as the interface shows it: accounts by their ids.
    pub(crate) fn unpack(&self, entry: &Packed<'_>) -> PostedEntry {
        let leg = |packed: crate::history::PackedLeg| {
            let (id, account) = self.accounts.at(usize::try_from(packed.account).ok()?)?;
            Some(Leg { account: *id, side: packed.side, amount: Amount::new(account.asset, packed.minor) })
        };
        PostedEntry {
            id: entry.id,
            legs: entry.legs().filter_map(leg).collect(),
            recorded_at: entry.recorded_at,
            effective_at: entry.effective_at,
            reference: entry.reference,
            memo: Memo::clip(&entry.memo),
            reverses: entry.reverses,
            reversed_by: self.reversals.get(&entry.id).copied(),
        }
    }

    /// Full chunks of history in memory, with the number of the first: what a snapshot keeps beside the state.
    pub fn hot_chunks(&self) -> (u32, impl Iterator<Item = &[u8]>) {
        self.history.hot_chunks()
    }

    /// A full chunk of history, if it is in memory.
    #[must_use]
    pub fn full_chunk(&self, number: u32) -> Option<Arc<HistoryChunk>> {
        self.history.full_chunk(number)
    }

    /// Completes a ledger that was decoded with its chunks of history: those from the number `first` on, while those before it are in `cold`.
    ///
    /// # Errors
    /// A chunk is missing, or is not the one that the ledger was encoded with.
    pub fn fill_history(
        &mut self,
        first: u32,
        chunks: Vec<Vec<u8>>,
        cold: Option<Arc<dyn ColdHistory>>,
    ) -> Result<(), HistoryFault> {
        self.history.fill(first, chunks, cold)
    }

    /// The digest of a full chunk of history, wherever it is.
    #[must_use]
    pub fn chunk_digest(&self, number: u32) -> Option<[u8; 32]> {
        self.history.chunk_digest(number)
    }

    /// Drops all history but the newest `keep` entries, as far as it is kept elsewhere: once, after a start. Takes as long as `keep` is large.
    pub fn trim_history(&mut self, keep: u32) -> Forgotten {
        self.history.trim(keep)
    }

    /// Where chunks of history are that memory need not hold.
    pub fn keep_history_in(&mut self, cold: Arc<dyn ColdHistory>) {
        self.history.keep_in(cold);
    }

    /// How many chunks of history have to be kept elsewhere before more of it can leave memory. The last of them may not be full yet.
    #[must_use]
    pub const fn chunks_to_store(&self) -> u32 {
        self.history.chunks_to_store()
    }

    /// Drops history that is kept elsewhere, so that about the newest `keep` entries stay in memory. Nothing else changes.
    pub fn forget_history(&mut self, keep: u32) -> Forgotten {
        self.history.forget(keep)
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
        let entries = usize::try_from(self.history.len()).unwrap_or(usize::MAX);
        (self.accounts.len(), entries, self.holds.len())
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

    /// Sealed days, oldest first.
    #[must_use]
    pub fn seals(&self) -> &[Seal] {
        &self.seals
    }

    /// The time from which on entries may count; none when no day is sealed.
    #[must_use]
    pub fn sealed_through(&self) -> Option<Timestamp> {
        self.seals.last().map(|seal| seal.through)
    }

    /// Debits and credits over all accounts, per asset: equal, or the books are broken.
    #[must_use]
    pub fn trial_balance(&self) -> Vec<(Asset, Amount, Amount)> {
        self.trial_balance_where(|_| true)
    }

    /// Debits and credits over the accounts of a tenant, per asset. They differ by what the tenant has with others.
    #[must_use]
    pub fn trial_balance_of(&self, tenant: Tenant) -> Vec<(Asset, Amount, Amount)> {
        self.trial_balance_where(|account| account.tenant == tenant)
    }

    fn trial_balance_where(&self, is_wanted: impl Fn(&Account) -> bool) -> Vec<(Asset, Amount, Amount)> {
        let mut totals: BTreeMap<Asset, (u128, u128)> = BTreeMap::new();
        for (_, account) in self.accounts.in_order().filter(|(_, account)| is_wanted(account)) {
            let (debits, credits) = totals.entry(account.asset).or_default();
            *debits = debits.saturating_add(account.debits);
            *credits = credits.saturating_add(account.credits);
        }
        let amounts =
            |(asset, (debits, credits))| (asset, Amount::new(asset, debits), Amount::new(asset, credits));
        totals.into_iter().map(amounts).collect()
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
        let mut held: BTreeMap<AccountId, u128> = BTreeMap::new();
        for (_, hold) in self.holds.in_order() {
            let sum = held.entry(hold.account).or_default();
            *sum = sum.saturating_add(hold.amount.minor());
        }
        for (id, account) in self.accounts.in_order() {
            let balance = account.balance();
            let open_holds = held.get(id).copied().unwrap_or(0);
            if open_holds.checked_add(account.reserved) != Some(account.held) {
                let (open_holds, reserved) = (Amount::new(account.asset, open_holds), account.reserved());
                let held = balance.held;
                broken.push(format!("{id}: holds {open_holds} and {reserved} set aside are not {held} held"));
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
