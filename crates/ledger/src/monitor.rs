//! Monitors: who wants to know when an account's available balance passes a mark.
//!
//! A monitor speaks once when its mark is reached and again only after the balance has left it. What it says is kept in the state until whoever
//! delivers it reports so; a newer notice of the same monitor takes the place of one that is still waiting, so that they cannot pile up.

use minicbor::{Decode, Encode};
use money::{AccountId, Amount, MonitorId, Timestamp};

use crate::{Account, Ledger, Threshold};

/// Most monitors of one account, so that a posting stays quick.
pub const MONITORS_MAX: usize = 16;

/// A watch over an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Monitor {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// What it waits for.
    #[n(1)]
    pub threshold: Threshold,
    /// Whether that is so now.
    #[n(2)]
    pub is_reached: bool,
}

/// What a monitor has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Notice {
    /// Counts all notices of the ledger; a repeat of a delivery has the same.
    #[n(0)]
    pub number: u64,
    /// What is available.
    #[n(1)]
    pub available: Amount,
    /// Since when.
    #[n(2)]
    pub at: Timestamp,
}

impl Threshold {
    /// Whether it is reached with so much available.
    #[must_use]
    pub const fn is_reached(&self, available: Amount) -> bool {
        match self {
            Self::Below(mark) => available.minor() < mark.minor(),
            Self::AtLeast(mark) => available.minor() >= mark.minor(),
        }
    }

    /// The amount it speaks of.
    #[must_use]
    pub const fn mark(&self) -> Amount {
        match self {
            Self::Below(mark) | Self::AtLeast(mark) => *mark,
        }
    }
}

impl Ledger {
    /// A monitor.
    #[must_use]
    pub fn monitor(&self, id: MonitorId) -> Option<&Monitor> {
        self.monitors.get(&id)
    }

    /// Monitors of an account.
    pub fn monitors_of(&self, account: AccountId) -> impl Iterator<Item = (MonitorId, &Monitor)> {
        let from = (account, MonitorId::new(0));
        let to = (account, MonitorId::new(u128::MAX));
        self.watched.range(from..=to).filter_map(|(_, id)| Some((*id, self.monitors.get(id)?)))
    }

    /// All monitors.
    pub fn monitors(&self) -> impl Iterator<Item = (MonitorId, &Monitor)> {
        self.monitors.iter().map(|(id, monitor)| (*id, monitor))
    }

    /// What is still to be delivered, by monitor.
    pub fn notices(&self) -> impl Iterator<Item = (MonitorId, &Notice)> {
        self.notices.iter().map(|(id, notice)| (*id, notice))
    }

    pub(crate) fn set_monitor(
        &mut self,
        id: MonitorId,
        account: AccountId,
        threshold: Threshold,
        now: Timestamp,
    ) {
        self.monitors.insert(id, Monitor { account, threshold, is_reached: false });
        self.watched.insert((account, id));
        if let Some(watched) = self.accounts.get_mut(&account) {
            watched.is_watched = true;
        }
        self.look_at(account, now);
    }

    pub(crate) fn remove_monitor(&mut self, id: MonitorId) {
        let Some(monitor) = self.monitors.remove(&id) else { return };
        self.watched.remove(&(monitor.account, id));
        self.notices.remove(&id);
        let is_watched = self.monitors_of(monitor.account).next().is_some();
        if let Some(account) = self.accounts.get_mut(&monitor.account) {
            account.is_watched = is_watched;
        }
    }

    /// Lets the monitors of an account speak whose balance has just changed.
    pub(crate) fn look_at(&mut self, account: AccountId, now: Timestamp) {
        let Some(available) = self.account(account).map(Account::balance).map(|b| b.available) else {
            return;
        };
        let ids: Vec<MonitorId> = self.monitors_of(account).map(|(id, _)| id).collect();
        for id in ids {
            let Some(monitor) = self.monitors.get_mut(&id) else { continue };
            let was = std::mem::replace(&mut monitor.is_reached, monitor.threshold.is_reached(available));
            if monitor.is_reached && !was {
                self.notices_count = self.notices_count.saturating_add(1);
                self.notices.insert(id, Notice { number: self.notices_count, available, at: now });
            }
        }
    }
}
