//! Rows of the bulk interface and of NDJSON, and transfers to other cells.

use jinku::bulk::SendRow;
use ledger::{
    AccountKind, Batch, Change, Command, Entry, HoldEnd, HoldOutcome, Leg, Memo, NewHold, Row, Sizing,
    Transfer,
};
use money::{AccountId, Amount, Asset, EntryId, HoldId, Timestamp, TransferId};

use super::{Answer, Target, no_mending};

fn fen(minor: u128) -> Amount {
    Amount::new(Asset::CNY, minor)
}

fn commands() -> Vec<Command> {
    let (a, b) = (AccountId::new(1), AccountId::new(2));
    let transfer = |sizing, effective_at, reference| {
        let memo = Memo::clip("rent");
        Command::Transfer(Transfer {
            id: EntryId::new(9),
            debit: a,
            credit: b,
            sizing,
            effective_at,
            reference,
            memo,
        })
    };
    let legs = vec![Leg::debit(a, fen(5)), Leg::credit(b, fen(5))];
    let entry =
        Entry { id: EntryId::new(3), legs, effective_at: None, reference: Some(4), memo: Memo::default() };
    let places = vec![NewHold {
        id: HoldId::new(7),
        account: a,
        amount: fen(1),
        expires_at: Some(Timestamp::from_ms(9)),
    }];
    let ends = vec![HoldEnd { hold: HoldId::new(6), outcome: HoldOutcome::Settled }];
    vec![
        Command::open(a, AccountKind::Customer, Asset::CNY),
        Command::open(b, AccountKind::Nostro, Asset::CNY),
        transfer(Sizing::Exact(fen(100)), None, None),
        transfer(Sizing::UpTo(fen(100)), Some(Timestamp::from_ms(5)), None),
        transfer(Sizing::AllAvailable(Asset::CNY), None, Some(8)),
        Command::Change(Change { ends, entry: Some(entry), places }),
        Command::Reverse { id: EntryId::new(11), of: EntryId::new(3), memo: Memo::clip("wrong") },
        Command::CloseAccount { id: b },
    ]
}

fn batch(linked: bool) -> Vec<u8> {
    let (commands, mut batch) = (commands(), Batch::default());
    let last = commands.len().saturating_sub(1);
    for (at, command) in commands.into_iter().enumerate() {
        let row = Row { is_linked: linked && at < last, command };
        if batch.push(&row).is_err() {
            return Vec::new();
        }
    }
    batch.as_bytes().to_vec()
}

/// The form in which clients send rows and the journal keeps them.
pub(super) fn rows() -> Target {
    Target {
        name: "rows",
        what: "rows of the bulk interface and of the journal",
        seeds: || {
            let mut seeds = vec![batch(false), batch(true)];
            for command in commands() {
                let mut one = Batch::default();
                if one.push(&Row { is_linked: false, command }).is_ok() {
                    seeds.push(one.as_bytes().to_vec());
                }
            }
            seeds
        },
        mend: no_mending,
        check: |input| {
            let batch = match Batch::parse(input.to_vec()) {
                Ok(batch) => batch,
                Err(error) => return Ok(Answer::refused(error)),
            };
            let mut again = Batch::default();
            let mut rows = 0_u32;
            for row in batch.rows() {
                again
                    .push(&row)
                    .map_err(|error| format!("a row that was read cannot be written: {error}"))?;
                rows = rows.saturating_add(1);
            }
            if rows != batch.len() {
                return Err(format!("{} rows are counted and {rows} are given", batch.len()));
            }
            // One form for one meaning: what is hashed must not have two spellings.
            if again.as_bytes() != input {
                return Err("rows have another form once they are written again".to_owned());
            }
            Ok(Answer::taken(format!("{} rows", rows.min(9))))
        },
        bytes_base: 1 << 20,
        bytes_per_byte: 256,
    }
}

/// What a client of the bulk interface sends: more rows than one batch holds, cut between rows that are not linked.
pub(super) fn bulk() -> Target {
    Target {
        name: "bulk",
        what: "requests of the bulk interface, cut into batches",
        seeds: || {
            vec![batch(true), batch(false).repeat(250), [batch(true), batch(false)].concat().repeat(130)]
        },
        mend: no_mending,
        check: |input| {
            let cut = jinku::bulk::cut(&mut &*input, input.len()).map_err(|error| error.to_string())?;
            let batches = match cut {
                Ok(batches) => batches,
                Err(problem) => return Ok(Answer::refused(problem)),
            };
            let whole: Vec<u8> = batches.iter().flat_map(|batch| batch.as_bytes().to_vec()).collect();
            if whole != input {
                return Err("the batches are not the request".to_owned());
            }
            // Cut into batches, the rows are well formed as one, too.
            match Batch::parse(whole) {
                Ok(_) => Ok(Answer::taken(format!("{} batches", batches.len()))),
                Err(error) => Err(format!("what is taken in batches is refused as one: {error}")),
            }
        },
        bytes_base: 8 << 20,
        bytes_per_byte: 64,
    }
}

