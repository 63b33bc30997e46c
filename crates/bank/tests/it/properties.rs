//! Random sequences of commands, as lines of a scenario, so that what fails can be pasted into one.
//!
//! After every command the bench checks the invariants, replay against the live state, and that the same command again does nothing more.

use bank::{Bank, JournalEntry};
use proptest::prelude::*;

use crate::steps::Scenario;

const PEOPLE: [&str; 3] = ["lin", "chen", "wang"];

fn person() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&PEOPLE[..])
}

/// Small amounts, those around a limit, and some that are too much.
fn sum() -> impl Strategy<Value = String> {
    let minor = prop_oneof![1..30_000_u64, 49_990..50_010_u64, 199_990..200_010_u64, 1..900_000_u64];
    minor.prop_map(|minor| format!("{}.{:02}", minor / 100, minor % 100))
}

fn payment() -> impl Strategy<Value = String> {
    (1..14_u32).prop_map(|number| format!("p{number}"))
}

fn by_customer() -> impl Strategy<Value = String> {
    let detail = prop_oneof![
        6 => Just(""),
        1 => Just(" | without passkey"),
        1 => Just(" | named \"Somebody Else\""),
        1 => Just(" | with a copied passkey"),
        1 => Just(" | altered to 1.00"),
        1 => Just(" | the same payment"),
        1 => Just(" | under the last command's id"),
    ];
    prop_oneof![
        3 => (person(), person(), sum(), detail.clone())
            .prop_map(|(who, to, sum, detail)| format!("{who} pays {to} {sum} \"words\"{detail}")),
        5 => (person(), sum(), detail).prop_map(|(who, sum, detail)| {
            format!("{who} pays \"赵雷\" 6210260000000001 at 103100000026 {sum} \"words\"{detail}")
        }),
        2 => (person(), payment()).prop_map(|(who, payment)| format!("{who} undoes {payment}")),
        1 => person().prop_map(|who| format!("{who} signs in")),
        1 => person().prop_map(|who| format!("{who} locks everything")),
        1 => person().prop_map(|who| format!("{who} unlocks")),
        1 => person().prop_map(|who| format!("{who} asks the same again")),
    ]
}

fn by_rail() -> impl Strategy<Value = String> {
    let rail = prop_oneof![4 => Just("instant"), 1 => Just("high_value")];
    let wrong = prop_oneof![
        5 => Just(""),
        1 => Just(" | named \"Somebody Else\""),
        1 => Just(" | to account 6217880000009999"),
    ];
    let settled =
        prop_oneof![4 => (1..4_u32).prop_map(|n| format!("round {n}")), 1 => Just("gross".to_owned())];
    let effect = prop_oneof![4 => Just("delivered"), 1 => Just("refused RJ20")];
    let ways = prop_oneof![Just("pay"), Just("receive")];
    prop_oneof![
        6 => (rail.clone(), person(), sum(), 1..20_u32, wrong).prop_map(|(rail, who, sum, number, wrong)| {
            format!("rail {rail} credits {who} {sum} from \"青禾超市\" message {number}{wrong}")
        }),
        6 => (1..20_u32, effect).prop_map(|(number, result)| format!("effect e{number} {result}")),
        6 => (payment(), settled.clone()).prop_map(|(payment, by)| format!("rail answers {payment} confirmed {by}")),
        2 => payment().prop_map(|payment| format!("rail answers {payment} rejected RJ11")),
        2 => payment().prop_map(|payment| format!("rail cancels {payment}")),
        1 => payment().prop_map(|payment| format!("rail cannot cancel {payment} RJ91")),
        2 => (payment(), sum(), 20..26_u32, settled.clone()).prop_map(|(payment, sum, number, by)| {
            format!("rail returns {payment} {sum} RJ93 message {number} {by}")
        }),
        3 => (1..20_u32, settled).prop_map(|(number, by)| format!("rail nets message {number} {by}")),
        1 => (1..4_u32, ways, sum())
            .prop_map(|(number, way, sum)| format!("rail instant settles round {number} to {way} {sum}")),
        1 => (rail, prop_oneof![Just("open"), Just("closed"), Just("down")])
            .prop_map(|(rail, state)| format!("rail {rail} is {state} 2026-11-24")),
        1 => Just("rail instant totals round 1 sent 1 10.00 received 1 10.00".to_owned()),
    ]
}

