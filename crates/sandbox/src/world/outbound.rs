//! Payments of our bank to customers of the others: checked, forwarded, answered, cancelled, returned.

use cnaps::{
    Answer, CancelAnswer, CancelRequest, CentreState, Credit, Message, MessageId, RejectCode, Return, Status,
};
use jiff::Timestamp;

use super::World;
use super::agenda::Due;
use super::compose::Letter;
use super::fault::PaymentFault;
use super::payment::{Payment, Plan, ReturnRecord, State, Verdict, Way, answer_type, return_type};
use super::receive::{Refused, refused};
use super::rounds::Entry;
use crate::calendar::after;
use crate::config::{AccountState, Behaviour, Rail};
use crate::control::RejectAt;

/// Names are compared without spaces at the ends, with single ones inside, and without case.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    plain(a) == plain(b)
}

impl World {
    /// A credit of our bank: the checks at the centre, then on to the payee's bank.
    pub(crate) fn take_credit(&mut self, rail: Rail, credit: &Credit, at: Timestamp) -> Result<(), Refused> {
        self.check_parties(credit)?;
        let id = credit.message_id.clone();
        if self.cancelled_unseen.contains(&id) {
            return refused(RejectCode::CancelledPayment, "cancelled before it came");
        }
        self.check_centre(rail, credit)?;
        let fault = self.faults.payments.pop_front();
        let (wait_ms, plan) = match fault {
            Some(PaymentFault::Reject { code, at: RejectAt::Acknowledgement }) => {
                return refused(code, code.text());
            }
            Some(PaymentFault::Reject { code, at: RejectAt::Answer }) => {
                (self.config.answer_ms, Plan::Answer(Verdict::Reject(code)))
            }
            Some(PaymentFault::Late { ms }) => (ms, Plan::Answer(self.verdict(credit))),
            Some(PaymentFault::Silence) => (0, Plan::Silence),
            Some(PaymentFault::AfterCancel { ms }) => (0, Plan::AfterCancel { ms }),
            None => self.natural_plan(credit),
        };
        if let Plan::Answer(_) = plan {
            self.agenda.plan(after(at, wait_ms), Due::Answer(id.clone()));
        }
        let accepted_on = self.centre(rail).business_date;
        self.forwarded.insert(id.clone());
        let state = State::Forwarded { accepted_on, plan };
        let payment = Payment {
            rail,
            way: Way::Out,
            credit: credit.clone(),
            state,
            returned_by: None,
            frame: Vec::new(),
        };
        self.payments.insert(id, payment);
        Ok(())
    }

    fn check_parties(&self, credit: &Credit) -> Result<(), Refused> {
        if credit.debtor_bank != self.config.bank {
            return refused(RejectCode::CentreCheck, "the payer's bank is not the sender");
        }
        if credit.amount.currency != "CNY" {
            return refused(RejectCode::CentreCheck, "these systems settle in CNY");
        }
        if credit.amount.minor_units == 0 {
            return refused(RejectCode::CentreCheck, "the amount is zero");
        }
        if self.config.other_bank(&credit.creditor_bank).is_none() {
            return refused(RejectCode::CentreCheck, "the payee's bank is no other member");
        }
        Ok(())
    }

    fn check_centre(&self, rail: Rail, credit: &Credit) -> Result<(), Refused> {
        let centre = self.centre(rail);
        if centre.state != CentreState::Open {
            return refused(RejectCode::CentreClosed, format!("the system is {}", centre.state.text()));
        }
        let amount = credit.amount.minor_units;
        let ceiling = self.config.ceiling_minor(rail, centre.business_date);
        if ceiling.is_some_and(|ceiling| amount > u128::from(ceiling)) {
            return refused(RejectCode::CentreCeiling, RejectCode::CentreCeiling.text());
        }
        let cap = self.config.net_debit_cap_minor.filter(|_| rail == Rail::Instant);
        let position = self.net_debit_minor().saturating_add(i128::try_from(amount).unwrap_or(i128::MAX));
        if cap.is_some_and(|cap| position > i128::from(cap)) {
            return refused(RejectCode::NetDebitCap, RejectCode::NetDebitCap.text());
        }
        Ok(())
    }

    /// What our bank owes the instant system before settlement, with payments still to be answered.
    pub(crate) fn net_debit_minor(&self) -> i128 {
        let waiting = self.forwarded.iter().filter_map(|id| self.payments.get(id));
        let waiting = waiting.filter(|payment| payment.rail == Rail::Instant);
        let waiting: u128 = waiting.map(|payment| payment.credit.amount.minor_units).sum();
        let waiting = i128::try_from(waiting).unwrap_or(i128::MAX);
        waiting.saturating_sub(self.rounds.unsettled_net_minor(&self.config.bank))
    }

