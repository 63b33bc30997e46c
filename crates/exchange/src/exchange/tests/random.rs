//! The whole machine over the books, at random: every kind of command from several owners, and after each everything that must hold.
//!
//! The rig feeds a replica from the bytes of what happened; a naive account says who has what. Where something breaks, the seed and the last steps are printed.

mod dice;
mod naive;

use std::collections::{BTreeMap, VecDeque};

use dice::Dice;
use naive::Naive;

use super::dealing::{OWN_BTC, OWN_CNY, cny, convert_terms, desk, pair, sat};
use super::*;
use crate::dealing::PriceRequest;
use crate::pool::{Coin, Curve, PoolCommand, PoolNumber, PoolTerms};
use crate::price::{Rate, Reading};
use crate::quote::{ConvertTerms, OfferId, QuoteChange, TermsHash};
use crate::route::Exact;

/// Steps of one world: its books grow, and are compared whole.
const STEPS: usize = 200;
const OTHER: MarketNumber = MarketNumber::new(2);
const TENANT: u128 = 6;

/// The last steps, told if the test stops.
struct Trail {
    seed: u64,
    steps: VecDeque<String>,
}

#[expect(clippy::disallowed_macros, reason = "what led to a failure is told")]
impl Drop for Trail {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}, the last steps:", self.seed);
            self.steps.iter().for_each(|step| eprintln!("  {step}"));
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Chair {
    market: MarketNumber,
    seat: Seat,
    number: u128,
}

struct World {
    rig: Rig,
    dice: Dice,
    naive: Naive,
    trail: Trail,
    chairs: Vec<Chair>,
    offers: Vec<(u128, OfferId, TermsHash)>,
    parents: u32,
    proposals: Vec<u64>,
    counts: BTreeMap<String, u64>,
    count: usize,
}

fn eth() -> Asset {
    Asset::new("ETH", 18).unwrap()
}

fn share() -> Asset {
    Asset::new("POOL1", 18).unwrap()
}

fn caller(number: u128) -> Caller {
    match number {
        91 => operator("lin"),
        TENANT => Caller { operator: None, owner: Owner::Tenant(6) },
        _ => customer(number),
    }
}

