//! Credits of the others' customers to ours: sent, answered by our bank, timed out; and returns in both directions.

use cnaps::{Answer, BankNumber, CentreState, Credit, Message, MessageId, Money, RejectCode, Return, Status};
use jiff::Timestamp;
use jiff::civil::Date;

use super::World;
use super::agenda::Due;
use super::compose::Letter;
use super::outbound::{round_text, settled_text};
use super::payment::{Payment, ReturnRecord, State, Verdict, Way, credit_type, return_type};
use super::receive::{Refused, refused};
use super::rounds::Entry;
use crate::calendar::after;
use crate::config::Rail;

/// How a return is settled.
pub(crate) struct Settled {
    pub(crate) date: Date,
    /// 0 where by itself.
    pub(crate) round: u32,
    pub(crate) information: String,
}

impl World {
    /// Sends a credit to our bank. A high-value credit has settled by then.
    pub(crate) fn pay_in(
        &mut self,
        rail: Rail,
        credit: Credit,
        at: Timestamp,
    ) -> Result<(), cnaps::MessageError> {
        let letter = Letter {
            rail: Some(rail),
            sender: credit.debtor_bank.clone(),
            message_type: credit_type(rail),
            reference: None,
        };
        let frame = self.sealed(&letter, &Message::Credit(credit.clone()), at)?;
        let id = credit.message_id.clone();
        let today = self.centre(rail).business_date;
        let state = match rail {
            Rail::Instant => {
                let until = after(at, self.config.answer_timeout_ms);
                self.agenda.plan(until, Due::AnswerTimeout(id.clone()));
                State::AwaitingBank { accepted_on: today }
            }
            Rail::HighValue => State::Settled { date: today },
        };
        self.queue(&letter, id.clone(), frame.clone(), false);
        self.payments.insert(id, Payment { rail, way: Way::In, credit, state, returned_by: None, frame });
        Ok(())
    }

    /// Our bank's answer to a credit.
    pub(crate) fn take_answer(&mut self, rail: Rail, answer: &Answer, at: Timestamp) -> Result<(), Refused> {
        let id = &answer.original.message_id;
        let known = self.payments.get(id).filter(|payment| payment.way == Way::In && payment.rail == rail);
        let Some(payment) = known.filter(|_| rail == Rail::Instant) else {
            return refused(RejectCode::CentreCheck, "no credit waits for this answer");
        };
        let verdict = match answer.status {
            Status::Confirmed | Status::Paid => Verdict::Confirm,
            Status::Rejected => Verdict::Reject(answer.reject.unwrap_or(RejectCode::PayeeCheck)),
            Status::Forwarded
            | Status::Netted
            | Status::Settled
            | Status::Ok
            | Status::Processed
            | Status::Cancelled => {
                return refused(RejectCode::CentreSchema, "an answer is PR02, PR10 or PR09");
            }
        };
        match (payment.state, verdict) {
            (State::AwaitingBank { .. }, Verdict::Confirm) => {
                let other_bank = payment.other_bank().clone();
                let entry = Entry::new(payment.original(), Way::In, &payment.credit.amount, &other_bank);
                let (date, round) = self.join_round(entry, at);
                self.set_state(id, State::Netted { date, round });
                Ok(())
            }
            (State::AwaitingBank { .. }, Verdict::Reject(code)) => {
                let date = self.centre(rail).business_date;
                self.set_state(id, State::Rejected { date, code });
                Ok(())
            }
            // The same once more changes nothing.
            (State::Netted { .. } | State::Settled { .. }, Verdict::Confirm)
            | (
                State::Rejected { .. } | State::Cancelled { .. } | State::CancelledInVain { .. },
                Verdict::Reject(_),
            ) => Ok(()),
            (State::Cancelled { .. } | State::CancelledInVain { .. }, Verdict::Confirm) => {
                refused(RejectCode::CancelledPayment, "answered too late: the payer has the money back")
            }
            (State::Rejected { .. }, Verdict::Confirm)
            | (State::Netted { .. } | State::Settled { .. }, _) => {
                refused(RejectCode::CentreCheck, "another answer was given before")
            }
            (State::Forwarded { .. }, _) => refused(RejectCode::CentreCheck, "not a credit to this bank"),
        }
    }

