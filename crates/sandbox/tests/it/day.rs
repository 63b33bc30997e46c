//! The business day: broadcasts, the end of the day by the table and by hand, totals, details.

use cnaps::*;
use jiff::civil::{Date, date};
use sandbox::{Rail, WorldConfig};

use crate::bench::*;

fn states(messages: &[Message]) -> Vec<(System, CentreState, Date)> {
    let found = |m: &Message| match m {
        Message::CentreStatus(s) => Some((s.system, s.state, s.business_date)),
        _ => None,
    };
    messages.iter().filter_map(found).collect()
}

fn dates(messages: &[Message]) -> Vec<(System, Date, Date)> {
    let found = |m: &Message| match m {
        Message::BusinessDateChange(c) => Some((c.system, c.previous_date, c.new_date)),
        _ => None,
    };
    messages.iter().filter_map(found).collect()
}

fn lines(totals: &Totals) -> Vec<(Status, Side, u32, u64, u128)> {
    totals.lines.iter().map(|l| (l.status, l.side, l.round, l.count, l.amount.minor_units)).collect()
}

#[test]
fn the_first_moment_and_the_announcement_tell_date_and_state() {
    let mut bench = Bench::new();
    bench.control(r#""announce""#).unwrap();
    let messages = bench.deliver();
    let (monday, tuesday) = (date(2026, 11, 23), date(2026, 11, 24));
    assert_eq!(dates(&messages), [(System::Ibps, monday, tuesday), (System::Hvps, monday, tuesday)]);
    assert_eq!(
        states(&messages),
        [(System::Ibps, CentreState::Open, tuesday), (System::Hvps, CentreState::Open, tuesday)]
    );
}

#[test]
fn high_value_ends_its_day_by_the_table() {
    let mut bench = Bench::with(WorldConfig::default(), "2026-11-24T17:14:00+08:00");
    bench.pay(Rail::HighValue, CHEN, 500);
    bench.pay(Rail::HighValue, ("102100000099", "1", "n"), 600);
    bench.pass(60_000);
    let messages = bench.deliver();
    assert_eq!(states(&messages), [(System::Hvps, CentreState::Clearing, date(2026, 11, 24))]);
    bench.pass(15 * 60_000);
    let messages = bench.deliver();
    let sums = totals(&messages);
    let hvps = sums.iter().find(|t| t.lines.iter().any(|l| l.side == Side::Debit)).unwrap();
    assert_eq!(hvps.business_date, date(2026, 11, 24));
    assert_eq!(
        lines(hvps),
        [(Status::Settled, Side::Debit, 0, 1, 500), (Status::Rejected, Side::Debit, 0, 1, 600)]
    );
    let (old, new) = (date(2026, 11, 24), date(2026, 11, 25));
    assert_eq!(dates(&messages), [(System::Ibps, old, new), (System::Hvps, old, new)]);
    assert_eq!(states(&messages), [(System::Hvps, CentreState::Closed, new)]);
    bench.pass(3 * 3_600_000);
    assert_eq!(states(&bench.deliver()), [(System::Hvps, CentreState::Open, new)]);
}

#[test]
fn the_end_of_an_instant_day_closes_settles_and_totals() {
    let mut bench = Bench::new();
    let id = bench.inbound("instant", "5.00");
    let refused = bench.inbound("instant", "6.00");
    bench.deliver();
    bench.answer(&id, None);
    bench.answer(&refused, Some(RejectCode::NoAccount));
    bench.pass(2_000);
    bench.deliver();
    bench.pay(Rail::Instant, CHEN, 200);
    bench.pay(Rail::Instant, CHEN, 300);
    let (silent, _) = bench.pay(Rail::Instant, ("103100000026", "6210260000000023", "何倩"), 7);
    bench.pass(20);
    let waiting = bench.inbound("instant", "8.00");
    bench.deliver();
    bench.control(r#"{"end_of_day":{"system":"IBPS"}}"#).unwrap();
    let messages = bench.deliver();
    let kinds: Vec<Form> = messages.iter().map(Message::form).collect();
    assert_eq!(
        kinds,
        [Form::Answer, Form::NettingNotice, Form::SettlementNotice, Form::Totals, Form::BusinessDateChange]
    );
    let answer = only_answer(&messages);
    assert_eq!((answer.original.message_id, answer.reject), (silent, Some(RejectCode::EndOfDay)));
    assert_eq!(
        lines(&totals(&messages)[0]),
        [
            (Status::Settled, Side::Credit, 1, 1, 500),
            (Status::Settled, Side::Debit, 2, 2, 500),
            (Status::Rejected, Side::Credit, 0, 1, 600),
            (Status::Rejected, Side::Debit, 0, 1, 7),
        ]
    );
    // A credit that waited for our answer counts on the new day, whose rounds begin at 1.
    assert_eq!(bench.answer(&waiting, None), ACKED);
    bench.pass(2_000);
    let notice = &netting(&bench.deliver())[0];
    assert_eq!((notice.business_date, notice.round), (date(2026, 11, 25), 1));
    // A day ended by hand is not ended again by the table.
    bench.pass(8 * 3_600_000);
    assert!(dates(&bench.deliver()).iter().all(|(system, ..)| *system == System::Hvps));
    assert_eq!(bench.world.business_date(Rail::Instant), date(2026, 11, 25));
}

#[test]
fn both_days_end_together_and_skip_the_weekend() {
    let mut bench = Bench::with(WorldConfig::default(), "2026-11-27T10:00:00+08:00");
    bench.control(r#"{"end_of_day":{}}"#).unwrap();
    let messages = bench.deliver();
    assert_eq!(totals(&messages).len(), 2);
    let (old, new) = (date(2026, 11, 27), date(2026, 11, 30));
    assert_eq!(dates(&messages), [(System::Ibps, old, new), (System::Hvps, old, new)]);
}

#[test]
fn a_long_sleep_ends_the_day_once() {
    let mut bench = Bench::new();
    bench.pay(Rail::Instant, CHEN, 200);
    bench.pass(5 * 86_400_000);
    let messages = bench.deliver();
    assert_eq!((netting(&messages).len(), settlement(&messages).len(), totals(&messages).len()), (1, 1, 2));
    assert_eq!(netting(&messages)[0].business_date, date(2026, 11, 24));
    assert_eq!(bench.world.business_date(Rail::Instant), date(2026, 11, 30));
}

#[test]
fn the_clock_can_be_moved() {
    let mut bench = Bench::new();
    bench.control(r#"{"advance":{"ms":28800000}}"#).unwrap();
    assert_eq!(dates(&bench.deliver()).len(), 2);
    assert!(bench.control(r#"{"advance":{"ms":9999999999999}}"#).is_err());
    assert_eq!(bench.pay(Rail::Instant, CHEN, 200).1, ACKED);
    // The next moment is told in our time, not in the world's.
    let wait = bench.world.next_due().unwrap().duration_since(bench.now);
    assert_eq!(wait.as_millis(), 20);
}

#[test]
fn a_round_can_be_ended_by_hand() {
    let mut bench = Bench::new();
    assert!(bench.control(r#""end_round""#).unwrap().done.contains("no payments"));
    bench.pay(Rail::Instant, CHEN, 200);
    bench.pass(20);
    bench.control(r#""end_round""#).unwrap();
    assert_eq!(netting(&bench.deliver()).len(), 1);
    bench.pay(Rail::Instant, CHEN, 200);
    bench.pass(20);
    // The old round's plan does not close the new round.
    bench.pass(1_980);
    assert_eq!(netting(&bench.deliver()).len(), 0);
    bench.pass(20);
    assert_eq!(netting(&bench.deliver())[0].round, 2);
}

#[test]
fn held_hours_are_broadcast_and_stay() {
    let mut bench = Bench::new();
    let today = date(2026, 11, 24);
    bench.control(r#"{"hours":{"system":"high_value","state":"closed"}}"#).unwrap();
    assert_eq!(states(&bench.deliver()), [(System::Hvps, CentreState::Closed, today)]);
    let json = r#"{"send_credit":{"to_account":"1","to_name":"n","amount":"1","rail":"high_value"}}"#;
    assert!(bench.control(json).is_err());
    bench.pass(60_000);
    assert!(bench.deliver().is_empty());
    bench.control(r#"{"hours":{"system":"high_value","state":"table"}}"#).unwrap();
    assert_eq!(states(&bench.deliver()), [(System::Hvps, CentreState::Open, today)]);
}

#[test]
fn details_explain_the_totals() {
    let mut bench = Bench::new();
    let (first, _) = bench.pay(Rail::Instant, CHEN, 200);
    bench.pass(20);
    bench.pass(2_000);
    let (second, _) = bench.pay(Rail::Instant, CHEN, 300);
    bench.deliver();
    let mut ask = |status, round| {
        let request = DetailRequest {
            message_id: bench.id(),
            created_at: bench.now,
            bank: bank_number(),
            business_date: date(2026, 11, 24),
            status,
            round,
        };
        let id = request.message_id.clone();
        assert_eq!(bench.send(MessageType::Ibps703, Message::DetailRequest(request)), ACKED);
        let messages = bench.deliver();
        let [Message::DetailAnswer(answer)] = messages.as_slice() else { panic!("{messages:?}") };
        assert_eq!(answer.request_id, id);
        answer.details.iter().map(|d| (d.original.message_id.clone(), d.status, d.round)).collect::<Vec<_>>()
    };
    let settled = (first, Status::Settled, 1);
    let waiting = (second, Status::Forwarded, 0);
    assert_eq!(ask(None, None), [settled.clone(), waiting.clone()]);
    assert_eq!(ask(Some(Status::Forwarded), None), [waiting]);
    assert_eq!(ask(None, Some(1)), [settled]);
    assert_eq!(ask(Some(Status::Rejected), None), []);
}