    fn natural_plan(&self, credit: &Credit) -> (u64, Plan) {
        let verdict = Plan::Answer(self.verdict(credit));
        match self.behaviour(credit) {
            Behaviour::Normal | Behaviour::Returns => (self.config.answer_ms, verdict),
            Behaviour::Slow => (self.config.slow_ms, verdict),
            Behaviour::Silent => (0, Plan::Silence),
        }
    }

    fn behaviour(&self, credit: &Credit) -> Behaviour {
        let payee = self.config.customer(&credit.creditor_account);
        let payee = payee.filter(|(bank, _)| bank.number == credit.creditor_bank);
        payee.map_or(Behaviour::Normal, |(_, customer)| customer.behaviour)
    }

    /// The checks at the payee's bank.
    fn verdict(&self, credit: &Credit) -> Verdict {
        let payee = self.config.customer(&credit.creditor_account);
        let Some((_, payee)) = payee.filter(|(bank, _)| bank.number == credit.creditor_bank) else {
            return Verdict::Reject(RejectCode::NoAccount);
        };
        let name = &credit.creditor_name;
        if !same_name(name, &payee.name_zh) && !same_name(name, &payee.name_en) {
            return Verdict::Reject(RejectCode::NameMismatch);
        }
        match payee.state {
            AccountState::Open => Verdict::Confirm,
            AccountState::Closed | AccountState::Frozen => Verdict::Reject(RejectCode::AccountState),
        }
    }

    /// The payee's bank answers.
    pub(crate) fn answer_due(&mut self, id: &MessageId, at: Timestamp) {
        let Some(payment) = self.payments.get(id) else { return };
        let State::Forwarded { plan: Plan::Answer(verdict), .. } = payment.state else { return };
        self.decide(id, verdict, at);
    }

    pub(crate) fn confirm_after_cancel(&mut self, id: &MessageId, at: Timestamp) {
        let Some(payment) = self.payments.get(id) else { return };
        if let State::CancelledInVain { .. } = payment.state {
            self.decide(id, Verdict::Confirm, at);
        }
    }

    /// Decides a payment of ours and tells our bank.
    fn decide(&mut self, id: &MessageId, verdict: Verdict, at: Timestamp) {
        let Some(payment) = self.payments.get(id) else { return };
        let (rail, other_bank, original) = (payment.rail, payment.other_bank().clone(), payment.original());
        let (amount, behaviour) = (payment.credit.amount.clone(), self.behaviour(&payment.credit));
        let date = self.centre(rail).business_date;
        let (state, status, reject, information) = match (verdict, rail) {
            (Verdict::Confirm, Rail::Instant) => {
                let entry = Entry::new(original.clone(), Way::Out, &amount, &other_bank);
                let (date, round) = self.join_round(entry, at);
                (State::Netted { date, round }, Status::Confirmed, None, round_text(date, round))
            }
            (Verdict::Confirm, Rail::HighValue) => {
                (State::Settled { date }, Status::Settled, None, settled_text(date))
            }
            (Verdict::Reject(code), _) => {
                (State::Rejected { date, code }, Status::Rejected, Some(code), code.text().to_owned())
            }
        };
        if state.is_final() && behaviour == Behaviour::Returns {
            self.agenda.plan(after(at, self.config.return_ms), Due::Return(id.clone()));
        }
        self.forwarded.remove(id);
        if let Some(payment) = self.payments.get_mut(id) {
            payment.state = state;
        }
        // A rejection at the end of the day is the centre's own; any other answer comes from the payee's bank.
        let sender =
            if reject == Some(RejectCode::EndOfDay) { self.config.centre.clone() } else { other_bank };
        let letter =
            Letter { rail: Some(rail), sender, message_type: answer_type(rail), reference: Some(id.clone()) };
        let information = Some(information);
        self.send(&letter, at, |message_id| {
            Message::Answer(Answer { message_id, created_at: at, original, status, reject, information })
        });
    }

    /// Payments without an answer do not pass the end of the day.
    pub(crate) fn reject_unanswered(&mut self, rail: Rail, at: Timestamp) {
        let waiting: Vec<MessageId> = self.forwarded.iter().cloned().collect();
        for id in waiting {
            if self.payments.get(&id).is_some_and(|payment| payment.rail == rail) {
                self.decide(&id, Verdict::Reject(RejectCode::EndOfDay), at);
            }
        }
    }

