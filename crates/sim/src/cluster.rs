//! Two nodes with one shared journal: what a node of a cluster does, in one thread.
//!
//! The shell's own fields are those of the node that clients reach; the other node stands by here, copies what is durable, and takes over when it
//! is told that the first one is gone. A node that lost its lead without noticing is still there: it decides, writes under its old epoch, and
//! must be turned away.

use bank::{Bank, JournalEntry, Submission};
use journal::{Head, Journal, Lead, Member, SimDisk, Stream as _, StreamError, StreamRow, Taken, cut_rows};
use money::Timestamp;

use crate::Defect;
use crate::disk::WriterDisk;
use crate::engine::SimEngine;
use crate::shell::{Reply, Shell, Snapshot};

/// How long a lead holds.
pub(crate) const LEASE: std::time::Duration = std::time::Duration::from_secs(3);
/// Tries to find out what became of a write, before the node gives up and is started again.
const SETTLE_MAX: u32 = 6;

/// A lead as its node sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term {
    epoch: u64,
    end: Timestamp,
}

/// A node's part in the cluster.
pub(crate) struct Part {
    pub(crate) link: SimEngine,
    pub(crate) member: Member,
    pub(crate) lead: Option<Term>,
}

/// The node that clients do not reach.
pub(crate) struct Standby {
    pub(crate) disk: SimDisk,
    journal: Option<Journal<WriterDisk>>,
    pub(crate) bank: Bank,
    snapshots: Vec<Snapshot>,
    part: Part,
}

/// Both nodes' parts.
pub(crate) struct Cluster {
    pub(crate) part: Part,
    pub(crate) standby: Standby,
    now: Timestamp,
}

/// What became of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shared {
    Durable,
    /// It did not happen and cannot happen any more.
    NotDone,
    /// Another node leads, and the group is not durable.
    Elsewhere,
    /// Nobody knows; the node has to be started again.
    Unknown,
}

fn member(name: &str) -> Member {
    Member { name: name.to_owned(), ..Member::default() }
}

impl Cluster {
    pub(crate) fn new() -> Self {
        let link = SimEngine::default();
        let other = Part { link: link.another(), member: member("b"), lead: None };
        let standby = Standby {
            disk: SimDisk::new(),
            journal: None,
            bank: Bank::default(),
            snapshots: Vec::new(),
            part: other,
        };
        Self { part: Part { link, member: member("a"), lead: None }, standby, now: Timestamp::default() }
    }

    pub(crate) fn set_now(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        self.part.link.set_now(self.now);
    }

    pub(crate) const fn standby_link(&mut self) -> &mut SimEngine {
        &mut self.standby.part.link
    }

    fn words(&self, term: Term, acked: u64) -> Lead {
        Lead { epoch: term.epoch, acked, lease: LEASE }
    }

    fn term(&self, epoch: u64) -> Term {
        Term { epoch, end: self.now.plus_ms(u64::try_from(LEASE.as_millis()).unwrap_or(0)) }
    }

