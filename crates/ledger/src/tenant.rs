//! Tenants: clients that keep their own books with us, each within its own accounts.

use minicbor::{Decode, Encode};
use money::AccountId;

use crate::{Account, Command, Ledger};

/// Whose books an account belongs to: the bank's own, or those of a client that keeps a ledger with us and sees only its own accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Tenant(#[n(0)] u32);

impl Tenant {
    /// The bank itself.
    pub const BANK: Self = Self(0);

    /// The tenant with this number; 0 is the bank.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl Ledger {
    /// Whether a command stays within a tenant's own accounts. An account that does not exist is nobody's, so it does not count: the
    /// command is then refused for its absence.
    #[must_use]
    pub fn is_within(&self, tenant: Tenant, command: &Command) -> bool {
        let is_own = |id: AccountId| self.account(id).map_or(Tenant::default(), Account::tenant) == tenant;
        let is_own_or_absent = |id: AccountId| self.account(id).is_none() || is_own(id);
        match command {
            Command::OpenAccount { tenant: of, .. } => of.unwrap_or_default() == tenant,
            Command::CloseAccount { id } => is_own_or_absent(*id),
            Command::Transfer(transfer) => {
                is_own_or_absent(transfer.debit) && is_own_or_absent(transfer.credit)
            }
            Command::Change(change) => {
                let legs = change.entry.iter().flat_map(|entry| entry.legs.iter()).map(|leg| leg.account);
                let places = change.places.iter().map(|hold| hold.account);
                let ends = change.ends.iter().filter_map(|end| self.hold(end.hold)).map(|hold| hold.account);
                legs.chain(places).chain(ends).all(is_own_or_absent)
            }
            Command::Reverse { of, .. } => {
                self.entry(*of).is_none_or(|entry| entry.legs.iter().all(|leg| is_own(leg.account)))
            }
            Command::SetMonitor { account, .. } => is_own_or_absent(*account),
            Command::RemoveMonitor { id } | Command::NoticeDelivered { id, .. } => {
                self.monitor(*id).is_none_or(|monitor| is_own(monitor.account))
            }
            // Days are sealed for all books at once.
            Command::Seal { .. } => false,
        }
    }
}
