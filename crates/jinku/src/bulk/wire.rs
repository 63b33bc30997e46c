//! Frames of the bulk interface.

use std::io::{self, Read, Write};

use ::cells::{CellNumber, NewTransfer, Place};
use anyhow::ensure;
use bank::Refusal;
use ledger::{Batch, BatchOutcome, Found, Memo};
use minicbor::{Decode, Encode};
use money::{AccountId, Amount, CommandId, TransferId};
use node::{NotLeader, Replies, SubmitError};

use super::{BATCH_BYTES, Part, ROWS_MAX};

/// The kind of request that hands in rows.
pub(super) const HAND_IN: u8 = 1;
/// The kind of request that sends to other cells.
pub(super) const SEND: u8 = 2;
/// The kind of request that hands in orders.
pub(super) const ORDERS: u8 = 3;
/// The kind of request that gives one command of the markets.
pub(super) const MARKETS: u8 = 4;
/// Bytes of a request's id.
const ID_BYTES: u32 = 16;
/// Longest chain of linked rows, in bytes: it is taken together, so it is one record of the journal, which has a bound of its own.
const CHAIN_BYTES_MAX: usize = 512 * 1024;
/// Longest request of transfers to other cells, in bytes: as many as it may have, with the longest memos.
const SENDS_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longest request of orders, in bytes: as many rows as it may have, with every field.
const ORDERS_BYTES_MAX: usize = 1024 * 1024;
/// Longest answer, in bytes: a refusal with its words for each row.
const ANSWER_BYTES_MAX: u32 = 16 * 1024 * 1024;

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Answer {
    /// Number of the last journal entry that took rows of it; 0 when none did.
    #[n(0)]
    pub seq: u64,
    /// How many rows were looked at: those after them may be handed in again under the same id.
    #[n(1)]
    pub rows: u32,
    /// Rows that were refused, in order; all others that were looked at were taken.
    #[n(2)]
    pub refused: Vec<RowRefusal>,
    /// What capped transfers came to: row and minor units, in order.
    #[n(3)]
    pub amounts: Vec<(u32, String)>,
    /// Why not all rows were looked at; absent when they were.
    #[n(4)]
    pub problem: Option<String>,
    /// Where the bulk interface of the node that leads is, when this one does not: the same request with the same id may be sent there.
    #[n(5)]
    pub leader: Option<String>,
    /// The entry that took these rows before, when it is no longer in the journal: what became of each is in the archive alone.
    #[n(6)]
    pub in_archive: Option<u64>,
}

/// Why a row was refused.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RowRefusal {
    /// Which, from 0.
    #[n(0)]
    pub row: u32,
    /// The number of the reason, as `ledger::Refusal` lists them; 0 for a reason that is not the ledger's.
    #[n(1)]
    pub code: u16,
    /// The reason in words. A repeated request gets the number only.
    #[n(2)]
    pub words: String,
    /// The name of a reason that is not the ledger's; absent for an id that was used otherwise.
    #[n(3)]
    pub reason: Option<String>,
}

/// A transfer to another cell.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SendRow {
    /// Its id, never used twice.
    #[n(0)]
    pub id: TransferId,
    /// The account here.
    #[n(1)]
    pub from: AccountId,
    /// The other cell.
    #[n(2)]
    pub cell: u32,
    /// The account there.
    #[n(3)]
    pub to: AccountId,
    /// How much.
    #[n(4)]
    pub amount: Amount,
    /// Free words.
    #[n(5)]
    pub memo: Memo,
}

impl SendRow {
    fn transfer(self) -> NewTransfer {
        let Self { id, from, cell, to, amount, memo } = self;
        NewTransfer { id, from, to: Place { cell: CellNumber::new(cell), account: to }, amount, memo }
    }
}

