//! Convert and pools over the books.

use super::*;
use crate::dealing::PriceRequest;
use crate::pool::{Coin, Curve, PoolCommand, PoolNumber, PoolTerms};
use crate::price::{Pair, PriceTerms, Rate, Reading};
use crate::quote::{ConvertTerms, OfferId, QuoteChange, QuoteRefusal, SizeBand, TermsHash};
use crate::route::Exact;

pub(super) const OWN_BTC: u128 = 910;
pub(super) const OWN_CNY: u128 = 911;
const BTC_FEES: u128 = 912;

pub(super) fn pair() -> Pair {
    Pair { base: btc(), quote: Asset::CNY }
}

pub(super) fn cny(minor: u128) -> Amount {
    Amount::new(Asset::CNY, minor)
}

pub(super) fn sat(minor: u128) -> Amount {
    Amount::new(btc(), minor)
}

pub(super) fn convert_terms() -> ConvertTerms {
    ConvertTerms {
        bands: vec![SizeBand { up_to: cny(1_000_000_000), spread_ppm: 5_000 }],
        least: cny(100),
        lock_ms: 10_000,
        volatility_share_ppm: 0,
        target: sat(100_000_000),
        target_band: sat(50_000_000),
        skew_ppm: 0,
        spread_max_ppm: 100_000,
        fee_ppm: 1_000,
    }
}

/// One source is enough, and BTC costs CNY 500,000. The bank has one BTC and a million yuan.
pub(super) fn desk() -> Rig {
    let mut rig = Rig::new(rules());
    rig.open(OWN_BTC, AccountKind::Customer, btc());
    rig.open(OWN_CNY, AccountKind::Customer, Asset::CNY);
    rig.open(BTC_FEES, AccountKind::Fee, btc());
    for (from, to, amount) in [(901, OWN_CNY, cny(100_000_000)), (902, OWN_BTC, sat(100_000_000))] {
        rig.fund(from, to, amount);
    }
    let price = PriceTerms {
        stale_ms: 60_000,
        sources_min: 1,
        jump_ppm: 100_000,
        confirm_ms: 1_000,
        width_max_ppm: 50_000,
        half_life_ms: 60_000,
        volatility_min_ppb: 0,
    };
    let from = rig.now;
    let own = AccountId::new;
    rig.change(MarketChange::SetPriceTerms { pair: pair(), from, terms: price });
    rig.change(MarketChange::SetConvertTerms { pair: pair(), from, terms: convert_terms() });
    rig.change(MarketChange::SetInventory { asset: btc(), account: own(OWN_BTC), fees: own(BTC_FEES) });
    rig.change(MarketChange::SetInventory { asset: Asset::CNY, account: own(OWN_CNY), fees: FEES });
    rig.read_price(500_000);
    rig
}

impl Rig {
    pub(super) fn fund(&mut self, from: u128, to: u128, amount: Amount) {
        let legs = vec![Leg::debit(AccountId::new(from), amount), Leg::credit(AccountId::new(to), amount)];
        let id = EntryId::new(self.next_entry);
        self.next_entry += 1;
        let entry = Entry { id, legs, effective_at: None, reference: None, memo: Memo::default() };
        self.books(&Books::Change(Change { entry: Some(entry), ..Change::default() }));
    }

    /// Proposed by one, approved by another.
    pub(super) fn change(&mut self, change: MarketChange) {
        let taken = self.take(&Command::Propose(change), &operator("lin")).unwrap();
        let [Event::Proposed { number, .. }] = taken.outcome.events.as_slice() else {
            panic!("{taken:?}");
        };
        self.take(&Command::Approve { proposal: *number }, &operator("wen")).unwrap();
    }

    fn read_price(&mut self, yuan: u128) {
        let rate = Rate::from_e18(yuan * 1_000_000_000_000_000_000);
        let reading = Reading { source: Text::clip("one"), bid: rate, ask: rate, at: self.now };
        self.take(&Command::ReadPrice { pair: pair(), reading }, &operator("feed")).unwrap();
    }

