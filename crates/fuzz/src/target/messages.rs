//! Frames of the rails with the ISO 20022 messages in them.

use cnaps::{Frame, Message};

use super::{Answer, Target, no_mending};

/// One frame of each form of message.
const SEEDS: &str = include_str!("../../seeds/frames.txt");

/// A frame from the network: header, signature line, body by its schema, meaning.
pub(super) fn frame() -> Target {
    Target {
        name: "frame",
        what: "frames of the rails and the ISO 20022 messages in them",
        seeds: || SEEDS.lines().filter_map(|line| hex::decode(line).ok()).collect(),
        mend: no_mending,
        check: |input| {
            let frame = match Frame::decode(input) {
                Ok(frame) => frame,
                Err(error) => return Ok(Answer::refused(error)),
            };
            let written = frame
                .encode()
                .map_err(|error| format!("a frame that was read cannot be written: {error}"))?;
            if Frame::decode(&written).as_ref() != Ok(&frame) {
                return Err("a frame is another one once it is written and read again".to_owned());
            }
            let (kind, message) = match Message::parse(&frame) {
                Ok(parsed) => parsed,
                Err(error) => return Ok(Answer::refused(error)),
            };
            let made = message.to_frame(kind, frame.header.clone());
            let made = made.map_err(|error| format!("a message that was read cannot be written: {error}"))?;
            if Message::parse(&made).ok() != Some((kind, message)) {
                return Err("a message is another one once it is written and read again".to_owned());
            }
            Ok(Answer::taken(kind.code()))
        },
        // The schemas are compiled at the first use.
        bytes_base: 64 << 20,
        bytes_per_byte: 512,
    }
}
