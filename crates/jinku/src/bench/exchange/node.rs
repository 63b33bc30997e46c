//! Orders through the whole bank: a process of its own, over the bulk interface, every answer durable.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use anyhow::ensure;
use bank::{Command, Submission};
use identity::Actor;
use money::{CommandId, Text};
use node::{Handle, SystemClock};
use serde_json::json;

use super::super::bank::Bank;
use super::case::{Case, histogram};
use super::floor::{Rows, accounts, opening, seats};
use crate::bulk::Client;
use crate::process::{Scratch, memory};
use crate::serve;

/// Rows in a request.
const BATCH: usize = 256;
/// Requests under way at once.
const UNDER_WAY: usize = 4;
/// Ids of what sets the floor up, and of the requests.
const SETUP_FROM: u128 = 0xF200 << 96;
const REQUESTS_FROM: u128 = 0xF300 << 96;

pub(super) fn durable(count: usize) -> anyhow::Result<Case> {
    let rows = Rows::make(1, count)?;
    let scratch = Scratch::new(None, "bench-exchange")?;
    let bank = Bank::new(scratch.path(), None)?;
    {
        let node = serve::start_node(&bank.installation, Arc::new(SystemClock))?;
        set_up(&node.handle(), &rows)?;
    }
    let (process, token) = (bank.start()?, bank.token()?);
    let mut client = Client::connect(bank.bulk, &token)?;
    let mut ids = (0_u128..).map(|number| CommandId::new(REQUESTS_FROM | (number << 16)));
    for (rows, id) in rows.before.chunks(BATCH).zip(&mut ids) {
        let answer = client.order(id, rows)?;
        ensure!(answer.problem.is_none() && answer.refused.is_empty(), "{answer:?}");
    }
    let mut latencies = histogram()?;
    let mut under_way: VecDeque<(Instant, usize)> = VecDeque::new();
    let started = Instant::now();
    let mut fills = 0_u64;
    let mut finish =
        |client: &mut Client, under_way: &mut VecDeque<(Instant, usize)>| -> anyhow::Result<()> {
            let answer = client.finish_orders()?;
            ensure!(answer.problem.is_none() && answer.refused.is_empty(), "{answer:?}");
            fills = fills.saturating_add(u64::from(answer.fills));
            if let Some((sent, rows)) = under_way.pop_front() {
                let nanos = u64::try_from(sent.elapsed().as_nanos()).unwrap_or(u64::MAX);
                latencies.record_n(nanos, u64::try_from(rows)?)?;
            }
            Ok(())
        };
    for (rows, id) in rows.timed.chunks(BATCH).zip(&mut ids) {
        if under_way.len() >= UNDER_WAY {
            finish(&mut client, &mut under_way)?;
        }
        under_way.push_back((Instant::now(), rows.len()));
        client.begin_orders(id, rows)?;
    }
    while !under_way.is_empty() {
        finish(&mut client, &mut under_way)?;
    }
    let elapsed = started.elapsed();
    let (_, peak) = memory(process.id())?;
    drop(process);
    let more = vec![
        ("batch", json!(BATCH)),
        ("under_way", json!(UNDER_WAY)),
        ("fills", json!(fills)),
        ("peak_mib", json!(peak.div_euclid(1024 * 1024))),
    ];
    let items = u64::try_from(rows.timed.len())?;
    Ok(Case {
        name: "through the node, durable",
        items,
        runs: vec![elapsed],
        latencies: Some(latencies),
        more,
    })
}

/// Accounts, market and seats, before the bank is opened to anybody.
fn set_up(handle: &Handle, rows: &Rows) -> anyhow::Result<()> {
    let mut serial = SETUP_FROM;
    let mut give = |by: &str, command: Command| -> anyhow::Result<()> {
        serial = serial.saturating_add(1);
        let actor = Actor::Operator(Text::clip(by));
        handle.submit(Submission { id: CommandId::new(serial), actor, command })?;
        Ok(())
    };
    for command in accounts(rows.seats)? {
        give("bulk", Command::Ledger(command))?;
    }
    give("one", Command::Exchange(opening()?))?;
    give("other", Command::Exchange(exchange::Command::Approve { proposal: 1 }))?;
    for command in seats(rows.seats) {
        give("bulk", Command::Exchange(command))?;
    }
    Ok(())
}
