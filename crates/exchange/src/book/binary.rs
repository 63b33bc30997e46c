//! Events as bytes: what the journal keeps.
//!
//! One version byte, then one event after another: a tag, then the event's fields in the order in which [`BookEvent`] declares them, numbers little-endian
//! and as wide as their type. Tags and bits are never used for anything else later; a new kind gets a new tag, another form another version.
//!
//! ```text
//! 1 Entered    id flags terms seat group quantity ticks [worst] [shown] [trigger]
//! 2 Waits      id                     7 Refreshed  id
//! 3 Triggered  id                     8 Reduced    id by left
//! 6 Rested     id                     9 Moved      id price
//! 4 Filled     taker maker taker_seat maker_seat side price quantity taker_left maker_left
//! 5 Uncrossed  bid ask bid_seat ask_seat price quantity bid_left ask_left
//! 10 Ended     id left why
//! ```
//!
//! `flags`: bit 0 the side, bits 1 and 2 self-trade prevention, bits 3 and 4 time in force, bit 5 `shown` is there, bit 6 `trigger` is there.
//! `terms`: 0 limit, 1 budget (`worst` is there), 2 whole for.
//!
//! As a field in CBOR the bytes are a byte string; `#[cbor(with = "exchange::book::binary")]` does that for a list.

use minicbor::decode::{Decoder, Error as DecodeError};
use minicbor::encode::{Encoder, Error as EncodeError, Write};
use smallvec::SmallVec;

use crate::book::{BookEvent, EndReason, InForce, NewOrder, SelfTrade, Terms};
use crate::{OrderId, Price, Quantity, Seat, Side, StpGroup};

const VERSION: u8 = 1;
const HAS_SHOWN: u8 = 1 << 5;
const HAS_TRIGGER: u8 = 1 << 6;

/// Bytes that are no events of a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BinaryFault {
    /// They end within an event, or have no version.
    #[error("events of a book end too early")]
    Short,
    /// A version that is not known here.
    #[error("events of a book in version {0}")]
    Version(u8),
    /// A tag or another code that is not known here.
    #[error("code {0} among the events of a book")]
    Code(u8),
    /// One event was expected.
    #[error("more than one event of a book")]
    More,
}

