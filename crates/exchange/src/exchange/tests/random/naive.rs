//! A plain account of who has what, kept from the events alone: no claims, no reservations, fees by their definition.

use std::collections::BTreeMap;

use money::{AccountId, Amount, Timestamp};

use crate::book::BookEvent;
use crate::event::{Event, Outcome};
use crate::exchange::Exchange;
use crate::market::{Fees, MakerFee, Market};
use crate::pool::PoolChange;
use crate::quote::{Offer, OfferId, QuoteChange};
use crate::{MarketNumber, OrderId, Price, Quantity, Seat, Side, StpGroup};

struct Order {
    seat: Seat,
    group: StpGroup,
    side: Side,
    left: Quantity,
    fees: Fees,
    /// In millionths of a minor unit.
    owed: i128,
    paid: i128,
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Maker,
    Taker,
    Auction,
}

/// Balances by account, signed: what its owner has more than at the beginning.
#[derive(Default)]
pub(super) struct Naive {
    has: BTreeMap<AccountId, i128>,
    orders: BTreeMap<(MarketNumber, OrderId), Order>,
    offers: BTreeMap<OfferId, Offer>,
    pub(super) fills: u64,
    pub(super) auctioned: u64,
}

fn signed(minor: u128) -> i128 {
    i128::try_from(minor).unwrap()
}

impl Naive {
    pub(super) fn has(&self) -> impl Iterator<Item = (AccountId, i128)> {
        self.has.iter().map(|(account, has)| (*account, *has))
    }

    pub(super) fn give(&mut self, account: AccountId, minor: i128) {
        *self.has.entry(account).or_default() += minor;
    }

    pub(super) fn observe(&mut self, exchange: &Exchange, outcome: &Outcome, now: Timestamp) {
        for event in &outcome.events {
            match event {
                Event::Book { market, events } => {
                    let market = exchange.market(*market).unwrap();
                    events.iter().for_each(|event| self.book(market, event, now));
                }
                Event::Quote(QuoteChange::Offered(offer)) => {
                    self.offers.insert(offer.id(), offer.clone());
                }
                Event::Quote(QuoteChange::Expired { ids }) => {
                    for id in ids {
                        assert!(self.offers.remove(id).unwrap().expires_at <= now);
                    }
                }
                Event::Converted { offer, .. } => {
                    let offer = self.offers.remove(offer).unwrap();
                    assert!(now < offer.expires_at, "an offer is taken after its time");
                    self.convert(exchange, &offer);
                }
                Event::PoolMoved(moved) => {
                    let row = exchange.dealing().pool(moved.pool).unwrap();
                    let mut coin = |amount: &Amount, into_pool: i128| {
                        let coins = &row.pool.terms().coins;
                        let place = coins.iter().position(|coin| coin.asset == amount.asset()).unwrap();
                        self.give(row.accounts[place], into_pool * signed(amount.minor()));
                        self.give(moved.accounts[place], -into_pool * signed(amount.minor()));
                    };
                    let shares = match &moved.change {
                        PoolChange::Swapped(swap) => {
                            coin(&swap.paid, 1);
                            coin(&swap.taken, -1);
                            0
                        }
                        PoolChange::Added { paid, shares, .. } => {
                            paid.iter().for_each(|amount| coin(amount, 1));
                            signed(shares.minor())
                        }
                        PoolChange::Removed { taken, shares } => {
                            taken.iter().for_each(|amount| coin(amount, -1));
                            -signed(shares.minor())
                        }
                    };
                    if shares != 0 {
                        self.give(moved.shares, shares);
                    }
                }
                _ => {}
            }
        }
    }

    /// The customer and the bank change places with the amounts of the offer; the fee is in quote.
    fn convert(&mut self, exchange: &Exchange, offer: &Offer) {
        let own = |asset| exchange.dealing().inventory().find(|(of, _)| *of == asset).unwrap().1;
        let (into, out_of) = (own(offer.pays.asset()), own(offer.takes.asset()));
        let (pays, takes, fee) =
            (signed(offer.pays.minor()), signed(offer.takes.minor()), signed(offer.fee.minor()));
        self.give(offer.request.from, -pays);
        self.give(offer.request.to, takes);
        self.give(into.account, pays);
        self.give(out_of.account, -takes);
        let in_quote = own(offer.pair.quote);
        self.give(in_quote.account, -fee);
        self.give(in_quote.fees, fee);
    }

