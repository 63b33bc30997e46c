//! The way between the bank and the sandbox: what the node's receiver and driver do, with a network that loses, repeats and reorders.

use std::collections::{BTreeMap, BTreeSet};

use bank::{Command, Outstanding, Submission};
use cnaps::{Ed25519Profile, Frame};
use ed25519_dalek::SigningKey;
use identity::Actor;
use money::{CommandId, Date, EffectId, Text, Timestamp};
use payments::{BankNumber, Effect, EffectResult, Rail, RailNotice, RailState, RailStatus};
use rails::{Rejection, Sent, Translator};
use sandbox::{DEMO_BANK_SEED, Delivery, DeliveryOutcome, World, WorldConfig};

use crate::Defect;
use crate::faults::Network;
use crate::opening::OUR_BANK;
use crate::rng::Chance;
use crate::shell::{Reply, Shell};

/// Failures in a row after which a rail counts as down, as in the driver.
const DOWN_AFTER: u32 = 3;
/// Pause before an effect is sent again.
const RETRY_MS: u64 = 500;
/// Most frames taken in one turn.
const TURN_MAX: usize = 8;

/// Both clocks: how late it is, and what the bank's machine believes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clocks {
    pub(crate) world: Timestamp,
    pub(crate) bank: Timestamp,
}

pub(crate) struct Outside {
    pub(crate) world: World,
    translator: Translator,
    next_ack: u64,
    /// Frames of ours that may come once more, late.
    copies: Vec<Vec<u8>>,
    /// Frames of ours on a slow way, and when they arrive.
    delayed: Vec<(Timestamp, Vec<u8>)>,
    retry_at: BTreeMap<EffectId, Timestamp>,
    failures: BTreeMap<Rail, u32>,
    /// Frames to us that were put off and not yet taken.
    put_off: BTreeSet<u64>,
    /// A frame was taken before an earlier one.
    pub(crate) was_disordered: bool,
    /// Days that ended, in the order they ended.
    pub(crate) ended: Vec<(Rail, Date)>,
    business: BTreeMap<Rail, Date>,
}

pub(crate) fn jiff_time(at: Timestamp) -> jiff::Timestamp {
    let ms = i64::try_from(at.ms()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MAX)
}

pub(crate) const fn world_rail(rail: Rail) -> sandbox::Rail {
    match rail {
        Rail::Internal | Rail::Instant => sandbox::Rail::Instant,
        Rail::HighValue => sandbox::Rail::HighValue,
    }
}

const fn rail_of(effect: &Effect) -> Rail {
    match effect {
        Effect::SendCredit { rail, .. }
        | Effect::SendAnswer { rail, .. }
        | Effect::SendCancel { rail, .. }
        | Effect::SendReturn { rail, .. } => *rail,
    }
}

fn from_rail(rail: Rail, command: Command) -> Submission {
    Submission { id: CommandId::new(0), actor: Actor::Rail(Text::clip(rail.name())), command }
}

