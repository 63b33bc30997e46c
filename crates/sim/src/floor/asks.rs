//! What traders, operators and sources of prices do.

use exchange::price::{Rate, Reading};
use exchange::route::Exact;
use exchange::{Command as C, MarketChange, NewParent, Plan, PriceRequest};
use money::Amount;

use super::opening::{pair, staff};
use super::*;

/// Yuan for a whole BTC at the beginning; a tick is ten of them.
const YUAN: u64 = 500_000;

impl Floor {
    fn submission(actor: Actor, command: C, chance: &mut Chance) -> Submission {
        Submission { id: CommandId::new(chance.number() | 1), actor, command: Command::Exchange(command) }
    }

    fn price(chance: &mut Chance) -> Price {
        let away = if chance.percent(6) { 1_200 } else { 40 };
        Price::new(chance.between(50_000_u64.saturating_sub(away), 50_000_u64.saturating_add(away)))
    }

    /// A batch of one trader's orders, now and then one that places others.
    pub(super) fn some_orders(&mut self, chance: &mut Chance) -> Option<Submission> {
        let index = chance.index(self.traders.len());
        let trader = self.traders.get(index)?.clone();
        let seat = Seat::new(u32::try_from(index).ok()?);
        let side = if chance.percent(50) { Side::Bid } else { Side::Ask };
        if chance.percent(6) {
            let limit = Self::price(chance);
            let plan = Plan::TimeWeighted { limit, pieces: 3, every_ms: 1_000 };
            let quantity = Quantity::new(chance.between(3, 12));
            let parent = NewParent { market: MARKET, seat, side, quantity, plan };
            return Some(Self::submission(trader.actor, C::PlaceParent(parent), chance));
        }
        let count = chance.between(1, 5);
        let rows: Vec<OrderRow> =
            (0..count).map(|_| OrderRow { market: MARKET, seat, ask: self.some_ask(seat, chance) }).collect();
        let batch = OrderBatch::of(&rows).ok()?;
        let submission = Self::submission(trader.actor, C::Orders(batch), chance);
        self.asked.rows.insert(submission.id, rows);
        Some(submission)
    }

    fn some_ask(&self, seat: Seat, chance: &mut Chance) -> Ask {
        let market = self.bank().exchange().market(MARKET);
        let orders: Vec<OrderId> = market
            .map(|market| market.book().orders_of(seat).map(|order| order.id).collect())
            .unwrap_or_default();
        let order = chance.pick(&orders).copied();
        match (chance.below(20), order) {
            (0..=3, Some(order)) => Ask::Cancel(order),
            (4..=5, Some(order)) => Ask::Reduce(order, Quantity::new(chance.between(1, 4))),
            (6..=7, Some(order)) => Ask::Move(order, Self::price(chance)),
            (8, _) => Ask::Cancel(OrderId::from_number(chance.below(1 << 34))),
            _ => {
                let in_force = match chance.below(10) {
                    0..=1 => InForce::ImmediateOrCancel,
                    2 => InForce::FillOrKill,
                    3 => InForce::PostOnly,
                    _ => InForce::UntilEnded,
                };
                let rests = matches!(in_force, InForce::PostOnly | InForce::UntilEnded);
                let self_trade = match chance.below(4) {
                    0 => SelfTrade::CancelTaker,
                    1 => SelfTrade::CancelMaker,
                    2 => SelfTrade::CancelBoth,
                    _ => SelfTrade::Decrement,
                };
                let side = if chance.percent(50) { Side::Bid } else { Side::Ask };
                let (price, lots) = (Self::price(chance), Quantity::new(chance.between(1, 30)));
                let until =
                    (rests && chance.percent(15)).then(|| self.clock.plus_ms(chance.between(1, 9_000)));
                let trigger = chance.percent(8).then(|| Self::price(chance));
                let place = PlaceRow::limit(side, price, lots);
                Ask::Place(PlaceRow { in_force, self_trade, until, trigger, ..place })
            }
        }
    }

    /// Sources say what they see: now and then late, now and then far off, and one of them nothing for a while.
    pub(super) fn read_prices(&mut self, faults: &Faults, chance: &mut Chance) -> Result<(), String> {
        if faults.centre && chance.percent(10) {
            let source = chance.index(SOURCES.len());
            self.silent = Some((source, self.clock.plus_ms(chance.between(1_000, 60_000))));
        }
        for (index, name) in SOURCES.into_iter().enumerate() {
            if self.silent.is_some_and(|(source, until)| source == index && self.clock < until) {
                continue;
            }
            let late =
                if faults.network.delays && chance.percent(30) { chance.between(1, 12_000) } else { 0 };
            let yuan = chance.between(YUAN.saturating_sub(1_000), YUAN.saturating_add(1_000));
            let yuan = if chance.percent(3) { yuan.saturating_mul(2) } else { yuan };
            let rate = Rate::from_e18(u128::from(yuan).saturating_mul(1_000_000_000_000_000_000));
            let at = self.clock.minus_ms(late);
            let reading = Reading { source: Text::clip(name), bid: rate, ask: rate, at };
            let command = Command::Exchange(C::ReadPrice { pair: pair(btc()), reading });
            let submission = Submission { id: CommandId::new(0), actor: Actor::System, command };
            let now = self.clock.max(self.bank().recorded_at());
            if let Some(Reply::Taken { .. }) = self.give(vec![submission])?.pop() {
                self.asked.readings.push((now, index, at));
            }
        }
        Ok(())
    }

