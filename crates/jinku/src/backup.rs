//! `jinku backup`: a copy of a bank that a restore can prove, made beside the running bank.
//!
//! A backup folder holds any number of backups of one bank. Each has a manifest; records of the journal and other files lie beside, shared
//! by all that name them. A second backup adds only what is new and touches nothing that an earlier one names, so whatever interrupts it,
//! the earlier ones stay whole.
//!
//! What is in it: the journal up to a record that is durable, each record checked against the chain while it is copied; the newest good
//! snapshot; `bank.json`; the latest signed checkpoint. **Keys only if asked for**: who has keys and backup has the bank.
//!
//! What it does not do: it copies no read models, which are made again, and encrypts nothing: a backup holds what the journal holds.

pub(crate) mod make;
pub(crate) mod manifest;
pub(crate) mod piece;
pub(crate) mod place;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The records of a piece of a backup that follows `before`, each with its number and hash.
///
/// # Errors
/// Where the piece is not what was written.
pub fn read_piece(bytes: &[u8], before: journal::Head) -> Result<Vec<(journal::Head, Vec<u8>)>, String> {
    let mut piece = piece::PieceReader::new(bytes, before).map_err(|error| error.to_string())?;
    let mut records = Vec::new();
    while let Some(record) = piece.next().map_err(|error| error.to_string())? {
        records.push(record);
    }
    Ok(records)
}

pub use make::{Made, make};
pub use manifest::{FORMAT, FileRow, HeadRow, Manifest, PieceRow, SnapshotRow};
use place::Place;

/// What is to be backed up, and where to.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Data folder. The bank may be running.
    #[arg(long, required_unless_present = "check", conflicts_with = "check")]
    pub data: Option<PathBuf>,
    /// Folder of the backups; made where it is not there.
    #[arg(long)]
    pub to: PathBuf,
    /// Copies the keys too. Whoever reads them is the bank.
    #[arg(long, conflicts_with = "check")]
    pub with_keys: bool,
    /// Makes no backup: checks every byte of those that are there.
    #[arg(long)]
    pub check: bool,
}

/// Makes a backup, or checks those that are there; exit code 1 when one is damaged.
///
/// # Errors
/// The data folder cannot be read, the backup's not written, or what lies there is another bank's.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Some(data) = arguments.data.as_deref().filter(|_| !arguments.check) else {
        return report(&check(&arguments.to)?);
    };
    let made = make(data, &arguments.to, arguments.with_keys)?;
    let Made { manifest, new_bytes, new_files, ms } = &made;
    println!(
        "backup {} of bank {}: records 1 to {}, last recorded at {}, head {}",
        manifest.number, manifest.bank, manifest.head.seq, manifest.head.recorded_at, manifest.head.hash
    );
    match &manifest.snapshot {
        Some(snapshot) => println!("snapshot at record {}, state {}", snapshot.seq, snapshot.state),
        None => println!("no snapshot: a restored bank replays everything at its first start"),
    }
    let all = manifest.bytes();
    println!("{new_bytes} bytes in {new_files} new files, {all} bytes in all; {ms} ms");
    if !manifest.has_keys {
        println!("keys are not in it: a restored bank needs {}", crate::config::Key::files().join(", "));
    }
    println!("{} sha256 {}", Manifest::name(manifest.number), manifest.sha256);
    Ok(ExitCode::SUCCESS)
}

/// What a check found.
#[derive(Debug, Default)]
pub struct Checked {
    /// Backups that are whole, in words.
    pub whole: Vec<String>,
    /// What is damaged, with file and place.
    pub damaged: Vec<String>,
}

/// Checks every byte of every backup in a folder.
///
/// # Errors
/// The folder cannot be read.
pub fn check(folder: &Path) -> anyhow::Result<Checked> {
    let place = Place::open(folder)?;
    let mut checked = Checked::default();
    for number in manifest::numbers(&place)? {
        match manifest::read(&place, number) {
            Err(error) => checked.damaged.push(format!("backup {number}: {error:#}")),
            Ok(manifest) => {
                let faults = manifest::faults(&place, &manifest);
                if faults.is_empty() {
                    let (seq, at) = (manifest.head.seq, &manifest.head.recorded_at);
                    checked.whole.push(format!("backup {number}: {seq} records, up to {at}"));
                }
                checked.damaged.extend(faults.iter().map(|fault| format!("backup {number}: {fault}")));
            }
        }
    }
    Ok(checked)
}

fn report(checked: &Checked) -> anyhow::Result<ExitCode> {
    for line in &checked.whole {
        println!("ok       {line}");
    }
    for line in &checked.damaged {
        println!("DAMAGED  {line}");
    }
    anyhow::ensure!(!checked.whole.is_empty() || !checked.damaged.is_empty(), "there is no backup in it");
    Ok(if checked.damaged.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
