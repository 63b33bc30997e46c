//! The state of the whole bank and what can be read of it.

use std::collections::BTreeMap;

use cells::Cells;
use exchange::Exchange;
use identity::{Actor, Identity};
use ledger::Ledger;
use minicbor::{Decode, Encode};
use money::{CommandId, EffectId, Timestamp};
use payments::{Effect, Payments};
use settlement::SettlementBook;

use crate::BodyHash;
use crate::recent::{Recent, Seen};

/// An effect that the world still has to do.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Outstanding {
    /// What.
    #[n(0)]
    pub effect: Effect,
    /// Since when.
    #[n(1)]
    pub since: Timestamp,
}

/// The bank.
#[derive(Debug, Clone, Default, Encode, Decode)]
pub struct Bank {
    #[n(0)]
    pub(crate) ledger: Ledger,
    #[n(1)]
    pub(crate) identity: Identity,
    #[n(2)]
    pub(crate) payments: Payments,
    #[n(3)]
    pub(crate) settlement: SettlementBook,
    #[n(4)]
    pub(crate) outbox: BTreeMap<EffectId, Outstanding>,
    #[n(5)]
    pub(crate) next_effect: u64,
    #[n(6)]
    pub(crate) recent: Recent,
    /// Sequence number of the last entry applied.
    #[n(7)]
    pub(crate) seq: u64,
    /// Its time of recording.
    #[n(8)]
    pub(crate) recorded_at: Timestamp,
    #[n(9)]
    pub(crate) cells: Cells,
    #[n(10)]
    pub(crate) exchange: Exchange,
}

impl Bank {
    /// The books.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Who may.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The payments.
    #[must_use]
    pub const fn payments(&self) -> &Payments {
        &self.payments
    }

    /// Rounds, days and cases.
    #[must_use]
    pub const fn settlement(&self) -> &SettlementBook {
        &self.settlement
    }

    /// The bank as one cell of several.
    #[must_use]
    pub const fn cells(&self) -> &Cells {
        &self.cells
    }

    /// What the world still has to do, oldest first.
    pub fn outstanding(&self) -> impl Iterator<Item = (EffectId, &Outstanding)> {
        self.outbox.iter().map(|(id, outstanding)| (*id, outstanding))
    }

    /// One effect that the world still has to do.
    #[must_use]
    pub fn effect(&self, id: EffectId) -> Option<&Outstanding> {
        self.outbox.get(&id)
    }

    /// Sequence number of the last journal entry applied; 0 for none.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// How much a replay of everything has to do: journal entries, and the ledger's entries, of which one of the journal may hold a thousand.
    #[must_use]
    pub fn work(&self) -> u64 {
        let entries = u64::try_from(self.ledger.counts().1).unwrap_or(u64::MAX);
        self.seq.saturating_add(entries)
    }

    /// Time of recording of the last journal entry applied.
    #[must_use]
    pub const fn recorded_at(&self) -> Timestamp {
        self.recorded_at
    }

    /// Whether a command was taken lately.
    #[must_use]
    pub fn seen(&self, id: CommandId, body: BodyHash) -> Seen {
        self.recent.seen(id, body)
    }

    /// When the next thing happens by itself; none when nothing is waiting.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        let due = [
            self.payments.next_due(),
            self.ledger.next_expiry(),
            self.identity.next_session_end(),
            self.exchange.next_due(),
        ];
        due.into_iter().flatten().min()
    }

    /// Whether repeats of this sender's commands are told by the command's id. Rails, other cells and the clock repeat themselves by ids of
    /// their own.
    pub(crate) const fn remembers(actor: &Actor) -> bool {
        match actor {
            Actor::Session(_) | Actor::Visitor | Actor::Operator(_) | Actor::Tenant(_) => true,
            Actor::System | Actor::Rail(_) | Actor::Cell(_) => false,
        }
    }
}
