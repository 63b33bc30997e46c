//! `jinku audit`: a data folder proves itself, or the first bad byte is named.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use bank::{Bank, Command, JournalEntry, Submission};
use money::Timestamp;
use receipts::{Checkpoint, MerkleLog};

use crate::config::Installation;
use crate::{archive, serve};

mod source;

use source::{Heads, Source};

/// What is to be audited.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Data folder. The bank may be running.
    #[arg(long)]
    pub data: PathBuf,
    /// Folder of `jinku archive`, to be checked against the sealed days. Where records were released from the journal, they are read from here.
    #[arg(long)]
    pub archive: Option<PathBuf>,
}

/// What an audit has found.
#[derive(Debug, Default)]
pub struct Findings {
    /// What holds, in words.
    pub passed: Vec<String>,
    /// What does not.
    pub failed: Vec<String>,
}

impl Findings {
    fn check(&mut self, holds: bool, what: String, otherwise: impl FnOnce() -> String) {
        if holds { self.passed.push(what) } else { self.failed.push(otherwise()) }
    }

    /// Whether everything holds.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.failed.is_empty()
    }
}

/// Audits and prints what was found; exit code 1 when anything does not hold.
///
/// # Errors
/// The folder is no bank's.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let findings = audit_with(&arguments.data, arguments.archive.as_deref())?;
    for line in &findings.passed {
        println!("ok      {line}");
    }
    for line in &findings.failed {
        println!("FAILED  {line}");
    }
    println!("audited in {} ms", started.elapsed().as_millis());
    Ok(if findings.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Audits a data folder: chain → replay with every decision and signature made again → balances and invariants → log and checkpoint.
///
/// # Errors
/// The folder is no bank's.
pub fn audit(data: &Path) -> anyhow::Result<Findings> {
    audit_with(data, None)
}

/// Audits a data folder like [`audit`], and the archive of its sealed days where there is one.
///
/// # Errors
/// The folder is no bank's, or the archive's cannot be read.
pub fn audit_with(data: &Path, archived: Option<&Path>) -> anyhow::Result<Findings> {
    let installation = Installation::open(data)?;
    let mut findings = Findings::default();
    let folder = data.join("journal");
    let begins = match journal::verify(&folder) {
        Ok(verified) => {
            let (records, bytes) = (verified.records, verified.bytes);
            findings.passed.push(format!(
                "chain: {records} records, {bytes} bytes, head {} {}",
                verified.head.seq, verified.head.hash
            ));
            if let Some(at) = verified.torn_tail {
                findings.passed.push(format!("chain: an unfinished write at {at} is cut at the next start"));
            }
            verified.before
        }
        Err(damage) => {
            findings.failed.push(format!("chain: {damage}"));
            return Ok(findings);
        }
    };
    let Some(source) = Source::of(&installation, begins, archived, &mut findings)? else {
        return Ok(findings);
    };
    let Some((bank, heads)) = replay(&installation, &source, &mut findings)? else { return Ok(findings) };
    check_books(&bank, &mut findings);
    check_seals(&bank, &heads, &mut findings);
    if let Some(archived) = archived {
        check_archive(&installation, &bank, archived, &mut findings)?;
    }
    if source.is_whole() {
        check_log(&installation, &source, &heads, &mut findings)?;
    } else {
        findings.passed.push(
            "log: NOT CHECKED, since it is made from the first record on: --archive names the folder with the records released"
                .to_owned(),
        );
    }
    Ok(findings)
}

/// Replays what there is, deciding and checking everything again; answers with the state and the heads after the entries.
fn replay(
    installation: &Installation,
    source: &Source,
    findings: &mut Findings,
) -> anyhow::Result<Option<(Bank, Heads)>> {
    let relying_party = serve::relying_party(&installation.config);
    let Some(mut bank) = source.state(installation, findings)? else { return Ok(None) };
    let snapshot = bank.seq();
    let mut records = source.records();
    let mut heads = Heads { before: source.marks()?, from: source.before(), list: Vec::new() };
    let (mut signatures, mut last) = (0_u64, Timestamp::default());
    loop {
        let (head, bytes, at) = match records.next() {
            Ok(Some(record)) => record,
            Ok(None) => break,
            Err(error) => {
                findings.failed.push(format!("records: {error:#}"));
                return Ok(None);
            }
        };
        let seq = head.seq;
        heads.list.push(head);
        if seq <= snapshot {
            continue;
        }
        let entry = match JournalEntry::from_bytes(&bytes) {
            Ok(entry) => entry,
            Err(error) => {
                findings.failed.push(format!("entry {seq} at {at}: {error}"));
                return Ok(None);
            }
        };
        if entry.recorded_at < last {
            findings.failed.push(format!("entry {seq} at {at}: recorded before the one ahead"));
        }
        last = entry.recorded_at;
        signatures = signatures.saturating_add(u64::from(is_signed(&entry.command)));
        let submission =
            Submission { id: entry.id, actor: entry.actor.clone(), command: entry.command.clone() };
        let taken = bank::admit(submission, &relying_party)
            .and_then(|admitted| bank.take(admitted, entry.epoch, entry.recorded_at));
        let otherwise = match taken {
            Ok(Some(turn)) if turn.entry == entry => None,
            Ok(_) => Some("the same command decides otherwise today".to_owned()),
            Err(refusal) => Some(refusal.to_string()),
        };
        if let Some(problem) = otherwise {
            findings.failed.push(format!("entry {seq} at {at}: {problem}"));
            return Ok(None);
        }
    }
    findings.passed.push(format!(
        "replay: {} entries decided again{}, state {}",
        bank.seq().saturating_sub(snapshot),
        if snapshot == 0 { String::new() } else { format!(" after the snapshot at {snapshot}") },
        bank.state_hash()
    ));
    findings.passed.push(format!("evidence: {signatures} passkey signatures verified again"));
    Ok(Some((bank, heads)))
}

const fn is_signed(command: &Command) -> bool {
    matches!(
        command,
        Command::Pay { approval: Some(_), .. }
            | Command::Identity(
                identity::Command::OpenSession { proof: identity::Proof::Passkey { .. }, .. }
                    | identity::Command::Unlock { .. }
            )
    )
}

fn check_books(bank: &Bank, findings: &mut Findings) {
    let broken = bank.broken_invariants();
    findings.check(broken.is_empty(), "books: every invariant holds".to_owned(), || {
        format!("books: {}", broken.join("; "))
    });
    for (asset, debits, credits) in bank.ledger().trial_balance() {
        findings.check(debits == credits, format!("books: {asset} debits and credits are {debits}"), || {
            format!("books: {asset} debits {debits}, credits {credits}")
        });
    }
}

/// Every seal names a record of this journal, none before the one that the seal ahead of it names.
fn check_seals(bank: &Bank, heads: &Heads, findings: &mut Findings) {
    let seals = bank.ledger().seals();
    let mut before = 0;
    for (number, seal) in (1_u32..).zip(seals) {
        let at = seal.mark.seq;
        if at < before || !heads.has(at, &seal.mark.hash) {
            findings.failed.push(format!(
                "seals: seal {number} through {} names record {at} with {}, which the journal does not have there",
                seal.through,
                hex::encode(seal.mark.hash)
            ));
            return;
        }
        before = at;
    }
    if !seals.is_empty() {
        findings.passed.push(format!("seals: the journal is as {} seals of days name it", seals.len()));
    }
}

/// Every file of the archive proves itself and is about its seal, and no sealed day is missing between them.
fn check_archive(
    installation: &Installation,
    bank: &Bank,
    folder: &Path,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let signer = serve::log_signer(installation)?;
    let mut files = archive::files(folder)?;
    let (mut whole, mut missing) = (0_usize, None);
    for plan in archive::plans(installation, bank) {
        let name = plan.name();
        let Some(at) = files.iter().position(|file| *file == name) else {
            missing = missing.or(Some(name));
            continue;
        };
        files.remove(at);
        if let Some(missing) = &missing {
            findings.failed.push(format!("archive: {missing} is missing ahead of {name}"));
        }
        match archive::check_file(&folder.join(&name), signer.verifier()) {
            Ok(title) if plan.fits(&title) => whole = whole.saturating_add(1),
            Ok(title) => {
                findings.failed.push(format!("archive: {name} is of another history: {}", title.words()));
            }
            Err(error) => findings.failed.push(format!("archive: {name}: {error}")),
        }
    }
    for file in files {
        findings.failed.push(format!("archive: {file} is about no seal of this bank"));
    }
    if findings.is_clean() {
        let rest = missing.map_or(String::new(), |name| format!("; {name} is not made yet"));
        findings.passed.push(format!("archive: {whole} files continue from the first record on{rest}"));
    }
    Ok(())
}

/// The log is made again from the journal and compared with what the bank has signed.
fn check_log(
    installation: &Installation,
    source: &Source,
    heads: &Heads,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let mut records = source.records();
    let log = projections::rebuild_log_from(|| -> anyhow::Result<_> {
        Ok(records.next()?.map(|(head, bytes, _)| (head.seq, bytes)))
    })?;
    let note = match std::fs::read_to_string(installation.folder.join("checkpoint.note")) {
        Ok(note) => note,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && log.is_empty() => return Ok(()),
        Err(error) => {
            findings.failed.push(format!("log: no signed checkpoint: {error}"));
            return Ok(());
        }
    };
    let signer = serve::log_signer(installation)?;
    let checkpoint = match Checkpoint::open(&note, signer.verifier()) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            findings.failed.push(format!("log: the signed checkpoint is not ours: {error}"));
            return Ok(());
        }
    };
    findings.check(
        agrees(&checkpoint, &log, heads),
        format!(
            "log: the signed checkpoint over {} movements is what the journal says",
            checkpoint.head().size
        ),
        || format!("log: the checkpoint over {} movements does not fit the journal", checkpoint.head().size),
    );
    Ok(())
}

fn agrees(checkpoint: &Checkpoint, log: &MerkleLog, heads: &Heads) -> bool {
    let tree = log.head_at(checkpoint.head().size).is_ok_and(|head| head == *checkpoint.head());
    let entry = checkpoint.journal().is_none_or(|point| heads.has(point.seq, &point.hash));
    tree && entry
}
