//! What the session answers itself.

use crate::codec::{Body, Message};
use crate::dictionary::{Fault, MsgType, RejectReason, tag};
use crate::store::StoreFault;
use crate::time::UtcTime;

use super::{Action, HEARTBEAT_S, Session, State, is_late};

impl Session {
    /// The first message.
    pub(super) fn logon(&mut self, message: &Message, now: UtcTime) -> Result<(), StoreFault> {
        if self.is_foreign(message) {
            return self.leave("other names than the session's", now);
        }
        if is_late(message, now) {
            return self.leave(RejectReason::SendingTimeAccuracy.words(), now);
        }
        let (heartbeat_s, reset) = match read_logon(message) {
            Ok(read) => read,
            Err(fault) => return self.leave(&fault.to_string(), now),
        };
        if !HEARTBEAT_S.contains(&heartbeat_s) {
            let (least, most) = (HEARTBEAT_S.start(), HEARTBEAT_S.end());
            return self.leave(&format!("HeartBtInt must be between {least} and {most}"), now);
        }
        if reset {
            if message.seq() != 1 {
                return self.leave("ResetSeqNumFlag needs MsgSeqNum 1", now);
            }
            self.begin_again()?;
        }
        if message.seq() < self.next_in {
            return self.too_low(message, now);
        }
        self.heartbeat_ms = heartbeat_s.saturating_mul(1_000);
        self.state = State::Active;
        let answer =
            Body::new(MsgType::Logon).with(tag::ENCRYPT_METHOD, 0).with(tag::HEART_BT_INT, heartbeat_s);
        let answer = if reset { answer.with_flag(tag::RESET_SEQ_NUM_FLAG, true) } else { answer };
        self.emit(answer, now)?;
        if message.seq() > self.next_in {
            return self.ask_again(message.seq(), now);
        }
        self.advance(self.next_in.saturating_add(1));
        Ok(())
    }

    /// A logon while logged on: only to begin the numbers again.
    pub(super) fn logon_again(&mut self, message: &Message, now: UtcTime) -> Result<(), StoreFault> {
        match read_logon(message) {
            Ok((_, true)) => self.logon(message, now),
            // An old one, sent again to fill a gap.
            Ok((_, false)) if message.flag(tag::POSS_DUP_FLAG) == Ok(true) => {
                if message.seq() == self.next_in {
                    self.advance(self.next_in.saturating_add(1));
                }
                Ok(())
            }
            Ok((_, false)) => self.leave("already logged on", now),
            Err(fault) => self.leave(&fault.to_string(), now),
        }
    }

    fn begin_again(&mut self) -> Result<(), StoreFault> {
        self.store.reset()?;
        self.next_in = 1;
        self.gap = None;
        self.held.clear();
        Ok(())
    }

    pub(super) fn logout(&mut self, now: UtcTime) -> Result<(), StoreFault> {
        if self.is_active() {
            self.emit(Body::new(MsgType::Logout), now)?;
        }
        self.close("logout");
        Ok(())
    }

    pub(super) fn test_request(&mut self, message: &Message, now: UtcTime) -> Result<(), StoreFault> {
        match message.required(tag::TEST_REQ_ID) {
            Ok(id) => self.emit(Body::new(MsgType::Heartbeat).with(tag::TEST_REQ_ID, id), now),
            Err(fault) => self.reject(message, fault, now),
        }
    }

    /// Sends again what is kept of a range, and fills the rest.
    pub(super) fn resend_request(&mut self, message: &Message, now: UtcTime) -> Result<(), StoreFault> {
        let last = self.store.next_out().saturating_sub(1);
        let (begin, end) = match read_range(message, last) {
            Ok(range) => range,
            Err(fault) => return self.reject(message, fault, now),
        };
        let mut at = begin;
        while at <= end {
            let kept = self.store.kept_from(at).filter(|(seq, _)| *seq <= end);
            let fill_to = kept.map_or(end.saturating_add(1), |(seq, _)| seq);
            if fill_to > at {
                let fill = Body::new(MsgType::SequenceReset)
                    .with_flag(tag::GAP_FILL_FLAG, true)
                    .with(tag::NEW_SEQ_NO, fill_to);
                self.actions.push(Action::Send(fill.frame(&self.header(at, now, Some(now)))));
            }
            if let Some((seq, sent)) = kept {
                self.actions.push(Action::Send(sent.body.frame(&self.header(seq, now, Some(sent.at)))));
            }
            at = fill_to.saturating_add(u64::from(kept.is_some()));
        }
        self.sent_at = now;
        Ok(())
    }

