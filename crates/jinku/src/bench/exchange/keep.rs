//! Coming back: the book made again from its events, and from a snapshot.

use std::time::Instant;

use anyhow::Context as _;
use exchange::Price;
use exchange::book::flow::{MIDDLE, Shape};
use exchange::book::{Book, BookEvent, binary};
use serde_json::json;

use super::book::Commands;
use super::case::{Case, per_second};

/// Events of the usual flow, read from the bytes that a journal keeps and applied.
pub(super) fn replay(count: usize) -> anyhow::Result<Case> {
    let commands = Commands::make(Shape::usual(1), false, count);
    let mut out = Vec::new();
    let mut live = commands.book(&mut out)?;
    let mut follower = live.clone();
    let (mut bytes, mut events) = (Vec::new(), 0_u64);
    let start = Instant::now();
    // One byte string for each thousand commands, as for a group of the journal.
    let mut ends = Vec::new();
    for group in commands.timed.chunks(1_000) {
        out.clear();
        for command in group {
            live.take(*command, &mut out)?;
        }
        events = events.saturating_add(out.len() as u64);
        binary::write(&out, &mut bytes);
        ends.push(bytes.len());
    }
    let written = start.elapsed();
    let start = Instant::now();
    let mut from = 0;
    for end in ends {
        out.clear();
        binary::read(bytes.get(from..end).unwrap_or_default(), &mut out)?;
        for event in &out {
            follower.apply(event);
        }
        from = end;
    }
    let elapsed = start.elapsed();
    anyhow::ensure!(follower == live, "the book that was replayed is another one");
    let items = u64::try_from(count)?;
    let more = vec![
        ("events", json!(events)),
        ("events_per_second", json!(per_second(events, elapsed))),
        ("bytes_per_command", super::case::ratio(u64::try_from(bytes.len())?, items)),
        ("per_second_taking_and_writing", json!(per_second(items, written))),
    ];
    Ok(Case {
        name: "replay from the bytes of its events",
        items,
        runs: vec![elapsed],
        latencies: None,
        more,
    })
}

/// A snapshot of a million orders, and commands after it that must give the same events.
pub(super) fn snapshot() -> anyhow::Result<Case> {
    let commands = Commands::make(Shape::deep(1), false, 100_000);
    let mut out = Vec::new();
    let mut book = commands.book(&mut out)?;
    let start = Instant::now();
    let bytes = minicbor::to_vec(&book)?;
    let encoded = start.elapsed();
    let mut again: Book = minicbor::decode(&bytes).context("the snapshot")?;
    let elapsed = start.elapsed();
    anyhow::ensure!(again == book, "the book that was read is another one");
    let mut others: Vec<BookEvent> = Vec::new();
    for command in &commands.timed {
        out.clear();
        others.clear();
        anyhow::ensure!(book.take(*command, &mut out) == again.take(*command, &mut others), "other results");
        anyhow::ensure!(out == others, "other events");
    }
    let orders = u64::from(book.count());
    let empty = minicbor::to_vec(Book::around(Price::new(MIDDLE)))?;
    let more = vec![
        ("ms", json!(elapsed.as_millis())),
        ("encode_ms", json!(encoded.as_millis())),
        ("decode_ms", json!(elapsed.saturating_sub(encoded).as_millis())),
        ("bytes", json!(bytes.len())),
        ("bytes_empty", json!(empty.len())),
        ("commands_equal_afterwards", json!(commands.timed.len())),
    ];
    Ok(Case { name: "snapshot, written and read", items: orders, runs: vec![elapsed], latencies: None, more })
}
