#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use exchange::market::{Fees, MakerFee};
use money::{AccountId, Asset};

use super::*;

fn rules(base: (&str, u8), quote: (&str, u8), lot: u64, tick: u64) -> Rules {
    let asset = |(code, scale)| Asset::new(code, scale).unwrap();
    Rules {
        base: asset(base),
        quote: asset(quote),
        lot,
        tick,
        quantity_max: Quantity::new(1),
        notional_min: 0,
        fees: Fees { maker: MakerFee::Pays(0), taker_ppm: 0 },
        band_bps: 2,
        halt_bps: 1,
        reference_ms: 1,
        call_ms: 1,
        open_orders_max: 1,
        hours: None,
        fee_account: AccountId::new(1),
    }
}

#[test]
fn a_tick_is_a_price_of_a_whole_unit() {
    for (rules, expect) in [
        // A fen for a thousandth of a coin is ten yuan for the coin.
        (rules(("BTC", 8), ("CNY", 2), 100_000, 1), Some("10")),
        (rules(("BTC", 8), ("CNY", 2), 100_000_000, 25), Some("0.25")),
        (rules(("ETH", 18), ("CNY", 2), 1_000_000_000_000_000, 5), Some("50")),
        (rules(("BTC", 8), ("ETH", 18), 1, 1), Some("0.0000000001")),
        (rules(("USD", 2), ("CNY", 2), 300, 1), None),
    ] {
        let text = tick(&rules).map(|tick| tick.to_string());
        assert_eq!(text.as_deref(), expect, "{} {}", rules.lot, rules.tick);
    }
}