    /// Numbers that the peer will not send again.
    pub(super) fn gap_fill(&mut self, message: &Message, now: UtcTime) -> Result<(), StoreFault> {
        match message.number(tag::NEW_SEQ_NO) {
            // The number itself has been counted.
            Ok(next) if next >= self.next_in => self.advance(next),
            Ok(_) => {
                return self.reject(message, Fault::of(RejectReason::ValueIncorrect, tag::NEW_SEQ_NO), now);
            }
            Err(fault) => return self.reject(message, fault, now),
        }
        Ok(())
    }

    /// Numbers that the peer has lost: its own number is not looked at, and the next is never lowered.
    pub(super) fn reset(&mut self, message: &Message, now: UtcTime) -> Result<(), StoreFault> {
        if let Some(fault) = message.fault() {
            return self.reject(message, fault, now);
        }
        match message.number(tag::NEW_SEQ_NO) {
            Ok(next) if next >= self.next_in => {
                self.advance(next);
                Ok(())
            }
            Ok(_) => self.reject(message, Fault::of(RejectReason::ValueIncorrect, tag::NEW_SEQ_NO), now),
            Err(fault) => self.reject(message, fault, now),
        }
    }

    /// Says what is wrong with a message.
    pub(super) fn reject(&mut self, message: &Message, fault: Fault, now: UtcTime) -> Result<(), StoreFault> {
        let body = reject(message, fault);
        self.emit(body, now)
    }

    /// Says what is wrong with a message, and that the session cannot go on.
    pub(super) fn reject_and_leave(
        &mut self,
        message: &Message,
        fault: Fault,
        now: UtcTime,
    ) -> Result<(), StoreFault> {
        if message.seq() == self.next_in {
            self.advance(self.next_in.saturating_add(1));
        }
        self.reject(message, fault, now)?;
        self.leave(fault.reason.words(), now)
    }
}

/// The Reject of a message.
pub(crate) fn reject(message: &Message, fault: Fault) -> Body {
    Body::new(MsgType::Reject)
        .with(tag::REF_SEQ_NUM, message.seq())
        .with_some(tag::REF_TAG_ID, fault.tag)
        .with_some(tag::REF_MSG_TYPE, message.get(tag::MSG_TYPE))
        .with(tag::SESSION_REJECT_REASON, fault.reason.number())
        .with(tag::TEXT, fault)
}

/// Seconds between heartbeats, and whether numbers begin again.
fn read_logon(message: &Message) -> Result<(u64, bool), Fault> {
    if let Some(fault) = message.fault() {
        return Err(fault);
    }
    if message.required(tag::ENCRYPT_METHOD)? != "0" {
        return Err(Fault::of(RejectReason::ValueIncorrect, tag::ENCRYPT_METHOD));
    }
    Ok((message.number(tag::HEART_BT_INT)?, message.flag(tag::RESET_SEQ_NUM_FLAG)?))
}

/// First and last number of what is asked for; 0 as the last means all.
fn read_range(message: &Message, last: u64) -> Result<(u64, u64), Fault> {
    let (begin, end) = (message.number(tag::BEGIN_SEQ_NO)?, message.number(tag::END_SEQ_NO)?);
    if begin == 0 || begin > last {
        return Err(Fault::of(RejectReason::ValueIncorrect, tag::BEGIN_SEQ_NO));
    }
    if end != 0 && end < begin {
        return Err(Fault::of(RejectReason::ValueIncorrect, tag::END_SEQ_NO));
    }
    Ok((begin, if end == 0 { last } else { end.min(last) }))
}
