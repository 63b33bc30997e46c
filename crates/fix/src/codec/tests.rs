//! Golden messages, faults by name, and whatever bytes come.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use proptest::prelude::*;

use super::{Body, Framed, Framer, Header, Message, Unreadable, check_sum};
use crate::UtcTime;
use crate::dictionary::{MsgType, RejectReason, Tag, tag};

/// A message out of text with `|` for the delimiter, with its length and sum put right.
pub(crate) fn framed(body: &str) -> Vec<u8> {
    let body = body.replace('|', "\u{1}");
    let mut bytes = format!("8=FIX.4.4\u{1}9={}\u{1}{body}", body.len()).into_bytes();
    let sum = check_sum(&bytes);
    bytes.extend_from_slice(format!("10={sum:03}\u{1}").as_bytes());
    bytes
}

const HEAD: &str = "35=D|49=C|56=V|34=7|52=20240229-12:34:56.789|";

fn read(body: &str) -> Message {
    Message::read(framed(body)).unwrap()
}

fn fault(body: &str) -> Option<(u64, Option<u32>)> {
    read(body).fault().map(|fault| (fault.reason.number(), fault.tag.map(Tag::number)))
}

fn all(framer: &mut Framer) -> Vec<Framed> {
    std::iter::from_fn(|| framer.take()).collect()
}

#[test]
fn a_golden_message() {
    let header = Header {
        sender: "VENUE",
        target: "CLIENT",
        seq: 2,
        at: UtcTime::parse("20240229-12:34:56.789").unwrap(),
        first_at: None,
    };
    let body = Body::new(MsgType::Heartbeat).with(tag::TEST_REQ_ID, "hello\u{1}there").with(tag::TEXT, "");
    let text = String::from_utf8(body.frame(&header)).unwrap().replace('\u{1}', "|");
    assert_eq!(
        text,
        "8=FIX.4.4|9=70|35=0|49=VENUE|56=CLIENT|34=2|52=20240229-12:34:56.789|112=hello there|10=070|"
    );
    let again = Header { first_at: Some(header.at), ..header };
    let message = Message::read(body.frame(&again)).unwrap();
    assert_eq!(message.flag(tag::POSS_DUP_FLAG), Ok(true));
    assert_eq!(message.time(tag::ORIG_SENDING_TIME), Ok(Some(header.at)));
    assert_eq!(message.fault(), None);
}

#[test]
fn frames_come_in_pieces_and_after_garbage() {
    let (one, two) = (framed(&format!("{HEAD}11=a|")), framed(&format!("{HEAD}11=b|")));
    let stream = [b"noise8=FI".to_vec(), one.clone(), b"\x01\x01".to_vec(), two.clone()].concat();
    for piece in 1..stream.len() {
        let (mut framer, mut found) = (Framer::default(), Vec::new());
        for bytes in stream.chunks(piece) {
            framer.push(bytes);
            found.extend(all(&mut framer));
        }
        let messages: Vec<_> = found
            .into_iter()
            .filter_map(|framed| if let Framed::Message(m) = framed { Some(m) } else { None })
            .collect();
        assert_eq!(messages, [one.clone(), two.clone()], "pieces of {piece}");
    }
}

#[test]
fn garbled_frames_are_dropped_and_the_next_is_found() {
    let good = framed(&format!("{HEAD}11=a|"));
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let wrong_sum = text(&good).replace("11=a", "11=b");
    let wrong_length = text(&good).replace("9=5", "9=6");
    let no_length = "8=FIX.4.4\u{1}35=D\u{1}".to_owned();
    let letters = text(&good).replace("9=5", "9=x");
    let huge = "8=FIX.4.4\u{1}9=999999\u{1}".to_owned();
    for bad in [wrong_sum, wrong_length, no_length, letters, huge] {
        let mut framer = Framer::default();
        framer.push(bad.as_bytes());
        framer.push(&good);
        let found = all(&mut framer);
        assert_eq!(found.last(), Some(&Framed::Message(good.clone())), "{bad:?}");
        assert!(matches!(found.first(), Some(Framed::Garbled(..))), "{bad:?}");
    }
}

#[test]
fn faults_are_named() {
    assert_eq!(fault(&format!("{HEAD}11=a|")), None);
    assert_eq!(fault(&format!("{HEAD}11=|")), Some((4, Some(11))));
    assert_eq!(fault(&format!("{HEAD}x=1|")), Some((0, None)));
    assert_eq!(fault(&format!("{HEAD}011=1|")), Some((0, None)));
    assert_eq!(fault(&format!("{HEAD}11=a|b|")), Some((17, None)));
    assert_eq!(fault(&format!("{HEAD}11=a|49=C|")), Some((14, Some(49))));
    assert_eq!(fault("35=D|49=C|49=C|56=V|34=7|52=20240229-12:34:56|"), Some((13, Some(49))));
    assert_eq!(fault("35=D|49=C|34=7|52=20240229-12:34:56|"), Some((1, Some(56))));
    assert_eq!(fault("35=ZZ|49=C|56=V|34=7|52=20240229-12:34:56|"), Some((11, Some(35))));
    assert_eq!(fault(&format!("{HEAD}95=3|96=a\u{1}b|58=t|")), None);
    assert_eq!(fault(&format!("{HEAD}95=9|96=a\u{1}b|58=t|")), Some((5, Some(96))));
    assert_eq!(Message::read(framed("35=D|49=C|56=V|")).unwrap_err(), Unreadable::NoNumber);
    assert_eq!(Message::read(framed("49=C|35=D|56=V|34=1|")).unwrap_err(), Unreadable::Garbled);
    let other = String::from_utf8(framed(HEAD)).unwrap().replace("FIX.4.4", "FIX.4.2");
    assert_eq!(Message::read(other.into_bytes()).unwrap_err(), Unreadable::Version);
}

