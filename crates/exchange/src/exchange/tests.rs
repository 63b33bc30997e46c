#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use ledger::{AccountKind, Change, Command as Books, Entry, Ledger, Leg, Memo};
use money::{AccountId, Amount, Asset, CustomerId, EntryId, Text, Timestamp};

mod dealing;
mod random;
mod recorded;

use super::{Caller, Exchange, Taken};
use crate::book::{InForce, SelfTrade, Terms};
use crate::command::{Command, MarketChange, NewParent, Plan};
use crate::event::{Event, Outcome};
use crate::market::{CallReason, Fees, Hours, MakerFee, Owner, ParentEnd, ParentNumber, Phase, Rules};
use crate::row::{Ask, OrderBatch, OrderRow, PlaceRow};
use crate::{MarketNumber, OnLedger, OrderId, Price, Quantity, Refusal, Seat, Side};

const MARKET: MarketNumber = MarketNumber::new(1);
const FEES: AccountId = AccountId::new(900);
/// A Monday, 2026-11-30 00:00 UTC.
const MONDAY: u64 = 1_796_342_400_000 + 4 * 86_400_000;

fn btc() -> Asset {
    Asset::new("BTC", 8).unwrap()
}

/// One lot is 0.001 BTC, one tick CNY 10 for a whole BTC: one lot at one tick costs one fen.
fn rules() -> Rules {
    Rules {
        base: btc(),
        quote: Asset::CNY,
        lot: 100_000,
        tick: 1,
        quantity_max: Quantity::new(10_000),
        notional_min: 100,
        fees: Fees { maker: MakerFee::Pays(1_000), taker_ppm: 2_000 },
        band_bps: 1_000,
        halt_bps: 500,
        reference_ms: 60_000,
        call_ms: 5_000,
        open_orders_max: 10,
        hours: None,
        fee_account: FEES,
    }
}

/// A market, its books, and a second pair that is fed with the outcomes alone.
struct Rig {
    exchange: Exchange,
    ledger: Ledger,
    replica: Exchange,
    copy: Ledger,
    now: Timestamp,
    next_entry: u128,
    /// After how many outcomes everything is compared whole, which takes longer than the rest.
    whole_every: u64,
    outcomes: u64,
}

fn operator(name: &str) -> Caller {
    Caller { operator: Some(Text::clip(name)), owner: Owner::Bank }
}

fn customer(number: u128) -> Caller {
    Caller { operator: None, owner: Owner::Customer(CustomerId::new(number)) }
}

impl Rig {
    fn new(rules: Rules) -> Self {
        let mut rig = Self {
            exchange: Exchange::default(),
            ledger: Ledger::default(),
            replica: Exchange::default(),
            copy: Ledger::default(),
            now: Timestamp::from_ms(MONDAY + 12 * 3_600_000),
            next_entry: 1,
            whole_every: 1,
            outcomes: 0,
        };
        rig.open(FEES.value(), AccountKind::Fee, Asset::CNY);
        rig.open(901, AccountKind::Reserve, Asset::CNY);
        rig.open(902, AccountKind::Reserve, btc());
        rig.take(
            &Command::Propose(MarketChange::Open { rules, reference: Price::new(50_000) }),
            &operator("lin"),
        )
        .unwrap();
        rig.take(&Command::Approve { proposal: 1 }, &operator("wen")).unwrap();
        rig
    }

    fn books(&mut self, command: &Books) {
        let event = self.ledger.decide(command, self.now).unwrap();
        self.ledger.apply(&event, self.now);
        self.copy.apply(&event, self.now);
    }

    fn open(&mut self, id: u128, kind: AccountKind, asset: Asset) {
        self.books(&Books::OpenAccount {
            id: AccountId::new(id),
            kind,
            asset,
            tenant: None,
            opened_at: None,
        });
    }

