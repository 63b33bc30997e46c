//! Every fault on demand.

use cnaps::*;
use sandbox::{DeliveryOutcome, Rail, Reply};

use crate::bench::*;

#[test]
fn a_lost_acknowledgement_leaves_a_stored_frame() {
    let mut bench = Bench::new();
    bench.fault(r#"{"kind":"lost_ack","count":2}"#);
    let credit = Message::Credit(bench.credit(CHEN, 100));
    let frame = bank_frame(MessageType::Ibps101, &credit, bench.now).encode().unwrap();
    assert_eq!(bench.post(&frame), Heard::Nothing(Reply::Lost));
    assert_eq!(bench.post(&frame), Heard::Nothing(Reply::Lost));
    assert_eq!(bench.post(&frame), Heard::Acked { duplicate: true });
    bench.pass(20);
    only_answer(&bench.deliver());
}

#[test]
fn a_late_answer_comes_late() {
    let mut bench = Bench::new();
    bench.fault(r#"{"kind":"late_answer","ms":30000}"#);
    bench.pay(Rail::Instant, CHEN, 100);
    let (prompt, _) = bench.pay(Rail::Instant, CHEN, 100);
    bench.pass(29_999);
    assert_eq!(
        only_answer(&bench.deliver().into_iter().filter(|m| m.form() == Form::Answer).collect::<Vec<_>>())
            .original
            .message_id,
        prompt
    );
    bench.pass(1);
    assert_eq!(only_answer(&bench.deliver()).status, Status::Confirmed);
}

#[test]
fn no_answer_is_no_answer() {
    let mut bench = Bench::new();
    bench.fault(r#"{"kind":"no_answer"}"#);
    let (id, _) = bench.pay(Rail::Instant, CHEN, 100);
    bench.pass(3_600_000);
    assert!(bench.deliver().is_empty());
    assert_eq!(bench.cancel(Rail::Instant, &id, 100), ACKED);
    let messages = bench.deliver();
    assert!(matches!(&messages[..], [Message::CancelAnswer(a)] if a.status == Status::Cancelled));
}

#[test]
fn an_answer_after_the_cancellation_is_a_conflict_within_a_round() {
    let mut bench = Bench::new();
    bench.fault(r#"{"kind":"answer_after_cancel","ms":500}"#);
    let (id, _) = bench.pay(Rail::Instant, CHEN, 100);
    bench.pass(10_000);
    assert!(bench.deliver().is_empty());
    bench.cancel(Rail::Instant, &id, 100);
    let messages = bench.deliver();
    assert!(matches!(&messages[..], [Message::CancelAnswer(a)] if a.status == Status::Cancelled));
    bench.pass(500);
    let answer = only_answer(&bench.deliver());
    assert_eq!(
        (answer.status, answer.information.as_deref()),
        (Status::Confirmed, Some("round=2026-11-24/1"))
    );
    bench.pass(2_000);
    assert_eq!(netting(&bench.deliver())[0].entries[0].original.message_id, id);
}

#[test]
fn every_code_can_be_the_reason_of_a_rejection() {
    let mut bench = Bench::new();
    for code in RejectCode::ALL {
        bench.fault(&format!(r#"{{"kind":"reject","code":"{}"}}"#, code.code()));
        assert_eq!(bench.pay(Rail::Instant, CHEN, 100).1, ACKED);
        bench.pass(20);
        let answer = only_answer(&bench.deliver());
        assert_eq!((answer.status, answer.reject), (Status::Rejected, Some(*code)));
        bench.fault(&format!(r#"{{"kind":"reject","code":"{}","at":"acknowledgement"}}"#, code.code()));
        assert_eq!(bench.pay(Rail::HighValue, CHEN, 100).1, Heard::Refused(*code));
    }
    assert!(bench.control(r#"{"fault":{"kind":"reject","code":"RJ00"}}"#).is_err());
    assert!(bench.control(r#"{"fault":{"kind":"reject","code":"RJ01","count":0}}"#).is_err());
}

#[test]
fn a_duplicate_is_the_same_frame_twice() {
    let mut bench = Bench::new();
    bench.fault(r#"{"kind":"duplicate"}"#);
    bench.inbound("instant", "1.00");
    bench.inbound("instant", "2.00");
    let messages = bench.deliver();
    assert_eq!(messages.len(), 3);
    assert_eq!(messages[0], messages[2]);
}

#[test]
fn a_credit_can_be_sent_again_under_its_id() {
    let mut bench = Bench::new();
    let id = bench.inbound("instant", "1.00");
    let first = bench.world.outgoing(bench.now)[0].frame_bytes.clone();
    bench.deliver();
    bench.pass(1_000);
    let again = |amount: &str| {
        format!(
            r#"{{"send_credit":{{"to_account":"6230000000000001","to_name":"王芳","amount":"{amount}","message_id":"{id}"}}}}"#
        )
    };
    bench.control(&again("1.00")).unwrap();
    assert_eq!(bench.world.outgoing(bench.now)[0].frame_bytes, first);
    bench.deliver();
    bench.control(&again("1.01")).unwrap();
    let messages = bench.deliver_with(|_| Some(RejectCode::CentreDuplicate));
    assert!(
        matches!(&messages[..], [Message::Credit(c)] if c.message_id == id && c.amount == Money::cny(101))
    );
    assert_eq!(bench.state_of(&id), "awaiting_bank", "the first one still counts");
    bench.fault(r#"{"kind":"duplicate_other_body"}"#);
    let messages = bench.deliver_with(|_| Some(RejectCode::CentreDuplicate));
    assert!(
        matches!(&messages[..], [Message::Credit(c)] if c.message_id == id && c.amount == Money::cny(101))
    );
    assert_eq!(bench.answer(&id, None), ACKED);
}

#[test]
fn a_system_that_is_down_takes_and_delivers_nothing() {
    let mut bench = Bench::new();
    bench.inbound("instant", "1.00");
    bench.pay(Rail::Instant, CHEN, 100);
    bench.fault(r#"{"kind":"centre_down","system":"instant"}"#);
    bench.pass(60_000);
    let messages = bench.deliver();
    assert!(
        matches!(&messages[..], [Message::CentreStatus(s)] if s.state == CentreState::Closed && s.system == System::Ibps),
        "common control tells it: {messages:?}"
    );
    assert_eq!(bench.pay(Rail::Instant, CHEN, 100).1, Heard::Nothing(Reply::Down));
    assert_eq!(bench.pay(Rail::HighValue, CHEN, 100).1, ACKED);
    let json = r#"{"send_credit":{"to_account":"1","to_name":"n","amount":"1"}}"#;
    assert!(bench.control(json).is_err());
    bench.fault(r#"{"kind":"centre_up"}"#);
    bench.pass(20);
    let messages = bench.deliver();
    let kinds: Vec<Form> = messages.iter().map(Message::form).collect();
    assert_eq!(kinds, [Form::Credit, Form::CentreStatus, Form::Answer, Form::Answer], "{messages:?}");
    // Our time to answer begins anew.
    bench.pass(19_000);
    assert_eq!(bench.answer(messages[0].message_id(), None), ACKED);
}

#[test]
fn with_both_systems_down_nothing_comes_at_all() {
    let mut bench = Bench::new();
    bench.fault(r#"{"kind":"centre_down"}"#);
    assert!(bench.deliver().is_empty());
    assert!(bench.world.next_outgoing().is_none());
    assert!(bench.control(r#"{"end_of_day":{}}"#).is_err());
    bench.control(r#""clear_faults""#).unwrap();
    assert_eq!(bench.deliver().len(), 2, "both states");
}

#[test]
fn totals_and_nets_can_be_wrong_once() {
    let mut bench = Bench::new();
    bench.fault(r#"{"kind":"wrong_total","amount":"0.07"}"#);
    bench.fault(r#"{"kind":"wrong_net","amount":"0.05"}"#);
    bench.pay(Rail::Instant, CHEN, 100);
    bench.pass(20);
    bench.pass(2_000);
    let messages = bench.deliver();
    assert_eq!(netting(&messages)[0].net.amount, Money::cny(100));
    assert_eq!(settlement(&messages)[0].net.amount, Money::cny(105));
    bench.control(r#"{"end_of_day":{}}"#).unwrap();
    let sums = totals(&bench.deliver());
    assert_eq!(sums[0].lines[0].amount, Money::cny(107));
    bench.control(r#"{"end_of_day":{}}"#).unwrap();
    assert!(totals(&bench.deliver()).iter().all(|t| t.lines.is_empty()));
}

#[test]
fn a_bad_frame_is_bad_in_its_way_and_not_repeated() {
    for (kind, is_frame) in [
        ("bad_schema", true),
        ("bad_signature", true),
        ("bom", false),
        ("oversized", false),
        ("truncated", false),
    ] {
        let mut bench = Bench::new();
        bench.fault(&format!(r#"{{"kind":"{kind}"}}"#));
        let [delivery] = bench.world.outgoing(bench.now).try_into().unwrap();
        let frame = Frame::decode(&delivery.frame_bytes);
        assert_eq!(frame.is_ok(), is_frame, "{kind}");
        if let Ok(frame) = &frame {
            let verified = Message::parse(frame).is_ok_and(|(message_type, message)| {
                let profile = Ed25519Profile::new(&bench.world.centre_public_key()).unwrap();
                let text = message_text(message_type, &message);
                profile.verify(&text, frame.signature.as_deref().unwrap()).is_ok()
            });
            assert!(!verified, "{kind}");
        }
        let outcome = match &frame {
            Ok(frame) => {
                let id = bench.id();
                let reply = bank_reply(&frame.header, id, Some(RejectCode::CentreSchema), bench.now);
                DeliveryOutcome::Reply(reply)
            }
            Err(_) => DeliveryOutcome::Status(400),
        };
        // An unreachable bank gets it again, a refusal ends it.
        bench.world.delivered(delivery.id, &DeliveryOutcome::NoAnswer, bench.now);
        bench.pass(1_000);
        assert_eq!(bench.world.outgoing(bench.now).len(), 1);
        bench.world.delivered(delivery.id, &outcome, bench.now);
        bench.pass(60_000);
        assert!(bench.deliver().is_empty(), "{kind}");
        assert_eq!(bench.report()["refused"][0]["on_demand"], true);
    }
}

#[test]
fn faults_can_be_forgotten() {
    let mut bench = Bench::new();
    bench.fault(r#"{"kind":"lost_ack"}"#);
    bench.fault(r#"{"kind":"no_answer"}"#);
    assert_eq!(bench.report()["faults"].as_array().unwrap().len(), 2);
    bench.control(r#""clear_faults""#).unwrap();
    assert_eq!(bench.report()["faults"].as_array().unwrap().len(), 0);
    assert_eq!(bench.pay(Rail::Instant, CHEN, 100).1, ACKED);
    bench.pass(20);
    only_answer(&bench.deliver());
}
