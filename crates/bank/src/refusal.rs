//! Every "no" of the bank.

use money::{CommandId, EffectId};
use thiserror::Error;

/// A domain "no". It leaves nothing behind: no journal entry, no used id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Of the ledger.
    #[error(transparent)]
    Ledger(#[from] ledger::Refusal),
    /// Every row of a batch was refused, in order of rows.
    #[error("every row was refused; the first: {}", .0.first().map_or_else(String::new, ToString::to_string))]
    Rows(Vec<ledger::Refusal>),
    /// Of identity.
    #[error(transparent)]
    Identity(#[from] identity::Refusal),
    /// Of payments.
    #[error(transparent)]
    Payments(#[from] payments::Refusal),
    /// Of settlement.
    #[error(transparent)]
    Settlement(#[from] settlement::Refusal),
    /// Of the transfers between cells.
    #[error(transparent)]
    Cells(#[from] cells::Refusal),
    /// Of the markets.
    #[error(transparent)]
    Exchange(#[from] exchange::Refusal),
    /// Nothing follows from a batch of orders: every row was refused, in order of rows, or found nothing to end.
    #[error("{}", .0.first().map_or_else(|| "nothing follows from the orders".to_owned(), |first| format!("every order was refused; the first: {first}")))]
    Orders(Vec<exchange::Refusal>),
    /// The id was used for another command.
    #[error("command {id} was used with another body")]
    IdReused {
        /// The id.
        id: CommandId,
    },
    /// A signature is not good.
    #[error("approval refused: {0}")]
    Approval(passkey::AssertionError),
    /// The effect is unknown or has ended.
    #[error("effect {id} is not outstanding")]
    EffectNotOutstanding {
        /// The effect.
        id: EffectId,
    },
    /// This sender may not give this command.
    #[error("not allowed")]
    NotAllowed,
    /// Nothing is due.
    #[error("nothing is due")]
    NothingDue,
}

impl Refusal {
    /// Whether the same command can succeed later without being changed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Ledger(refusal) => refusal.is_transient(),
            Self::Rows(refusals) => refusals.iter().any(ledger::Refusal::is_transient),
            Self::Payments(refusal) => refusal.is_transient(),
            Self::Cells(refusal) => refusal.is_transient(),
            Self::Exchange(refusal) => refusal.is_transient(),
            Self::Orders(refusals) => refusals.iter().any(exchange::Refusal::is_transient),
            Self::NothingDue => true,
            Self::Identity(_)
            | Self::Settlement(_)
            | Self::IdReused { .. }
            | Self::Approval(_)
            | Self::EffectNotOutstanding { .. }
            | Self::NotAllowed => false,
        }
    }
}