    /// A customer with so much of each, and the seat.
    fn join(&mut self, number: u128, cny: u128, sat: u128) -> Seat {
        let (base, quote) = (number * 10, number * 10 + 1);
        self.open(base, AccountKind::Customer, btc());
        self.open(quote, AccountKind::Customer, Asset::CNY);
        for (from, to, amount) in
            [(901, quote, Amount::new(Asset::CNY, cny)), (902, base, Amount::new(btc(), sat))]
        {
            if amount.is_zero() {
                continue;
            }
            let legs =
                vec![Leg::debit(AccountId::new(from), amount), Leg::credit(AccountId::new(to), amount)];
            let id = EntryId::new(self.next_entry);
            self.next_entry += 1;
            let entry = Entry { id, legs, effective_at: None, reference: None, memo: Memo::default() };
            self.books(&Books::Change(Change { entry: Some(entry), ..Change::default() }));
        }
        let (base, quote) = (AccountId::new(base), AccountId::new(quote));
        let command = Command::TakeSeat { market: MARKET, base, quote, group: None };
        let taken = self.take(&command, &customer(number)).unwrap();
        match taken.outcome.events.as_slice() {
            [Event::SeatTaken { seat, .. }] => *seat,
            other => panic!("{other:?}"),
        }
    }

    fn take(&mut self, command: &Command, caller: &Caller) -> Result<Taken, Refusal> {
        let taken =
            self.exchange.take(command, caller, self.now, &mut OnLedger::new(&mut self.ledger, self.now))?;
        self.follow(&taken.outcome);
        Ok(taken)
    }

    /// Feeds the replica from the bytes of an outcome, and compares.
    fn follow(&mut self, outcome: &Outcome) {
        let bytes = minicbor::to_vec(outcome).unwrap();
        let read: Outcome = minicbor::decode(&bytes).unwrap();
        assert_eq!(&read, outcome);
        self.replica.replay(&read, self.now, &mut OnLedger::new(&mut self.copy, self.now));
        let mut broken = Vec::new();
        self.outcomes += 1;
        if self.outcomes.is_multiple_of(self.whole_every) {
            let state = |exchange: &Exchange, ledger: &Ledger| {
                (minicbor::to_vec(exchange).unwrap(), minicbor::to_vec(ledger).unwrap())
            };
            let (live, replica) = (state(&self.exchange, &self.ledger), state(&self.replica, &self.copy));
            assert!(live == replica, "the replica differs");
            broken.extend(self.exchange.broken_invariants());
            broken.extend(self.ledger.broken_invariants());
        }
        let needed = self.exchange.reserved();
        for (id, account) in self.ledger.accounts() {
            let at = self.ledger.position(id).ok();
            let needed = at.and_then(|at| needed.get(&at)).copied().unwrap_or(0);
            if needed != account.reserved().minor() {
                broken.push(format!("{id}: {:?} set aside, {needed} needed", account.reserved()));
            }
        }
        assert_eq!(broken, Vec::<String>::new());
    }

    fn ask(&mut self, number: u128, seat: Seat, ask: Ask) -> Result<Taken, Refusal> {
        let row = OrderRow { market: MARKET, seat, ask };
        let batch = OrderBatch::of(&[row]).unwrap();
        let mut taken = self.take(&Command::Orders(batch), &customer(number))?;
        match taken.refusals.pop() {
            Some(refusal) => Err(refusal),
            None => Ok(taken),
        }
    }

    fn place(&mut self, number: u128, seat: Seat, place: PlaceRow) -> Result<OrderId, Refusal> {
        self.ask(number, seat, Ask::Place(place)).map(|taken| taken.outcome.placed[0])
    }

    fn limit(&mut self, number: u128, seat: Seat, side: Side, price: u64, lots: u64) -> OrderId {
        self.place(number, seat, PlaceRow::limit(side, Price::new(price), Quantity::new(lots))).unwrap()
    }

    fn tick(&mut self, ms: u64) -> Outcome {
        self.now = self.now.plus_ms(ms);
        let outcome = self.exchange.tick(self.now, &mut OnLedger::new(&mut self.ledger, self.now));
        self.follow(&outcome);
        outcome
    }

    /// Posted and set aside.
    fn money(&self, id: u128) -> (u128, u128) {
        let account = self.ledger.account(AccountId::new(id)).unwrap();
        (account.balance().posted.minor(), account.reserved().minor())
    }

    fn phase(&self) -> Phase {
        self.exchange.market(MARKET).unwrap().phase()
    }

    fn left(&self, id: OrderId) -> Option<u64> {
        self.exchange.market(MARKET).unwrap().claim(id).map(|claim| claim.left.lots())
    }
}

