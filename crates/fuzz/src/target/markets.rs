//! Orders as clients send them, what the journal and snapshots keep of markets, and what sources of prices say.

use bank::{Bank, Event, JournalEntry};
use exchange::book::Terms;
use exchange::row::{Ask, OrderBatch, OrderRow, PlaceRow};
use exchange::{Exchange, MarketNumber, OrderId, Outcome, Price, Quantity, Seat, Side};
use money::Timestamp;

use super::{Answer, Target, no_mending};

fn rows() -> Vec<OrderRow> {
    let place = PlaceRow::limit(Side::Bid, Price::new(50_000), Quantity::new(3));
    let full = PlaceRow {
        side: Side::Ask,
        shown: Quantity::new(1),
        trigger: Some(Price::new(49_900)),
        until: Some(Timestamp::from_ms(9)),
        client: 7,
        ..place
    };
    let budget = PlaceRow { terms: Terms::Budget { ticks_lots: 900, worst: Price::new(50_500) }, ..place };
    let whole = PlaceRow { terms: Terms::WholeFor { ticks_lots: 900 }, ..place };
    let order = OrderId::new(2, 5);
    let asks = [
        Ask::Place(place),
        Ask::Place(full),
        Ask::Place(budget),
        Ask::Place(whole),
        Ask::Cancel(order),
        Ask::Reduce(order, Quantity::new(2)),
        Ask::Move(order, Price::new(50_010)),
        Ask::CancelAll,
    ];
    asks.into_iter().map(|ask| OrderRow { market: MarketNumber::new(1), seat: Seat::new(3), ask }).collect()
}

fn written(rows: &[OrderRow]) -> Vec<u8> {
    let mut bytes = Vec::new();
    rows.iter().for_each(|row| row.write(&mut bytes));
    bytes
}

/// Rows about orders: one form for one meaning, since what is hashed must not have two spellings.
pub(super) fn orders() -> Target {
    Target {
        name: "orders",
        what: "rows about orders, of the bulk interface and of the journal",
        seeds: || {
            let rows = rows();
            let each = rows.iter().map(|row| written(std::slice::from_ref(row)));
            std::iter::once(written(&rows)).chain(each).collect()
        },
        mend: no_mending,
        check: |input| {
            let batch = match OrderBatch::from_bytes(input.to_vec()) {
                Ok(batch) => batch,
                Err(error) => return Ok(Answer::refused(error)),
            };
            let rows: Vec<OrderRow> = batch.rows().collect();
            if u32::try_from(rows.len()).ok() != Some(batch.len()) {
                return Err(format!("{} rows are counted and {} are given", batch.len(), rows.len()));
            }
            if written(&rows) != input {
                return Err("rows have another form once they are written again".to_owned());
            }
            Ok(Answer::taken(format!("{} rows", rows.len().min(9))))
        },
        bytes_base: 1 << 20,
        bytes_per_byte: 256,
    }
}

/// The markets of a simulated run, as a snapshot has them half-way and at the end, and what became of its commands.
fn of_a_run() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let options = sim::Options { seed: 1, steps: 60, ..sim::Options::default() };
    let records = sim::floor_records(&options).unwrap_or_default();
    let half = records.len() / 2;
    let (mut bank, mut markets, mut outcomes) = (Bank::default(), Vec::new(), Vec::new());
    for (seq, bytes) in (1_u64..).zip(&records) {
        let Ok(entry) = JournalEntry::from_bytes(bytes) else { continue };
        bank.apply(seq, &entry);
        let is_looked_at = usize::try_from(seq).is_ok_and(|seq| seq == half || seq == records.len());
        markets.extend(is_looked_at.then(|| minicbor::to_vec(bank.exchange()).unwrap_or_default()));
        for event in &entry.events {
            if let Event::Exchange(outcome) = event {
                outcomes.extend(minicbor::to_vec(outcome).ok());
            }
        }
    }
    (markets, outcomes)
}

/// What the journal keeps of a command on markets.
pub(super) fn outcome() -> Target {
    Target {
        name: "outcome",
        what: "what the journal keeps of a command on markets",
        seeds: || of_a_run().1,
        mend: no_mending,
        check: |input| {
            let read: Outcome = match minicbor::decode(input) {
                Ok(read) => read,
                Err(error) => return Ok(Answer::refused(error)),
            };
            let again = minicbor::to_vec(&read).map_err(|error| error.to_string())?;
            match minicbor::decode::<Outcome>(&again) {
                Ok(same) if same == read => Ok(Answer::taken(format!("{} events", read.events.len().min(9)))),
                other => Err(format!("{read:?} is read again as {other:?}")),
            }
        },
        bytes_base: 1 << 20,
        bytes_per_byte: 512,
    }
}

/// All markets, as a snapshot has them: refused, or to be looked at without a panic.
pub(super) fn exchange() -> Target {
    Target {
        name: "exchange",
        what: "all markets, as a snapshot has them",
        seeds: || of_a_run().0,
        mend: no_mending,
        check: |input| {
            let read: Exchange = match minicbor::decode(input) {
                Ok(read) => read,
                Err(error) => return Ok(Answer::refused(error)),
            };
            let broken = read.broken_invariants();
            let _ = (read.reserved(), read.next_due());
            let again = minicbor::to_vec(&read).map_err(|error| error.to_string())?;
            let same: Exchange = minicbor::decode(&again)
                .map_err(|error| format!("what was read cannot be read again: {error}"))?;
            if same.broken_invariants() != broken {
                return Err("markets that are read again are broken otherwise".to_owned());
            }
            Ok(Answer::taken(if broken.is_empty() { "whole" } else { "seen to be broken" }))
        },
        // Each book has its ladders, whatever is in it.
        bytes_base: 64 << 20,
        bytes_per_byte: 4096,
    }
}

/// What a source of prices says.
pub(super) fn prices() -> Target {
    Target {
        name: "prices",
        what: "messages of sources of prices",
        seeds: || {
            let quote = r#"{"type":"quote","source":"a","pair":"BTC/CNY","bid":"511897.40","ask":"512102.60","at_ms":1795651200250}"#;
            let hello = r#"{"type":"hello","source":"a","pairs":["BTC/CNY"]}"#;
            vec![quote.as_bytes().to_vec(), hello.as_bytes().to_vec()]
        },
        mend: no_mending,
        check: |input| {
            let Ok(text) = std::str::from_utf8(input) else { return Ok(Answer::refused("no text")) };
            match feeds::wire::read(text) {
                Ok(heard) => Ok(Answer::taken(format!("{heard:?}").chars().take(5).collect::<String>())),
                Err(error) => Ok(Answer::refused(error)),
            }
        },
        bytes_base: 1 << 20,
        bytes_per_byte: 256,
    }
}
