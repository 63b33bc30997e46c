//! Frames to our bank: queued in order, repeated unchanged until they are acknowledged.

use std::collections::BTreeMap;

use cnaps::{BankNumber, Form, MessageId, MessageType};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::World;
use super::compose::Letter;
use super::fault::Faults;
use super::receive::Refused;
use crate::calendar::{after, before};
use crate::config::Rail;
use crate::text;

/// First wait before a repeat, in milliseconds; it doubles with every attempt.
const RETRY_MS_MIN: u64 = 100;
/// Longest wait before the repeat of a frame that our bank does not take, in milliseconds.
const RETRY_MS_MAX: u64 = 5_000;
/// Longest wait while our bank cannot be reached, in milliseconds: it should hear of us within a second of its start.
const PAUSE_MS_MAX: u64 = 500;
/// Most frames handed out at once; the next ones follow when these are through.
const OUTGOING_MAX: usize = 64;
/// Refused deliveries kept for the report.
const REFUSED_MAX: usize = 200;

/// A frame to post to our bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Names the delivery in [`World::delivered`].
    pub id: u64,
    /// The bytes to post, the same at every attempt.
    pub frame_bytes: Vec<u8>,
    /// Message type, for logs.
    pub message_type: &'static str,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryOutcome {
    /// Status 200 with these bytes.
    Reply(#[serde(with = "text::bytes")] Vec<u8>),
    /// Another status.
    Status(u16),
    /// No answer at all.
    NoAnswer,
}

/// A frame in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Queued {
    pub(crate) rail: Option<Rail>,
    sender: BankNumber,
    pub(crate) message_type: MessageType,
    pub(crate) message_id: MessageId,
    frame: Vec<u8>,
    /// How often it is to be delivered again after its first acknowledgement.
    repeats: u32,
    /// A bad frame on demand: any refusal ends it.
    injected: bool,
    pub(crate) attempts: u32,
    not_before: Timestamp,
    /// What was wrong with the last reply.
    pub(crate) problem: Option<String>,
}

/// A frame that our bank refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefusedDelivery {
    pub(crate) message_id: MessageId,
    pub(crate) message_type: MessageType,
    /// A reject code, or an HTTP status.
    pub(crate) code: String,
    pub(crate) why: String,
    pub(crate) injected: bool,
}

/// The queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outbox {
    last_id: u64,
    pub(crate) queue: BTreeMap<u64, Queued>,
    pub(crate) refused: Vec<RefusedDelivery>,
    pub(crate) delivered: u64,
    /// Attempts in a row without any answer.
    unanswered: u32,
    /// Nothing is posted before: our bank could not be reached.
    paused_until: Option<Timestamp>,
}

impl Outbox {
    /// Takes a message out that nobody may get any more.
    pub(crate) fn withdraw(&mut self, id: &MessageId) {
        self.queue.retain(|_, queued| queued.message_id != *id);
    }
}

fn back_off_ms(attempts: u32, most: u64) -> u64 {
    let doubled = 2_u64.saturating_pow(attempts.saturating_sub(1).min(20));
    RETRY_MS_MIN.saturating_mul(doubled).min(most)
}

impl World {
    /// The next frames to post to our bank now, in this order. Those of a system that is down are not among them.
    #[must_use]
    pub fn outgoing(&self, now: Timestamp) -> Vec<Delivery> {
        let at = self.world_time(now);
        if self.outbox.paused_until.is_some_and(|until| at < until) {
            return Vec::new();
        }
        let due = self.outbox.queue.iter().filter(|(_, q)| q.not_before <= at && self.can_leave(q));
        due.take(OUTGOING_MAX)
            .map(|(id, queued)| Delivery {
                id: *id,
                frame_bytes: queued.frame.clone(),
                message_type: queued.message_type.code(),
            })
            .collect()
    }

    fn can_leave(&self, queued: &Queued) -> bool {
        !self.all_down() && queued.rail.is_none_or(|rail| !self.centre(rail).is_down)
    }

    /// When the next frame is to be posted, in the time that the world is told.
    #[must_use]
    pub fn next_outgoing(&self) -> Option<Timestamp> {
        let leaving = self.outbox.queue.values().filter(|queued| self.can_leave(queued));
        let next = leaving.map(|queued| queued.not_before).min()?;
        Some(before(self.outbox.paused_until.map_or(next, |until| next.max(until)), self.ahead_ms))
    }