#[test]
fn a_bid_sets_its_price_and_the_highest_fee_aside_and_a_fill_settles_both_assets() {
    let mut rig = Rig::new(rules());
    let (buyer, seller) = (rig.join(1, 1_000_000, 0), rig.join(2, 0, 10_000_000));
    let bid = rig.limit(1, buyer, Side::Bid, 50_000, 10);
    // 500,000 fen and two in a thousand.
    assert_eq!(rig.money(11), (1_000_000, 501_000));
    rig.limit(2, seller, Side::Ask, 50_000, 4);
    // The maker pays one in a thousand of 200,000, the taker two.
    assert_eq!(rig.money(11), (799_800, 300_600));
    assert_eq!(rig.money(21), (199_600, 0));
    assert_eq!(rig.money(10), (400_000, 0));
    assert_eq!(rig.money(20), (9_600_000, 0));
    assert_eq!(rig.money(FEES.value()), (600, 0));
    assert_eq!(rig.left(bid), Some(6));
    rig.ask(1, buyer, Ask::Cancel(bid)).unwrap();
    assert_eq!(rig.money(11), (799_800, 0));
}

#[test]
fn fees_of_many_small_fills_round_up_once() {
    let mut rig = Rig::new(Rules { notional_min: 1, ..rules() });
    let (buyer, seller) = (rig.join(1, 10_000_000, 0), rig.join(2, 0, 10_000_000));
    rig.limit(1, buyer, Side::Bid, 50_001, 7);
    for _ in 0..7 {
        rig.limit(2, seller, Side::Ask, 50_001, 1);
    }
    // 350,007 × 0.1 % is 350.007, rounded up once; each ask by itself is 50,001 × 0.2 %, rounded up to 101.
    assert_eq!(rig.money(11), (10_000_000 - 350_007 - 351, 0));
    assert_eq!(rig.money(21), (350_007 - 7 * 101, 0));
}

#[test]
fn a_rebate_rounds_down_and_comes_from_the_taker() {
    let fees = Fees { maker: MakerFee::Gets(500), taker_ppm: 2_000 };
    let mut rig = Rig::new(Rules { fees, ..rules() });
    let (buyer, seller) = (rig.join(1, 1_000_000, 0), rig.join(2, 0, 10_000_000));
    rig.limit(1, buyer, Side::Bid, 50_001, 1);
    rig.limit(2, seller, Side::Ask, 50_001, 1);
    assert_eq!(rig.money(11), (1_000_000 - 50_001 + 25, 0));
    assert_eq!(rig.money(21), (50_001 - 101, 0));
    assert_eq!(rig.money(FEES.value()), (76, 0));
}

#[test]
fn each_malformed_order_has_its_refusal_and_leaves_nothing() {
    let mut rig = Rig::new(rules());
    let (one, two) = (rig.join(1, 1_000_000, 1_000_000), rig.join(2, 1_000_000, 1_000_000));
    let good = PlaceRow::limit(Side::Bid, Price::new(50_000), Quantity::new(1));
    let resting = rig.place(1, one, PlaceRow { client: 7, ..good }).unwrap();
    let before = minicbor::to_vec(&rig.exchange).unwrap();
    let mut check = |seat: Seat, ask: Ask, expect: fn(&Refusal) -> bool| {
        let refusal = rig.ask(1, seat, ask).unwrap_err();
        assert!(expect(&refusal), "{refusal:?}");
    };
    let place = |place: PlaceRow| Ask::Place(place);
    check(one, place(PlaceRow { quantity: Quantity::ZERO, ..good }), |r| {
        matches!(r, Refusal::Malformed { .. })
    });
    check(one, place(PlaceRow { terms: Terms::Limit(Price::new(0)), ..good }), |r| {
        matches!(r, Refusal::Malformed { .. })
    });
    check(one, place(PlaceRow { shown: Quantity::new(2), ..good }), |r| {
        matches!(r, Refusal::Malformed { .. })
    });
    check(Seat::new(9), place(good), |r| matches!(r, Refusal::SeatUnknown { .. }));
    check(two, place(good), |r| matches!(r, Refusal::SeatForeign { .. }));
    check(one, place(PlaceRow { client: 7, ..good }), |r| matches!(r, Refusal::ClientNumberUsed { .. }));
    check(one, place(PlaceRow { quantity: Quantity::new(10_001), ..good }), |r| {
        matches!(r, Refusal::QuantityAbove { .. })
    });
    check(
        one,
        place(PlaceRow { terms: Terms::Limit(Price::new(44_999)), ..good }),
        |r| matches!(r, Refusal::OutsideBand { low, high } if (low.ticks(), high.ticks()) == (45_000, 55_000)),
    );
    check(one, place(PlaceRow { quantity: Quantity::new(20), ..good }), |r| matches!(r, Refusal::Funds(_)));
    check(one, Ask::Cancel(OrderId::from_number(77)), |r| matches!(r, Refusal::OrderUnknown { .. }));
    check(one, Ask::Reduce(resting, Quantity::ZERO), |r| matches!(r, Refusal::Malformed { .. }));
    check(one, Ask::Move(resting, Price::new(60_000)), |r| matches!(r, Refusal::OutsideBand { .. }));
    assert!(minicbor::to_vec(&rig.exchange).unwrap() == before, "a refusal left something");
    let foreign = rig.ask(2, two, Ask::Cancel(resting)).unwrap_err();
    assert_eq!(foreign, Refusal::OrderForeign { id: resting });
    let unknown = OrderRow { market: MarketNumber::new(2), seat: one, ask: Ask::CancelAll };
    let batch = Command::Orders(OrderBatch::of(&[unknown]).unwrap());
    let taken = rig.take(&batch, &customer(1)).unwrap();
    assert_eq!(taken.refusals, [Refusal::MarketUnknown { market: MarketNumber::new(2) }]);
}

