//! `jinku archive`: sealed days go to cold storage, each in one file that proves itself.
//!
//! Sealed days are written one file per seal, with the journal's records from the seal before up to this seal's mark. Whoever has the bank's public log
//! key checks a file without the bank (`jinku verify`), and the files follow each other by the hashes at their ends.
//!
//! **Invariants.** A file appears whole, checked and under its last name, or not at all; one that is there is never written again. The bank may be running: its
//! journal is read beside the writer.
//!
//! Records that are archived stay in the journal until `jinku archive release` takes them out; `jinku archive return` brings them back.
//!
//! What it does not do: it takes nothing out of a journal that is shared by several nodes (only out of a node's own copy).
//!
//! # The format, version 1
//!
//! All numbers are big-endian. `JKARCH01` (8), number of the first record (8), hash of the record before it (32). Then blocks: number of stored
//! bytes (4), of content bytes (4), first eight bytes of the SHA-256 of the stored bytes (8), stored bytes: the content, compressed by raw DEFLATE
//! (RFC 1951). A content is whole records, each with its number of bytes in front (4). After the last block 16 zero bytes. Then the title, a signed note
//! (C2SP signed-note) whose text is the line `jinku archive 1` and a line of JSON ([`Title`]); and its number of bytes (4), which end the file.
//! The SHA-256 in the title is of all bytes ahead of the title. The short hashes say which block is damaged.

mod base;
mod form;
mod records;
mod release;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use bank::{Bank, JournalEntry};
use journal::{Hash, Head, JournalError, Reader};
use ledger::Seal;
use node::{RecoverError, StartError};
use projections::ProjectionError;
use receipts::{NoteSigner, VerifierKey};

use crate::config::Installation;
use crate::serve;

pub(crate) use base::{Kept, files as released_to};
pub use form::{ArchiveError, MAGIC, Reading, Title, Writer, check};
use form::{entries_in, title_of};
pub(crate) use records::{Records, Released};
pub use release::{Done, bring_back, release};

/// Ending of a file in the making; what an interruption left is written anew.
const UNFINISHED: &str = ".partial";
const ENDING: &str = ".archive";
const BUFFER_BYTES: usize = 1 << 20;

/// Whether something failed because it needs records that are no longer in the journal.
#[must_use]
pub fn is_about_released(error: &anyhow::Error) -> bool {
    let is_released = |error: &JournalError| matches!(error, JournalError::Released { .. });
    error.chain().any(|cause| match cause.downcast_ref::<JournalError>() {
        Some(error) => is_released(error),
        None => match (cause.downcast_ref(), cause.downcast_ref(), cause.downcast_ref()) {
            (Some(StartError::Journal(error) | StartError::Recover(RecoverError::Journal(error))), _, _)
            | (_, Some(RecoverError::Journal(error)), _)
            | (_, _, Some(ProjectionError::Journal(error))) => is_released(error),
            _ => false,
        },
    })
}

/// What is archived, and where to.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    make: Option<MakeArguments>,
}

#[derive(Debug, clap::Args)]
struct MakeArguments {
    /// Data folder. The bank may be running.
    #[arg(long)]
    data: PathBuf,
    /// Folder of the archive; made where it is not there.
    #[arg(long)]
    to: PathBuf,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    /// Take archived records out of the journal of a stopped bank, as far as no start and no read model needs them.
    Release(release::Arguments),
    /// Bring released records back into the journal of a stopped bank.
    Return(release::Arguments),
}

