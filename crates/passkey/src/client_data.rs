//! The client data of a WebAuthn ceremony (§5.8.1): what the browser says it was asked, by whom and for which challenge.
//!
//! Keys this module does not know are allowed, as the standard demands of readers; a key twice, anything after the object, or a
//! byte-order mark is not, because two parsers could then read two different texts under one signature.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use thiserror::Error;

/// Longest client data we read. Browsers write about 150 bytes; origins and future keys get generous room.
pub(crate) const CLIENT_DATA_BYTES_MAX: usize = 4096;

/// Why client data is refused before any of its content is compared.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClientDataError {
    /// Longer than any browser writes.
    #[error("client data has {bytes} bytes, at most {max} are read")]
    TooLong {
        /// Bytes given.
        bytes: usize,
        /// Bytes read at most.
        max: usize,
    },
    /// Not one JSON object in UTF-8, a key twice, or something after it.
    #[error("client data is not a strict json object (line {line}, column {column})")]
    Json {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1.
        column: usize,
    },
    /// A key that must be there is missing or has another type.
    #[error("client data has no {0} of the right type")]
    Field(&'static str),
}

/// What the browser signed for, as text; nothing is compared yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientData {
    /// `webauthn.get` or `webauthn.create`.
    pub kind: String,
    /// The challenge in base64url without padding, as the browser wrote it.
    pub challenge: String,
    /// Origin of the page that asked.
    pub origin: String,
    /// The page was inside a frame of another origin.
    pub cross_origin: bool,
    /// Origin of the outermost page; browsers write it for cross-origin frames only.
    pub top_origin: Option<String>,
}

impl ClientData {
    /// Reads client data.
    ///
    /// # Errors
    /// Too long, not strict JSON, or a needed key missing.
    pub fn parse(bytes: &[u8]) -> Result<Self, ClientDataError> {
        if bytes.len() > CLIENT_DATA_BYTES_MAX {
            return Err(ClientDataError::TooLong { bytes: bytes.len(), max: CLIENT_DATA_BYTES_MAX });
        }
        let json: Json = serde_json::from_slice(bytes)
            .map_err(|fault| ClientDataError::Json { line: fault.line(), column: fault.column() })?;
        let Json::Object(mut keys) = json else {
            return Err(ClientDataError::Json { line: 1, column: 1 });
        };
        let mut text = |name: &'static str| match keys.remove(name) {
            Some(Json::Text(text)) => Ok(text),
            _ => Err(ClientDataError::Field(name)),
        };
        let (kind, challenge, origin) = (text("type")?, text("challenge")?, text("origin")?);
        let cross_origin = match keys.remove("crossOrigin") {
            None => false,
            Some(Json::Bool(cross)) => cross,
            Some(_) => return Err(ClientDataError::Field("crossOrigin")),
        };
        let top_origin = match keys.remove("topOrigin") {
            None => None,
            Some(Json::Text(origin)) => Some(origin),
            Some(_) => return Err(ClientDataError::Field("topOrigin")),
        };
        Ok(Self { kind, challenge, origin, cross_origin, top_origin })
    }
}

/// JSON in which no object has a key twice. Values we never look at keep only their shape.
enum Json {
    Bool(bool),
    Text(String),
    Object(BTreeMap<String, Json>),
    Other,
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("json without duplicate keys")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        while items.next_element::<Json>()?.is_some() {}
        Ok(Json::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Json, A::Error> {
        let mut keys = BTreeMap::new();
        while let Some((key, value)) = pairs.next_entry::<String, Json>()? {
            if keys.insert(key, value).is_some() {
                return Err(A::Error::custom("key twice"));
            }
        }
        Ok(Json::Object(keys))
    }
}
