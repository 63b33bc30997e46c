//! A software authenticator **for tests, the demo and benchmarks only**: its keys are computed from a seed that the caller gives,
//! so whoever has the seed has every key. It must never hold a customer's real credential.
//!
//! It plays browser and authenticator together: it takes the options a server made (`PublicKeyCredentialCreationOptionsJSON` or
//! `PublicKeyCredentialRequestOptionsJSON`, bare or inside `publicKey`) and answers with the JSON a browser would send. The same seed and
//! the same calls give the same bytes; nothing is drawn at random.

mod options;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::Value;
use hmac::{Hmac, KeyInit as _, Mac as _};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey as EcSigningKey};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::Zeroize as _;

use crate::authenticator_data::Flags;
use crate::cbor;
use crate::public_key::{Algorithm, PublicKey, PublicKeyError};
use crate::secret::Secret;
use options::{CreationOptions, RequestOptions};

/// Why the authenticator gives no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SoftwareError {
    /// The options are not of the standard's shape.
    #[error("options cannot be read: {0}")]
    Options(&'static str),
    /// The server offers none of the algorithms this authenticator has.
    #[error("no algorithm in common")]
    NoCommonAlgorithm,
    /// The server excludes a credential that this authenticator holds.
    #[error("a credential is registered already")]
    Excluded,
    /// The server wants the owner verified and this authenticator cannot.
    #[error("user verification is required")]
    CannotVerifyUser,
    /// No credential for this relying party and these ids.
    #[error("no credential for the relying party {0:?}")]
    NoCredential(String),
    /// A key could not be made from the seed.
    #[error(transparent)]
    Key(#[from] PublicKeyError),
}

/// How a new credential is attested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attestation {
    /// No statement (`none`).
    None,
    /// Signed by the credential itself (`packed`, self attestation).
    PackedSelf,
}

/// How the authenticator behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// The one algorithm it has.
    pub algorithm: Algorithm,
    /// How it attests.
    pub attestation: Attestation,
    /// It verifies its owner.
    pub verifies_user: bool,
    /// Its credentials are copied to other devices and have no counter.
    pub synchronised: bool,
}

impl Default for Profile {
    /// ES256, no attestation, verifies its owner, stays on one device.
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Es256,
            attestation: Attestation::None,
            verifies_user: true,
            synchronised: false,
        }
    }
}

enum Key {
    Es256(EcSigningKey),
    EdDsa(ed25519_dalek::SigningKey),
}

struct Credential {
    rp_id: String,
    user_handle: Vec<u8>,
    sign_count: u32,
    made: u32,
    key: Key,
}

/// The authenticator with its browser, on one page.
pub struct SoftwareAuthenticator {
    seed: Secret<[u8; 32]>,
    origin: String,
    profile: Profile,
    made: u32,
    credentials: BTreeMap<Vec<u8>, Credential>,
}

impl SoftwareAuthenticator {
    /// A new authenticator without credentials, used from a page of `origin`, such as `http://localhost:8080`.
    #[must_use]
    pub const fn new(seed: [u8; 32], origin: String, profile: Profile) -> Self {
        Self { seed: Secret::new(seed), origin, profile, made: 0, credentials: BTreeMap::new() }
    }

    /// Makes a credential and answers with a `RegistrationResponseJSON`.
    ///
    /// # Errors
    /// The options cannot be read or met, or the authenticator holds an excluded credential.
    pub fn create(&mut self, options: &serde_json::Value) -> Result<serde_json::Value, SoftwareError> {
        let options = CreationOptions::read(options)?;
        self.can_verify(options.verify_user)?;
        if !options.algorithms.contains(&self.profile.algorithm) {
            return Err(SoftwareError::NoCommonAlgorithm);
        }
        let held = |id: &Vec<u8>| self.credentials.get(id).is_some_and(|held| held.rp_id == options.rp_id);
        if options.excluded.iter().any(held) {
            return Err(SoftwareError::Excluded);
        }
        let number = self.made.to_be_bytes();
        let context = [options.rp_id.as_bytes(), &options.user_handle, &number];
        let credential_id = self.derive(b"credential id", &context).to_vec();
        let key = self.make_key(&context)?;
        let public_key = key.public_key()?;

        let mut data = self.authenticator_data(&options.rp_id, Flags::AT, 0);
        data.extend_from_slice(&[0; 16]);
        // An id made here has 32 bytes.
        data.extend_from_slice(&[0, 32]);
        data.extend_from_slice(&credential_id);
        data.extend_from_slice(&public_key.to_cose());
        let client_data = self.client_data("webauthn.create", &options.challenge);
        let object = attestation_object(self.profile.attestation, &data, &client_data, &key);
        let answer = json!({
            "id": encode(&credential_id),
            "rawId": encode(&credential_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": encode(client_data.as_bytes()),
                "attestationObject": encode(&object),
                "authenticatorData": encode(&data),
                "transports": ["internal"],
                "publicKeyAlgorithm": public_key.algorithm().cose(),
            },
            "clientExtensionResults": { "credProps": { "rk": true } },
        });
        let user_handle = options.user_handle;
        let made = self.made;
        let credential = Credential { rp_id: options.rp_id, user_handle, sign_count: 0, made, key };
        self.credentials.insert(credential_id, credential);
        self.made = self.made.saturating_add(1);
        Ok(answer)
    }