#[test]
fn notional_and_number_of_orders_are_bounded() {
    let mut rig = Rig::new(Rules { notional_min: 100_000, open_orders_max: 2, ..rules() });
    let one = rig.join(1, 10_000_000, 0);
    let small = PlaceRow::limit(Side::Bid, Price::new(50_000), Quantity::new(1));
    assert!(matches!(rig.place(1, one, small), Err(Refusal::NotionalBelow { min: 100_000, given: 50_000 })));
    rig.limit(1, one, Side::Bid, 50_000, 2);
    rig.limit(1, one, Side::Bid, 50_000, 2);
    let third = PlaceRow::limit(Side::Bid, Price::new(50_000), Quantity::new(2));
    assert_eq!(rig.place(1, one, third), Err(Refusal::OrdersFull { max: 2 }));
}

#[test]
fn a_budget_spends_no_more_than_it_says_and_the_rest_is_free_again() {
    let mut rig = Rig::new(rules());
    let (buyer, seller) = (rig.join(1, 200_000, 0), rig.join(2, 0, 10_000_000));
    rig.limit(2, seller, Side::Ask, 50_000, 2);
    rig.limit(2, seller, Side::Ask, 50_100, 5);
    let budget = Terms::Budget { ticks_lots: 160_000, worst: Price::new(50_500) };
    let place = PlaceRow {
        terms: budget,
        in_force: InForce::ImmediateOrCancel,
        ..PlaceRow::limit(Side::Bid, Price::new(1), Quantity::new(100))
    };
    rig.place(1, buyer, place).unwrap();
    let spent = 2 * 50_000 + 50_100;
    assert_eq!(rig.money(11), (200_000 - spent - 301, 0));
    assert_eq!(rig.money(10), (300_000, 0));
}

#[test]
fn a_price_that_moves_too_far_halts_the_market_and_an_auction_goes_on() {
    let mut rig = Rig::new(rules());
    let (buyer, seller) = (rig.join(1, 100_000_000, 0), rig.join(2, 0, 100_000_000));
    rig.limit(2, seller, Side::Ask, 52_600, 1);
    rig.limit(1, buyer, Side::Bid, 52_600, 1);
    let until = rig.now.plus_ms(5_000);
    assert_eq!(rig.phase(), Phase::Call { until, why: CallReason::Halt });
    let at_once = PlaceRow {
        in_force: InForce::ImmediateOrCancel,
        ..PlaceRow::limit(Side::Bid, Price::new(52_600), Quantity::new(1))
    };
    assert!(matches!(rig.place(1, buyer, at_once), Err(Refusal::Phase { .. })));
    rig.limit(1, buyer, Side::Bid, 53_000, 5);
    rig.limit(2, seller, Side::Ask, 52_000, 3);
    rig.tick(5_000);
    assert_eq!(rig.phase(), Phase::Open);
    let market = rig.exchange.market(MARKET).unwrap();
    assert_eq!(market.trades_count(), 2);
    assert_eq!(market.book().last_price(), Some(market.reference()));
}

