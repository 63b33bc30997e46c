//! Messages as bytes: `tag=value` fields, each ended by a byte 1, between BodyLength and CheckSum.
//!
//! [`Framer`] finds whole messages in what a connection brings, and drops what is garbled. [`Message`] holds the fields of one message; [`Body`] is one in
//! the making. Reading is strict: what the rules of the session do not allow is named by its reason and tag, once, before anybody looks at the meaning.
//!
//! **Invariants.** A message has at most [`MESSAGE_BYTES_MAX`] bytes of body. Nothing read is taken twice as large in memory as a small multiple of its
//! bytes. A message that is written is read again as it was.

mod body;
mod frame;
mod message;

pub use body::{Body, Header};
pub use frame::{Framed, Framer};
pub use message::{Entry, Message, Unreadable};

/// Ends every field.
pub const SOH: u8 = 1;
/// Longest body of a message that is read: a request for market data of a few hundred symbols. What is written may be longer.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// The sum that guards a message: of all bytes before the field, modulo 256.
#[must_use]
pub fn check_sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

#[cfg(test)]
pub(crate) mod tests;
