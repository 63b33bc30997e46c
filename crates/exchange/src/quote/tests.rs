#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first surprise"
)]

use money::{AccountId, Amount, Asset, CustomerId, Timestamp};
use proptest::prelude::*;

use super::{
    Accept, ConvertTerms, Desk, OPEN_PER_CUSTOMER_MAX, Offer, OfferEnd, OfferId, QuoteChange, QuoteRefusal,
    QuoteRequest, SizeBand, Stock, TermsHash,
};
use crate::price::{Mid, Pair, Rate};
use crate::route::{BookSide, Exact, Venue, VenueId};
use crate::{MarketNumber, Price, Quantity, Side};

fn btc(minor: u128) -> Amount {
    Amount::new(Asset::new("BTC", 8).unwrap(), minor)
}

fn cny(minor: u128) -> Amount {
    Amount::new(Asset::CNY, minor)
}

fn pair() -> Pair {
    Pair { base: btc(0).asset(), quote: Asset::CNY }
}

fn ms(ms: u64) -> Timestamp {
    Timestamp::from_ms(1_000_000 + ms)
}

fn customer(number: u128) -> CustomerId {
    CustomerId::new(number)
}

/// 0.1 % up to 10,000 yuan, 0.2 % up to a million; ten seconds; one standard deviation; ten BTC wanted, one more or less moves by 0.05 %; a fee of 0.1 %.
fn terms() -> ConvertTerms {
    ConvertTerms {
        bands: vec![
            SizeBand { up_to: cny(1_000_000), spread_ppm: 1_000 },
            SizeBand { up_to: cny(100_000_000), spread_ppm: 2_000 },
        ],
        least: cny(100),
        lock_ms: 10_000,
        volatility_share_ppm: 1_000_000,
        target: btc(1_000_000_000),
        target_band: btc(100_000_000),
        skew_ppm: 500,
        spread_max_ppm: 20_000,
        fee_ppm: 1_000,
    }
}

fn desk(terms: ConvertTerms) -> Desk {
    let mut desk = Desk::new();
    let set = desk.decide_terms(pair(), ms(0), terms).unwrap();
    desk.apply(&set);
    desk
}

fn mid(text: &str, volatility_ppb: u64) -> Mid {
    Mid { rate: text.parse().unwrap(), at: ms(0), sources: 3, volatility_ppb }
}

fn stock(mid: Mid) -> Stock<'static> {
    Stock { mid, base: btc(1_000_000_000), quote: cny(10_000_000_000), venues: Vec::new() }
}

fn ask_for(id: u128, owner: u128, exact: Exact) -> QuoteRequest {
    let (from, to) = (AccountId::new(owner * 2), AccountId::new(owner * 2 + 1));
    QuoteRequest { id: OfferId::new(id), owner: customer(owner), from, to, exact }
}

fn buys(amount: Amount) -> Exact {
    if amount.asset() == Asset::CNY {
        Exact::Pays { amount, takes: btc(0).asset() }
    } else {
        Exact::Takes { amount, pays: Asset::CNY }
    }
}

fn sells(amount: Amount) -> Exact {
    if amount.asset() == Asset::CNY {
        Exact::Takes { amount, pays: btc(0).asset() }
    } else {
        Exact::Pays { amount, takes: Asset::CNY }
    }
}

fn offer(desk: &Desk, exact: Exact, stock: &Stock<'_>) -> Result<Offer, QuoteRefusal> {
    match desk.decide_offer(&ask_for(1, 1, exact), stock, ms(0))? {
        QuoteChange::Offered(offer) => Ok(offer),
        other => panic!("{other:?}"),
    }
}

/// `pays`, `takes`, fee and spread of an offer, or why there is none.
fn check(terms: ConvertTerms, exact: Exact, stock: &Stock<'_>, expect: &str) {
    let said = match offer(&desk(terms), exact, stock) {
        Ok(Offer { pays, takes, fee, spread, .. }) => {
            format!("{takes} for {pays}, fee {fee}, spread {} ppm", spread.total_ppm)
        }
        Err(refusal) => refusal.to_string(),
    };
    assert_eq!(said, expect);
}

