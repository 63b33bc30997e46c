//! Whatever is asked of both ledgers, they answer the same, and afterwards say the same of every account at every time.

use ledger::{
    AccountKind, Batch, Change, Command, Entry, HoldEnd, HoldOutcome, JournalMark, Ledger, Leg, Memo,
    NewHold, Row, Side, Sizing, Transfer,
};
use money::{AccountId, Amount, Asset, EntryId, HoldId, Timestamp};
use proptest::prelude::*;

use crate::naive::Naive;

/// Few of everything, so that commands meet.
const KINDS: [AccountKind; 6] = [
    AccountKind::Customer,
    AccountKind::Customer,
    AccountKind::Nostro,
    AccountKind::Reserve,
    AccountKind::Suspense,
    AccountKind::Capital,
];
const ENTRIES: u128 = 60;
const HOLDS: u128 = 16;
const START_MS: u64 = 1_000;

/// One turn of both ledgers: so many milliseconds later, a command or a batch.
#[derive(Debug, Clone)]
enum Asked {
    One(Command),
    Rows(Vec<Row>),
}

fn account() -> impl Strategy<Value = AccountId> {
    (0..=u128::try_from(KINDS.len()).unwrap()).prop_map(AccountId::new)
}

fn asset() -> impl Strategy<Value = Asset> {
    prop_oneof![19 => Just(Asset::CNY), 1 => Just(Asset::new("USD", 2).unwrap())]
}

fn amount() -> impl Strategy<Value = Amount> {
    (asset(), prop_oneof![1 => Just(0), 30 => 1_u128..60])
        .prop_map(|(asset, minor)| Amount::new(asset, minor))
}

/// Mostly none; else a time that may be long ago, sealed, or still to come.
fn effective() -> impl Strategy<Value = Option<Timestamp>> {
    prop_oneof![2 => Just(None), 3 => (START_MS..START_MS + 900).prop_map(|ms| Some(Timestamp::from_ms(ms)))]
}

fn entry() -> impl Strategy<Value = Entry> {
    let pair = || {
        (account(), account(), amount())
            .prop_map(|(from, to, amount)| vec![Leg::debit(from, amount), Leg::credit(to, amount)])
    };
    let four = (pair(), pair()).prop_map(|(one, other)| [one, other].concat());
    let side = prop_oneof![Just(Side::Debit), Just(Side::Credit)];
    let leg = (account(), side, amount()).prop_map(|(account, side, amount)| Leg { account, side, amount });
    let any = proptest::collection::vec(leg, 0..4);
    (0..ENTRIES, prop_oneof![8 => pair(), 3 => four, 1 => any], effective()).prop_map(
        |(id, legs, effective_at)| Entry {
            id: EntryId::new(id),
            legs,
            effective_at,
            reference: None,
            memo: Memo::default(),
        },
    )
}

fn change() -> impl Strategy<Value = Change> {
    let hold = (0..HOLDS, account(), amount()).prop_map(|(id, account, amount)| NewHold {
        id: HoldId::new(id),
        account,
        amount,
        expires_at: None,
    });
    let outcome = prop_oneof![Just(HoldOutcome::Settled), Just(HoldOutcome::Released)];
    let end = (0..HOLDS, outcome).prop_map(|(hold, outcome)| HoldEnd { hold: HoldId::new(hold), outcome });
    let few = |range| proptest::collection::vec(end.clone(), range);
    let holds = proptest::collection::vec(hold, 0..3);
    (few(0..3), proptest::option::weighted(0.7, entry()), holds).prop_map(|(ends, entry, places)| Change {
        ends,
        entry,
        places,
    })
}

fn transfer() -> impl Strategy<Value = Command> {
    let sizing = prop_oneof![
        amount().prop_map(Sizing::Exact),
        amount().prop_map(Sizing::UpTo),
        asset().prop_map(Sizing::AllAvailable)
    ];
    (0..ENTRIES, account(), account(), sizing, effective()).prop_map(
        |(id, debit, credit, sizing, effective_at)| {
            let id = EntryId::new(id);
            Command::Transfer(Transfer {
                id,
                debit,
                credit,
                sizing,
                effective_at,
                reference: None,
                memo: Memo::default(),
            })
        },
    )
}

