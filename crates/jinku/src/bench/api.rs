//! Payments over HTTP: session, limits, journal, each reply durable.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use ledger::{Change, Entry, Leg, Memo};
use money::{AccountId, Amount, Asset, CommandId, EntryId};
use serde_json::json;

use super::Common;
use super::report::{Report, histogram, micros};
use crate::bulk::{Client, Row};
use crate::client::{Customer, To, field};
use crate::config::{BankConfig, Installation, Key};
use crate::opening::books;
use crate::operate::{Operator, Order};
use crate::process::{Process, Scratch, free_port, loopback, memory};

/// What every customer begins with, in fen.
const OPENING_FEN: u128 = 500_000_000;

/// How much load.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Payments in all.
    #[arg(long, default_value_t = 50_000)]
    payments: u64,
    /// Customers, each on a connection of their own with one payment under way.
    #[arg(long, default_value_t = 32)]
    clients: u64,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    ensure!(arguments.clients >= 2, "at least two customers are needed");
    let scratch = Scratch::new(arguments.common.data.as_deref(), "bench-api")?;
    let (wallet, operator, bulk) = (free_port()?, free_port()?, free_port()?);
    let config = BankConfig::local(wallet);
    let bank = config.number.clone();
    let installation = Installation::create(&scratch.path().join("bank"), config)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("serve").arg("--data").arg(&installation.folder);
    command.args(["--listen", &loopback(wallet).to_string()]);
    command.args(["--operator-listen", &loopback(operator).to_string()]);
    command.args(["--bulk-listen", &loopback(bulk).to_string()]);
    command.arg("--generous-rates");
    let process = Process::start("the bank", &mut command, loopback(wallet))?;

    let base = format!("http://{}", loopback(wallet));
    let origin = format!("http://localhost:{wallet}");
    let staff = Operator::new(&installation, loopback(operator), "bench")?;
    let mut customers = Vec::new();
    for number in 0..arguments.clients {
        let mut seed = [0; 32];
        for (slot, byte) in seed.iter_mut().zip(number.to_be_bytes()) {
            *slot = byte;
        }
        let mut customer = Customer::new(&base, &origin, &format!("Customer {number}"), seed);
        let phone = format!("+8613{number:09}");
        customer.enrol(&phone, "en")?;
        staff.order(Order::Grade { phone, grade: "full".to_owned() })?;
        customers.push(customer);
    }
    fund(&installation, bulk, &customers)?;
    let journal_before = used(&installation)?;

    let names: Vec<(String, String)> =
        customers.iter().map(|customer| (customer.name.clone(), customer.number.clone())).collect();
    let names = Arc::new(names);
    let left = Arc::new(AtomicU64::new(arguments.payments));
    let started = Instant::now();
    let threads: Vec<_> = customers
        .into_iter()
        .enumerate()
        .map(|(index, customer)| {
            let (names, left, bank) = (Arc::clone(&names), Arc::clone(&left), bank.clone());
            std::thread::spawn(move || pay(customer, index, &names, &left, &bank))
        })
        .collect();
    let mut latencies = histogram()?;
    for thread in threads {
        latencies.add(thread.join().map_err(|_| anyhow::anyhow!("a customer stopped"))??)?;
    }
    let elapsed = started.elapsed();
    let (_, peak) = memory(process.id())?;
    drop(process);
    Report {
        name: "api",
        items: arguments.payments,
        elapsed,
        latencies,
        journal_bytes: used(&installation)?.saturating_sub(journal_before),
        peak_bytes: peak,
        more: vec![("clients", json!(arguments.clients))],
    }
    .print(arguments.common.json);
    Ok(())
}

/// One customer: pays the next one small amounts until all payments are made.
fn pay(
    mut customer: Customer,
    index: usize,
    names: &[(String, String)],
    left: &AtomicU64,
    bank: &str,
) -> anyhow::Result<hdrhistogram::Histogram<u64>> {
    let next = index.saturating_add(1).checked_rem(names.len()).unwrap_or(0);
    let (name, number) = names.get(next).context("nobody to pay")?;
    // The intent of a first preview is the pattern; each payment has an id and a nonce of its own.
    let preview = customer.preview(To { name, account: number, bank }, "0.05", "")?;
    let pattern = field(&preview, "intent")?.clone();
    let mut latencies = histogram()?;
    let mut serial = 0_u64;
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        serial = serial.saturating_add(1);
        let mut intent = pattern.clone();
        let value = (u128::from(u64::try_from(index)?) << 64) | u128::from(serial);
        if let Some(object) = intent.as_object_mut() {
            object.insert("payment_id".to_owned(), json!(money::PaymentId::new(value).to_string()));
        }
        let key = customer.next_key();
        let request = json!({ "intent": intent, "assertion": null });
        let begun = Instant::now();
        let answer = customer.post_with("/payments", &key, &request)?;
        latencies.record(micros(begun.elapsed()).max(1))?;
        if let Err(problem) = answer {
            bail!("a payment was refused: {} {}", problem.code, problem.detail);
        }
    }
    Ok(latencies)
}

fn fund(installation: &Installation, bulk: u16, customers: &[Customer]) -> anyhow::Result<()> {
    let mut client = Client::connect(loopback(bulk), &installation.key(Key::Operator)?)?;
    let mut rows: Vec<Row> = Vec::new();
    for (serial, customer) in (1_u128..).zip(customers) {
        let account: AccountId = customer.account.parse()?;
        let amount = Amount::new(Asset::CNY, OPENING_FEN);
        let legs = vec![Leg::debit(books().reserve, amount), Leg::credit(account, amount)];
        let id = EntryId::new((1 << 70) | serial);
        let entry = Entry { id, legs, effective_at: None, reference: None, memo: Memo::clip("opening") };
        let change = Change { entry: Some(entry), ..Change::default() };
        rows.push((CommandId::new((1 << 70) | serial), ledger::Command::Change(change)));
    }
    let (_, refused) = client.send(&rows)?;
    ensure!(refused.is_empty(), "funding: {}", refused.first().map_or("", |(_, words)| words));
    Ok(())
}

fn used(installation: &Installation) -> anyhow::Result<u64> {
    let verified = journal::verify(&installation.folder.join("journal"));
    Ok(verified.map_err(|damage| anyhow::anyhow!("{damage}"))?.bytes)
}
