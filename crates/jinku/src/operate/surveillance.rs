//! Hints for those who watch the markets: patterns that people look at, each with what it was seen in. A hint accuses nobody and stops nothing.
//!
//! Three plain rules over the newest trades of a market and the orders of customers (of clients in bulk there are trades alone):
//!
//! | hint | what is seen |
//! |---|---|
//! | wash | two seats of one owner trade with each other; or two owners trade back and forth, at least `BACK_AND_FORTH` times, and end about where they began |
//! | spoof | a customer places an order of at least `LARGE` times the usual size near the price, trades on the other side, and cancels it unfilled within `SHORT_MS` |
//! | momentum | an owner takes at least `RUN` times in one direction within `SHORT_MS` and moves the price by `MOVED_BPS`, then trades at least half of it the other way |

use std::collections::BTreeMap;

use exchange::market::Owner;
use exchange::{Price, Side, Steps};
use money::Timestamp;
use projections::{OrderRow, OrderStanding, TradeRow, TradeSide};
use serde::{Deserialize, Serialize};

/// Trades between two owners from which on going back and forth is a pattern.
const BACK_AND_FORTH: usize = 4;
/// How far from nothing the net of it may be, in parts of all of it.
const NET_PART: u64 = 10;
/// How many times the usual order a large one is.
const LARGE: u64 = 5;
/// How near to the last price an order is near, in basis points.
const NEAR_BPS: u128 = 100;
/// How long is short, in milliseconds.
const SHORT_MS: u64 = 60_000;
/// How many trades in one direction are a run.
const RUN: usize = 5;
/// By how much a run moves the price, in basis points.
const MOVED_BPS: u128 = 50;
/// Most pieces of evidence of one hint.
const EVIDENCE_MAX: usize = 20;
const SCORE_MAX: usize = 100;

/// Something that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// When.
    pub at: String,
    /// What.
    pub what: String,
    /// The order, by its number in the market.
    pub order: Option<String>,
    /// At which price.
    pub price: Option<String>,
    /// How much.
    pub quantity: Option<String>,
}

/// A pattern that people look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// `wash`, `spoof` or `momentum`.
    pub kind: String,
    /// The market.
    pub market: u32,
    /// The seats.
    pub seats: Vec<u32>,
    /// From when.
    pub from: String,
    /// Until when.
    pub to: String,
    /// How pronounced it is, up to 100.
    pub score: usize,
    /// What it was seen in.
    pub evidence: Vec<Evidence>,
}

/// What is looked at: all of one market.
pub struct Watched<'a> {
    /// Its number.
    pub market: u32,
    /// How it writes prices.
    pub steps: Steps,
    /// Whose each seat is.
    pub owners: BTreeMap<u32, Owner>,
    /// Trades, oldest first.
    pub trades: &'a [TradeRow],
    /// Customers' orders, oldest first.
    pub orders: &'a [OrderRow],
}

