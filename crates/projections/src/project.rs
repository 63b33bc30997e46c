//! From journal entries to rows. Everything here follows from the journal alone, in its order.

use bank::{Command, Event, JournalEntry};
use identity::Actor;
use ledger::{Change, Leg, Side};
use minicbor::Decode;
use money::{AccountId, Amount, Asset, CustomerId, EntryId, MovementId, PaymentId, Timestamp};
use payments::{DepositOf, Kind, Payment, PaymentState, Settlement};
use receipts::{MerkleLog, MovementStatement, TreeHash};
use rusqlite::{CachedStatement, Connection, OptionalExtension};
use settlement::RoundKey;
use sha2::{Digest, Sha256};

use crate::feed::FeedKind;
use crate::ids::{FLUSH_COUNT, Ids};
use crate::markets::Markets;
use crate::movements::{Direction, MovementKind, MovementRow, Party, id_of};
use crate::owners::Owners;
use crate::turn::{Created, Known, News, Turn, packed_step};
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

/// What follows the journal beside the tables.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) owners: Owners,
    pub(crate) log: MerkleLog,
    pub(crate) ids: Ids,
    pub(crate) markets: Markets,
    news: News,
}

impl State {
    /// What the tables hold.
    pub(crate) fn load(connection: &Connection) -> Result<Self, ProjectionError> {
        let mut log = MerkleLog::new();
        let mut statement = connection.prepare("SELECT hash FROM movements ORDER BY leaf")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            log.append_hash(TreeHash::new(row.get(0)?));
        }
        Ok(Self {
            owners: Owners::load(connection)?,
            log,
            ids: Ids::load(connection)?,
            markets: Markets::load(connection)?,
            news: News::default(),
        })
    }
}

/// Puts journal entries into the read model, within one transaction.
pub(crate) struct Projecting<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) state: &'c mut State,
    insert_payment: CachedStatement<'c>,
    insert_movement: CachedStatement<'c>,
    insert_news: CachedStatement<'c>,
}

