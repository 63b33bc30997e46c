//! Merkle log, signed checkpoints, receipts and their verifier.
//!
//! Every movement of money is a leaf of one append-only Merkle tree (RFC 6962 hashing). The bank signs the root of the tree from time
//! to time as a checkpoint (C2SP tlog-checkpoint in a C2SP signed note). A receipt is the movement, its proof of inclusion and a
//! checkpoint: whoever knows the bank's log key checks it without asking the bank.
//!
//! **Invariants.** Everything here is computed from its input alone: no clock, no randomness, no files. A reader accepts exactly what
//! the writer beside it writes, byte for byte. What [`verify_receipt`] accepts, the browser's own verifier accepts, and the reverse;
//! `tests/golden` is read by both.
//!
//! What it does not do: it stores no leaves (the projection does), decides no times of checkpoints, and does not watch that two
//! checkpoints shown to two people agree; the consistency proofs here are what such a witness would need.

mod checkpoint;
mod frontier;
mod hash;
mod log;
mod note;
mod proof;
mod receipt;
mod statement;

pub use checkpoint::{Checkpoint, CheckpointError, JournalPoint};
pub use frontier::{Frontier, FrontierError};
pub use hash::{TreeHash, TreeHashError, leaf_hash, node_hash};
pub use log::{MerkleLog, RangeError};
pub use note::{
    KeyError, NOTE_BYTES_MAX, Note, NoteError, NoteSignature, NoteSigner, SIGNATURES_MAX, VerifierKey,
};
pub use proof::{Leaf, ProofError, Subtree, TreeHead};
pub use receipt::{
    CheckedStep, RECEIPT_BYTES_MAX, RECEIPT_VERSION, Receipt, ReceiptError, Step, verify_receipt,
};
pub use statement::{
    Direction, FIELD_BYTES_MAX, MovementStatement, STATEMENT_HEADER, StatementError, WHOLE_NUMBER_MAX,
};