fn by_operator() -> impl Strategy<Value = String> {
    prop_oneof![
        payment().prop_map(|payment| format!("operator returns {payment} RJ02")),
        (payment(), person()).prop_map(|(payment, who)| format!("operator credits {payment} to {who}")),
        (sum(), person()).prop_map(|(sum, who)| format!("operator holds {sum} on {who} for 1m")),
        person().prop_map(|who| format!("operator closes the account of {who}")),
        (sum(), person(), person())
            .prop_map(|(sum, from, to)| format!("operator moves {sum} from {from} to {to}")),
        (1..6_u32).prop_map(|number| format!("operator closes case c{number} \"done\"")),
        person().prop_map(|who| format!("operator grades {who} verified")),
    ]
}

/// Prices near the middle of the band, and some beyond the halt.
fn price() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 49_900..50_100_u32, 1 => 47_000..53_000_u32, 1 => 30_000..70_000_u32]
}

fn on_markets() -> impl Strategy<Value = String> {
    let side = prop_oneof![Just("buys"), Just("sells")];
    let order = (1..40_u32).prop_map(|number| format!("o{number}"));
    let detail = prop_oneof![
        6 => Just(""),
        1 => Just(" | at once"),
        1 => Just(" | whole or not"),
        1 => Just(" | only resting"),
        1 => Just(" | ending own orders"),
        1 => Just(" | showing 1"),
        1 => Just(" | for 20s"),
        1 => Just(" | as 7"),
        1 => Just(" | when it trades at 50010"),
        1 => Just(" | on the seat of chen"),
    ];
    prop_oneof![
        16 => (person(), side.clone(), 1..15_u32, price(), detail)
            .prop_map(|(who, side, lots, price, detail)| format!("{who} {side} {lots} at {price}{detail}")),
        1 => (person(), sum(), price()).prop_map(|(who, sum, worst)| format!("{who} buys for {sum} at most at {worst}")),
        1 => (person(), side.clone(), 1..9_u32, price(), price(), price()).prop_map(|(who, side, lots, limit, stop, trigger)| {
            format!("{who} {side} {lots} at {limit} or at {stop} when it trades at {trigger}")
        }),
        1 => (person(), side, 1..9_u32, price()).prop_map(|(who, side, lots, limit)| {
            format!("{who} {side} {lots} at {limit} in 2 pieces 20s apart")
        }),
        3 => (person(), order.clone()).prop_map(|(who, order)| format!("{who} cancels {order}")),
        1 => person().prop_map(|who| format!("{who} cancels all")),
        2 => (person(), order.clone(), 0..4_u32).prop_map(|(who, order, by)| format!("{who} reduces {order} by {by}")),
        3 => (person(), order, price()).prop_map(|(who, order, to)| format!("{who} reprices {order} to {to}")),
        1 => person().prop_map(|who| format!("{who} stops trading")),
        2 => person().prop_map(|who| format!("{who} trades again")),
        2 => (1..3_u32, 490..510_u32).prop_map(|(source, price)| format!("source s{source} says {price}000")),
        3 => (person(), sum()).prop_map(|(who, sum)| format!("{who} asks what {sum} in BTC is")),
        1 => person().prop_map(|who| format!("{who} asks what 0.01000000 BTC in CNY is")),
        4 => (person(), 1..8_u32).prop_map(|(who, offer)| format!("{who} accepts q{offer}")),
        1 => Just("teller suspends the market".to_owned()),
        2 => (price(), 1..9_u32).prop_map(|(price, _)| format!("teller proposes to go on at {price}")),
        2 => (6..12_u32).prop_map(|proposal| format!("second approves {proposal}")),
        1 => (0..3_000_u32, 0..3_000_u32).prop_map(|(maker, taker)| format!("teller proposes fees of {maker} and {taker}")),
        1 => person().prop_map(|who| format!("operator closes the account of {who}")),
        1 => person().prop_map(|who| format!("{who} locks everything")),
        3 => Just("after 20s".to_owned()),
        3 => Just("tick".to_owned()),
    ]
}