#[test]
fn four_ways_to_ask() {
    let at = stock(mid("500000", 0));
    // 0.01 BTC: 5000 yuan; a thousandth dearer 5005, fee 5.005.
    check(
        terms(),
        buys(btc(1_000_000)),
        &at,
        "0.01000000 BTC for 5010.01 CNY, fee 5.01 CNY, spread 1000 ppm",
    );
    check(terms(), buys(cny(501_001)), &at, "0.01000000 BTC for 5010.01 CNY, fee 5.01 CNY, spread 1000 ppm");
    check(
        terms(),
        sells(btc(1_000_000)),
        &at,
        "4990.00 CNY for 0.01000000 BTC, fee 5.00 CNY, spread 1000 ppm",
    );
    check(terms(), sells(cny(499_000)), &at, "4990.00 CNY for 0.01000000 BTC, fee 5.00 CNY, spread 1000 ppm");
}

#[test]
fn the_spread_is_size_and_volatility_and_stock() {
    let spread = |exact, volatility, has| {
        let at = Stock { base: btc(has), ..stock(mid("500000", volatility)) };
        let spread = offer(&desk(terms()), exact, &at).unwrap().spread;
        (spread.size_ppm, spread.volatility_ppm, spread.skew_ppm, spread.total_ppm)
    };
    let small = btc(1_000_000);
    assert_eq!(spread(buys(btc(100_000_000)), 0, 1_000_000_000), (2_000, 0, 0, 2_000));
    // A ten-thousandth in the root of a second, for ten seconds: 0.000316….
    assert_eq!(spread(buys(small), 100_000, 1_000_000_000), (1_000, 317, 0, 1_317));
    // Half a BTC too much: whoever buys pays half the skew less, whoever sells half of it more.
    assert_eq!(spread(buys(small), 0, 1_050_000_000), (1_000, 0, -250, 750));
    assert_eq!(spread(sells(small), 0, 1_050_000_000), (1_000, 0, 250, 1_250));
    // Far too little: the whole of it.
    assert_eq!(spread(buys(small), 0, 300_000_000), (1_000, 0, 500, 1_500));
    assert_eq!(spread(sells(small), 0, 300_000_000), (1_000, 0, -500, 500));
}

#[test]
fn there_is_no_offer_outside_the_terms() {
    let at = stock(mid("500000", 0));
    check(terms(), buys(btc(0)), &at, "the amount is zero");
    check(terms(), buys(btc(199)), &at, "0.99 CNY is below the least of 1.00 CNY");
    check(terms(), sells(cny(100_000_001)), &at, "1000000.01 CNY is above the most of 1000000.00 CNY");
    let exact = Exact::Pays { amount: Amount::new(Asset::USD, 100), takes: Asset::CNY };
    check(terms(), exact, &at, "USD is not converted into CNY");
    let wild = stock(mid("500000", 10_000_000));
    check(terms(), buys(btc(1_000_000)), &wild, "the spread would be 32623 ppm, at most 20000 are offered");
    let poor = Stock { base: btc(999_999), ..at };
    check(
        ConvertTerms { skew_ppm: 0, ..terms() },
        buys(btc(1_000_000)),
        &poor,
        "the bank has 0.00999999 BTC to give, 0.01000000 BTC are needed",
    );
}

