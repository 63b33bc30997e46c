//! The receipt file, and its check in four steps that a screen can show one by one.
//!
//! # The file, version 1
//!
//! A JSON object with exactly these keys:
//!
//! | key | value |
//! |---|---|
//! | `version` | the number 1 |
//! | `bank` | origin of the bank's log, which is also the name of its key |
//! | `entry` | the movement, see [`MovementStatement`]; every field is there, texts as texts, `journal_seq` as a number |
//! | `leaf_index` | number of the leaf in the log, from 0 |
//! | `tree_size` | number of leaves in the tree of the checkpoint |
//! | `inclusion_proof` | hashes from the leaf to the root (RFC 6962 §2.1.1), each 32 bytes in base64 with padding |
//! | `checkpoint` | the signed note of the checkpoint, as text |
//!
//! # The steps
//!
//! 1. **format**: the file has this shape and holds a well-formed checkpoint.
//! 2. **leaf**: the movement has a canonical form; its hash is the leaf.
//! 3. **inclusion**: the proof leads from the leaf to the checkpoint's root, in a tree of the checkpoint's size.
//! 4. **checkpoint**: the checkpoint is of this bank's log and carries the true signature of the key given.
//!
//! Only all four together prove anything; the first that fails ends the check.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::hash::{TreeHash, leaf_hash};
use crate::note::{Note, NoteError, VerifierKey};
use crate::proof::{Leaf, ProofError};
use crate::statement::{MovementStatement, StatementError, WHOLE_NUMBER_MAX};

/// The version of the file written here.
pub const RECEIPT_VERSION: u32 = 1;
/// Longest file we read, in bytes: long fields, 64 hashes and a long note fit in it.
pub const RECEIPT_BYTES_MAX: usize = 64 * 1024;

/// A receipt file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Version of the file, 1.
    pub version: u32,
    /// Origin of the bank's log.
    pub bank: String,
    /// The movement.
    pub entry: MovementStatement,
    /// Number of the leaf.
    pub leaf_index: u64,
    /// Leaves in the tree of the checkpoint.
    pub tree_size: u64,
    /// From the leaf to the root.
    pub inclusion_proof: Vec<TreeHash>,
    /// The signed note of the checkpoint.
    pub checkpoint: String,
}

/// The steps of the check, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The file has the right shape.
    Format,
    /// The movement has a canonical form.
    Leaf,
    /// The movement is in the tree.
    Inclusion,
    /// The bank signed the tree.
    Checkpoint,
}

