//! Leading: each group goes into the shared journal first; then its replies are released, and it goes into the copy.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;
use journal::{Head, JournalError, Lead, RECORD_BYTES_MAX, StreamError, StreamRow, Taken, cut_rows};

use super::{End, NotLeader, RETRY_PAUSE, Replica};
use crate::handle::Halted;
use crate::writer::{Group, ToWriter};

/// How soon followers are told that a last group is durable, when no other group tells them.
const ACK_AFTER: Duration = Duration::from_millis(10);

/// A lead as the leader itself sees it.
struct Term {
    epoch: u64,
    /// When the lead is over by this clock of ours: counted from before the write that renewed it, and a tenth early.
    end: Instant,
    renewed: Instant,
    /// The last record that followers know to be durable.
    told: u64,
}

/// What became of a write whose answer was lost, or that was not sent.
enum Outcome {
    Done,
    /// It did not happen and cannot happen any more; the lead goes on.
    NotDone,
    /// Another node leads.
    Over {
        done: bool,
    },
}

impl Replica {
    /// Leads until another does.
    pub(super) fn lead(&mut self, taken: Taken) -> Result<(), End> {
        // Catching up may have taken a while: commands are taken only when the lead was renewed after it.
        let now = Instant::now();
        let mut term = Term { epoch: taken.epoch, end: now, renewed: now, told: 0 };
        let ended = match self.renew(&mut term) {
            Ok(true) => Ok(()),
            Ok(false) => self.lead_on(&mut term),
            Err(end) => Err(end),
        };
        match ended {
            Ok(()) => self.step_down(),
            Err(end) => {
                // Whoever waits for the lead need not wait for its end.
                let lead = self.words(&term);
                if let Err(error) = self.stream.release(lead) {
                    tracing::info!(%error, "the lead runs out by itself");
                }
                Err(end)
            }
        }
    }

    fn begin(&self, epoch: u64, sent: Instant) -> Term {
        let end = self.end_of(sent);
        self.shared.set_leads(epoch, end);
        Term { epoch, end, renewed: sent, told: 0 }
    }

    fn end_of(&self, sent: Instant) -> Instant {
        let early = self.lease.checked_div(10).unwrap_or_default();
        sent.checked_add(self.lease.saturating_sub(early)).unwrap_or(sent)
    }

    /// A write that was sent at `sent` came through.
    fn renewed(&self, term: &mut Term, sent: Instant, told: u64) {
        (term.end, term.renewed, term.told) = (self.end_of(sent), sent, told);
        self.shared.set_leads(term.epoch, term.end);
    }

    fn words(&self, term: &Term) -> Lead {
        Lead { epoch: term.epoch, acked: self.journal.head().seq, lease: self.lease }
    }

    /// Writes groups and renews the lead, until it is over.
    fn lead_on(&mut self, term: &mut Term) -> Result<(), End> {
        let every = self.lease.checked_div(4).unwrap_or_default();
        loop {
            self.go_on()?;
            let due = if term.told < self.journal.head().seq { ACK_AFTER } else { every };
            let wait = due.saturating_sub(term.renewed.elapsed());
            let is_over = match self.groups.recv_timeout(wait) {
                Ok(ToWriter::Group(group)) => self.write(term, group)?,
                Ok(ToWriter::Resume) => false,
                Err(RecvTimeoutError::Timeout) => self.renew(term)?,
                Err(RecvTimeoutError::Disconnected) => return Err(End::Stopped),
            };
            // Groups without entries renew nothing.
            if is_over || (term.renewed.elapsed() >= every && self.renew(term)?) {
                return Ok(());
            }
        }
    }

