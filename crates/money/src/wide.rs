//! Encoding of 128-bit numbers: a plain integer where it fits, 16 bytes otherwise.

use minicbor::data::Type;
use minicbor::decode::Error;
use minicbor::encode::Write;
use minicbor::{Decoder, Encoder};

/// Writes the number: `#[cbor(with = "money::wide")]` on a field.
///
/// # Errors
/// The writer's.
pub fn encode<C, W: Write>(
    value: &u128,
    e: &mut Encoder<W>,
    _: &mut C,
) -> Result<(), minicbor::encode::Error<W::Error>> {
    match u64::try_from(*value) {
        Ok(small) => e.u64(small)?,
        Err(_) => e.bytes(&value.to_be_bytes())?,
    };
    Ok(())
}

/// Reads the number.
///
/// # Errors
/// Anything that is no such number.
pub fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<u128, Error> {
    if d.datatype()? == Type::Bytes {
        let bytes = d.bytes()?.try_into().map_err(|_| Error::message("number is not 16 bytes"))?;
        return Ok(u128::from_be_bytes(bytes));
    }
    d.u64().map(u128::from)
}
