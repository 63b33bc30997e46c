//! Commands as lines of text and what follows from them, in the form in which exchange-core's own runs were written down, so that books can be compared.
//!
//! ```text
//! C,command,side,type,uid,order,price,size,reserve,R,result
//! E,kind,maker,maker's uid,price,size,taker is done,maker is done
//! A,price,size,orders
//! B,price,size,orders
//! ```
//!
//! A `C` line is a command with its result, the `E` lines after it are what followed, and `A` and `B` at the end are the book, best first. Read are
//! the `C` lines up to `reserve`; everything else is passed over, but for lines that begin with `#`, which are handed on. Of exchange-core's rules
//! that our book has not, three are here: orders have numbers of their owners' choice, a bid may not be moved above its reserve, and what did not
//! fill is told (`REJECT`) before what did. It opens no file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::book::{
    Book, BookCommand, BookEvent, BookRefusal, EndReason, InForce, NewOrder, SelfTrade, Terms,
};
use crate::{OrderId, Price, Quantity, Seat, Side, StpGroup};

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct TranscriptFault {
    /// Which, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

/// An order as the file knows it.
#[derive(Debug, Clone, Copy, Default)]
struct Named {
    number: u64,
    uid: u64,
    reserve: u64,
    /// Where it rests.
    price: u64,
}

/// The fields of a command.
#[derive(Debug, Clone, Copy)]
struct Fields<'a> {
    command: &'a str,
    side: &'a str,
    kind: &'a str,
    uid: u64,
    number: u64,
    price: u64,
    size: u64,
    reserve: u64,
}

/// A book under the commands of a file.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    book: Option<Book>,
    numbers: BTreeMap<u64, OrderId>,
    seats: BTreeMap<u64, Seat>,
    /// By slot.
    names: Vec<Named>,
    events: Vec<BookEvent>,
    lines: usize,
}

impl Transcript {
    /// Takes one line and writes what follows.
    ///
    /// # Errors
    /// The line is a command and cannot be read.
    pub fn line(&mut self, line: &str, out: &mut String) -> Result<(), TranscriptFault> {
        self.lines = self.lines.saturating_add(1);
        if line.starts_with('#') {
            let _ = writeln!(out, "{line}");
        }
        if line.starts_with("C,") {
            let fault = |what| TranscriptFault { line: self.lines, what };
            let fields = Fields::read(line).map_err(fault)?;
            let result = self.command(&fields).map_err(|what| TranscriptFault { line: self.lines, what })?;
            self.write(&fields, result, out);
        }
        Ok(())
    }

    /// The book.
    #[must_use]
    pub const fn book(&self) -> Option<&Book> {
        self.book.as_ref()
    }

    /// Writes the book as it is.
    pub fn finish(&self, out: &mut String) {
        for (side, name) in [(Side::Ask, 'A'), (Side::Bid, 'B')] {
            for level in self.book.iter().flat_map(|book| book.depth(side)) {
                let (price, shown, count) = (level.price.ticks(), level.shown.lots(), level.count);
                let _ = writeln!(out, "{name},{price},{shown},{count}");
            }
        }
    }

    /// Does a command; says its result in exchange-core's words.
    fn command(&mut self, fields: &Fields<'_>) -> Result<&'static str, &'static str> {
        self.events.clear();
        let book = self.book.get_or_insert_with(|| Book::around(Price::new(fields.price)));
        if fields.command == "PLACE_ORDER" {
            let next = u32::try_from(self.seats.len()).map_err(|_| "too many owners")?;
            let seat = *self.seats.entry(fields.uid).or_insert(Seat::new(next));
            let is_repeated = self.numbers.contains_key(&fields.number);
            let id = book.take(BookCommand::Enter(fields.order(seat, is_repeated)?), &mut self.events);
            let id = id.map_err(|_| "an order that the book does not take")?;
            let slot = id.slot() as usize;
            if self.names.len() <= slot {
                self.names.resize(slot.saturating_add(1), Named::default());
            }
            if let Some(name) = self.names.get_mut(slot) {
                *name = Named {
                    number: fields.number,
                    uid: fields.uid,
                    reserve: fields.reserve,
                    price: fields.price,
                };
            }
            if !is_repeated {
                self.numbers.insert(fields.number, id);
            }
            return Ok("SUCCESS");
        }
        let id = self.numbers.get(&fields.number).copied();
        let name = id.and_then(|id| self.names.get(id.slot() as usize));
        let (Some(id), Some(name)) = (id, name.filter(|name| name.uid == fields.uid)) else {
            return Ok("MATCHING_UNKNOWN_ORDER_ID");
        };
        let is_above_reserve = name.reserve != 0
            && fields.price > name.reserve
            && book.order(id).is_some_and(|order| order.side == Side::Bid);
        let command = match fields.command {
            "CANCEL_ORDER" => BookCommand::Cancel(id),
            "REDUCE_ORDER" => BookCommand::Reduce(id, Quantity::new(fields.size)),
            "MOVE_ORDER" if is_above_reserve => return Ok("MATCHING_MOVE_FAILED_PRICE_OVER_RISK_LIMIT"),
            "MOVE_ORDER" => BookCommand::Move(id, Price::new(fields.price)),
            _ => return Err("no such command"),
        };
        match book.take(command, &mut self.events) {
            Ok(_) => Ok("SUCCESS"),
            Err(BookRefusal::NoQuantity) => Ok("MATCHING_REDUCE_FAILED_WRONG_SIZE"),
            Err(_) => Err("a change that the book does not take"),
        }
    }