fn other_rules() -> Rules {
    let hours = Hours {
        utc_offset_minutes: 0,
        days: 0b001_1111,
        call_at: 10,
        open_at: 20,
        closing_call_at: 12 * 60 + 3,
        close_at: 12 * 60 + 4,
        holidays: Vec::new(),
    };
    Rules {
        base: eth(),
        lot: 1_000_000_000_000_000,
        tick: 3,
        fees: Fees { maker: MakerFee::Gets(700), taker_ppm: 2_500 },
        open_orders_max: 6,
        hours: Some(hours),
        ..rules()
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rig = desk();
        rig.whole_every = 8;
        for (id, kind, asset) in [
            (903, AccountKind::Reserve, eth()),
            (920, AccountKind::Customer, btc()),
            (921, AccountKind::Customer, Asset::CNY),
            (922, AccountKind::Reserve, share()),
            (912, AccountKind::Customer, share()),
        ] {
            // The fees in BTC have 912 already.
            let id = if id == 912 { 919 } else { id };
            rig.open(id, kind, asset);
        }
        rig.change(MarketChange::Open { rules: other_rules(), reference: Price::new(20_000) });
        let coins = vec![Coin::new(btc()), Coin::new(Asset::CNY)];
        let terms = PoolTerms { coins, curve: Curve::Product, fee_ppm: 3_000, share: share() };
        let accounts = vec![AccountId::new(920), AccountId::new(921)];
        rig.change(MarketChange::OpenPool { terms, accounts, shares: AccountId::new(922) });
        let mut world = Self {
            rig,
            dice: Dice::new(seed),
            naive: Naive::default(),
            trail: Trail { seed, steps: VecDeque::new() },
            chairs: Vec::new(),
            offers: Vec::new(),
            parents: 0,
            proposals: Vec::new(),
            counts: BTreeMap::new(),
            count: 0,
        };
        for number in 1..=TENANT {
            for (place, asset) in [btc(), Asset::CNY, share(), eth()].into_iter().enumerate() {
                world.rig.open(number * 10 + place as u128, AccountKind::Customer, asset);
            }
            world.rig.fund(902, number * 10, sat(60_000_000));
            world.rig.fund(901, number * 10 + 1, cny(30_000_000));
            world.rig.fund(903, number * 10 + 3, Amount::new(eth(), 900_000_000_000_000_000));
            world.sit(MARKET, number, number * 10, (number <= 2).then_some(5));
            world.sit(OTHER, number, number * 10 + 3, None);
        }
        world.rig.fund(901, OWN_CNY, cny(400_000_000));
        world.rig.fund(902, OWN_BTC, sat(400_000_000));
        world.sit(MARKET, 91, OWN_BTC, None);
        for (id, account) in world.rig.ledger.accounts() {
            if account.kind() != AccountKind::Reserve {
                world.naive.give(id, posted(account));
            }
        }
        world
    }

    fn sit(&mut self, market: MarketNumber, number: u128, base: u128, group: Option<u32>) {
        let quote = AccountId::new(if number == 91 { OWN_CNY } else { number * 10 + 1 });
        let command = Command::TakeSeat { market, base: AccountId::new(base), quote, group };
        let taken = self.rig.take(&command, &caller(number)).unwrap();
        let [Event::SeatTaken { seat, .. }] = taken.outcome.events[..] else { panic!("{taken:?}") };
        self.chairs.push(Chair { market, seat, number });
    }

    fn say(&mut self, what: String) {
        if self.trail.steps.len() == 12 {
            self.trail.steps.pop_front();
        }
        self.trail.steps.push_back(what);
    }

    fn counted(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }

    /// Takes a command; what is refused must leave nothing.
    fn take(&mut self, command: &Command, caller: &Caller) -> Option<Outcome> {
        let rows = match command {
            Command::Orders(batch) => format!("{:?}", batch.rows().collect::<Vec<_>>()),
            _ => format!("{command:?}"),
        };
        self.say(format!("{} {:?}: {rows}", self.rig.now, caller.owner));
        match self.rig.take(command, caller) {
            Ok(taken) => {
                assert_eq!(taken.refusals.len(), taken.outcome.refused.len());
                for refusal in &taken.refusals {
                    let kind: String =
                        format!("{refusal:?}").chars().take_while(|c| c.is_alphabetic()).collect();
                    self.counted(&format!("row refused: {kind}"));
                }
                self.observe(&taken.outcome);
                Some(taken.outcome)
            }
            Err(refusal) => {
                let kind: String =
                    format!("{refusal:?}").chars().take_while(|c| !c.is_whitespace()).collect();
                self.counted(&format!("refused: {kind}"));
                self.rig.follow(&Outcome::default());
                None
            }
        }
    }

    fn observe(&mut self, outcome: &Outcome) {
        let Self { rig, naive, .. } = self;
        naive.observe(&rig.exchange, outcome, rig.now);
        for event in &outcome.events {
            match event {
                Event::ParentPlaced { number, .. } => self.parents = number.number(),
                Event::Proposed { number, .. } => self.proposals.push(*number),
                Event::PhaseChanged { phase: Phase::Call { why, .. }, .. } => {
                    *self.counts.entry(format!("call: {why:?}")).or_default() += 1;
                }
                Event::ParentWorked { next: None, .. } => {
                    *self.counts.entry("parent: last order".to_owned()).or_default() += 1;
                }
                Event::ParentEnded { why, .. } => {
                    *self.counts.entry(format!("parent: {why:?}")).or_default() += 1;
                }
                Event::Converted { .. } => *self.counts.entry("converted".to_owned()).or_default() += 1,
                Event::PoolMoved(_) => *self.counts.entry("pool moved".to_owned()).or_default() += 1,
                _ => {}
            }
        }
        for (id, has) in self.naive.has() {
            let account = self.rig.ledger.account(id).unwrap();
            assert_eq!(posted(account), has, "account {id}");
        }
        for market in self.rig.exchange.markets() {
            let book = market.book();
            if let (Phase::Open, Some(bid), Some(ask)) =
                (market.phase(), book.best(Side::Bid), book.best(Side::Ask))
            {
                assert!(bid.price < ask.price, "market {} is crossed", market.number());
            }
            assert_eq!(self.naive.open(market.number()), market.claims().count());
        }
    }

    fn pass(&mut self, ms: u64) {
        self.say(format!("{} ms pass", ms));
        let outcome = self.rig.tick(ms);
        self.observe(&outcome);
        // A tick does one piece of a larger order; more of them may have fallen due.
        for _ in 0..100_000 {
            if self.rig.exchange.next_due().is_none_or(|due| due > self.rig.now) {
                return;
            }
            let outcome = self.rig.tick(0);
            assert!(!outcome.events.is_empty(), "something is due and nothing happens");
            self.observe(&outcome);
        }
        panic!("what is due never ends");
    }

    /// Lives on with what a snapshot kept; the replica does not, so that every later difference shows.
    fn restart(&mut self) {
        self.say("a snapshot is read".to_owned());
        let bytes = minicbor::to_vec(&self.rig.exchange).unwrap();
        self.rig.exchange = minicbor::decode(&bytes).unwrap();
        assert_eq!(minicbor::to_vec(&self.rig.exchange).unwrap(), bytes);
    }

    fn step(&mut self) {
        self.count += 1;
        match self.dice.below(100) {
            0..60 => self.orders(),
            60..68 => {
                let ms = self.dice.pick(&[0, 1, 500, 2_000, 5_000]);
                self.pass(ms);
            }
            68..72 => self.parent(),
            72..75 => self.read(),
            75..80 => self.ask_price(),
            80..85 => self.take_offer(),
            85..88 => self.pool(),
            88..91 => self.stop(),
            91..95 => self.change_markets(),
            95..97 => self.move_money(),
            97 => self.restart(),
            98 => {
                let due = self.rig.exchange.next_due().map_or(0, |due| due.since(self.rig.now));
                self.pass(due.min(90_000_000));
            }
            _ => self.read(),
        }
    }

    fn orders(&mut self) {
        let chair = self.dice.pick(&self.chairs.clone());
        let count = if self.dice.percent(70) { 1 } else { self.dice.between(2, 5) };
        let rows: Vec<OrderRow> = (0..count).map(|_| self.row(chair)).collect();
        let by = if self.dice.percent(97) { chair.number } else { u128::from(self.dice.between(1, 6)) };
        self.take(&Command::Orders(OrderBatch::of(&rows).unwrap()), &caller(by));
    }

    fn row(&mut self, chair: Chair) -> OrderRow {
        let Chair { market, mut seat, .. } = chair;
        if self.dice.percent(2) {
            seat = Seat::new(u32::try_from(self.dice.below(12)).unwrap());
        }
        let of = if self.dice.percent(1) { MarketNumber::new(9) } else { market };
        let known = self.rig.exchange.market(market).unwrap();
        let has_orders = known.claims().any(|claim| claim.seat == seat);
        let ask = match self.dice.below(if has_orders { 100 } else { 63 }) {
            0..62 => Ask::Place(self.place(market)),
            62..72 => Ask::Cancel(self.order(market, seat)),
            72..84 => Ask::Reduce(self.order(market, seat), Quantity::new(self.dice.below(6))),
            84..98 => Ask::Move(self.order(market, seat), self.price(market)),
            _ => Ask::CancelAll,
        };
        OrderRow { market: of, seat, ask }
    }

    fn order(&mut self, market: MarketNumber, seat: Seat) -> OrderId {
        let claims = || self.rig.exchange.market(market).unwrap().claims();
        let own: Vec<OrderId> = claims().filter(|claim| claim.seat == seat).map(|claim| claim.id).collect();
        let all: Vec<OrderId> = claims().map(|claim| claim.id).collect();
        match self.dice.below(20) {
            0 => OrderId::from_number(self.dice.below(1 << 34)),
            1 if !all.is_empty() => self.dice.pick(&all),
            _ if !own.is_empty() => self.dice.pick(&own),
            _ => OrderId::from_number(1),
        }
    }

    fn price(&mut self, market: MarketNumber) -> Price {
        let market = self.rig.exchange.market(market).unwrap();
        let around = market.book().last_price().unwrap_or(market.reference()).ticks();
        let away = |bps: u64| around * bps / 10_000;
        let (low, high) = match self.dice.below(40) {
            0 => (0, 0),
            1..3 => (around / 2, around * 2),
            3..7 => (around - away(700), around + away(700)),
            _ => (around - away(20), around + away(20)),
        };
        Price::new(self.dice.between(low, high))
    }

    fn place(&mut self, market: MarketNumber) -> PlaceRow {
        let (price, now) = (self.price(market), self.rig.now);
        let dice = &mut self.dice;
        let lots = match dice.below(40) {
            0 => 0,
            1 => dice.between(5_000, 12_000),
            _ => dice.between(1, 30),
        };
        let ticks_lots = price.ticks() * lots * dice.between(99, 102) / 100;
        let terms = match dice.below(12) {
            0 => Terms::Budget { ticks_lots, worst: price },
            1 => Terms::WholeFor { ticks_lots },
            _ => Terms::Limit(price),
        };
        let at_once = [InForce::ImmediateOrCancel, InForce::FillOrKill];
        let in_force = match (terms, dice.below(12)) {
            (Terms::Budget { .. }, 0..11) => InForce::ImmediateOrCancel,
            (Terms::WholeFor { .. }, 0..11) => InForce::FillOrKill,
            (_, 0..3) => dice.pick(&at_once),
            (_, 3..5) => InForce::PostOnly,
            _ => InForce::UntilEnded,
        };
        let kinds =
            [SelfTrade::CancelTaker, SelfTrade::CancelMaker, SelfTrade::CancelBoth, SelfTrade::Decrement];
        let rests = matches!(in_force, InForce::UntilEnded | InForce::PostOnly) || dice.percent(2);
        let shown = if rests && dice.percent(15) { dice.between(0, lots + 1) } else { 0 };
        let away = price.ticks() / 300;
        let is_limit = matches!(terms, Terms::Limit(_));
        let trigger = (is_limit && dice.percent(12))
            .then(|| Price::new(price.ticks() - away + dice.below(2 * away + 1)));
        let until = (rests && dice.percent(12)).then(|| now.plus_ms(dice.below(15_000)));
        let is_budget = matches!(terms, Terms::Budget { .. }) && dice.percent(95);
        PlaceRow {
            side: if is_budget { Side::Bid } else { dice.pick(&[Side::Bid, Side::Ask]) },
            terms,
            in_force,
            self_trade: dice.pick(&kinds),
            quantity: Quantity::new(lots),
            shown: Quantity::new(shown),
            trigger,
            until,
            client: if dice.percent(20) { dice.between(1, 6) } else { 0 },
        }
    }

    fn parent(&mut self) {
        let chair = self.dice.pick(&self.chairs.clone());
        if self.parents > 0 && self.dice.percent(15) {
            let number = ParentNumber::new(u32::try_from(self.dice.between(1, 20)).unwrap());
            self.take(&Command::EndParent { market: chair.market, parent: number }, &caller(chair.number));
            return;
        }
        let side = self.dice.pick(&[Side::Bid, Side::Ask]);
        let price = self.price(chair.market).ticks();
        let (better, worse) = (price / 400, price / self.dice.pick(&[100, 100, 9]));
        let plan = if self.dice.percent(60) {
            // A bid waits below the price and is chased above it.
            let at = |by: u64, up: bool| Price::new(if up { price + by } else { price.saturating_sub(by) });
            let up = (side == Side::Bid) == self.dice.percent(95);
            Plan::OneCancelsOther {
                limit: at(better, !up),
                trigger: at(self.dice.below(price / 150 + 1), up),
                stop_limit: at(worse, up),
            }
        } else {
            let pieces = u32::try_from(self.dice.between(1, 5)).unwrap();
            let every_ms = self.dice.pick(&[999, 1_000, 2_000]);
            Plan::TimeWeighted { limit: Price::new(price), pieces, every_ms }
        };
        let most = self.dice.pick(&[20, 20, 500]);
        let quantity = Quantity::new(self.dice.below(most));
        let parent = NewParent { market: chair.market, seat: chair.seat, side, quantity, plan };
        self.take(&Command::PlaceParent(parent), &caller(chair.number));
    }

    /// A reading, now and then late or far away.
    fn read(&mut self) {
        let yuan = match self.dice.below(20) {
            0 => 800_000,
            _ => self.dice.between(490_000, 510_000),
        };
        let at = if self.dice.percent(90) { self.rig.now } else { Timestamp::from_ms(MONDAY) };
        let rate = |yuan: u64| Rate::from_e18(u128::from(yuan) * 1_000_000_000_000_000_000);
        let width = self.dice.below(100);
        let (bid, ask) = (rate(yuan), rate(yuan + width));
        let source = Text::clip(self.dice.pick(&["one", "two"]));
        let reading = Reading { source, bid, ask, at };
        self.take(&Command::ReadPrice { pair: pair(), reading }, &operator("feed"));
    }

    fn ask_price(&mut self) {
        let number = u128::from(self.dice.between(1, 6));
        let (base, quote) = (AccountId::new(number * 10), AccountId::new(number * 10 + 1));
        let (coins, money) =
            (sat(self.dice.between(1, 40_000_000).into()), cny(self.dice.between(1, 20_000_000).into()));
        let (from, to, exact) = match self.dice.below(4) {
            0 => (quote, base, Exact::Pays { amount: money, takes: btc() }),
            1 => (quote, base, Exact::Takes { amount: coins, pays: Asset::CNY }),
            2 => (base, quote, Exact::Pays { amount: coins, takes: Asset::CNY }),
            _ => (base, quote, Exact::Takes { amount: money, pays: btc() }),
        };
        let id = OfferId::new(if self.dice.percent(95) { self.count as u128 } else { 3 });
        let command = Command::RequestQuote(PriceRequest { id, from, to, exact });
        let outcome = self.take(&command, &caller(number));
        for event in outcome.iter().flat_map(|outcome| &outcome.events) {
            if let Event::Quote(QuoteChange::Offered(offer)) = event {
                self.offers.push((number, offer.id(), offer.terms_hash()));
            }
        }
    }

    fn take_offer(&mut self) {
        if self.offers.is_empty() {
            return;
        }
        let newest = self.offers.len().saturating_sub(3);
        let (owner, offer, hash) = self.dice.pick(&self.offers[newest..]);
        let owner = if self.dice.percent(95) { owner } else { 1 };
        let terms_hash = if self.dice.percent(95) { hash } else { TermsHash::new([1; 32]) };
        self.take(&Command::AcceptQuote { offer, terms_hash }, &caller(owner));
    }

    fn pool(&mut self) {
        let number = u128::from(self.dice.between(1, 5));
        let coins = sat(self.dice.between(0, 30_000_000).into());
        let money = cny(self.dice.between(0, 15_000_000).into());
        let shares = self.rig.money(number * 10 + 2).0;
        let part = Amount::new(share(), shares / u128::from(self.dice.between(1, 4)));
        let command = match self.dice.below(6) {
            0 => PoolCommand::SwapIn { pays: coins, takes_least: cny(1) },
            1 => PoolCommand::SwapIn { pays: money, takes_least: sat(1) },
            2 => PoolCommand::SwapOut { takes: coins, pays_most: cny(10_000_000_000) },
            3 => PoolCommand::Add { pays: vec![coins, money], shares_least: Amount::new(share(), 0) },
            4 => PoolCommand::Remove { shares: part, takes_least: vec![sat(0), cny(0)] },
            _ => PoolCommand::RemoveOne { shares: part, takes_least: cny(0) },
        };
        let account = AccountId::new;
        let command = Command::UsePool {
            pool: PoolNumber::new(if self.dice.percent(95) { 1 } else { 2 }),
            command,
            accounts: vec![account(number * 10), account(number * 10 + 1)],
            shares: account(number * 10 + 2),
        };
        self.take(&command, &caller(number));
    }

    fn stop(&mut self) {
        let Chair { market, seat, number } = self.dice.pick(&self.chairs.clone());
        let by = if self.dice.percent(80) { number } else { self.dice.pick(&[91, 1, 2]) };
        if self.dice.percent(40) {
            self.take(&Command::StopSeat { market, seat }, &caller(by));
        }
        // Most are freed again, so that somebody is left to trade.
        for Chair { market, seat, number } in self.chairs.clone() {
            let is_stopped = self.rig.exchange.market(market).unwrap().seat(seat).unwrap().is_stopped;
            if is_stopped && self.dice.percent(70) {
                self.take(&Command::FreeSeat { market, seat }, &caller(number));
            }
        }
    }

    fn change_markets(&mut self) {
        let suspended = |market: &crate::market::Market| market.phase() == Phase::Suspended;
        let suspended = self.rig.exchange.markets().iter().find(|market| suspended(market));
        let market = suspended.map(crate::market::Market::number);
        let is_suspended = market.is_some();
        let market = market.unwrap_or_else(|| self.dice.pick(&[MARKET, OTHER]));
        let first = self.rig.exchange.market(market).unwrap().rules_rows().next().unwrap().rules.clone();
        let from = self.rig.now.plus_ms(self.dice.pick(&[0, 0, 3_000, 60_000]));
        let reference = self.dice.percent(50).then(|| self.price(market));
        let change = match if is_suspended { 1 } else { self.dice.below(10) } {
            0 => {
                self.take(&Command::Suspend { market }, &operator("lin"));
                return;
            }
            1 => MarketChange::Resume { market, reference },
            2..7 => {
                let maker = self.dice.pick(&[
                    MakerFee::Pays(0),
                    MakerFee::Pays(3_000),
                    MakerFee::Gets(1_500),
                    MakerFee::Gets(300),
                ]);
                let fees = Fees { maker, taker_ppm: self.dice.pick(&[0, 300, 1_500, 5_000]) };
                let halt_bps = self.dice.pick(&[20, 100, 500]);
                let hours = first.hours.clone().filter(|_| self.dice.percent(80));
                MarketChange::SetRules { market, from, rules: Rules { fees, halt_bps, hours, ..first } }
            }
            7..9 => {
                let terms = ConvertTerms {
                    fee_ppm: self.dice.pick(&[0, 1_000, 20_000]),
                    target: sat(self.dice.between(0, 500_000_000).into()),
                    skew_ppm: 4_000,
                    ..convert_terms()
                };
                MarketChange::SetConvertTerms { pair: pair(), from, terms }
            }
            _ => {
                let accounts = self.dice.pick(&[(OWN_CNY, FEES), (921, FEES)]);
                let (account, fees) = (AccountId::new(accounts.0), accounts.1);
                MarketChange::SetInventory { asset: Asset::CNY, account, fees }
            }
        };
        self.take(&Command::Propose(change), &operator("lin"));
        if let Some(proposal) = self.proposals.pop() {
            let by = self.dice.pick(&["wen", "wen", "wen", "lin"]);
            let command = match self.dice.below(10) {
                0 => Command::Withdraw { proposal },
                _ => Command::Approve { proposal },
            };
            self.take(&command, &operator(by));
        }
    }

    /// Money comes to a customer from outside, or goes there as far as it is free.
    fn move_money(&mut self) {
        let number = u128::from(self.dice.between(1, 6));
        let (reserve, id, asset) =
            self.dice.pick(&[(902, number * 10, btc()), (901, number * 10 + 1, Asset::CNY)]);
        let account = AccountId::new(id);
        let free = self.rig.ledger.account(account).unwrap().balance().available.minor();
        let minor = u128::from(self.dice.between(1, 20_000_000));
        self.say(format!("{minor} to or from {account}"));
        if self.dice.percent(50) {
            self.rig.fund(reserve, id, Amount::new(asset, minor));
            self.naive.give(account, signed(minor));
        } else if free > 0 {
            let minor = minor.min(free);
            self.rig.fund(id, reserve, Amount::new(asset, minor));
            self.naive.give(account, -signed(minor));
        }
        self.observe(&Outcome::default());
    }
}

