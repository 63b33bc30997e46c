//! From journal entries to rows. Everything here follows from the journal alone, in its order.

use bank::{Event, JournalEntry};
use identity::Actor;
use ledger::{Change, Leg, Side};
use money::{AccountId, Amount, Asset, CustomerId, EntryId, MovementId, PaymentId, Timestamp};
use payments::{DepositOf, Kind, Payment, PaymentState, Settlement};
use receipts::{MerkleLog, MovementStatement};
use rusqlite::{Connection, OptionalExtension};
use settlement::RoundKey;
use sha2::{Digest, Sha256};

use crate::feed::FeedKind;
use crate::movements::{Direction, MovementKind, MovementRow, Party, id_of};
use crate::{ProjectionError, StepKind};

/// The id of the movement that an entry makes on an account: the first 128 bits of the SHA-256 of both ids.
#[must_use]
pub fn movement_id(entry: EntryId, account: AccountId) -> MovementId {
    let mut hasher = Sha256::new();
    hasher.update(entry.value().to_be_bytes());
    hasher.update(account.value().to_be_bytes());
    let bytes = hasher.finalize();
    let value = bytes.iter().take(16).fold(0_u128, |value, byte| (value << 8) | u128::from(*byte));
    MovementId::new(value)
}

/// What the bank states about a movement.
pub(crate) fn statement(row: &MovementRow) -> MovementStatement {
    MovementStatement {
        movement_id: row.id.to_string(),
        payment_id: row.payment.map(|id| id.to_string()).unwrap_or_default(),
        account_number: row.account_number.clone(),
        direction: match row.direction {
            Direction::In => receipts::Direction::In,
            Direction::Out => receipts::Direction::Out,
        },
        kind: row.kind.name().to_owned(),
        asset: row.amount.asset().code().to_owned(),
        amount: row.amount.decimal(),
        fee: row.fee.decimal(),
        counterparty_name: row.counterparty.name.clone(),
        counterparty_account: row.counterparty.account_number.clone(),
        counterparty_bank: row.counterparty.bank.clone(),
        note: row.note.clone(),
        recorded_at: row.recorded_at.to_string(),
        effective_at: row.effective_at.to_string(),
        journal_seq: row.seq,
    }
}

/// An account as the read model knows it.
struct Account {
    customer: CustomerId,
    number: String,
    asset: Asset,
    balance: Amount,
}

/// A payment as the read model knows it.
struct Known {
    kind: i64,
    party: Party,
    fee: String,
    note: String,
}

/// Puts one journal entry into the read model.
pub(crate) struct Projecting<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) log: &'c mut MerkleLog,
    pub(crate) seq: u64,
    feed: Vec<(CustomerId, FeedKind, u128)>,
}

impl<'c> Projecting<'c> {
    pub(crate) fn new(connection: &'c Connection, log: &'c mut MerkleLog, seq: u64) -> Self {
        Self { connection, log, seq, feed: Vec::new() }
    }

    pub(crate) fn entry(mut self, entry: &JournalEntry) -> Result<(), ProjectionError> {
        let actor = self.customer_of(&entry.actor)?;
        let now = entry.recorded_at;
        for event in &entry.events {
            match event {
                Event::Identity(event) => self.identity(event, actor)?,
                Event::Payments(event) => self.payment(event, now)?,
                Event::Ledger(ledger::Event::Changed { change, .. }) => {
                    let about = payment_of(change, &entry.events);
                    self.change(change, about, now)?;
                }
                Event::LedgerBatch(outcome) => self.batch(&entry.command, outcome, now)?,
                Event::Settlement(settlement::Event::RoundSettled { key, .. }) => self.settled(key, now)?,
                Event::Ledger(_)
                | Event::Settlement(_)
                | Event::EffectQueued { .. }
                | Event::EffectEnded { .. } => {}
            }
        }
        self.write_feed()
    }

    fn fault(&self, problem: impl std::fmt::Display) -> ProjectionError {
        ProjectionError::Entry { seq: self.seq, problem: problem.to_string() }
    }

    fn customer_of(&self, actor: &Actor) -> Result<Option<CustomerId>, ProjectionError> {
        let Actor::Session(session) = actor else { return Ok(None) };
        let mut statement = self.connection.prepare_cached("SELECT customer FROM sessions WHERE id = ?1")?;
        let found = statement.query_row([session.value().to_be_bytes()], |row| row.get(0)).optional()?;
        Ok(found.map(|bytes| CustomerId::new(id_of(bytes))))
    }

