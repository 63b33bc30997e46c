//! Posted entries, packed: what the ledger remembers for ever.
//!
//! A transfer takes 62 bytes here and 9 to 18 in the index by id. Entries stand in the order of recording; each leg names the account's entry before
//! it, so that an account's own history is walked backwards without a list per account.
//!
//! **Invariants.** Nothing here is ever changed or removed. Bytes that were not written here are refused when a snapshot is read.

pub(crate) mod chunk;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use money::{EntryId, PositionIndex, Timestamp, invariant};

use self::chunk::{ColdHistory, HistoryChunk, HistoryFault};
use crate::Side;

/// Entries of a chunk. Chunks keep the list from being copied as a whole when it grows, and are what is kept elsewhere when memory is bounded.
pub const CHUNK_ENTRIES: u32 = 4096;

/// Says what follows the fixed fields of an entry.
mod flags {
    pub(super) const EFFECTIVE: u8 = 1;
    pub(super) const REFERENCE: u8 = 2;
    pub(super) const MEMO: u8 = 4;
    pub(super) const REVERSES: u8 = 8;
    /// Amounts of 16 bytes; 8 without it.
    pub(super) const WIDE: u8 = 16;
    pub(super) const ALL: u8 = 31;
}

/// The bit of a leg's account that says credit; the rest is the account's position, 31 bits.
const CREDIT: u32 = 1 << 31;

/// A leg as it is kept: the account by its position in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PackedLeg {
    pub(crate) account: u32,
    pub(crate) side: Side,
    pub(crate) minor: u128,
    /// The account's entry before this one, counted from 1; 0 for none.
    pub(crate) previous: u32,
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packed<'a> {
    pub(crate) id: EntryId,
    pub(crate) recorded_at: Timestamp,
    pub(crate) effective_at: Timestamp,
    pub(crate) reference: Option<u64>,
    pub(crate) memo: Cow<'a, str>,
    pub(crate) reverses: Option<EntryId>,
    legs: Cow<'a, [u8]>,
    is_wide: bool,
}

impl Packed<'_> {
    /// The same, with bytes of its own.
    fn into_owned(self) -> Packed<'static> {
        Packed {
            id: self.id,
            recorded_at: self.recorded_at,
            effective_at: self.effective_at,
            reference: self.reference,
            memo: Cow::Owned(self.memo.into_owned()),
            reverses: self.reverses,
            legs: Cow::Owned(self.legs.into_owned()),
            is_wide: self.is_wide,
        }
    }

    /// The legs, in the entry's order.
    pub(crate) fn legs(&self) -> impl Iterator<Item = PackedLeg> {
        let mut bytes = Bytes(&self.legs);
        let is_wide = self.is_wide;
        std::iter::from_fn(move || bytes.leg(is_wide))
    }
}

/// What is to be kept of an entry.
pub(crate) struct NewEntry<'a> {
    pub(crate) id: EntryId,
    pub(crate) recorded_at: Timestamp,
    pub(crate) effective_at: Timestamp,
    pub(crate) reference: Option<u64>,
    pub(crate) memo: &'a str,
    pub(crate) reverses: Option<EntryId>,
}

/// All posted entries.
///
/// All of them are in memory, or, in a bounded mode, the newest: then whoever runs the ledger keeps full chunks elsewhere ([`ColdHistory`]) and lets
/// [`History::forget`] drop them here. What the ledger says and decides is the same either way.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// Chunks in memory, from the number `cold_chunks` on. The last one may not be full.
    chunks: VecDeque<Arc<HistoryChunk>>,
    /// Digests of the chunks before them.
    cold_digests: Vec<[u8; 32]>,
    cold: Option<Arc<dyn ColdHistory>>,
    len: u32,
    /// Index of the entries from `recent_from` on, and of those before it from `indexed_from` on.
    recent: PositionIndex,
    recent_from: u32,
    older: PositionIndex,
    indexed_from: u32,
}

/// What was dropped from memory; it is returned so that it can be let go where nobody waits.
#[derive(Debug, Default)]
pub struct Forgotten {
    _index: PositionIndex,
    _chunks: Vec<Arc<HistoryChunk>>,
}