    /// A request to cancel, answered at once.
    pub(crate) fn take_cancel(
        &mut self,
        rail: Rail,
        request: &CancelRequest,
        at: Timestamp,
    ) -> Result<(), Refused> {
        let id = request.original.message_id.clone();
        if *id.bank() != self.config.bank {
            return refused(RejectCode::CentreCheck, "the payment is another member's");
        }
        let today = self.centre(rail).business_date;
        let known = self.payments.get(&id).filter(|payment| payment.rail == rail && payment.way == Way::Out);
        let (status, reject, information) = match known.map(|payment| payment.state) {
            None => {
                self.cancelled_unseen.insert(id.clone());
                (Status::Cancelled, None, "not received; it will not be taken")
            }
            Some(State::Forwarded { plan: Plan::AfterCancel { ms }, .. }) => {
                self.agenda.plan(after(at, ms), Due::LateConfirmation(id.clone()));
                self.set_cancelled(&id, State::CancelledInVain { date: today });
                (Status::Cancelled, None, "cancelled")
            }
            Some(State::Forwarded { .. }) => {
                self.set_cancelled(&id, State::Cancelled { date: today });
                (Status::Cancelled, None, "cancelled")
            }
            Some(State::Cancelled { .. } | State::CancelledInVain { .. }) => {
                (Status::Cancelled, None, "cancelled before")
            }
            Some(State::Rejected { code, .. }) => (Status::Rejected, Some(code), "rejected before"),
            Some(State::Netted { .. } | State::Settled { .. } | State::AwaitingBank { .. }) => {
                (Status::Rejected, Some(RejectCode::CentreCheck), "too late: the payee has it")
            }
        };
        let message_type = match rail {
            Rail::Instant => cnaps::MessageType::Ibps308,
            Rail::HighValue => cnaps::MessageType::Hvps308,
        };
        let request_id = request.message_id.clone();
        let sender = self.config.centre.clone();
        let letter = Letter { rail: Some(rail), sender, message_type, reference: Some(request_id.clone()) };
        let information = Some(information.to_owned());
        self.send(&letter, at, |message_id| {
            let (created_at, original_id) = (at, id);
            Message::CancelAnswer(CancelAnswer {
                message_id,
                created_at,
                request_id,
                original_id,
                status,
                reject,
                information,
            })
        });
        Ok(())
    }

    fn set_cancelled(&mut self, id: &MessageId, state: State) {
        self.forwarded.remove(id);
        if let Some(payment) = self.payments.get_mut(id) {
            payment.state = state;
        }
    }

    /// The customer of a returning account sends the money back.
    pub(crate) fn return_due(&mut self, id: &MessageId, at: Timestamp) {
        let _already_returned = self.send_return(id, RejectCode::PayeeCheck, at);
    }

    /// Sends a confirmed payment of ours back; the money has moved when our bank reads of it.
    ///
    /// # Errors
    /// Why not, for people.
    pub(crate) fn send_return(
        &mut self,
        id: &MessageId,
        code: RejectCode,
        at: Timestamp,
    ) -> Result<MessageId, String> {
        let payment = self.payments.get(id).filter(|payment| payment.way == Way::Out);
        let payment = payment.ok_or("no payment of our bank has this id")?;
        if !payment.state.is_final() {
            return Err(format!("the payment is {}", payment.state.name()));
        }
        if payment.returned_by.is_some() {
            return Err("the payment was returned before".to_owned());
        }
        let (rail, other_bank, original) = (payment.rail, payment.other_bank().clone(), payment.original());
        let amount = payment.credit.amount.clone();
        let return_id = self.next_id(&other_bank, at).map_err(|e| e.to_string())?;
        let settled = self.settle_return(rail, Way::In, &return_id, (&amount, &other_bank), at);
        let letter = Letter {
            rail: Some(rail),
            sender: other_bank.clone(),
            message_type: return_type(rail),
            reference: Some(id.clone()),
        };
        let message = Message::Return(Return {
            message_id: return_id.clone(),
            created_at: at,
            original,
            amount: amount.clone(),
            settlement_date: settled.date,
            from_bank: other_bank,
            to_bank: self.config.bank.clone(),
            reason: code,
            information: Some(settled.information),
        });
        match self.sealed(&letter, &message, at) {
            Ok(bytes) => self.queue(&letter, return_id.clone(), bytes, false),
            Err(e) => self.defect(letter.message_type, &e),
        }
        let (date, round, original) = (settled.date, settled.round, id.clone());
        let record = ReturnRecord { rail, way: Way::In, original, amount, code, date, round, created_at: at };
        self.keep_return(return_id.clone(), record);
        Ok(return_id)
    }
}

/// Where a confirmed instant payment is settled, as the answer's information says it.
pub(crate) fn round_text(date: jiff::civil::Date, round: u32) -> String {
    format!("round={date}/{round}")
}

/// When a high-value payment was settled, as the answer's information says it.
pub(crate) fn settled_text(date: jiff::civil::Date) -> String {
    format!("settled={date}")
}