impl<'c> Projecting<'c> {
    pub(crate) fn new(connection: &'c Connection, state: &'c mut State) -> Result<Self, ProjectionError> {
        Ok(Self {
            connection,
            state,
            insert_payment: connection.prepare_cached(
                "INSERT INTO payments VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?,
            insert_movement: connection.prepare_cached(
                "INSERT INTO movements VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
            )?,
            insert_news: connection.prepare_cached("INSERT INTO feed VALUES (?1, ?2, ?3)")?,
        })
    }

    /// How many movements there are.
    pub(crate) fn movements(&self) -> u64 {
        self.state.log.len()
    }

    /// Puts in the entry that a record holds, and answers with when it was recorded.
    pub(crate) fn record(&mut self, seq: u64, bytes: &[u8]) -> Result<Timestamp, ProjectionError> {
        let unreadable =
            |error: minicbor::decode::Error| ProjectionError::Entry { seq, problem: error.to_string() };
        let recorded: Recorded = minicbor::decode(bytes).map_err(unreadable)?;
        let is_batch = recorded.events.iter().any(|event| matches!(event, Event::LedgerBatch(_)));
        let whole = is_batch.then(|| JournalEntry::from_bytes(bytes)).transpose().map_err(unreadable)?;
        self.put_in(seq, recorded.seen(), whole.as_ref().map(|entry| &entry.command))?;
        Ok(recorded.recorded_at)
    }

    /// Puts in an entry that needs no reading.
    pub(crate) fn entry(&mut self, seq: u64, entry: &JournalEntry) -> Result<(), ProjectionError> {
        let JournalEntry { recorded_at, actor, command, events, .. } = entry;
        let seen = Seen { recorded_at: *recorded_at, actor, events };
        self.put_in(seq, seen, Some(command))
    }

    fn put_in(
        &mut self,
        seq: u64,
        entry: Seen<'_>,
        command: Option<&Command>,
    ) -> Result<(), ProjectionError> {
        let mut turn = Turn::new(seq, entry.recorded_at, std::mem::take(&mut self.state.news));
        for event in entry.events {
            match event {
                Event::Identity(event) => self.identity(&mut turn, event, entry.actor)?,
                Event::Payments(event) => self.payment(&mut turn, event)?,
                Event::Ledger(ledger::Event::Changed { change, .. }) => {
                    let about = payment_of(change, entry.events);
                    self.change(&mut turn, change, about)?;
                }
                Event::LedgerBatch(outcome) => self.batch(&mut turn, command, outcome)?,
                Event::Settlement(settlement::Event::RoundSettled { key, .. }) => {
                    self.settled(&mut turn, key)?;
                }
                Event::Exchange(outcome) => self.exchange(&mut turn, outcome)?,
                Event::Ledger(_)
                | Event::Settlement(_)
                | Event::Cells(_)
                | Event::EffectQueued { .. }
                | Event::EffectEnded { .. } => {}
            }
        }
        self.finish(turn)
    }

    /// Writes what the entry gathered.
    fn finish(&mut self, mut turn: Turn<'_>) -> Result<(), ProjectionError> {
        for created in &turn.created {
            let payment = created.payment;
            let other = &payment.counterparty;
            self.insert_payment.execute(rusqlite::params![
                payment.id.value().to_be_bytes(),
                created.customer.map(|id| id.value().to_be_bytes()),
                created.account.map(|id| id.value().to_be_bytes()),
                kind_code(payment.kind),
                created.is_open,
                number(payment.created_at.ms()),
                other.name.as_str(),
                other.account.as_str(),
                other.bank.as_str(),
                payment.fee.decimal(),
                payment.note.as_str(),
                payment.rail.name(),
                created.steps,
                created.leaves,
            ])?;
        }
        let (seq, insert) = (number(turn.seq), &mut self.insert_news);
        turn.news.drain(|customer, items| {
            insert.execute((customer.value().to_be_bytes(), seq, items)).map(|_| ())
        })?;
        self.state.news = turn.news;
        Ok(())
    }

    /// Writes what is kept back until the end of a transaction.
    pub(crate) fn end(self) -> Result<(), ProjectionError> {
        self.state.markets.write(self.connection)?;
        self.state.owners.write_balances(self.connection)
    }

    fn identity(
        &mut self,
        turn: &mut Turn<'_>,
        event: &identity::Event,
        actor: &Actor,
    ) -> Result<(), ProjectionError> {
        use identity::Event as E;
        let owners = &mut self.state.owners;
        let customer = match event {
            E::Enrolled { customer, name, .. } => {
                let sql = "INSERT INTO customers VALUES (?1, ?2)";
                let row = (customer.value().to_be_bytes(), name.as_str());
                self.connection.prepare_cached(sql)?.execute(row)?;
                owners.enrol(*customer, name.as_str());
                None
            }
            E::SessionOpened { customer, session, .. } => {
                let sql = "INSERT INTO sessions VALUES (?1, ?2)";
                let row = (session.id.value().to_be_bytes(), customer.value().to_be_bytes());
                self.connection.prepare_cached(sql)?.execute(row)?;
                owners.open_session(session.id, *customer);
                Some(*customer)
            }
            E::SessionClosed { session } => {
                let sql = "DELETE FROM sessions WHERE id = ?1";
                self.connection.prepare_cached(sql)?.execute([session.value().to_be_bytes()])?;
                owners.close_session(*session)
            }
            E::DeviceBound { customer, .. }
            | E::CredentialAdded { customer, .. }
            | E::TotpBegun { customer, .. }
            | E::TotpUsed { customer, .. }
            | E::TotpRemoved { customer }
            | E::Locked { customer }
            | E::Unlocked { customer }
            | E::Graded { customer, .. } => Some(*customer),
            E::DeviceBlocked { .. } | E::CredentialRemoved { .. } => match actor {
                Actor::Session(session) => owners.customer_of_session(*session),
                Actor::System
                | Actor::Visitor
                | Actor::Rail(_)
                | Actor::Operator(_)
                | Actor::Tenant(_)
                | Actor::Cell(_) => None,
            },
            E::CredentialUsed { .. }
            | E::LocaleSet { .. }
            | E::PayeeAdded { .. }
            | E::PayeeRemoved { .. }
            | E::LimitsSet(_) => None,
        };
        if let Some(customer) = customer {
            turn.news.security(customer);
        }
        Ok(())
    }

    fn payment<'e>(
        &mut self,
        turn: &mut Turn<'e>,
        event: &'e payments::Event,
    ) -> Result<(), ProjectionError> {
        use payments::Event as E;
        match event {
            E::ProfileSet(profile) => {
                let sql = "INSERT OR REPLACE INTO profile VALUES (1, ?1)";
                self.connection.prepare_cached(sql)?.execute([profile.bank.as_str()])?;
                self.state.owners.set_bank(profile.bank.as_str());
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
                self.state.owners.open_account(*account, *customer, number.as_str(), *asset);
                turn.news.accounts(*customer);
            }
            E::Created(payment) => self.created(turn, payment)?,
            E::Moved { payment, to } => self.moved(turn, *payment, to)?,
            E::BooksOpened(_)
            | E::RailSet(_)
            | E::RailChanged { .. }
            | E::MessageTaken { .. }
            | E::SerialsUsed { .. }
            | E::AnswerConflict { .. } => {}
        }
        Ok(())
    }