#[test]
fn hours_open_and_close_with_auctions() {
    let hours = Hours {
        utc_offset_minutes: 480,
        days: 0b001_1111,
        call_at: 9 * 60,
        open_at: 9 * 60 + 30,
        closing_call_at: 14 * 60 + 57,
        close_at: 15 * 60,
        holidays: Vec::new(),
    };
    let mut rig = Rig::new(Rules { hours: Some(hours), reference_ms: 3_600_000, ..rules() });
    // 12:00 UTC is 20:00 in Beijing.
    rig.tick(0);
    assert_eq!(rig.phase(), Phase::Closed);
    let (buyer, seller) = (rig.join(1, 100_000_000, 0), rig.join(2, 0, 100_000_000));
    let early = PlaceRow::limit(Side::Bid, Price::new(50_000), Quantity::new(1));
    assert!(matches!(rig.place(1, buyer, early), Err(Refusal::Phase { .. })));
    rig.tick(13 * 3_600_000);
    assert!(matches!(rig.phase(), Phase::Call { why: CallReason::Opening, .. }));
    rig.limit(1, buyer, Side::Bid, 50_200, 3);
    rig.limit(2, seller, Side::Ask, 49_900, 2);
    assert_eq!(rig.exchange.market(MARKET).unwrap().trades_count(), 0);
    rig.tick(30 * 60_000);
    assert_eq!(rig.phase(), Phase::Open);
    assert_eq!(rig.exchange.market(MARKET).unwrap().trades_count(), 1);
    // Down over both boundaries: it comes back where the hours say.
    rig.tick(6 * 3_600_000);
    assert_eq!(rig.phase(), Phase::Closed);
}

#[test]
fn an_order_with_an_end_date_ends_then() {
    let mut rig = Rig::new(rules());
    let buyer = rig.join(1, 1_000_000, 0);
    let until = rig.now.plus_ms(1_000);
    let place = PlaceRow::limit(Side::Bid, Price::new(50_000), Quantity::new(1));
    let id = rig.place(1, buyer, PlaceRow { until: Some(until), ..place }).unwrap();
    rig.tick(999);
    assert_eq!(rig.left(id), Some(1));
    assert_eq!(rig.exchange.next_due(), Some(until));
    rig.tick(1);
    assert_eq!((rig.left(id), rig.money(11)), (None, (1_000_000, 0)));
}

#[test]
fn the_kill_switch_ends_all_orders_and_holds_until_it_is_lifted() {
    let mut rig = Rig::new(rules());
    let buyer = rig.join(1, 1_000_000, 0);
    for price in [49_000, 49_500, 50_000] {
        rig.limit(1, buyer, Side::Bid, price, 1);
    }
    let stop = Command::StopSeat { market: MARKET, seat: buyer };
    assert!(matches!(rig.take(&stop, &customer(2)), Err(Refusal::SeatForeign { .. })));
    rig.take(&stop, &operator("lin")).unwrap();
    assert_eq!(rig.money(11), (1_000_000, 0));
    let place = PlaceRow::limit(Side::Bid, Price::new(50_000), Quantity::new(1));
    assert_eq!(rig.place(1, buyer, place), Err(Refusal::SeatStopped { seat: buyer }));
    rig.take(&Command::FreeSeat { market: MARKET, seat: buyer }, &customer(1)).unwrap();
    rig.place(1, buyer, place).unwrap();
}

