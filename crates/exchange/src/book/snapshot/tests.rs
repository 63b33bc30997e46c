#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use crate::book::naive::{Commands, Step};
use crate::book::{Book, BookCommand};
use crate::{OrderId, Price};

/// A book in which orders rest and wait, some slots are free, and the band is passed on both sides.
fn book() -> Book {
    let (mut book, mut commands, mut out) = (Book::new(Commands::BAND_FROM), Commands::new(5), Vec::new());
    for _ in 0..3_000 {
        if let Step::Take(command) = commands.step() {
            out.clear();
            let _ = book.take(command, &mut out);
            commands.learn(&out);
        }
    }
    book.set_collecting(true);
    book
}

/// A snapshot with a wrong byte is refused, or is a book that contradicts itself nowhere.
#[test]
fn damage_is_refused_or_harmless() {
    let book = book();
    let counts = (book.count(), book.count_waiting(), book.orders.free.len());
    assert!(book.count() > 10 && book.count_waiting() > 1 && !book.orders.free.is_empty(), "{counts:?}");
    let bytes = minicbor::to_vec(&book).unwrap();
    let (mut refused, mut read) = (0_u32, 0_u32);
    for at in 0..bytes.len() {
        for flip in [1_u8, 0x80] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            match minicbor::decode::<Book>(&damaged) {
                Ok(found) => {
                    assert_eq!(found.broken(), Vec::<String>::new(), "byte {at}");
                    read = read.saturating_add(1);
                }
                Err(_) => refused = refused.saturating_add(1),
            }
        }
        assert!(minicbor::decode::<Book>(&bytes[..at]).is_err());
    }
    assert!(refused > 1_000 && read > 1_000, "{refused} refused, {read} read");
}

/// A slot whose generations are used up is used no more, so that no id ever names two orders.
#[test]
fn a_worn_out_slot_stays_free() {
    let mut book = book();
    let slot = book.resting(crate::Side::Bid).next().unwrap().id.slot();
    book.orders.hot_mut(slot).generation = u32::MAX;
    let mut out = Vec::new();
    let last = OrderId::new(u32::MAX, slot);
    book.take(BookCommand::Cancel(last), &mut out).unwrap();
    assert!(book.order(last).is_none());
    assert!(!book.orders.free.contains(&slot));
    assert_eq!(book.broken(), Vec::<String>::new());
    let again: Book = minicbor::decode(&minicbor::to_vec(&book).unwrap()).unwrap();
    assert!(again == book);
    assert!(book.take(BookCommand::Move(last, Price::new(1)), &mut out).is_err());
}
