//! The words of a scenario about markets and convert.
//!
//! One lot is 0.001 BTC and one tick CNY 10 for a whole BTC, so one lot at one tick costs one fen. Prices are given in ticks, quantities in lots.

use bank::Command;
use exchange::book::{BookEvent, InForce, SelfTrade, Terms};
use exchange::market::{CallReason, Fees, MakerFee, Owner, Phase, Rules};
use exchange::price::{Pair, PriceTerms, Rate, Reading};
use exchange::quote::{ConvertTerms, OfferId, QuoteChange, SizeBand, TermsHash};
use exchange::route::Exact;
use exchange::row::{Ask, OrderBatch, OrderRow, PlaceRow};
use exchange::{
    Command as C, Event, MarketChange, MarketNumber, NewParent, OrderId, Plan, Price, PriceRequest, Quantity,
    Seat, Side,
};
use identity::Actor;
use ledger::{AccountKind, Change, Entry, Leg};
use money::{AccountId, Amount, Asset, EntryId, Text};
use payments::Books;

use crate::bench::Bench;
use crate::render::{Names, account, amount, time};
use crate::steps::{Scenario, cny, flag, span_ms};

const MARKET: MarketNumber = MarketNumber::new(1);
/// The bank's own accounts in BTC begin here, and those of the convert desk.
const BTC_BOOKS: u128 = 101;
const DESK_BTC: u128 = 111;
const DESK_CNY: u128 = 112;

pub(crate) fn btc() -> Asset {
    Asset::new("BTC", 8).unwrap()
}

fn pair() -> Pair {
    Pair { base: btc(), quote: Asset::CNY }
}

fn btc_books() -> Books {
    let account = |offset: u128| AccountId::new(BTC_BOOKS + offset);
    Books {
        asset: btc(),
        reserve: account(0),
        transit_instant: account(1),
        transit_high_value: account(2),
        suspense: account(3),
        fees: account(4),
        capital: account(5),
    }
}

