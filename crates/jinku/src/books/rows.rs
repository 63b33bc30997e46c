//! Rows as text: one JSON object on each line (NDJSON), with the ids, amounts and times that people read.
//!
//! A line that is not exactly one of the shapes here is refused with its number and what is wrong with it; an unknown field is wrong, too. Amounts
//! are decimal texts beside the code of their asset, times are RFC 3339 to the millisecond, a reference is a whole number in text, since not
//! every reader of JSON keeps large numbers whole.

use std::fmt::Display;
use std::str::FromStr;

use ::cells::{CellNumber, NewTransfer, Place};
use ledger::{
    AccountKind, Batch, Change, Command, Entry, HoldEnd, HoldOutcome, Leg, Memo, NewHold, Row, Side, Sizing,
    Tenant, Transfer,
};
use money::{AccountId, Amount, Asset, EntryId, HoldId, Timestamp};
use serde::Deserialize;

use super::show::{kind_of, parse_asset};
use crate::bulk::{Part, ROWS_MAX};

/// The rows of a request.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) parts: Vec<Part>,
    /// The asset of each row whose amount the books find out.
    pub(super) found_in: Vec<Option<Asset>>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "row", rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Open {
        account: String,
        kind: String,
        asset: String,
        tenant: Option<u32>,
        opened_at: Option<String>,
        #[serde(default)]
        linked: bool,
    },
    Close {
        account: String,
        #[serde(default)]
        linked: bool,
    },
    Transfer {
        id: String,
        debit: String,
        credit: String,
        asset: String,
        amount: Option<String>,
        up_to: Option<String>,
        #[serde(default)]
        all: bool,
        effective_at: Option<String>,
        reference: Option<String>,
        memo: Option<String>,
        #[serde(default)]
        linked: bool,
    },
    Entry {
        id: String,
        legs: Vec<LegLine>,
        #[serde(default)]
        settle: Vec<String>,
        #[serde(default)]
        release: Vec<String>,
        #[serde(default)]
        holds: Vec<HoldLine>,
        effective_at: Option<String>,
        reference: Option<String>,
        memo: Option<String>,
        #[serde(default)]
        linked: bool,
    },
    Hold {
        id: String,
        account: String,
        asset: String,
        amount: String,
        expires_at: Option<String>,
        #[serde(default)]
        linked: bool,
    },
    Settle {
        hold: String,
        id: String,
        debit: String,
        credit: String,
        asset: String,
        amount: String,
        effective_at: Option<String>,
        reference: Option<String>,
        memo: Option<String>,
        #[serde(default)]
        linked: bool,
    },
    Release {
        hold: String,
        #[serde(default)]
        linked: bool,
    },
    Reverse {
        id: String,
        of: String,
        memo: Option<String>,
        #[serde(default)]
        linked: bool,
    },
    /// To another cell: a command of its own, so it is linked with nothing.
    Send {
        id: String,
        from: String,
        cell: u32,
        to: String,
        asset: String,
        amount: String,
        memo: Option<String>,
    },
}