impl History {
    /// How many entries there are.
    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// The entry with this id.
    pub(crate) fn find(&self, id: EntryId) -> Option<Packed<'_>> {
        self.at(self.position(id)?)
    }

    /// Whether there is an entry with this id.
    pub(crate) fn contains(&self, id: EntryId) -> bool {
        self.position(id).is_some()
    }

    fn position(&self, id: EntryId) -> Option<u32> {
        let is_at = |position| self.hot_bytes(position).and_then(id_of) == Some(id);
        let found = self.recent.find(id.value(), is_at).or_else(|| self.older.find(id.value(), is_at));
        if found.is_some() || self.indexed_from == 0 {
            return found;
        }
        let Some(cold) = &self.cold else {
            invariant!(false, "history is not complete");
            return None;
        };
        let found = cold.find(id);
        invariant!(found.is_ok(), "history kept elsewhere cannot be read: {found:?}");
        found.ok().flatten().filter(|position| *position < self.indexed_from)
    }

    /// The entry at a position.
    pub(crate) fn at(&self, position: u32) -> Option<Packed<'_>> {
        if position >= self.len {
            return None;
        }
        if let Some(bytes) = self.hot_bytes(position) {
            return Bytes(bytes).entry();
        }
        let Some(cold) = &self.cold else {
            invariant!(false, "history is not complete");
            return None;
        };
        let chunk = cold.chunk(position / CHUNK_ENTRIES);
        invariant!(chunk.is_ok(), "history kept elsewhere cannot be read: {chunk:?}");
        let chunk = chunk.ok()?;
        Some(Bytes(chunk.entry_bytes(position % CHUNK_ENTRIES)?).entry()?.into_owned())
    }

    fn hot_bytes(&self, position: u32) -> Option<&[u8]> {
        let number = usize::try_from(position / CHUNK_ENTRIES).ok()?;
        let chunk = self.chunks.get(number.checked_sub(self.cold_digests.len())?)?;
        chunk.entry_bytes(position % CHUNK_ENTRIES)
    }

    /// Keeps an entry whose id is new; answers with its position.
    pub(crate) fn push(&mut self, new: &NewEntry<'_>, legs: &[PackedLeg]) -> u32 {
        let position = self.len;
        invariant!(position != u32::MAX, "more entries than positions");
        if position.is_multiple_of(CHUNK_ENTRIES) {
            self.chunks.push_back(Arc::new(HistoryChunk::with_room()));
        }
        if let Some(chunk) = self.chunks.back_mut() {
            let chunk = Arc::make_mut(chunk);
            chunk.starts.push(u32::try_from(chunk.bytes.len()).unwrap_or(u32::MAX));
            write(new, legs, &mut chunk.bytes);
        }
        self.recent.insert(new.id.value(), position);
        self.len = position.saturating_add(1);
        position
    }

    /// The full chunk with this number, if it is in memory.
    pub(crate) fn full_chunk(&self, number: u32) -> Option<Arc<HistoryChunk>> {
        let index = usize::try_from(number).ok()?.checked_sub(self.cold_digests.len())?;
        self.chunks.get(index).filter(|chunk| chunk.is_full()).cloned()
    }

    /// The digest of a full chunk.
    pub(crate) fn chunk_digest(&self, number: u32) -> Option<[u8; 32]> {
        let known = self.cold_digests.get(usize::try_from(number).ok()?).copied();
        known.or_else(|| self.full_chunk(number).map(|chunk| chunk.digest()))
    }

    /// Drops all chunks but the newest, as far as they are kept elsewhere, and makes the index anew: once, after a start.
    pub(crate) fn trim(&mut self, keep: u32) -> Forgotten {
        let mut forgotten = Forgotten::default();
        let kept = self.cold.as_ref().map_or(0, |cold| cold.chunks());
        let end = kept.min(self.len.saturating_sub(keep) / CHUNK_ENTRIES);
        while self.cold_digests.len() < usize::try_from(end).unwrap_or(0) {
            let Some(chunk) = self.chunks.pop_front() else { break };
            self.cold_digests.push(chunk.digest());
            forgotten._chunks.push(chunk);
        }
        if !forgotten._chunks.is_empty() {
            forgotten._index = std::mem::take(&mut self.recent);
            self.older = PositionIndex::default();
            self.indexed_from = end.saturating_mul(CHUNK_ENTRIES);
            self.recent_from = self.indexed_from;
            let mut first = self.indexed_from;
            for chunk in self.chunks.clone() {
                self.index(&chunk, first);
                first = first.saturating_add(chunk.len());
            }
        }
        forgotten
    }

    /// Where full chunks are kept from now on.
    pub(crate) fn keep_in(&mut self, cold: Arc<dyn ColdHistory>) {
        self.cold = Some(cold);
    }

    /// How many chunks have to be kept elsewhere before the older half can be dropped.
    pub(crate) const fn chunks_to_store(&self) -> u32 {
        self.recent_from.div_ceil(CHUNK_ENTRIES)
    }

    /// Drops entries that are kept elsewhere, so that about the newest `keep` stay. It goes by halves: the older half is dropped when the newer one is
    /// full, so that no index has to be gone through.
    pub(crate) fn forget(&mut self, keep: u32) -> Forgotten {
        let mut forgotten = Forgotten::default();
        if self.len.saturating_sub(self.recent_from) < (keep / 2).max(CHUNK_ENTRIES) {
            return forgotten;
        }
        let kept = self.cold.as_ref().map_or(0, |cold| cold.chunks()).saturating_mul(CHUNK_ENTRIES);
        if kept < self.recent_from {
            return forgotten;
        }
        let (newer, boundary) = (std::mem::take(&mut self.recent), self.recent_from);
        forgotten._index = std::mem::replace(&mut self.older, newer);
        self.indexed_from = boundary;
        self.recent_from = self.len;
        while self.cold_digests.len() < usize::try_from(boundary / CHUNK_ENTRIES).unwrap_or(0) {
            let Some(chunk) = self.chunks.pop_front() else { break };
            self.cold_digests.push(chunk.digest());
            forgotten._chunks.push(chunk);
        }
        forgotten
    }
}

