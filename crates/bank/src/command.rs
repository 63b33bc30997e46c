//! What can be asked of the bank, and by whom.

use std::fmt;

use identity::{Actor, Assertion};
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use money::{AccountId, Asset, CommandId, EffectId};
use payments::{EffectResult, Intent};
use sha2::{Digest, Sha256};

/// Everything that can change the bank.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Command {
    /// Customers, devices, passkeys, sessions, payees, limits.
    #[n(0)]
    Identity(#[n(0)] identity::Command),
    /// Terms, accounts, notices of rails, deposits in suspense. Requests and reports have their own commands below.
    #[n(1)]
    Payments(#[n(0)] payments::Command),
    /// Pay; above the small-amount limit with a passkey over the intent.
    #[n(2)]
    Pay {
        /// What the payer wants.
        #[n(0)]
        intent: Intent,
        /// The passkey's signature over the intent's hash, kept as evidence.
        #[n(1)]
        approval: Option<Assertion>,
    },
    /// Rounds, totals, cases.
    #[n(3)]
    Settlement(#[n(0)] settlement::Command),
    /// A change of the books by staff: opening capital, corrections, bulk entries.
    #[n(4)]
    Ledger(#[n(0)] ledger::Command),
    /// What became of an effect.
    #[n(5)]
    EffectReported {
        /// Which.
        #[n(0)]
        effect: EffectId,
        /// What became of it.
        #[n(1)]
        result: EffectResult,
    },
    /// Time has passed: whatever is due happens.
    #[n(6)]
    Tick,
    /// Many changes of the books by staff, one after another; each stands for itself.
    #[n(7)]
    LedgerBatch(#[n(0)] ledger::Batch),
    /// Money to and from other cells.
    #[n(8)]
    Cells(#[n(0)] cells::Command),
    /// Markets: orders, seats, what the bank's people change.
    #[n(9)]
    Exchange(#[n(0)] exchange::Command),
    /// A customer opens an account in another asset, one in each.
    #[n(10)]
    OpenOwnAccount {
        /// Made by the client.
        #[n(0)]
        account: AccountId,
        /// The asset; the bank keeps books in it.
        #[n(1)]
        asset: Asset,
    },
}

/// A command with its id and its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Made by the client: the idempotency key.
    pub id: CommandId,
    /// Who asks, as the shell found out.
    pub actor: Actor,
    /// What is asked.
    pub command: Command,
}

/// First 128 bits of the SHA-256 of a command's encoding: tells a repeat from another command with the same id.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct BodyHash(#[n(0)] ByteArray<16>);

impl BodyHash {
    /// The hash of a command.
    #[must_use]
    pub fn of(command: &Command) -> Self {
        let mut hasher = HashWriter::new();
        let written = minicbor::encode(command, &mut hasher);
        money::invariant!(written.is_ok(), "a command cannot be encoded");
        let full = hasher.finish();
        let mut half = [0; 16];
        for (slot, byte) in half.iter_mut().zip(full) {
            *slot = byte;
        }
        Self(half.into())
    }
}

impl fmt::Debug for BodyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Hashes what is encoded, without keeping it. An encoder writes a few bytes at a time, so they are gathered first.
pub(crate) struct HashWriter {
    hasher: Sha256,
    gathered: Vec<u8>,
}

/// Bytes that are hashed at once.
const GATHERED_BYTES: usize = 4096;

impl HashWriter {
    pub(crate) fn new() -> Self {
        Self { hasher: Sha256::new(), gathered: Vec::with_capacity(512) }
    }

    pub(crate) fn finish(mut self) -> [u8; 32] {
        self.hasher.update(&self.gathered);
        self.hasher.finalize().into()
    }
}

impl minicbor::encode::Write for HashWriter {
    type Error = std::convert::Infallible;

    fn write_all(&mut self, buf: &[u8]) -> Result<(), Self::Error> {
        self.gathered.extend_from_slice(buf);
        if self.gathered.len() >= GATHERED_BYTES {
            self.hasher.update(&self.gathered);
            self.gathered.clear();
        }
        Ok(())
    }
}
