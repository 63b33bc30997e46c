//! Framing, identifiers, status codes and message forms of a CNAPS-type rail.
//!
//! This is the **sandbox's own model**. It follows public facts about such rails (header, ranges of message types, flow,
//! codes) and borrows ISO 20022 shapes, but its schemas are ours, in namespaces `urn:jinku:sandbox:xsd:…`; it is not
//! the message standard of any operator. Numbers 112 (return), 801 and 803, and the answers of the high-value system are
//! our choice within the ranges. Our rail driver and the sandbox process share this crate, so that both speak the same.
//!
//! # Transport
//! A frame travels as the body of `POST /frames` ([`FRAMES_PATH`], content type [`FRAME_CONTENT_TYPE`]) between bank and
//! centre, in both directions. The receiver answers in the HTTP response body with one frame: a transport
//! acknowledgement (990) once the frame is stored for good, also for a repeat it recognises (`duplicate` true), or a
//! negative acknowledgement (900) where it refuses the frame. Status 200 in both cases. Anything else, or no answer,
//! means "not sent": the sender repeats the same frame, and the receiver recognises it by sender and message id.
//! Bytes that are no frame at all cannot be acknowledged and get status 400.
//!
//! # Example
//! ```
//! use cnaps::{BankNumber, Direction, Frame, Header, Message, MessageId, MessageType, TransportAck, System, Version};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (centre, bank) = (BankNumber::parse("000000000001")?, BankNumber::parse("313100000015")?);
//! let date = jiff::civil::date(2026, 11, 24);
//! let message_id = MessageId::new(centre.clone(), date, 1)?;
//! let header = Header {
//!     version: Version::V02,
//!     sender: centre,
//!     sender_system: System::Ibps,
//!     receiver: bank.clone(),
//!     receiver_system: System::Ibps,
//!     date,
//!     time: jiff::civil::time(9, 30, 0, 0),
//!     message_type: String::new(), // set by `to_frame`
//!     message_id: message_id.transport_id(),
//!     reference_id: String::new(),
//!     priority: 3,
//!     direction: Direction::Down,
//! };
//! let ack = Message::TransportAck(TransportAck {
//!     message_id,
//!     created_at: "2026-11-24T01:30:00Z".parse()?,
//!     original_sender: bank,
//!     original_transport_id: "20261124000000010000".to_owned(),
//!     original_type: "ibps.101".to_owned(),
//!     duplicate: false,
//! });
//! let bytes = ack.to_frame(MessageType::Ibps990, header)?.encode()?;
//! let (message_type, back) = Message::parse(&Frame::decode(&bytes)?)?;
//! assert_eq!((message_type, back), (MessageType::Ibps990, ack));
//! # Ok(())
//! # }
//! ```

mod body;
mod codes;
mod frame;
mod ids;
mod message;
mod message_type;
mod reader;
mod signature;

pub use body::{
    Answer, BusinessDateChange, CancelAnswer, CancelRequest, CentreStatus, Credit, DetailAnswer, DetailLine,
    DetailRequest, NegativeAck, Net, NettingEntry, NettingNotice, OriginalRef, Return, SettlementNotice,
    TotalLine, Totals, TransportAck,
};
pub use codes::{CentreState, RejectCode, Side, Status, System};
pub use frame::{
    Direction, FRAME_SIZE_BYTES_LIMIT, Frame, FrameError, Header, SIGNATURE_SIZE_BYTES_MAX, Version,
};
pub use ids::{BankNumber, IdError, MessageId, Money};
pub use message::{Message, MessageError};
pub use message_type::{Form, MessageType};
pub use signature::{Ed25519Profile, SignatureError, SignatureProfile, message_text, signature_text};

/// Path that frames are posted to.
pub const FRAMES_PATH: &str = "/frames";

/// Content type of a posted frame and of its answer.
pub const FRAME_CONTENT_TYPE: &str = "application/octet-stream";
