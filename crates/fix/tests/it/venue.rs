//! A venue in memory: price-time priority in the plainest way.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use fix::UtcTime;
use fix::venue::{
    Answer, Book, ClOrdId, Client, Credentials, Decimal, Execution, Fee, Happened, Instrument, Kind, Level,
    Lifetime, LogOnRefused, Lots, MarketState, NewOrder, OrderNumber, OrderState, OrderView, Position, Price,
    Refusal, RefusalReason, Reply, Request, Scope, Side, Symbol, Trade, TradeNumber, Venue, Waker,
};

/// What everybody's password is.
pub(crate) const TOKEN: &str = "correct horse";
/// The time of everything that happens here.
pub(crate) const AT: UtcTime = UtcTime::from_ms(1_709_208_000_000);

struct Resting {
    owner: u128,
    view: OrderView,
    /// All ids that it has had.
    ids: Vec<ClOrdId>,
}

#[derive(Default)]
struct State {
    /// In the order of placing; live or not.
    orders: Vec<Resting>,
    requests: BTreeMap<(u128, ClOrdId), ()>,
    executions: BTreeMap<u128, Vec<Execution>>,
    trades: Vec<Trade>,
    wakers: Vec<Waker>,
    /// Requests are kept here instead of being taken.
    held: Option<Vec<(u128, Request, Reply)>>,
    market: Option<MarketState>,
}

/// Anybody with the token, each session its own client; two instruments.
#[derive(Default)]
pub(crate) struct MemoryVenue(Mutex<State>);

pub(crate) fn instruments() -> Vec<Instrument> {
    let instrument = |symbol: &str, tick, lot| Instrument {
        symbol: Symbol::new(symbol),
        quote: "CNY".to_owned(),
        tick,
        lot,
        smallest: Lots::new(1),
    };
    let (cent, milli) = (Decimal::new(1, 2).unwrap(), Decimal::new(1, 3).unwrap());
    vec![instrument("BTC/CNY", cent, milli), instrument("ETH/CNY", Decimal::new(5, 2).unwrap(), milli)]
}

fn no(reason: RefusalReason, text: &str) -> Answer {
    Answer::Refused(Refusal { reason, text: text.to_owned() })
}

impl MemoryVenue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// From now on requests wait.
    pub(crate) fn hold(&self) {
        self.lock().held = Some(Vec::new());
    }

    /// How many requests wait.
    pub(crate) fn held(&self) -> usize {
        self.lock().held.as_ref().map_or(0, Vec::len)
    }

    /// Takes what waits, with no answer to the first `lost`.
    pub(crate) fn go_on(&self, lost: usize) {
        let mut state = self.lock();
        let held = state.held.take().unwrap_or_default();
        let answers: Vec<(Reply, Answer)> =
            held.into_iter().map(|(owner, request, reply)| (reply, state.take(owner, request))).collect();
        drop(state);
        for (at, (reply, answer)) in answers.into_iter().enumerate() {
            if at >= lost {
                reply.give(answer);
            }
        }
        self.wake_all();
    }

    pub(crate) fn set_market(&self, state: MarketState) {
        self.lock().market = Some(state);
        self.wake_all();
    }

    /// Live orders of everybody.
    pub(crate) fn live(&self) -> usize {
        self.lock().orders.iter().filter(|order| order.view.state.is_live()).count()
    }

    fn wake_all(&self) {
        self.lock().wakers.retain(Waker::wake);
    }
}

impl State {
    fn happen(&mut self, at: usize, happened: Happened) {
        let (owner, order) = (self.orders[at].owner, self.orders[at].view.clone());
        let list = self.executions.entry(owner).or_default();
        let position = Position::new(list.len() as u64 + 1);
        list.push(Execution { position, at: AT, order, happened });
    }

    fn find(&self, owner: u128, id: &ClOrdId) -> Option<usize> {
        self.orders.iter().rposition(|order| order.owner == owner && order.ids.contains(id))
    }

