//! Clients' orders and what happened to them, and the trades of all markets, made from the journal alone.
//!
//! An execution's position is the number of its journal entry with its place there below, so that the same execution has the same position however often the
//! journal is read.
//!
//! **Invariants.** Entries come in order, each once, and only durable ones. What is kept is bounded: the latest [`EXECUTIONS_MAX`] executions of a client,
//! [`ENDED_MAX`] orders that have ended, [`TRADES_MAX`] trades of a market. Live orders are all there.

use std::collections::{BTreeMap, HashMap, VecDeque};

use bank::{Bank, Command, JournalEntry};
use exchange::book::{BookEvent, EndReason, NewOrder};
use exchange::market::Phase;
use exchange::row::{Ask, OrderRow, PlaceRow};
use exchange::{Event, FillSum, MarketNumber, OrderId, Outcome, Seat, Side};
use fix::venue::ClOrdId;
use identity::Actor;
use minicbor::{Decode, Encode};
use money::{Amount, Asset, Timestamp};

use super::kept::{Done, Fact, Kept, OfMarket, Shown, Stand, Traded};
use super::names::{ClientNumber, Name, NameKind, Names, Pricing, Stay};

/// Executions of a client that can be told when it is back: as many messages as a session keeps.
const EXECUTIONS_MAX: usize = fix::store::KEPT_MAX;
/// Orders that have ended and are still known.
const ENDED_MAX: usize = 50_000;
/// Trades of a market that can be told.
const TRADES_MAX: usize = 1_000;
/// Bits of a position below the entry's number: no entry has a million executions of one client.
const PLACE_BITS: u32 = 20;

/// Why an order was ended or made smaller that would have met one of its own group.
const OWN_GROUP: &str = "it would have met an order of its own group";

/// A market's number and an order's there.
pub(super) type Key = (u32, u64);

/// What the journal says as far as clients of the gateway are concerned.
#[derive(Debug, Default, Encode, Decode)]
pub(super) struct Mirror {
    /// The last entry that is in it.
    #[n(0)]
    pub(super) seq: u64,
    #[n(1)]
    orders: BTreeMap<Key, Kept>,
    /// Orders that have ended, oldest first.
    #[n(2)]
    ended: VecDeque<Key>,
    #[n(3)]
    serial: u64,
    #[n(4)]
    executions: BTreeMap<ClientNumber, VecDeque<Done>>,
    #[n(5)]
    markets: BTreeMap<u32, OfMarket>,
    /// The order that a client calls or called so.
    #[cbor(skip)]
    by_id: HashMap<(ClientNumber, String), Key>,
}

/// What a client of ours asked for in the entry under way.
enum Asked {
    Place { client: ClientNumber, text: ClOrdId, terms: (Pricing, Stay), seat: Seat, row: PlaceRow },
    Cancel { text: ClOrdId, order: Key },
    Change { text: ClOrdId, order: Key, how: How },
    CancelAll,
}

/// What of a change was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// It is smaller.
    Smaller,
    /// It has another price, and may be smaller.
    Moved,
    /// It is smaller, and has not got the price that it was to have.
    Half,
}

/// The entry under way.
struct Turn {
    at: Timestamp,
    seq: u64,
    /// Executions so far.
    count: u64,
    asked: Option<Asked>,
    /// Time itself is what brought it.
    is_tick: bool,
}

/// One side of a fill.
struct Party {
    order: OrderId,
    is_done: bool,
    maker: bool,
    fee: String,
}

impl Mirror {
    /// Begins with a bank as it is, which has no orders of the gateway's clients.
    pub(super) fn of(bank: &Bank) -> Self {
        let now = bank.recorded_at();
        let of_market = |market: &exchange::market::Market| {
            let rules = market.rules(now);
            let of = OfMarket {
                tick: rules.tick,
                quote: rules.quote,
                is_suspended: market.phase() == Phase::Suspended,
                trades: market.trades_count(),
                latest: VecDeque::new(),
            };
            (market.number().number(), of)
        };
        let markets = bank.exchange().markets().iter().map(of_market).collect();
        Self { seq: bank.seq(), markets, ..Self::default() }
    }

