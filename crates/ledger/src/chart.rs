//! The chart of accounts: which kinds there are and which way each is counted.

use minicbor::{Decode, Encode};

/// The side of a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Side {
    /// Debit: increases assets and expenses.
    #[n(0)]
    Debit,
    /// Credit: increases liabilities, income and capital.
    #[n(1)]
    Credit,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Debit => Self::Credit,
            Self::Credit => Self::Debit,
        }
    }
}

/// The kind of an account, which fixes its normal side and whether it may go below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum AccountKind {
    /// What the bank owes a customer. Credit-normal, never below zero.
    #[n(0)]
    Customer,
    /// The bank's account with another bank. Debit-normal, never below zero.
    #[n(1)]
    Nostro,
    /// Another bank's account with us. Credit-normal, never below zero.
    #[n(2)]
    Vostro,
    /// Money whose owner is not yet clear. Credit-normal; below zero it is a claim against whoever caused it.
    #[n(3)]
    Suspense,
    /// Fees earned. Credit-normal.
    #[n(4)]
    Fee,
    /// Cleared but not yet settled over a rail. Debit-normal; below zero we owe the rail.
    #[n(5)]
    InTransit,
    /// Money at the central bank. Debit-normal, never below zero.
    #[n(6)]
    Reserve,
    /// The bank's own capital. Credit-normal.
    #[n(7)]
    Capital,
}

impl AccountKind {
    /// All kinds, in the order of their codes.
    pub const ALL: [Self; 8] = [
        Self::Customer,
        Self::Nostro,
        Self::Vostro,
        Self::Suspense,
        Self::Fee,
        Self::InTransit,
        Self::Reserve,
        Self::Capital,
    ];

    /// The number that stands for it in rows.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Customer => 0,
            Self::Nostro => 1,
            Self::Vostro => 2,
            Self::Suspense => 3,
            Self::Fee => 4,
            Self::InTransit => 5,
            Self::Reserve => 6,
            Self::Capital => 7,
        }
    }

    /// The kind with this number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The side that increases the balance.
    #[must_use]
    pub const fn normal_side(self) -> Side {
        match self {
            Self::Nostro | Self::InTransit | Self::Reserve => Side::Debit,
            Self::Customer | Self::Vostro | Self::Suspense | Self::Fee | Self::Capital => Side::Credit,
        }
    }

    /// Whether available funds may not go below zero.
    #[must_use]
    pub const fn is_guarded(self) -> bool {
        match self {
            Self::Customer | Self::Nostro | Self::Vostro | Self::Reserve => true,
            Self::Suspense | Self::Fee | Self::InTransit | Self::Capital => false,
        }
    }
}