#[test]
fn one_suspends_two_resume() {
    let mut rig = Rig::new(rules());
    let buyer = rig.join(1, 1_000_000, 0);
    let id = rig.limit(1, buyer, Side::Bid, 50_000, 1);
    rig.take(&Command::Suspend { market: MARKET }, &operator("lin")).unwrap();
    let place = PlaceRow::limit(Side::Bid, Price::new(50_000), Quantity::new(1));
    assert!(matches!(rig.place(1, buyer, place), Err(Refusal::Phase { phase: Phase::Suspended, .. })));
    rig.ask(1, buyer, Ask::Cancel(id)).unwrap();
    let resume = MarketChange::Resume { market: MARKET, reference: Some(Price::new(48_000)) };
    rig.take(&Command::Propose(resume), &operator("lin")).unwrap();
    let approve = Command::Approve { proposal: 2 };
    assert_eq!(rig.take(&approve, &customer(1)).unwrap_err(), Refusal::NotForOwners);
    assert!(matches!(rig.take(&approve, &operator("lin")), Err(Refusal::OwnProposal { .. })));
    rig.take(&approve, &operator("wen")).unwrap();
    assert!(matches!(rig.phase(), Phase::Call { why: CallReason::Resumption, .. }));
    rig.tick(5_000);
    assert_eq!(rig.phase(), Phase::Open);
    assert_eq!(rig.take(&approve, &operator("wen")).unwrap_err(), Refusal::ProposalUnknown { number: 2 });
}

#[test]
fn one_order_cancels_the_other() {
    let mut rig = Rig::new(rules());
    let (buyer, seller) = (rig.join(1, 100_000_000, 0), rig.join(2, 0, 100_000_000));
    let plan = Plan::OneCancelsOther {
        limit: Price::new(51_000),
        trigger: Price::new(49_500),
        stop_limit: Price::new(49_000),
    };
    let parent =
        NewParent { market: MARKET, seat: seller, side: Side::Ask, quantity: Quantity::new(10), plan };
    rig.take(&Command::PlaceParent(parent.clone()), &customer(2)).unwrap();
    rig.limit(1, buyer, Side::Bid, 51_000, 4);
    assert_eq!(rig.money(20), (100_000_000 - 400_000, 600_000));
    // The market falls to the trigger: what is left is sold at the stop's price or better.
    let other = rig.join(3, 0, 100_000_000);
    rig.limit(1, buyer, Side::Bid, 49_500, 1);
    rig.limit(1, buyer, Side::Bid, 49_200, 20);
    rig.limit(3, other, Side::Ask, 49_500, 1);
    assert_eq!(rig.money(20), (100_000_000 - 1_000_000, 0));
    assert_eq!(rig.exchange.market(MARKET).unwrap().parents().count(), 0);
}

#[test]
fn a_time_weighted_order_works_its_pieces() {
    let mut rig = Rig::new(rules());
    let (buyer, seller) = (rig.join(1, 100_000_000, 0), rig.join(2, 0, 100_000_000));
    let plan = Plan::TimeWeighted { limit: Price::new(50_500), pieces: 3, every_ms: 10_000 };
    let parent =
        NewParent { market: MARKET, seat: buyer, side: Side::Bid, quantity: Quantity::new(10), plan };
    rig.limit(2, seller, Side::Ask, 50_000, 1);
    rig.take(&Command::PlaceParent(parent), &customer(1)).unwrap();
    let left = |rig: &Rig| {
        let market = rig.exchange.market(MARKET).unwrap();
        market.parents().next().map(|(_, parent)| parent.left.lots())
    };
    // A third is four lots, of which one filled; the nine left are worked in two pieces.
    assert_eq!(left(&rig), Some(9));
    rig.limit(2, seller, Side::Ask, 50_000, 50);
    rig.tick(10_000);
    assert_eq!(left(&rig), Some(4));
    let outcome = rig.tick(10_000);
    assert_eq!(left(&rig), None);
    let ended = Event::ParentEnded { market: MARKET, number: ParentNumber::new(1), why: ParentEnd::Filled };
    assert!(outcome.events.contains(&ended));
    assert_eq!(rig.money(10), (1_000_000, 0));
}

#[test]
fn orders_of_one_group_never_trade_with_each_other() {
    let mut rig = Rig::new(rules());
    let one = rig.join(1, 100_000_000, 100_000_000);
    rig.limit(1, one, Side::Ask, 50_000, 5);
    for (self_trade, asks) in
        [(SelfTrade::CancelTaker, 500_000), (SelfTrade::Decrement, 300_000), (SelfTrade::CancelMaker, 0)]
    {
        let place = PlaceRow {
            self_trade,
            in_force: InForce::ImmediateOrCancel,
            ..PlaceRow::limit(Side::Bid, Price::new(50_000), Quantity::new(2))
        };
        rig.place(1, one, place).unwrap();
        assert_eq!((rig.money(10), rig.money(11)), ((100_000_000, asks), (100_000_000, 0)));
    }
    assert_eq!(rig.exchange.market(MARKET).unwrap().trades_count(), 0);
}

