//! Credits to our bank: confirmed, rejected, refused, late, repeated.

use cnaps::*;
use sandbox::{DeliveryOutcome, Rail};

use crate::bench::*;

#[test]
fn a_confirmed_credit_is_netted_after_our_answer() {
    let mut bench = Bench::new();
    let id = bench.inbound("instant", "1234.56");
    let messages = bench.deliver();
    let [Message::Credit(credit)] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!((&credit.message_id, &credit.amount), (&id, &Money::cny(123_456)));
    assert_eq!((credit.debtor_account.as_str(), credit.debtor_name.as_str()), (CHEN.1, CHEN.2));
    bench.pass(3_000);
    assert!(bench.deliver().is_empty(), "not netted before our answer");
    assert_eq!(bench.answer(&id, None), ACKED);
    bench.pass(2_000);
    let messages = bench.deliver();
    let [notice] = netting(&messages).try_into().unwrap();
    assert_eq!(notice.net, Net { side: Side::Credit, amount: Money::cny(123_456) });
    assert_eq!(notice.entries[0].original.message_id, id);
    assert_eq!(settlement(&messages).len(), 1);
    // The same answer again is fine, another is not.
    assert_eq!(bench.answer(&id, None), ACKED);
    assert_eq!(bench.answer(&id, Some(RejectCode::NoAccount)), Heard::Refused(RejectCode::CentreCheck));
}

#[test]
fn both_directions_are_netted_and_the_nets_add_up_to_zero() {
    let mut bench = Bench::new();
    let id = bench.inbound("instant", "5.00");
    bench.deliver();
    bench.answer(&id, None);
    bench.pay(Rail::Instant, CHEN, 200);
    bench.pay(Rail::Instant, ZHAO, 700);
    bench.pass(20);
    bench.pass(2_000);
    let messages = bench.deliver();
    assert_eq!(netting(&messages)[0].net, Net { side: Side::Debit, amount: Money::cny(400) });
    let report = bench.report();
    let nets = report["rounds"][0]["nets"].as_object().unwrap();
    let minor = |member: &str| nets[member].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
    assert_eq!(minor("313100000015"), -400);
    assert_eq!(minor("102100000099"), -300);
    assert_eq!(minor("103100000026"), 700);
}

#[test]
fn a_credit_we_reject_is_in_no_round() {
    let mut bench = Bench::new();
    let id = bench.inbound("instant", "1.00");
    bench.deliver();
    assert_eq!(bench.answer(&id, Some(RejectCode::NameMismatch)), ACKED);
    bench.pass(3_000);
    assert!(bench.deliver().is_empty());
    assert_eq!(bench.state_of(&id), "rejected");
    assert_eq!(bench.answer(&id, None), Heard::Refused(RejectCode::CentreCheck));
}

#[test]
fn a_credit_we_refuse_by_negative_acknowledgement_is_rejected() {
    for rail in ["instant", "high_value"] {
        let mut bench = Bench::new();
        let id = bench.inbound(rail, "1.00");
        assert_eq!(bench.deliver_with(|_| Some(RejectCode::PayeeCheck)).len(), 1);
        assert_eq!(bench.state_of(&id), "rejected");
        assert_eq!(bench.report()["refused"][0]["code"], "RJ93");
        bench.pass(60_000);
        assert!(bench.deliver().is_empty(), "a refused frame is not repeated");
    }
}

#[test]
fn an_answer_after_the_time_out_is_refused() {
    let mut bench = Bench::new();
    let id = bench.inbound("instant", "1.00");
    bench.deliver();
    bench.pass(20_000);
    assert_eq!(bench.state_of(&id), "cancelled");
    assert_eq!(bench.answer(&id, None), Heard::Refused(RejectCode::CancelledPayment));
    assert_eq!(bench.answer(&id, Some(RejectCode::NoAccount)), ACKED, "a late rejection agrees");
    bench.pass(3_000);
    assert!(bench.deliver().is_empty());
}

#[test]
fn a_high_value_credit_has_settled_and_wants_no_answer() {
    let mut bench = Bench::new();
    let id = bench.inbound("high_value", "3000000.00");
    assert_eq!(bench.deliver().len(), 1);
    assert_eq!(bench.state_of(&id), "settled");
    bench.pass(60_000);
    assert_eq!(bench.state_of(&id), "settled");
    assert_eq!(bench.answer(&id, None), Heard::Refused(RejectCode::CentreCheck));
}

