//! Decimal text and whole steps.

use std::fmt;

/// Most digits behind the point.
const SCALE_MAX: u8 = 18;
/// Longest text of a number.
const TEXT_BYTES_MAX: usize = 32;

/// A positive step such as 0.01: `units` of the last of `scale` digits behind the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    units: u64,
    scale: u8,
}

/// Why a text is no number of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OffGrid {
    /// No decimal number.
    #[error("is no decimal number")]
    NotDecimal,
    /// Below zero or nothing.
    #[error("must be above zero")]
    NotPositive,
    /// Between two steps.
    #[error("is no multiple of {0}")]
    OffStep(Decimal),
    /// More than can be counted.
    #[error("is too large")]
    TooLarge,
}

impl Decimal {
    /// `units` of the last of `scale` digits behind the point; none if it is nothing or has more than 18 digits there.
    #[must_use]
    pub const fn new(units: u64, scale: u8) -> Option<Self> {
        if units == 0 || scale > SCALE_MAX { None } else { Some(Self { units, scale }) }
    }

    /// How many steps a text is.
    ///
    /// # Errors
    /// It is no whole, positive number of them.
    pub fn steps(self, text: &str) -> Result<u64, OffGrid> {
        let (negative, plain) = text.strip_prefix('-').map_or((false, text), |plain| (true, plain));
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let empty = whole.is_empty() && fraction.is_empty();
        if plain.len() > TEXT_BYTES_MAX || empty || !digits(whole) || !digits(fraction) {
            return Err(OffGrid::NotDecimal);
        }
        let fraction = fraction.trim_end_matches('0');
        if whole.bytes().chain(fraction.bytes()).all(|digit| digit == b'0') || negative {
            return Err(OffGrid::NotPositive);
        }
        let scale = usize::from(self.scale);
        if fraction.len() > scale {
            return Err(OffGrid::OffStep(self));
        }
        // Written without the point, at our scale.
        let digits = format!("{whole}{fraction:0<scale$}");
        let units: u128 = digits.parse().map_err(|_| OffGrid::TooLarge)?;
        let step = u128::from(self.units);
        if units.checked_rem(step) != Some(0) {
            return Err(OffGrid::OffStep(self));
        }
        units.checked_div(step).and_then(|steps| u64::try_from(steps).ok()).ok_or(OffGrid::TooLarge)
    }

    /// The text of so many steps.
    #[must_use]
    pub fn text(self, steps: u64) -> String {
        // Two numbers of 64 bits have a product of at most 128.
        point(u128::from(self.units).saturating_mul(u128::from(steps)), usize::from(self.scale))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(1))
    }
}

/// `sum` steps shared by `parts`, with four digits more than the step has, cut: an average price.
#[must_use]
pub fn scaled_quotient(step: Decimal, sum: u128, parts: u64) -> String {
    const MORE: usize = 4;
    let average = sum
        .checked_mul(u128::from(step.units))
        .and_then(|units| units.checked_mul(10_000))
        .and_then(|units| units.checked_div(u128::from(parts)));
    average.map_or_else(
        // Too large for the digits: whole steps.
        || {
            let steps = sum.checked_div(u128::from(parts)).unwrap_or_default();
            step.text(u64::try_from(steps).unwrap_or(u64::MAX))
        },
        |units| point(units, usize::from(step.scale).saturating_add(MORE)),
    )
}

fn point(units: u128, scale: usize) -> String {
    let digits = format!("{units:0>width$}", width = scale.saturating_add(1));
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale));
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::panic,
        clippy::arithmetic_side_effects,
        reason = "a test stops at the first surprise"
    )]

    use proptest::prelude::*;

    use super::{Decimal, OffGrid, scaled_quotient};

    fn step(units: u64, scale: u8) -> Decimal {
        Decimal::new(units, scale).unwrap()
    }

    #[test]
    fn texts_and_steps() {
        let tick = step(25, 2);
        for (text, expect) in [
            ("101.25", Ok(405)),
            ("101.250000", Ok(405)),
            (".5", Ok(2)),
            ("1.", Ok(4)),
            ("0101", Ok(404)),
            ("0.10", Err(OffGrid::OffStep(tick))),
            ("0.001", Err(OffGrid::OffStep(tick))),
            ("0", Err(OffGrid::NotPositive)),
            ("0.00", Err(OffGrid::NotPositive)),
            ("-1", Err(OffGrid::NotPositive)),
            ("1e3", Err(OffGrid::NotDecimal)),
            ("+1", Err(OffGrid::NotDecimal)),
            ("", Err(OffGrid::NotDecimal)),
            (".", Err(OffGrid::NotDecimal)),
            ("1.2.3", Err(OffGrid::NotDecimal)),
            ("99999999999999999999999999", Err(OffGrid::TooLarge)),
        ] {
            assert_eq!(tick.steps(text), expect, "{text}");
        }
        assert_eq!(tick.text(405), "101.25");
        assert_eq!(step(1, 18).text(1), "0.000000000000000001");
        assert_eq!(step(100, 0).text(3), "300");
    }

    #[test]
    fn averages_are_cut() {
        assert_eq!(scaled_quotient(step(1, 2), 20_000, 3), "66.666666");
        assert_eq!(scaled_quotient(step(1, 2), 20_000, 2), "100");
        assert_eq!(scaled_quotient(step(1, 2), 0, 0), "0");
        assert_eq!(scaled_quotient(step(1, 0), u128::MAX, u64::MAX), u64::MAX.to_string());
    }

    proptest! {
        #[test]
        fn steps_come_back(units in 1_u64..1_000_000, scale in 0_u8..=18, steps in 1_u64..1_000_000_000) {
            let step = step(units, scale);
            prop_assert_eq!(step.steps(&step.text(steps)), Ok(steps));
        }

        #[test]
        fn any_text_ends(text in ".{0,40}") {
            let _ = step(1, 8).steps(&text);
        }
    }
}
