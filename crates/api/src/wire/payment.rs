//! Payees, intents, previews, payments.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Amount, JsonObject};

/// The other side of a payment or movement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counterparty {
    /// Name of the account's holder.
    pub name: String,
    /// Number of the account.
    pub account_number: String,
    /// Clearing number of the bank.
    pub bank_code: String,
    /// Name of the bank in Chinese.
    pub bank_name_zh: String,
    /// Name of the bank in English.
    pub bank_name_en: String,
    /// Whether it is this bank.
    pub own_bank: bool,
}

/// A saved payee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Payee {
    /// Its id.
    pub id: String,
    /// Name of the account's holder.
    pub name: String,
    /// Number of the account.
    pub account_number: String,
    /// Clearing number of the bank.
    pub bank_code: String,
    /// Name of the bank in Chinese.
    pub bank_name_zh: String,
    /// Name of the bank in English.
    pub bank_name_en: String,
    /// Whether it is this bank.
    pub own_bank: bool,
    /// Whether the name is that of the account's holder, as far as this bank can know.
    pub verified: bool,
    /// When it was saved.
    #[schema(format = DateTime)]
    pub added_at: String,
    /// When it was last paid.
    #[schema(required = true, format = DateTime)]
    pub last_paid_at: Option<String>,
}

/// Saved payees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PayeeList {
    /// Last paid first.
    pub items: Vec<Payee>,
}

/// Who is to be paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayeeRef {
    /// Name of the account's holder.
    pub name: String,
    /// Number of the account.
    pub account_number: String,
    /// Clearing number of the bank.
    pub bank_code: String,
}

/// A way for money to travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rail {
    /// Inside the bank.
    Internal,
    /// Instant payments.
    Instant,
    /// High-value payments.
    HighValue,
}

/// What the passkey signs: its canonical hash is the challenge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// Id of the payment.
    pub payment_id: String,
    /// Id of the paying account.
    pub from_account: String,
    /// Who gets it.
    pub payee: PayeeRef,
    /// How much arrives.
    pub amount: Amount,
    /// The highest fee.
    pub fee_cap: Amount,
    /// By which way.
    pub rail: Rail,
    /// After this it is not executed.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// 16 random bytes in base64url.
    pub nonce: String,
    /// Words for the payee.
    pub note: String,
}

/// When money arrives, in kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArrivalKind {
    /// With the answer.
    AtOnce,
    /// Within some seconds.
    Seconds,
    /// At an instant.
    At,
}

/// When the money arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Arrival {
    /// Which of the others counts.
    pub kind: ArrivalKind,
    /// At this instant.
    #[schema(required = true, format = DateTime)]
    pub at: Option<String>,
    /// Within so many seconds.
    #[schema(required = true, format = Int64, value_type = Option<i64>)]
    pub seconds: Option<u64>,
}

/// Why a way was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RouteReason {
    /// Both accounts are here.
    SameBank,
    /// The instant rail takes it.
    BelowInstantCeiling,
    /// It is too much for the instant rail.
    AboveInstantCeiling,
}

/// The way a payment takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Route {
    /// Which.
    pub rail: Rail,
    /// Why.
    pub reason_code: RouteReason,
    /// The figures of the reason.
    #[schema(schema_with = super::texts)]
    pub reason_params: BTreeMap<String, String>,
}

/// What is known of the payee's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayeeCheck {
    /// It is the holder's.
    Verified,
    /// The other bank tells nothing beforehand.
    NotVerified,
    /// It is not the holder's.
    Mismatch,
}

/// A payment to be looked at before it is made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// Id of the paying account.
    pub from_account: String,
    /// Who gets it.
    pub payee: PayeeRef,
    /// How much arrives.
    pub amount: Amount,
    /// Words for the payee.
    pub note: String,
}

