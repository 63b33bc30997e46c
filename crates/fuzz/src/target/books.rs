//! Rows of the bulk interface.

use ledger::{
    AccountKind, Batch, Change, Command, Entry, HoldEnd, HoldOutcome, Leg, Memo, NewHold, Row, Sizing,
    Transfer,
};
use money::{AccountId, Amount, Asset, EntryId, HoldId, Timestamp};

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
