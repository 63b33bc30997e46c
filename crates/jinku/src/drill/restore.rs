//! `jinku drill restore`: the proof that this bank's backup is this bank.
//!
//! Backup, check of the backup, restore into a folder of its own, audit there; then the restored bank is compared with the live one, each by
//! its own way: the live journal is replayed by itself, the live bank's signed checkpoint is its own statement. Last, the restored bank is
//! started as a process and must answer a read.
//!
//! The restored bank is started **without a clearing centre**: two banks that send the same messages would be a fault in the world, not a
//! drill.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::Context;
use bank::{Bank, JournalEntry};
use journal::{Hash, Reader};
use node::{Clock, SystemClock};
use receipts::{Checkpoint, TreeHead};

use super::Report;
use crate::audit::audit;
use crate::backup::{self, Manifest};
use crate::config::Installation;
use crate::process::{Process, Scratch, free_port, loopback};
use crate::restore::{Restored, Until, restore};
use crate::serve;

/// Longest time the restored bank has to make its read models.
const READ_MAX: Duration = Duration::from_secs(600);
/// How often it is asked.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// Which bank, and where to work.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Data folder. The bank may be running.
    #[arg(long)]
    pub data: PathBuf,
    /// Where the backup and the restored bank are put meanwhile: room for two copies of the journal. The system's folder for temporary files without it.
    #[arg(long)]
    pub scratch: Option<PathBuf>,
    /// Folder of the report; `drills` in the data folder without it.
    #[arg(long)]
    pub report: Option<PathBuf>,
}