fn id_of(entry: &[u8]) -> Option<EntryId> {
    entry.first_chunk().map(|id| EntryId::new(u128::from_be_bytes(*id)))
}

fn write(new: &NewEntry<'_>, legs: &[PackedLeg], out: &mut Vec<u8>) {
    let is_wide = legs.iter().any(|leg| u64::try_from(leg.minor).is_err());
    let mut present = 0;
    for (holds, flag) in [
        (new.effective_at != new.recorded_at, flags::EFFECTIVE),
        (new.reference.is_some(), flags::REFERENCE),
        (!new.memo.is_empty(), flags::MEMO),
        (new.reverses.is_some(), flags::REVERSES),
        (is_wide, flags::WIDE),
    ] {
        present |= if holds { flag } else { 0 };
    }
    let mut head = [0; 26];
    let count = u8::try_from(legs.len()).unwrap_or(u8::MAX);
    let fields = new.id.value().to_be_bytes().into_iter().chain(new.recorded_at.ms().to_be_bytes());
    for (slot, byte) in head.iter_mut().zip(fields.chain([present, count])) {
        *slot = byte;
    }
    out.extend_from_slice(&head);
    if new.effective_at != new.recorded_at {
        out.extend_from_slice(&new.effective_at.ms().to_be_bytes());
    }
    if let Some(reference) = new.reference {
        out.extend_from_slice(&reference.to_be_bytes());
    }
    if !new.memo.is_empty() {
        out.extend_from_slice(&u16::try_from(new.memo.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(new.memo.as_bytes());
    }
    if let Some(reverses) = new.reverses {
        out.extend_from_slice(&reverses.value().to_be_bytes());
    }
    for leg in legs {
        let side = match leg.side {
            Side::Debit => 0,
            Side::Credit => CREDIT,
        };
        out.extend_from_slice(&(leg.account | side).to_be_bytes());
        out.extend_from_slice(&leg.previous.to_be_bytes());
        match u64::try_from(leg.minor) {
            Ok(minor) if !is_wide => out.extend_from_slice(&minor.to_be_bytes()),
            _ => out.extend_from_slice(&leg.minor.to_be_bytes()),
        }
    }
}

/// Takes fields from the front of bytes.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }

    fn slice(&mut self, len: usize) -> Option<&'a [u8]> {
        let (slice, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(slice)
    }

    fn time(&mut self) -> Option<Timestamp> {
        self.take().map(u64::from_be_bytes).map(Timestamp::from_ms)
    }

    fn id(&mut self) -> Option<EntryId> {
        self.take().map(u128::from_be_bytes).map(EntryId::new)
    }

    fn entry(&mut self) -> Option<Packed<'a>> {
        let (id, recorded_at) = (self.id()?, self.time()?);
        let [present, count] = self.take()?;
        let has = |flag: u8| present & flag != 0;
        let effective_at = if has(flags::EFFECTIVE) { self.time()? } else { recorded_at };
        let reference = if has(flags::REFERENCE) { Some(u64::from_be_bytes(self.take()?)) } else { None };
        let memo = if has(flags::MEMO) {
            let len = u16::from_be_bytes(self.take()?);
            std::str::from_utf8(self.slice(len.into())?).ok()?
        } else {
            ""
        };
        let memo = Cow::Borrowed(memo);
        let reverses = if has(flags::REVERSES) { Some(self.id()?) } else { None };
        let is_wide = has(flags::WIDE);
        let leg_bytes = if is_wide { 24 } else { 16 };
        let legs = Cow::Borrowed(self.slice(usize::from(count).saturating_mul(leg_bytes))?);
        let known = present & !flags::ALL == 0;
        known.then_some(Packed { id, recorded_at, effective_at, reference, memo, reverses, legs, is_wide })
    }

    fn leg(&mut self, is_wide: bool) -> Option<PackedLeg> {
        let account = u32::from_be_bytes(self.take()?);
        let previous = u32::from_be_bytes(self.take()?);
        let minor = if is_wide {
            u128::from_be_bytes(self.take()?)
        } else {
            u128::from(u64::from_be_bytes(self.take()?))
        };
        let side = if account & CREDIT == 0 { Side::Debit } else { Side::Credit };
        Some(PackedLeg { account: account & !CREDIT, side, minor, previous })
    }
}