    /// Renews the lead; answers whether it is over.
    fn renew(&mut self, term: &mut Term) -> Result<bool, End> {
        let (sent, lead) = (Instant::now(), self.words(term));
        match self.stream.renew(lead) {
            Ok(()) => {
                self.renewed(term, sent, lead.acked);
                Ok(false)
            }
            Err(StreamError::Fenced) => Ok(true),
            Err(error) if error.is_transient() => {
                self.note(&error);
                let head = self.journal.head();
                Ok(matches!(self.settle(term, head)?, Outcome::Over { .. }))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a group durable and releases its replies; answers whether the lead is over.
    fn write(&mut self, term: &mut Term, group: Group) -> Result<bool, End> {
        let before = self.journal.head();
        let encoded = group.encode();
        let records = encoded.records();
        if let Some(index) = records.iter().position(|record| record.len() > RECORD_BYTES_MAX) {
            let bytes = records.get(index).map_or(0, |record| record.len());
            let error = JournalError::RecordTooLarge { index, bytes, max: RECORD_BYTES_MAX };
            return Err(failed(group, error.into()));
        }
        let rows = cut_rows(before, term.epoch, &records);
        let Some(head) = rows.last().map(StreamRow::head) else { return self.answer(term, group) };
        loop {
            let (sent, lead) = (Instant::now(), self.words(term));
            let rows: Vec<StreamRow> =
                rows.iter().cloned().map(|row| StreamRow { epoch: term.epoch, ..row }).collect();
            let outcome = match self.stream.append(lead, before, &rows) {
                Ok(()) => {
                    self.renewed(term, sent, lead.acked);
                    Outcome::Done
                }
                Err(StreamError::Fenced) => Outcome::Over { done: false },
                Err(error) if error.is_transient() => {
                    self.note(&error);
                    match self.settle(term, head) {
                        Ok(outcome) => outcome,
                        Err(end) => return Err(failed(group, end)),
                    }
                }
                Err(error) => return Err(failed(group, error.into())),
            };
            match outcome {
                Outcome::NotDone => std::thread::sleep(RETRY_PAUSE),
                Outcome::Over { done: false } => {
                    self.follow_another();
                    group.fail(&self.elsewhere());
                    return Ok(true);
                }
                Outcome::Done => return self.release_and_keep(&rows, group).map(|kept| !kept),
                Outcome::Over { done: true } => return self.release_and_keep(&rows, group).map(|_| true),
            }
        }
    }

    /// The group is durable in the shared journal, so its replies are released, whatever becomes of the copy. Answers whether the copy has it.
    fn release_and_keep(&mut self, rows: &[StreamRow], group: Group) -> Result<bool, End> {
        group.release();
        match self.keep(rows) {
            Ok(()) => Ok(true),
            Err(End::Journal(error @ JournalError::Full { .. })) => {
                self.note(&error);
                Ok(false)
            }
            Err(end) => Err(end),
        }
    }

    /// Releases replies that need no entry. They are true only as long as nobody else leads.
    fn answer(&mut self, term: &mut Term, group: Group) -> Result<bool, End> {
        if Instant::now() >= term.end && self.renew(term)? {
            self.follow_another();
            group.fail(&self.elsewhere());
            return Ok(true);
        }
        group.release();
        Ok(false)
    }

    /// Finds out what became of a write that should have made `wanted` the head. Taking the lead anew tells, for afterwards the write cannot happen
    /// any more if it has not. Meanwhile nothing new is taken, once the lead is over.
    fn settle(&mut self, term: &mut Term, wanted: Head) -> Result<Outcome, End> {
        loop {
            self.go_on()?;
            match self.settle_once(term, wanted) {
                Ok(Some(outcome)) => {
                    self.trouble = None;
                    return Ok(outcome);
                }
                Ok(None) => {}
                Err(error) if error.is_transient() => {
                    self.note(&error);
                    std::thread::sleep(RETRY_PAUSE);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn settle_once(&mut self, term: &mut Term, wanted: Head) -> Result<Option<Outcome>, StreamError> {
        let before = self.journal.head();
        let sent = Instant::now();
        if let Some(taken) = self.stream.take_over(term.epoch, &self.member, self.lease)? {
            *term = self.begin(taken.epoch, sent);
            return match taken.head {
                head if head == wanted => Ok(Some(Outcome::Done)),
                head if head == before => Ok(Some(Outcome::NotDone)),
                head => Err(super::differ(wanted, head)),
            };
        }
        let view = self.stream.look()?;
        if view.leader.as_ref().is_some_and(|leader| leader.name == self.member.name) {
            // An earlier try came through and its answer was lost.
            term.epoch = view.epoch;
            return Ok(None);
        }
        let rows =
            if view.head.seq < wanted.seq { Vec::new() } else { self.stream.read(wanted.seq, wanted.seq)? };
        let done = wanted.seq == 0 || rows.first().is_some_and(|row| row.follow(wanted).is_ok());
        // What was seen may be the view of a server that was left behind; nobody confirms for that one.
        self.stream.confirm()?;
        Ok(Some(Outcome::Over { done }))
    }

    fn follow_another(&mut self) {
        let leader = self.stream.look().ok().and_then(|view| view.leader);
        let leader = leader.filter(|leader| leader.name != self.member.name);
        self.shared.set_follows(NotLeader { leader });
    }

    /// The lead is over: what was decided and is not durable is given up, and the state goes back before anything is copied.
    fn step_down(&mut self) -> Result<(), End> {
        tracing::warn!(seq = self.journal.head().seq, "this node leads no more");
        self.follow_another();
        self.given_up.store(true, Ordering::Release);
        loop {
            match self.groups.recv() {
                Ok(ToWriter::Group(group)) => group.fail(&self.elsewhere()),
                Ok(ToWriter::Resume) => return Ok(()),
                Err(_) => return Err(End::Stopped),
            }
        }
    }
}

/// A group of which nobody may say whether it will be durable, because the node ends here.
fn failed(group: Group, end: End) -> End {
    group.fail(&Halted { reason: end.to_string() }.into());
    end
}
