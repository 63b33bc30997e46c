//! The newest durable entries in memory, for the one who makes something of each: it need not read back what was just written.
//!
//! The writer puts a group in after it is durable, and the follower takes it out. What is not taken is bounded by the bytes that the entries have in
//! the journal: beyond that the oldest groups go, and who wants them reads the journal.
//!
//! **Invariants.** Only durable entries are in a tail, each under the number that the journal has it under. A group that was given up never
//! comes into one. The writer never waits for a follower.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bank::JournalEntry;
use journal::Head;

/// Entries that became durable together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurableGroup {
    first: u64,
    head: Head,
    entries: Vec<JournalEntry>,
    bytes: usize,
}

impl DurableGroup {
    /// Entries that made `head` the journal's last record, and how many bytes they have there; nothing without entries.
    #[must_use]
    pub fn new(entries: Vec<JournalEntry>, head: Head, bytes: usize) -> Option<Self> {
        let count = u64::try_from(entries.len()).ok().filter(|count| *count > 0)?;
        let first = head.seq.checked_sub(count)?.saturating_add(1);
        Some(Self { first, head, entries, bytes })
    }

    /// The last entry, as the journal has it.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// Bytes of the entries in the journal.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The entries with their numbers.
    pub fn entries(&self) -> impl Iterator<Item = (u64, &JournalEntry)> {
        (self.first..).zip(&self.entries)
    }
}

#[derive(Debug, Default)]
struct Waiting {
    groups: VecDeque<DurableGroup>,
    bytes: usize,
}

#[derive(Debug)]
struct Inner {
    bytes_max: usize,
    waiting: Mutex<Waiting>,
}

/// The end of the journal as it grows, for one follower ([`crate::Handle::tail`]).
#[derive(Debug)]
pub struct Tail(Arc<Inner>);

impl Tail {
    /// A tail that nothing was put in. A group that alone has more than `bytes_max` is never in it.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self(Arc::new(Inner { bytes_max, waiting: Mutex::default() }))
    }

    /// Puts a group in that has become durable after all before it.
    pub fn push(&self, group: DurableGroup) {
        self.0.push(group);
    }

    /// Takes out the group that has the entry after `seq`. Nothing where that entry has gone for want of room, or is not durable yet.
    pub fn next(&self, seq: u64) -> Option<DurableGroup> {
        let mut waiting = self.0.waiting();
        let wanted = seq.saturating_add(1);
        while waiting.groups.front().is_some_and(|group| group.head.seq < wanted) {
            drop(waiting.take());
        }
        let is_there = waiting.groups.front().is_some_and(|group| group.first <= wanted);
        if is_there { waiting.take() } else { None }
    }
}

impl Waiting {
    fn take(&mut self) -> Option<DurableGroup> {
        let group = self.groups.pop_front()?;
        self.bytes = self.bytes.saturating_sub(group.bytes);
        Some(group)
    }
}

impl Inner {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, group: DurableGroup) {
        let mut gone = Vec::new();
        let mut waiting = self.waiting();
        waiting.bytes = waiting.bytes.saturating_add(group.bytes);
        waiting.groups.push_back(group);
        while waiting.bytes > self.bytes_max {
            let Some(oldest) = waiting.take() else { break };
            gone.push(oldest);
        }
        // The follower need not wait while they are freed.
        drop(waiting);
        drop(gone);
    }
}

/// Where the writer puts groups: into the tail of whoever follows, if anybody does.
#[derive(Debug, Default)]
pub(crate) struct Followed(Mutex<Weak<Inner>>);

impl Followed {
    /// From here on `tail` gets what becomes durable, and one before it nothing more.
    pub(crate) fn by(&self, tail: &Tail) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&tail.0);
    }

    pub(crate) fn push(&self, entries: Vec<JournalEntry>, head: Head, bytes: usize) {
        let tail = self.0.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        if let (Some(tail), Some(group)) = (tail, DurableGroup::new(entries, head, bytes)) {
            tail.push(group);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test fails by panicking")]
    use bank::{BodyHash, Command};
    use identity::Actor;
    use journal::Hash;
    use money::{CommandId, Timestamp};

    use super::*;

    /// Entries that end with `last`, ten bytes each.
    fn group(count: u64, last: u64) -> DurableGroup {
        let entry = |number| JournalEntry {
            epoch: 1,
            recorded_at: Timestamp::from_ms(1),
            actor: Actor::System,
            id: CommandId::new(u128::from(number)),
            body: BodyHash::of(&Command::Tick),
            command: Command::Tick,
            events: Vec::new(),
        };
        let entries: Vec<_> = (last - count + 1..=last).map(entry).collect();
        let bytes = entries.len() * 10;
        DurableGroup::new(entries, Head { seq: last, hash: Hash::default() }, bytes).unwrap()
    }

    fn numbers(group: Option<DurableGroup>) -> Vec<u64> {
        group.iter().flat_map(DurableGroup::entries).map(|(seq, _)| seq).collect()
    }

    #[test]
    fn groups_come_once_and_in_order() {
        let tail = Tail::new(1_000);
        assert_eq!(numbers(tail.next(0)), Vec::<u64>::new());
        tail.push(group(2, 2));
        tail.push(group(3, 5));
        assert_eq!(numbers(tail.next(0)), [1, 2]);
        assert_eq!(numbers(tail.next(2)), [3, 4, 5]);
        assert_eq!(numbers(tail.next(5)), Vec::<u64>::new());
        assert!(tail.next(5).is_none_or(|group| {
            group.entries().all(|(seq, entry)| entry.id == CommandId::new(u128::from(seq)))
        }));
    }

    #[test]
    fn the_oldest_groups_make_room_and_what_is_missing_is_not_passed_over() {
        let tail = Tail::new(60);
        for last in [2, 4, 6, 8] {
            tail.push(group(2, last));
        }
        assert!(tail.next(0).is_none(), "the first entry has gone");
        assert!(tail.next(1).is_none());
        assert_eq!(numbers(tail.next(2)), [3, 4]);
        // Who has read some of it elsewhere goes on within a group, or with a later one.
        assert_eq!(numbers(tail.next(5)), [5, 6]);
        tail.push(group(2, 10));
        assert_eq!(numbers(tail.next(8)), [9, 10]);
        tail.push(group(7, 17));
        assert!(tail.next(10).is_none(), "more than there is room for");
    }

    #[test]
    fn only_the_one_who_follows_gets_anything() {
        let followed = Followed::default();
        let push = |last| {
            let DurableGroup { entries, head, bytes, .. } = group(1, last);
            followed.push(entries, head, bytes);
        };
        push(1);
        let first = Tail::new(1_000);
        followed.by(&first);
        push(2);
        let second = Tail::new(1_000);
        followed.by(&second);
        push(3);
        drop(second);
        push(4);
        assert_eq!(numbers(first.next(1)), [2]);
        assert!(first.next(2).is_none());
    }
}