#[test]
fn rules_change_from_a_time_on_and_orders_keep_the_fees_they_came_in_under() {
    let mut rig = Rig::new(rules());
    let (buyer, seller) = (rig.join(1, 1_000_000, 0), rig.join(2, 0, 10_000_000));
    rig.limit(1, buyer, Side::Bid, 50_000, 1);
    let dear = Fees { maker: MakerFee::Pays(50_000), taker_ppm: 50_000 };
    let from = rig.now.plus_ms(1_000);
    let change = MarketChange::SetRules { market: MARKET, from, rules: Rules { fees: dear, ..rules() } };
    rig.take(&Command::Propose(change), &operator("lin")).unwrap();
    rig.take(&Command::Approve { proposal: 2 }, &operator("wen")).unwrap();
    rig.tick(1_000);
    rig.limit(2, seller, Side::Ask, 50_000, 1);
    assert_eq!(rig.money(11), (1_000_000 - 50_000 - 50, 0));
    assert_eq!(rig.money(21), (50_000 - 2_500, 0));
    let other = MarketChange::SetRules { market: MARKET, from, rules: Rules { tick: 2, ..rules() } };
    assert_eq!(rig.take(&Command::Propose(other), &operator("lin")).unwrap_err(), Refusal::RulesFixed);
}

#[test]
fn where_fees_go_never_changes_and_nobody_trades_with_that_account() {
    let mut rig = Rig::new(rules());
    rig.open(905, AccountKind::Fee, Asset::CNY);
    let other = Rules { fee_account: AccountId::new(905), ..rules() };
    let change = MarketChange::SetRules { market: MARKET, from: rig.now, rules: other };
    assert_eq!(rig.take(&Command::Propose(change), &operator("lin")).unwrap_err(), Refusal::RulesFixed);
    rig.open(906, AccountKind::Customer, btc());
    let seat = Command::TakeSeat { market: MARKET, base: AccountId::new(906), quote: FEES, group: None };
    assert_eq!(rig.take(&seat, &operator("lin")).unwrap_err(), Refusal::SeatAccounts);
}

#[test]
fn a_market_suspended_while_it_collects_goes_on_with_an_auction() {
    let mut rig = Rig::new(rules());
    let (buyer, seller) = (rig.join(1, 100_000_000, 0), rig.join(2, 0, 100_000_000));
    rig.limit(2, seller, Side::Ask, 52_600, 1);
    rig.limit(1, buyer, Side::Bid, 52_600, 1);
    assert!(matches!(rig.phase(), Phase::Call { .. }));
    rig.limit(1, buyer, Side::Bid, 52_000, 3);
    rig.limit(2, seller, Side::Ask, 51_000, 2);
    rig.take(&Command::Suspend { market: MARKET }, &operator("lin")).unwrap();
    rig.tick(60_000);
    rig.take(&Command::Propose(MarketChange::Resume { market: MARKET, reference: None }), &operator("lin"))
        .unwrap();
    rig.take(&Command::Approve { proposal: 2 }, &operator("wen")).unwrap();
    assert_eq!(rig.exchange.market(MARKET).unwrap().trades_count(), 1);
    rig.tick(5_000);
    assert_eq!(rig.phase(), Phase::Open);
    assert_eq!(rig.money(10).0, 300_000);
}

#[test]
fn an_order_needs_both_accounts_open_and_keeps_them_so() {
    let mut rig = Rig::new(rules());
    let (buyer, seller) = (rig.join(1, 1_000_000, 0), rig.join(2, 0, 100_000_000));
    let id = rig.limit(1, buyer, Side::Bid, 50_000, 1);
    let base = AccountId::new(10);
    assert!(rig.exchange.needs(base) && !rig.exchange.needs(AccountId::new(21)));
    rig.ask(1, buyer, Ask::Cancel(id)).unwrap();
    assert!(!rig.exchange.needs(base));
    rig.books(&Books::CloseAccount { id: AccountId::new(21) });
    let sell = PlaceRow::limit(Side::Ask, Price::new(50_000), Quantity::new(1));
    assert!(matches!(rig.place(2, seller, sell), Err(Refusal::Funds(_))));
}
