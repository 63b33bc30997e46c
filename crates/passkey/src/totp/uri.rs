//! The `otpauth` address that a QR code carries to an authenticator app.

use std::fmt::Write as _;

use super::{Hash, Parameters, base32_encode};
use crate::secret::Secret;

/// The address for a seed. `issuer` is the bank's name, `account` what the app shows beside it.
///
/// The result contains the seed: show it once, never log it.
#[must_use]
pub fn otpauth_uri(parameters: Parameters, seed: &Secret<Vec<u8>>, issuer: &str, account: &str) -> String {
    let hash = match parameters.hash {
        Hash::Sha1 => "SHA1",
        Hash::Sha256 => "SHA256",
        Hash::Sha512 => "SHA512",
    };
    format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm={hash}&digits={digits}&period={step}",
        issuer = percent_encode(issuer),
        account = percent_encode(account),
        secret = base32_encode(seed.expose()),
        digits = parameters.digits,
        step = parameters.step_s,
    )
}

/// Everything but the unreserved characters of RFC 3986 §2.3 as `%XX`; a colon in a name must not end the issuer.
fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
