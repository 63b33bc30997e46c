//! Where orders are kept: a slab of slots. A freed slot goes to the next order with its generation counted up, so that an id names one order for ever.
//!
//! What matching touches is apart from what only entering, ending and looking need, so that a thousand orders fit the first cache. Slot 0 is never used:
//! 0 means "none" in every link.
//!
//! It knows no prices' order; a [`Link`] belongs to the queue that the order stands in.

use crate::book::{NewOrder, SelfTrade};
use crate::{OrderId, Seat, Side};

/// No slot.
pub(super) const NIL: u32 = 0;

/// Where an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Place {
    /// Nowhere: the slot is free.
    Free,
    /// It has come in, and the command under way says what becomes of it. Between commands no order is here.
    Arriving,
    /// In the queue of its price.
    Resting,
    /// Among the stops.
    Waiting,
}

/// It shows a piece at a time.
pub(super) const ICEBERG: u8 = 1;
/// It must not trade when it comes in.
pub(super) const POST_ONLY: u8 = 2;

/// What matching reads and writes of an order: half a cache line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(32))]
pub(super) struct Hot {
    /// Limit price; of other terms 0.
    pub(super) price: u64,
    /// What is left, shown and unseen.
    pub(super) left: u64,
    pub(super) seat: u32,
    pub(super) group: u32,
    pub(super) generation: u32,
    pub(super) place: Place,
    pub(super) side: Side,
    pub(super) self_trade: SelfTrade,
    pub(super) marks: u8,
}

/// Neighbours in a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) prev: u32,
    pub(super) next: u32,
}

/// The rest of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cold {
    /// As it came in, but for the price of its terms, which is in [`Hot`], and a trigger that was moved.
    pub(super) order: NewOrder,
    /// What an iceberg shows now.
    pub(super) showing: u64,
    /// What has traded.
    pub(super) filled: u64,
    /// Its place among stops of the same trigger.
    pub(super) waits_since: u64,
    /// Neighbours among the orders of its seat.
    pub(super) of_seat: Link,
}

/// The orders of one seat, in the order in which they came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SeatOrders {
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) count: u32,
}

/// All orders of a book.
#[derive(Debug, Clone)]
pub(super) struct Orders {
    pub(super) hot: Vec<Hot>,
    pub(super) links: Vec<Link>,
    pub(super) cold: Vec<Cold>,
    /// Freed slots; the last is used next.
    pub(super) free: Vec<u32>,
    pub(super) seats: Vec<SeatOrders>,
    pub(super) count: u32,
}

#[cold]
#[inline(never)]
fn lost(slot: u32) -> ! {
    money::broken(format_args!("an order book knows no slot {slot}"))
}

impl Orders {
    pub(super) fn new() -> Self {
        let mut orders = Self {
            hot: Vec::new(),
            links: Vec::new(),
            cold: Vec::new(),
            free: Vec::new(),
            seats: Vec::new(),
            count: 0,
        };
        orders.hot.push(Hot::FREE);
        orders.links.push(Link::default());
        orders.cold.push(Cold::NONE);
        orders
    }

    #[inline]
    pub(super) fn hot(&self, slot: u32) -> &Hot {
        self.hot.get(slot as usize).unwrap_or_else(|| lost(slot))
    }

    #[inline]
    pub(super) fn hot_mut(&mut self, slot: u32) -> &mut Hot {
        self.hot.get_mut(slot as usize).unwrap_or_else(|| lost(slot))
    }

    #[inline]
    pub(super) fn cold(&self, slot: u32) -> &Cold {
        self.cold.get(slot as usize).unwrap_or_else(|| lost(slot))
    }

    #[inline]
    pub(super) fn cold_mut(&mut self, slot: u32) -> &mut Cold {
        self.cold.get_mut(slot as usize).unwrap_or_else(|| lost(slot))
    }

    /// The slot of an order that is in the book.
    #[inline]
    pub(super) fn find(&self, id: OrderId) -> Option<&Hot> {
        let hot = self.hot.get(id.slot() as usize)?;
        (hot.generation == id.generation() && hot.place != Place::Free).then_some(hot)
    }

    /// The id of the order in a slot.
    #[inline]
    pub(super) fn id(&self, slot: u32) -> OrderId {
        OrderId::new(self.hot(slot).generation, slot)
    }

    /// What the order shows.
    #[inline]
    pub(super) fn showing(&self, slot: u32, hot: &Hot) -> u64 {
        if hot.marks & ICEBERG == 0 { hot.left } else { self.cold(slot).showing }
    }

