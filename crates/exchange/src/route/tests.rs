#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first surprise"
)]

use money::{Amount, Asset};
use proptest::prelude::*;

use super::{BookSide, Dealt, Exact, Venue, VenueId, deal, measure, route, total};
use crate::pool::{Coin, Curve, Pool, PoolCommand, PoolNumber, PoolTerms};
use crate::price::Pair;
use crate::quote::Firm;
use crate::{MarketNumber, Price, Quantity, Side};

fn btc() -> Asset {
    Asset::new("BTC", 8).unwrap()
}

/// A tick is one fen for 0.0001 BTC.
fn book(side: Side, fee_ppm: u32, levels: &[(u64, u64)]) -> BookSide {
    let levels = levels.iter().map(|(price, lots)| (Price::new(*price), Quantity::new(*lots))).collect();
    BookSide { market: MarketNumber::new(1), side, lot: 10_000, tick: 1, fee_ppm, levels }
}

fn pool(fee_ppm: u32, base: u128, quote: u128) -> Pool {
    let coins = vec![Coin::new(btc()), Coin::new(Asset::CNY)];
    let share = Asset::new("POOL1", 18).unwrap();
    let mut pool = Pool::open(PoolTerms { coins, curve: Curve::Product, fee_ppm, share }).unwrap();
    let pays = vec![Amount::new(btc(), base), Amount::new(Asset::CNY, quote)];
    pool.apply(&pool.decide(&PoolCommand::Add { pays, shares_least: Amount::zero(share) }).unwrap());
    pool
}

fn inventory(side: Side, mid: &str, spread_ppm: u32, most: u128) -> Venue<'static> {
    let price =
        Firm { pair: Pair { base: btc(), quote: Asset::CNY }, side, mid: mid.parse().unwrap(), spread_ppm };
    let asset = if side == Side::Bid { btc() } else { Asset::CNY };
    Venue::Inventory { price, most: Amount::new(asset, most) }
}

fn exact(side: Side, is_in: bool, minor: u128) -> Exact {
    let (pays, takes) = if side == Side::Bid { (Asset::CNY, btc()) } else { (btc(), Asset::CNY) };
    if is_in {
        Exact::Pays { amount: Amount::new(pays, minor), takes }
    } else {
        Exact::Takes { amount: Amount::new(takes, minor), pays }
    }
}

