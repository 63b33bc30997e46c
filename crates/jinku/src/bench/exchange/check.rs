//! `--check`: the book against the naive one, under random commands of every kind.

use exchange::book::naive::{Commands, NaiveBook, Step};
use exchange::book::{Book, BookEvent, BookRefusal};
use exchange::{OrderId, Side};
use serde_json::json;

pub(super) fn run(steps: u64, as_json: bool) -> anyhow::Result<()> {
    let (mut book, mut naive) = (Book::new(Commands::BAND_FROM), NaiveBook::default());
    let mut follower = book.clone();
    let (mut commands, mut out) = (Commands::new(steps), Vec::new());
    let (mut events, mut refused) = (0_u64, 0_u64);
    for number in 0..steps {
        let next = commands.step();
        if let Step::Uncross { reference } = next {
            let expected = naive.auction(reference.ticks());
            anyhow::ensure!(book.auction_price(reference) == expected, "step {number}: another auction");
        }
        out.clear();
        let result = take(&mut book, next, &mut out);
        let (expected, followed) = naive.step(next);
        anyhow::ensure!(result == expected, "step {number}: {next:?}: {result:?}, expected {expected:?}");
        anyhow::ensure!(out == followed, "step {number}: {next:?}: {out:?}, expected {followed:?}");
        events = events.saturating_add(out.len() as u64);
        refused = refused.saturating_add(u64::from(result.is_err()));
        commands.learn(&out);
        out.iter().for_each(|event| follower.apply(event));
        follower.set_collecting(book.is_collecting());
        if number.trailing_zeros() >= 16 {
            let faults = book.broken();
            anyhow::ensure!(faults.is_empty(), "step {number}: {faults:?}");
            anyhow::ensure!(book == follower, "step {number}: events do not give the same book");
        }
    }
    let faults = book.broken();
    anyhow::ensure!(faults.is_empty(), "at the end: {faults:?}");
    anyhow::ensure!(book == follower, "events do not give the same book");
    let standing = |side, standing| naive.standing(side, standing).into_iter().map(|(id, ..)| id);
    for side in [Side::Bid, Side::Ask] {
        let rests = standing(side, exchange::book::Standing::Rests);
        anyhow::ensure!(book.resting(side).map(|order| order.id).eq(rests), "other orders rest");
        let waits = standing(side, exchange::book::Standing::Waits);
        anyhow::ensure!(book.waiting(side).map(|order| order.id).eq(waits), "other orders wait");
    }
    if as_json {
        println!("{}", json!({ "steps": steps, "events": events, "refused": refused, "differences": 0 }));
    } else {
        println!("{steps} steps, {events} events, {refused} refusals: no difference");
    }
    Ok(())
}

fn take(book: &mut Book, step: Step, out: &mut Vec<BookEvent>) -> Result<OrderId, BookRefusal> {
    match step {
        Step::Take(command) => return book.take(command, out),
        Step::EndSeat(seat) => {
            book.end_seat(seat, out);
        }
        Step::Collect => book.set_collecting(true),
        Step::Uncross { reference } => {
            if let Some(auction) = book.auction_price(reference) {
                book.uncross(auction.price, out);
            }
            book.set_collecting(false);
        }
    }
    Ok(OrderId::from_number(0))
}