    fn quote(&mut self, number: u128, id: u128, exact: Exact) -> Result<(OfferId, TermsHash), Refusal> {
        let (from, to) = match exact.assets().0 {
            Asset::CNY => (number * 10 + 1, number * 10),
            _ => (number * 10, number * 10 + 1),
        };
        let (id, from, to) = (OfferId::new(id), AccountId::new(from), AccountId::new(to));
        let command = Command::RequestQuote(PriceRequest { id, from, to, exact });
        let taken = self.take(&command, &customer(number))?;
        match taken.outcome.events.as_slice() {
            [Event::Quote(QuoteChange::Offered(offer))] => Ok((offer.id(), offer.terms_hash())),
            other => panic!("{other:?}"),
        }
    }

    fn accept(&mut self, number: u128, offer: (OfferId, TermsHash)) -> Result<Taken, Refusal> {
        let command = Command::AcceptQuote { offer: offer.0, terms_hash: offer.1 };
        self.take(&command, &customer(number))
    }
}

fn pays(amount: Amount, takes: Asset) -> Exact {
    Exact::Pays { amount, takes }
}

#[test]
fn an_offer_sets_the_banks_side_aside_and_taking_it_moves_everything_at_once() {
    let mut rig = desk();
    rig.join(1, 1_000_000, 0);
    let offer = rig.quote(1, 77, pays(cny(500_000), btc())).unwrap();
    let promised = rig.exchange.dealing().desk().offer(offer.0).unwrap().takes.minor();
    assert_eq!(rig.money(OWN_BTC), (100_000_000, promised));
    rig.accept(1, offer).unwrap();
    let fee = rig.money(FEES.value()).0;
    assert_eq!(rig.money(11).0, 500_000);
    assert_eq!(rig.money(10).0, promised);
    assert_eq!(rig.money(OWN_CNY).0 + fee, 100_000_000 + 500_000);
    assert_eq!(rig.money(OWN_BTC), (100_000_000 - promised, 0));
    // 500,000 fen less a fee of 0.1 % buy less than 0.01 BTC, by the spread of 0.5 %.
    assert!(fee == 500 && (993_000..995_100).contains(&promised), "{fee} {promised}");
}

#[test]
fn selling_takes_the_fee_off_what_is_taken() {
    let mut rig = desk();
    rig.join(1, 0, 10_000_000);
    let offer = rig.quote(1, 77, Exact::Takes { amount: cny(400_000), pays: btc() }).unwrap();
    rig.accept(1, offer).unwrap();
    let fee = rig.money(FEES.value()).0;
    assert_eq!(rig.money(11).0, 400_000);
    assert_eq!(rig.money(OWN_CNY), (100_000_000 - 400_000 - fee, 0));
    assert!(fee >= 400, "{fee}");
}

