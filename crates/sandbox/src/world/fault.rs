//! Faults that wait for their occasion.

use std::collections::{BTreeMap, VecDeque};

use cnaps::RejectCode;

use crate::config::Rail;
use crate::control::RejectAt;

/// Most times a fault may be asked for at once: more is a typing mistake.
pub(crate) const COUNT_MAX: u32 = 1_000;

/// What happens to the next payment of our bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PaymentFault {
    Late { ms: u64 },
    Silence,
    AfterCancel { ms: u64 },
    Reject { code: RejectCode, at: RejectAt },
}

impl PaymentFault {
    fn text(self) -> String {
        match self {
            Self::Late { ms } => format!("late_answer {ms} ms"),
            Self::Silence => "no_answer".to_owned(),
            Self::AfterCancel { ms } => format!("answer_after_cancel {ms} ms"),
            Self::Reject { code, .. } => format!("reject {}", code.code()),
        }
    }
}

/// All faults that have not struck.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// Acknowledgements to lose.
    pub(crate) lost_acks: u32,
    /// Frames to deliver twice.
    pub(crate) duplicates: u32,
    /// One for each of the next payments.
    pub(crate) payments: VecDeque<PaymentFault>,
    /// By how much the next totals are wrong, in hundredths.
    pub(crate) wrong_totals: BTreeMap<Rail, u128>,
    /// By how much the next settled net is wrong, in hundredths.
    pub(crate) wrong_net: Option<u128>,
}

impl Faults {
    /// Uses one occasion of a counted fault.
    pub(crate) fn strike(count: &mut u32) -> bool {
        let strikes = *count > 0;
        *count = count.saturating_sub(1);
        strikes
    }

    /// What waits, for people.
    pub(crate) fn texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        if self.lost_acks > 0 {
            texts.push(format!("lost_ack {}", self.lost_acks));
        }
        if self.duplicates > 0 {
            texts.push(format!("duplicate {}", self.duplicates));
        }
        texts.extend(self.payments.iter().map(|fault| fault.text()));
        texts.extend(
            self.wrong_totals.iter().map(|(rail, minor)| format!("wrong_total {} {minor}", rail.name())),
        );
        texts.extend(self.wrong_net.map(|minor| format!("wrong_net {minor}")));
        texts
    }
}