    /// Signs a challenge with an allowed credential, or with the newest of the relying party where none is named, and answers with
    /// an `AuthenticationResponseJSON`. The counter grows by one, unless the credential is
    /// synchronised.
    ///
    /// # Errors
    /// The options cannot be read or met, or no credential fits.
    pub fn get(&mut self, options: &serde_json::Value) -> Result<serde_json::Value, SoftwareError> {
        let options = RequestOptions::read(options)?;
        self.can_verify(options.verify_user)?;
        let credential_id = self.choose(&options)?;
        let client_data = self.client_data("webauthn.get", &options.challenge);
        let no_credential = || SoftwareError::NoCredential(options.rp_id.clone());
        let credential = self.credentials.get_mut(&credential_id).ok_or_else(no_credential)?;
        // Copies on several devices cannot share a counter, so a synchronised credential says 0 for ever.
        if !self.profile.synchronised {
            credential.sign_count = credential.sign_count.saturating_add(1);
        }
        let sign_count = credential.sign_count;
        let data = self.authenticator_data(&options.rp_id, 0, sign_count);
        let credential = self.credentials.get(&credential_id).ok_or_else(no_credential)?;
        let signature = credential.key.sign(&signed_bytes(&data, &client_data));
        Ok(json!({
            "id": encode(&credential_id),
            "rawId": encode(&credential_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": encode(client_data.as_bytes()),
                "authenticatorData": encode(&data),
                "signature": encode(&signature),
                "userHandle": encode(&credential.user_handle),
            },
            "clientExtensionResults": {},
        }))
    }

    /// The allowed credential we hold, in the server's order, or the newest one for the relying party.
    fn choose(&self, options: &RequestOptions) -> Result<Vec<u8>, SoftwareError> {
        let ours = |id: &&Vec<u8>| self.credentials.get(*id).is_some_and(|held| held.rp_id == options.rp_id);
        let chosen = if options.allowed.is_empty() {
            let held = self.credentials.iter().filter(|(_, held)| held.rp_id == options.rp_id);
            held.max_by_key(|(_, held)| held.made).map(|(id, _)| id)
        } else {
            options.allowed.iter().find(ours)
        };
        chosen.cloned().ok_or_else(|| SoftwareError::NoCredential(options.rp_id.clone()))
    }

    const fn can_verify(&self, required: bool) -> Result<(), SoftwareError> {
        if required && !self.profile.verifies_user {
            return Err(SoftwareError::CannotVerifyUser);
        }
        Ok(())
    }

    fn client_data(&self, kind: &str, challenge: &[u8]) -> String {
        // Key order and spelling of WebAuthn §5.8.1.1.
        let origin = serde_json::Value::from(self.origin.as_str());
        let challenge = encode(challenge);
        format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":{origin},"crossOrigin":false}}"#)
    }

    fn authenticator_data(&self, rp_id: &str, more_flags: u8, sign_count: u32) -> Vec<u8> {
        let mut flags = Flags::UP | more_flags;
        if self.profile.verifies_user {
            flags |= Flags::UV;
        }
        if self.profile.synchronised {
            flags |= Flags::BE | Flags::BS;
        }
        let mut data = Sha256::digest(rp_id.as_bytes()).to_vec();
        data.push(flags);
        data.extend_from_slice(&sign_count.to_be_bytes());
        data
    }

    fn make_key(&self, context: &[&[u8]]) -> Result<Key, SoftwareError> {
        let mut secret = self.derive(b"credential key", context);
        let key = match self.profile.algorithm {
            Algorithm::Es256 => EcSigningKey::from_slice(&secret).map(Key::Es256).ok(),
            Algorithm::EdDsa => Some(Key::EdDsa(ed25519_dalek::SigningKey::from_bytes(&secret))),
            Algorithm::Rs256 => None,
        };
        secret.zeroize();
        key.ok_or(SoftwareError::NoCommonAlgorithm)
    }

    /// HMAC-SHA-256 of the seed over a label and parts, each with its length, so that no two inputs run together.
    fn derive(&self, label: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        // HMAC takes keys of any length, so the mac is always made.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.seed.expose()) else {
            return [0; 32];
        };
        mac.update(b"jinku software authenticator 1");
        for part in [label].iter().chain(parts) {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            mac.update(&length.to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl Key {
    fn public_key(&self) -> Result<PublicKey, PublicKeyError> {
        match self {
            Self::Es256(key) => PublicKey::es256(key.verifying_key().to_sec1_point(false).as_bytes()),
            Self::EdDsa(key) => PublicKey::eddsa(key.verifying_key().as_bytes()),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            // Both are deterministic: RFC 6979 and RFC 8032.
            Self::Es256(key) => {
                let signature: DerSignature = key.sign(message);
                signature.as_bytes().to_vec()
            }
            Self::EdDsa(key) => key.sign(message).to_bytes().to_vec(),
        }
    }
}

fn signed_bytes(data: &[u8], client_data: &str) -> Vec<u8> {
    [data, &Sha256::digest(client_data.as_bytes())].concat()
}

/// The attestation object (WebAuthn §6.5.4) with its keys in CTAP2's canonical order.
fn attestation_object(attestation: Attestation, data: &[u8], client_data: &str, key: &Key) -> Vec<u8> {
    let text = |text: &str| Value::Text(text.to_owned());
    let (format, statement) = match attestation {
        Attestation::None => ("none", Vec::new()),
        Attestation::PackedSelf => {
            let algorithm = match key {
                Key::Es256(_) => Algorithm::Es256,
                Key::EdDsa(_) => Algorithm::EdDsa,
            };
            let signature = key.sign(&signed_bytes(data, client_data));
            let statement = vec![
                (text("alg"), Value::Integer(algorithm.cose().into())),
                (text("sig"), Value::Bytes(signature)),
            ];
            ("packed", statement)
        }
    };
    let object = Value::Map(vec![
        (text("fmt"), text(format)),
        (text("attStmt"), Value::Map(statement)),
        (text("authData"), Value::Bytes(data.to_vec())),
    ]);
    // Writing into memory fails only for values that have no CBOR form, and all of these have one.
    cbor::write(&object).unwrap_or_default()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
