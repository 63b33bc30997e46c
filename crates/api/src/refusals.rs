//! From the bank's refusals to problems: one exhaustive table, so that a new refusal does not compile until it has a code.

mod markets;

use axum::http::StatusCode;
use bank::Refusal;
use money::Amount;
use payments::Rail;

use crate::Problem;
use crate::wire::labelled;

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Ledger(refusal) => ledger(refusal),
            Refusal::Identity(refusal) => identity(refusal),
            Refusal::Payments(refusal) => payments(refusal),
            Refusal::IdReused { .. } => mismatch(),
            Refusal::Approval(error) => {
                tracing::info!(%error, "an assertion is not good");
                let detail = "The passkey's signature does not fit; look at it again and confirm once more.";
                Self::unprocessable("assertion_invalid", detail)
            }
            Refusal::Exchange(refusal) => markets::refused(refusal),
            Refusal::Orders(refusals) => {
                refusals.into_iter().next().map_or_else(not_allowed, markets::refused)
            }
            Refusal::Settlement(_)
            | Refusal::Cells(_)
            | Refusal::Rows(_)
            | Refusal::EffectNotOutstanding { .. }
            | Refusal::NotAllowed
            | Refusal::NothingDue => not_allowed(),
        }
    }
}

/// The same key came with another body.
pub(crate) fn mismatch() -> Problem {
    let detail = "This key was used for another request; use a new key for a new request.";
    Problem::unprocessable("idempotency_mismatch", detail)
}

fn not_allowed() -> Problem {
    Problem::forbidden("not_allowed", "This is not allowed.")
}

fn account_unknown() -> Problem {
    Problem::missing("account_unknown", "There is no such account; check its number.")
}

pub(super) fn ledger(refusal: ledger::Refusal) -> Problem {
    use ledger::Refusal as R;
    match refusal {
        R::InsufficientFunds { available, needed, .. } => {
            Problem::unprocessable("insufficient_funds", "There is not enough money available; pay less.")
                .with("available", labelled(available))
                .with("needed", labelled(needed))
        }
        R::ZeroAmount => amount_zero(),
        R::AccountUnknown { .. } => account_unknown(),
        R::AccountClosed { .. } => Problem::conflict("account_closed", "The account is closed."),
        R::AssetMismatch { expected, given, .. } => asset_mismatch(expected, given),
        R::Overflow => amount_invalid("The amount is too large."),
        // What follows cannot come from a customer's command: the bank itself makes entries, holds and their ids.
        R::EmptyChange
        | R::DaySealed { .. }
        | R::LaterBalance { .. }
        | R::TooFarBack { .. }
        | R::NothingAvailable { .. }
        | R::NothingBounds
        | R::OpenedInFuture { .. }
        | R::SealOutOfOrder { .. }
        | R::MonitorExists { .. }
        | R::MonitorUnknown { .. }
        | R::MonitorsFull { .. }
        | R::NoticeUnknown { .. }
        | R::NotPermitted
        | R::ChainBroken
        | R::LegCount { .. }
        | R::Unbalanced { .. }
        | R::EffectiveInFuture { .. }
        | R::EntryExists { .. }
        | R::HoldExists { .. }
        | R::AccountExists { .. }
        | R::AccountNotEmpty { .. }
        | R::HoldNotOpen { .. }
        | R::EntryUnknown { .. }
        | R::AlreadyReversed { .. } => {
            tracing::error!(%refusal, "the ledger refused what only the bank itself can ask");
            Problem::internal()
        }
    }
}

fn amount_zero() -> Problem {
    Problem::unprocessable("amount_zero", "The amount is zero; enter more than zero.")
}

/// An amount that is no amount.
pub(crate) fn amount_invalid(detail: impl Into<String>) -> Problem {
    Problem::unprocessable("amount_invalid", detail)
}

/// An asset that the account does not hold.
pub(crate) fn asset_mismatch(expected: money::Asset, given: impl std::fmt::Display) -> Problem {
    Problem::unprocessable("asset_mismatch", format!("The account holds {expected}, not {given}."))
        .with("expected", expected.code())
        .with("given", given.to_string())
}

fn identity(refusal: identity::Refusal) -> Problem {
    use identity::Refusal as R;
    match refusal {
        R::NameEmpty => Problem::unprocessable("name_empty", "The name is empty."),
        R::PhoneTaken => Problem::conflict("phone_taken", "This number has an account; sign in instead."),
        R::CredentialTaken => {
            Problem::conflict("passkey_registered", "This passkey is registered; sign in with it.")
        }
        R::SessionExpired => Problem::session_expired(),
        R::DeviceBlocked => {
            Problem::forbidden("device_blocked", "This device is blocked; use another bound device.")
        }
        R::DeviceUnknown => {
            Problem::missing("device_unknown", "This device is not bound; sign in with a passkey.")
        }
        R::OwnDevice => {
            let detail = "A device cannot block itself; use another one, or lock everything.";
            Problem::conflict("device_current", detail)
        }
        R::CredentialUnknown => Problem::missing("passkey_unknown", "The bank does not know this passkey."),
        R::CredentialCloned { .. } => {
            let detail = "This confirmation was used before; nothing was done twice.";
            Problem::conflict("assertion_replayed", detail)
        }
        R::LastCredential => {
            Problem::conflict("last_passkey", "This is the last passkey; add another one before removing it.")
        }
        R::TotpUnknown => Problem::conflict("totp_not_enabled", "One-time codes are not set up."),
        R::TotpInUse => Problem::conflict("totp_enabled", "One-time codes are in use; remove them first."),
        R::TotpReplayed => {
            Problem::unauthorised("totp_replayed", "This code was used; wait for the next one.")
        }
        R::PasskeyNeeded => {
            let detail = "This needs a session opened with a passkey; sign in with one.";
            Problem::forbidden("passkey_session_needed", detail)
        }
        R::CustomerLocked => customer_locked(),
        R::PayeeUnknown => Problem::missing("payee_unknown", "There is no such payee."),
        R::PayeeKnown { .. } => Problem::conflict("payee_exists", "This payee is saved already."),
        R::TooMany { what, max } => {
            Problem::conflict("too_many", format!("At most {max} {what}; remove one before adding another."))
                .with("max", max.to_string())
        }
        R::IdTaken => mismatch(),
        R::CustomerUnknown | R::NotACustomer | R::NotAnOperator | R::NotAVisitor => not_allowed(),
    }
}

