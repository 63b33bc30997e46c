//! The ledger under load.

mod load;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::ensure;
use serde_json::json;

use self::load::{Kind, Load};
use super::Common;
use super::report::{Report, histogram, micros};
use crate::bulk::{Client, ROWS_MAX};
use crate::config::{BankConfig, Installation, Key};
use crate::process::{Process, Scratch, free_port, loopback, memory};

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
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    ensure!((1..=ROWS_MAX).contains(&arguments.batch), "--batch is 1 to {ROWS_MAX}");
    ensure!(arguments.accounts >= 4 && arguments.clients >= 1, "at least 4 accounts and 1 client are needed");
    let scratch = Scratch::new(arguments.common.data.as_deref(), "bench-ledger")?;
    let (installation, process, address) = start(&scratch)?;
    let token = installation.key(Key::Operator)?;
    load::open_accounts(&mut Client::connect(address, &token)?, arguments.accounts)?;
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
    Report {
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
            ("memory_bytes_per_item", json!(memory_per_item)),
        ],
    }
    .print(arguments.common.json);
    Ok(())
}

/// A bank of its own, with the bulk interface on.
fn start(scratch: &Scratch) -> anyhow::Result<(Installation, Process, std::net::SocketAddr)> {
    let (wallet, operator, bulk) = (free_port()?, free_port()?, free_port()?);
    let installation = Installation::create(&scratch.path().join("bank"), BankConfig::local(wallet))?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("serve").arg("--data").arg(&installation.folder);
    command.args(["--listen", &loopback(wallet).to_string()]);
    command.args(["--operator-listen", &loopback(operator).to_string()]);
    command.args(["--bulk-listen", &loopback(bulk).to_string()]);
    let process = Process::start("the bank", &mut command, loopback(wallet))?;
    Ok((installation, process, loopback(bulk)))
}

/// One connection: sends its rows request after request, and takes the time of each. The next request is made up while the bank has
/// the one before it; it is sent when that has been answered.
fn client(
    mut load: Load,
    rows: u64,
    batch: u32,
    address: std::net::SocketAddr,
    token: [u8; 32],
) -> anyhow::Result<hdrhistogram::Histogram<u64>> {
    let mut client = Client::connect(address, &token)?;
    let mut latencies = histogram()?;
    let mut left = rows;
    let mut next = load.request(left.min(batch.into()))?;
    while left > 0 {
        let (id, request) = next;
        left = left.saturating_sub(request.len().into());
        let begun = Instant::now();
        client.begin(id, &request)?;
        next = load.request(left.min(batch.into()))?;
        let answer = client.finish()?;
        latencies.record(micros(begun.elapsed()).max(1))?;
        ensure!(answer.problem.is_none(), "not all rows were taken: {}", answer.problem.unwrap_or_default());
        let first = answer.refused.first().map(|refused| refused.words.as_str());
        ensure!(first.is_none(), "a row was refused: {}", first.unwrap_or_default());
    }
    Ok(latencies)
}

/// Bytes of the journal that are in use; segments are preallocated, so their sizes say nothing.
fn journal_used(scratch: &Path) -> anyhow::Result<u64> {
    let verified = journal::verify(&scratch.join("bank").join("journal"));
    Ok(verified.map_err(|damage| anyhow::anyhow!("journal of the run: {damage}"))?.bytes)
}
