//! How the rest of the shell talks to the running bank.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bank::{Admitted, Bank, MarketsTaken, Refusal, RelyingParty, RowsTaken, Submission};
use crossbeam_channel::{Sender, TrySendError};
use journal::Head;
use money::Timestamp;
use thiserror::Error;

use crate::cluster::{NotLeader, Role};
use crate::sequencer::{Answer, Job};
use crate::tail::{Followed, Tail};
use crate::writer::Group;

/// What became of a command that was not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Sequence number of its journal entry; for a command that changed nothing, of the last entry before it.
    pub seq: u64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Whether the same command had been taken before.
    pub is_repeat: bool,
    /// Of a batch of rows, what became of them; for a repeat it is in the journal.
    pub rows: Option<Box<RowsTaken>>,
    /// Of a command of the markets, what it led to; for a repeat it is in the journal.
    pub markets: Option<Box<MarketsTaken>>,
}

impl Taken {
    pub(crate) const fn repeat(seq: u64, recorded_at: Timestamp) -> Self {
        Self { seq, recorded_at, is_repeat: true, rows: None, markets: None }
    }
}

/// Why a command was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SubmitError {
    /// A domain "no".
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too much is waiting; the same command may be sent again.
    #[error("the queue is full")]
    Busy,
    /// There is no room to record anything; nothing was lost, the same command may be sent again.
    #[error("the journal has no room")]
    NoRoom,
    /// Another node leads; the same command may be sent there.
    #[error(transparent)]
    NotLeader(#[from] NotLeader),
    /// The node has stopped.
    #[error(transparent)]
    Halted(#[from] Halted),
}

/// The node has stopped and takes nothing more until it is started again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the node has halted: {reason}")]
pub struct Halted {
    /// Why, for the log.
    pub reason: String,
}

/// Results of a batch, in its order.
pub type Replies = Vec<Result<Taken, SubmitError>>;

/// How far the node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Last entry applied.
    pub seq: u64,
    /// Last entry durable, with its hash.
    pub durable: Head,
    /// Time of recording of the last entry applied.
    pub recorded_at: Timestamp,
    /// Whether it leads.
    pub role: Role,
    /// Why the node has halted, where it has.
    pub halted: Option<String>,
}

/// What the threads share.
pub(crate) struct Shared {
    pub(crate) bank: RwLock<Bank>,
    pub(crate) progress: Mutex<Progress>,
    pub(crate) changed: Condvar,
    pub(crate) followed: Followed,
    pub(crate) relying_party: RelyingParty,
}

/// What is durable, and whether the node goes on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    pub(crate) durable: Head,
    /// Grows when applied entries had to be given up; a reader that saw them must read again.
    pub(crate) generation: u64,
    role: Role,
    /// When the lead is over unless it is renewed.
    lead_end: Option<Instant>,
    pub(crate) halted: Option<Halted>,
}

impl Progress {
    pub(crate) fn new(durable: Head, role: Role) -> Self {
        Self { durable, role, ..Self::default() }
    }

    /// What the node is now. A lead whose time is over is none, whether or not somebody has noticed.
    pub(crate) fn role(&self) -> Role {
        match (&self.role, self.lead_end) {
            (Role::Leads { .. }, Some(end)) if Instant::now() >= end => Role::Follows(NotLeader::default()),
            (role, _) => role.clone(),
        }
    }
}

impl Shared {
    pub(crate) fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node follows from now on.
    pub(crate) fn set_follows(&self, elsewhere: NotLeader) {
        let mut progress = self.progress();
        (progress.role, progress.lead_end) = (Role::Follows(elsewhere), None);
    }

    /// The node leads until `end`.
    pub(crate) fn set_leads(&self, epoch: u64, end: Instant) {
        let mut progress = self.progress();
        (progress.role, progress.lead_end) = (Role::Leads { epoch }, Some(end));
    }

    /// The group is durable with `bytes` in the journal, whose head is `head`: whoever follows gets the entries, and whoever waits hears of it.
    pub(crate) fn hand_over(&self, group: &mut Group, head: Head, bytes: usize) {
        // First the entries, so that who hears of a number finds the entry.
        self.followed.push(group.take_entries(), head, bytes);
        self.progress().durable = head;
        self.changed.notify_all();
    }

    pub(crate) fn halt(&self, reason: String) {
        tracing::error!(reason, "the node halts");
        self.progress().halted.get_or_insert(Halted { reason });
        self.changed.notify_all();
    }
}

/// A cheap, clonable way to the running bank.
#[derive(Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) jobs: Sender<Job>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("durable", &self.shared.progress().durable.seq).finish()
    }
}

impl Handle {
    /// Checks a submission's signatures, on the caller's own thread.
    ///
    /// # Errors
    /// [`Refusal::Approval`].
    pub fn admit(&self, submission: Submission) -> Result<Admitted, Refusal> {
        bank::admit(submission, &self.shared.relying_party)
    }

    /// Who we are to an authenticator.
    #[must_use]
    pub fn relying_party(&self) -> &RelyingParty {
        &self.shared.relying_party
    }

