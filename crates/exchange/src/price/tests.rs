#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first surprise"
)]

use money::{Asset, Timestamp};
use proptest::prelude::*;

use super::{Mid, Pair, PriceChange, PriceRefusal, PriceTerms, Prices, Rate, Reading, SourceName, moves_ppm};

fn pair() -> Pair {
    Pair { base: Asset::new("BTC", 8).unwrap(), quote: Asset::CNY }
}

fn terms() -> PriceTerms {
    PriceTerms {
        stale_ms: 3_000,
        sources_min: 2,
        jump_ppm: 20_000,
        confirm_ms: 5_000,
        width_max_ppm: 10_000,
        half_life_ms: 60_000,
        volatility_min_ppb: 1_000,
    }
}

fn priced(terms: PriceTerms) -> Prices {
    let mut prices = Prices::new();
    let set = prices.decide_terms(pair(), Timestamp::from_ms(0), terms).unwrap();
    prices.apply(&set);
    prices
}

fn ms(ms: u64) -> Timestamp {
    Timestamp::from_ms(1_000_000 + ms)
}

/// One line for each step: `ms source bid ask` is a reading, `ms ?` asks for the price. What it says is compared with the part behind `=`.
fn check(terms: PriceTerms, script: &str) {
    let mut prices = priced(terms);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (step, expect) = line.split_once('=').unwrap();
        let words: Vec<&str> = step.split_whitespace().collect();
        let at = ms(words[0].parse().unwrap());
        let said = if words[1] == "?" {
            match prices.mid(pair(), at) {
                Ok(Mid { rate, sources, .. }) => format!("{rate} of {sources}"),
                Err(refusal) => refusal.to_string(),
            }
        } else {
            match read(&mut prices, words[1], words[2], words[3], at, at) {
                Ok(()) => "taken".to_owned(),
                Err(refusal) => refusal.to_string(),
            }
        };
        assert_eq!(said, expect.trim(), "{line}");
    }
}

fn read(
    prices: &mut Prices,
    source: &str,
    bid: &str,
    ask: &str,
    at: Timestamp,
    now: Timestamp,
) -> Result<(), PriceRefusal> {
    let source = SourceName::new(source).unwrap();
    let reading = Reading { source, bid: bid.parse().unwrap(), ask: ask.parse().unwrap(), at };
    let change = prices.decide(pair(), &reading, now)?;
    prices.apply(&change);
    let bytes = minicbor::to_vec(&*prices).unwrap();
    assert_eq!(&minicbor::decode::<Prices>(&bytes).unwrap(), prices);
    assert_eq!(minicbor::decode::<PriceChange>(&minicbor::to_vec(&change).unwrap()).unwrap(), change);
    Ok(())
}

#[test]
fn the_price_is_the_median_of_fresh_sources() {
    check(
        terms(),
        "
        0    ?           = BTC/CNY has 0 fresh sources and needs 2
        0    a 99.6 100.4 = taken
        10   ?           = BTC/CNY has 1 fresh sources and needs 2
        100  b 100.6 101.4   = taken
        110  ?           = 100.5 of 2
        200  c 99.9 100.1 = taken
        210  ?           = 100 of 3
        3000 ?           = 100.5 of 2
        3100 ?           = BTC/CNY has 1 fresh sources and needs 2
    ",
    );
}

#[test]
fn a_crossed_wide_or_old_reading_counts_for_nothing() {
    let mut prices = priced(terms());
    let mut said = |bid, ask, at, now| {
        read(&mut prices, "a", bid, ask, ms(at), ms(now)).map_err(|refusal| refusal.to_string())
    };
    assert_eq!(said("101", "100", 0, 0), Err("a says 101 bid, 100 ask, which is no book".to_owned()));
    assert_eq!(said("100", "102", 0, 0), Err("a is 20000 ppm wide, at most 10000 count".to_owned()));
    assert!(said("100", "100", 0, 3_000).unwrap_err().contains("too long ago"));
    // A clock that is ahead counts as the time of arrival.
    assert_eq!(said("100", "100", 9_000, 5_000), Ok(()));
    assert!(said("100", "100", 4_000, 5_100).unwrap_err().contains("has spoken of"));
    assert_eq!(said("100", "100", 5_001, 5_100), Ok(()));
}

#[test]
fn a_wild_source_among_others_is_left_out() {
    check(
        terms(),
        "
        0    a 100 100 = taken
        0    b 100 100 = taken
        0    c 100 100 = taken
        500  b 150 150 = taken
        510  ?         = 100 of 2
        600  a 100.2 100.2 = taken
        700  c 100.4 100.4 = taken
        710  ?         = 100.3 of 2
        800  b 100.6 100.6 = taken
        810  ?         = 100.4 of 3
    ",
    );
}

#[test]
fn a_crash_is_believed_when_a_second_source_says_so() {
    check(
        terms(),
        "
        0    a 100 100 = taken
        0    b 100 100 = taken
        900  a 70 70   = taken
        910  ?         = a says 70 for BTC/CNY after 100, held back until 1970-01-01T00:16:45.900Z
        1000 b 70.5 70.5 = taken
        1010 ?         = 70.25 of 2
        1100 a 70.1 70.1 = taken
        1110 ?         = 70.3 of 2
    ",
    );
}

