//! Taking what a centre posts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bank::Command;
use cnaps::{Frame, FrameError};
use identity::Actor;
use money::{CommandId, Text, Timestamp};
use node::{Handle, SubmitError};
use payments::RailNotice;

use crate::Translator;
use crate::acknowledge::Rejection;

/// What the poster of a frame gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A frame: acknowledged, or refused with a code.
    Frame(Vec<u8>),
    /// The bytes are no frame, so nobody can be answered.
    NotAFrame(FrameError),
    /// We cannot take it now; the same frame may be posted again.
    Unavailable(String),
}

/// Takes frames of one centre into the bank.
#[derive(Debug)]
pub struct Receiver {
    translator: Arc<Translator>,
    handle: Handle,
    next_ack: AtomicU64,
}

/// Why a frame is not acknowledged.
enum Stop {
    Refuse(Rejection),
    Later(String),
}

impl Receiver {
    /// A receiver.
    #[must_use]
    pub const fn new(translator: Arc<Translator>, handle: Handle) -> Self {
        Self { translator, handle, next_ack: AtomicU64::new(0) }
    }

    /// Takes a frame: what it says is durable when this answers with an acknowledgement. Blocks for the journal's write.
    #[must_use]
    pub fn receive(&self, bytes: &[u8], now: Timestamp) -> Answer {
        let frame = match Frame::decode(bytes) {
            Ok(frame) => frame,
            Err(error) => return Answer::NotAFrame(error),
        };
        let serial = self.next_ack.fetch_add(1, Ordering::Relaxed);
        let answer = match self.take(&frame) {
            Ok(duplicate) => self.translator.acknowledgement(&frame.header, serial, now, duplicate),
            Err(Stop::Refuse(rejection)) => {
                let (code, information) = (rejection.code.code(), rejection.information.as_str());
                tracing::warn!(code, information, "a message is refused");
                self.translator.rejection(&frame.header, serial, now, &rejection)
            }
            Err(Stop::Later(reason)) => return Answer::Unavailable(reason),
        };
        answer
            .map_or_else(|error| Answer::Unavailable(error.to_string()), |answer| Answer::Frame(answer.bytes))
    }

    /// Records what the frame says; answers whether all of it was known.
    fn take(&self, frame: &Frame) -> Result<bool, Stop> {
        let status = |rail| self.handle.read(|bank| bank.payments().rail_status(rail)).ok().flatten();
        let incoming = self.translator.accept(frame, status).map_err(Stop::Refuse)?;
        let actor = Actor::Rail(Text::clip(incoming.rail.name()));
        let mut all_known = true;
        for command in incoming.commands {
            let is_known = self.is_known(&command);
            let submission = bank::Submission { id: CommandId::new(0), actor: actor.clone(), command };
            match self.handle.submit(submission) {
                Ok(taken) => all_known &= taken.is_repeat || is_known,
                // What may go later is posted again, as nothing that a rail says may be lost.
                Err(SubmitError::Refused(refusal)) if refusal.is_transient() => {
                    return Err(Stop::Later(refusal.to_string()));
                }
                Err(SubmitError::Refused(refusal)) => return Err(Stop::Refuse(Rejection::of(&refusal))),
                Err(
                    SubmitError::Busy
                    | SubmitError::NoRoom
                    | SubmitError::NotLeader(_)
                    | SubmitError::Halted(_),
                ) => {
                    return Err(Stop::Later("the bank cannot record anything now".to_owned()));
                }
            }
        }
        Ok(all_known)
    }

    /// Whether a payment was received before: its repeat may still make us answer again, which is something new only to us.
    fn is_known(&self, command: &Command) -> bool {
        let Command::Payments(payments::Command::Notice { notice, .. }) = command else { return false };
        let (RailNotice::Credit { key, .. } | RailNotice::Return { key, .. }) = notice else { return false };
        self.handle.read(|bank| bank.payments().payment_received_as(key).is_some()).unwrap_or(false)
    }
}
