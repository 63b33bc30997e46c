//! A book as bytes, so that every future id and every future match is the same.
//!
//! Orders are written in the order in which they trade: queue by queue, best price first, then stops, then, seat by seat, which came first. Links, sums
//! and bitmaps are made again from that, so a snapshot cannot contradict itself in them; what it can get wrong is refused.
//!
//! CBOR array: version, `band_from`, last price or null, collecting, stops so far, then byte strings of little-endian numbers:
//! generations of all slots, free slots, resting bids, resting asks, waiting bids, waiting asks (each order a record of [`RECORD`] bytes), and the slots of all
//! seats' orders, each list headed by seat and count.

use minicbor::decode::{Decoder, Error as DecodeError};
use minicbor::encode::{Encoder, Error as EncodeError, Write};

use crate::book::order::{Cold, Hot, ICEBERG, Link, NIL, Orders, POST_ONLY, Place, SeatOrders};
use crate::book::{Book, InForce, NewOrder, QUANTITY_MAX, SEATS_MAX, SelfTrade, Terms, WAITING_MAX};
use crate::{Price, Quantity, Seat, Side, StpGroup};

const VERSION: u8 = 1;
/// slot, seat, group: 4 bytes each; codes: 4; left, showing, quantity, shown, filled, limit, ticks, worst, trigger, since: 8 each.
const RECORD: usize = 96;

impl<C> minicbor::Encode<C> for Book {
    fn encode<W: Write>(&self, encoder: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        encoder.array(12)?.u8(VERSION)?.u64(self.band_from.ticks())?;
        encoder.encode(self.last_price)?.bool(self.is_collecting)?.u64(self.stops.waited)?;
        let mut bytes = Vec::new();
        for hot in &self.orders.hot {
            bytes.extend_from_slice(&hot.generation.to_le_bytes());
        }
        encoder.bytes(&bytes)?;
        bytes.clear();
        for slot in &self.orders.free {
            bytes.extend_from_slice(&slot.to_le_bytes());
        }
        encoder.bytes(&bytes)?;
        for side in [Side::Bid, Side::Ask] {
            bytes.clear();
            for slot in self.ladder(side).keys().flat_map(|key| self.queue(side, key)) {
                self.write_record(slot, &mut bytes);
            }
            encoder.bytes(&bytes)?;
        }
        for side in [Side::Bid, Side::Ask] {
            bytes.clear();
            for (_, _, slot) in self.stops.of(side) {
                self.write_record(slot, &mut bytes);
            }
            encoder.bytes(&bytes)?;
        }
        bytes.clear();
        for (seat, list) in (0_u32..).zip(&self.orders.seats).filter(|(_, list)| list.count != 0) {
            bytes.extend_from_slice(&seat.to_le_bytes());
            bytes.extend_from_slice(&list.count.to_le_bytes());
            let mut slot = list.first;
            while slot != NIL {
                bytes.extend_from_slice(&slot.to_le_bytes());
                slot = self.orders.cold(slot).of_seat.next;
            }
        }
        encoder.bytes(&bytes)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Book {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        if decoder.array()? != Some(12) || decoder.u8()? != VERSION {
            return Err(DecodeError::message("a book of another version"));
        }
        let mut book = Self::new(Price::new(decoder.u64()?));
        book.last_price = decoder.decode()?;
        book.is_collecting = decoder.bool()?;
        book.stops.waited = decoder.u64()?;
        book.orders = orders(decoder.bytes()?, decoder.bytes()?).ok_or_else(unsound)?;
        for (side, place) in [
            (Side::Bid, Place::Resting),
            (Side::Ask, Place::Resting),
            (Side::Bid, Place::Waiting),
            (Side::Ask, Place::Waiting),
        ] {
            let (records, rest) = decoder.bytes()?.as_chunks::<RECORD>();
            if !rest.is_empty() {
                return Err(unsound());
            }
            for record in records {
                book.read_record(record, side, place).ok_or_else(unsound)?;
            }
        }
        book.read_seats(decoder.bytes()?).ok_or_else(unsound)?;
        book.is_whole().ok_or_else(unsound)?;
        Ok(book)
    }
}

fn unsound() -> DecodeError {
    DecodeError::message("a book that contradicts itself")
}

/// Empty slots with their generations, and which of them are free.
fn orders(generations: &[u8], free: &[u8]) -> Option<Orders> {
    let mut orders = Orders::new();
    let generations = numbers(generations)?;
    if generations.len() == 0 {
        return None;
    }
    orders.hot = generations.map(|generation| Hot { generation, ..Hot::FREE }).collect();
    orders.links = vec![Link::default(); orders.hot.len()];
    orders.cold = vec![Cold::NONE; orders.hot.len()];
    orders.free.reserve(orders.hot.capacity());
    orders.free.extend(numbers(free)?);
    Some(orders)
}

/// Four bytes at a time.
fn numbers(bytes: &[u8]) -> Option<impl ExactSizeIterator<Item = u32> + '_> {
    let (chunks, rest) = bytes.as_chunks::<4>();
    rest.is_empty().then(|| chunks.iter().map(|chunk| u32::from_le_bytes(*chunk)))
}

