//! Who may: customers, their devices, passkeys, one-time codes, sessions, payees, grades and dated limits.
//!
//! It decides authority and answers it as a value ([`Authority`], `money::Limits`) that the bank hands on; it moves no money. Signatures
//! are checked before a command gets here (`bank::admit`); here it is checked that the key is the customer's own, that the
//! device is not blocked and that the authenticator's counter has not gone back.
//!
//! **Invariants.** A passkey, device and session belong to exactly one customer. A blocked device has no open session. A locked
//! customer opens no session that can pay. A one-time code's time step is used once. No secret is in the state: sessions and device
//! secrets are known by hash, one-time-code seeds are sealed by the shell.

mod apply;
mod authority;
mod command;
mod decide;
mod event;
mod limits;
mod state;

pub use authority::{Actor, Authority};
pub use command::{
    Assertion, Bytes, Command, NewCredential, NewDevice, NewPayee, NewSession, Proof, SessionDevice,
};
pub use decide::Refusal;
pub use event::Event;
pub use limits::LimitRow;
pub use state::{
    Credential, CredentialId, Customer, CustomerStatus, Device, DeviceStatus, Grade, Identity, Locale, Name,
    Payee, Phone, Session, SignedInBy, Totp,
};
