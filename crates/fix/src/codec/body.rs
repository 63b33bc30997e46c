//! A message in the making.

use std::fmt::Display;
use std::io::Write as _;

use crate::dictionary::{BEGIN_STRING, MsgType, Tag, tag};
use crate::time::UtcTime;

use super::{SOH, check_sum};

/// What the session puts before a body.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    /// Who sends.
    pub sender: &'a str,
    /// Who is meant.
    pub target: &'a str,
    /// The number in the session.
    pub seq: u64,
    /// When it is sent.
    pub at: UtcTime,
    /// When it was sent first, if it is sent again.
    pub first_at: Option<UtcTime>,
}

/// Type and fields of a message, without header and trailer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    msg_type: MsgType,
    bytes: Vec<u8>,
}

impl Body {
    /// A message without fields.
    #[must_use]
    pub const fn new(msg_type: MsgType) -> Self {
        Self { msg_type, bytes: Vec::new() }
    }

    /// One out of bytes that [`Body::bytes`] gave.
    #[must_use]
    pub const fn from_parts(msg_type: MsgType, bytes: Vec<u8>) -> Self {
        Self { msg_type, bytes }
    }

    /// Adds a field. Control characters become spaces, and an empty value adds nothing, since a field must have one.
    #[must_use]
    pub fn with(mut self, tag: Tag, value: impl Display) -> Self {
        let before = self.bytes.len();
        // Writing into a vector cannot fail.
        let _ = write!(self.bytes, "{tag}=");
        let value_at = self.bytes.len();
        let _ = write!(self.bytes, "{value}");
        if self.bytes.len() == value_at {
            self.bytes.truncate(before);
            return self;
        }
        for byte in self.bytes.iter_mut().skip(value_at).filter(|byte| byte.is_ascii_control()) {
            *byte = b' ';
        }
        self.bytes.push(SOH);
        self
    }

    /// Adds a field if there is a value.
    #[must_use]
    pub fn with_some(self, tag: Tag, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.with(tag, value),
            None => self,
        }
    }

    /// Adds `Y` or `N`.
    #[must_use]
    pub fn with_flag(self, tag: Tag, value: bool) -> Self {
        self.with(tag, if value { 'Y' } else { 'N' })
    }

    /// What it is.
    #[must_use]
    pub const fn msg_type(&self) -> MsgType {
        self.msg_type
    }

    /// The fields as they are written.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The whole message.
    #[must_use]
    pub fn frame(&self, header: &Header<'_>) -> Vec<u8> {
        let mut head = Self::new(self.msg_type)
            .with(tag::MSG_TYPE, self.msg_type.text())
            .with(tag::SENDER_COMP_ID, header.sender)
            .with(tag::TARGET_COMP_ID, header.target)
            .with(tag::MSG_SEQ_NUM, header.seq)
            .with(tag::SENDING_TIME, header.at);
        if let Some(first_at) = header.first_at {
            head = head.with_flag(tag::POSS_DUP_FLAG, true).with(tag::ORIG_SENDING_TIME, first_at);
        }
        let length = head.bytes.len().saturating_add(self.bytes.len());
        let mut whole = format!("8={BEGIN_STRING}\u{1}9={length}\u{1}").into_bytes();
        whole.extend_from_slice(&head.bytes);
        whole.extend_from_slice(&self.bytes);
        let sum = check_sum(&whole);
        let _ = write!(whole, "10={sum:03}\u{1}");
        whole
    }
}