#[test]
fn a_source_that_has_not_jumped_confirms_no_jump() {
    check(
        terms(),
        "
        0    a 100 100 = taken
        0    b 100 100 = taken
        900  a 102.5 102.5 = taken
        910  b 101 101 = taken
        920  ?         = a says 102.5 for BTC/CNY after 100, held back until 1970-01-01T00:16:45.900Z
        930  b 102.5 102.5 = taken
        940  ?         = 102.5 of 2
    ",
    );
}

#[test]
fn a_jump_of_one_source_alone_is_believed_after_a_time() {
    let alone = PriceTerms { sources_min: 1, ..terms() };
    check(
        alone,
        "
        0    a 100 100 = taken
        1000 a 150 150 = taken
        1010 ?         = a says 150 for BTC/CNY after 100, held back until 1970-01-01T00:16:46.000Z
        3500 a 151 151 = taken
        5500 a 150 150 = taken
        5900 ?         = a says 150 for BTC/CNY after 100, held back until 1970-01-01T00:16:46.000Z
        6000 ?         = 150 of 1
        6100 a 152 152 = taken
        6110 ?         = 152 of 1
    ",
    );
}

#[test]
fn a_source_that_goes_on_jumping_is_never_believed() {
    let alone = PriceTerms { sources_min: 1, ..terms() };
    let mut prices = priced(alone);
    read(&mut prices, "a", "100", "100", ms(0), ms(0)).unwrap();
    for step in 1..40_u64 {
        let wild = if step.is_multiple_of(2) { "60" } else { "160" };
        read(&mut prices, "a", wild, wild, ms(step * 500), ms(step * 500)).unwrap();
        assert!(matches!(prices.mid(pair(), ms(step * 500)), Err(PriceRefusal::Held { .. })), "{step}");
    }
}

#[test]
fn volatility_of_a_steady_walk_is_its_step() {
    let alone = PriceTerms { sources_min: 1, half_life_ms: 20_000, ..terms() };
    let mut prices = priced(alone);
    let mut e18 = Rate::ONE.e18() * 100;
    for step in 0..400_u64 {
        // A thousandth up, and down again, each in two seconds.
        e18 = if step.is_multiple_of(2) { e18 + e18 / 1_000 } else { e18 - e18 / 1_001 };
        let text = Rate::from_e18(e18).to_string();
        read(&mut prices, "a", &text, &text, ms(step * 2_000), ms(step * 2_000)).unwrap();
    }
    let found = prices.mid(pair(), ms(399 * 2_000)).unwrap().volatility_ppb;
    // 10⁶ ppb ÷ √2 s.
    assert!((706_000..708_500).contains(&found), "{found}");
    // In 8 s: 0.000707 · √8 = 0.002.
    assert_eq!(moves_ppm(707_107, 8_000), 2_001);
    assert_eq!(moves_ppm(0, u64::MAX), 0);
    assert!(moves_ppm(u64::MAX, u64::MAX) > 0);
}

#[test]
fn terms_that_price_nothing() {
    let set =
        |terms| Prices::new().decide_terms(pair(), ms(0), terms).map(|_| ()).map_err(|no| no.to_string());
    assert_eq!(set(terms()), Ok(()));
    for bad in [
        PriceTerms { stale_ms: 0, ..terms() },
        PriceTerms { sources_min: 0, ..terms() },
        PriceTerms { sources_min: 17, ..terms() },
        PriceTerms { jump_ppm: 0, ..terms() },
        PriceTerms { half_life_ms: 0, ..terms() },
    ] {
        assert!(set(bad).unwrap_err().starts_with("a pair cannot be priced by these terms"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes, a price lies between the lowest and the highest fresh reading, and has enough sources.
    #[test]
    fn a_price_is_within_what_sources_say(steps in prop::collection::vec((0_u8..4, 1_u128..4_000, 0_u128..30, 0_u64..2_000), 1..80)) {
        let mut prices = priced(terms());
        let mut now = 0;
        for (source, bid, width, wait) in steps {
            now += wait;
            let (bid, ask) = (Rate::from_e18(bid), Rate::from_e18(bid + width));
            let reading = Reading { source: SourceName::new(&format!("s{source}")).unwrap(), bid, ask, at: ms(now) };
            if let Ok(change) = prices.decide(pair(), &reading, ms(now)) {
                prices.apply(&change);
            }
            if let Ok(mid) = prices.mid(pair(), ms(now)) {
                let fresh = prices.feed(pair()).unwrap().seen().values().filter(|seen| ms(now).since(seen.at) < 3_000);
                let mids: Vec<Rate> = fresh.map(super::Seen::mid).collect();
                prop_assert!(mid.sources >= 2 && mids.len() >= 2);
                prop_assert!(mids.iter().min() <= Some(&mid.rate) && Some(&mid.rate) <= mids.iter().max());
            }
        }
    }
}
