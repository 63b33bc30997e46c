//! Rows: commands to the ledger in a form for bulk, which is what clients send, what the journal keeps and what a replay reads.
//!
//! # The format
//!
//! All numbers are big-endian. A batch is rows, one after another. Each row begins with kind (1), flags (1) and the number of its bytes, these four
//! included (2). An asset is its code (8, filled up with zeros) and its scale (1). A memo is UTF-8 and takes the rest of the row.
//!
//! | kind | what | fields |
//! |---|---|---|
//! | 1 | transfer | entry id (16), debited account (16), credited account (16), amount (16), asset (9), sizing (1: 0 exact, 1 up to, 2 all available with amount 0), effective time (8, flag 2), reference (8, flag 4), memo |
//! | 2 | change | number of holds that end (1), of legs (1), of new holds (1); if there are legs: entry id (16), effective time (8, flag 2), reference (8, flag 4); ends: hold id (16), outcome (1: 0 settled, 1 released); legs: account (16), side (1: 0 debit, 1 credit), amount (16), asset (9); new holds: id (16), account (16), amount (16), asset (9), time of expiry (8, 0 for never); memo, if there are legs |
//! | 3 | open an account | account (16), kind (1), asset (9), tenant (4), time of opening (8, flag 2) |
//! | 4 | close an account | account (16) |
//! | 5 | reverse an entry | new entry id (16), entry reversed (16), memo |
//!
//! Flag 1: the row is linked with the next one. Rows linked in a chain are taken all together or not at all. The last row of a batch is not
//! linked. Times are milliseconds since 1970.

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use money::{AccountId, Amount, Asset, EntryId, HoldId, Timestamp};
use thiserror::Error;

use crate::{
    AccountKind, Change, Command, Entry, HoldEnd, HoldOutcome, Leg, Memo, NewHold, Side, Sizing, Tenant,
    Transfer,
};

/// Bytes in front of each row.
const HEAD_BYTES: usize = 4;
/// Longest row: [`crate::LEGS_MAX`] legs with as many holds and a memo fit in it.
pub const ROW_BYTES_MAX: usize = 16 * 1024;

const LINKED: u8 = 1;
const TIMED: u8 = 2;
const REFERENCE: u8 = 4;

const TRANSFER: u8 = 1;
const CHANGE: u8 = 2;
const OPEN: u8 = 3;
const CLOSE: u8 = 4;
const REVERSE: u8 = 5;

/// Why bytes are not rows.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("row {row} at byte {byte}: {problem}")]
pub struct RowError {
    /// Which row, from 0.
    pub row: u32,
    /// Where it begins.
    pub byte: usize,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// A command of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Whether it and the next one are taken together or not at all.
    pub is_linked: bool,
    /// The command: open, close, change, reverse or transfer.
    pub command: Command,
}

/// Rows that are well formed. They are kept as the bytes they came in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    rows: u32,
    /// The last row waits for the one it is linked with.
    is_open: bool,
}