#[test]
fn only_an_acknowledgement_ends_a_delivery() {
    let mut bench = Bench::new();
    let id = bench.inbound("instant", "1.00");
    let first = bench.world.outgoing(bench.now);
    let (header, ..) = read(&first[0].frame_bytes, &bench.world.centre_public_key());
    let mut other = header.clone();
    other.message_id = "20261124999999990000".to_owned();
    let bad_replies = [
        DeliveryOutcome::Status(500),
        DeliveryOutcome::Status(400),
        DeliveryOutcome::Reply(b"ok".to_vec()),
        DeliveryOutcome::Reply(first[0].frame_bytes.clone()),
        DeliveryOutcome::Reply(bank_reply(&other, id.clone(), None, bench.now)),
        DeliveryOutcome::NoAnswer,
    ];
    for outcome in bad_replies {
        bench.world.delivered(first[0].id, &outcome, bench.now);
        assert!(bench.world.outgoing(bench.now).is_empty(), "{outcome:?} waits");
        bench.pass(3_000);
        assert_eq!(bench.world.outgoing(bench.now), first, "{outcome:?} is repeated unchanged");
    }
    assert_eq!(bench.deliver().len(), 1);
    assert!(bench.world.outgoing(bench.now).is_empty());
}

#[test]
fn a_bank_that_was_away_hears_within_half_a_second() {
    let mut bench = Bench::new();
    let id = bench.inbound("high_value", "1.00");
    for _ in 0..20 {
        bench.pass(500);
        let due = bench.world.outgoing(bench.now);
        bench.world.delivered(due[0].id, &DeliveryOutcome::NoAnswer, bench.now);
    }
    bench.pass(500);
    assert_eq!(bench.deliver()[0].message_id(), &id);
}

#[test]
fn a_credit_never_delivered_is_withdrawn_at_the_time_out() {
    let mut bench = Bench::new();
    let id = bench.inbound("instant", "1.00");
    let due = bench.world.outgoing(bench.now);
    bench.world.delivered(due[0].id, &DeliveryOutcome::NoAnswer, bench.now);
    bench.pass(20_000);
    assert!(bench.deliver().is_empty());
    assert_eq!(bench.state_of(&id), "cancelled");
}

#[test]
fn control_says_what_is_wrong_with_a_credit() {
    let mut bench = Bench::new();
    let mut check = |fields: &str, expected: &str| {
        let json = format!(r#"{{"send_credit":{{"to_account":"1","to_name":"n","amount":"1.00"{fields}}}}}"#);
        let text = bench.control(&json).unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
    };
    check(r#","asset":"USD""#, "CNY only");
    check(r#","from_account":"7""#, "from_account");
    check(r#","from_bank":"313100000015""#, "from_bank");
    check(r#","note":"a|b""#, "note");
    check(r#","message_id":"1""#, "message_id");
    let mut amount = |amount: &str, expected: &str| {
        let json = format!(r#"{{"send_credit":{{"to_account":"1","to_name":"n","amount":"{amount}"}}}}"#);
        let text = bench.control(&json).unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
    };
    amount("1.001", "amount");
    amount("-1", "amount");
    amount("0.00", "above zero");
    amount("1000000.01", "ceiling");
    assert!(bench.deliver().is_empty());
}

#[test]
fn a_payer_and_a_note_can_be_chosen() {
    let mut bench = Bench::new();
    bench
        .control(
            r#"{"send_credit":{"to_account":"1","to_name":"n","amount":"1","from_bank":"103100000026","note":"房租"}}"#,
        )
        .unwrap();
    bench
        .control(r#"{"send_credit":{"to_account":"1","to_name":"n","amount":"2","from_account":"6210990000000003"}}"#)
        .unwrap();
    let messages = bench.deliver();
    let [Message::Credit(a), Message::Credit(b)] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!((a.debtor_name.as_str(), a.remittance.as_deref()), ("赵雷", Some("房租")));
    assert_eq!(b.debtor_name, "江南茶业有限公司");
}
