//! The one pipeline: from a command to the events of every machine.

use cells::Cells;
use exchange::Exchange;
use identity::{Actor, Authority};
use ledger::{Change, Command as LedgerCommand, HoldEnd, HoldOutcome, Tenant};
use money::{AccountId, Asset, CustomerId, EffectId, Timestamp};
use payments::{AccountNumber, EffectResult, Intent, Payer, Payments};
use settlement::{NetPosition, Notice, SettlementAccounts};

use crate::{Admitted, Bank, Command, Event, Refusal};

/// Most holds and sessions that one tick ends, so that a tick stays short; the rest follow with the next.
const EXPIRED_MAX: usize = 256;
/// The asset of the account that comes with enrolment.
const HOME_ASSET: Asset = Asset::CNY;
/// Leading digits of the bank's account numbers.
const NUMBER_PREFIX: &str = "621788";

impl Bank {
    /// Answers a command with the events that follow from it, all of them or none.
    ///
    /// # Errors
    /// A [`Refusal`]: authority, then the owning machine's in its documented order, then the ledger's.
    pub fn decide(&self, admitted: &Admitted, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        let submission = admitted.submission();
        let authority = self.identity.authorise(&submission.actor, now)?;
        match &submission.command {
            Command::Identity(command) => self.decide_identity(command, &authority, now),
            Command::Pay { intent, approval } => self.decide_pay(intent, approval.as_ref(), &authority, now),
            Command::Payments(command) => self.decide_payments(command, &authority, now),
            Command::Settlement(command) => self.decide_settlement(command, &authority, now),
            Command::Ledger(command) => {
                let scope = scope(&authority)?;
                check_own_numbers(command)?;
                Self::check_own_accounts(&self.payments, &self.exchange, command)?;
                if scope.is_some_and(|tenant| !self.ledger.is_within(tenant, command)) {
                    return Err(ledger::Refusal::NotPermitted.into());
                }
                Ok(vec![Event::Ledger(self.ledger.decide(command, now)?)])
            }
            Command::OpenOwnAccount { account, asset } => {
                self.open_own_account(*account, *asset, &authority, now)
            }
            Command::Cells(command) => self.decide_cells(command, &authority, now),
            // Their rows see what the rows before them did, so they are only ever taken, never decided ahead.
            Command::LedgerBatch(_) | Command::Exchange(_) => Err(Refusal::NotAllowed),
            Command::EffectReported { effect, result } => {
                self.decide_report(*effect, result, &submission.actor, &authority, now)
            }
            Command::Tick => match authority {
                Authority::System => self.decide_tick(now),
                Authority::Visitor
                | Authority::Rail
                | Authority::Operator
                | Authority::Tenant(_)
                | Authority::Cell(_)
                | Authority::Customer { .. } => Err(Refusal::NotAllowed),
            },
        }
    }

    /// The bank's own accounts are open as long as the bank is, and one to which a fill may come as long as it may.
    pub(crate) fn check_own_accounts(
        payments: &Payments,
        exchange: &Exchange,
        command: &LedgerCommand,
    ) -> Result<(), Refusal> {
        let LedgerCommand::CloseAccount { id } = command else { return Ok(()) };
        let is_own = exchange.needs(*id) || payments.all_books().any(|books| books.accounts().contains(id));
        if is_own { Err(Refusal::NotAllowed) } else { Ok(()) }
    }

    fn decide_identity(
        &self,
        command: &identity::Command,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        let decided = self.identity.decide(command, authority, now)?;
        let mut events: Vec<Event> = decided.into_iter().map(Event::Identity).collect();
        if let identity::Command::Enrol { customer, .. } = command {
            events.extend(self.open_account(*customer, AccountId::new(customer.value()), HOME_ASSET, now)?);
        }
        Ok(events)
    }

    /// A customer's account in an asset that the bank keeps books in; one in each.
    fn open_own_account(
        &self,
        account: AccountId,
        asset: Asset,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        let customer = authority.customer()?;
        self.payments.books(asset).ok_or(payments::Refusal::NoBooks { asset })?;
        let held = self.payments.accounts_of(customer).iter();
        let assets = held.filter_map(|id| self.ledger.account(*id)).filter(|account| account.is_open());
        if assets.map(ledger::Account::asset).any(|of| of == asset) {
            return Err(payments::Refusal::AccountExists.into());
        }
        if is_own_number(account.value()) {
            return Err(Refusal::NotAllowed);
        }
        self.open_account(customer, account, asset, now)
    }

    /// A new account with the next number of the bank.
    fn open_account(
        &self,
        customer: CustomerId,
        account: AccountId,
        asset: Asset,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        let number = account_number(self.payments.accounts_count())?;
        let command = payments::Command::OpenAccount { customer, account, number, asset };
        let context = self.context(&Authority::System, now);
        let decision = self.payments.decide(&command, &context)?;
        self.compose(decision, Some(customer), now)
    }

