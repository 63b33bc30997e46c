//! Frames: golden bytes, round trips, every fault.

use cnaps::{BankNumber, Direction, Frame, FrameError, Header, MessageId, Money, System, Version};
use jiff::civil::{date, time};
use proptest::prelude::*;

pub(crate) fn header(version: Version) -> Header {
    Header {
        version,
        sender: BankNumber::parse("313100000015").unwrap(),
        sender_system: System::Ibps,
        receiver: BankNumber::parse("000000000001").unwrap(),
        receiver_system: System::Ibps,
        date: date(2026, 11, 24),
        time: time(9, 30, 5, 0),
        message_type: "ibps.101".to_owned(),
        message_id: "20261124000000070000".to_owned(),
        reference_id: String::new(),
        priority: 3,
        direction: Direction::Up,
    }
}

fn frame(version: Version) -> Frame {
    Frame { header: header(version), signature: None, body: "<a/>".to_owned() }
}

const GOLDEN_01: &str = concat!(
    "{H:01313100000015IBPS000000000001IBPS20261124093005XML",
    "ibps.101            20261124000000070000                    3U         }\r\n<a/>"
);

const GOLDEN_02: &str = concat!(
    "{H:02313100000015  IBPS000000000001  IBPS20261124093005XML",
    "ibps.101            20261124000000070000                    3U         }\r\n{S:AQID}\r\n<a/>"
);

#[test]
fn golden_frames_of_both_versions() {
    assert_eq!(String::from_utf8(frame(Version::V01).encode().unwrap()).unwrap(), GOLDEN_01);
    assert_eq!(GOLDEN_01.find('<'), Some(128));
    let signed = Frame { signature: Some(vec![1, 2, 3]), ..frame(Version::V02) };
    assert_eq!(String::from_utf8(signed.encode().unwrap()).unwrap(), GOLDEN_02);
    assert_eq!(GOLDEN_02.find("{S:"), Some(132));
    assert_eq!(Frame::decode(GOLDEN_01.as_bytes()).unwrap(), frame(Version::V01));
    assert_eq!(Frame::decode(GOLDEN_02.as_bytes()).unwrap(), signed);
}

#[test]
fn each_fault_names_field_and_offset() {
    let check = |from: &str, to: &str, expected: &str| {
        let bytes = GOLDEN_01.replacen(from, to, 1);
        assert_eq!(Frame::decode(bytes.as_bytes()).unwrap_err().to_string(), expected);
    };
    check("{H:", "{X:", "start of header at byte 0: not as fixed");
    check("{H:01", "{H:03", "version at byte 3: unknown");
    check("313100000015", "31310000001X", "sender at byte 5: not a bank number");
    check("IBPS", "XXXX", "sender system at byte 17: unknown system");
    check("20261124", "20261131", "date at byte 37: not a day that exists");
    check("093005", "240000", "time at byte 45: not a time of day");
    check("XML", "XSD", "structure at byte 51: not as fixed");
    check("ibps.101 ", " ibps.101", "message type at byte 54: not 1 to 20 visible characters padded right");
    check("3U", "xU", "priority at byte 114: not a digit");
    check("3U", "3X", "direction at byte 115: neither U nor D");
    check("3U ", "3U1", "reserve at byte 116: not as fixed");
    check("}\r\n", "} \n", "end of header at byte 125: not as fixed");
    check("<a/>", "", "no body");
    check("<a/>", "\u{feff}<a/>", "byte-order mark at byte 128");
    check("<a/>", "{S:AQID}\r\n<a/>", "signature at byte 128: not in version 01");
    let signed = |line: &str| {
        Frame::decode(GOLDEN_02.replace("{S:AQID}\r\n", line).as_bytes()).unwrap_err().to_string()
    };
    assert_eq!(signed("{S:AQI}\r\n"), "signature at byte 132: not base64");
    assert_eq!(signed("{S:AQID"), "signature at byte 132: line not closed");
    assert_eq!(signed("{S:}\r\n"), "signature at byte 132: empty or too long");
    let marked = [b"\xef\xbb\xbf", GOLDEN_01.as_bytes()].concat();
    assert_eq!(Frame::decode(&marked), Err(FrameError::ByteOrderMark { offset: 0 }));
    assert_eq!(
        Frame::decode(&GOLDEN_01.as_bytes()[..100]),
        Err(FrameError::Truncated { size_bytes: 100, needed_bytes: 128 })
    );
    assert_eq!(
        Frame::decode(&GOLDEN_02.as_bytes()[..130]),
        Err(FrameError::Truncated { size_bytes: 130, needed_bytes: 132 })
    );
    let not_text = [GOLDEN_01.as_bytes(), b"\xff"].concat();
    assert_eq!(Frame::decode(&not_text), Err(FrameError::NotUtf8 { offset: 132 }));
}