/// What bytes are put into.
trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl<const N: usize> Sink for SmallVec<[u8; N]>
where
    [u8; N]: smallvec::Array<Item = u8>,
{
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Adds events to `out`.
pub fn write(events: &[BookEvent], out: &mut Vec<u8>) {
    out.push(VERSION);
    for event in events {
        write_one(event, out);
    }
}

/// Adds the events in `bytes` to `out`.
///
/// # Errors
/// The bytes are something else; `out` may then have some of them.
pub fn read(bytes: &[u8], out: &mut Vec<BookEvent>) -> Result<(), BinaryFault> {
    let mut reader = Reader::begin(bytes)?;
    while !reader.0.is_empty() {
        out.push(reader.event()?);
    }
    Ok(())
}

/// Encodes a list of events as a byte string.
///
/// # Errors
/// The sink's.
pub fn encode<C, W: Write>(
    events: &[BookEvent],
    encoder: &mut Encoder<W>,
    _: &mut C,
) -> Result<(), EncodeError<W::Error>> {
    let mut bytes = Vec::with_capacity(events.len().saturating_mul(24));
    write(events, &mut bytes);
    encoder.bytes(&bytes)?.ok()
}

/// Decodes what [`encode`] made.
///
/// # Errors
/// Something else.
pub fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Vec<BookEvent>, DecodeError> {
    let mut events = Vec::new();
    read(decoder.bytes()?, &mut events).map_err(DecodeError::custom)?;
    Ok(events)
}

impl<C> minicbor::Encode<C> for BookEvent {
    fn encode<W: Write>(&self, encoder: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        let mut bytes = SmallVec::<[u8; 96]>::new();
        bytes.push(VERSION);
        write_one(self, &mut bytes);
        encoder.bytes(&bytes)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for BookEvent {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        let mut reader = Reader::begin(decoder.bytes()?).map_err(DecodeError::custom)?;
        let event = reader.event().map_err(DecodeError::custom)?;
        if reader.0.is_empty() { Ok(event) } else { Err(DecodeError::custom(BinaryFault::More)) }
    }
}

/// A tag and one number.
#[inline]
fn put_one(tag: u8, number: u64, out: &mut impl Sink) {
    let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
    out.put(&[tag, a, b, c, d, e, f, g, h]);
}

#[inline]
fn put_numbers(numbers: &[u64], out: &mut impl Sink) {
    for number in numbers {
        out.put(&number.to_le_bytes());
    }
}

fn write_one(event: &BookEvent, out: &mut impl Sink) {
    match *event {
        BookEvent::Entered { id, ref order } => {
            put_one(1, id.number(), out);
            write_order(order, out);
        }
        BookEvent::Waits { id } => put_one(2, id.number(), out),
        BookEvent::Triggered { id } => put_one(3, id.number(), out),
        BookEvent::Filled {
            taker,
            maker,
            taker_seat,
            maker_seat,
            side,
            price,
            quantity,
            taker_left,
            maker_left,
        } => {
            put_one(4, taker.number(), out);
            put_numbers(&[maker.number()], out);
            out.put(&taker_seat.number().to_le_bytes());
            out.put(&maker_seat.number().to_le_bytes());
            out.put(&[side_code(side)]);
            put_numbers(&[price.ticks(), quantity.lots(), taker_left.lots(), maker_left.lots()], out);
        }
        BookEvent::Uncrossed { bid, ask, bid_seat, ask_seat, price, quantity, bid_left, ask_left } => {
            put_one(5, bid.number(), out);
            put_numbers(&[ask.number()], out);
            out.put(&bid_seat.number().to_le_bytes());
            out.put(&ask_seat.number().to_le_bytes());
            put_numbers(&[price.ticks(), quantity.lots(), bid_left.lots(), ask_left.lots()], out);
        }
        BookEvent::Rested { id } => put_one(6, id.number(), out),
        BookEvent::Refreshed { id } => put_one(7, id.number(), out),
        BookEvent::Reduced { id, by, left } => {
            put_one(8, id.number(), out);
            put_numbers(&[by.lots(), left.lots()], out);
        }
        BookEvent::Moved { id, price } => {
            put_one(9, id.number(), out);
            put_numbers(&[price.ticks()], out);
        }
        BookEvent::Ended { id, left, why } => {
            put_one(10, id.number(), out);
            put_numbers(&[left.lots()], out);
            out.put(&[match why {
                EndReason::Cancelled => 0,
                EndReason::NotFilled => 1,
                EndReason::SelfTrade => 2,
            }]);
        }
    }
}

const fn side_code(side: Side) -> u8 {
    match side {
        Side::Bid => 0,
        Side::Ask => 1,
    }
}

fn write_order(order: &NewOrder, out: &mut impl Sink) {
    let NewOrder { seat, group, self_trade, side, terms, in_force, quantity, shown, trigger } = *order;
    let self_trade = match self_trade {
        SelfTrade::CancelTaker => 0_u8,
        SelfTrade::CancelMaker => 1 << 1,
        SelfTrade::CancelBoth => 2 << 1,
        SelfTrade::Decrement => 3 << 1,
    };
    let in_force = match in_force {
        InForce::UntilEnded => 0_u8,
        InForce::ImmediateOrCancel => 1 << 3,
        InForce::FillOrKill => 2 << 3,
        InForce::PostOnly => 3 << 3,
    };
    let has_shown = if shown.is_zero() { 0 } else { HAS_SHOWN };
    let has_trigger = if trigger.is_some() { HAS_TRIGGER } else { 0 };
    let (code, ticks, worst) = match terms {
        Terms::Limit(price) => (0_u8, price.ticks(), None),
        Terms::Budget { ticks_lots, worst } => (1, ticks_lots, Some(worst)),
        Terms::WholeFor { ticks_lots } => (2, ticks_lots, None),
    };
    out.put(&[side_code(side) | self_trade | in_force | has_shown | has_trigger, code]);
    out.put(&seat.number().to_le_bytes());
    out.put(&group.number().to_le_bytes());
    put_numbers(&[quantity.lots(), ticks], out);
    if let Some(worst) = worst {
        put_numbers(&[worst.ticks()], out);
    }
    if !shown.is_zero() {
        put_numbers(&[shown.lots()], out);
    }
    if let Some(trigger) = trigger {
        put_numbers(&[trigger.ticks()], out);
    }
}

/// What is still to be read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn begin(bytes: &'a [u8]) -> Result<Self, BinaryFault> {
        let mut reader = Self(bytes);
        match reader.byte()? {
            VERSION => Ok(reader),
            other => Err(BinaryFault::Version(other)),
        }
    }

    #[inline]
    fn take<const N: usize>(&mut self) -> Result<[u8; N], BinaryFault> {
        let (bytes, rest) = self.0.split_first_chunk::<N>().ok_or(BinaryFault::Short)?;
        self.0 = rest;
        Ok(*bytes)
    }

    fn byte(&mut self) -> Result<u8, BinaryFault> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Result<u64, BinaryFault> {
        self.take().map(u64::from_le_bytes)
    }

    fn id(&mut self) -> Result<OrderId, BinaryFault> {
        self.number().map(OrderId::from_number)
    }

    fn price(&mut self) -> Result<Price, BinaryFault> {
        self.number().map(Price::new)
    }

    fn quantity(&mut self) -> Result<Quantity, BinaryFault> {
        self.number().map(Quantity::new)
    }

    fn seat(&mut self) -> Result<Seat, BinaryFault> {
        self.take().map(u32::from_le_bytes).map(Seat::new)
    }

    fn side(code: u8) -> Result<Side, BinaryFault> {
        match code {
            0 => Ok(Side::Bid),
            1 => Ok(Side::Ask),
            other => Err(BinaryFault::Code(other)),
        }
    }

    fn event(&mut self) -> Result<BookEvent, BinaryFault> {
        Ok(match self.byte()? {
            1 => BookEvent::Entered { id: self.id()?, order: self.order()? },
            2 => BookEvent::Waits { id: self.id()? },
            3 => BookEvent::Triggered { id: self.id()? },
            4 => BookEvent::Filled {
                taker: self.id()?,
                maker: self.id()?,
                taker_seat: self.seat()?,
                maker_seat: self.seat()?,
                side: Self::side(self.byte()?)?,
                price: self.price()?,
                quantity: self.quantity()?,
                taker_left: self.quantity()?,
                maker_left: self.quantity()?,
            },
            5 => BookEvent::Uncrossed {
                bid: self.id()?,
                ask: self.id()?,
                bid_seat: self.seat()?,
                ask_seat: self.seat()?,
                price: self.price()?,
                quantity: self.quantity()?,
                bid_left: self.quantity()?,
                ask_left: self.quantity()?,
            },
            6 => BookEvent::Rested { id: self.id()? },
            7 => BookEvent::Refreshed { id: self.id()? },
            8 => BookEvent::Reduced { id: self.id()?, by: self.quantity()?, left: self.quantity()? },
            9 => BookEvent::Moved { id: self.id()?, price: self.price()? },
            10 => BookEvent::Ended {
                id: self.id()?,
                left: self.quantity()?,
                why: match self.byte()? {
                    0 => EndReason::Cancelled,
                    1 => EndReason::NotFilled,
                    2 => EndReason::SelfTrade,
                    other => return Err(BinaryFault::Code(other)),
                },
            },
            other => return Err(BinaryFault::Code(other)),
        })
    }

    fn order(&mut self) -> Result<NewOrder, BinaryFault> {
        let [flags, code] = self.take()?;
        if flags & 0x80 != 0 {
            return Err(BinaryFault::Code(flags));
        }
        let seat = self.seat()?;
        let group = self.take().map(u32::from_le_bytes).map(StpGroup::new)?;
        let quantity = self.quantity()?;
        let terms = match code {
            0 => Terms::Limit(self.price()?),
            1 => Terms::Budget { ticks_lots: self.number()?, worst: self.price()? },
            2 => Terms::WholeFor { ticks_lots: self.number()? },
            other => return Err(BinaryFault::Code(other)),
        };
        let shown = if flags & HAS_SHOWN == 0 { Quantity::ZERO } else { self.quantity()? };
        let trigger = if flags & HAS_TRIGGER == 0 { None } else { Some(self.price()?) };
        Ok(NewOrder {
            seat,
            group,
            self_trade: match (flags >> 1) & 3 {
                0 => SelfTrade::CancelTaker,
                1 => SelfTrade::CancelMaker,
                2 => SelfTrade::CancelBoth,
                _ => SelfTrade::Decrement,
            },
            side: Self::side(flags & 1)?,
            terms,
            in_force: match (flags >> 3) & 3 {
                0 => InForce::UntilEnded,
                1 => InForce::ImmediateOrCancel,
                2 => InForce::FillOrKill,
                _ => InForce::PostOnly,
            },
            quantity,
            shown,
            trigger,
        })
    }
}

#[cfg(test)]
mod tests;
