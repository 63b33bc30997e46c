//! Whole messages out of a stream of bytes.

use super::{MESSAGE_BYTES_MAX, SOH, check_sum};

/// How every message begins.
const START: &[u8] = b"8=FIX";
/// `10=ddd` and its end.
const TRAILER_BYTES: usize = 7;
/// The version, from behind `8=FIX` to its end: `.4.4` and whatever other versions have.
const VERSION_BYTES_MAX: usize = 12;
/// The digits of a length.
const LENGTH_DIGITS_MAX: usize = 6;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framed {
    /// A message whose length and sum are right, from `8=` to the end of `10=`.
    Message(Vec<u8>),
    /// Bytes that were dropped: how many, and what was wrong with them.
    Garbled(usize, &'static str),
}

/// Holds what has come and is no whole message yet.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// What lies before is done with.
    start: usize,
}

/// What lies at the start of the buffer.
enum Look {
    More,
    Whole(usize),
    Bad(usize, &'static str),
}

impl Framer {
    /// Takes what the connection brought. Call [`Framer::take`] until it has nothing, so that no more than one message is kept.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start.min(self.buffer.len()));
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message or the next piece of garbage.
    pub fn take(&mut self) -> Option<Framed> {
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        let (bytes, framed) = match look(rest) {
            Look::More => return None,
            Look::Whole(bytes) => (bytes, Framed::Message(rest.get(..bytes).unwrap_or_default().to_vec())),
            Look::Bad(bytes, why) => (bytes, Framed::Garbled(bytes, why)),
        };
        self.start = self.start.saturating_add(bytes);
        Some(framed)
    }
}

fn look(rest: &[u8]) -> Look {
    let Some(at) = rest.windows(START.len()).position(|window| window == START) else {
        // The beginning of a start may be at the end.
        let kept = (0..START.len()).rev().find(|kept| rest.ends_with(START.get(..*kept).unwrap_or_default()));
        let dropped = rest.len().saturating_sub(kept.unwrap_or_default());
        return if dropped == 0 { Look::More } else { Look::Bad(dropped, "no begin string") };
    };
    if at > 0 {
        return Look::Bad(at, "no begin string");
    }
    let body = match length(rest) {
        Ok(Some(body)) => body,
        Ok(None) => return Look::More,
        Err(why) => return Look::Bad(START.len(), why),
    };
    let whole = body.end.saturating_add(TRAILER_BYTES);
    let (Some(before), Some(trailer)) = (rest.get(..body.end), rest.get(body.end..whole)) else {
        return Look::More;
    };
    let Some(sum) = trailer_sum(trailer) else {
        return Look::Bad(START.len(), "body length does not lead to the check sum");
    };
    if before.last() != Some(&SOH) {
        return Look::Bad(START.len(), "body length does not lead to the check sum");
    }
    if sum != u16::from(check_sum(before)) {
        return Look::Bad(whole, "check sum is wrong");
    }
    Look::Whole(whole)
}

/// Where the body lies, once its length has come.
fn length(rest: &[u8]) -> Result<Option<std::ops::Range<usize>>, &'static str> {
    let after_start = rest.get(START.len()..).unwrap_or_default();
    let Some(version) = after_start.iter().take(VERSION_BYTES_MAX).position(|byte| *byte == SOH) else {
        return if after_start.len() < VERSION_BYTES_MAX {
            Ok(None)
        } else {
            Err("no end of the begin string")
        };
    };
    let field = START.len().saturating_add(version).saturating_add(1);
    let after = rest.get(field..).unwrap_or_default();
    let Some(text) = after.strip_prefix(b"9=") else {
        return if b"9=".starts_with(after) { Ok(None) } else { Err("body length is not the second field") };
    };
    let digits = text.iter().take(LENGTH_DIGITS_MAX.saturating_add(1)).take_while(|b| b.is_ascii_digit());
    let count = digits.clone().count();
    let value = digits.fold(0_usize, |value, digit| {
        value.saturating_mul(10).saturating_add(usize::from(digit.saturating_sub(b'0')))
    });
    if count > LENGTH_DIGITS_MAX || value > MESSAGE_BYTES_MAX {
        return Err("body is too long");
    }
    match text.get(count) {
        None => Ok(None),
        Some(&SOH) if count > 0 && value > 0 => {
            let begin = field.saturating_add(count).saturating_add(3);
            Ok(Some(begin..begin.saturating_add(value)))
        }
        Some(_) => Err("body length is no number"),
    }
}

fn trailer_sum(trailer: &[u8]) -> Option<u16> {
    let digits = trailer.strip_prefix(b"10=")?.strip_suffix(&[SOH])?;
    if digits.len() != 3 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}