    fn set_state(&mut self, id: &MessageId, state: State) {
        if let Some(payment) = self.payments.get_mut(id) {
            payment.state = state;
        }
    }

    /// Our bank did not answer in time: the payer gets the money back, and the credit is not delivered any more.
    pub(crate) fn answer_timed_out(&mut self, id: &MessageId, _at: Timestamp) {
        let Some(payment) = self.payments.get(id) else { return };
        if let State::AwaitingBank { .. } = payment.state {
            let date = self.centre(payment.rail).business_date;
            self.set_state(id, State::Cancelled { date });
            self.outbox.withdraw(id);
        }
    }

    /// Our bank refused a credit by a negative acknowledgement: it does not have it.
    pub(crate) fn credit_refused(&mut self, id: &MessageId, code: RejectCode) {
        let Some(payment) = self.payments.get(id).filter(|payment| payment.way == Way::In) else { return };
        if let State::AwaitingBank { .. } | State::Settled { .. } = payment.state {
            let date = self.centre(payment.rail).business_date;
            self.set_state(id, State::Rejected { date, code });
        }
    }

    /// Our bank sends a credit back that it cannot place.
    pub(crate) fn take_return(
        &mut self,
        rail: Rail,
        returned: &Return,
        at: Timestamp,
    ) -> Result<(), Refused> {
        let id = returned.original.message_id.clone();
        let known = self.payments.get(&id).filter(|payment| payment.way == Way::In && payment.rail == rail);
        let Some(payment) = known.filter(|payment| payment.state.is_final()) else {
            return refused(RejectCode::CentreCheck, "no settled credit has this id");
        };
        if payment.returned_by.is_some() {
            return refused(RejectCode::CentreCheck, "returned before");
        }
        if returned.amount != payment.credit.amount {
            return refused(RejectCode::CentreCheck, "the amount is not the credit's");
        }
        let other_bank = payment.other_bank().clone();
        if returned.from_bank != self.config.bank || returned.to_bank != other_bank {
            return refused(RejectCode::CentreCheck, "the banks are not the credit's");
        }
        if self.centre(rail).state != CentreState::Open {
            return refused(RejectCode::CentreClosed, RejectCode::CentreClosed.text());
        }
        let amount = returned.amount.clone();
        let settled = self.settle_return(rail, Way::Out, &returned.message_id, (&amount, &other_bank), at);
        let (date, round, code) = (settled.date, settled.round, returned.reason);
        let record =
            ReturnRecord { rail, way: Way::Out, original: id, amount, code, date, round, created_at: at };
        self.keep_return(returned.message_id.clone(), record);
        Ok(())
    }

    /// Takes a return into the open round, or settles it by itself.
    pub(crate) fn settle_return(
        &mut self,
        rail: Rail,
        way: Way,
        id: &MessageId,
        (amount, other_bank): (&Money, &BankNumber),
        at: Timestamp,
    ) -> Settled {
        match rail {
            Rail::Instant => {
                let original = cnaps::OriginalRef { message_id: id.clone(), message_type: return_type(rail) };
                let (date, round) = self.join_round(Entry::new(original, way, amount, other_bank), at);
                Settled { date, round, information: round_text(date, round) }
            }
            Rail::HighValue => {
                let date = self.centre(rail).business_date;
                Settled { date, round: 0, information: settled_text(date) }
            }
        }
    }

    pub(crate) fn keep_return(&mut self, id: MessageId, record: ReturnRecord) {
        if let Some(payment) = self.payments.get_mut(&record.original) {
            payment.returned_by = Some(id.clone());
        }
        self.returns.insert(id, record);
    }
}