/// Archives and says what.
///
/// # Errors
/// As [`make`].
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let arguments = match (&arguments.task, &arguments.make) {
        (Some(Task::Release(arguments)), _) => return release::run_release(arguments),
        (Some(Task::Return(arguments)), _) => return release::run_return(arguments),
        (None, Some(arguments)) => arguments,
        (None, None) => bail!("--data and --to are needed, or `release` or `return`"),
    };
    let made = make(&arguments.data, &arguments.to)?;
    for (file, title) in &made.files {
        println!("{file}  {}", title.words());
    }
    if made.files.is_empty() && made.were_there == 0 {
        println!("no day is sealed yet: `jinku operate … seal DATE` seals one");
    } else {
        println!("{} archived, {} were there already", made.files.len(), made.were_there);
    }
    println!("nothing was removed from the journal: `jinku archive release` does that");
    Ok(())
}

/// What was archived.
#[derive(Debug)]
pub struct Made {
    /// New files by name, in order.
    pub files: Vec<(String, Title)>,
    /// How many seals had a file already.
    pub were_there: usize,
}

/// Archives every sealed day of the bank in `data` that has no file in `to` yet.
///
/// # Errors
/// The folder is no bank's, its journal is damaged or does not fit its seals, a file of the archive is another bank's or another history's, or the
/// folder cannot be written.
pub fn make(data: &Path, to: &Path) -> anyhow::Result<Made> {
    let installation = Installation::open(data)?;
    let signer = serve::log_signer(&installation)?;
    let bank = node::recover(data)?.bank;
    let journal = data.join("journal");
    // What was just read may not be durable yet; an archive must not be ahead of the journal.
    sync(&journal)?;
    let folder = Folder::open(to)?;
    let mut made = Made { files: Vec::new(), were_there: 0 };
    for plan in plans(&installation, &bank) {
        let path = to.join(plan.name());
        if path.exists() {
            let title = title_in(&path, signer.verifier())?;
            ensure!(plan.fits(&title), "{} is of another history: archive to another folder", path.display());
            made.were_there = made.were_there.saturating_add(1);
            continue;
        }
        let title = folder.write(&plan, &journal, &signer)?;
        made.files.push((plan.name(), title));
    }
    Ok(made)
}

/// The seal that a file is to be about.
pub(crate) struct Plan {
    title: Title,
}

/// What the archive of a bank's sealed days has to be, in order.
pub(crate) fn plans(installation: &Installation, bank: &Bank) -> Vec<Plan> {
    let offset = bank.payments().profile().map_or(0, |profile| profile.utc_offset_minutes);
    let (mut before, mut from) = (Head::default(), None);
    let mut plans = Vec::new();
    for (number, seal) in (1_u32..).zip(bank.ledger().seals()) {
        let Seal { through, sealed_at, entries, mark } = *seal;
        let last = Head { seq: mark.seq, hash: Hash::new(mark.hash) };
        let to = through.minus_ms(1).date_at(offset);
        let title = Title {
            bank: installation.config.number.clone(),
            log: installation.config.log_origin.clone(),
            seal: number,
            from_day: from.map(|day: money::Date| day.to_string()),
            to_day: to.to_string(),
            through: through.to_string(),
            sealed_at: sealed_at.to_string(),
            entries_sealed: entries,
            before_seq: before.seq,
            before_hash: before.hash.to_string(),
            last_seq: last.seq,
            last_hash: last.hash.to_string(),
            records: 0,
            entries: 0,
            sha256: String::new(),
        };
        plans.push(Plan { title });
        (before, from) = (last, Some(to.plus_days(1)));
    }
    plans
}

impl Plan {
    pub(crate) fn name(&self) -> String {
        format!("sealed-{:06}-{}{ENDING}", self.title.seal, self.title.to_day)
    }

    /// Whether a file's title is about this seal.
    pub(crate) fn fits(&self, title: &Title) -> bool {
        let Title { records, entries, ref sha256, .. } = *title;
        *title == Title { records, entries, sha256: sha256.clone(), ..self.title.clone() }
    }
}

/// The title of a file, its signature checked and nothing else.
fn title_in(path: &Path, key: &VerifierKey) -> anyhow::Result<Title> {
    let mut file = File::open(path).with_context(|| format!("open {}", path.display()))?;
    title_of(&mut file, key).with_context(|| format!("{} is damaged or another bank's", path.display()))
}