    /// Writes a command with what followed, and forgets orders that are gone.
    fn write(&mut self, fields: &Fields<'_>, result: &str, out: &mut String) {
        let Fields { command, side, kind, uid, number, price, size, reserve } = *fields;
        let _ = writeln!(out, "C,{command},{side},{kind},{uid},{number},{price},{size},{reserve},R,{result}");
        let events = std::mem::take(&mut self.events);
        for event in &events {
            if let BookEvent::Ended { left, why: EndReason::NotFilled, .. } = *event {
                let _ = writeln!(out, "E,REJECT,0,0,{price},{},true,false", left.lots());
            }
        }
        for event in &events {
            match *event {
                BookEvent::Filled { taker, maker, price, quantity, taker_left, maker_left, .. } => {
                    let name = self.name(maker);
                    let _ = writeln!(
                        out,
                        "E,TRADE,{},{},{},{},{},{}",
                        name.number,
                        name.uid,
                        price.ticks(),
                        quantity.lots(),
                        taker_left.is_zero(),
                        maker_left.is_zero()
                    );
                    for (id, left) in [(taker, taker_left), (maker, maker_left)] {
                        if left.is_zero() {
                            self.forget(id);
                        }
                    }
                }
                BookEvent::Reduced { id, by, .. } => self.write_reduced(id, by, false, out),
                BookEvent::Ended { id, left, why } => {
                    if why == EndReason::Cancelled {
                        self.write_reduced(id, left, true, out);
                    }
                    self.forget(id);
                }
                BookEvent::Entered { .. }
                | BookEvent::Waits { .. }
                | BookEvent::Triggered { .. }
                | BookEvent::Uncrossed { .. }
                | BookEvent::Rested { .. }
                | BookEvent::Refreshed { .. } => {}
                BookEvent::Moved { id, price } => {
                    if let Some(name) = self.names.get_mut(id.slot() as usize) {
                        name.price = price.ticks();
                    }
                }
            }
        }
        self.events = events;
    }

    fn write_reduced(&self, id: OrderId, by: Quantity, is_gone: bool, out: &mut String) {
        let price = self.name(id).price;
        let _ = writeln!(out, "E,REDUCE,0,0,{price},{},{is_gone},false", by.lots());
    }

    fn name(&self, id: OrderId) -> Named {
        self.names.get(id.slot() as usize).copied().unwrap_or_default()
    }

    fn forget(&mut self, id: OrderId) {
        let number = self.name(id).number;
        if self.numbers.get(&number) == Some(&id) {
            self.numbers.remove(&number);
        }
    }
}

impl<'a> Fields<'a> {
    fn read(line: &'a str) -> Result<Self, &'static str> {
        let mut fields = line.split(',').skip(1);
        let mut text = || fields.next().ok_or("too few fields");
        let (command, side, kind) = (text()?, text()?, text()?);
        let mut number = || text()?.trim().parse::<u64>().map_err(|_| "not a number");
        let (uid, order) = (number()?, number()?);
        let (price, size, reserve) = (number()?, number()?, number()?);
        Ok(Self { command, side, kind, uid, number: order, price, size, reserve })
    }

    /// The order; one whose number is in use already only trades.
    fn order(&self, seat: Seat, is_repeated: bool) -> Result<NewOrder, &'static str> {
        let limit = Terms::Limit(Price::new(self.price));
        let (terms, in_force) = match self.kind {
            "GTC" if is_repeated => (limit, InForce::ImmediateOrCancel),
            "GTC" => (limit, InForce::UntilEnded),
            "IOC" => (limit, InForce::ImmediateOrCancel),
            "FOK_BUDGET" => (Terms::WholeFor { ticks_lots: self.price }, InForce::FillOrKill),
            _ => return Err("a type other than GTC, IOC and FOK_BUDGET"),
        };
        Ok(NewOrder {
            seat,
            group: StpGroup::NONE,
            self_trade: SelfTrade::CancelTaker,
            side: match self.side {
                "BID" => Side::Bid,
                "ASK" => Side::Ask,
                _ => return Err("a side other than BID and ASK"),
            },
            terms,
            in_force,
            quantity: Quantity::new(self.size),
            shown: Quantity::ZERO,
            trigger: None,
        })
    }
}
