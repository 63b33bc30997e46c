//! Rows about orders, in the form in which they come in many at a time and in which the journal keeps them.
//!
//! A row is its kind (1 byte), the market (4) and the seat (4), all integers little-endian, then:
//!
//! | kind | then |
//! |---|---|
//! | 1 place | flags (2), quantity (8), what the terms need (8, or 16 for a budget), and as flags say: shown (8), trigger (8), until (8), the owner's number (8) |
//! | 2 cancel | order (8) |
//! | 3 reduce | order (8), by how much (8) |
//! | 4 move | order (8), price (8) |
//! | 5 cancel all of the seat | nothing |
//!
//! Flags of a place, from the lowest bit: side (1), how long it stays (2), self-trade (2), terms (2), shown, trigger, until, number (1 each). Other bits are zero.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use money::{Timestamp, invariant};
use thiserror::Error;

use crate::book::{BookCommand, InForce, SelfTrade, Terms};
use crate::{MarketNumber, OrderId, Price, Quantity, Seat, Side};

/// Most rows in one batch.
pub const ROWS_MAX: u32 = 8_192;

/// An order that somebody wants to place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceRow {
    /// Buy or sell.
    pub side: Side,
    /// Prices.
    pub terms: Terms,
    /// How long it stays.
    pub in_force: InForce,
    /// What happens where it would trade with its own group.
    pub self_trade: SelfTrade,
    /// How much.
    pub quantity: Quantity,
    /// How much of it is shown at a time; all where it is zero.
    pub shown: Quantity,
    /// It waits for a trade at this price.
    pub trigger: Option<Price>,
    /// It ends at this time.
    pub until: Option<Timestamp>,
    /// The owner's own number for it, new among the owner's open orders; 0 for none.
    pub client: u64,
}

impl PlaceRow {
    /// A plain limit order that stays until it is filled or ended.
    #[must_use]
    pub const fn limit(side: Side, price: Price, quantity: Quantity) -> Self {
        Self {
            side,
            terms: Terms::Limit(price),
            in_force: InForce::UntilEnded,
            self_trade: SelfTrade::CancelTaker,
            quantity,
            shown: Quantity::ZERO,
            trigger: None,
            until: None,
            client: 0,
        }
    }
}

/// What a row asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// A new order.
    Place(PlaceRow),
    /// The order ends.
    Cancel(OrderId),
    /// It becomes smaller and keeps its place.
    Reduce(OrderId, Quantity),
    /// It gets another price and loses its place.
    Move(OrderId, Price),
    /// All orders of the seat end.
    CancelAll,
}

/// A row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderRow {
    /// The market.
    pub market: MarketNumber,
    /// The seat.
    pub seat: Seat,
    /// What is asked.
    pub ask: Ask,
}

/// Why bytes are no rows.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RowError {
    /// They end within a row, or a field has a value that it cannot have.
    #[error("row {row} cannot be read")]
    Unreadable {
        /// Which, from 0.
        row: u32,
    },
    /// None, or more than [`ROWS_MAX`].
    #[error("{count} rows are given, 1 to {ROWS_MAX} can be")]
    Count {
        /// How many.
        count: usize,
    },
}

/// Rows of which each was found readable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderBatch {
    count: u32,
    bytes: ByteVec,
}

impl OrderBatch {
    /// A batch of these rows.
    ///
    /// # Errors
    /// None, or too many.
    pub fn of(rows: &[OrderRow]) -> Result<Self, RowError> {
        let mut bytes = Vec::with_capacity(rows.len().saturating_mul(40));
        rows.iter().for_each(|row| row.write(&mut bytes));
        Self::from_bytes(bytes)
    }