    fn book(&mut self, market: &Market, event: &BookEvent, now: Timestamp) {
        let number = market.number();
        match *event {
            BookEvent::Entered { id, order } => {
                let fees = market.rules(now).fees;
                let (seat, group, side, left) = (order.seat, order.group, order.side, order.quantity);
                let order = Order { seat, group, side, left, fees, owed: 0, paid: 0 };
                assert!(self.orders.insert((number, id), order).is_none(), "an id is given twice");
            }
            BookEvent::Filled { taker, maker, price, quantity, taker_left, maker_left, .. } => {
                self.pair(number, taker, maker);
                self.fill(market, taker, Part::Taker, price, quantity, taker_left);
                self.fill(market, maker, Part::Maker, price, quantity, maker_left);
                self.fills += 1;
            }
            BookEvent::Uncrossed { bid, ask, price, quantity, bid_left, ask_left, .. } => {
                self.pair(number, bid, ask);
                self.fill(market, bid, Part::Auction, price, quantity, bid_left);
                self.fill(market, ask, Part::Auction, price, quantity, ask_left);
                self.auctioned += 1;
            }
            BookEvent::Reduced { id, by, left } => {
                let order = self.orders.get_mut(&(number, id)).unwrap();
                order.left = order.left.less(by);
                assert_eq!(order.left, left);
                if left.is_zero() {
                    self.orders.remove(&(number, id));
                }
            }
            BookEvent::Ended { id, left, .. } => {
                assert_eq!(self.orders.remove(&(number, id)).unwrap().left, left);
            }
            BookEvent::Waits { .. }
            | BookEvent::Triggered { .. }
            | BookEvent::Rested { .. }
            | BookEvent::Refreshed { .. }
            | BookEvent::Moved { .. } => {}
        }
    }

    fn pair(&self, market: MarketNumber, one: OrderId, other: OrderId) {
        let (one, other) = (&self.orders[&(market, one)], &self.orders[&(market, other)]);
        assert!(one.group != other.group && one.side != other.side, "somebody trades with themselves");
    }

    fn fill(
        &mut self,
        market: &Market,
        id: OrderId,
        part: Part,
        price: Price,
        lots: Quantity,
        left: Quantity,
    ) {
        let rules = &market.rules_rows().next().unwrap().rules;
        let quote = signed(u128::from(price.ticks()) * u128::from(lots.lots()) * u128::from(rules.tick));
        let base = signed(u128::from(lots.lots()) * u128::from(rules.lot));
        let order = self.orders.get_mut(&(market.number(), id)).unwrap();
        order.left = order.left.less(lots);
        assert_eq!(order.left, left, "what is left of {id}");
        let ppm = match (part, order.fees.maker) {
            (Part::Taker, _) => order.fees.taker_ppm,
            (_, MakerFee::Pays(ppm)) => ppm,
            (_, MakerFee::Gets(_)) => 0,
        };
        order.owed += quote * i128::from(ppm);
        let fee = (order.owed + 999_999) / 1_000_000 - order.paid;
        order.paid += fee;
        let rebate = match (part, order.fees.maker) {
            (Part::Maker, MakerFee::Gets(ppm)) => quote * i128::from(ppm) / 1_000_000,
            _ => 0,
        };
        let sign = if order.side == Side::Bid { 1 } else { -1 };
        let seat = market.seat(order.seat).unwrap();
        if left.is_zero() {
            self.orders.remove(&(market.number(), id));
        }
        self.give(seat.base, sign * base);
        self.give(seat.quote, -sign * quote - fee + rebate);
        self.give(rules.fee_account, fee - rebate);
    }

    /// How many orders it thinks are open.
    pub(super) fn open(&self, market: MarketNumber) -> usize {
        self.orders.keys().filter(|(of, _)| *of == market).count()
    }
}