/// What has a form as a row.
fn row_command() -> impl Strategy<Value = Command> {
    let open = (account(), 0..KINDS.len(), asset(), effective()).prop_map(|(id, kind, asset, opened_at)| {
        Command::OpenAccount { id, kind: KINDS[kind], asset, tenant: None, opened_at }
    });
    let reverse = (0..ENTRIES, 0..ENTRIES).prop_map(|(id, of)| Command::Reverse {
        id: EntryId::new(id),
        of: EntryId::new(of),
        memo: Memo::default(),
    });
    prop_oneof![
        1 => open,
        1 => account().prop_map(|id| Command::CloseAccount { id }),
        8 => change().prop_map(Command::Change),
        2 => reverse,
        5 => transfer(),
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    let seal = (START_MS..START_MS + 400).prop_map(|ms| Command::Seal {
        through: Timestamp::from_ms(ms),
        mark: JournalMark { seq: 1, hash: [0; 32] },
    });
    let row = (any::<bool>(), row_command());
    let rows = proptest::collection::vec(row, 1..6).prop_map(|rows| {
        // An entry without legs has no form as a row.
        let has_form = |(_, command): &(bool, Command)| match command {
            Command::Change(change) => change.entry.as_ref().is_none_or(|entry| !entry.legs.is_empty()),
            _ => true,
        };
        let rows: Vec<(bool, Command)> = rows.into_iter().filter(has_form).collect();
        let last = rows.len().saturating_sub(1);
        let linked = |(at, (is_linked, command))| Row { is_linked: is_linked && at < last, command };
        rows.into_iter().enumerate().map(linked).collect()
    });
    prop_oneof![
        16 => row_command().prop_map(Asked::One),
        1 => seal.prop_map(Asked::One),
        4 => rows.prop_map(Asked::Rows),
    ]
}

/// Both ledgers, with an account of each kind and some money in them.
fn both() -> (Ledger, Naive) {
    let (mut real, mut naive) = (Ledger::default(), Naive::default());
    let start = Timestamp::from_ms(START_MS);
    let opened = (0..).zip(KINDS).map(|(id, kind)| Command::open(AccountId::new(id), kind, Asset::CNY));
    let pay = |id: u128, from: u128, to: u128| {
        let amount = Amount::new(Asset::CNY, 300);
        let legs = vec![Leg::debit(AccountId::new(from), amount), Leg::credit(AccountId::new(to), amount)];
        let id = EntryId::new(1_000 + id);
        let entry = Entry { id, legs, effective_at: None, reference: None, memo: Memo::default() };
        Command::Change(Change { entry: Some(entry), ..Change::default() })
    };
    // Reserve against capital, nostro against a customer.
    for command in opened.chain([pay(0, 3, 5), pay(1, 2, 0)]) {
        take(&mut real, &mut naive, &command, start);
    }
    (real, naive)
}

fn take(real: &mut Ledger, naive: &mut Naive, command: &Command, now: Timestamp) {
    let decided = real.decide(command, now);
    let expected = naive.take(command, now);
    match (decided, expected) {
        (Ok(event), Ok(())) => real.apply(&event, now),
        (Err(refusal), Err(rule)) => {
            let name = refusal.name().trim_end_matches("_with_another_body");
            assert_eq!(name, rule, "{command:?}: {refusal}");
        }
        (decided, expected) => panic!("{command:?}: {decided:?}, and by the rules {expected:?}"),
    }
}

fn take_rows(real: &mut Ledger, naive: &mut Naive, rows: &[Row], now: Timestamp) {
    let mut batch = Batch::default();
    rows.iter().for_each(|row| batch.push(row).unwrap());
    let (outcome, _) = real.take_batch(&batch, now, |_, _| true);
    let refused: Vec<u32> = outcome.refused.iter().map(|refused| refused.row).collect();
    assert_eq!(refused, naive.take_rows(rows, now), "{rows:?}");
}

fn signed(balance: &ledger::Balance) -> i128 {
    let minor = i128::try_from(balance.posted.minor()).unwrap();
    if balance.is_overdrawn { -minor } else { minor }
}

/// Every account at every time that makes a difference, on both axes.
fn compare(real: &Ledger, naive: &Naive, now: Timestamp) {
    let (accounts, entries, holds) = real.counts();
    assert_eq!((accounts, entries, holds), (naive.accounts.len(), naive.entries.len(), naive.holds.len()));
    assert_eq!(real.broken_invariants(), Vec::<String>::new());
    for id in naive.accounts.keys() {
        let balance = real.account(*id).unwrap().balance();
        assert_eq!(signed(&balance), naive.posted(*id, |_, _| true), "{id}");
        assert_eq!(i128::try_from(balance.held.minor()).unwrap(), naive.held(*id), "{id}");
        for ms in (START_MS..=now.ms()).step_by(41) {
            let at = Timestamp::from_ms(ms);
            let recorded = signed(&real.balance_recorded(*id, at).unwrap());
            assert_eq!(recorded, naive.posted(*id, |recorded, _| *recorded <= at), "{id} recorded by {at}");
            let effective = signed(&real.balance_effective(*id, at).unwrap());
            assert_eq!(
                effective,
                naive.posted(*id, |_, effective| *effective <= at),
                "{id} effective by {at}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn both_ledgers_say_the_same(turns in proptest::collection::vec((0_u64..20, asked()), 1..90)) {
        let (mut real, mut naive) = both();
        let mut now = Timestamp::from_ms(START_MS);
        for (count, (later, asked)) in turns.iter().enumerate() {
            now = now.plus_ms(*later);
            match asked {
                Asked::One(command) => take(&mut real, &mut naive, command, now),
                Asked::Rows(rows) => take_rows(&mut real, &mut naive, rows, now),
            }
            if count % 10 == 0 {
                compare(&real, &naive, now);
            }
        }
        compare(&real, &naive, now);
    }
}

/// What the property is worth: of so many turns a good part is taken, and every rule refuses something.
#[test]
fn the_turns_reach_every_rule() {
    use std::collections::BTreeMap;

    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut answers: BTreeMap<&str, u32> = BTreeMap::new();
    for _ in 0..200 {
        let (_, mut naive) = both();
        let mut now = Timestamp::from_ms(START_MS);
        let turns = proptest::collection::vec((0_u64..20, asked()), 90);
        for (later, asked) in turns.new_tree(&mut runner).unwrap().current() {
            now = now.plus_ms(later);
            let commands = match asked {
                Asked::One(command) => vec![command],
                Asked::Rows(rows) => rows.into_iter().map(|row| row.command).collect(),
            };
            for command in commands {
                *answers.entry(naive.take(&command, now).err().unwrap_or("taken")).or_default() += 1;
            }
        }
    }
    let rules = [
        "taken",
        "account_exists",
        "account_unknown",
        "account_closed",
        "account_not_empty",
        "already_reversed",
        "asset_mismatch",
        "day_sealed",
        "effective_in_future",
        "empty_change",
        "entry_exists",
        "entry_unknown",
        "hold_exists",
        "hold_not_open",
        "insufficient_funds",
        "later_balance",
        "leg_count",
        "nothing_available",
        "nothing_bounds",
        "opened_in_future",
        "seal_out_of_order",
        "unbalanced",
        "zero_amount",
    ];
    for rule in rules {
        let count = answers.get(rule).copied().unwrap_or_default();
        assert!(count >= 5, "{rule}: {count} of {answers:?}");
    }
}

/// Within a chain, too, an entry is reversed once, and one that the chain itself posts can be.
#[test]
fn a_chain_knows_its_own_entries_and_reversals() {
    let now = Timestamp::from_ms(START_MS + 5);
    let amount = Amount::new(Asset::CNY, 50);
    let legs = vec![Leg::debit(AccountId::new(3), amount), Leg::credit(AccountId::new(5), amount)];
    let entry =
        Entry { id: EntryId::new(7), legs, effective_at: None, reference: None, memo: Memo::default() };
    let post = Command::Change(Change { entry: Some(entry), ..Change::default() });
    let reverse =
        |id, of| Command::Reverse { id: EntryId::new(id), of: EntryId::new(of), memo: Memo::default() };
    let chain = |commands: Vec<Command>| {
        let last = commands.len() - 1;
        let row = |(at, command)| Row { is_linked: at < last, command };
        let rows: Vec<Row> = commands.into_iter().enumerate().map(row).collect();
        let (mut real, mut naive) = both();
        take(
            &mut real,
            &mut naive,
            &Command::Change(Change { entry: Some(more()), ..Change::default() }),
            now,
        );
        take_rows(&mut real, &mut naive, &rows, now);
        compare(&real, &naive, now);
        naive.entries.len()
    };
    assert_eq!(chain(vec![reverse(1, 1_000), reverse(2, 1_000)]), 3, "none of them");
    assert_eq!(chain(vec![post.clone(), reverse(1, 7)]), 5);
    assert_eq!(chain(vec![post, reverse(1, 7), reverse(2, 7)]), 3);
}

/// Funds for a second reversal, so that only the rule is against it.
fn more() -> Entry {
    let amount = Amount::new(Asset::CNY, 5_000);
    let legs = vec![Leg::debit(AccountId::new(3), amount), Leg::credit(AccountId::new(5), amount)];
    Entry { id: EntryId::new(5_000), legs, effective_at: None, reference: None, memo: Memo::default() }
}
