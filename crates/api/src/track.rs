//! A payment as a screen shows it: its state in a word, its track of steps, why it failed.

use std::collections::BTreeMap;

use bank::Bank;
use money::{IdText, MovementId, Text, Timestamp};
use payments::{DepositOf, Kind, Payment, PaymentState, Rail, Settlement};
use projections::{StepKind, StepRow};
use settlement::RoundKey;

use crate::app::App;
use crate::parse::wire_rail;
use crate::wire::{self, StepName, instant};

/// Characters of an id that are quoted: fifty bits, told over a telephone in a breath.
const REFERENCE_CHARS: usize = 10;

/// What the read models know of a payment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Past {
    pub(crate) steps: Vec<StepRow>,
    pub(crate) movements: Vec<MovementId>,
}

/// Whether the banks are even about a confirmed payment.
pub(crate) fn is_settled(bank: &Bank, rail: Rail, settlement: Settlement) -> bool {
    match settlement {
        Settlement::Gross { .. } => true,
        Settlement::Netted { date, round } => {
            let key = RoundKey { rail: Text::clip(rail.name()), date, round };
            bank.settlement().round(&key).is_some_and(|round| round.settled.is_some())
        }
    }
}

/// Where a payment stands, in a word.
pub(crate) fn state(bank: &Bank, payment: &Payment) -> wire::PaymentState {
    let settled = |settlement: Settlement| {
        if is_settled(bank, payment.rail, settlement) {
            wire::PaymentState::Settled
        } else {
            wire::PaymentState::Confirmed
        }
    };
    match &payment.state {
        PaymentState::Waiting { .. } => wire::PaymentState::Waiting,
        PaymentState::Sending { .. } => wire::PaymentState::Sending,
        PaymentState::Sent { .. } => wire::PaymentState::Sent,
        PaymentState::Confirmed { settlement, .. } => settled(*settlement),
        PaymentState::Done => wire::PaymentState::Settled,
        PaymentState::Cancelled { .. } => wire::PaymentState::Cancelled,
        PaymentState::Rejected { .. } => wire::PaymentState::Rejected,
        PaymentState::Returned { .. } => wire::PaymentState::Returned,
        PaymentState::Credited { to: DepositOf::Account(_), settlement } => {
            settlement.map_or(wire::PaymentState::Confirmed, settled)
        }
        // No answer in time, money of nobody, money on its way back: somebody is looking.
        PaymentState::Cancelling { .. }
        | PaymentState::Credited { to: DepositOf::Suspense, .. }
        | PaymentState::Returning { .. } => wire::PaymentState::InReview,
    }
}

fn reason(payment: &Payment) -> Option<wire::PaymentReason> {
    let code = match &payment.state {
        PaymentState::Cancelled { code: None } => "cancelled_by_customer",
        PaymentState::Cancelled { code: Some(code) }
        | PaymentState::Rejected { code }
        | PaymentState::Returned { code } => code.as_str(),
        PaymentState::Waiting { .. }
        | PaymentState::Sending { .. }
        | PaymentState::Sent { .. }
        | PaymentState::Cancelling { .. }
        | PaymentState::Confirmed { .. }
        | PaymentState::Done
        | PaymentState::Credited { .. }
        | PaymentState::Returning { .. } => return None,
    };
    Some(wire::PaymentReason { code: code.to_owned(), params: BTreeMap::new() })
}

/// The track under construction.
struct Track<'p> {
    past: &'p Past,
    steps: Vec<wire::PaymentStep>,
}

impl Track<'_> {
    /// When the payment first came to a step.
    fn at(&self, kind: StepKind) -> Option<Timestamp> {
        self.past.steps.iter().find(|row| row.step == kind).map(|row| row.at)
    }

    fn has(&self, kind: StepKind) -> bool {
        self.past.steps.iter().any(|row| row.step == kind)
    }

    fn push(&mut self, step: StepName, at: Option<Timestamp>, done: bool) {
        self.steps.push(wire::PaymentStep {
            step,
            at: at.filter(|_| done).map(instant),
            done,
            failed: false,
        });
    }

    fn fail(&mut self, step: StepName, at: Option<Timestamp>) {
        self.steps.push(wire::PaymentStep { step, at: at.map(instant), done: false, failed: true });
    }
}