#[test]
fn the_size_bound_holds_both_ways() {
    let of = |size: usize| Frame { body: "x".repeat(size - 128), ..frame(Version::V01) };
    let largest = of(999_999).encode().unwrap();
    assert!(Frame::decode(&largest).is_ok());
    assert_eq!(of(1_000_000).encode(), Err(FrameError::TooLarge { size_bytes: 1_000_000 }));
    let over = [largest.as_slice(), b"x"].concat();
    assert_eq!(Frame::decode(&over), Err(FrameError::TooLarge { size_bytes: 1_000_000 }));
}

#[test]
fn what_does_not_fit_is_not_written() {
    let wrong = |change: fn(&mut Frame)| {
        let mut f = frame(Version::V01);
        change(&mut f);
        f.encode().unwrap_err()
    };
    wrong(|f| f.header.message_type = "x".repeat(21));
    wrong(|f| f.header.message_id = String::new());
    wrong(|f| f.header.reference_id = "a b".to_owned());
    wrong(|f| f.header.priority = 10);
    wrong(|f| f.header.time = time(1, 2, 3, 4));
    wrong(|f| f.header.date = date(-1, 1, 1));
    wrong(|f| f.signature = Some(vec![1]));
    wrong(|f| f.body = "{S:".to_owned());
    wrong(|f| f.body = "\u{feff}<a/>".to_owned());
}

#[test]
fn identifiers_and_amounts_are_exact() {
    let id = MessageId::parse("3131000000152026112400000007").unwrap();
    assert_eq!((id.bank().as_str(), id.date(), id.sequence()), ("313100000015", date(2026, 11, 24), 7));
    assert_eq!(id.to_string(), "3131000000152026112400000007");
    assert_eq!(id.transport_id(), "20261124000000070000");
    for bad in ["", "3131000000152026023000000007", "313100000015202611240000000", "银行"] {
        assert!(MessageId::parse(bad).is_err(), "{bad}");
    }
    assert!(MessageId::new(id.bank().clone(), id.date(), 100_000_000).is_err());
    let money = |t: &str| Money::parse(t, "CNY").map(|m| m.minor_units).ok();
    assert_eq!(money("8.88"), Some(888));
    assert_eq!(money("8.8"), Some(880));
    assert_eq!(money("8"), Some(800));
    assert_eq!(money("9999999999999999.99"), Some(Money::MINOR_UNITS_MAX));
    for bad in ["8.888", "-1", "+1", "1e3", "", ".", "1.", ".5", "1,0", "10000000000000000.00", " 1"] {
        assert_eq!(money(bad), None, "{bad}");
    }
    assert!(Money::parse("1", "cny").is_err());
    assert_eq!(Money::cny(5).to_string(), "CNY0.05");
}

prop_compose! {
    fn any_frame()(
        second in any::<bool>(), banks in ("[0-9]{12}", "[0-9]{12}"), systems in (0usize..5, 0usize..5),
        day in (1i16..=9999, 1i8..=12, 1i8..=28), clock in (0i8..24, 0i8..60, 0i8..60),
        texts in ("[!-|~]{1,20}", "[!-|~]{1,20}", "[!-|~]{0,20}"), priority in 0u8..10, up in any::<bool>(),
        signature in prop::option::of(prop::collection::vec(any::<u8>(), 1..513)),
        body in "<\\PC{0,60}",
    ) -> Frame {
        Frame {
            header: Header {
                version: if second { Version::V02 } else { Version::V01 },
                sender: BankNumber::parse(&banks.0).unwrap(),
                sender_system: System::ALL[systems.0],
                receiver: BankNumber::parse(&banks.1).unwrap(),
                receiver_system: System::ALL[systems.1],
                date: date(day.0, day.1, day.2),
                time: time(clock.0, clock.1, clock.2, 0),
                message_type: texts.0,
                message_id: texts.1,
                reference_id: texts.2,
                priority,
                direction: if up { Direction::Up } else { Direction::Down },
            },
            signature: signature.filter(|_| second),
            body,
        }
    }
}

proptest! {
    #[test]
    fn decode_of_encode_is_the_frame(frame in any_frame()) {
        let bytes = frame.encode().unwrap();
        prop_assert_eq!(Frame::decode(&bytes).unwrap(), frame);
    }

    #[test]
    fn damaged_frames_never_panic_and_never_change_in_silence(at in 0usize..160, byte in any::<u8>()) {
        let mut bytes = GOLDEN_02.as_bytes().to_vec();
        let length = bytes.len();
        bytes[at % length] = byte;
        if let Ok(frame) = Frame::decode(&bytes) {
            prop_assert_eq!(frame.encode().unwrap(), bytes);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Frame::decode(&bytes);
        let _ = Frame::decode(&[GOLDEN_01.as_bytes(), &bytes].concat());
    }
}
