//! The check of one passkey assertion (WebAuthn Level 3 §7.2), from bytes alone.
//!
//! **Order of refusals** (part of the interface): user handle → client data readable → type → challenge → origin → cross origin →
//! authenticator data readable → relying party → user present → user verified → backup flags → signature → counter. The counter
//! comes last, so that only the holder of the key can raise the alarm about a copied authenticator.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::authenticator_data::{AuthenticatorData, AuthenticatorDataError, Flags};
use crate::client_data::{ClientData, ClientDataError};
use crate::public_key::PublicKey;

/// What an authenticator answered, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// Id of the credential that signed; the caller finds the public key by it.
    pub credential_id: Vec<u8>,
    /// Authenticator data (§6.1).
    pub authenticator_data: Vec<u8>,
    /// Client data as the browser wrote it; signed by its hash, so kept byte for byte.
    pub client_data_json: Vec<u8>,
    /// Signature over authenticator data and the hash of the client data.
    pub signature: Vec<u8>,
    /// The user handle the authenticator keeps with a discoverable credential.
    pub user_handle: Option<Vec<u8>>,
}

/// What the assertion must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Our relying party id, such as `bank.example`.
    pub rp_id: &'a str,
    /// Origins we serve pages from, each such as `https://bank.example`, compared exactly.
    pub origins: &'a [&'a str],
    /// The challenge, exact bytes.
    pub challenge: &'a [u8],
    /// Public key registered for the credential id.
    pub public_key: &'a PublicKey,
    /// The authenticator must have verified its owner.
    pub require_user_verification: bool,
    /// Counter of the last assertion accepted for this credential.
    pub previous_sign_count: u32,
    /// The user's handle; when the assertion carries one it must be this one.
    pub user_handle: Option<&'a [u8]>,
}

/// What a good assertion proves, to be stored with the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The new counter.
    pub sign_count: u32,
    /// The authenticator verified its owner.
    pub user_verified: bool,
    /// The credential has copies on the owner's other devices.
    pub backed_up: bool,
}

/// Why an assertion is refused; one reason per check.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AssertionError {
    /// The assertion belongs to another user.
    #[error("assertion carries the handle of another user")]
    UserHandle,
    /// Client data cannot be read.
    #[error(transparent)]
    ClientData(#[from] ClientDataError),
    /// Client data is not of an assertion.
    #[error("client data is of type {0:?}, not webauthn.get")]
    Type(String),
    /// Another challenge was signed.
    #[error("assertion answers another challenge")]
    Challenge,
    /// The page that asked is not ours.
    #[error("assertion was made for the origin {0:?}")]
    Origin(String),
    /// The page that asked was inside a frame of another origin.
    #[error("assertion was made inside a frame of another origin")]
    CrossOrigin,
    /// Authenticator data cannot be read.
    #[error(transparent)]
    AuthenticatorData(#[from] AuthenticatorDataError),
    /// A credential is attached, which belongs to registrations only.
    #[error("assertion carries attested credential data")]
    CredentialAttached,
    /// Made for another relying party.
    #[error("assertion was made for another relying party")]
    RpId,
    /// Nobody touched the authenticator.
    #[error("user was not present")]
    UserNotPresent,
    /// The authenticator did not verify its owner.
    #[error("user was not verified")]
    UserNotVerified,
    /// Backed up, yet not eligible for backup.
    #[error("credential claims to be backed up without being eligible")]
    BackupFlags,
    /// The signature is not by this key over these bytes.
    #[error("signature does not verify")]
    Signature,
    /// The counter did not grow: the authenticator may have been copied.
    #[error("signature counter is {given}, expected more than {previous}")]
    SignCount {
        /// Counter of the last accepted assertion.
        previous: u32,
        /// Counter in this one.
        given: u32,
    },
}

/// Checks an assertion against what it must say.
///
/// # Errors
/// The first check that fails, in the order given in the module's documentation.
pub fn verify_assertion(assertion: &Assertion, expected: &Expected<'_>) -> Result<Verified, AssertionError> {
    if let (Some(given), Some(ours)) = (assertion.user_handle.as_deref(), expected.user_handle)
        && given != ours
    {
        return Err(AssertionError::UserHandle);
    }
    check_client_data(&assertion.client_data_json, expected)?;
    let data = AuthenticatorData::parse(&assertion.authenticator_data)?;
    check_authenticator_data(&data, expected)?;

    let mut signed = assertion.authenticator_data.clone();
    signed.extend_from_slice(&Sha256::digest(&assertion.client_data_json));
    if !expected.public_key.verify(&signed, &assertion.signature) {
        return Err(AssertionError::Signature);
    }
    let (previous, given) = (expected.previous_sign_count, data.sign_count);
    // An authenticator without a counter says 0 for ever (§6.1.1).
    if (previous, given) != (0, 0) && given <= previous {
        return Err(AssertionError::SignCount { previous, given });
    }
    Ok(Verified {
        sign_count: data.sign_count,
        user_verified: data.flags.user_verified(),
        backed_up: data.flags.backed_up(),
    })
}

fn check_client_data(bytes: &[u8], expected: &Expected<'_>) -> Result<(), AssertionError> {
    let client = ClientData::parse(bytes)?;
    if client.kind != "webauthn.get" {
        return Err(AssertionError::Type(client.kind));
    }
    // Comparing texts, not decoded bytes, also refuses any second spelling of the same challenge.
    if client.challenge != URL_SAFE_NO_PAD.encode(expected.challenge) {
        return Err(AssertionError::Challenge);
    }
    if !expected.origins.contains(&client.origin.as_str()) {
        return Err(AssertionError::Origin(client.origin));
    }
    if client.cross_origin || client.top_origin.is_some() {
        return Err(AssertionError::CrossOrigin);
    }
    Ok(())
}

fn check_authenticator_data(data: &AuthenticatorData, expected: &Expected<'_>) -> Result<(), AssertionError> {
    let flags: Flags = data.flags;
    if data.credential.is_some() {
        return Err(AssertionError::CredentialAttached);
    }
    if data.rp_id_hash != *Sha256::digest(expected.rp_id.as_bytes()) {
        return Err(AssertionError::RpId);
    }
    if !flags.user_present() {
        return Err(AssertionError::UserNotPresent);
    }
    if expected.require_user_verification && !flags.user_verified() {
        return Err(AssertionError::UserNotVerified);
    }
    if flags.backed_up() && !flags.backup_eligible() {
        return Err(AssertionError::BackupFlags);
    }
    Ok(())
}
