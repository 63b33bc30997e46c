//! What can be asked of identity.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use money::{CustomerId, DeviceId, PayeeId, SessionId, Text, Timestamp};

use crate::{CredentialId, Grade, LimitRow, Locale, Name, Phone};

/// Opaque bytes, encoded as a byte string.
pub type Bytes = ByteVec;

/// A device to bind.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NewDevice {
    /// Made by the shell.
    #[n(0)]
    pub id: DeviceId,
    /// What the customer calls it.
    #[n(1)]
    pub name: Text<64>,
    /// SHA-256 of the secret that the device keeps in a cookie.
    #[n(2)]
    pub secret_hash: Bytes,
}

/// A passkey to add. Its registration ceremony was verified by the shell.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NewCredential {
    /// The authenticator's id of it.
    #[n(0)]
    pub id: CredentialId,
    /// Public key in the storage form of `passkey::PublicKey`.
    #[n(1)]
    pub public_key: Bytes,
    /// Signature counter at registration.
    #[n(2)]
    pub sign_count: u32,
    /// Whether the passkey is synced to a provider.
    #[n(3)]
    pub backed_up: bool,
    /// What the customer calls it.
    #[n(4)]
    pub name: Text<64>,
}

/// A session to open.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NewSession {
    /// First 128 bits of the SHA-256 of the session token: who knows the id cannot make the token.
    #[n(0)]
    pub id: SessionId,
    /// Absolute end.
    #[n(1)]
    pub expires_at: Timestamp,
}

/// A payee to save.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NewPayee {
    /// Made by the client.
    #[n(0)]
    pub id: PayeeId,
    /// Name of the account's holder.
    #[n(1)]
    pub name: Name,
    /// Account number.
    #[n(2)]
    pub account_number: Text<34>,
    /// Clearing number of the bank.
    #[n(3)]
    pub bank_number: Text<14>,
}

/// A passkey assertion as evidence: everything needed to check the signature again, years later.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Assertion {
    /// Which passkey.
    #[n(0)]
    pub credential: CredentialId,
    /// The key that the signature was checked with; must be the one registered.
    #[n(1)]
    pub public_key: Bytes,
    /// `authenticatorData` of WebAuthn.
    #[n(2)]
    pub authenticator_data: Bytes,
    /// `clientDataJSON` of WebAuthn.
    #[n(3)]
    pub client_data_json: Bytes,
    /// The signature.
    #[n(4)]
    pub signature: Bytes,
    /// Counter inside the authenticator data, read when the signature was checked.
    #[n(5)]
    pub sign_count: u32,
}

/// What a customer shows to sign in.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Proof {
    /// A passkey over the shell's challenge.
    #[n(0)]
    Passkey {
        /// The assertion.
        #[n(0)]
        assertion: Assertion,
        /// The challenge that was given.
        #[n(1)]
        challenge: Bytes,
    },
    /// A one-time code on a bound device; the shell compared the code.
    #[n(1)]
    Totp {
        /// The bound device.
        #[n(0)]
        device: DeviceId,
        /// The time step of the code (RFC 6238).
        #[n(1)]
        step: u64,
    },
}

/// The device of a new session.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum SessionDevice {
    /// A bound one.
    #[n(0)]
    Known(#[n(0)] DeviceId),
    /// One seen for the first time.
    #[n(1)]
    New(#[n(0)] NewDevice),
}

/// A command to identity. Those without a customer act on the customer of the session that asks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Command {
    /// Become a customer, with a first device, passkey and session.
    #[n(0)]
    Enrol {
        /// Made by the shell.
        #[n(0)]
        customer: CustomerId,
        /// Legal name.
        #[n(1)]
        name: Name,
        /// Telephone number, E.164.
        #[n(2)]
        phone: Phone,
        /// Language.
        #[n(3)]
        locale: Locale,
        /// First device.
        #[n(4)]
        device: NewDevice,
        /// First passkey.
        #[n(5)]
        credential: NewCredential,
        /// First session.
        #[n(6)]
        session: NewSession,
    },
    /// Sign in.
    #[n(1)]
    OpenSession {
        /// The session.
        #[n(0)]
        session: NewSession,
        /// On which device.
        #[n(1)]
        device: SessionDevice,
        /// With what proof.
        #[n(2)]
        proof: Proof,
    },
    /// Sign out.
    #[n(2)]
    CloseSession,
    /// Block a device and close its sessions.
    #[n(3)]
    BlockDevice(#[n(0)] DeviceId),
    /// Add a passkey on the session's device.
    #[n(4)]
    AddCredential(#[n(0)] NewCredential),
    /// Remove a passkey; not the last one.
    #[n(5)]
    RemoveCredential(#[n(0)] CredentialId),
    /// Keep a sealed seed for one-time codes, not yet in use.
    #[n(6)]
    BeginTotp {
        /// The seed, sealed by the shell.
        #[n(0)]
        sealed: Bytes,
    },
    /// Take the seed into use: a first code was right.
    #[n(7)]
    ConfirmTotp {
        /// Time step of that code.
        #[n(0)]
        step: u64,
    },
    /// Give up one-time codes.
    #[n(8)]
    RemoveTotp,
    /// Close every session, block every other device, refuse outgoing payments.
    #[n(9)]
    Lock,
    /// Open again, with a passkey over the shell's challenge.
    #[n(10)]
    Unlock {
        /// The assertion.
        #[n(0)]
        assertion: Assertion,
        /// The challenge that was given.
        #[n(1)]
        challenge: Bytes,
    },
    /// Choose a language.
    #[n(11)]
    SetLocale(#[n(0)] Locale),
    /// Save a payee.
    #[n(12)]
    AddPayee(#[n(0)] NewPayee),
    /// Forget a payee.
    #[n(13)]
    RemovePayee(#[n(0)] PayeeId),
    /// Grade a customer after an identity check. Operators only.
    #[n(14)]
    SetGrade {
        /// Whom.
        #[n(0)]
        customer: CustomerId,
        /// The grade.
        #[n(1)]
        grade: Grade,
    },
    /// Add a dated row to the table of limits. Operators only.
    #[n(15)]
    SetLimits(#[n(0)] LimitRow),
}
