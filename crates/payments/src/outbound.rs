//! Money on its way out: requested, waiting, sent, answered; undone, rejected, timed out, returned.

use ledger::{Change, HoldEnd, HoldOutcome, Leg};
use money::{Amount, HoldId, Limits, PaymentId, Text, Timestamp};

use crate::decide::Draft;
use crate::inbound::Returned;
use crate::{
    Answer, Beneficiary, CaseRequest, Context, Counterparty, Effect, EffectResult, Event, Intent, Kind,
    MessageId, Payer, Payment, PaymentState, Payments, Rail, RailState, Refusal, Route, Settlement, Tally,
};

/// Longest life of an intent: 15 minutes, time enough to read and sign, too short to lie around.
const INTENT_MS_MAX: u64 = 15 * 60 * 1000;
/// How long we wait for the answer to a request to cancel before an operator is asked.
const CANCEL_ANSWER_MS: u64 = 60 * 1000;
/// How soon an answer is due where the terms have gone missing.
const ANSWER_MS_DEFAULT: u64 = 30 * 1000;

impl<'s> Draft<'s> {
    pub(crate) fn request(&mut self, intent: &Intent, context: &Context<'_>) -> Result<(), Refusal> {
        check_shape(intent)?;
        let id = intent.payment;
        if Payments::is_own_id(id) {
            return Err(Refusal::ReservedId { id });
        }
        if self.state.payments.contains(&id) {
            return Err(Refusal::PaymentExists { id });
        }
        let payer = context.payer.ok_or(Refusal::NotAllowed)?;
        let owner = self.state.owners.get(&intent.from).filter(|owner| owner.customer == payer.customer);
        let owner = owner.ok_or(Refusal::AccountUnknown)?;
        if owner.asset != intent.amount.asset() {
            return Err(Refusal::AssetMismatch { expected: owner.asset, given: intent.amount.asset() });
        }
        if payer.locked {
            return Err(Refusal::CustomerLocked);
        }
        self.check_expiry(intent)?;
        let route = self.check_route(intent)?;
        let beneficiary = match route.rail {
            Rail::Internal => Some(check_payee(intent, context.beneficiary)?),
            Rail::Instant | Rail::HighValue => None,
        };
        let limits = payer.limits.ok_or(Refusal::NoLimits)?;
        self.check_limits(intent.amount, &payer, limits)?;
        if intent.amount.minor() > limits.small_amount.minor() && !payer.passkey {
            return Err(Refusal::PasskeyNeeded { small_amount: limits.small_amount });
        }
        self.create(intent, &payer, limits, &route, beneficiary)
    }

    fn create(
        &mut self,
        intent: &Intent,
        payer: &Payer<'_>,
        limits: &Limits,
        route: &Route,
        beneficiary: Option<Beneficiary<'_>>,
    ) -> Result<(), Refusal> {
        let mut payment = Payment {
            id: intent.payment,
            kind: Kind::Transfer,
            customer: Some(payer.customer),
            account: Some(intent.from),
            counterparty: intent.payee.clone(),
            amount: intent.amount,
            fee: route.fee,
            rail: route.rail,
            note: intent.note.clone(),
            created_at: self.now,
            state: PaymentState::Done,
            received_as: None,
        };
        if let Some(to) = beneficiary {
            let legs = vec![Leg::debit(intent.from, intent.amount), Leg::credit(to.account, intent.amount)];
            self.post(payment.id, legs, payment.note.clone());
            self.out.events.push(Event::Created(payment));
            return Ok(());
        }
        payment.kind = Kind::Withdrawal;
        let hold = self.place(intent.from, total(&payment)?);
        if intent.amount.minor() >= limits.undo_from.minor() && limits.undo_ms > 0 {
            payment.state = PaymentState::Waiting { hold, until: self.now.plus_ms(limits.undo_ms) };
        } else {
            let message = self.message_id()?;
            self.send(&payment, &message)?;
            payment.state = PaymentState::Sending { hold, message };
        }
        self.out.events.push(Event::Created(payment));
        Ok(())
    }

    fn send(&mut self, payment: &Payment, message: &MessageId) -> Result<(), Refusal> {
        let from = self.payer_of(payment)?;
        self.out.effects.push(Effect::SendCredit {
            payment: payment.id,
            rail: payment.rail,
            message: message.clone(),
            from,
            to: payment.counterparty.clone(),
            amount: payment.amount,
            note: payment.note.clone(),
        });
        Ok(())
    }

    /// Our customer as a party of a message. The name is filled in by the bank, which asks identity.
    fn payer_of(&self, payment: &Payment) -> Result<Counterparty, Refusal> {
        let owner = payment.account.and_then(|account| self.state.owners.get(&account));
        let owner = owner.ok_or(Refusal::AccountUnknown)?;
        let bank = self.profile()?.bank.clone();
        Ok(Counterparty { name: Text::default(), account: owner.number.clone(), bank })
    }

