//! Reading the whole chain, for an audit and before the first write.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use crate::base::start_of;
use crate::error::{Damage, JournalError, Position, Reason, SegmentName};
use crate::file::FileStorage;
use crate::hash::Head;
use crate::scan::{Scan, Step, Stop, damage};
use crate::sector::{BLOCK, place};
use crate::storage::Storage;

/// How often a reader beside a writer looks again at what seems damaged. A buffered read may see a sector half written; it is whole a moment
/// later, on a busy machine when the writer gets its turn.
pub(crate) const PATIENCE: u32 = 50;
/// How long it waits in between.
pub(crate) const PAUSE: Duration = Duration::from_millis(1);

/// A journal that is what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Its last record.
    pub head: Head,
    /// The record before the first one there is; the default where none was released.
    pub before: Head,
    /// Number of records.
    pub records: u64,
    /// Number of segments.
    pub segments: u64,
    /// Bytes of the segments up to the last group's end, headers and padding included.
    pub bytes: u64,
    /// Where a last group or a last segment begins that was not written to its end. Beside a writer it may be one that is just being written.
    pub torn_tail: Option<Position>,
}

/// Reads the whole chain of the journal in `dir`. May run beside a writer. A folder without segments is an empty journal.
///
/// # Errors
/// The first place that is not what was written, or that cannot be read.
pub fn verify(dir: &Path) -> Result<Verified, Damage> {
    survey(&mut Scan::new(FileStorage::new(dir, false)), PATIENCE).map(|survey| survey.verified)
}

/// Like [`verify`], on any storage; nothing may be written meanwhile.
///
/// # Errors
/// As [`verify`].
pub fn verify_on<S: Storage>(storage: S) -> Result<Verified, Damage> {
    survey(&mut Scan::new(storage), 0).map(|survey| survey.verified)
}

/// What the chain's end looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// No segment at all.
    Absent,
    /// A last whole group, or a header, and nothing after it.
    Clean,
    /// Pieces of a group, up to here.
    Torn { end: u64 },
    /// A segment whose making was interrupted.
    TornSegment(SegmentName),
}

#[derive(Debug)]
pub(crate) struct Survey {
    pub(crate) verified: Verified,
    pub(crate) tail: Tail,
}

/// Reads every segment there is. Afterwards the scan stands behind the last whole group.
pub(crate) fn survey<S: Storage>(scan: &mut Scan<S>, patience: u32) -> Result<Survey, Damage> {
    let before = beginning(scan)?;
    scan.head = before;
    let mut coming = VecDeque::from(list(scan, SegmentName(before.seq))?);
    if before.seq > 0 && coming.is_empty() {
        let first = before.seq.saturating_add(1);
        return Err(damage(place(SegmentName(first), 0), Reason::BaseAlone(first)));
    }
    let (mut current, mut segments, mut bytes) = (None, 0_u64, 0_u64);
    let mut tail = Tail::Absent;
    loop {
        if coming.is_empty() {
            // A writer beside us may have gone on to another segment.
            coming = VecDeque::from(list(scan, current.unwrap_or(SegmentName(before.seq)))?);
        }
        let Some(next) = coming.pop_front() else { break };
        let follows = tail == Tail::Clean && next.0 == scan.head.seq.saturating_add(1);
        if current.is_some() && !follows && !matches!(tail, Tail::TornSegment(_)) {
            // A writer beside us may have written more groups here before it went on.
            scan.refresh(BLOCK);
            tail = finish(scan, patience)?;
        }
        match tail {
            // Only the last segment may be torn: a writer goes on when everything before is durable.
            Tail::Torn { .. } => return Err(hole(scan)),
            Tail::TornSegment(torn) => return Err(damage(place(torn, 0), Reason::NoHeader)),
            Tail::Absent | Tail::Clean => {}
        }
        bytes = bytes.saturating_add(scan.offset);
        segments = segments.saturating_add(1);
        tail = if scan.enter(next)? { finish(scan, patience)? } else { Tail::TornSegment(next) };
        current = Some(next);
    }
    let torn_tail = match tail {
        Tail::Torn { .. } => Some(scan.here()),
        Tail::TornSegment(torn) => Some(place(torn, 0)),
        Tail::Absent | Tail::Clean => None,
    };
    if !matches!(tail, Tail::TornSegment(_)) {
        bytes = bytes.saturating_add(scan.offset);
    }
    let records = scan.head.seq.saturating_sub(before.seq);
    let verified = Verified { head: scan.head, before, records, segments, bytes, torn_tail };
    Ok(Survey { verified, tail })
}

/// The head that the first segment follows.
fn beginning<S: Storage>(scan: &Scan<S>) -> Result<Head, Damage> {
    start_of(&scan.storage).map_err(|error| match error {
        JournalError::Damaged(damage) => damage,
        JournalError::Io(fault) => damage(scan.here(), Reason::Unreadable(fault)),
        _ => damage(scan.here(), Reason::Base),
    })
}

fn list<S: Storage>(scan: &Scan<S>, after: SegmentName) -> Result<Vec<SegmentName>, Damage> {
    let names = scan.storage.segments().map_err(|fault| damage(scan.here(), Reason::Unreadable(fault)))?;
    Ok(names.into_iter().filter(|name| *name > after).collect())
}

/// The damage of a group that is unfinished where it must not be.
fn hole<S: Storage>(scan: &mut Scan<S>) -> Damage {
    match scan.step() {
        Ok(Step::Stop(Stop { hole, .. })) => damage(place(scan.segment, hole), Reason::Unwritten),
        Ok(Step::Group) => damage(scan.here(), Reason::Unwritten),
        Err(damage) => damage,
    }
}

/// Reads on to the end of the segment, and looks again at what seems torn or damaged, `patience` times.
fn finish<S: Storage>(scan: &mut Scan<S>, patience: u32) -> Result<Tail, Damage> {
    let (mut left, mut reached) = (patience, scan.offset);
    loop {
        let found = finish_once(scan);
        if found == Ok(Tail::Clean) || left == 0 {
            return found;
        }
        if scan.offset > reached {
            (left, reached) = (patience, scan.offset);
        } else {
            left = left.saturating_sub(1);
        }
        std::thread::sleep(PAUSE);
        scan.refresh(BLOCK);
    }
}

fn finish_once<S: Storage>(scan: &mut Scan<S>) -> Result<Tail, Damage> {
    loop {
        scan.read_much();
        if let Step::Stop(stop) = scan.step()? {
            return Ok(scan.tail(stop)?.map_or(Tail::Clean, |end| Tail::Torn { end }));
        }
    }
}
