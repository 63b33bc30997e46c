#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first surprise"
)]

use money::{Amount, Asset};
use proptest::prelude::*;

use super::{Coin, Curve, Pool, PoolChange, PoolCommand, PoolRefusal, PoolTerms, SHARES_LOCKED};

fn share() -> Asset {
    Asset::new("POOL1", 18).unwrap()
}

fn asset(place: usize, scale: u8) -> Asset {
    Asset::new(&format!("COIN{place}"), scale).unwrap()
}

fn pool(curve: Curve, fee_ppm: u32, reserves: &[(u8, u128)]) -> Pool {
    try_pool(curve, fee_ppm, reserves).unwrap()
}

fn try_pool(curve: Curve, fee_ppm: u32, reserves: &[(u8, u128)]) -> Result<Pool, PoolRefusal> {
    let assets: Vec<Asset> = reserves.iter().enumerate().map(|(i, (scale, _))| asset(i, *scale)).collect();
    let coins = assets.iter().copied().map(Coin::new).collect();
    let mut pool = Pool::open(PoolTerms { coins, curve, fee_ppm, share: share() }).unwrap();
    let pays = assets.iter().zip(reserves).map(|(asset, (_, minor))| Amount::new(*asset, *minor)).collect();
    take(&mut pool, &PoolCommand::Add { pays, shares_least: Amount::zero(share()) })?;
    Ok(pool)
}

/// Decides and applies; what a share is worth must not fall, and the state must survive its encoding.
fn take(pool: &mut Pool, command: &PoolCommand) -> Result<PoolChange, PoolRefusal> {
    let before = pool.clone();
    let change = pool.decide(command)?;
    pool.apply(&change);
    if !before.is_empty() && !matches!(command, PoolCommand::Remove { .. }) {
        let sides = (
            (&before.values().unwrap()[..], before.shares().minor()),
            (&pool.values().unwrap()[..], pool.shares().minor()),
        );
        let worth = before.terms.curve.share_worth(sides.0, sides.1).unwrap();
        assert!(worth.is_ge(), "{command:?} lowers what a share is worth in {before:?}");
    }
    let bytes = minicbor::to_vec(&*pool).unwrap();
    assert_eq!(&minicbor::decode::<Pool>(&bytes).unwrap(), pool);
    assert_eq!(minicbor::decode::<PoolChange>(&minicbor::to_vec(&change).unwrap()).unwrap(), change);
    Ok(change)
}

fn swap_in(pool: &mut Pool, from: usize, to: usize, minor: u128) -> Option<u128> {
    let asset = |place: usize| pool.terms.coins[place].asset;
    let command =
        PoolCommand::SwapIn { pays: Amount::new(asset(from), minor), takes_least: Amount::zero(asset(to)) };
    match take(pool, &command) {
        Ok(PoolChange::Swapped(swap)) => Some(swap.taken.minor()),
        Ok(other) => panic!("{other:?}"),
        Err(PoolRefusal::Dust | PoolRefusal::OutOfRange) => None,
        Err(other) => panic!("{other}"),
    }
}

fn add(pool: &mut Pool, minors: &[u128]) -> Option<u128> {
    let coins = pool.terms.coins.iter().zip(minors);
    let pays = coins.map(|(coin, minor)| Amount::new(coin.asset, *minor)).collect();
    match take(pool, &PoolCommand::Add { pays, shares_least: Amount::zero(share()) }) {
        Ok(PoolChange::Added { shares, .. }) => Some(shares.minor()),
        Ok(other) => panic!("{other:?}"),
        Err(PoolRefusal::Dust | PoolRefusal::OutOfRange | PoolRefusal::ZeroAmount) => None,
        Err(other) => panic!("{other}"),
    }
}

