//! Prices and quantities as people write them: decimals of quote for one unit of base, and of base.
//!
//! A market counts in ticks and lots. What one of them is as a decimal follows from the assets' scales; where a tick is no finite decimal, the first eighteen
//! places stand for it, so that a text still names one price.

use money::Asset;

use crate::market::Rules;
use crate::{Price, Quantity};

/// Most decimals of a price that is written exactly.
const DECIMALS_MAX: u32 = 36;
/// Decimals of a price that cannot be.
const DECIMALS_CUT: u32 = 18;
/// Decimals that an average has beyond those of a price.
const AVERAGE_MORE: u32 = 2;

/// Why a text is no price or quantity of the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepError {
    /// It is not digits with at most one point.
    NotDecimal,
    /// It is no multiple of the step.
    NotMultiple,
    /// It is beyond what can be counted.
    TooLarge,
}

/// How one market writes prices and quantities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    /// What is bought and sold.
    pub base: Asset,
    /// What it is paid with.
    pub quote: Asset,
    /// Minor units of base in a lot.
    pub lot: u64,
    /// Minor units of quote that a lot costs at one tick.
    pub tick: u64,
    price: Step,
    quantity: Step,
}

/// One step: so many of the last decimal place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    units: u128,
    decimals: u32,
    is_exact: bool,
}

impl Steps {
    /// The steps of a market with these assets, lot and tick.
    #[must_use]
    pub fn new(base: Asset, quote: Asset, lot: u64, tick: u64) -> Self {
        let price = price_step(base, quote, u128::from(lot).max(1), u128::from(tick).max(1));
        let quantity = trimmed(u128::from(lot).max(1), u32::from(base.scale()));
        Self { base, quote, lot, tick, price, quantity }
    }

    /// The steps that rules say.
    #[must_use]
    pub fn of(rules: &Rules) -> Self {
        Self::new(rules.base, rules.quote, rules.lot, rules.tick)
    }

    /// Whether every price is a finite decimal.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        self.price.is_exact
    }

    /// A price.
    #[must_use]
    pub fn price(&self, price: Price) -> String {
        self.price.write(price.ticks())
    }

    /// A quantity.
    #[must_use]
    pub fn quantity(&self, quantity: Quantity) -> String {
        self.quantity.write(quantity.lots())
    }

    /// A price in ticks.
    ///
    /// # Errors
    /// No decimal, or no multiple of the tick.
    pub fn read_price(&self, text: &str) -> Result<Price, StepError> {
        self.price.read(text).map(Price::new)
    }

    /// A quantity in lots.
    ///
    /// # Errors
    /// No decimal, or no multiple of the lot.
    pub fn read_quantity(&self, text: &str) -> Result<Quantity, StepError> {
        self.quantity.read(text).map(Quantity::new)
    }

    /// What a unit of base cost on average, where `quantity` cost so many minor units of quote; rounded down two places behind those of a price. Nothing
    /// where nothing was bought.
    #[must_use]
    pub fn average(&self, quantity: Quantity, quote_minor: u128) -> Option<String> {
        if quantity.is_zero() {
            return None;
        }
        // The price in ticks is quote ÷ (lots × tick); whole ticks and the rest apart, so that nothing overflows.
        let of = u128::from(quantity.lots()).checked_mul(u128::from(self.tick).max(1))?;
        let (whole, rest) = (quote_minor.checked_div(of)?, quote_minor.checked_rem(of)?);
        let more = 10_u128.checked_pow(AVERAGE_MORE)?;
        let unit = self.price.units.checked_mul(more)?;
        let units = whole.checked_mul(unit)?.checked_add(rest.checked_mul(unit)?.checked_div(of)?)?;
        Some(decimal(units, self.price.decimals.saturating_add(AVERAGE_MORE)))
    }
}

impl Step {
    fn write(self, count: u64) -> String {
        decimal(u128::from(count).saturating_mul(self.units), self.decimals)
    }

    fn read(self, text: &str) -> Result<u64, StepError> {
        let units = units(text, self.decimals)?;
        if units.checked_rem(self.units) != Some(0) {
            return Err(StepError::NotMultiple);
        }
        let count = units.checked_div(self.units).and_then(|count| u64::try_from(count).ok());
        count.ok_or(StepError::TooLarge)
    }
}

fn price_step(base: Asset, quote: Asset, lot: u128, tick: u128) -> Step {
    let power = |scale: u8| 10_u128.saturating_pow(u32::from(scale));
    let over = tick.saturating_mul(power(base.scale()));
    let under = lot.saturating_mul(power(quote.scale()));
    let common = common_divisor(over, under).max(1);
    let over = over.checked_div(common).unwrap_or(1);
    let under = under.checked_div(common).unwrap_or(1).max(1);
    let fits = |decimals: &u32| 10_u128.saturating_pow(*decimals).checked_rem(under) == Some(0);
    let exact = (0..=DECIMALS_MAX).find(fits).and_then(|decimals| {
        let units = 10_u128.checked_pow(decimals)?.checked_div(under)?.checked_mul(over)?;
        Some(Step { units, decimals, is_exact: true })
    });
    exact.unwrap_or_else(|| {
        let whole = over.checked_div(under).unwrap_or(0).saturating_mul(power(18));
        let rest = over.checked_rem(under).unwrap_or(0).saturating_mul(power(18));
        let units = whole.saturating_add(rest.checked_div(under).unwrap_or(0)).max(1);
        Step { units, decimals: DECIMALS_CUT, is_exact: false }
    })
}

