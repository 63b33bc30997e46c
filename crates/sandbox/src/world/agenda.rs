//! What the world has planned, in the order of time.

use std::collections::BTreeSet;

use cnaps::MessageId;
use jiff::Timestamp;
use jiff::civil::Date;

/// A planned thing. Whether it still applies is checked when its time comes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// Another bank answers a payment of ours.
    Answer(MessageId),
    /// Another bank confirms a payment that was cancelled.
    LateConfirmation(MessageId),
    /// Our bank has not answered a credit in time.
    AnswerTimeout(MessageId),
    /// Another bank's customer sends a payment of ours back.
    Return(MessageId),
    /// A netting round ends.
    CloseRound {
        /// Business date.
        date: Date,
        /// Round of the day.
        number: u32,
    },
    /// The net of a round is settled.
    Settle {
        /// Business date.
        date: Date,
        /// Round of the day.
        number: u32,
    },
}

/// Planned things by time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Agenda(BTreeSet<(Timestamp, Due)>);

impl Agenda {
    pub(crate) fn plan(&mut self, at: Timestamp, due: Due) {
        self.0.insert((at, due));
    }

    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.0.first().map(|(at, _)| *at)
    }

    /// Takes the earliest thing that is due.
    pub(crate) fn pop(&mut self, now: Timestamp) -> Option<Due> {
        if self.next()? > now {
            return None;
        }
        self.0.pop_first().map(|(_, due)| due)
    }
}
