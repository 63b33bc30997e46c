//! Checking a frame before anything is done with it, and answering it.

use cnaps::{
    Frame, Header, Message, MessageError, MessageType, NegativeAck, RejectCode, SignatureProfile, System,
    TransportAck, message_text,
};
use money::Timestamp;
use payments::{Rail, RailStatus};

use crate::convert::to_rail_time;
use crate::inbound::incoming;
use crate::outbound::{Outgoing, SendError};
use crate::{Incoming, Translator};

/// Longest explanation in a negative acknowledgement, in characters.
const INFORMATION_CHARS_MAX: usize = 140;

/// Why a frame is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The code for the other side's machine.
    pub code: RejectCode,
    /// The words for its people.
    pub information: String,
}

impl Rejection {
    /// The rejection that a refusal of the bank becomes.
    #[must_use]
    pub fn of(refusal: &bank::Refusal) -> Self {
        let code = match refusal {
            bank::Refusal::Payments(payments::Refusal::DuplicateMessage { .. }) => {
                RejectCode::CentreDuplicate
            }
            _ => RejectCode::PayeeCheck,
        };
        Self { code, information: refusal.to_string() }
    }
}

fn refuse(code: RejectCode, information: String) -> Rejection {
    Rejection { code, information }
}

impl Translator {
    /// What a frame says, once its sender, receiver, schema and signature are right. `known` is what a rail last said of itself.
    ///
    /// # Errors
    /// A [`Rejection`]: receiver, then schema, then signature, then sender, then meaning.
    pub fn accept(
        &self,
        frame: &Frame,
        known: impl Fn(Rail) -> Option<RailStatus>,
    ) -> Result<Incoming, Rejection> {
        let header = &frame.header;
        if header.receiver.as_str() != self.bank().as_str() {
            let information = format!("receiver {} is another bank", header.receiver);
            return Err(refuse(RejectCode::PayeeCheck, information));
        }
        let (message_type, message) = Message::parse(frame).map_err(|error| match error {
            MessageError::Schema(invalid) => refuse(RejectCode::CentreSchema, invalid.to_string()),
            other => refuse(RejectCode::PayeeCheck, other.to_string()),
        })?;
        let signature = frame.signature.as_deref().unwrap_or_default();
        self.centre_key()
            .verify(&message_text(message_type, &message), signature)
            .map_err(|error| refuse(RejectCode::Signature, error.to_string()))?;
        if header.sender != *self.centre()
            && !(is_forwarded(&message) && message.message_id().bank() == &header.sender)
        {
            let information = format!("{} does not send this message", header.sender);
            return Err(refuse(RejectCode::PayeeCheck, information));
        }
        incoming(header.sender_system, &message, known)
            .map_err(|error| refuse(RejectCode::PayeeCheck, error.to_string()))
    }

    /// The acknowledgement of a frame; `serial` numbers our acknowledgements of the day.
    ///
    /// # Errors
    /// A time that the rail cannot write.
    pub fn acknowledgement(
        &self,
        original: &Header,
        serial: u64,
        now: Timestamp,
        duplicate: bool,
    ) -> Result<Outgoing, SendError> {
        let ack = TransportAck {
            message_id: self.numbered(serial, now)?,
            created_at: to_rail_time(now)?,
            original_sender: original.sender.clone(),
            original_transport_id: original.message_id.clone(),
            original_type: original.message_type.clone(),
            duplicate,
        };
        let message_type = answer_type(original, MessageType::Ibps990, MessageType::Hvps990);
        self.frame(message_type, &Message::TransportAck(ack), now)
    }

    /// The negative acknowledgement of a frame.
    ///
    /// # Errors
    /// A time that the rail cannot write.
    pub fn rejection(
        &self,
        original: &Header,
        serial: u64,
        now: Timestamp,
        rejection: &Rejection,
    ) -> Result<Outgoing, SendError> {
        let plain = crate::convert::rail_text(&rejection.information);
        let plain: String = plain.chars().filter(|c| !c.is_control()).take(INFORMATION_CHARS_MAX).collect();
        let nack = NegativeAck {
            message_id: self.numbered(serial, now)?,
            created_at: to_rail_time(now)?,
            original_sender: original.sender.clone(),
            original_transport_id: original.message_id.clone(),
            original_type: original.message_type.clone(),
            reject: rejection.code,
            information: Some(plain.trim().to_owned()).filter(|text| !text.is_empty()),
        };
        let message_type = answer_type(original, MessageType::Ibps900, MessageType::Hvps900);
        self.frame(message_type, &Message::NegativeAck(nack), now)
    }
}

/// What another bank says and the centre passes on under that bank's number and its own signature. All else is the centre's own word.
const fn is_forwarded(message: &Message) -> bool {
    matches!(message, Message::Credit(_) | Message::Answer(_) | Message::Return(_) | Message::CancelAnswer(_))
}

const fn answer_type(original: &Header, instant: MessageType, high_value: MessageType) -> MessageType {
    match original.sender_system {
        System::Hvps => high_value,
        System::Ibps | System::Beps | System::Saps | System::Ccms => instant,
    }
}