impl Outside {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let config = WorldConfig::default();
        let centre = config.centre.clone();
        let world = World::new(config)?;
        let centre_key = Ed25519Profile::new(&world.centre_public_key())?;
        let key = SigningKey::from_bytes(&DEMO_BANK_SEED);
        let translator = Translator::new(BankNumber::new(OUR_BANK)?, centre, key, centre_key, 480)?;
        Ok(Self {
            world,
            translator,
            next_ack: 0,
            copies: Vec::new(),
            delayed: Vec::new(),
            retry_at: BTreeMap::new(),
            failures: BTreeMap::new(),
            put_off: BTreeSet::new(),
            was_disordered: false,
            ended: Vec::new(),
            business: BTreeMap::new(),
        })
    }

    /// Lets the world's time pass.
    pub(crate) fn pass(&mut self, clocks: Clocks) {
        self.world.tick(jiff_time(clocks.world));
        let (due, later) =
            std::mem::take(&mut self.delayed).into_iter().partition(|(at, _)| *at <= clocks.world);
        self.delayed = later;
        let due: Vec<(Timestamp, Vec<u8>)> = due;
        for (_, frame) in due {
            let _ = self.world.receive(&frame, jiff_time(clocks.world));
        }
        self.note_days();
    }

    /// Notes which business days have ended.
    pub(crate) fn note_days(&mut self) {
        for rail in [Rail::Instant, Rail::HighValue] {
            let Ok(date) = self.world.business_date(world_rail(rail)).to_string().parse::<Date>() else {
                continue;
            };
            match self.business.insert(rail, date) {
                Some(before) if before != date => self.ended.push((rail, before)),
                Some(_) | None => {}
            }
        }
    }

    /// Takes frames of the world to the bank.
    pub(crate) fn deliver(
        &mut self,
        shell: &mut Shell,
        clocks: Clocks,
        network: &Network,
        chance: &mut Chance,
    ) {
        for _ in 0..TURN_MAX {
            let outgoing = self.world.outgoing(jiff_time(clocks.world));
            let index = if network.reorders && chance.percent(30) { chance.index(outgoing.len()) } else { 0 };
            let Some(delivery) = outgoing.get(index) else { return };
            let earlier = self.put_off.first().is_some_and(|first| *first < delivery.id);
            self.was_disordered |= index > 0 || earlier;
            let lost = network.loses && chance.percent(10);
            let unanswered = network.loses && chance.percent(10);
            let outcome = if lost {
                DeliveryOutcome::NoAnswer
            } else {
                let outcome = self.receive(shell, clocks, delivery);
                if network.repeats && chance.percent(10) {
                    let _ = self.receive(shell, clocks, delivery);
                }
                if unanswered { DeliveryOutcome::NoAnswer } else { outcome }
            };
            match outcome {
                DeliveryOutcome::Reply(_) => self.put_off.remove(&delivery.id),
                DeliveryOutcome::Status(_) => self.put_off.insert(delivery.id),
                DeliveryOutcome::NoAnswer => true,
            };
            self.world.delivered(delivery.id, &outcome, jiff_time(clocks.world));
            if outcome == DeliveryOutcome::NoAnswer {
                return;
            }
        }
    }

    /// The receiver: an acknowledgement only when what the frame says is durable.
    fn receive(&mut self, shell: &mut Shell, clocks: Clocks, delivery: &Delivery) -> DeliveryOutcome {
        let Ok(frame) = Frame::decode(&delivery.frame_bytes) else { return DeliveryOutcome::Status(400) };
        if !shell.is_alive() {
            return DeliveryOutcome::NoAnswer;
        }
        self.next_ack = self.next_ack.saturating_add(1);
        let answer = match self.take(shell, clocks, &frame) {
            Ok(duplicate) => {
                self.translator.acknowledgement(&frame.header, self.next_ack, clocks.bank, duplicate)
            }
            Err(Stop::Refuse(rejection)) => {
                self.translator.rejection(&frame.header, self.next_ack, clocks.bank, &rejection)
            }
            Err(Stop::Later) => return DeliveryOutcome::Status(503),
            Err(Stop::Dead) => return DeliveryOutcome::NoAnswer,
        };
        answer.map_or(DeliveryOutcome::Status(503), |answer| DeliveryOutcome::Reply(answer.bytes))
    }

    fn take(&self, shell: &mut Shell, clocks: Clocks, frame: &Frame) -> Result<bool, Stop> {
        let status = |rail| shell.bank.payments().rail_status(rail);
        let incoming = self.translator.accept(frame, status).map_err(Stop::Refuse)?;
        let mut all_known = true;
        for command in incoming.commands {
            let reply = shell.commit(clocks.bank, vec![from_rail(incoming.rail, command)]).pop();
            match reply {
                Some(Reply::Taken { is_repeat, .. }) => all_known &= is_repeat,
                Some(Reply::Refused(refusal)) if refusal.is_transient() => return Err(Stop::Later),
                Some(Reply::Refused(refusal)) => return Err(Stop::Refuse(Rejection::of(&refusal))),
                Some(Reply::NoRoom) => return Err(Stop::Later),
                Some(Reply::Dead) if shell.acknowledges_early() => {}
                Some(Reply::Dead) | None => return Err(Stop::Dead),
            }
        }
        Ok(all_known)
    }

    /// Sends what is outstanding, and now and then a frame from before once more.
    pub(crate) fn send(&mut self, shell: &mut Shell, clocks: Clocks, network: &Network, chance: &mut Chance) {
        if network.repeats && chance.percent(10) && !self.copies.is_empty() {
            let index = chance.index(self.copies.len());
            if let Some(copy) = self.copies.get(index) {
                let _ = self.world.receive(copy, jiff_time(clocks.world));
            }
        }
        let forgotten = shell.forgotten_effects;
        let due = shell.bank.outstanding().filter(|(id, _)| forgotten.is_none_or(|last| id.value() > last));
        let mut due: Vec<(EffectId, Outstanding)> = due.map(|(id, what)| (id, what.clone())).collect();
        due.retain(|(id, _)| self.retry_at.get(id).is_none_or(|at| *at <= clocks.world));
        if network.reorders && chance.percent(50) {
            due.reverse();
        }
        for (id, what) in due.into_iter().take(TURN_MAX) {
            if !shell.is_alive() {
                return;
            }
            self.retry_at.insert(id, clocks.world.plus_ms(RETRY_MS));
            self.send_one(shell, clocks, (id, &what), network, chance);
        }
    }

    fn send_one(
        &mut self,
        shell: &mut Shell,
        clocks: Clocks,
        (id, what): (EffectId, &Outstanding),
        network: &Network,
        chance: &mut Chance,
    ) {
        let rail = rail_of(&what.effect);
        let result = match self.translator.outgoing(id, &what.effect, what.since) {
            Ok(outgoing) => {
                if network.repeats && chance.percent(20) {
                    self.copies.push(outgoing.bytes.clone());
                }
                let lost = network.loses && chance.percent(15);
                let is_slow = !lost && network.delays && chance.percent(8);
                if is_slow {
                    let at = clocks.world.plus_ms(chance.between(600, 40_000));
                    self.delayed.push((at, outgoing.bytes.clone()));
                }
                let reply = if lost || is_slow { None } else { self.post(&outgoing.bytes, clocks) };
                let unanswered = network.loses && chance.percent(15);
                let reply = reply.filter(|_| !unanswered);
                let sent = reply.map(|reply| self.translator.sent(&outgoing, &reply));
                match sent {
                    Some(Sent::Acknowledged) => EffectResult::Delivered,
                    Some(Sent::Refused(code)) => EffectResult::Refused { code: Text::clip(code.code()) },
                    Some(Sent::Unclear(_)) | None if shell.has(Defect::ReportBeforeAcknowledged) => {
                        EffectResult::Delivered
                    }
                    Some(Sent::Unclear(_)) | None => return self.failed(shell, clocks, rail),
                }
            }
            Err(_) => EffectResult::Refused { code: Text::clip(cnaps::RejectCode::PayerCheck.code()) },
        };
        self.reached(shell, clocks, rail);
        let report = from_rail(rail, Command::EffectReported { effect: id, result });
        let _ = shell.commit(clocks.bank, vec![report]);
    }

    fn post(&mut self, frame: &[u8], clocks: Clocks) -> Option<Vec<u8>> {
        match self.world.receive(frame, jiff_time(clocks.world)) {
            Ok(sandbox::Reply::Frame(bytes)) => Some(bytes),
            Ok(sandbox::Reply::Lost | sandbox::Reply::Down) | Err(_) => None,
        }
    }

    fn reached(&mut self, shell: &mut Shell, clocks: Clocks, rail: Rail) {
        self.failures.insert(rail, 0);
        Self::tell_if(shell, clocks, rail, RailState::Open, |known| known == RailState::Down);
    }

    fn failed(&mut self, shell: &mut Shell, clocks: Clocks, rail: Rail) {
        let failures = self.failures.entry(rail).or_default();
        *failures = failures.saturating_add(1);
        if *failures >= DOWN_AFTER {
            Self::tell_if(shell, clocks, rail, RailState::Down, |known| known != RailState::Down);
        }
    }

    /// What the driver's probe finds: the rail can be reached again.
    pub(crate) fn probe(&mut self, shell: &mut Shell, clocks: Clocks) {
        for rail in [Rail::Instant, Rail::HighValue] {
            if !self.world.is_down(world_rail(rail)) {
                self.reached(shell, clocks, rail);
            }
        }
    }

    fn tell_if(
        shell: &mut Shell,
        clocks: Clocks,
        rail: Rail,
        state: RailState,
        when: impl Fn(RailState) -> bool,
    ) {
        let Some(known) = shell.bank.payments().rail_status(rail).filter(|known| when(known.state)) else {
            return;
        };
        let status = RailStatus { state, business_date: known.business_date };
        let notice = RailNotice::Status(status);
        let command = Command::Payments(payments::Command::Notice { rail, notice });
        let _ = shell.commit(clocks.bank, vec![from_rail(rail, command)]);
    }
}

/// Why a frame is not acknowledged.
enum Stop {
    Refuse(Rejection),
    Later,
    Dead,
}
