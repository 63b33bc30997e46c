//! A customer with devices, sessions and software passkeys that really sign.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::{Assertion, CredentialId, NewCredential, NewDevice};
use money::{AccountId, CustomerId, DeviceId, SessionId, Text};
use passkey::Registration;
use passkey::software::{Profile, SoftwareAuthenticator};
use serde_json::json;

pub(crate) const RP_ID: &str = "localhost";
pub(crate) const ORIGIN: &str = "http://localhost:8080";

/// An authenticator with the one credential it made.
pub(crate) struct Passkey {
    seed: [u8; 32],
    authenticator: SoftwareAuthenticator,
    pub(crate) id: CredentialId,
    pub(crate) public_key: Vec<u8>,
}

impl Passkey {
    pub(crate) fn new(seed: u8) -> Self {
        Self::of_seed([seed; 32])
    }

    fn of_seed(seed: [u8; 32]) -> Self {
        let mut authenticator = SoftwareAuthenticator::new(seed, ORIGIN.to_owned(), Profile::default());
        let options = json!({
            "rp": {"id": RP_ID},
            "user": {"id": URL_SAFE_NO_PAD.encode([seed[0]])},
            "challenge": URL_SAFE_NO_PAD.encode(b"enrolment"),
            "pubKeyCredParams": [{"alg": -7}],
            "authenticatorSelection": {"userVerification": "required"},
        });
        let made = Registration::from_json(&authenticator.create(&options).unwrap()).unwrap();
        let id = CredentialId::new(&made.credential.credential_id);
        Self { seed, authenticator, id, public_key: made.credential.public_key.to_bytes() }
    }

    /// A copy as a thief would have it: the same key, the counter of the day it was copied.
    pub(crate) fn copied(&self) -> Self {
        Self::of_seed(self.seed)
    }

    pub(crate) fn credential(&self) -> NewCredential {
        NewCredential {
            id: self.id.clone(),
            public_key: self.public_key.clone().into(),
            sign_count: 0,
            backed_up: false,
            name: Text::clip("passkey"),
        }
    }

    pub(crate) fn sign(&mut self, challenge: &[u8]) -> Assertion {
        let options = json!({
            "rpId": RP_ID,
            "challenge": URL_SAFE_NO_PAD.encode(challenge),
            "userVerification": "required",
        });
        let answer = self.authenticator.get(&options).unwrap();
        let read = passkey::Assertion::from_json(&answer).unwrap();
        let counter: [u8; 4] = read.authenticator_data[33..37].try_into().unwrap();
        Assertion {
            credential: self.id.clone(),
            public_key: self.public_key.clone().into(),
            authenticator_data: read.authenticator_data.into(),
            client_data_json: read.client_data_json.into(),
            signature: read.signature.into(),
            sign_count: u32::from_be_bytes(counter),
        }
    }
}

/// A customer as scenarios speak of one.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) customer: CustomerId,
    pub(crate) account: AccountId,
    pub(crate) passkeys: Vec<Passkey>,
    pub(crate) devices: Vec<DeviceId>,
    pub(crate) sessions: Vec<SessionId>,
    /// The session in use.
    pub(crate) session: usize,
}

impl Person {
    /// The `number`th person of a bank.
    pub(crate) fn new(number: u8, name: &str) -> Self {
        let id = 1_000 + u128::from(number);
        Self {
            name: name.to_owned(),
            customer: CustomerId::new(id),
            account: AccountId::new(id),
            passkeys: vec![Passkey::new(number)],
            devices: vec![DeviceId::new(id * 100)],
            sessions: vec![SessionId::new(id * 100)],
            session: 0,
        }
    }

    pub(crate) fn new_device(&mut self) -> NewDevice {
        let id = DeviceId::new(self.customer.value() * 100 + self.devices.len() as u128);
        self.devices.push(id);
        device(id)
    }

    pub(crate) fn next_session(&mut self) -> SessionId {
        let id = SessionId::new(self.customer.value() * 100 + self.sessions.len() as u128);
        self.sessions.push(id);
        self.session = self.sessions.len() - 1;
        id
    }
}

pub(crate) fn device(id: DeviceId) -> NewDevice {
    NewDevice { id, name: Text::clip("phone"), secret_hash: vec![7; 32].into() }
}