#[test]
fn a_better_book_makes_a_better_offer() {
    // 0.01 BTC in the book at 499,500 with a fee of 0.02 %, 0.0001 BTC a lot; the bank sells at 500,500.
    let book = BookSide {
        market: MarketNumber::new(3),
        side: Side::Bid,
        lot: 10_000,
        tick: 1,
        fee_ppm: 200,
        levels: vec![(Price::new(4_995), Quantity::new(100))],
    };
    let at = Stock { venues: vec![Venue::Book(book)], ..stock(mid("500000", 0)) };
    let offer = offer(&desk(terms()), buys(btc(1_500_000)), &at).unwrap();
    let legs: Vec<(VenueId, Amount, Amount)> =
        offer.route.iter().map(|leg| (leg.venue, leg.pays, leg.takes)).collect();
    let in_book = (VenueId::Book(MarketNumber::new(3)), cny(499_600), btc(1_000_000));
    assert_eq!(legs, vec![(VenueId::Inventory, cny(250_250), btc(500_000)), in_book]);
    assert_eq!((offer.pays, offer.fee), (cny(749_850 + 750), cny(750)));
}

fn accept(desk: &mut Desk, id: u128, owner: u128, hash: TermsHash, now: Timestamp) -> Result<Offer, String> {
    let accept = Accept { id: OfferId::new(id), owner: customer(owner), terms_hash: hash };
    let (change, offer) = desk.decide_accept(&accept, now).map_err(|refusal| refusal.to_string())?;
    let offer = offer.clone();
    apply(desk, &change);
    Ok(offer)
}

fn apply(desk: &mut Desk, change: &QuoteChange) {
    desk.apply(change);
    let bytes = minicbor::to_vec(&*desk).unwrap();
    assert_eq!(&minicbor::decode::<Desk>(&bytes).unwrap(), desk);
    assert_eq!(&minicbor::decode::<QuoteChange>(&minicbor::to_vec(change).unwrap()).unwrap(), change);
    assert_eq!(desk.broken_invariants(), Vec::<String>::new());
}

fn make(
    desk: &mut Desk,
    id: u128,
    owner: u128,
    exact: Exact,
    at: &Stock<'_>,
    now: Timestamp,
) -> Result<TermsHash, String> {
    let change =
        desk.decide_offer(&ask_for(id, owner, exact), at, now).map_err(|refusal| refusal.to_string())?;
    apply(desk, &change);
    Ok(desk.offer(OfferId::new(id)).unwrap().terms_hash())
}

#[test]
fn an_offer_is_taken_once_in_time_by_its_own_customer_as_it_was() {
    let mut desk = desk(terms());
    let at = stock(mid("500000", 0));
    let hash = make(&mut desk, 1, 1, buys(btc(1_000_000)), &at, ms(0)).unwrap();
    let other = make(&mut desk, 2, 1, buys(btc(2_000_000)), &at, ms(0)).unwrap();
    let id = OfferId::new(1);
    assert_eq!(make(&mut desk, 1, 2, buys(btc(1)), &at, ms(1)), Err(format!("offer {id} is known")));
    assert_eq!(accept(&mut desk, 9, 1, hash, ms(1)), Err(format!("offer {} is unknown", OfferId::new(9))));
    assert_eq!(
        accept(&mut desk, 1, 2, hash, ms(1)),
        Err(format!("offer {id} was made for another customer"))
    );
    assert_eq!(accept(&mut desk, 1, 1, other, ms(1)), Err(format!("offer {id} has other terms")));
    assert_eq!(desk.promised(btc(0).asset()), btc(3_000_000));
    assert_eq!(accept(&mut desk, 1, 1, hash, ms(9_999)).unwrap().pays, cny(501_001));
    assert_eq!(desk.promised(btc(0).asset()), btc(2_000_000));
    let used = Err(format!("offer {id} was taken at {}", ms(9_999)));
    assert_eq!(accept(&mut desk, 1, 1, hash, ms(9_999)), used);
    assert_eq!(
        accept(&mut desk, 1, 2, hash, ms(9_999)),
        Err(format!("offer {id} was made for another customer"))
    );
    // The second is over at ten seconds sharp, whether the tick has come or not.
    let over = Err(format!("offer {} was open until {}", OfferId::new(2), ms(10_000)));
    assert_eq!(accept(&mut desk, 2, 1, other, ms(10_000)), over);
    assert_eq!((desk.next_due(), desk.decide_tick(ms(9_999))), (Some(ms(10_000)), None));
    let tick = desk.decide_tick(ms(10_000)).unwrap();
    apply(&mut desk, &tick);
    assert_eq!(accept(&mut desk, 2, 1, other, ms(10_000)), over);
    assert_eq!(desk.ended(OfferId::new(2)).map(|ended| ended.how), Some(OfferEnd::Expired));
    assert_eq!((desk.next_due(), desk.promised(btc(0).asset())), (None, btc(0)));
}

