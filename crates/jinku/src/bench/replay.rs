//! How long the books take to come back.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;

use super::Common;
use super::bank::Bank;
use super::load::{Kind, Load, client, open_accounts};
use super::report::{Report, histogram, micros};
use crate::bulk::{Client, ROWS_MAX};
use crate::process::{Scratch, memory};

/// How often the bank is started again.
const RESTARTS: u32 = 3;

/// How much history.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Transfers in the journal.
    #[arg(long, default_value_t = 10_000_000)]
    transfers: u64,
    /// Accounts.
    #[arg(long, default_value_t = 10_000)]
    accounts: u64,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let scratch = Scratch::new(arguments.common.data.as_deref(), "bench-replay")?;
    let bank = Bank::new(scratch.path(), None)?;
    let folder = bank.installation.folder.clone();
    let process = bank.start()?;
    open_accounts(&mut Client::connect(bank.bulk, &bank.token()?)?, arguments.accounts)?;
    let load = Load::new(1, Kind::Transfer, arguments.accounts, false);
    client(load, arguments.transfers, ROWS_MAX.saturating_sub(3), bank.bulk, bank.token()?)?;
    drop(process);

    let snapshots = folder.join("snapshots");
    if snapshots.is_dir() {
        std::fs::remove_dir_all(&snapshots)?;
    }
    let (replayed, replay) = timed(|| Ok(node::recover(&folder)?))?;
    ensure!(replayed.from_snapshot == 0, "a snapshot was used where there should be none");
    let entries = u64::try_from(replayed.bank.ledger().counts().1)?;
    ensure!(entries >= arguments.transfers, "{entries} entries came back");
    drop(replayed);
    let (_, snapshot) = timed(|| Ok(node::write_snapshot(&folder)?))?;
    let mut restarts = histogram()?;
    let mut peak = 0;
    for _ in 0..RESTARTS {
        let (process, took) = timed(|| bank.start())?;
        restarts.record(micros(took).max(1))?;
        peak = memory(process.id())?.1.max(peak);
    }
    let (findings, audit) = timed(|| crate::audit::audit(&folder))?;
    ensure!(findings.is_clean(), "the audit found: {}", findings.failed.join("; "));
    let verified = journal::verify(&folder.join("journal")).map_err(|damage| anyhow::anyhow!("{damage}"))?;
    Report {
        name: "replay",
        items: entries,
        elapsed: replay,
        latencies: restarts,
        journal_bytes: verified.bytes,
        peak_bytes: peak,
        more: vec![
            ("latencies_are", json!("restarts from the snapshot")),
            ("replay_ms", json!(whole_ms(replay))),
            ("snapshot_ms", json!(whole_ms(snapshot))),
            ("snapshot_bytes", json!(size(&snapshots)?)),
            ("audit_ms", json!(whole_ms(audit))),
            ("accounts", json!(arguments.accounts)),
        ],
    }
    .print(arguments.common.json);
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, Duration)> {
    let started = Instant::now();
    let done = work()?;
    Ok((done, started.elapsed()))
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Bytes of the files in a folder.
fn size(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0_u64;
    for entry in std::fs::read_dir(folder)? {
        bytes = bytes.saturating_add(entry?.metadata()?.len());
    }
    Ok(bytes)
}
