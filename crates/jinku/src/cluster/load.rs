//! `jinku cluster load`: transfers over the bulk interface of whichever node leads, each acknowledgement written down.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use ledger::{AccountKind, Batch, Command, Memo, Row, Sizing, Transfer};
use money::{AccountId, Amount, Asset, CommandId, EntryId};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::json;

use super::session::Session;
use crate::config::{Installation, Key};
use crate::opening::books;

/// What every account begins with, in fen.
const OPENING_FEN: u128 = 1 << 40;
const ACCOUNTS_FROM: u128 = 1 << 64;
const OPENING_FROM: u128 = 1 << 65;
const ROWS_FROM: u128 = 1 << 67;
/// Longest time without any node before the load gives up: longer than a failover of the database.
const GIVE_UP: Duration = Duration::from_secs(120);

/// How much load, and on whom.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// A node's bulk interface; once for each node.
    #[arg(long, required = true)]
    pub node: Vec<SocketAddr>,
    /// Data folder of any of the nodes, for the operator's token.
    #[arg(long)]
    pub data: PathBuf,
    /// For how long.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// End earlier, when this file is there.
    #[arg(long)]
    pub until: Option<PathBuf>,
    /// Transfers in a request.
    #[arg(long, default_value_t = 1_000)]
    pub rows: u32,
    /// Connections, each with one request under way.
    #[arg(long, default_value_t = 1)]
    pub clients: u64,
    /// Requests that each connection begins in a second; as many as it can when 0.
    #[arg(long, default_value_t = 0)]
    pub rate: u64,
    /// Transfers offered in a second by all connections together, whatever the answers take: each request has a time at which it is due, and its
    /// latency counts from there, so that one that has to wait behind another is not flattered. As many as they can when 0.
    #[arg(long, default_value_t = 0, conflicts_with = "rate")]
    pub offered: u64,
    /// Accounts.
    #[arg(long, default_value_t = 10_000)]
    pub accounts: u64,
    /// The run's number: ids of different runs are different.
    #[arg(long, default_value_t = 0)]
    pub run: u64,
    /// File for a line about each acknowledgement.
    #[arg(long)]
    pub acks: PathBuf,
}

/// What a client has measured.
struct Measured {
    rows: u64,
    latencies: hdrhistogram::Histogram<u64>,
}

/// Runs the load and prints what it measured.
///
/// # Errors
/// No node takes anything for two minutes, or a transfer is refused.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let token = Installation::open(&arguments.data)?.key(Key::Operator)?;
    open_accounts(&mut Session::new(arguments.node.clone(), token), arguments.accounts)?;
    let file = File::options().create(true).append(true).open(&arguments.acks);
    let file = file.with_context(|| format!("open {}", arguments.acks.display()))?;
    let acks = Mutex::new(BufWriter::new(file));
    let begun = Instant::now();
    let measured: Vec<anyhow::Result<Measured>> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..arguments.clients)
            .map(|number| {
                let session = Session::new(arguments.node.clone(), token);
                let acks = &acks;
                scope.spawn(move || client(number, arguments, session, acks, begun))
            })
            .collect();
        let stopped = || Err(anyhow::anyhow!("a client stopped"));
        clients.into_iter().map(|client| client.join().unwrap_or_else(|_| stopped())).collect()
    });
    let elapsed = begun.elapsed();
    acks.lock().map_err(|_| anyhow::anyhow!("a client stopped"))?.flush()?;
    let (mut rows, mut latencies) = (0_u64, histogram()?);
    for one in measured {
        let one = one?;
        rows = rows.saturating_add(one.rows);
        latencies.add(one.latencies)?;
    }
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let line = json!({
        "offered_per_s": arguments.offered,
        "transfers": rows,
        "seconds": elapsed.as_secs(),
        "transfers_per_s": rows.saturating_mul(1000).checked_div(millis),
        "requests": latencies.len(),
        "p50_us": latencies.value_at_quantile(0.5),
        "p99_us": latencies.value_at_quantile(0.99),
        "max_us": latencies.max(),
    });
    println!("{line}");
    Ok(())
}

impl Arguments {
    /// When the requests of a connection are due; empty where each follows the answer to the one before.
    fn due(&self, client: u64, begun: Instant) -> impl Iterator<Item = Instant> + use<> {
        let (rows, clients) = (u64::from(self.rows), self.clients.max(1));
        let between = rows.saturating_mul(1_000_000_000).checked_div(self.offered);
        let ranks = (0_u64..).map(move |request| request.saturating_mul(clients).saturating_add(client));
        ranks.map_while(move |rank| begun.checked_add(Duration::from_nanos(between?.saturating_mul(rank))))
    }
}