/// The number and the name of why a transfer to another cell was refused.
fn why_not_sent(refusal: &Refusal) -> (u16, Option<&'static str>) {
    let refusal = match refusal {
        Refusal::Ledger(refusal) => return (refusal.code(), None),
        Refusal::IdReused { .. } => return (0, None),
        Refusal::Cells(refusal) => refusal,
        // A sending has no other machine that could refuse it but authority.
        _ => return (0, Some("not_allowed")),
    };
    let name = match refusal {
        ::cells::Refusal::ZeroAmount => "zero_amount",
        ::cells::Refusal::TransferExists { .. } => "transfer_exists",
        ::cells::Refusal::NotACell => "not_a_cell",
        ::cells::Refusal::OtherCell { .. } => "other_cell",
        ::cells::Refusal::OwnCell { .. } => "own_cell",
        ::cells::Refusal::PeerUnknown { .. } => "cell_unknown",
        ::cells::Refusal::NoTransit { .. } => "no_transit",
        ::cells::Refusal::NotForTransfers { .. } => "not_for_transfers",
        ::cells::Refusal::TransferUnknown { .. } => "transfer_unknown",
        ::cells::Refusal::EndedOtherwise { .. } => "ended_otherwise",
    };
    (0, Some(name))
}

impl Answer {
    /// Puts in why not all rows were looked at.
    pub(super) fn stop(&mut self, error: &SubmitError) {
        self.problem.get_or_insert(error.to_string());
        if let SubmitError::NotLeader(NotLeader { leader: Some(leader) }) = error {
            self.leader = Some(leader.bulk.clone()).filter(|address| !address.is_empty());
        }
    }

    /// Puts in that a batch was taken before, with an entry whose results are in the archive alone.
    pub(super) fn stop_at_archive(&mut self, seq: u64) {
        self.in_archive = Some(seq);
        self.problem.get_or_insert(format!(
            "these rows were handed in before, with entry {seq}; what became of each is no longer in the journal, but in the archive"
        ));
    }

    /// Puts in what became of a batch that begins with the row `first`.
    pub(super) fn add(&mut self, first: u32, seq: u64, outcome: &BatchOutcome, refusals: &[ledger::Refusal]) {
        self.seq = self.seq.max(seq);
        let words = refusals.iter().map(ToString::to_string).chain(std::iter::repeat(String::new()));
        for (refused, words) in outcome.refused.iter().zip(words) {
            let row = first.saturating_add(refused.row);
            self.refused.push(RowRefusal { row, code: refused.code, words, reason: None });
        }
        for found in &outcome.found {
            if let Found::Amount(minor) = found.what {
                self.amounts.push((first.saturating_add(found.row), minor.to_string()));
            }
        }
    }

    /// Puts in what became of transfers to other cells, the first of which is the row `first`.
    pub(super) fn add_sends(&mut self, first: u32, replies: Replies) {
        for (row, reply) in (first..).zip(replies) {
            match reply {
                Ok(taken) => self.seq = self.seq.max(taken.seq),
                Err(SubmitError::Refused(refusal)) => {
                    let (code, reason) = why_not_sent(&refusal);
                    let reason = reason.map(str::to_owned);
                    self.refused.push(RowRefusal { row, code, words: refusal.to_string(), reason });
                }
                Err(error) => self.stop(&error),
            }
            if self.problem.is_none() {
                self.rows = row.saturating_add(1);
            }
        }
    }

    /// Puts in a batch of which every row was refused.
    pub(super) fn refuse_all(&mut self, first: u32, refusals: &[ledger::Refusal]) {
        for (row, refusal) in (first..).zip(refusals) {
            let (code, words) = (refusal.code(), refusal.to_string());
            self.refused.push(RowRefusal { row, code, words, reason: None });
        }
    }

    /// Puts in a batch that was refused as a whole, for a reason that is not the ledger's.
    pub(super) fn refuse_each(&mut self, first: u32, rows: u32, words: &str) {
        for row in first..first.saturating_add(rows) {
            self.refused.push(RowRefusal { row, code: 0, words: words.to_owned(), reason: None });
        }
    }
}

