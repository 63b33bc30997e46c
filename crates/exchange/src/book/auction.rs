//! The call auction: one price at which the most trades, and the trades at it.
//!
//! Of all prices, those at which the largest volume trades; of these, those that leave the least surplus; of these, the one nearest to the
//! reference; of two equally near, the higher. An iceberg takes part with all that is left of it. What one group has on both sides counts in the price
//! as everybody else's; it only does not trade with itself.

use std::collections::BTreeSet;

use crate::book::order::Hot;
use crate::book::stops::Traded;
use crate::book::{Book, BookEvent};
use crate::{OrderId, Price, Quantity, Seat, Side};

/// What an auction would do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Auction {
    /// The price.
    pub price: Price,
    /// How much would trade.
    pub volume: Quantity,
    /// How much would want to trade at this price and not find anybody.
    pub surplus: Quantity,
    /// On which side that is; nothing where there is no surplus.
    pub side: Option<Side>,
}

/// What wants to trade at some price.
#[derive(Debug, Clone, Copy)]
struct Interest {
    bid: u64,
    ask: u64,
}

impl Interest {
    const fn auction(self, price: u64) -> Auction {
        let (volume, side) = if self.bid > self.ask {
            (self.ask, Some(Side::Bid))
        } else if self.bid < self.ask {
            (self.bid, Some(Side::Ask))
        } else {
            (self.bid, None)
        };
        Auction {
            price: Price::new(price),
            volume: Quantity::new(volume),
            surplus: Quantity::new(self.bid.abs_diff(self.ask)),
            side,
        }
    }
}

impl Auction {
    /// Whether it is to be preferred to another.
    fn is_better(&self, other: &Self, reference: Price) -> bool {
        let rank = |auction: &Self| {
            let distance = auction.price.ticks().abs_diff(reference.ticks());
            (std::cmp::Reverse(auction.volume), auction.surplus, distance, std::cmp::Reverse(auction.price))
        };
        rank(self) < rank(other)
    }
}

/// An order on its way through an uncrossing.
#[derive(Debug, Clone, Copy)]
struct Part {
    slot: u32,
    group: u32,
    left: u64,
}

impl Book {
    /// The price of an auction held now; nothing where nothing would trade.
    #[must_use]
    pub fn auction_price(&self, reference: Price) -> Option<Auction> {
        let (bids, asks) = (self.ladder(Side::Bid), self.ladder(Side::Ask));
        let highest = bids.price(bids.best()?);
        let lowest = asks.price(asks.best()?);
        if highest < lowest {
            return None;
        }
        // Prices that matter, with what is added to either side's interest there.
        let of = |side: Side| {
            let ladder = self.ladder(side);
            ladder
                .keys()
                .map(move |key| (ladder.price(key), ladder.level(key).total))
                .take_while(move |(price, _)| (lowest..=highest).contains(price))
        };
        let prices: BTreeSet<u64> = of(Side::Bid).chain(of(Side::Ask)).map(|(price, _)| price).collect();
        let mut bids: Vec<(u64, u64)> = of(Side::Bid).collect();
        let mut asks = of(Side::Ask).peekable();
        let mut interest = Interest { bid: bids.iter().map(|(_, total)| *total).sum(), ask: 0 };
        let mut found: Option<Auction> = None;
        let mut consider = |auction: Auction| {
            if found.is_none_or(|best| auction.is_better(&best, reference)) {
                found = Some(auction);
            }
        };
        let mut prices = prices.into_iter().peekable();
        while let Some(price) = prices.next() {
            while let Some((_, total)) = asks.next_if(|(at, _)| *at == price) {
                interest.ask = interest.ask.saturating_add(total);
            }
            consider(interest.auction(price));
            while let Some((_, total)) = bids.pop_if(|(at, _)| *at == price) {
                interest.bid = interest.bid.saturating_sub(total);
            }
            // Between two prices of orders the interest is the same everywhere: the one nearest to the reference is the best of them.
            if let Some(next) = prices.peek()
                && let (low, high) = (price.saturating_add(1), next.saturating_sub(1))
                && low <= high
            {
                consider(interest.auction(reference.ticks().clamp(low, high)));
            }
        }
        found
    }

