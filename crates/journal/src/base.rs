//! Where a journal begins whose first segments were released, and how they come back.
//!
//! The base is a file beside the segments: the head of the last released record, and a note of whoever released it, which the journal does not
//! read. Putting it there is the one step that releases: from then on segments before it are no part of the journal, and the next writer removes
//! what is left of them. Taking it away is the one step that brings returned segments back.
//!
//! What it does not do: it asks nobody whether the released records are kept elsewhere.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::error::{JournalError, Reason, SegmentName};
use crate::file::FileStorage;
use crate::frame::SegmentHeader;
use crate::hash::{Hash, Head};
use crate::scan::damage;
use crate::sector::{Content, SECTOR_BYTES, check, place};
use crate::storage::Storage;
use crate::writer::{Journal, Options};

const MAGIC: &[u8; 8] = b"JKBASE01";
/// Largest note.
pub const BASE_NOTE_BYTES_MAX: usize = 16 << 20;
/// Bytes of the checksum at the end.
const SUM_BYTES: usize = 32;

/// The beginning of a journal that has no longer all its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The last record released.
    pub before: Head,
    /// What the releaser says about where the records are.
    pub note: Vec<u8>,
}

impl Base {
    /// The first record that is still there.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.before.seq.saturating_add(1)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.before.seq.to_be_bytes());
        bytes.extend_from_slice(self.before.hash.as_bytes());
        bytes.extend_from_slice(&self.note);
        let sum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&sum);
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (body, sum) = bytes.split_last_chunk::<SUM_BYTES>()?;
        if Sha256::digest(body).as_slice() != sum {
            return None;
        }
        let (seq, rest) = body.strip_prefix(MAGIC)?.split_first_chunk::<8>()?;
        let (hash, note) = rest.split_first_chunk::<32>()?;
        let before = Head { seq: u64::from_be_bytes(*seq), hash: Hash::new(*hash) };
        (before.seq > 0).then(|| Self { before, note: note.to_vec() })
    }
}

/// The base of the journal in the folder `dir`; `None` where it has all its records.
///
/// # Errors
/// The base's file cannot be read or is damaged.
pub fn base(dir: &Path) -> Result<Option<Base>, JournalError> {
    base_on(&FileStorage::new(dir, false))
}

/// Like [`base`], on any storage.
///
/// # Errors
/// As there.
pub fn base_on<S: Storage>(storage: &S) -> Result<Option<Base>, JournalError> {
    let Some(bytes) = storage.base()? else { return Ok(None) };
    let damaged = || damage(place(SegmentName(0), 0), Reason::Base);
    Base::parse(&bytes).map(Some).ok_or_else(|| damaged().into())
}

impl<S: Storage> Journal<S> {
    /// The last record that could be released when only those up to `through` may: the one before a segment; `None` where nothing can be
    /// released. The segment that is written to always stays.
    ///
    /// # Errors
    /// The storage failed, or the segment has lost its header.
    pub fn releasable(&mut self, through: u64) -> Result<Option<Head>, JournalError> {
        let kept_from = base_on(self.storage())?.map_or(1, |base| base.first());
        let names = self.storage().segments()?;
        let last = self.segment();
        let keep = names.into_iter().rev().find(|name| *name <= last && name.0.saturating_sub(1) <= through);
        let Some(keep) = keep.filter(|keep| keep.0 > kept_from) else { return Ok(None) };
        header(self.storage(), keep)
            .map(|header| Some(Head { seq: header.first.saturating_sub(1), hash: header.prev }))
    }

