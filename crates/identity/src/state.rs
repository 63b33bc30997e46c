//! The state of identity and what can be read of it.

use std::collections::BTreeMap;
use std::fmt;

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use money::{Asset, CustomerId, Date, DeviceId, IdMap, Limits, PayeeId, SessionId, Text, Timestamp};
use thiserror::Error;

use crate::limits::row_on;
use crate::{LimitRow, NewPayee};

/// A person's or company's name.
pub type Name = Text<64>;

/// Id of a passkey, as its authenticator gave it: 16 to 1023 bytes (WebAuthn Level 3).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct CredentialId(#[n(0)] ByteVec);

impl CredentialId {
    /// The id with these bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec().into())
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.iter().take(6) {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// A text is not a telephone number.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not a telephone number: \"+\" and 8 to 15 digits")]
pub struct PhoneError;

/// A telephone number in the form of E.164: `+` and 8 to 15 digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Phone(#[n(0)] Text<16>);

impl Phone {
    /// The number in this text; spaces and dashes are passed over.
    ///
    /// # Errors
    /// Anything but `+` and 8 to 15 digits.
    pub fn new(text: &str) -> Result<Self, PhoneError> {
        let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let digits = plain.strip_prefix('+').ok_or(PhoneError)?;
        if !(8..=15).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PhoneError);
        }
        Text::new(&plain).map(Self).map_err(|_| PhoneError)
    }

    /// The number, whole.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The number with its middle hidden: `+86138****5678`.
    #[must_use]
    pub fn masked(&self) -> String {
        let text = self.as_str();
        let hidden = text.len().saturating_sub(8)..text.len().saturating_sub(4);
        text.char_indices().map(|(i, c)| if hidden.contains(&i) { '*' } else { c }).collect()
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// How well a customer is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Grade {
    /// A telephone number only.
    #[n(0)]
    Basic,
    /// An identity document was checked.
    #[n(1)]
    Verified,
    /// Known in person, with proof of address.
    #[n(2)]
    Full,
}

/// Language of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Locale {
    /// Chinese.
    #[n(0)]
    Zh,
    /// English.
    #[n(1)]
    En,
}

/// Whether a customer may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum CustomerStatus {
    /// Yes.
    #[n(0)]
    Active,
    /// Outgoing payments are refused until unlocked.
    #[n(1)]
    Locked,
}

/// One-time codes of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Totp {
    /// The seed, sealed by the shell.
    #[n(0)]
    pub sealed: ByteVec,
    /// Whether a first code was right.
    #[n(1)]
    pub confirmed: bool,
    /// The last time step used; every later code has a higher one.
    #[n(2)]
    pub last_step: u64,
}

/// A customer.
#[derive(Debug, Clone, Encode, Decode)]
pub struct Customer {
    /// Legal name.
    #[n(0)]
    pub name: Name,
    /// Telephone number.
    #[n(1)]
    pub phone: Phone,
    /// Language.
    #[n(2)]
    pub locale: Locale,
    /// Grade.
    #[n(3)]
    pub grade: Grade,
    /// Status.
    #[n(4)]
    pub status: CustomerStatus,
    /// One-time codes.
    #[n(5)]
    pub totp: Option<Totp>,
    /// When enrolled.
    #[n(6)]
    pub enrolled_at: Timestamp,
    /// Saved payees.
    #[n(7)]
    pub payees: BTreeMap<PayeeId, Payee>,
}

/// A saved payee.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Payee {
    /// Who and where.
    #[n(0)]
    pub details: NewPayee,
    /// When it was saved.
    #[n(1)]
    pub added_at: Timestamp,
}

/// Whether a device may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum DeviceStatus {
    /// Yes.
    #[n(0)]
    Active,
    /// No, for ever.
    #[n(1)]
    Blocked,
}

/// A bound device.
#[derive(Debug, Clone, Encode, Decode)]
pub struct Device {
    /// Whose.
    #[n(0)]
    pub customer: CustomerId,
    /// What the customer calls it.
    #[n(1)]
    pub name: Text<64>,
    /// SHA-256 of the secret it keeps.
    #[n(2)]
    pub secret_hash: ByteVec,
    /// Status.
    #[n(3)]
    pub status: DeviceStatus,
    /// When it was bound.
    #[n(4)]
    pub bound_at: Timestamp,
    /// When a session was last opened on it.
    #[n(5)]
    pub last_seen_at: Timestamp,
}

/// A passkey.
#[derive(Debug, Clone, Encode, Decode)]
pub struct Credential {
    /// Whose.
    #[n(0)]
    pub customer: CustomerId,
    /// The device it was made on.
    #[n(1)]
    pub device: DeviceId,
    /// Public key in the storage form of `passkey::PublicKey`.
    #[n(2)]
    pub public_key: ByteVec,
    /// Highest counter seen.
    #[n(3)]
    pub sign_count: u32,
    /// Whether synced to a provider.
    #[n(4)]
    pub backed_up: bool,
    /// What the customer calls it.
    #[n(5)]
    pub name: Text<64>,
    /// When added.
    #[n(6)]
    pub added_at: Timestamp,
    /// When it last signed.
    #[n(7)]
    pub last_used_at: Option<Timestamp>,
}

