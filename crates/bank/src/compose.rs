//! What payments decided, routed on: effects, settlement's count, cases, the ledger.

use identity::Authority;
use ledger::Command as LedgerCommand;
use money::{AccountId, Amount, CustomerId, EffectId, Text, Timestamp, invariant};
use payments::{
    Beneficiary, CaseRequest, Context, Counterparty, Decision, Effect, Payment, Settlement, Tally,
};
use settlement::{CaseKind, NewCase, RoundKey};

use crate::{Bank, Event, Refusal};

impl Bank {
    /// What every decision of payments needs; the caller adds what its command needs besides.
    pub(crate) fn context(&self, authority: &Authority, now: Timestamp) -> Context<'_> {
        Context {
            now,
            payer: None,
            is_operator: matches!(authority, Authority::Operator),
            is_rail: matches!(authority, Authority::Rail | Authority::System),
            beneficiary: None,
            available: None,
        }
    }

    /// The account a counterparty names, where it is ours.
    pub(crate) fn beneficiary(&self, party: &Counterparty) -> Option<Beneficiary<'_>> {
        if self.payments.profile()?.bank != party.bank {
            return None;
        }
        let account = self.payments.account_by_number(&party.account)?;
        let owner = self.payments.owner(account)?;
        let holder = self.identity.customer(owner.customer)?.name.as_str();
        let is_open = self.ledger.account(account).is_some_and(ledger::Account::is_open);
        Some(Beneficiary { account, holder, is_open })
    }

    /// What an open account has available.
    pub(crate) fn available(&self, account: AccountId) -> Option<Amount> {
        let account = self.ledger.account(account).filter(|account| account.is_open())?;
        Some(account.balance().available)
    }

    /// The payment that an effect is about.
    pub(crate) fn payment_of(&self, effect: &Effect) -> Option<&Payment> {
        let (Effect::SendCredit { payment, .. }
        | Effect::SendAnswer { payment, .. }
        | Effect::SendCancel { payment, .. }
        | Effect::SendReturn { payment, .. }) = effect;
        self.payments.payment(*payment)
    }

    /// Turns a decision of payments into the bank's events. `customer` is who pays, where the payment is not in the state yet.
    pub(crate) fn compose(
        &self,
        decision: Decision,
        customer: Option<CustomerId>,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        // Each command of the ledger is decided on the state as it is, so two changes in one decision could not see each other.
        let changes =
            decision.ledger.iter().filter(|c| !matches!(c, LedgerCommand::OpenAccount { .. })).count();
        invariant!(changes <= 1, "{changes} changes of the ledger in one decision");
        let mut events: Vec<Event> = decision.events.into_iter().map(Event::Payments).collect();
        for (serial, effect) in (self.next_effect..).zip(decision.effects) {
            let effect = self.with_payer_name(effect, customer);
            events.push(Event::EffectQueued { id: EffectId::new(u128::from(serial)), effect });
        }
        events.extend(decision.tallies.iter().map(|tally| Event::Settlement(counted(tally))));
        let cases: Vec<NewCase> = decision.cases.iter().map(new_case).collect();
        events.extend(self.settlement.open_cases_for(&cases).into_iter().map(Event::Settlement));
        for command in &decision.ledger {
            events.push(Event::Ledger(self.ledger.decide(command, now)?));
        }
        Ok(events)
    }

    /// Payments knows no names; who pays is filled in here.
    fn with_payer_name(&self, effect: Effect, customer: Option<CustomerId>) -> Effect {
        let known = self.payment_of(&effect).and_then(|payment| payment.customer).or(customer);
        match effect {
            Effect::SendCredit { payment, rail, message, from, to, amount, note } => {
                let holder = known.and_then(|customer| self.identity.customer(customer));
                let name = holder.map_or_else(Text::default, |holder| holder.name.clone());
                let from = Counterparty { name, ..from };
                Effect::SendCredit { payment, rail, message, from, to, amount, note }
            }
            Effect::SendAnswer { .. } | Effect::SendCancel { .. } | Effect::SendReturn { .. } => effect,
        }
    }
}

fn counted(tally: &Tally) -> settlement::Event {
    let (date, round) = match tally.settlement {
        Settlement::Netted { date, round } => (date, round),
        Settlement::Gross { date } => (date, 0),
    };
    let key = RoundKey { rail: Text::clip(tally.rail.name()), date, round };
    settlement::Event::Counted { key, is_inbound: tally.is_inbound, amount: tally.amount }
}

fn new_case(request: &CaseRequest) -> NewCase {
    let (kind, amount) = match *request {
        CaseRequest::UnmatchedDeposit { payment, amount } => (CaseKind::UnmatchedDeposit(payment), amount),
        CaseRequest::NoAnswer { payment, amount } => (CaseKind::NoAnswer(payment), amount),
        CaseRequest::AnswerConflict { payment, amount } => (CaseKind::AnswerConflict(payment), amount),
        CaseRequest::TakenBackShort { payment, amount } => (CaseKind::TakenBackShort(payment), amount),
    };
    NewCase { kind, amount }
}
