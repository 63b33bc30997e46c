//! What the world shows of itself: the JSON of `GET /control/state` and `GET /control/customers`.

use cnaps::Money;
use serde_json::{Value, json};

use super::World;
use super::payment::{Payment, State};
use crate::config::{AccountState, Behaviour, OtherBank, Rail};

/// Newest payments, returns and rounds shown; the rest is in the counts.
const SHOWN_MAX: usize = 100;

impl World {
    /// Systems, payments, rounds, queue and faults, for people and tests.
    #[must_use]
    pub fn report(&self) -> Value {
        json!({
            "notice": "a sandbox of its own making, not connected to any clearing system",
            "world_time": self.started.then(|| self.last.to_string()),
            "ahead_ms": self.ahead_ms,
            "centre": self.config.centre.as_str(),
            "centre_public_key": hex::encode(self.centre_public_key()),
            "bank": self.config.bank.as_str(),
            "systems": { "instant": self.system(Rail::Instant), "high_value": self.system(Rail::HighValue) },
            "counts": self.count_by_state(),
            "payments": self.shown_payments(),
            "returns": self.shown_returns(),
            "rounds": self.shown_rounds(),
            "net_debit": signed(self.net_debit_minor()),
            "queue": self.shown_queue(),
            "delivered": self.outbox.delivered,
            "refused": self.shown_refused(),
            "faults": self.faults.texts(),
            "defects": self.defects,
        })
    }

    /// The other banks and their customers.
    #[must_use]
    pub fn customers(&self) -> Value {
        let banks: Vec<Value> = self.config.other_banks.iter().map(shown_bank).collect();
        json!({ "banks": banks })
    }

    fn system(&self, rail: Rail) -> Value {
        let centre = self.centre(rail);
        json!({
            "state": centre.state.code(),
            "held": centre.held.map(cnaps::CentreState::code),
            "down": centre.is_down,
            "business_date": centre.business_date.to_string(),
            "open_round": (rail == Rail::Instant).then(|| self.rounds.number()),
            "open_round_payments": (rail == Rail::Instant).then_some(self.rounds.open.len()),
        })
    }

    fn shown_payments(&self) -> Vec<Value> {
        let mut newest: Vec<&Payment> = self.payments.values().collect();
        newest.sort_by_key(|payment| (payment.credit.created_at, payment.credit.message_id.clone()));
        newest.into_iter().rev().take(SHOWN_MAX).map(|payment| self.shown_payment(payment)).collect()
    }

    fn shown_payment(&self, payment: &Payment) -> Value {
        let credit = &payment.credit;
        let (round, code) = match payment.state {
            State::Netted { round, .. } => (Some(round), None),
            State::Rejected { code, .. } => (None, Some(code.code())),
            State::Forwarded { .. }
            | State::AwaitingBank { .. }
            | State::Settled { .. }
            | State::Cancelled { .. }
            | State::CancelledInVain { .. } => (None, None),
        };
        let status = payment.detail(|date, round| self.rounds.status(date, round)).status;
        json!({
            "message_id": credit.message_id.to_string(),
            "rail": payment.rail.name(),
            "way": payment.way.name(),
            "state": payment.state.name(),
            "status": status.code(),
            "date": payment.state.date().to_string(),
            "round": round,
            "code": code,
            "amount": credit.amount.decimal(),
            "debtor": credit.debtor_account,
            "creditor": credit.creditor_account,
            "returned_by": payment.returned_by.as_ref().map(ToString::to_string),
        })
    }

    fn shown_returns(&self) -> Vec<Value> {
        let mut newest: Vec<_> = self.returns.iter().collect();
        newest.sort_by_key(|(id, record)| (record.created_at, (*id).clone()));
        let shown = newest.into_iter().rev().take(SHOWN_MAX).map(|(id, record)| {
            json!({
                "message_id": id.to_string(),
                "original": record.original.to_string(),
                "rail": record.rail.name(),
                "way": record.way.name(),
                "amount": record.amount.decimal(),
                "code": record.code.code(),
                "date": record.date.to_string(),
                "round": record.round,
            })
        });
        shown.collect()
    }

    fn shown_rounds(&self) -> Vec<Value> {
        let shown = self.rounds.closed.iter().rev().take(SHOWN_MAX).map(|((date, number), round)| {
            let nets =
                round.nets_minor.iter().map(|(member, minor)| (member.to_string(), json!(signed(*minor))));
            json!({
                "date": date.to_string(),
                "round": number,
                "payments": round.entries,
                "nets": Value::Object(nets.collect()),
                "settled_at": round.settled_at.map(|at| at.to_string()),
            })
        });
        shown.collect()
    }

    fn shown_queue(&self) -> Value {
        let oldest = self.outbox.queue.values().take(SHOWN_MAX).map(|queued| {
            json!({
                "message_id": queued.message_id.to_string(),
                "type": queued.message_type.code(),
                "attempts": queued.attempts,
                "problem": queued.problem,
            })
        });
        json!({ "waiting": self.outbox.queue.len(), "oldest": oldest.collect::<Vec<_>>() })
    }

    fn shown_refused(&self) -> Vec<Value> {
        let shown = self.outbox.refused.iter().rev().map(|refused| {
            json!({
                "message_id": refused.message_id.to_string(),
                "type": refused.message_type.code(),
                "code": refused.code,
                "why": refused.why,
                "on_demand": refused.injected,
            })
        });
        shown.collect()
    }
}

fn signed(minor: i128) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}", Money::cny(minor.unsigned_abs()).decimal())
}

fn shown_bank(bank: &OtherBank) -> Value {
    let customers = bank.customers.iter().map(|customer| {
        let state = match customer.state {
            AccountState::Open => "open",
            AccountState::Closed => "closed",
            AccountState::Frozen => "frozen",
        };
        let behaviour = match customer.behaviour {
            Behaviour::Normal => "normal",
            Behaviour::Returns => "returns",
            Behaviour::Slow => "slow",
            Behaviour::Silent => "silent",
        };
        json!({
            "account": customer.account,
            "name_zh": customer.name_zh,
            "name_en": customer.name_en,
            "state": state,
            "behaviour": behaviour,
        })
    });
    json!({
        "number": bank.number.as_str(),
        "name_zh": bank.name_zh,
        "name_en": bank.name_en,
        "customers": customers.collect::<Vec<_>>(),
    })
}
