//! Orders on markets: who may give them, and what they do to the books.

use exchange::market::{Funds, Movement, Owner};
use exchange::{Caller, Exchange, Outcome, Taken};
use identity::{Actor, Authority};
use ledger::{Ledger, Position, Tenant, Trade};
use money::{AccountId, Asset, Timestamp};

use crate::{Bank, Event, Refusal};

/// The books, as the markets use them. Every movement was covered before it comes here.
struct Books<'a> {
    ledger: &'a mut Ledger,
    now: Timestamp,
}

impl Funds for Books<'_> {
    fn position(&self, account: AccountId) -> Result<Position, ledger::Refusal> {
        self.ledger.position(account)
    }

    fn asset(&self, account: Position) -> Option<Asset> {
        self.ledger.at(account).map(|(_, account)| account.asset())
    }

    fn available(&self, account: Position) -> u128 {
        self.ledger.at(account).map_or(0, |(_, account)| account.balance().available.minor())
    }

    fn can_reserve(&self, account: Position, minor: u128) -> Result<(), ledger::Refusal> {
        self.ledger.can_reserve(account, minor)
    }

    fn carry_out(&mut self, movement: &Movement) {
        match movement {
            Movement::Reserve { account, minor } => self.ledger.reserve(*account, *minor),
            Movement::Unreserve { account, minor } => self.ledger.unreserve(*account, *minor),
            Movement::Trade { id, legs, reference } => {
                let trade = Trade { id: *id, legs, reference: Some(*reference), memo: "" };
                self.ledger.post_trade(&trade, self.now);
            }
        }
    }
}

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
        let taken = exchange.take(command, &caller, now, &mut Books { ledger, now })?;
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
        let outcome = exchange.tick(now, &mut Books { ledger, now });
        (!outcome.events.is_empty()).then_some(Event::Exchange(outcome))
    }

    pub(crate) fn replay_exchange(&mut self, outcome: &Outcome, now: Timestamp) {
        let Self { ledger, exchange, .. } = self;
        exchange.replay(outcome, now, &mut Books { ledger, now });
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
