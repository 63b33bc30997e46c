#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
use super::*;
use proptest::prelude::*;

fn check(text: &str, expect: &str) {
    let shown = match Amount::parse(Asset::CNY, text) {
        Ok(amount) => amount.to_string(),
        Err(error) => error.to_string(),
    };
    assert_eq!(shown, expect, "{text}");
}

#[test]
fn decimal_text_is_read_exactly_or_refused() {
    check("0", "0.00 CNY");
    check("1.5", "1.50 CNY");
    check("1234567.89", "1234567.89 CNY");
    check("0.001", "CNY has 2 decimals, the amount has 3");
    for text in ["", ".", ".5", "5.", "-1", "+1", "1e3", "1,000", "１", " 1", "1.2.3"] {
        check(text, &format!("\"{text}\" is not a decimal amount"));
    }
    check(&"9".repeat(60), "amount is too large");
}

#[test]
fn assets_do_not_mix() {
    let yuan = Amount::new(Asset::CNY, 1);
    let dollar = Amount::new(Asset::USD, 1);
    assert_eq!(yuan.plus(dollar).unwrap_err().to_string(), "cannot combine CNY with USD");
    assert_eq!(yuan.minus(Amount::new(Asset::CNY, 2)), Err(AmountError::BelowZero));
}

#[test]
fn fees_round_up_and_payouts_round_down() {
    let amount = Amount::new(Asset::CNY, 101);
    assert_eq!(amount.share_ceil(Bps::new(10)).unwrap().minor(), 1);
    assert_eq!(amount.share_floor(Bps::new(10)).unwrap().minor(), 0);
}

proptest! {
    #[test]
    fn text_and_bytes_keep_the_amount(minor in any::<u128>(), scale in 0_u8..=18) {
        let amount = Amount::new(Asset::new("TST", scale).unwrap(), minor);
        prop_assert_eq!(Amount::parse(amount.asset(), &amount.decimal()).unwrap(), amount);
        let bytes = minicbor::to_vec(amount).unwrap();
        prop_assert_eq!(minicbor::decode::<Amount>(&bytes).unwrap(), amount);
    }

    #[test]
    fn a_split_loses_nothing(minor in 0_u128..1_000_000_000_000, weights in prop::collection::vec(1_u64..1000, 1..12)) {
        let total = Amount::new(Asset::CNY, minor);
        let parts = split_exact(total, &weights).unwrap();
        let sum = parts.iter().try_fold(Amount::zero(Asset::CNY), |sum, part| sum.plus(*part)).unwrap();
        prop_assert_eq!(sum, total);
    }
}
