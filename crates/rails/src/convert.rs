//! Between the words of payments and those of the rail. Both sides check their own; a word that one knows and the other does not is an error.

use cnaps::Money;
use jiff::civil;
use money::{Amount, Asset, Date, Text, Timestamp};
use payments::{AccountNumber, BankNumber, Counterparty, MessageId, MessageKey};
use thiserror::Error;

/// A value that one side has and the other cannot carry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what}: {problem}")]
pub struct ConvertError {
    /// Which value.
    pub what: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

fn cannot(what: &'static str) -> impl FnOnce(String) -> ConvertError {
    move |problem| ConvertError { what, problem }
}

/// Decimals of every amount on the rail.
const RAIL_SCALE: u8 = 2;

pub(crate) fn to_money(amount: Amount) -> Result<Money, ConvertError> {
    if amount.asset().scale() != RAIL_SCALE {
        return Err(cannot("amount")(format!("{} does not have two decimals", amount.asset())));
    }
    Money::parse(&amount.decimal(), amount.asset().code())
        .map_err(|error| cannot("amount")(error.to_string()))
}

pub(crate) fn to_amount(money: &Money) -> Result<Amount, ConvertError> {
    let asset: Asset =
        money.currency.parse().map_err(|_| cannot("amount")(format!("{} is not ours", money.currency)))?;
    if asset.scale() != RAIL_SCALE {
        return Err(cannot("amount")(format!("{asset} does not have two decimals")));
    }
    Ok(Amount::new(asset, money.minor_units))
}

pub(crate) fn to_date(date: civil::Date) -> Result<Date, ConvertError> {
    date.to_string().parse().map_err(|error: money::DateError| cannot("date")(error.to_string()))
}

pub(crate) fn to_rail_time(at: Timestamp) -> Result<jiff::Timestamp, ConvertError> {
    let ms = i64::try_from(at.ms()).map_err(|error| cannot("time")(error.to_string()))?;
    jiff::Timestamp::from_millisecond(ms).map_err(|error| cannot("time")(error.to_string()))
}

pub(crate) fn to_rail_bank(bank: &BankNumber) -> Result<cnaps::BankNumber, ConvertError> {
    cnaps::BankNumber::parse(bank.as_str()).map_err(|error| cannot("bank")(error.to_string()))
}

pub(crate) fn to_bank(bank: &cnaps::BankNumber) -> Result<BankNumber, ConvertError> {
    BankNumber::new(bank.as_str()).map_err(|error| cannot("bank")(error.to_string()))
}

pub(crate) fn to_rail_id(id: &MessageId) -> Result<cnaps::MessageId, ConvertError> {
    cnaps::MessageId::parse(id.as_str()).map_err(|error| cannot("message id")(error.to_string()))
}

pub(crate) fn to_id(id: &cnaps::MessageId) -> Result<MessageId, ConvertError> {
    MessageId::new(&id.to_string()).map_err(|error| cannot("message id")(error.to_string()))
}

pub(crate) fn to_key(id: &cnaps::MessageId) -> Result<MessageKey, ConvertError> {
    Ok(MessageKey { sender: to_bank(id.bank())?, id: to_id(id)? })
}

pub(crate) fn to_party(
    name: &str,
    account: &str,
    bank: &cnaps::BankNumber,
) -> Result<Counterparty, ConvertError> {
    let account = AccountNumber::new(account).map_err(|error| cannot("account")(error.to_string()))?;
    // Names of other banks are as long as they like; the whole is in the message, what we keep is cut.
    Ok(Counterparty { name: Text::clip(name), account, bank: to_bank(bank)? })
}

/// The rail's texts have no bar, because it parts the fields of a signature.
pub(crate) fn rail_text(text: &str) -> String {
    text.replace('|', "/")
}
