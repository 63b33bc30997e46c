//! Money on its way in: credited, rejected, or kept in suspense; and what rails say of themselves.

use ledger::Leg;
use money::{AccountId, Amount, PaymentId, Text};

use crate::decide::Draft;
use crate::{
    CaseRequest, Context, Counterparty, DepositOf, Effect, EffectResult, Event, Kind, MessageId, MessageKey,
    Note, Payment, PaymentState, Payments, Rail, RailNotice, RailState, RailStatus, Refusal, Settlement,
};

/// Reject codes of the rail profile for what can be wrong with a credit.
mod code {
    pub(super) const NO_ACCOUNT: &str = "RJ01";
    pub(super) const NAME_MISMATCH: &str = "RJ02";
    pub(super) const ACCOUNT_STATE: &str = "RJ11";
}

/// A credit as it arrived.
struct Credit<'n> {
    key: &'n MessageKey,
    from: &'n Counterparty,
    to: &'n Counterparty,
    amount: Amount,
    settlement: Option<Settlement>,
    note: &'n Note,
}

impl Credit<'_> {
    fn fingerprint(&self) -> u64 {
        fingerprint(&[
            self.from.name.as_str(),
            self.from.account.as_str(),
            self.from.bank.as_str(),
            self.to.name.as_str(),
            self.to.account.as_str(),
            &self.amount.to_string(),
            self.note.as_str(),
        ])
    }
}

/// A return as it arrived.
pub(crate) struct Returned<'n> {
    pub(crate) key: &'n MessageKey,
    pub(crate) original: &'n MessageId,
    pub(crate) amount: Amount,
    pub(crate) code: &'n Text<8>,
    pub(crate) settlement: Option<Settlement>,
}

impl Returned<'_> {
    pub(crate) fn fingerprint(&self) -> u64 {
        fingerprint(&[self.original.as_str(), &self.amount.to_string(), self.code.as_str()])
    }
}

/// FNV-1a over everything that makes a message what it is: a repeat has the same, an alteration another.
fn fingerprint(parts: &[&str]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in parts.iter().flat_map(|part| part.bytes().chain(std::iter::once(0))) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash
}