fn customer_locked() -> Problem {
    Problem::forbidden(
        "customer_locked",
        "Everything is locked; unlock it with a passkey in the security centre.",
    )
}

fn payments(refusal: payments::Refusal) -> Problem {
    use payments::Refusal as R;
    match refusal {
        R::AmountZero => amount_zero(),
        R::AssetMismatch { expected, given } => asset_mismatch(expected, given),
        R::PayeeNameEmpty => Problem::unprocessable("payee_name_empty", "The payee's name is empty."),
        R::Nonce => not_as_previewed("nonce"),
        R::ReservedId { .. } => not_as_previewed("payment_id"),
        R::PaymentExists { .. } => mismatch(),
        R::PaymentUnknown { .. } => payment_unknown(),
        R::AccountUnknown => account_unknown(),
        R::CustomerLocked => customer_locked(),
        R::IntentExpired { .. } => {
            expired("The review has expired and nothing was submitted; look at it again.")
        }
        R::IntentTooLong { .. } => expired("The intent lives longer than allowed; look at it again."),
        R::NoRoute { amount } => no_route(amount),
        R::RouteChanged { now, .. } => {
            changed("route_changed", "The way has changed since the review; look at it again.", now)
        }
        R::RailClosed { rail } => {
            changed("rail_closed", "The rail is outside its hours; try within them.", rail)
        }
        R::RailDown { rail } => changed("rail_down", "The rail is down and no money moved; try later.", rail)
            .status(StatusCode::SERVICE_UNAVAILABLE),
        R::FeeAboveCap { fee, cap } => fee_above_cap(fee, cap),
        R::PayeeUnknown => Problem::unprocessable("payee_unknown", "No such account; check its number."),
        R::PayeeClosed => Problem::unprocessable("payee_closed", "The payee's account is closed."),
        R::PayeeNameMismatch => payee_name_mismatch(),
        R::OwnAccount => Problem::unprocessable("own_account", "Payer and payee are the same account."),
        R::OverLimit { period, amount, limit, remaining } => over_limit(period, amount, limit, remaining),
        R::PasskeyNeeded { small_amount } => passkey_needed(small_amount),
        R::UndoOver { .. } => undo_over(),
        R::NoLimits | R::NotAllowed => not_allowed(),
        R::AccountExists => Problem::conflict("account_exists", "You have an account in this asset already."),
        R::NoBooks { asset } => {
            let detail = format!("The bank keeps no accounts in {asset}; choose another asset.");
            Problem::unprocessable("asset_unknown", detail)
        }
        // What follows cannot come from a customer's command.
        R::DuplicateMessage { .. }
        | R::NotOurBank
        | R::OriginalUnknown { .. }
        | R::ReturnAmount { .. }
        | R::NotInSuspense { .. }
        | R::NotWaitingForOperator { .. }
        | R::NoProfile => {
            tracing::error!(%refusal, "payments refused what the bank is not set up for");
            Problem::internal()
        }
    }
}

/// A field of an intent that no preview made so.
pub(crate) fn not_as_previewed(field: &str) -> Problem {
    Problem::bad_request(format!("intent.{field}: not as the preview made it; look at it again"))
}

fn no_route(amount: Amount) -> Problem {
    Problem::unprocessable("no_route", "No rail takes such an amount; pay less, or in parts.")
        .with("amount", labelled(amount))
}

fn changed(code: &'static str, detail: &str, rail: Rail) -> Problem {
    Problem::conflict(code, detail).with("rail", rail.name())
}

fn fee_above_cap(fee: Amount, cap: Amount) -> Problem {
    Problem::conflict("fee_above_cap", "The fee is above what was confirmed; look at it again.")
        .with("fee", labelled(fee))
        .with("cap", labelled(cap))
}

fn payee_name_mismatch() -> Problem {
    let detail = "The name is not that of the account's holder and nothing was paid; ask the payee.";
    Problem::unprocessable("payee_name_mismatch", detail)
}

fn over_limit(period: &str, amount: Amount, limit: Amount, remaining: Amount) -> Problem {
    let detail = "More than a limit allows; pay less, or wait until it is free again.";
    Problem::unprocessable("over_limit", detail)
        .with("period", period)
        .with("amount", labelled(amount))
        .with("limit", labelled(limit))
        .with("remaining", labelled(remaining))
}

fn passkey_needed(small_amount: Amount) -> Problem {
    let detail = "This amount needs a passkey's confirmation.";
    Problem::forbidden("small_amount_limit_needs_passkey", detail)
        .with("small_amount", labelled(small_amount))
}

fn undo_over() -> Problem {
    Problem::conflict("undo_window_over", "It can no longer be undone; ask the payee to send it back.")
}

fn expired(detail: &str) -> Problem {
    Problem::conflict("intent_expired", detail)
}

/// No payment with this id belongs to the customer.
pub(crate) fn payment_unknown() -> Problem {
    Problem::missing("payment_unknown", "There is no such payment.")
}
