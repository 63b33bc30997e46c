//! What sources send: texts of one JSON object each.
//!
//! ```json
//! {"type":"hello","source":"sandbox-a","pairs":["BTC/CNY"]}
//! {"type":"quote","source":"sandbox-a","pair":"BTC/CNY","bid":"511897.40","ask":"512102.60","at_ms":1795651200250}
//! ```
//!
//! Prices are decimal texts in units of quote for one unit of base, times are milliseconds since 1970. Anything else is not read, unknown fields too. The name of
//! the source in it is not believed: a source is who was asked.

use exchange::price::{Rate, RateError};
use money::Timestamp;
use serde::Deserialize;
use thiserror::Error;

/// Longest message that is read, in bytes.
pub const MESSAGE_SIZE_BYTES_MAX: usize = 16 * 1024;

/// A message of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The connection is good.
    Hello,
    /// What the source says of a pair.
    Quote {
        /// The pair, as `BTC/CNY`.
        pair: String,
        /// Bid.
        bid: Rate,
        /// Ask.
        ask: Rate,
        /// When, by the source's clock.
        at: Timestamp,
    },
}

/// Why a message is not read.
#[derive(Debug, Error)]
pub enum WireError {
    /// Longer than [`MESSAGE_SIZE_BYTES_MAX`].
    #[error("the message has {bytes} bytes")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// No such object.
    #[error("the message is no quote: {0}")]
    Form(#[from] serde_json::Error),
    /// A price that is none.
    #[error("the price is {0}")]
    Price(#[from] RateError),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Message {
    Hello {
        #[serde(rename = "source")]
        _source: String,
        #[serde(rename = "pairs")]
        _pairs: Vec<String>,
    },
    Quote {
        #[serde(rename = "source")]
        _source: String,
        pair: String,
        bid: String,
        ask: String,
        at_ms: u64,
    },
}

/// Reads a message.
///
/// # Errors
/// A [`WireError`].
pub fn read(text: &str) -> Result<Heard, WireError> {
    if text.len() > MESSAGE_SIZE_BYTES_MAX {
        return Err(WireError::TooLong { bytes: text.len() });
    }
    Ok(match serde_json::from_str(text)? {
        Message::Hello { .. } => Heard::Hello,
        Message::Quote { pair, bid, ask, at_ms, .. } => {
            Heard::Quote { pair, bid: bid.parse()?, ask: ask.parse()?, at: Timestamp::from_ms(at_ms) }
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::read;

    fn check(text: &str, expect: &str) {
        let said = read(text).map_or_else(|error| error.to_string(), |heard| format!("{heard:?}"));
        assert!(said.starts_with(expect), "{said}");
    }

    #[test]
    fn quotes_are_read_and_other_things_are_not() {
        check(r#"{"type":"hello","source":"a","pairs":["BTC/CNY"]}"#, "Hello");
        check(
            r#"{"type":"quote","source":"a","pair":"BTC/CNY","bid":"1.5","ask":"2","at_ms":7}"#,
            r#"Quote { pair: "BTC/CNY", bid: 1.5, ask: 2, at: Timestamp(7) }"#,
        );
        check(
            r#"{"type":"quote","source":"a","pair":"X","bid":"0","ask":"2","at_ms":7}"#,
            "the price is not a decimal number above zero",
        );
        for text in [
            "",
            "[]",
            r#"{"type":"trade"}"#,
            r#"{"type":"hello","source":"a","pairs":[],"more":1}"#,
            r#"{"type":"quote","source":"a","pair":"X","bid":1.5,"ask":"2","at_ms":7}"#,
            r#"{"type":"quote","source":"a","pair":"X","bid":"1","ask":"2","at_ms":-7}"#,
        ] {
            check(text, "the message is no quote: ");
        }
        check(&" ".repeat(16_385), "the message has 16385 bytes");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_breaks_it(text in ".{0,200}", bid in ".{0,40}", at in any::<i64>()) {
            let _read_or_not = read(&text);
            let quote = serde_json::json!({"type": "quote", "source": text, "pair": text, "bid": bid, "ask": "1", "at_ms": at});
            let _read_or_not = read(&quote.to_string());
        }
    }
}