/// The length of the next frame; `None` when the other side has ended.
fn read_length(reader: &mut impl Read) -> io::Result<Option<u32>> {
    let mut length = [0; 4];
    match reader.read_exact(&mut length) {
        Ok(()) => Ok(Some(u32::from_be_bytes(length))),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Kind and length of the next request, without the kind; `None` when the other side has ended.
pub(super) fn read_head(reader: &mut impl Read, max: u32) -> anyhow::Result<Option<(u8, u32)>> {
    let Some(length) = read_length(reader)? else { return Ok(None) };
    ensure!((1..=max).contains(&length), "a request has 1 to {max} bytes, not {length}");
    let mut kind = [0];
    reader.read_exact(&mut kind)?;
    let [kind] = kind;
    Ok(Some((kind, length.saturating_sub(1))))
}

/// Id and rows of a request of `length` bytes, or what is wrong with it; either way all of it has been read.
pub(super) fn read_rows(
    reader: &mut impl Read,
    length: u32,
) -> io::Result<Result<(CommandId, Vec<Part>), String>> {
    with_id(reader, length, |reader, left| {
        Ok(cut(reader, left)?.map(|batches| batches.into_iter().map(Part::Rows).collect()))
    })
}

/// Id and transfers of a request that sends to other cells, or what is wrong with it; either way all of it has been read.
pub(super) fn read_sends(
    reader: &mut impl Read,
    length: u32,
) -> io::Result<Result<(CommandId, Vec<Part>), String>> {
    with_id(reader, length, |reader, left| {
        if left > SENDS_BYTES_MAX {
            io::copy(&mut reader.take(u64::try_from(left).unwrap_or(u64::MAX)), &mut io::sink())?;
            return Ok(Err(format!("a request of transfers has at most {SENDS_BYTES_MAX} bytes")));
        }
        let mut bytes = vec![0; left];
        reader.read_exact(&mut bytes)?;
        Ok(cut_sends(&bytes).map(|sends| sends.into_iter().map(Part::Send).collect()))
    })
}

/// Id and bytes of a request of orders or of the markets, or what is wrong with it; either way all of it has been read.
pub(super) fn read_orders(
    reader: &mut impl Read,
    length: u32,
) -> io::Result<Result<(CommandId, Vec<u8>), String>> {
    with_id(reader, length, |reader, left| {
        if left > ORDERS_BYTES_MAX {
            io::copy(&mut reader.take(u64::try_from(left).unwrap_or(u64::MAX)), &mut io::sink())?;
            return Ok(Err(format!("a request of orders has at most {ORDERS_BYTES_MAX} bytes")));
        }
        let mut bytes = vec![0; left];
        reader.read_exact(&mut bytes)?;
        Ok(Ok(bytes))
    })
}

/// The transfers to other cells that are in `bytes`.
///
/// # Errors
/// What is wrong with which of them.
pub fn cut_sends(mut bytes: &[u8]) -> Result<Vec<NewTransfer>, String> {
    let mut sends = Vec::new();
    while !bytes.is_empty() {
        let row = sends.len();
        if row >= usize::try_from(ROWS_MAX).unwrap_or(usize::MAX) {
            return Err(format!("more than {ROWS_MAX} transfers"));
        }
        let cut = bytes.split_first_chunk::<2>();
        let cut = cut.and_then(|(length, rest)| rest.split_at_checked(u16::from_be_bytes(*length).into()));
        let Some((one, rest)) = cut else {
            return Err(format!("row {row}: it is cut short; nothing was taken"));
        };
        let mut decoder = minicbor::Decoder::new(one);
        let found = decoder.decode::<SendRow>().map_err(|error| error.to_string());
        let found = found.and_then(|found| {
            if decoder.position() == one.len() {
                Ok(found)
            } else {
                Err("it has more bytes than fields".to_owned())
            }
        });
        let found = found.map_err(|error| format!("row {row}: {error}; nothing was taken"))?;
        sends.push(found.transfer());
        bytes = rest;
    }
    Ok(sends)
}

/// The bytes of transfers to other cells, as [`cut_sends`] reads them.
pub(super) fn join_sends(sends: &[SendRow]) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for send in sends {
        let one = minicbor::to_vec(send).map_err(|error| anyhow::anyhow!("{error}"))?;
        bytes.extend_from_slice(&u16::try_from(one.len())?.to_be_bytes());
        bytes.extend_from_slice(&one);
    }
    Ok(bytes)
}

/// Reads a request's id, and what follows it by `rest`, which gets how many bytes those are.
fn with_id<R: Read, T>(
    reader: &mut R,
    length: u32,
    rest: impl FnOnce(&mut R, usize) -> io::Result<Result<T, String>>,
) -> io::Result<Result<(CommandId, T), String>> {
    if length < ID_BYTES {
        io::copy(&mut reader.take(length.into()), &mut io::sink())?;
        return Ok(Err(format!("a request of rows has an id of {ID_BYTES} bytes")));
    }
    let mut id = [0; 16];
    reader.read_exact(&mut id)?;
    let id = CommandId::new(u128::from_be_bytes(id));
    let left = usize::try_from(length.saturating_sub(ID_BYTES)).unwrap_or(usize::MAX);
    Ok(rest(reader, left)?.map(|found| (id, found)))
}

/// The batches of rows that are `left` bytes long, or what is wrong with them; either way all of it has been read.
///
/// # Errors
/// The connection ends before `left` bytes have come.
pub fn cut(reader: &mut impl Read, mut left: usize) -> io::Result<Result<Vec<Batch>, String>> {
    let mut cutter = Cutter::default();
    while left > 0 {
        let more = left.min(BATCH_BYTES);
        cutter.read(reader, more)?;
        left = left.saturating_sub(more);
        cutter.cut(left == 0);
    }
    Ok(cutter.finish())
}

/// Cuts rows into batches as they come in.
#[derive(Default)]
struct Cutter {
    /// Bytes of no batch yet.
    pending: Vec<u8>,
    /// How many of them were looked at, and where the last row ends that is linked with none after it.
    scanned: usize,
    end: usize,
    rows: u32,
    batches: Vec<Batch>,
    problem: Option<String>,
}

impl Cutter {
    fn read(&mut self, reader: &mut impl Read, bytes: usize) -> io::Result<()> {
        let start = self.pending.len();
        self.pending.resize(start.saturating_add(bytes), 0);
        reader.read_exact(self.pending.get_mut(start..).unwrap_or_default())
    }

    /// Makes batches of what is complete. At the end of the request the rest is one, however it ends: its check says what is wrong.
    fn cut(&mut self, at_end: bool) {
        while let Some((len, is_linked)) = self.pending.get(self.scanned..).and_then(Batch::peek) {
            let next = self.scanned.saturating_add(len);
            if len == 0 || next > self.pending.len() {
                break;
            }
            if next > BATCH_BYTES && self.end > 0 {
                self.split(self.end);
                continue;
            }
            self.scanned = next;
            if !is_linked {
                self.end = next;
            }
        }
        if at_end && !self.pending.is_empty() {
            self.split(self.pending.len());
        }
    }

    /// Takes the first `len` bytes away as a batch.
    fn split(&mut self, len: usize) {
        let rest = self.pending.split_off(len);
        let bytes = std::mem::replace(&mut self.pending, rest);
        self.scanned = self.scanned.saturating_sub(len);
        self.end = 0;
        if self.problem.is_some() {
            return;
        }
        if bytes.len() > CHAIN_BYTES_MAX {
            let problem =
                format!("rows from {} on are one chain of more than {CHAIN_BYTES_MAX} bytes", self.rows);
            self.problem = Some(problem);
            return;
        }
        match Batch::parse(bytes) {
            Ok(batch) => {
                self.rows = self.rows.saturating_add(batch.len());
                self.batches.push(batch);
            }
            Err(error) => {
                let row = self.rows.saturating_add(error.row);
                self.problem = Some(format!("row {row}: {}; nothing was taken", error.problem));
            }
        }
    }

    fn finish(self) -> Result<Vec<Batch>, String> {
        match self.problem {
            Some(problem) => Err(problem),
            None if self.rows > ROWS_MAX => Err(format!("{} rows are more than {ROWS_MAX}", self.rows)),
            None => Ok(self.batches),
        }
    }
}

/// Sends a length and the CBOR of a value.
pub(super) fn write_frame<T: Encode<()>>(writer: &mut impl Write, value: &T) -> anyhow::Result<()> {
    let mut bytes = vec![0; 4];
    minicbor::encode(value, &mut bytes).map_err(|error| anyhow::anyhow!("{error}"))?;
    let length = u32::try_from(bytes.len().saturating_sub(4))?.to_be_bytes();
    for (slot, byte) in bytes.iter_mut().zip(length) {
        *slot = byte;
    }
    writer.write_all(&bytes)?;
    Ok(())
}

/// Reads an answer; `None` when the other side has ended.
pub(super) fn read_answer<T: for<'b> Decode<'b, ()>>(reader: &mut impl Read) -> anyhow::Result<Option<T>> {
    let Some(length) = read_length(reader)? else { return Ok(None) };
    ensure!(length <= ANSWER_BYTES_MAX, "an answer of {length} bytes is more than {ANSWER_BYTES_MAX}");
    let mut bytes = vec![0; usize::try_from(length)?];
    reader.read_exact(&mut bytes)?;
    Ok(Some(minicbor::decode(&bytes)?))
}
