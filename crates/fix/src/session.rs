//! The session of one client as a state machine: messages and time in, messages and actions out. It accepts; it never calls.
//!
//! It answers logon, heartbeats, test and resend requests itself, finds gaps and asks for them, and hands on what belongs to orders and market data, each
//! message once and in order.
//!
//! **Invariants.** What is handed on has the next number. A message is handed on again only after a connection that ended before it was [`Session::release`]d,
//! and then its sender marks it as a possible duplicate. A number of ours is never used twice, but after a reset that both sides know of.
//!
//! It reads no clock and no socket, checks no password, and knows no order.

mod admin;

pub(crate) use admin::reject;

use std::collections::BTreeSet;

use crate::codec::{Body, Header, Message};
use crate::dictionary::{Fault, MsgType, RejectReason, tag};
use crate::store::{Sent, Store, StoreFault};
use crate::time::UtcTime;
use crate::venue::Position;

/// Shortest and longest interval of heartbeats that is agreed to, in seconds: below, silence would be a late packet; above, a dead peer would be kept for long.
pub const HEARTBEAT_S: std::ops::RangeInclusive<u64> = 1..=300;
/// How far a peer's clock may be from ours.
pub const SENDING_TIME_TOLERANCE_MS: u64 = 120_000;
/// How long a connection may stay without a logon.
pub const LOGON_PATIENCE_MS: u64 = 10_000;
/// How long an answer to our logout is waited for.
pub const LOGOUT_PATIENCE_MS: u64 = 5_000;

/// The two names of a session, as we write them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// We: SenderCompID of what we send.
    pub ours: String,
    /// The client: TargetCompID of what we send.
    pub theirs: String,
}

/// What is to be done, in order.
#[derive(Debug)]
pub enum Action {
    /// Send these bytes.
    Send(Vec<u8>),
    /// A message of orders or market data.
    Deliver(Message),
    /// End the connection, for this reason.
    Close(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing has come; since when.
    Waiting(UtcTime),
    Active,
    /// We have said logout; since when.
    LoggingOut(UtcTime),
    Closed,
}

/// A gap in what the peer has sent.
#[derive(Debug, Clone, Copy)]
struct Gap {
    /// The highest number seen.
    until: u64,
    asked_at: UtcTime,
}

/// One connection of a session.
pub struct Session {
    names: Names,
    store: Box<dyn Store>,
    state: State,
    heartbeat_ms: u64,
    next_in: u64,
    gap: Option<Gap>,
    /// Numbers that were handed on and are not answered for.
    held: BTreeSet<u64>,
    sent_at: UtcTime,
    received_at: UtcTime,
    tested_at: Option<UtcTime>,
    actions: Vec<Action>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("names", &self.names)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A session that waits for its logon.
    #[must_use]
    pub fn new(names: Names, store: Box<dyn Store>, now: UtcTime) -> Self {
        let next_in = store.next_in();
        Self {
            names,
            store,
            state: State::Waiting(now),
            heartbeat_ms: LOGON_PATIENCE_MS,
            next_in,
            gap: None,
            held: BTreeSet::new(),
            sent_at: now,
            received_at: now,
            tested_at: None,
            actions: Vec::new(),
        }
    }

    /// What is to be done by now. Take it after every call.
    pub fn actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// Whether the client is logged on.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        matches!(self.state, State::Active)
    }