fn remove(pool: &mut Pool, shares: u128) -> Vec<u128> {
    let takes_least = pool.terms.coins.iter().map(|coin| Amount::zero(coin.asset)).collect();
    match take(pool, &PoolCommand::Remove { shares: Amount::new(share(), shares), takes_least }) {
        Ok(PoolChange::Removed { taken, .. }) => taken.iter().map(Amount::minor).collect(),
        Err(PoolRefusal::Dust) => vec![0; pool.reserves.len()],
        other => panic!("{other:?}"),
    }
}

fn remove_one(pool: &mut Pool, shares: u128, place: usize) -> Option<u128> {
    let takes_least = Amount::zero(pool.terms.coins[place].asset);
    match take(pool, &PoolCommand::RemoveOne { shares: Amount::new(share(), shares), takes_least }) {
        Ok(PoolChange::Removed { taken, .. }) => Some(taken[place].minor()),
        Err(PoolRefusal::Dust | PoolRefusal::OutOfRange) => None,
        other => panic!("{other:?}"),
    }
}

/// Pools of both curves, with assets of 2, 6, 8 and 18 decimals and reserves from small to very large.
fn pools() -> impl Strategy<Value = Pool> {
    let reserve = (prop::sample::select(vec![2_u8, 6, 8, 18]), 0_u32..9, 1_000_000_u128..10_000_000)
        .prop_map(|(scale, zeros, digits): (u8, u32, u128)| {
            // From a tenth of a unit upwards, in minor units.
            let whole = digits * 10_u128.pow(zeros);
            (scale, (whole * 10_u128.pow(u32::from(scale)) / 10_000_000).max(1))
        });
    let stable = (1_u32..10_000).prop_map(|amplification| Curve::Stable { amplification });
    let fee = prop::sample::select(vec![0_u32, 1, 300, 3_000, 100_000]);
    let product =
        prop::collection::vec(reserve.clone(), 2).prop_map(|reserves| (Curve::Product, reserves)).boxed();
    let stable = (stable, prop::collection::vec(reserve, 2..=4)).boxed();
    (prop_oneof![product, stable], fee).prop_map(|((curve, reserves), fee)| pool(curve, fee, &reserves))
}

/// A part of a reserve in millionths, up to ten times of it.
fn part(pool: &Pool, place: usize, millionths: u128) -> u128 {
    (pool.reserves[place].minor() * millionths / 1_000_000).max(1)
}

