//! Whose accounts are whose, and who is signed in: what the projector has to know of every leg and actor, in memory.
//!
//! It is filled from the tables when they are opened and kept in step with them, so that a leg on an account without an owner costs
//! one look-up and no statement. Balances are written back once for each transaction.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use money::{AccountId, Amount, Asset, CustomerId, SessionId};
use rusqlite::Connection;

use crate::ProjectionError;
use crate::movements::{Party, id_of};

type Map<K, V> = HashMap<K, V, RandomState>;

/// An account of a customer.
#[derive(Debug, Clone)]
pub(crate) struct Owned {
    pub(crate) customer: CustomerId,
    pub(crate) number: Box<str>,
    /// Posted balance after the last movement; it names the asset.
    pub(crate) balance: Amount,
    /// Whether the table has another balance.
    is_changed: bool,
}

/// Accounts, customers and sessions.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    accounts: Map<AccountId, Owned>,
    names: Map<CustomerId, Box<str>>,
    sessions: Map<SessionId, CustomerId>,
    /// Clearing number of the bank.
    bank: String,
    changed: Vec<AccountId>,
}

impl Owners {
    /// Reads the tables.
    pub(crate) fn load(connection: &Connection) -> Result<Self, ProjectionError> {
        let mut owners = Self::default();
        let mut statement =
            connection.prepare("SELECT id, customer, number, asset, scale, balance FROM accounts")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let fault = |problem: &dyn std::fmt::Display| ProjectionError::Entry {
                seq: 0,
                problem: format!("an account's row: {problem}"),
            };
            let (asset, balance): (String, String) = (row.get(3)?, row.get(5)?);
            let asset = Asset::new(&asset, row.get(4)?).map_err(|error| fault(&error))?;
            let owned = Owned {
                customer: CustomerId::new(id_of(row.get(1)?)),
                number: row.get::<_, String>(2)?.into(),
                balance: Amount::parse(asset, &balance).map_err(|error| fault(&error))?,
                is_changed: false,
            };
            owners.accounts.insert(AccountId::new(id_of(row.get(0)?)), owned);
        }
        let mut statement = connection.prepare("SELECT id, name FROM customers")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            owners.names.insert(CustomerId::new(id_of(row.get(0)?)), row.get::<_, String>(1)?.into());
        }
        let mut statement = connection.prepare("SELECT id, customer FROM sessions")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            owners.sessions.insert(SessionId::new(id_of(row.get(0)?)), CustomerId::new(id_of(row.get(1)?)));
        }
        let mut statement = connection.prepare("SELECT bank FROM profile")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            owners.bank = row.get(0)?;
        }
        Ok(owners)
    }

    pub(crate) fn account(&self, id: AccountId) -> Option<&Owned> {
        self.accounts.get(&id)
    }

    pub(crate) fn customer_of_session(&self, session: SessionId) -> Option<CustomerId> {
        self.sessions.get(&session).copied()
    }

    /// The holder of an account of ours, as the other side of a movement.
    pub(crate) fn party(&self, id: AccountId) -> Option<Party> {
        let owned = self.accounts.get(&id)?;
        let name = self.names.get(&owned.customer)?;
        Some(Party {
            name: name.as_ref().to_owned(),
            account_number: owned.number.as_ref().to_owned(),
            bank: self.bank.clone(),
        })
    }

    pub(crate) fn set_bank(&mut self, bank: &str) {
        bank.clone_into(&mut self.bank);
    }

    pub(crate) fn enrol(&mut self, customer: CustomerId, name: &str) {
        self.names.insert(customer, name.into());
    }

    pub(crate) fn open_account(&mut self, id: AccountId, customer: CustomerId, number: &str, asset: Asset) {
        let balance = Amount::zero(asset);
        self.accounts.insert(id, Owned { customer, number: number.into(), balance, is_changed: false });
    }

    pub(crate) fn open_session(&mut self, session: SessionId, customer: CustomerId) {
        self.sessions.insert(session, customer);
    }

    pub(crate) fn close_session(&mut self, session: SessionId) -> Option<CustomerId> {
        self.sessions.remove(&session)
    }

    /// Keeps a balance; it is written with [`Owners::write_balances`].
    pub(crate) fn set_balance(&mut self, id: AccountId, balance: Amount) {
        let Some(owned) = self.accounts.get_mut(&id) else { return };
        owned.balance = balance;
        if !std::mem::replace(&mut owned.is_changed, true) {
            self.changed.push(id);
        }
    }

    /// Writes the balances that changed since the last time.
    pub(crate) fn write_balances(&mut self, connection: &Connection) -> Result<(), ProjectionError> {
        let mut statement = connection.prepare_cached("UPDATE accounts SET balance = ?2 WHERE id = ?1")?;
        for id in self.changed.drain(..) {
            let Some(owned) = self.accounts.get_mut(&id) else { continue };
            owned.is_changed = false;
            statement.execute((id.value().to_be_bytes(), owned.balance.decimal()))?;
        }
        Ok(())
    }
}
