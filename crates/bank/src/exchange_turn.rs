//! Orders on markets: who may give them, and what they do to the books.

use exchange::market::Owner;
use exchange::{Caller, Exchange, OnLedger, Outcome, Taken};
use identity::{Actor, Authority};
use ledger::Tenant;
use money::{AccountId, Timestamp};

use crate::{Bank, Event, Refusal};

impl Bank {
    /// Takes a command of the markets. A refusal leaves nothing.
    pub(crate) fn take_exchange(
        &mut self,
        command: &exchange::Command,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Taken, Refusal> {
        let authority = self.identity.authorise(actor, now)?;
        let operator = match (&authority, actor) {
            (Authority::Operator, Actor::Operator(name)) => Some(name.clone()),
            (Authority::Operator | Authority::Tenant(_) | Authority::Customer { .. }, _) => None,
            (Authority::System, _) if matches!(command, exchange::Command::ReadPrice { .. }) => None,
            (Authority::System | Authority::Visitor | Authority::Rail | Authority::Cell(_), _) => {
                return Err(Refusal::NotAllowed);
            }
        };
        if matches!(command, exchange::Command::ReadPrice { .. }) && !matches!(authority, Authority::System) {
            return Err(Refusal::NotAllowed);
        }
        let owner = match authority {
            Authority::Customer { customer, .. } => Owner::Customer(customer),
            Authority::Tenant(number) => Owner::Tenant(number),
            _ => Owner::Bank,
        };
        let is_own = |account: &AccountId| self.owner_of(*account) == owner;
        match command {
            exchange::Command::TakeSeat { base, quote, .. } if !is_own(base) || !is_own(quote) => {
                return Err(exchange::Refusal::SeatAccounts.into());
            }
            exchange::Command::RequestQuote(request) if !is_own(&request.from) || !is_own(&request.to) => {
                return Err(exchange::Refusal::DealingAccounts.into());
            }
            exchange::Command::UsePool { accounts, shares, .. }
                if !accounts.iter().all(is_own) || !is_own(shares) =>
            {
                return Err(exchange::Refusal::DealingAccounts.into());
            }
            _ => {}
        }
        let caller = Caller { operator, owner };
        let Self { ledger, exchange, .. } = self;
        let taken = exchange.take(command, &caller, now, &mut OnLedger::new(ledger, now))?;
        let is_empty = taken.outcome.events.is_empty();
        if is_empty { Err(Refusal::Orders(taken.refusals)) } else { Ok(taken) }
    }

    /// Whose orders an account pays for. An operator gives orders for the bank's own accounts, never for a customer's.
    fn owner_of(&self, account: AccountId) -> Owner {
        if let Some(owner) = self.payments.owner(account) {
            return Owner::Customer(owner.customer);
        }
        let tenant = self.ledger.account(account).map_or(Tenant::BANK, ledger::Account::tenant);
        if tenant == Tenant::BANK { Owner::Bank } else { Owner::Tenant(tenant.number()) }
    }

    /// What falls due on the markets.
    pub(crate) fn tick_exchange(&mut self, now: Timestamp) -> Option<Event> {
        if self.exchange.next_due().is_none_or(|due| due > now) {
            return None;
        }
        let Self { ledger, exchange, .. } = self;
        let outcome = exchange.tick(now, &mut OnLedger::new(ledger, now));
        (!outcome.events.is_empty()).then_some(Event::Exchange(outcome))
    }

    pub(crate) fn replay_exchange(&mut self, outcome: &Outcome, now: Timestamp) {
        let Self { ledger, exchange, .. } = self;
        exchange.replay(outcome, now, &mut OnLedger::new(ledger, now));
    }

    /// What is set aside on each account is what the orders in the books of the markets can need, and no more.
    pub(crate) fn broken_exchange(&self) -> Vec<String> {
        let mut broken = self.exchange.broken_invariants();
        let needed = self.exchange.reserved();
        for (id, account) in self.ledger.accounts() {
            let reserved = account.reserved().minor();
            let needed = self.ledger.position(id).ok().and_then(|position| needed.get(&position)).copied();
            if needed.unwrap_or(0) != reserved {
                let needed = needed.unwrap_or(0);
                broken.push(format!("{id}: {reserved} set aside, orders need {needed}"));
            }
        }
        broken
    }

    /// The markets.
    #[must_use]
    pub const fn exchange(&self) -> &Exchange {
        &self.exchange
    }
}
