//! A centre in this process, and effects for it.

use cnaps::{BankNumber as RailBank, Ed25519Profile, Frame};
use ed25519_dalek::SigningKey;
use jiff::Timestamp as RailTime;
use money::{Amount, Asset, PaymentId, Text, Timestamp};
use payments::{
    AccountNumber, BankNumber, Counterparty, Effect, MessageId, MessageKey, Rail, RailNotice, RailStatus,
};
use rails::{Outgoing, Sent, Translator};
use sandbox::{Control, DEMO_BANK_SEED, DeliveryOutcome, Reply, SendCredit, World, WorldConfig};

/// 2026-11-24T02:00:00Z, ten in the morning in China.
pub(crate) const NOW: Timestamp = Timestamp::from_ms(1_795_485_600_000);
const BANK: &str = "313100000015";

pub(crate) fn fen(fen: u128) -> Amount {
    Amount::new(Asset::CNY, fen)
}

fn party(name: &str, account: &str, bank: &str) -> Counterparty {
    Counterparty {
        name: Text::new(name).unwrap(),
        account: AccountNumber::new(account).unwrap(),
        bank: BankNumber::new(bank).unwrap(),
    }
}

pub(crate) fn credit_effect(account: &str, name: &str) -> Effect {
    Effect::SendCredit {
        payment: PaymentId::new(1),
        rail: Rail::Instant,
        message: MessageId::new("3131000000152026112400000001").unwrap(),
        from: party("林晓雯", "62178800000000017", BANK),
        to: party(name, account, "102100000099"),
        amount: fen(12_345),
        note: Text::new("tea | cake").unwrap(),
    }
}

pub(crate) fn key() -> MessageKey {
    MessageKey {
        sender: BankNumber::new("102100000099").unwrap(),
        id: MessageId::new("1021000000992026112400000001").unwrap(),
    }
}

pub(crate) fn answer_effect(original: &MessageKey, amount: Amount) -> Effect {
    let (payment, rail) = (PaymentId::new(2), Rail::Instant);
    Effect::SendAnswer { payment, rail, original: original.clone(), reject: None, amount }
}

pub(crate) fn notices(commands: &[bank::Command]) -> impl Iterator<Item = &RailNotice> {
    commands.iter().filter_map(|command| match command {
        bank::Command::Payments(payments::Command::Notice { notice, .. }) => Some(notice),
        _ => None,
    })
}

/// A centre and our translator for it, on one clock.
pub(crate) struct Centre {
    world: World,
    pub(crate) translator: Translator,
    now: Timestamp,
}

fn rail_time(at: Timestamp) -> RailTime {
    RailTime::from_millisecond(i64::try_from(at.ms()).unwrap()).unwrap()
}

impl Centre {
    pub(crate) fn new() -> Self {
        let config = WorldConfig::default().always_open();
        let world = World::new(config).unwrap();
        let translator = Translator::new(
            BankNumber::new(BANK).unwrap(),
            RailBank::parse("000000000001").unwrap(),
            SigningKey::from_bytes(&DEMO_BANK_SEED),
            Ed25519Profile::new(&world.centre_public_key()).unwrap(),
            480,
        )
        .unwrap();
        let mut centre = Self { world, translator, now: NOW };
        centre.world.tick(rail_time(NOW));
        let _ = centre.take();
        centre
    }

    pub(crate) fn raw(&mut self, outgoing: &Outgoing) -> Vec<u8> {
        match self.world.receive(&outgoing.bytes, rail_time(self.now)).unwrap() {
            Reply::Frame(bytes) => bytes,
            Reply::Lost | Reply::Down => Vec::new(),
        }
    }

    pub(crate) fn post(&mut self, outgoing: &Outgoing) -> Sent {
        let answer = self.raw(outgoing);
        self.translator.sent(outgoing, &answer)
    }

    pub(crate) fn send_credit(&mut self, account: &str, name: &str, amount: &str) {
        let order = SendCredit {
            to_account: account.to_owned(),
            to_name: name.to_owned(),
            amount: amount.to_owned(),
            from_account: None,
            from_bank: None,
            rail: None,
            note: None,
            message_id: None,
            asset: None,
        };
        self.world.control(&Control::SendCredit(order), rail_time(self.now)).unwrap();
    }

    /// The next frame for us, not taken.
    pub(crate) fn next_frame(&mut self) -> Vec<u8> {
        self.world.outgoing(rail_time(self.now)).first().unwrap().frame_bytes.clone()
    }

    /// Takes and acknowledges what is waiting for us now; answers with what it says.
    fn take(&mut self) -> Vec<bank::Command> {
        let mut commands = Vec::new();
        loop {
            let waiting = self.world.outgoing(rail_time(self.now));
            if waiting.is_empty() {
                return commands;
            }
            for delivery in waiting {
                let frame = Frame::decode(&delivery.frame_bytes).unwrap();
                let known = |_| None::<RailStatus>;
                commands.extend(self.translator.accept(&frame, known).unwrap().commands);
                let ack =
                    self.translator.acknowledgement(&frame.header, delivery.id, self.now, false).unwrap();
                self.world.delivered(delivery.id, &DeliveryOutcome::Reply(ack.bytes), rail_time(self.now));
            }
        }
    }

    /// Lets time pass and takes all that is said in it.
    pub(crate) fn until_said(&mut self, ms: u64) -> Vec<bank::Command> {
        let end = self.now.plus_ms(ms);
        let mut commands = Vec::new();
        while self.now < end {
            self.now = self.now.plus_ms(10);
            self.world.tick(rail_time(self.now));
            commands.extend(self.take());
        }
        commands
    }

    pub(crate) fn payments(&self) -> usize {
        self.world.report()["payments"].as_array().unwrap().len()
    }
}