/// How a session was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum SignedInBy {
    /// With a passkey.
    #[n(0)]
    Passkey,
    /// With a one-time code on a bound device: small amounts only.
    #[n(1)]
    Totp,
}

/// An open session.
#[derive(Debug, Clone, Copy, Encode, Decode)]
pub struct Session {
    /// Whose.
    #[n(0)]
    pub customer: CustomerId,
    /// On which device.
    #[n(1)]
    pub device: DeviceId,
    /// How it was opened.
    #[n(2)]
    pub by: SignedInBy,
    /// When.
    #[n(3)]
    pub opened_at: Timestamp,
    /// Absolute end.
    #[n(4)]
    pub expires_at: Timestamp,
}

/// Everything that identity knows.
#[derive(Debug, Clone, Default, Encode, Decode)]
pub struct Identity {
    #[n(0)]
    pub(crate) customers: IdMap<CustomerId, Customer>,
    #[n(1)]
    pub(crate) devices: IdMap<DeviceId, Device>,
    #[n(2)]
    pub(crate) credentials: IdMap<CredentialId, Credential>,
    #[n(3)]
    pub(crate) sessions: IdMap<SessionId, Session>,
    /// Sessions by their end, soonest first.
    #[n(4)]
    pub(crate) session_ends: BTreeMap<(Timestamp, SessionId), ()>,
    #[n(5)]
    pub(crate) phones: BTreeMap<Phone, CustomerId>,
    #[n(6)]
    pub(crate) limits: Vec<LimitRow>,
    /// Devices and passkeys of each customer, in the order they came.
    #[n(7)]
    pub(crate) owned: IdMap<CustomerId, Owned>,
}

/// What belongs to one customer.
#[derive(Debug, Clone, Default, Encode, Decode)]
pub(crate) struct Owned {
    #[n(0)]
    pub(crate) devices: Vec<DeviceId>,
    #[n(1)]
    pub(crate) credentials: Vec<CredentialId>,
    #[n(2)]
    pub(crate) sessions: Vec<SessionId>,
}

impl Identity {
    /// A customer.
    #[must_use]
    pub fn customer(&self, id: CustomerId) -> Option<&Customer> {
        self.customers.get(&id)
    }

    /// A customer by telephone number.
    #[must_use]
    pub fn customer_by_phone(&self, phone: &Phone) -> Option<CustomerId> {
        self.phones.get(phone).copied()
    }

    /// A device.
    #[must_use]
    pub fn device(&self, id: DeviceId) -> Option<&Device> {
        self.devices.get(&id)
    }

    /// A passkey.
    #[must_use]
    pub fn credential(&self, id: &CredentialId) -> Option<&Credential> {
        self.credentials.get(id)
    }

    /// An open session.
    #[must_use]
    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(&id)
    }

    /// A customer's devices, oldest first.
    pub fn devices_of(&self, customer: CustomerId) -> impl Iterator<Item = (DeviceId, &Device)> {
        let ids = self.owned.get(&customer).map(|o| o.devices.as_slice()).unwrap_or_default();
        ids.iter().filter_map(|id| self.devices.get(id).map(|device| (*id, device)))
    }

    /// A customer's passkeys, oldest first.
    pub fn credentials_of(&self, customer: CustomerId) -> impl Iterator<Item = (&CredentialId, &Credential)> {
        let ids = self.owned.get(&customer).map(|o| o.credentials.as_slice()).unwrap_or_default();
        ids.iter().filter_map(|id| self.credentials.get(id).map(|credential| (id, credential)))
    }

    /// A customer's open sessions, oldest first.
    pub fn sessions_of(&self, customer: CustomerId) -> impl Iterator<Item = (SessionId, &Session)> {
        let ids = self.owned.get(&customer).map(|o| o.sessions.as_slice()).unwrap_or_default();
        ids.iter().filter_map(|id| self.sessions.get(id).map(|session| (*id, session)))
    }

    /// The limits of a customer for an asset on a day; none where the table has no row, and then nothing may be paid.
    #[must_use]
    pub fn limits(&self, customer: CustomerId, asset: Asset, day: Date) -> Option<&Limits> {
        row_on(&self.limits, self.customer(customer)?.grade, asset, day)
    }

    /// When the next session ends by itself.
    #[must_use]
    pub fn next_session_end(&self) -> Option<Timestamp> {
        self.session_ends.first_key_value().map(|((at, _), ())| *at)
    }

    /// Up to `max` sessions whose time is over at `now`.
    #[must_use]
    pub fn ended_sessions(&self, now: Timestamp, max: usize) -> Vec<SessionId> {
        self.session_ends.keys().take_while(|(at, _)| *at <= now).take(max).map(|(_, id)| *id).collect()
    }

    /// How many customers and open sessions there are.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.customers.len(), self.sessions.len())
    }
}