impl Batch {
    /// The batch in these bytes.
    ///
    /// # Errors
    /// The first row that is not well formed, and what is wrong with it.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, RowError> {
        let (mut rest, mut rows, mut is_linked) = (bytes.as_slice(), 0_u32, false);
        let mut command = Command::CloseAccount { id: AccountId::new(0) };
        while !rest.is_empty() {
            let byte = bytes.len().saturating_sub(rest.len());
            let fault = |problem| RowError { row: rows, byte, problem };
            let (row, after) = split_row(rest).map_err(fault)?;
            read_row(row, &mut command).map_err(fault)?;
            is_linked = WrittenRow(row).is_linked();
            rest = after;
            rows = rows.saturating_add(1);
        }
        if is_linked {
            let row = rows.saturating_sub(1);
            return Err(RowError { row, byte: bytes.len(), problem: "the last row is linked with no other" });
        }
        Ok(Self { bytes, rows, is_open: false })
    }

    /// How many rows.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.rows
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Whether the last row is linked with one that is not there yet. Such a batch is none for a journal to keep.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.is_open
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        self.written().filter_map(|row| {
            let mut command = Command::CloseAccount { id: AccountId::new(0) };
            row.read_into(&mut command).ok()?;
            Some(Row { is_linked: row.is_linked(), command })
        })
    }

    /// The rows as they are written.
    pub(crate) fn written(&self) -> impl Iterator<Item = WrittenRow<'_>> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let (row, after) = split_row(rest).ok()?;
            rest = after;
            Some(WrittenRow(row))
        })
    }

    /// Whether any row has to do with an account that `is_wanted`. A reversal always may, since its accounts do not stand in it.
    pub fn touches(&self, mut is_wanted: impl FnMut(AccountId) -> bool) -> bool {
        self.written().any(|row| row.kind() == REVERSE || row.accounts().any(&mut is_wanted))
    }

    /// Puts a row at the end. A command that has no row form (a seal, a monitor) is not taken.
    ///
    /// # Errors
    /// Such a command, or one that makes a longer row than [`ROW_BYTES_MAX`].
    pub fn push(&mut self, row: &Row) -> Result<(), RowError> {
        let start = self.bytes.len();
        let written = write_row(row, &mut self.bytes);
        let len = self.bytes.len().saturating_sub(start);
        let problem = match (written, u16::try_from(len)) {
            (true, Ok(len)) if usize::from(len) <= ROW_BYTES_MAX => {
                let head = self.bytes.get_mut(start.saturating_add(2)..).unwrap_or_default();
                for (slot, byte) in head.iter_mut().zip(len.to_be_bytes()) {
                    *slot = byte;
                }
                self.rows = self.rows.saturating_add(1);
                self.is_open = row.is_linked;
                return Ok(());
            }
            (false, _) => "the command has no form as a row",
            (true, _) => "the row is too long",
        };
        self.bytes.truncate(start);
        Err(RowError { row: self.rows, byte: start, problem })
    }

    /// Length of the first row of some bytes and whether it is linked with the next; `None` where they are too few to say.
    #[must_use]
    pub fn peek(bytes: &[u8]) -> Option<(usize, bool)> {
        let [_, flags, a, b] = *bytes.first_chunk::<HEAD_BYTES>()?;
        Some((usize::from(u16::from_be_bytes([a, b])), flags & LINKED != 0))
    }
}

impl<C> Encode<C> for Batch {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.bytes)?;
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Batch {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Self::parse(d.bytes()?.to_vec()).map_err(|error| decode::Error::message(error.to_string()))
    }
}

fn split_row(bytes: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    let (len, _) = Batch::peek(bytes).ok_or("the row is cut short")?;
    if !(HEAD_BYTES..=ROW_BYTES_MAX).contains(&len) {
        return Err("a row of this length cannot be");
    }
    bytes.split_at_checked(len).ok_or("the row is cut short")
}

/// Takes fields from the front of a row.
struct Fields<'a>(&'a [u8]);

type Read<T> = Result<T, &'static str>;

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>().ok_or("a field is missing")?;
        self.0 = rest;
        Ok(*field)
    }

    fn byte(&mut self) -> Read<u8> {
        self.take().map(|[byte]| byte)
    }

    fn number(&mut self) -> Read<u128> {
        self.take().map(u128::from_be_bytes)
    }

    fn time(&mut self) -> Read<Timestamp> {
        self.take().map(u64::from_be_bytes).map(Timestamp::from_ms)
    }

    fn time_if(&mut self, flags: u8) -> Read<Option<Timestamp>> {
        if flags & TIMED == 0 { Ok(None) } else { self.time().map(Some) }
    }

    fn reference_if(&mut self, flags: u8) -> Read<Option<u64>> {
        if flags & REFERENCE == 0 { Ok(None) } else { self.take().map(u64::from_be_bytes).map(Some) }
    }

    fn account(&mut self) -> Read<AccountId> {
        self.number().map(AccountId::new)
    }

    fn asset(&mut self) -> Read<Asset> {
        let (code, scale): ([u8; 8], u8) = (self.take()?, self.byte()?);
        // Most rows are in yuan; the others are checked letter by letter.
        if code == *b"CNY\0\0\0\0\0" && scale == 2 {
            return Ok(Asset::CNY);
        }
        let used = code.iter().position(|byte| *byte == 0).unwrap_or(code.len());
        let (letters, filling) = code.split_at_checked(used).unwrap_or_default();
        let letters = std::str::from_utf8(letters).map_err(|_| "the asset is none")?;
        if filling.iter().any(|byte| *byte != 0) {
            return Err("the asset is none");
        }
        Asset::new(letters, scale).map_err(|_| "the asset is none")
    }

    fn amount(&mut self) -> Read<Amount> {
        let minor = self.number()?;
        Ok(Amount::new(self.asset()?, minor))
    }

    fn memo(&mut self) -> Read<Memo> {
        let text = std::mem::take(&mut self.0);
        if text.is_empty() {
            return Ok(Memo::default());
        }
        let text = std::str::from_utf8(text).map_err(|_| "the memo is not UTF-8")?;
        let memo = Memo::new(text).map_err(|_| "the memo is too long or has control characters")?;
        if memo.as_str() == text { Ok(memo) } else { Err("the memo begins or ends with spaces") }
    }

    fn end(&self) -> Read<()> {
        if self.0.is_empty() { Ok(()) } else { Err("bytes follow the last field") }
    }
}