    pub(super) fn ask_price(&mut self, faults: &Faults, chance: &mut Chance) -> Result<(), String> {
        if chance.percent(70) {
            self.read_prices(faults, chance)?;
        }
        let customers = self.traders.iter().filter(|trader| trader.converts).count();
        let index = chance.index(customers);
        let Some(trader) = self.traders.get(index).cloned() else { return Ok(()) };
        let coins = Amount::new(btc(), u128::from(chance.between(1, 3_000_000)));
        let money = Amount::new(Asset::CNY, u128::from(chance.between(1, 1_500_000)));
        let (base, quote) = (trader.base, trader.quote);
        let (from, to, exact) = match chance.below(4) {
            0 => (quote, base, Exact::Pays { amount: money, takes: btc() }),
            1 => (quote, base, Exact::Takes { amount: coins, pays: Asset::CNY }),
            2 => (base, quote, Exact::Pays { amount: coins, takes: Asset::CNY }),
            _ => (base, quote, Exact::Takes { amount: money, pays: btc() }),
        };
        let id = OfferId::new(chance.number());
        let request = C::RequestQuote(PriceRequest { id, from, to, exact });
        let submission = Self::submission(trader.actor, request, chance);
        self.ask(vec![submission], faults, chance)?;
        if let Some(offer) = self.bank().exchange().dealing().desk().offer(id) {
            let (terms, expires_at) = (offer.terms_hash(), offer.expires_at);
            self.offers.push_back(Known { trader: index, id, terms, expires_at });
            if self.offers.len() > KEPT_MAX {
                self.offers.pop_front();
            }
        }
        if chance.percent(50) { self.take_offer(faults, chance) } else { Ok(()) }
    }

    /// An offer is taken: at once, at its last moment or the one after, or a second time.
    pub(super) fn take_offer(&mut self, faults: &Faults, chance: &mut Chance) -> Result<(), String> {
        let index = self.offers.len().saturating_sub(chance.between(1, 3).try_into().unwrap_or(1));
        let Some(known) = self.offers.get(index).copied() else { return Ok(()) };
        let Some(trader) = self.traders.get(known.trader).cloned() else { return Ok(()) };
        if self.clock < known.expires_at && chance.percent(30) {
            self.clock = known.expires_at.minus_ms(chance.below(2));
        }
        let was_open = self.bank().exchange().dealing().desk().offer(known.id).is_some();
        let command = C::AcceptQuote { offer: known.id, terms_hash: known.terms };
        let submission = Self::submission(trader.actor, command, chance);
        let seq = self.bank().seq();
        self.ask(vec![submission], faults, chance)?;
        let is_taken = was_open
            && self.shell.is_alive()
            && self.bank().seq() > seq
            && self
                .bank()
                .exchange()
                .dealing()
                .desk()
                .ended(known.id)
                .is_some_and(|ended| ended.how == exchange::quote::OfferEnd::Accepted);
        if is_taken && self.clock >= known.expires_at {
            return Err(format!(
                "offer {} was taken at {}, open until {}",
                known.id, self.clock, known.expires_at
            ));
        }
        Ok(())
    }

    /// Operators suspend the market, and two of them let it go on.
    pub(super) fn operators_act(&mut self, faults: &Faults, chance: &mut Chance) -> Result<(), String> {
        let Some(market) = self.bank().exchange().market(MARKET) else { return Ok(()) };
        if market.phase() != Phase::Suspended {
            let submission = Self::submission(staff("lin"), C::Suspend { market: MARKET }, chance);
            self.asked.suspensions.insert(submission.id);
            self.ask(vec![submission], faults, chance)?;
            if chance.percent(50) {
                return Ok(());
            }
        }
        let change = MarketChange::Resume { market: MARKET, reference: Some(Price::new(50_000)) };
        let propose = Self::submission(staff("lin"), C::Propose(change), chance);
        self.ask(vec![propose], faults, chance)?;
        let proposal = self.bank().exchange().proposals().last().map(|(number, _)| number);
        if let Some(proposal) = proposal {
            let approve = Self::submission(staff("wen"), C::Approve { proposal }, chance);
            self.ask(vec![approve], faults, chance)?;
        }
        Ok(())
    }
}
