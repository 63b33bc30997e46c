//! From texts of the wire to words of the bank, each with a refusal of its own.

use bank::Bank;
use identity::{Name, Phone};
use money::{AmountError, PaymentId, Text, TextError, Timestamp};
use payments::{AccountNumber, BankNumber, Counterparty, Intent, Note, PartyName, Rail};

use crate::app::App;
use crate::refusals::{amount_invalid, not_as_previewed, payment_unknown};
use crate::{Problem, wire};

/// A legal name.
pub(crate) fn name(text: &str) -> Result<Name, Problem> {
    let name = Name::new(text)
        .map_err(|error| Problem::unprocessable("name_invalid", format!("display_name: {error}")))?;
    if name.is_empty() {
        return Err(Problem::unprocessable("name_empty", "The name is empty."));
    }
    Ok(name)
}

/// A telephone number.
pub(crate) fn phone(text: &str) -> Result<Phone, Problem> {
    Phone::new(text).map_err(|error| Problem::unprocessable("phone_invalid", format!("phone: {error}")))
}

/// What a customer calls a device or passkey; `instead` where they call it nothing.
pub(crate) fn label(field: &str, text: &str, instead: &str) -> Result<Text<64>, Problem> {
    let label = Text::new(text).map_err(|error| Problem::bad_request(format!("{field}: {error}")))?;
    Ok(if label.is_empty() { Text::clip(instead) } else { label })
}

/// An amount.
pub(crate) fn amount(amount: &wire::Amount) -> Result<money::Amount, Problem> {
    let asset = wire::parse_asset(&amount.asset).ok_or_else(|| {
        Problem::unprocessable("asset_mismatch", "The bank has no accounts in this asset.")
            .with("given", clipped(&amount.asset))
    })?;
    money::Amount::parse(asset, &amount.value).map_err(|error| match error {
        AmountError::TooManyDecimals { asset, scale, .. } => {
            Problem::unprocessable("amount_decimals", format!("{asset} has at most {scale} decimals."))
                .with("decimals", scale.to_string())
        }
        AmountError::NotDecimal { .. } => Problem::unprocessable(
            "amount_malformed",
            "An amount is digits and at most one point, such as 1234.50.",
        ),
        AmountError::AssetMismatch { .. }
        | AmountError::Overflow
        | AmountError::BelowZero
        | AmountError::DivisionByZero => amount_invalid("The amount is too large."),
    })
}

fn clipped(text: &str) -> String {
    Text::<16>::clip(text).as_str().to_owned()
}

/// Words for the payee.
pub(crate) fn note(text: &str) -> Result<Note, Problem> {
    Note::new(text).map_err(|error| match error {
        TextError::TooLong { max, .. } => {
            Problem::unprocessable("note_too_long", format!("The note has more than {max} characters."))
                .with("max", max.to_string())
        }
        TextError::Control => {
            Problem::unprocessable("note_invalid", "The note has a control character; type it again.")
        }
    })
}

/// Who is to be paid, at a bank of the directory.
pub(crate) fn payee(app: &App, bank: &Bank, payee: &wire::PayeeRef) -> Result<Counterparty, Problem> {
    payee_at(payee, |code| app.directory.knows(code, |code| is_own(bank, code)))
}

/// Whether a clearing number is our own.
pub(crate) fn is_own(bank: &Bank, code: &str) -> bool {
    bank.payments().profile().is_some_and(|profile| profile.bank.as_str() == code)
}

/// Who is to be paid, at a bank that is known.
fn payee_at(payee: &wire::PayeeRef, is_known: impl FnOnce(&str) -> bool) -> Result<Counterparty, Problem> {
    let name = PartyName::new(&payee.name)
        .map_err(|error| Problem::unprocessable("payee_name_invalid", format!("payee.name: {error}")))?;
    if name.is_empty() {
        return Err(Problem::unprocessable("payee_name_empty", "The payee's name is empty."));
    }
    // People copy numbers in groups.
    let number: String = payee.account_number.chars().filter(|c| *c != ' ').collect();
    let account = AccountNumber::new(&number).map_err(|error| {
        Problem::unprocessable("account_invalid", format!("payee.account_number: {error}"))
    })?;
    let bank = BankNumber::new(&payee.bank_code).ok().filter(|_| is_known(&payee.bank_code));
    let bank = bank.ok_or_else(|| {
        Problem::unprocessable("bank_unknown", "There is no such bank; choose one from the list.")
    })?;
    Ok(Counterparty { name, account, bank })
}

/// A payment's id.
pub(crate) fn payment_id(text: &str) -> Result<PaymentId, Problem> {
    text.parse().map_err(|_| payment_unknown())
}

/// An instant, or the start of a day of the bank.
pub(crate) fn from(bank: &Bank, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let day = text.parse::<money::Date>().ok().map(|day| day.midnight_at(utc_offset(bank)));
    day.or_else(|| wire::parse_instant(text)).map(Some).ok_or_else(|| no_instant("from"))
}

/// The first instant after an instant, or after a day of the bank: where a range that includes it ends.
pub(crate) fn until(bank: &Bank, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let day = text.parse::<money::Date>().ok().map(|day| day.plus_days(1).midnight_at(utc_offset(bank)));
    let after = day.or_else(|| wire::parse_instant(text).map(|at| at.plus_ms(1)));
    after.map(Some).ok_or_else(|| no_instant("to"))
}

fn no_instant(field: &str) -> Problem {
    Problem::bad_request(format!("{field}: a time such as 2026-03-01T08:00:00Z, or a day such as 2026-03-01"))
}

/// The bank's day: minutes east of Greenwich.
pub(crate) fn utc_offset(bank: &Bank) -> i32 {
    bank.payments().profile().map_or(0, |profile| profile.utc_offset_minutes)
}

/// An intent as a preview made it, to somebody at a bank that is known.
pub(crate) fn intent(intent: &wire::Intent, is_known: impl FnOnce(&str) -> bool) -> Result<Intent, Problem> {
    use base64::Engine as _;
    let nonce = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&intent.nonce);
    Ok(Intent {
        payment: intent.payment_id.parse().map_err(|_| not_as_previewed("payment_id"))?,
        from: account_id(&intent.from_account)?,
        payee: payee_at(&intent.payee, is_known)?,
        amount: amount(&intent.amount)?,
        fee_cap: amount(&intent.fee_cap)?,
        rail: rail(intent.rail),
        expires_at: wire::parse_instant(&intent.expires_at).ok_or_else(|| not_as_previewed("expires_at"))?,
        nonce: nonce.map_err(|_| not_as_previewed("nonce"))?.into(),
        note: note(&intent.note)?,
    })
}

/// An account's id.
pub(crate) fn account_id(text: &str) -> Result<money::AccountId, Problem> {
    text.parse().map_err(|_| account_unknown())
}

/// No account with this id belongs to the customer.
pub(crate) fn account_unknown() -> Problem {
    bank::Refusal::from(payments::Refusal::AccountUnknown).into()
}

/// A rail.
pub(crate) const fn rail(rail: wire::Rail) -> Rail {
    match rail {
        wire::Rail::Internal => Rail::Internal,
        wire::Rail::Instant => Rail::Instant,
        wire::Rail::HighValue => Rail::HighValue,
    }
}

/// A rail, as it is written.
pub(crate) const fn wire_rail(rail: Rail) -> wire::Rail {
    match rail {
        Rail::Internal => wire::Rail::Internal,
        Rail::Instant => wire::Rail::Instant,
        Rail::HighValue => wire::Rail::HighValue,
    }
}