    /// The customer's own undo, while the payment waits.
    pub(crate) fn undo(&mut self, id: PaymentId, context: &Context<'_>) -> Result<(), Refusal> {
        let payer = context.payer.ok_or(Refusal::NotAllowed)?;
        let own = self.state.payments.get(&id).filter(|payment| payment.customer == Some(payer.customer));
        let payment = own.ok_or(Refusal::PaymentUnknown { id })?;
        match payment.state {
            PaymentState::Waiting { hold, until } if self.now < until => {
                self.release(hold);
                self.move_to(id, PaymentState::Cancelled { code: None });
                Ok(())
            }
            _ => Err(Refusal::UndoOver { id }),
        }
    }

    /// What happens to a payment by itself when its time comes.
    pub(crate) fn move_on(&mut self, payment: &Payment) -> Result<(), Refusal> {
        match &payment.state {
            PaymentState::Waiting { hold, .. } => {
                let message = self.message_id()?;
                self.send(payment, &message)?;
                self.move_to(payment.id, PaymentState::Sending { hold: *hold, message });
            }
            PaymentState::Sent { hold, message, .. } => {
                let request = self.message_id()?;
                self.out.effects.push(Effect::SendCancel {
                    payment: payment.id,
                    rail: payment.rail,
                    message: request,
                    original: message.clone(),
                    amount: payment.amount,
                });
                let answer_by = Some(self.now.plus_ms(CANCEL_ANSWER_MS));
                let (hold, message) = (*hold, message.clone());
                self.move_to(payment.id, PaymentState::Cancelling { hold, message, answer_by });
            }
            PaymentState::Cancelling { hold, message, .. } => {
                let (payment, amount) = (payment.id, payment.amount);
                self.out.cases.push(CaseRequest::NoAnswer { payment, amount });
                let (hold, message) = (*hold, message.clone());
                self.move_to(payment, PaymentState::Cancelling { hold, message, answer_by: None });
            }
            PaymentState::Sending { .. }
            | PaymentState::Confirmed { .. }
            | PaymentState::Done
            | PaymentState::Cancelled { .. }
            | PaymentState::Rejected { .. }
            | PaymentState::Returned { .. }
            | PaymentState::Credited { .. }
            | PaymentState::Returning { .. } => {}
        }
        Ok(())
    }

    /// The rail took our payment over, or refused it.
    pub(crate) fn credit_reported(&mut self, payment: &Payment, result: &EffectResult) {
        let PaymentState::Sending { hold, message } = &payment.state else { return };
        match result {
            EffectResult::Delivered => {
                let today = self.state.local_date(self.now);
                let terms = self.state.terms(payment.rail, payment.amount.asset(), today);
                let answer_by = self.now.plus_ms(terms.map_or(ANSWER_MS_DEFAULT, |terms| terms.answer_ms));
                let (hold, message) = (*hold, message.clone());
                self.move_to(payment.id, PaymentState::Sent { hold, message, answer_by });
            }
            EffectResult::Refused { code } => self.give_back(payment, *hold, code),
        }
    }

    fn give_back(&mut self, payment: &Payment, hold: HoldId, code: &Text<8>) {
        self.release(hold);
        self.move_to(payment.id, PaymentState::Rejected { code: code.clone() });
    }

    /// The answer to a payment of ours, whenever it comes.
    pub(crate) fn answered(&mut self, original: &MessageId, answer: &Answer) -> Result<(), Refusal> {
        let payment = self.own_message(original)?;
        match (&payment.state, answer) {
            // An answer may overtake the acknowledgement of what it answers.
            (
                PaymentState::Sending { hold, .. }
                | PaymentState::Sent { hold, .. }
                | PaymentState::Cancelling { hold, .. },
                Answer::Confirmed(settlement),
            ) => self.confirm(payment, *hold, original, *settlement),
            (
                PaymentState::Sending { hold, .. }
                | PaymentState::Sent { hold, .. }
                | PaymentState::Cancelling { hold, .. },
                Answer::Rejected { code },
            ) => {
                self.give_back(payment, *hold, code);
                Ok(())
            }
            (
                PaymentState::Cancelled { .. } | PaymentState::Rejected { .. },
                Answer::Confirmed(settlement),
            ) => self.conflict(payment, original, *settlement),
            // The same answer once more, or one that changes nothing.
            _ => Ok(()),
        }
    }