    fn tell(&mut self, customer: CustomerId, kind: FeedKind, subject: u128) {
        let row = (customer, kind, subject);
        if !self.feed.contains(&row) {
            self.feed.push(row);
        }
    }

    fn write_feed(self) -> Result<(), ProjectionError> {
        let seq = i64::try_from(self.seq).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached("INSERT INTO feed VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for (nr, (customer, kind, subject)) in (0_i64..).zip(&self.feed) {
            let key = customer.value().to_be_bytes();
            statement.execute((seq, nr, key, kind.code(), subject.to_be_bytes()))?;
        }
        Ok(())
    }

    fn identity(
        &mut self,
        event: &identity::Event,
        actor: Option<CustomerId>,
    ) -> Result<(), ProjectionError> {
        use identity::Event as E;
        let customer = match event {
            E::Enrolled { customer, name, .. } => {
                let mut statement =
                    self.connection.prepare_cached("INSERT INTO customers VALUES (?1, ?2)")?;
                statement.execute((customer.value().to_be_bytes(), name.as_str()))?;
                return Ok(());
            }
            E::SessionOpened { customer, session, .. } => {
                let mut statement = self.connection.prepare_cached("INSERT INTO sessions VALUES (?1, ?2)")?;
                statement.execute((session.id.value().to_be_bytes(), customer.value().to_be_bytes()))?;
                Some(*customer)
            }
            E::SessionClosed { session } => {
                let mut statement = self
                    .connection
                    .prepare_cached("DELETE FROM sessions WHERE id = ?1 RETURNING customer")?;
                let key = session.value().to_be_bytes();
                let found = statement.query_row([key], |row| row.get(0)).optional()?;
                found.map(|bytes| CustomerId::new(id_of(bytes)))
            }
            E::DeviceBound { customer, .. }
            | E::CredentialAdded { customer, .. }
            | E::TotpBegun { customer, .. }
            | E::TotpUsed { customer, .. }
            | E::TotpRemoved { customer }
            | E::Locked { customer }
            | E::Unlocked { customer }
            | E::Graded { customer, .. } => Some(*customer),
            E::DeviceBlocked { .. } | E::CredentialRemoved { .. } => actor,
            E::CredentialUsed { .. }
            | E::LocaleSet { .. }
            | E::PayeeAdded { .. }
            | E::PayeeRemoved { .. }
            | E::LimitsSet(_) => None,
        };
        if let Some(customer) = customer {
            self.tell(customer, FeedKind::Security, customer.value());
        }
        Ok(())
    }

    fn payment(&mut self, event: &payments::Event, now: Timestamp) -> Result<(), ProjectionError> {
        use payments::Event as E;
        match event {
            E::ProfileSet(profile) => {
                let sql = "INSERT OR REPLACE INTO profile VALUES (1, ?1)";
                self.connection.prepare_cached(sql)?.execute([profile.bank.as_str()])?;
            }
            E::AccountOpened { customer, account, number, asset } => {
                let sql = "INSERT INTO accounts VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                let zero = Amount::zero(*asset).decimal();
                self.connection.prepare_cached(sql)?.execute((
                    account.value().to_be_bytes(),
                    customer.value().to_be_bytes(),
                    number.as_str(),
                    asset.code(),
                    asset.scale(),
                    zero,
                ))?;
                self.tell(*customer, FeedKind::Accounts, customer.value());
            }
            E::Created(payment) => self.created(payment)?,
            E::Moved { payment, to } => self.moved(*payment, to, now)?,
            E::BooksOpened(_)
            | E::RailSet(_)
            | E::RailChanged { .. }
            | E::MessageTaken { .. }
            | E::SerialsUsed { .. }
            | E::AnswerConflict { .. } => {}
        }
        Ok(())
    }