    /// The mirror in a snapshot.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut mirror: Self = minicbor::decode(bytes).ok()?;
        for (key, kept) in &mirror.orders {
            mirror.by_id.extend(kept.ids.iter().map(|id| ((kept.client, id.clone()), *key)));
        }
        Some(mirror)
    }

    /// An order that a client calls or called so.
    pub(super) fn find(&self, client: ClientNumber, id: &ClOrdId) -> Option<&Kept> {
        self.orders.get(self.by_id.get(&(client, id.as_str().to_owned()))?)
    }

    /// A client's live orders, in the order of placing.
    pub(super) fn live(&self, client: ClientNumber) -> Vec<&Kept> {
        let is_live = |kept: &&Kept| kept.client == client && kept.shown.is_live();
        let mut live: Vec<&Kept> = self.orders.values().filter(is_live).collect();
        live.sort_by_key(|kept| kept.serial);
        live
    }

    /// A client's executions after a position.
    pub(super) fn executions(&self, client: ClientNumber, after: u64) -> impl Iterator<Item = &Done> {
        let list = self.executions.get(&client);
        let from = list.map_or(0, |list| list.partition_point(|done| done.position <= after));
        list.into_iter().flat_map(move |list| list.iter().skip(from))
    }

    /// The position of a client's latest execution.
    pub(super) fn latest(&self, client: ClientNumber) -> u64 {
        self.executions.get(&client).and_then(VecDeque::back).map_or(0, |done| done.position)
    }

    /// The latest trades of a market, oldest first.
    pub(super) fn trades(&self, market: u32) -> impl Iterator<Item = &Traded> {
        self.markets.get(&market).into_iter().flat_map(|of| &of.latest)
    }

    /// Takes an entry; answers whether it was about markets.
    pub(super) fn take(&mut self, seq: u64, entry: &JournalEntry, names: &mut Names) -> bool {
        self.seq = seq;
        let mut turn = None;
        for event in &entry.events {
            if let bank::Event::Exchange(outcome) = event {
                let turn = turn.get_or_insert_with(|| Turn::of(seq, entry, outcome, names));
                self.take_outcome(outcome, turn);
            }
        }
        turn.is_some()
    }

    fn take_outcome(&mut self, outcome: &Outcome, turn: &mut Turn) {
        let mut fills = outcome.fills.iter();
        for event in &outcome.events {
            if let Event::MarketOpened { market, rules, .. } = event {
                let of = OfMarket {
                    tick: rules.tick,
                    quote: rules.quote,
                    is_suspended: false,
                    trades: 0,
                    latest: VecDeque::new(),
                };
                self.markets.insert(market.number(), of);
            } else if let Event::PhaseChanged { market, phase } = event {
                self.set_suspended(market.number(), *phase == Phase::Suspended, turn);
            } else if let Event::Book { market, events } = event {
                for (index, event) in events.iter().enumerate() {
                    let next = events.get(index.saturating_add(1));
                    self.take_event(*market, event, next, &mut fills, turn);
                }
            }
        }
    }

    fn take_event<'a>(
        &mut self,
        market: MarketNumber,
        event: &BookEvent,
        next: Option<&BookEvent>,
        fills: &mut impl Iterator<Item = &'a FillSum>,
        turn: &mut Turn,
    ) {
        let key = |id: OrderId| (market.number(), id.number());
        match *event {
            BookEvent::Entered { id, ref order } => {
                let waits = matches!(next, Some(BookEvent::Waits { id: waits }) if *waits == id);
                self.enter(key(id), order, waits, turn);
            }
            BookEvent::Triggered { id } => self.change(key(id), turn, |shown| {
                shown.stand = Stand::Open;
                Some(Fact::Triggered)
            }),
            BookEvent::Filled { taker, maker, side, price, quantity, taker_left, maker_left, .. } => {
                let sum = self.trade(market, price.ticks(), quantity.lots(), fills.next(), turn.at);
                let fee = |of: Side| sum.fee(of);
                let taker =
                    Party { order: taker, is_done: taker_left.is_zero(), maker: false, fee: fee(side) };
                let maker = Party {
                    order: maker,
                    is_done: maker_left.is_zero(),
                    maker: true,
                    fee: fee(side.opposite()),
                };
                for party in [maker, taker] {
                    self.fill(key(party.order), party, price.ticks(), quantity.lots(), sum.asset, turn);
                }
            }
            BookEvent::Uncrossed { bid, ask, price, quantity, bid_left, ask_left, .. } => {
                let sum = self.trade(market, price.ticks(), quantity.lots(), fills.next(), turn.at);
                let party = |order, left: exchange::Quantity, side| Party {
                    order,
                    is_done: left.is_zero(),
                    maker: true,
                    fee: sum.fee(side),
                };
                for party in [party(bid, bid_left, Side::Bid), party(ask, ask_left, Side::Ask)] {
                    self.fill(key(party.order), party, price.ticks(), quantity.lots(), sum.asset, turn);
                }
            }
            BookEvent::Reduced { id, by, .. } => self.reduce(key(id), by.lots(), turn),
            BookEvent::Moved { id, price } => {
                let called = turn.change_of(key(id)).map(|(text, _)| text.clone());
                self.rename(key(id), called, turn, |shown| shown.price = Some(price.ticks()));
            }
            BookEvent::Ended { id, why, .. } => self.end(key(id), why, turn),
            BookEvent::Waits { .. } | BookEvent::Rested { .. } | BookEvent::Refreshed { .. } => {}
        }
    }

    fn enter(&mut self, key: Key, order: &NewOrder, waits: bool, turn: &mut Turn) {
        let is_asked = matches!(&turn.asked, Some(Asked::Place { seat, .. }) if *seat == order.seat);
        if !is_asked {
            return;
        }
        // The request places one order; whatever else comes in follows from it.
        let Some(Asked::Place { client, text, terms, row, .. }) = turn.asked.take() else { return };
        let mut shown = Shown::new(key.0, key.1, &text, &row, terms);
        shown.stand = if waits { Stand::Waiting } else { Stand::Open };
        self.serial = self.serial.saturating_add(1);
        let ids = vec![shown.id.clone()];
        self.by_id.insert((client, shown.id.clone()), key);
        self.orders.insert(key, Kept { serial: self.serial, client, ids, shown });
        self.change(key, turn, |_| Some(Fact::Placed));
    }

    /// Changes an order of ours, and notes what that was.
    fn change(&mut self, key: Key, turn: &mut Turn, change: impl FnOnce(&mut Shown) -> Option<Fact>) {
        let Some(kept) = self.orders.get_mut(&key) else { return };
        let was_live = kept.shown.is_live();
        let fact = change(&mut kept.shown);
        let has_ended = was_live && !kept.shown.is_live();
        if let Some(fact) = fact {
            let position = (turn.seq << PLACE_BITS) | turn.count;
            turn.count = turn.count.saturating_add(1);
            let done = Done { position, at: turn.at, order: kept.shown.clone(), fact };
            let list = self.executions.entry(kept.client).or_default();
            list.push_back(done);
            if list.len() > EXECUTIONS_MAX {
                list.pop_front();
            }
        }
        if has_ended {
            self.ended.push_back(key);
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if self.ended.len() <= ENDED_MAX {
            return;
        }
        if let Some(kept) = self.ended.pop_front().and_then(|key| self.orders.remove(&key)) {
            for id in kept.ids {
                self.by_id.remove(&(kept.client, id));
            }
        }
    }

    /// Counts a trade; answers with what it moved.
    fn trade(
        &mut self,
        market: MarketNumber,
        price: u64,
        quantity: u64,
        sum: Option<&FillSum>,
        at: Timestamp,
    ) -> Moved {
        let Some(of) = self.markets.get_mut(&market.number()) else {
            return Moved { quote: 0, pays: 0, gets: 0, asset: Asset::CNY };
        };
        of.trades = of.trades.saturating_add(1);
        of.latest.push_back(Traded { number: of.trades, at, price, quantity });
        if of.latest.len() > TRADES_MAX {
            of.latest.pop_front();
        }
        let quote =
            u128::from(price).saturating_mul(u128::from(quantity)).saturating_mul(u128::from(of.tick));
        let (pays, gets) = sum.map_or((quote, quote), |sum| (sum.pays, sum.gets));
        Moved { quote, pays, gets, asset: of.quote }
    }

    fn fill(&mut self, key: Key, party: Party, price: u64, quantity: u64, asset: Asset, turn: &mut Turn) {
        self.change(key, turn, |shown| {
            shown.filled = shown.filled.saturating_add(quantity);
            let value = u128::from(price).saturating_mul(u128::from(quantity));
            shown.value = shown.value.saturating_add(value);
            if party.is_done {
                shown.stand = Stand::Filled;
            }
            let (fee, currency) = (party.fee, asset.code().to_owned());
            Some(Fact::Filled { price, quantity, maker: party.maker, fee, currency })
        });
    }

    fn reduce(&mut self, key: Key, by: u64, turn: &mut Turn) {
        let lower = |shown: &mut Shown| shown.quantity = shown.quantity.saturating_sub(by);
        let why = match turn.change_of(key).map(|(text, how)| (text.clone(), how)) {
            // It is told with the new price, which is part of the same request.
            Some((_, How::Moved)) => {
                return self.change(key, turn, |shown| {
                    lower(shown);
                    None
                });
            }
            Some((text, How::Smaller)) => return self.rename(key, Some(text), turn, lower),
            Some((_, How::Half)) => "its price could not be changed",
            None => OWN_GROUP,
        };
        self.change(key, turn, |shown| {
            lower(shown);
            Some(Fact::Lowered { text: why.to_owned() })
        });
    }

    /// An order was changed by a request, whose text it is called by from then on.
    fn rename(
        &mut self,
        key: Key,
        called: Option<ClOrdId>,
        turn: &mut Turn,
        change: impl FnOnce(&mut Shown),
    ) {
        let Some(kept) = self.orders.get_mut(&key) else { return };
        let previous = kept.shown.id.clone();
        if let Some(called) = called {
            kept.ids.push(called.as_str().to_owned());
            kept.shown.id = called.as_str().to_owned();
            self.by_id.insert((kept.client, kept.shown.id.clone()), key);
        }
        self.change(key, turn, |shown| {
            change(shown);
            Some(Fact::Replaced { previous })
        });
    }

    fn end(&mut self, key: Key, why: EndReason, turn: &mut Turn) {
        if let Some((text, _)) = turn.change_of(key)
            && why == EndReason::Cancelled
        {
            // Its quantity is now what is filled, and nothing is left of it.
            let text = text.clone();
            return self.rename(key, Some(text), turn, |shown| {
                shown.quantity = shown.filled;
                shown.stand = Stand::Filled;
            });
        }
        let request = match &turn.asked {
            Some(Asked::Cancel { text, order }) if *order == key => Some(text.as_str().to_owned()),
            Some(Asked::Cancel { .. } | Asked::Place { .. } | Asked::Change { .. } | Asked::CancelAll)
            | None => None,
        };
        let (at, is_tick) = (turn.at, turn.is_tick);
        let is_mass = matches!(turn.asked, Some(Asked::CancelAll));
        self.change(key, turn, |shown| {
            let is_over = is_tick && shown.until.is_some_and(|until| until <= at);
            let text = match why {
                EndReason::NotFilled => None,
                EndReason::Cancelled if is_over => None,
                EndReason::Cancelled if request.is_some() => Some(""),
                EndReason::Cancelled if is_mass => Some("mass cancel"),
                EndReason::Cancelled => Some("ended by the market or for the whole account"),
                EndReason::SelfTrade => Some(OWN_GROUP),
            };
            let (stand, fact) = match text {
                None => (Stand::Expired, Fact::Expired),
                Some(text) => (Stand::Cancelled, Fact::Cancelled { request, text: text.to_owned() }),
            };
            shown.stand = stand;
            Some(fact)
        });
    }

    fn set_suspended(&mut self, market: u32, is_suspended: bool, turn: &mut Turn) {
        let Some(of) = self.markets.get_mut(&market).filter(|of| of.is_suspended != is_suspended) else {
            return;
        };
        of.is_suspended = is_suspended;
        let of_market = self.orders.range((market, 0)..=(market, u64::MAX));
        let live: Vec<Key> =
            of_market.filter(|(_, kept)| kept.shown.is_live()).map(|(key, _)| *key).collect();
        for key in live {
            self.change(key, turn, |shown| {
                shown.is_suspended = is_suspended;
                is_suspended.then_some(Fact::Suspended)
            });
        }
    }
}