/// What would happen.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Preview {
    /// To be submitted as it is.
    pub intent: Intent,
    /// SHA-256 of the intent's canonical text, in base64url.
    pub challenge: String,
    /// What it costs.
    pub fee: Amount,
    /// What leaves the account.
    pub total: Amount,
    /// When it arrives.
    pub arrives: Arrival,
    /// By which way.
    pub route: Route,
    /// Whether the name fits.
    pub payee_check: PayeeCheck,
    /// The holder's name with parts hidden, where it is known.
    #[schema(required = true)]
    pub verified_name_masked: Option<String>,
    /// Whether a passkey must sign.
    pub needs_passkey: bool,
    /// Up to here none must.
    pub small_amount_limit: Amount,
    /// How long it can be undone; 0 for not at all.
    #[schema(format = Int64, value_type = i64)]
    pub undo_seconds: u64,
    /// Why it can be undone or not: `above_undo_amount`, `below_undo_amount` or `same_bank`.
    #[schema(required = true)]
    pub undo_reason: Option<String>,
    /// Whether the bank can still be asked to take it back once it is sent.
    pub cancellable_after_send: bool,
    /// `PublicKeyCredentialRequestOptionsJSON` of WebAuthn where a passkey must sign.
    #[schema(required = true, schema_with = super::json_object_or_null)]
    pub request_options: Option<JsonObject>,
}

/// A payment to be made.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentRequest {
    /// As the preview made it.
    pub intent: Intent,
    /// `AuthenticationResponseJSON` of WebAuthn over the challenge, where a passkey must sign.
    #[serde(deserialize_with = "super::nullable")]
    #[schema(required = true, schema_with = super::json_object_or_null)]
    pub assertion: Option<JsonObject>,
}

/// What kind of payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentKind {
    /// Inside the bank.
    Transfer,
    /// To another bank.
    Withdrawal,
    /// From another bank.
    Deposit,
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// It can be undone.
    Waiting,
    /// On its way to the rail.
    Sending,
    /// The rail has it.
    Sent,
    /// The payee has it.
    Confirmed,
    /// And the banks are even.
    Settled,
    /// Undone; the money is back.
    Cancelled,
    /// Refused by the rail or the other bank; the money is back.
    Rejected,
    /// Sent back later; the money is back.
    Returned,
    /// The bank is clarifying what became of it.
    InReview,
}

/// A step of the track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepName {
    /// Asked for.
    Requested,
    /// Checked and accepted.
    Checked,
    /// Waiting for a possible undo.
    Waiting,
    /// Taken over by the rail.
    Sent,
    /// The payee has it.
    Confirmed,
    /// The banks are even.
    Settled,
    /// Undone.
    Cancelled,
    /// Refused.
    Rejected,
    /// Sent back.
    Returned,
}

/// One step of a payment's track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PaymentStep {
    /// Which.
    pub step: StepName,
    /// When, where it is known.
    #[schema(required = true, format = DateTime)]
    pub at: Option<String>,
    /// Whether it happened.
    pub done: bool,
    /// Whether the payment failed here.
    pub failed: bool,
}

/// Why a payment failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PaymentReason {
    /// The rail's code, or a word of ours.
    pub code: String,
    /// Its figures.
    #[schema(schema_with = super::texts)]
    pub params: BTreeMap<String, String>,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Payment {
    /// Its id.
    pub id: String,
    /// What kind.
    pub kind: PaymentKind,
    /// Where it stands.
    pub state: PaymentState,
    /// How much arrives.
    pub amount: Amount,
    /// What it costs on top.
    pub fee: Amount,
    /// The other side.
    pub counterparty: Counterparty,
    /// The customer's account.
    pub account_id: String,
    /// By which way.
    pub rail: Rail,
    /// Words for the payee.
    pub note: String,
    /// When it came to be.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Until when it can be undone, while it waits.
    #[schema(required = true, format = DateTime)]
    pub undo_until: Option<String>,
    /// Whether it can be undone now.
    pub can_cancel: bool,
    /// Its track.
    pub steps: Vec<PaymentStep>,
    /// Why it failed.
    #[schema(required = true)]
    pub reason: Option<PaymentReason>,
    /// Its movements on the customer's accounts.
    pub movement_ids: Vec<String>,
    /// A short form of its id, to be quoted.
    pub reference: String,
}

/// Payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PaymentList {
    /// Newest first.
    pub items: Vec<Payment>,
}