fn signed(minor: u128) -> i128 {
    i128::try_from(minor).unwrap()
}

fn posted(account: &ledger::Account) -> i128 {
    let balance = account.balance();
    let posted = signed(balance.posted.minor());
    if balance.is_overdrawn { -posted } else { posted }
}

/// `JINKU_MARKET_WORLDS` says how many worlds, `JINKU_MARKET_SEED` where their seeds begin.
#[expect(clippy::disallowed_methods, reason = "how long a test runs is the shell's to say")]
#[test]
fn everything_holds_after_every_command_of_random_worlds() {
    let number = |name: &str, usual: u64| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    let (worlds, from) = (number("JINKU_MARKET_WORLDS", 100), number("JINKU_MARKET_SEED", 1));
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let (mut fills, mut auctioned) = (0, 0);
    for seed in from..from + worlds {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        world.rig.whole_every = 1;
        world.pass(0);
        (fills, auctioned) = (fills + world.naive.fills, auctioned + world.naive.auctioned);
        for (what, count) in std::mem::take(&mut world.counts) {
            *counts.entry(what).or_default() += count;
        }
    }
    // What the worlds are for must happen in them.
    if worlds >= 100 {
        assert!(fills > 2_000 && auctioned > 50, "{fills} fills, {auctioned} in auctions; {counts:#?}");
        for what in [
            "converted",
            "pool moved",
            "call: Halt",
            "call: Resumption",
            "parent: Filled",
            "parent: last order",
        ] {
            assert!(counts.get(what).is_some_and(|count| *count > 5), "{what}: {counts:#?}");
        }
    }
}

/// The bytes of everything after a world's steps.
fn bytes_of_a_world() -> Vec<u8> {
    let mut world = World::new(7);
    for _ in 0..STEPS {
        world.step();
    }
    [minicbor::to_vec(&world.rig.exchange).unwrap(), minicbor::to_vec(&world.rig.ledger).unwrap()].concat()
}

/// Nothing of the state depends on the process: not on where it lies in memory, nor on how a process seeds its hash maps.
#[expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "the test starts itself once more")]
#[test]
fn two_processes_have_the_same_bytes() {
    let bytes = bytes_of_a_world();
    if let Some(path) = std::env::var_os("JINKU_MARKET_BYTES") {
        std::fs::write(path, bytes).unwrap();
        return;
    }
    let path = std::env::temp_dir().join(format!("jinku-market-{}", std::process::id()));
    let name = "exchange::tests::random::two_processes_have_the_same_bytes";
    let done = std::process::Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact"])
        .env("JINKU_MARKET_BYTES", &path)
        .output()
        .unwrap();
    let other = std::fs::read(&path);
    let _ = std::fs::remove_file(&path);
    assert!(done.status.success() && other.unwrap() == bytes, "{done:?}");
}