/// A row in its bytes.
#[derive(Clone, Copy)]
pub(crate) struct WrittenRow<'a>(&'a [u8]);

impl WrittenRow<'_> {
    /// Whether it goes together with the next one.
    pub(crate) fn is_linked(self) -> bool {
        Batch::peek(self.0).is_some_and(|(_, is_linked)| is_linked)
    }

    fn kind(self) -> u8 {
        self.0.first().copied().unwrap_or(0)
    }

    fn number_at(self, offset: usize) -> Option<u128> {
        self.0.get(offset..)?.first_chunk().map(|bytes| u128::from_be_bytes(*bytes))
    }

    /// The id of the row's entry, if it makes one, without reading all of it.
    pub(crate) fn entry_id(self) -> Option<EntryId> {
        let offset = match self.kind() {
            TRANSFER | REVERSE => HEAD_BYTES,
            CHANGE if self.0.get(5).is_some_and(|legs| *legs > 0) => HEAD_BYTES.saturating_add(3),
            _ => return None,
        };
        self.number_at(offset).map(EntryId::new)
    }

    /// The accounts of the row's legs, or the account it opens or closes, without reading all of it.
    pub(crate) fn accounts(self) -> impl Iterator<Item = AccountId> {
        let field = |at: usize| usize::from(self.0.get(at).copied().unwrap_or(0));
        let (first, step, count) = match self.kind() {
            TRANSFER => (20, 16, 2),
            CHANGE => {
                let flags = self.0.get(1).copied().unwrap_or(0);
                let timed = if flags & TIMED == 0 { 0 } else { 8 };
                let referred = if flags & REFERENCE == 0 { 0 } else { 8 };
                let ends = field(4).saturating_mul(17);
                let first = 23_usize.saturating_add(timed).saturating_add(referred).saturating_add(ends);
                (first, 42, field(5))
            }
            OPEN | CLOSE => (HEAD_BYTES, 0, 1),
            _ => (0, 0, 0),
        };
        let at = move |index: usize| first.saturating_add(index.saturating_mul(step));
        (0..count).filter_map(move |index| self.number_at(at(index))).map(AccountId::new)
    }

    /// Reads the command into the place of another, whose memory is used again.
    pub(crate) fn read_into(self, command: &mut Command) -> Read<()> {
        read_row(self.0, command)
    }
}

/// Bytes of a transfer without time, reference and memo.
const PLAIN_BYTES: usize = 78;
/// The yuan as a row has it.
const YUAN: &[u8; 9] = b"CNY\0\0\0\0\0\x02";

/// Reads a transfer of the form that most have: in yuan, of a given amount, without time, reference and memo. Anything else is left to [`read_row`], which
/// would read this the same way, field by field.
fn read_plain(row: &[u8], into: &mut Transfer) -> Option<()> {
    let row: &[u8; PLAIN_BYTES] = row.try_into().ok()?;
    let ([kind, flags, _, _], rest) = row.split_first_chunk()?;
    let (id, rest) = rest.split_first_chunk()?;
    let (debit, rest) = rest.split_first_chunk()?;
    let (credit, rest) = rest.split_first_chunk()?;
    let (minor, rest) = rest.split_first_chunk()?;
    let (asset, rest) = rest.split_first_chunk::<9>()?;
    if *kind != TRANSFER || *flags & !LINKED != 0 || asset != YUAN || rest != [0] {
        return None;
    }
    into.id = EntryId::new(u128::from_be_bytes(*id));
    into.debit = AccountId::new(u128::from_be_bytes(*debit));
    into.credit = AccountId::new(u128::from_be_bytes(*credit));
    into.sizing = Sizing::Exact(Amount::new(Asset::CNY, u128::from_be_bytes(*minor)));
    (into.effective_at, into.reference) = (None, None);
    if !into.memo.is_empty() {
        into.memo = Memo::default();
    }
    Some(())
}

