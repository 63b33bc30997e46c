#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]
use std::collections::BTreeMap;

use money::{AccountId, Amount, Asset, EntryId, HoldId, Timestamp};
use proptest::prelude::*;

use super::*;

const BANK: AccountId = AccountId::new(1);
const LIN: AccountId = AccountId::new(2);
const WEN: AccountId = AccountId::new(3);
const TRANSIT: AccountId = AccountId::new(4);

fn yuan(minor: u128) -> Amount {
    Amount::new(Asset::CNY, minor)
}

fn at(ms: u64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn run(ledger: &mut Ledger, command: &Command, ms: u64) -> Result<(), Refusal> {
    let event = ledger.decide(command, at(ms))?;
    ledger.apply(&event, at(ms));
    assert_eq!(ledger.broken_invariants(), Vec::<String>::new());
    Ok(())
}

fn opened() -> Ledger {
    let mut ledger = Ledger::default();
    for (id, kind) in [
        (BANK, AccountKind::Reserve),
        (LIN, AccountKind::Customer),
        (WEN, AccountKind::Customer),
        (TRANSIT, AccountKind::InTransit),
    ] {
        run(&mut ledger, &Command::open(id, kind, Asset::CNY), 0).unwrap();
    }
    ledger
}

fn entry(id: u128, legs: Vec<Leg>) -> Entry {
    Entry { id: EntryId::new(id), legs, effective_at: None, reference: None, memo: Memo::default() }
}

fn post(id: u128, legs: Vec<Leg>) -> Command {
    Command::Change(Change { entry: Some(entry(id, legs)), ..Change::default() })
}

fn pay(id: u128, from: AccountId, to: AccountId, minor: u128) -> Command {
    post(id, vec![Leg::debit(from, yuan(minor)), Leg::credit(to, yuan(minor))])
}

fn hold(id: u128, account: AccountId, minor: u128, expires_at: Option<Timestamp>) -> Command {
    let new = NewHold { id: HoldId::new(id), account, amount: yuan(minor), expires_at };
    Command::Change(Change { places: vec![new], ..Change::default() })
}

fn end(id: u128, outcome: HoldOutcome, entry: Option<Entry>) -> Command {
    Command::Change(Change { ends: vec![HoldEnd { hold: HoldId::new(id), outcome }], entry, places: vec![] })
}

fn available(ledger: &Ledger, id: AccountId) -> u128 {
    ledger.account(id).unwrap().balance().available.minor()
}

fn check_refused(ledger: &mut Ledger, command: &Command, expect: &str) {
    assert_eq!(run(ledger, command, 1_000).unwrap_err().to_string(), expect);
}

#[test]
fn a_hold_shrinks_what_is_available_until_it_ends() {
    let mut ledger = opened();
    run(&mut ledger, &pay(1, BANK, LIN, 1000), 1).unwrap();
    run(&mut ledger, &hold(1, LIN, 700, None), 2).unwrap();
    assert_eq!(available(&ledger, LIN), 300);
    check_refused(
        &mut ledger,
        &pay(2, LIN, WEN, 301),
        &format!("account {LIN} has 3.00 CNY available, 3.01 CNY is needed"),
    );
    let leaves = entry(3, vec![Leg::debit(LIN, yuan(700)), Leg::credit(TRANSIT, yuan(700))]);
    run(&mut ledger, &end(1, HoldOutcome::Settled, Some(leaves)), 3).unwrap();
    assert_eq!(available(&ledger, LIN), 300);
    check_refused(
        &mut ledger,
        &end(1, HoldOutcome::Released, None),
        &format!("hold {} is not open", HoldId::new(1)),
    );
    check_refused(&mut ledger, &hold(1, LIN, 1, None), &format!("hold {} exists", HoldId::new(1)));
}

#[test]
fn an_expired_hold_is_found_and_released() {
    let mut ledger = opened();
    run(&mut ledger, &pay(1, BANK, LIN, 1000), 1).unwrap();
    run(&mut ledger, &hold(1, LIN, 700, Some(at(50))), 2).unwrap();
    assert_eq!(ledger.next_expiry(), Some(at(50)));
    assert!(ledger.expired_holds(at(49), 10).is_empty());
    assert_eq!(ledger.expired_holds(at(50), 10), vec![HoldId::new(1)]);
    run(&mut ledger, &end(1, HoldOutcome::Released, None), 50).unwrap();
    assert_eq!((available(&ledger, LIN), ledger.next_expiry()), (1000, None));
}

#[test]
fn entries_must_balance_in_every_asset() {
    let mut ledger = opened();
    let open = Command::open(AccountId::new(9), AccountKind::Customer, Asset::USD);
    run(&mut ledger, &open, 0).unwrap();
    let lopsided = post(1, vec![Leg::debit(BANK, yuan(5)), Leg::credit(LIN, yuan(4))]);
    check_refused(&mut ledger, &lopsided, "debits 0.05 CNY do not equal credits 0.04 CNY");
    let mixed =
        post(1, vec![Leg::debit(BANK, yuan(5)), Leg::credit(AccountId::new(9), Amount::new(Asset::USD, 5))]);
    check_refused(&mut ledger, &mixed, "debits 0.05 CNY do not equal credits 0.00 CNY");
    let wrong_account = pay(1, BANK, AccountId::new(9), 5);
    check_refused(&mut ledger, &wrong_account, &format!("account {} holds USD, not CNY", AccountId::new(9)));
    check_refused(&mut ledger, &pay(1, BANK, LIN, 0), "amount is zero");
    check_refused(&mut ledger, &post(1, vec![]), "an entry has 2 to 64 legs, not 0");
    check_refused(&mut ledger, &Command::Change(Change::default()), "the change is empty");
    check_refused(
        &mut ledger,
        &pay(1, BANK, AccountId::new(77), 1),
        &format!("account {} is unknown", AccountId::new(77)),
    );
}

#[test]
fn an_entry_id_is_used_once() {
    let mut ledger = opened();
    run(&mut ledger, &pay(1, BANK, LIN, 5), 1).unwrap();
    let id = EntryId::new(1);
    check_refused(&mut ledger, &pay(1, BANK, LIN, 5), &format!("entry {id} exists with the same body"));
    check_refused(&mut ledger, &pay(1, BANK, LIN, 6), &format!("entry {id} exists with another body"));
}

#[test]
fn a_reversal_is_a_new_entry_and_happens_once() {
    let mut ledger = opened();
    run(&mut ledger, &pay(1, BANK, LIN, 500), 1).unwrap();
    let reverse = |id| Command::Reverse { id: EntryId::new(id), of: EntryId::new(1), memo: Memo::default() };
    run(&mut ledger, &reverse(2), 2).unwrap();
    assert_eq!(available(&ledger, LIN), 0);
    let expect = format!("entry {} was reversed by {}", EntryId::new(1), EntryId::new(2));
    check_refused(&mut ledger, &reverse(3), &expect);
    assert_eq!(ledger.entry(EntryId::new(2)).unwrap().reverses, Some(EntryId::new(1)));
}

#[test]
fn a_balance_can_be_asked_on_both_axes() {
    let mut ledger = opened();
    run(&mut ledger, &pay(1, BANK, LIN, 500), 100).unwrap();
    let mut late = entry(2, vec![Leg::debit(BANK, yuan(70)), Leg::credit(LIN, yuan(70))]);
    late.effective_at = Some(at(40));
    run(&mut ledger, &Command::Change(Change { entry: Some(late), ..Change::default() }), 200).unwrap();
    let recorded = |ms| ledger.balance_recorded(LIN, at(ms)).unwrap().posted.minor();
    let effective = |ms| ledger.balance_effective(LIN, at(ms)).unwrap().posted.minor();
    assert_eq!([recorded(50), recorded(100), recorded(199), recorded(200)], [0, 500, 500, 570]);
    assert_eq!([effective(39), effective(40), effective(99), effective(100)], [0, 70, 70, 570]);
    let mut early = entry(3, vec![Leg::debit(BANK, yuan(1)), Leg::credit(LIN, yuan(1))]);
    early.effective_at = Some(at(5_000));
    let command = Command::Change(Change { entry: Some(early), ..Change::default() });
    assert!(matches!(ledger.decide(&command, at(300)), Err(Refusal::EffectiveInFuture { .. })));
}

#[test]
fn only_an_empty_account_closes_and_then_stays_closed() {
    let mut ledger = opened();
    run(&mut ledger, &pay(1, BANK, LIN, 500), 1).unwrap();
    let close = Command::CloseAccount { id: LIN };
    check_refused(&mut ledger, &close, &format!("account {LIN} still has 5.00 CNY posted and 0.00 CNY held"));
    run(&mut ledger, &pay(2, LIN, WEN, 500), 2).unwrap();
    run(&mut ledger, &close, 3).unwrap();
    check_refused(&mut ledger, &pay(3, BANK, LIN, 1), &format!("account {LIN} is closed"));
}

/// The naive ledger: one number an account, holds in a map. What the real one must agree with.
#[derive(Default)]
struct Naive {
    balances: BTreeMap<u128, i128>,
    holds: BTreeMap<u128, (u128, i128)>,
}

impl Naive {
    fn available(&self, account: u128) -> i128 {
        let held: i128 = self.holds.values().filter(|(of, _)| *of == account).map(|(_, amount)| amount).sum();
        self.balances.get(&account).copied().unwrap_or(0) - held
    }
}

#[derive(Debug, Clone)]
enum Step {
    Fund(u128, u128),
    Pay(u128, u128, u128),
    Hold(u128, u128),
    End(usize, bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let account = 2_u128..4;
    let step = prop_oneof![
        (account.clone(), 1_u128..1000).prop_map(|(a, n)| Step::Fund(a, n)),
        (account.clone(), account.clone(), 1_u128..1500).prop_map(|(a, b, n)| Step::Pay(a, b, n)),
        (account, 1_u128..800).prop_map(|(a, n)| Step::Hold(a, n)),
        (0_usize..8, any::<bool>()).prop_map(|(i, settle)| Step::End(i, settle)),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #[test]
    fn agrees_with_a_naive_ledger_and_survives_a_snapshot(steps in steps()) {
        let mut ledger = opened();
        let mut naive = Naive::default();
        for (number, step) in steps.into_iter().enumerate() {
            let id = number as u128 + 100;
            let now = number as u64;
            match step {
                Step::Fund(to, n) => {
                    run(&mut ledger, &pay(id, BANK, AccountId::new(to), n), now).unwrap();
                    *naive.balances.entry(to).or_default() += n as i128;
                }
                Step::Pay(from, to, n) => {
                    let fits = naive.available(from) >= n as i128 || from == to;
                    let result = run(&mut ledger, &pay(id, AccountId::new(from), AccountId::new(to), n), now);
                    if from != to {
                        prop_assert_eq!(result.is_ok(), fits);
                    }
                    if result.is_ok() {
                        *naive.balances.entry(from).or_default() -= n as i128;
                        *naive.balances.entry(to).or_default() += n as i128;
                    }
                }
                Step::Hold(on, n) => {
                    let fits = naive.available(on) >= n as i128;
                    let result = run(&mut ledger, &hold(id, AccountId::new(on), n, None), now);
                    prop_assert_eq!(result.is_ok(), fits);
                    if fits {
                        naive.holds.insert(id, (on, n as i128));
                    }
                }
                Step::End(index, settle) => {
                    let Some((hold_id, (on, n))) = naive.holds.iter().nth(index).map(|(k, v)| (*k, *v)) else { continue };
                    let (outcome, leaves) = if settle {
                        let legs = vec![Leg::debit(AccountId::new(on), yuan(n as u128)), Leg::credit(TRANSIT, yuan(n as u128))];
                        (HoldOutcome::Settled, Some(entry(id, legs)))
                    } else {
                        (HoldOutcome::Released, None)
                    };
                    run(&mut ledger, &end(hold_id, outcome, leaves), now).unwrap();
                    naive.holds.remove(&hold_id);
                    if settle {
                        *naive.balances.entry(on).or_default() -= n;
                    }
                }
            }
            for account in 2..4 {
                prop_assert_eq!(available(&ledger, AccountId::new(account)) as i128, naive.available(account));
            }
        }
        let bytes = minicbor::to_vec(&ledger).unwrap();
        let back: Ledger = minicbor::decode(&bytes).unwrap();
        prop_assert_eq!(minicbor::to_vec(&back).unwrap(), bytes);
    }
}

#[test]
fn reasons_are_numbered_without_a_gap_and_named_once() {
    for (code, reason) in (1..).zip(Reason::ALL) {
        assert_eq!(reason.code, code);
        assert!(Reason::ALL.iter().filter(|other| other.name == reason.name).count() == 1);
        assert_eq!(Reason::from_code(code), Some(&reason));
    }
    assert_eq!(Reason::from_code(0), None);
    let refusal = Refusal::InsufficientFunds { id: LIN, available: yuan(1), needed: yuan(2) };
    assert_eq!((refusal.code(), refusal.name(), refusal.is_transient()), (18, "insufficient_funds", true));
    assert_eq!(
        (Refusal::ChainBroken.name(), Refusal::NotPermitted.name()),
        ("chain_broken", "not_permitted")
    );
}

#[test]
fn a_history_goes_on_ahead_of_any_of_its_entries() {
    let mut ledger = opened();
    for number in 1..=5 {
        run(&mut ledger, &pay(number, BANK, if number == 3 { WEN } else { LIN }, 10), 1).unwrap();
    }
    let before = |account, id| -> Vec<u128> {
        ledger.history_before(account, EntryId::new(id)).map(|entry| entry.id.value()).collect()
    };
    assert_eq!(before(LIN, 5), [4, 2, 1]);
    assert_eq!(before(BANK, 3), [2, 1]);
    assert!(before(LIN, 1).is_empty() && before(LIN, 3).is_empty() && before(LIN, 99).is_empty());
}

#[test]
fn a_tenants_trial_balance_is_over_its_own_accounts() {
    let mut ledger = opened();
    let own = AccountId::new(9);
    let open = Command::OpenAccount {
        id: own,
        kind: AccountKind::Customer,
        asset: Asset::CNY,
        tenant: Some(Tenant::new(7)),
        opened_at: None,
    };
    run(&mut ledger, &open, 1).unwrap();
    run(&mut ledger, &pay(1, BANK, own, 10), 1).unwrap();
    assert_eq!(ledger.trial_balance_of(Tenant::new(7)), [(Asset::CNY, yuan(0), yuan(10))]);
    assert_eq!(ledger.trial_balance_of(Tenant::BANK), [(Asset::CNY, yuan(10), yuan(0))]);
    assert!(ledger.trial_balance_of(Tenant::new(8)).is_empty());
}

#[derive(Debug, Clone)]
enum RowStep {
    Open(u128),
    Close(u128),
    Pay(u128, u128, u128, u8),
    Back(u128, u128, u128, u64),
    Hold(u128, u128),
    Settle(u128),
    Reverse(u128),
}

fn row_steps() -> impl Strategy<Value = Vec<(RowStep, bool)>> {
    let account = 1_u128..7;
    let step = prop_oneof![
        1 => account.clone().prop_map(RowStep::Open),
        1 => account.clone().prop_map(RowStep::Close),
        6 => (account.clone(), account.clone(), 1_u128..400, 0_u8..3).prop_map(|(a, b, n, how)| RowStep::Pay(a, b, n, how)),
        2 => (account.clone(), account.clone(), 1_u128..400, 0_u64..5_000).prop_map(|(a, b, n, at)| RowStep::Back(a, b, n, at)),
        2 => (account, 1_u128..300).prop_map(|(a, n)| RowStep::Hold(a, n)),
        2 => (0_u128..40).prop_map(RowStep::Settle),
        1 => (0_u128..40).prop_map(RowStep::Reverse),
    ];
    prop::collection::vec((step, prop::bool::weighted(0.3)), 1..40)
}

fn command_of(step: &RowStep, id: u128) -> Command {
    let (account, cny) = (AccountId::new, Asset::CNY);
    match *step {
        RowStep::Open(a) => Command::open(account(a), AccountKind::Customer, cny),
        RowStep::Close(a) => Command::CloseAccount { id: account(a) },
        RowStep::Pay(a, b, n, how) => Command::Transfer(Transfer {
            id: EntryId::new(id),
            debit: account(a),
            credit: account(b),
            sizing: match how {
                0 => Sizing::Exact(yuan(n)),
                1 => Sizing::UpTo(yuan(n)),
                _ => Sizing::AllAvailable(cny),
            },
            effective_at: None,
            reference: Some(7),
            memo: Memo::clip("row"),
        }),
        RowStep::Back(a, b, n, ms) => {
            let mut entry =
                entry(id, vec![Leg::debit(account(a), yuan(n)), Leg::credit(account(b), yuan(n))]);
            entry.effective_at = Some(at(ms));
            Command::Change(Change { entry: Some(entry), ..Change::default() })
        }
        RowStep::Hold(a, n) => hold(id, account(a), n, Some(at(90_000))),
        RowStep::Settle(back) => end(id.saturating_sub(back), HoldOutcome::Released, None),
        RowStep::Reverse(back) => {
            let of = EntryId::new(id.saturating_sub(back));
            Command::Reverse { id: EntryId::new(id), of, memo: Memo::default() }
        }
    }
}

fn bytes_of(ledger: &Ledger) -> Vec<u8> {
    minicbor::to_vec(ledger).unwrap()
}

proptest! {
    /// What a batch does is what its outcome says it did, on any number of replays; rows that are not linked do what they do alone; a chain
    /// leaves all or nothing; every invariant holds.
    #[test]
    fn a_batch_is_its_rows(batches in prop::collection::vec(row_steps(), 1..5)) {
        let mut ledger = opened();
        run(&mut ledger, &pay(1, BANK, LIN, 1000), 1).unwrap();
        let (mut replica, mut single) = (ledger.clone(), ledger.clone());
        let (mut id, mut is_single_comparable) = (100, true);
        for (number, steps) in batches.into_iter().enumerate() {
            let now = at(10_000 + number as u64);
            let mut batch = Batch::default();
            let last = steps.len() - 1;
            for (index, (step, is_linked)) in steps.iter().enumerate() {
                id += 1;
                let row = Row { is_linked: *is_linked && index < last, command: command_of(step, id) };
                is_single_comparable &= !row.is_linked;
                batch.push(&row).unwrap();
            }
            let parsed = Batch::parse(batch.as_bytes().to_vec()).unwrap();
            prop_assert_eq!(&parsed, &batch);
            let before = bytes_of(&ledger);
            let (outcome, refusals) = ledger.take_batch(&batch, now, |_, _| true);
            prop_assert_eq!(outcome.refused.len(), refusals.len());
            prop_assert_eq!(ledger.broken_invariants(), Vec::<String>::new());
            if refusals.len() == batch.len() as usize {
                prop_assert_eq!(bytes_of(&ledger), before, "a batch that was refused left something");
            }
            replica.apply_batch(&batch, &outcome, now);
            prop_assert_eq!(bytes_of(&replica), bytes_of(&ledger));
            if is_single_comparable {
                for (row, nr) in batch.rows().zip(0_u32..) {
                    let refused = outcome.refused.iter().find(|refused| refused.row == nr).map(|r| r.code);
                    let decided = single.decide(&row.command, now);
                    prop_assert_eq!(decided.as_ref().err().map(Refusal::code), refused);
                    if let Ok(event) = decided {
                        single.apply(&event, now);
                    }
                }
                prop_assert_eq!(bytes_of(&single), bytes_of(&ledger));
            }
            // A chain is refused as a whole: a row of it that was not taken has no neighbour that was.
            let mut chain: Vec<bool> = Vec::new();
            for (row, nr) in batch.rows().zip(0_u32..) {
                chain.push(outcome.refused.iter().any(|refused| refused.row == nr));
                if !row.is_linked {
                    prop_assert!(chain.iter().all(|refused| *refused == chain[0]), "half a chain was taken");
                    chain.clear();
                }
            }
        }
        let back: Ledger = minicbor::decode(&bytes_of(&ledger)).unwrap();
        prop_assert_eq!(bytes_of(&back), bytes_of(&ledger));
        for (account, _) in ledger.accounts() {
            for ms in [0, 2_500, 9_999, 10_001, 99_999] {
                let known = ledger.balance_effective(account, at(ms));
                prop_assert_eq!(known, naive_effective(&ledger, account, at(ms)));
            }
        }
    }
}

/// The balance by value time, counted from nothing over the whole history.
fn naive_effective(ledger: &Ledger, account: AccountId, at: Timestamp) -> Option<Balance> {
    let of = ledger.account(account)?;
    let entries = ledger.history(account).filter(|entry| entry.effective_at <= at);
    let legs = entries.flat_map(|entry| entry.legs).filter(|leg| leg.account == account);
    let (mut debits, mut credits) = (0, 0);
    for leg in legs {
        match leg.side {
            Side::Debit => debits += leg.amount.minor(),
            Side::Credit => credits += leg.amount.minor(),
        }
    }
    let balance = Balance::of(of.kind(), of.asset(), debits, credits, 0);
    assert!(!of.kind().is_guarded() || !balance.is_overdrawn, "{account} was below zero at {at}");
    Some(balance)
}

#[test]
fn a_balance_as_of_a_time_may_be_made_in_steps_while_the_bank_moves_on() {
    let mut ledger = opened();
    for number in 1..=20 {
        let mut transfer = entry(number, vec![Leg::debit(BANK, yuan(1)), Leg::credit(LIN, yuan(1))]);
        let ms = u64::try_from(number).unwrap() * 10;
        // Every third counts five earlier than it is recorded.
        transfer.effective_at = number.is_multiple_of(3).then(|| at(ms - 5));
        let change = Change { entry: Some(transfer), ..Change::default() };
        run(&mut ledger, &Command::Change(change), ms).unwrap();
    }
    for (axis, ms, expect) in [
        (Axis::Recorded, 0, 0),
        (Axis::Recorded, 87, 8),
        (Axis::Effective, 87, 9),
        (Axis::Effective, 84, 8),
        (Axis::Recorded, 500, 20),
    ] {
        let mut moving = ledger.clone();
        let mut walk = moving.as_of(LIN, axis, at(ms)).unwrap();
        let mut steps = 0;
        let balance = loop {
            match moving.go_back(walk, 3) {
                Ok(balance) => break balance,
                Err(next) => walk = next,
            }
            steps += 1;
            run(&mut moving, &pay(1_000 + steps, LIN, WEN, 1), 600).unwrap();
        };
        assert_eq!(balance.posted, yuan(expect), "{axis:?} {ms}");
        assert_eq!(steps >= 3, ms < 500, "{axis:?} {ms}: {steps} steps");
    }
}

/// What is read of a row at a glance is what stands in it.
#[test]
fn a_row_at_a_glance_is_the_row() {
    let mut batch = Batch::default();
    let mut timed =
        entry(9, vec![Leg::debit(LIN, yuan(4)), Leg::credit(WEN, yuan(3)), Leg::credit(BANK, yuan(1))]);
    (timed.effective_at, timed.reference) = (Some(at(5)), Some(8));
    let ends = vec![HoldEnd { hold: HoldId::new(5), outcome: HoldOutcome::Settled }; 2];
    let places = vec![NewHold { id: HoldId::new(6), account: TRANSIT, amount: yuan(1), expires_at: None }];
    let commands = [
        Command::Change(Change { ends, entry: Some(timed), places }),
        pay(7, BANK, LIN, 5),
        hold(8, WEN, 5, None),
        Command::open(TRANSIT, AccountKind::InTransit, Asset::CNY),
        Command::CloseAccount { id: WEN },
    ];
    for command in commands {
        batch.push(&Row { is_linked: false, command }).unwrap();
    }
    let glance: Vec<_> =
        batch.written().map(|row| (row.entry_id(), row.accounts().collect::<Vec<_>>())).collect();
    let id = |number| Some(EntryId::new(number));
    assert_eq!(glance[0], (id(9), vec![LIN, WEN, BANK]));
    assert_eq!(glance[1], (id(7), vec![BANK, LIN]));
    assert_eq!(glance[2], (None, vec![]));
    assert_eq!(glance[3], (None, vec![TRANSIT]));
    assert_eq!(glance[4], (None, vec![WEN]));
    assert!(
        batch.touches(|account| account == TRANSIT)
            && !batch.touches(|account| account == AccountId::new(77))
    );
}

/// A plain transfer is read the same whether it stands alone or where another stood.
#[test]
fn a_plain_row_is_read_as_any_other() {
    let mut batch = Batch::default();
    let plain = Transfer {
        id: EntryId::new(7),
        debit: LIN,
        credit: WEN,
        sizing: Sizing::Exact(yuan(5)),
        ..Transfer::default()
    };
    let other = Transfer {
        effective_at: Some(at(3)),
        reference: Some(4),
        memo: Memo::clip("rent"),
        sizing: Sizing::UpTo(yuan(9)),
        ..plain.clone()
    };
    for transfer in [&plain, &other, &plain, &plain, &other] {
        batch.push(&Row { is_linked: false, command: Command::Transfer(transfer.clone()) }).unwrap();
    }
    let read: Vec<Command> = batch.rows().map(|row| row.command).collect();
    let expected =
        [&plain, &other, &plain, &plain, &other].map(|transfer| Command::Transfer(transfer.clone()));
    assert_eq!(read, expected);
    let mut command = Command::Transfer(other.clone());
    for (row, expected) in batch.written().zip(&expected) {
        row.read_into(&mut command).unwrap();
        assert_eq!(&command, expected);
    }
    // A damaged one of the same length is no row.
    let mut bytes = batch.as_bytes()[..78].to_vec();
    bytes[77] = 3;
    assert!(Batch::parse(bytes).is_err());
}
