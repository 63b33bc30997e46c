//! Checkpoints (C2SP tlog-checkpoint): the origin of a log, its size and root, one line each, and lines of extensions.
//!
//! One extension is ours: `journal <sequence number> <hash>` ties the tree to the journal entry up to which it was built. The text form
//! is exact: reading and writing give the same bytes.

use std::fmt::Write as _;

use thiserror::Error;

use crate::hash::TreeHash;
use crate::note::{Note, NoteError, NoteSigner, VerifierKey};
use crate::proof::TreeHead;

/// First word of our extension line.
const JOURNAL: &str = "journal ";

/// Why a checkpoint is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// The note around it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The origin is empty or has a line break.
    #[error("checkpoint has no origin")]
    Origin,
    /// The size is not a decimal number without leading zeros.
    #[error("checkpoint has no size")]
    Size,
    /// The root is not 32 bytes in base64.
    #[error("checkpoint has no root")]
    Root,
    /// An extension line that is empty, or a journal line that is malformed or there twice.
    #[error("checkpoint extension line {0} is malformed")]
    Extension(usize),
    /// The text does not end its last line.
    #[error("checkpoint does not end with a line break")]
    Ending,
    /// The checkpoint is of another log than the key's.
    #[error("checkpoint is of {origin:?}, the key is of {key:?}")]
    OtherLog {
        /// Origin in the checkpoint.
        origin: String,
        /// Name of the key.
        key: String,
    },
}

/// The journal entry up to which a tree was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalPoint {
    /// Sequence number of the entry.
    pub seq: u64,
    /// Chain hash of the entry.
    pub hash: [u8; 32],
}

/// A checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    head: TreeHead,
    extensions: Vec<String>,
    journal: Option<JournalPoint>,
}

impl Checkpoint {
    /// A checkpoint of the log `origin`, at a point of the journal where that is known.
    ///
    /// # Errors
    /// An origin that is empty or has a line break.
    pub fn new(origin: &str, head: TreeHead, journal: Option<JournalPoint>) -> Result<Self, CheckpointError> {
        if origin.is_empty() || origin.contains('\n') {
            return Err(CheckpointError::Origin);
        }
        let line = |point: JournalPoint| format!("{JOURNAL}{} {}", point.seq, hex::encode(point.hash));
        let extensions = journal.map(line).into_iter().collect();
        Ok(Self { origin: origin.to_owned(), head, extensions, journal })
    }

    /// Reads the text of a checkpoint.
    ///
    /// # Errors
    /// Anything that [`Checkpoint::text`] does not write.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').ok_or(CheckpointError::Ending)?.split('\n');
        let origin = lines.next().filter(|origin| !origin.is_empty()).ok_or(CheckpointError::Origin)?;
        let size = lines.next().and_then(parse_decimal).ok_or(CheckpointError::Size)?;
        let root = lines.next().and_then(|root| TreeHash::parse(root).ok()).ok_or(CheckpointError::Root)?;
        let (mut extensions, mut journal) = (Vec::new(), None);
        for (number, line) in (1_usize..).zip(lines) {
            if line.is_empty() {
                return Err(CheckpointError::Extension(number));
            }
            if let Some(point) = line.strip_prefix(JOURNAL) {
                let point = parse_journal(point).ok_or(CheckpointError::Extension(number))?;
                if journal.replace(point).is_some() {
                    return Err(CheckpointError::Extension(number));
                }
            }
            extensions.push(line.to_owned());
        }
        Ok(Self { origin: origin.to_owned(), head: TreeHead { size, root }, extensions, journal })
    }

    /// The text of the checkpoint.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.head.size, self.head.root);
        for line in &self.extensions {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{line}");
        }
        text
    }

    /// The signed note of the checkpoint.
    ///
    /// # Errors
    /// The signer is of another log, or the text has control characters.
    pub fn sign(&self, signer: &NoteSigner) -> Result<String, CheckpointError> {
        self.check_key(signer.verifier())?;
        Ok(signer.sign(&self.text())?)
    }

    /// The checkpoint in a note, once the signature of the log's key has been checked.
    ///
    /// # Errors
    /// The note or the checkpoint is malformed, not signed by the key, or of another log.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let checkpoint = Self::parse(Note::parse(note)?.verify(key)?)?;
        checkpoint.check_key(key)?;
        Ok(checkpoint)
    }

    /// Name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Size and root of the tree.
    #[must_use]
    pub const fn head(&self) -> &TreeHead {
        &self.head
    }

    /// The point of the journal, where the checkpoint has one.
    #[must_use]
    pub const fn journal(&self) -> Option<&JournalPoint> {
        self.journal.as_ref()
    }

    /// All extension lines, also those that are not ours.
    #[must_use]
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }

    fn check_key(&self, key: &VerifierKey) -> Result<(), CheckpointError> {
        if self.origin == key.name() {
            return Ok(());
        }
        Err(CheckpointError::OtherLog { origin: self.origin.clone(), key: key.name().to_owned() })
    }
}

/// A decimal number without sign and leading zeros.
fn parse_decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn parse_journal(point: &str) -> Option<JournalPoint> {
    let (seq, hash) = point.split_once(' ')?;
    if hash.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let hash = hex::decode(hash).ok()?.try_into().ok()?;
    Some(JournalPoint { seq: parse_decimal(seq)?, hash })
}
