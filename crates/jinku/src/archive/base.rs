//! What a bank signs when it lets records go: where its journal begins now, and in which files of the archive the records before are.

use anyhow::{Context, ensure};
use journal::{Base, Hash, Head};
use receipts::{Note, NoteSigner, VerifierKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Title;

/// First line of the signed text: it is no title, and no title is a base.
const FIRST_LINE: &str = "jinku base 1\n";

/// A file of the archive that records were released to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    /// Its name.
    pub file: String,
    /// Which of the bank's seals it is about.
    pub seal: u32,
    /// The record before its first.
    pub before_seq: u64,
    /// Its last record.
    pub last_seq: u64,
    /// The hash of that.
    pub last_hash: String,
    /// SHA-256 of all bytes of the file ahead of its title.
    pub sha256: String,
}

impl Kept {
    pub(super) fn new(file: String, title: &Title) -> Self {
        Self {
            file,
            seal: title.seal,
            before_seq: title.before_seq,
            last_seq: title.last_seq,
            last_hash: title.last_hash.clone(),
            sha256: title.sha256.clone(),
        }
    }

    /// The head at its end.
    pub(crate) fn head(&self) -> anyhow::Result<Head> {
        Ok(Head { seq: self.last_seq, hash: Hash::from_hex(&self.last_hash)? })
    }

    /// Whether a file with this title is the one.
    pub(super) fn is(&self, title: &Title) -> bool {
        *self == Self::new(self.file.clone(), title)
    }
}

/// The signed text.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    bank: String,
    log: String,
    before_seq: u64,
    before_hash: String,
    /// SHA-256 of the list of files as it stands in the note.
    files_sha256: String,
}

/// What is in the journal's base beside its head.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    files: Vec<Kept>,
    signed: String,
}

/// Makes the base of a journal whose records up to `before` are in `files`.
pub(super) fn sign(bank: &str, before: Head, files: Vec<Kept>, signer: &NoteSigner) -> anyhow::Result<Base> {
    let signed = Signed {
        bank: bank.to_owned(),
        log: signer.verifier().name().to_owned(),
        before_seq: before.seq,
        before_hash: before.hash.to_string(),
        files_sha256: sum(&files)?,
    };
    let signed =
        signer.sign(&format!("{FIRST_LINE}{}\n", serde_json::to_string(&signed)?)).context("sign")?;
    Ok(Base { before, note: serde_json::to_vec(&Whole { files, signed })? })
}

fn sum(files: &[Kept]) -> anyhow::Result<String> {
    Ok(hex::encode(Sha256::digest(serde_json::to_vec(files)?)))
}

/// The files that a base names, when this bank has signed it, they follow each other from the first record on, and reach what was released.
pub(crate) fn files(base: &Base, bank: &str, key: &VerifierKey) -> anyhow::Result<Vec<Kept>> {
    let Whole { files, signed } = serde_json::from_slice(&base.note).context("it is not of this program")?;
    let note = Note::parse(&signed)?;
    let line = note.verify(key)?.strip_prefix(FIRST_LINE).context("it is signed, and no base")?;
    let signed: Signed = serde_json::from_str(line)?;
    let expected = Signed {
        bank: bank.to_owned(),
        log: key.name().to_owned(),
        before_seq: base.before.seq,
        before_hash: base.before.hash.to_string(),
        files_sha256: sum(&files)?,
    };
    ensure!(signed == expected, "what is signed is about another journal or other files");
    let mut reached = 0;
    for file in &files {
        ensure!(file.before_seq == reached, "{} does not follow the file before", file.file);
        reached = file.last_seq;
    }
    ensure!(reached >= base.before.seq, "its files end before what was released");
    Ok(files)
}
