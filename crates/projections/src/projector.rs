//! The projector's thread, and the way for readers.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use std::collections::BTreeMap;

use exchange::quote::OfferId;
use exchange::{MarketNumber, OrderId};
use journal::{Hash, Reader};
use money::{CustomerId, MovementId, PaymentId, Timestamp};
use node::{Handle, Tail};
use receipts::{JournalPoint, MerkleLog, NoteSigner, Receipt, VerifierKey};
use rusqlite::{Connection, OpenFlags};

use crate::ids::Recent;
use crate::markets::{self, CandleRow, ConversionRow, FillRow, MarketQuery, OrderRow, TradeRow};
use crate::movements::{self, MovementQuery, MovementRow, Page};
use crate::payments::{self, PaymentRow, StepRow};
use crate::place::Place;
use crate::project::{Projecting, State};
use crate::{FeedRow, ProjectionError, checkpoints, feed, schema};

/// Most journal entries in one transaction, so that readers see progress during a rebuild.
const BATCH_MAX: u64 = 8_192;
/// Most movements in one transaction: an entry may hold a whole batch of them.
const MOVEMENTS_MAX: u64 = 16_384;
/// From so many entries in one transaction on there is load, and the projector waits a little for more: a transaction costs a signature, two
/// synchronous writes and each page it touches, however many entries are in it.
const LOAD_MIN: u64 = 32;
/// Or from so many bytes on: an entry may hold a thousand rows.
const LOAD_BYTES: usize = 64 * 1024;
/// How much the projector steps back for those who are waited for. It still has a third of a core where all want one.
const NICENESS: i32 = 3;
/// How long a transaction stays open then: how late a screen is under load.
const LOAD_OPEN: Duration = Duration::from_millis(50);
/// How often it puts in what has come meanwhile: little work at a time holds up nobody who shares the processor.
const LOAD_STEP: Duration = Duration::from_millis(4);
/// Longest sleep of the projector when nothing comes.
const SLEEP_MAX: Duration = Duration::from_millis(250);
/// Most bytes of durable entries that wait for the projector in memory: more than what comes while one transaction is made durable, so that the journal is read back
/// only after a start and where the projector cannot keep up.
const HANDED_BYTES_MAX: usize = 16 << 20;
/// How long the projector waits after a fault before it tries again.
const FAULT_PAUSE: Duration = Duration::from_secs(1);
/// Idle connections of readers that are kept.
const IDLE_MAX: usize = 8;

/// How read models are kept.
pub struct Config {
    /// The bank's data folder: its journal is read, `read.sqlite` and `checkpoint.note` are written.
    pub data: PathBuf,
    /// Signs checkpoints.
    pub signer: NoteSigner,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("data", &self.data).finish_non_exhaustive()
    }
}

/// How far the read models are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Last journal entry put in.
    pub seq: u64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// How many movements the log has.
    pub movements: u64,
}

struct Shared {
    path: PathBuf,
    log: RwLock<MerkleLog>,
    recent: RwLock<Recent>,
    progress: Mutex<Status>,
    changed: Condvar,
    idle: Mutex<Vec<Connection>>,
    key: VerifierKey,
    stopping: AtomicBool,
}

