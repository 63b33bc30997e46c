//! The first commands of a new bank: who it is, its books, the terms of its rails, its limits, its capital.
//!
//! They are ordinary commands of an operator in the journal. All that changes over the years is a dated row.

use bank::{Command, Submission};
use identity::{Actor, Grade, LimitRow};
use ledger::{Change, Entry, Leg};
use money::{AccountId, Amount, Asset, Bps, CommandId, Date, EntryId, Limits, Text};
use payments::{BankNumber, Books, FeeRule, Profile, Rail, RailRow};

use crate::config::BankConfig;

/// The bank's capital at its opening, in yuan.
const CAPITAL_YUAN: u128 = 500_000_000;
/// Ids of the bank's own accounts begin here, with the asset's place in the low bits; no customer's account is there.
const OWN_ACCOUNTS: u128 = 0xFEE0 << 112;

fn yuan(value: u128) -> Amount {
    Amount::new(Asset::CNY, value.saturating_mul(100))
}

/// The bank's own accounts in yuan.
#[must_use]
pub const fn books() -> Books {
    const fn account(number: u128) -> AccountId {
        AccountId::new(OWN_ACCOUNTS | number)
    }
    Books {
        asset: Asset::CNY,
        reserve: account(1),
        transit_instant: account(2),
        transit_high_value: account(3),
        suspense: account(4),
        fees: account(5),
        capital: account(6),
    }
}

/// The commands that open a bank, in order. Their ids are fixed, so that opening twice is opening once.
///
/// # Errors
/// A clearing number or name in the configuration that is none.
pub fn commands(config: &BankConfig) -> anyhow::Result<Vec<Submission>> {
    let profile = Profile {
        bank: BankNumber::new(&config.number)?,
        name_zh: Text::new(&config.name_zh)?,
        name_en: Text::new(&config.name_en)?,
        utc_offset_minutes: config.utc_offset_minutes,
    };
    let mut commands = vec![
        Command::Payments(payments::Command::SetProfile(profile)),
        Command::Payments(payments::Command::OpenBooks(books())),
    ];
    commands.extend(rails()?.into_iter().map(|row| Command::Payments(payments::Command::SetRail(row))));
    commands.extend(limits()?.into_iter().map(|row| Command::Identity(identity::Command::SetLimits(row))));
    commands.push(capital());
    let numbered = (1_u128..).zip(commands);
    Ok(numbered
        .map(|(number, command)| Submission {
            id: CommandId::new(OWN_ACCOUNTS | number),
            actor: Actor::Operator(Text::clip("opening")),
            command,
        })
        .collect())
}

fn capital() -> Command {
    let legs = vec![
        Leg::debit(books().reserve, yuan(CAPITAL_YUAN)),
        Leg::credit(books().capital, yuan(CAPITAL_YUAN)),
    ];
    let entry = Entry {
        id: EntryId::new(OWN_ACCOUNTS | 1),
        legs,
        effective_at: None,
        reference: None,
        memo: Text::clip("opening capital"),
    };
    Command::Ledger(ledger::Command::Change(Change { entry: Some(entry), ..Change::default() }))
}

/// Ceilings of the instant rail: fifty thousand yuan at its start in 2010, a million since 2020, as the sandbox has them. The fees are
/// this bank's own.
fn rails() -> anyhow::Result<Vec<RailRow>> {
    let free = FeeRule {
        free_up_to: yuan(1_000_000_000_000),
        rate: Bps::new(0),
        at_least: yuan(0),
        at_most: yuan(0),
    };
    let high_value_fee =
        FeeRule { free_up_to: yuan(0), rate: Bps::new(1), at_least: yuan(5), at_most: yuan(200) };
    let instant = |from: &str, ceiling: u128| -> anyhow::Result<RailRow> {
        Ok(RailRow {
            rail: Rail::Instant,
            asset: Asset::CNY,
            from: from.parse()?,
            ceiling: Some(yuan(ceiling)),
            fee: free.clone(),
            answer_ms: 20_000,
            usual_ms: 10_000,
        })
    };
    Ok(vec![
        instant("2010-08-30", 50_000)?,
        instant("2020-01-01", 1_000_000)?,
        RailRow {
            rail: Rail::HighValue,
            asset: Asset::CNY,
            from: "2018-05-02".parse()?,
            ceiling: None,
            fee: high_value_fee,
            answer_ms: 60_000,
            usual_ms: 60_000,
        },
    ])
}

/// Limits by grade: how well the customer is known decides how much may leave.
fn limits() -> anyhow::Result<Vec<LimitRow>> {
    let from: Date = "2020-01-01".parse()?;
    let row =
        |grade, single: Option<u128>, day: Option<u128>, month: Option<u128>, year: Option<u128>| LimitRow {
            grade,
            asset: Asset::CNY,
            from,
            limits: Limits {
                small_amount: yuan(200),
                undo_from: yuan(500),
                undo_ms: 60_000,
                single: single.map(yuan),
                day: day.map(yuan),
                month: month.map(yuan),
                year: year.map(yuan),
            },
        };
    Ok(vec![
        row(Grade::Basic, Some(2_000), Some(5_000), None, Some(50_000)),
        row(Grade::Verified, Some(50_000), Some(100_000), Some(500_000), None),
        row(Grade::Full, Some(5_000_000), Some(10_000_000), None, None),
    ])
}