fn histogram() -> anyhow::Result<hdrhistogram::Histogram<u64>> {
    Ok(hdrhistogram::Histogram::new(3)?)
}

fn client(
    number: u64,
    arguments: &Arguments,
    mut session: Session,
    acks: &Mutex<BufWriter<File>>,
    begun: Instant,
) -> anyhow::Result<Measured> {
    let mut random = ChaCha8Rng::seed_from_u64(number);
    let mut measured = Measured { rows: 0, latencies: histogram()? };
    let stem = ROWS_FROM | u128::from(arguments.run) << 56 | u128::from(number) << 40;
    let mut serial = 0_u128;
    let pause = Duration::from_secs(1).checked_div(u32::try_from(arguments.rate)?).unwrap_or(Duration::ZERO);
    let mut due = arguments.due(number, begun);
    let is_over = || {
        let asked = arguments.until.as_ref().is_some_and(|file| file.exists());
        asked || begun.elapsed() >= Duration::from_secs(arguments.seconds)
    };
    while !is_over() {
        serial = serial.wrapping_add(1);
        let due = due.next();
        let id = CommandId::new(stem | serial);
        let mut rows = Batch::default();
        for _ in 0..arguments.rows {
            serial = serial.wrapping_add(1);
            let transfer = transfer(stem | serial, &mut random, arguments.accounts);
            rows.push(&Row { is_linked: false, command: Command::Transfer(transfer) })?;
        }
        if let Some(due) = due {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        let sent_at = due.unwrap_or_else(Instant::now);
        let sent = session.send(id, &rows, GIVE_UP)?;
        let latency = sent_at.elapsed();
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        measured.latencies.record(micros.max(1))?;
        measured.rows = measured.rows.saturating_add(rows.len().into());
        let refused = sent.answer.refused.first().map(|refused| refused.words.clone());
        ensure!(refused.is_none(), "a transfer was refused: {}", refused.unwrap_or_default());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let mut acks = acks.lock().map_err(|_| anyhow::anyhow!("a client stopped"))?;
        let (seq, node, attempts) = (sent.answer.seq, sent.node, sent.attempts);
        writeln!(acks, "{now} {:032x} {} {seq} {node} {attempts} {micros}", id.value(), rows.len())?;
        acks.flush()?;
        drop(acks);
        std::thread::sleep(pause.saturating_sub(sent_at.elapsed()));
    }
    Ok(measured)
}

fn account(number: u64) -> AccountId {
    AccountId::new(ACCOUNTS_FROM | u128::from(number))
}

fn transfer(id: u128, random: &mut ChaCha8Rng, accounts: u64) -> Transfer {
    let from = random.next_u64().checked_rem(accounts).unwrap_or(0);
    let step = random.next_u64().checked_rem(accounts.saturating_sub(1)).unwrap_or(0);
    let to = from.saturating_add(step).saturating_add(1).checked_rem(accounts).unwrap_or(0);
    let amount = Amount::new(Asset::CNY, u128::from(random.next_u32() & 0xFFFF).saturating_add(1));
    row(id, account(from), account(to), amount)
}

fn row(id: u128, debit: AccountId, credit: AccountId, amount: Amount) -> Transfer {
    let sizing = Sizing::Exact(amount);
    let (effective_at, reference, memo) = (None, None, Memo::default());
    Transfer { id: EntryId::new(id), debit, credit, sizing, effective_at, reference, memo }
}

/// Opens and funds the accounts; a second run finds them open.
fn open_accounts(session: &mut Session, accounts: u64) -> anyhow::Result<()> {
    let mut request = OPENING_FROM;
    let numbers: Vec<u64> = (0..accounts).collect();
    for some in numbers.chunks(4_000) {
        let mut rows = Batch::default();
        for number in some {
            let id = account(*number);
            let open = Command::open(id, AccountKind::Customer, Asset::CNY);
            rows.push(&Row { is_linked: false, command: open })?;
            let amount = Amount::new(Asset::CNY, OPENING_FEN);
            let fund = row(OPENING_FROM | u128::from(*number), books().reserve, id, amount);
            rows.push(&Row { is_linked: false, command: Command::Transfer(fund) })?;
        }
        let sent = session.send(CommandId::new(request), &rows, GIVE_UP)?;
        let refused = sent.answer.refused.first().map(|refused| refused.words.clone());
        ensure!(refused.is_none(), "opening accounts: {}", refused.unwrap_or_default());
        // Each request is cut into fewer batches than this.
        request = request.wrapping_add(1 << 10);
    }
    Ok(())
}
