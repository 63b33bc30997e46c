//! A message that was read: its fields, in order.

use std::ops::Range;

use crate::dictionary::{BEGIN_STRING, Fault, MsgType, RejectReason, Tag, data_after, is_header, tag};
use crate::time::UtcTime;

use super::SOH;

/// Most digits of a tag.
const TAG_DIGITS_MAX: usize = 6;

/// Why there is no message to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It does not begin as every message must. It is passed over as if it had not come, and asked for again with the gap that it leaves.
    #[error("the first fields are not begin string, body length and message type")]
    Garbled,
    /// Another version; the session cannot go on.
    #[error("another version than FIX.4.4")]
    Version,
    /// There is no number to answer to; the session cannot go on.
    #[error("no sequence number")]
    NoNumber,
}

#[derive(Debug, Clone)]
struct Field {
    tag: Tag,
    value: Range<usize>,
}

/// A message whose frame is right. Its `Debug` shows no values, for a logon has a password.
#[derive(Clone)]
pub struct Message {
    bytes: Vec<u8>,
    fields: Vec<Field>,
    msg_type: Option<MsgType>,
    seq: u64,
    fault: Option<Fault>,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (msg_type, seq, fault) = (self.msg_type, self.seq, self.fault);
        write!(f, "Message {{ {msg_type:?}, seq {seq}, {fault:?} }}")
    }
}

impl Message {
    /// Reads a message out of what [`super::Framer`] found. Faults of single fields leave a message that can be answered: see [`Message::fault`].
    ///
    /// # Errors
    /// There is nothing that could be answered.
    pub fn read(bytes: Vec<u8>) -> Result<Self, Unreadable> {
        let mut message = Self { bytes, fields: Vec::new(), msg_type: None, seq: 0, fault: None };
        message.fault = message.split();
        let text = |at: usize, tag: Tag| {
            let field = message.fields.get(at).filter(|field| field.tag == tag)?;
            message.slice(&field.value).and_then(|value| std::str::from_utf8(value).ok())
        };
        let version = text(0, tag::BEGIN_STRING).ok_or(Unreadable::Garbled)?;
        if version != BEGIN_STRING {
            return Err(Unreadable::Version);
        }
        let (Some(_), Some(kind)) = (text(1, tag::BODY_LENGTH), text(2, tag::MSG_TYPE)) else {
            return Err(Unreadable::Garbled);
        };
        let is_published = MsgType::is_published(kind);
        message.msg_type = MsgType::from_text(kind);
        if message.msg_type.is_none() && !is_published {
            message.note(Fault::of(RejectReason::InvalidMsgType, tag::MSG_TYPE));
        }
        match message.number(tag::MSG_SEQ_NUM) {
            Ok(seq) if seq > 0 => message.seq = seq,
            _ => return Err(Unreadable::NoNumber),
        }
        if let Some(fault) = message.order_of_fields() {
            message.note(fault);
        }
        for required in [tag::SENDER_COMP_ID, tag::TARGET_COMP_ID, tag::SENDING_TIME] {
            if let Err(fault) = message.required(required) {
                message.note(fault);
            }
        }
        Ok(message)
    }

