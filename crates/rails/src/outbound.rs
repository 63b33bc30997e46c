//! From an effect to a signed frame. Every byte follows from the effect and the time it was decided at.

use cnaps::{
    CancelRequest, Credit, Direction, Ed25519Profile, Frame, Header, Message, MessageError, MessageType,
    OriginalRef, RejectCode, Return, SignatureProfile, Status, System, Version, message_text,
};
use ed25519_dalek::SigningKey;
use jiff::tz::Offset;
use money::{EffectId, Timestamp};
use payments::{BankNumber, Effect, MessageKey, Rail};
use thiserror::Error;

use crate::convert::{ConvertError, rail_text, to_money, to_rail_bank, to_rail_id, to_rail_time};

/// Answers and acknowledgements are numbered in the upper half of a day's eight digits, payments in the lower.
const OWN_SEQUENCES_FROM: u32 = 50_000_000;
/// Numbers in that half.
const OWN_SEQUENCES: u64 = 49_000_000;
/// Priority of our messages in the header: normal.
const PRIORITY: u8 = 3;

/// Why an effect cannot become a message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SendError {
    /// A value the rail cannot carry.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// The message's own schema refuses it.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// A code the rail does not have.
    #[error("the rail has no code {0:?}")]
    Code(String),
    /// The rail has no such message.
    #[error("rail {0} has no such message")]
    Rail(&'static str),
}

/// A frame to send.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The transport id, for logs.
    pub transport_id: String,
}

/// What the centre answered to a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It has it.
    Acknowledged,
    /// It does not take it, for good.
    Refused(RejectCode),
    /// The answer is no acknowledgement of this frame: as good as none.
    Unclear(String),
}

/// Turns effects into frames and back, for one bank and one centre.
#[derive(Debug)]
pub struct Translator {
    bank: BankNumber,
    centre: cnaps::BankNumber,
    key: SigningKey,
    centre_key: Ed25519Profile,
    offset: Offset,
}

impl Translator {
    /// A translator for `bank`, whose local time is `utc_offset_minutes` east of Greenwich.
    ///
    /// # Errors
    /// An offset beyond a day.
    pub fn new(
        bank: BankNumber,
        centre: cnaps::BankNumber,
        key: SigningKey,
        centre_key: Ed25519Profile,
        utc_offset_minutes: i32,
    ) -> Result<Self, ConvertError> {
        let seconds = utc_offset_minutes.saturating_mul(60);
        let offset = Offset::from_seconds(seconds)
            .map_err(|error| ConvertError { what: "offset", problem: error.to_string() })?;
        Ok(Self { bank, centre, key, centre_key, offset })
    }

    /// Our own clearing number.
    #[must_use]
    pub const fn bank(&self) -> &BankNumber {
        &self.bank
    }

    pub(crate) const fn centre(&self) -> &cnaps::BankNumber {
        &self.centre
    }

    pub(crate) const fn centre_key(&self) -> &Ed25519Profile {
        &self.centre_key
    }

    /// The frame for an effect that was decided at `since`.
    ///
    /// # Errors
    /// A value that the rail cannot carry: the effect can never be done and is refused.
    pub fn outgoing(&self, id: EffectId, effect: &Effect, since: Timestamp) -> Result<Outgoing, SendError> {
        match effect {
            Effect::SendCredit { rail, message, from, to, amount, note, .. } => {
                let message_id = to_rail_id(message)?;
                let credit = Credit {
                    created_at: to_rail_time(since)?,
                    end_to_end_id: message_id.to_string(),
                    amount: to_money(*amount)?,
                    settlement_date: message_id.date(),
                    debtor_name: rail_text(from.name.as_str()),
                    debtor_account: from.account.to_string(),
                    debtor_bank: to_rail_bank(&from.bank)?,
                    creditor_bank: to_rail_bank(&to.bank)?,
                    creditor_name: rail_text(to.name.as_str()),
                    creditor_account: to.account.to_string(),
                    remittance: Some(rail_text(note.as_str())).filter(|text| !text.is_empty()),
                    message_id,
                };
                let message_type = match rail {
                    Rail::Instant => MessageType::Ibps101,
                    Rail::HighValue => MessageType::Hvps111,
                    Rail::Internal => return Err(SendError::Rail(rail.name())),
                };
                self.frame(message_type, &Message::Credit(credit), since)
            }
            Effect::SendAnswer { rail, original, reject, .. } => {
                let (status, reject) = match reject {
                    None => (Status::Confirmed, None),
                    Some(code) => (Status::Rejected, Some(reject_code(code.as_str())?)),
                };
                let answer = cnaps::Answer {
                    message_id: self.own_id(id, since)?,
                    created_at: to_rail_time(since)?,
                    original: original_of(*rail, original)?,
                    status,
                    reject,
                    information: None,
                };
                self.frame(
                    of(*rail, MessageType::Ibps102, MessageType::Hvps102)?,
                    &Message::Answer(answer),
                    since,
                )
            }
            Effect::SendCancel { rail, message, original, amount, .. } => {
                let request = CancelRequest {
                    message_id: to_rail_id(message)?,
                    created_at: to_rail_time(since)?,
                    original: OriginalRef {
                        message_id: to_rail_id(original)?,
                        message_type: credit_type(*rail)?,
                    },
                    amount: to_money(*amount)?,
                    reason: None,
                };
                let message_type = of(*rail, MessageType::Ibps307, MessageType::Hvps307)?;
                self.frame(message_type, &Message::CancelRequest(request), since)
            }
            Effect::SendReturn { rail, message, original, amount, code, to, .. } => {
                let message_id = to_rail_id(message)?;
                let back = Return {
                    created_at: to_rail_time(since)?,
                    original: original_of(*rail, original)?,
                    amount: to_money(*amount)?,
                    settlement_date: message_id.date(),
                    from_bank: to_rail_bank(&self.bank)?,
                    to_bank: to_rail_bank(&to.bank)?,
                    reason: reject_code(code.as_str())?,
                    information: None,
                    message_id,
                };
                self.frame(
                    of(*rail, MessageType::Ibps112, MessageType::Hvps112)?,
                    &Message::Return(back),
                    since,
                )
            }
        }
    }

