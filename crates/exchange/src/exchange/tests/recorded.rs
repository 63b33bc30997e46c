//! The money of exchange-core's scenarios `basic.feature` and `risk.feature`, told in our own words: the same orders leave the same balances.
//!
//! There a bid is reserved at a price that its owner names beside the limit, and cannot be moved beyond it. Here it is reserved at its limit, and moving it up needs the
//! funds for that. The balances after each fill and cancel are the same; the two refusals that are about that other price have no counterpart.

use super::*;

/// As their market of ether in bitcoin: a lot of 100,000, ten minor units for a lot at a tick, no fees.
fn floor() -> Rig {
    Rig::new(Rules {
        lot: 100_000,
        tick: 10,
        notional_min: 1,
        fees: Fees { maker: MakerFee::Pays(0), taker_ppm: 0 },
        band_bps: 9_999,
        halt_bps: 9_999,
        ..rules()
    })
}

fn at(side: Side, price: u64, lots: u64) -> PlaceRow {
    PlaceRow::limit(side, Price::new(price), Quantity::new(lots))
}

#[test]
fn orders_beyond_ones_means_are_refused_and_within_them_trade() {
    let mut rig = floor();
    let (alice, bob) = (rig.join(1, 2_000_000, 0), rig.join(2, 0, 699_999));
    assert!(matches!(rig.place(1, alice, at(Side::Bid, 30_000, 7)), Err(Refusal::Funds(_))));
    rig.fund(901, 11, Amount::new(Asset::CNY, 100_000));
    rig.place(1, alice, at(Side::Bid, 30_000, 7)).unwrap();
    assert_eq!(rig.money(11), (2_100_000, 2_100_000));
    let at_once = PlaceRow { in_force: InForce::ImmediateOrCancel, ..at(Side::Ask, 30_000, 7) };
    assert!(matches!(rig.place(2, bob, at_once), Err(Refusal::Funds(_))));
    rig.fund(902, 20, Amount::new(btc(), 1));
    rig.place(2, bob, at_once).unwrap();
    assert_eq!((rig.money(10), rig.money(21)), ((700_000, 0), (2_100_000, 0)));
    assert_eq!((rig.money(11), rig.money(20)), ((0, 0), (0, 0)));
}

#[test]
fn a_bid_that_is_cancelled_gives_everything_back() {
    let mut rig = floor();
    let charlie = rig.join(3, 94_000_000, 0);
    let id = rig.limit(3, charlie, Side::Bid, 18_500, 500);
    assert_eq!(rig.money(31), (94_000_000, 92_500_000));
    rig.ask(3, charlie, Ask::Reduce(id, Quantity::new(500))).unwrap();
    assert_eq!(rig.money(31), (94_000_000, 0));
}

#[test]
fn orders_move_up_and_down() {
    let mut rig = floor();
    let alice = rig.join(1, 0, 100_000_000);
    assert!(matches!(rig.place(1, alice, at(Side::Ask, 30_000, 1_001)), Err(Refusal::Funds(_))));
    let ask = rig.limit(1, alice, Side::Ask, 30_000, 1_000);
    for price in [40_000, 20_000] {
        rig.ask(1, alice, Ask::Move(ask, Price::new(price))).unwrap();
        assert_eq!(rig.money(10), (100_000_000, 100_000_000));
    }
    let bob = rig.join(2, 94_000_000, 0);
    let bid = rig.limit(2, bob, Side::Bid, 18_000, 500);
    for (price, reserved) in [(18_500, 92_500_000), (17_500, 87_500_000)] {
        rig.ask(2, bob, Ask::Move(bid, Price::new(price))).unwrap();
        assert_eq!(rig.money(21), (94_000_000, reserved));
    }
    // Beyond what Bob has.
    assert!(matches!(rig.ask(2, bob, Ask::Move(bid, Price::new(18_801))), Err(Refusal::Funds(_))));
    rig.ask(1, alice, Ask::Move(ask, Price::new(16_900))).unwrap();
    assert_eq!((rig.money(11), rig.money(10)), ((87_500_000, 0), (50_000_000, 50_000_000)));
    assert_eq!((rig.money(21), rig.money(20)), ((6_500_000, 0), (50_000_000, 0)));
    assert_eq!((rig.left(ask), rig.left(bid)), (Some(500), None));
    rig.ask(1, alice, Ask::Cancel(ask)).unwrap();
    assert_eq!(rig.money(10), (50_000_000, 0));
}
