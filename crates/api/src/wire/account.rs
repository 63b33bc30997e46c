//! Accounts, holds, limits, charts, banks and payment codes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Amount, Counterparty};

/// An account of the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// Its number, to be given to others.
    pub number: String,
    /// Code of its asset.
    pub asset: String,
    /// What is booked.
    pub posted: Amount,
    /// What of it is held.
    pub held: Amount,
    /// What can be spent: posted less held.
    pub available: Amount,
    /// When it was opened.
    #[schema(format = DateTime)]
    pub opened_at: String,
}

/// All accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountList {
    /// In the order they were opened.
    pub items: Vec<Account>,
    /// The journal entry up to which this is true.
    #[schema(format = Int64, value_type = i64)]
    pub seq: u64,
}

/// Why money is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// A withdrawal that can still be undone.
    WithdrawalUndo,
    /// A withdrawal on its way.
    WithdrawalSending,
}

/// Held money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Hold {
    /// Its id.
    pub id: String,
    /// The payment it is for.
    pub payment_id: String,
    /// How much, with the fee.
    pub amount: Amount,
    /// Why.
    pub reason: HoldReason,
    /// Since when.
    #[schema(format = DateTime)]
    pub placed_at: String,
    /// Until when at most, where that is known.
    #[schema(required = true, format = DateTime)]
    pub expires_at: Option<String>,
    /// Whether the payment can be undone now.
    pub can_cancel: bool,
}

/// What is held on an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HoldList {
    /// Newest first.
    pub items: Vec<Hold>,
}

/// What others need to pay into an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReceiveDetails {
    /// Name of the holder.
    pub holder_name: String,
    /// Number of the account.
    pub account_number: String,
    /// Clearing number of the bank.
    pub bank_code: String,
    /// Name of the bank in Chinese.
    pub bank_name_zh: String,
    /// Name of the bank in English.
    pub bank_name_en: String,
    /// The same as the text of a payment code.
    pub qr_payload: String,
}

/// The posted balance at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HistoryPoint {
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// How much.
    pub posted: Amount,
}

/// The balance over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct History {
    /// One per day of the bank, oldest first; none for an account without movements.
    pub points: Vec<HistoryPoint>,
}

/// What went out and came in within seven days of the bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SpendingWeek {
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// What went out.
    pub out: Amount,
    /// What came in.
    #[serde(rename = "in")]
    pub incoming: Amount,
}

/// Spending by weeks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Spending {
    /// Oldest first; none for an account without movements.
    pub weeks: Vec<SpendingWeek>,
}

/// The text of a payment code.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QrPayload {
    /// As it was read.
    pub payload: String,
}

/// A payment code, understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ParsedQr {
    /// Who gets it.
    pub payee: Counterparty,
    /// How much, where the code says it.
    #[schema(required = true)]
    pub amount: Option<Amount>,
}

/// The time a limit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// One payment.
    Single,
    /// A calendar day.
    Day,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LimitRow {
    /// For which time.
    pub period: Period,
    /// How much; `null` for no limit.
    #[schema(required = true)]
    pub cap: Option<Amount>,
    /// What of it is used.
    pub used: Amount,
    /// What is left of it.
    #[schema(required = true)]
    pub remaining: Option<Amount>,
}

/// What the customer may pay out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Limits {
    /// Up to here no passkey is asked for.
    pub small_amount: Amount,
    /// From here a payment to another bank waits and can be undone.
    pub undo_from: Amount,
    /// The limits.
    pub rows: Vec<LimitRow>,
}

/// A bank that can be paid to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Bank {
    /// Clearing number.
    pub code: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// Whether it is this bank.
    pub ours: bool,
}

/// All banks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BankList {
    /// Ours first.
    pub items: Vec<Bank>,
}