impl Draft<'_> {
    pub(crate) fn notice(
        &mut self,
        rail: Rail,
        notice: &RailNotice,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        match notice {
            RailNotice::Credit { key, from, to, amount, settlement, note } => {
                let credit = Credit { key, from, to, amount: *amount, settlement: *settlement, note };
                self.credit_received(rail, &credit, context)
            }
            RailNotice::Answer { original, answer } => self.answered(original, answer),
            RailNotice::Netted { original, settlement } => self.netted(original, *settlement),
            RailNotice::CancelAnswer { original, cancelled, code } => {
                self.cancel_answered(original, *cancelled, code)
            }
            RailNotice::Return { key, original, amount, code, settlement } => {
                let returned = Returned { key, original, amount: *amount, code, settlement: *settlement };
                match self.state.received.get(key) {
                    None => self.returned(rail, &returned, context),
                    Some((fingerprint, _)) if *fingerprint == returned.fingerprint() => Ok(()),
                    Some(_) => Err(Refusal::DuplicateMessage { key: key.clone() }),
                }
            }
            RailNotice::Status(status) => {
                self.status_changed(rail, *status);
                Ok(())
            }
        }
    }

    fn status_changed(&mut self, rail: Rail, status: RailStatus) {
        let known = self.state.rail_status(rail);
        // A rail that cannot be reached tells no date; the last one stays.
        let business_date = match (status.state, known) {
            (RailState::Down, Some(known)) => known.business_date,
            _ => status.business_date,
        };
        let status = RailStatus { business_date, ..status };
        if known != Some(status) {
            self.out.events.push(Event::RailChanged { rail, status });
        }
    }

    fn credit_received(
        &mut self,
        rail: Rail,
        credit: &Credit<'_>,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        if credit.amount.is_zero() {
            return Err(Refusal::AmountZero);
        }
        if let Some((fingerprint, id)) = self.state.received.get(credit.key) {
            if *fingerprint != credit.fingerprint() {
                return Err(Refusal::DuplicateMessage { key: credit.key.clone() });
            }
            self.answer_again(rail, credit, *id);
            return Ok(());
        }
        if credit.to.bank != self.profile()?.bank {
            return Err(Refusal::NotOurBank);
        }
        match (self.matching_account(credit, context), rail) {
            (Ok(account), _) => self.deposit(rail, credit, Some(account)),
            (Err(code), Rail::Instant | Rail::Internal) => self.reject(rail, credit, code),
            // The high-value rail has settled already and asks for no answer.
            (Err(_), Rail::HighValue) => self.deposit(rail, credit, None),
        }
    }

    fn matching_account(
        &self,
        credit: &Credit<'_>,
        context: &Context<'_>,
    ) -> Result<AccountId, &'static str> {
        let to = context.beneficiary.ok_or(code::NO_ACCOUNT)?;
        let owner = self.state.owners.get(&to.account).ok_or(code::NO_ACCOUNT)?;
        if owner.asset != credit.amount.asset() {
            return Err(code::NO_ACCOUNT);
        }
        if !Payments::same_name(credit.to.name.as_str(), to.holder) {
            return Err(code::NAME_MISMATCH);
        }
        if to.is_open { Ok(to.account) } else { Err(code::ACCOUNT_STATE) }
    }

    fn deposit(
        &mut self,
        rail: Rail,
        credit: &Credit<'_>,
        account: Option<AccountId>,
    ) -> Result<(), Refusal> {
        let id = self.payment_id();
        let to = account.map_or(DepositOf::Suspense, DepositOf::Account);
        let payment =
            self.new_deposit(rail, id, credit, PaymentState::Credited { to, settlement: credit.settlement });
        let payment = Payment {
            customer: account.and_then(|account| self.state.owners.get(&account)).map(|owner| owner.customer),
            account,
            ..payment
        };
        let books = self.books(&payment)?;
        let source = match credit.settlement {
            Some(Settlement::Gross { .. }) => books.reserve,
            Some(Settlement::Netted { .. }) | None => books.transit(rail),
        };
        let sink = account.unwrap_or(books.suspense);
        let legs = vec![Leg::debit(source, credit.amount), Leg::credit(sink, credit.amount)];
        self.post(id, legs, credit.note.clone());
        if account.is_none() {
            self.out.cases.push(CaseRequest::UnmatchedDeposit { payment: id, amount: credit.amount });
        }
        if let Some(settlement) = credit.settlement {
            self.tally(&payment, settlement, true, credit.amount);
        }
        self.taken_credit(credit, id);
        self.out.events.push(Event::Created(payment));
        if rail == Rail::Instant {
            self.answer(rail, credit, id, None);
        }
        Ok(())
    }

    fn reject(&mut self, rail: Rail, credit: &Credit<'_>, code: &'static str) -> Result<(), Refusal> {
        let id = self.payment_id();
        let code = Text::clip(code);
        let payment = self.new_deposit(rail, id, credit, PaymentState::Rejected { code: code.clone() });
        self.taken_credit(credit, id);
        self.out.events.push(Event::Created(payment));
        self.answer(rail, credit, id, Some(code));
        Ok(())
    }

    fn new_deposit(&self, rail: Rail, id: PaymentId, credit: &Credit<'_>, state: PaymentState) -> Payment {
        Payment {
            id,
            kind: Kind::Deposit,
            customer: None,
            account: None,
            counterparty: credit.from.clone(),
            amount: credit.amount,
            fee: Amount::zero(credit.amount.asset()),
            rail,
            note: credit.note.clone(),
            created_at: self.now,
            state,
            received_as: Some(credit.key.clone()),
        }
    }

    fn answer(&mut self, rail: Rail, credit: &Credit<'_>, payment: PaymentId, reject: Option<Text<8>>) {
        let (original, amount) = (credit.key.clone(), credit.amount);
        self.out.effects.push(Effect::SendAnswer { payment, rail, original, reject, amount });
    }

    /// The rail sent a credit again: it may not have our answer.
    fn answer_again(&mut self, rail: Rail, credit: &Credit<'_>, id: PaymentId) {
        let Some(payment) = self.state.payments.get(&id).filter(|_| rail == Rail::Instant) else { return };
        let reject = match &payment.state {
            PaymentState::Rejected { code } => Some(code.clone()),
            PaymentState::Credited { settlement: None, .. } => None,
            // Taken into a round already, so the rail does have it.
            _ => return,
        };
        self.answer(rail, credit, id, reject);
    }

    fn taken_credit(&mut self, credit: &Credit<'_>, payment: PaymentId) {
        let (key, fingerprint) = (credit.key.clone(), credit.fingerprint());
        self.out.events.push(Event::MessageTaken { key, fingerprint, payment });
    }

    /// A credit we answered is in a round now.
    fn netted(&mut self, original: &MessageKey, settlement: Settlement) -> Result<(), Refusal> {
        let known = self.state.received.get(original).and_then(|(_, id)| self.state.payments.get(id));
        let payment =
            known.ok_or_else(|| Refusal::OriginalUnknown { id: original.to_string(), answer_due: false })?;
        if let PaymentState::Credited { to, settlement: None } = payment.state {
            self.move_to(payment.id, PaymentState::Credited { to, settlement: Some(settlement) });
            self.tally(payment, settlement, true, payment.amount);
        }
        Ok(())
    }

    pub(crate) fn effect_reported(
        &mut self,
        effect: &Effect,
        result: &EffectResult,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        let (Effect::SendCredit { payment: id, .. }
        | Effect::SendAnswer { payment: id, .. }
        | Effect::SendCancel { payment: id, .. }
        | Effect::SendReturn { payment: id, .. }) = effect;
        let payment = self.state.payments.get(id).ok_or(Refusal::PaymentUnknown { id: *id })?;
        match effect {
            Effect::SendCredit { .. } => self.credit_reported(payment, result),
            Effect::SendCancel { .. } => self.cancel_reported(payment, result),
            Effect::SendAnswer { .. } => self.answer_reported(payment, result, context)?,
            Effect::SendReturn { .. } => self.return_reported(payment, result)?,
        }
        Ok(())
    }

    /// Our confirmation came too late: the rail has given the money back to its payer, so we take the credit back.
    fn answer_reported(
        &mut self,
        payment: &Payment,
        result: &EffectResult,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        let (EffectResult::Refused { code }, PaymentState::Credited { to, settlement: None }) =
            (result, &payment.state)
        else {
            return Ok(());
        };
        let books = self.books(payment)?;
        let covered = context.available.is_some_and(|available| available.minor() >= payment.amount.minor());
        let source = match to {
            DepositOf::Account(account) if covered => *account,
            DepositOf::Account(_) => {
                let (payment, amount) = (payment.id, payment.amount);
                self.out.cases.push(CaseRequest::TakenBackShort { payment, amount });
                books.suspense
            }
            DepositOf::Suspense => books.suspense,
        };
        let legs = vec![
            Leg::debit(source, payment.amount),
            Leg::credit(books.transit(payment.rail), payment.amount),
        ];
        self.post(payment.id, legs, payment.note.clone());
        self.move_to(payment.id, PaymentState::Returned { code: code.clone() });
        Ok(())
    }

    pub(crate) fn return_deposit(&mut self, payment: &Payment, code: &Text<8>) -> Result<(), Refusal> {
        let original = payment.received_as.clone().ok_or(Refusal::NotInSuspense { id: payment.id })?;
        let message = self.message_id()?;
        let books = self.books(payment)?;
        let legs = vec![
            Leg::debit(books.suspense, payment.amount),
            Leg::credit(books.transit(payment.rail), payment.amount),
        ];
        self.post(payment.id, legs, payment.note.clone());
        self.out.effects.push(Effect::SendReturn {
            payment: payment.id,
            rail: payment.rail,
            message: message.clone(),
            original,
            amount: payment.amount,
            code: code.clone(),
            to: payment.counterparty.clone(),
        });
        self.move_to(payment.id, PaymentState::Returning { message });
        Ok(())
    }

    /// The high-value rail settles a return at once; refused, the money lies in suspense again.
    fn return_reported(&mut self, payment: &Payment, result: &EffectResult) -> Result<(), Refusal> {
        let PaymentState::Returning { .. } = &payment.state else { return Ok(()) };
        let books = self.books(payment)?;
        let transit = books.transit(payment.rail);
        match result {
            EffectResult::Delivered => {
                let date = self.state.rail_status(payment.rail).map(|status| status.business_date);
                let settlement =
                    Settlement::Gross { date: date.unwrap_or_else(|| self.state.local_date(self.now)) };
                let legs =
                    vec![Leg::debit(transit, payment.amount), Leg::credit(books.reserve, payment.amount)];
                self.post(payment.id, legs, payment.note.clone());
                self.move_to(payment.id, PaymentState::Returned { code: Text::clip("RETURN") });
                self.tally(payment, settlement, false, payment.amount);
            }
            EffectResult::Refused { .. } => {
                let legs =
                    vec![Leg::debit(transit, payment.amount), Leg::credit(books.suspense, payment.amount)];
                self.post(payment.id, legs, payment.note.clone());
                let to = DepositOf::Suspense;
                let settlement = None;
                self.move_to(payment.id, PaymentState::Credited { to, settlement });
                self.out
                    .cases
                    .push(CaseRequest::UnmatchedDeposit { payment: payment.id, amount: payment.amount });
            }
        }
        Ok(())
    }

    pub(crate) fn credit_deposit(&mut self, payment: &Payment, account: AccountId) -> Result<(), Refusal> {
        let owner = self.state.owners.get(&account).ok_or(Refusal::AccountUnknown)?;
        if owner.asset != payment.amount.asset() {
            return Err(Refusal::AssetMismatch { expected: owner.asset, given: payment.amount.asset() });
        }
        let books = self.books(payment)?;
        let legs = vec![Leg::debit(books.suspense, payment.amount), Leg::credit(account, payment.amount)];
        self.post(payment.id, legs, payment.note.clone());
        let settlement = match payment.state {
            PaymentState::Credited { settlement, .. } => settlement,
            _ => None,
        };
        self.move_to(payment.id, PaymentState::Credited { to: DepositOf::Account(account), settlement });
        Ok(())
    }
}