    /// Whether it has ended.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// How far executions were reported; none if none ever was.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.store.position()
    }

    /// Executions up to here were reported.
    ///
    /// # Errors
    /// The store failed.
    pub fn reported(&mut self, position: Position) -> Result<(), StoreFault> {
        self.store.reported(position)
    }

    /// A message that was handed on counts as received only once it is released.
    pub fn hold(&mut self, seq: u64) {
        self.held.insert(seq);
    }

    /// A message that was held is answered for.
    pub fn release(&mut self, seq: u64) {
        self.held.remove(&seq);
    }

    /// Notes in the store what counts as received: all before the first message that is held. Call it when nothing more waits to be taken.
    ///
    /// # Errors
    /// The store failed.
    pub fn settle(&mut self) -> Result<(), StoreFault> {
        let first_held = self.held.first().copied().unwrap_or(u64::MAX);
        self.store.expect(self.next_in.min(first_held))
    }

    /// Sends a message of orders or market data, while the client is logged on; answers whether it was sent.
    ///
    /// # Errors
    /// The store failed.
    pub fn send(&mut self, body: Body, now: UtcTime) -> Result<bool, StoreFault> {
        if !self.is_active() {
            return Ok(false);
        }
        self.emit(body, now)?;
        Ok(true)
    }

    /// Ends the session in order, with a reason for the client.
    ///
    /// # Errors
    /// The store failed.
    pub fn log_out(&mut self, why: &str, now: UtcTime) -> Result<(), StoreFault> {
        if self.is_active() {
            self.emit(Body::new(MsgType::Logout).with(tag::TEXT, why), now)?;
            self.state = State::LoggingOut(now);
        }
        Ok(())
    }

    /// Takes the next message.
    ///
    /// # Errors
    /// The store failed.
    pub fn take(&mut self, message: Message, now: UtcTime) -> Result<(), StoreFault> {
        if self.is_closed() {
            return Ok(());
        }
        self.received_at = now;
        self.tested_at = None;
        if matches!(self.state, State::Waiting(_)) {
            if message.msg_type() != Some(MsgType::Logon) {
                self.close("the first message is no logon");
                return Ok(());
            }
            return self.logon(&message, now);
        }
        if self.is_foreign(&message) {
            return self.reject_and_leave(
                &message,
                Fault::of(RejectReason::CompIdProblem, tag::SENDER_COMP_ID),
                now,
            );
        }
        if is_late(&message, now) {
            let fault = Fault::of(RejectReason::SendingTimeAccuracy, tag::SENDING_TIME);
            return self.reject_and_leave(&message, fault, now);
        }
        let kind = message.msg_type();
        if matches!(self.state, State::LoggingOut(_)) && kind != Some(MsgType::Logout) {
            // Not counted, so that it is sent again when the client is back. A request for our messages comes again too.
            return Ok(());
        }
        if kind == Some(MsgType::Logon) {
            return self.logon_again(&message, now);
        }
        if kind == Some(MsgType::SequenceReset) && message.flag(tag::GAP_FILL_FLAG) == Ok(false) {
            return self.reset(&message, now);
        }
        match message.seq().cmp(&self.next_in) {
            std::cmp::Ordering::Less => self.too_low(&message, now),
            std::cmp::Ordering::Greater => self.too_high(&message, now),
            std::cmp::Ordering::Equal => {
                self.advance(self.next_in.saturating_add(1));
                self.in_turn(message, now)
            }
        }
    }

    /// Takes note of the time: heartbeats, test requests, and peers that have gone.
    ///
    /// # Errors
    /// The store failed.
    pub fn tick(&mut self, now: UtcTime) -> Result<(), StoreFault> {
        match self.state {
            State::Waiting(since) if now.since(since) >= LOGON_PATIENCE_MS => self.close("no logon in time"),
            State::LoggingOut(since) if now.since(since) >= LOGOUT_PATIENCE_MS => {
                self.close("no answer to our logout")
            }
            State::Waiting(_) | State::LoggingOut(_) | State::Closed => {}
            State::Active => {
                let silence_ms = self.silence_ms();
                if self.tested_at.is_some_and(|at| now.since(at) >= silence_ms) {
                    return self.leave("no answer to a test request", now);
                }
                if self.tested_at.is_none() && now.since(self.received_at) >= silence_ms {
                    self.tested_at = Some(now);
                    self.emit(Body::new(MsgType::TestRequest).with(tag::TEST_REQ_ID, now), now)?;
                }
                if now.since(self.sent_at) >= self.heartbeat_ms {
                    self.emit(Body::new(MsgType::Heartbeat), now)?;
                }
            }
        }
        Ok(())
    }

    /// When [`Session::tick`] has something to do, if nothing comes before.
    #[must_use]
    pub fn due(&self) -> UtcTime {
        match self.state {
            State::Waiting(since) => since.plus_ms(LOGON_PATIENCE_MS),
            State::LoggingOut(since) => since.plus_ms(LOGOUT_PATIENCE_MS),
            State::Closed => UtcTime::from_ms(u64::MAX),
            State::Active => {
                let silence = self.tested_at.unwrap_or(self.received_at).plus_ms(self.silence_ms());
                silence.min(self.sent_at.plus_ms(self.heartbeat_ms))
            }
        }
    }

    /// How long a peer may be silent: an interval, and a fifth of it for the way.
    const fn silence_ms(&self) -> u64 {
        self.heartbeat_ms.saturating_add(self.heartbeat_ms / 5)
    }

    fn is_foreign(&self, message: &Message) -> bool {
        let differs = |tag, name: &str| message.get(tag).is_some_and(|found| found != name);
        differs(tag::SENDER_COMP_ID, &self.names.theirs) || differs(tag::TARGET_COMP_ID, &self.names.ours)
    }

    fn advance(&mut self, next_in: u64) {
        self.next_in = next_in;
        if self.gap.is_some_and(|gap| next_in > gap.until) {
            self.gap = None;
        }
    }

    /// A message with the next number.
    fn in_turn(&mut self, message: Message, now: UtcTime) -> Result<(), StoreFault> {
        if let Some(fault) = message.fault().or_else(|| fault_of_repeat(&message)) {
            return self.reject(&message, fault, now);
        }
        match message.msg_type() {
            Some(MsgType::Heartbeat | MsgType::Reject) => Ok(()),
            Some(MsgType::TestRequest) => self.test_request(&message, now),
            Some(MsgType::ResendRequest) => self.resend_request(&message, now),
            Some(MsgType::SequenceReset) => self.gap_fill(&message, now),
            Some(MsgType::Logout) => self.logout(now),
            _ => {
                self.actions.push(Action::Deliver(message));
                Ok(())
            }
        }
    }

    fn too_low(&mut self, message: &Message, now: UtcTime) -> Result<(), StoreFault> {
        if message.flag(tag::POSS_DUP_FLAG) == Ok(true) {
            // It was taken before. Only its form is looked at.
            return match fault_of_repeat(message) {
                Some(fault) => self.reject(message, fault, now),
                None => Ok(()),
            };
        }
        let why = format!("MsgSeqNum too low, expecting {} but received {}", self.next_in, message.seq());
        self.leave(&why, now)
    }

    fn too_high(&mut self, message: &Message, now: UtcTime) -> Result<(), StoreFault> {
        match message.msg_type() {
            // Answered at once: were both sides to wait for their gaps to be filled first, neither would.
            Some(MsgType::ResendRequest) if message.fault().is_none() => self.resend_request(message, now)?,
            Some(MsgType::Logout) => return self.logout(now),
            _ => {}
        }
        self.ask_again(message.seq(), now)
    }

    /// Asks for what is missing before a number, once, and again if nothing of it comes.
    fn ask_again(&mut self, seen: u64, now: UtcTime) -> Result<(), StoreFault> {
        let until = self.gap.map_or(seen, |gap| gap.until.max(seen));
        let asked_at = self.gap.map(|gap| gap.asked_at);
        if let Some(asked_at) = asked_at.filter(|at| now.since(*at) < self.silence_ms()) {
            self.gap = Some(Gap { until, asked_at });
            return Ok(());
        }
        self.gap = Some(Gap { until, asked_at: now });
        let request =
            Body::new(MsgType::ResendRequest).with(tag::BEGIN_SEQ_NO, self.next_in).with(tag::END_SEQ_NO, 0);
        self.emit(request, now)
    }

    fn emit(&mut self, body: Body, now: UtcTime) -> Result<(), StoreFault> {
        let seq = self.store.next_out();
        let bytes = body.frame(&self.header(seq, now, None));
        let kept = body.msg_type().is_kept().then_some(Sent { at: now, body });
        self.store.sent(kept.as_ref())?;
        self.sent_at = now;
        self.actions.push(Action::Send(bytes));
        Ok(())
    }

    fn header(&self, seq: u64, at: UtcTime, first_at: Option<UtcTime>) -> Header<'_> {
        Header { sender: &self.names.ours, target: &self.names.theirs, seq, at, first_at }
    }

    fn close(&mut self, why: &str) {
        self.state = State::Closed;
        self.actions.push(Action::Close(why.to_owned()));
    }

    /// Says logout and ends the connection without waiting for the answer.
    fn leave(&mut self, why: &str, now: UtcTime) -> Result<(), StoreFault> {
        self.emit(Body::new(MsgType::Logout).with(tag::TEXT, why), now)?;
        self.close(why);
        Ok(())
    }
}