    fn confirm(
        &mut self,
        payment: &Payment,
        hold: HoldId,
        message: &MessageId,
        settlement: Settlement,
    ) -> Result<(), Refusal> {
        let books = self.books(payment)?;
        let account = payment.account.ok_or(Refusal::AccountUnknown)?;
        let sink = match settlement {
            Settlement::Netted { .. } => books.transit(payment.rail),
            Settlement::Gross { .. } => books.reserve,
        };
        let mut legs = vec![Leg::debit(account, total(payment)?), Leg::credit(sink, payment.amount)];
        if !payment.fee.is_zero() {
            legs.push(Leg::credit(books.fees, payment.fee));
        }
        let entry = self.entry(payment.id, legs, payment.note.clone());
        let end = HoldEnd { hold, outcome: HoldOutcome::Settled };
        self.change(Change { ends: vec![end], entry: Some(entry), places: Vec::new() });
        self.move_to(payment.id, PaymentState::Confirmed { message: message.clone(), settlement });
        self.tally(payment, settlement, false, payment.amount);
        Ok(())
    }

    /// Confirmed after we gave the money back: the bank owes the rail and has a claim, and an operator must look.
    fn conflict(
        &mut self,
        payment: &Payment,
        message: &MessageId,
        settlement: Settlement,
    ) -> Result<(), Refusal> {
        let books = self.books(payment)?;
        let sink = match settlement {
            Settlement::Netted { .. } => books.transit(payment.rail),
            Settlement::Gross { .. } => books.reserve,
        };
        let legs = vec![Leg::debit(books.suspense, payment.amount), Leg::credit(sink, payment.amount)];
        self.post(payment.id, legs, payment.note.clone());
        self.out.events.push(Event::AnswerConflict { payment: payment.id, amount: payment.amount });
        self.move_to(payment.id, PaymentState::Confirmed { message: message.clone(), settlement });
        self.tally(payment, settlement, false, payment.amount);
        self.out.cases.push(CaseRequest::AnswerConflict { payment: payment.id, amount: payment.amount });
        Ok(())
    }

    pub(crate) fn tally(
        &mut self,
        payment: &Payment,
        settlement: Settlement,
        is_inbound: bool,
        amount: Amount,
    ) {
        self.out.tallies.push(Tally { rail: payment.rail, settlement, is_inbound, amount });
    }

    /// The answer to our request to cancel.
    pub(crate) fn cancel_answered(
        &mut self,
        original: &MessageId,
        cancelled: bool,
        code: &Text<8>,
    ) -> Result<(), Refusal> {
        let payment = self.own_message(original)?;
        let PaymentState::Cancelling { hold, message, .. } = &payment.state else { return Ok(()) };
        if cancelled {
            self.release(*hold);
            self.move_to(payment.id, PaymentState::Cancelled { code: Some(code.clone()) });
        } else {
            // Too late to cancel: the rail has an answer for us, and we wait for it again.
            let (hold, message) = (*hold, message.clone());
            let answer_by = self.now.plus_ms(CANCEL_ANSWER_MS);
            self.move_to(payment.id, PaymentState::Sent { hold, message, answer_by });
        }
        Ok(())
    }

    /// A request to cancel that the rail refused for good: an operator must look, the hold stays.
    pub(crate) fn cancel_reported(&mut self, payment: &Payment, result: &EffectResult) {
        let PaymentState::Cancelling { hold, message, answer_by: Some(_) } = &payment.state else { return };
        if let EffectResult::Refused { .. } = result {
            let (hold, message) = (*hold, message.clone());
            self.out.cases.push(CaseRequest::NoAnswer { payment: payment.id, amount: payment.amount });
            self.move_to(payment.id, PaymentState::Cancelling { hold, message, answer_by: None });
        }
    }

    /// A confirmed payment of ours comes back: the payer gets the amount, the fee was for the way there. Where the payer had the money
    /// back before (see [`Draft::conflict`]), the claim in suspense is paid.
    pub(crate) fn returned(
        &mut self,
        rail: Rail,
        returned: &Returned<'_>,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        let (original, amount) = (returned.original, returned.amount);
        let payment = self.own_message(original)?;
        if !matches!(payment.state, PaymentState::Confirmed { .. }) || payment.rail != rail {
            let answer_due = may_be_confirmed(&payment.state) && payment.rail == rail;
            return Err(Refusal::OriginalUnknown { id: original.to_string(), answer_due });
        }
        if amount != payment.amount {
            return Err(Refusal::ReturnAmount { returned: amount, paid: payment.amount });
        }
        let books = self.books(payment)?;
        let source = match returned.settlement {
            Some(Settlement::Gross { .. }) => books.reserve,
            Some(Settlement::Netted { .. }) | None => books.transit(payment.rail),
        };
        // An account closed meanwhile cannot take it back.
        let to = if context.available.is_some() { payment.account } else { None };
        let to = match to {
            _ if self.state.conflicts.contains(&payment.id) => books.suspense,
            Some(account) => account,
            None => {
                self.out.cases.push(CaseRequest::UnmatchedDeposit { payment: payment.id, amount });
                books.suspense
            }
        };
        let legs = vec![Leg::debit(source, amount), Leg::credit(to, amount)];
        self.post(payment.id, legs, payment.note.clone());
        let (key, fingerprint) = (returned.key.clone(), returned.fingerprint());
        self.out.events.push(Event::MessageTaken { key, fingerprint, payment: payment.id });
        self.move_to(payment.id, PaymentState::Returned { code: returned.code.clone() });
        if let Some(settlement) = returned.settlement {
            self.tally(payment, settlement, true, amount);
        }
        Ok(())
    }

