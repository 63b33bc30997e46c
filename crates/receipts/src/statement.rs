//! What the bank states about one movement, and the bytes that are hashed into the log.
//!
//! # The canonical form, version 1
//!
//! UTF-8 lines, each ended by a line feed. The first is `jinku-movement-v1`. Then, for each field in the order of [`MovementStatement`],
//! its name, a colon, a space, and its value; an empty value leaves the space. In a value a backslash is written `\\`, a line feed `\n`
//! and a carriage return `\r`; every other character stands for itself. Numbers are decimal without leading zeros.
//!
//! Two different statements therefore never have the same bytes, and a browser makes them with a few lines of code.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// First line of the canonical form.
pub const STATEMENT_HEADER: &str = "jinku-movement-v1";
/// Longest value of a field, in bytes of UTF-8 before escaping.
pub const FIELD_BYTES_MAX: usize = 1024;
/// Room for a canonical form of the usual length.
const TEXT_BYTES_USUAL: usize = 640;
/// Largest whole number in a receipt: 2⁵³ − 1, the largest that a browser's numbers hold exactly.
pub const WHOLE_NUMBER_MAX: u64 = (1 << 53) - 1;

/// Why a statement has no canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StatementError {
    /// A field that must have a value is empty.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// A field is longer than [`FIELD_BYTES_MAX`].
    #[error("{0} is too long")]
    TooLong(&'static str),
    /// Not a decimal amount such as `12.50`, without sign.
    #[error("{0} is not a decimal amount")]
    Amount(&'static str),
    /// Not a time such as `2026-03-01T08:00:00.000Z`.
    #[error("{0} is not a time in utc with milliseconds")]
    Time(&'static str),
    /// A word of other characters than small letters and underscores, or an asset of others than capitals and digits.
    #[error("{0} is not a code")]
    Code(&'static str),
    /// A number above [`WHOLE_NUMBER_MAX`].
    #[error("{0} is too large a number")]
    Number(&'static str),
}

/// Which way the money went, seen from the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Direction {
    /// Into the account.
    In,
    /// Out of the account.
    Out,
}

impl Direction {
    const fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

impl From<Direction> for &'static str {
    fn from(direction: Direction) -> Self {
        direction.as_str()
    }
}

impl TryFrom<String> for Direction {
    type Error = StatementError;

    fn try_from(text: String) -> Result<Self, StatementError> {
        match text.as_str() {
            "in" => Ok(Self::In),
            "out" => Ok(Self::Out),
            _ => Err(StatementError::Code("direction")),
        }
    }
}

/// A movement as its receipt states it. The order of the fields is the order of the canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MovementStatement {
    /// Id of the movement.
    pub movement_id: String,
    /// Id of the payment it belongs to; empty where there is none.
    pub payment_id: String,
    /// Number of the account.
    pub account_number: String,
    /// Into or out of the account.
    pub direction: Direction,
    /// Kind of movement, a word such as `transfer_out`.
    pub kind: String,
    /// Code of the asset, such as `CNY`.
    pub asset: String,
    /// Amount in decimal, without sign, such as `1234.56`.
    pub amount: String,
    /// Fee in decimal, without sign; `0.00` where there is none.
    pub fee: String,
    /// Name of the other side; may be empty.
    pub counterparty_name: String,
    /// Account of the other side; may be empty.
    pub counterparty_account: String,
    /// Bank of the other side; may be empty.
    pub counterparty_bank: String,
    /// The customer's note; may be empty.
    pub note: String,
    /// When the bank recorded it, UTC with milliseconds.
    pub recorded_at: String,
    /// When it takes effect, UTC with milliseconds.
    pub effective_at: String,
    /// Sequence number of the journal entry that made it.
    pub journal_seq: u64,
}

impl MovementStatement {
    /// The canonical form, the leaf of the log.
    ///
    /// # Errors
    /// A field without a value where one is needed, or a value of another form.
    pub fn canonical_bytes(&self) -> Result<Vec<u8>, StatementError> {
        self.check()?;
        let seq = self.journal_seq.to_string();
        let fields = self.texts().into_iter().chain([("journal_seq", seq.as_str())]);
        let mut text = String::with_capacity(TEXT_BYTES_USUAL);
        text.push_str(STATEMENT_HEADER);
        text.push('\n');
        for (name, value) in fields {
            text.push_str(name);
            text.push_str(": ");
            // Nearly no value has a character to escape.
            let mut rest = value;
            while let Some(at) = rest.find(['\\', '\n', '\r']) {
                let (plain, special) = rest.split_at(at);
                text.push_str(plain);
                let mut after = special.chars();
                text.push_str(match after.next() {
                    Some('\n') => "\\n",
                    Some('\r') => "\\r",
                    _ => "\\\\",
                });
                rest = after.as_str();
            }
            text.push_str(rest);
            text.push('\n');
        }
        Ok(text.into_bytes())
    }

    /// All fields that are texts, in order.
    const fn texts(&self) -> [(&'static str, &str); 14] {
        [
            ("movement_id", self.movement_id.as_str()),
            ("payment_id", self.payment_id.as_str()),
            ("account_number", self.account_number.as_str()),
            ("direction", self.direction.as_str()),
            ("kind", self.kind.as_str()),
            ("asset", self.asset.as_str()),
            ("amount", self.amount.as_str()),
            ("fee", self.fee.as_str()),
            ("counterparty_name", self.counterparty_name.as_str()),
            ("counterparty_account", self.counterparty_account.as_str()),
            ("counterparty_bank", self.counterparty_bank.as_str()),
            ("note", self.note.as_str()),
            ("recorded_at", self.recorded_at.as_str()),
            ("effective_at", self.effective_at.as_str()),
        ]
    }

    fn check(&self) -> Result<(), StatementError> {
        for (name, value) in self.texts() {
            if value.len() > FIELD_BYTES_MAX {
                return Err(StatementError::TooLong(name));
            }
            let form = match name {
                "movement_id" | "account_number" if value.is_empty() => Err(StatementError::Empty(name)),
                "kind" if !is_word(value) => Err(StatementError::Code(name)),
                "asset" if !is_asset(value) => Err(StatementError::Code(name)),
                "amount" | "fee" if !is_amount(value) => Err(StatementError::Amount(name)),
                "recorded_at" | "effective_at" if !is_time(value) => Err(StatementError::Time(name)),
                _ => Ok(()),
            };
            form?;
        }
        if self.journal_seq > WHOLE_NUMBER_MAX {
            return Err(StatementError::Number("journal_seq"));
        }
        Ok(())
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn is_asset(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Digits without leading zeros, and perhaps a point and digits.
fn is_amount(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}

/// The shape of RFC 3339 in UTC with milliseconds. It is a shape only: the calendar is the writer's business.
fn is_time(text: &str) -> bool {
    let shape = b"0000-00-00T00:00:00.000Z";
    text.len() == shape.len()
        && text.bytes().zip(shape).all(|(byte, like)| match like {
            b'0' => byte.is_ascii_digit(),
            mark => byte == *mark,
        })
}