/// Reads the fields of a record.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn short(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn long(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
}

impl Book {
    fn write_record(&self, slot: u32, out: &mut Vec<u8>) {
        let (hot, cold) = (self.orders.hot(slot), self.orders.cold(slot));
        let order = &cold.order;
        let (terms, ticks, worst) = match order.terms {
            Terms::Limit(price) => (0_u8, price.ticks(), 0),
            Terms::Budget { ticks_lots, worst } => (1, ticks_lots, worst.ticks()),
            Terms::WholeFor { ticks_lots } => (2, ticks_lots, 0),
        };
        let self_trade = match order.self_trade {
            SelfTrade::CancelTaker => 0_u8,
            SelfTrade::CancelMaker => 1,
            SelfTrade::CancelBoth => 2,
            SelfTrade::Decrement => 3,
        };
        let in_force = match order.in_force {
            InForce::UntilEnded => 0_u8,
            InForce::ImmediateOrCancel => 1,
            InForce::FillOrKill => 2,
            InForce::PostOnly => 3,
        };
        for number in [slot, hot.seat, hot.group] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&[terms, self_trade, in_force, u8::from(order.trigger.is_some())]);
        for number in [
            hot.left,
            cold.showing,
            order.quantity.lots(),
            order.shown.lots(),
            cold.filled,
            hot.price,
            ticks,
            worst,
            order.trigger.map_or(0, Price::ticks),
            cold.waits_since,
        ] {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }

    /// Puts the order of a record into its slot and where it rests or waits; nothing if it cannot be there.
    fn read_record(&mut self, record: &[u8], side: Side, place: Place) -> Option<()> {
        let mut fields = Fields(record);
        let (slot, seat, group) = (fields.short()?, fields.short()?, fields.short()?);
        let [terms, self_trade, in_force, has_trigger] = fields.take()?;
        let (left, showing) = (fields.long()?, fields.long()?);
        let (quantity, shown) = (fields.long()?, fields.long()?);
        let (filled, price) = (fields.long()?, fields.long()?);
        let (ticks, worst) = (fields.long()?, fields.long()?);
        let (trigger, waits_since) = (fields.long()?, fields.long()?);
        let order = NewOrder {
            seat: Seat::new(seat),
            group: StpGroup::new(group),
            self_trade: match self_trade {
                0 => SelfTrade::CancelTaker,
                1 => SelfTrade::CancelMaker,
                2 => SelfTrade::CancelBoth,
                3 => SelfTrade::Decrement,
                _ => return None,
            },
            side,
            terms: match terms {
                0 => Terms::Limit(Price::new(ticks)),
                1 => Terms::Budget { ticks_lots: ticks, worst: Price::new(worst) },
                2 => Terms::WholeFor { ticks_lots: ticks },
                _ => return None,
            },
            in_force: match in_force {
                0 => InForce::UntilEnded,
                1 => InForce::ImmediateOrCancel,
                2 => InForce::FillOrKill,
                3 => InForce::PostOnly,
                _ => return None,
            },
            quantity: Quantity::new(quantity),
            shown: Quantity::new(shown),
            trigger: match has_trigger {
                0 => None,
                1 => Some(Price::new(trigger)),
                _ => return None,
            },
        };
        let is_iceberg = shown != 0 && shown < quantity;
        let is_sound = slot != NIL
            && (1..=quantity).contains(&left)
            && quantity <= QUANTITY_MAX
            && filled <= quantity
            && seat <= SEATS_MAX
            && (place == Place::Waiting || !is_iceberg || (1..=left).contains(&showing));
        let hot =
            self.orders.hot.get_mut(slot as usize).filter(|hot| hot.place == Place::Free && is_sound)?;
        *hot = Hot {
            price,
            left,
            seat,
            group,
            generation: hot.generation,
            place,
            side,
            self_trade: order.self_trade,
            marks: if is_iceberg { ICEBERG } else { 0 }
                | if order.in_force == InForce::PostOnly { POST_ONLY } else { 0 },
        };
        *self.orders.cold_mut(slot) =
            Cold { order, showing, filled, waits_since, of_seat: Link { prev: NIL, next: NIL } };
        self.orders.count = self.orders.count.checked_add(1)?;
        if place == Place::Waiting {
            let is_next = waits_since < self.stops.waited && self.stops.len() < WAITING_MAX;
            order.trigger.filter(|_| is_next)?;
            self.stops.put(side, trigger, waits_since, slot);
        } else {
            let shown = if is_iceberg { showing } else { left };
            let (ladder, links) = self.queues(side);
            ladder.push_back(links, slot, price, shown, left);
        }
        Some(())
    }

