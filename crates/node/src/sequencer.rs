//! The one thread that changes the state.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bank::{Admitted, Bank, Command, Refusal, RelyingParty, Seen, Submission, Turn};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use identity::Actor;
use journal::{FileJournal, JournalError, StreamError};
use money::{CommandId, Timestamp};
use thiserror::Error;

use crate::cluster::{Cluster, NotLeader, Replica, Role};
use crate::handle::{Progress, Shared};
use crate::history::Bounded;
use crate::recover::{RecoverError, recover};
use crate::tail::Followed;
use crate::writer::{Group, ReplyTo, ToWriter, write_groups};
use crate::{Clock, Handle, Replies, SubmitError, Taken, snapshots};

/// Most batches that wait for their turn: beyond it clients are told to come back, before memory fills.
const QUEUE_MAX: usize = 16_384;
/// Most commands of one group: enough to fill a disk write, few enough that the first does not wait long for the last.
const GROUP_COMMANDS_MAX: usize = 8_192;
/// Longest sleep of the sequencer: how late a timer can be when the clock is changed under it.
pub(crate) const SLEEP_MAX: Duration = Duration::from_millis(250);
/// How far the making of snapshots stands back: half of the way down.
const SNAPSHOT_NICENESS: i32 = 10;
/// How long nothing is tried again after the disk was full, so that recovery is not repeated for every command.
const NO_ROOM_PAUSE: Duration = Duration::from_secs(1);

/// How a node runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder of the journal and the snapshots.
    pub data: PathBuf,
    /// Options of the journal.
    pub journal: journal::Options,
    /// Epoch of this writer; in a cluster each lead has its own.
    pub epoch: u64,
    /// A snapshot is made when so much work for a replay has come since the last ([`Bank::work`]); never when absent.
    pub snapshot_every: Option<u64>,
    /// About how many entries of the ledger stay in memory; the rest is found in files. All of them when absent.
    pub history_in_memory: Option<u32>,
    /// Who we are to an authenticator.
    pub relying_party: RelyingParty,
}

/// Why a node cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The journal is damaged, locked, or cannot be opened.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal cannot be replayed.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The journal that several nodes share is not one that this node may take part in.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The files of history cannot be used.
    #[error("files of history: {0}")]
    History(std::io::Error),
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// What the queue holds.
pub(crate) enum Job {
    /// Commands, and what to do with their results.
    Commands { batch: Vec<Admitted>, answer: Answer },
    /// Finish what came before and end.
    Stop,
}

/// Looks at the state after a batch's turn and answers with whom its results go to.
pub(crate) type Look = Box<dyn FnOnce(&Bank, &Replies) -> ReplyTo + Send>;

/// What to do with a batch's results.
pub(crate) enum Answer {
    /// Give them when they are durable.
    Durable(ReplyTo),
    /// Show the state to this first.
    Looked(Look),
}

impl Answer {
    fn reply_to(self, bank: &Bank, results: &Replies) -> ReplyTo {
        match self {
            Self::Durable(reply) => reply,
            Self::Looked(look) => look(bank, results),
        }
    }
}

/// A running bank. Dropping it finishes what was queued and stops the threads.
pub struct Node {
    handle: Handle,
    threads: Vec<JoinHandle<()>>,
    stopping: Arc<AtomicBool>,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.handle.fmt(f)
    }
}