    fn created<'e>(&self, turn: &mut Turn<'e>, payment: &'e Payment) -> Result<(), ProjectionError> {
        let step = step_of(&payment.state);
        turn.created.push(Created {
            payment,
            customer: payment.customer,
            account: payment.account,
            is_open: step.is_open(),
            steps: packed_step(step, payment.created_at, turn.seq).to_vec(),
            leaves: Vec::new(),
        });
        self.in_round(payment.id, payment.rail.name(), &payment.state)?;
        if let Some(customer) = payment.customer {
            turn.news.payment(customer, payment.id);
        }
        Ok(())
    }

    fn moved(
        &self,
        turn: &mut Turn<'_>,
        payment: PaymentId,
        to: &PaymentState,
    ) -> Result<(), ProjectionError> {
        let step = step_of(to);
        let credited = match to {
            PaymentState::Credited { to: DepositOf::Account(account), .. } => {
                Some((*account, self.state.owners.account(*account).map(|owned| owned.customer)))
            }
            _ => None,
        };
        let packed = packed_step(step, turn.now, turn.seq);
        let (customer, rail) = if let Some(created) = turn.created(payment) {
            if let Some((account, customer)) = credited {
                (created.account, created.customer) = (Some(account), customer);
            }
            created.is_open = step.is_open();
            created.steps.extend_from_slice(&packed);
            (created.customer, created.payment.rail.name().to_owned())
        } else {
            let key = payment.value().to_be_bytes();
            if let Some((account, customer)) = credited {
                let sql = "UPDATE payments SET account = ?2, customer = ?3 WHERE id = ?1";
                let customer = customer.map(|customer| customer.value().to_be_bytes());
                self.connection.prepare_cached(sql)?.execute((
                    key,
                    account.value().to_be_bytes(),
                    customer,
                ))?;
            }
            let sql = "UPDATE payments SET is_open = ?2, steps = CAST(steps || ?3 AS BLOB) WHERE id = ?1 RETURNING customer, rail";
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.query_row((key, step.is_open(), packed), |row| Ok((customer_in(row)?, row.get(1)?)))?
        };
        self.in_round(payment, &rail, to)?;
        if let Some(customer) = customer {
            turn.news.payment(customer, payment);
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
    fn settled(&self, turn: &mut Turn<'_>, key: &RoundKey) -> Result<(), ProjectionError> {
        let sql = "DELETE FROM open_rounds WHERE rail = ?1 AND date = ?2 AND round = ?3 RETURNING payment";
        let payments: Vec<[u8; 16]> = self
            .connection
            .prepare_cached(sql)?
            .query_map((key.rail.as_str(), key.date.days(), key.round), |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let packed = packed_step(StepKind::Settled, turn.now, turn.seq);
        let sql = "UPDATE payments SET steps = CAST(steps || ?2 AS BLOB) WHERE id = ?1 RETURNING customer";
        let mut statement = self.connection.prepare_cached(sql)?;
        for payment in payments {
            if let Some(customer) = statement.query_row((payment, packed), customer_in)? {
                turn.news.payment(customer, PaymentId::new(id_of(payment)));
            }
        }
        Ok(())
    }

    /// A change of the ledger, of `payment` where one is behind it. Accounts without an owner are passed over.
    fn change(
        &mut self,
        turn: &mut Turn<'_>,
        change: &Change,
        payment: Option<PaymentId>,
    ) -> Result<(), ProjectionError> {
        for hold in &change.places {
            if let Some(owned) = self.state.owners.account(hold.account) {
                turn.news.accounts(owned.customer);
            }
        }
        if let (false, Some(payment)) = (change.ends.is_empty(), payment) {
            let customer = match turn.created(payment) {
                Some(created) => created.customer,
                None => {
                    let sql = "SELECT customer FROM payments WHERE id = ?1";
                    let mut statement = self.connection.prepare_cached(sql)?;
                    statement.query_row([payment.value().to_be_bytes()], customer_in).optional()?.flatten()
                }
            };
            if let Some(customer) = customer {
                turn.news.accounts(customer);
            }
        }
        let Some(entry) = &change.entry else { return Ok(()) };
        for (at, leg) in entry.legs.iter().enumerate() {
            if self.state.owners.account(leg.account).is_none() {
                continue;
            }
            let is_first = !entry.legs.iter().take(at).any(|before| before.account == leg.account);
            if is_first {
                self.movement(turn, entry, leg.account, payment)?;
            }
        }
        Ok(())
    }

    /// The rows of a batch that were taken. They are staff's, so no payment is behind them.
    fn batch(
        &mut self,
        turn: &mut Turn<'_>,
        command: Option<&Command>,
        outcome: &ledger::BatchOutcome,
    ) -> Result<(), ProjectionError> {
        let Some(Command::LedgerBatch(batch)) = command else { return Ok(()) };
        // Most batches are between accounts that nobody looks at here.
        if !batch.touches(|id| self.state.owners.account(id).is_some()) {
            return Ok(());
        }
        let mut done = Ok(());
        batch.replay(outcome, |step| {
            if let ledger::Step::Changed { change, .. } = step
                && done.is_ok()
            {
                done = self.change(turn, change, None);
            }
        });
        done
    }

    fn movement(
        &mut self,
        turn: &mut Turn<'_>,
        entry: &ledger::Entry,
        id: AccountId,
        payment: Option<PaymentId>,
    ) -> Result<(), ProjectionError> {
        let seq = turn.seq;
        let fault =
            |problem: money::AmountError| ProjectionError::Entry { seq, problem: problem.to_string() };
        let Some(owned) = self.state.owners.account(id) else { return Ok(()) };
        let asset = owned.balance.asset();
        let (credits, debits) = sums(&entry.legs, id, asset).map_err(fault)?;
        let (direction, amount) = match credits.minus(debits) {
            Ok(amount) => (Direction::In, amount),
            Err(_) => (Direction::Out, debits.minus(credits).map_err(fault)?),
        };
        let balance = match direction {
            Direction::In => owned.balance.plus(amount),
            Direction::Out => owned.balance.minus(amount),
        };
        let balance_after = balance.map_err(fault)?;
        let (customer, account_number) = (owned.customer, owned.number.as_ref().to_owned());
        let known = match payment {
            Some(payment) => match turn.created(payment) {
                Some(created) => Some(created.known()),
                None => self.known(payment)?,
            },
            None => None,
        };
        let kind = kind_of(known.as_ref(), direction);
        let fee = match (&known, kind) {
            (Some(known), MovementKind::Withdrawal) => Amount::parse(asset, &known.fee).map_err(fault)?,
            _ => Amount::zero(asset),
        };
        let payment = known.as_ref().and(payment);
        let (party, note) = match known {
            // The other side of what comes in from inside the bank is who pays.
            Some(known) if kind == MovementKind::TransferIn => (self.payer(&entry.legs, id), known.note),
            Some(known) => (known.party, known.note),
            None => (Party::default(), entry.memo.to_string()),
        };
        let row = MovementRow {
            id: movement_id(entry.id, id),
            leaf: self.state.log.len(),
            seq,
            account: id,
            account_number,
            customer,
            payment,
            kind,
            direction,
            amount,
            fee,
            balance_after,
            counterparty: party,
            note,
            recorded_at: turn.now,
            effective_at: entry.effective_at.unwrap_or(turn.now),
        };
        self.write_movement(turn, &row)
    }

    pub(crate) fn write_movement(
        &mut self,
        turn: &mut Turn<'_>,
        row: &MovementRow,
    ) -> Result<(), ProjectionError> {
        let stated = statement(row);
        let fault = |problem: receipts::StatementError| ProjectionError::Entry {
            seq: row.seq,
            problem: problem.to_string(),
        };
        let hash = receipts::leaf_hash(&stated.canonical_bytes().map_err(fault)?);
        let leaf = self.state.log.append_hash(hash);
        self.state.ids.push(self.connection, row.id, FLUSH_COUNT)?;
        self.insert_movement.execute(rusqlite::params![
            number(leaf),
            row.id.value().to_be_bytes(),
            number(row.seq),
            row.account.value().to_be_bytes(),
            row.customer.value().to_be_bytes(),
            row.payment.map(|id| id.value().to_be_bytes()),
            row.kind.code(),
            row.direction == Direction::In,
            stated.amount,
            stated.fee,
            row.balance_after.decimal(),
            row.counterparty.name,
            row.counterparty.account_number,
            row.counterparty.bank,
            row.note,
            number(row.recorded_at.ms()),
            number(row.effective_at.ms()),
            hash.as_bytes(),
        ])?;
        if let Some(payment) = row.payment {
            match turn.created(payment) {
                Some(created) => created.leaves.extend_from_slice(&leaf.to_be_bytes()),
                None => {
                    let sql = "UPDATE payments SET leaves = CAST(leaves || ?2 AS BLOB) WHERE id = ?1";
                    let row = (payment.value().to_be_bytes(), leaf.to_be_bytes());
                    self.connection.prepare_cached(sql)?.execute(row)?;
                }
            }
        }
        self.state.owners.set_balance(row.account, row.balance_after);
        turn.news.tell(row.customer, FeedKind::Movement, row.id.value());
        turn.news.accounts(row.customer);
        Ok(())
    }

    fn known(&self, payment: PaymentId) -> Result<Option<Known>, ProjectionError> {
        let sql = "SELECT kind, name, number, bank, fee, note FROM payments WHERE id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row([payment.value().to_be_bytes()], |row| {
            let party = Party { name: row.get(1)?, account_number: row.get(2)?, bank: row.get(3)? };
            let kind = kind_from_code(row.get(0)?);
            Ok(Known { kind, party, fee: row.get(4)?, note: row.get(5)? })
        });
        Ok(found.optional()?)
    }

    /// The account of ours that an entry takes from.
    fn payer(&self, legs: &[Leg], payee: AccountId) -> Party {
        let leg = legs.iter().find(|leg| leg.side == Side::Debit && leg.account != payee);
        leg.and_then(|leg| self.state.owners.party(leg.account)).unwrap_or_default()
    }
}

