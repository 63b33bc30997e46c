//! Carries transfers over to one other cell, until it has answered each.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bank::{Bank, Command, Submission};
use cells::{CellNumber, Outgoing};
use identity::Actor;
use money::{Asset, CommandId, Text, TransferId};
use node::{Handle, SubmitError};

use super::wire::{Answers, Asked, AskedTransfer};
use super::{Peer, TRANSFERS_MAX};
use crate::operate;
use crate::worker::Worker;

/// First pause after a failure.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// Longest pause: a cell that is back hears of what waits for it within half a minute.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked at least, and how soon a stop is seen.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Shortest time between two looks where little is to do: transfers of this long go together.
const PACE: Duration = Duration::from_millis(10);

/// A thread that asks one cell; dropping it ends it.
pub(super) struct Driver {
    _worker: Worker,
}

impl Driver {
    pub(super) fn start(own: CellNumber, peer: &Peer, handle: &Handle) -> anyhow::Result<Self> {
        let agent = crate::client::agent(PATIENCE);
        let carrier = Carrier {
            own,
            token: hex::encode(peer.token),
            peer: peer.clone(),
            handle: handle.clone(),
            agent,
            turn: 0,
            pause: None,
            kept: BTreeMap::new(),
        };
        let worker = Worker::start(format!("cell-{}", peer.cell), move |stopping| carrier.go(stopping))?;
        Ok(Self { _worker: worker })
    }
}

/// How long nothing is tried, after how many failures.
#[derive(Debug, Clone, Copy)]
struct Pause {
    length: Duration,
    until: Instant,
}

impl Pause {
    fn after(before: Option<Self>) -> Self {
        let length = before.map_or(PAUSE_MIN, |pause| pause.length.saturating_mul(2).min(PAUSE_MAX));
        let now = Instant::now();
        Self { length, until: now.checked_add(length).unwrap_or(now) }
    }

    fn is_over(&self) -> bool {
        self.until <= Instant::now()
    }
}

struct Carrier {
    own: CellNumber,
    peer: Peer,
    token: String,
    handle: Handle,
    agent: ureq::Agent,
    /// Which of the cell's addresses is asked; the next one after a failure, since another of its nodes may lead.
    turn: usize,
    /// After the cell did not answer.
    pause: Option<Pause>,
    /// Transfers that it did not answer, though others: they wait by themselves and hold nobody up.
    kept: BTreeMap<TransferId, Pause>,
}

impl Carrier {
    fn go(mut self, stopping: &AtomicBool) {
        while !stopping.load(Ordering::Relaxed) {
            let seen = self.handle.status().durable.seq;
            let mut is_full = false;
            if self.pause.is_none_or(|pause| pause.is_over()) && self.handle.status().role.decides() {
                match self.round() {
                    Ok(count) => {
                        self.pause = None;
                        is_full = count == TRANSFERS_MAX;
                    }
                    Err(error) => {
                        let pause = Pause::after(self.pause);
                        let again_ms = u64::try_from(pause.length.as_millis()).unwrap_or(u64::MAX);
                        tracing::warn!(cell = self.peer.cell.number(), again_ms, "{error:#}");
                        self.pause = Some(pause);
                        self.turn = self.turn.wrapping_add(1);
                    }
                }
            }
            if !is_full {
                std::thread::sleep(PACE);
                let _ = self.handle.wait_beyond(seen, self.wait());
            }
        }
    }

    /// How long to wait if nothing happens here.
    fn wait(&self) -> Duration {
        let ends = self.pause.iter().chain(self.kept.values()).map(|pause| pause.until);
        let next = ends.map(|until| until.saturating_duration_since(Instant::now())).min();
        next.unwrap_or(LOOK_EVERY).min(LOOK_EVERY)
    }

