//! Taking frames of our bank: the checks at the centre, in their order, and where each message goes.
//!
//! Order: frame, reachability, type, sender and receiver, schema, identifier, signature, duplicate, content. A frame
//! that passes the signature is remembered with what became of it, so a repeat gets the same answer.

use cnaps::{
    BankNumber, Direction, Ed25519Profile, Frame, Message, MessageType, RejectCode, SignatureProfile,
    Version, message_text,
};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::fault::Faults;
use super::{NotAFrame, Reply, World};
use crate::config::Rail;

/// A frame that was taken before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// SHA-256 over type and body.
    digest: [u8; 32],
    outcome: Result<(), Refused>,
}

/// Why a frame gets a negative acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) code: RejectCode,
    pub(crate) why: String,
}

/// A refusal with its reason.
pub(crate) fn refused<T>(code: RejectCode, why: impl ToString) -> Result<T, Refused> {
    Err(Refused { code, why: why.to_string() })
}

impl World {
    /// Takes a frame of our bank.
    ///
    /// # Errors
    /// Bytes that are no frame; nothing has changed then.
    pub fn receive(&mut self, frame_bytes: &[u8], now: Timestamp) -> Result<Reply, NotAFrame> {
        let frame = Frame::decode(frame_bytes)?;
        let at = self.advance_to(now);
        if self.is_unreachable(&frame) {
            return Ok(Reply::Down);
        }
        let judged = self.judge(&frame, at);
        let reply = match &judged {
            Ok(duplicate) => self.reply(&frame.header, None, at, *duplicate),
            Err(refused) => self.reply(&frame.header, Some((refused.code, &refused.why)), at, false),
        };
        if judged.is_ok() && Faults::strike(&mut self.faults.lost_acks) {
            return Ok(Reply::Lost);
        }
        Ok(reply)
    }

    fn is_unreachable(&self, frame: &Frame) -> bool {
        let system = MessageType::from_code(&frame.header.message_type).map(MessageType::system);
        let rail = Rail::ALL.into_iter().find(|rail| Some(rail.system()) == system);
        rail.map_or(self.all_down(), |rail| self.centre(rail).is_down)
    }

    /// Whether the frame is taken; true for a repeat.
    fn judge(&mut self, frame: &Frame, at: Timestamp) -> Result<bool, Refused> {
        let (message_type, message) = self.check_form(frame)?;
        let digest = digest(frame);
        let key = (frame.header.sender.clone(), frame.header.message_id.clone());
        if let Some(seen) = self.seen.get(&key) {
            if seen.digest != digest {
                return refused(RejectCode::CentreDuplicate, "this id was used for another message");
            }
            return seen.outcome.clone().map(|()| true);
        }
        let outcome = self.take(message_type, &message, at);
        self.seen.insert(key, Seen { digest, outcome: outcome.clone() });
        outcome.map(|()| false)
    }

    fn check_form(&self, frame: &Frame) -> Result<(MessageType, Message), Refused> {
        let header = &frame.header;
        let Some(message_type) = MessageType::from_code(&header.message_type) else {
            return refused(RejectCode::CentreSchema, format!("unknown type {}", header.message_type));
        };
        let system = message_type.system();
        if header.version != Version::V02 {
            return refused(RejectCode::CentreSchema, "header version 02 is needed");
        }
        if header.sender != self.config.bank || header.receiver != self.config.centre {
            return refused(RejectCode::CentreCheck, "sender or receiver is not a member of this connection");
        }
        if header.direction != Direction::Up
            || header.sender_system != system
            || header.receiver_system != system
        {
            return refused(RejectCode::CentreCheck, "direction or system of the header is wrong");
        }
        let (_, message) = match Message::parse(frame) {
            Ok(parsed) => parsed,
            Err(e) => return refused(RejectCode::CentreSchema, e),
        };
        let id = message.message_id();
        if id.transport_id() != header.message_id || *id.bank() != header.sender {
            return refused(RejectCode::CentreSchema, "header and body name different messages");
        }
        self.check_signature(message_type, &message, frame.signature.as_deref())?;
        Ok((message_type, message))
    }

    fn check_signature(
        &self,
        message_type: MessageType,
        message: &Message,
        signature: Option<&[u8]>,
    ) -> Result<(), Refused> {
        let profile = Ed25519Profile::new(&self.config.bank_public_key);
        let verified = profile.and_then(|profile| {
            profile.verify(&message_text(message_type, message), signature.unwrap_or_default())
        });
        verified.or_else(|e| refused(RejectCode::Signature, e))
    }

    fn take(&mut self, message_type: MessageType, message: &Message, at: Timestamp) -> Result<(), Refused> {
        let rail = match message_type.system() {
            cnaps::System::Ibps => Rail::Instant,
            cnaps::System::Hvps => Rail::HighValue,
            cnaps::System::Beps | cnaps::System::Saps | cnaps::System::Ccms => {
                return refused(RejectCode::CentreCheck, "members do not send this type");
            }
        };
        match message {
            Message::Credit(credit) => self.take_credit(rail, credit, at),
            Message::Answer(answer) => self.take_answer(rail, answer, at),
            Message::Return(returned) => self.take_return(rail, returned, at),
            Message::CancelRequest(request) => self.take_cancel(rail, request, at),
            Message::DetailRequest(request) => self.take_detail_request(rail, request, at),
            Message::CancelAnswer(_)
            | Message::NegativeAck(_)
            | Message::TransportAck(_)
            | Message::NettingNotice(_)
            | Message::SettlementNotice(_)
            | Message::Totals(_)
            | Message::DetailAnswer(_)
            | Message::BusinessDateChange(_)
            | Message::CentreStatus(_) => refused(RejectCode::CentreCheck, "members do not send this type"),
        }
    }

    /// Reads and checks our bank's reply to a frame of `sender` with this transport id: acknowledged, or refused.
    pub(crate) fn read_reply(
        &self,
        bytes: &[u8],
        sender: &BankNumber,
        transport_id: &str,
    ) -> Result<Result<(), Refused>, String> {
        let frame = Frame::decode(bytes).map_err(|e| e.to_string())?;
        let (message_type, message) = Message::parse(&frame).map_err(|e| e.to_string())?;
        if frame.header.sender != self.config.bank {
            return Err("the reply is not from our bank".to_owned());
        }
        self.check_signature(message_type, &message, frame.signature.as_deref()).map_err(|e| e.why)?;
        let (about, outcome) = match message {
            Message::TransportAck(ack) => ((ack.original_sender, ack.original_transport_id), Ok(())),
            Message::NegativeAck(nack) => {
                let why = nack.information.unwrap_or_default();
                let outcome = Err(Refused { code: nack.reject, why });
                ((nack.original_sender, nack.original_transport_id), outcome)
            }
            _ => return Err(format!("{} is not a reply", message_type.code())),
        };
        if about.0 == *sender && about.1 == transport_id {
            Ok(outcome)
        } else {
            Err("the reply is about another frame".to_owned())
        }
    }
}

fn digest(frame: &Frame) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(frame.header.message_type.as_bytes());
    hash.update([0]);
    hash.update(frame.body.as_bytes());
    hash.finalize().into()
}
