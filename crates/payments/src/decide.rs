//! The frame of every decision: what comes in as values, what goes out, and the numbers the bank itself gives.

use ledger::{Change, Command as LedgerCommand, Entry, HoldEnd, HoldOutcome, Leg, NewHold};
use money::{AccountId, Amount, CustomerId, Date, EntryId, HoldId, Limits, PaymentId, Timestamp};

use crate::{
    Books, Command, Effect, Event, MessageId, Note, Payment, Payments, Profile, Rail, Refusal, Settlement,
};

/// Ids from here on are the bank's own; clients cannot use them.
const OWN_RANGE: u128 = 1 << 127;
/// Most payments that one tick moves on, so that a tick stays short; the rest follow with the next.
const DUE_MAX: usize = 256;

/// Who pays, as identity answered.
#[derive(Debug, Clone, Copy)]
pub struct Payer<'c> {
    /// The customer.
    pub customer: CustomerId,
    /// Whether outgoing payments are refused.
    pub locked: bool,
    /// Whether a passkey signed exactly this intent.
    pub passkey: bool,
    /// Their limits.
    pub limits: Option<&'c Limits>,
}

/// Our account at the receiving end, as identity and ledger answered.
#[derive(Debug, Clone, Copy)]
pub struct Beneficiary<'c> {
    /// The account.
    pub account: AccountId,
    /// Its holder's name.
    pub holder: &'c str,
    /// Whether it takes entries.
    pub is_open: bool,
}

/// Everything a decision needs beside the state and the command.
#[derive(Debug, Clone, Copy)]
pub struct Context<'c> {
    /// When the command was recorded.
    pub now: Timestamp,
    /// The paying customer, where a customer asks.
    pub payer: Option<Payer<'c>>,
    /// Whether staff asks.
    pub is_operator: bool,
    /// Whether a rail or the bank's own clock asks.
    pub is_rail: bool,
    /// The receiving account, where it is ours.
    pub beneficiary: Option<Beneficiary<'c>>,
    /// What is available on the account of the payment that the command is about; none if it is closed.
    pub available: Option<Amount>,
}

/// A confirmed payment that settlement has to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Over which rail.
    pub rail: Rail,
    /// In which round, or by itself.
    pub settlement: Settlement,
    /// Whether it came in.
    pub is_inbound: bool,
    /// How much.
    pub amount: Amount,
}

/// Something that an operator has to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseRequest {
    /// A deposit that matches no account or name.
    UnmatchedDeposit {
        /// The deposit.
        payment: PaymentId,
        /// How much.
        amount: Amount,
    },
    /// Neither an answer nor an answer to the request to cancel.
    NoAnswer {
        /// The payment.
        payment: PaymentId,
        /// How much.
        amount: Amount,
    },
    /// The rail confirmed what had been given back.
    AnswerConflict {
        /// The payment.
        payment: PaymentId,
        /// How much.
        amount: Amount,
    },
    /// A credit had to be taken back and the money was gone.
    TakenBackShort {
        /// The deposit.
        payment: PaymentId,
        /// How much.
        amount: Amount,
    },
}

/// What follows from a command: all of it or nothing.
#[derive(Debug, Default)]
pub struct Decision {
    /// Facts for this machine.
    pub events: Vec<Event>,
    /// What the ledger has to do; at most one change.
    pub ledger: Vec<LedgerCommand>,
    /// What the world has to do.
    pub effects: Vec<Effect>,
    /// What settlement has to count.
    pub tallies: Vec<Tally>,
    /// What an operator has to look at.
    pub cases: Vec<CaseRequest>,
}

/// A decision under way; gives out the bank's own numbers.
pub(crate) struct Draft<'s> {
    pub(crate) state: &'s Payments,
    pub(crate) now: Timestamp,
    pub(crate) out: Decision,
    serial: u64,
    message: (Date, u32),
}

impl<'s> Draft<'s> {
    pub(crate) fn new(state: &'s Payments, now: Timestamp) -> Self {
        Self { state, now, out: Decision::default(), serial: state.next_serial, message: state.next_message }
    }