/// The logout for somebody who is not let in: no session's numbers are touched.
#[must_use]
pub fn turned_away(names: &Names, why: &str, now: UtcTime) -> Vec<u8> {
    let header = Header { sender: &names.ours, target: &names.theirs, seq: 1, at: now, first_at: None };
    Body::new(MsgType::Logout).with(tag::TEXT, why).frame(&header)
}

fn is_late(message: &Message, now: UtcTime) -> bool {
    let Ok(Some(at)) = message.time(tag::SENDING_TIME) else { return false };
    now.since(at).max(at.since(now)) > SENDING_TIME_TOLERANCE_MS
}

/// A possible duplicate says when it was sent first, which was not later than now. A time of sending must be one.
fn fault_of_repeat(message: &Message) -> Option<Fault> {
    let read = || {
        let at = message.time(tag::SENDING_TIME)?;
        if !message.flag(tag::POSS_DUP_FLAG)? {
            return Ok(None);
        }
        let Some(first_at) = message.time(tag::ORIG_SENDING_TIME)? else {
            return Err(Fault::of(RejectReason::RequiredTagMissing, tag::ORIG_SENDING_TIME));
        };
        let late = at.is_some_and(|at| first_at > at);
        Ok(late.then_some(Fault::of(RejectReason::SendingTimeAccuracy, tag::ORIG_SENDING_TIME)))
    };
    read().unwrap_or_else(Some)
}

#[cfg(test)]
mod tests;
