//! A bank on a bench: it signs, sends, and takes what the world delivers, in a time of its own.

use cnaps::*;
use ed25519_dalek::SigningKey;
use jiff::{SignedDuration, Timestamp};
use sandbox::{
    Control, ControlAnswer, ControlError, DEMO_BANK_SEED, DeliveryOutcome, Rail, Reply, World, WorldConfig,
};

/// What the bank hears after posting a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    Acked { duplicate: bool },
    Refused(RejectCode),
    Nothing(Reply),
}

pub(crate) const ACKED: Heard = Heard::Acked { duplicate: false };

pub(crate) const CHEN: (&str, &str, &str) = ("102100000099", "6210990000000001", "陈静");
pub(crate) const ZHAO: (&str, &str, &str) = ("103100000026", "6210260000000001", "Zhao  lei");

/// 24 November 2026 is a Tuesday; ten in the morning in China.
pub(crate) const MORNING: &str = "2026-11-24T10:00:00+08:00";

pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) now: Timestamp,
    sequence: u32,
}

pub(crate) fn bank_number() -> BankNumber {
    BankNumber::parse("313100000015").unwrap()
}

pub(crate) fn centre_number() -> BankNumber {
    BankNumber::parse("000000000001").unwrap()
}

/// A frame of our bank, signed with the demo key.
pub(crate) fn bank_frame(message_type: MessageType, message: &Message, now: Timestamp) -> Frame {
    let local = jiff::tz::offset(8).to_datetime(now);
    let header = Header {
        version: Version::V02,
        sender: bank_number(),
        sender_system: message_type.system(),
        receiver: centre_number(),
        receiver_system: message_type.system(),
        date: local.date(),
        time: jiff::civil::time(local.hour(), local.minute(), local.second(), 0),
        message_type: String::new(),
        message_id: message.message_id().transport_id(),
        reference_id: String::new(),
        priority: 3,
        direction: Direction::Up,
    };
    let mut frame = message.to_frame(message_type, header).unwrap();
    let key = SigningKey::from_bytes(&DEMO_BANK_SEED);
    frame.signature = Some(Ed25519Profile::sign(&key, &message_text(message_type, message)));
    frame
}

/// Checks the centre's signature and reads the frame.
pub(crate) fn read(bytes: &[u8], centre_key: &[u8; 32]) -> (Header, MessageType, Message) {
    let frame = Frame::decode(bytes).unwrap();
    let (message_type, message) = Message::parse(&frame).unwrap();
    let text = message_text(message_type, &message);
    Ed25519Profile::new(centre_key).unwrap().verify(&text, &frame.signature.unwrap()).unwrap();
    (frame.header, message_type, message)
}

