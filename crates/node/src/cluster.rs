//! One of several nodes that share a journal: copying what the leader has made durable, and taking the lead when nobody has it.
//!
//! The writer's thread does all of it. While the node follows, it is this thread that applies entries to the state, and the sequencer
//! turns commands away; while the node leads (`lead.rs`), the sequencer decides as ever and this thread writes.
//!
//! **Invariants.** The copy in the data folder holds only what is durable in the shared journal, so it never has to be taken back. Nothing is
//! answered under a lead that may be over. Between the end of a lead and the first entry copied after it, the state has gone back to the copy.

mod copy;
mod lead;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bank::JournalEntry;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use journal::{FileJournal, Head, JournalError, Member, Stream, StreamError, Taken};
use thiserror::Error;

use crate::SubmitError;
use crate::handle::{Halted, Shared};
use crate::sequencer::HaltOnPanic;
use crate::writer::ToWriter;

/// How often a follower looks: a fraction of what a reader notices, and of a lease.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long nothing is tried again when the shared journal does not answer.
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// How long nothing is copied after the disk here was full.
const NO_ROOM_PAUSE: Duration = Duration::from_secs(1);

/// Whether a data folder has a copy of a shared journal. Its stream is not to be begun anew.
#[must_use]
pub fn has_copy(data: &std::path::Path) -> bool {
    data.join(copy::IDENTITY_FILE).exists()
}

/// What a node needs to be one of several.
pub struct Cluster {
    /// The journal that all share.
    pub stream: Box<dyn Stream>,
    /// This node, as the others and their clients know it.
    pub member: Member,
    /// How long a lead holds without being renewed. A dead leader is followed by another after this time; a live one renews four times in it.
    pub lease: Duration,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("member", &self.member)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

/// This node does not lead; the leader decides. The same command may be sent there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Error)]
#[error("this node does not lead{}", who(self.leader.as_ref()))]
pub struct NotLeader {
    /// Who leads, where that is known.
    pub leader: Option<Member>,
}

fn who(leader: Option<&Member>) -> String {
    match leader {
        None => ", and no leader is known yet".to_owned(),
        Some(leader) => format!("; {} does, at {}", leader.name, leader.api),
    }
}

/// What a node is in its cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Role {
    /// There is no other node.
    #[default]
    Alone,
    /// It decides.
    Leads {
        /// Under this epoch.
        epoch: u64,
    },
    /// Another decides, or nobody does for the moment.
    Follows(NotLeader),
}

impl Role {
    /// Whether commands are decided here.
    #[must_use]
    pub const fn decides(&self) -> bool {
        !matches!(self, Self::Follows(_))
    }
}

/// What ends a node's part in the cluster.
#[derive(Debug, Error)]
enum End {
    #[error("the node was stopped")]
    Stopped,
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error("journal: {0}")]
    Journal(#[from] JournalError),
    #[error(
        "record {seq} of the shared journal is no entry that this program knows ({problem}): bring this node to the version of the others"
    )]
    Entry { seq: u64, problem: String },
    #[error("{0}")]
    Folder(String),
}

/// The writer's thread of a node in a cluster.
pub(crate) struct Replica {
    stream: Box<dyn Stream>,
    member: Member,
    lease: Duration,
    journal: FileJournal,
    data: PathBuf,
    shared: Arc<Shared>,
    groups: Receiver<ToWriter>,
    given_up: Arc<AtomicBool>,
    stopping: Arc<AtomicBool>,
    /// The copy was compared with the stream.
    is_checked: bool,
    /// The copy is older than the stream, which is empty and will begin with it.
    seeds: bool,
    /// The last trouble that was logged, so that one that lasts is logged once.
    trouble: Option<String>,
}

impl Replica {
    pub(crate) fn new(
        cluster: Cluster,
        journal: FileJournal,
        data: PathBuf,
        shared: Arc<Shared>,
        groups: Receiver<ToWriter>,
        given_up: Arc<AtomicBool>,
        stopping: Arc<AtomicBool>,
    ) -> Self {
        let Cluster { stream, member, lease } = cluster;
        let (is_checked, seeds, trouble) = (false, false, None);
        Self {
            stream,
            member,
            lease,
            journal,
            data,
            shared,
            groups,
            given_up,
            stopping,
            is_checked,
            seeds,
            trouble,
        }
    }

    /// Finds out whether this node may take part. A stream that does not answer is asked again later.
    pub(crate) fn check_before_start(&mut self) -> Result<(), StreamError> {
        match self.check_copy() {
            Ok(()) => Ok(()),
            Err(End::Stream(error)) if error.is_transient() => {
                self.note(&error);
                Ok(())
            }
            Err(End::Stream(error)) => Err(error),
            Err(other) => Err(StreamError::Refused(other.to_string())),
        }
    }

