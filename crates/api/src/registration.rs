//! Making passkeys (WebAuthn registration), and asking them over challenges of our own.
//!
//! Registration is checked by webauthn-rs; it offers no challenge of one's own for assertions, so those are checked by `passkey` inside
//! `bank::admit`. Passkeys must be discoverable and must verify their owner.

use bank::{Bank, RelyingParty};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::{Assertion, CredentialId, DeviceStatus, NewCredential};
use money::{CustomerId, Text};
use passkey::AuthenticatorData;
use serde::Deserialize as _;
use serde_json::{Value, json};
use webauthn_rs::prelude::{
    PasskeyRegistration, RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnBuilder,
};

use crate::wire::JsonObject;
use crate::{Problem, SetupError};

/// How long a browser waits for its user, in milliseconds.
const TIMEOUT_MS: u64 = 300_000;

/// Registers passkeys.
pub(crate) struct Registrar {
    webauthn: Webauthn,
    rp_id: String,
}

impl Registrar {
    pub(crate) fn new(party: &RelyingParty, name: &str) -> Result<Self, SetupError> {
        let parse = |origin: &String| Url::parse(origin).map_err(|_| SetupError::Origin(origin.clone()));
        let origins: Vec<Url> = party.origins.iter().map(parse).collect::<Result<_, _>>()?;
        let (first, others) = origins.split_first().ok_or(SetupError::NoOrigin)?;
        let builder = WebauthnBuilder::new(&party.id, first)
            .map_err(|error| SetupError::Webauthn(error.to_string()))?;
        let builder = others
            .iter()
            .fold(builder.rp_name(name), |builder, origin| builder.append_allowed_origin(origin));
        let webauthn = builder.build().map_err(|error| SetupError::Webauthn(error.to_string()))?;
        Ok(Self { webauthn, rp_id: party.id.clone() })
    }

    /// The options for making a passkey, and what is needed to check the answer.
    pub(crate) fn begin(
        &self,
        customer: CustomerId,
        account_name: &str,
        display_name: &str,
        exclude: Vec<CredentialId>,
    ) -> Result<(JsonObject, PasskeyRegistration), Problem> {
        let exclude = exclude.iter().map(|id| id.as_bytes().to_vec()).collect();
        let handle = Uuid::from_u128(customer.value());
        let begun =
            self.webauthn.start_passkey_registration(handle, account_name, display_name, Some(exclude));
        let (challenge, state) = begun.map_err(|error| failed(&error))?;
        let options = serde_json::to_value(challenge.public_key).map_err(|error| failed(&error))?;
        let Value::Object(mut options) = options else { return Err(Problem::internal()) };
        if let Some(Value::Object(selection)) = options.get_mut("authenticatorSelection") {
            // Signing in asks for no name, so the authenticator has to keep the passkey itself.
            selection.insert("residentKey".to_owned(), json!("required"));
            selection.insert("requireResidentKey".to_owned(), json!(true));
        }
        Ok((options, state))
    }

    /// The passkey in a browser's answer.
    pub(crate) fn finish(
        &self,
        answer: JsonObject,
        state: &PasskeyRegistration,
        name: Text<64>,
    ) -> Result<NewCredential, Problem> {
        let answer = Value::Object(answer);
        let parsed = RegisterPublicKeyCredential::deserialize(&answer)
            .map_err(|_| Problem::bad_request("credential: not a RegistrationResponseJSON of WebAuthn"))?;
        self.webauthn.finish_passkey_registration(&parsed, state).map_err(|error| {
            tracing::info!(%error, "a registration is not good");
            not_good()
        })?;
        let registration = passkey::Registration::from_json(&answer).map_err(|error| {
            tracing::info!(%error, "a registration cannot be kept");
            not_good()
        })?;
        Ok(NewCredential {
            id: CredentialId::new(&registration.credential.credential_id),
            public_key: registration.credential.public_key.to_bytes().into(),
            sign_count: registration.sign_count,
            backed_up: registration.flags.backed_up(),
            name,
        })
    }

    /// The options for asking a passkey over `challenge`: one of `allowed`, or any of ours that the authenticator keeps.
    pub(crate) fn request(&self, challenge: &[u8], allowed: &[CredentialId]) -> JsonObject {
        let allowed: Vec<Value> =
            allowed.iter().map(|id| json!({ "type": "public-key", "id": credential_text(id) })).collect();
        let mut options = JsonObject::new();
        options.insert("challenge".to_owned(), json!(URL_SAFE_NO_PAD.encode(challenge)));
        options.insert("rpId".to_owned(), json!(self.rp_id));
        options.insert("timeout".to_owned(), json!(TIMEOUT_MS));
        options.insert("userVerification".to_owned(), json!("required"));
        options.insert("allowCredentials".to_owned(), Value::Array(allowed));
        options
    }
}

fn failed(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "a registration cannot be begun");
    Problem::internal()
}

fn not_good() -> Problem {
    Problem::unprocessable("passkey_refused", "The passkey could not be verified; try again.")
}

/// A passkey's id as browsers write it.
pub(crate) fn credential_text(id: &CredentialId) -> String {
    URL_SAFE_NO_PAD.encode(id.as_bytes())
}

/// The passkeys of a customer that may sign: those on devices in use.
pub(crate) fn usable(bank: &Bank, customer: CustomerId) -> Vec<CredentialId> {
    let identity = bank.identity();
    let in_use = |device| identity.device(device).is_some_and(|device| device.status == DeviceStatus::Active);
    let all = identity.credentials_of(customer);
    all.filter(|(_, credential)| in_use(credential.device)).map(|(id, _)| id.clone()).collect()
}

/// A browser's answer to a request, read but not yet checked.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    assertion: passkey::Assertion,
    sign_count: u32,
}

impl Answer {
    /// Reads the answer.
    ///
    /// # Errors
    /// Another shape, or authenticator data that cannot be read.
    pub(crate) fn read(field: &str, json: JsonObject) -> Result<Self, Problem> {
        let shape = |error: &dyn std::fmt::Display| {
            Problem::bad_request(format!("{field}: not an AuthenticationResponseJSON of WebAuthn: {error}"))
        };
        let assertion = passkey::Assertion::from_json(&Value::Object(json)).map_err(|error| shape(&error))?;
        let data = AuthenticatorData::parse(&assertion.authenticator_data).map_err(|error| shape(&error))?;
        Ok(Self { assertion, sign_count: data.sign_count })
    }

    /// The evidence for the bank, with the public key that is registered for the passkey.
    ///
    /// # Errors
    /// `passkey_unknown`: no such passkey, or it was made for somebody else than it says.
    pub(crate) fn evidence(&self, bank: &Bank) -> Result<Assertion, Problem> {
        let credential = CredentialId::new(&self.assertion.credential_id);
        let unknown = || Problem::from(bank::Refusal::from(identity::Refusal::CredentialUnknown));
        let known = bank.identity().credential(&credential).ok_or_else(unknown)?;
        let owner = known.customer.value().to_be_bytes();
        if self.assertion.user_handle.as_ref().is_some_and(|handle| *handle != owner) {
            return Err(unknown());
        }
        Ok(Assertion {
            credential,
            public_key: known.public_key.clone(),
            authenticator_data: self.assertion.authenticator_data.clone().into(),
            client_data_json: self.assertion.client_data_json.clone().into(),
            signature: self.assertion.signature.clone().into(),
            sign_count: self.sign_count,
        })
    }
}