/// What a line asks for.
#[derive(Debug)]
enum Asked {
    Row(Row),
    Send(NewTransfer),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LegLine {
    account: String,
    side: String,
    asset: String,
    amount: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldLine {
    id: String,
    account: String,
    asset: String,
    amount: String,
    expires_at: Option<String>,
}

/// Reads rows. A tenant's new accounts are its own, where the row does not say whose.
///
/// # Errors
/// The first bad line, with its number from 1 and what is wrong with it.
pub(super) fn read(body: &[u8], home: Option<Tenant>) -> Result<Rows, String> {
    let mut rows = Rows { parts: Vec::new(), found_in: Vec::new() };
    let mut batch = Batch::default();
    let mut linked_at: Option<u32> = None;
    let most = usize::try_from(ROWS_MAX).unwrap_or(usize::MAX);
    for (number, line) in (1_u32..).zip(body.split(|byte| *byte == b'\n')) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        if rows.found_in.len() >= most {
            return Err(format!(
                "line {number}: a request has at most {ROWS_MAX} rows; send the rest in another"
            ));
        }
        let row = match read_line(line, home).map_err(|problem| format!("line {number}: {problem}"))? {
            Asked::Row(row) => row,
            Asked::Send(transfer) => {
                if let Some(number) = linked_at {
                    return Err(format!(
                        "line {number}: a row cannot be linked with a transfer to another cell"
                    ));
                }
                if !batch.is_empty() {
                    rows.parts.push(Part::Rows(std::mem::take(&mut batch)));
                }
                rows.parts.push(Part::Send(transfer));
                rows.found_in.push(None);
                continue;
            }
        };
        linked_at = row.is_linked.then_some(number);
        rows.found_in.push(match &row.command {
            Command::Transfer(Transfer { sizing: Sizing::UpTo(amount), .. }) => Some(amount.asset()),
            Command::Transfer(Transfer { sizing: Sizing::AllAvailable(asset), .. }) => Some(*asset),
            _ => None,
        });
        batch.push(&row).map_err(|error| format!("line {number}: {}", error.problem))?;
    }
    if let Some(number) = linked_at {
        return Err(format!("line {number}: it is linked with the next row, and there is none"));
    }
    if !batch.is_empty() {
        rows.parts.push(Part::Rows(batch));
    }
    if rows.parts.is_empty() {
        return Err("there are no rows; give one JSON object on each line".to_owned());
    }
    Ok(rows)
}

fn read_line(line: &[u8], home: Option<Tenant>) -> Result<Asked, String> {
    let line: Line = serde_json::from_slice(line).map_err(|error| {
        // Of a single line the column alone says where.
        error.to_string().replace("at line 1 column", "at column")
    })?;
    let (is_linked, command) = match line {
        Line::Open { account, kind, asset, tenant, opened_at, linked } => {
            let tenant = tenant.map(Tenant::new).or(home).filter(|tenant| *tenant != Tenant::BANK);
            let command = Command::OpenAccount {
                id: field("account", &account)?,
                kind: kind_named(&kind)?,
                asset: asset_in(&asset)?,
                tenant,
                opened_at: time_if("opened_at", opened_at.as_deref())?,
            };
            (linked, command)
        }
        Line::Close { account, linked } => {
            (linked, Command::CloseAccount { id: field("account", &account)? })
        }
        Line::Transfer {
            id,
            debit,
            credit,
            asset,
            amount,
            up_to,
            all,
            effective_at,
            reference,
            memo,
            linked,
        } => {
            let asset = asset_in(&asset)?;
            let sizing = match (amount, up_to, all) {
                (Some(amount), None, false) => Sizing::Exact(amount_in("amount", asset, &amount)?),
                (None, Some(cap), false) => Sizing::UpTo(amount_in("up_to", asset, &cap)?),
                (None, None, true) => Sizing::AllAvailable(asset),
                _ => return Err("a transfer has either amount, up_to, or all: true".to_owned()),
            };
            let transfer = Transfer {
                id: field("id", &id)?,
                debit: field("debit", &debit)?,
                credit: field("credit", &credit)?,
                sizing,
                effective_at: time_if("effective_at", effective_at.as_deref())?,
                reference: reference_if(reference.as_deref())?,
                memo: memo_if(memo.as_deref())?,
            };
            (linked, Command::Transfer(transfer))
        }
        Line::Entry { id, legs, settle, release, holds, effective_at, reference, memo, linked } => {
            let settled = settle.iter().map(|hold| end("settle", hold, HoldOutcome::Settled));
            let released = release.iter().map(|hold| end("release", hold, HoldOutcome::Released));
            let entry = entry(&id, &legs, effective_at.as_deref(), reference.as_deref(), memo.as_deref())?;
            let change = Change {
                ends: settled.chain(released).collect::<Result<_, _>>()?,
                entry: Some(entry),
                places: holds.iter().map(new_hold).collect::<Result<_, _>>()?,
            };
            (linked, Command::Change(bounded(change)?))
        }
        Line::Hold { id, account, asset, amount, expires_at, linked } => {
            let place = new_hold(&HoldLine { id, account, asset, amount, expires_at })?;
            (linked, Command::Change(Change { places: vec![place], ..Change::default() }))
        }
        Line::Settle { hold, id, debit, credit, asset, amount, effective_at, reference, memo, linked } => {
            let leg = |account: &str, side: &str| LegLine {
                account: account.to_owned(),
                side: side.to_owned(),
                asset: asset.clone(),
                amount: amount.clone(),
            };
            let legs = [leg(&debit, "debit"), leg(&credit, "credit")];
            let entry = entry(&id, &legs, effective_at.as_deref(), reference.as_deref(), memo.as_deref())?;
            let ends = vec![end("hold", &hold, HoldOutcome::Settled)?];
            (linked, Command::Change(Change { ends, entry: Some(entry), places: Vec::new() }))
        }
        Line::Release { hold, linked } => {
            let ends = vec![end("hold", &hold, HoldOutcome::Released)?];
            (linked, Command::Change(Change { ends, ..Change::default() }))
        }
        Line::Reverse { id, of, memo, linked } => {
            let (id, of) = (field("id", &id)?, field("of", &of)?);
            (linked, Command::Reverse { id, of, memo: memo_if(memo.as_deref())? })
        }
        Line::Send { id, from, cell, to, asset, amount, memo } => {
            let to = Place { cell: CellNumber::new(cell), account: field("to", &to)? };
            let amount = amount_in("amount", asset_in(&asset)?, &amount)?;
            let (id, from, memo) = (field("id", &id)?, field("from", &from)?, memo_if(memo.as_deref())?);
            return Ok(Asked::Send(NewTransfer { id, from, to, amount, memo }));
        }
    };
    Ok(Asked::Row(Row { is_linked, command }))
}

fn entry(
    id: &str,
    legs: &[LegLine],
    effective_at: Option<&str>,
    reference: Option<&str>,
    memo: Option<&str>,
) -> Result<Entry, String> {
    if legs.is_empty() {
        return Err("legs: an entry has at least two".to_owned());
    }
    Ok(Entry {
        id: field::<EntryId>("id", id)?,
        legs: legs.iter().map(leg).collect::<Result<_, _>>()?,
        effective_at: time_if("effective_at", effective_at)?,
        reference: reference_if(reference)?,
        memo: memo_if(memo)?,
    })
}

fn leg(line: &LegLine) -> Result<Leg, String> {
    let side = match line.side.as_str() {
        "debit" => Side::Debit,
        "credit" => Side::Credit,
        other => return Err(format!("side: {other:?} is not debit or credit")),
    };
    let amount = amount_in("amount", asset_in(&line.asset)?, &line.amount)?;
    Ok(Leg { account: field::<AccountId>("account", &line.account)?, side, amount })
}

fn new_hold(line: &HoldLine) -> Result<NewHold, String> {
    let expires_at = time_if("expires_at", line.expires_at.as_deref())?;
    if expires_at.is_some_and(|at| at.ms() == 0) {
        return Err("expires_at: leave it out for a hold that does not end by itself".to_owned());
    }
    Ok(NewHold {
        id: field("id", &line.id)?,
        account: field("account", &line.account)?,
        amount: amount_in("amount", asset_in(&line.asset)?, &line.amount)?,
        expires_at,
    })
}

fn end(name: &str, hold: &str, outcome: HoldOutcome) -> Result<HoldEnd, String> {
    Ok(HoldEnd { hold: field::<HoldId>(name, hold)?, outcome })
}

/// A row counts its parts in a byte each.
fn bounded(change: Change) -> Result<Change, String> {
    let legs = change.entry.as_ref().map_or(0, |entry| entry.legs.len());
    let most = usize::from(u8::MAX);
    if [legs, change.ends.len(), change.places.len()].into_iter().any(|count| count > most) {
        return Err(format!("an entry has at most {most} legs, ends and new holds each"));
    }
    Ok(change)
}

fn field<T: FromStr<Err: Display>>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{name}: {error}"))
}