impl Node {
    /// Opens the journal (cutting a torn tail, refusing other damage), rebuilds the state and starts.
    ///
    /// # Errors
    /// A journal that is damaged, locked or unreadable.
    pub fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        Self::begin(config, None, clock)
    }

    /// Like [`Node::start`], as one of several nodes that share a journal. It follows at first, and leads when its turn comes.
    ///
    /// # Errors
    /// As [`Node::start`]; or the shared journal does not fit the copy here, or its server is unsafe. One that does not answer is waited for.
    pub fn start_in_cluster(
        config: Config,
        cluster: Cluster,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        Self::begin(config, Some(cluster), clock)
    }

    fn begin(config: Config, cluster: Option<Cluster>, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let (journal, opened) = FileJournal::open(&snapshots::journal_dir(&config.data), &config.journal)?;
        tracing::info!(?opened, "journal opened");
        let mut recovered = recover(&config.data)?;
        let history = config.history_in_memory.map(|keep| Bounded::open(&config.data, keep)).transpose();
        let history = history.map_err(StartError::History)?;
        if let Some(history) = &history {
            history.adopt(&mut recovered.bank).map_err(StartError::History)?;
        }
        let (from_snapshot, replayed) = (recovered.from_snapshot, recovered.replayed);
        tracing::info!(seq = recovered.bank.seq(), from_snapshot, replayed, "state rebuilt");
        let role = if cluster.is_some() { Role::Follows(NotLeader::default()) } else { Role::Alone };
        let progress = Progress::new(journal.head(), role);
        let shared = Arc::new(Shared {
            bank: RwLock::new(recovered.bank),
            progress: Mutex::new(progress),
            changed: Condvar::new(),
            followed: Followed::default(),
            relying_party: config.relying_party.clone(),
        });
        let (jobs, queue) = bounded(QUEUE_MAX);
        let (groups, to_write) = bounded(1);
        let given_up = Arc::new(AtomicBool::new(false));
        let handle = Handle { shared: Arc::clone(&shared), jobs };
        let stopping = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        let (writer_shared, flag) = (Arc::clone(&shared), Arc::clone(&given_up));
        threads.push(match cluster {
            None => spawn("journal-writer", move || write_groups(journal, &to_write, &writer_shared, &flag))?,
            Some(cluster) => {
                let data = config.data.clone();
                let stopping = Arc::clone(&stopping);
                let mut replica =
                    Replica::new(cluster, journal, data, writer_shared, to_write, flag, stopping);
                replica.check_before_start()?;
                spawn("journal-writer", move || replica.run())?
            }
        });
        let snapshot_every = config.snapshot_every;
        let data = config.data.clone();
        let sequencer = Sequencer {
            config,
            clock,
            shared,
            queue,
            groups,
            given_up,
            no_room_until: None,
            elsewhere: None,
            history: history.clone(),
        };
        threads.push(spawn("sequencer", move || sequencer.run())?);
        if let Some(every) = snapshot_every {
            let (handle, stopping) = (handle.clone(), Arc::clone(&stopping));
            let history = history.clone();
            threads.push(spawn("snapshots", move || {
                make_snapshots(&handle, &data, every, history.as_ref(), &stopping);
            })?);
        }
        if let Some(history) = history {
            let (handle, stopping) = (handle.clone(), Arc::clone(&stopping));
            threads.push(spawn("history", move || history.follow(&handle, &stopping))?);
        }
        Ok(Self { handle, threads, stopping })
    }

    /// A way to the bank.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        let _ = self.handle.jobs.send(Job::Stop);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StartError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(StartError::Thread)
}

fn make_snapshots(
    handle: &Handle,
    data: &Path,
    every: u64,
    history: Option<&Bounded>,
    stopping: &AtomicBool,
) {
    // Nobody waits for a snapshot, and everybody for what it would take the processor from. This is the priority of this thread alone.
    if let Err(error) = rustix::process::setpriority_process(None, SNAPSHOT_NICENESS) {
        tracing::info!(%error, "snapshots are made at the priority of all else");
    }
    let mut last = handle.peek(Bank::work);
    while !stopping.load(Ordering::Relaxed) {
        // Nothing ever lies beyond the last number, so this sleeps unless the node halts.
        let _ = handle.wait_beyond(u64::MAX, SLEEP_MAX);
        let status = handle.status();
        if status.halted.is_some() {
            return;
        }
        // A leader's own comes when it follows again; its followers have theirs.
        if matches!(status.role, Role::Leads { .. }) {
            continue;
        }
        let work = handle.peek(Bank::work);
        if work.saturating_sub(last) < every {
            continue;
        }
        match snapshots::write(data, history) {
            Ok(seq) => tracing::info!(seq, "snapshot made"),
            Err(error) => tracing::warn!(%error, "no snapshot made; the next start replays more"),
        }
        last = work;
    }
}

struct Sequencer {
    config: Config,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    queue: Receiver<Job>,
    groups: Sender<ToWriter>,
    /// Set by the writer when entries that were applied will not become durable.
    given_up: Arc<AtomicBool>,
    no_room_until: Option<Instant>,
    /// Another node decides.
    elsewhere: Option<NotLeader>,
    /// Where history is kept that memory does not hold.
    history: Option<Bounded>,
}

/// Halts the node if the core stops on a broken invariant.
pub(crate) struct HaltOnPanic(pub(crate) Arc<Shared>);

impl Drop for HaltOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.halt("the core stopped on a broken invariant".to_owned());
        }
    }
}

impl Sequencer {
    fn run(mut self) {
        let _guard = HaltOnPanic(Arc::clone(&self.shared));
        loop {
            let first = match self.queue.recv_timeout(self.sleep()) {
                Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(job) => Some(job),
                Err(RecvTimeoutError::Timeout) => None,
            };
            if self.shared.progress().halted.is_some() {
                return;
            }
            if self.given_up.swap(false, Ordering::AcqRel) && !self.go_back() {
                return;
            }
            self.look_who_decides();
            let mut stop = false;
            let mut group = Group::default();
            let mut next = first;
            while let Some(job) = next {
                match job {
                    Job::Commands { batch, answer } => self.take(batch, answer, &mut group),
                    Job::Stop => {
                        stop = true;
                        break;
                    }
                }
                let is_full = group.commands >= GROUP_COMMANDS_MAX;
                next = if is_full { None } else { self.queue.try_recv().ok() };
            }
            if self.elsewhere.is_none() {
                self.tick(&mut group);
            }
            if !group.is_empty() && self.groups.send(ToWriter::Group(group)).is_err() {
                return;
            }
            if stop {
                return;
            }
        }
    }