    /// Releases every segment before the record that follows `base`; answers with how many files were removed. `base.before` is from
    /// [`Journal::releasable`].
    ///
    /// # Errors
    /// No segment begins there, the note is above its bound, or the storage failed: then everything is still there, or all of it is released and
    /// some files are left, which the next opening removes.
    pub fn release(&mut self, base: &Base) -> Result<u64, JournalError> {
        let keep = SegmentName(base.first());
        let fits =
            self.storage().size(keep)?.is_some() && header(self.storage(), keep)?.prev == base.before.hash;
        if !fits || keep > self.segment() || base.note.len() > BASE_NOTE_BYTES_MAX {
            return Err(JournalError::NoBase(base.before.seq));
        }
        self.storage_mut().set_base(Some(&base.to_bytes()))?;
        clear(self.storage_mut(), keep)
    }

    /// Begins to bring the released records back; `None` where none were.
    ///
    /// # Errors
    /// The base is damaged, or the storage failed.
    pub fn begin_return(self, options: &Options) -> Result<Option<Return<S>>, JournalError> {
        let Some(base) = base_on(self.storage())? else { return Ok(None) };
        let mut storage = self.into_storage();
        clear(&mut storage, SegmentName(base.first()))?;
        Ok(Some(Return { journal: Self::from_the_first(storage, options)?, base }))
    }
}

/// Released records on their way back.
#[derive(Debug)]
pub struct Return<S: Storage> {
    journal: Journal<S>,
    base: Base,
}

impl<S: Storage> Return<S> {
    /// Where they end.
    #[must_use]
    pub const fn base(&self) -> &Base {
        &self.base
    }

    /// The last record that came back.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.journal.head()
    }

    /// Brings the next records back, from the first on.
    ///
    /// # Errors
    /// As [`Journal::append`]; and where there are more records than were released.
    pub fn append<R: AsRef<[u8]>>(&mut self, records: &[R]) -> Result<Head, JournalError> {
        let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
        if self.head().seq.saturating_add(count) > self.base.before.seq {
            return Err(JournalError::NoReturn { expected: self.base.before, found: self.head() });
        }
        self.journal.append(records)
    }

    /// Makes the journal whole, when the records lead to where it begins now.
    ///
    /// # Errors
    /// They do not, and nothing has changed; or the storage failed.
    pub fn finish(mut self) -> Result<(), JournalError> {
        let (expected, found) = (self.base.before, self.head());
        if expected != found {
            return Err(JournalError::NoReturn { expected, found });
        }
        Ok(self.journal.storage_mut().set_base(None)?)
    }
}

fn header<S: Storage>(storage: &S, segment: SegmentName) -> Result<SegmentHeader, JournalError> {
    let (mut sector, at) = ([0; SECTOR_BYTES], place(segment, 0));
    storage.read(segment, 0, &mut sector)?;
    match check(&sector, at) {
        Content::Bad(damage) => Err(damage.into()),
        Content::Zero => Err(damage(at, Reason::NoHeader).into()),
        Content::Valid { content, .. } => {
            SegmentHeader::parse(content).ok_or_else(|| damage(at, Reason::Header).into())
        }
    }
}

/// Removes the segments before `keep`, the newest first: what is left of an interruption has no gap.
pub(crate) fn clear<S: Storage>(storage: &mut S, keep: SegmentName) -> Result<u64, JournalError> {
    let mut removed = 0_u64;
    for segment in storage.segments()?.into_iter().rev().filter(|segment| *segment < keep) {
        storage.remove(segment)?;
        removed = removed.saturating_add(1);
    }
    Ok(removed)
}

/// Where the chain begins that is in the storage.
pub(crate) fn start_of<S: Storage>(storage: &S) -> Result<Head, JournalError> {
    Ok(base_on(storage)?.map_or_else(Head::default, |base| base.before))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn every_changed_byte_of_a_base_is_found() {
        let base =
            Base { before: Head { seq: 7, hash: Hash::new([3; 32]) }, note: b"where they are".to_vec() };
        let bytes = base.to_bytes();
        assert_eq!(Base::parse(&bytes), Some(base));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(Base::parse(&changed), None, "byte {at}");
            assert_eq!(Base::parse(&bytes[..at]), None, "cut to {at}");
        }
    }
}
