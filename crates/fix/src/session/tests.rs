//! Scenarios of one session: what the client sends, what is answered.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use super::{Action, Names, Session};
use crate::UtcTime;
use crate::codec::tests::framed;
use crate::codec::{Body, Message};
use crate::dictionary::{MsgType, tag};
use crate::store::{MemoryStore, Store};

struct Bench {
    session: Session,
    now: UtcTime,
}

impl Bench {
    fn new() -> Self {
        Self::with(MemoryStore::default())
    }

    fn with(store: MemoryStore) -> Self {
        let now = UtcTime::parse("20240229-12:00:00").unwrap();
        let names = Names { ours: "VENUE".to_owned(), theirs: "CLIENT".to_owned() };
        Self { session: Session::new(names, Box::new(store), now), now }
    }

    fn active() -> Self {
        let mut bench = Self::new();
        bench.take("A", 1, "98=0|108=30|", "A 1 98=0|108=30|");
        bench
    }

    /// What was done, in short: type, number and fields of what was sent; `deliver` and the number; `close` and the reason.
    fn done(&mut self) -> String {
        let lines: Vec<String> = self.session.actions().iter().map(short).collect();
        lines.join("\n")
    }

    fn raw(&mut self, body: &str, expect: &str) {
        self.session.take(Message::read(framed(body)).unwrap(), self.now).unwrap();
        assert_eq!(self.done(), expect, "after {body}");
    }

    fn take(&mut self, kind: &str, seq: u64, fields: &str, expect: &str) {
        let body = format!("35={kind}|49=CLIENT|56=VENUE|34={seq}|52={}|{fields}", self.now);
        self.raw(&body, expect);
    }

    /// Seconds pass.
    fn pass(&mut self, seconds: u64, expect: &str) {
        self.now = self.now.plus_ms(seconds * 1_000);
        self.session.tick(self.now).unwrap();
        assert_eq!(self.done(), expect, "after {seconds} s");
    }

    fn send(&mut self, text: &str) {
        let body = Body::new(MsgType::ExecutionReport).with(tag::TEXT, text);
        assert!(self.session.send(body, self.now).unwrap());
        self.done();
    }
}

fn short(action: &Action) -> String {
    match action {
        Action::Send(bytes) => {
            let message = Message::read(bytes.clone()).unwrap();
            let mut text = format!("{} {} ", message.get(tag::MSG_TYPE).unwrap(), message.seq());
            let hidden =
                [tag::BEGIN_STRING, tag::BODY_LENGTH, tag::MSG_TYPE, tag::MSG_SEQ_NUM, tag::SENDING_TIME]
                    .into_iter()
                    .chain([
                        tag::SENDER_COMP_ID,
                        tag::TARGET_COMP_ID,
                        tag::CHECK_SUM,
                        tag::ORIG_SENDING_TIME,
                    ]);
            let hidden: Vec<_> = hidden.collect();
            for (tag, value) in message.fields().filter(|(tag, _)| !hidden.contains(tag)) {
                text.push_str(&format!("{tag}={}|", String::from_utf8_lossy(value)));
            }
            text
        }
        Action::Deliver(message) => format!("deliver {}", message.seq()),
        Action::Close(why) => format!("close: {why}"),
    }
}

#[test]
fn logon_and_logout() {
    let mut bench = Bench::active();
    assert!(bench.session.is_active());
    bench.take("D", 2, "11=a|", "deliver 2");
    bench.take("5", 3, "", "5 2 \nclose: logout");
    assert!(bench.session.is_closed());
    bench.take("D", 4, "11=a|", "");
}

#[test]
fn logons_that_are_refused() {
    let check = |kind: &str, seq, fields: &str, expect: &str| Bench::new().take(kind, seq, fields, expect);
    check("0", 1, "", "close: the first message is no logon");
    let range = "HeartBtInt must be between 1 and 300";
    check("A", 1, "98=0|108=0|", &format!("5 1 58={range}|\nclose: {range}"));
    check("A", 1, "98=0|108=301|", &format!("5 1 58={range}|\nclose: {range}"));
    let fault = "value is incorrect for this tag (98)";
    check("A", 1, "98=1|108=30|", &format!("5 1 58={fault}|\nclose: {fault}"));
    let missing = "required tag missing (108)";
    check("A", 1, "98=0|", &format!("5 1 58={missing}|\nclose: {missing}"));
    let reset = "ResetSeqNumFlag needs MsgSeqNum 1";
    check("A", 2, "98=0|108=30|141=Y|", &format!("5 1 58={reset}|\nclose: {reset}"));
    let mut bench = Bench::new();
    bench.raw(
        "35=A|49=OTHER|56=VENUE|34=1|52=20240229-12:00:00|98=0|108=30|",
        "5 1 58=other names than the session's|\nclose: other names than the session's",
    );
    let mut bench = Bench::new();
    bench.raw(
        "35=A|49=CLIENT|56=VENUE|34=1|52=20240229-11:57:59|98=0|108=30|",
        "5 1 58=sending time is too far from ours|\nclose: sending time is too far from ours",
    );
    Bench::new().pass(9, "");
    Bench::new().pass(10, "close: no logon in time");
}

