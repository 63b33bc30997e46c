//! Customers with software passkeys, and the payments they ask for.

use anyhow::{Context as _, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::{Assertion, CredentialId, Grade, Locale, NewCredential, NewDevice, NewSession, Phone};
use money::{AccountId, CustomerId, DeviceId, SessionId, Text, Timestamp};
use passkey::software::{Profile, SoftwareAuthenticator};
use passkey::{Algorithm, Registration};
use payments::Intent;
use serde_json::json;
use sha2::{Digest as _, Sha256};

pub(crate) const RP_ID: &str = "localhost";
pub(crate) const ORIGIN: &str = "http://localhost:8080";
/// Sessions outlive every run.
const SESSION_MS: u64 = 60 * 86_400_000;

/// A customer of the simulated bank.
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) grade: Grade,
    pub(crate) customer: CustomerId,
    pub(crate) account: AccountId,
    pub(crate) session: SessionId,
    device: DeviceId,
    number: u8,
    authenticator: SoftwareAuthenticator,
    credential: CredentialId,
    public_key: Vec<u8>,
}

impl Person {
    pub(crate) fn new(number: u8, name: &'static str, grade: Grade) -> anyhow::Result<Self> {
        let profile = Profile { algorithm: Algorithm::EdDsa, ..Profile::default() };
        let mut authenticator = SoftwareAuthenticator::new([number; 32], ORIGIN.to_owned(), profile);
        let options = json!({
            "rp": {"id": RP_ID},
            "user": {"id": URL_SAFE_NO_PAD.encode([number])},
            "challenge": URL_SAFE_NO_PAD.encode(b"enrolment"),
            "pubKeyCredParams": [{"alg": -8}],
        });
        let made = Registration::from_json(&authenticator.create(&options)?)?;
        let id = 1_000_u128.saturating_add(u128::from(number));
        Ok(Self {
            name,
            grade,
            customer: CustomerId::new(id),
            account: AccountId::new(id),
            session: SessionId::new(id),
            device: DeviceId::new(id),
            number,
            authenticator,
            credential: CredentialId::new(&made.credential.credential_id),
            public_key: made.credential.public_key.to_bytes(),
        })
    }

    pub(crate) fn enrol(&self, now: Timestamp) -> anyhow::Result<identity::Command> {
        Ok(identity::Command::Enrol {
            customer: self.customer,
            name: Text::clip(self.name),
            phone: Phone::new(&format!("+8613800000{:03}", self.number))?,
            locale: Locale::Zh,
            device: NewDevice {
                id: self.device,
                name: Text::clip("phone"),
                secret_hash: vec![self.number; 32].into(),
            },
            credential: NewCredential {
                id: self.credential.clone(),
                public_key: self.public_key.clone().into(),
                sign_count: 0,
                backed_up: false,
                name: Text::clip("passkey"),
            },
            session: NewSession { id: self.session, expires_at: now.plus_ms(SESSION_MS) },
        })
    }

    /// The passkey's signature over an intent.
    pub(crate) fn approve(&mut self, intent: &Intent) -> anyhow::Result<Assertion> {
        let challenge = Sha256::digest(intent.canonical().as_bytes());
        let options = json!({
            "rpId": RP_ID,
            "challenge": URL_SAFE_NO_PAD.encode(challenge),
            "userVerification": "required",
        });
        let answer = self.authenticator.get(&options)?;
        let read = passkey::Assertion::from_json(&answer)?;
        let counter = read.authenticator_data.get(33..37).context("authenticator data is short")?;
        let counter: [u8; 4] = counter.try_into().map_err(|_| anyhow!("the counter has four bytes"))?;
        Ok(Assertion {
            credential: self.credential.clone(),
            public_key: self.public_key.clone().into(),
            authenticator_data: read.authenticator_data.into(),
            client_data_json: read.client_data_json.into(),
            signature: read.signature.into(),
            sign_count: u32::from_be_bytes(counter),
        })
    }
}