/// The running projector; dropping it stops the thread.
pub struct Projections {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Projections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Projections").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

impl Projections {
    /// Opens the read models, or makes them anew where the file is absent, of another version or does not fit the journal; then follows
    /// the journal on a thread of its own.
    ///
    /// # Errors
    /// A file that can neither be used nor replaced.
    pub fn start(config: Config, handle: Handle) -> Result<Self, ProjectionError> {
        let path = config.data.join("read.sqlite");
        let writer = Writer::open(&config, &path)?;
        let mut recent = Recent::default();
        recent.follow(&writer.state.ids);
        let shared = Arc::new(Shared {
            path,
            log: RwLock::new(writer.state.log.clone()),
            recent: RwLock::new(recent),
            progress: Mutex::new(writer.status()),
            changed: Condvar::new(),
            idle: Mutex::new(Vec::new()),
            key: config.signer.verifier().clone(),
            stopping: AtomicBool::new(false),
        });
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("projector".to_owned())
            .spawn(move || follow(writer, &config, &handle, &for_thread))
            .map_err(|source| ProjectionError::File { what: "start a thread".to_owned(), source })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// A way to read.
    #[must_use]
    pub fn reader(&self) -> ReadModel {
        ReadModel { shared: Arc::clone(&self.shared) }
    }
}

impl Drop for Projections {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn follow(mut writer: Writer, config: &Config, handle: &Handle, shared: &Shared) {
    // The priority of this thread alone: a payment's answer waits for others, never for this one.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::info!(%error, "read models are made at the priority of all else");
    }
    let tail = handle.tail(HANDED_BYTES_MAX);
    while !shared.stopping.load(Ordering::Relaxed) {
        let durable = handle.wait_beyond(writer.place.seq, SLEEP_MAX).seq;
        match writer.catch_up(config, shared, handle, &tail, durable) {
            Ok(()) => {}
            Err(error) => {
                tracing::error!(%error, seq = writer.place.seq, "the read model cannot go on; trying again");
                std::thread::sleep(FAULT_PAUSE);
                match Writer::open(config, &shared.path) {
                    Ok(again) => writer = again,
                    Err(error) => tracing::error!(%error, "the read model cannot be opened"),
                }
            }
        }
    }
}

/// The Merkle log of a journal, made from nothing else: what an audit compares with the bank's signed checkpoints.
///
/// # Errors
/// A journal that cannot be read, or an entry that cannot be put in.
pub fn rebuild_log(journal: &Path) -> Result<MerkleLog, ProjectionError> {
    let mut reader = Reader::open(journal, 1)?;
    rebuild_log_from(|| -> Result<_, ProjectionError> {
        Ok(reader.next()?.map(|record| (record.seq, record.bytes)))
    })
}

/// Like [`rebuild_log`], from records that `next` gives in order, from the first on, with their numbers.
///
/// # Errors
/// As `next`, or an entry that cannot be put in.
pub fn rebuild_log_from<E: From<ProjectionError>>(
    mut next: impl FnMut() -> Result<Option<(u64, Vec<u8>)>, E>,
) -> Result<MerkleLog, E> {
    let connection = Connection::open_in_memory().map_err(ProjectionError::from)?;
    schema::prepare(&connection)?;
    connection.set_prepared_statement_cache_capacity(64);
    let mut state = State::default();
    let mut projecting = Projecting::new(&connection, &mut state)?;
    while let Some((seq, bytes)) = next()? {
        projecting.record(seq, &bytes)?;
    }
    drop(projecting);
    Ok(state.log)
}

/// The one connection that writes, and what goes with it.
struct Writer {
    connection: Connection,
    place: Place,
    state: State,
}

impl Writer {
    fn open(config: &Config, path: &Path) -> Result<Self, ProjectionError> {
        let journal = config.data.join("journal");
        if let Some(writer) = Self::open_existing(path, &journal)? {
            return Ok(writer);
        }
        // Without the first records it could not be made again: it stays as it is.
        drop(Reader::open(&journal, 1)?);
        tracing::warn!("the read model does not fit the journal and is made again");
        for suffix in ["", "-wal", "-shm"] {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            match std::fs::remove_file(&name) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => {
                    let what = "remove the old read model".to_owned();
                    return Err(ProjectionError::File { what, source });
                }
            }
        }
        Self::open_existing(path, &journal)?.ok_or(ProjectionError::Entry {
            seq: 0,
            problem: "a new read model does not fit the journal".to_owned(),
        })
    }