/// Two different coins.
fn two_places(pool: &Pool, (from, ahead): (usize, usize)) -> (usize, usize) {
    let coins = pool.reserves.len();
    (from % coins, (from + 1 + ahead % (coins - 1)) % coins)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn there_and_back_never_pays(mut pool in pools(), size in 0_u128..10_000_000, places in (0_usize..4, 0_usize..4)) {
        let (from, to) = two_places(&pool, places);
        let pays = part(&pool, from, size);
        if let Some(there) = swap_in(&mut pool, from, to, pays)
            && let Some(back) = swap_in(&mut pool, to, from, there)
        {
            prop_assert!(back <= pays, "{back} for {pays}");
        }
    }

    #[test]
    fn round_and_round_never_pays(mut pool in pools(), sizes in prop::collection::vec(0_u128..3_000_000, 1..6)) {
        let coins = pool.reserves.len();
        let pays = part(&pool, 0, sizes[0]);
        let mut has = Some(pays);
        for place in 0..coins {
            has = has.and_then(|has| swap_in(&mut pool, place, (place + 1) % coins, has));
        }
        prop_assert!(has.unwrap_or(0) <= pays);
    }

    #[test]
    fn exact_out_is_the_least_that_gives_as_much(pool in pools(), size in 1_u128..999_999, places in (0_usize..4, 0_usize..4)) {
        let (from, to) = two_places(&pool, places);
        let takes = part(&pool, to, size).min(pool.reserves[to].minor() - 1);
        let (from, to) = (pool.terms.coins[from].asset, pool.reserves[to]);
        let takes = Amount::new(to.asset(), takes);
        if !takes.is_zero() && let Ok(swap) = pool.swap_out(takes, from) {
            prop_assert_eq!(swap.taken, takes);
            prop_assert!(pool.swap_in(swap.paid, to.asset()).unwrap().taken.minor() >= takes.minor());
            if let Ok(less) = swap.paid.minus(Amount::new(from, 1))
                && let Ok(cheaper) = pool.swap_in(less, to.asset())
            {
                // Exact on a product. The other curve loses a few of its smallest units, or the thirteenth digit where reserves are far apart.
                let digits = if matches!(pool.terms.curve, Curve::Product) {
                    0
                } else {
                    pool.coin(to.asset()).unwrap().1.minor_of_ceil(4).unwrap() + takes.minor() / 1_000_000_000_000
                };
                prop_assert!(cheaper.taken.minor() < takes.minor() + digits, "{} gives {} too", less, cheaper.taken);
            }
        }
    }

    #[test]
    fn adding_and_removing_never_pays(mut pool in pools(), sizes in prop::collection::vec(0_u128..5_000_000, 4), one in any::<bool>()) {
        let coins = pool.reserves.len();
        let minors: Vec<u128> = (0..coins).map(|place| if one && place > 0 { 0 } else { part(&pool, place, sizes[place]) }).collect();
        let was = pool.clone();
        if let Some(shares) = add(&mut pool, &minors) {
            let taken = remove(&mut pool, shares);
            // In one asset at the price of before, no part is worth more than what was put in: D itself must not have fallen.
            let (before, after) = (was.values().unwrap(), pool.values().unwrap());
            let worth = was.terms.curve.share_worth((&before, 1), (&after, 1)).unwrap();
            let exact = matches!(was.terms.curve, Curve::Product);
            let fell = was.invariant().unwrap().saturating_sub(pool.invariant().unwrap());
            prop_assert!(worth.is_ge() || (!exact && fell <= 1), "put in {:?}, took {:?}", minors, taken);
        }
    }

    #[test]
    fn one_asset_in_and_out_never_pays(mut pool in pools(), size in 0_u128..5_000_000, place in 0_usize..4) {
        let place = place % pool.reserves.len();
        let mut minors = vec![0; pool.reserves.len()];
        minors[place] = part(&pool, place, size);
        if let Some(shares) = add(&mut pool, &minors)
            && let Some(taken) = remove_one(&mut pool, shares, place)
        {
            prop_assert!(taken <= minors[place], "{} for {}", taken, minors[place]);
        }
    }

    #[test]
    fn any_sequence_keeps_what_a_share_is_worth(mut pool in pools(), steps in prop::collection::vec((0_u8..4, 0_usize..4, 0_usize..4, 1_u128..2_000_000), 1..12)) {
        let coins = pool.reserves.len();
        for (what, from, to, size) in steps {
            let (from, to) = (from % coins, to % coins);
            let holders = pool.shares.minor() - SHARES_LOCKED;
            match what {
                0 if from != to => { let pays = part(&pool, from, size); swap_in(&mut pool, from, to, pays); }
                1 => {
                    let minors: Vec<u128> = (0..coins).map(|p| if p == to { 0 } else { part(&pool, p, size) }).collect();
                    add(&mut pool, &minors);
                }
                2 => { remove(&mut pool, (holders / 2_000_000 * size).max(1)); }
                _ => { remove_one(&mut pool, (holders / 4_000_000 * size).max(1), to); }
            }
            prop_assert!(pool.reserves.iter().all(|reserve| !reserve.is_zero()));
        }
        // The last holder can always leave, unless all there is are single minor units.
        let holders = pool.shares.minor() - SHARES_LOCKED;
        let taken = remove(&mut pool, holders);
        prop_assert!(pool.shares.minor() == SHARES_LOCKED || taken.iter().all(|minor| *minor == 0));
    }
}

