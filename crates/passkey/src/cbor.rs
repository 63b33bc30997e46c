//! Strict reading of small CBOR values (RFC 8949), as CTAP2 writes them: definite lengths, shortest forms, no key twice.
//!
//! Why strict: an encoding with two readings is where two parsers begin to disagree about what was signed.

use ciborium::Value;
use thiserror::Error;

/// How deeply a value may be nested; attested keys and extension outputs need three levels.
const DEPTH_MAX: usize = 8;

/// Why bytes are not the CBOR we accept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CborError {
    /// Not CBOR, cut short, or nested deeper than we read.
    #[error("not well-formed cbor")]
    Malformed,
    /// An indefinite length or a number not in its shortest form.
    #[error("cbor is not in its shortest, definite form")]
    NotShortest,
    /// A map names the same key twice.
    #[error("cbor map has a key twice")]
    DuplicateKey,
    /// Bytes follow the value.
    #[error("{0} bytes follow the cbor value")]
    TrailingBytes(usize),
}

/// One value from the front of `bytes`, and what follows it.
pub(crate) fn read_prefix(bytes: &[u8]) -> Result<(Value, &[u8]), CborError> {
    let mut rest = bytes;
    let value: Value = ciborium::de::from_reader_with_recursion_limit(&mut rest, DEPTH_MAX)
        .map_err(|_| CborError::Malformed)?;
    check_keys(&value)?;
    let used = bytes.len().saturating_sub(rest.len());
    let given = bytes.get(..used).ok_or(CborError::Malformed)?;
    // Writing the value again gives the shortest, definite form: equal bytes prove that this is what was given.
    if write(&value)? != given {
        return Err(CborError::NotShortest);
    }
    Ok((value, rest))
}

/// Exactly one value.
pub(crate) fn read_whole(bytes: &[u8]) -> Result<Value, CborError> {
    let (value, rest) = read_prefix(bytes)?;
    if rest.is_empty() { Ok(value) } else { Err(CborError::TrailingBytes(rest.len())) }
}

/// The bytes of a value.
pub(crate) fn write(value: &Value) -> Result<Vec<u8>, CborError> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).map_err(|_| CborError::Malformed)?;
    Ok(bytes)
}

fn check_keys(value: &Value) -> Result<(), CborError> {
    match value {
        Value::Map(pairs) => {
            for (at, (key, inner)) in pairs.iter().enumerate() {
                if pairs.iter().take(at).any(|(other, _)| other == key) {
                    return Err(CborError::DuplicateKey);
                }
                check_keys(key)?;
                check_keys(inner)?;
            }
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(check_keys),
        Value::Tag(_, inner) => check_keys(inner),
        _ => Ok(()),
    }
}