impl Watched<'_> {
    /// All hints.
    #[must_use]
    pub fn hints(&self) -> Vec<Hint> {
        let mut hints = self.wash();
        hints.extend(self.spoof());
        hints.extend(self.momentum());
        hints
    }

    fn owner(&self, seat: u32) -> Option<Owner> {
        self.owners.get(&seat).copied()
    }

    fn evidence(&self, trade: &TradeRow) -> Evidence {
        Evidence {
            at: trade.at.to_string(),
            what: format!("trade {}: seat {} bought from seat {}", trade.number, trade.buyer, trade.seller),
            order: None,
            price: Some(self.steps.price(trade.price)),
            quantity: Some(self.steps.quantity(trade.quantity)),
        }
    }

    fn of_trades(&self, kind: &str, trades: &[&TradeRow], per_trade: usize) -> Option<Hint> {
        let (first, last) = (trades.first()?, trades.last()?);
        let mut seats: Vec<u32> = trades.iter().flat_map(|trade| [trade.buyer, trade.seller]).collect();
        seats.sort_unstable();
        seats.dedup();
        Some(Hint {
            kind: kind.to_owned(),
            market: self.market,
            seats,
            from: first.at.to_string(),
            to: last.at.to_string(),
            score: trades.len().saturating_mul(per_trade).min(SCORE_MAX),
            evidence: trades.iter().take(EVIDENCE_MAX).map(|trade| self.evidence(trade)).collect(),
        })
    }

    fn wash(&self) -> Vec<Hint> {
        let mut pairs: BTreeMap<(u32, u32), Vec<&TradeRow>> = BTreeMap::new();
        for trade in self.trades {
            let (one, other) = (trade.buyer.min(trade.seller), trade.buyer.max(trade.seller));
            pairs.entry((one, other)).or_default().push(trade);
        }
        let washed = pairs.into_iter().filter_map(|((one, other), trades)| {
            if self.owner(one).is_some() && self.owner(one) == self.owner(other) {
                return self.of_trades("wash", &trades, 40);
            }
            let bought = |seat| -> u64 {
                let by = trades.iter().filter(|trade| trade.buyer == seat);
                by.fold(0, |sum, trade| sum.saturating_add(trade.quantity.lots()))
            };
            let (mine, theirs) = (bought(one), bought(other));
            let net = mine.abs_diff(theirs);
            let is_even = net.saturating_mul(NET_PART) <= mine.saturating_add(theirs);
            (trades.len() >= BACK_AND_FORTH && is_even).then(|| self.of_trades("wash", &trades, 15)).flatten()
        });
        washed.collect()
    }

    /// The last price before a moment; of the first trade where there is none before.
    fn price_at(&self, at: Timestamp) -> Option<Price> {
        let before = self.trades.iter().rev().find(|trade| trade.at <= at);
        before.or(self.trades.first()).map(|trade| trade.price)
    }

    fn spoof(&self) -> Vec<Hint> {
        let mut sizes: Vec<u64> = self.orders.iter().map(|order| order.quantity.lots()).collect();
        sizes.sort_unstable();
        let Some(usual) = sizes.get(sizes.len() / 2).copied() else { return Vec::new() };
        let mut seen: BTreeMap<u128, Vec<(&OrderRow, &TradeRow)>> = BTreeMap::new();
        for order in self.orders {
            let is_large = order.quantity.lots() >= usual.saturating_mul(LARGE).max(1);
            let is_near = self.price_at(order.placed_at).is_some_and(|last| is_near(order, last));
            let Some(ended) = order.ended_at.filter(|ended| ended.since(order.placed_at) <= SHORT_MS) else {
                continue;
            };
            if !is_large || !is_near || !order.filled.is_zero() || order.standing != OrderStanding::Cancelled
            {
                continue;
            }
            let own = Owner::Customer(order.customer);
            let gained = self.trades.iter().find(|trade| {
                let other_side = match order.side {
                    Side::Bid => trade.seller,
                    Side::Ask => trade.buyer,
                };
                (order.placed_at..=ended).contains(&trade.at) && self.owner(other_side) == Some(own)
            });
            if let Some(trade) = gained {
                seen.entry(order.customer.value()).or_default().push((order, trade));
            }
        }
        seen.into_values().filter_map(|found| self.of_orders(&found)).collect()
    }

    fn of_orders(&self, found: &[(&OrderRow, &TradeRow)]) -> Option<Hint> {
        let ((first, _), (last, _)) = (found.first()?, found.last()?);
        let own = Owner::Customer(first.customer);
        let of_order = |order: &OrderRow, at: Timestamp, what: &str| Evidence {
            at: at.to_string(),
            what: what.to_owned(),
            order: Some(order.id.to_string()),
            price: price_of(order).map(|price| self.steps.price(price)),
            quantity: Some(self.steps.quantity(order.quantity)),
        };
        let evidence = found.iter().flat_map(|(order, trade)| {
            let ended = order.ended_at.unwrap_or(order.placed_at);
            let placed = of_order(order, order.placed_at, "a large order near the price");
            [placed, self.evidence(trade), of_order(order, ended, "cancelled unfilled")]
        });
        Some(Hint {
            kind: "spoof".to_owned(),
            market: self.market,
            seats: self.owners.iter().filter(|(_, owner)| **owner == own).map(|(seat, _)| *seat).collect(),
            from: first.placed_at.to_string(),
            to: last.ended_at.unwrap_or(last.placed_at).to_string(),
            score: found.len().saturating_mul(40).min(SCORE_MAX),
            evidence: evidence.take(EVIDENCE_MAX).collect(),
        })
    }

    fn momentum(&self) -> Vec<Hint> {
        let mut by_taker: BTreeMap<(u32, bool), Vec<&TradeRow>> = BTreeMap::new();
        for trade in self.trades {
            match trade.taker {
                TradeSide::Taker(Side::Bid) => by_taker.entry((trade.buyer, true)).or_default().push(trade),
                TradeSide::Taker(Side::Ask) => by_taker.entry((trade.seller, false)).or_default().push(trade),
                TradeSide::Auction => {}
            }
        }
        let found = by_taker.into_iter().filter_map(|((seat, is_buyer), trades)| {
            let run = trades.windows(RUN).find(|run| is_run(run, is_buyer))?;
            let (first, last) = (run.first()?, run.last()?);
            // The run goes on as long as the trades are near to each other.
            let run: Vec<&TradeRow> = trades
                .iter()
                .filter(|trade| trade.at >= first.at && trade.at.since(first.at) <= SHORT_MS)
                .copied()
                .collect();
            let volume = lots(run.iter().copied());
            let reversed = self.trades.iter().filter(|trade| {
                let seat_of = if is_buyer { trade.seller } else { trade.buyer };
                trade.number > last.number
                    && trade.at.since(last.at) <= SHORT_MS
                    && self.owner(seat_of) == self.owner(seat)
            });
            let reversed: Vec<&TradeRow> = reversed.collect();
            if lots(reversed.iter().copied()).saturating_mul(2) < volume {
                return None;
            }
            let mut all = run;
            all.extend(reversed);
            let mut hint = self.of_trades("momentum", &all, 10)?;
            hint.seats = vec![seat];
            Some(hint)
        });
        found.collect()
    }
}

