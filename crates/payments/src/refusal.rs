//! Every "no" of payments.

use money::{Amount, Asset, PaymentId, Timestamp};
use thiserror::Error;

use crate::{MessageKey, Rail};

/// A domain "no" of payments.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Nothing is to be paid.
    #[error("amount is zero")]
    AmountZero,
    /// The account holds another asset.
    #[error("the account holds {expected}, not {given}")]
    AssetMismatch {
        /// Of the account.
        expected: Asset,
        /// Of the amount.
        given: Asset,
    },
    /// The payee's name is empty.
    #[error("the payee's name is empty")]
    PayeeNameEmpty,
    /// The nonce is not 16 bytes.
    #[error("the nonce is not 16 bytes")]
    Nonce,
    /// The id lies in the range of the bank's own.
    #[error("payment id {id} is reserved")]
    ReservedId {
        /// The id.
        id: PaymentId,
    },
    /// The id is taken.
    #[error("payment {id} exists")]
    PaymentExists {
        /// The id.
        id: PaymentId,
    },
    /// No such payment, or another customer's.
    #[error("payment {id} is unknown")]
    PaymentUnknown {
        /// The id.
        id: PaymentId,
    },
    /// No such account, or another customer's.
    #[error("the account is unknown")]
    AccountUnknown,
    /// The account number or id is taken.
    #[error("the account exists")]
    AccountExists,
    /// The bank's own accounts in this asset are not open.
    #[error("the bank keeps no books in {asset}")]
    NoBooks {
        /// The asset.
        asset: Asset,
    },
    /// The customer locked everything.
    #[error("the customer is locked")]
    CustomerLocked,
    /// The intent is too old.
    #[error("the intent expired at {at}")]
    IntentExpired {
        /// When.
        at: Timestamp,
    },
    /// The intent lives longer than is allowed.
    #[error("the intent expires at {at}, later than {latest}")]
    IntentTooLong {
        /// When it expires.
        at: Timestamp,
        /// The latest that is allowed.
        latest: Timestamp,
    },
    /// No rail takes such a payment.
    #[error("no rail takes {amount}")]
    NoRoute {
        /// The amount.
        amount: Amount,
    },
    /// The way has changed since it was shown.
    #[error("the payment would go by {now}, not {signed}", now = .now.name(), signed = .signed.name())]
    RouteChanged {
        /// Now.
        now: Rail,
        /// In the intent.
        signed: Rail,
    },
    /// The rail is outside its hours.
    #[error("rail {rail} is closed", rail = .rail.name())]
    RailClosed {
        /// Which.
        rail: Rail,
    },
    /// The rail cannot be reached.
    #[error("rail {rail} is down", rail = .rail.name())]
    RailDown {
        /// Which.
        rail: Rail,
    },
    /// The fee is above what the payer accepts.
    #[error("fee {fee} is above the cap {cap}")]
    FeeAboveCap {
        /// The fee.
        fee: Amount,
        /// The cap.
        cap: Amount,
    },
    /// No such account in this bank.
    #[error("the payee's account is unknown")]
    PayeeUnknown,
    /// The payee's account is closed.
    #[error("the payee's account is closed")]
    PayeeClosed,
    /// The name is not the account holder's.
    #[error("the payee's name does not match")]
    PayeeNameMismatch,
    /// From an account to itself.
    #[error("payer and payee are the same account")]
    OwnAccount,
    /// No row of limits is for this customer.
    #[error("no limits are set")]
    NoLimits,
    /// More than a limit allows.
    #[error("{amount} is over the {period} limit {limit}, {remaining} remains")]
    OverLimit {
        /// `single`, `day`, `month` or `year`.
        period: &'static str,
        /// Asked for.
        amount: Amount,
        /// The limit.
        limit: Amount,
        /// What is left of it.
        remaining: Amount,
    },
    /// Above the small-amount limit a passkey must sign.
    #[error("above {small_amount} a passkey is needed")]
    PasskeyNeeded {
        /// Up to here none is needed.
        small_amount: Amount,
    },
    /// It can no longer be undone.
    #[error("payment {id} can no longer be undone")]
    UndoOver {
        /// The payment.
        id: PaymentId,
    },
    /// The same (sender, message id) with another body.
    #[error("message {key} was received with another body")]
    DuplicateMessage {
        /// The message.
        key: MessageKey,
    },
    /// The message is not for this bank.
    #[error("the message is for another bank")]
    NotOurBank,
    /// No message of ours has this id, or none that this can be said of.
    #[error("no message of ours that has the id {id} can be meant")]
    OriginalUnknown {
        /// The id.
        id: String,
        /// The payment is ours and its answer is still to come: what is said now may be said again after it.
        answer_due: bool,
    },
    /// A return of another amount than was paid.
    #[error("returned {returned}, paid {paid}")]
    ReturnAmount {
        /// Returned.
        returned: Amount,
        /// Paid.
        paid: Amount,
    },
    /// The payment does not wait for an operator.
    #[error("payment {id} does not wait for an operator")]
    NotWaitingForOperator {
        /// The payment.
        id: PaymentId,
    },
    /// The deposit is not in suspense.
    #[error("payment {id} is not in suspense")]
    NotInSuspense {
        /// The payment.
        id: PaymentId,
    },
    /// The bank has no profile yet.
    #[error("the bank has no profile yet")]
    NoProfile,
    /// Only the owner, a rail or staff may do this.
    #[error("not allowed")]
    NotAllowed,
}

impl Refusal {
    /// Whether the same command can succeed later without being changed.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::RailClosed { .. }
                | Self::RailDown { .. }
                | Self::NoProfile
                | Self::OriginalUnknown { answer_due: true, .. }
        )
    }
}