    /// Admits a command and waits until it is durable or refused.
    ///
    /// # Errors
    /// A refusal, or a fault of the node.
    pub fn submit(&self, submission: Submission) -> Result<Taken, SubmitError> {
        let admitted = self.admit(submission)?;
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.submit_batch(vec![admitted], move |replies| {
            let _ = sender.send(replies);
        })?;
        let replies = receiver.recv().map_err(|_| self.why_gone())?;
        replies.into_iter().next().unwrap_or_else(|| Err(self.why_gone().into()))
    }

    /// Hands in a batch; `reply` is called once, on the writer's thread, when all of it is durable or refused. The commands take
    /// their turns in order with nothing between them, and each stands for itself.
    ///
    /// # Errors
    /// [`SubmitError::Busy`] when the queue is full, [`SubmitError::NotLeader`] when another node leads, [`SubmitError::Halted`] when the node has
    /// stopped; `reply` is not called then.
    pub fn submit_batch(
        &self,
        batch: Vec<Admitted>,
        reply: impl FnOnce(Replies) + Send + 'static,
    ) -> Result<(), SubmitError> {
        self.queue(batch, Answer::Durable(Box::new(reply)))
    }

    /// Hands in a batch like [`Handle::submit_batch`], with a look at the state right after its turn: `look` is called on the sequencer's
    /// thread, so it must be short, and answers with what is called when all of it is durable. What was looked at counts only
    /// where the results are good, since only then it is durable.
    ///
    /// # Errors
    /// As [`Handle::submit_batch`].
    pub fn submit_looking<R: FnOnce(Replies) + Send + 'static>(
        &self,
        batch: Vec<Admitted>,
        look: impl FnOnce(&Bank, &Replies) -> R + Send + 'static,
    ) -> Result<(), SubmitError> {
        self.queue(batch, Answer::Looked(Box::new(move |bank, results| Box::new(look(bank, results)))))
    }

    fn queue(&self, batch: Vec<Admitted>, answer: Answer) -> Result<(), SubmitError> {
        {
            let progress = self.shared.progress();
            if let Some(halted) = &progress.halted {
                return Err(halted.clone().into());
            }
            if let Role::Follows(elsewhere) = progress.role() {
                return Err(elsewhere.into());
            }
        }
        match self.jobs.try_send(Job::Commands { batch, answer }) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => Err(SubmitError::Busy),
            Err(TrySendError::Disconnected(_)) => Err(self.why_gone().into()),
        }
    }

    /// Looks at the state as it is, which may be ahead of what is durable. What is seen must not be shown to anybody; it may go into a
    /// command, whose reply comes only when everything before it is durable. For everything else there is [`Handle::read`].
    pub fn peek<T>(&self, look: impl FnOnce(&Bank) -> T) -> T {
        look(&self.shared.bank.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the state. Answers when everything that was seen is durable.
    ///
    /// # Errors
    /// [`Halted`] when the node has stopped, since what was seen might not be durable.
    pub fn read<T>(&self, look: impl Fn(&Bank) -> T) -> Result<T, Halted> {
        loop {
            let generation = self.shared.progress().generation;
            let (value, seq) = {
                let bank = self.shared.bank.read().unwrap_or_else(PoisonError::into_inner);
                (look(&bank), bank.seq())
            };
            let mut progress = self.shared.progress();
            loop {
                if let Some(halted) = &progress.halted {
                    return Err(halted.clone());
                }
                if progress.generation != generation {
                    break;
                }
                if progress.durable.seq >= seq {
                    return Ok(value);
                }
                progress = self.shared.changed.wait(progress).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Waits until an entry after `seq` is durable, the node halts, or the time is over; answers with what is durable then.
    #[must_use]
    pub fn wait_beyond(&self, seq: u64, timeout: Duration) -> Head {
        let end = Instant::now().checked_add(timeout);
        let mut progress = self.shared.progress();
        while progress.durable.seq <= seq && progress.halted.is_none() {
            let left = end.map_or(Duration::ZERO, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break;
            }
            let waited = self.shared.changed.wait_timeout(progress, left);
            progress = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        progress.durable
    }

    /// The entries that become durable from now on, as far as they fit in `bytes_max`; those before and those that did not fit are in
    /// the journal. The node has one follower: a tail taken before gets nothing more.
    #[must_use]
    pub fn tail(&self, bytes_max: usize) -> Tail {
        let tail = Tail::new(bytes_max);
        self.shared.followed.by(&tail);
        tail
    }

    /// The last durable entry, without a look at the state.
    #[must_use]
    pub fn durable(&self) -> Head {
        self.shared.progress().durable
    }

    /// How far the node is.
    #[must_use]
    pub fn status(&self) -> Status {
        let (seq, recorded_at) = {
            let bank = self.shared.bank.read().unwrap_or_else(PoisonError::into_inner);
            (bank.seq(), bank.recorded_at())
        };
        let progress = self.shared.progress();
        let halted = progress.halted.as_ref().map(|halted| halted.reason.clone());
        Status { seq, durable: progress.durable, recorded_at, role: progress.role(), halted }
    }

    fn why_gone(&self) -> Halted {
        let halted = self.shared.progress().halted.clone();
        halted.unwrap_or_else(|| Halted { reason: "the node was stopped".to_owned() })
    }
}