/// Transfers to other cells, as the bulk interface gets them.
pub(super) fn sends() -> Target {
    Target {
        name: "sends",
        what: "transfers to other cells over the bulk interface",
        seeds: || {
            let row = |number: u128, memo: &str| SendRow {
                id: TransferId::new(number),
                from: AccountId::new(1),
                cell: 2,
                to: AccountId::new(u128::MAX),
                amount: fen(number),
                memo: Memo::clip(memo),
            };
            let rows = [row(1, ""), row(2, "rent"), row(u128::MAX, "a longer memo of this transfer")];
            let forms: Vec<Vec<u8>> = rows.iter().filter_map(written).collect();
            vec![forms.concat(), forms.concat().repeat(40)]
        },
        mend: no_mending,
        check: |input| {
            let sends = match jinku::bulk::cut_sends(input) {
                Ok(sends) => sends,
                Err(problem) => return Ok(Answer::refused(problem)),
            };
            // What was read says the same when it is written again.
            let rows = sends.iter().map(|send| SendRow {
                id: send.id,
                from: send.from,
                cell: send.to.cell.number(),
                to: send.to.account,
                amount: send.amount,
                memo: send.memo.clone(),
            });
            let again: Vec<u8> = rows.filter_map(|row| written(&row)).flatten().collect();
            match jinku::bulk::cut_sends(&again) {
                Ok(again) if again == sends => Ok(Answer::taken(format!("{} transfers", sends.len().min(9)))),
                again => Err(format!("read as {sends:?}, written and read as {again:?}")),
            }
        },
        bytes_base: 1 << 20,
        bytes_per_byte: 256,
    }
}

fn written(row: &SendRow) -> Option<Vec<u8>> {
    let bytes = minicbor::to_vec(row).ok()?;
    Some([u16::try_from(bytes.len()).ok()?.to_be_bytes().as_slice(), &bytes].concat())
}

/// Rows as text.
pub(super) fn ndjson() -> Target {
    Target {
        name: "ndjson",
        what: "rows as NDJSON",
        seeds: || {
            let (a, b, c) = (AccountId::new(1), AccountId::new(2), EntryId::new(3));
            let (hold, send) = (HoldId::new(4), TransferId::new(5));
            let legs = format!(
                r#"[{{"account":"{a}","side":"debit","asset":"CNY","amount":"3"}},{{"account":"{b}","side":"credit","asset":"CNY","amount":"3"}}]"#
            );
            let moves = format!(r#""debit":"{a}","credit":"{b}","asset":"CNY""#);
            let lines = [
                format!(
                    r#"{{"row":"open","account":"{a}","kind":"customer","asset":"ETH:18","tenant":7,"opened_at":"2020-05-01T00:00:00Z"}}"#
                ),
                format!(r#"{{"row":"transfer","id":"{c}",{moves},"amount":"12.50","linked":true}}"#),
                format!(r#"{{"row":"transfer","id":"{c}",{moves},"up_to":"500","memo":"\u79df"}}"#),
                format!(
                    r#"{{"row":"transfer","id":"{c}",{moves},"all":true,"reference":"18446744073709551615"}}"#
                ),
                format!(
                    r#"{{"row":"entry","id":"{c}","legs":{legs},"settle":["{hold}"],"release":[],"holds":[]}}"#
                ),
                format!(
                    r#"{{"row":"hold","id":"{hold}","account":"{a}","asset":"CNY","amount":"5.00","expires_at":"2026-12-01T00:00:00.001+08:00"}}"#
                ),
                format!(
                    r#"{{"row":"settle","hold":"{hold}","id":"{c}",{moves},"amount":"5.00","effective_at":"2026-01-01T00:00:00Z"}}"#
                ),
                format!(r#"{{"row":"release","hold":"{hold}"}}"#),
                format!(r#"{{"row":"reverse","id":"{c}","of":"{c}","memo":"booked twice"}}"#),
                format!(
                    r#"{{"row":"send","id":"{send}","from":"{a}","cell":2,"to":"{b}","asset":"CNY","amount":"30.00"}}"#
                ),
                format!(r#"{{"row":"close","account":"{a}"}}"#),
            ];
            let mut seeds: Vec<Vec<u8>> = vec![lines.join("\n").into_bytes()];
            seeds.extend(lines.into_iter().filter(|line| !line.contains("linked")).map(String::into_bytes));
            seeds
        },
        mend: no_mending,
        check: |input| {
            let (batches, sends) = match jinku::books::read_rows(input, None) {
                Ok(read) => read,
                Err(problem) => return Ok(Answer::refused(problem)),
            };
            let mut rows = sends.len();
            for batch in batches {
                rows = rows.saturating_add(usize::try_from(batch.len()).unwrap_or(usize::MAX));
                match Batch::parse(batch.as_bytes().to_vec()) {
                    Ok(again) if again == batch => {}
                    again => return Err(format!("lines that were taken are no rows: {again:?}")),
                }
            }
            // A line is a row, and nothing else is.
            let lines =
                input.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
            if lines == rows {
                Ok(Answer::taken(format!("{} rows", rows.min(12))))
            } else {
                Err(format!("{lines} lines are {rows} rows"))
            }
        },
        bytes_base: 4 << 20,
        bytes_per_byte: 128,
    }
}