    fn note(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    fn slice(&self, range: &Range<usize>) -> Option<&[u8]> {
        self.bytes.get(range.clone())
    }

    /// Cuts the bytes into fields; answers the first fault.
    fn split(&mut self) -> Option<Fault> {
        let (mut at, mut fault) = (0, None);
        let mut data: Option<(Tag, usize)> = None;
        while at < self.bytes.len() {
            let rest = self.bytes.get(at..).unwrap_or_default();
            let end_of_field = rest.iter().position(|byte| *byte == SOH).unwrap_or(rest.len());
            let plain = rest.get(..end_of_field).unwrap_or_default();
            let Some(sign) = plain.iter().position(|byte| *byte == b'=') else {
                fault.get_or_insert(Fault { reason: RejectReason::DelimiterInValue, tag: None });
                at = at.saturating_add(end_of_field).saturating_add(1);
                continue;
            };
            let number = read_tag(plain.get(..sign).unwrap_or_default());
            let value_at = sign.saturating_add(1);
            let mut value_end = end_of_field;
            if let (Some(tag), Some((data_tag, bytes))) = (number, data.take())
                && tag == data_tag
            {
                // Its length is said before it, so that it may hold the delimiter.
                let end = value_at.saturating_add(bytes);
                if rest.get(end) == Some(&SOH) {
                    value_end = end;
                } else {
                    fault.get_or_insert(Fault::of(RejectReason::ValueIncorrect, tag));
                }
            }
            match number {
                None => {
                    fault.get_or_insert(Fault { reason: RejectReason::InvalidTagNumber, tag: None });
                }
                Some(tag) => {
                    if value_at == value_end {
                        fault.get_or_insert(Fault::of(RejectReason::TagWithoutValue, tag));
                    }
                    let value = at.saturating_add(value_at)..at.saturating_add(value_end);
                    data = data_after(tag).and_then(|data_tag| {
                        let text = std::str::from_utf8(self.bytes.get(value.clone())?).ok()?;
                        Some((data_tag, text.parse().ok()?))
                    });
                    self.fields.push(Field { tag, value });
                }
            }
            at = at.saturating_add(value_end).saturating_add(1);
        }
        fault
    }

    /// Header before body, and no field of the header twice.
    fn order_of_fields(&self) -> Option<Fault> {
        let mut in_body = false;
        let mut seen: Vec<Tag> = Vec::new();
        for field in &self.fields {
            if !is_header(field.tag) {
                in_body = true;
                continue;
            }
            if in_body {
                return Some(Fault::of(RejectReason::TagOutOfOrder, field.tag));
            }
            let may_repeat = matches!(field.tag.number(), 628..=630);
            if seen.contains(&field.tag) && !may_repeat {
                return Some(Fault::of(RejectReason::TagRepeated, field.tag));
            }
            seen.push(field.tag);
        }
        let sums = self.fields.iter().filter(|field| field.tag == tag::CHECK_SUM).count();
        (sums > 1).then_some(Fault::of(RejectReason::TagRepeated, tag::CHECK_SUM))
    }

    /// What breaks the session's rules in it, if anything does.
    #[must_use]
    pub const fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Its type, if it is one that is known here.
    #[must_use]
    pub const fn msg_type(&self) -> Option<MsgType> {
        self.msg_type
    }

    /// Its number in the session.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// All bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The fields in order: tags and values.
    pub fn fields(&self) -> impl Iterator<Item = (Tag, &[u8])> {
        self.fields.iter().map(|field| (field.tag, self.slice(&field.value).unwrap_or_default()))
    }

    /// The first value of a field, if it is there and is UTF-8.
    #[must_use]
    pub fn get(&self, tag: Tag) -> Option<&str> {
        self.fields().find(|(found, _)| *found == tag).and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// A field that may be there, once.
    ///
    /// # Errors
    /// It is there twice, or is no printable text.
    pub fn optional(&self, tag: Tag) -> Result<Option<&str>, Fault> {
        one(self.fields(), tag)
    }

    /// A field that must be there, once.
    ///
    /// # Errors
    /// It is not, or twice, or is no printable text.
    pub fn required(&self, tag: Tag) -> Result<&str, Fault> {
        self.optional(tag)?.ok_or(Fault::of(RejectReason::RequiredTagMissing, tag))
    }

    /// A whole number that must be there.
    ///
    /// # Errors
    /// It is not, or twice, or no number.
    pub fn number(&self, tag: Tag) -> Result<u64, Fault> {
        let text = self.required(tag)?;
        let digits = text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten().ok_or(Fault::of(RejectReason::IncorrectFormat, tag))
    }

    /// `Y` or `N`; absent is no.
    ///
    /// # Errors
    /// Anything else.
    pub fn flag(&self, tag: Tag) -> Result<bool, Fault> {
        match self.optional(tag)? {
            None | Some("N") => Ok(false),
            Some("Y") => Ok(true),
            Some(_) => Err(Fault::of(RejectReason::ValueIncorrect, tag)),
        }
    }

    /// A time that may be there.
    ///
    /// # Errors
    /// It is there and no time.
    pub fn time(&self, tag: Tag) -> Result<Option<UtcTime>, Fault> {
        let Some(text) = self.optional(tag)? else { return Ok(None) };
        UtcTime::parse(text).map(Some).ok_or(Fault::of(RejectReason::IncorrectFormat, tag))
    }

    /// The entries of a group: each begins with `first`, and has fields out of `members` besides.
    ///
    /// # Errors
    /// The group is not there, is there twice, or does not have as many entries as it says; `most` bounds them.
    pub fn group(&self, count: Tag, first: Tag, members: &[Tag], most: u64) -> Result<Vec<Entry<'_>>, Fault> {
        let said = self.number(count)?;
        if said > most {
            return Err(Fault::of(RejectReason::ValueIncorrect, count));
        }
        let mut entries: Vec<Entry<'_>> = Vec::new();
        let after = self.fields().skip_while(|(tag, _)| *tag != count).skip(1);
        for (tag, value) in after {
            if tag == first {
                entries.push(Entry { fields: vec![(tag, value)] });
            } else if members.contains(&tag) {
                let entry = entries.last_mut().ok_or(Fault::of(RejectReason::GroupOutOfOrder, tag))?;
                entry.fields.push((tag, value));
            } else {
                break;
            }
        }
        let found = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        let elsewhere = self.fields().filter(|(tag, _)| *tag == first).count();
        if found != said || elsewhere != entries.len() {
            return Err(Fault::of(RejectReason::GroupCount, count));
        }
        Ok(entries)
    }
}

/// One entry of a group.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    fields: Vec<(Tag, &'a [u8])>,
}

impl<'a> Entry<'a> {
    /// A field that must be there, once.
    ///
    /// # Errors
    /// It is not, or twice, or is no printable text.
    pub fn required(&self, tag: Tag) -> Result<&'a str, Fault> {
        one(self.fields.iter().copied(), tag)?.ok_or(Fault::of(RejectReason::RequiredTagMissing, tag))
    }
}

fn one<'a>(fields: impl Iterator<Item = (Tag, &'a [u8])>, tag: Tag) -> Result<Option<&'a str>, Fault> {
    let mut found = fields.filter(|(found, _)| *found == tag).map(|(_, value)| value);
    let Some(value) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(Fault::of(RejectReason::TagRepeated, tag));
    }
    let text = std::str::from_utf8(value).map_err(|_| Fault::of(RejectReason::IncorrectFormat, tag))?;
    if text.chars().any(char::is_control) {
        return Err(Fault::of(RejectReason::IncorrectFormat, tag));
    }
    Ok(Some(text))
}

fn read_tag(digits: &[u8]) -> Option<Tag> {
    let sound = (1..=TAG_DIGITS_MAX).contains(&digits.len())
        && digits.first() != Some(&b'0')
        && digits.iter().all(u8::is_ascii_digit);
    if !sound {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok().map(Tag::new)
}