#[test]
fn a_provider_of_everything_gets_it_back_but_for_what_is_locked() {
    let mut pool = pool(Curve::Product, 3_000, &[(8, 100_000_000), (2, 50_000_000)]);
    let shares = pool.shares().minor() - SHARES_LOCKED;
    // 1 BTC and 500,000 yuan: the root of 10^18 × 5·10^23.
    assert_eq!(pool.shares().minor(), 707_106_781_186_547_524_400);
    assert_eq!(remove(&mut pool, shares), vec![99_999_999, 49_999_999]);
}

#[test]
fn a_swap_of_a_product_is_the_formula() {
    let mut pool = pool(Curve::Product, 3_000, &[(8, 100_000_000), (2, 50_000_000)]);
    // 0.01 BTC: 500000 × 0.01 ÷ 1.01 = 4950.495…, less 0.3 %: 4935.6435…
    assert_eq!(swap_in(&mut pool, 0, 1, 1_000_000), Some(493_564));
    let amounts = [Amount::new(asset(0, 8), 101_000_000), Amount::new(asset(1, 2), 49_506_436)];
    assert_eq!(pool.reserves(), amounts);
}

fn check(command: &PoolCommand, expect: &str) {
    let mut pool =
        pool(Curve::Stable { amplification: 100 }, 400, &[(2, 100_000_000), (6, 1_000_000_000_000)]);
    let said =
        take(&mut pool, command).map_or_else(|refusal| refusal.to_string(), |change| format!("{change:?}"));
    assert_eq!(said, expect);
}

#[test]
fn refusals_say_why() {
    let (fiat, coin) = (|minor| Amount::new(asset(0, 2), minor), |minor| Amount::new(asset(1, 6), minor));
    check(&PoolCommand::SwapIn { pays: fiat(0), takes_least: coin(0) }, "the amount is zero");
    check(&PoolCommand::SwapIn { pays: fiat(1), takes_least: fiat(0) }, "COIN0 cannot be swapped for itself");
    check(
        &PoolCommand::SwapIn { pays: Amount::new(Asset::USD, 1), takes_least: fiat(0) },
        "USD is not what the pool has there",
    );
    check(
        &PoolCommand::SwapIn { pays: fiat(100), takes_least: coin(1_000_000) },
        "gives 0.999599 COIN1, at least 1.000000 COIN1 was asked for",
    );
    check(
        &PoolCommand::SwapOut { takes: fiat(100), pays_most: coin(1_000_000) },
        "costs 1.000401 COIN1, at most 1.000000 COIN1 was offered",
    );
    check(
        &PoolCommand::SwapOut { takes: fiat(100_000_000), pays_most: coin(u128::MAX) },
        "1000000.00 COIN0 is asked for and the pool has 1000000.00 COIN0",
    );
    check(
        &PoolCommand::SwapIn { pays: coin(1), takes_least: fiat(0) },
        "too little for the pool to give anything",
    );
    let none = Amount::zero(share());
    check(&PoolCommand::Add { pays: vec![fiat(1)], shares_least: none }, "1 amounts for 2 coins");
    check(
        &PoolCommand::Remove { shares: Amount::new(share(), u128::MAX), takes_least: vec![fiat(0), coin(0)] },
        "340282366920938463463.374607431768211455 POOL1 is asked for and the pool has 1999999.999999999999999000 POOL1",
    );
}

#[test]
fn one_asset_alone_pays_a_part_of_the_fee() {
    let reserves = [(6, 1_000_000_000_000), (6, 1_000_000_000_000)];
    let shares = |fee_ppm, paid: &[u128]| {
        add(&mut pool(Curve::Stable { amplification: 100 }, fee_ppm, &reserves), paid).unwrap()
    };
    // In proportion nobody pays; one side alone pays half the fee on the half that was in effect swapped.
    let of_all = |fee_ppm| shares(fee_ppm, &[1_000_000_000, 1_000_000_000]);
    assert!(of_all(0) - of_all(4_000) < 10);
    let (free, charged) = (shares(0, &[1_000_000_000, 0]), shares(4_000, &[1_000_000_000, 0]));
    let paid_ppm = (free - charged) * 1_000_000 / free;
    assert!((1_990..=2_010).contains(&paid_ppm), "{paid_ppm}");
    let one_back = |fee_ppm| {
        let mut pool = pool(Curve::Stable { amplification: 100 }, fee_ppm, &reserves);
        remove_one(&mut pool, 1_000_000_000_000_000_000_000, 0).unwrap()
    };
    let paid_ppm = (one_back(0) - one_back(4_000)) * 1_000_000 / one_back(0);
    assert!((1_990..=2_010).contains(&paid_ppm), "{paid_ppm}");
}