#[test]
fn a_number_too_low_ends_the_session() {
    let mut bench = Bench::active();
    let why = "MsgSeqNum too low, expecting 2 but received 1";
    bench.take("0", 1, "", &format!("5 2 58={why}|\nclose: {why}"));
    let mut store = MemoryStore::default();
    store.expect(5).unwrap();
    let why = "MsgSeqNum too low, expecting 5 but received 1";
    Bench::with(store).take("A", 1, "98=0|108=30|", &format!("5 1 58={why}|\nclose: {why}"));
}

#[test]
fn possible_duplicates_are_passed_over() {
    let mut bench = Bench::active();
    bench.take("D", 2, "11=a|", "deliver 2");
    bench.take("D", 2, "43=Y|122=20240229-12:00:00|11=a|", "");
    bench.take("D", 2, "43=Y|11=a|", "3 2 45=2|371=122|372=D|373=1|58=required tag missing (122)|");
    bench.take(
        "D",
        2,
        "43=Y|122=20240229-12:00:01|11=a|",
        "3 3 45=2|371=122|372=D|373=10|58=sending time is too far from ours (122)|",
    );
    bench.take("D", 3, "11=b|", "deliver 3");
}

#[test]
fn a_gap_is_asked_for_once_and_filled() {
    let mut bench = Bench::active();
    bench.take("D", 4, "11=c|", "2 2 7=2|16=0|");
    bench.take("D", 5, "11=d|", "");
    bench.take("D", 2, "43=Y|122=20240229-12:00:00|11=a|", "deliver 2");
    bench.take("4", 3, "43=Y|122=20240229-12:00:00|123=Y|36=4|", "");
    bench.take("D", 4, "43=Y|122=20240229-12:00:00|11=c|", "deliver 4");
    bench.take("D", 5, "43=Y|122=20240229-12:00:00|11=d|", "deliver 5");
    bench.take("D", 6, "11=e|", "deliver 6");
    bench.take("D", 8, "11=g|", "2 3 7=7|16=0|");
    bench.pass(30, "0 4 ");
    // Nothing of it has come: it is asked for again.
    bench.pass(6, "1 5 112=20240229-12:00:36.000|");
    bench.take("0", 9, "", "2 6 7=7|16=0|");
}

#[test]
fn a_logon_may_reveal_a_gap() {
    let mut store = MemoryStore::default();
    store.expect(3).unwrap();
    let mut bench = Bench::with(store);
    bench.take("A", 7, "98=0|108=30|", "A 1 98=0|108=30|\n2 2 7=3|16=0|");
    bench.take("4", 3, "43=Y|122=20240229-12:00:00|123=Y|36=8|", "");
    bench.take("D", 8, "11=a|", "deliver 8");
}

#[test]
fn messages_are_sent_again() {
    let mut bench = Bench::active();
    bench.send("two");
    bench.take("1", 2, "112=x|", "0 3 112=x|");
    bench.send("four");
    bench.send("five");
    bench.take(
        "2",
        3,
        "7=1|16=0|",
        "4 1 43=Y|123=Y|36=2|\n8 2 43=Y|58=two|\n4 3 43=Y|123=Y|36=4|\n8 4 43=Y|58=four|\n8 5 43=Y|58=five|",
    );
    bench.take("2", 4, "7=3|16=3|", "4 3 43=Y|123=Y|36=4|");
    bench.take("2", 5, "7=4|16=4|", "8 4 43=Y|58=four|");
    bench.take("2", 6, "7=5|16=99|", "8 5 43=Y|58=five|");
    bench.take("2", 7, "7=6|16=0|", "3 6 45=7|371=7|372=2|373=5|58=value is incorrect for this tag (7)|");
    bench.take("2", 8, "7=3|16=2|", "3 7 45=8|371=16|372=2|373=5|58=value is incorrect for this tag (16)|");
}

#[test]
fn both_sides_have_a_gap() {
    let mut bench = Bench::active();
    bench.send("two");
    bench.take("2", 5, "7=2|16=0|", "8 2 43=Y|58=two|\n2 3 7=2|16=0|");
    bench.take("4", 2, "43=Y|122=20240229-12:00:00|123=Y|36=6|", "");
    bench.take("D", 6, "11=a|", "deliver 6");
}

#[test]
fn sequence_resets() {
    let mut bench = Bench::active();
    bench.take("4", 77, "36=10|", "");
    bench.take("D", 10, "11=a|", "deliver 10");
    let fault = "value is incorrect for this tag (36)";
    bench.take("4", 11, "36=5|", &format!("3 2 45=11|371=36|372=4|373=5|58={fault}|"));
    bench.take("4", 11, "123=Y|36=11|", &format!("3 3 45=11|371=36|372=4|373=5|58={fault}|"));
    bench.take("D", 12, "11=b|", "deliver 12");
}