/// Digests of the full chunks and the bytes of the one that is not full: the same whether the full ones are in memory or not.
impl<C> Encode<C> for History {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        let full = self.chunks.iter().filter(|chunk| chunk.is_full());
        let digests: Vec<u8> =
            self.cold_digests.iter().copied().chain(full.map(|chunk| chunk.digest())).flatten().collect();
        e.array(3)?.u32(self.len)?.bytes(&digests)?;
        let tail = self.chunks.back().filter(|chunk| !chunk.is_full());
        e.bytes(tail.map_or(&[], |chunk| chunk.bytes()))?;
        Ok(())
    }
}

/// What is decoded has no full chunk yet; [`History::fill`] brings them.
impl<'b, C> Decode<'b, C> for History {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        if d.array()? != Some(3) {
            return Err(decode::Error::message("history is not a triple"));
        }
        let len = d.u32()?;
        let (digests, rest) = d.bytes()?.as_chunks::<32>();
        let tail = d.bytes()?;
        let full = usize::try_from(len / CHUNK_ENTRIES).unwrap_or(usize::MAX);
        if !rest.is_empty() || digests.len() != full {
            return Err(decode::Error::message("history has another number of digests"));
        }
        let mut history = Self { cold_digests: digests.to_vec(), len, ..Self::default() };
        history.indexed_from = len.saturating_sub(len % CHUNK_ENTRIES);
        history.recent_from = history.indexed_from;
        if len.is_multiple_of(CHUNK_ENTRIES) != tail.is_empty() {
            return Err(decode::Error::message("history has another tail"));
        }
        if !tail.is_empty() {
            let chunk = HistoryChunk::parse(tail.to_vec(), history.indexed_from)
                .map_err(|problem| decode::Error::message(problem.to_string()))?;
            if chunk.len() != len % CHUNK_ENTRIES {
                return Err(decode::Error::message("history has another length"));
            }
            history.index(&chunk, history.indexed_from);
            history.chunks.push_back(Arc::new(chunk));
        }
        Ok(history)
    }
}

impl History {
    fn index(&mut self, chunk: &HistoryChunk, first: u32) {
        for (id, position) in chunk.ids().zip(first..) {
            self.recent.insert(id.value(), position);
        }
    }

    /// Full chunks in memory, with the number of the first.
    pub(crate) fn hot_chunks(&self) -> (u32, impl Iterator<Item = &[u8]>) {
        let first = u32::try_from(self.cold_digests.len()).unwrap_or(u32::MAX);
        (first, self.chunks.iter().filter(|chunk| chunk.is_full()).map(|chunk| chunk.bytes()))
    }

    /// Brings full chunks into a history that was decoded: those from the number `first` on, while those before it are in `cold`. All must be
    /// what the history says they are.
    pub(crate) fn fill(
        &mut self,
        first: u32,
        chunks: Vec<Vec<u8>>,
        cold: Option<Arc<dyn ColdHistory>>,
    ) -> Result<(), HistoryFault> {
        let start = usize::try_from(first).unwrap_or(usize::MAX);
        let known = self
            .cold_digests
            .split_at_checked(start)
            .map(|(before, after)| (before.to_vec(), after.to_vec()));
        let Some((before, after)) = known.filter(|(_, after)| after.len() == chunks.len()) else {
            return Err(HistoryFault::Chunks);
        };
        for (number, digest) in (0_u32..).zip(&before) {
            if cold.as_ref().and_then(|cold| cold.digest(number)) != Some(*digest) {
                return Err(HistoryFault::Missing { chunk: number });
            }
        }
        let mut filled = VecDeque::with_capacity(chunks.len().saturating_add(1));
        let mut position = first.saturating_mul(CHUNK_ENTRIES);
        for (bytes, digest) in chunks.into_iter().zip(after) {
            let chunk = HistoryChunk::parse(bytes, position)?;
            if !chunk.is_full() || chunk.digest() != digest {
                return Err(HistoryFault::Missing { chunk: position / CHUNK_ENTRIES });
            }
            self.index(&chunk, position);
            filled.push_back(Arc::new(chunk));
            position = position.saturating_add(CHUNK_ENTRIES);
        }
        filled.append(&mut self.chunks);
        self.chunks = filled;
        self.cold_digests = before;
        self.indexed_from = first.saturating_mul(CHUNK_ENTRIES);
        self.recent_from = self.indexed_from;
        self.cold = cold;
        Ok(())
    }
}
