//! The JSON forms of WebAuthn §5.1 (`AuthenticationResponseJSON`, `RegistrationResponseJSON`), turned into bytes.
//!
//! Binary fields are base64url without padding, read strictly; keys this module does not know are allowed, as browsers add some.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::Value;
use serde::Deserialize;
use thiserror::Error;

use crate::assertion::Assertion;
use crate::authenticator_data::{AttestedCredential, AuthenticatorData, AuthenticatorDataError, Flags};
use crate::cbor::{self, CborError};

/// Why a JSON answer of a browser cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JsonError {
    /// A key is missing or has another type. The text names the key, never its value.
    #[error("credential json has another shape")]
    Shape,
    /// The type is not `public-key`.
    #[error("credential is of type {0:?}, not public-key")]
    Type(String),
    /// A field is not base64url without padding.
    #[error("{0} is not base64url without padding")]
    Base64(&'static str),
    /// `id` and `rawId` name different credentials.
    #[error("id and rawId differ")]
    Id,
    /// The attestation object is not a strict CBOR map with `authData`.
    #[error("attestation object cannot be read")]
    AttestationObject,
    /// The CBOR of the attestation object.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// The authenticator data of a registration.
    #[error(transparent)]
    AuthenticatorData(#[from] AuthenticatorDataError),
    /// A registration without a credential.
    #[error("registration carries no credential")]
    NoCredential,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CredentialJson<R> {
    id: String,
    raw_id: String,
    #[serde(rename = "type")]
    kind: String,
    response: R,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AssertionJson {
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    authenticator_data: String,
    signature: String,
    user_handle: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AttestationJson {
    attestation_object: String,
}

impl<R> CredentialJson<R> {
    fn credential_id(&self) -> Result<Vec<u8>, JsonError> {
        if self.kind != "public-key" {
            return Err(JsonError::Type(self.kind.clone()));
        }
        if self.id != self.raw_id {
            return Err(JsonError::Id);
        }
        decode("rawId", &self.raw_id)
    }
}

impl Assertion {
    /// The assertion in an `AuthenticationResponseJSON`.
    ///
    /// # Errors
    /// A key missing, a type other than `public-key`, or a field that is not base64url.
    pub fn from_json(json: &serde_json::Value) -> Result<Self, JsonError> {
        let json = CredentialJson::<AssertionJson>::deserialize(json).map_err(|_| JsonError::Shape)?;
        let credential_id = json.credential_id()?;
        let response = json.response;
        // Some browsers write an empty text where there is no handle.
        let user_handle = response.user_handle.filter(|handle| !handle.is_empty());
        Ok(Self {
            credential_id,
            authenticator_data: decode("authenticatorData", &response.authenticator_data)?,
            client_data_json: decode("clientDataJSON", &response.client_data_json)?,
            signature: decode("signature", &response.signature)?,
            user_handle: user_handle.map(|handle| decode("userHandle", &handle)).transpose()?,
        })
    }
}

/// What a registration brings, to be stored once the ceremony's own library has accepted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The new credential.
    pub credential: AttestedCredential,
    /// Flags at registration.
    pub flags: Flags,
    /// Counter at registration.
    pub sign_count: u32,
}

impl Registration {
    /// Reads the credential out of a `RegistrationResponseJSON`. It checks no challenge, origin or attestation: that is the work
    /// of the WebAuthn library which runs the ceremony, and must have been done.
    ///
    /// # Errors
    /// Another shape, or authenticator data that is not strict or has no key we accept.
    pub fn from_json(json: &serde_json::Value) -> Result<Self, JsonError> {
        let json = CredentialJson::<AttestationJson>::deserialize(json).map_err(|_| JsonError::Shape)?;
        let credential_id = json.credential_id()?;
        let object = cbor::read_whole(&decode("attestationObject", &json.response.attestation_object)?)?;
        let pairs = object.as_map().ok_or(JsonError::AttestationObject)?;
        let data = pairs.iter().find(|(key, _)| key.as_text() == Some("authData")).map(|(_, value)| value);
        let data = data.and_then(Value::as_bytes).ok_or(JsonError::AttestationObject)?;
        let data = AuthenticatorData::parse(data)?;
        let credential = data.credential.ok_or(JsonError::NoCredential)?;
        if credential.credential_id != credential_id {
            return Err(JsonError::Id);
        }
        Ok(Self { credential, flags: data.flags, sign_count: data.sign_count })
    }
}

fn decode(name: &'static str, text: &str) -> Result<Vec<u8>, JsonError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JsonError::Base64(name))
}