#[test]
fn typed_fields() {
    let message = read(&format!("{HEAD}38=12|44=x|59=1|59=3|43=Q|60=20240229-12:34:56|"));
    assert_eq!(message.number(tag::ORDER_QTY), Ok(12));
    assert_eq!(message.number(tag::PRICE).unwrap_err().reason, RejectReason::IncorrectFormat);
    assert_eq!(message.required(tag::TIME_IN_FORCE).unwrap_err().reason, RejectReason::TagRepeated);
    assert_eq!(message.required(tag::SIDE).unwrap_err().reason, RejectReason::RequiredTagMissing);
    assert_eq!(message.flag(tag::POSS_DUP_FLAG).unwrap_err().reason, RejectReason::ValueIncorrect);
    assert!(message.time(tag::TRANSACT_TIME).unwrap().is_some());
}

#[test]
fn groups() {
    let entries = |body: &str| {
        let message = read(&format!("{HEAD}{body}"));
        let group = message.group(tag::NO_RELATED_SYM, tag::SYMBOL, &[tag::SIDE], 3);
        group
            .map(|entries| {
                entries.iter().map(|e| e.required(tag::SYMBOL).unwrap().to_owned()).collect::<Vec<_>>()
            })
            .map_err(|fault| fault.reason.number())
    };
    assert_eq!(entries("146=2|55=A|54=1|55=B|262=x|"), Ok(vec!["A".to_owned(), "B".to_owned()]));
    assert_eq!(entries("146=1|55=A|54=1|55=B|262=x|"), Err(16));
    assert_eq!(entries("146=1|55=A|262=x|55=B|"), Err(16));
    assert_eq!(entries("146=3|55=A|54=1|55=B|"), Err(16));
    assert_eq!(entries("146=1|54=1|55=B|"), Err(15));
    assert_eq!(entries("146=9|55=B|"), Err(5));
    assert_eq!(entries("262=x|"), Err(1));
}

proptest! {
    #[test]
    fn what_is_written_is_read(fields in proptest::collection::vec((1000_u32..5000, "[ -~]{1,20}"), 0..30), seq in 1_u64.., ms in 0_u64..4_000_000_000_000) {
        let mut body = Body::new(MsgType::NewOrderSingle);
        for (tag, value) in &fields {
            body = body.with(Tag::new(*tag), value);
        }
        let at = UtcTime::from_ms(ms);
        let header = Header { sender: "A", target: "B", seq: seq % 1_000_000_000_000, at, first_at: None };
        prop_assume!(header.seq > 0);
        let mut framer = Framer::default();
        framer.push(&body.frame(&header));
        let Some(Framed::Message(bytes)) = framer.take() else { panic!("no message") };
        let message = Message::read(bytes).unwrap();
        prop_assert_eq!(message.fault(), None);
        prop_assert_eq!(message.seq(), header.seq);
        prop_assert_eq!(message.time(tag::SENDING_TIME), Ok(Some(at)));
        let read: Vec<(u32, String)> = message
            .fields()
            .filter(|(tag, _)| tag.number() >= 1000)
            .map(|(tag, value)| (tag.number(), String::from_utf8(value.to_vec()).unwrap()))
            .collect();
        prop_assert_eq!(read, fields);
    }

    #[test]
    fn any_bytes_end(pieces in proptest::collection::vec(prop_oneof![
        Just(b"8=FIX.4.4\x01".to_vec()), Just(b"9=5\x01".to_vec()), Just(b"35=0\x01".to_vec()), Just(b"10=000\x01".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..20),
    ], 0..40)) {
        let mut framer = Framer::default();
        for piece in &pieces {
            framer.push(piece);
            for framed in all(&mut framer) {
                if let Framed::Message(bytes) = framed {
                    let _ = Message::read(bytes);
                }
            }
        }
    }

    #[test]
    fn one_changed_byte_is_never_the_same_message(at in 0_usize..100, to in any::<u8>()) {
        let mut bytes = framed(&format!("{HEAD}11=a|38=100|44=101.25|"));
        let at = at % bytes.len();
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        let mut framer = Framer::default();
        framer.push(&bytes);
        prop_assert!(!matches!(framer.take(), Some(Framed::Message(_))));
    }
}