    fn own_message(&self, original: &MessageId) -> Result<&'s Payment, Refusal> {
        let payment = self.state.sent.get(original).and_then(|id| self.state.payments.get(id));
        payment.ok_or_else(|| Refusal::OriginalUnknown { id: original.to_string(), answer_due: false })
    }

    fn check_expiry(&self, intent: &Intent) -> Result<(), Refusal> {
        let at = intent.expires_at;
        let latest: Timestamp = self.now.plus_ms(INTENT_MS_MAX);
        if at <= self.now {
            Err(Refusal::IntentExpired { at })
        } else if at > latest {
            Err(Refusal::IntentTooLong { at, latest })
        } else {
            Ok(())
        }
    }

    fn check_route(&self, intent: &Intent) -> Result<Route, Refusal> {
        let today = self.state.local_date(self.now);
        let route = self.state.route(&intent.payee.bank, intent.amount, today);
        let route = route.ok_or(Refusal::NoRoute { amount: intent.amount })?;
        if route.rail != intent.rail {
            return Err(Refusal::RouteChanged { now: route.rail, signed: intent.rail });
        }
        match route.state {
            RailState::Open => {}
            RailState::Closed => return Err(Refusal::RailClosed { rail: route.rail }),
            RailState::Down => return Err(Refusal::RailDown { rail: route.rail }),
        }
        if route.fee.minor() > intent.fee_cap.minor() {
            return Err(Refusal::FeeAboveCap { fee: route.fee, cap: intent.fee_cap });
        }
        Ok(route)
    }

    fn check_limits(&self, amount: Amount, payer: &Payer<'_>, limits: &Limits) -> Result<(), Refusal> {
        let usage = self.state.usage(payer.customer, amount.asset(), self.state.local_date(self.now));
        let zero = Amount::zero(amount.asset());
        for (period, limit, used) in [
            ("single", limits.single, zero),
            ("day", limits.day, usage.day_sum),
            ("month", limits.month, usage.month_sum),
            ("year", limits.year, usage.year_sum),
        ] {
            let Some(limit) = limit else { continue };
            let remaining = limit.minus(used).unwrap_or(zero);
            if amount.minor() > remaining.minor() {
                return Err(Refusal::OverLimit { period, amount, limit, remaining });
            }
        }
        Ok(())
    }
}

/// The rail has it or will have it, so that it may still confirm it, be it against its own word.
const fn may_be_confirmed(state: &PaymentState) -> bool {
    matches!(
        state,
        PaymentState::Sending { .. }
            | PaymentState::Sent { .. }
            | PaymentState::Cancelling { .. }
            | PaymentState::Cancelled { code: Some(_) }
            | PaymentState::Rejected { .. }
    )
}

/// What leaves the payer's account: amount and fee.
fn total(payment: &Payment) -> Result<Amount, Refusal> {
    payment.amount.plus(payment.fee).map_err(|_| Refusal::NoRoute { amount: payment.amount })
}

fn check_shape(intent: &Intent) -> Result<(), Refusal> {
    let asset = intent.amount.asset();
    if intent.amount.is_zero() {
        return Err(Refusal::AmountZero);
    }
    if intent.fee_cap.asset() != asset {
        return Err(Refusal::AssetMismatch { expected: asset, given: intent.fee_cap.asset() });
    }
    if intent.payee.name.is_empty() {
        return Err(Refusal::PayeeNameEmpty);
    }
    if intent.nonce.len() == 16 { Ok(()) } else { Err(Refusal::Nonce) }
}

fn check_payee<'c>(intent: &Intent, to: Option<Beneficiary<'c>>) -> Result<Beneficiary<'c>, Refusal> {
    let to = to.ok_or(Refusal::PayeeUnknown)?;
    if to.account == intent.from {
        return Err(Refusal::OwnAccount);
    }
    if !Payments::same_name(intent.payee.name.as_str(), to.holder) {
        return Err(Refusal::PayeeNameMismatch);
    }
    if to.is_open { Ok(to) } else { Err(Refusal::PayeeClosed) }
}
