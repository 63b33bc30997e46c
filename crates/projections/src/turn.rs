//! What one journal entry makes of payments and of the feed, gathered before it is written.
//!
//! A payment that comes to be, its first steps and its movements are one row; an entry's news for one customer are another. Both
//! are packed: steps and leaves of a payment, and items of the feed, are bytes of fixed width in one column, because a row
//! of its own for each costs a page of an index for each.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use money::{AccountId, CustomerId, PaymentId, Timestamp};
use payments::{Kind, Payment};

use crate::StepKind;
use crate::feed::FeedKind;
use crate::movements::Party;

/// Bytes of a packed step: which, when, with which entry.
pub(crate) const STEP_BYTES: usize = 17;
/// Bytes of a packed leaf.
pub(crate) const LEAF_BYTES: usize = 8;
/// Bytes of a packed item of the feed: what kind, and the 128 bits of its subject.
pub(crate) const ITEM_BYTES: usize = 17;

/// A step, packed.
pub(crate) fn packed_step(step: StepKind, at: Timestamp, seq: u64) -> [u8; STEP_BYTES] {
    let mut bytes = [0; STEP_BYTES];
    let fields = [step.code()].into_iter().chain(at.ms().to_be_bytes()).chain(seq.to_be_bytes());
    for (slot, byte) in bytes.iter_mut().zip(fields) {
        *slot = byte;
    }
    bytes
}

/// The number in eight packed bytes.
pub(crate) fn unpacked(bytes: &[u8]) -> u64 {
    bytes.iter().take(LEAF_BYTES).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// What movements need of the payment they belong to.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) kind: Kind,
    pub(crate) party: Party,
    pub(crate) fee: String,
    pub(crate) note: String,
}

/// A payment that came to be with this entry.
pub(crate) struct Created<'e> {
    pub(crate) payment: &'e Payment,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) account: Option<AccountId>,
    pub(crate) is_open: bool,
    pub(crate) steps: Vec<u8>,
    pub(crate) leaves: Vec<u8>,
}

impl Created<'_> {
    pub(crate) fn known(&self) -> Known {
        let other = &self.payment.counterparty;
        Known {
            kind: self.payment.kind,
            party: Party {
                name: other.name.as_str().to_owned(),
                account_number: other.account.as_str().to_owned(),
                bank: other.bank.as_str().to_owned(),
            },
            fee: self.payment.fee.decimal(),
            note: self.payment.note.as_str().to_owned(),
        }
    }
}

/// One journal entry on its way into the tables.
pub(crate) struct Turn<'e> {
    pub(crate) seq: u64,
    pub(crate) now: Timestamp,
    pub(crate) created: Vec<Created<'e>>,
    pub(crate) news: News,
}

impl<'e> Turn<'e> {
    pub(crate) fn new(seq: u64, now: Timestamp, news: News) -> Self {
        Self { seq, now, created: Vec::new(), news }
    }

    pub(crate) fn created(&mut self, id: PaymentId) -> Option<&mut Created<'e>> {
        self.created.iter_mut().find(|created| created.payment.id == id)
    }
}

/// What an entry changed for customers, each thing once; kept from entry to entry for its memory.
#[derive(Debug, Default)]
pub(crate) struct News {
    rows: Vec<(CustomerId, FeedKind, u128)>,
    told: HashSet<(CustomerId, FeedKind, u128), RandomState>,
}

impl News {
    pub(crate) fn tell(&mut self, customer: CustomerId, kind: FeedKind, subject: u128) {
        if self.told.insert((customer, kind, subject)) {
            self.rows.push((customer, kind, subject));
        }
    }

    pub(crate) fn security(&mut self, customer: CustomerId) {
        self.tell(customer, FeedKind::Security, customer.value());
    }

    pub(crate) fn accounts(&mut self, customer: CustomerId) {
        self.tell(customer, FeedKind::Accounts, customer.value());
    }

    pub(crate) fn payment(&mut self, customer: CustomerId, payment: PaymentId) {
        self.tell(customer, FeedKind::Payment, payment.value());
    }

    /// Gives each customer's items, packed in their order, and is empty again.
    pub(crate) fn drain<E>(
        &mut self,
        mut write: impl FnMut(CustomerId, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        // Stable, so that the items of one customer keep their order.
        self.rows.sort_by_key(|(customer, _, _)| *customer);
        let mut items = Vec::new();
        for of_one in self.rows.chunk_by(|left, right| left.0 == right.0) {
            items.clear();
            for (_, kind, subject) in of_one {
                items.push(kind.code());
                items.extend_from_slice(&subject.to_be_bytes());
            }
            if let Some((customer, _, _)) = of_one.first() {
                write(*customer, &items)?;
            }
        }
        self.rows.clear();
        self.told.clear();
        Ok(())
    }
}
