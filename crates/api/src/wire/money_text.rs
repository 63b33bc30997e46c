//! Amounts and times as text.

use money::{Asset, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Decimal text with exactly the asset's scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// Code of the asset, such as `CNY`.
    pub asset: String,
    /// Such as `1234.50`, without sign or separators.
    pub value: String,
}

impl From<money::Amount> for Amount {
    fn from(amount: money::Amount) -> Self {
        Self { asset: amount.asset().code().to_owned(), value: amount.decimal() }
    }
}

/// An amount inside a sentence: `CNY 12.00`.
#[must_use]
pub fn labelled(amount: money::Amount) -> String {
    format!("{} {}", amount.asset(), amount.decimal())
}

/// An asset the bank knows by its code.
#[must_use]
pub fn parse_asset(code: &str) -> Option<Asset> {
    code.parse().ok()
}

/// An instant as the interface writes it: RFC 3339 in UTC with milliseconds.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    at.to_string()
}

/// Reads an instant of RFC 3339; the part below a millisecond is dropped.
#[must_use]
pub fn parse_instant(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(at.as_millisecond()).ok().map(Timestamp::from_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_come_back_as_they_were_written() {
        for ms in [0, 1, 999, 1_000, 1_764_089_999_123, 253_402_000_000_000] {
            let at = Timestamp::from_ms(ms);
            assert_eq!(parse_instant(&instant(at)), Some(at));
        }
        assert_eq!(parse_instant("1970-01-01T08:00:00+08:00"), Some(Timestamp::from_ms(0)));
        for text in ["", "2026-01-01", "1969-12-31T23:59:59Z", "2026-13-01T00:00:00Z", "now"] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }
}