fn lots<'t>(trades: impl Iterator<Item = &'t TradeRow>) -> u64 {
    trades.fold(0, |sum, trade| sum.saturating_add(trade.quantity.lots()))
}

/// Whether trades follow each other quickly and move the price their way.
fn is_run(trades: &[&TradeRow], is_buyer: bool) -> bool {
    let (Some(first), Some(last)) = (trades.first(), trades.last()) else { return false };
    let (from, to) = (u128::from(first.price.ticks()), u128::from(last.price.ticks()));
    let moved = if is_buyer { to.checked_sub(from) } else { from.checked_sub(to) };
    let is_far = moved.is_some_and(|moved| moved.saturating_mul(10_000) >= from.saturating_mul(MOVED_BPS));
    is_far && last.at.since(first.at) <= SHORT_MS
}

fn price_of(order: &OrderRow) -> Option<Price> {
    match order.terms {
        exchange::book::Terms::Limit(price) => Some(price),
        exchange::book::Terms::Budget { .. } | exchange::book::Terms::WholeFor { .. } => None,
    }
}

fn is_near(order: &OrderRow, last: Price) -> bool {
    let Some(price) = price_of(order) else { return false };
    let away = u128::from(price.ticks().abs_diff(last.ticks()));
    away.saturating_mul(10_000) <= u128::from(last.ticks()).saturating_mul(NEAR_BPS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]
    use exchange::book::{InForce, Terms};
    use exchange::{MarketNumber, OrderId, Quantity};
    use money::{Asset, CustomerId};

    use super::*;

    fn trade(number: u64, at: u64, price: u64, lots: u64, taker: Side, seats: [u32; 2]) -> TradeRow {
        let [buyer, seller] = seats;
        TradeRow {
            number,
            at: Timestamp::from_ms(at),
            price: Price::new(price),
            quantity: Quantity::new(lots),
            taker: TradeSide::Taker(taker),
            buyer,
            seller,
        }
    }

    fn order(customer: u128, side: Side, lots: u64, span: [u64; 2]) -> OrderRow {
        OrderRow {
            rank: 1,
            market: MarketNumber::new(1),
            id: OrderId::from_number(7),
            customer: CustomerId::new(customer),
            side,
            terms: Terms::Limit(Price::new(1_000)),
            in_force: InForce::UntilEnded,
            quantity: Quantity::new(lots),
            shown: Quantity::ZERO,
            trigger: None,
            until: None,
            client: 0,
            parent: None,
            filled: Quantity::ZERO,
            filled_quote: 0,
            fee: 0,
            left: Quantity::ZERO,
            standing: OrderStanding::Cancelled,
            placed_at: Timestamp::from_ms(span[0]),
            ended_at: Some(Timestamp::from_ms(span[1])),
        }
    }

    /// Seats 0 to 3 are of customers with these numbers, seat 4 of customer 3 as well.
    fn hints(trades: &[TradeRow], orders: &[OrderRow]) -> Vec<(String, Vec<u32>, usize)> {
        let owner = |seat: u32| Owner::Customer(CustomerId::new(u128::from(seat.min(3))));
        let watched = Watched {
            market: 1,
            steps: Steps::new(Asset::USD, Asset::CNY, 100, 1),
            owners: (0..=4).map(|seat| (seat, owner(seat))).collect(),
            trades,
            orders,
        };
        watched.hints().into_iter().map(|hint| (hint.kind, hint.seats, hint.evidence.len())).collect()
    }

    #[test]
    fn going_back_and_forth_is_seen_and_trading_one_way_is_not() {
        let pair = |number: u64| if number.is_multiple_of(2) { [0, 1] } else { [1, 0] };
        let back_and_forth: Vec<TradeRow> =
            (0..4).map(|n| trade(n, n * 1_000, 1_000, 10, Side::Bid, pair(n))).collect();
        assert_eq!(hints(&back_and_forth, &[]), [("wash".to_owned(), vec![0, 1], 4)]);
        assert_eq!(hints(&back_and_forth[..3], &[]), []);
        let one_way: Vec<TradeRow> =
            (0..4).map(|n| trade(n, n * 1_000, 1_000, 10, Side::Bid, [0, 1])).collect();
        assert_eq!(hints(&one_way, &[]), []);
        // Two seats of one owner need no second trade.
        let own = [trade(1, 0, 1_000, 1, Side::Bid, [3, 4])];
        assert_eq!(hints(&own, &[]), [("wash".to_owned(), vec![3, 4], 1)]);
    }

    #[test]
    fn a_large_order_that_was_never_meant_is_seen() {
        let usual: Vec<OrderRow> = (0..4).map(|n| order(2, Side::Ask, 10, [n, n + 200_000])).collect();
        let with = |large: OrderRow| [usual.clone(), vec![large]].concat();
        // A large bid, a sale of its owner meanwhile, and the bid is gone.
        let sale = [trade(1, 5_000, 1_000, 5, Side::Ask, [1, 0])];
        let spoof = [("spoof".to_owned(), vec![0], 3)];
        assert_eq!(hints(&sale, &with(order(0, Side::Bid, 50, [4_000, 6_000]))), spoof);
        let innocent = [
            // Not large, long there, filled, of somebody else, and without a trade meanwhile.
            order(0, Side::Bid, 40, [4_000, 6_000]),
            order(0, Side::Bid, 50, [4_000, 90_000]),
            OrderRow { filled: Quantity::new(1), ..order(0, Side::Bid, 50, [4_000, 6_000]) },
            order(2, Side::Bid, 50, [4_000, 6_000]),
            order(0, Side::Bid, 50, [5_500, 6_000]),
            order(0, Side::Ask, 50, [4_000, 6_000]),
            OrderRow { terms: Terms::Limit(Price::new(900)), ..order(0, Side::Bid, 50, [4_000, 6_000]) },
        ];
        for large in innocent {
            assert_eq!(hints(&sale, &with(large)), [], "{large:?}");
        }
    }

    #[test]
    fn a_run_that_is_turned_around_is_seen() {
        let run = |step: u64| -> Vec<TradeRow> {
            (0..5).map(|n| trade(n, n * 1_000, 1_000 + n * step, 10, Side::Bid, [0, 1])).collect()
        };
        let back = trade(9, 20_000, 1_020, 30, Side::Ask, [2, 0]);
        let with = |trades: Vec<TradeRow>, last: TradeRow| [trades, vec![last]].concat();
        assert_eq!(hints(&with(run(2), back), &[]), [("momentum".to_owned(), vec![0], 6)]);
        assert_eq!(hints(&run(2), &[]), [], "nothing turned around");
        assert_eq!(hints(&with(run(1), back), &[]), [], "the price hardly moved");
        let little = TradeRow { quantity: Quantity::new(10), ..back };
        assert_eq!(hints(&with(run(2), little), &[]), []);
        let late = TradeRow { at: Timestamp::from_ms(90_000), ..back };
        assert_eq!(hints(&with(run(2), late), &[]), []);
    }
}