    /// Reads what the centre answered to `outgoing`.
    #[must_use]
    pub fn sent(&self, outgoing: &Outgoing, answer: &[u8]) -> Sent {
        let message = match self.opened(answer) {
            Ok((_, message)) => message,
            Err(problem) => return Sent::Unclear(problem),
        };
        let about = |id: &str| id == outgoing.transport_id;
        match message {
            Message::TransportAck(ack) if about(&ack.original_transport_id) => Sent::Acknowledged,
            Message::NegativeAck(nack) if about(&nack.original_transport_id) => Sent::Refused(nack.reject),
            _ => Sent::Unclear("the answer is about another message".to_owned()),
        }
    }

    /// A frame's message, its sender and signature checked.
    pub(crate) fn opened(&self, bytes: &[u8]) -> Result<(Frame, Message), String> {
        let frame = Frame::decode(bytes).map_err(|error| error.to_string())?;
        if frame.header.sender != self.centre {
            return Err(format!("sender {} is not the centre", frame.header.sender));
        }
        let (message_type, message) = Message::parse(&frame).map_err(|error| error.to_string())?;
        let signature = frame.signature.as_deref().unwrap_or_default();
        self.centre_key
            .verify(&message_text(message_type, &message), signature)
            .map_err(|error| error.to_string())?;
        Ok((frame, message))
    }

    /// A signed frame around a message.
    pub(crate) fn frame(
        &self,
        message_type: MessageType,
        message: &Message,
        at: Timestamp,
    ) -> Result<Outgoing, SendError> {
        let local = self.offset.to_datetime(to_rail_time(at)?);
        let transport_id = message.message_id().transport_id();
        let header = Header {
            version: Version::V02,
            sender: to_rail_bank(&self.bank)?,
            sender_system: message_type.system(),
            receiver: self.centre.clone(),
            receiver_system: message_type.system(),
            date: local.date(),
            time: local.time().round(jiff::Unit::Second).unwrap_or(local.time()),
            message_type: String::new(),
            message_id: transport_id.clone(),
            reference_id: String::new(),
            priority: PRIORITY,
            direction: Direction::Up,
        };
        let mut frame = message.to_frame(message_type, header)?;
        frame.signature = Some(Ed25519Profile::sign(&self.key, &message_text(message_type, message)));
        let bytes = frame.encode().map_err(MessageError::Frame)?;
        Ok(Outgoing { bytes, transport_id })
    }

    /// The id of a message that payments did not number: from the effect, so that it is the same every time.
    fn own_id(&self, id: EffectId, since: Timestamp) -> Result<cnaps::MessageId, SendError> {
        let serial = u64::try_from(id.value()).unwrap_or(u64::MAX);
        self.numbered(serial, since)
    }

    /// The id with a number of the upper half, on the local day of `at`.
    pub(crate) fn numbered(&self, serial: u64, at: Timestamp) -> Result<cnaps::MessageId, SendError> {
        let day = self.offset.to_datetime(to_rail_time(at)?).date();
        let offset = serial.checked_rem(OWN_SEQUENCES).unwrap_or(0);
        let sequence = OWN_SEQUENCES_FROM.saturating_add(u32::try_from(offset).unwrap_or(0));
        cnaps::MessageId::new(to_rail_bank(&self.bank)?, day, sequence).map_err(|error| {
            SendError::Convert(ConvertError { what: "message id", problem: error.to_string() })
        })
    }
}

fn reject_code(code: &str) -> Result<RejectCode, SendError> {
    RejectCode::from_code(code).ok_or_else(|| SendError::Code(code.to_owned()))
}

fn of(rail: Rail, instant: MessageType, high_value: MessageType) -> Result<MessageType, SendError> {
    match rail {
        Rail::Instant => Ok(instant),
        Rail::HighValue => Ok(high_value),
        Rail::Internal => Err(SendError::Rail(rail.name())),
    }
}

fn credit_type(rail: Rail) -> Result<MessageType, SendError> {
    of(rail, MessageType::Ibps101, MessageType::Hvps111)
}

fn original_of(rail: Rail, original: &MessageKey) -> Result<OriginalRef, SendError> {
    Ok(OriginalRef { message_id: to_rail_id(&original.id)?, message_type: credit_type(rail)? })
}

/// The system of a rail, in a header.
pub(crate) const fn rail_of(system: System) -> Option<Rail> {
    match system {
        System::Ibps | System::Saps => Some(Rail::Instant),
        System::Hvps => Some(Rail::HighValue),
        System::Beps | System::Ccms => None,
    }
}
