//! The checks at the centre: form, sender, signature, duplicates, hours, ceiling, cap.

use cnaps::*;
use sandbox::{Rail, WorldConfig};

use crate::bench::*;

fn instant(bench: &mut Bench) -> Frame {
    let credit = bench.credit(CHEN, 100);
    bank_frame(MessageType::Ibps101, &Message::Credit(credit), bench.now)
}

/// Spoils a frame and expects a refusal; the right frame is taken afterwards.
fn check_spoiled(spoil: impl FnOnce(&mut Frame), code: RejectCode) {
    let mut bench = Bench::new();
    let right = instant(&mut bench);
    let mut frame = right.clone();
    spoil(&mut frame);
    assert_eq!(bench.post(&frame.encode().unwrap()), Heard::Refused(code));
    assert_eq!(bench.post(&right.encode().unwrap()), ACKED, "a bad frame does not use up its id");
}

#[test]
fn a_spoiled_frame_is_refused_with_its_reason() {
    check_spoiled(|f| f.header.message_type = "ibps.999".to_owned(), RejectCode::CentreSchema);
    check_spoiled(|f| f.header.message_type = "hvps.111".to_owned(), RejectCode::CentreCheck);
    check_spoiled(|f| f.header.sender = BankNumber::parse("999999999999").unwrap(), RejectCode::CentreCheck);
    check_spoiled(
        |f| f.header.receiver = BankNumber::parse("999999999999").unwrap(),
        RejectCode::CentreCheck,
    );
    check_spoiled(|f| f.header.direction = Direction::Down, RejectCode::CentreCheck);
    check_spoiled(|f| f.header.message_id = "20261124777777770000".to_owned(), RejectCode::CentreSchema);
    check_spoiled(|f| f.body = f.body.replace("<NbOfTxs>1<", "<NbOfTxs>2<"), RejectCode::CentreSchema);
    check_spoiled(|f| f.signature = None, RejectCode::Signature);
    check_spoiled(|f| f.body = f.body.replace(">1.00<", ">1.01<"), RejectCode::Signature);
}

#[test]
fn a_frame_of_version_01_is_refused() {
    let mut bench = Bench::new();
    let mut frame = instant(&mut bench);
    (frame.header.version, frame.signature) = (Version::V01, None);
    assert_eq!(bench.post(&frame.encode().unwrap()), Heard::Refused(RejectCode::CentreSchema));
}

#[test]
fn bytes_that_are_no_frame_change_nothing() {
    let mut bench = Bench::new();
    let bytes = instant(&mut bench).encode().unwrap();
    let before = bench.world.clone();
    let mut marked = b"\xef\xbb\xbf".to_vec();
    marked.extend(&bytes);
    let mut large = bytes.clone();
    large.resize(FRAME_SIZE_BYTES_LIMIT, b' ');
    for bad in [&bytes[..90], b"hello", &marked, &large] {
        assert!(bench.world.receive(bad, bench.now).is_err());
    }
    assert_eq!(bench.world, before);
}

#[test]
fn a_repeat_is_recognised_and_an_alteration_refused() {
    let mut bench = Bench::new();
    let mut credit = bench.credit(CHEN, 100);
    let first =
        bank_frame(MessageType::Ibps101, &Message::Credit(credit.clone()), bench.now).encode().unwrap();
    assert_eq!(bench.post(&first), ACKED);
    assert_eq!(bench.post(&first), Heard::Acked { duplicate: true });
    credit.amount = Money::cny(101);
    let other = bench.send(MessageType::Ibps101, Message::Credit(credit));
    assert_eq!(other, Heard::Refused(RejectCode::CentreDuplicate));
    bench.pass(20);
    only_answer(&bench.deliver());
    bench.pass(100);
    assert_eq!(bench.post(&first), Heard::Acked { duplicate: true });
    assert!(bench.deliver().is_empty(), "paid once");
}

