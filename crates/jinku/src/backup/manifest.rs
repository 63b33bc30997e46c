//! The manifest: what one backup consists of, and the proof that it is whole.
//!
//! A manifest is JSON in one fixed form. Its last field is the SHA-256 of that form with the field empty; reading it writes it again and
//! compares every byte, so no byte of it can be changed without notice. It names every file with its size and SHA-256. A backup exists
//! when its manifest does: the manifest is written last, under the next free number, and no later backup touches it or what it names.

use anyhow::{Context, bail, ensure};
use journal::Head;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::piece::{self, PieceError, PieceReader};
use super::place::Place;

/// The form of backups this program writes.
pub const FORMAT: u32 = 1;
/// Where the chain stands, in words that JSON has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadRow {
    /// Number of the last record.
    pub seq: u64,
    /// Its chain hash, 64 hexadecimal digits.
    pub hash: String,
    /// When it was recorded, RFC 3339.
    pub recorded_at: String,
}

/// Records of the journal that follow each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PieceRow {
    /// The file within the backup.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// Number of its first record.
    pub first: u64,
    /// Number of its last record.
    pub last: u64,
}

/// Any other file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRow {
    /// Where it lies in a data folder.
    pub path: String,
    /// The file within the backup.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
}

/// The snapshot that is among the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotRow {
    /// The record it was made at.
    pub seq: u64,
    /// Hash of the state, 64 hexadecimal digits; a restore must come to the same.
    pub state: String,
    /// Where it lies in a data folder.
    pub path: String,
}

/// One backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Form of the backup.
    pub format: u32,
    /// Its number within the folder.
    pub number: u64,
    /// When it was begun, RFC 3339.
    pub made_at: String,
    /// The bank's clearing number.
    pub bank: String,
    /// The last record of the journal that is in it.
    pub head: HeadRow,
    /// The journal, in order.
    pub pieces: Vec<PieceRow>,
    /// A snapshot, where there was a good one.
    pub snapshot: Option<SnapshotRow>,
    /// Whether the keys are in it.
    pub has_keys: bool,
    /// All other files.
    pub files: Vec<FileRow>,
    /// SHA-256 of this form with nothing here.
    pub sha256: String,
}

impl Manifest {
    /// Its form, with its own hash.
    ///
    /// # Errors
    /// Never for a manifest that can be made; the JSON writer's type has an error.
    pub fn seal(mut self) -> anyhow::Result<(Self, Vec<u8>)> {
        self.sha256 = String::new();
        self.sha256 = hex::encode(Sha256::digest(self.form()?));
        let bytes = self.form()?;
        Ok((self, bytes))
    }

    fn form(&self) -> anyhow::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a manifest and checks it against its own hash.
    ///
    /// # Errors
    /// It is not what was written, or of a form that this program does not know.
    pub fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        let manifest: Self = serde_json::from_slice(bytes).context("it is no manifest")?;
        ensure!(manifest.format == FORMAT, "it is of format {}, not {FORMAT}", manifest.format);
        let (sealed, form) = manifest.clone().seal()?;
        ensure!(sealed == manifest && form == bytes, "it does not have the SHA-256 that it names");
        Ok(manifest)
    }

    /// The name of the manifest with this number.
    #[must_use]
    pub fn name(number: u64) -> String {
        format!("backup-{number:06}.json")
    }

    /// Bytes of everything it names.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let pieces = self.pieces.iter().map(|row| row.bytes);
        pieces.chain(self.files.iter().map(|row| row.bytes)).fold(0, u64::saturating_add)
    }

    pub(crate) fn head(&self) -> anyhow::Result<Head> {
        Ok(Head { seq: self.head.seq, hash: piece::hash_of(&self.head.hash)? })
    }

    /// Checks that the pieces follow each other up to the head, and that every name stays within the folder.
    pub(crate) fn check_form(&self) -> anyhow::Result<()> {
        let mut next = 1_u64;
        for row in &self.pieces {
            ensure!(row.first == next && row.last >= row.first, "{} does not follow", row.file);
            ensure!(row.file == piece::name(row.first, row.last), "{} is no name of a piece", row.file);
            next = row.last.saturating_add(1);
        }
        ensure!(next == self.head.seq.saturating_add(1), "its pieces do not end at its head");
        for row in &self.files {
            let within = row.path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
            ensure!(
                within && row.file == format!("files/{}", row.sha256),
                "{} is no name of a file",
                row.file
            );
        }
        Ok(())
    }
}