    fn open_existing(path: &Path, journal: &Path) -> Result<Option<Self>, ProjectionError> {
        let connection = Connection::open(path)?;
        let usable = schema::configure(&connection).and_then(|()| schema::prepare(&connection));
        if !usable.unwrap_or(false) {
            return Ok(None);
        }
        let (seq, hash, at): (i64, Vec<u8>, i64) =
            connection.query_row("SELECT seq, hash, recorded_at FROM meta", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        let seq = u64::try_from(seq).unwrap_or(0);
        let mut known = Hash::default();
        let mut reader = Reader::open(journal, seq)?;
        if seq > 0 {
            match reader.next()? {
                Some(record) if record.seq == seq && record.hash.as_bytes().as_slice() == hash => {
                    known = record.hash;
                }
                _ => return Ok(None),
            }
        }
        let state = State::load(&connection)?;
        let recorded_at = Timestamp::from_ms(u64::try_from(at).unwrap_or(0));
        let place = Place::new(journal, seq, known, recorded_at);
        Ok(Some(Self { connection, place, state }))
    }

    fn status(&self) -> Status {
        let Place { seq, recorded_at, .. } = self.place;
        Status { seq, recorded_at, movements: self.state.log.len() }
    }

    /// Puts in what is durable, in one transaction after another. Under load each waits for more that becomes so: a reader could see a group a moment earlier.
    fn catch_up(
        &mut self,
        config: &Config,
        shared: &Shared,
        handle: &Handle,
        tail: &Tail,
        mut durable: u64,
    ) -> Result<(), ProjectionError> {
        while self.place.seq < durable && !shared.stopping.load(Ordering::Relaxed) {
            let (leaves, before, begun) = (self.state.log.len(), self.place.seq, Instant::now());
            let mut bytes = 0_usize;
            let transaction = self.connection.unchecked_transaction()?;
            let mut projecting = Projecting::new(&transaction, &mut self.state)?;
            loop {
                let is_full = self.place.seq.saturating_sub(before) >= BATCH_MAX
                    || projecting.movements().saturating_sub(leaves) >= MOVEMENTS_MAX;
                if is_full {
                    break;
                }
                if let Some(taken) = self.place.go_on(&mut projecting, tail, durable)? {
                    bytes = bytes.saturating_add(taken);
                    continue;
                }
                let is_load = self.place.seq.saturating_sub(before) >= LOAD_MIN || bytes >= LOAD_BYTES;
                if !is_load || begun.elapsed() >= LOAD_OPEN || shared.stopping.load(Ordering::Relaxed) {
                    break;
                }
                std::thread::sleep(LOAD_STEP);
                durable = handle.durable().seq;
            }
            projecting.end()?;
            let Place { seq, hash, recorded_at, .. } = self.place;
            if seq == before {
                break;
            }
            let at = i64::try_from(recorded_at.ms()).unwrap_or(i64::MAX);
            transaction
                .prepare_cached("UPDATE meta SET seq = ?1, hash = ?2, recorded_at = ?3")?
                .execute((i64::try_from(seq).unwrap_or(i64::MAX), hash.as_bytes(), at))?;
            if self.state.log.len() > leaves {
                let point = JournalPoint { seq, hash: *hash.as_bytes() };
                let file = config.data.join("checkpoint.note");
                checkpoints::sign(&transaction, &self.state.log, &config.signer, point, &file)?;
            }
            transaction.commit()?;
            self.publish(shared);
        }
        Ok(())
    }

    fn publish(&self, shared: &Shared) {
        let mut log = shared.log.write().unwrap_or_else(PoisonError::into_inner);
        if log.len() > self.state.log.len() {
            *log = MerkleLog::new();
        }
        for leaf in log.len()..self.state.log.len() {
            if let Some(hash) = self.state.log.leaf(leaf) {
                log.append_hash(hash);
            }
        }
        drop(log);
        // After the rows were committed: who finds no id here any more finds it in its table.
        shared.recent.write().unwrap_or_else(PoisonError::into_inner).follow(&self.state.ids);
        *shared.progress.lock().unwrap_or_else(PoisonError::into_inner) = self.status();
        shared.changed.notify_all();
    }
}

/// Reads the read models, from any thread.
#[derive(Clone)]
pub struct ReadModel {
    shared: Arc<Shared>,
}

impl fmt::Debug for ReadModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadModel").field("status", &self.status()).finish()
    }
}

impl ReadModel {
    /// How far the read models are.
    #[must_use]
    pub fn status(&self) -> Status {
        *self.shared.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until entry `seq` is in, or the time is over; answers whether it is.
    #[must_use]
    pub fn wait_for(&self, seq: u64, timeout: Duration) -> bool {
        let end = Instant::now().checked_add(timeout);
        let mut progress = self.shared.progress.lock().unwrap_or_else(PoisonError::into_inner);
        while progress.seq < seq {
            let left = end.map_or(Duration::ZERO, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() || self.shared.stopping.load(Ordering::Relaxed) {
                return false;
            }
            let waited = self.shared.changed.wait_timeout(progress, left);
            progress = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// A page of a customer's movements, newest first.
    ///
    /// # Errors
    /// A cursor that was not given out, or a fault of the database.
    pub fn movements(&self, customer: CustomerId, query: &MovementQuery) -> Result<Page, ProjectionError> {
        self.with(|connection| movements::page(connection, customer, query))
    }

    /// One movement of a customer.
    ///
    /// # Errors
    /// [`ProjectionError::MovementUnknown`].
    pub fn movement(&self, customer: CustomerId, id: MovementId) -> Result<MovementRow, ProjectionError> {
        let recent = self.recent(id);
        self.with(|connection| movements::one(connection, id, recent, customer))
    }

    /// A customer's payments, newest first.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn payments(
        &self,
        customer: CustomerId,
        open_only: bool,
        max: usize,
    ) -> Result<Vec<PaymentRow>, ProjectionError> {
        self.with(|connection| payments::of_customer(connection, customer, open_only, max))
    }

    /// The steps a payment has gone through, in order.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn steps(&self, payment: PaymentId) -> Result<Vec<StepRow>, ProjectionError> {
        self.with(|connection| payments::steps(connection, payment))
    }

    /// The movements of a payment on a customer's accounts.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn movements_of(
        &self,
        payment: PaymentId,
        customer: CustomerId,
    ) -> Result<Vec<MovementId>, ProjectionError> {
        self.with(|connection| payments::movements_of(connection, payment, customer))
    }

    /// When a customer last paid each account, by account number and clearing number.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn last_paid(
        &self,
        customer: CustomerId,
    ) -> Result<BTreeMap<(String, String), Timestamp>, ProjectionError> {
        self.with(|connection| payments::last_paid(connection, customer))
    }

