//! Sending what is outstanding, until it is taken or refused.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bank::{Command, Outstanding, Submission};
use identity::Actor;
use money::{CommandId, EffectId, Text};
use node::{Handle, SubmitError};
use payments::{Effect, EffectResult, Rail, RailNotice, RailState, RailStatus};
use thiserror::Error;

use crate::outbound::{Outgoing, Sent, Translator};

/// Longest time a centre has to answer a frame.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// First and longest pause before the same frame is sent again.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Most effects looked at in one turn.
const TURN_MAX: usize = 256;
/// Failures in a row after which the rail counts as down.
const DOWN_AFTER: u32 = 3;
/// How often a rail that counts as down is asked whether it is back, and an idle one whether it still is there.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// Longest sleep when nothing is outstanding.
const SLEEP_MAX: Duration = Duration::from_millis(200);

/// Why a driver cannot start.
#[derive(Debug, Error)]
#[error("cannot start a thread: {0}")]
pub struct DriverError(#[from] std::io::Error);

/// Where a rail's centre is.
#[derive(Debug, Clone)]
pub struct Centre {
    /// Which rail.
    pub rail: Rail,
    /// Where frames are posted, such as `http://127.0.0.1:7470`.
    pub url: String,
}

/// Running senders, one for each rail, so that one rail that is down does not hold up another. Dropping it stops them.
#[derive(Debug)]
pub struct Driver {
    threads: Vec<JoinHandle<()>>,
    stopping: Arc<AtomicBool>,
}

impl Driver {
    /// Starts a sender for each centre.
    ///
    /// # Errors
    /// A thread that cannot be started.
    pub fn start(
        centres: Vec<Centre>,
        translator: &Arc<Translator>,
        handle: &Handle,
    ) -> Result<Self, DriverError> {
        let stopping = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        for centre in centres {
            let sender = Sender {
                agent: ureq::Agent::new_with_config(
                    ureq::Agent::config_builder()
                        .timeout_global(Some(ANSWER_TIMEOUT))
                        .http_status_as_error(false)
                        .build(),
                ),
                centre,
                translator: Arc::clone(translator),
                handle: handle.clone(),
                retries: BTreeMap::new(),
                failures: 0,
                last_contact: None,
            };
            let stopping = Arc::clone(&stopping);
            let name = format!("rail-{}", sender.centre.rail.name());
            threads.push(std::thread::Builder::new().name(name).spawn(move || sender.run(&stopping))?);
        }
        Ok(Self { threads, stopping })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

struct Sender {
    agent: ureq::Agent,
    centre: Centre,
    translator: Arc<Translator>,
    handle: Handle,
    /// When an effect is tried again, and the pause after that.
    retries: BTreeMap<EffectId, (Instant, Duration)>,
    failures: u32,
    last_contact: Option<Instant>,
}

impl Sender {
    fn run(mut self, stopping: &AtomicBool) {
        let mut seen = 0;
        while !stopping.load(Ordering::Relaxed) {
            let rail = self.centre.rail;
            let Ok(outstanding) = self.handle.read(|bank| {
                let mine = bank.outstanding().filter(|(_, outstanding)| rail_of(&outstanding.effect) == rail);
                (bank.seq(), mine.take(TURN_MAX).map(|(id, what)| (id, what.clone())).collect::<Vec<_>>())
            }) else {
                return;
            };
            let (seq, outstanding) = outstanding;
            let known: Vec<EffectId> = outstanding.iter().map(|(id, _)| *id).collect();
            self.retries.retain(|id, _| known.contains(id));
            let mut progressed = false;
            for (id, what) in &outstanding {
                if self.retries.get(id).is_some_and(|(at, _)| *at > Instant::now()) {
                    continue;
                }
                progressed |= self.send(*id, what);
                if stopping.load(Ordering::Relaxed) {
                    return;
                }
            }
            self.probe();
            if progressed {
                continue;
            }
            seen = seq.max(seen);
            let _ = self.handle.wait_beyond(seen, SLEEP_MAX);
        }
    }

    /// Sends one effect; answers whether it is done with.
    fn send(&mut self, id: EffectId, what: &Outstanding) -> bool {
        let result = match self.translator.outgoing(id, &what.effect, what.since) {
            Ok(outgoing) => match self.post(&outgoing) {
                Ok(result) => result,
                Err(reason) => {
                    tracing::warn!(effect = %id, rail = self.centre.rail.name(), reason, "not acknowledged; it is sent again");
                    self.later(id);
                    self.failed();
                    return false;
                }
            },
            Err(error) => {
                tracing::error!(effect = %id, %error, "the rail cannot carry this; it is given back");
                EffectResult::Refused { code: Text::clip(cnaps::RejectCode::PayerCheck.code()) }
            }
        };
        match self.submit(Command::EffectReported { effect: id, result }) {
            Ok(()) => {
                self.retries.remove(&id);
                true
            }
            Err(error) => {
                tracing::warn!(effect = %id, %error, "a result could not be recorded; the frame is sent again");
                self.later(id);
                false
            }
        }
    }

    fn later(&mut self, id: EffectId) {
        let pause = self.retries.get(&id).map_or(PAUSE_MIN, |(_, pause)| *pause);
        let at = Instant::now().checked_add(pause).unwrap_or_else(Instant::now);
        self.retries.insert(id, (at, pause.saturating_mul(2).min(PAUSE_MAX)));
    }

    fn post(&mut self, outgoing: &Outgoing) -> Result<EffectResult, String> {
        let url = format!("{}{}", self.centre.url, cnaps::FRAMES_PATH);
        let request = self.agent.post(&url).content_type(cnaps::FRAME_CONTENT_TYPE);
        let mut response = request.send(&outgoing.bytes).map_err(|error| error.to_string())?;
        if response.status() != 200 {
            return Err(format!("the centre answered with status {}", response.status()));
        }
        let limit = u64::try_from(cnaps::FRAME_SIZE_BYTES_LIMIT).unwrap_or(u64::MAX);
        let body = response.body_mut().with_config().limit(limit).read_to_vec();
        let body = body.map_err(|error| error.to_string())?;
        match self.translator.sent(outgoing, &body) {
            Sent::Acknowledged => {
                self.reached();
                Ok(EffectResult::Delivered)
            }
            Sent::Refused(code) => {
                self.reached();
                Ok(EffectResult::Refused { code: Text::clip(code.code()) })
            }
            Sent::Unclear(problem) => Err(problem),
        }
    }

    /// Asks an idle centre whether it is there, so that a customer is told before paying and not after.
    fn probe(&mut self) {
        if self.last_contact.is_some_and(|at| at.elapsed() < PROBE_EVERY) {
            return;
        }
        self.last_contact = Some(Instant::now());
        let url = format!("{}/health?system={}", self.centre.url, self.centre.rail.name());
        match self.agent.get(&url).call() {
            Ok(response) if response.status() == 200 => self.reached(),
            Ok(_) | Err(_) => self.failed(),
        }
    }

    fn reached(&mut self) {
        self.failures = 0;
        self.last_contact = Some(Instant::now());
        self.tell_if(|state| state == RailState::Down, RailState::Open);
    }

    fn failed(&mut self) {
        self.last_contact = Some(Instant::now());
        self.failures = self.failures.saturating_add(1);
        if self.failures >= DOWN_AFTER {
            self.tell_if(|state| state != RailState::Down, RailState::Down);
        }
    }

    /// Tells the bank that the rail is in another state than it was, where `when` holds of that.
    fn tell_if(&self, when: impl Fn(RailState) -> bool, state: RailState) {
        let rail = self.centre.rail;
        let Ok(Some(known)) = self.handle.read(|bank| bank.payments().rail_status(rail)) else { return };
        if !when(known.state) {
            return;
        }
        let status = RailStatus { state, business_date: known.business_date };
        let notice = RailNotice::Status(status);
        if let Err(error) = self.submit(Command::Payments(payments::Command::Notice { rail, notice })) {
            tracing::warn!(%error, "the state of a rail could not be recorded");
        }
    }

    fn submit(&self, command: Command) -> Result<(), SubmitError> {
        let actor = Actor::Rail(Text::clip(self.centre.rail.name()));
        let submitted = self.handle.submit(Submission { id: CommandId::new(0), actor, command });
        match submitted {
            // Somebody reported it before; the effect is gone, which is what was wanted.
            Ok(_) | Err(SubmitError::Refused(bank::Refusal::EffectNotOutstanding { .. })) => Ok(()),
            Err(error) => Err(error),
        }
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
