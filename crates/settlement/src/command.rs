//! What can be asked of settlement.

use minicbor::{Decode, Encode};
use money::{Amount, Date, PaymentId, Text};

use crate::RoundKey;

/// Name of a rail.
pub type RailName = Text<16>;

/// How many payments in one direction, and their sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Flow {
    /// How many.
    #[n(0)]
    pub count: u64,
    /// Their sum.
    #[n(1)]
    pub sum: Amount,
}

/// What a round leaves: the only signed money here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum NetPosition {
    /// We owe the rail.
    #[n(0)]
    ToPay(#[n(0)] Amount),
    /// The rail owes us, or nothing is left.
    #[n(1)]
    ToReceive(#[n(0)] Amount),
}

impl NetPosition {
    /// Received less sent.
    #[must_use]
    pub fn of(sent: Amount, received: Amount) -> Self {
        match received.minus(sent) {
            Ok(net) => Self::ToReceive(net),
            Err(_) => Self::ToPay(sent.minus(received).unwrap_or(Amount::zero(sent.asset()))),
        }
    }
}

/// One line of the totals at the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct TotalRow {
    /// The round; 0 for payments settled gross.
    #[n(0)]
    pub round: u32,
    /// What we sent.
    #[n(1)]
    pub sent: Flow,
    /// What we received.
    #[n(2)]
    pub received: Flow,
}

/// One of several messages that together say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Page {
    /// Its number, from 1.
    #[n(0)]
    pub number: u32,
    /// How many there are.
    #[n(1)]
    pub of: u32,
}

impl Page {
    /// The only one.
    pub const ONLY: Self = Self { number: 1, of: 1 };
}

/// What a centre tells about settlement.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Notice {
    /// A round is closed with these sums.
    #[n(0)]
    Netting {
        /// Which round.
        #[n(0)]
        key: RoundKey,
        /// What we sent.
        #[n(1)]
        sent: Flow,
        /// What we received.
        #[n(2)]
        received: Flow,
    },
    /// A round's net was paid at the central bank.
    #[n(1)]
    Settled {
        /// Which round.
        #[n(0)]
        key: RoundKey,
        /// The net.
        #[n(1)]
        net: NetPosition,
    },
    /// The day is over, with these totals.
    #[n(2)]
    Totals {
        /// Which rail.
        #[n(0)]
        rail: RailName,
        /// Which business date.
        #[n(1)]
        date: Date,
        /// A line for each round.
        #[n(2)]
        rows: Vec<TotalRow>,
        /// Which of the messages that tell the day this is.
        #[n(3)]
        page: Page,
    },
}

/// What a case is about.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum CaseKind {
    /// A deposit that matches no account or name.
    #[n(0)]
    UnmatchedDeposit(#[n(0)] PaymentId),
    /// A payment without any answer.
    #[n(1)]
    NoAnswer(#[n(0)] PaymentId),
    /// Confirmed by the rail after the money was given back.
    #[n(2)]
    AnswerConflict(#[n(0)] PaymentId),
    /// A credit had to be taken back and the money was gone.
    #[n(3)]
    TakenBackShort(#[n(0)] PaymentId),
    /// A round settled at another net than we counted.
    #[n(4)]
    RoundBreak(#[n(0)] RoundKey),
    /// The totals of the day differ from our count.
    #[n(5)]
    TotalsBreak(#[n(0)] RoundKey),
}

/// A case to open.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NewCase {
    /// What it is about.
    #[n(0)]
    pub kind: CaseKind,
    /// How much is at stake.
    #[n(1)]
    pub amount: Amount,
}

/// A command to settlement.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Command {
    /// A centre says something.
    #[n(0)]
    Notice(#[n(0)] Notice),
    /// Close a case. Operators only (the bank checks).
    #[n(1)]
    ResolveCase {
        /// Which.
        #[n(0)]
        case: money::CaseId,
        /// What was done.
        #[n(1)]
        resolution: Text<280>,
    },
}