    /// Asks for what is due, and reports the answers; says how many were asked for.
    fn round(&mut self) -> anyhow::Result<usize> {
        self.join()?;
        let due = self.due()?;
        if due.is_empty() {
            return Ok(0);
        }
        let answers = self.ask(&due).with_context(|| format!("cell {} does not answer", self.peer.cell))?;
        ensure!(
            answers.answers.len() == due.len(),
            "cell {} answers to {} of {} transfers",
            self.peer.cell,
            answers.answers.len(),
            due.len()
        );
        let mut reports = Vec::new();
        for (answer, outgoing) in answers.answers.iter().zip(&due) {
            let id = outgoing.transfer.id;
            match answer.outcome() {
                Ok(outcome) => {
                    self.kept.remove(&id);
                    reports.push(cells::Command::ReportOutcome { id, outcome });
                }
                Err(error) => {
                    tracing::warn!(cell = self.peer.cell.number(), %id, "a transfer is not answered: {error:#}");
                    let pause = Pause::after(self.kept.get(&id).copied());
                    self.kept.insert(id, pause);
                }
            }
        }
        self.report(reports)?;
        Ok(due.len())
    }

    /// Makes this bank the cell it is, with a transit account to the other one in every asset it has books in.
    fn join(&self) -> anyhow::Result<()> {
        let (own, peer) = (self.own, self.peer.cell);
        let (number, missing) = self.handle.read(|bank: &Bank| {
            let assets = bank.payments().all_books().map(|books| books.asset);
            let missing = assets.filter(|asset| bank.cells().peer(peer, *asset).is_none());
            (bank.cells().number(), missing.collect::<Vec<Asset>>())
        })?;
        let mut commands = Vec::new();
        if number != Some(own) {
            commands.push(cells::Command::OpenCell { number: own });
        }
        commands.extend(missing.into_iter().map(|asset| cells::Command::AddPeer { peer, asset }));
        for command in commands {
            let actor = Actor::Operator(Text::clip("cells"));
            let submission = Submission { id: operate::fresh_id()?, actor, command: Command::Cells(command) };
            self.handle.submit(submission).context("cell in bank.json")?;
        }
        Ok(())
    }

    fn due(&mut self) -> anyhow::Result<Vec<Outgoing>> {
        let (cell, kept) = (self.peer.cell, &self.kept);
        let due = self.handle.read(|bank: &Bank| {
            let mine = bank.cells().outgoing().filter(|(id, outgoing)| {
                outgoing.transfer.to.cell == cell && kept.get(id).is_none_or(Pause::is_over)
            });
            mine.take(TRANSFERS_MAX).map(|(_, outgoing)| outgoing.clone()).collect::<Vec<_>>()
        })?;
        Ok(due)
    }

    fn ask(&self, due: &[Outgoing]) -> anyhow::Result<Answers> {
        let count = self.peer.urls.len().max(1);
        let url =
            self.peer.urls.get(self.turn.checked_rem(count).unwrap_or(0)).context("it has no address")?;
        let asked = Asked { transfers: due.iter().map(AskedTransfer::of).collect() };
        let mut answer = self
            .agent
            .post(format!("{}/transfers", url.trim_end_matches('/')))
            .header("authorization", format!("Bearer {}", self.token))
            .send_json(&asked)?;
        let status = answer.status();
        if !status.is_success() {
            let words = answer.body_mut().read_to_string().unwrap_or_default();
            bail!("{url} says {status}: {words}");
        }
        Ok(answer.body_mut().read_json()?)
    }

    fn report(&self, reports: Vec<cells::Command>) -> anyhow::Result<()> {
        if reports.is_empty() {
            return Ok(());
        }
        let batch = reports.into_iter().map(|command| {
            let command = Command::Cells(command);
            self.handle.admit(Submission { id: CommandId::new(0), actor: Actor::System, command })
        });
        let batch = batch.collect::<Result<Vec<_>, _>>()?;
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.handle.submit_batch(batch, move |replies| {
            let _ = sender.send(replies);
        })?;
        for reply in receiver.recv().context("the node was stopped")? {
            match reply {
                Ok(_) => {}
                // The cells contradict each other: for people to look at, and never to be answered by moving money.
                Err(SubmitError::Refused(refusal)) => {
                    tracing::error!(cell = self.peer.cell.number(), %refusal, "an answer is refused");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
