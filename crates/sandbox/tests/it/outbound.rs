//! Payments of our bank: confirmed into the round announced, settled gross, rejected by the payee's bank, cancelled.

use cnaps::*;
use jiff::civil::date;
use sandbox::Rail;

use crate::bench::*;

const A: &str = "102100000099";

#[test]
fn an_instant_payment_is_confirmed_into_the_round_it_names() {
    let mut bench = Bench::new();
    let (id, heard) = bench.pay(Rail::Instant, CHEN, 8_880);
    assert_eq!(heard, ACKED);
    assert!(bench.deliver().is_empty(), "the payee's bank takes its time");
    bench.pass(20);
    let answer = only_answer(&bench.deliver());
    assert_eq!((answer.status, answer.reject), (Status::Confirmed, None));
    assert_eq!(answer.original, OriginalRef { message_id: id.clone(), message_type: MessageType::Ibps101 });
    assert_eq!(answer.information.as_deref(), Some("round=2026-11-24/1"));
    let (second, _) = bench.pay(Rail::Instant, ZHAO, 20);
    bench.pass(20);
    assert_eq!(only_answer(&bench.deliver()).information.as_deref(), Some("round=2026-11-24/1"));
    bench.pass(2_000);
    let messages = bench.deliver();
    let [notice] = netting(&messages).try_into().unwrap();
    assert_eq!((notice.business_date, notice.round), (date(2026, 11, 24), 1));
    assert_eq!(notice.net, Net { side: Side::Debit, amount: Money::cny(8_900) });
    let entries: Vec<_> = notice.entries.iter().map(|e| (&e.original.message_id, e.side)).collect();
    assert_eq!(entries, [(&id, Side::Debit), (&second, Side::Debit)]);
    let [settled] = settlement(&messages).try_into().unwrap();
    assert_eq!((settled.round, settled.net, settled.status), (1, notice.net, Status::Settled));
    // The next payment is in the next round.
    bench.pay(Rail::Instant, CHEN, 1);
    bench.pass(20);
    assert_eq!(only_answer(&bench.deliver()).information.as_deref(), Some("round=2026-11-24/2"));
}

#[test]
fn a_high_value_payment_settles_by_itself() {
    let mut bench = Bench::new();
    let (id, heard) = bench.pay(Rail::HighValue, ZHAO, 500_000_000_000);
    assert_eq!(heard, ACKED);
    bench.pass(20);
    let answer = only_answer(&bench.deliver());
    assert_eq!((answer.status, answer.information.as_deref()), (Status::Settled, Some("settled=2026-11-24")));
    assert_eq!(answer.original.message_type, MessageType::Hvps111);
    assert_eq!(bench.state_of(&id), "settled");
    bench.pass(5_000);
    assert!(bench.deliver().is_empty(), "no round, no notice");
}

fn check_rejected(to: (&str, &str, &str), code: RejectCode) {
    for rail in Rail::ALL {
        let mut bench = Bench::new();
        assert_eq!(bench.pay(rail, to, 100).1, ACKED);
        bench.pass(20);
        let answer = only_answer(&bench.deliver());
        assert_eq!((answer.status, answer.reject), (Status::Rejected, Some(code)), "{to:?}");
        bench.pass(5_000);
        assert!(bench.deliver().is_empty());
    }
}

#[test]
fn the_payees_bank_rejects_what_it_cannot_credit() {
    check_rejected((A, "6210990000009999", "陈静"), RejectCode::NoAccount);
    check_rejected(("103100000026", "6210990000000001", "陈静"), RejectCode::NoAccount);
    check_rejected((A, "6210990000000001", "陈晶"), RejectCode::NameMismatch);
    check_rejected((A, "6210990000000011", "孙丽"), RejectCode::AccountState);
    check_rejected((A, "6210990000000012", "zheng qiang"), RejectCode::AccountState);
}

fn cancel_answer(messages: &[Message]) -> CancelAnswer {
    let [Message::CancelAnswer(answer)] = messages else { panic!("{messages:?}") };
    answer.clone()
}

#[test]
fn a_payment_without_answer_can_be_cancelled_and_its_answer_is_dropped() {
    for rail in Rail::ALL {
        let mut bench = Bench::new();
        let (id, _) = bench.pay(rail, (A, "6210990000000022", "吴磊"), 300);
        bench.pass(1_000);
        assert_eq!(bench.cancel(rail, &id, 300), ACKED);
        let answer = cancel_answer(&bench.deliver());
        assert_eq!((answer.status, answer.reject, &answer.original_id), (Status::Cancelled, None, &id));
        bench.pass(60_000);
        assert!(bench.deliver().is_empty());
        assert_eq!(bench.state_of(&id), "cancelled");
        // Asked again under another id, the answer is the same.
        assert_eq!(bench.cancel(rail, &id, 300), ACKED);
        assert_eq!(cancel_answer(&bench.deliver()).status, Status::Cancelled);
    }
}

#[test]
fn a_slow_account_is_confirmed_late_and_a_silent_one_never() {
    let mut bench = Bench::new();
    let (slow, _) = bench.pay(Rail::Instant, (A, "6210990000000022", "Wu Lei"), 300);
    let (silent, _) = bench.pay(Rail::Instant, (A, "6210990000000023", "Xu Min"), 300);
    bench.pass(4_999);
    assert!(bench.deliver().is_empty());
    bench.pass(1);
    assert_eq!(only_answer(&bench.deliver()).original.message_id, slow);
    bench.pass(600_000);
    assert_eq!(bench.state_of(&silent), "forwarded");
}

#[test]
fn what_was_decided_cannot_be_cancelled() {
    let mut bench = Bench::new();
    let (id, _) = bench.pay(Rail::Instant, CHEN, 300);
    let (high, _) = bench.pay(Rail::HighValue, CHEN, 300);
    let (rejected, _) = bench.pay(Rail::Instant, (A, "1", "nobody"), 300);
    bench.pass(20);
    assert_eq!(bench.deliver().len(), 3);
    for (rail, id, code) in [
        (Rail::Instant, &id, RejectCode::CentreCheck),
        (Rail::HighValue, &high, RejectCode::CentreCheck),
        (Rail::Instant, &rejected, RejectCode::NoAccount),
    ] {
        assert_eq!(bench.cancel(rail, id, 300), ACKED);
        let answer = cancel_answer(&bench.deliver());
        assert_eq!((answer.status, answer.reject), (Status::Rejected, Some(code)));
    }
}

#[test]
fn a_cancellation_that_overtakes_its_payment_wins() {
    let mut bench = Bench::new();
    let credit = bench.credit(CHEN, 100);
    assert_eq!(bench.cancel(Rail::Instant, &credit.message_id, 100), ACKED);
    assert_eq!(cancel_answer(&bench.deliver()).status, Status::Cancelled);
    let heard = bench.send(MessageType::Ibps101, Message::Credit(credit));
    assert_eq!(heard, Heard::Refused(RejectCode::CancelledPayment));
}

#[test]
fn a_round_that_is_full_closes_early() {
    let mut bench = Bench::new();
    for _ in 0..3_001 {
        bench.inbound("instant", "0.01");
    }
    let messages = bench.deliver();
    for message in &messages {
        assert_eq!(bench.answer(message.message_id(), None), ACKED);
    }
    let [full] = netting(&bench.deliver()).try_into().unwrap();
    assert_eq!((full.round, full.entries.len()), (1, 3_000));
    bench.pass(2_000);
    let [rest] = netting(&bench.deliver()).try_into().unwrap();
    assert_eq!((rest.round, rest.entries.len()), (2, 1));
}