/// Markets, a desk that converts, and three people with both assets.
fn with_markets() -> Scenario {
    let mut scenario = Scenario::new();
    for (who, name) in PEOPLE.iter().zip(["Lin Xiao", "Chen Jing", "Wang Fang"]) {
        scenario.step(&format!("customer {who} enrols \"{name}\""));
    }
    scenario.step("teller opens books in BTC");
    for who in PEOPLE {
        scenario.step(&format!("{who} opens an account in BTC"));
        scenario.step(&format!("teller funds {who} with 20000.00 CNY"));
        scenario.step(&format!("teller funds {who}.BTC with 0.05000000 BTC"));
    }
    let lines = [
        "teller opens the account desk.BTC",
        "teller opens the account desk.CNY",
        "teller funds desk.BTC with 1.00000000 BTC",
        "teller funds desk.CNY with 500000.00 CNY",
        "teller proposes a market at 50000",
        "second approves 1",
        "teller proposes to believe 1 sources",
        "second approves 2",
        "teller proposes to convert",
        "second approves 3",
        "teller proposes the desk for BTC",
        "second approves 4",
        "teller proposes the desk for CNY",
        "second approves 5",
        "desk takes a seat",
        "source s1 says 500000",
    ];
    lines.iter().for_each(|line| drop(scenario.step(line)));
    PEOPLE.iter().for_each(|who| drop(scenario.step(&format!("{who} takes a seat"))));
    scenario
}

fn step() -> impl Strategy<Value = String> {
    let span = prop_oneof![Just("1s"), Just("20s"), Just("61s"), Just("31m"), Just("8h")];
    prop_oneof![
        8 => by_customer(),
        10 => by_rail(),
        2 => by_operator(),
        3 => span.prop_map(|span| format!("after {span}")),
        3 => Just("tick".to_owned()),
        1 => Just("the clock goes back 1m".to_owned()),
    ]
}

/// Some steps are only possible after others; a step of a thing that never was is left out.
fn is_possible(scenario: &Scenario, line: &str) -> bool {
    let named = |prefix: char| {
        let words = line.split_whitespace().filter_map(move |word| word.strip_prefix(prefix));
        words.filter_map(|number| number.parse::<usize>().ok()).max().unwrap_or(0)
    };
    named('p') <= scenario.names.payments.len() && named('c') <= scenario.names.cases.len()
}

fn replayed(journal: &[Vec<u8>], bank: &mut Bank) {
    for bytes in journal {
        let seq = bank.seq() + 1;
        bank.apply(seq, &JournalEntry::from_bytes(bytes).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_the_books_hold(steps in prop::collection::vec(step(), 20..90)) {
        let mut scenario = Scenario::new();
        for (who, name) in PEOPLE.iter().zip(["Lin Xiao", "Chen Jing", "Wang Fang"]) {
            scenario.step(&format!("customer {who} enrols \"{name}\""));
        }
        scenario.step("rail instant credits lin 3000.00 from \"青禾超市\" message 50");
        for line in &steps {
            if is_possible(&scenario, line) {
                scenario.step(line);
            }
        }
        // A snapshot in the middle and the tail behind it are the whole.
        let journal = &scenario.bench.journal;
        let (head, tail) = journal.split_at(journal.len() / 2);
        let mut bank = Bank::default();
        replayed(head, &mut bank);
        let mut again = Bank::from_snapshot(&bank.to_snapshot()).unwrap();
        replayed(tail, &mut again);
        prop_assert_eq!(again.state_hash(), scenario.bench.bank.state_hash());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_traded_the_books_hold(steps in prop::collection::vec(on_markets(), 20..60)) {
        let mut scenario = with_markets();
        steps.iter().for_each(|line| drop(scenario.step(line)));
        let journal = &scenario.bench.journal;
        let (head, tail) = journal.split_at(journal.len() / 2);
        let mut bank = Bank::default();
        replayed(head, &mut bank);
        let mut again = Bank::from_snapshot(&bank.to_snapshot()).unwrap();
        replayed(tail, &mut again);
        prop_assert_eq!(again.state_hash(), scenario.bench.bank.state_hash());
        scenario.bench.check_audit();
    }
}
