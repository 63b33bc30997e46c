//! The opening of the simulated bank: a low ceiling of the instant rail, so that both rails are used.

use bank::Command;
use identity::{Grade, LimitRow};
use ledger::{Change, Entry, Leg};
use money::{AccountId, Amount, Asset, Bps, Date, EntryId, Limits, Text};
use payments::{BankNumber, Books, FeeRule, Profile, Rail, RailRow};

/// The number that the sandbox knows our bank by.
pub(crate) const OUR_BANK: &str = "313100000015";
/// Capital at the opening, in yuan.
pub(crate) const CAPITAL_YUAN: u128 = 100_000_000;
/// Above this the high-value rail takes a payment, in yuan.
pub(crate) const CEILING_YUAN: u128 = 5_000;

pub(crate) fn yuan(value: u128) -> Amount {
    Amount::new(Asset::CNY, value.saturating_mul(100))
}

pub(crate) const fn books() -> Books {
    Books {
        asset: Asset::CNY,
        reserve: AccountId::new(1),
        transit_instant: AccountId::new(2),
        transit_high_value: AccountId::new(3),
        suspense: AccountId::new(4),
        fees: AccountId::new(5),
        capital: AccountId::new(6),
    }
}

pub(crate) fn commands() -> anyhow::Result<Vec<Command>> {
    let profile = Profile {
        bank: BankNumber::new(OUR_BANK)?,
        name_zh: Text::clip("金库银行"),
        name_en: Text::clip("Jinku Bank"),
        utc_offset_minutes: 480,
    };
    let capital = yuan(CAPITAL_YUAN);
    let legs = vec![Leg::debit(books().reserve, capital), Leg::credit(books().capital, capital)];
    let entry =
        Entry { id: EntryId::new(1), legs, effective_at: None, reference: None, memo: Text::clip("capital") };
    let from: Date = "2020-01-01".parse()?;
    let free =
        FeeRule { free_up_to: yuan(1_000_000), rate: Bps::new(0), at_least: yuan(0), at_most: yuan(0) };
    let fee = FeeRule { free_up_to: yuan(0), rate: Bps::new(1), at_least: yuan(5), at_most: yuan(200) };
    let row = |rail, ceiling, fee, answer_ms| RailRow {
        rail,
        asset: Asset::CNY,
        from,
        ceiling,
        fee,
        answer_ms,
        usual_ms: answer_ms,
    };
    let limits = |grade, single| LimitRow {
        grade,
        asset: Asset::CNY,
        from,
        limits: Limits {
            small_amount: yuan(200),
            undo_from: yuan(500),
            undo_ms: 10_000,
            single: Some(yuan(single)),
            day: Some(yuan(single.saturating_mul(10))),
            month: None,
            year: None,
        },
    };
    let rail = |row| Command::Payments(payments::Command::SetRail(row));
    let limit = |row| Command::Identity(identity::Command::SetLimits(row));
    Ok(vec![
        Command::Payments(payments::Command::SetProfile(profile)),
        Command::Payments(payments::Command::OpenBooks(books())),
        Command::Ledger(ledger::Command::Change(Change { entry: Some(entry), ..Change::default() })),
        rail(row(Rail::Instant, Some(yuan(CEILING_YUAN)), free, 20_000)),
        rail(row(Rail::HighValue, None, fee, 60_000)),
        limit(limits(Grade::Basic, 1_000)),
        limit(limits(Grade::Verified, 10_000)),
        limit(limits(Grade::Full, 1_000_000)),
    ])
}