/// Holds the drill, writes and prints its report; exit code 1 unless everything held.
///
/// # Errors
/// The report cannot be written.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let report = drill(&arguments.data, arguments.scratch.as_deref(), &std::env::current_exe()?)?;
    let folder = arguments.report.clone().unwrap_or_else(|| arguments.data.join("drills"));
    let path = report.write(&folder)?;
    print!("{}", report.text());
    println!("written to {} and .json", path.display());
    Ok(if report.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Holds the drill; `program` is the `jinku` that serves the restored bank. What cannot be done is a check that does not hold.
///
/// # Errors
/// `data` is no bank's folder.
pub fn drill(data: &Path, scratch: Option<&Path>, program: &Path) -> anyhow::Result<Report> {
    let installation = Installation::open(data)?;
    let mut report = Report {
        drill: "restore".to_owned(),
        begun_at: SystemClock.now().to_string(),
        bank: installation.config.number.clone(),
        records: 0,
        passed: false,
        steps: Vec::new(),
        checks: Vec::new(),
    };
    if let Err(error) = hold(&installation, scratch, program, &mut report) {
        report.check("the drill goes through", false, format!("{error:#}"));
    }
    report.passed = report.checks.iter().all(|check| check.holds);
    Ok(report)
}

fn hold(
    live: &Installation,
    scratch: Option<&Path>,
    program: &Path,
    report: &mut Report,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    // The scratch folder is ours alone: the keys are in it for as long as the drill lasts.
    let scratch = Scratch::new(scratch, "drill-restore")?;
    std::fs::set_permissions(scratch.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    let (copy, target) = (scratch.path().join("backup"), scratch.path().join("bank"));

    let started = Instant::now();
    let manifest = backup::make(&live.folder, &copy, true)?.manifest;
    report.records = manifest.head.seq;
    report.step(format!("backup: {} records, {} bytes", manifest.head.seq, manifest.bytes()), started);

    let started = Instant::now();
    let restored = restore(&copy, &target, None, Until::End)?;
    report.step("restore: every byte checked, every record replayed", started);

    let started = Instant::now();
    let findings = audit(&target)?;
    report.step("audit of the restored bank", started);
    let passed = format!("{} findings, all good", findings.passed.len());
    let failed = findings.failed.join("; ");
    report.check(
        "the audit is clean",
        findings.is_clean(),
        if findings.is_clean() { passed } else { failed },
    );

    let started = Instant::now();
    compare(live, &manifest, &restored, &target, report)?;
    report.step("comparison with the live bank", started);

    let started = Instant::now();
    let served = read_from(program, &target)?;
    report.step("start of the restored bank, up to an answer with all read models made", started);
    let expected = projections::rebuild_log(&target.join("journal"))?.head();
    report.check("the restored bank answers a read with its log", served == expected, tree(&served));
    report.step("in all", begun);
    Ok(())
}

/// The live bank by its own files: its journal, replayed by itself, and what it has signed.
fn compare(
    live: &Installation,
    manifest: &Manifest,
    restored: &Restored,
    target: &Path,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (bank, head) = replay(&live.folder, manifest.head.seq)?;
    let holds = head.to_string() == restored.hash;
    report.check("the last record is the live bank's", holds, format!("record {}, {head}", bank.seq()));
    let state = bank.state_hash().to_string();
    let found = if state == restored.state {
        state.clone()
    } else {
        format!("live {state}, restored {}", restored.state)
    };
    report.check("the state is the live bank's", state == restored.state, found);
    if let Some(snapshot) = &manifest.snapshot {
        let holds = restored.compared_at == Some(snapshot.seq);
        report.check(
            "the state is that of the live bank's snapshot",
            holds,
            format!("at record {}", snapshot.seq),
        );
    }
    let log = projections::rebuild_log(&target.join("journal"))?;
    match std::fs::read_to_string(target.join("checkpoint.note")) {
        Ok(note) => {
            let signer = serve::log_signer(live)?;
            let stated = *Checkpoint::open(&note, signer.verifier())?.head();
            let made = log.head_at(stated.size);
            let holds = made.as_ref().is_ok_and(|made| *made == stated);
            report.check("the Merkle root is the one that the live bank has signed", holds, tree(&stated));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            report.check("no log is signed yet", log.is_empty(), format!("{} movements", log.len()));
        }
        Err(error) => return Err(error).context("checkpoint.note"),
    }
    Ok(())
}

fn tree(head: &TreeHead) -> String {
    format!("{} movements, root {}", head.size, hex::encode(head.root.as_bytes()))
}

fn replay(data: &Path, until: u64) -> anyhow::Result<(Bank, Hash)> {
    let (mut bank, mut head) = (Bank::default(), Hash::default());
    let mut reader = Reader::open(&data.join("journal"), 1)?;
    while let Some(record) = reader.next_until(until)? {
        bank.apply(record.seq, &JournalEntry::from_bytes(&record.bytes)?);
        head = record.hash;
    }
    Ok((bank, head))
}

/// Starts the bank on free ports of loopback, without a centre, and asks for its signed log until it has all of it.
fn read_from(program: &Path, folder: &Path) -> anyhow::Result<TreeHead> {
    let mut installation = Installation::open(folder)?;
    installation.config.centre = None;
    installation.save()?;
    let size = projections::rebuild_log(&folder.join("journal"))?.len();
    let (wallet, rails, operator) = (loopback(free_port()?), loopback(free_port()?), loopback(free_port()?));
    let mut command = Command::new(program);
    command.arg("serve").arg("--data").arg(folder);
    command.args(["--listen", &wallet.to_string(), "--rails-listen", &rails.to_string()]);
    command.args(["--operator-listen", &operator.to_string()]);
    let process = Process::start("the restored bank", &mut command, wallet)?;
    let signer = serve::log_signer(&installation)?;
    let started = Instant::now();
    loop {
        let answer = ureq::get(format!("http://{wallet}/api/v1/log/checkpoint")).call();
        match answer {
            Ok(mut answer) => {
                let head = *Checkpoint::open(&answer.body_mut().read_to_string()?, signer.verifier())?.head();
                if head.size >= size {
                    drop(process);
                    return Ok(head);
                }
            }
            Err(ureq::Error::StatusCode(404)) if size == 0 => {
                return Ok(projections::rebuild_log(&folder.join("journal"))?.head());
            }
            Err(ureq::Error::StatusCode(404)) => {}
            Err(error) => return Err(error).context("ask the restored bank"),
        }
        anyhow::ensure!(started.elapsed() < READ_MAX, "the restored bank does not come to {size} movements");
        std::thread::sleep(ASK_EVERY);
    }
}
