//! The book against the naive one, in every event; and what must hold of every book, command by command.

#![allow(clippy::arithmetic_side_effects, reason = "a test stops at the first surprise")]

use exchange::book::naive::{Commands, NaiveBook, Step};
use exchange::book::{Book, BookEvent, Standing, Terms};
use exchange::{OrderId, Side};

fn step(
    book: &mut Book,
    step: Step,
    out: &mut Vec<BookEvent>,
) -> Result<OrderId, exchange::book::BookRefusal> {
    let none = Ok(OrderId::from_number(0));
    match step {
        Step::Take(command) => return book.take(command, out),
        Step::EndSeat(seat) => drop(book.end_seat(seat, out)),
        Step::Collect => book.set_collecting(true),
        Step::Uncross { reference } => {
            if let Some(auction) = book.auction_price(reference) {
                book.uncross(auction.price, out);
            }
            book.set_collecting(false);
        }
    }
    none
}

/// Does again what events say.
fn follow(book: &mut Book, step: Step, events: &[BookEvent]) {
    events.iter().for_each(|event| book.apply(event));
    match step {
        Step::Collect => book.set_collecting(true),
        Step::Uncross { .. } => book.set_collecting(false),
        Step::Take(_) | Step::EndSeat(_) => {}
    }
}

fn same_orders(book: &Book, naive: &NaiveBook) {
    for side in [Side::Bid, Side::Ask] {
        let resting: Vec<_> = book.resting(side).collect();
        let waiting: Vec<_> = book.waiting(side).collect();
        for (orders, standing) in [(resting, Standing::Rests), (waiting, Standing::Waits)] {
            let ours: Vec<_> = orders
                .iter()
                .map(|order| {
                    let limit = if let Terms::Limit(price) = order.terms { price.ticks() } else { 0 };
                    assert_eq!(order.standing, standing);
                    (order.id, limit, order.trigger, order.left.lots(), order.showing.lots())
                })
                .collect();
            assert_eq!(ours, naive.standing(side, standing));
        }
    }
}

fn agree(seed: u64, count: u32) {
    let (mut book, mut naive) = (Book::new(Commands::BAND_FROM), NaiveBook::default());
    let mut follower = book.clone();
    let (mut commands, mut out) = (Commands::new(seed), Vec::new());
    let mut kinds = [0_u32; 10];
    for number in 0..count {
        let next = commands.step();
        if let Step::Uncross { reference } = next {
            assert_eq!(book.auction_price(reference), naive.auction(reference.ticks()));
        }
        out.clear();
        let result = step(&mut book, next, &mut out);
        let (expected, events) = naive.step(next);
        assert_eq!(result, expected, "seed {seed}, step {number}: {next:?}");
        assert_eq!(out, events, "seed {seed}, step {number}: {next:?}");
        assert!(result.is_ok() || out.is_empty());
        follow(&mut follower, next, &out);
        commands.learn(&out);
        out.iter().for_each(|event| kinds[kind(event)] += 1);
        if number % 64 == 0 {
            same_orders(&book, &naive);
            assert!(book == follower, "seed {seed}, step {number}");
        }
        if number % 512 == 0 {
            assert_eq!(book.broken(), Vec::<String>::new(), "seed {seed}, step {number}: {next:?}");
        }
        if number % 2048 == 0 {
            let bytes = minicbor::to_vec(&book).unwrap();
            let again: Book = minicbor::decode(&bytes).unwrap();
            assert!(again == book, "seed {seed}, step {number}");
            assert_eq!(minicbor::to_vec(&again).unwrap(), bytes);
            // From here on the book that was read goes on.
            book = again;
        }
    }
    assert!(count < 20_000 || kinds.iter().all(|count| *count > 20), "kinds of events: {kinds:?}");
}

fn kind(event: &BookEvent) -> usize {
    match event {
        BookEvent::Entered { .. } => 0,
        BookEvent::Waits { .. } => 1,
        BookEvent::Triggered { .. } => 2,
        BookEvent::Filled { .. } => 3,
        BookEvent::Uncrossed { .. } => 4,
        BookEvent::Rested { .. } => 5,
        BookEvent::Refreshed { .. } => 6,
        BookEvent::Reduced { .. } => 7,
        BookEvent::Moved { .. } => 8,
        BookEvent::Ended { .. } => 9,
    }
}

/// `JINKU_BOOK_COMMANDS` says how many; a release build does ten million in a minute.
#[expect(clippy::disallowed_methods, reason = "how long a test runs is the shell's to say")]
#[test]
fn the_book_agrees_with_the_naive_one() {
    let count = std::env::var("JINKU_BOOK_COMMANDS").map_or(200_000, |count| count.parse().unwrap());
    agree(1, count / 2);
    for seed in 2..12 {
        agree(seed, count / 20);
    }
}

#[test]
fn self_trade_never_and_never_crossed() {
    let (mut book, mut commands, mut out) =
        (Book::new(Commands::BAND_FROM), Commands::new(77), Vec::<BookEvent>::new());
    let mut groups = std::collections::BTreeMap::new();
    let mut fills = 0;
    for _ in 0..50_000 {
        out.clear();
        let _ = step(&mut book, commands.step(), &mut out);
        commands.learn(&out);
        for event in &out {
            let pair = match *event {
                BookEvent::Entered { id, order } => {
                    groups.insert(id, order.group);
                    continue;
                }
                BookEvent::Filled { taker, maker, .. } => (taker, maker),
                BookEvent::Uncrossed { bid, ask, .. } => (bid, ask),
                _ => continue,
            };
            fills += 1;
            let (one, other) = (groups[&pair.0], groups[&pair.1]);
            assert!(one != other || one.number() == 0, "{event:?}");
        }
        if let (false, Some(bid), Some(ask)) =
            (book.is_collecting(), book.best(Side::Bid), book.best(Side::Ask))
        {
            assert!(bid.price < ask.price);
        }
    }
    assert!(fills > 1_000);
}
