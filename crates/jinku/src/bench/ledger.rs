//! The ledger under load.

use std::path::Path;
use std::time::Instant;

use anyhow::ensure;
use serde_json::json;

use super::Common;
use super::bank::Bank;
use super::load::{Kind, Load, client, open_accounts};
use super::report::{Report, histogram};
use crate::bulk::{Client, ROWS_MAX};
use crate::process::{Scratch, memory};

/// How much load.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Rows in all.
    #[arg(long, default_value_t = 1_000_000)]
    transfers: u64,
    /// Rows in a request.
    #[arg(long, default_value_t = 8_189)]
    batch: u32,
    /// Connections, each with one request under way.
    #[arg(long, default_value_t = 1)]
    clients: u64,
    /// Accounts.
    #[arg(long, default_value_t = 10_000)]
    accounts: u64,
    /// What the rows are.
    #[arg(long, value_enum, default_value_t = Kind::Transfer)]
    kind: Kind,
    /// One account is on a side of every transfer.
    #[arg(long)]
    hot: bool,
    /// About how many entries the bank keeps in memory; all without it.
    #[arg(long)]
    history_in_memory: Option<u32>,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    measure(arguments)?.print(arguments.common.json);
    Ok(())
}

/// One client, whole batches, transfers between so many accounts.
pub(super) const fn uniform(transfers: u64, accounts: u64, common: Common) -> Arguments {
    let (batch, clients, kind, hot) = (8_189, 1, Kind::Transfer, false);
    Arguments { transfers, batch, clients, accounts, kind, hot, history_in_memory: None, common }
}

pub(super) fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    ensure!((1..=ROWS_MAX).contains(&arguments.batch), "--batch is 1 to {ROWS_MAX}");
    ensure!(arguments.accounts >= 4 && arguments.clients >= 1, "at least 4 accounts and 1 client are needed");
    let scratch = Scratch::new(arguments.common.data.as_deref(), "bench-ledger")?;
    let bank = Bank::new(scratch.path(), arguments.history_in_memory)?;
    let (process, token) = (bank.start()?, bank.token()?);
    let address = bank.bulk;
    open_accounts(&mut Client::connect(address, &token)?, arguments.accounts)?;
    let (before, _) = memory(process.id())?;
    let journal_before = journal_used(scratch.path())?;

    let each = arguments.transfers.div_euclid(arguments.clients);
    let started = Instant::now();
    let clients: Vec<_> = (0..arguments.clients)
        .map(|number| {
            let load = Load::new(number, arguments.kind, arguments.accounts, arguments.hot);
            let batch = arguments.batch;
            std::thread::spawn(move || client(load, each, batch, address, token))
        })
        .collect();
    let mut latencies = histogram()?;
    for thread in clients {
        let measured = thread.join().map_err(|_| anyhow::anyhow!("a client stopped"))??;
        latencies.add(measured)?;
    }
    let elapsed = started.elapsed();
    let items = each.saturating_mul(arguments.clients);
    let (after, peak) = memory(process.id())?;
    drop(process);
    let memory_per_item = after.saturating_sub(before).checked_div(items.max(1)).unwrap_or(0);
    Ok(Report {
        name: "ledger",
        items,
        elapsed,
        latencies,
        journal_bytes: journal_used(scratch.path())?.saturating_sub(journal_before),
        peak_bytes: peak,
        more: vec![
            ("kind", json!(arguments.kind.name())),
            ("hot", json!(arguments.hot)),
            ("batch", json!(arguments.batch)),
            ("clients", json!(arguments.clients)),
            ("accounts", json!(arguments.accounts)),
            ("history_in_memory", json!(arguments.history_in_memory)),
            ("memory_bytes_per_item", json!(memory_per_item)),
        ],
    })
}

/// Bytes of the journal that are in use; segments are preallocated, so their sizes say nothing.
fn journal_used(scratch: &Path) -> anyhow::Result<u64> {
    let verified = journal::verify(&scratch.join("bank").join("journal"));
    Ok(verified.map_err(|damage| anyhow::anyhow!("journal of the run: {damage}"))?.bytes)
}