    /// Trades at one price what can trade there: bids at it or above with asks at it or below, each side in the order of price and time.
    ///
    /// A bid passes over asks of its own group and goes on with the next. So what is left crossed can only be one group's on both sides, or
    /// what the price did not let trade. Such bids come in again, best first, as if moved to the price they have: they trade with what they
    /// cross at the resting price, and where that is of their own group, their own kind of prevention decides. Then come the stops that
    /// were reached. Afterwards the book is not crossed, whether or not it is still said to be collecting. Says how much traded at the one price.
    pub fn uncross(&mut self, price: Price, out: &mut Vec<BookEvent>) -> Quantity {
        self.traded = Traded::NOTHING;
        let mut asks = self.parts(Side::Ask, price);
        let (mut first, mut volume) = (0_usize, 0_u64);
        // Where the last bid's group found an ask of another one: the next bid of the group need not look before it.
        let mut passed: Option<(u32, usize)> = None;
        for mut bid in self.parts(Side::Bid, price) {
            let mut at = passed.filter(|(group, _)| *group == bid.group).map_or(first, |(_, at)| at);
            while let Some(ask) = asks.get_mut(at).filter(|_| bid.left != 0) {
                if ask.left != 0 && (bid.group == 0 || ask.group != bid.group) {
                    let quantity = bid.left.min(ask.left);
                    self.uncross_pair(bid.slot, ask.slot, price, quantity, out);
                    volume = volume.saturating_add(quantity);
                    bid.left = bid.left.saturating_sub(quantity);
                    ask.left = ask.left.saturating_sub(quantity);
                    if ask.left != 0 {
                        break;
                    }
                }
                at = at.saturating_add(1);
            }
            passed = Some((bid.group, at));
            while asks.get(first).is_some_and(|ask| ask.left == 0) {
                first = first.saturating_add(1);
            }
        }
        self.settle_crossed(out);
        self.bring_in(out);
        Quantity::new(volume)
    }

    /// The orders of a side that an auction at this price fills, first come first.
    fn parts(&self, side: Side, price: Price) -> Vec<Part> {
        let ladder = self.ladder(side);
        let most = ladder.key(price.ticks());
        ladder
            .keys()
            .take_while(|key| *key <= most)
            .flat_map(|key| self.queue(side, key))
            .map(|slot| {
                let Hot { group, left, .. } = *self.orders.hot(slot);
                Part { slot, group, left }
            })
            .collect()
    }

    fn uncross_pair(&mut self, bid: u32, ask: u32, price: Price, quantity: u64, out: &mut Vec<BookEvent>) {
        let name = |slot: u32| {
            let hot = self.orders.hot(slot);
            (OrderId::new(hot.generation, slot), Seat::new(hot.seat))
        };
        let ((bid_id, bid_seat), (ask_id, ask_seat)) = (name(bid), name(ask));
        let (bid_left, ask_left) = self.uncross_fill(bid, ask, price, quantity);
        out.push(BookEvent::Uncrossed {
            bid: bid_id,
            ask: ask_id,
            bid_seat,
            ask_seat,
            price,
            quantity: Quantity::new(quantity),
            bid_left: Quantity::new(bid_left),
            ask_left: Quantity::new(ask_left),
        });
    }

    /// Lets bids that still cross come in again.
    fn settle_crossed(&mut self, out: &mut Vec<BookEvent>) {
        while let Some((key, slot)) = self.ladder(Side::Bid).front() {
            let limit = self.ladder(Side::Bid).price(key);
            if !self.ladder(Side::Ask).is_crossed_by(limit) {
                break;
            }
            let (id, price) = (self.orders.id(slot), Price::new(limit));
            self.relocate(slot, price);
            out.push(BookEvent::Moved { id, price });
            if !self.sweep(id, limit, None, out) {
                self.rest(slot);
                out.push(BookEvent::Rested { id });
            }
        }
    }
}