    /// Takes what became of a delivery. Only an acknowledgement of our bank ends it; a refusal ends it too and has its
    /// consequence; everything else is repeated. An unknown id is ignored: the delivery was withdrawn meanwhile.
    pub fn delivered(&mut self, id: u64, outcome: &DeliveryOutcome, now: Timestamp) {
        let at = self.advance_to(now);
        let Some(queued) = self.outbox.queue.get(&id) else { return };
        match outcome {
            DeliveryOutcome::Reply(bytes) => {
                self.answered();
                let Some(queued) = self.outbox.queue.get(&id) else { return };
                let transport_id = queued.message_id.transport_id();
                match self.read_reply(bytes, &queued.sender, &transport_id) {
                    Ok(Ok(())) => self.acknowledged(id, at),
                    Ok(Err(Refused { code, why })) => self.refused(id, code.code(), &why, Some(code)),
                    Err(problem) => self.repeat_later(id, problem, at),
                }
            }
            DeliveryOutcome::Status(status) => {
                let client_error = (400..500).contains(status);
                let injected = queued.injected;
                self.answered();
                if injected && client_error {
                    self.refused(id, &format!("HTTP {status}"), "not taken as a frame", None);
                } else {
                    self.repeat_later(id, format!("HTTP {status}"), at);
                }
            }
            DeliveryOutcome::NoAnswer => {
                let outbox = &mut self.outbox;
                outbox.unanswered = outbox.unanswered.saturating_add(1);
                outbox.paused_until = Some(after(at, back_off_ms(outbox.unanswered, PAUSE_MS_MAX)));
                if let Some(queued) = outbox.queue.get_mut(&id) {
                    queued.attempts = queued.attempts.saturating_add(1);
                    queued.problem = Some("no answer".to_owned());
                }
            }
        }
    }

    fn answered(&mut self) {
        self.outbox.unanswered = 0;
        self.outbox.paused_until = None;
    }

    fn acknowledged(&mut self, id: u64, at: Timestamp) {
        self.outbox.delivered = self.outbox.delivered.saturating_add(1);
        let again = self.outbox.queue.get_mut(&id).filter(|queued| queued.repeats > 0);
        match again {
            Some(queued) => {
                queued.repeats = queued.repeats.saturating_sub(1);
                queued.not_before = at;
            }
            None => {
                self.outbox.queue.remove(&id);
            }
        }
    }

    fn refused(&mut self, id: u64, code: &str, why: &str, reject: Option<cnaps::RejectCode>) {
        let Some(queued) = self.outbox.queue.remove(&id) else { return };
        let is_credit = queued.message_type.form() == Form::Credit && !queued.injected;
        if let Some(reject) = reject.filter(|_| is_credit) {
            self.credit_refused(&queued.message_id, reject);
        }
        if self.outbox.refused.len() >= REFUSED_MAX {
            self.outbox.refused.remove(0);
        }
        self.outbox.refused.push(RefusedDelivery {
            message_id: queued.message_id,
            message_type: queued.message_type,
            code: code.to_owned(),
            why: why.to_owned(),
            injected: queued.injected,
        });
    }

    fn repeat_later(&mut self, id: u64, problem: String, at: Timestamp) {
        let Some(queued) = self.outbox.queue.get_mut(&id) else { return };
        queued.attempts = queued.attempts.saturating_add(1);
        queued.not_before = after(at, back_off_ms(queued.attempts, RETRY_MS_MAX));
        queued.problem = Some(problem);
    }

    /// Puts a frame into the queue.
    pub(crate) fn queue(&mut self, letter: &Letter, message_id: MessageId, frame: Vec<u8>, injected: bool) {
        let repeats = if injected { 0 } else { u32::from(Faults::strike(&mut self.faults.duplicates)) };
        self.outbox.last_id = self.outbox.last_id.saturating_add(1);
        let queued = Queued {
            rail: letter.rail,
            sender: letter.sender.clone(),
            message_type: letter.message_type,
            message_id,
            frame,
            repeats,
            injected,
            attempts: 0,
            not_before: self.last,
            problem: None,
        };
        self.outbox.queue.insert(self.outbox.last_id, queued);
    }
}