    fn read_seats(&mut self, bytes: &[u8]) -> Option<()> {
        let mut numbers = numbers(bytes)?;
        let mut next = 0_u32;
        while let Some(seat) = numbers.next() {
            if !(next..=SEATS_MAX).contains(&seat) {
                return None;
            }
            next = seat.checked_add(1)?;
            for _ in 0..numbers.next()? {
                let slot = numbers.next()?;
                let hot = self.orders.hot.get(slot as usize)?;
                let is_listed = self.orders.cold(slot).of_seat != Link { prev: NIL, next: NIL }
                    || self.orders.of_seat(Seat::new(seat)).first == slot;
                if hot.seat != seat || hot.place == Place::Free || is_listed {
                    return None;
                }
                let prev = self.orders.join_seat(Seat::new(seat), slot);
                self.orders.cold_mut(slot).of_seat.prev = prev;
            }
        }
        let counted = self.orders.seats.iter().map(|list: &SeatOrders| list.count).sum::<u32>();
        (counted == self.orders.count).then_some(())
    }

    /// Free slots are free, each is named once, none is missing, and no price is crossed that must not be.
    fn is_whole(&mut self) -> Option<()> {
        let mut is_named = vec![false; self.orders.hot.len()];
        for slot in &self.orders.free {
            let hot = self.orders.hot.get(*slot as usize)?;
            let named = is_named.get_mut(*slot as usize)?;
            if *slot == NIL || hot.place != Place::Free || std::mem::replace(named, true) {
                return None;
            }
        }
        // A free slot that is not named is one that is worn out.
        for (hot, is_named) in self.orders.hot.iter().zip(is_named).skip(1) {
            if hot.place == Place::Free && !is_named && hot.generation != u32::MAX {
                return None;
            }
        }
        let crosses =
            self.best(Side::Bid).is_some_and(|bid| self.ladder(Side::Ask).is_crossed_by(bid.price.ticks()));
        (!crosses || self.is_collecting).then_some(())
    }
}

/// Equal are books of which every future id and every future match is equal.
impl PartialEq for Book {
    fn eq(&self, other: &Self) -> bool {
        let queues = |book: &Self, side: Side| -> Vec<(u64, u32)> {
            let ladder = book.ladder(side);
            let of = |key: u64| book.queue(side, key).map(move |slot| (ladder.price(key), slot));
            ladder.keys().flat_map(of).collect()
        };
        let generations =
            |book: &Self| -> Vec<u32> { book.orders.hot.iter().map(|hot| hot.generation).collect() };
        let live = |book: &Self| -> Vec<(u32, Hot, Cold)> {
            (0_u32..)
                .zip(&book.orders.hot)
                .filter(|(_, hot)| hot.place != Place::Free)
                .map(|(slot, hot)| (slot, *hot, *book.orders.cold(slot)))
                .collect()
        };
        self.band_from == other.band_from
            && self.last_price == other.last_price
            && self.is_collecting == other.is_collecting
            && self.stops == other.stops
            && self.orders.free == other.orders.free
            && generations(self) == generations(other)
            && live(self) == live(other)
            && [Side::Bid, Side::Ask].iter().all(|side| queues(self, *side) == queues(other, *side))
    }
}

impl Eq for Book {}

#[cfg(test)]
mod tests;