#[test]
fn a_refusal_is_final_for_its_id() {
    let mut bench = Bench::new();
    bench.control(r#"{"hours":{"system":"instant","state":"closed"}}"#).unwrap();
    let frame = instant(&mut bench).encode().unwrap();
    assert_eq!(bench.post(&frame), Heard::Refused(RejectCode::CentreClosed));
    bench.control(r#"{"hours":{"system":"instant","state":"table"}}"#).unwrap();
    assert_eq!(bench.post(&frame), Heard::Refused(RejectCode::CentreClosed));
    assert_eq!(bench.pay(Rail::Instant, CHEN, 100).1, ACKED);
}

#[test]
fn the_ceiling_is_dated() {
    let mut bench = Bench::new();
    assert_eq!(bench.pay(Rail::Instant, CHEN, 100_000_000).1, ACKED);
    assert_eq!(bench.pay(Rail::Instant, CHEN, 100_000_001).1, Heard::Refused(RejectCode::CentreCeiling));
    assert_eq!(bench.pay(Rail::HighValue, CHEN, 100_000_001).1, ACKED);
    let mut bench = Bench::with(WorldConfig::default(), "2019-11-26T10:00:00+08:00");
    assert_eq!(bench.pay(Rail::Instant, CHEN, 5_000_000).1, ACKED);
    assert_eq!(bench.pay(Rail::Instant, CHEN, 5_000_001).1, Heard::Refused(RejectCode::CentreCeiling));
}

#[test]
fn the_net_debit_cap_holds_until_the_net_is_settled() {
    let config = WorldConfig { net_debit_cap_minor: Some(1_000), settle_ms: 1_000, ..WorldConfig::default() };
    let mut bench = Bench::with(config, MORNING);
    assert_eq!(bench.pay(Rail::Instant, CHEN, 700).1, ACKED);
    assert_eq!(bench.pay(Rail::Instant, CHEN, 301).1, Heard::Refused(RejectCode::NetDebitCap));
    assert_eq!(bench.pay(Rail::HighValue, CHEN, 301).1, ACKED, "gross payments have no cap");
    // What we are owed counts in our favour.
    let id = bench.inbound("instant", "0.01");
    bench.deliver();
    bench.answer(&id, None);
    assert_eq!(bench.pay(Rail::Instant, CHEN, 301).1, ACKED);
    bench.pass(20);
    bench.pass(2_000);
    assert_eq!(bench.pay(Rail::Instant, CHEN, 1).1, Heard::Refused(RejectCode::NetDebitCap));
    let messages = bench.deliver();
    assert_eq!((netting(&messages).len(), settlement(&messages).len()), (1, 0));
    bench.pass(1_000);
    assert_eq!(settlement(&bench.deliver()).len(), 1);
    assert_eq!(bench.pay(Rail::Instant, CHEN, 1_000).1, ACKED);
}

#[test]
fn high_value_takes_payments_in_its_hours_only() {
    for (at, heard) in [
        ("2026-11-24T17:14:59+08:00", ACKED),
        ("2026-11-24T17:15:00+08:00", Heard::Refused(RejectCode::CentreClosed)),
        ("2026-11-24T18:00:00+08:00", Heard::Refused(RejectCode::CentreClosed)),
        ("2026-11-24T20:30:00+08:00", ACKED),
        ("2026-11-28T12:00:00+08:00", Heard::Refused(RejectCode::CentreClosed)),
    ] {
        let mut bench = Bench::with(WorldConfig::default(), at);
        assert_eq!(bench.pay(Rail::HighValue, CHEN, 100).1, heard, "{at}");
        assert_eq!(bench.pay(Rail::Instant, CHEN, 100).1, ACKED, "{at}");
        let mut bench = Bench::with(WorldConfig::default().always_open(), at);
        assert_eq!(bench.pay(Rail::HighValue, CHEN, 100).1, ACKED, "{at}");
    }
}

#[test]
fn wrong_parties_are_refused() {
    let mut bench = Bench::new();
    for spoil in [
        (|c: &mut Credit| c.debtor_bank = BankNumber::parse(CHEN.0).unwrap()) as fn(&mut Credit),
        |c| c.creditor_bank = bank_number(),
        |c| c.creditor_bank = BankNumber::parse("999999999999").unwrap(),
        |c| c.amount = Money { minor_units: 1, currency: "USD".to_owned() },
        |c| c.amount = Money::cny(0),
    ] {
        let mut credit = bench.credit(CHEN, 100);
        spoil(&mut credit);
        let heard = bench.send(MessageType::Ibps101, Message::Credit(credit));
        assert_eq!(heard, Heard::Refused(RejectCode::CentreCheck));
    }
}

#[test]
fn a_member_sends_only_what_members_send() {
    let mut bench = Bench::new();
    let totals = Totals {
        message_id: bench.id(),
        created_at: bench.now,
        bank: bank_number(),
        business_date: bench.world.business_date(Rail::Instant),
        page: 1,
        pages: 1,
        lines: Vec::new(),
    };
    let heard = bench.send(MessageType::Ibps701, Message::Totals(totals));
    assert_eq!(heard, Heard::Refused(RejectCode::CentreCheck));
    let unknown = bench.id();
    assert_eq!(bench.answer(&unknown, None), Heard::Refused(RejectCode::CentreCheck));
}

#[test]
fn a_world_needs_a_sound_configuration() {
    let wrong = [
        WorldConfig { other_banks: Vec::new(), ..WorldConfig::default() },
        WorldConfig { bank: centre_number(), ..WorldConfig::default() },
        WorldConfig { bank_public_key: [0; 32], ..WorldConfig::default() },
        WorldConfig { round_ms: 0, ..WorldConfig::default() },
    ];
    for config in wrong {
        assert!(sandbox::World::new(config).is_err());
    }
    let text = serde_json::to_string(&WorldConfig::default()).unwrap();
    assert_eq!(serde_json::from_str::<WorldConfig>(&text).unwrap(), WorldConfig::default());
    assert_eq!(serde_json::from_str::<WorldConfig>("{}").unwrap(), WorldConfig::default());
    assert!(serde_json::from_str::<WorldConfig>(r#"{"rounds_ms":1}"#).is_err());
}
