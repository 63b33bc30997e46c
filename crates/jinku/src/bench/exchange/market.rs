//! The market with everything that money asks for: seats, bands, reservation, fees, self-trade prevention, and an entry of the ledger for each fill.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use exchange::market::Owner;
use exchange::row::{OrderBatch, OrderRow};
use exchange::{Caller, Command, Exchange, OnLedger};
use hdrhistogram::Histogram;
use ledger::Ledger;
use money::{Text, Timestamp};
use serde_json::json;

use super::case::{Case, histogram, per_second};
use super::floor::{Rows, accounts, opening, seats};

/// Rows taken together, as they come through the node.
const BATCH: usize = 512;
const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

/// A market and its books.
struct Floor {
    exchange: Exchange,
    ledger: Ledger,
}

fn bank(operator: Option<&str>) -> Caller {
    Caller { operator: operator.map(Text::clip), owner: Owner::Bank }
}

impl Floor {
    fn open(rows: &Rows) -> anyhow::Result<Self> {
        let mut floor = Self { exchange: Exchange::default(), ledger: Ledger::default() };
        for command in accounts(rows.seats)? {
            let event = floor.ledger.decide(&command, NOW)?;
            floor.ledger.apply(&event, NOW);
        }
        floor.give(&opening()?, &bank(Some("one")))?;
        floor.give(&Command::Approve { proposal: 1 }, &bank(Some("other")))?;
        for command in seats(rows.seats) {
            floor.give(&command, &bank(None))?;
        }
        for batch in batches(&rows.before, BATCH)? {
            floor.give(&batch, &bank(None))?;
        }
        Ok(floor)
    }

    fn give(&mut self, command: &Command, caller: &Caller) -> anyhow::Result<exchange::Taken> {
        let mut funds = OnLedger::new(&mut self.ledger, NOW);
        let taken = self.exchange.take(command, caller, NOW, &mut funds)?;
        match taken.refusals.first() {
            Some(refusal) => anyhow::bail!("an order was refused: {refusal}"),
            None => Ok(taken),
        }
    }
}

fn batches(rows: &[OrderRow], size: usize) -> anyhow::Result<Vec<Command>> {
    rows.chunks(size).map(|rows| Ok(Command::Orders(OrderBatch::of(rows)?))).collect()
}

pub(super) fn settled(count: usize, runs: u32) -> anyhow::Result<Case> {
    let rows = Rows::make(1, count)?;
    let commands = batches(&rows.timed, BATCH)?;
    let mut times = Vec::new();
    let mut fills = 0_u64;
    for _ in 0..runs {
        let mut floor = Floor::open(&rows)?;
        let start = Instant::now();
        fills = 0;
        for command in &commands {
            fills =
                fills.saturating_add(u64::try_from(floor.give(command, &bank(None))?.outcome.fills.len())?);
        }
        times.push(start.elapsed());
        let broken: Vec<String> =
            floor.exchange.broken_invariants().into_iter().chain(floor.ledger.broken_invariants()).collect();
        ensure!(broken.is_empty(), "{broken:?}");
    }
    let latencies = latencies(&rows)?;
    let replayed = replay(&rows, &commands)?;
    let items = u64::try_from(rows.timed.len())?;
    let more = vec![
        ("batch", json!(BATCH)),
        ("fills", json!(fills)),
        ("replay_per_second", json!(per_second(items, replayed))),
    ];
    Ok(Case { name: "with funds, fees and ledger", items, runs: times, latencies: Some(latencies), more })
}

/// The time of each command by itself.
fn latencies(rows: &Rows) -> anyhow::Result<Histogram<u64>> {
    let mut floor = Floor::open(rows)?;
    let mut found = histogram()?;
    for command in batches(&rows.timed, 1)? {
        let start = Instant::now();
        floor.give(&command, &bank(None))?;
        found.record(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX))?;
    }
    Ok(found)
}

/// The same from what the journal keeps, on books of its own.
fn replay(rows: &Rows, commands: &[Command]) -> anyhow::Result<Duration> {
    let mut live = Floor::open(rows)?;
    let mut follower = Floor { exchange: live.exchange.clone(), ledger: live.ledger.clone() };
    let mut kept = Vec::with_capacity(commands.len());
    for command in commands {
        kept.push(minicbor::to_vec(&live.give(command, &bank(None))?.outcome)?);
    }
    let start = Instant::now();
    for bytes in &kept {
        let outcome = minicbor::decode(bytes).context("an outcome")?;
        follower.exchange.replay(&outcome, NOW, &mut OnLedger::new(&mut follower.ledger, NOW));
    }
    let elapsed = start.elapsed();
    let same = minicbor::to_vec(&live.exchange)? == minicbor::to_vec(&follower.exchange)?;
    ensure!(same, "the market that was replayed is another one");
    Ok(elapsed)
}