    /// The batch in these bytes, which are rows one after another.
    ///
    /// # Errors
    /// A row cannot be read, or there are none or too many.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, RowError> {
        let mut rest = bytes.as_slice();
        let mut count = 0_u32;
        while !rest.is_empty() {
            OrderRow::read(&mut rest).ok_or(RowError::Unreadable { row: count })?;
            count = count.saturating_add(1);
        }
        if (1..=ROWS_MAX).contains(&count) {
            Ok(Self { count, bytes: bytes.into() })
        } else {
            Err(RowError::Count { count: usize::try_from(count).unwrap_or(usize::MAX) })
        }
    }

    /// How many rows.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.count
    }

    /// Never: a batch has rows.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = OrderRow> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let row = OrderRow::read(&mut rest);
            invariant!(row.is_some(), "a row of a batch cannot be read");
            row
        })
    }
}

impl<C> Encode<C> for OrderBatch {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.bytes)?;
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for OrderBatch {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let bytes = d.bytes()?.to_vec();
        Self::from_bytes(bytes).map_err(|error| minicbor::decode::Error::message(error.to_string()))
    }
}

mod kind {
    pub(super) const PLACE: u8 = 1;
    pub(super) const CANCEL: u8 = 2;
    pub(super) const REDUCE: u8 = 3;
    pub(super) const MOVE: u8 = 4;
    pub(super) const CANCEL_ALL: u8 = 5;
}

mod flag {
    pub(super) const SHOWN: u16 = 1 << 7;
    pub(super) const TRIGGER: u16 = 1 << 8;
    pub(super) const UNTIL: u16 = 1 << 9;
    pub(super) const CLIENT: u16 = 1 << 10;
    pub(super) const ALL: u16 = (1 << 11) - 1;
}

impl OrderRow {
    /// Appends the row.
    pub fn write(&self, out: &mut Vec<u8>) {
        let kind = match self.ask {
            Ask::Place(_) => kind::PLACE,
            Ask::Cancel(_) => kind::CANCEL,
            Ask::Reduce(..) => kind::REDUCE,
            Ask::Move(..) => kind::MOVE,
            Ask::CancelAll => kind::CANCEL_ALL,
        };
        out.push(kind);
        out.extend_from_slice(&self.market.number().to_le_bytes());
        out.extend_from_slice(&self.seat.number().to_le_bytes());
        let mut put = |number: u64| out.extend_from_slice(&number.to_le_bytes());
        match &self.ask {
            Ask::Place(place) => place.write(out),
            Ask::Cancel(order) => put(order.number()),
            Ask::Reduce(order, by) => {
                put(order.number());
                put(by.lots());
            }
            Ask::Move(order, price) => {
                put(order.number());
                put(price.ticks());
            }
            Ask::CancelAll => {}
        }
    }

    /// What the row will ask of the book, as far as it says where to look.
    pub(crate) const fn command_ahead(&self) -> Option<BookCommand> {
        match self.ask {
            Ask::Cancel(id) => Some(BookCommand::Cancel(id)),
            Ask::Reduce(id, by) => Some(BookCommand::Reduce(id, by)),
            Ask::Move(id, price) => Some(BookCommand::Move(id, price)),
            Ask::Place(_) | Ask::CancelAll => None,
        }
    }

    /// Reads one row and moves on behind it.
    #[must_use]
    pub fn read(bytes: &mut &[u8]) -> Option<Self> {
        let kind = u8::from_le_bytes(take(bytes)?);
        let market = MarketNumber::new(u32::from_le_bytes(take(bytes)?));
        let seat = Seat::new(u32::from_le_bytes(take(bytes)?));
        let ask = match kind {
            kind::PLACE => Ask::Place(PlaceRow::read(bytes)?),
            kind::CANCEL => Ask::Cancel(OrderId::from_number(number(bytes)?)),
            kind::REDUCE => Ask::Reduce(OrderId::from_number(number(bytes)?), Quantity::new(number(bytes)?)),
            kind::MOVE => Ask::Move(OrderId::from_number(number(bytes)?), Price::new(number(bytes)?)),
            kind::CANCEL_ALL => Ask::CancelAll,
            _ => return None,
        };
        Some(Self { market, seat, ask })
    }
}

