//! The StableSwap curve against 600 random pools whose every number is known, by the functions of the curve and through a pool.

use exchange::pool::{Coin, Curve, Pool, PoolCommand, PoolTerms, stable};
use money::{Amount, Asset};

const VECTORS: &str = include_str!("../data/stableswap_vectors.csv");

struct Vector {
    amplification: u32,
    fee_ppm: u32,
    balances: Vec<u128>,
    way: (usize, usize),
    pays: u128,
    invariant: u128,
    balance: u128,
    out: u128,
    out_after_fee: u128,
    balances_after: Vec<u128>,
    invariant_after: u128,
}

fn vectors() -> Vec<Vector> {
    let numbers = |text: &str| text.split(';').map(|number| number.parse().unwrap()).collect::<Vec<u128>>();
    let read = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |place: usize| fields[place].parse::<u128>().unwrap();
        let fee_1e10 = number(2);
        assert_eq!(fee_1e10 % 10_000, 0, "the fee is in whole parts per million");
        Vector {
            amplification: u32::try_from(number(0)).unwrap(),
            fee_ppm: u32::try_from(fee_1e10 / 10_000).unwrap(),
            balances: numbers(fields[3]),
            way: (fields[4].parse().unwrap(), fields[5].parse().unwrap()),
            pays: number(6),
            invariant: number(7),
            balance: number(8),
            out: number(9),
            out_after_fee: number(10),
            balances_after: numbers(fields[11]),
            invariant_after: number(12),
        }
    };
    VECTORS.lines().skip(1).map(read).collect()
}

#[test]
fn the_curve_is_equal_to_the_last_digit() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 600);
    for (line, v) in vectors.iter().enumerate() {
        let trade = stable::trade(v.amplification, v.fee_ppm, &v.balances, v.way, v.pays).unwrap();
        let found = (trade.invariant, trade.balance, trade.out, trade.out_after_fee());
        assert_eq!(found, (v.invariant, v.balance, v.out, v.out_after_fee), "vector {line}");
        let mut after = v.balances.clone();
        after[v.way.0] += v.pays;
        after[v.way.1] -= trade.out_after_fee();
        assert_eq!(after, v.balances_after, "vector {line}");
        assert_eq!(stable::invariant(v.amplification, &after), Some(v.invariant_after), "vector {line}");
    }
}

/// With a fee a pool gives to the last digit what the curve gives. Without one it keeps one to seventeen of the curve's smallest units, so that D never falls.
#[test]
fn a_pool_gives_what_the_curve_gives() {
    let (mut with_fee, mut without) = (0, 0);
    for (line, v) in vectors().iter().enumerate() {
        let assets: Vec<Asset> =
            (0..v.balances.len()).map(|coin| Asset::new(&format!("COIN{coin}"), 18).unwrap()).collect();
        let amounts = |minors: &[u128]| -> Vec<Amount> {
            assets.iter().zip(minors).map(|(asset, minor)| Amount::new(*asset, *minor)).collect()
        };
        let share = Asset::new("POOL1", 18).unwrap();
        let coins = assets.iter().copied().map(Coin::new).collect();
        let curve = Curve::Stable { amplification: v.amplification };
        let mut pool = Pool::open(PoolTerms { coins, curve, fee_ppm: v.fee_ppm, share }).unwrap();
        let first = PoolCommand::Add { pays: amounts(&v.balances), shares_least: Amount::zero(share) };
        pool.apply(&pool.decide(&first).unwrap());
        assert_eq!(
            (pool.invariant(), pool.shares().minor()),
            (Some(v.invariant), v.invariant),
            "vector {line}"
        );
        let (from, to) = (assets[v.way.0], assets[v.way.1]);
        let swap = PoolCommand::SwapIn { pays: Amount::new(from, v.pays), takes_least: Amount::zero(to) };
        pool.apply(&pool.decide(&swap).unwrap());
        if v.fee_ppm == 0 {
            without += 1;
            let kept = pool.reserves()[v.way.1].minor() - v.balances_after[v.way.1];
            assert!((1..=17).contains(&kept), "vector {line}: {kept}");
            assert_eq!(pool.reserves()[v.way.0].minor(), v.balances_after[v.way.0], "vector {line}");
        } else {
            with_fee += 1;
            assert_eq!(pool.invariant(), Some(v.invariant_after), "vector {line}");
            assert_eq!(pool.reserves(), amounts(&v.balances_after), "vector {line}");
        }
    }
    assert_eq!((with_fee, without), (433, 167));
}
