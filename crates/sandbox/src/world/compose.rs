//! Making frames: identifiers, headers, signatures.

use cnaps::{
    BankNumber, Direction, Ed25519Profile, Frame, Header, Message, MessageError, MessageId, MessageType,
    NegativeAck, RejectCode, TransportAck, Version, message_text,
};
use jiff::Timestamp;
use jiff::civil::Time;

use super::{Reply, World};
use crate::calendar::local;
use crate::config::Rail;
use crate::text;

/// Normal priority.
const PRIORITY_NORMAL: u8 = 3;

/// The outside of a message to our bank.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    /// The system that carries it; none for common control.
    pub(crate) rail: Option<Rail>,
    /// Who made it: the centre, or the bank whose message the centre forwards.
    pub(crate) sender: BankNumber,
    /// Its type.
    pub(crate) message_type: MessageType,
    /// What it refers to.
    pub(crate) reference: Option<MessageId>,
}

impl World {
    /// The next identifier of a member.
    pub(crate) fn next_id(&mut self, member: &BankNumber, at: Timestamp) -> Result<MessageId, MessageError> {
        let date = local(at).date();
        let sequence = self.sequences.entry((member.clone(), date)).or_default();
        *sequence = sequence.saturating_add(1);
        MessageId::new(member.clone(), date, *sequence)
            .map_err(|e| MessageError::Value { path: "message id".to_owned(), problem: e.to_string() })
    }

    /// A signed frame.
    pub(crate) fn signed(
        &self,
        letter: &Letter,
        message: &Message,
        at: Timestamp,
    ) -> Result<Frame, MessageError> {
        let now = local(at);
        let (date, time) = (now.date(), now.time());
        let system = letter.message_type.system();
        let header = Header {
            version: Version::V02,
            sender: letter.sender.clone(),
            sender_system: system,
            receiver: self.config.bank.clone(),
            receiver_system: system,
            date,
            time: Time::new(time.hour(), time.minute(), time.second(), 0).unwrap_or(Time::MIN),
            message_type: String::new(),
            message_id: message.message_id().transport_id(),
            reference_id: letter.reference.as_ref().map(MessageId::transport_id).unwrap_or_default(),
            priority: PRIORITY_NORMAL,
            direction: Direction::Down,
        };
        let mut frame = message.to_frame(letter.message_type, header)?;
        frame.signature = Some(Ed25519Profile::sign(&self.key, &message_text(letter.message_type, message)));
        Ok(frame)
    }

    /// Makes a message under a new identifier of its sender and puts it into the queue.
    pub(crate) fn send(
        &mut self,
        letter: &Letter,
        at: Timestamp,
        build: impl FnOnce(MessageId) -> Message,
    ) -> Option<MessageId> {
        let made = self.next_id(&letter.sender, at).map(build);
        let made = made.and_then(|message| Ok((self.sealed(letter, &message, at)?, message)));
        match made {
            Ok((bytes, message)) => {
                let id = message.message_id().clone();
                self.queue(letter, id.clone(), bytes, false);
                Some(id)
            }
            Err(e) => {
                self.defect(letter.message_type, &e);
                None
            }
        }
    }

    /// The bytes of a signed frame.
    pub(crate) fn sealed(
        &self,
        letter: &Letter,
        message: &Message,
        at: Timestamp,
    ) -> Result<Vec<u8>, MessageError> {
        Ok(self.signed(letter, message, at)?.encode()?)
    }

    pub(crate) fn defect(&mut self, message_type: MessageType, error: &MessageError) {
        self.defects.push(format!("{}: {error}", message_type.code()));
    }

    /// The reply to a frame: 990, or 900 where it is refused.
    pub(crate) fn reply(
        &mut self,
        to: &Header,
        refused: Option<(RejectCode, &str)>,
        at: Timestamp,
        duplicate: bool,
    ) -> Reply {
        let system = MessageType::from_code(&to.message_type).map(MessageType::system);
        let message_type = match (system == Some(cnaps::System::Hvps), refused.is_some()) {
            (false, false) => MessageType::Ibps990,
            (false, true) => MessageType::Ibps900,
            (true, false) => MessageType::Hvps990,
            (true, true) => MessageType::Hvps900,
        };
        let centre = self.config.centre.clone();
        let letter = Letter { rail: None, sender: centre.clone(), message_type, reference: None };
        let (original_sender, original_transport_id, original_type) =
            (to.sender.clone(), to.message_id.clone(), to.message_type.clone());
        let build = |message_id| match refused {
            None => Message::TransportAck(TransportAck {
                message_id,
                created_at: at,
                original_sender,
                original_transport_id,
                original_type,
                duplicate,
            }),
            Some((reject, information)) => Message::NegativeAck(NegativeAck {
                message_id,
                created_at: at,
                original_sender,
                original_transport_id,
                original_type,
                reject,
                information: text::field(information, 140),
            }),
        };
        let made = self.next_id(&centre, at).map(build);
        match made.and_then(|message| self.sealed(&letter, &message, at)) {
            Ok(bytes) => Reply::Frame(bytes),
            Err(e) => {
                self.defect(message_type, &e);
                Reply::Lost
            }
        }
    }
}