    /// What changed for a customer after an entry.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn feed(
        &self,
        customer: CustomerId,
        after: u64,
        max: usize,
    ) -> Result<Vec<FeedRow>, ProjectionError> {
        self.with(|connection| feed::after(connection, customer, after, max))
    }

    /// A customer's orders on the markets, newest first.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn orders(
        &self,
        customer: CustomerId,
        query: &MarketQuery,
    ) -> Result<Vec<OrderRow>, ProjectionError> {
        self.with(|connection| markets::orders(connection, customer, query))
    }

    /// The newest orders of all customers in a market, newest first.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn orders_in(&self, market: MarketNumber, limit: usize) -> Result<Vec<OrderRow>, ProjectionError> {
        self.with(|connection| markets::orders_in(connection, market, limit))
    }

    /// One order of a customer.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn order(
        &self,
        customer: CustomerId,
        market: MarketNumber,
        id: OrderId,
    ) -> Result<Option<OrderRow>, ProjectionError> {
        self.with(|connection| markets::order(connection, customer, market, id))
    }

    /// The orders of a customer that a journal entry placed, and their fills in it.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn orders_by_entry(
        &self,
        customer: CustomerId,
        seq: u64,
    ) -> Result<(Vec<OrderRow>, Vec<FillRow>), ProjectionError> {
        self.with(|connection| markets::orders_by_entry(connection, customer, seq))
    }

    /// The fills of a customer's orders, newest first.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn fills(&self, customer: CustomerId, query: &MarketQuery) -> Result<Vec<FillRow>, ProjectionError> {
        self.with(|connection| markets::fills(connection, customer, query))
    }

    /// The trades of a market before a number, newest first.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn trades(
        &self,
        market: MarketNumber,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<TradeRow>, ProjectionError> {
        self.with(|connection| markets::trades(connection, market, before, limit))
    }

    /// The candles of so many minutes of a market that begin in a span of time, oldest first.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn candles(
        &self,
        market: MarketNumber,
        minutes: u64,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<CandleRow>, ProjectionError> {
        self.with(|connection| markets::candles(connection, market, minutes, from, until))
    }

    /// The conversions of a customer, newest first; only the one of an offer where that is named.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn conversions(
        &self,
        customer: CustomerId,
        offer: Option<OfferId>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<ConversionRow>, ProjectionError> {
        self.with(|connection| markets::conversions(connection, customer, offer, before, limit))
    }

    /// The receipt of a movement.
    ///
    /// # Errors
    /// [`ProjectionError::MovementUnknown`], or [`ProjectionError::ReceiptNotReady`] for the moment until its checkpoint is signed.
    pub fn receipt(&self, customer: CustomerId, id: MovementId) -> Result<Receipt, ProjectionError> {
        let recent = self.recent(id);
        let (movement, checkpoint) = self.with(|connection| {
            Ok((movements::one(connection, id, recent, customer)?, checkpoints::latest(connection)?))
        })?;
        let log = self.shared.log.read().unwrap_or_else(PoisonError::into_inner);
        checkpoints::receipt(&movement, &log, checkpoint, self.shared.key.name())
    }

    /// The latest signed checkpoint of the log.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn checkpoint(&self) -> Result<Option<String>, ProjectionError> {
        self.with(|connection| Ok(checkpoints::latest(connection)?.map(|(_, note)| note)))
    }

    /// The public key of the log.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        &self.shared.key
    }

    fn recent(&self, id: MovementId) -> Option<u64> {
        self.shared.recent.read().unwrap_or_else(PoisonError::into_inner).leaf(id)
    }

    fn with<T>(
        &self,
        look: impl FnOnce(&Connection) -> Result<T, ProjectionError>,
    ) -> Result<T, ProjectionError> {
        let idle = self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = Connection::open_with_flags(&self.shared.path, flags)?;
                connection.busy_timeout(Duration::from_secs(5))?;
                connection
            }
        };
        let answer = look(&connection)?;
        let mut idle = self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
        Ok(answer)
    }
}