#[test]
fn numbers_begin_again() {
    let mut bench = Bench::active();
    bench.send("two");
    bench.take("A", 1, "98=0|108=30|141=Y|", "A 1 98=0|108=30|141=Y|");
    bench.take("D", 2, "11=a|", "deliver 2");
    let mut store = MemoryStore::default();
    store.expect(9).unwrap();
    store.sent(None).unwrap();
    let mut bench = Bench::with(store);
    bench.take("A", 1, "98=0|108=30|141=Y|", "A 1 98=0|108=30|141=Y|");
    bench.take("A", 2, "98=0|108=30|", "5 2 58=already logged on|\nclose: already logged on");
}

#[test]
fn heartbeats_and_silence() {
    let mut bench = Bench::active();
    bench.pass(29, "");
    bench.pass(1, "0 2 ");
    bench.pass(6, "1 3 112=20240229-12:00:36.000|");
    bench.take("0", 2, "112=20240229-12:00:36.000|", "");
    bench.pass(30, "0 4 ");
    bench.pass(6, "1 5 112=20240229-12:01:12.000|");
    bench.pass(35, "0 6 ");
    bench.pass(1, "5 7 58=no answer to a test request|\nclose: no answer to a test request");
}

#[test]
fn it_is_due_when_it_says() {
    let mut bench = Bench::active();
    for _ in 0..4 {
        let due = bench.session.due();
        assert!(due > bench.now);
        bench.session.tick(UtcTime::from_ms(due.ms() - 1)).unwrap();
        assert_eq!(bench.done(), "");
        bench.now = due;
        bench.session.tick(due).unwrap();
        assert_ne!(bench.done(), "");
    }
}

#[test]
fn our_logout_is_answered_or_not() {
    let mut bench = Bench::active();
    bench.session.log_out("the day is over", bench.now).unwrap();
    assert_eq!(bench.done(), "5 2 58=the day is over|");
    bench.take("D", 2, "11=a|", "");
    bench.take("5", 3, "", "close: logout");
    let mut bench = Bench::active();
    bench.session.log_out("the day is over", bench.now).unwrap();
    bench.done();
    bench.pass(5, "close: no answer to our logout");
}

#[test]
fn what_breaks_the_rules_is_rejected_and_counted() {
    let mut bench = Bench::active();
    bench.take("D", 2, "11=|", "3 2 45=2|371=11|372=D|373=4|58=tag without a value (11)|");
    bench.take("ZZ", 3, "", "3 3 45=3|371=35|372=ZZ|373=11|58=invalid message type (35)|");
    bench.take("1", 4, "", "3 4 45=4|371=112|372=1|373=1|58=required tag missing (112)|");
    // A published type that is not served is for the level above to refuse.
    bench.take("R", 5, "", "deliver 5");
    bench.raw(
        "35=D|49=CLIENT|56=ELSEWHERE|34=6|52=20240229-12:00:00|",
        "3 5 45=6|371=49|372=D|373=9|58=comp id problem (49)|\n5 6 58=comp id problem|\nclose: comp id problem",
    );
    let mut bench = Bench::active();
    bench.raw(
        "35=D|49=CLIENT|56=VENUE|34=2|52=20240229-12:02:01|",
        "3 2 45=2|371=52|372=D|373=10|58=sending time is too far from ours (52)|\n5 3 58=sending time is too far from ours|\nclose: sending time is too far from ours",
    );
}

#[test]
fn what_is_not_answered_for_is_asked_for_again() {
    let folder = std::env::temp_dir().join(format!("fix-session-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("s.fix");
    let _ = std::fs::remove_file(&path);
    let connect = || {
        let mut bench = Bench::new();
        let store = crate::store::FileStore::open(&path).unwrap();
        let names = Names { ours: "VENUE".to_owned(), theirs: "CLIENT".to_owned() };
        bench.session = Session::new(names, Box::new(store), bench.now);
        bench
    };
    let mut bench = connect();
    bench.take("A", 1, "98=0|108=30|", "A 1 98=0|108=30|");
    for seq in 2..5 {
        bench.take("D", seq, "11=a|", &format!("deliver {seq}"));
        bench.session.hold(seq);
    }
    bench.session.release(2);
    bench.session.release(4);
    bench.session.settle().unwrap();
    drop(bench);
    let mut bench = connect();
    bench.take("A", 5, "98=0|108=30|", "A 2 98=0|108=30|\n2 3 7=3|16=0|");
    bench.take("D", 3, "43=Y|122=20240229-12:00:00|11=a|", "deliver 3");
    drop(bench);
    std::fs::remove_dir_all(&folder).unwrap();
}