    /// Whether this node decides. When it leads, its entries carry the epoch of its lead from here on.
    fn look_who_decides(&mut self) {
        let role = self.shared.progress().role();
        self.elsewhere = match role {
            Role::Alone => None,
            Role::Leads { epoch } => {
                self.config.epoch = epoch;
                None
            }
            Role::Follows(elsewhere) => Some(elsewhere),
        };
    }

    /// How long nothing happens by itself.
    fn sleep(&self) -> Duration {
        let due = self.shared.bank.read().unwrap_or_else(PoisonError::into_inner).next_due();
        let wait = due.map_or(SLEEP_MAX, |due| Duration::from_millis(due.since(self.clock.now())));
        wait.min(SLEEP_MAX)
    }

    fn take(&self, batch: Vec<Admitted>, answer: Answer, group: &mut Group) {
        let mut bank = self.shared.bank.write().unwrap_or_else(PoisonError::into_inner);
        let results: Replies = if let Some(elsewhere) = &self.elsewhere {
            batch.iter().map(|_| Err(elsewhere.clone().into())).collect()
        } else if self.no_room_until.is_some_and(|until| Instant::now() < until) {
            batch.iter().map(|_| Err(SubmitError::NoRoom)).collect()
        } else {
            let now = self.clock.now().max(bank.recorded_at());
            batch.into_iter().map(|admitted| self.decide(&mut bank, admitted, now, group)).collect()
        };
        let reply = answer.reply_to(&bank, &results);
        group.replies.push((results, reply));
    }

    fn decide(
        &self,
        bank: &mut Bank,
        admitted: Admitted,
        now: Timestamp,
        group: &mut Group,
    ) -> Result<Taken, SubmitError> {
        let (submission, body) = (admitted.submission(), admitted.body());
        let weight = match &submission.command {
            Command::LedgerBatch(batch) => usize::try_from(batch.len()).unwrap_or(usize::MAX),
            Command::Exchange(exchange::Command::Orders(orders)) => {
                usize::try_from(orders.len()).unwrap_or(usize::MAX)
            }
            _ => 1,
        };
        group.commands = group.commands.saturating_add(weight);
        match bank.seen(submission.id, body) {
            Seen::New => {}
            Seen::Repeat { seq } => {
                return Ok(Taken::repeat(seq, bank.recorded_at()));
            }
            Seen::Conflict => return Err(Refusal::IdReused { id: submission.id }.into()),
        }
        let Some(Turn { entry, rows, markets }) = bank.take(admitted, self.config.epoch, now)? else {
            // Nothing follows: a repeat of what a rail told before. There is nothing to keep.
            return Ok(Taken::repeat(bank.seq(), bank.recorded_at()));
        };
        group.add(entry);
        let (rows, markets) = (rows.map(Box::new), markets.map(Box::new));
        Ok(Taken { seq: bank.seq(), recorded_at: now, is_repeat: false, rows, markets })
    }

    /// Lets happen what is due.
    fn tick(&self, group: &mut Group) {
        let mut bank = self.shared.bank.write().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now().max(bank.recorded_at());
        if bank.next_due().is_none_or(|due| due > now) {
            return;
        }
        let submission = Submission { id: CommandId::new(0), actor: Actor::System, command: Command::Tick };
        let Ok(admitted) = bank::admit(submission, &self.shared.relying_party) else { return };
        if let Err(error) = self.decide(&mut bank, admitted, now, group) {
            tracing::warn!(%error, "a timer was due and nothing followed");
        }
    }

    /// What was applied will not become durable: the state goes back to what is. The writer waits for this.
    fn go_back(&mut self) -> bool {
        let durable = self.shared.progress().durable.seq;
        if self.shared.bank.read().unwrap_or_else(PoisonError::into_inner).seq() != durable {
            match recover(&self.config.data) {
                Ok(recovered) if recovered.bank.seq() != durable => {
                    let found = recovered.bank.seq();
                    self.shared.halt(format!("the journal ends at {found}, and {durable} was durable"));
                    return false;
                }
                Ok(mut recovered) => {
                    let adopted = self.history.as_ref().map(|history| history.adopt(&mut recovered.bank));
                    if let Some(Err(error)) = adopted {
                        self.shared.halt(format!("files of history: {error}"));
                        return false;
                    }
                    *self.shared.bank.write().unwrap_or_else(PoisonError::into_inner) = recovered.bank;
                }
                Err(error) => {
                    self.shared.halt(format!("going back to what is durable: {error}"));
                    return false;
                }
            }
        }
        let mut progress = self.shared.progress();
        progress.generation = progress.generation.saturating_add(1);
        if progress.role() == Role::Alone {
            self.no_room_until = Instant::now().checked_add(NO_ROOM_PAUSE);
        }
        drop(progress);
        self.shared.changed.notify_all();
        self.groups.send(ToWriter::Resume).is_ok()
    }
}
