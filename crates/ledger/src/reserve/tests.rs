#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

use money::{AccountId, Amount, Asset, EntryId, Timestamp};

use super::{Position, Trade, TradeLeg};
use crate::{AccountKind, Change, Command, Entry, Ledger, Leg, Memo, Refusal, Side};

const NOW: Timestamp = Timestamp::from_ms(1_000);
const BUYER_CNY: u128 = 1;
const BUYER_USD: u128 = 2;
const SELLER_CNY: u128 = 3;
const SELLER_USD: u128 = 4;
const FEES: u128 = 5;

/// Two owners with an account in each asset, and one for fees: the buyer has 1,000 fen, the seller 50 cents.
fn books() -> Ledger {
    let mut ledger = Ledger::default();
    let accounts = [
        (BUYER_CNY, AccountKind::Customer, Asset::CNY),
        (BUYER_USD, AccountKind::Customer, Asset::USD),
        (SELLER_CNY, AccountKind::Customer, Asset::CNY),
        (SELLER_USD, AccountKind::Customer, Asset::USD),
        (FEES, AccountKind::Fee, Asset::CNY),
        (6, AccountKind::Reserve, Asset::CNY),
        (7, AccountKind::Reserve, Asset::USD),
    ];
    for (id, kind, asset) in accounts {
        let command =
            Command::OpenAccount { id: AccountId::new(id), kind, asset, tenant: None, opened_at: None };
        take(&mut ledger, &command);
    }
    fund(&mut ledger, 6, BUYER_CNY, Amount::new(Asset::CNY, 1_000));
    fund(&mut ledger, 7, SELLER_USD, Amount::new(Asset::USD, 50));
    ledger
}

fn fund(ledger: &mut Ledger, from: u128, to: u128, amount: Amount) {
    let legs = vec![Leg::debit(AccountId::new(from), amount), Leg::credit(AccountId::new(to), amount)];
    let id = EntryId::new(from);
    let entry = Entry { id, legs, effective_at: None, reference: None, memo: Memo::default() };
    take(ledger, &Command::Change(Change { entry: Some(entry), ..Change::default() }));
}

fn take(ledger: &mut Ledger, command: &Command) {
    let event = ledger.decide(command, NOW).expect("the command is good");
    ledger.apply(&event, NOW);
}

fn at(ledger: &Ledger, id: u128) -> Position {
    ledger.position(AccountId::new(id)).expect("the account is open")
}

/// Posted, held, available.
fn balance(ledger: &Ledger, id: u128) -> (u128, u128, u128) {
    let balance = ledger.account(AccountId::new(id)).expect("the account exists").balance();
    (balance.posted.minor(), balance.held.minor(), balance.available.minor())
}

fn leg(ledger: &Ledger, id: u128, side: Side, minor: u128, frees: u128) -> TradeLeg {
    TradeLeg { account: at(ledger, id), side, minor, frees }
}

#[test]
fn what_is_set_aside_is_not_available() {
    let mut ledger = books();
    let buyer = at(&ledger, BUYER_CNY);
    assert_eq!(ledger.can_reserve(buyer, 1_000), Ok(()));
    ledger.reserve(buyer, 700);
    assert_eq!(balance(&ledger, BUYER_CNY), (1_000, 700, 300));
    let refusal = ledger.can_reserve(buyer, 301);
    assert!(matches!(refusal, Err(Refusal::InsufficientFunds { available, .. }) if available.minor() == 300));
    ledger.unreserve(buyer, 200);
    assert_eq!(balance(&ledger, BUYER_CNY), (1_000, 500, 500));
    let close = ledger.decide(&Command::CloseAccount { id: AccountId::new(BUYER_CNY) }, NOW);
    assert!(matches!(close, Err(Refusal::AccountNotEmpty { .. })));
    assert_eq!(ledger.broken_invariants(), Vec::<String>::new());
}

#[test]
fn a_trade_moves_both_assets_and_frees_what_it_used() {
    let mut ledger = books();
    ledger.reserve(at(&ledger, BUYER_CNY), 720);
    ledger.reserve(at(&ledger, SELLER_USD), 30);
    let legs = [
        leg(&ledger, BUYER_CNY, Side::Debit, 211, 220),
        leg(&ledger, SELLER_CNY, Side::Credit, 209, 0),
        leg(&ledger, SELLER_USD, Side::Debit, 30, 30),
        leg(&ledger, BUYER_USD, Side::Credit, 30, 0),
        leg(&ledger, FEES, Side::Credit, 2, 0),
    ];
    let id = EntryId::new(99);
    ledger.post_trade(&Trade { id, legs: &legs, reference: Some(7), memo: "" }, NOW);
    assert_eq!(balance(&ledger, BUYER_CNY), (789, 500, 289));
    assert_eq!(balance(&ledger, SELLER_USD), (20, 0, 20));
    assert_eq!(balance(&ledger, BUYER_USD), (30, 0, 30));
    assert_eq!(balance(&ledger, FEES), (2, 0, 2));
    let entry = ledger.entry(id).expect("the entry was posted");
    assert_eq!((entry.legs.len(), entry.reference), (5, Some(7)));
    assert_eq!(ledger.broken_invariants(), Vec::<String>::new());
}

#[test]
#[should_panic(expected = "is not balanced")]
fn a_trade_that_is_not_balanced_stops_the_core() {
    let mut ledger = books();
    let legs = [leg(&ledger, BUYER_CNY, Side::Debit, 211, 0), leg(&ledger, SELLER_CNY, Side::Credit, 210, 0)];
    ledger.post_trade(&Trade { id: EntryId::new(99), legs: &legs, reference: None, memo: "" }, NOW);
}

#[test]
#[should_panic(expected = "cannot bear trade")]
fn a_trade_of_what_is_set_aside_for_others_stops_the_core() {
    let mut ledger = books();
    ledger.reserve(at(&ledger, BUYER_CNY), 900);
    let legs = [leg(&ledger, BUYER_CNY, Side::Debit, 200, 0), leg(&ledger, SELLER_CNY, Side::Credit, 200, 0)];
    ledger.post_trade(&Trade { id: EntryId::new(99), legs: &legs, reference: None, memo: "" }, NOW);
}