    fn created(&mut self, payment: &Payment) -> Result<(), ProjectionError> {
        let step = step_of(&payment.state);
        let kind: i64 = match payment.kind {
            Kind::Transfer => 0,
            Kind::Withdrawal => 1,
            Kind::Deposit => 2,
        };
        let created_at = i64::try_from(payment.created_at.ms()).unwrap_or(i64::MAX);
        let sql = "INSERT INTO payments VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        self.connection.prepare_cached(sql)?.execute((
            payment.id.value().to_be_bytes(),
            payment.customer.map(|id| id.value().to_be_bytes()),
            payment.account.map(|id| id.value().to_be_bytes()),
            kind,
            step.is_open(),
            created_at,
            payment.counterparty.name.as_str(),
            payment.counterparty.account.as_str(),
            payment.counterparty.bank.as_str(),
            payment.fee.decimal(),
            payment.note.as_str(),
            payment.rail.name(),
        ))?;
        self.step(payment.id, step, payment.created_at)?;
        self.in_round(payment.id, payment.rail.name(), &payment.state)?;
        if let Some(customer) = payment.customer {
            self.tell(customer, FeedKind::Payment, payment.id.value());
        }
        Ok(())
    }

    fn moved(
        &mut self,
        payment: PaymentId,
        to: &PaymentState,
        now: Timestamp,
    ) -> Result<(), ProjectionError> {
        let step = step_of(to);
        let key = payment.value().to_be_bytes();
        if let PaymentState::Credited { to: DepositOf::Account(account), .. } = to {
            let sql = "UPDATE payments SET account = ?2, customer = (SELECT customer FROM accounts WHERE id = ?2) WHERE id = ?1";
            self.connection.prepare_cached(sql)?.execute((key, account.value().to_be_bytes()))?;
        }
        let sql = "UPDATE payments SET is_open = ?2 WHERE id = ?1 RETURNING customer, rail";
        let (customer, rail): (Option<[u8; 16]>, String) = self
            .connection
            .prepare_cached(sql)?
            .query_row((key, step.is_open()), |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.step(payment, step, now)?;
        self.in_round(payment, &rail, to)?;
        if let Some(customer) = customer {
            self.tell(CustomerId::new(id_of(customer)), FeedKind::Payment, payment.value());
        }
        Ok(())
    }

    /// Keeps which round a payment is in, until that is settled.
    fn in_round(&self, payment: PaymentId, rail: &str, state: &PaymentState) -> Result<(), ProjectionError> {
        let (PaymentState::Confirmed { settlement, .. }
        | PaymentState::Credited { settlement: Some(settlement), .. }) = state
        else {
            return Ok(());
        };
        let Settlement::Netted { date, round } = settlement else { return Ok(()) };
        let sql = "INSERT OR IGNORE INTO open_rounds VALUES (?1, ?2, ?3, ?4)";
        let key = payment.value().to_be_bytes();
        self.connection.prepare_cached(sql)?.execute((rail, date.days(), *round, key))?;
        Ok(())
    }

    /// A round was settled: so is every payment in it.
    fn settled(&mut self, key: &RoundKey, now: Timestamp) -> Result<(), ProjectionError> {
        let sql = "DELETE FROM open_rounds WHERE rail = ?1 AND date = ?2 AND round = ?3 RETURNING payment";
        let payments: Vec<[u8; 16]> = self
            .connection
            .prepare_cached(sql)?
            .query_map((key.rail.as_str(), key.date.days(), key.round), |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for payment in payments {
            let id = PaymentId::new(id_of(payment));
            self.step(id, StepKind::Settled, now)?;
            let sql = "SELECT customer FROM payments WHERE id = ?1";
            let customer: Option<[u8; 16]> =
                self.connection.prepare_cached(sql)?.query_row([payment], |row| row.get(0))?;
            if let Some(customer) = customer {
                self.tell(CustomerId::new(id_of(customer)), FeedKind::Payment, id.value());
            }
        }
        Ok(())
    }

    fn step(&self, payment: PaymentId, step: StepKind, at: Timestamp) -> Result<(), ProjectionError> {
        let sql = "INSERT INTO steps SELECT ?1, (SELECT COUNT(*) FROM steps WHERE payment = ?1), ?2, ?3, ?4";
        let at = i64::try_from(at.ms()).unwrap_or(i64::MAX);
        let seq = i64::try_from(self.seq).unwrap_or(i64::MAX);
        self.connection.prepare_cached(sql)?.execute((
            payment.value().to_be_bytes(),
            step.code(),
            at,
            seq,
        ))?;
        Ok(())
    }

    fn change(
        &mut self,
        change: &Change,
        payment: Option<PaymentId>,
        now: Timestamp,
    ) -> Result<(), ProjectionError> {
        for hold in &change.places {
            if let Some(account) = self.account(hold.account)? {
                self.tell(account.customer, FeedKind::Accounts, account.customer.value());
            }
        }
        if let (false, Some(payment)) = (change.ends.is_empty(), payment) {
            let sql = "SELECT customer FROM payments WHERE id = ?1";
            let customer: Option<Option<[u8; 16]>> = self
                .connection
                .prepare_cached(sql)?
                .query_row([payment.value().to_be_bytes()], |row| row.get(0))
                .optional()?;
            if let Some(Some(customer)) = customer {
                self.tell(CustomerId::new(id_of(customer)), FeedKind::Accounts, id_of(customer));
            }
        }
        let Some(entry) = &change.entry else { return Ok(()) };
        let mut seen: Vec<AccountId> = Vec::new();
        for leg in &entry.legs {
            if seen.contains(&leg.account) {
                continue;
            }
            seen.push(leg.account);
            if let Some(account) = self.account(leg.account)? {
                self.movement(entry, leg.account, account, payment, now)?;
            }
        }
        Ok(())
    }

    /// The rows of a batch that were taken. They are staff's, so no payment is behind them.
    fn batch(
        &mut self,
        command: &bank::Command,
        outcome: &ledger::BatchOutcome,
        now: Timestamp,
    ) -> Result<(), ProjectionError> {
        let bank::Command::LedgerBatch(batch) = command else { return Ok(()) };
        let mut done = Ok(());
        batch.replay(outcome, |step| {
            if let ledger::Step::Changed { change, .. } = step
                && done.is_ok()
            {
                done = self.change(change, None, now);
            }
        });
        done
    }

    fn account(&self, id: AccountId) -> Result<Option<Account>, ProjectionError> {
        let sql = "SELECT customer, number, asset, scale, balance FROM accounts WHERE id = ?1";
        let row = self
            .connection
            .prepare_cached(sql)?
            .query_row([id.value().to_be_bytes()], |row| {
                let (asset, scale): (String, u8) = (row.get(2)?, row.get(3)?);
                let balance: String = row.get(4)?;
                Ok((row.get(0)?, row.get(1)?, asset, scale, balance))
            })
            .optional()?;
        let Some((customer, number, asset, scale, balance)) = row else { return Ok(None) };
        let asset = Asset::new(&asset, scale).map_err(|error| self.fault(error))?;
        let balance = Amount::parse(asset, &balance).map_err(|error| self.fault(error))?;
        Ok(Some(Account { customer: CustomerId::new(id_of(customer)), number, asset, balance }))
    }

    fn movement(
        &mut self,
        entry: &ledger::Entry,
        id: AccountId,
        account: Account,
        payment: Option<PaymentId>,
        now: Timestamp,
    ) -> Result<(), ProjectionError> {
        let (credits, debits) = sums(&entry.legs, id, account.asset).map_err(|error| self.fault(error))?;
        let (direction, amount) = match credits.minus(debits) {
            Ok(amount) => (Direction::In, amount),
            Err(_) => (Direction::Out, debits.minus(credits).map_err(|error| self.fault(error))?),
        };
        let balance = match direction {
            Direction::In => account.balance.plus(amount),
            Direction::Out => account.balance.minus(amount),
        };
        let balance_after = balance.map_err(|error| self.fault(error))?;
        let known = payment.map(|payment| self.known(payment)).transpose()?.flatten();
        let kind = kind_of(known.as_ref(), direction);
        let counterparty = match (&known, kind) {
            // The other side of what comes in from inside the bank is who pays.
            (Some(_), MovementKind::TransferIn) => self.payer(&entry.legs, id)?,
            (Some(known), _) => known.party.clone(),
            (None, _) => Party::default(),
        };
        let fee = match (&known, kind) {
            (Some(known), MovementKind::Withdrawal) => {
                Amount::parse(account.asset, &known.fee).map_err(|error| self.fault(error))?
            }
            _ => Amount::zero(account.asset),
        };
        let row = MovementRow {
            id: movement_id(entry.id, id),
            leaf: self.log.len(),
            seq: self.seq,
            account: id,
            account_number: account.number,
            customer: account.customer,
            payment: known.as_ref().and(payment),
            kind,
            direction,
            amount,
            fee,
            balance_after,
            counterparty,
            note: known.map_or_else(|| entry.memo.to_string(), |known| known.note),
            recorded_at: now,
            effective_at: entry.effective_at.unwrap_or(now),
        };
        self.write_movement(&row)
    }

    fn write_movement(&mut self, row: &MovementRow) -> Result<(), ProjectionError> {
        let bytes = statement(row).canonical_bytes().map_err(|error| self.fault(error))?;
        let leaf = self.log.append(&bytes);
        let hash = receipts::leaf_hash(&bytes);
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let sql = "INSERT INTO movements VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
        self.connection.prepare_cached(sql)?.execute(rusqlite::params![
            number(leaf),
            row.id.value().to_be_bytes(),
            number(row.seq),
            row.account.value().to_be_bytes(),
            row.customer.value().to_be_bytes(),
            row.payment.map(|id| id.value().to_be_bytes()),
            row.kind.code(),
            row.direction == Direction::In,
            row.amount.decimal(),
            row.fee.decimal(),
            row.balance_after.decimal(),
            row.counterparty.name,
            row.counterparty.account_number,
            row.counterparty.bank,
            row.note,
            number(row.recorded_at.ms()),
            number(row.effective_at.ms()),
            hash.as_bytes(),
        ])?;
        let sql = "UPDATE accounts SET balance = ?2 WHERE id = ?1";
        let key = row.account.value().to_be_bytes();
        self.connection.prepare_cached(sql)?.execute((key, row.balance_after.decimal()))?;
        self.tell(row.customer, FeedKind::Movement, row.id.value());
        self.tell(row.customer, FeedKind::Accounts, row.customer.value());
        Ok(())
    }

    fn known(&self, payment: PaymentId) -> Result<Option<Known>, ProjectionError> {
        let sql = "SELECT kind, name, number, bank, fee, note FROM payments WHERE id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row([payment.value().to_be_bytes()], |row| {
            let party = Party { name: row.get(1)?, account_number: row.get(2)?, bank: row.get(3)? };
            Ok(Known { kind: row.get(0)?, party, fee: row.get(4)?, note: row.get(5)? })
        });
        Ok(found.optional()?)
    }

    /// The account of ours that an entry takes from.
    fn payer(&self, legs: &[Leg], payee: AccountId) -> Result<Party, ProjectionError> {
        let leg = legs.iter().find(|leg| leg.side == Side::Debit && leg.account != payee);
        let Some(leg) = leg else { return Ok(Party::default()) };
        let sql = "SELECT c.name, a.number, (SELECT bank FROM profile) FROM accounts a JOIN customers c ON c.id = a.customer WHERE a.id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row([leg.account.value().to_be_bytes()], |row| {
            let bank: Option<String> = row.get(2)?;
            Ok(Party { name: row.get(0)?, account_number: row.get(1)?, bank: bank.unwrap_or_default() })
        });
        Ok(found.optional()?.unwrap_or_default())
    }
}

