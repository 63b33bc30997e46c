//! The copy in the data folder: compared with the stream at the start, and extended by what is durable there.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::sync::PoisonError;

use journal::{Head, Lead, Reader, StreamError, StreamRow, Taken, cut_rows};

use super::{End, Replica, entries};
use crate::snapshots;

/// File with the identity of the stream that the copy is of, beside the journal.
pub(super) const IDENTITY_FILE: &str = "stream.id";
/// Bytes of records that are copied with one write: enough that the disk's own time does not count, little enough that readers of the
/// state do not wait long while they are applied.
const COPY_BYTES: usize = 4 << 20;

impl Replica {
    /// Compares the copy here with the stream: its identity, and the copy's last record.
    pub(super) fn check_copy(&mut self) -> Result<(), End> {
        let found = self.stream.identity()?;
        let kept = read_identity(&self.data)?;
        if let Some(expected) = kept.as_ref().filter(|expected| **expected != found) {
            return Err(StreamError::OtherStream { expected: expected.clone(), found }.into());
        }
        let head = self.journal.head();
        let view = self.stream.look()?;
        // A bank that was alone until now brings its journal along, when the stream has not begun.
        self.seeds = head.seq > 0 && kept.is_none() && view.head.seq == 0;
        if let Some(base) = journal::base(&snapshots::journal_dir(&self.data))?.filter(|_| self.seeds) {
            let first = base.first();
            return Err(End::Folder(format!(
                "a shared journal begins with the first record, and this one begins with {first} since those before were released: bring them back first"
            )));
        }
        if head.seq > 0 && !self.seeds {
            if view.head.seq < head.seq {
                self.stream.confirm()?;
                return Err(StreamError::Behind { ours: head.seq, theirs: view.head.seq }.into());
            }
            let rows = self.stream.read(head.seq, head.seq)?;
            let row = rows.first().ok_or(StreamError::Gap { expected: head.seq, found: 0 });
            if let Err(error) = row.and_then(|row| row.follow(head)) {
                // A server that was left behind may have other records, and nobody confirms for it.
                self.stream.confirm()?;
                return Err(error.into());
            }
        }
        if kept.is_none() && !self.seeds {
            keep_identity(&self.data, &found)?;
        }
        self.is_checked = true;
        Ok(())
    }

    /// Copies and applies up to the record `last`.
    pub(super) fn copy_until(&mut self, last: u64) -> Result<(), End> {
        while self.journal.head().seq < last {
            let from = self.journal.head().seq.saturating_add(1);
            let rows = self.stream.read(from, last)?;
            if rows.is_empty() {
                return Err(StreamError::Gap { expected: from, found: 0 }.into());
            }
            let mut rest = rows.as_slice();
            while !rest.is_empty() {
                let (now, later) = rest.split_at(few(rest));
                self.copy(now)?;
                rest = later;
            }
            self.go_on()?;
        }
        Ok(())
    }

    /// Checks some rows, makes them durable here, and applies them.
    fn copy(&mut self, rows: &[StreamRow]) -> Result<(), End> {
        let before = self.journal.head();
        let (records, head) = follow_all(rows, before)?;
        let entries = entries(&records, before)?;
        self.journal.append(&records)?;
        if self.journal.head() != head {
            return Err(super::differ(self.journal.head(), head).into());
        }
        {
            let mut bank = self.shared.bank.write().unwrap_or_else(PoisonError::into_inner);
            for (seq, entry) in &entries {
                bank.apply(*seq, entry);
            }
        }
        self.advance();
        Ok(())
    }

    /// Makes rows durable here whose entries are applied already.
    pub(super) fn keep(&mut self, rows: &[StreamRow]) -> Result<(), End> {
        let mut rest = rows;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(few(rest));
            let (records, _) = follow_all(now, self.journal.head())?;
            self.journal.append(&records)?;
            rest = later;
        }
        self.advance();
        Ok(())
    }

    fn advance(&self) {
        self.shared.progress().durable = self.journal.head();
        self.shared.changed.notify_all();
    }

    /// Gives the new stream the records that this bank has from the time when it was alone.
    pub(super) fn seed(&mut self, taken: Taken) -> Result<(), End> {
        let end = self.journal.head();
        tracing::info!(records = end.seq, "the shared journal begins with the records that are here");
        let mut at = taken.head;
        let mut reader = Reader::open(&snapshots::journal_dir(&self.data), at.seq.saturating_add(1))?;
        while at.seq < end.seq {
            let (mut records, mut bytes) = (Vec::new(), 0_usize);
            while bytes < COPY_BYTES {
                let Some(record) = reader.next_until(end.seq)? else { break };
                if records.is_empty() && record.prev != at.hash {
                    return Err(StreamError::Fork { seq: at.seq, ours: record.prev, theirs: at.hash }.into());
                }
                bytes = bytes.saturating_add(record.bytes.len());
                records.push(record.bytes);
            }
            let slices: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
            let rows = cut_rows(at, taken.epoch, &slices);
            let Some(head) = rows.last().map(StreamRow::head) else { break };
            let lead = Lead { epoch: taken.epoch, acked: at.seq, lease: self.lease };
            self.stream.append(lead, at, &rows)?;
            at = head;
        }
        if at != end {
            return Err(super::differ(end, at).into());
        }
        let identity = self.stream.identity()?;
        keep_identity(&self.data, &identity)?;
        self.seeds = false;
        Ok(())
    }
}

/// How many rows to copy at once.
fn few(rows: &[StreamRow]) -> usize {
    let mut bytes = 0_usize;
    let fit = rows.iter().take_while(|row| {
        bytes = bytes.saturating_add(row.content.len());
        bytes <= COPY_BYTES
    });
    fit.count().max(1)
}

fn follow_all(rows: &[StreamRow], mut head: Head) -> Result<(Vec<&[u8]>, Head), StreamError> {
    let mut records = Vec::new();
    for row in rows {
        let (found, after) = row.follow(head)?;
        records.extend(found);
        head = after;
    }
    Ok((records, head))
}

fn read_identity(data: &Path) -> Result<Option<String>, End> {
    match fs::read_to_string(data.join(IDENTITY_FILE)) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(End::Folder(format!("cannot read {IDENTITY_FILE}: {error}"))),
    }
}

fn keep_identity(data: &Path, identity: &str) -> Result<(), End> {
    let (path, beside) = (data.join(IDENTITY_FILE), data.join("stream.id.partial"));
    let written = File::create(&beside).and_then(|mut file| {
        writeln!(file, "{identity}")?;
        file.sync_all()?;
        fs::rename(&beside, &path)?;
        File::open(data)?.sync_all()
    });
    written.map_err(|error| End::Folder(format!("cannot write {IDENTITY_FILE}: {error}")))
}
