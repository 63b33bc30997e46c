//! How values that know no JSON are written in configuration and log.

use cnaps::{BankNumber, MessageId};

/// A bank number written in this crate.
#[expect(
    clippy::expect_used,
    reason = "only called with digits that stand in this crate, and tests call all of them"
)]
pub(crate) fn known_bank(digits: &str) -> BankNumber {
    BankNumber::parse(digits).expect("twelve digits")
}

/// Text cut to what a message field holds, without the characters it refuses.
pub(crate) fn field(text: &str, chars_max: usize) -> Option<String> {
    let clean = |c: char| if c == '|' || c.is_control() { ' ' } else { c };
    let cut: String = text.trim().chars().map(clean).take(chars_max).collect();
    let cut = cut.trim();
    (!cut.is_empty()).then(|| cut.to_owned())
}

/// Reads a message id of a control request.
pub(crate) fn message_id(text: &str) -> Option<MessageId> {
    MessageId::parse(text.trim()).ok()
}

/// Values with a text form of their own.
pub(crate) mod plain {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr,
        T::Err: Display,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// Lists of days.
pub(crate) mod dates {
    use jiff::civil::Date;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &[Date], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(value.iter().map(ToString::to_string))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Date>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}

/// Bank numbers.
pub(crate) mod bank {
    use cnaps::BankNumber;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &BankNumber, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(value.as_str())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BankNumber, D::Error> {
        BankNumber::parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// Keys and seeds: 64 hexadecimal digits.
pub(crate) mod key {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(value))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
        let mut key = [0; 32];
        hex::decode_to_slice(String::deserialize(from)?, &mut key).map_err(D::Error::custom)?;
        Ok(key)
    }
}

/// Bytes in base64.
pub(crate) mod bytes {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(value))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(from)?).map_err(D::Error::custom)
    }
}
