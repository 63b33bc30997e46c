//! What holds whatever happens: long seeded histories with faults, then the books of the bank against the centre's.

use std::collections::{BTreeMap, BTreeSet};

use cnaps::*;
use sandbox::{DeliveryOutcome, Rail};

use crate::bench::*;

/// A small generator of our own (xorshift), so that a history is the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// What the bank has read and said.
#[derive(Default)]
struct Books {
    /// Messages by type and id: repeats count once.
    read: BTreeMap<(MessageType, MessageId), Message>,
    /// Credits whose confirmation the centre took.
    confirmed: BTreeSet<MessageId>,
    unanswered: Vec<MessageId>,
    paid: Vec<(Rail, MessageId, u128)>,
}

fn deliver(bench: &mut Bench, books: &mut Books, dice: &mut Dice, faithful: bool) {
    for delivery in bench.world.outgoing(bench.now) {
        let (header, message_type, message) = read(&delivery.frame_bytes, &bench.world.centre_public_key());
        let luck = if faithful { 9 } else { dice.roll(10) };
        if luck == 0 {
            bench.world.delivered(delivery.id, &DeliveryOutcome::NoAnswer, bench.now);
            return;
        }
        let key = (message_type, message.message_id().clone());
        if message_type == MessageType::Ibps101 && !books.read.contains_key(&key) {
            books.unanswered.push(key.1.clone());
        }
        let before = books.read.insert(key, message.clone());
        assert!(before.is_none_or(|before| before == message), "a repeat is the same");
        let reply = bank_reply(&header, bench.id(), None, bench.now);
        // Taken, but the acknowledgement is lost on its way.
        let outcome = if luck == 1 { DeliveryOutcome::Status(502) } else { DeliveryOutcome::Reply(reply) };
        bench.world.delivered(delivery.id, &outcome, bench.now);
    }
}