    fn own_number(&mut self) -> u128 {
        let number = OWN_RANGE | u128::from(self.serial);
        self.serial = self.serial.saturating_add(1);
        number
    }

    pub(crate) fn payment_id(&mut self) -> PaymentId {
        PaymentId::new(self.own_number())
    }

    pub(crate) fn hold_id(&mut self) -> HoldId {
        HoldId::new(self.own_number())
    }

    /// The next message id: clearing number, date, eight digits.
    pub(crate) fn message_id(&mut self) -> Result<MessageId, Refusal> {
        let profile = self.profile()?;
        let today = self.state.local_date(self.now);
        let number = if self.message.0 == today { self.message.1 } else { 1 };
        self.message = (today, number.saturating_add(1));
        let (year, month, day) = today.civil();
        let text = format!("{}{year:04}{month:02}{day:02}{number:08}", profile.bank);
        MessageId::new(&text).map_err(|_| Refusal::NoProfile)
    }

    pub(crate) fn profile(&self) -> Result<&'s Profile, Refusal> {
        self.state.profile.as_ref().ok_or(Refusal::NoProfile)
    }

    pub(crate) fn books(&self, payment: &Payment) -> Result<&'s Books, Refusal> {
        let asset = payment.amount.asset();
        self.state.books.get(&asset).ok_or(Refusal::NoBooks { asset })
    }

    pub(crate) fn entry(&mut self, payment: PaymentId, legs: Vec<Leg>, memo: Note) -> Entry {
        // The low 64 bits of the payment's id find it again among entries; the whole id is in the payment's own events.
        let reference = u64::try_from(payment.value() & u128::from(u64::MAX)).ok();
        Entry { id: EntryId::new(self.own_number()), legs, effective_at: None, reference, memo }
    }

    pub(crate) fn post(&mut self, payment: PaymentId, legs: Vec<Leg>, memo: Note) {
        let entry = self.entry(payment, legs, memo);
        self.change(Change { entry: Some(entry), ..Change::default() });
    }

    pub(crate) fn place(&mut self, account: AccountId, amount: Amount) -> HoldId {
        let id = self.hold_id();
        self.change(Change {
            places: vec![NewHold { id, account, amount, expires_at: None }],
            ..Change::default()
        });
        id
    }

    pub(crate) fn release(&mut self, hold: HoldId) {
        let end = HoldEnd { hold, outcome: HoldOutcome::Released };
        self.change(Change { ends: vec![end], ..Change::default() });
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.out.ledger.push(LedgerCommand::Change(change));
    }

    pub(crate) fn move_to(&mut self, payment: PaymentId, to: crate::PaymentState) {
        self.out.events.push(Event::Moved { payment, to });
    }

    pub(crate) fn finish(mut self) -> Decision {
        let before = (self.state.next_serial, self.state.next_message);
        if before != (self.serial, self.message) {
            self.out.events.push(Event::SerialsUsed { next: self.serial, message: self.message });
        }
        self.out
    }
}

