//! Returns (112) in both directions and on both systems.

use cnaps::*;
use sandbox::Rail;

use crate::bench::*;

fn only_return(messages: &[Message]) -> Return {
    let found: Vec<&Return> =
        messages.iter().filter_map(|m| if let Message::Return(r) = m { Some(r) } else { None }).collect();
    assert_eq!(found.len(), 1, "{messages:?}");
    found[0].clone()
}

#[test]
fn a_returning_account_sends_the_money_back() {
    for rail in Rail::ALL {
        let mut bench = Bench::new();
        let (id, _) = bench.pay(rail, ("102100000099", "6210990000000021", "周婷"), 700);
        bench.pass(20);
        only_answer(&bench.deliver());
        bench.pass(5_000);
        let messages = bench.deliver();
        let back = only_return(&messages);
        assert_eq!((&back.original.message_id, &back.amount), (&id, &Money::cny(700)));
        assert_eq!((back.reason, &back.to_bank), (RejectCode::PayeeCheck, &bank_number()));
        let expected = match rail {
            Rail::Instant => "round=2026-11-24/2",
            Rail::HighValue => "settled=2026-11-24",
        };
        assert_eq!(back.information.as_deref(), Some(expected));
        bench.pass(2_000);
        let notices = netting(&bench.deliver());
        match rail {
            Rail::Instant => {
                let entry = &notices[0].entries[0];
                assert_eq!((notices[0].round, entry.side), (2, Side::Credit));
                assert_eq!(entry.original.message_id, back.message_id);
                assert_eq!(entry.original.message_type, MessageType::Ibps112);
            }
            Rail::HighValue => assert!(notices.is_empty()),
        }
    }
}

#[test]
fn control_returns_a_confirmed_payment_once() {
    let mut bench = Bench::new();
    let (id, _) = bench.pay(Rail::Instant, CHEN, 700);
    let json = format!(r#"{{"return":{{"message_id":"{id}","code":"RJ01"}}}}"#);
    assert!(bench.control(&json).is_err(), "not yet confirmed");
    bench.pass(20);
    bench.deliver();
    bench.control(&json).unwrap();
    assert_eq!(only_return(&bench.deliver()).reason, RejectCode::NoAccount);
    assert!(bench.control(&json).is_err(), "once only");
    assert!(bench.control(r#"{"return":{"message_id":"x"}}"#).is_err());
    let json = format!(r#"{{"return":{{"message_id":"{id}","code":"XX"}}}}"#);
    assert!(bench.control(&json).is_err());
}

fn return_of(bench: &mut Bench, rail: Rail, original: &MessageId, minor: u128) -> (MessageType, Message) {
    let (message_type, original_type) = match rail {
        Rail::Instant => (MessageType::Ibps112, MessageType::Ibps101),
        Rail::HighValue => (MessageType::Hvps112, MessageType::Hvps111),
    };
    let message = Message::Return(Return {
        message_id: bench.id(),
        created_at: bench.now,
        original: OriginalRef { message_id: original.clone(), message_type: original_type },
        amount: Money::cny(minor),
        settlement_date: bench.world.business_date(rail),
        from_bank: bank_number(),
        to_bank: BankNumber::parse("102100000099").unwrap(),
        reason: RejectCode::NoAccount,
        information: None,
    });
    (message_type, message)
}

#[test]
fn we_return_a_high_value_credit_gross() {
    let mut bench = Bench::new();
    let id = bench.inbound("high_value", "9.00");
    bench.deliver();
    let (message_type, wrong) = return_of(&mut bench, Rail::HighValue, &id, 901);
    assert_eq!(bench.send(message_type, wrong), Heard::Refused(RejectCode::CentreCheck));
    let (message_type, right) = return_of(&mut bench, Rail::HighValue, &id, 900);
    assert_eq!(bench.send(message_type, right), ACKED);
    let (message_type, twice) = return_of(&mut bench, Rail::HighValue, &id, 900);
    assert_eq!(bench.send(message_type, twice), Heard::Refused(RejectCode::CentreCheck));
    bench.control(r#"{"end_of_day":{"system":"high_value"}}"#).unwrap();
    let messages = bench.deliver();
    let lines: Vec<_> = totals(&messages)[0]
        .lines
        .iter()
        .map(|l| (l.status, l.side, l.round, l.count, l.amount.minor_units))
        .collect();
    assert_eq!(
        lines,
        [(Status::Settled, Side::Credit, 0, 1, 900), (Status::Settled, Side::Debit, 0, 1, 900)]
    );
}

#[test]
fn we_return_an_instant_credit_within_a_round() {
    let mut bench = Bench::new();
    let id = bench.inbound("instant", "9.00");
    bench.deliver();
    let (message_type, early) = return_of(&mut bench, Rail::Instant, &id, 900);
    assert_eq!(bench.send(message_type, early), Heard::Refused(RejectCode::CentreCheck), "not confirmed");
    bench.answer(&id, None);
    let (message_type, message) = return_of(&mut bench, Rail::Instant, &id, 900);
    assert_eq!(bench.send(message_type, message), ACKED);
    bench.pass(2_000);
    let notice = &netting(&bench.deliver())[0];
    assert_eq!(notice.net, Net { side: Side::Credit, amount: Money::cny(0) });
    assert_eq!(notice.entries.len(), 2);
}