/// Reads a row over `command`.
fn read_row(row: &[u8], command: &mut Command) -> Read<()> {
    if let Command::Transfer(transfer) = command
        && read_plain(row, transfer).is_some()
    {
        return Ok(());
    }
    let mut fields = Fields(row);
    let [kind, flags, _, _] = fields.take::<HEAD_BYTES>()?;
    let allowed = match kind {
        TRANSFER | CHANGE => LINKED | TIMED | REFERENCE,
        OPEN => LINKED | TIMED,
        CLOSE | REVERSE => LINKED,
        _ => return Err("there is no row of this kind"),
    };
    if flags & !allowed != 0 {
        return Err("a flag is set that rows of this kind do not have");
    }
    match (kind, command) {
        // Most rows follow one of their own kind, and are read right where it stood.
        (TRANSFER, Command::Transfer(transfer)) => read_transfer(&mut fields, flags, transfer)?,
        (TRANSFER, command) => {
            let mut transfer = Transfer::default();
            read_transfer(&mut fields, flags, &mut transfer)?;
            *command = Command::Transfer(transfer);
        }
        (CHANGE, command) => *command = Command::Change(read_change(&mut fields, flags)?),
        (OPEN, command) => *command = read_open(&mut fields, flags)?,
        (CLOSE, command) => *command = Command::CloseAccount { id: fields.account()? },
        (_, command) => {
            let (id, of) = (EntryId::new(fields.number()?), EntryId::new(fields.number()?));
            *command = Command::Reverse { id, of, memo: fields.memo()? };
        }
    }
    fields.end()
}

fn read_transfer(fields: &mut Fields<'_>, flags: u8, into: &mut Transfer) -> Read<()> {
    into.id = EntryId::new(fields.number()?);
    (into.debit, into.credit) = (fields.account()?, fields.account()?);
    let amount = fields.amount()?;
    into.sizing = match fields.byte()? {
        0 => Sizing::Exact(amount),
        1 => Sizing::UpTo(amount),
        2 if amount.is_zero() => Sizing::AllAvailable(amount.asset()),
        2 => return Err("a transfer of all that is available names no amount"),
        _ => return Err("the sizing is none"),
    };
    (into.effective_at, into.reference) = (fields.time_if(flags)?, fields.reference_if(flags)?);
    into.memo = fields.memo()?;
    Ok(())
}

fn read_change(fields: &mut Fields<'_>, flags: u8) -> Read<Change> {
    let [ends, legs, places] = fields.take()?;
    let mut entry = None;
    if legs > 0 {
        let id = EntryId::new(fields.number()?);
        let (effective_at, reference) = (fields.time_if(flags)?, fields.reference_if(flags)?);
        let legs = Vec::with_capacity(legs.into());
        entry = Some(Entry { id, legs, effective_at, reference, memo: Memo::default() });
    } else if flags & (TIMED | REFERENCE) != 0 {
        return Err("a change without legs has no time and no reference");
    }
    let mut change =
        Change { ends: Vec::with_capacity(ends.into()), entry, places: Vec::with_capacity(places.into()) };
    for _ in 0..ends {
        let hold = HoldId::new(fields.number()?);
        let outcome = match fields.byte()? {
            0 => HoldOutcome::Settled,
            1 => HoldOutcome::Released,
            _ => return Err("the outcome of a hold is none"),
        };
        change.ends.push(HoldEnd { hold, outcome });
    }
    if let Some(entry) = &mut change.entry {
        for _ in 0..legs {
            let account = fields.account()?;
            let side = match fields.byte()? {
                0 => Side::Debit,
                1 => Side::Credit,
                _ => return Err("the side of a leg is none"),
            };
            entry.legs.push(Leg { account, side, amount: fields.amount()? });
        }
    }
    for _ in 0..places {
        let (id, account) = (HoldId::new(fields.number()?), fields.account()?);
        let amount = fields.amount()?;
        let expires_at = Some(fields.time()?).filter(|at| at.ms() > 0);
        change.places.push(NewHold { id, account, amount, expires_at });
    }
    if let Some(entry) = &mut change.entry {
        entry.memo = fields.memo()?;
    }
    Ok(change)
}

fn read_open(fields: &mut Fields<'_>, flags: u8) -> Read<Command> {
    let id = fields.account()?;
    let kind = AccountKind::from_code(fields.byte()?).ok_or("the kind of account is none")?;
    let asset = fields.asset()?;
    let tenant = Tenant::new(u32::from_be_bytes(fields.take()?));
    let tenant = Some(tenant).filter(|tenant| *tenant != Tenant::BANK);
    Ok(Command::OpenAccount { id, kind, asset, tenant, opened_at: fields.time_if(flags)? })
}