/// What a trade moved, in minor units of quote.
struct Moved {
    quote: u128,
    pays: u128,
    gets: u128,
    asset: Asset,
}

impl Moved {
    /// The fee of a side; a rebate begins with a minus.
    fn fee(&self, side: Side) -> String {
        let (more, less) = match side {
            Side::Bid => (self.pays, self.quote),
            Side::Ask => (self.quote, self.gets),
        };
        let text = |minor| Amount::new(self.asset, minor).decimal();
        match more.checked_sub(less) {
            Some(fee) => text(fee),
            None => format!("-{}", text(less.saturating_sub(more))),
        }
    }
}

impl Turn {
    fn of(seq: u64, entry: &JournalEntry, outcome: &Outcome, names: &mut Names) -> Self {
        let name = match entry.actor {
            Actor::Tenant(tenant) => names.taken(entry.id, tenant),
            _ => None,
        };
        let asked = name.and_then(|name| Asked::of(name, &entry.command, outcome));
        let is_tick = matches!(entry.command, Command::Tick);
        Self { at: entry.recorded_at, seq, count: 0, asked, is_tick }
    }

    /// The request that changes this order, and what of it was done.
    fn change_of(&self, key: Key) -> Option<(&ClOrdId, How)> {
        match &self.asked {
            Some(Asked::Change { text, order, how }) if *order == key => Some((text, *how)),
            _ => None,
        }
    }
}