fn check(venues: &[Venue<'_>], exact: &Exact, expect: &str) {
    let said = route(venues, exact).map_or_else(
        || "none".to_owned(),
        |route| {
            let leg = |leg: &super::RouteLeg| format!("{:?} {} for {}", leg.venue, leg.takes, leg.pays);
            route.legs.iter().map(leg).collect::<Vec<_>>().join("; ")
        },
    );
    assert_eq!(said, expect);
}

#[test]
fn the_best_price_comes_first_whatever_the_venue() {
    // 0.0001 BTC at 5000, 5010 and 5050 fen: 500000, 501000, 505000 yuan; the bank sells at 502000.
    let venues = [
        Venue::Book(book(Side::Bid, 0, &[(5_000, 100), (5_010, 100), (5_050, 1_000)])),
        inventory(Side::Bid, "502000", 0, 100_000_000),
    ];
    check(
        &venues,
        &exact(Side::Bid, false, 5_000_000),
        "Book(MarketNumber(1)) 0.02000000 BTC for 10010.00 CNY; Inventory 0.03000000 BTC for 15060.00 CNY",
    );
    check(
        &venues,
        &exact(Side::Bid, true, 2_507_000),
        "Book(MarketNumber(1)) 0.02000000 BTC for 10010.00 CNY; Inventory 0.03000000 BTC for 15060.00 CNY",
    );
    // Where the bank has nothing left, the book goes on.
    let venues = [
        Venue::Book(book(Side::Bid, 0, &[(5_000, 100), (5_050, 1_000)])),
        inventory(Side::Bid, "502000", 0, 1_000_000),
    ];
    check(
        &venues,
        &exact(Side::Bid, false, 3_000_000),
        "Book(MarketNumber(1)) 0.02000000 BTC for 10050.00 CNY; Inventory 0.01000000 BTC for 5020.00 CNY",
    );
}

#[test]
fn a_fee_counts_in_the_comparison() {
    // 500000 and 0.5 % is dearer than 502000.
    let venues = [
        Venue::Book(book(Side::Bid, 5_000, &[(5_000, 1_000)])),
        inventory(Side::Bid, "502000", 0, 100_000_000),
    ];
    check(&venues, &exact(Side::Bid, false, 1_000_000), "Inventory 0.01000000 BTC for 5020.00 CNY");
    let venues = [
        Venue::Book(book(Side::Ask, 5_000, &[(5_000, 1_000)])),
        inventory(Side::Ask, "498000", 0, 100_000_000),
    ];
    check(&venues, &exact(Side::Ask, true, 1_000_000), "Inventory 4980.00 CNY for 0.01000000 BTC");
}

#[test]
fn what_is_less_than_a_lot_goes_elsewhere() {
    let venues =
        [Venue::Book(book(Side::Ask, 0, &[(5_000, 10)])), inventory(Side::Ask, "490000", 0, 100_000_000)];
    check(
        &venues,
        &exact(Side::Ask, true, 25_000),
        "Book(MarketNumber(1)) 100.00 CNY for 0.00020000 BTC; Inventory 24.50 CNY for 0.00005000 BTC",
    );
    check(&venues[..1], &exact(Side::Ask, true, 25_000), "none");
    check(&venues[..1], &exact(Side::Ask, true, 110_000), "none");
    check(&[], &exact(Side::Ask, true, 1), "none");
}

#[test]
fn a_book_charges_its_fee_rounded_up_and_within_the_amount() {
    let side = book(Side::Bid, 1_000, &[(5_000, 3), (5_001, 10)]);
    // Five lots: 3 × 5000 + 2 × 5001 = 25002, and 25.002 → 26.
    let dealt = |is_in, minor| side.deal(&exact(Side::Bid, is_in, minor), minor).unwrap();
    assert_eq!(dealt(false, 59_999), Dealt { pays: 25_028, takes: 50_000 });
    assert_eq!(dealt(true, 25_028), Dealt { pays: 25_028, takes: 50_000 });
    assert_eq!(dealt(true, 25_027), Dealt { pays: 20_022, takes: 40_000 });
    let side = book(Side::Ask, 1_000, &[(5_000, 3), (4_999, 10)]);
    let dealt = |is_in, minor| side.deal(&exact(Side::Ask, is_in, minor), minor).unwrap();
    assert_eq!(dealt(true, 59_999), Dealt { pays: 50_000, takes: 24_973 });
    assert_eq!(dealt(false, 24_973), Dealt { pays: 50_000, takes: 24_973 });
    assert_eq!(dealt(false, 24_972), Dealt { pays: 40_000, takes: 19_979 });
}

/// A book, a pool and the bank's own price near 500000, with fees and depths of all kinds.
fn venues() -> impl Strategy<Value = (Side, BookSide, Pool, Venue<'static>)> {
    let fee = || prop::sample::select(vec![0_u32, 500, 3_000]);
    let levels = prop::collection::vec((0_u64..60, 1_u64..400), 0..6);
    let reserves = (1_u128..500, 480_000_u128..520_000);
    let own = (490_000_u32..510_000, 0_u32..5_000, 0_u128..200_000_000);
    (any::<bool>(), fee(), levels, fee(), reserves, own).prop_map(
        |(buys, book_fee, steps, pool_fee, (base, price), (mid, spread, most))| {
            let side = if buys { Side::Bid } else { Side::Ask };
            let mut at = 5_000;
            let levels: Vec<(u64, u64)> = steps
                .into_iter()
                .map(|(step, lots)| {
                    at = if buys { at + step } else { at - step };
                    (at, lots)
                })
                .collect();
            let most = if buys { most } else { most * 500 / 1_000 };
            (
                side,
                book(side, book_fee, &levels),
                pool(pool_fee, base * 10_000_000, base * price * 10),
                inventory(side, &mid.to_string(), spread, most),
            )
        },
    )
}

fn better(exact: &Exact, found: Dealt, than: Dealt) -> bool {
    match exact {
        Exact::Pays { .. } => found.takes >= than.takes,
        Exact::Takes { .. } => found.pays <= than.pays,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_worse_than_the_best_single_venue((side, book, pool, own) in venues(), is_in in any::<bool>(), size in 1_u128..200_000_000) {
        let size = if (side == Side::Bid) == is_in { size / 2 + 1 } else { size };
        let all = [Venue::Book(book), Venue::Pool { number: PoolNumber::new(1), pool: &pool }, own];
        let exact = exact(side, is_in, size);
        let found = route(&all, &exact);
        for venue in &all {
            let alone = deal(venue, &exact, size);
            if measure(&exact, alone) == size {
                let found = found.as_ref().unwrap();
                let sum = Dealt { pays: found.pays.minor(), takes: found.takes.minor() };
                prop_assert!(better(&exact, sum, alone), "{:?} against {:?} at {:?}", sum, alone, venue.id());
            }
        }
        if let Some(found) = found {
            // The parts are the whole, and each is what its venue says.
            let parts: Vec<Dealt> = found.legs.iter().map(|leg| Dealt { pays: leg.pays.minor(), takes: leg.takes.minor() }).collect();
            prop_assert_eq!(total(&parts), Some(Dealt { pays: found.pays.minor(), takes: found.takes.minor() }));
            prop_assert_eq!(measure(&exact, total(&parts).unwrap()), size);
            for (leg, part) in found.legs.iter().zip(parts) {
                let venue = all.iter().find(|venue| venue.id() == leg.venue).unwrap();
                prop_assert_eq!(deal(venue, &exact, measure(&exact, part)), part);
            }
        }
    }

    /// Against every way to cut the amount in fortieths: nearly the best of them, or better.
    #[test]
    fn as_good_as_trying_everything((side, book, pool, own) in venues(), is_in in any::<bool>(), lots in 1_u128..100) {
        let all = [Venue::Book(book), Venue::Pool { number: PoolNumber::new(1), pool: &pool }, own];
        // Pieces of whole lots where base is given, of as much quote where quote is.
        let piece = if (side == Side::Bid) == is_in { lots * 5_020 } else { lots * 10_000 };
        let exact = exact(side, is_in, piece * 40);
        let parts: Vec<Vec<Dealt>> = all.iter().map(|venue| (0..=40).map(|n| deal(venue, &exact, piece * n)).collect()).collect();
        let mut best: Option<Dealt> = None;
        for first in 0..=40 {
            for second in 0..=40 - first {
                let sum = total(&[parts[0][first], parts[1][second], parts[2][40 - first - second]]).unwrap();
                let is_whole = measure(&exact, sum) == piece * 40;
                if is_whole && best.is_none_or(|best| better(&exact, sum, best)) {
                    best = Some(sum);
                }
            }
        }
        if let Some(best) = best {
            let found = route(&all, &exact).unwrap();
            // A pool is cut into pieces, each of the three venues rounds once in each of the two, and one lot
            // of 50 yuan may not fit beside what the others take: then it goes where it is worth a few hundredths less.
            let slack = |minor: u128| minor / 1_000_000 + 6 + 300;
            match exact {
                Exact::Pays { .. } => prop_assert!(found.takes.minor() + slack(best.takes) >= best.takes, "{:?} and {:?}", found, best),
                Exact::Takes { .. } => prop_assert!(found.pays.minor() <= best.pays + slack(best.pays), "{:?} and {:?}", found, best),
            }
        }
    }
}

#[test]
fn a_pool_and_a_book_share_an_amount() {
    let pool = pool(0, 100_000_000_000, 50_000_000_000_000 / 1_000);
    let venues = [
        Venue::Pool { number: PoolNumber::new(7), pool: &pool },
        Venue::Book(book(Side::Bid, 0, &[(5_100, 100_000)])),
    ];
    let found = route(&venues, &exact(Side::Bid, false, 2_000_000_000)).unwrap();
    // From 500000 the pool gets to 510000 when one hundredth of a thousand BTC less 0.985… has left it: some ten.
    let from_pool = found.legs[0];
    assert_eq!(from_pool.venue, VenueId::Pool(PoolNumber::new(7)));
    assert!((900_000_000..1_050_000_000).contains(&from_pool.takes.minor()), "{found:?}");
}
