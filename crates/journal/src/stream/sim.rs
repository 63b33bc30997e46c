//! A stream in memory for simulations and tests: it is cut off, loses answers, and lets a lead run out, when it is told to.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Lead, Member, Stream, StreamError, StreamRow, Taken, View};
use crate::hash::Head;

/// Rows that one read gives: few, so that tests read more than once.
const READ_ROWS: usize = 4;

/// What happens to a member's next writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamFault {
    /// The write happens, and its answer is lost.
    AnswerLost,
    /// The write does not happen, and nobody says so.
    WriteLost,
}

#[derive(Debug, Default)]
struct Store {
    epoch: u64,
    leader: Option<Member>,
    lease_end: Option<Instant>,
    head: Head,
    acked: u64,
    rows: Vec<StreamRow>,
}

#[derive(Debug, Default)]
struct Link {
    cut: bool,
    fault: Option<StreamFault>,
}

/// A stream in memory. Clones are the same stream over the same link; [`SimStream::another`] is the same stream over a link of its own.
#[derive(Debug, Clone, Default)]
pub struct SimStream {
    store: Arc<Mutex<Store>>,
    link: Arc<Mutex<Link>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SimStream {
    /// The same stream, as another node reaches it.
    #[must_use]
    pub fn another(&self) -> Self {
        Self { store: Arc::clone(&self.store), link: Arc::default() }
    }

    /// Cuts this link, or mends it.
    pub fn set_cut(&self, cut: bool) {
        lock(&self.link).cut = cut;
    }

    /// Has the next append over this link go wrong, and cuts the link.
    pub fn fail_next(&self, fault: StreamFault) {
        lock(&self.link).fault = Some(fault);
    }

    /// Lets the present lead run out at once.
    pub fn expire(&self) {
        lock(&self.store).lease_end = None;
    }

    /// Every row.
    #[must_use]
    pub fn rows(&self) -> Vec<StreamRow> {
        lock(&self.store).rows.clone()
    }

    fn reach(&self) -> Result<MutexGuard<'_, Store>, StreamError> {
        if lock(&self.link).cut {
            return Err(StreamError::Unreachable("the link is cut".to_owned()));
        }
        Ok(lock(&self.store))
    }

    fn renewed(&self, lead: Lead) -> Result<MutexGuard<'_, Store>, StreamError> {
        let mut store = self.reach()?;
        if store.epoch != lead.epoch {
            return Err(StreamError::Fenced);
        }
        store.acked = store.acked.max(lead.acked);
        store.lease_end = Instant::now().checked_add(lead.lease);
        Ok(store)
    }
}

impl Stream for SimStream {
    fn identity(&mut self) -> Result<String, StreamError> {
        self.reach().map(|_| "5".repeat(32))
    }

    fn look(&mut self) -> Result<View, StreamError> {
        let store = self.reach()?;
        let lease_left =
            store.lease_end.map_or(Duration::ZERO, |end| end.saturating_duration_since(Instant::now()));
        Ok(View {
            epoch: store.epoch,
            leader: store.leader.clone(),
            lease_left,
            head: store.head,
            acked: store.acked,
        })
    }

    fn read(&mut self, from: u64, last: u64) -> Result<Vec<StreamRow>, StreamError> {
        let store = self.reach()?;
        let wanted = store.rows.iter().filter(|row| row.last >= from && row.first <= last);
        Ok(wanted.take(READ_ROWS).cloned().collect())
    }

    fn take_over(
        &mut self,
        seen: u64,
        member: &Member,
        lease: Duration,
    ) -> Result<Option<Taken>, StreamError> {
        let mut store = self.reach()?;
        let over = store.lease_end.is_none_or(|end| end <= Instant::now());
        let own = store.leader.as_ref().is_some_and(|leader| leader.name == member.name);
        if store.epoch != seen || !(over || own) {
            return Ok(None);
        }
        store.epoch = store.epoch.saturating_add(1);
        store.leader = Some(member.clone());
        store.lease_end = Instant::now().checked_add(lease);
        Ok(Some(Taken { epoch: store.epoch, head: store.head }))
    }

    fn append(&mut self, lead: Lead, head: Head, rows: &[StreamRow]) -> Result<(), StreamError> {
        let fault = lock(&self.link).fault.take();
        if fault != Some(StreamFault::WriteLost) {
            let mut store = self.renewed(lead)?;
            if store.head != head {
                return Err(StreamError::Fork { seq: head.seq, ours: head.hash, theirs: store.head.hash });
            }
            store.rows.extend_from_slice(rows);
            store.head = rows.last().map_or(head, StreamRow::head);
        }
        match fault {
            None => Ok(()),
            Some(_) => {
                self.set_cut(true);
                Err(StreamError::InDoubt("the answer was lost".to_owned()))
            }
        }
    }

    fn renew(&mut self, lead: Lead) -> Result<(), StreamError> {
        self.renewed(lead).map(|_| ())
    }

    fn release(&mut self, lead: Lead) -> Result<(), StreamError> {
        self.renewed(lead)?.lease_end = None;
        Ok(())
    }

    fn confirm(&mut self) -> Result<(), StreamError> {
        self.reach().map(|_| ())
    }
}
