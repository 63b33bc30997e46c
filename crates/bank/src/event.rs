//! What happened, and what the journal keeps.

use identity::Actor;
use minicbor::{Decode, Encode};
use money::{CommandId, EffectId, Timestamp};
use payments::{Effect, EffectResult};

use crate::{BodyHash, Command};

/// A fact; applying it cannot fail.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Event {
    /// Of the ledger.
    #[n(0)]
    Ledger(#[n(0)] ledger::Event),
    /// Of identity.
    #[n(1)]
    Identity(#[n(0)] identity::Event),
    /// Of payments.
    #[n(2)]
    Payments(#[n(0)] payments::Event),
    /// Of settlement.
    #[n(3)]
    Settlement(#[n(0)] settlement::Event),
    /// The world has to do something.
    #[n(4)]
    EffectQueued {
        /// Its id, stable over repeats.
        #[n(0)]
        id: EffectId,
        /// What.
        #[n(1)]
        effect: Effect,
    },
    /// The world has done it, or refused.
    #[n(5)]
    EffectEnded {
        /// Which.
        #[n(0)]
        id: EffectId,
        /// The result.
        #[n(1)]
        result: EffectResult,
    },
    /// A batch was taken: what does not follow from its rows alone.
    #[n(6)]
    LedgerBatch(#[n(0)] ledger::BatchOutcome),
    /// Of the transfers between cells.
    #[n(7)]
    Cells(#[n(0)] cells::Event),
    /// Of the markets: everything that one command or one tick led to.
    #[n(8)]
    Exchange(#[n(0)] exchange::Outcome),
}

/// One entry of the journal: the command and its outcome. Sequence number and hash of the entry before are the journal's own.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct JournalEntry {
    /// The writer's epoch; it grows when another node takes the lead.
    #[n(0)]
    pub epoch: u64,
    /// When it was recorded; never before the entry ahead of it.
    #[n(1)]
    pub recorded_at: Timestamp,
    /// Who asked.
    #[n(2)]
    pub actor: Actor,
    /// The command's id.
    #[n(3)]
    pub id: CommandId,
    /// Hash of the command.
    #[n(4)]
    pub body: BodyHash,
    /// The command.
    #[n(5)]
    pub command: Command,
    /// What followed.
    #[n(6)]
    pub events: Vec<Event>,
}

impl JournalEntry {
    /// The bytes that the journal keeps.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        self.write(&mut bytes);
        bytes
    }

    /// Appends the bytes that the journal keeps to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let written = minicbor::encode(self, out);
        money::invariant!(written.is_ok(), "a journal entry cannot be encoded");
    }

    /// The entry in these bytes.
    ///
    /// # Errors
    /// Bytes that are no entry, with the place.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, minicbor::decode::Error> {
        let mut decoder = minicbor::Decoder::new(bytes);
        let entry = decoder.decode()?;
        if decoder.position() == bytes.len() {
            Ok(entry)
        } else {
            Err(minicbor::decode::Error::message("bytes follow the entry").at(decoder.position()))
        }
    }
}
