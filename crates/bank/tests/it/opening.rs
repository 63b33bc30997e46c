//! The opening of the bank in tests: the same shape as a real bank's, with round figures.

use bank::Command;
use identity::{Grade, LimitRow};
use ledger::{Change, Entry, Leg};
use money::{AccountId, Amount, Asset, Bps, EntryId, Limits, Text};
use payments::{BankNumber, Books, FeeRule, Profile, Rail, RailNotice, RailRow, RailState, RailStatus};

pub(crate) const OUR_BANK: &str = "313100000015";
pub(crate) const OTHER_BANK: &str = "102100000099";

pub(crate) fn yuan(value: u128) -> Amount {
    Amount::new(Asset::CNY, value * 100)
}

pub(crate) fn books() -> Books {
    let account = |number| AccountId::new(number);
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

/// What an operator gives a new bank: profile, books, rails, limits, a hundred million of capital.
pub(crate) fn by_operator() -> Vec<Command> {
    let profile = Profile {
        bank: BankNumber::new(OUR_BANK).unwrap(),
        name_zh: Text::clip("金库银行"),
        name_en: Text::clip("Jinku Bank"),
        utc_offset_minutes: 480,
    };
    let legs =
        vec![Leg::debit(books().reserve, yuan(100_000_000)), Leg::credit(books().capital, yuan(100_000_000))];
    let entry =
        Entry { id: EntryId::new(1), legs, effective_at: None, reference: None, memo: Text::clip("capital") };
    let mut commands = vec![
        Command::Payments(payments::Command::SetProfile(profile)),
        Command::Payments(payments::Command::OpenBooks(books())),
        Command::Ledger(ledger::Command::Change(Change { entry: Some(entry), ..Change::default() })),
    ];
    commands.extend(rails().into_iter().map(|row| Command::Payments(payments::Command::SetRail(row))));
    commands.extend(limits().into_iter().map(|row| Command::Identity(identity::Command::SetLimits(row))));
    commands
}

fn rails() -> Vec<RailRow> {
    let fee = |free_up_to, rate, at_least, at_most| FeeRule {
        free_up_to: yuan(free_up_to),
        rate: Bps::new(rate),
        at_least: yuan(at_least),
        at_most: yuan(at_most),
    };
    let row = |rail, ceiling: Option<u128>, fee, answer_ms| RailRow {
        rail,
        asset: Asset::CNY,
        from: "2020-01-01".parse().unwrap(),
        ceiling: ceiling.map(yuan),
        fee,
        answer_ms,
        usual_ms: answer_ms,
    };
    vec![
        row(Rail::Instant, Some(1_000_000), fee(1_000_000, 0, 0, 0), 20_000),
        row(Rail::HighValue, None, fee(0, 1, 5, 200), 60_000),
    ]
}

fn limits() -> Vec<LimitRow> {
    let row = |grade, single, day, month: Option<u128>, year: Option<u128>| LimitRow {
        grade,
        asset: Asset::CNY,
        from: "2020-01-01".parse().unwrap(),
        limits: Limits {
            small_amount: yuan(200),
            undo_from: yuan(500),
            undo_ms: 60_000,
            single: Some(yuan(single)),
            day: Some(yuan(day)),
            month: month.map(yuan),
            year: year.map(yuan),
        },
    };
    vec![
        row(Grade::Basic, 2_000, 5_000, None, Some(50_000)),
        row(Grade::Verified, 50_000, 100_000, Some(150_000), None),
        row(Grade::Full, 5_000_000, 10_000_000, None, None),
    ]
}

/// What both rails say of themselves on the day that scenarios begin.
pub(crate) fn open_rails() -> Vec<(Rail, Command)> {
    let status = RailStatus { state: RailState::Open, business_date: "2026-11-24".parse().unwrap() };
    let open = |rail| {
        let notice = RailNotice::Status(status);
        (rail, Command::Payments(payments::Command::Notice { rail, notice }))
    };
    vec![open(Rail::Instant), open(Rail::HighValue)]
}