impl Step {
    /// The name that programs and screens use: `format`, `leaf`, `inclusion` or `checkpoint`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Leaf => "leaf",
            Self::Inclusion => "inclusion",
            Self::Checkpoint => "checkpoint",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A step that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedStep {
    /// Which step.
    pub step: Step,
    /// What was found, for people who want to see it.
    pub detail: String,
}

/// Why a receipt is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReceiptError {
    /// Longer than [`RECEIPT_BYTES_MAX`].
    #[error("receipt has {0} bytes, too many to read")]
    TooLong(usize),
    /// Not JSON of the right shape.
    #[error("receipt is not a receipt file: {0}")]
    Shape(String),
    /// A version this program does not know.
    #[error("receipt is of version {0}, this program knows version 1")]
    Version(u32),
    /// The leaf is not inside the tree, or a number is above what the format allows.
    #[error("leaf {index} is not in a tree of {size}")]
    Numbers {
        /// Number of the leaf.
        index: u64,
        /// Leaves in the tree.
        size: u64,
    },
    /// The checkpoint is not a well-formed note of a checkpoint.
    #[error("checkpoint is malformed: {0}")]
    Malformed(CheckpointError),
    /// The movement has no canonical form.
    #[error("movement is malformed: {0}")]
    Statement(#[from] StatementError),
    /// The checkpoint is of a tree of another size.
    #[error("receipt is for a tree of {receipt}, its checkpoint for one of {checkpoint}")]
    TreeSize {
        /// Size in the receipt.
        receipt: u64,
        /// Size in the checkpoint.
        checkpoint: u64,
    },
    /// The movement, as it stands in the receipt, is not in the tree.
    #[error("movement is not in the log: {0}")]
    Inclusion(#[from] ProofError),
    /// The checkpoint is of another log than the receipt's bank or the key.
    #[error("receipt is of {bank:?}, its checkpoint of {origin:?}, the key of {key:?}")]
    OtherLog {
        /// The bank in the receipt.
        bank: String,
        /// Origin of the checkpoint.
        origin: String,
        /// Name of the key.
        key: String,
    },
    /// The checkpoint is not signed by the key.
    #[error("checkpoint is not the bank's: {0}")]
    Signature(NoteError),
}

impl ReceiptError {
    /// The step that failed; those before it passed.
    #[must_use]
    pub const fn step(&self) -> Step {
        match self {
            Self::TooLong(_)
            | Self::Shape(_)
            | Self::Version(_)
            | Self::Numbers { .. }
            | Self::Malformed(_) => Step::Format,
            Self::Statement(_) => Step::Leaf,
            Self::TreeSize { .. } | Self::Inclusion(_) => Step::Inclusion,
            Self::OtherLog { .. } | Self::Signature(_) => Step::Checkpoint,
        }
    }
}

impl Receipt {
    /// Reads a receipt file; nothing is verified yet.
    ///
    /// # Errors
    /// Too long, or not JSON of the right shape.
    pub fn parse(file: &[u8]) -> Result<Self, ReceiptError> {
        if file.len() > RECEIPT_BYTES_MAX {
            return Err(ReceiptError::TooLong(file.len()));
        }
        let shape = |fault: serde_json::Error| ReceiptError::Shape(fault.to_string());
        let receipt = serde_json::from_slice(file).map_err(shape)?;
        // The reader above would also take a list of the values in place of an object, which no other verifier does.
        let json: serde_json::Value = serde_json::from_slice(file).map_err(shape)?;
        if !json.get("entry").is_some_and(serde_json::Value::is_object) {
            return Err(ReceiptError::Shape("not an object with an object as entry".to_owned()));
        }
        Ok(receipt)
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never for a receipt that can be made; the JSON writer's type has an error.
    pub fn to_json(&self) -> Result<String, ReceiptError> {
        serde_json::to_string_pretty(self)
            .map(|json| json + "\n")
            .map_err(|fault| ReceiptError::Shape(fault.to_string()))
    }
}

/// Checks a receipt with the bank's log key and returns what each of the four steps found.
///
/// # Errors
/// The first step that fails; [`ReceiptError::step`] names it.
pub fn verify_receipt(receipt: &Receipt, key: &VerifierKey) -> Result<Vec<CheckedStep>, ReceiptError> {
    let (index, size) = (receipt.leaf_index, receipt.tree_size);
    let note = check_format(receipt)?;
    let checkpoint = Checkpoint::parse(note.text_unverified()).map_err(ReceiptError::Malformed)?;
    let format = format!("version {}, leaf {index} of {size}", receipt.version);

    let hash = leaf_hash(&receipt.entry.canonical_bytes()?);

    if checkpoint.head().size != size {
        return Err(ReceiptError::TreeSize { receipt: size, checkpoint: checkpoint.head().size });
    }
    checkpoint.head().verify_inclusion(&Leaf { index, hash }, &receipt.inclusion_proof)?;

    if receipt.bank != checkpoint.origin() || receipt.bank != key.name() {
        return Err(ReceiptError::OtherLog {
            bank: receipt.bank.clone(),
            origin: checkpoint.origin().to_owned(),
            key: key.name().to_owned(),
        });
    }
    note.verify(key).map_err(ReceiptError::Signature)?;
    let signed = format!("signed by {} with key {:08x}", key.name(), key.id());
    let step = |step, detail| CheckedStep { step, detail };
    Ok(vec![
        step(Step::Format, format),
        step(Step::Leaf, hash.to_string()),
        step(Step::Inclusion, checkpoint.head().root.to_string()),
        step(Step::Checkpoint, signed),
    ])
}

fn check_format(receipt: &Receipt) -> Result<Note<'_>, ReceiptError> {
    if receipt.version != RECEIPT_VERSION {
        return Err(ReceiptError::Version(receipt.version));
    }
    let (index, size) = (receipt.leaf_index, receipt.tree_size);
    if index >= size || size > WHOLE_NUMBER_MAX {
        return Err(ReceiptError::Numbers { index, size });
    }
    Note::parse(&receipt.checkpoint).map_err(|fault| ReceiptError::Malformed(fault.into()))
}