#[test]
fn terms_that_make_no_pool() {
    let open = |coins: &[Asset], curve, fee_ppm, share| {
        let coins = coins.iter().copied().map(Coin::new).collect();
        Pool::open(PoolTerms { coins, curve, fee_ppm, share }).map_err(|refusal| refusal.to_string())
    };
    let (a, b, c) = (asset(0, 2), asset(1, 6), asset(2, 18));
    let stable = |amplification| Curve::Stable { amplification };
    assert!(open(&[a, b, c], stable(100), 400, share()).is_ok());
    for (coins, curve, fee, share, problem) in [
        (vec![a], stable(100), 0, share(), "a pool has two to four assets"),
        (vec![a, a], stable(100), 0, share(), "its assets and its share must differ"),
        (vec![a, b], stable(100), 0, b, "its assets and its share must differ"),
        (vec![a, b], stable(100), 100_001, share(), "the fee is above ten per cent"),
        (vec![a, b, c], Curve::Product, 0, share(), "a constant product has two assets"),
        (vec![a, b], stable(0), 0, share(), "the amplification is not between 1 and 1000000"),
    ] {
        let expect = format!("a pool cannot have these terms: {problem}");
        assert_eq!(open(&coins, curve, fee, share), Err(expect));
    }
}

#[test]
fn a_first_provision_is_of_all_assets_and_not_tiny() {
    let coins = vec![Coin::new(asset(0, 18)), Coin::new(asset(1, 18))];
    let terms = PoolTerms { coins, curve: Curve::Product, fee_ppm: 0, share: share() };
    let add = |x, y| {
        let pays = vec![Amount::new(asset(0, 18), x), Amount::new(asset(1, 18), y)];
        let command = PoolCommand::Add { pays, shares_least: Amount::zero(share()) };
        Pool::open(terms.clone()).unwrap().decide(&command).map(|_| ())
    };
    assert!(matches!(add(1_000, 1_000), Err(PoolRefusal::FirstTooSmall { .. })));
    assert!(matches!(add(0, u128::MAX), Err(PoolRefusal::FirstTooSmall { .. })));
    assert_eq!(add(1_000_000, 1_000_000), Ok(()));
    assert_eq!(add(0, 0), Err(PoolRefusal::ZeroAmount));
}

#[test]
fn a_rate_makes_a_dearer_coin_worth_more() {
    let coins = vec![Coin { asset: asset(0, 18), rate_e18: super::RATE_ONE * 6 / 5 }, Coin::new(asset(1, 2))];
    let terms = PoolTerms { coins, curve: Curve::Stable { amplification: 500 }, fee_ppm: 0, share: share() };
    let mut pool = Pool::open(terms).unwrap();
    let pays = vec![Amount::new(asset(0, 18), 10_u128.pow(24)), Amount::new(asset(1, 2), 120_000_000)];
    take(&mut pool, &PoolCommand::Add { pays, shares_least: Amount::zero(share()) }).unwrap();
    // One of the first is worth 1.2 of the second; the pool rounds to its own side.
    assert_eq!(swap_in(&mut pool, 0, 1, 10_u128.pow(18)), Some(119));
    assert_eq!(swap_in(&mut pool, 0, 1, 10_u128.pow(21)), Some(119_999));
}
