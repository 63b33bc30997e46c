//! The frame: a fixed-width header, an optional signature line and the XML body.
//!
//! Version 01 has a header of 128 bytes, version 02 of 132 (wider member numbers) and may carry a signature line.
//! Decoding is strict: what `encode` would not write is refused, with the field and its offset. The body is not
//! parsed here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::{Date, Time};

use crate::codes::System;
use crate::ids::{BankNumber, compact_date, write_compact_date};

/// Frames must be shorter than this, as the clearing centres require.
pub const FRAME_SIZE_BYTES_LIMIT: usize = 1_000_000;

/// Longest signature accepted, in bytes; RSA-4096 needs 512.
pub const SIGNATURE_SIZE_BYTES_MAX: usize = 512;

/// Version of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 128 bytes, members of 12 characters, no signature line.
    V01,
    /// 132 bytes, members of 14 characters, optional signature line.
    V02,
}

impl Version {
    /// Length of the header with its line end, in bytes.
    #[must_use]
    pub fn header_size_bytes(self) -> usize {
        match self {
            Self::V01 => 128,
            Self::V02 => 132,
        }
    }

    fn member_width(self) -> usize {
        match self {
            Self::V01 => 12,
            Self::V02 => 14,
        }
    }
}

/// Direction of a message, seen from the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Up, to the centre (`U`).
    Up,
    /// Down, from the centre (`D`).
    Down,
}

/// The header of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Version of the header.
    pub version: Version,
    /// Who sends.
    pub sender: BankNumber,
    /// System the sender speaks for.
    pub sender_system: System,
    /// Who receives.
    pub receiver: BankNumber,
    /// System the receiver speaks for.
    pub receiver_system: System,
    /// Day of sending.
    pub date: Date,
    /// Time of sending, whole seconds.
    pub time: Time,
    /// Message type such as `ibps.101`: 1 to 20 visible ASCII characters.
    pub message_type: String,
    /// Transport id of this message: 1 to 20 visible ASCII characters; unique with the sender.
    pub message_id: String,
    /// Transport id this message refers to; empty where none.
    pub reference_id: String,
    /// Priority, a digit; 3 is normal.
    pub priority: u8,
    /// Direction.
    pub direction: Direction,
}

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The header.
    pub header: Header,
    /// Signature bytes, version 02 only.
    pub signature: Option<Vec<u8>>,
    /// The XML text.
    pub body: String,
}

/// Why bytes are not a frame, or a frame cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Too long.
    #[error("frame of {size_bytes} bytes is not below {FRAME_SIZE_BYTES_LIMIT}")]
    TooLarge {
        /// Size found.
        size_bytes: usize,
    },
    /// A byte-order mark before the header or before the body.
    #[error("byte-order mark at byte {offset}")]
    ByteOrderMark {
        /// Offset of the mark.
        offset: usize,
    },
    /// The frame ends within its header.
    #[error("frame of {size_bytes} bytes ends within the header of {needed_bytes}")]
    Truncated {
        /// Size found.
        size_bytes: usize,
        /// Size of the header.
        needed_bytes: usize,
    },
    /// A header field is wrong.
    #[error("{field} at byte {offset}: {problem}")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// Offset of the field from the start of the frame.
        offset: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The body is not UTF-8.
    #[error("body not utf-8 at byte {offset}")]
    NotUtf8 {
        /// Offset of the first bad byte.
        offset: usize,
    },
    /// There is no body.
    #[error("no body")]
    NoBody,
}

