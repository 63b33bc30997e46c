//! Where the projector is in the journal, and how it goes on from there: with what the node hands over in memory, or with the journal itself.
//!
//! **Invariants.** Entries are put in one after another, none twice and none passed over, from whichever of both they come. Where the
//! journal is read again its chain must fit what was put in last.

use std::path::{Path, PathBuf};

use journal::{Hash, Reader};
use money::Timestamp;
use node::Tail;

use crate::ProjectionError;
use crate::project::Projecting;

/// A place in the journal.
pub(crate) struct Place {
    journal: PathBuf,
    /// Open while entries have to be read back.
    reader: Option<Reader>,
    /// Last entry put in.
    pub(crate) seq: u64,
    /// Its hash.
    pub(crate) hash: Hash,
    /// When it was recorded.
    pub(crate) recorded_at: Timestamp,
}

impl Place {
    /// Behind the entry `seq` of the journal in the folder `journal`.
    pub(crate) fn new(journal: &Path, seq: u64, hash: Hash, recorded_at: Timestamp) -> Self {
        Self { journal: journal.to_owned(), reader: None, seq, hash, recorded_at }
    }

    /// Puts in some of what is durable: a group that was handed over, or one record. Answers with its bytes; nothing where there is no more.
    pub(crate) fn go_on(
        &mut self,
        projecting: &mut Projecting<'_>,
        tail: &Tail,
        durable: u64,
    ) -> Result<Option<usize>, ProjectionError> {
        if self.seq >= durable {
            return Ok(None);
        }
        let Some(group) = tail.next(self.seq) else { return self.read_back(projecting, durable) };
        self.reader = None;
        // Its beginning may have been read back already.
        for (seq, entry) in group.entries().filter(|(seq, _)| *seq > self.seq) {
            projecting.entry(seq, entry)?;
            self.recorded_at = entry.recorded_at;
        }
        (self.seq, self.hash) = (group.head().seq, group.head().hash);
        Ok(Some(group.bytes()))
    }

    fn read_back(
        &mut self,
        projecting: &mut Projecting<'_>,
        durable: u64,
    ) -> Result<Option<usize>, ProjectionError> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(Reader::open(&self.journal, self.seq.saturating_add(1))?),
        };
        let Some(record) = reader.next_until(durable)? else { return Ok(None) };
        if record.prev != self.hash {
            let problem = "the journal does not go on from the entry before".to_owned();
            return Err(ProjectionError::Entry { seq: record.seq, problem });
        }
        self.recorded_at = projecting.record(record.seq, &record.bytes)?;
        (self.seq, self.hash) = (record.seq, record.hash);
        Ok(Some(record.bytes.len()))
    }
}

#[cfg(test)]
mod tests;