    /// Takes part until the node is stopped or something is wrong that time does not mend.
    pub(crate) fn run(mut self) {
        let guard = HaltOnPanic(Arc::clone(&self.shared));
        let end = loop {
            match self.follow().and_then(|taken| self.lead(taken)) {
                Ok(()) => {}
                Err(end) => break end,
            }
        };
        match end {
            End::Stopped => {}
            fault => self.shared.halt(fault.to_string()),
        }
        // Nothing more can become durable here, so nobody shall wait for it.
        self.shared.progress().halted.get_or_insert(Halted { reason: "the node was stopped".to_owned() });
        self.shared.changed.notify_all();
        let halted = self.shared.progress().halted.clone().unwrap_or(Halted { reason: String::new() });
        while let Ok(next) = self.groups.recv() {
            if let ToWriter::Group(group) = next {
                group.fail(&halted.clone().into());
            }
        }
        drop(guard);
    }

    /// Copies what is durable until this node has the lead.
    fn follow(&mut self) -> Result<Taken, End> {
        loop {
            self.wait(LOOK_EVERY)?;
            match self.look_once() {
                Ok(Some(taken)) => return Ok(taken),
                Ok(None) => self.trouble = None,
                Err(End::Stream(error)) if error.is_transient() => {
                    self.note(&error);
                    self.shared.set_follows(NotLeader::default());
                    self.wait(RETRY_PAUSE)?;
                }
                Err(End::Journal(error @ JournalError::Full { .. })) => {
                    self.note(&error);
                    self.wait(NO_ROOM_PAUSE)?;
                }
                Err(end) => return Err(end),
            }
        }
    }

    /// Looks at the stream, copies, and takes the lead when nobody has it.
    fn look_once(&mut self) -> Result<Option<Taken>, End> {
        if !self.is_checked {
            self.check_copy()?;
        }
        let view = self.stream.look()?;
        let is_own = view.leader.as_ref().is_some_and(|leader| leader.name == self.member.name);
        let is_over = view.lease_left.is_zero();
        let leader = view.leader.clone().filter(|_| !is_own && !is_over);
        self.shared.set_follows(NotLeader { leader });
        self.copy_until(view.acked)?;
        if !(is_over || is_own) {
            return Ok(None);
        }
        let Some(taken) = self.stream.take_over(view.epoch, &self.member, self.lease)? else {
            return Ok(None);
        };
        tracing::info!(epoch = taken.epoch, seq = taken.head.seq, "this node takes the lead");
        self.catch_up(taken)?;
        Ok(Some(taken))
    }

    /// What the leader before had written and not yet said to be durable; the change of lead made it so.
    fn catch_up(&mut self, taken: Taken) -> Result<(), End> {
        if self.seeds {
            return self.seed(taken);
        }
        self.copy_until(taken.head.seq)?;
        let ours = self.journal.head();
        if ours != taken.head {
            return Err(differ(ours, taken.head).into());
        }
        Ok(())
    }

    /// Waits, and turns away what comes meanwhile.
    fn wait(&self, pause: Duration) -> Result<(), End> {
        let end = Instant::now().checked_add(pause);
        loop {
            let left = end.map_or(Duration::ZERO, |end| end.saturating_duration_since(Instant::now()));
            match self.groups.recv_timeout(left) {
                Ok(ToWriter::Group(group)) => group.fail(&self.elsewhere()),
                Ok(ToWriter::Resume) => {}
                Err(RecvTimeoutError::Timeout) => return self.go_on(),
                Err(RecvTimeoutError::Disconnected) => return Err(End::Stopped),
            }
        }
    }

    /// Whether the node was neither stopped nor halted.
    fn go_on(&self) -> Result<(), End> {
        let halted = self.shared.progress().halted.is_some();
        if halted || self.stopping.load(Ordering::Relaxed) { Err(End::Stopped) } else { Ok(()) }
    }

    fn elsewhere(&self) -> SubmitError {
        match self.shared.progress().role() {
            Role::Follows(elsewhere) => elsewhere.into(),
            Role::Alone | Role::Leads { .. } => NotLeader::default().into(),
        }
    }

    /// Logs a trouble when it is a new one.
    fn note(&mut self, trouble: &dyn std::fmt::Display) {
        let words = trouble.to_string();
        if self.trouble.as_ref() != Some(&words) {
            tracing::warn!(trouble = words, "the node waits");
            self.trouble = Some(words);
        }
    }
}

/// How two ends of one chain differ.
fn differ(ours: Head, theirs: Head) -> StreamError {
    if ours.seq > theirs.seq {
        StreamError::Behind { ours: ours.seq, theirs: theirs.seq }
    } else if ours.seq < theirs.seq {
        StreamError::Gap { expected: ours.seq.saturating_add(1), found: 0 }
    } else {
        StreamError::Fork { seq: ours.seq, ours: ours.hash, theirs: theirs.hash }
    }
}

/// Reads records as entries, so that none is copied that cannot be applied.
fn entries(records: &[&[u8]], head: Head) -> Result<Vec<(u64, JournalEntry)>, End> {
    let numbered = (head.seq.saturating_add(1)..).zip(records);
    let read = |(seq, record): (u64, &&[u8])| match JournalEntry::from_bytes(record) {
        Ok(entry) => Ok((seq, entry)),
        Err(error) => Err(End::Entry { seq, problem: error.to_string() }),
    };
    numbered.map(read).collect()
}
