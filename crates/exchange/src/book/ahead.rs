//! Looking ahead: a large book does not fit the processor's caches, and a command waits for memory once for each thing it touches. Who has the next commands
//! at hand already can have what they will touch fetched meanwhile.

use std::hint::black_box;

use crate::book::ladder::Ladder;
use crate::book::order::Orders;
use crate::book::{Book, BookCommand, Terms};
use crate::{OrderId, Price, Side};

/// A book with fewer slots than this stays in the caches by itself.
const LARGE: usize = 1 << 14;
impl Book {
    /// Whether looking ahead is of use.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.orders.hot.len() >= LARGE
    }

    /// Fetches what some commands will touch, where the book is large; does nothing else. Call it with the next sixteen or so, then take them.
    #[inline]
    pub fn look_ahead(&self, next: &[BookCommand]) {
        if !self.is_large() {
            return;
        }
        // One kind of thing after the other: the fetches of a round do not wait for each other.
        let mut seen = 0_u64;
        for command in next {
            seen ^= self.fetch_order(command);
        }
        for command in next {
            seen ^= self.fetch_neighbours(command);
        }
        for command in next {
            seen ^= self.fetch_queue(command);
        }
        black_box(seen);
    }

    #[inline]
    fn fetch_order(&self, command: &BookCommand) -> u64 {
        match *command {
            BookCommand::Move(id, _) => self.orders.fetch(id),
            BookCommand::Cancel(id) | BookCommand::Reduce(id, _) => {
                self.orders.fetch(id) ^ self.orders.cold.get(id.slot() as usize).map_or(0, |cold| cold.filled)
            }
            BookCommand::Enter(order) => {
                self.orders.seats.get(order.seat.number() as usize).map_or(0, |list| u64::from(list.last))
            }
        }
    }

    #[inline]
    fn fetch_neighbours(&self, command: &BookCommand) -> u64 {
        match *command {
            BookCommand::Move(id, price) => {
                let Some(hot) = self.orders.hot.get(id.slot() as usize) else { return 0 };
                let ladder = self.ladder(hot.side);
                self.orders.fetch_links(id) ^ ladder.fetch(hot.price) ^ ladder.fetch(price.ticks())
            }
            BookCommand::Cancel(id) | BookCommand::Reduce(id, _) => {
                let Some(hot) = self.orders.hot.get(id.slot() as usize) else { return 0 };
                self.orders.fetch_links(id)
                    ^ self.ladder(hot.side).fetch(hot.price)
                    ^ self.orders.fetch_of_seat(id)
            }
            BookCommand::Enter(order) => match order.terms {
                Terms::Limit(price) => self.ladder(order.side).fetch(price.ticks()),
                Terms::Budget { .. } | Terms::WholeFor { .. } => 0,
            },
        }
    }

    #[inline]
    fn fetch_queue(&self, command: &BookCommand) -> u64 {
        let (side, price): (Side, Price) = match *command {
            BookCommand::Move(id, price) => {
                let Some(hot) = self.orders.hot.get(id.slot() as usize) else { return 0 };
                (hot.side, price)
            }
            BookCommand::Enter(order) => match order.terms {
                Terms::Limit(price) => (order.side, price),
                Terms::Budget { .. } | Terms::WholeFor { .. } => return 0,
            },
            BookCommand::Cancel(_) | BookCommand::Reduce(..) => return 0,
        };
        let tail = self.ladder(side).tail(price.ticks());
        self.orders.links.get(tail as usize).map_or(0, |link| u64::from(link.next))
    }
}

impl Orders {
    #[inline]
    fn fetch(&self, id: OrderId) -> u64 {
        let slot = id.slot() as usize;
        let link = self.links.get(slot).map_or(0, |link| u64::from(link.prev));
        self.hot.get(slot).map_or(0, |hot| hot.price) ^ link
    }

    #[inline]
    fn fetch_links(&self, id: OrderId) -> u64 {
        let Some(link) = self.links.get(id.slot() as usize) else { return 0 };
        let of = |slot: u32| self.links.get(slot as usize).map_or(0, |link| u64::from(link.next));
        of(link.prev) ^ of(link.next)
    }

    #[inline]
    fn fetch_of_seat(&self, id: OrderId) -> u64 {
        let Some(cold) = self.cold.get(id.slot() as usize) else { return 0 };
        let of = |slot: u32| self.cold.get(slot as usize).map_or(0, |cold| u64::from(cold.of_seat.next));
        of(cold.of_seat.prev) ^ of(cold.of_seat.next)
    }
}

impl Ladder {
    #[inline]
    fn fetch(&self, price: u64) -> u64 {
        u64::from(self.tail(price))
    }
}