    fn decide_pay(
        &self,
        intent: &Intent,
        approval: Option<&identity::Assertion>,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        let customer = authority.customer()?;
        let approved = approval.map(|assertion| self.identity.check_assertion(assertion, Some(customer)));
        let approved = approved.transpose();
        let decision = self.request(intent, authority, matches!(approved, Ok(Some(_))), now)?;
        // A passkey that is not good is told only where one was needed or everything else is right.
        let decision = match (decision, &approved) {
            (Err(payments::Refusal::PasskeyNeeded { .. }), Err(refusal)) => {
                return Err(refusal.clone().into());
            }
            (decision, _) => decision?,
        };
        let mut events = Vec::new();
        if let Some((_, used)) = approved? {
            events.push(Event::Identity(used));
        }
        events.extend(self.compose(decision, Some(customer), now)?);
        Ok(events)
    }

    /// Says what [`Bank::decide`] would refuse a payment with if its payer approved it with a good passkey now. Decides nothing: it
    /// lets a payer know before they sign.
    ///
    /// # Errors
    /// The [`Refusal`] that the payment would meet.
    pub fn preview_payment(&self, actor: &Actor, intent: &Intent, now: Timestamp) -> Result<(), Refusal> {
        let authority = self.identity.authorise(actor, now)?;
        let customer = authority.customer()?;
        let decision = self.request(intent, &authority, true, now)??;
        self.compose(decision, Some(customer), now).map(|_| ())
    }

    /// What payments answers to a customer's intent; the outer refusal is of somebody who is no customer.
    fn request(
        &self,
        intent: &Intent,
        authority: &Authority,
        passkey: bool,
        now: Timestamp,
    ) -> Result<Result<payments::Decision, payments::Refusal>, Refusal> {
        let customer = authority.customer()?;
        let today = self.payments.local_date(now);
        let payer = Payer {
            customer,
            locked: matches!(authority, Authority::Customer { locked: true, .. }),
            passkey,
            limits: self.identity.limits(customer, intent.amount.asset(), today),
        };
        let mut context = self.context(authority, now);
        context.payer = Some(payer);
        context.beneficiary = self.beneficiary(&intent.payee);
        Ok(self.payments.decide(&payments::Command::Request(intent.clone()), &context))
    }

    fn decide_payments(
        &self,
        command: &payments::Command,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        let mut context = self.context(authority, now);
        match command {
            // These come in by their own commands, which carry what they need.
            payments::Command::Request(_) | payments::Command::EffectReported { .. } => {
                return Err(Refusal::NotAllowed);
            }
            payments::Command::OpenAccount { customer, .. } => {
                authority.operator()?;
                self.identity.customer(*customer).ok_or(identity::Refusal::CustomerUnknown)?;
            }
            payments::Command::Cancel { .. } => {
                context.payer = Some(Payer {
                    customer: authority.customer()?,
                    locked: false,
                    passkey: false,
                    limits: None,
                });
            }
            payments::Command::Notice { notice, .. } => self.add_notice(notice, &mut context),
            payments::Command::SetProfile(_)
            | payments::Command::OpenBooks(_)
            | payments::Command::SetRail(_)
            | payments::Command::ReturnDeposit { .. }
            | payments::Command::CreditDeposit { .. }
            | payments::Command::Conclude { .. } => {}
        }
        let decision = self.payments.decide(command, &context)?;
        self.compose(decision, authority.customer().ok(), now)
    }