fn steps(bank: &Bank, payment: &Payment, past: &Past) -> Vec<wire::PaymentStep> {
    let mut track = Track { past, steps: Vec::new() };
    let created = Some(payment.created_at);
    track.push(StepName::Requested, created, true);
    track.push(StepName::Checked, created, true);
    let settled = state(bank, payment) == wire::PaymentState::Settled;
    match payment.kind {
        Kind::Transfer => track.push(StepName::Settled, created, settled),
        Kind::Deposit => {
            let credited = track.at(StepKind::Credited).or(created);
            let done = matches!(payment.state, PaymentState::Credited { to: DepositOf::Account(_), .. });
            track.push(StepName::Confirmed, credited, done);
            let at = track.at(StepKind::Settled).or(credited);
            track.push(StepName::Settled, at, settled);
        }
        Kind::Withdrawal => way_out(&mut track, payment, settled),
    }
    track.steps
}

fn way_out(track: &mut Track<'_>, payment: &Payment, settled: bool) {
    use PaymentState as S;
    let state = &payment.state;
    let waits = matches!(state, S::Waiting { .. });
    let undone = matches!(state, S::Cancelled { code: None });
    if (waits || track.has(StepKind::Waiting)) && !undone {
        track.push(StepName::Waiting, track.at(StepKind::Sending), !waits);
    }
    let confirmed = matches!(state, S::Confirmed { .. } | S::Returned { .. });
    let ended = matches!(state, S::Cancelled { .. } | S::Rejected { .. });
    let sent =
        confirmed || matches!(state, S::Sent { .. } | S::Cancelling { .. }) || track.has(StepKind::Sent);
    // An answer may overtake the acknowledgement.
    let sent_at = track.at(StepKind::Sent).or(track.at(StepKind::Confirmed));
    if sent || !ended {
        track.push(StepName::Sent, sent_at, sent);
    }
    if confirmed || !ended {
        track.push(StepName::Confirmed, track.at(StepKind::Confirmed), confirmed);
    }
    match state {
        S::Cancelled { code: None } => track.push(StepName::Cancelled, track.at(StepKind::Cancelled), true),
        S::Cancelled { code: Some(_) } => track.fail(StepName::Cancelled, track.at(StepKind::Cancelled)),
        S::Rejected { .. } => track.fail(StepName::Rejected, track.at(StepKind::Rejected)),
        S::Returned { .. } => track.fail(StepName::Returned, track.at(StepKind::Returned)),
        S::Confirmed { settlement: Settlement::Gross { .. }, .. } => {
            track.push(StepName::Settled, track.at(StepKind::Confirmed), settled);
        }
        S::Waiting { .. }
        | S::Sending { .. }
        | S::Sent { .. }
        | S::Cancelling { .. }
        | S::Confirmed { .. }
        | S::Done
        | S::Credited { .. }
        | S::Returning { .. } => track.push(StepName::Settled, track.at(StepKind::Settled), settled),
    }
}

/// A short form of a payment's id, to be quoted.
fn reference(payment: &Payment) -> String {
    let text = IdText::encode(payment.id.value());
    let tail = text.get(text.len().saturating_sub(REFERENCE_CHARS)..).unwrap_or(&text);
    let (head, rest) = tail.split_at_checked(REFERENCE_CHARS / 2).unwrap_or((tail, ""));
    format!("{head}-{rest}")
}

/// A payment as it travels. Without its past, steps after the second have no times.
pub(crate) fn payment(
    app: &App,
    bank: &Bank,
    payment: &Payment,
    past: &Past,
    now: Timestamp,
) -> wire::Payment {
    let until = match payment.state {
        PaymentState::Waiting { until, .. } => Some(until),
        _ => None,
    };
    wire::Payment {
        id: payment.id.to_string(),
        kind: match payment.kind {
            Kind::Transfer => wire::PaymentKind::Transfer,
            Kind::Withdrawal => wire::PaymentKind::Withdrawal,
            Kind::Deposit => wire::PaymentKind::Deposit,
        },
        state: state(bank, payment),
        amount: payment.amount.into(),
        fee: payment.fee.into(),
        counterparty: app.directory.of_payment(bank, &payment.counterparty),
        account_id: payment.account.map(|account| account.to_string()).unwrap_or_default(),
        rail: wire_rail(payment.rail),
        note: payment.note.as_str().to_owned(),
        created_at: instant(payment.created_at),
        undo_until: until.map(instant),
        can_cancel: until.is_some_and(|until| now < until),
        steps: steps(bank, payment, past),
        reason: reason(payment),
        movement_ids: past.movements.iter().map(ToString::to_string).collect(),
        reference: reference(payment),
    }
}