    /// Renews the lead; answers whether it holds.
    fn renew(&mut self, acked: u64) -> Result<bool, StreamError> {
        let Some(term) = self.part.lead else { return Ok(false) };
        let lead = self.words(term, acked);
        match self.part.link.renew(lead) {
            Ok(()) => {
                self.part.lead = Some(self.term(term.epoch));
                Ok(true)
            }
            Err(StreamError::Fenced) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Finds out what became of a write by taking the lead anew: afterwards it cannot happen any more if it has not.
    fn settle(&mut self, before: Head, wanted: Head) -> Result<Shared, StreamError> {
        let Some(term) = self.part.lead else { return Ok(Shared::Elsewhere) };
        if let Some(Taken { epoch, head }) = self.part.link.take_over(term.epoch, &self.part.member, LEASE)? {
            self.part.lead = Some(self.term(epoch));
            return match head {
                head if head == wanted => Ok(Shared::Durable),
                head if head == before => Ok(Shared::NotDone),
                head => Err(StreamError::Fork { seq: head.seq, ours: wanted.hash, theirs: head.hash }),
            };
        }
        self.part.link.confirm()?;
        let view = self.part.link.look()?;
        if view.leader.as_ref().is_some_and(|leader| leader.name == self.part.member.name) {
            self.part.lead = Some(self.term(view.epoch));
            return Ok(Shared::Unknown);
        }
        let rows = self.part.link.read(wanted.seq, wanted.seq)?;
        let done = rows.first().is_some_and(|row| row.follow(wanted).is_ok());
        Ok(if done { Shared::Durable } else { Shared::Elsewhere })
    }
}

impl Shell {
    /// Makes a group durable in the shared journal.
    pub(crate) fn append_shared(&mut self, records: &[&[u8]]) -> Shared {
        let (defect, head) = (self.defect(), self.head());
        let Some(cluster) = &mut self.cluster else { return Shared::Durable };
        let Some(term) = cluster.part.lead else { return Shared::Elsewhere };
        if records.is_empty() {
            // What needs no entry is true only as long as nobody else leads.
            return match (cluster.now >= term.end).then(|| cluster.renew(head.seq)) {
                None | Some(Ok(true)) => Shared::Durable,
                Some(Ok(false)) => Shared::Elsewhere,
                Some(Err(_)) => Shared::Unknown,
            };
        }
        for _ in 0..SETTLE_MAX {
            match cluster.write(head, records, defect) {
                Ok(Shared::NotDone) if defect != Some(Defect::DoubtIsNotDone) => {}
                Ok(outcome) => return outcome,
                Err(error) => {
                    self.trace = Some(format!("the leader finds: {error}"));
                    return Shared::Unknown;
                }
            }
        }
        Shared::Unknown
    }

    fn head(&self) -> Head {
        self.journal.as_ref().map(Journal::head).unwrap_or_default()
    }

    /// Renews the lead, so that followers learn what is durable.
    pub(crate) fn renew(&mut self) {
        let head = self.head();
        if !self.is_alive() {
            return;
        }
        if let Some(cluster) = &mut self.cluster
            && cluster.renew(head.seq) == Ok(false)
        {
            cluster.part.lead = None;
        }
    }

    /// Takes the lead, and everything that the stream has beyond the copy here.
    pub(crate) fn take_lead(&mut self) -> Result<bool, StreamError> {
        let Some(cluster) = &mut self.cluster else { return Ok(true) };
        let view = cluster.part.link.look()?;
        let Some(taken) = cluster.part.link.take_over(view.epoch, &cluster.part.member, LEASE)? else {
            return Ok(false);
        };
        let term = cluster.term(taken.epoch);
        self.copy_until(taken.head.seq)?;
        let ours = self.head();
        if self.journal.is_some() && ours != taken.head {
            return Err(StreamError::Behind { ours: ours.seq, theirs: taken.head.seq });
        }
        if let Some(cluster) = &mut self.cluster {
            cluster.part.lead = Some(term);
        }
        Ok(true)
    }

    /// Copies rows of the stream up to the record `last`, and applies them.
    fn copy_until(&mut self, last: u64) -> Result<(), StreamError> {
        while self.head().seq < last && self.journal.is_some() {
            let head = self.head();
            let Some(cluster) = &mut self.cluster else { return Ok(()) };
            let rows = cluster.part.link.read(head.seq.saturating_add(1), last)?;
            if rows.is_empty() {
                return Err(StreamError::Gap { expected: head.seq.saturating_add(1), found: 0 });
            }
            for row in rows {
                self.copy(&row)?;
            }
        }
        Ok(())
    }

    fn copy(&mut self, row: &StreamRow) -> Result<(), StreamError> {
        let head = self.head();
        let (records, _) = match row.follow(head) {
            Err(StreamError::Gap { .. }) if self.has(Defect::SkipGap) => {
                row.follow(Head { seq: row.first.saturating_sub(1), hash: row.before })?
            }
            Err(StreamError::Damaged { .. }) if self.has(Defect::CopyDamaged) => {
                (vec![row.content.get(4..).unwrap_or_default()], head)
            }
            followed => followed?,
        };
        let Some(journal) = &mut self.journal else { return Ok(()) };
        if journal.append(&records).is_err() {
            self.journal = None;
            return Ok(());
        }
        for (seq, record) in (head.seq.saturating_add(1)..).zip(records) {
            match JournalEntry::from_bytes(record) {
                Ok(entry) => self.bank.apply(seq, &entry),
                Err(error) => self.trace = Some(format!("copied record {seq} is no entry: {error}")),
            }
        }
        Ok(())
    }

    /// The other node's turn: it starts when it is down, finds out that it leads no more, and copies what is durable.
    pub(crate) fn standby_follows(&mut self) {
        if self.cluster.is_none() {
            return;
        }
        self.as_standby(|node| {
            if node.journal.is_none() {
                node.disk.lose_power();
                node.disk.restore_power(|_| true);
                node.forget_lead();
                if node.open().is_err() {
                    return;
                }
            }
            let head = node.head();
            let Some(cluster) = &mut node.cluster else { return };
            if cluster.part.lead.is_some_and(|term| cluster.now >= term.end)
                && cluster.renew(head.seq) == Ok(false)
            {
                node.step_down();
            }
            let Some(cluster) = &mut node.cluster else { return };
            if cluster.part.lead.is_some() {
                return;
            }
            let Ok(view) = cluster.part.link.look() else { return };
            let last = if node.has(Defect::CopyUnconfirmed) { view.head.seq } else { view.acked };
            match node.copy_until(last) {
                // A gap or damage on the way is read again at the next turn; what is another history never goes away.
                Ok(()) | Err(StreamError::Gap { .. } | StreamError::Damaged { .. }) => {}
                Err(error) if error.is_transient() => {}
                Err(error) => node.trace = Some(format!("the follower finds: {error}")),
            }
        });
    }

    /// The lead is over: the state goes back to the copy.
    pub(crate) fn step_down(&mut self) {
        self.forget_lead();
        if self.recover().is_err() {
            self.journal = None;
        }
    }

    fn forget_lead(&mut self) {
        if let Some(cluster) = &mut self.cluster {
            cluster.part.lead = None;
        }
    }

    /// The other node takes over, if it can; answers whether it did. The first one becomes the one that stands by, and may not know it.
    pub(crate) fn fail_over(&mut self) -> bool {
        self.standby_follows();
        if self.cluster.as_ref().is_none_or(|cluster| cluster.standby.journal.is_none()) {
            return false;
        }
        self.swap();
        match self.take_lead() {
            Ok(true) if self.is_alive() => return true,
            Ok(_) => {}
            Err(error)
                if error.is_transient()
                    || matches!(error, StreamError::Gap { .. } | StreamError::Damaged { .. }) => {}
            Err(error) => self.trace = Some(format!("the new leader finds: {error}")),
        }
        self.swap();
        false
    }

    /// A client that still talks to the node which lost its lead, without that node knowing. Answers what it was told.
    pub(crate) fn ask_old_leader(&mut self, clock: Timestamp, submission: Submission) -> Option<Reply> {
        let believes =
            |cluster: &Cluster| cluster.standby.part.lead.is_some() && cluster.standby.journal.is_some();
        if !self.cluster.as_ref().is_some_and(believes) {
            return None;
        }
        self.as_standby(|node| node.commit(clock, vec![submission]).pop())
    }

    /// Whether both nodes have come to the same.
    pub(crate) fn standby_agrees(&mut self) -> Result<(), String> {
        self.renew();
        for _ in 0..4 {
            self.standby_follows();
        }
        if let Some(trace) = self.trace.take() {
            return Err(trace);
        }
        let Some(cluster) = &self.cluster else { return Ok(()) };
        let (ours, theirs) = (self.bank.seq(), cluster.standby.bank.seq());
        if ours != theirs || self.bank.state_hash() != cluster.standby.bank.state_hash() {
            return Err(format!(
                "the follower is at entry {theirs} with another state than the leader at {ours}"
            ));
        }
        Ok(())
    }

    fn as_standby<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        self.swap();
        let done = act(self);
        self.swap();
        done
    }

    /// Each node in the other's place.
    fn swap(&mut self) {
        let Some(cluster) = &mut self.cluster else { return };
        let standby = &mut cluster.standby;
        std::mem::swap(&mut self.disk, &mut standby.disk);
        std::mem::swap(&mut self.journal, &mut standby.journal);
        std::mem::swap(&mut self.bank, &mut standby.bank);
        std::mem::swap(&mut self.snapshots, &mut standby.snapshots);
        std::mem::swap(&mut cluster.part, &mut standby.part);
    }
}

impl Cluster {
    /// One try to write a group, and what became of it.
    fn write(
        &mut self,
        head: Head,
        records: &[&[u8]],
        defect: Option<Defect>,
    ) -> Result<Shared, StreamError> {
        let Some(term) = self.part.lead else { return Ok(Shared::Elsewhere) };
        let rows = cut_rows(head, term.epoch, records);
        let wanted = rows.last().map_or(head, StreamRow::head);
        let lead = self.words(term, head.seq);
        match (self.part.link.append(lead, head, &rows), defect) {
            (Ok(()), _) => {
                self.part.lead = Some(self.term(term.epoch));
                Ok(Shared::Durable)
            }
            (Err(StreamError::Fenced), Some(Defect::AnswerUnderOldLead)) => Ok(Shared::Durable),
            (Err(StreamError::Fenced), _) => Ok(Shared::Elsewhere),
            (Err(StreamError::InDoubt(_)), Some(Defect::DoubtIsDone)) => Ok(Shared::Durable),
            (Err(StreamError::InDoubt(_)), Some(Defect::DoubtIsNotDone)) => Ok(Shared::NotDone),
            (Err(StreamError::InDoubt(_)), Some(Defect::RepeatInDoubt)) => {
                let Ok(view) = self.part.link.look() else { return Ok(Shared::Unknown) };
                let rows = cut_rows(view.head, term.epoch, records);
                let again = self.part.link.append(lead, view.head, &rows);
                Ok(if again.is_ok() { Shared::Durable } else { Shared::Unknown })
            }
            (Err(error), _) if error.is_transient() => self.find_out(head, wanted),
            (Err(error), _) => Err(error),
        }
    }

    fn find_out(&mut self, before: Head, wanted: Head) -> Result<Shared, StreamError> {
        for _ in 0..SETTLE_MAX {
            match self.settle(before, wanted) {
                Ok(Shared::Unknown) => {}
                Ok(outcome) => return Ok(outcome),
                Err(error) if error.is_transient() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Shared::Unknown)
    }
}