#[test]
fn open_offers_are_few_and_promise_no_more_than_there_is() {
    let mut desk = desk(ConvertTerms { skew_ppm: 0, ..terms() });
    let at = Stock { base: btc(10_000_000), ..stock(mid("500000", 0)) };
    let most = u128::try_from(OPEN_PER_CUSTOMER_MAX).unwrap();
    for id in 0..most {
        make(&mut desk, id, 1, buys(btc(1_000_000)), &at, ms(0)).unwrap();
    }
    let full = make(&mut desk, 90, 1, buys(btc(1_000_000)), &at, ms(0));
    assert_eq!(full, Err("8 offers are open, at most 8 may be".to_owned()));
    // Another customer: 0.02 BTC are not promised yet.
    let short = make(&mut desk, 91, 2, buys(btc(2_000_001)), &at, ms(0));
    assert_eq!(short, Err("the bank has 0.02000000 BTC to give, 0.02000001 BTC are needed".to_owned()));
    make(&mut desk, 92, 2, buys(btc(2_000_000)), &at, ms(0)).unwrap();
    // What is promised in BTC does not bind the yuan.
    make(&mut desk, 93, 2, sells(btc(2_000_000)), &at, ms(0)).unwrap();
}

#[test]
fn terms_that_convert_nothing() {
    let desk = desk(terms());
    let set = |pair, terms| desk.decide_terms(pair, ms(0), terms).map(|_| ()).map_err(|no| no.to_string());
    assert_eq!(set(pair(), terms()), Ok(()));
    let turned = ConvertTerms {
        bands: vec![SizeBand { up_to: btc(100), spread_ppm: 1 }],
        least: btc(1),
        target: cny(1),
        target_band: cny(1),
        ..terms()
    };
    let round = Pair { base: pair().quote, quote: pair().base };
    assert!(set(round, turned).unwrap_err().ends_with("the other way round"));
    for bad in [
        ConvertTerms { bands: Vec::new(), ..terms() },
        ConvertTerms { bands: vec![terms().bands[1], terms().bands[0]], ..terms() },
        ConvertTerms { least: cny(0), ..terms() },
        ConvertTerms { least: btc(1), ..terms() },
        ConvertTerms { target: cny(1), ..terms() },
        ConvertTerms { target_band: btc(0), ..terms() },
        ConvertTerms { lock_ms: 0, ..terms() },
        ConvertTerms { lock_ms: 600_001, ..terms() },
        ConvertTerms { spread_max_ppm: 500_001, ..terms() },
        ConvertTerms { fee_ppm: 500_001, ..terms() },
    ] {
        assert!(set(pair(), bad).unwrap_err().starts_with("a pair cannot be converted by these terms"));
    }
}