    fn take(&mut self, owner: u128, request: Request) -> Answer {
        if self.requests.contains_key(&(owner, request.id().clone())) {
            return Answer::Before;
        }
        let id = request.id().clone();
        let answer = match request {
            Request::Place(order) => self.place(owner, order),
            Request::Cancel { id, order } => self.live_order(owner, &order).map(|at| {
                self.end(
                    at,
                    OrderState::Cancelled,
                    Happened::Cancelled { request: Some(id), text: String::new() },
                );
                0
            }),
            Request::Reduce { id, order, quantity } => self.live_order(owner, &order).map(|at| {
                self.orders[at].view.quantity = quantity;
                self.rename(at, id);
                0
            }),
            Request::Move { id, order, price, quantity } => self.live_order(owner, &order).map(|at| {
                let mut moved = self.orders.remove(at);
                moved.view.quantity = quantity;
                moved.view.kind = Kind::Limit { price };
                self.orders.push(moved);
                let at = self.orders.len() - 1;
                self.rename(at, id);
                self.fill(at);
                0
            }),
            Request::CancelAll { id: _, scope } => {
                let hit: Vec<usize> =
                    (0..self.orders.len()).filter(|at| self.is_in(*at, owner, &scope)).collect();
                for at in &hit {
                    let text = "mass cancel".to_owned();
                    self.end(*at, OrderState::Cancelled, Happened::Cancelled { request: None, text });
                }
                Ok(hit.len() as u64)
            }
        };
        match answer {
            Ok(orders) => {
                self.requests.insert((owner, id), ());
                Answer::Taken { orders }
            }
            Err(answer) => answer,
        }
    }

    fn is_in(&self, at: usize, owner: u128, scope: &Scope) -> bool {
        let order = &self.orders[at];
        order.owner == owner
            && order.view.state.is_live()
            && scope.symbol.as_ref().is_none_or(|symbol| *symbol == order.view.symbol)
            && scope.side.is_none_or(|side| side == order.view.side)
    }

    fn live_order(&self, owner: u128, id: &ClOrdId) -> Result<usize, Answer> {
        let at = self.find(owner, id).ok_or(no(RefusalReason::UnknownOrder, "there is no such order"))?;
        let live = self.orders[at].view.state.is_live();
        if live { Ok(at) } else { Err(no(RefusalReason::TooLate, "the order has ended")) }
    }

    fn rename(&mut self, at: usize, id: ClOrdId) {
        let previous = std::mem::replace(&mut self.orders[at].view.id, id.clone());
        self.orders[at].ids.push(id);
        self.happen(at, Happened::Replaced { previous });
    }

    fn end(&mut self, at: usize, state: OrderState, happened: Happened) {
        self.orders[at].view.state = state;
        self.happen(at, happened);
    }

    fn place(&mut self, owner: u128, order: NewOrder) -> Result<u64, Answer> {
        if order.quantity > Lots::new(1_000_000) {
            return Err(no(RefusalReason::ExceedsLimit, "more than 1000 is needed"));
        }
        let view = OrderView {
            number: OrderNumber::new(self.orders.len() as u64 + 1),
            id: order.id.clone(),
            symbol: order.symbol,
            side: order.side,
            kind: order.kind,
            lifetime: order.lifetime,
            post_only: order.post_only,
            display: order.display,
            quantity: order.quantity,
            filled: Lots::ZERO,
            value: 0,
            state: if order.kind.stop().is_some() { OrderState::Waiting } else { OrderState::Open },
        };
        self.orders.push(Resting { owner, view, ids: vec![order.id] });
        let at = self.orders.len() - 1;
        if order.post_only && self.best(at).is_some() {
            self.orders.pop();
            return Err(no(RefusalReason::Other, "it would be filled at once"));
        }
        self.happen(at, Happened::Placed);
        if self.orders[at].view.state == OrderState::Waiting {
            return Ok(0);
        }
        self.fill(at);
        let rests = matches!(order.lifetime, Lifetime::UntilCancelled | Lifetime::Until(_));
        if !rests && self.orders[at].view.state == OrderState::Open {
            self.end(at, OrderState::Expired, Happened::Expired);
        }
        Ok(0)
    }

    /// The first order that this one meets.
    fn best(&self, at: usize) -> Option<usize> {
        let taker = &self.orders[at].view;
        let meets = |maker: &OrderView| {
            let price = maker.kind.price()?;
            let reach = taker.kind.price().is_none_or(|limit| match taker.side {
                Side::Buy => price <= limit,
                Side::Sell => price >= limit,
            });
            let open =
                maker.state == OrderState::Open && maker.symbol == taker.symbol && maker.side != taker.side;
            (reach && open).then_some(match taker.side {
                Side::Buy => price.number(),
                Side::Sell => u64::MAX - price.number(),
            })
        };
        let found = self.orders.iter().enumerate().filter(|(other, _)| *other != at);
        found.filter_map(|(other, order)| Some((meets(&order.view)?, other))).min().map(|(_, other)| other)
    }