/// Checks a file as whoever has nothing but the key.
///
/// # Errors
/// Where it is not what was signed.
pub fn check_file(path: &Path, key: &VerifierKey) -> Result<Title, ArchiveError> {
    check(BufReader::with_capacity(BUFFER_BYTES, File::open(path)?), key)
}

/// Names of the archive's files in a folder, in order.
pub(crate) fn files(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for file in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let name = file?.file_name().to_string_lossy().into_owned();
        if name.ends_with(ENDING) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// An archive's folder, held by one writer.
struct Folder {
    path: PathBuf,
    lock: File,
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Not left to closing it: a process that is just being started has it open for a moment, too.
        let _ = self.lock.unlock();
    }
}

impl Folder {
    fn open(path: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("make {}", path.display()))?;
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(path.join("lock"));
        let lock = lock.with_context(|| format!("open the lock of {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => bail!("another archive to {} is being made", path.display()),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("lock {}", path.display())),
        }
    }

    fn write(&self, plan: &Plan, journal: &Path, signer: &NoteSigner) -> anyhow::Result<Title> {
        let path = self.path.join(plan.name());
        let begun = self.path.join(format!("{}{UNFINISHED}", plan.name()));
        let fault = || format!("write {}", path.display());
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&begun);
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, file.with_context(fault)?);
        let title = copy(plan, journal, signer, &mut out)?;
        out.flush().and_then(|()| out.get_ref().sync_all()).with_context(fault)?;
        // It is read as its readers will, before it gets its name.
        let read = check_file(&begun, signer.verifier()).with_context(fault)?;
        ensure!(read == title, "{} is not read as it was written", begun.display());
        // A link is never put over a file.
        fs::hard_link(&begun, &path).with_context(fault)?;
        fs::remove_file(&begun).with_context(fault)?;
        File::open(&self.path).and_then(|folder| folder.sync_all()).with_context(fault)?;
        Ok(title)
    }
}

/// Copies the records of a seal from the journal, and signs.
fn copy(plan: &Plan, journal: &Path, signer: &NoteSigner, out: impl Write) -> anyhow::Result<Title> {
    let mut title = plan.title.clone();
    let before = Head { seq: title.before_seq, hash: Hash::from_hex(&title.before_hash)? };
    let reader = Reader::open(journal, before.seq.saturating_add(1));
    let mut reader = reader.with_context(|| {
        format!(
            "seal {} was archived to another folder: archive to that one, or return its records first",
            title.seal
        )
    })?;
    let mut head = before;
    let mut writer = Writer::begin(out, before)?;
    while let Some(record) = reader.next_until(title.last_seq)? {
        ensure!(
            record.prev == head.hash,
            "record {} of the journal does not follow the seal before",
            record.seq
        );
        let entry = JournalEntry::from_bytes(&record.bytes);
        let entry = entry.with_context(|| format!("record {}", record.seq))?;
        title.entries = title.entries.saturating_add(entries_in(&entry));
        title.records = title.records.saturating_add(1);
        writer.add(&record.bytes)?;
        head = Head { seq: record.seq, hash: record.hash };
    }
    ensure!(
        head.seq == title.last_seq && head.hash.to_string() == title.last_hash,
        "the journal does not have record {} as seal {} names it: `jinku audit` says more",
        title.last_seq,
        title.seal
    );
    writer.finish(title, signer)
}

/// Makes durable what was read: a group can be seen a moment before its writer knows that it is.
fn sync(folder: &Path) -> anyhow::Result<()> {
    for file in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = file?.path();
        if path.extension().is_some_and(|end| end == "seg") {
            let synced = File::open(&path).and_then(|file| file.sync_data());
            synced.with_context(|| format!("sync {}", path.display()))?;
        }
    }
    Ok(())
}