/// Numbers of the backups in a folder, oldest first, whole or not.
pub(crate) fn numbers(place: &Place) -> anyhow::Result<Vec<u64>> {
    let number = |name: &String| name.strip_prefix("backup-")?.strip_suffix(".json")?.parse().ok();
    let mut numbers: Vec<u64> = place.list("")?.iter().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads one manifest.
pub(crate) fn read(place: &Place, number: u64) -> anyhow::Result<Manifest> {
    let name = Manifest::name(number);
    let manifest = place.read(&name).and_then(|bytes| Manifest::parse(&bytes));
    let manifest = manifest.with_context(|| format!("{name} is damaged"))?;
    ensure!(manifest.number == number, "{name} is damaged: it is that of backup {}", manifest.number);
    manifest.check_form().with_context(|| format!("{name} is damaged"))?;
    Ok(manifest)
}

/// The newest backup's manifest, or the one of a number.
pub(crate) fn choose(place: &Place, number: Option<u64>) -> anyhow::Result<Manifest> {
    let newest = numbers(place)?.last().copied();
    let Some(number) = number.or(newest) else { bail!("there is no whole backup in it") };
    read(place, number)
}

/// Checks every file that a manifest names. Answers with what is wrong, each with its file and, in pieces of the journal, its record.
pub(crate) fn faults(place: &Place, manifest: &Manifest) -> Vec<String> {
    let mut faults = Vec::new();
    // Where the chain stands, as long as it can be followed.
    let mut chain = Some(Head::default());
    for row in &manifest.pieces {
        let whole = fault(place, &row.file, row.bytes, &row.sha256);
        let walked = chain.map(|head| walk(place, &row.file, head));
        chain = None;
        match (whole, walked) {
            (None, None) => {}
            (None, Some(Ok(end))) if end.seq == row.last => chain = Some(end),
            (None, Some(Ok(end))) => faults.push(format!("{} ends at record {}", row.file, end.seq)),
            (None, Some(Err(error))) => faults.push(format!("{}: {error}", row.file)),
            (Some(fault), Some(Err(error))) => faults.push(format!("{fault}: {error}")),
            (Some(fault), None | Some(Ok(_))) => faults.push(fault),
        }
    }
    if let Some(head) = chain.filter(|head| manifest.head().ok() != Some(*head)) {
        faults.push(format!("the records lead to {}, the manifest says {}", head.hash, manifest.head.hash));
    }
    faults.extend(manifest.files.iter().filter_map(|row| {
        let fault = fault(place, &row.file, row.bytes, &row.sha256)?;
        Some(format!("{fault} ({})", row.path))
    }));
    faults
}

/// What is wrong with a file as a whole.
pub(crate) fn fault(place: &Place, file: &str, bytes: u64, sha256: &str) -> Option<String> {
    match place.size(file) {
        None => return Some(format!("{file} is missing")),
        Some(size) if size != bytes => return Some(format!("{file} has {size} bytes instead of {bytes}")),
        Some(_) => {}
    }
    match place.sum(file) {
        Err(error) => Some(format!("{file}: {error:#}")),
        Ok(sum) if sum.sha256 != sha256 => Some(format!("{file} does not have its SHA-256")),
        Ok(_) => None,
    }
}

fn walk(place: &Place, file: &str, head: Head) -> Result<Head, PieceError> {
    let mut reader = PieceReader::open(place, file, head)?;
    while reader.next()?.is_some() {}
    Ok(reader.head())
}
