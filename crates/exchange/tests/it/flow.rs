//! The usual flow of commands: that it is what it says, and that a warm book takes it without asking for memory.

#![expect(clippy::arithmetic_side_effects, reason = "a test stops at the first surprise")]

use exchange::Price;
use exchange::book::flow::{Flow, MIDDLE, Shape};
use exchange::book::{Book, BookCommand, BookEvent};

/// The commands that fill and warm a book, and those after them.
fn commands(count: usize) -> (Flow, Vec<BookCommand>, Vec<BookCommand>) {
    let mut flow = Flow::new(Shape::usual(3));
    let (mut before, mut after) = (Vec::new(), Vec::new());
    flow.fill(&mut before);
    flow.run(200_000, &mut before);
    flow.take_mix();
    flow.run(count, &mut after);
    (flow, before, after)
}

fn take(book: &mut Book, commands: &[BookCommand], out: &mut Vec<BookEvent>) -> (usize, usize) {
    let (mut fills, mut traded_moves) = (0, 0);
    for command in commands {
        out.clear();
        book.take(*command, out).unwrap();
        let filled = out.iter().filter(|event| matches!(event, BookEvent::Filled { .. })).count();
        fills += filled;
        traded_moves += usize::from(filled != 0 && matches!(command, BookCommand::Move(..)));
    }
    (fills, traded_moves)
}

#[test]
fn a_warm_book_asks_for_no_memory() {
    let (flow, before, after) = commands(100_000);
    let mut book = Book::around(Price::new(MIDDLE));
    let mut out = Vec::with_capacity(4096);
    take(&mut book, &before, &mut out);
    let room = book.room_bytes();
    let counted = allocation_counter::measure(|| {
        take(&mut book, &after, &mut out);
    });
    assert_eq!((counted.count_total, book.room_bytes()), (0, room));
    // The counter counts.
    assert_eq!(allocation_counter::measure(|| drop(Box::new(7))).count_total, 1);
    assert!(&book == flow.book());
}

/// The shares of the recorded runs, within a tenth.
#[test]
fn the_mix_is_that_of_the_recorded_runs() {
    let (mut flow, before, after) = commands(100_000);
    let mix = flow.take_mix();
    let check = |found: u64, per_hundred_thousand: u64| {
        assert!(found.abs_diff(per_hundred_thousand) * 10 <= per_hundred_thousand, "{mix:?}");
    };
    check(mix.limit, 12_800);
    check(mix.immediate, 1_750);
    check(mix.cancel, 7_300);
    check(mix.reduce, 7_300);
    check(mix.moves, 70_900);
    assert!((30..120).contains(&mix.whole), "{mix:?}");
    assert!((950..=1_050).contains(&flow.book().count()));
    let mut book = Book::around(Price::new(MIDDLE));
    take(&mut book, &before, &mut Vec::new());
    let (fills, traded_moves) = take(&mut book, &after, &mut Vec::new());
    assert!((2_000..8_000).contains(&fills), "{fills} fills");
    assert!((80..900).contains(&traded_moves), "{traded_moves} moves that traded");
}

/// Looking ahead changes nothing and fits every command.
#[test]
fn looking_ahead_changes_nothing() {
    let mut flow = Flow::new(Shape {
        orders: 20_000,
        seats: 100,
        reach: 5_000,
        is_even: true,
        window: 512,
        is_grouped: false,
        seed: 4,
    });
    let mut commands = Vec::new();
    flow.fill(&mut commands);
    flow.run(20_000, &mut commands);
    let (mut book, mut out) = (Book::around(Price::new(MIDDLE)), Vec::new());
    for group in commands.chunks(16) {
        book.look_ahead(group);
        take(&mut book, group, &mut out);
    }
    assert!(&book == flow.book());
}
