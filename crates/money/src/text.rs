//! Text from outside, bounded and clean.

use std::fmt;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use thiserror::Error;

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TextError {
    /// Longer than the field allows.
    #[error("text has {chars} characters, at most {max} are allowed")]
    TooLong {
        /// Characters given.
        chars: usize,
        /// Characters allowed.
        max: usize,
    },
    /// A control character or a bidirectional override, which can make a screen lie.
    #[error("text has a control character")]
    Control,
}

/// Human text of at most `MAX` characters, trimmed, without control characters and without bidirectional overrides.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text<const MAX: usize>(Box<str>);

impl<const MAX: usize> Text<MAX> {
    /// The text, trimmed and checked.
    ///
    /// # Errors
    /// Too long, or a control character inside.
    pub fn new(text: &str) -> Result<Self, TextError> {
        let text = text.trim();
        // Most texts are plain letters, one byte each; that is seen many bytes at a time.
        if text.len() <= MAX && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Ok(Self(text.into()));
        }
        let chars = text.chars().count();
        if chars > MAX {
            return Err(TextError::TooLong { chars, max: MAX });
        }
        let hidden = |c: char| {
            c.is_control()
                || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}')
        };
        if text.chars().any(hidden) {
            return Err(TextError::Control);
        }
        Ok(Self(text.into()))
    }

    /// The text, cut to `MAX` characters, with hidden characters left out: for words that come from another bank.
    #[must_use]
    pub fn clip(text: &str) -> Self {
        let clean: String = text.trim().chars().filter(|c| !c.is_control()).take(MAX).collect();
        Self::new(&clean).unwrap_or_default()
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<C, const MAX: usize> Encode<C> for Text<MAX> {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.str(&self.0)?;
        Ok(())
    }
}

impl<'b, C, const MAX: usize> Decode<'b, C> for Text<MAX> {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Self::new(d.str()?).map_err(|error| decode::Error::message(error.to_string()))
    }
}
