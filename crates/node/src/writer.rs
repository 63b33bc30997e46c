//! The one thread that writes the journal, hands over what is durable, and releases replies.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use bank::JournalEntry;
use crossbeam_channel::Receiver;
use journal::{FileJournal, JournalError};

use crate::handle::{Halted, Shared};
use crate::{Replies, SubmitError};

/// Whom a batch's results go to.
pub(crate) type ReplyTo = Box<dyn FnOnce(Replies) + Send>;

/// Entries that become durable together, and the replies that wait for them.
#[derive(Default)]
pub(crate) struct Group {
    entries: Vec<JournalEntry>,
    pub(crate) commands: usize,
    pub(crate) replies: Vec<(Replies, ReplyTo)>,
}

/// Entries as they are recorded. It is the writer's thread that brings them into this form, while the sequencer decides the next.
#[derive(Default)]
pub(crate) struct Encoded {
    bytes: Vec<u8>,
    records: Vec<Range<usize>>,
}

impl Encoded {
    /// Holds these entries from here on, in the memory of those before.
    fn set(&mut self, entries: &[JournalEntry]) {
        self.bytes.clear();
        self.records.clear();
        for entry in entries {
            let start = self.bytes.len();
            entry.write(&mut self.bytes);
            self.records.push(start..self.bytes.len());
        }
    }

    pub(crate) fn records(&self) -> Vec<&[u8]> {
        self.records.iter().map(|range| self.bytes.get(range.clone()).unwrap_or_default()).collect()
    }
}

impl Group {
    pub(crate) fn add(&mut self, entry: JournalEntry) {
        self.entries.push(entry);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.replies.is_empty()
    }

    pub(crate) fn encode(&self) -> Encoded {
        let mut encoded = Encoded::default();
        encoded.set(&self.entries);
        encoded
    }

    /// Takes the entries out.
    pub(crate) fn take_entries(&mut self) -> Vec<JournalEntry> {
        std::mem::take(&mut self.entries)
    }

    pub(crate) fn release(self) {
        for (results, reply) in self.replies {
            reply(results);
        }
    }

    pub(crate) fn fail(self, error: &SubmitError) {
        for (results, reply) in self.replies {
            reply(results.iter().map(|_| Err(error.clone())).collect());
        }
    }
}

/// What the sequencer hands over.
pub(crate) enum ToWriter {
    /// A group to write.
    Group(Group),
    /// The state was set back to what is durable; what comes from here on builds on it.
    Resume,
}

/// Writes groups until the sequencer ends.
pub(crate) fn write_groups(
    mut journal: FileJournal,
    groups: &Receiver<ToWriter>,
    shared: &Shared,
    given_up: &AtomicBool,
) {
    // Set while groups build on entries that were not written.
    let mut discarding = false;
    let mut encoded = Encoded::default();
    while let Ok(next) = groups.recv() {
        let mut group = match next {
            ToWriter::Resume => {
                discarding = false;
                continue;
            }
            ToWriter::Group(group) => group,
        };
        if let Some(halted) = shared.progress().halted.clone() {
            group.fail(&halted.into());
            continue;
        }
        if discarding {
            group.fail(&SubmitError::NoRoom);
            continue;
        }
        encoded.set(&group.entries);
        match journal.append(&encoded.records()) {
            Ok(head) => {
                shared.hand_over(&mut group, head, encoded.bytes.len());
                group.release();
            }
            Err(JournalError::Full { .. }) => {
                tracing::error!("the journal has no room; commands are turned away until there is");
                discarding = true;
                given_up.store(true, Ordering::Release);
                group.fail(&SubmitError::NoRoom);
            }
            Err(error) => {
                let reason = format!("journal: {error}");
                shared.halt(reason.clone());
                group.fail(&Halted { reason }.into());
            }
        }
    }
    // The sequencer has gone: nothing more can become durable, so nobody shall wait for it.
    shared.progress().halted.get_or_insert(Halted { reason: "the node was stopped".to_owned() });
    shared.changed.notify_all();
}
