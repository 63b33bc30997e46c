//! Passkey assertions over our own challenge, TOTP, and a software authenticator for tests and demos.
//!
//! A payment is approved by a passkey whose challenge is the hash of the payment's intent. [`verify_assertion`] checks such an
//! assertion from its bytes alone, so it can be checked again years later by an audit.
//!
//! **Invariants.** Nothing here reads a clock, draws a random number or does input or output: the same input gives the same answer
//! for ever. Every check of WebAuthn Level 3 §7.2 that concerns an assertion has its own error. No secret has a `Debug` form.
//!
//! What it does not do: registration ceremonies (attestation trust belongs to the shell's WebAuthn library), sessions, rate limits,
//! and the storage of credentials, counters and seeds.

mod assertion;
mod authenticator_data;
mod cbor;
mod client_data;
mod public_key;
pub mod secret;
pub mod software;
pub mod totp;
mod webauthn_json;

pub use assertion::{Assertion, AssertionError, Expected, Verified, verify_assertion};
pub use authenticator_data::{
    AttestedCredential, AuthenticatorData, AuthenticatorDataError, CREDENTIAL_ID_BYTES_MAX, Flags,
};
pub use cbor::CborError;
pub use client_data::{ClientData, ClientDataError};
pub use public_key::{
    Algorithm, Ed25519Key, Es256Key, PublicKey, PublicKeyError, RSA_MODULUS_BITS_MAX, RSA_MODULUS_BITS_MIN,
    Rs256Key,
};
pub use webauthn_json::{JsonError, Registration};
