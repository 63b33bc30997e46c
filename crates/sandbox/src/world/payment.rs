//! Payments and returns as the centre knows them.

use cnaps::{
    BankNumber, Credit, DetailLine, MessageId, MessageType, Money, OriginalRef, RejectCode, Side, Status,
};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::config::Rail;

/// Which way money goes, seen from our bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From our bank to another.
    Out,
    /// From another bank to ours.
    In,
}

impl Way {
    pub(crate) fn side(self) -> Side {
        match self {
            Self::Out => Side::Debit,
            Self::In => Side::Credit,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::In => "in",
        }
    }
}

/// What the payee's bank says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Confirm,
    Reject(RejectCode),
}

/// When the payee's bank says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// At a planned time.
    Answer(Verdict),
    /// Never.
    Silence,
    /// This long after a cancellation, against it.
    AfterCancel { ms: u64 },
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Sent on to another bank; its answer is planned.
    Forwarded { accepted_on: Date, plan: Plan },
    /// Sent on to our bank, which has not answered.
    AwaitingBank { accepted_on: Date },
    /// Confirmed, in a round.
    Netted { date: Date, round: u32 },
    /// Settled by itself.
    Settled { date: Date },
    /// Refused.
    Rejected { date: Date, code: RejectCode },
    /// Cancelled, or taken back because our bank did not answer in time.
    Cancelled { date: Date },
    /// Cancelled, but a confirmation is still to come: a fault on demand.
    CancelledInVain { date: Date },
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Forwarded { .. } => "forwarded",
            Self::AwaitingBank { .. } => "awaiting_bank",
            Self::Netted { .. } => "confirmed",
            Self::Settled { .. } => "settled",
            Self::Rejected { .. } => "rejected",
            Self::Cancelled { .. } | Self::CancelledInVain { .. } => "cancelled",
        }
    }

    /// Business date on which the payment came or was decided.
    pub(crate) fn date(self) -> Date {
        match self {
            Self::Forwarded { accepted_on: date, .. }
            | Self::AwaitingBank { accepted_on: date }
            | Self::Netted { date, .. }
            | Self::Settled { date }
            | Self::Rejected { date, .. }
            | Self::Cancelled { date }
            | Self::CancelledInVain { date } => date,
        }
    }

    /// The payee has the money.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Netted { .. } | Self::Settled { .. })
    }
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payment {
    pub(crate) rail: Rail,
    pub(crate) way: Way,
    pub(crate) credit: Credit,
    pub(crate) state: State,
    /// The message that sent it back.
    pub(crate) returned_by: Option<MessageId>,
    /// The frame our bank gets; empty for a payment of ours.
    pub(crate) frame: Vec<u8>,
}

impl Payment {
    /// The bank at the other end, seen from ours.
    pub(crate) fn other_bank(&self) -> &BankNumber {
        match self.way {
            Way::Out => &self.credit.creditor_bank,
            Way::In => &self.credit.debtor_bank,
        }
    }

    pub(crate) fn original(&self) -> OriginalRef {
        OriginalRef { message_id: self.credit.message_id.clone(), message_type: credit_type(self.rail) }
    }

    /// Its line in the details; `round_status` is the state of the payment's round, where it is in one.
    pub(crate) fn detail(&self, round_status: impl Fn(Date, u32) -> Status) -> DetailLine {
        let (status, round) = match self.state {
            State::Forwarded { .. } | State::AwaitingBank { .. } => (Status::Forwarded, 0),
            State::Netted { date, round } => (round_status(date, round), round),
            State::Settled { .. } => (Status::Settled, 0),
            State::Rejected { .. } => (Status::Rejected, 0),
            State::Cancelled { .. } | State::CancelledInVain { .. } => (Status::Cancelled, 0),
        };
        let (side, amount) = (self.way.side(), self.credit.amount.clone());
        DetailLine { original: self.original(), status, side, round, amount }
    }
}

/// A return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReturnRecord {
    pub(crate) rail: Rail,
    /// Which way the returned money goes.
    pub(crate) way: Way,
    pub(crate) original: MessageId,
    pub(crate) amount: Money,
    pub(crate) code: RejectCode,
    pub(crate) date: Date,
    /// 0 where it settled by itself.
    pub(crate) round: u32,
    pub(crate) created_at: Timestamp,
}

impl ReturnRecord {
    pub(crate) fn detail(&self, id: &MessageId, round_status: impl Fn(Date, u32) -> Status) -> DetailLine {
        let status = if self.round == 0 { Status::Settled } else { round_status(self.date, self.round) };
        DetailLine {
            original: OriginalRef { message_id: id.clone(), message_type: return_type(self.rail) },
            status,
            side: self.way.side(),
            round: self.round,
            amount: self.amount.clone(),
        }
    }
}

pub(crate) fn credit_type(rail: Rail) -> MessageType {
    match rail {
        Rail::Instant => MessageType::Ibps101,
        Rail::HighValue => MessageType::Hvps111,
    }
}

pub(crate) fn answer_type(rail: Rail) -> MessageType {
    match rail {
        Rail::Instant => MessageType::Ibps102,
        Rail::HighValue => MessageType::Hvps102,
    }
}

pub(crate) fn return_type(rail: Rail) -> MessageType {
    match rail {
        Rail::Instant => MessageType::Ibps112,
        Rail::HighValue => MessageType::Hvps112,
    }
}