/// Credits and debits of one account in an entry.
fn sums(legs: &[Leg], account: AccountId, asset: Asset) -> Result<(Amount, Amount), money::AmountError> {
    let (mut credits, mut debits) = (Amount::zero(asset), Amount::zero(asset));
    for leg in legs.iter().filter(|leg| leg.account == account) {
        match leg.side {
            Side::Credit => credits = credits.plus(leg.amount)?,
            Side::Debit => debits = debits.plus(leg.amount)?,
        }
    }
    Ok((credits, debits))
}

fn kind_of(known: Option<&Known>, direction: Direction) -> MovementKind {
    match (known.map(|known| known.kind), direction) {
        (Some(0), Direction::In) => MovementKind::TransferIn,
        (Some(0), Direction::Out) => MovementKind::TransferOut,
        (Some(1), Direction::Out) => MovementKind::Withdrawal,
        (Some(2), Direction::In) => MovementKind::Deposit,
        (Some(_), _) => MovementKind::Return,
        (None, _) => MovementKind::Adjustment,
    }
}

/// The payment that a change belongs to: one of those the same journal entry names. With several (a tick moves many) the entry's reference
/// tells, which is the low half of the payment's id.
fn payment_of(change: &Change, events: &[Event]) -> Option<PaymentId> {
    let mut named = events.iter().filter_map(|event| match event {
        Event::Payments(payments::Event::Created(payment)) => Some(payment.id),
        Event::Payments(payments::Event::Moved { payment, .. }) => Some(*payment),
        _ => None,
    });
    match change.entry.as_ref().and_then(|entry| entry.reference) {
        Some(reference) => named.find(|id| id.value() & u128::from(u64::MAX) == u128::from(reference)),
        None => named.next(),
    }
}

fn step_of(state: &PaymentState) -> StepKind {
    match state {
        PaymentState::Waiting { .. } => StepKind::Waiting,
        PaymentState::Sending { .. } => StepKind::Sending,
        PaymentState::Sent { .. } => StepKind::Sent,
        PaymentState::Cancelling { .. } => StepKind::Cancelling,
        PaymentState::Confirmed { .. } => StepKind::Confirmed,
        PaymentState::Done => StepKind::Done,
        PaymentState::Cancelled { .. } => StepKind::Cancelled,
        PaymentState::Rejected { .. } => StepKind::Rejected,
        PaymentState::Returned { .. } => StepKind::Returned,
        PaymentState::Credited { to: DepositOf::Account(_), .. } => StepKind::Credited,
        PaymentState::Credited { to: DepositOf::Suspense, .. } => StepKind::Suspended,
        PaymentState::Returning { .. } => StepKind::Returning,
    }
}
