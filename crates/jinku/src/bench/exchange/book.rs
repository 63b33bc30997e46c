//! The book alone: a flow of commands through [`Book::take`], one thread.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use exchange::book::flow::{Flow, MIDDLE, Mix, Shape};
use exchange::book::{Book, BookCommand, BookEvent};
use exchange::{Price, Side};
use hdrhistogram::Histogram;
use serde_json::{Value, json};

use super::case::{Case, histogram, ratio};

/// Commands that a book looks ahead at once, where it does.
const GROUP: usize = 16;
/// Room for what follows from one command: no single one of these flows has more.
const EVENTS: usize = 1 << 16;

/// Commands that are ready to be timed.
#[derive(Debug)]
pub(super) struct Commands {
    /// They fill the book and warm it up.
    before: Vec<BookCommand>,
    pub(super) timed: Vec<BookCommand>,
    mix: Mix,
    orders: u32,
    prices: u32,
}

impl Commands {
    /// Makes them; `is_far` puts an order far outside the band on each side.
    pub(super) fn make(shape: Shape, is_far: bool, count: usize) -> Self {
        let mut flow = Flow::new(shape);
        let (mut before, mut timed) = (Vec::new(), Vec::with_capacity(count));
        flow.fill(&mut before);
        if is_far {
            flow.go_far(&mut before);
        }
        flow.run(shape.orders.max(200_000), &mut before);
        flow.take_mix();
        flow.run(count, &mut timed);
        let mix = flow.take_mix();
        let book = flow.book();
        let prices = book.prices(Side::Bid).saturating_add(book.prices(Side::Ask));
        Self { before, timed, mix, orders: book.count(), prices }
    }

    /// A book that is filled and warm.
    pub(super) fn book(&self, out: &mut Vec<BookEvent>) -> anyhow::Result<Book> {
        let mut book = Book::around(Price::new(MIDDLE));
        for command in &self.before {
            out.clear();
            book.take(*command, out).context("a command that fills the book")?;
        }
        Ok(book)
    }

    fn shares(&self) -> Value {
        let Mix { limit, immediate, whole, cancel, reduce, moves } = self.mix;
        let all = u64::try_from(self.timed.len()).unwrap_or(1);
        json!({
            "limit": ratio(limit, all),
            "immediate_or_cancel": ratio(immediate, all),
            "whole_for_budget": ratio(whole, all),
            "cancel": ratio(cancel, all),
            "reduce": ratio(reduce, all),
            "move": ratio(moves, all),
        })
    }
}

pub(super) fn alone(count: usize, runs: u32) -> anyhow::Result<Case> {
    measure("book alone", &Commands::make(Shape::usual(1), false, count), runs, false)
}

pub(super) fn far(count: usize, runs: u32) -> anyhow::Result<Case> {
    measure("one price far outside the band", &Commands::make(Shape::usual(1), true, count), runs, false)
}

/// A large book whose commands are about some of its orders; who has the next commands at hand, as batches do, looks ahead.
pub(super) fn deep(count: usize, runs: u32) -> anyhow::Result<Case> {
    measure("deep book", &Commands::make(Shape::deep(1), false, count), runs, true)
}

/// A large book whose commands are about any of its orders, where who has the next commands at hand looks ahead.
pub(super) fn deep_any(count: usize, runs: u32) -> anyhow::Result<Case> {
    measure("deep book, any of its orders", &Commands::make(Shape::deep_any(1), false, count), runs, true)
}

fn measure(name: &'static str, commands: &Commands, runs: u32, looks_ahead: bool) -> anyhow::Result<Case> {
    let mut out = Vec::with_capacity(EVENTS);
    let mut times = Vec::new();
    let mut singly = Vec::new();
    for _ in 0..runs {
        if looks_ahead {
            singly.push(run(commands, &mut out, None)?.elapsed);
        }
        times.push(run(commands, &mut out, looks_ahead.then_some(GROUP))?.elapsed);
    }
    let counted = run(commands, &mut out, looks_ahead.then_some(GROUP))?;
    let (latencies, clock_ns) = latencies(commands, &mut out)?;
    let items = u64::try_from(commands.timed.len())?;
    let mut more = vec![
        ("clock_ns", json!(clock_ns)),
        ("allocations", json!(counted.grown)),
        ("allocations_per_command", ratio(counted.grown, items)),
        ("events", json!(counted.events)),
        ("orders", json!(commands.orders)),
        ("prices", json!(commands.prices)),
        ("shares", commands.shares()),
    ];
    if looks_ahead {
        singly.sort();
        let median = singly.get(singly.len() / 2).copied().unwrap_or_default();
        more.insert(0, ("per_second_not_looking_ahead", json!(super::case::per_second(items, median))));
    }
    Ok(Case { name, items, runs: times, latencies: Some(latencies), more })
}

/// What a run without a clock found.
struct Run {
    elapsed: Duration,
    events: u64,
    /// Lists of the book, and of its events, that had to grow.
    grown: u64,
}

/// Takes all commands, looking ahead at `group` of them at a time.
fn run(commands: &Commands, out: &mut Vec<BookEvent>, group: Option<usize>) -> anyhow::Result<Run> {
    let mut book = commands.book(out)?;
    let room = |book: &Book, out: &Vec<BookEvent>| (book.room_bytes(), out.capacity());
    let (mut events, mut grown, mut refused) = (0_u64, 0_u64, 0_u64);
    let mut elapsed = Duration::ZERO;
    // Rooms are looked at between stretches of commands, outside the time.
    for stretch in commands.timed.chunks(1 << 14) {
        let before = room(&book, out);
        let start = Instant::now();
        for group_of in stretch.chunks(group.unwrap_or(usize::MAX)) {
            if group.is_some() {
                book.look_ahead(group_of);
            }
            for command in group_of {
                out.clear();
                let result = book.take(*command, out);
                refused = refused.wrapping_add(u64::from(result.is_err()));
                events = events.wrapping_add(out.len() as u64);
            }
        }
        elapsed = elapsed.saturating_add(start.elapsed());
        grown = grown.saturating_add(u64::from(room(&book, out) != before));
    }
    anyhow::ensure!(refused == 0, "{refused} commands were refused");
    Ok(Run { elapsed, events, grown })
}

/// The time of each command by itself, with one reading of the clock in it, and how long such a reading takes.
fn latencies(commands: &Commands, out: &mut Vec<BookEvent>) -> anyhow::Result<(Histogram<u64>, u64)> {
    let mut book = commands.book(out)?;
    let (mut found, mut clock) = (histogram()?, histogram()?);
    let nanos = |from: Instant| u64::try_from(from.elapsed().as_nanos()).unwrap_or(u64::MAX);
    for command in &commands.timed {
        out.clear();
        let start = Instant::now();
        let result = book.take(*command, out);
        let taken = nanos(start);
        anyhow::ensure!(result.is_ok(), "a command was refused");
        found.record(taken)?;
    }
    for _ in 0..100_000 {
        let start = Instant::now();
        clock.record(nanos(start))?;
    }
    Ok((found, clock.value_at_quantile(0.5)))
}
