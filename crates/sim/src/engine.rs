//! The journal that several nodes share, in memory: it keeps the contract of [`journal::Stream`] and fails in every way that the contract allows.
//!
//! **The contract.** A write names the epoch and the head it follows, and happens only when both are still true. What was confirmed stays.
//! What happened without a confirmation is seen, and may be lost until somebody's later write is confirmed. A lead is taken over only when
//! it is over by the store's clock, which is the world's here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use journal::{Head, Lead, Member, Stream, StreamError, StreamRow, Taken, View};
use money::Timestamp;

/// Rows that one read gives: few, so that copying takes several.
const READ_ROWS: usize = 3;

/// What happens to the next write over a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteFault {
    /// It happens, and its answer is lost.
    AnswerLost,
    /// It does not happen, and nobody says so.
    WriteLost,
}

/// What happens to the next read over a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadFault {
    /// A row in the middle is missing.
    Gap,
    /// A byte of a row is another one.
    Damage,
}

#[derive(Debug, Default)]
struct Store {
    now: Timestamp,
    epoch: u64,
    leader: Option<Member>,
    lease_end: Timestamp,
    rows: Vec<StreamRow>,
    /// So many rows survive a change of the database's own leader.
    confirmed: usize,
    acked: u64,
    /// The last write, to come once more when the network repeats it.
    last: Option<(Lead, Head, Vec<StreamRow>)>,
    /// The mistake of a store that does not look at the epoch.
    ignores_epoch: bool,
}

impl Store {
    fn head(&self) -> Head {
        self.rows.last().map(StreamRow::head).unwrap_or_default()
    }

    fn confirm(&mut self) {
        self.confirmed = self.rows.len();
    }

    fn may_write(&self, lead: Lead) -> Result<(), StreamError> {
        if self.epoch == lead.epoch || self.ignores_epoch { Ok(()) } else { Err(StreamError::Fenced) }
    }

    fn append(&mut self, lead: Lead, head: Head, rows: &[StreamRow]) -> Result<(), StreamError> {
        self.may_write(lead)?;
        let found = self.head();
        if found != head {
            return Err(StreamError::Fork { seq: head.seq, ours: head.hash, theirs: found.hash });
        }
        self.rows.extend_from_slice(rows);
        self.renew(lead);
        Ok(())
    }

    fn renew(&mut self, lead: Lead) {
        self.acked = self.acked.max(lead.acked);
        self.lease_end = self.now.plus_ms(millis(lead.lease));
    }
}

fn millis(lease: Duration) -> u64 {
    u64::try_from(lease.as_millis()).unwrap_or(u64::MAX)
}

/// A node's link to the store.
#[derive(Debug, Default)]
pub(crate) struct SimEngine {
    store: Arc<Mutex<Store>>,
    /// So many more calls get no answer.
    cut: u64,
    /// So many calls get no answer after the next fault of a write.
    cut_after: u64,
    write_fault: Option<WriteFault>,
    read_fault: Option<ReadFault>,
}

impl SimEngine {
    /// The same store over another link.
    pub(crate) fn another(&self) -> Self {
        Self { store: Arc::clone(&self.store), ..Self::default() }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_now(&self, now: Timestamp) {
        self.store().now = now;
    }

    pub(crate) fn ignore_epoch(&self) {
        self.store().ignores_epoch = true;
    }

    pub(crate) const fn cut(&mut self, calls: u64) {
        self.cut = calls;
    }

    /// The next write goes wrong, and so many calls after it get no answer.
    pub(crate) const fn fail_write(&mut self, fault: WriteFault, cut_after: u64) {
        (self.write_fault, self.cut_after) = (Some(fault), cut_after);
    }

    pub(crate) const fn fail_read(&mut self, fault: ReadFault) {
        self.read_fault = Some(fault);
    }

    pub(crate) const fn mend(&mut self) {
        (self.cut, self.cut_after, self.write_fault, self.read_fault) = (0, 0, None, None);
    }

    /// The database's own leader dies; what was not confirmed is gone with it.
    pub(crate) fn lose_unconfirmed(&self) -> usize {
        let mut store = self.store();
        let lost = store.rows.len().saturating_sub(store.confirmed);
        let confirmed = store.confirmed;
        store.rows.truncate(confirmed);
        lost
    }

    /// The last write comes once more. It must not happen twice.
    pub(crate) fn repeat_last(&self) -> Result<(), String> {
        let mut store = self.store();
        let Some((lead, head, rows)) = store.last.clone() else { return Ok(()) };
        match store.append(lead, head, &rows) {
            Ok(()) if rows.is_empty() => Ok(()),
            Ok(()) => Err("the shared journal took a write twice".to_owned()),
            Err(_) => Ok(()),
        }
    }

    /// Every row there is.
    pub(crate) fn rows(&self) -> Vec<StreamRow> {
        self.store().rows.clone()
    }

    fn reach(&mut self) -> Result<MutexGuard<'_, Store>, StreamError> {
        Self::reached(&mut self.cut, &self.store)
    }