impl Frame {
    /// The bytes of the frame.
    ///
    /// # Errors
    /// A field that does not fit its width or form, a signature in version 01, or a frame that is too long.
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        let h = &self.header;
        let width = h.version.member_width();
        let mut out = String::from("{H:");
        out.push_str(match h.version {
            Version::V01 => "01",
            Version::V02 => "02",
        });
        out.push_str(&format!("{:<width$}{}", h.sender.as_str(), h.sender_system.code()));
        out.push_str(&format!("{:<width$}{}", h.receiver.as_str(), h.receiver_system.code()));
        if !(1..=9999).contains(&h.date.year()) {
            return Err(field("date", out.len(), "year not of four digits"));
        }
        out.push_str(&write_compact_date(h.date));
        if h.time.subsec_nanosecond() != 0 {
            return Err(field("time", out.len(), "not whole seconds"));
        }
        out.push_str(&format!("{:02}{:02}{:02}XML", h.time.hour(), h.time.minute(), h.time.second()));
        for (name, text, optional) in [
            ("message type", &h.message_type, false),
            ("message id", &h.message_id, false),
            ("reference id", &h.reference_id, true),
        ] {
            let visible = text.bytes().all(|b| b.is_ascii_graphic() && b != b'}');
            if text.len() > 20 || !visible || (text.is_empty() && !optional) {
                return Err(field(name, out.len(), "not 1 to 20 visible characters"));
            }
            out.push_str(&format!("{text:<20}"));
        }
        if h.priority > 9 {
            return Err(field("priority", out.len(), "not a digit"));
        }
        out.push_str(&h.priority.to_string());
        out.push_str(match h.direction {
            Direction::Up => "U",
            Direction::Down => "D",
        });
        out.push_str("         }\r\n");
        if let Some(signature) = &self.signature {
            if h.version == Version::V01 {
                return Err(field("signature", out.len(), "not in version 01"));
            }
            if signature.is_empty() || signature.len() > SIGNATURE_SIZE_BYTES_MAX {
                return Err(field("signature", out.len(), "empty or too long"));
            }
            out.push_str(&format!("{{S:{}}}\r\n", STANDARD.encode(signature)));
        }
        check_body(&self.body, out.len())?;
        out.push_str(&self.body);
        if out.len() >= FRAME_SIZE_BYTES_LIMIT {
            return Err(FrameError::TooLarge { size_bytes: out.len() });
        }
        Ok(out.into_bytes())
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// The first field that is wrong, with its offset.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        if bytes.len() >= FRAME_SIZE_BYTES_LIMIT {
            return Err(FrameError::TooLarge { size_bytes: bytes.len() });
        }
        if bytes.starts_with(b"\xef\xbb\xbf") {
            return Err(FrameError::ByteOrderMark { offset: 0 });
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(e) => return Err(FrameError::NotUtf8 { offset: e.valid_up_to() }),
        };
        let mut reader = Reader { text, at: 0, needed_bytes: Version::V01.header_size_bytes() };
        reader.literal("start of header", "{H:")?;
        let version = match reader.take("version", 2)? {
            "01" => Version::V01,
            "02" => Version::V02,
            _ => return Err(reader.wrong("version", 2, "unknown")),
        };
        reader.needed_bytes = version.header_size_bytes();
        let header = reader.header(version)?;
        let signature = reader.signature(version)?;
        let body = text.get(reader.at..).unwrap_or("");
        check_body(body, reader.at)?;
        Ok(Self { header, signature, body: body.to_owned() })
    }
}

fn field(field: &'static str, offset: usize, problem: &'static str) -> FrameError {
    FrameError::Field { field, offset, problem }
}

