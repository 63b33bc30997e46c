//! What can be asked of payments.

use std::fmt;

use minicbor::{Decode, Encode};
use money::{AccountId, Amount, Asset, CustomerId, Date, PaymentId, Text};

use crate::{
    AccountNumber, BankNumber, Books, Counterparty, Effect, Intent, MessageId, Note, Profile, Rail, RailRow,
    RailStatus,
};

/// A message on a rail: its sender and the id that the sender gave it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct MessageKey {
    /// The sending bank.
    #[n(0)]
    pub sender: BankNumber,
    /// Its id.
    #[n(1)]
    pub id: MessageId,
}

impl fmt::Display for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.sender, self.id)
    }
}

/// How confirmed money reaches our account at the central bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Settlement {
    /// With the net of a round.
    #[n(0)]
    Netted {
        /// Business date.
        #[n(0)]
        date: Date,
        /// Round of that day.
        #[n(1)]
        round: u32,
    },
    /// By itself, already done.
    #[n(1)]
    Gross {
        /// Business date.
        #[n(0)]
        date: Date,
    },
}

/// A rail's answer to a payment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Answer {
    /// The payee has it.
    #[n(0)]
    Confirmed(#[n(0)] Settlement),
    /// The payee does not get it.
    #[n(1)]
    Rejected {
        /// Reason code of the rail.
        #[n(0)]
        code: Text<8>,
    },
}

/// What a rail tells us.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum RailNotice {
    /// Another bank's customer pays one of ours.
    #[n(0)]
    Credit {
        /// The message.
        #[n(0)]
        key: MessageKey,
        /// Who pays.
        #[n(1)]
        from: Counterparty,
        /// Who is to get it.
        #[n(2)]
        to: Counterparty,
        /// How much.
        #[n(3)]
        amount: Amount,
        /// How it is settled, where that is already known (gross).
        #[n(4)]
        settlement: Option<Settlement>,
        /// Words of the payer.
        #[n(5)]
        note: Note,
    },
    /// The answer to a payment of ours.
    #[n(1)]
    Answer {
        /// Our message.
        #[n(0)]
        original: MessageId,
        /// The answer.
        #[n(1)]
        answer: Answer,
    },
    /// A credit that we answered is taken into a round (or settled).
    #[n(2)]
    Netted {
        /// The other bank's message.
        #[n(0)]
        original: MessageKey,
        /// Where.
        #[n(1)]
        settlement: Settlement,
    },
    /// The answer to our request to cancel.
    #[n(3)]
    CancelAnswer {
        /// Our payment's message.
        #[n(0)]
        original: MessageId,
        /// Whether it was cancelled.
        #[n(1)]
        cancelled: bool,
        /// Reason code of the rail where not.
        #[n(2)]
        code: Text<8>,
    },
    /// A confirmed payment of ours comes back.
    #[n(4)]
    Return {
        /// The message.
        #[n(0)]
        key: MessageKey,
        /// Our payment's message.
        #[n(1)]
        original: MessageId,
        /// How much.
        #[n(2)]
        amount: Amount,
        /// Why.
        #[n(3)]
        code: Text<8>,
        /// How it is settled.
        #[n(4)]
        settlement: Option<Settlement>,
    },
    /// What the rail says of itself.
    #[n(5)]
    Status(#[n(0)] RailStatus),
}

/// What became of an effect.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum EffectResult {
    /// The rail has taken the message over.
    #[n(0)]
    Delivered,
    /// The rail has refused it for good.
    #[n(1)]
    Refused {
        /// Reason code of the rail.
        #[n(0)]
        code: Text<8>,
    },
}

/// A command to payments.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Command {
    /// Say who the bank is. Operators only.
    #[n(0)]
    SetProfile(#[n(0)] Profile),
    /// Open the bank's own accounts in an asset. Operators only.
    #[n(1)]
    OpenBooks(#[n(0)] Books),
    /// Add a dated row to the table of rails. Operators only.
    #[n(2)]
    SetRail(#[n(0)] RailRow),
    /// Open an account for a customer.
    #[n(3)]
    OpenAccount {
        /// Whose.
        #[n(0)]
        customer: CustomerId,
        /// Its ledger id.
        #[n(1)]
        account: AccountId,
        /// Its number.
        #[n(2)]
        number: AccountNumber,
        /// Its asset.
        #[n(3)]
        asset: Asset,
    },
    /// Pay.
    #[n(4)]
    Request(#[n(0)] Intent),
    /// Undo a payment that still waits.
    #[n(5)]
    Cancel {
        /// Which.
        #[n(0)]
        payment: PaymentId,
    },
    /// A rail says something.
    #[n(6)]
    Notice {
        /// Which rail.
        #[n(0)]
        rail: Rail,
        /// What.
        #[n(1)]
        notice: RailNotice,
    },
    /// An effect was done or refused.
    #[n(7)]
    EffectReported {
        /// The effect.
        #[n(0)]
        effect: Effect,
        /// The result.
        #[n(1)]
        result: EffectResult,
    },
    /// Send a deposit in suspense back. Operators only.
    #[n(8)]
    ReturnDeposit {
        /// Which.
        #[n(0)]
        payment: PaymentId,
        /// Why, as a code of the rail.
        #[n(1)]
        code: Text<8>,
    },
    /// Credit a deposit in suspense to an account. Operators only.
    #[n(9)]
    CreditDeposit {
        /// Which.
        #[n(0)]
        payment: PaymentId,
        /// To whom.
        #[n(1)]
        account: AccountId,
    },
    /// Say how a payment ended that got neither an answer nor an answer to its cancellation, as the other side told by other means.
    /// Operators only.
    #[n(10)]
    Conclude {
        /// Which.
        #[n(0)]
        payment: PaymentId,
        /// How.
        #[n(1)]
        answer: Answer,
    },
}
