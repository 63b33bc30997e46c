//! Posted entries, packed: what the ledger remembers for ever.
//!
//! A transfer takes 62 bytes here and 9 to 18 in the index by id. Entries stand in the order of recording; each leg names the account's entry before
//! it, so that an account's own history is walked backwards without a list per account.
//!
//! **Invariants.** Nothing here is ever changed or removed. Bytes that were not written here are refused when a snapshot is read.

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use money::{EntryId, PositionIndex, Timestamp, invariant};

use crate::Side;

/// Entries of a chunk. Chunks keep the list from being copied as a whole when it grows.
const CHUNK_ENTRIES: u32 = 4096;
/// Bytes that a full chunk of transfers takes.
const CHUNK_BYTES: usize = 4096 * 58;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packed<'a> {
    pub(crate) id: EntryId,
    pub(crate) recorded_at: Timestamp,
    pub(crate) effective_at: Timestamp,
    pub(crate) reference: Option<u64>,
    pub(crate) memo: &'a str,
    pub(crate) reverses: Option<EntryId>,
    legs: &'a [u8],
    is_wide: bool,
}

impl Packed<'_> {
    /// The legs, in the entry's order.
    pub(crate) fn legs(&self) -> impl Iterator<Item = PackedLeg> {
        let mut bytes = Bytes(self.legs);
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

#[derive(Debug, Clone, Default)]
struct Chunk {
    bytes: Vec<u8>,
    /// Where each entry begins.
    starts: Vec<u32>,
}

/// All posted entries.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    chunks: Vec<Chunk>,
    len: u32,
    index: PositionIndex,
}

impl History {
    /// How many entries there are.
    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// The entry with this id.
    pub(crate) fn find(&self, id: EntryId) -> Option<Packed<'_>> {
        let position = self.index.find(id.value(), |position| self.id_at(position) == Some(id))?;
        self.at(position)
    }

    /// Whether there is an entry with this id.
    pub(crate) fn contains(&self, id: EntryId) -> bool {
        self.index.find(id.value(), |position| self.id_at(position) == Some(id)).is_some()
    }

    /// The entry at a position.
    pub(crate) fn at(&self, position: u32) -> Option<Packed<'_>> {
        Bytes(self.bytes_from(position)?).entry()
    }

    fn bytes_from(&self, position: u32) -> Option<&[u8]> {
        let chunk = self.chunks.get(usize::try_from(position / CHUNK_ENTRIES).ok()?)?;
        let start = chunk.starts.get(usize::try_from(position % CHUNK_ENTRIES).ok()?)?;
        chunk.bytes.get(usize::try_from(*start).ok()?..)
    }

    fn id_at(&self, position: u32) -> Option<EntryId> {
        let id = self.bytes_from(position)?.first_chunk()?;
        Some(EntryId::new(u128::from_be_bytes(*id)))
    }

    /// Keeps an entry whose id is new; answers with its position.
    pub(crate) fn push(&mut self, new: &NewEntry<'_>, legs: &[PackedLeg]) -> u32 {
        let position = self.len;
        invariant!(position != u32::MAX, "more entries than positions");
        if position.is_multiple_of(CHUNK_ENTRIES) {
            let chunk = Chunk { bytes: Vec::with_capacity(CHUNK_BYTES), starts: Vec::with_capacity(4096) };
            self.chunks.push(chunk);
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.starts.push(u32::try_from(chunk.bytes.len()).unwrap_or(u32::MAX));
            write(new, legs, &mut chunk.bytes);
        }
        self.index.insert(new.id.value(), position);
        self.len = position.saturating_add(1);
        position
    }
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
        let reverses = if has(flags::REVERSES) { Some(self.id()?) } else { None };
        let is_wide = has(flags::WIDE);
        let leg_bytes = if is_wide { 24 } else { 16 };
        let legs = self.slice(usize::from(count).saturating_mul(leg_bytes))?;
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

impl<C> Encode<C> for History {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.array(self.chunks.len() as u64)?;
        for chunk in &self.chunks {
            e.bytes(&chunk.bytes)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for History {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let chunks = d.array()?.ok_or_else(|| decode::Error::message("history of unknown length"))?;
        let mut history = Self::default();
        for _ in 0..chunks {
            if !history.len.is_multiple_of(CHUNK_ENTRIES) {
                return Err(decode::Error::message("a chunk of history follows one that is not full"));
            }
            history.adopt(d.bytes()?)?;
        }
        Ok(history)
    }
}

impl History {
    /// Takes over a chunk of a snapshot, entry by entry.
    fn adopt(&mut self, bytes: &[u8]) -> Result<(), decode::Error> {
        let mut chunk = Chunk { bytes: bytes.to_vec(), starts: Vec::new() };
        let mut rest = Bytes(bytes);
        let first = self.len;
        while !rest.0.is_empty() {
            let start = bytes.len().saturating_sub(rest.0.len());
            let entry =
                rest.entry().ok_or_else(|| decode::Error::message("an entry of history is cut short"))?;
            if entry.legs().any(|leg| leg.previous > self.len) {
                return Err(decode::Error::message("a leg of history names a later entry"));
            }
            chunk.starts.push(u32::try_from(start).unwrap_or(u32::MAX));
            self.index.insert(entry.id.value(), self.len);
            self.len = self.len.saturating_add(1);
        }
        if self.len.saturating_sub(first) > CHUNK_ENTRIES || self.len == first {
            return Err(decode::Error::message("a chunk of history has too many entries or none"));
        }
        self.chunks.push(chunk);
        Ok(())
    }
}