#[test]
fn an_offer_is_taken_once_by_its_own_customer_on_its_terms_in_its_time() {
    let mut rig = desk();
    rig.join(1, 1_000_000, 0);
    rig.join(2, 1_000_000, 0);
    let offer = rig.quote(1, 77, pays(cny(10_000), btc())).unwrap();
    let altered = (offer.0, TermsHash::new([7; 32]));
    let refused = |result: Result<Taken, Refusal>| match result {
        Err(Refusal::Quote(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    assert!(matches!(refused(rig.accept(2, offer)), QuoteRefusal::ForeignOffer { .. }));
    assert!(matches!(refused(rig.accept(1, altered)), QuoteRefusal::OfferAltered { .. }));
    let unknown = (OfferId::new(1), offer.1);
    assert!(matches!(refused(rig.accept(1, unknown)), QuoteRefusal::OfferUnknown { .. }));
    rig.accept(1, offer).unwrap();
    assert!(matches!(refused(rig.accept(1, offer)), QuoteRefusal::OfferUsed { .. }));
    let late = rig.quote(1, 78, pays(cny(10_000), btc())).unwrap();
    rig.tick(10_000);
    assert!(matches!(refused(rig.accept(1, late)), QuoteRefusal::OfferExpired { .. }));
    assert_eq!(rig.money(OWN_BTC).1, 0);
}

#[test]
fn without_a_fresh_price_nothing_is_offered() {
    let mut rig = desk();
    rig.join(1, 1_000_000, 0);
    rig.tick(60_000);
    let refusal = rig.quote(1, 77, pays(cny(10_000), btc())).unwrap_err();
    assert!(matches!(refusal, Refusal::Quote(QuoteRefusal::Price(_))), "{refusal:?}");
    rig.read_price(500_000);
    rig.quote(1, 78, pays(cny(10_000), btc())).unwrap();
}

#[test]
fn who_cannot_pay_is_refused_and_the_offer_stays_open() {
    let mut rig = desk();
    rig.join(1, 5_000, 0);
    let offer = rig.quote(1, 77, pays(cny(10_000), btc())).unwrap();
    assert!(matches!(rig.accept(1, offer), Err(Refusal::Funds(_))));
    rig.fund(901, 11, cny(5_000));
    rig.accept(1, offer).unwrap();
}

#[test]
fn the_bank_buys_back_in_the_book_what_takes_it_too_far_from_its_target() {
    let mut rig = desk();
    let (base, quote) = (AccountId::new(OWN_BTC), AccountId::new(OWN_CNY));
    rig.take(&Command::TakeSeat { market: MARKET, base, quote, group: None }, &operator("lin")).unwrap();
    let seller = rig.join(2, 0, 200_000_000);
    // Dearer than the bank's own price, so that the offer is from its stock.
    rig.limit(2, seller, Side::Ask, 51_500, 700);
    rig.join(1, 100_000_000, 0);
    let offer = rig.quote(1, 77, Exact::Takes { amount: sat(40_000_000), pays: Asset::CNY }).unwrap();
    rig.accept(1, offer).unwrap();
    assert_eq!(rig.money(OWN_BTC).0, 60_000_000);
    let offer = rig.quote(1, 78, Exact::Takes { amount: sat(20_000_000), pays: Asset::CNY }).unwrap();
    rig.accept(1, offer).unwrap();
    // 0.4 BTC left, 0.6 away from the target: bought in the book.
    assert_eq!(rig.money(OWN_BTC).0, 100_000_000);
    assert_eq!(rig.exchange.market(MARKET).unwrap().trades_count(), 1);
}

#[test]
fn a_pool_gives_shares_swaps_and_gives_back() {
    let mut rig = desk();
    let share = Asset::new("POOL1", 18).unwrap();
    for (id, kind, asset) in [
        (920, AccountKind::Customer, btc()),
        (921, AccountKind::Customer, Asset::CNY),
        (922, AccountKind::Reserve, share),
        (12, AccountKind::Customer, share),
        (22, AccountKind::Customer, share),
    ] {
        rig.open(id, kind, asset);
    }
    rig.join(1, 100_000_000, 200_000_000);
    rig.join(2, 100_000_000, 0);
    let terms = PoolTerms {
        coins: vec![Coin::new(btc()), Coin::new(Asset::CNY)],
        curve: Curve::Product,
        fee_ppm: 3_000,
        share,
    };
    let accounts = vec![AccountId::new(920), AccountId::new(921)];
    rig.change(MarketChange::OpenPool { terms, accounts, shares: AccountId::new(922) });
    let use_pool = |number: u128, command: PoolCommand| Command::UsePool {
        pool: PoolNumber::new(1),
        command,
        accounts: vec![AccountId::new(number * 10), AccountId::new(number * 10 + 1)],
        shares: AccountId::new(number * 10 + 2),
    };
    let add = PoolCommand::Add {
        pays: vec![sat(100_000_000), cny(50_000_000)],
        shares_least: Amount::new(share, 1),
    };
    rig.take(&use_pool(1, add), &customer(1)).unwrap();
    let shares = rig.money(12).0;
    assert!(shares > 0);
    let swap = PoolCommand::SwapIn { pays: cny(1_000_000), takes_least: sat(1) };
    rig.take(&use_pool(2, swap.clone()), &customer(2)).unwrap();
    let got = rig.money(20).0;
    assert!((1_900_000..2_000_000).contains(&got), "{got}");
    let poor = PoolCommand::SwapIn { pays: sat(100_000_000), takes_least: cny(1) };
    assert!(matches!(rig.take(&use_pool(2, poor), &customer(2)), Err(Refusal::Funds(_))));
    let wrong = Command::UsePool {
        pool: PoolNumber::new(1),
        command: swap,
        accounts: vec![AccountId::new(21), AccountId::new(20)],
        shares: AccountId::new(22),
    };
    assert_eq!(rig.take(&wrong, &customer(2)).unwrap_err(), Refusal::DealingAccounts);
    let all = PoolCommand::Remove { shares: Amount::new(share, shares), takes_least: vec![sat(1), cny(1)] };
    rig.take(&use_pool(1, all), &customer(1)).unwrap();
    assert_eq!(rig.money(12).0, 0);
    let pool = rig.exchange.dealing().pool(PoolNumber::new(1)).unwrap().pool.clone();
    let reserves: Vec<u128> = pool.reserves().iter().map(Amount::minor).collect();
    assert_eq!(reserves, [rig.money(920).0, rig.money(921).0]);
}

/// With a pool of both assets at 920 and 921, and its shares from 922.
fn with_pool() -> Rig {
    let mut rig = desk();
    let share = Asset::new("POOL1", 18).unwrap();
    for (id, kind, asset) in [
        (920, AccountKind::Customer, btc()),
        (921, AccountKind::Customer, Asset::CNY),
        (922, AccountKind::Reserve, share),
        (12, AccountKind::Customer, share),
    ] {
        rig.open(id, kind, asset);
    }
    rig.join(1, 100_000_000, 200_000_000);
    let coins = vec![Coin::new(btc()), Coin::new(Asset::CNY)];
    let terms = PoolTerms { coins, curve: Curve::Product, fee_ppm: 3_000, share };
    let accounts = vec![AccountId::new(920), AccountId::new(921)];
    rig.change(MarketChange::OpenPool { terms, accounts, shares: AccountId::new(922) });
    rig
}

#[test]
fn what_a_pool_has_is_the_pools_alone() {
    let mut rig = with_pool();
    let own = AccountId::new;
    let inventory = MarketChange::SetInventory { asset: Asset::CNY, account: own(921), fees: FEES };
    let refusal = rig.take(&Command::Propose(inventory), &operator("lin")).unwrap_err();
    assert_eq!(refusal, Refusal::DealingAccounts);
    let seat = Command::TakeSeat { market: MARKET, base: own(920), quote: own(OWN_CNY), group: None };
    assert_eq!(rig.take(&seat, &operator("lin")).unwrap_err(), Refusal::SeatAccounts);
    assert!([920, 921, 922, OWN_CNY, 900].iter().all(|id| rig.exchange.needs(own(*id))));
}

#[test]
fn a_pool_whose_money_somebody_took_refuses_and_the_bank_goes_on() {
    let mut rig = with_pool();
    let share = rig.exchange.dealing().pool(PoolNumber::new(1)).unwrap().pool.terms().share;
    let use_pool = |command: PoolCommand| Command::UsePool {
        pool: PoolNumber::new(1),
        command,
        accounts: vec![AccountId::new(10), AccountId::new(11)],
        shares: AccountId::new(12),
    };
    let pays = vec![sat(100_000_000), cny(50_000_000)];
    let add = PoolCommand::Add { pays, shares_least: Amount::new(share, 1) };
    rig.take(&use_pool(add), &customer(1)).unwrap();
    rig.fund(921, 901, cny(50_000_000));
    let swap = PoolCommand::SwapIn { pays: sat(1_000_000), takes_least: cny(1) };
    assert!(matches!(rig.take(&use_pool(swap), &customer(1)), Err(Refusal::Funds(_))));
}