fn kind_named(name: &str) -> Result<AccountKind, String> {
    AccountKind::ALL.into_iter().find(|kind| kind_of(*kind) == name).ok_or_else(|| {
        let names: Vec<&str> = AccountKind::ALL.into_iter().map(kind_of).collect();
        format!("kind: {name:?} is none of {}", names.join(", "))
    })
}

pub(super) fn asset_in(text: &str) -> Result<Asset, String> {
    parse_asset(text).ok_or_else(|| {
        format!("asset: {text:?} is neither CNY, USD, nor a code with its decimals such as \"ETH:18\"")
    })
}

pub(super) fn amount_in(name: &str, asset: Asset, text: &str) -> Result<Amount, String> {
    Amount::parse(asset, text).map_err(|error| format!("{name}: {error}"))
}

pub(super) fn time_in(name: &str, text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("{name}: {text:?} is no time such as \"2026-11-24T09:30:00.000Z\"");
    let at: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
    let is_whole = at.subsec_nanosecond().checked_rem(1_000_000) == Some(0);
    let ms = u64::try_from(at.as_millisecond()).ok().filter(|_| is_whole).ok_or_else(wrong)?;
    Ok(Timestamp::from_ms(ms))
}

fn time_if(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, String> {
    text.map(|text| time_in(name, text)).transpose()
}

fn reference_if(text: Option<&str>) -> Result<Option<u64>, String> {
    let whole = |text: &str| {
        let number = text.parse::<u64>().ok().filter(|number| number.to_string() == text);
        number.ok_or_else(|| format!("reference: {text:?} is no whole number up to {}", u64::MAX))
    };
    text.map(whole).transpose()
}

fn memo_if(text: Option<&str>) -> Result<Memo, String> {
    let Some(text) = text else { return Ok(Memo::default()) };
    let memo = Memo::new(text).map_err(|error| format!("memo: {error}"))?;
    if memo.as_str() == text { Ok(memo) } else { Err("memo: it begins or ends with spaces".to_owned()) }
}

#[cfg(test)]
mod tests;
