//! Payments over HTTP: session, limits, journal, each reply durable; with evidence where it is asked for.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use ledger::Memo;
use money::{AccountId, Amount, Asset, CommandId, EntryId};
use node::{Clock as _, SystemClock};
use serde_json::json;

use super::Common;
use super::payer::{Payer, Plan, pay_all};
use super::report::Report;
use crate::bulk::Client;
use crate::client::{Customer, To, field};
use crate::config::{BankConfig, Installation, Key};
use crate::opening::books;
use crate::operate::{Operator, Order};
use crate::process::{Process, Scratch, free_port, loopback, memory};

/// What every customer begins with, in fen.
const OPENING_FEN: u128 = 500_000_000;
/// Below the small-amount limit, so no passkey is asked for.
const SMALL: &str = "0.05";
/// Just above it, so that a passkey signs every payment.
const SIGNED: &str = "200.01";
/// Longest time the read models have to catch up once the load has ended.
const CATCH_UP_MAX: Duration = Duration::from_secs(120);

/// How much load.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Payments in all.
    #[arg(long, default_value_t = 50_000)]
    payments: u64,
    /// Customers, each on a connection of their own with one payment under way.
    #[arg(long, default_value_t = 64)]
    clients: u64,
    /// Pay amounts above the small-amount limit, each signed by the customer's passkey.
    #[arg(long)]
    evidence: bool,
    /// Keep the data folder of the run, to look at.
    #[arg(long)]
    keep: bool,
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

    let origin = format!("http://localhost:{wallet}");
    let staff = Operator::new(&installation, loopback(operator), "bench")?;
    let mut customers = enrol(arguments.clients, &format!("http://{}", loopback(wallet)), &origin, &staff)?;
    fund(&installation, bulk, &customers)?;
    let each = arguments.payments.checked_div(arguments.clients).unwrap_or(0).max(1);
    let payments = each.saturating_mul(arguments.clients);
    let names: Vec<(String, String)> =
        customers.iter().map(|customer| (customer.name.clone(), customer.number.clone())).collect();
    let first_ms = SystemClock.now().ms();
    let mut payers = Vec::new();
    for ((number, customer), (name, account)) in
        (0_u64..).zip(&mut customers).zip(names.iter().cycle().skip(1))
    {
        let plan = Plan {
            to: To { name, account, bank: &bank },
            amount: if arguments.evidence { SIGNED } else { SMALL },
            count: each,
            number,
            first_ms,
            host: loopback(wallet),
            origin: &origin,
        };
        payers.push(Payer::prepare(customer, &plan)?);
    }
    let watcher = customers.first().context("nobody pays")?;
    lag(watcher, CATCH_UP_MAX)?;
    let journal_before = used(&installation)?;
    let cpu_before = (cpu_ms(process.id())?, cpu_ms(std::process::id())?);

    let (elapsed, latencies) = pay_all(loopback(wallet), payers)?;
    let behind = Behind::now(watcher)?;
    let cpu_after = (cpu_ms(process.id())?, cpu_ms(std::process::id())?);
    let caught_up = lag(watcher, CATCH_UP_MAX)?;
    let cpu_caught_up = cpu_ms(process.id())?;
    let (_, peak) = memory(process.id())?;
    drop(process);
    let micros_each = |from: u64, to: u64| {
        json!(to.saturating_sub(from).saturating_mul(1000).checked_div(payments).unwrap_or(0))
    };
    Report {
        name: if arguments.evidence { "api, signed" } else { "api" },
        items: payments,
        elapsed,
        latencies,
        journal_bytes: used(&installation)?.saturating_sub(journal_before),
        peak_bytes: peak,
        more: vec![
            ("clients", json!(arguments.clients)),
            ("evidence", json!(arguments.evidence)),
            ("bank_cpu_us_per_payment", micros_each(cpu_before.0, cpu_after.0)),
            ("bank_cpu_us_per_payment_caught_up", micros_each(cpu_before.0, cpu_caught_up)),
            ("client_cpu_us_per_payment", micros_each(cpu_before.1, cpu_after.1)),
            ("projection_lag_entries", json!(behind.entries)),
            ("projection_lag_ms", json!(behind.ms)),
            ("projection_caught_up_after_ms", json!(u64::try_from(caught_up.as_millis())?)),
        ],
    }
    .print(arguments.common.json);
    if arguments.keep {
        eprintln!("kept: {}", installation.folder.display());
        scratch.keep();
    }
    Ok(())
}

fn enrol(count: u64, base: &str, origin: &str, staff: &Operator) -> anyhow::Result<Vec<Customer>> {
    let mut customers = Vec::new();
    for number in 0..count {
        let mut seed = [0; 32];
        for (slot, byte) in seed.iter_mut().zip(number.to_be_bytes()) {
            *slot = byte;
        }
        let mut customer = Customer::new(base, origin, &format!("Customer {number}"), seed);
        let phone = format!("+8613{number:09}");
        customer.enrol(&phone, "en")?;
        staff.order(Order::Grade { phone, grade: "full".to_owned() })?;
        customers.push(customer);
    }
    Ok(customers)
}

/// How far the read models are behind the journal.
struct Behind {
    entries: u64,
    ms: u64,
}

impl Behind {
    fn now(customer: &Customer) -> anyhow::Result<Self> {
        let health = customer.get("/health")?;
        let figure = |name: &str| -> anyhow::Result<u64> {
            field(&health, name)?.as_u64().with_context(|| format!("{name} is no number"))
        };
        let entries = figure("durable_seq")?.saturating_sub(figure("projection_seq")?);
        Ok(Self { entries, ms: figure("projection_lag_ms")? })
    }
}

/// Waits until the read models have everything; answers with how long that took.
fn lag(customer: &Customer, longest: Duration) -> anyhow::Result<Duration> {
    let started = Instant::now();
    while Behind::now(customer)?.entries > 0 {
        ensure!(started.elapsed() < longest, "the read models do not catch up");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(started.elapsed())
}

/// Processor time of a process since its start, in milliseconds: user and system, in the kernel's ticks of ten milliseconds.
fn cpu_ms(process: u32) -> anyhow::Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold spaces; the fields after it are counted from the third.
    let (_, fields) = stat.rsplit_once(')').context("a line of /proc")?;
    let ticks: Vec<u64> =
        fields.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<u64>().saturating_mul(10))
}

fn fund(installation: &Installation, bulk: u16, customers: &[Customer]) -> anyhow::Result<()> {
    let mut client = Client::connect(loopback(bulk), &installation.key(Key::Operator)?)?;
    let commands = (1_u128..).zip(customers).map(|(serial, customer)| {
        let credit: AccountId = customer.account.parse()?;
        Ok(ledger::Command::Transfer(ledger::Transfer {
            id: EntryId::new((1 << 70) | serial),
            debit: books().reserve,
            credit,
            sizing: ledger::Sizing::Exact(Amount::new(Asset::CNY, OPENING_FEN)),
            effective_at: None,
            reference: None,
            memo: Memo::clip("opening"),
        }))
    });
    let commands: Vec<ledger::Command> = commands.collect::<anyhow::Result<_>>()?;
    client.send_all(CommandId::new(1 << 70), commands).context("funding")
}

fn used(installation: &Installation) -> anyhow::Result<u64> {
    let verified = journal::verify(&installation.folder.join("journal"));
    Ok(verified.map_err(|damage| anyhow::anyhow!("{damage}"))?.bytes)
}