/// Our acknowledgement of a frame, or our refusal.
pub(crate) fn bank_reply(
    header: &Header,
    id: MessageId,
    refuse: Option<RejectCode>,
    now: Timestamp,
) -> Vec<u8> {
    let hvps = header.sender_system == System::Hvps;
    let (message_id, created_at) = (id, now);
    let (original_sender, original_transport_id, original_type) =
        (header.sender.clone(), header.message_id.clone(), header.message_type.clone());
    let (message_type, message) = match refuse {
        None => {
            let ack = TransportAck {
                message_id,
                created_at,
                original_sender,
                original_transport_id,
                original_type,
                duplicate: false,
            };
            (if hvps { MessageType::Hvps990 } else { MessageType::Ibps990 }, Message::TransportAck(ack))
        }
        Some(reject) => {
            let nack = NegativeAck {
                message_id,
                created_at,
                original_sender,
                original_transport_id,
                original_type,
                reject,
                information: None,
            };
            (if hvps { MessageType::Hvps900 } else { MessageType::Ibps900 }, Message::NegativeAck(nack))
        }
    };
    bank_frame(message_type, &message, now).encode().unwrap()
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(WorldConfig::default(), MORNING)
    }

    /// A world that has started and whose first broadcasts are delivered.
    pub(crate) fn with(config: WorldConfig, at: &str) -> Self {
        let mut bench = Self { world: World::new(config).unwrap(), now: at.parse().unwrap(), sequence: 0 };
        bench.world.tick(bench.now);
        assert_eq!(bench.deliver().len(), 4, "date and state of both systems");
        bench
    }

    pub(crate) fn pass(&mut self, ms: i64) {
        self.now = self.now.checked_add(SignedDuration::from_millis(ms)).unwrap();
        self.world.tick(self.now);
        assert!(self.world.defects().is_empty(), "{:?}", self.world.defects());
    }

    pub(crate) fn id(&mut self) -> MessageId {
        self.sequence += 1;
        MessageId::new(bank_number(), jiff::tz::offset(8).to_datetime(self.now).date(), self.sequence)
            .unwrap()
    }

    pub(crate) fn credit(&mut self, to: (&str, &str, &str), minor: u128) -> Credit {
        let message_id = self.id();
        Credit {
            end_to_end_id: format!("E{}", message_id.sequence()),
            message_id,
            created_at: self.now,
            amount: Money::cny(minor),
            settlement_date: self.world.business_date(Rail::Instant),
            debtor_name: "王芳".to_owned(),
            debtor_account: "6230000000000001".to_owned(),
            debtor_bank: bank_number(),
            creditor_bank: BankNumber::parse(to.0).unwrap(),
            creditor_name: to.2.to_owned(),
            creditor_account: to.1.to_owned(),
            remittance: None,
        }
    }

    pub(crate) fn post(&mut self, bytes: &[u8]) -> Heard {
        match self.world.receive(bytes, self.now).unwrap() {
            Reply::Frame(reply) => match read(&reply, &self.world.centre_public_key()).2 {
                Message::TransportAck(ack) => Heard::Acked { duplicate: ack.duplicate },
                Message::NegativeAck(nack) => Heard::Refused(nack.reject),
                other => panic!("{other:?}"),
            },
            nothing => Heard::Nothing(nothing),
        }
    }

    pub(crate) fn send(&mut self, message_type: MessageType, message: Message) -> Heard {
        let bytes = bank_frame(message_type, &message, self.now).encode().unwrap();
        self.post(&bytes)
    }

    /// Pays, and gives the id.
    pub(crate) fn pay(&mut self, rail: Rail, to: (&str, &str, &str), minor: u128) -> (MessageId, Heard) {
        let credit = self.credit(to, minor);
        let id = credit.message_id.clone();
        let message_type = match rail {
            Rail::Instant => MessageType::Ibps101,
            Rail::HighValue => MessageType::Hvps111,
        };
        (id, self.send(message_type, Message::Credit(credit)))
    }

    pub(crate) fn answer(&mut self, original: &MessageId, reject: Option<RejectCode>) -> Heard {
        let answer = Answer {
            message_id: self.id(),
            created_at: self.now,
            original: OriginalRef { message_id: original.clone(), message_type: MessageType::Ibps101 },
            status: if reject.is_some() { Status::Rejected } else { Status::Confirmed },
            reject,
            information: None,
        };
        self.send(MessageType::Ibps102, Message::Answer(answer))
    }

    pub(crate) fn cancel(&mut self, rail: Rail, original: &MessageId, minor: u128) -> Heard {
        let (message_type, original_type) = match rail {
            Rail::Instant => (MessageType::Ibps307, MessageType::Ibps101),
            Rail::HighValue => (MessageType::Hvps307, MessageType::Hvps111),
        };
        let request = CancelRequest {
            message_id: self.id(),
            created_at: self.now,
            original: OriginalRef { message_id: original.clone(), message_type: original_type },
            amount: Money::cny(minor),
            reason: None,
        };
        self.send(message_type, Message::CancelRequest(request))
    }

    /// Takes everything that is due, acknowledging it.
    pub(crate) fn deliver(&mut self) -> Vec<Message> {
        self.deliver_with(|_| None)
    }

    /// Takes everything that is due, refusing what `refuse` says.
    pub(crate) fn deliver_with(&mut self, refuse: impl Fn(&Message) -> Option<RejectCode>) -> Vec<Message> {
        let mut taken = Vec::new();
        loop {
            let due = self.world.outgoing(self.now);
            if due.is_empty() {
                return taken;
            }
            for delivery in due {
                let (header, _, message) = read(&delivery.frame_bytes, &self.world.centre_public_key());
                assert_eq!(header.message_id, message.message_id().transport_id());
                assert_eq!(&header.sender, message.message_id().bank());
                let reply = bank_reply(&header, self.id(), refuse(&message), self.now);
                self.world.delivered(delivery.id, &DeliveryOutcome::Reply(reply), self.now);
                taken.push(message);
            }
        }
    }

    pub(crate) fn control(&mut self, json: &str) -> Result<ControlAnswer, ControlError> {
        let control: Control = serde_json::from_str(json).unwrap();
        let answer = self.world.control(&control, self.now);
        assert!(self.world.defects().is_empty(), "{:?}", self.world.defects());
        answer
    }

    /// A credit from another bank, not yet delivered.
    pub(crate) fn inbound(&mut self, rail: &str, amount: &str) -> MessageId {
        let json = format!(
            r#"{{"send_credit":{{"to_account":"6230000000000001","to_name":"王芳","amount":"{amount}","rail":"{rail}"}}}}"#
        );
        MessageId::parse(&self.control(&json).unwrap().message_id.unwrap()).unwrap()
    }

    pub(crate) fn fault(&mut self, json: &str) {
        self.control(&format!(r#"{{"fault":{json}}}"#)).unwrap();
    }

    pub(crate) fn report(&self) -> serde_json::Value {
        self.world.report()
    }

    /// State of a payment in the report.
    pub(crate) fn state_of(&self, id: &MessageId) -> String {
        let report = self.report();
        let payments = report["payments"].as_array().unwrap();
        let payment = payments.iter().find(|p| p["message_id"] == id.to_string().as_str()).unwrap();
        payment["state"].as_str().unwrap().to_owned()
    }
}

/// The only answer among the messages.
pub(crate) fn only_answer(messages: &[Message]) -> Answer {
    let answers: Vec<&Answer> =
        messages.iter().filter_map(|m| if let Message::Answer(a) = m { Some(a) } else { None }).collect();
    assert_eq!(answers.len(), 1, "{messages:?}");
    answers[0].clone()
}

pub(crate) fn netting(messages: &[Message]) -> Vec<NettingNotice> {
    messages
        .iter()
        .filter_map(|m| if let Message::NettingNotice(n) = m { Some(n.clone()) } else { None })
        .collect()
}

pub(crate) fn settlement(messages: &[Message]) -> Vec<SettlementNotice> {
    let found = |m: &Message| if let Message::SettlementNotice(n) = m { Some(n.clone()) } else { None };
    messages.iter().filter_map(found).collect()
}

pub(crate) fn totals(messages: &[Message]) -> Vec<Totals> {
    messages.iter().filter_map(|m| if let Message::Totals(t) = m { Some(t.clone()) } else { None }).collect()
}