impl Asked {
    fn of(name: Name, command: &Command, outcome: &Outcome) -> Option<Self> {
        let Command::Exchange(exchange::Command::Orders(batch)) = command else { return None };
        let rows: Vec<OrderRow> = batch.rows().collect();
        let first = rows.first()?;
        let Name { client, kind, text } = name;
        let order = match first.ask {
            Ask::Cancel(id) | Ask::Reduce(id, _) | Ask::Move(id, _) => {
                Some((first.market.number(), id.number()))
            }
            Ask::Place(_) | Ask::CancelAll => None,
        };
        match (kind, first.ask) {
            (NameKind::Place(pricing, stay), Ask::Place(row)) => {
                Some(Self::Place { client, text, terms: (pricing, stay), seat: first.seat, row })
            }
            (NameKind::Cancel, _) => Some(Self::Cancel { text, order: order? }),
            (NameKind::Change, _) => {
                let is_refused = |index: u32| outcome.refused.iter().any(|refused| refused.row == index);
                let is_move = |row: &&OrderRow| matches!(row.ask, Ask::Move(..));
                let of_price = (0..).zip(&rows).find(|(_, row)| is_move(row)).map(|(index, _)| index);
                let how = match of_price {
                    None => How::Smaller,
                    Some(index) if is_refused(index) => How::Half,
                    Some(_) => How::Moved,
                };
                Some(Self::Change { text, order: order?, how })
            }
            (NameKind::CancelAll, _) => Some(Self::CancelAll),
            (NameKind::Place(..), _) => None,
        }
    }
}