fn rules() -> Rules {
    Rules {
        base: btc(),
        quote: Asset::CNY,
        lot: 100_000,
        tick: 1,
        quantity_max: Quantity::new(10_000),
        notional_min: 1_000,
        fees: Fees { maker: MakerFee::Pays(1_000), taker_ppm: 2_000 },
        band_bps: 1_000,
        halt_bps: 500,
        reference_ms: 60_000,
        call_ms: 30_000,
        open_orders_max: 3,
        hours: None,
        fee_account: AccountId::new(5),
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

fn price(text: &str) -> Price {
    Price::new(number(text))
}

fn lots(text: &str) -> Quantity {
    Quantity::new(number(text))
}

impl Scenario {
    /// The command of a line that is about markets.
    pub(crate) fn on_markets(&mut self, parts: &[&str], details: &[Vec<String>]) -> Option<(Actor, Command)> {
        let staff = |name: &str| Actor::Operator(Text::clip(name));
        Some(match parts {
            [name, "opens", "books", "in", "BTC"] => {
                (staff(name), Command::Payments(payments::Command::OpenBooks(btc_books())))
            }
            [name, "opens", "the", "account", account @ ("desk.BTC" | "desk.CNY")] => {
                let (id, asset) =
                    if *account == "desk.BTC" { (DESK_BTC, btc()) } else { (DESK_CNY, Asset::CNY) };
                let id = AccountId::new(id);
                self.bench.books.insert((*account).to_owned(), id);
                let command = ledger::Command::open(id, AccountKind::Customer, asset);
                (staff(name), Command::Ledger(command))
            }
            [name, "funds", account, "with", sum, asset] => {
                (staff(name), Command::Ledger(self.funds(account, sum, asset)))
            }
            [name, "proposes", rest @ ..] => {
                let change = self.change(rest);
                (staff(name), Command::Exchange(C::Propose(change)))
            }
            [name, "approves", proposal] => {
                (staff(name), Command::Exchange(C::Approve { proposal: number(proposal) }))
            }
            [name, "withdraws", proposal] => {
                (staff(name), Command::Exchange(C::Withdraw { proposal: number(proposal) }))
            }
            [name, "suspends", "the", "market"] => {
                (staff(name), Command::Exchange(C::Suspend { market: MARKET }))
            }
            [name, "stops", "the", "orders", "of", who] => {
                (staff(name), Command::Exchange(C::StopSeat { market: MARKET, seat: self.seat(who) }))
            }
            ["source", source, "says", yuan] => {
                let rate = Rate::from_e18(u128::from(number(yuan)) * 1_000_000_000_000_000_000);
                let (source, at) = (Text::clip(source), self.bench.clock);
                let reading = Reading { source, bid: rate, ask: rate, at };
                (Actor::System, Command::Exchange(C::ReadPrice { pair: pair(), reading }))
            }
            [who, "opens", "an", "account", "in", asset] => {
                let asset = if *asset == "BTC" { btc() } else { Asset::new(asset, 2).unwrap() };
                let id = AccountId::new(5_000 + self.bench.serial());
                self.bench.books.entry(format!("{who}.{}", asset.code())).or_insert(id);
                (self.session(who), Command::OpenOwnAccount { account: id, asset })
            }
            [who, "takes", "a", "seat", rest @ ..] => {
                let of = match rest {
                    [] => who,
                    ["with", "the", "accounts", "of", other] => other,
                    other => panic!("nobody takes a seat {other:?}"),
                };
                let (base, quote) = self.accounts(of);
                let command = C::TakeSeat { market: MARKET, base, quote, group: None };
                (self.trader(who), Command::Exchange(command))
            }
            [who, side @ ("buys" | "sells"), rest @ ..] => {
                let side = if *side == "buys" { Side::Bid } else { Side::Ask };
                let seat = flag(details, &["on", "the", "seat", "of"]).map_or(*who, |of| &of[0]);
                let seat = self.seat(seat);
                (self.trader(who), self.places(seat, side, rest, details))
            }
            [who, "cancels", "all"] => (self.trader(who), self.row(who, Ask::CancelAll)),
            [who, "cancels", order] if order.starts_with('o') => {
                let ask = Ask::Cancel(self.order(order));
                (self.trader(who), self.row(who, ask))
            }
            [who, "reduces", order, "by", by] => {
                let ask = Ask::Reduce(self.order(order), lots(by));
                (self.trader(who), self.row(who, ask))
            }
            [who, "reprices", order, "to", to] => {
                let ask = Ask::Move(self.order(order), price(to));
                (self.trader(who), self.row(who, ask))
            }
            [who, "stops", "trading"] => {
                (self.trader(who), Command::Exchange(C::StopSeat { market: MARKET, seat: self.seat(who) }))
            }
            [who, "trades", "again"] => {
                (self.trader(who), Command::Exchange(C::FreeSeat { market: MARKET, seat: self.seat(who) }))
            }
            [who, "asks", "what", rest @ ..] => (self.session(who), self.asks(who, rest)),
            [who, "accepts", offer, rest @ ..] => {
                let offer = self.names.offers.get(offer_index(offer)).copied().unwrap_or(OfferId::new(1));
                let known = self.bench.bank.exchange().dealing().desk().offer(offer);
                let seen = known.map_or_else(|| TermsHash::new([0; 32]), exchange::quote::Offer::terms_hash);
                let terms_hash =
                    if rest == ["with", "other", "terms"] { TermsHash::new([7; 32]) } else { seen };
                (self.session(who), Command::Exchange(C::AcceptQuote { offer, terms_hash }))
            }
            _ => return None,
        })
    }

    /// Money from outside, as a deposit would bring it.
    fn funds(&mut self, to: &str, sum: &str, asset: &str) -> ledger::Command {
        let (reserve, asset) = if asset == "BTC" { (BTC_BOOKS, btc()) } else { (1, Asset::CNY) };
        let amount = Amount::parse(asset, sum).unwrap();
        let to = match self.bench.books.get(to) {
            Some(id) => *id,
            None => self.person(to).account,
        };
        let legs = vec![Leg::debit(AccountId::new(reserve), amount), Leg::credit(to, amount)];
        let id = EntryId::new(3_000 + self.bench.serial());
        let entry = Entry { id, legs, effective_at: None, reference: None, memo: Text::default() };
        ledger::Command::Change(Change { entry: Some(entry), ..Change::default() })
    }

    /// The bank's own trader is a member of staff; everybody else trades in a session.
    fn trader(&self, who: &str) -> Actor {
        if who == "desk" { Actor::Operator(Text::clip("trader")) } else { self.session(who) }
    }

    fn accounts(&self, who: &str) -> (AccountId, AccountId) {
        if who == "desk" {
            return (AccountId::new(DESK_BTC), AccountId::new(DESK_CNY));
        }
        let base = self.bench.books.get(&format!("{who}.BTC")).copied();
        (base.unwrap_or(AccountId::new(999)), self.person(who).account)
    }

    fn seat(&self, who: &str) -> Seat {
        let (base, _) = self.accounts(who);
        let market = self.bench.bank.exchange().market(MARKET);
        let at = self.bench.bank.ledger().position(base).ok();
        at.and_then(|at| market.and_then(|market| market.seat_of(at))).unwrap_or(Seat::new(99))
    }

    fn order(&self, name: &str) -> OrderId {
        let index = name.strip_prefix('o').map(number).expect(name);
        let known = self.names.orders.get(usize::try_from(index - 1).unwrap());
        known.copied().unwrap_or(OrderId::from_number(1 << 40))
    }

    fn row(&self, who: &str, ask: Ask) -> Command {
        Self::orders(&[OrderRow { market: MARKET, seat: self.seat(who), ask }])
    }

    fn orders(rows: &[OrderRow]) -> Command {
        Command::Exchange(C::Orders(OrderBatch::of(rows).unwrap()))
    }

    fn places(&self, seat: Seat, side: Side, rest: &[&str], details: &[Vec<String>]) -> Command {
        if let [quantity, "at", limit, "or", "at", stop, "when", "it", "trades", "at", trigger] = rest {
            let (limit, trigger, stop_limit) = (price(limit), price(trigger), price(stop));
            let plan = Plan::OneCancelsOther { limit, trigger, stop_limit };
            let parent = NewParent { market: MARKET, seat, side, quantity: lots(quantity), plan };
            return Command::Exchange(C::PlaceParent(parent));
        }
        if let [quantity, "at", limit, "in", pieces, "pieces", span, "apart"] = rest {
            let (pieces, every_ms) = (pieces.parse().unwrap(), span_ms(span));
            let plan = Plan::TimeWeighted { limit: price(limit), pieces, every_ms };
            let parent = NewParent { market: MARKET, seat, side, quantity: lots(quantity), plan };
            return Command::Exchange(C::PlaceParent(parent));
        }
        let (quantity, terms) = match rest {
            [quantity, "at", at] => (lots(quantity), Terms::Limit(price(at))),
            ["for", sum, "at", "most", "at", worst] => {
                let ticks_lots = u64::try_from(cny(sum).minor()).unwrap();
                (Quantity::new(10_000), Terms::Budget { ticks_lots, worst: price(worst) })
            }
            other => panic!("nobody buys or sells {other:?}"),
        };
        let has = |words: &[&str]| flag(details, words).is_some();
        let in_force = if has(&["at", "once"]) {
            InForce::ImmediateOrCancel
        } else if has(&["whole", "or", "not"]) {
            InForce::FillOrKill
        } else if has(&["only", "resting"]) {
            InForce::PostOnly
        } else {
            InForce::UntilEnded
        };
        let self_trade =
            if has(&["ending", "own", "orders"]) { SelfTrade::CancelMaker } else { SelfTrade::CancelTaker };
        let value = |words: &[&str]| flag(details, words).map(|rest| number(&rest[0]));
        let place = PlaceRow {
            side,
            terms,
            in_force,
            self_trade,
            quantity,
            shown: Quantity::new(value(&["showing"]).unwrap_or(0)),
            trigger: value(&["when", "it", "trades", "at"]).map(Price::new),
            until: flag(details, &["for"]).map(|rest| self.bench.clock.plus_ms(span_ms(&rest[0]))),
            client: value(&["as"]).unwrap_or(0),
        };
        Self::orders(&[OrderRow { market: MARKET, seat, ask: Ask::Place(place) }])
    }

    fn asks(&mut self, who: &str, rest: &[&str]) -> Command {
        let (base, quote) = self.accounts(who);
        let (from, to, exact) = match rest {
            [sum, "in", "BTC", "is"] => (quote, base, Exact::Pays { amount: cny(sum), takes: btc() }),
            [sum, "BTC", "in", "CNY", "is"] => {
                let amount = Amount::parse(btc(), sum).unwrap();
                (base, quote, Exact::Pays { amount, takes: Asset::CNY })
            }
            [sum, "BTC", "costs"] => {
                let amount = Amount::parse(btc(), sum).unwrap();
                (quote, base, Exact::Takes { amount, pays: Asset::CNY })
            }
            other => panic!("nobody asks what {other:?}"),
        };
        let id = OfferId::new(7_000 + self.bench.serial());
        Command::Exchange(C::RequestQuote(PriceRequest { id, from, to, exact }))
    }

    fn change(&self, rest: &[&str]) -> MarketChange {
        let from = self.bench.clock;
        match rest {
            ["a", "market", "at", reference] => {
                MarketChange::Open { rules: rules(), reference: price(reference) }
            }
            ["to", "go", "on", "at", reference] => {
                MarketChange::Resume { market: MARKET, reference: Some(price(reference)) }
            }
            ["fees", "of", maker, "and", taker] => {
                let fees =
                    Fees { maker: MakerFee::Pays(maker.parse().unwrap()), taker_ppm: taker.parse().unwrap() };
                MarketChange::SetRules { market: MARKET, from, rules: Rules { fees, ..rules() } }
            }
            ["to", "believe", count, "sources"] => {
                let terms = PriceTerms {
                    stale_ms: 30_000,
                    sources_min: count.parse().unwrap(),
                    jump_ppm: 50_000,
                    confirm_ms: 5_000,
                    width_max_ppm: 20_000,
                    half_life_ms: 60_000,
                    volatility_min_ppb: 0,
                };
                MarketChange::SetPriceTerms { pair: pair(), from, terms }
            }
            ["to", "convert"] => {
                let terms = ConvertTerms {
                    bands: vec![SizeBand { up_to: cny("1000000.00"), spread_ppm: 5_000 }],
                    least: cny("1.00"),
                    lock_ms: 10_000,
                    volatility_share_ppm: 0,
                    target: Amount::new(btc(), 100_000_000),
                    target_band: Amount::new(btc(), 50_000_000),
                    skew_ppm: 0,
                    spread_max_ppm: 100_000,
                    fee_ppm: 1_000,
                };
                MarketChange::SetConvertTerms { pair: pair(), from, terms }
            }
            ["the", "desk", "for", "BTC"] => MarketChange::SetInventory {
                asset: btc(),
                account: AccountId::new(DESK_BTC),
                fees: btc_books().fees,
            },
            ["the", "desk", "for", "CNY"] => MarketChange::SetInventory {
                asset: Asset::CNY,
                account: AccountId::new(DESK_CNY),
                fees: AccountId::new(5),
            },
            other => panic!("nobody proposes {other:?}"),
        }
    }
}

fn offer_index(name: &str) -> usize {
    usize::try_from(name.strip_prefix('q').map(number).expect(name) - 1).unwrap()
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Bid => "buys",
        Side::Ask => "sells",
    }
}

fn phase(phase: Phase) -> String {
    match phase {
        Phase::Call { until, why } => {
            let what = match why {
                CallReason::Opening => "the opening",
                CallReason::Closing => "the close",
                CallReason::Halt => "an auction, as the price moved too far",
                CallReason::Resumption => "an auction, as it goes on",
            };
            format!("the market collects orders for {what} until {}", time(until))
        }
        other => format!("the market is {other}"),
    }
}

/// What followed on the markets, in words.
pub(crate) fn followed(bench: &Bench, names: &mut Names, outcome: &exchange::Outcome) -> Vec<String> {
    let mut lines = Vec::new();
    let mut fills = outcome.fills.iter();
    for event in &outcome.events {
        match event {
            Event::Book { events, .. } => {
                for event in events {
                    let is_fill = matches!(event, BookEvent::Filled { .. } | BookEvent::Uncrossed { .. });
                    let mut line = book(bench, names, event);
                    if is_fill && let Some(sum) = fills.next() {
                        let [pays, gets] =
                            [sum.pays, sum.gets].map(|minor| amount(Amount::new(Asset::CNY, minor)));
                        line.push_str(&format!("; the buyer pays {pays}, the seller gets {gets}"));
                    }
                    lines.push(line);
                }
            }
            Event::Converted { offer, .. } => lines.push(format!("{} taken", names.offer(*offer))),
            Event::Quote(QuoteChange::Offered(offer)) => {
                let name = names.offer(offer.id());
                let (pays, takes, fee) = (amount(offer.pays), amount(offer.takes), amount(offer.fee));
                let until = time(offer.expires_at);
                lines.push(format!("{name}: {pays} for {takes}, {fee} of it a fee, until {until}"));
            }
            Event::Quote(QuoteChange::Expired { ids }) => {
                lines.extend(ids.iter().map(|id| format!("{} expired", names.offer(*id))));
            }
            other => lines.extend(plain(bench, other)),
        }
    }
    let refused = outcome.refused.iter();
    lines.extend(refused.map(|refused| format!("row {} refused, code {}", refused.row, refused.code)));
    lines
}

fn plain(bench: &Bench, event: &Event) -> Option<String> {
    Some(match event {
        Event::MarketOpened { market, rules, reference } => {
            format!("market {market} opened: {}/{} at {}", rules.base, rules.quote, reference.ticks())
        }
        Event::RulesSet { from, .. } => format!("other rules from {}", time(*from)),
        Event::PhaseChanged { phase: to, .. } => phase(*to),
        Event::ReferenceSet { price, .. } => format!("the reference price is {}", price.ticks()),
        Event::SeatTaken { seat, base, quote, owner, .. } => {
            let whose = match owner {
                Owner::Bank => "the bank's",
                Owner::Tenant(_) => "a tenant's",
                Owner::Customer(_) => "a customer's",
            };
            let (base, quote) = (account(bench, *base), account(bench, *quote));
            format!("seat {} taken: {whose}, with {base} and {quote}", seat.number())
        }
        Event::SeatStopped { seat, is_stopped, .. } => {
            let how = if *is_stopped { "stopped" } else { "free again" };
            format!("seat {} is {how}", seat.number())
        }
        Event::ParentPlaced { number, parent } => {
            format!("plan {number}: {} {}", side(parent.side), parent.quantity.lots())
        }
        Event::ParentWorked { number, next, .. } => match next {
            Some(next) => format!("plan {number} goes on, its next piece at {}", time(*next)),
            None => format!("plan {number} goes on to its last order"),
        },
        Event::ParentEnded { number, why, .. } => format!("plan {number} ended: {why:?}"),
        Event::Proposed { number, by, .. } => format!("proposal {number} by {by}"),
        Event::Decided { number, by, is_approved } => {
            let how = if *is_approved { "approved" } else { "withdrawn" };
            format!("proposal {number} {how} by {by}")
        }
        Event::Price(_) => "the price was read".to_owned(),
        Event::Quote(_) => "pairs are converted by new terms".to_owned(),
        Event::InventorySet { asset, account: id, .. } => {
            format!("the desk converts {asset} with {}", account(bench, *id))
        }
        Event::PoolOpened { number, .. } => format!("pool {number} opened"),
        Event::PoolMoved(moved) => format!("pool {} moved", moved.pool),
        Event::Labelled { .. } | Event::Book { .. } | Event::Converted { .. } => return None,
    })
}

fn book(bench: &Bench, names: &mut Names, event: &BookEvent) -> String {
    match event {
        BookEvent::Entered { id, order } => {
            let (name, seat) = (names.order(*id), order.seat.number());
            let what = match order.terms {
                Terms::Limit(at) => format!("{} at {}", order.quantity.lots(), at.ticks()),
                Terms::Budget { ticks_lots, worst } => {
                    format!("for {ticks_lots} at {} at most", worst.ticks())
                }
                Terms::WholeFor { ticks_lots } => format!("{} for {ticks_lots}", order.quantity.lots()),
            };
            let _ = bench;
            format!("{name}: seat {seat} {} {what}", side(order.side))
        }
        BookEvent::Waits { id } => format!("{} waits", names.order(*id)),
        BookEvent::Triggered { id } => format!("{} comes in", names.order(*id)),
        BookEvent::Filled { taker, maker, price, quantity, .. } => {
            let (taker, maker) = (names.order(*taker), names.order(*maker));
            format!("{taker} takes {} at {} from {maker}", quantity.lots(), price.ticks())
        }
        BookEvent::Uncrossed { bid, ask, price, quantity, .. } => {
            let (bid, ask) = (names.order(*bid), names.order(*ask));
            format!("{bid} and {ask} trade {} at {}", quantity.lots(), price.ticks())
        }
        BookEvent::Rested { id } => format!("{} rests", names.order(*id)),
        BookEvent::Refreshed { id } => format!("{} shows its next piece", names.order(*id)),
        BookEvent::Reduced { id, by, left } => {
            format!("{} is {} smaller, {} left", names.order(*id), by.lots(), left.lots())
        }
        BookEvent::Moved { id, price } => format!("{} goes to {}", names.order(*id), price.ticks()),
        BookEvent::Ended { id, left, why } => {
            format!("{} ended with {} left: {why:?}", names.order(*id), left.lots())
        }
    }
}
