//! The control requests: what a demo, a test or the simulator may ask of the outside world.
//!
//! These types are the wire form (JSON bodies) and the form in the input log. Amounts are decimal texts.

use serde::{Deserialize, Serialize};

use crate::config::Rail;

/// A control request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// A customer of another bank pays one of ours.
    SendCredit(SendCredit),
    /// Make a fault.
    Fault(Fault),
    /// Forget all faults that have not struck yet; systems that are down come up.
    ClearFaults,
    /// Send a confirmed payment of ours back.
    Return(ReturnPayment),
    /// End the business day of one system, or of both.
    EndOfDay(Which),
    /// Close the open netting round, if it has payments.
    EndRound,
    /// Hold a system in a state against its table, or let the table rule again.
    Hours(SetHours),
    /// Broadcast business date and state of both systems again.
    Announce,
    /// Move the world's clock forward.
    Advance(Advance),
}

/// Which system; none for both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Which {
    /// The system.
    #[serde(alias = "rail")]
    pub system: Option<Rail>,
}

/// A credit to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendCredit {
    /// Account of the payee at our bank.
    pub to_account: String,
    /// Name of the payee.
    pub to_name: String,
    /// Decimal text with at most two decimals, such as `1234.56`.
    pub amount: String,
    /// Account of the payer at another bank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_account: Option<String>,
    /// The payer's bank; its first customer pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_bank: Option<String>,
    /// `instant` (default) or `high_value`.
    #[serde(default, alias = "system", skip_serializing_if = "Option::is_none")]
    pub rail: Option<Rail>,
    /// What the payment is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// A message id to use (again), to force a duplicate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// `CNY`, the only currency of these systems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
}

/// Where a rejection shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectAt {
    /// In the answer (102).
    #[default]
    Answer,
    /// At once, as a negative acknowledgement (900).
    Acknowledgement,
}

/// A fault. `count` says how many times it strikes; 1 where left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The next frames of our bank are stored, but their acknowledgement is lost.
    LostAck {
        /// How many.
        #[serde(default = "once")]
        count: u32,
    },
    /// The next payments of our bank are answered late.
    LateAnswer {
        /// How late, in milliseconds.
        ms: u64,
        /// How many.
        #[serde(default = "once")]
        count: u32,
    },
    /// The next payments of our bank are never answered.
    NoAnswer {
        /// How many.
        #[serde(default = "once")]
        count: u32,
    },
    /// The next payments of our bank stay unanswered, can be cancelled, and are confirmed all the same.
    AnswerAfterCancel {
        /// From the cancellation to the confirmation, in milliseconds.
        #[serde(default)]
        ms: u64,
        /// How many.
        #[serde(default = "once")]
        count: u32,
    },
    /// The next payments of our bank are rejected.
    Reject {
        /// A reject code, `RJ01` to `RJ99`.
        code: String,
        /// How many.
        #[serde(default = "once")]
        count: u32,
        /// In the answer, or at once.
        #[serde(default)]
        at: RejectAt,
    },
    /// The next frames to our bank are delivered twice.
    Duplicate {
        /// How many.
        #[serde(default = "once")]
        count: u32,
    },
    /// A system, or both, cannot be reached and delivers nothing.
    CentreDown {
        /// Which; none for both.
        #[serde(default, alias = "rail")]
        system: Option<Rail>,
    },
    /// A system, or both, can be reached again.
    CentreUp {
        /// Which; none for both.
        #[serde(default, alias = "rail")]
        system: Option<Rail>,
    },
    /// The next totals at the end of the day are too high.
    WrongTotal {
        /// By how much; `1.00` where left out.
        #[serde(default = "one_yuan")]
        amount: String,
        /// Of which system; `instant` where left out.
        #[serde(default = "instant", alias = "rail")]
        system: Rail,
    },
    /// The next settlement notice tells another net than the round has.
    WrongNet {
        /// Higher by how much; `1.00` where left out.
        #[serde(default = "one_yuan")]
        amount: String,
    },
    /// A frame whose body breaks its schema.
    BadSchema,
    /// A frame with a byte-order mark.
    Bom,
    /// A frame above the size limit.
    Oversized,
    /// A frame that ends within its header.
    Truncated,
    /// A frame with a signature of another text.
    BadSignature,
    /// A credit that was sent before, under the same id with another amount.
    DuplicateOtherBody {
        /// Which; the latest where left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_id: Option<String>,
    },
}

fn once() -> u32 {
    1
}

fn one_yuan() -> String {
    "1.00".to_owned()
}

fn instant() -> Rail {
    Rail::Instant
}

/// A confirmed payment of ours to send back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnPayment {
    /// Message id of our payment.
    pub message_id: String,
    /// Reason; `RJ93` where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// A state to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldState {
    /// Takes payments.
    Open,
    /// In the clearing window: takes none.
    Clearing,
    /// Takes none.
    Closed,
    /// As the table says.
    Table,
}

/// Hold a system in a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetHours {
    /// Which system.
    #[serde(alias = "rail")]
    pub system: Rail,
    /// In which state.
    pub state: HeldState,
}

/// Move the clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advance {
    /// By how much, in milliseconds.
    pub ms: u64,
}

/// What a control request did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ControlAnswer {
    /// The message sent, where one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// What was done, for people.
    pub done: String,
}

/// Why a control request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The request says something impossible.
    #[error("{field}: {problem}")]
    BadInput {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The request is fine, but the world is not in the state for it.
    #[error("{0}")]
    NotNow(String),
}