/// A step without the zeros at its end.
fn trimmed(mut units: u128, mut decimals: u32) -> Step {
    while decimals > 0 && units.checked_rem(10) == Some(0) {
        units = units.checked_div(10).unwrap_or(units);
        decimals = decimals.saturating_sub(1);
    }
    Step { units, decimals, is_exact: true }
}

const fn common_divisor(mut one: u128, mut other: u128) -> u128 {
    while let Some(rest) = one.checked_rem(other) {
        (one, other) = (other, rest);
    }
    one
}

/// So many of the last decimal place, as a decimal.
fn decimal(units: u128, decimals: u32) -> String {
    let decimals = usize::try_from(decimals).unwrap_or(0);
    let digits = format!("{units:0>width$}", width = decimals.saturating_add(1));
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(decimals));
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

/// A decimal, counted in its last place; zeros may follow.
fn units(text: &str, decimals: u32) -> Result<u128, StepError> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let has_empty_part = whole.is_empty() || (text.contains('.') && fraction.is_empty());
    if has_empty_part || !is_digits(whole) || !is_digits(fraction) {
        return Err(StepError::NotDecimal);
    }
    let places = usize::try_from(decimals).unwrap_or(0);
    if fraction.bytes().skip(places).any(|byte| byte != b'0') {
        return Err(StepError::NotMultiple);
    }
    let padding = std::iter::repeat_n(b'0', places.saturating_sub(fraction.len()));
    whole.bytes().chain(fraction.bytes().take(places)).chain(padding).try_fold(0_u128, |units, byte| {
        let digit = u128::from(byte.saturating_sub(b'0'));
        units.checked_mul(10).and_then(|units| units.checked_add(digit)).ok_or(StepError::TooLarge)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn steps(base: (&str, u8), quote: (&str, u8), lot: u64, tick: u64) -> Steps {
        let asset = |(code, scale)| Asset::new(code, scale).unwrap();
        Steps::new(asset(base), asset(quote), lot, tick)
    }

    #[test]
    fn prices_and_quantities_come_back_as_they_were_written() {
        let check = |steps: &Steps, ticks: u64, price: &str, lots: u64, quantity: &str| {
            assert_eq!(steps.price(Price::new(ticks)), price);
            assert_eq!(steps.read_price(price), Ok(Price::new(ticks)));
            assert_eq!(steps.quantity(Quantity::new(lots)), quantity);
            assert_eq!(steps.read_quantity(quantity), Ok(Quantity::new(lots)));
        };
        // A thousandth of a bitcoin at a fen for each tick: ten yuan for a whole one.
        check(&steps(("BTC", 8), ("CNY", 2), 100_000, 1), 6_825, "68250", 4, "0.004");
        check(&steps(("ETH", 18), ("CNY", 2), 10_000_000_000_000_000, 1), 1, "1", 250, "2.50");
        check(&steps(("USD", 2), ("CNY", 2), 10_000, 1), 71_234, "7.1234", 3, "300");
        check(&steps(("JPY", 0), ("USDT", 6), 100, 1), 640_500, "0.00640500", 1, "100");
    }

    #[test]
    fn what_is_no_multiple_is_told_from_what_is_no_number() {
        let steps = steps(("BTC", 8), ("CNY", 2), 100_000, 1);
        let prices = [
            ("68255", Err(StepError::NotMultiple)),
            ("68250.5", Err(StepError::NotMultiple)),
            ("68250.00", Ok(Price::new(6_825))),
            ("", Err(StepError::NotDecimal)),
            ("1.", Err(StepError::NotDecimal)),
            ("-1", Err(StepError::NotDecimal)),
            ("1e3", Err(StepError::NotDecimal)),
            ("999999999999999999999999999999999999999999", Err(StepError::TooLarge)),
        ];
        for (text, expected) in prices {
            assert_eq!(steps.read_price(text), expected, "{text}");
        }
        assert_eq!(steps.read_quantity("0.0005"), Err(StepError::NotMultiple));
    }

    #[test]
    fn a_tick_that_is_no_decimal_still_has_one_text() {
        let steps = steps(("XAU", 4), ("CNY", 2), 30_000, 1);
        assert!(!steps.is_exact());
        for ticks in [1, 2, 3, 1_000_003] {
            let text = steps.price(Price::new(ticks));
            assert_eq!(steps.read_price(&text), Ok(Price::new(ticks)), "{text}");
        }
    }

    #[test]
    fn an_average_is_rounded_down() {
        let steps = steps(("BTC", 8), ("CNY", 2), 100_000, 1);
        // One lot at 6,825 ticks and two at 6,826.
        assert_eq!(steps.average(Quantity::new(3), 20_477).unwrap(), "68256.66");
        assert_eq!(steps.average(Quantity::ZERO, 0), None);
    }
}
