//! What happened in identity.

use minicbor::{Decode, Encode};
use money::{CustomerId, DeviceId, PayeeId, SessionId};

use crate::{
    Bytes, CredentialId, Grade, LimitRow, Locale, Name, NewCredential, NewDevice, NewPayee, NewSession,
    Phone, SignedInBy,
};

/// A fact; applying it cannot fail.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Event {
    /// Somebody became a customer, at the basic grade.
    #[n(0)]
    Enrolled {
        /// Who.
        #[n(0)]
        customer: CustomerId,
        /// Legal name.
        #[n(1)]
        name: Name,
        /// Telephone number.
        #[n(2)]
        phone: Phone,
        /// Language.
        #[n(3)]
        locale: Locale,
    },
    /// A device was bound.
    #[n(1)]
    DeviceBound {
        /// To whom.
        #[n(0)]
        customer: CustomerId,
        /// The device.
        #[n(1)]
        device: NewDevice,
    },
    /// A device was blocked.
    #[n(2)]
    DeviceBlocked {
        /// Which.
        #[n(0)]
        device: DeviceId,
    },
    /// A passkey was added.
    #[n(3)]
    CredentialAdded {
        /// Whose.
        #[n(0)]
        customer: CustomerId,
        /// On which device.
        #[n(1)]
        device: DeviceId,
        /// The passkey.
        #[n(2)]
        credential: NewCredential,
    },
    /// A passkey was removed.
    #[n(4)]
    CredentialRemoved {
        /// Which.
        #[n(0)]
        credential: CredentialId,
    },
    /// A passkey signed.
    #[n(5)]
    CredentialUsed {
        /// Which.
        #[n(0)]
        credential: CredentialId,
        /// Its counter.
        #[n(1)]
        sign_count: u32,
    },
    /// A session was opened.
    #[n(6)]
    SessionOpened {
        /// Whose.
        #[n(0)]
        customer: CustomerId,
        /// On which device.
        #[n(1)]
        device: DeviceId,
        /// The session.
        #[n(2)]
        session: NewSession,
        /// How.
        #[n(3)]
        by: SignedInBy,
    },
    /// A session was closed, by its owner, a lock, a block or time.
    #[n(7)]
    SessionClosed {
        /// Which.
        #[n(0)]
        session: SessionId,
    },
    /// A sealed seed was kept.
    #[n(8)]
    TotpBegun {
        /// Whose.
        #[n(0)]
        customer: CustomerId,
        /// The sealed seed.
        #[n(1)]
        sealed: Bytes,
    },
    /// A code was used.
    #[n(9)]
    TotpUsed {
        /// Whose.
        #[n(0)]
        customer: CustomerId,
        /// Its time step.
        #[n(1)]
        step: u64,
    },
    /// One-time codes were given up.
    #[n(10)]
    TotpRemoved {
        /// Whose.
        #[n(0)]
        customer: CustomerId,
    },
    /// Everything was locked.
    #[n(11)]
    Locked {
        /// Whose.
        #[n(0)]
        customer: CustomerId,
    },
    /// And opened again.
    #[n(12)]
    Unlocked {
        /// Whose.
        #[n(0)]
        customer: CustomerId,
    },
    /// A language was chosen.
    #[n(13)]
    LocaleSet {
        /// Whose.
        #[n(0)]
        customer: CustomerId,
        /// Which.
        #[n(1)]
        locale: Locale,
    },
    /// A payee was saved.
    #[n(14)]
    PayeeAdded {
        /// Whose.
        #[n(0)]
        customer: CustomerId,
        /// Who.
        #[n(1)]
        payee: NewPayee,
    },
    /// A payee was forgotten.
    #[n(15)]
    PayeeRemoved {
        /// Whose.
        #[n(0)]
        customer: CustomerId,
        /// Who.
        #[n(1)]
        payee: PayeeId,
    },
    /// A customer was graded.
    #[n(16)]
    Graded {
        /// Who.
        #[n(0)]
        customer: CustomerId,
        /// The grade.
        #[n(1)]
        grade: Grade,
    },
    /// A row of limits was added.
    #[n(17)]
    LimitsSet(#[n(0)] LimitRow),
}