/// What the read models need of a journal entry; the command, which most entries repeat in their events, is passed over.
#[derive(Debug, Decode)]
struct Recorded {
    #[n(1)]
    recorded_at: Timestamp,
    #[n(2)]
    actor: Actor,
    #[n(6)]
    events: Vec<Event>,
}

impl Recorded {
    fn seen(&self) -> Seen<'_> {
        Seen { recorded_at: self.recorded_at, actor: &self.actor, events: &self.events }
    }
}

/// That, wherever it comes from.
#[derive(Debug, Clone, Copy)]
struct Seen<'e> {
    recorded_at: Timestamp,
    actor: &'e Actor,
    events: &'e [Event],
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn customer_in(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<CustomerId>> {
    Ok(row.get::<_, Option<[u8; 16]>>(0)?.map(|bytes| CustomerId::new(id_of(bytes))))
}

const fn kind_code(kind: Kind) -> u8 {
    match kind {
        Kind::Transfer => 0,
        Kind::Withdrawal => 1,
        Kind::Deposit => 2,
    }
}

const fn kind_from_code(code: u8) -> Kind {
    match code {
        0 => Kind::Transfer,
        1 => Kind::Withdrawal,
        _ => Kind::Deposit,
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
        (Some(Kind::Transfer), Direction::In) => MovementKind::TransferIn,
        (Some(Kind::Transfer), Direction::Out) => MovementKind::TransferOut,
        (Some(Kind::Withdrawal), Direction::Out) => MovementKind::Withdrawal,
        (Some(Kind::Deposit), Direction::In) => MovementKind::Deposit,
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