fn act(bench: &mut Bench, books: &mut Books, dice: &mut Dice) {
    let accounts = ["6210990000000001", "6210990000000021", "6210990000000022", "6210990000000023", "1"];
    match dice.roll(16) {
        0..4 => {
            let rail = Rail::ALL[usize::try_from(dice.roll(2)).unwrap()];
            let account = accounts[usize::try_from(dice.roll(5)).unwrap()];
            let names = ["陈静", "周婷", "吴磊", "徐敏", "?"];
            let name = names[accounts.iter().position(|a| *a == account).unwrap()];
            let minor = u128::from(dice.roll(10_000) + 1);
            let (id, heard) = bench.pay(rail, ("102100000099", account, name), minor);
            if heard == ACKED {
                books.paid.push((rail, id, minor));
            }
        }
        4..7 => {
            let rail = ["instant", "high_value"][usize::try_from(dice.roll(2)).unwrap()];
            let amount = format!("{}.{:02}", dice.roll(1_000), dice.roll(99) + 1);
            let json = format!(
                r#"{{"send_credit":{{"to_account":"1","to_name":"n","amount":"{amount}","rail":"{rail}"}}}}"#
            );
            // A system that is down or closed sends none.
            let _not_now = bench.control(&json);
        }
        7..10 => {
            let Some(id) = books.unanswered.pop() else { return };
            let reject = (dice.roll(4) == 0).then_some(RejectCode::NoAccount);
            match bench.answer(&id, reject) {
                Heard::Acked { .. } if reject.is_none() => {
                    books.confirmed.insert(id);
                }
                Heard::Nothing(sandbox::Reply::Down) => books.unanswered.push(id),
                _ => {}
            }
        }
        10 => {
            let Some((rail, id, minor)) = books.paid.last().cloned() else { return };
            bench.cancel(rail, &id, minor);
        }
        11 => {
            let faults = [
                r#"{"kind":"late_answer","ms":4000}"#,
                r#"{"kind":"answer_after_cancel","ms":300}"#,
                r#"{"kind":"reject","code":"RJ03"}"#,
                r#"{"kind":"duplicate"}"#,
                r#"{"kind":"centre_down","system":"instant"}"#,
                r#"{"kind":"centre_up"}"#,
            ];
            bench.fault(faults[usize::try_from(dice.roll(6)).unwrap()]);
        }
        12 if dice.roll(8) == 0 => {
            let _down = bench.control(r#"{"end_of_day":{}}"#);
        }
        13 if dice.roll(4) == 0 => {
            bench.control(r#""end_round""#).unwrap();
        }
        _ => bench.pass(i64::try_from(dice.roll(3_000)).unwrap()),
    }
}

type Place = (jiff::civil::Date, u32);

/// Every entry of every round, by the message it names.
fn entries(books: &Books) -> BTreeMap<MessageId, (Place, NettingEntry)> {
    let mut all = BTreeMap::new();
    for message in books.read.values() {
        let Message::NettingNotice(notice) = message else { continue };
        let place = (notice.business_date, notice.round);
        for entry in &notice.entries {
            let before = all.insert(entry.original.message_id.clone(), (place, entry.clone()));
            assert!(before.is_none(), "an entry is in one round");
        }
    }
    all
}

fn check(books: &Books) {
    let entries = entries(books);
    let mut expected: BTreeSet<MessageId> = books.confirmed.clone();
    for message in books.read.values() {
        let (id, information) = match message {
            Message::Answer(a) if a.status == Status::Confirmed => (&a.original.message_id, &a.information),
            Message::Return(r) if r.original.message_type == MessageType::Ibps101 => {
                (&r.message_id, &r.information)
            }
            _ => continue,
        };
        let ((date, round), _) = entries[id];
        assert_eq!(information.as_deref(), Some(format!("round={date}/{round}").as_str()));
        expected.insert(id.clone());
    }
    assert_eq!(entries.keys().cloned().collect::<BTreeSet<_>>(), expected, "nothing else is in a round");
    let mut sums: BTreeMap<(Place, Side), (u64, u128)> = BTreeMap::new();
    for (place, entry) in entries.values() {
        let (count, minor) = sums.entry((*place, entry.side)).or_default();
        *count += 1;
        *minor += entry.amount.minor_units;
    }
    for message in books.read.values() {
        let Message::SettlementNotice(settled) = message else { continue };
        let place = (settled.business_date, settled.round);
        let sum = |side| sums.get(&(place, side)).map_or(0, |(_, minor)| i128::try_from(*minor).unwrap());
        let signed = i128::try_from(settled.net.amount.minor_units).unwrap();
        let signed = if settled.net.side == Side::Debit { -signed } else { signed };
        assert_eq!(signed, sum(Side::Credit) - sum(Side::Debit));
    }
    let mut told = BTreeMap::new();
    for ((message_type, _), message) in &books.read {
        let Message::Totals(totals) = message else { continue };
        for line in totals
            .lines
            .iter()
            .filter(|l| *message_type == MessageType::Ibps701 && l.status == Status::Settled)
        {
            told.insert(
                ((totals.business_date, line.round), line.side),
                (line.count, line.amount.minor_units),
            );
        }
    }
    assert_eq!(told, sums, "the totals are the sums of the rounds");
}

#[test]
fn whatever_happens_the_books_agree() {
    for seed in 1..=12_u64 {
        let mut bench = Bench::new();
        let (mut books, mut dice) = (Books::default(), Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        for _ in 0..400 {
            act(&mut bench, &mut books, &mut dice);
            if dice.roll(3) > 0 {
                deliver(&mut bench, &mut books, &mut dice, false);
            }
        }
        bench.control(r#""clear_faults""#).unwrap();
        for _ in 0..30 {
            bench.pass(10_000);
            deliver(&mut bench, &mut books, &mut dice, true);
        }
        bench.control(r#"{"end_of_day":{}}"#).unwrap();
        for _ in 0..5 {
            bench.pass(1_000);
            deliver(&mut bench, &mut books, &mut dice, true);
        }
        assert!(!books.confirmed.is_empty() && books.read.len() > 50, "seed {seed} did something");
        check(&books);
    }
}