    fn add_notice<'s>(&'s self, notice: &payments::RailNotice, context: &mut payments::Context<'s>) {
        match notice {
            payments::RailNotice::Credit { to, .. } => context.beneficiary = self.beneficiary(to),
            payments::RailNotice::Return { original, .. } => {
                let account = self.payments.payment_by_message(original).and_then(|payment| payment.account);
                context.available = account.and_then(|account| self.available(account));
            }
            payments::RailNotice::Answer { .. }
            | payments::RailNotice::Netted { .. }
            | payments::RailNotice::CancelAnswer { .. }
            | payments::RailNotice::Status(_) => {}
        }
    }

    fn decide_settlement(
        &self,
        command: &settlement::Command,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        let accounts = match (command, authority) {
            (settlement::Command::Notice(notice), Authority::Rail) => self.settlement_accounts(notice),
            (settlement::Command::ResolveCase { .. }, Authority::Operator) => None,
            _ => return Err(Refusal::NotAllowed),
        };
        let decision = self.settlement.decide(command, accounts)?;
        let mut events: Vec<Event> = decision.events.into_iter().map(Event::Settlement).collect();
        for command in &decision.ledger {
            events.push(Event::Ledger(self.ledger.decide(command, now)?));
        }
        Ok(events)
    }

    fn settlement_accounts(&self, notice: &Notice) -> Option<SettlementAccounts> {
        let Notice::Settled { key, net } = notice else { return None };
        let (NetPosition::ToPay(amount) | NetPosition::ToReceive(amount)) = net;
        let books = self.payments.books(amount.asset())?;
        let rail = payments::Rail::from_name(key.rail.as_str())?;
        Some(SettlementAccounts { reserve: books.reserve, transit: books.transit(rail) })
    }

    fn decide_report(
        &self,
        effect: EffectId,
        result: &EffectResult,
        actor: &Actor,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        match actor {
            Actor::System | Actor::Rail(_) => {}
            Actor::Session(_) | Actor::Visitor | Actor::Operator(_) | Actor::Tenant(_) | Actor::Cell(_) => {
                return Err(Refusal::NotAllowed);
            }
        }
        let outstanding = self.outbox.get(&effect).ok_or(Refusal::EffectNotOutstanding { id: effect })?;
        let mut context = self.context(authority, now);
        let account = self.payment_of(&outstanding.effect).and_then(|payment| payment.account);
        context.available = account.and_then(|account| self.available(account));
        let command =
            payments::Command::EffectReported { effect: outstanding.effect.clone(), result: result.clone() };
        let decision = self.payments.decide(&command, &context)?;
        let mut events = vec![Event::EffectEnded { id: effect, result: result.clone() }];
        events.extend(self.compose(decision, None, now)?);
        Ok(events)
    }

    fn decide_tick(&self, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        let mut events = Vec::new();
        if self.payments.next_due().is_some_and(|due| due <= now) {
            events.extend(self.compose(self.payments.tick(now)?, None, now)?);
        }
        let holds = self.ledger.expired_holds(now, EXPIRED_MAX);
        if !holds.is_empty() {
            let end = |hold| HoldEnd { hold, outcome: HoldOutcome::Released };
            let change = Change { ends: holds.into_iter().map(end).collect(), ..Change::default() };
            events.push(Event::Ledger(self.ledger.decide(&LedgerCommand::Change(change), now)?));
        }
        let sessions = self.identity.ended_sessions(now, EXPIRED_MAX);
        let closed = sessions.into_iter().map(|session| identity::Event::SessionClosed { session });
        events.extend(closed.map(Event::Identity));
        if events.is_empty() { Err(Refusal::NothingDue) } else { Ok(events) }
    }
}

/// Whose accounts a sender may change in the books: any, or those of a tenant.
pub(crate) fn scope(authority: &Authority) -> Result<Option<Tenant>, Refusal> {
    match authority {
        Authority::Tenant(number) if *number != Tenant::BANK.number() => Ok(Some(Tenant::new(*number))),
        _ => {
            authority.operator()?;
            Ok(None)
        }
    }
}

/// The machines' own entries, holds and accounts are theirs: staff who ended a payment's hold would leave it without its money, and who
/// posted on a transit account between cells, or reversed an entry on it, would make two cells differ.
pub(crate) fn check_own_numbers(command: &LedgerCommand) -> Result<(), Refusal> {
    let is_own = is_own_number;
    let is_transit = |account: AccountId| Cells::is_own_number(account.value());
    let has_own = match command {
        LedgerCommand::Change(Change { ends, entry, places }) => {
            ends.iter().any(|end| is_own(end.hold.value()))
                || places.iter().any(|hold| is_own(hold.id.value()) || is_transit(hold.account))
                || entry.as_ref().is_some_and(|entry| {
                    is_own(entry.id.value()) || entry.legs.iter().any(|leg| is_transit(leg.account))
                })
        }
        LedgerCommand::Transfer(transfer) => {
            is_own(transfer.id.value()) || is_transit(transfer.debit) || is_transit(transfer.credit)
        }
        LedgerCommand::Reverse { id, of, .. } => is_own(id.value()) || Cells::is_own_number(of.value()),
        LedgerCommand::OpenAccount { id, .. } | LedgerCommand::CloseAccount { id } => is_transit(*id),
        LedgerCommand::Seal { .. }
        | LedgerCommand::SetMonitor { .. }
        | LedgerCommand::RemoveMonitor { .. }
        | LedgerCommand::NoticeDelivered { .. } => false,
    };
    if has_own { Err(Refusal::NotAllowed) } else { Ok(()) }
}

/// Whether a number is one of those that the machines give to what they make.
const fn is_own_number(number: u128) -> bool {
    Payments::is_own_number(number)
        || settlement::SettlementBook::is_own_number(number)
        || Cells::is_own_number(number)
        || exchange::Exchange::is_own_number(number)
}

/// The bank's account number with this serial: prefix, ten digits, check digit (ISO/IEC 7812 Annex B, Luhn).
fn account_number(serial: usize) -> Result<AccountNumber, Refusal> {
    let digits = format!("{NUMBER_PREFIX}{:010}", serial.saturating_add(1));
    let sum: u32 = digits.bytes().rev().enumerate().fold(0, |sum, (position, byte)| {
        let digit = u32::from(byte.saturating_sub(b'0'));
        let doubled = digit.saturating_mul(2);
        let counted = match position.checked_rem(2) {
            Some(0) if doubled > 9 => doubled.saturating_sub(9),
            Some(0) => doubled,
            _ => digit,
        };
        sum.saturating_add(counted)
    });
    let check = 10_u32.saturating_sub(sum.checked_rem(10).unwrap_or(0)).checked_rem(10).unwrap_or(0);
    AccountNumber::new(&format!("{digits}{check}")).map_err(|_| payments::Refusal::AccountExists.into())
}
