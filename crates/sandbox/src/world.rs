//! The outside world as a pure, deterministic state machine.
//!
//! Inputs are frames of our bank, control requests, the passing of time and what became of deliveries; each comes with
//! its time. Outputs are replies and a queue of frames to be posted to our bank. The same inputs in the same order give
//! the same world, byte for byte: there is no clock, no randomness and no I/O here, so the simulator runs it in its own
//! thread and the process replays it from a log.
//!
//! **Invariants.** A confirmed instant payment is in exactly the round that its answer announced. The nets of a round
//! add up to zero over all members. A frame to our bank is made once and repeated unchanged until it is acknowledged.
//! A payment is decided once: what was rejected or cancelled is in no round (a fault on demand excepted).

use std::collections::{BTreeMap, BTreeSet};

use cnaps::{BankNumber, FrameError, MessageId};
use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::calendar::{after, before, whole_ms};
use crate::config::{ConfigError, Rail, WorldConfig};

mod agenda;
mod compose;
mod controls;
mod day;
mod fault;
mod inbound;
mod inject;
mod outbound;
mod outbox;
mod payment;
mod receive;
mod report;
mod rounds;

pub use outbox::{Delivery, DeliveryOutcome};

use agenda::{Agenda, Due};
use day::{Centre, Centres};
use fault::Faults;
use outbox::Outbox;
use payment::{Payment, ReturnRecord};
use receive::Seen;
use rounds::Rounds;

/// Bytes that are not a frame; they cannot be acknowledged, and change nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a frame: {0}")]
pub struct NotAFrame(#[from] pub FrameError);

/// What our bank gets for a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// An acknowledgement (990) or a refusal (900): the bytes of a frame.
    Frame(Vec<u8>),
    /// Nothing: the frame is stored, its acknowledgement is lost.
    Lost,
    /// Nothing: the system cannot be reached, the frame is not stored.
    Down,
}

/// The outside world.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    config: WorldConfig,
    key: SigningKey,
    /// How far the world's clock is ahead of the time it is told.
    ahead_ms: u64,
    /// Latest time seen; time never goes back.
    last: Timestamp,
    started: bool,
    centres: Centres,
    payments: BTreeMap<MessageId, Payment>,
    /// Payments of our bank that wait for their answer.
    forwarded: BTreeSet<MessageId>,
    returns: BTreeMap<MessageId, ReturnRecord>,
    /// Payments cancelled before they came.
    cancelled_unseen: BTreeSet<MessageId>,
    rounds: Rounds,
    seen: BTreeMap<(BankNumber, String), Seen>,
    /// Last sequence of each member and day.
    sequences: BTreeMap<(BankNumber, Date), u32>,
    outbox: Outbox,
    agenda: Agenda,
    faults: Faults,
    /// Frames that could not be made: always a mistake in this crate, shown instead of hidden.
    defects: Vec<String>,
}

impl World {
    /// A world before its first moment.
    ///
    /// # Errors
    /// A configuration that cannot work.
    pub fn new(config: WorldConfig) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            key: config.centre_seed.signing_key(),
            config,
            ahead_ms: 0,
            last: Timestamp::MIN,
            started: false,
            centres: Centres::default(),
            payments: BTreeMap::new(),
            forwarded: BTreeSet::new(),
            returns: BTreeMap::new(),
            cancelled_unseen: BTreeSet::new(),
            rounds: Rounds::default(),
            seen: BTreeMap::new(),
            sequences: BTreeMap::new(),
            outbox: Outbox::default(),
            agenda: Agenda::default(),
            faults: Faults::default(),
            defects: Vec::new(),
        })
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &WorldConfig {
        &self.config
    }

    /// Public key that verifies every frame of this world.
    #[must_use]
    pub fn centre_public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// Whether a system cannot be reached.
    #[must_use]
    pub fn is_down(&self, rail: Rail) -> bool {
        self.centre(rail).is_down
    }

    /// Business date of a system.
    #[must_use]
    pub fn business_date(&self, rail: Rail) -> Date {
        self.centre(rail).business_date
    }

    /// Frames that could not be made; empty unless this crate has a mistake.
    #[must_use]
    pub fn defects(&self) -> &[String] {
        &self.defects
    }

    /// Lets time pass: late answers, netting rounds, time-outs, the end of the day. Says whether anything changed.
    pub fn tick(&mut self, now: Timestamp) -> bool {
        let due = self.is_due(now);
        if due {
            self.advance_to(now);
        }
        due
    }

    /// Whether [`World::tick`] would change anything.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        let at = self.world_time(now);
        !self.started
            || self.agenda.next().is_some_and(|next| next <= at)
            || Rail::ALL.iter().any(|rail| self.calendar_moves(*rail, at))
    }

    /// When the next planned thing happens, in the time that the world is told; operating hours are not counted, so
    /// tick now and then all the same.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.agenda.next().map(|at| before(at, self.ahead_ms))
    }

    fn world_time(&self, now: Timestamp) -> Timestamp {
        whole_ms(after(now, self.ahead_ms)).max(self.last)
    }

    /// Does everything that is due, and gives the world's time.
    fn advance_to(&mut self, now: Timestamp) -> Timestamp {
        let at = self.world_time(now);
        self.last = at;
        if !self.started {
            self.started = true;
            self.start(at);
        }
        while let Some(due) = self.agenda.pop(at) {
            self.fall_due(due, at);
        }
        for rail in Rail::ALL {
            self.follow_calendar(rail, at);
        }
        at
    }

    fn fall_due(&mut self, due: Due, at: Timestamp) {
        let rail = self.rail_of(&due);
        if self.centre(rail).is_down {
            self.centre_mut(rail).held_up.push(due);
            return;
        }
        match due {
            Due::Answer(id) => self.answer_due(&id, at),
            Due::LateConfirmation(id) => self.confirm_after_cancel(&id, at),
            Due::AnswerTimeout(id) => self.answer_timed_out(&id, at),
            Due::Return(id) => self.return_due(&id, at),
            Due::CloseRound { date, number } => {
                if self.rounds.is_open(number) && self.centre(Rail::Instant).business_date == date {
                    self.close_round(at);
                }
            }
            Due::Settle { date, number } => self.settle_round(date, number, at),
        }
    }

    fn rail_of(&self, due: &Due) -> Rail {
        match due {
            Due::Answer(id) | Due::LateConfirmation(id) | Due::AnswerTimeout(id) | Due::Return(id) => {
                self.payments.get(id).map_or(Rail::Instant, |payment| payment.rail)
            }
            Due::CloseRound { .. } | Due::Settle { .. } => Rail::Instant,
        }
    }

    fn centre(&self, rail: Rail) -> &Centre {
        match rail {
            Rail::Instant => &self.centres.instant,
            Rail::HighValue => &self.centres.high_value,
        }
    }

    fn centre_mut(&mut self, rail: Rail) -> &mut Centre {
        match rail {
            Rail::Instant => &mut self.centres.instant,
            Rail::HighValue => &mut self.centres.high_value,
        }
    }
}
