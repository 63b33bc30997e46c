//! Random values from the operating system: tokens, challenges, ids.

use money::{IdText, Timestamp};

use crate::Problem;

/// Random bytes.
///
/// # Errors
/// A fault where the operating system has none to give: nothing goes on with bytes that can be guessed.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => {
            tracing::error!(%error, "no random bytes");
            Err(Problem::internal())
        }
    }
}

/// Bits of time at the head of an id, as in ULID.
const TIME_BITS_AT: u32 = 80;

/// The 128 bits of a new id: 48 bits of time, 80 random ones, and the top bit clear, since ids above it are the bank's own.
pub(crate) fn id(now: Timestamp) -> Result<u128, Problem> {
    let low = u128::from_be_bytes(bytes()?) & ((1 << TIME_BITS_AT) - 1);
    let high = u128::from(now.ms()) << TIME_BITS_AT;
    Ok((high | low) & !(1 << 127))
}

/// Twenty-six characters that cannot be guessed: the name of a ceremony.
pub(crate) fn name() -> Result<String, Problem> {
    Ok(IdText::encode(u128::from_be_bytes(bytes()?)))
}

/// Eight characters to quote to customer service.
pub(crate) fn reference() -> String {
    let mut few = [0; 8];
    // Without random bytes the reference is a poor one; the answer itself must still go out.
    let _ = getrandom::fill(&mut few);
    let text = IdText::encode(u128::from(u64::from_be_bytes(few)));
    text.chars().rev().take(8).collect()
}
