//! A message: a typed body that a frame carries.
//!
//! Parsing checks the body against the schema of the type that the header names; building checks it again before a
//! frame exists. So neither side handles content its schema does not allow.

use iso20022::{Document, Element, Invalid};

use crate::body::{
    Answer, BusinessDateChange, CancelAnswer, CancelRequest, CentreStatus, Credit, DetailAnswer,
    DetailRequest, NegativeAck, NettingNotice, Return, SettlementNotice, Totals, TransportAck,
};
use crate::frame::{Frame, FrameError, Header};
use crate::ids::MessageId;
use crate::message_type::{Form, MessageType};
use crate::reader::Reader;

/// Why a frame's body is not a message, or a message cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The type in the header is not one of the rail's.
    #[error("unknown message type {0:?}")]
    UnknownType(String),
    /// The message has another form than the type asks for.
    #[error("message type {0} has another form")]
    WrongForm(&'static str),
    /// The body breaks its schema; the faults carry their paths.
    #[error("{0}")]
    Schema(Invalid),
    /// A value the schema allows but the rail does not.
    #[error("{path}: {problem}")]
    Value {
        /// Place of the value.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// The frame cannot be written.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// A message of any form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A credit transfer (ibps.101, hvps.111).
    Credit(Credit),
    /// The answer to a payment (102).
    Answer(Answer),
    /// The return of a settled payment (112): our own number for a form after pacs.004.
    Return(Return),
    /// A request to cancel a payment before netting (307).
    CancelRequest(CancelRequest),
    /// The answer to a request to cancel (308).
    CancelAnswer(CancelAnswer),
    /// A negative acknowledgement: received and refused (900).
    NegativeAck(NegativeAck),
    /// A transport acknowledgement: received and stored (990).
    TransportAck(TransportAck),
    /// A netting notice of one round (601).
    NettingNotice(NettingNotice),
    /// A settlement notice of one round (603).
    SettlementNotice(SettlementNotice),
    /// End-of-day totals (701).
    Totals(Totals),
    /// A request for the payments behind the totals (703).
    DetailRequest(DetailRequest),
    /// The payments behind the totals (704).
    DetailAnswer(DetailAnswer),
    /// A change of the business date (ccms.801).
    BusinessDateChange(BusinessDateChange),
    /// The state of a system (ccms.803).
    CentreStatus(CentreStatus),
}

impl Message {
    /// Reads the body of a frame.
    ///
    /// # Errors
    /// An unknown type, a body that breaks the schema of its type (with the path), or a value that is no valid
    /// identifier, day or amount.
    pub fn parse(frame: &Frame) -> Result<(MessageType, Self), MessageError> {
        let code = &frame.header.message_type;
        let message_type =
            MessageType::from_code(code).ok_or_else(|| MessageError::UnknownType(code.clone()))?;
        let document = schema(message_type)?.validate(frame.body.as_bytes()).map_err(MessageError::Schema)?;
        let path = format!("/{}", document.root.name);
        let child = document
            .root
            .children
            .first()
            .ok_or_else(|| MessageError::Value { path: path.clone(), problem: "no content".to_owned() })?;
        let r = &Reader::new(child, format!("{path}/{}", child.name));
        let message = match message_type.form() {
            Form::Credit => Self::Credit(Credit::read(r)?),
            Form::Answer => Self::Answer(Answer::read(r)?),
            Form::Return => Self::Return(Return::read(r)?),
            Form::CancelRequest => Self::CancelRequest(CancelRequest::read(r)?),
            Form::CancelAnswer => Self::CancelAnswer(CancelAnswer::read(r)?),
            Form::NegativeAck => Self::NegativeAck(NegativeAck::read(r)?),
            Form::TransportAck => Self::TransportAck(TransportAck::read(r)?),
            Form::NettingNotice => Self::NettingNotice(NettingNotice::read(r)?),
            Form::SettlementNotice => Self::SettlementNotice(SettlementNotice::read(r)?),
            Form::Totals => Self::Totals(Totals::read(r)?),
            Form::DetailRequest => Self::DetailRequest(DetailRequest::read(r)?),
            Form::DetailAnswer => Self::DetailAnswer(DetailAnswer::read(r)?),
            Form::BusinessDateChange => Self::BusinessDateChange(BusinessDateChange::read(r)?),
            Form::CentreStatus => Self::CentreStatus(CentreStatus::read(r)?),
        };
        Ok((message_type, message))
    }

    /// Makes a frame: the body is validated before it is returned. The header's message type is set from
    /// `message_type`; its other fields are the caller's.
    ///
    /// # Errors
    /// A form that does not belong to the type, or content its schema refuses.
    pub fn to_frame(&self, message_type: MessageType, header: Header) -> Result<Frame, MessageError> {
        if message_type.form() != self.form() {
            return Err(MessageError::WrongForm(message_type.code()));
        }
        let root = Element::new("Document").with(self.to_element());
        let document = Document::new(message_type.namespace(), root);
        let bytes = schema(message_type)?.emit(&document).map_err(MessageError::Schema)?;
        let body = String::from_utf8(bytes).map_err(|_| FrameError::NotUtf8 { offset: 0 })?;
        let header = Header { message_type: message_type.code().to_owned(), ..header };
        let frame = Frame { header, signature: None, body };
        frame.encode()?;
        // Reading back catches values that the schema allows but the rail does not.
        Self::parse(&frame)?;
        Ok(frame)
    }

    /// The form.
    #[must_use]
    pub fn form(&self) -> Form {
        match self {
            Self::Credit(_) => Form::Credit,
            Self::Answer(_) => Form::Answer,
            Self::Return(_) => Form::Return,
            Self::CancelRequest(_) => Form::CancelRequest,
            Self::CancelAnswer(_) => Form::CancelAnswer,
            Self::NegativeAck(_) => Form::NegativeAck,
            Self::TransportAck(_) => Form::TransportAck,
            Self::NettingNotice(_) => Form::NettingNotice,
            Self::SettlementNotice(_) => Form::SettlementNotice,
            Self::Totals(_) => Form::Totals,
            Self::DetailRequest(_) => Form::DetailRequest,
            Self::DetailAnswer(_) => Form::DetailAnswer,
            Self::BusinessDateChange(_) => Form::BusinessDateChange,
            Self::CentreStatus(_) => Form::CentreStatus,
        }
    }

    /// The identifier of the message.
    #[must_use]
    pub fn message_id(&self) -> &MessageId {
        match self {
            Self::Credit(m) => &m.message_id,
            Self::Answer(m) => &m.message_id,
            Self::Return(m) => &m.message_id,
            Self::CancelRequest(m) => &m.message_id,
            Self::CancelAnswer(m) => &m.message_id,
            Self::NegativeAck(m) => &m.message_id,
            Self::TransportAck(m) => &m.message_id,
            Self::NettingNotice(m) => &m.message_id,
            Self::SettlementNotice(m) => &m.message_id,
            Self::Totals(m) => &m.message_id,
            Self::DetailRequest(m) => &m.message_id,
            Self::DetailAnswer(m) => &m.message_id,
            Self::BusinessDateChange(m) => &m.message_id,
            Self::CentreStatus(m) => &m.message_id,
        }
    }

    /// The tree below `Document`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        match self {
            Self::Credit(m) => m.write(),
            Self::Answer(m) => m.write(),
            Self::Return(m) => m.write(),
            Self::CancelRequest(m) => m.write(),
            Self::CancelAnswer(m) => m.write(),
            Self::NegativeAck(m) => m.write(),
            Self::TransportAck(m) => m.write(),
            Self::NettingNotice(m) => m.write(),
            Self::SettlementNotice(m) => m.write(),
            Self::Totals(m) => m.write(),
            Self::DetailRequest(m) => m.write(),
            Self::DetailAnswer(m) => m.write(),
            Self::BusinessDateChange(m) => m.write(),
            Self::CentreStatus(m) => m.write(),
        }
    }
}

fn schema(message_type: MessageType) -> Result<&'static iso20022::Schema, MessageError> {
    message_type.schema().map_err(|e| MessageError::Value { path: "/".to_owned(), problem: e.to_string() })
}