    /// Gives an order the next free slot.
    #[inline]
    pub(super) fn enter(&mut self, order: &NewOrder) -> OrderId {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.grow(),
        };
        let price = match order.terms {
            super::Terms::Limit(price) => price.ticks(),
            super::Terms::Budget { .. } | super::Terms::WholeFor { .. } => 0,
        };
        let is_iceberg = !order.shown.is_zero() && order.shown < order.quantity;
        let is_post_only = order.in_force == super::InForce::PostOnly;
        let hot = self.hot_mut(slot);
        *hot = Hot {
            price,
            left: order.quantity.lots(),
            seat: order.seat.number(),
            group: order.group.number(),
            generation: hot.generation,
            place: Place::Arriving,
            side: order.side,
            self_trade: order.self_trade,
            marks: if is_iceberg { ICEBERG } else { 0 } | if is_post_only { POST_ONLY } else { 0 },
        };
        let generation = hot.generation;
        let last = self.join_seat(order.seat, slot);
        *self.cold_mut(slot) = Cold {
            order: *order,
            showing: 0,
            filled: 0,
            waits_since: 0,
            of_seat: Link { prev: last, next: NIL },
        };
        self.count = self.count.saturating_add(1);
        OrderId::new(generation, slot)
    }

    /// Makes a slot free again.
    #[inline]
    pub(super) fn release(&mut self, slot: u32) {
        let hot = self.hot_mut(slot);
        hot.place = Place::Free;
        hot.left = 0;
        let seat = Seat::new(hot.seat);
        // A slot that was used so often is used no more: its next id would be an old one.
        let is_worn_out = hot.generation == u32::MAX;
        hot.generation = hot.generation.saturating_add(1);
        self.leave_seat(seat, slot);
        self.count = self.count.saturating_sub(1);
        if !is_worn_out {
            self.free.push(slot);
        }
    }

    /// A slot that was never used.
    #[cold]
    fn grow(&mut self) -> u32 {
        let slot = u32::try_from(self.hot.len()).unwrap_or_else(|_| lost(u32::MAX));
        self.hot.push(Hot::FREE);
        self.links.push(Link::default());
        self.cold.push(Cold::NONE);
        // Room for every slot, so that ending orders never asks for memory.
        self.free.reserve(self.hot.capacity().saturating_sub(self.free.len()));
        slot
    }

    /// Puts a slot at the end of its seat's list; says which was the last before.
    #[inline]
    pub(super) fn join_seat(&mut self, seat: Seat, slot: u32) -> u32 {
        let index = seat.number() as usize;
        if index >= self.seats.len() {
            self.seats.resize(index.saturating_add(1), SeatOrders::default());
        }
        let Some(list) = self.seats.get_mut(index) else { lost(slot) };
        let last = list.last;
        list.last = slot;
        list.count = list.count.saturating_add(1);
        if last == NIL {
            list.first = slot;
        } else {
            self.cold_mut(last).of_seat.next = slot;
        }
        last
    }

    #[inline]
    fn leave_seat(&mut self, seat: Seat, slot: u32) {
        let Link { prev, next } = self.cold(slot).of_seat;
        let Some(list) = self.seats.get_mut(seat.number() as usize) else { lost(slot) };
        list.count = list.count.saturating_sub(1);
        if prev == NIL {
            list.first = next;
        }
        if next == NIL {
            list.last = prev;
        }
        if prev != NIL {
            self.cold_mut(prev).of_seat.next = next;
        }
        if next != NIL {
            self.cold_mut(next).of_seat.prev = prev;
        }
    }

    /// Bytes that the lists have room for.
    pub(super) fn room_bytes(&self) -> usize {
        const fn of<T>(list: &Vec<T>) -> usize {
            list.capacity().saturating_mul(size_of::<T>())
        }
        [of(&self.hot), of(&self.links), of(&self.cold), of(&self.free), of(&self.seats)].iter().sum()
    }

    /// The orders of a seat, oldest first.
    pub(super) fn of_seat(&self, seat: Seat) -> SeatOrders {
        self.seats.get(seat.number() as usize).copied().unwrap_or_default()
    }
}

impl Hot {
    pub(super) const FREE: Self = Self {
        price: 0,
        left: 0,
        seat: 0,
        group: 0,
        generation: 0,
        place: Place::Free,
        side: Side::Bid,
        self_trade: SelfTrade::CancelTaker,
        marks: 0,
    };
}

impl Cold {
    pub(super) const NONE: Self = Self {
        order: NewOrder {
            seat: Seat::new(0),
            group: crate::StpGroup::NONE,
            self_trade: SelfTrade::CancelTaker,
            side: Side::Bid,
            terms: super::Terms::WholeFor { ticks_lots: 0 },
            in_force: super::InForce::UntilEnded,
            quantity: crate::Quantity::ZERO,
            shown: crate::Quantity::ZERO,
            trigger: None,
        },
        showing: 0,
        filled: 0,
        waits_since: 0,
        of_seat: Link { prev: NIL, next: NIL },
    };
}
