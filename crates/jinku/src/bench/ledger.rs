//! The ledger under load.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, ensure};
use ledger::{AccountKind, Change, Entry, Leg, Memo};
use money::{AccountId, Amount, Asset, CommandId, EntryId};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::json;

use super::Common;
use super::report::{Report, histogram, micros};
use crate::bulk::{Client, ROWS_MAX, Row};
use crate::config::{BankConfig, Installation, Key};
use crate::opening::books;
use crate::process::{Process, Scratch, free_port, loopback, memory};

/// What every account begins with, in fen: enough that no transfer of the run is refused.
const OPENING_FEN: u128 = 1 << 40;
/// Ids of the run's accounts begin here.
const ACCOUNTS_FROM: u128 = 1 << 64;

/// How much load.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Transfers in all.
    #[arg(long, default_value_t = 1_000_000)]
    transfers: u64,
    /// Transfers in a request.
    #[arg(long, default_value_t = 8_189)]
    batch: usize,
    /// Connections, each with one request under way.
    #[arg(long, default_value_t = 1)]
    clients: u64,
    /// Accounts.
    #[arg(long, default_value_t = 10_000)]
    accounts: u64,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    ensure!((1..=ROWS_MAX).contains(&arguments.batch), "--batch is 1 to {ROWS_MAX}");
    ensure!(arguments.accounts >= 2 && arguments.clients >= 1, "at least 2 accounts and 1 client are needed");
    let scratch = Scratch::new(arguments.common.data.as_deref(), "bench-ledger")?;
    let (installation, process, address) = start(&scratch)?;
    let token = installation.key(Key::Operator)?;
    open_accounts(&mut Client::connect(address, &token)?, arguments.accounts)?;
    let (before, _) = memory(process.id())?;
    let journal_before = journal_used(scratch.path())?;

    let each = arguments.transfers.div_euclid(arguments.clients);
    let started = Instant::now();
    let clients: Vec<_> = (0..arguments.clients)
        .map(|number| {
            let (batch, accounts) = (arguments.batch, arguments.accounts);
            std::thread::spawn(move || client(number, each, batch, accounts, address, token))
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

fn account(number: u64) -> AccountId {
    AccountId::new(ACCOUNTS_FROM | u128::from(number))
}

fn open_accounts(client: &mut Client, accounts: u64) -> anyhow::Result<()> {
    let mut rows: Vec<Row> = Vec::new();
    for number in 0..accounts {
        let id = account(number);
        let open = ledger::Command::OpenAccount { id, kind: AccountKind::Customer, asset: Asset::CNY };
        rows.push((CommandId::new(ACCOUNTS_FROM | u128::from(number)), open));
        let amount = Amount::new(Asset::CNY, OPENING_FEN);
        let legs = vec![Leg::debit(books().reserve, amount), Leg::credit(id, amount)];
        let serial = (1 << 65) | u128::from(number);
        rows.push((CommandId::new(serial), change(EntryId::new(serial), legs)));
    }
    for rows in rows.chunks(ROWS_MAX) {
        let (_, refused) = client.send(rows)?;
        ensure!(refused.is_empty(), "opening accounts: {}", refused.first().map_or("", |(_, words)| words));
    }
    Ok(())
}

fn change(id: EntryId, legs: Vec<Leg>) -> ledger::Command {
    let entry = Entry { id, legs, effective_at: None, reference: None, memo: Memo::default() };
    ledger::Command::Change(Change { entry: Some(entry), ..Change::default() })
}

/// One connection: sends its transfers batch after batch, and takes the time of each.
fn client(
    number: u64,
    transfers: u64,
    batch: usize,
    accounts: u64,
    address: std::net::SocketAddr,
    token: [u8; 32],
) -> anyhow::Result<hdrhistogram::Histogram<u64>> {
    let mut client = Client::connect(address, &token)?;
    let mut random = ChaCha8Rng::seed_from_u64(number);
    let mut latencies = histogram()?;
    let mut sent = 0;
    let mut rows: Vec<Row> = Vec::with_capacity(batch);
    while sent < transfers {
        rows.clear();
        while rows.len() < batch && sent < transfers {
            let from = random.next_u64().checked_rem(accounts).unwrap_or(0);
            let step = random.next_u64().checked_rem(accounts.saturating_sub(1)).unwrap_or(0);
            let to = from.saturating_add(step).saturating_add(1).checked_rem(accounts).unwrap_or(0);
            let amount = Amount::new(Asset::CNY, u128::from(random.next_u32() & 0xFFFF).saturating_add(1));
            let serial = (1 << 66) | (u128::from(number) << 40) | u128::from(sent);
            let legs = vec![Leg::debit(account(from), amount), Leg::credit(account(to), amount)];
            rows.push((CommandId::new(serial), change(EntryId::new(serial), legs)));
            sent = sent.saturating_add(1);
        }
        let begun = Instant::now();
        let (_, refused) = client.send(&rows)?;
        latencies.record(micros(begun.elapsed()).max(1))?;
        ensure!(refused.is_empty(), "a transfer was refused: {}", refused.first().map_or("", |(_, w)| w));
    }
    Ok(latencies)
}

/// Bytes of the journal that are in use; segments are preallocated, so their sizes say nothing.
fn journal_used(scratch: &Path) -> anyhow::Result<u64> {
    let verified =
        journal::verify(&scratch.join("bank").join("journal")).map_err(|damage| anyhow::anyhow!("{damage}"));
    Ok(verified.context("journal of the run")?.bytes)
}
