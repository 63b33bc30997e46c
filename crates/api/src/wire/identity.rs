//! The customer, their session, devices, passkeys and one-time codes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Account, JsonObject};

/// Language of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    /// Chinese.
    Zh,
    /// English.
    En,
}

/// How well a customer is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// A telephone number only.
    Basic,
    /// An identity document was checked.
    Verified,
    /// Known in person.
    Full,
}

/// Whether a customer may pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CustomerStatus {
    /// Yes.
    Active,
    /// Not until unlocked.
    Locked,
}

/// How a session was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// With a passkey.
    Passkey,
    /// With a one-time code.
    Totp,
}

/// The session that asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Session {
    /// How it was opened.
    pub via: Via,
    /// On which device.
    pub device_id: String,
    /// When it ends.
    #[schema(format = DateTime)]
    pub expires_at: String,
}

/// The customer who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Me {
    /// Their id.
    pub customer_id: String,
    /// Their name.
    pub display_name: String,
    /// Their telephone number with its middle hidden.
    pub phone_masked: String,
    /// How well they are known.
    pub grade: Grade,
    /// Their language.
    pub locale: Locale,
    /// Whether they may pay.
    pub status: CustomerStatus,
    /// The session that asks.
    pub session: Session,
    /// Whether one-time codes are in use.
    pub totp_enabled: bool,
    /// Their accounts.
    pub accounts: Vec<Account>,
}

/// A wish to become a customer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentRequest {
    /// Legal name.
    pub display_name: String,
    /// Telephone number: `+` and 8 to 15 digits.
    pub phone: String,
    /// Language.
    pub locale: Locale,
}

/// An enrolment begun: the passkey to be made.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Enrolment {
    /// Its id.
    pub enrolment_id: String,
    /// `PublicKeyCredentialCreationOptionsJSON` of WebAuthn.
    #[schema(schema_with = super::json_object)]
    pub creation_options: JsonObject,
}

/// A passkey's answer, for an enrolment or for signing in.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentFinish {
    /// `RegistrationResponseJSON` or `AuthenticationResponseJSON` of WebAuthn.
    #[schema(schema_with = super::json_object)]
    pub credential: JsonObject,
    /// What the customer will know this device by.
    pub device_name: String,
}

/// A passkey to be made.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CreationCeremony {
    /// Its id.
    pub ceremony_id: String,
    /// `PublicKeyCredentialCreationOptionsJSON` of WebAuthn.
    #[schema(schema_with = super::json_object)]
    pub creation_options: JsonObject,
}

/// A passkey to be asked.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RequestCeremony {
    /// Its id.
    pub ceremony_id: String,
    /// `PublicKeyCredentialRequestOptionsJSON` of WebAuthn.
    #[schema(schema_with = super::json_object)]
    pub request_options: JsonObject,
}

/// A new passkey's answer.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyFinish {
    /// `RegistrationResponseJSON` of WebAuthn.
    #[schema(schema_with = super::json_object)]
    pub credential: JsonObject,
    /// What the customer will know it by.
    pub name: String,
}

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Passkey {
    /// Its id, as its authenticator gave it, in base64url.
    pub id: String,
    /// What the customer knows it by.
    pub name: String,
    /// When it was added.
    #[schema(format = DateTime)]
    pub added_at: String,
    /// When it last signed.
    #[schema(required = true, format = DateTime)]
    pub last_used_at: Option<String>,
    /// Whether a provider keeps a copy.
    pub backed_up: bool,
}

/// Whether a device may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceStatus {
    /// Yes.
    Active,
    /// No, for ever.
    Blocked,
}

/// A device of the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Device {
    /// Its id.
    pub id: String,
    /// What the customer knows it by.
    pub name: String,
    /// When it was bound.
    #[schema(format = DateTime)]
    pub bound_at: String,
    /// When a session was last opened on it.
    #[schema(format = DateTime)]
    pub last_seen_at: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Whether it may be used.
    pub status: DeviceStatus,
    /// Passkeys made on it.
    pub passkeys: Vec<Passkey>,
}

/// All devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeviceList {
    /// Oldest first.
    pub items: Vec<Device>,
}

/// A seed for one-time codes, shown once.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TotpSecret {
    /// To be typed.
    pub secret_base32: String,
    /// To be shown as a QR code.
    pub otpauth_uri: String,
}

/// A one-time code.
#[derive(Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TotpCode {
    /// Six digits.
    pub code: String,
}

/// A language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LocaleChoice {
    /// Which.
    pub locale: Locale,
}

/// The passkey to be asked before unlocking.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct UnlockBegin {
    /// `PublicKeyCredentialRequestOptionsJSON` of WebAuthn.
    #[schema(schema_with = super::json_object)]
    pub request_options: JsonObject,
}

/// The passkey's answer.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnlockRequest {
    /// `AuthenticationResponseJSON` of WebAuthn.
    #[schema(schema_with = super::json_object)]
    pub assertion: JsonObject,
}
