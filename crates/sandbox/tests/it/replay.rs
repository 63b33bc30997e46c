//! The input log: a world read back is the world that was, whatever was torn off.

use std::path::PathBuf;

use cnaps::*;
use jiff::{SignedDuration, Timestamp};
use sandbox::{Control, DeliveryOutcome, Store, StoreError, WorldConfig};

use crate::bench::*;

/// A folder of this test alone, removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sandbox-{name}-{}", std::process::id()));
        let _gone = std::fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

fn credit(sequence: u32, now: Timestamp) -> Message {
    Message::Credit(Credit {
        message_id: MessageId::new(bank_number(), jiff::civil::date(2026, 11, 24), sequence).unwrap(),
        created_at: now,
        end_to_end_id: "E".to_owned(),
        amount: Money::cny(100),
        settlement_date: jiff::civil::date(2026, 11, 24),
        debtor_name: "王芳".to_owned(),
        debtor_account: "6230000000000001".to_owned(),
        debtor_bank: bank_number(),
        creditor_bank: BankNumber::parse(CHEN.0).unwrap(),
        creditor_name: CHEN.2.to_owned(),
        creditor_account: CHEN.1.to_owned(),
        remittance: None,
    })
}

/// A little of everything.
fn live(store: &mut Store, mut now: Timestamp) {
    let control = |json: &str| serde_json::from_str::<Control>(json).unwrap();
    let step = SignedDuration::from_millis(700);
    let requests = [
        r#"{"send_credit":{"to_account":"1","to_name":"n","amount":"1.00"}}"#,
        r#"{"fault":{"kind":"lost_ack"}}"#,
        r#"{"fault":{"kind":"reject","code":"RJ03","count":1}}"#,
        r#"{"fault":{"kind":"duplicate"}}"#,
        r#"{"return":{"message_id":"wrong"}}"#,
        r#"{"send_credit":{"to_account":"1","to_name":"n","amount":"2.00","rail":"high_value"}}"#,
        r#"{"advance":{"ms":5000}}"#,
        r#"{"end_of_day":{}}"#,
    ];
    for (n, request) in (1..).zip(requests) {
        store.tick(now).unwrap();
        let _refused = store.control(&control(request), now).unwrap();
        let frame = bank_frame(MessageType::Ibps101, &credit(n, now), now).encode().unwrap();
        store.receive(&frame, now).unwrap().unwrap();
        assert!(store.receive(b"no frame", now).unwrap().is_err());
        now = now.checked_add(step).unwrap();
        store.tick(now).unwrap();
        for (k, delivery) in (0_u32..).zip(store.outgoing(now).unwrap()) {
            let (header, ..) = read(&delivery.frame_bytes, &store.world().centre_public_key());
            let id = MessageId::new(bank_number(), jiff::civil::date(2026, 11, 24), n * 1_000 + k).unwrap();
            let outcome = match k % 4 {
                0 => DeliveryOutcome::Reply(bank_reply(&header, id, Some(RejectCode::PayeeCheck), now)),
                1 => DeliveryOutcome::Status(500),
                _ => DeliveryOutcome::Reply(bank_reply(&header, id, None, now)),
            };
            store.delivered(delivery.id, outcome, now).unwrap();
        }
    }
}

#[test]
fn a_killed_world_continues_where_it_was() {
    let folder = Folder::new("replay");
    let now: Timestamp = MORNING.parse().unwrap();
    let mut store = Store::open(&folder.0, WorldConfig::default()).unwrap();
    live(&mut store, now);
    store.sync().unwrap();
    let lived = store.world().clone();
    assert!(lived.defects().is_empty());
    assert!(matches!(Store::open(&folder.0, WorldConfig::default()), Err(StoreError::InUse { .. })));
    drop(store);
    let again = Store::open(&folder.0, WorldConfig::default()).unwrap();
    assert_eq!(again.world().report(), lived.report());
    assert_eq!(*again.world(), lived);
}

#[test]
fn a_tick_without_change_writes_nothing() {
    let folder = Folder::new("ticks");
    let mut now: Timestamp = MORNING.parse().unwrap();
    let mut store = Store::open(&folder.0, WorldConfig::default()).unwrap();
    assert!(store.tick(now).unwrap());
    let size = || std::fs::metadata(folder.0.join("world.log")).unwrap().len();
    let before = size();
    for _ in 0..100 {
        now = now.checked_add(SignedDuration::from_millis(100)).unwrap();
        assert!(!store.tick(now).unwrap());
    }
    assert_eq!(size(), before);
}

#[test]
fn a_torn_last_line_is_cut_and_a_damaged_line_is_named() {
    let folder = Folder::new("torn");
    let now: Timestamp = MORNING.parse().unwrap();
    let mut store = Store::open(&folder.0, WorldConfig::default()).unwrap();
    live(&mut store, now);
    let lived = store.world().clone();
    drop(store);
    let path = folder.0.join("world.log");
    let whole = std::fs::read(&path).unwrap();
    let mut torn = whole.clone();
    torn.extend(br#"{"at":"2026-11-24T02:00:00Z","in"#);
    std::fs::write(&path, &torn).unwrap();
    let store = Store::open(&folder.0, WorldConfig::default()).unwrap();
    assert_eq!(*store.world(), lived);
    drop(store);
    assert_eq!(std::fs::read(&path).unwrap(), whole);
    let mut damaged = whole;
    let third = damaged.split_inclusive(|b| *b == b'\n').take(2).map(<[u8]>::len).sum::<usize>();
    damaged[third] = b'!';
    std::fs::write(&path, &damaged).unwrap();
    let error = Store::open(&folder.0, WorldConfig::default()).unwrap_err();
    assert!(matches!(error, StoreError::Line { line: 3, .. }), "{error}");
}

#[test]
fn another_configuration_is_refused() {
    let folder = Folder::new("config");
    drop(Store::open(&folder.0, WorldConfig::default()).unwrap());
    let other = WorldConfig { round_ms: 1, ..WorldConfig::default() };
    let error = Store::open(&folder.0, other).unwrap_err();
    assert!(matches!(error, StoreError::Other { what: "configuration", .. }), "{error}");
}