impl Payments {
    /// Answers a command with a decision, or a refusal.
    ///
    /// # Errors
    /// A [`Refusal`], in the order that the crate's documentation gives.
    pub fn decide(&self, command: &Command, context: &Context<'_>) -> Result<Decision, Refusal> {
        let mut draft = Draft::new(self, context.now);
        match command {
            Command::SetProfile(_) | Command::OpenBooks(_) | Command::SetRail(_) => {
                if !context.is_operator {
                    return Err(Refusal::NotAllowed);
                }
                self.decide_terms(command, &mut draft)?;
            }
            Command::OpenAccount { customer, account, number, asset } => {
                if self.owners.contains(account) || self.numbers.contains_key(number) {
                    return Err(Refusal::AccountExists);
                }
                let kind = ledger::AccountKind::Customer;
                draft.out.ledger.push(LedgerCommand::open(*account, kind, *asset));
                let (customer, account, number) = (*customer, *account, number.clone());
                draft.out.events.push(Event::AccountOpened { customer, account, number, asset: *asset });
            }
            Command::Request(intent) => draft.request(intent, context)?,
            Command::Cancel { payment } => draft.undo(*payment, context)?,
            Command::Notice { rail, notice } => {
                if !context.is_rail {
                    return Err(Refusal::NotAllowed);
                }
                draft.notice(*rail, notice, context)?;
            }
            Command::EffectReported { effect, result } => {
                if !context.is_rail {
                    return Err(Refusal::NotAllowed);
                }
                draft.effect_reported(effect, result, context)?;
            }
            Command::ReturnDeposit { payment, code } => {
                draft.return_deposit(self.suspended(*payment, context)?, code)?;
            }
            Command::CreditDeposit { payment, account } => {
                draft.credit_deposit(self.suspended(*payment, context)?, *account)?;
            }
            Command::Conclude { payment, answer } => {
                draft.answered(&self.without_answer(*payment, context)?, answer)?;
            }
        }
        Ok(draft.finish())
    }

    /// Moves on what is due at `now`.
    ///
    /// # Errors
    /// [`Refusal::NoProfile`] when there is none, so that no message can be numbered.
    pub fn tick(&self, now: Timestamp) -> Result<Decision, Refusal> {
        let mut draft = Draft::new(self, now);
        let due = self.due.iter().take_while(|(at, _)| *at <= now).take(DUE_MAX);
        for payment in due.filter_map(|(_, id)| self.payments.get(id)) {
            draft.move_on(payment)?;
        }
        Ok(draft.finish())
    }

    fn decide_terms(&self, command: &Command, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        match command {
            Command::SetProfile(profile) => draft.out.events.push(Event::ProfileSet(profile.clone())),
            Command::SetRail(row) => draft.out.events.push(Event::RailSet(row.clone())),
            Command::OpenBooks(books) => {
                if self.books.contains_key(&books.asset) {
                    return Err(Refusal::AccountExists);
                }
                draft.out.events.push(Event::BooksOpened(*books));
                use ledger::AccountKind::{Capital, Fee, InTransit, Reserve, Suspense};
                for (id, kind) in [
                    (books.reserve, Reserve),
                    (books.transit_instant, InTransit),
                    (books.transit_high_value, InTransit),
                    (books.suspense, Suspense),
                    (books.fees, Fee),
                    (books.capital, Capital),
                ] {
                    draft.out.ledger.push(LedgerCommand::open(id, kind, books.asset));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn suspended(&self, id: PaymentId, context: &Context<'_>) -> Result<&Payment, Refusal> {
        if !context.is_operator {
            return Err(Refusal::NotAllowed);
        }
        let payment = self.payments.get(&id).ok_or(Refusal::PaymentUnknown { id })?;
        match payment.state {
            crate::PaymentState::Credited { to: crate::DepositOf::Suspense, .. } => Ok(payment),
            _ => Err(Refusal::NotInSuspense { id }),
        }
    }

    /// Whether this is a number that payments gives to its own entries and holds, which nobody else may use or end.
    #[must_use]
    pub const fn is_own_number(number: u128) -> bool {
        number >> 64 == OWN_RANGE >> 64
    }

    /// The message of a payment that waits for an operator because nobody answers.
    fn without_answer(&self, id: PaymentId, context: &Context<'_>) -> Result<MessageId, Refusal> {
        if !context.is_operator {
            return Err(Refusal::NotAllowed);
        }
        let payment = self.payments.get(&id).ok_or(Refusal::PaymentUnknown { id })?;
        match &payment.state {
            crate::PaymentState::Cancelling { message, answer_by: None, .. } => Ok(message.clone()),
            _ => Err(Refusal::NotWaitingForOperator { id }),
        }
    }

    /// Whether an id is in the range that only the bank itself gives.
    pub(crate) const fn is_own_id(id: PaymentId) -> bool {
        id.value() >= OWN_RANGE
    }
}
