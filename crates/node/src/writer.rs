//! The one thread that writes the journal, and releases replies.

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
    bytes: Vec<u8>,
    records: Vec<Range<usize>>,
    pub(crate) commands: usize,
    pub(crate) replies: Vec<(Replies, ReplyTo)>,
}

impl Group {
    pub(crate) fn add(&mut self, entry: &JournalEntry) {
        let start = self.bytes.len();
        entry.write(&mut self.bytes);
        self.records.push(start..self.bytes.len());
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.records.is_empty() && self.replies.is_empty()
    }

    /// The entries as they are recorded.
    pub(crate) fn records(&self) -> Vec<&[u8]> {
        self.records.iter().map(|range| self.bytes.get(range.clone()).unwrap_or_default()).collect()
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
    while let Ok(next) = groups.recv() {
        let group = match next {
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
        match append(&mut journal, &group) {
            Ok(()) => {
                shared.progress().durable = journal.head();
                shared.changed.notify_all();
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

fn append(journal: &mut FileJournal, group: &Group) -> Result<(), JournalError> {
    journal.append(&group.records()).map(|_| ())
}