impl PlaceRow {
    fn flags(&self) -> u16 {
        let side: u16 = match self.side {
            Side::Bid => 0,
            Side::Ask => 1,
        };
        let in_force: u16 = match self.in_force {
            InForce::UntilEnded => 0,
            InForce::ImmediateOrCancel => 1,
            InForce::FillOrKill => 2,
            InForce::PostOnly => 3,
        };
        let self_trade: u16 = match self.self_trade {
            SelfTrade::CancelTaker => 0,
            SelfTrade::CancelMaker => 1,
            SelfTrade::CancelBoth => 2,
            SelfTrade::Decrement => 3,
        };
        let terms: u16 = match self.terms {
            Terms::Limit(_) => 0,
            Terms::Budget { .. } => 1,
            Terms::WholeFor { .. } => 2,
        };
        let with = |is_given: bool, flag: u16| if is_given { flag } else { 0 };
        side | (in_force << 1)
            | (self_trade << 3)
            | (terms << 5)
            | with(!self.shown.is_zero(), flag::SHOWN)
            | with(self.trigger.is_some(), flag::TRIGGER)
            | with(self.until.is_some(), flag::UNTIL)
            | with(self.client != 0, flag::CLIENT)
    }

    fn write(&self, out: &mut Vec<u8>) {
        let flags = self.flags();
        out.extend_from_slice(&flags.to_le_bytes());
        let mut put = |number: u64| out.extend_from_slice(&number.to_le_bytes());
        put(self.quantity.lots());
        match self.terms {
            Terms::Limit(price) => put(price.ticks()),
            Terms::Budget { ticks_lots, worst } => {
                put(ticks_lots);
                put(worst.ticks());
            }
            Terms::WholeFor { ticks_lots } => put(ticks_lots),
        }
        if !self.shown.is_zero() {
            put(self.shown.lots());
        }
        if let Some(trigger) = self.trigger {
            put(trigger.ticks());
        }
        if let Some(until) = self.until {
            put(until.ms());
        }
        if self.client != 0 {
            put(self.client);
        }
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let flags = u16::from_le_bytes(take(bytes)?);
        if flags & !flag::ALL != 0 {
            return None;
        }
        let quantity = Quantity::new(number(bytes)?);
        let terms = match (flags >> 5) & 3 {
            0 => Terms::Limit(Price::new(number(bytes)?)),
            1 => Terms::Budget { ticks_lots: number(bytes)?, worst: Price::new(number(bytes)?) },
            2 => Terms::WholeFor { ticks_lots: number(bytes)? },
            _ => return None,
        };
        let side = if flags & 1 == 0 { Side::Bid } else { Side::Ask };
        let in_force = match (flags >> 1) & 3 {
            0 => InForce::UntilEnded,
            1 => InForce::ImmediateOrCancel,
            2 => InForce::FillOrKill,
            _ => InForce::PostOnly,
        };
        let self_trade = match (flags >> 3) & 3 {
            0 => SelfTrade::CancelTaker,
            1 => SelfTrade::CancelMaker,
            2 => SelfTrade::CancelBoth,
            _ => SelfTrade::Decrement,
        };
        let mut given = |flag: u16| if flags & flag == 0 { Some(None) } else { number(bytes).map(Some) };
        let shown = Quantity::new(given(flag::SHOWN)?.unwrap_or(0));
        let trigger = given(flag::TRIGGER)?.map(Price::new);
        let until = given(flag::UNTIL)?.map(Timestamp::from_ms);
        let client = given(flag::CLIENT)?.unwrap_or(0);
        let row = Self { side, terms, in_force, self_trade, quantity, shown, trigger, until, client };
        // One row has one form: a field that is given and says nothing is none.
        (row.flags() == flags).then_some(row)
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*taken)
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    take(bytes).map(u64::from_le_bytes)
}