    fn fill(&mut self, at: usize) {
        while self.orders[at].view.state == OrderState::Open {
            let Some(maker) = self.best(at) else { return };
            let quantity = self.orders[at].view.open().min(self.orders[maker].view.open());
            let price = self.orders[maker].view.kind.price().unwrap();
            for (one, is_maker) in [(maker, true), (at, false)] {
                let view = &mut self.orders[one].view;
                view.filled = Lots::new(view.filled.number() + quantity.number());
                view.value += u128::from(price.number()) * u128::from(quantity.number());
                if view.filled == view.quantity {
                    view.state = OrderState::Filled;
                }
                let amount = if is_maker { "-0.01" } else { "0.02" }.to_owned();
                let fee = Some(Fee { amount, currency: "CNY".to_owned() });
                self.happen(one, Happened::Filled { price, quantity, maker: is_maker, fee });
            }
            let number = TradeNumber::new(self.trades.len() as u64 + 1);
            self.trades.push(Trade { number, at: AT, price, quantity });
        }
    }
}

impl Venue for MemoryVenue {
    fn log_on(&self, credentials: &Credentials<'_>) -> Result<Client, LogOnRefused> {
        if credentials.password != TOKEN {
            return Err(LogOnRefused("not authorised".to_owned()));
        }
        let number = credentials.session.bytes().fold(0_u128, |sum, byte| sum * 256 + u128::from(byte));
        Ok(Client { number, account: credentials.username.to_owned() })
    }

    fn instruments(&self) -> Vec<Instrument> {
        instruments()
    }

    fn submit(&self, client: &Client, request: Request, reply: Reply) {
        let mut state = self.lock();
        if let Some(held) = &mut state.held {
            held.push((client.number, request, reply));
            return;
        }
        let answer = state.take(client.number, request);
        drop(state);
        reply.give(answer);
        self.wake_all();
    }

    fn order(&self, client: &Client, id: &ClOrdId) -> Option<OrderView> {
        let state = self.lock();
        state.find(client.number, id).map(|at| state.orders[at].view.clone())
    }

    fn orders(&self, client: &Client, scope: &Scope, most: usize) -> Vec<OrderView> {
        let state = self.lock();
        let hit = (0..state.orders.len()).filter(|at| state.is_in(*at, client.number, scope));
        hit.take(most).map(|at| state.orders[at].view.clone()).collect()
    }

    fn executions(&self, client: &Client, after: Position, most: usize) -> Vec<Execution> {
        let state = self.lock();
        let list = state.executions.get(&client.number);
        list.into_iter().flatten().skip(after.number() as usize).take(most).cloned().collect()
    }

    fn latest(&self, client: &Client) -> Position {
        Position::new(self.lock().executions.get(&client.number).map_or(0, Vec::len) as u64)
    }

    fn book(&self, symbol: &Symbol, depth: usize) -> Option<Book> {
        let state = self.lock();
        let side = |side: Side| -> BTreeMap<Price, u64> {
            let mut levels = BTreeMap::new();
            let open = |view: &&OrderView| {
                view.state == OrderState::Open && view.side == side && view.symbol == *symbol
            };
            for view in state.orders.iter().map(|order| &order.view).filter(open) {
                if let Some(price) = view.kind.price() {
                    *levels.entry(price).or_default() += view.open().number();
                }
            }
            levels
        };
        let level = |(price, lots)| Level { price, quantity: Lots::new(lots) };
        Some(Book {
            bids: side(Side::Buy).into_iter().rev().take(depth).map(level).collect(),
            asks: side(Side::Sell).into_iter().take(depth).map(level).collect(),
        })
    }

    fn trades(&self, _: &Symbol, after: TradeNumber, most: usize) -> Vec<Trade> {
        let state = self.lock();
        let later: Vec<Trade> = state.trades.iter().filter(|trade| trade.number > after).copied().collect();
        later[later.len().saturating_sub(most)..].to_vec()
    }

    fn state(&self, _: &Symbol) -> Option<MarketState> {
        Some(self.lock().market.unwrap_or(MarketState::Continuous))
    }

    fn wake(&self, waker: Waker) {
        self.lock().wakers.push(waker);
    }
}