/// Writes a row with its length still open; answers with whether the command has a form.
fn write_row(row: &Row, out: &mut Vec<u8>) -> bool {
    let linked = if row.is_linked { LINKED } else { 0 };
    let timed = |at: Option<Timestamp>| if at.is_some() { TIMED } else { 0 };
    let referred = |reference: Option<u64>| if reference.is_some() { REFERENCE } else { 0 };
    let mut head = |kind: u8, flags: u8| out.extend_from_slice(&[kind, linked | flags, 0, 0]);
    match &row.command {
        Command::Transfer(transfer) => {
            head(TRANSFER, timed(transfer.effective_at) | referred(transfer.reference));
            write_transfer(transfer, out);
        }
        Command::Change(change) => {
            let entry = change.entry.as_ref();
            let flags = entry.map_or(0, |entry| timed(entry.effective_at) | referred(entry.reference));
            head(CHANGE, flags);
            return write_change(change, out);
        }
        Command::OpenAccount { id, kind, asset, tenant, opened_at } => {
            head(OPEN, timed(*opened_at));
            out.extend_from_slice(&id.value().to_be_bytes());
            out.push(kind.code());
            write_asset(*asset, out);
            out.extend_from_slice(&tenant.unwrap_or_default().number().to_be_bytes());
            write_time(*opened_at, out);
        }
        Command::CloseAccount { id } => {
            head(CLOSE, 0);
            out.extend_from_slice(&id.value().to_be_bytes());
        }
        Command::Reverse { id, of, memo } => {
            head(REVERSE, 0);
            out.extend_from_slice(&id.value().to_be_bytes());
            out.extend_from_slice(&of.value().to_be_bytes());
            out.extend_from_slice(memo.as_str().as_bytes());
        }
        Command::Seal { .. }
        | Command::SetMonitor { .. }
        | Command::RemoveMonitor { .. }
        | Command::NoticeDelivered { .. } => return false,
    }
    true
}

fn write_transfer(transfer: &Transfer, out: &mut Vec<u8>) {
    let (amount, sizing) = match transfer.sizing {
        Sizing::Exact(amount) => (amount, 0),
        Sizing::UpTo(amount) => (amount, 1),
        Sizing::AllAvailable(asset) => (Amount::zero(asset), 2),
    };
    out.extend_from_slice(&transfer.id.value().to_be_bytes());
    out.extend_from_slice(&transfer.debit.value().to_be_bytes());
    out.extend_from_slice(&transfer.credit.value().to_be_bytes());
    write_amount(amount, out);
    out.push(sizing);
    write_time(transfer.effective_at, out);
    if let Some(reference) = transfer.reference {
        out.extend_from_slice(&reference.to_be_bytes());
    }
    out.extend_from_slice(transfer.memo.as_str().as_bytes());
}

fn write_change(change: &Change, out: &mut Vec<u8>) -> bool {
    let Change { ends, entry, places } = change;
    let legs = entry.as_ref().map_or(0, |entry| entry.legs.len());
    for count in [ends.len(), legs, places.len()] {
        let Ok(count) = u8::try_from(count) else { return false };
        out.push(count);
    }
    if entry.is_some() && legs == 0 {
        return false;
    }
    if let Some(entry) = entry {
        out.extend_from_slice(&entry.id.value().to_be_bytes());
        write_time(entry.effective_at, out);
        if let Some(reference) = entry.reference {
            out.extend_from_slice(&reference.to_be_bytes());
        }
    }
    for end in ends {
        out.extend_from_slice(&end.hold.value().to_be_bytes());
        out.push(match end.outcome {
            HoldOutcome::Settled => 0,
            HoldOutcome::Released => 1,
        });
    }
    for leg in entry.iter().flat_map(|entry| entry.legs.iter()) {
        out.extend_from_slice(&leg.account.value().to_be_bytes());
        out.push(match leg.side {
            Side::Debit => 0,
            Side::Credit => 1,
        });
        write_amount(leg.amount, out);
    }
    for hold in places {
        out.extend_from_slice(&hold.id.value().to_be_bytes());
        out.extend_from_slice(&hold.account.value().to_be_bytes());
        write_amount(hold.amount, out);
        out.extend_from_slice(&hold.expires_at.unwrap_or_default().ms().to_be_bytes());
    }
    if let Some(entry) = entry {
        out.extend_from_slice(entry.memo.as_str().as_bytes());
    }
    true
}

fn write_amount(amount: Amount, out: &mut Vec<u8>) {
    out.extend_from_slice(&amount.minor().to_be_bytes());
    write_asset(amount.asset(), out);
}

fn write_asset(asset: Asset, out: &mut Vec<u8>) {
    let mut field = [0; 9];
    for (slot, byte) in field.iter_mut().zip(asset.code().bytes()) {
        *slot = byte;
    }
    if let Some(scale) = field.last_mut() {
        *scale = asset.scale();
    }
    out.extend_from_slice(&field);
}

fn write_time(at: Option<Timestamp>, out: &mut Vec<u8>) {
    if let Some(at) = at {
        out.extend_from_slice(&at.ms().to_be_bytes());
    }
}
