//! One-time codes from a shared seed and the time (RFC 6238 over RFC 4226), as every authenticator app makes them.
//!
//! **Invariants.** A code is accepted for the present step and one on either side, and a step is accepted at most once: the caller
//! stores the counter that [`verify`] returns and passes it in next time. All candidates are compared in constant time.
//! Guessing is bounded by the caller: a code has one in a million, three steps wide.

mod base32;
mod uri;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq as _;
use thiserror::Error;

use crate::secret::Secret;

pub use base32::{Base32Error, base32_decode, base32_encode};
pub use uri::otpauth_uri;

/// Smallest seed, in bytes (RFC 4226 §4, R6: at least 128 bits).
pub const SEED_BYTES_MIN: usize = 16;
/// Steps accepted before and after the present one (RFC 6238 §5.2), for clocks that are off and slow fingers.
pub const WINDOW_STEPS: u64 = 1;
/// Most digits a code can have: 31 bits give no more.
const DIGITS_MAX: u32 = 9;

/// The hash inside the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// HMAC-SHA-1, the only one every app knows.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

/// How codes are made from a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    /// The hash.
    pub hash: Hash,
    /// Digits of a code, 1 to 9.
    pub digits: u32,
    /// Length of a step, in seconds, from 1.
    pub step_s: u32,
}

impl Parameters {
    /// What the wallet uses and authenticator apps assume: SHA-1, 6 digits, 30 seconds.
    pub const WALLET: Self = Self { hash: Hash::Sha1, digits: 6, step_s: 30 };
}

/// Why a code is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TotpError {
    /// Not the right number of ASCII digits.
    #[error("code is not {0} digits")]
    Malformed(u32),
    /// Not the code of any step in the window.
    #[error("code is wrong or too old")]
    Wrong,
    /// The code of a step that was already used, or of one before it.
    #[error("code was already used")]
    Replayed,
    /// The seed is too short to be safe.
    #[error("seed has {0} bytes, at least 16 are needed")]
    SeedTooShort(usize),
    /// Digits outside 1 to 9 or a step of zero seconds.
    #[error("parameters are out of range")]
    Parameters,
}

/// Checks a code of the wallet's parameters and returns the counter of its step, to be stored as the last used one.
///
/// # Errors
/// Malformed, wrong, already used, or a seed that is too short.
pub fn verify(
    seed: &Secret<Vec<u8>>,
    code: &str,
    now_ms: u64,
    last_used_counter: Option<u64>,
) -> Result<u64, TotpError> {
    verify_with(Parameters::WALLET, seed, code, now_ms, last_used_counter)
}

/// [`verify`] with other parameters.
///
/// # Errors
/// As [`verify`]; also parameters out of range.
pub fn verify_with(
    parameters: Parameters,
    seed: &Secret<Vec<u8>>,
    code: &str,
    now_ms: u64,
    last_used_counter: Option<u64>,
) -> Result<u64, TotpError> {
    let digits = parameters.digits;
    let well_formed = usize::try_from(digits).is_ok_and(|digits| code.len() == digits);
    if !well_formed || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(TotpError::Malformed(digits));
    }
    let present = counter_at(parameters, now_ms)?;
    let (mut fresh, mut used) = (None, false);
    // Every candidate is computed and compared, whatever the ones before it said.
    for counter in present.saturating_sub(WINDOW_STEPS)..=present.saturating_add(WINDOW_STEPS) {
        let candidate = code_at(parameters, seed, counter)?;
        if bool::from(candidate.as_bytes().ct_eq(code.as_bytes())) {
            if last_used_counter.is_some_and(|last| counter <= last) {
                used = true;
            } else {
                fresh = Some(counter);
            }
        }
    }
    match fresh {
        Some(counter) => Ok(counter),
        None if used => Err(TotpError::Replayed),
        None => Err(TotpError::Wrong),
    }
}

/// The counter of the step that `now_ms` (milliseconds since 1970, UTC) lies in.
///
/// # Errors
/// A step of zero seconds.
pub fn counter_at(parameters: Parameters, now_ms: u64) -> Result<u64, TotpError> {
    let step_ms = u64::from(parameters.step_s).saturating_mul(1000);
    now_ms.checked_div(step_ms).ok_or(TotpError::Parameters)
}

/// The code of one counter (RFC 4226 §5.3), with leading zeros.
///
/// # Errors
/// A seed that is too short, or parameters out of range.
pub fn code_at(parameters: Parameters, seed: &Secret<Vec<u8>>, counter: u64) -> Result<String, TotpError> {
    let seed = seed.expose().as_slice();
    if seed.len() < SEED_BYTES_MIN {
        return Err(TotpError::SeedTooShort(seed.len()));
    }
    let digits = parameters.digits;
    if !(1..=DIGITS_MAX).contains(&digits) {
        return Err(TotpError::Parameters);
    }
    let counter = counter.to_be_bytes();
    let mac = match parameters.hash {
        Hash::Sha1 => hmac_sha1(seed, &counter),
        Hash::Sha256 => hmac_sha256(seed, &counter),
        Hash::Sha512 => hmac_sha512(seed, &counter),
    };
    let mac = mac.ok_or(TotpError::Parameters)?;
    let number = truncate(&mac).ok_or(TotpError::Parameters)?;
    let modulus = 10_u32.checked_pow(digits).ok_or(TotpError::Parameters)?;
    let code = number.checked_rem(modulus).ok_or(TotpError::Parameters)?;
    let width = usize::try_from(digits).map_err(|_| TotpError::Parameters)?;
    Ok(format!("{code:0width$}"))
}

/// Dynamic truncation: the last four bits choose where 31 bits are taken.
fn truncate(mac: &[u8]) -> Option<u32> {
    let offset = usize::from(mac.last()? & 0x0f);
    let (word, _) = mac.get(offset..)?.split_first_chunk::<4>()?;
    Some(u32::from_be_bytes(*word) & 0x7fff_ffff)
}

// HMAC takes keys of any length, so these are always `Some`.
fn hmac_sha1(key: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let mac = Hmac::<Sha1>::new_from_slice(key).ok()?;
    Some(mac.chain_update(text).finalize().into_bytes().to_vec())
}

fn hmac_sha256(key: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    Some(mac.chain_update(text).finalize().into_bytes().to_vec())
}

fn hmac_sha512(key: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let mac = Hmac::<Sha512>::new_from_slice(key).ok()?;
    Some(mac.chain_update(text).finalize().into_bytes().to_vec())
}