#[test]
fn terms_hold_from_their_time_on() {
    let mut desk = desk(terms());
    let dearer = ConvertTerms { fee_ppm: 5_000, ..terms() };
    let set = desk.decide_terms(pair(), ms(500), dearer).unwrap();
    apply(&mut desk, &set);
    let fee = |now| desk.terms(pair(), now).map(|terms| terms.fee_ppm);
    assert_eq!((fee(Timestamp::from_ms(0)), fee(ms(499)), fee(ms(500))), (None, Some(1_000), Some(5_000)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The bank never gives more than the middle less the spread is worth, and each of price and fee rounds by less than one minor unit.
    #[test]
    fn rounding_is_the_banks_by_less_than_a_unit(
        price in 1_u128..2_000_000_000, minor in 1_000_000_u128..100_000_000, fee_ppm in 0_u32..20_000, spread_ppm in 0_u32..20_000, way in 0..4,
    ) {
        let rate = Rate::from_e18(price * 1_000_000_000_000_000);
        let bands = vec![SizeBand { up_to: cny(u128::MAX), spread_ppm }];
        let terms = ConvertTerms { bands, fee_ppm, skew_ppm: 0, least: cny(1), ..terms() };
        let at = Stock { base: btc(u128::MAX), quote: cny(u128::MAX), ..stock(Mid { rate, ..mid("1", 0) }) };
        let exact = [buys(cny(minor)), buys(btc(minor)), sells(cny(minor)), sells(btc(minor))][usize::try_from(way).unwrap()];
        if let Ok(offer) = offer(&desk(terms), exact, &at) {
            // In 10⁻²⁴ of quote's minor unit: 10^8 of base's minor units at the rate's 10¹⁸, with 100 minor units and millionths.
            let million = 1_000_000;
            let fee = offer.fee.minor();
            let (net, base, factor) = match offer.side {
                Side::Bid => (offer.pays.minor() - fee, offer.takes.minor(), million + u128::from(spread_ppm)),
                Side::Ask => (offer.takes.minor() + fee, offer.pays.minor(), million - u128::from(spread_ppm)),
            };
            // base · price/1000 units of quote; in minor units: base · price · 100 / (1000 · 10^8) = base · price / 10^9.
            let (paid, worth) = (net * 1_000_000_000 * million, base * price * factor);
            let unit_of_quote = 1_000_000_000 * million;
            let unit_of_base = price * factor;
            match (offer.side, exact) {
                (Side::Bid, Exact::Takes { .. }) => prop_assert!(paid >= worth && paid < worth + unit_of_quote),
                (Side::Bid, Exact::Pays { .. }) => prop_assert!(paid >= worth && paid < worth + unit_of_base),
                (Side::Ask, Exact::Pays { .. }) => prop_assert!(paid <= worth && paid + unit_of_quote > worth),
                (Side::Ask, Exact::Takes { .. }) => prop_assert!(paid <= worth && paid + unit_of_base > worth),
            }
            prop_assert!(fee * million >= net * u128::from(fee_ppm), "{} of {}", fee, net);
            // Where quote is given exactly, the net is rounded first and the fee takes what is left.
            prop_assert!(fee * million < net * u128::from(fee_ppm) + 2 * million + u128::from(fee_ppm), "{} of {}", fee, net);
        }
    }

    /// Buying and selling again at one middle never pays.
    #[test]
    fn there_and_back_never_pays(price in 1_u128..2_000_000_000, minor in 1_000_000_u128..100_000_000) {
        let rate = Rate::from_e18(price * 1_000_000_000_000_000);
        let bands = vec![SizeBand { up_to: cny(u128::MAX), spread_ppm: 0 }];
        let terms = ConvertTerms { bands, fee_ppm: 0, skew_ppm: 0, least: cny(1), ..terms() };
        let at = Stock { base: btc(u128::MAX), quote: cny(u128::MAX), ..stock(Mid { rate, ..mid("1", 0) }) };
        let desk = desk(terms);
        if let Ok(there) = offer(&desk, buys(cny(minor)), &at)
            && let Ok(back) = offer(&desk, sells(there.takes), &at)
        {
            prop_assert!(back.takes.minor() <= minor);
        }
        if let Ok(there) = offer(&desk, sells(btc(minor)), &at)
            && let Ok(back) = offer(&desk, buys(there.takes), &at)
        {
            prop_assert!(back.takes.minor() <= minor);
        }
    }
}
