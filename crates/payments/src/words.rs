//! The words of a payment: account and clearing numbers, parties, message ids.

use std::fmt;

use minicbor::{Decode, Encode};
use money::Text;
use thiserror::Error;

/// Name of a party, as it travels in a message.
pub type PartyName = Text<64>;
/// Free words of the payer (ISO 20022 unstructured remittance information is 140 characters).
pub type Note = Text<140>;

/// Why a text is not such a word.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WordError {
    /// Not an account number.
    #[error("an account number is 6 to 34 letters and digits")]
    Account,
    /// Not a clearing number.
    #[error("a clearing number is 12 digits")]
    Bank,
    /// Not a message id.
    #[error("a message id is 1 to 35 letters, digits or dashes")]
    Message,
}

macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $max:literal, $error:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] Text<$max>);

        impl $name {
            /// The word in this text.
            ///
            /// # Errors
            /// The text has another form.
            pub fn new(text: &str) -> Result<Self, WordError> {
                let check: fn(&str) -> bool = $check;
                match Text::new(text) {
                    Ok(clean) if clean.as_str() == text && check(text) => Ok(Self(clean)),
                    Ok(_) | Err(_) => Err(WordError::$error),
                }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

word!(
    /// An account number: 6 to 34 letters and digits (34 as in ISO 13616).
    AccountNumber,
    34,
    Account,
    |text| (6..=34).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
);
word!(
    /// A bank's clearing number: 12 digits.
    BankNumber,
    12,
    Bank,
    |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
);
word!(
    /// Id of a message on a rail; with its sender it is unique.
    MessageId,
    35,
    Message,
    |text| (1..=35).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
);

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Counterparty {
    /// Name of the account's holder.
    #[n(0)]
    pub name: PartyName,
    /// Account number.
    #[n(1)]
    pub account: AccountNumber,
    /// Clearing number of the bank.
    #[n(2)]
    pub bank: BankNumber,
}

/// Whether two names are the same name: letters compared without case, spaces, dots and dashes passed over.
#[must_use]
pub(crate) fn same_name(left: &str, right: &str) -> bool {
    let plain = |name: &str| -> String {
        let kept = name.chars().filter(|c| c.is_alphanumeric());
        kept.flat_map(char::to_lowercase).collect()
    };
    let left = plain(left);
    !left.is_empty() && left == plain(right)
}