    fn reached<'s>(cut: &mut u64, store: &'s Mutex<Store>) -> Result<MutexGuard<'s, Store>, StreamError> {
        if *cut > 0 {
            *cut = cut.saturating_sub(1);
            return Err(StreamError::Unreachable("the link is cut".to_owned()));
        }
        Ok(store.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Stream for SimEngine {
    fn identity(&mut self) -> Result<String, StreamError> {
        self.reach().map(|_| "5".repeat(32))
    }

    fn look(&mut self) -> Result<View, StreamError> {
        let store = self.reach()?;
        let lease_left = Duration::from_millis(store.lease_end.since(store.now));
        let (epoch, leader, head, acked) = (store.epoch, store.leader.clone(), store.head(), store.acked);
        Ok(View { epoch, leader, lease_left, head, acked })
    }

    fn read(&mut self, from: u64, last: u64) -> Result<Vec<StreamRow>, StreamError> {
        let fault = self.read_fault.take();
        let store = self.reach()?;
        let wanted = store.rows.iter().filter(|row| row.last >= from && row.first <= last);
        let mut rows: Vec<StreamRow> = wanted.take(READ_ROWS).cloned().collect();
        match fault {
            Some(ReadFault::Gap) if rows.len() > 1 => {
                rows.remove(0);
            }
            Some(ReadFault::Damage) => {
                let byte = rows.first_mut().and_then(|row| row.content.last_mut());
                if let Some(byte) = byte {
                    *byte ^= 1;
                }
            }
            Some(ReadFault::Gap) | None => {}
        }
        Ok(rows)
    }

    fn take_over(
        &mut self,
        seen: u64,
        member: &Member,
        lease: Duration,
    ) -> Result<Option<Taken>, StreamError> {
        let mut store = self.reach()?;
        let is_own = store.leader.as_ref().is_some_and(|leader| leader.name == member.name);
        if store.epoch != seen || (store.lease_end > store.now && !is_own) {
            return Ok(None);
        }
        store.epoch = store.epoch.saturating_add(1);
        store.leader = Some(member.clone());
        store.lease_end = store.now.plus_ms(millis(lease));
        store.confirm();
        Ok(Some(Taken { epoch: store.epoch, head: store.head() }))
    }

    fn append(&mut self, lead: Lead, head: Head, rows: &[StreamRow]) -> Result<(), StreamError> {
        let fault = self.write_fault.take();
        let cut_after = if fault.is_some() { std::mem::replace(&mut self.cut_after, 0) } else { 0 };
        let mut store = Self::reached(&mut self.cut, &self.store)?;
        self.cut = cut_after;
        let lost = || Err(StreamError::InDoubt("the answer was lost".to_owned()));
        if fault == Some(WriteFault::WriteLost) {
            return lost();
        }
        store.append(lead, head, rows)?;
        store.last = Some((lead, head, rows.to_vec()));
        if fault == Some(WriteFault::AnswerLost) {
            return lost();
        }
        store.confirm();
        Ok(())
    }

    fn renew(&mut self, lead: Lead) -> Result<(), StreamError> {
        let mut store = self.reach()?;
        store.may_write(lead)?;
        store.renew(lead);
        store.confirm();
        Ok(())
    }

    fn release(&mut self, lead: Lead) -> Result<(), StreamError> {
        let mut store = self.reach()?;
        store.may_write(lead)?;
        store.lease_end = Timestamp::default();
        Ok(())
    }

    fn confirm(&mut self) -> Result<(), StreamError> {
        self.reach()?.confirm();
        Ok(())
    }
}