fn check_body(body: &str, offset: usize) -> Result<(), FrameError> {
    if body.starts_with('\u{feff}') {
        return Err(FrameError::ByteOrderMark { offset });
    }
    // Without this a body could pass for a signature line, and encoding would not be unambiguous.
    if body.starts_with("{S:") {
        return Err(field("body", offset, "starts like a signature line"));
    }
    if body.is_empty() { Err(FrameError::NoBody) } else { Ok(()) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    needed_bytes: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, name: &'static str, width: usize) -> Result<&'a str, FrameError> {
        let end = self.at.saturating_add(width);
        if end > self.text.len() {
            let (size_bytes, needed_bytes) = (self.text.len(), self.needed_bytes);
            return Err(FrameError::Truncated { size_bytes, needed_bytes });
        }
        let taken = self.text.get(self.at..end).filter(|t| t.is_ascii());
        let taken = taken.ok_or_else(|| field(name, self.at, "not ascii"))?;
        self.at = end;
        Ok(taken)
    }

    /// An error at the field of `width` bytes just read.
    fn wrong(&self, name: &'static str, width: usize, problem: &'static str) -> FrameError {
        field(name, self.at.saturating_sub(width), problem)
    }

    fn literal(&mut self, name: &'static str, expected: &str) -> Result<(), FrameError> {
        if self.take(name, expected.len())? == expected {
            Ok(())
        } else {
            Err(self.wrong(name, expected.len(), "not as fixed"))
        }
    }

    fn bank(&mut self, name: &'static str, width: usize) -> Result<BankNumber, FrameError> {
        let text = self.take(name, width)?;
        BankNumber::parse(text.trim_end_matches(' '))
            .map_err(|_| self.wrong(name, width, "not a bank number"))
    }

    fn system(&mut self, name: &'static str) -> Result<System, FrameError> {
        let text = self.take(name, 4)?;
        System::from_code(text).ok_or_else(|| self.wrong(name, 4, "unknown system"))
    }

    fn text(&mut self, name: &'static str, optional: bool) -> Result<String, FrameError> {
        let text = self.take(name, 20)?.trim_end_matches(' ');
        let visible = text.bytes().all(|b| b.is_ascii_graphic() && b != b'}');
        if !visible || (text.is_empty() && !optional) {
            return Err(self.wrong(name, 20, "not 1 to 20 visible characters padded right"));
        }
        Ok(text.to_owned())
    }

    fn time(&mut self) -> Result<Time, FrameError> {
        let text = self.take("time", 6)?;
        let number = |from: usize| {
            let two = text.get(from..from.saturating_add(2))?;
            two.bytes().all(|b| b.is_ascii_digit()).then(|| two.parse::<i8>().ok())?
        };
        let time = || Time::new(number(0)?, number(2)?, number(4)?, 0).ok();
        time().ok_or_else(|| self.wrong("time", 6, "not a time of day"))
    }

    fn header(&mut self, version: Version) -> Result<Header, FrameError> {
        let width = version.member_width();
        let sender = self.bank("sender", width)?;
        let sender_system = self.system("sender system")?;
        let receiver = self.bank("receiver", width)?;
        let receiver_system = self.system("receiver system")?;
        let date = self.take("date", 8)?;
        let date = compact_date(date).ok_or_else(|| self.wrong("date", 8, "not a day that exists"))?;
        let time = self.time()?;
        self.literal("structure", "XML")?;
        let message_type = self.text("message type", false)?;
        let message_id = self.text("message id", false)?;
        let reference_id = self.text("reference id", true)?;
        let priority = self.take("priority", 1)?;
        let priority = priority.parse().map_err(|_| self.wrong("priority", 1, "not a digit"))?;
        let direction = match self.take("direction", 1)? {
            "U" => Direction::Up,
            "D" => Direction::Down,
            _ => return Err(self.wrong("direction", 1, "neither U nor D")),
        };
        self.literal("reserve", "         ")?;
        self.literal("end of header", "}\r\n")?;
        Ok(Header {
            version,
            sender,
            sender_system,
            receiver,
            receiver_system,
            date,
            time,
            message_type,
            message_id,
            reference_id,
            priority,
            direction,
        })
    }

    fn signature(&mut self, version: Version) -> Result<Option<Vec<u8>>, FrameError> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or("");
        let Some(line) = rest.strip_prefix("{S:") else { return Ok(None) };
        if version == Version::V01 {
            return Err(field("signature", start, "not in version 01"));
        }
        let Some((encoded, _)) = line.split_once("}\r\n") else {
            return Err(field("signature", start, "line not closed"));
        };
        let signature = STANDARD.decode(encoded).map_err(|_| field("signature", start, "not base64"))?;
        if signature.is_empty() || signature.len() > SIGNATURE_SIZE_BYTES_MAX {
            return Err(field("signature", start, "empty or too long"));
        }
        self.at = start.saturating_add(encoded.len()).saturating_add(6);
        Ok(Some(signature))
    }
}
