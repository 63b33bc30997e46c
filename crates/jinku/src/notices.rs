//! Notices of balance monitors: posted to whoever asked for them, signed, until they are taken.
//!
//! A courier for each address (the bank's own, and one of each tenant that has one) follows the state. It posts what waits for its address as JSON,
//! signed with the bank's log key over exactly the bytes of the body. An answer of 2xx is reported by a command, so that the notice is delivered for every
//! node and for ever; anything else is tried again after a pause that doubles up to [`PAUSE_MAX`].
//!
//! **Invariants.** A notice is posted at least once, and a repeat has the same number and the same bytes. Only the leader posts. A notice without an
//! address stays in the list (`GET /notices`). A tenant's notices go to its own address and to no other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bank::{Bank, Command, Submission};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use identity::Actor;
use ledger::{Tenant, Threshold};
use money::{MonitorId, Text};
use node::{Handle, SubmitError};
use receipts::NoteSigner;
use serde::{Deserialize, Serialize};

use crate::books::asset_text;
use crate::cluster::LeadersWork;
use crate::config::{BankConfig, Installation};
use crate::worker::Worker;
use crate::{operate, serve};

/// Header with the public key, as `jinku keys` prints it.
pub const KEY_HEADER: &str = "jinku-key";
/// Header with the signature in base64.
pub const SIGNATURE_HEADER: &str = "jinku-signature";
/// First pause after a failure.
const PAUSE_MIN: Duration = Duration::from_millis(500);
/// Longest pause: whoever was away for long is not asked more than twelve times an hour.
pub const PAUSE_MAX: Duration = Duration::from_secs(300);
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked at least, and how soon a stop is seen.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Shortest time between two looks: a busy bank moves on thousands of times a second.
const PACE: Duration = Duration::from_millis(20);

/// What is posted, in this order of fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The notice's number; a repeat has the same.
    pub notice: u64,
    /// The bank's clearing number.
    pub bank: String,
    /// Whose account it is; 0 is the bank.
    pub tenant: u32,
    /// The monitor.
    pub monitor: String,
    /// The account.
    pub account: String,
    /// The asset of the amounts.
    pub asset: String,
    /// The mark, where the monitor waits for less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<String>,
    /// The mark, where the monitor waits for this or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<String>,
    /// What was available when the mark was passed.
    pub available: String,
    /// When that was.
    pub at: String,
}

/// A notice that nobody has taken yet.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    monitor: MonitorId,
    pub(crate) message: Message,
}

/// Notices over the accounts of tenants that are wanted, in the order of their numbers.
pub(crate) fn waiting(bank: &Bank, is_wanted: impl Fn(Tenant) -> bool) -> Vec<Waiting> {
    let ledger = bank.ledger();
    let number = bank.payments().profile().map_or_else(String::new, |profile| profile.bank.to_string());
    let told = ledger.notices().filter_map(|(id, notice)| {
        let monitor = ledger.monitor(id)?;
        let tenant = ledger.account(monitor.account)?.tenant();
        let (below, at_least) = match monitor.threshold {
            Threshold::Below(mark) => (Some(mark.decimal()), None),
            Threshold::AtLeast(mark) => (None, Some(mark.decimal())),
        };
        let message = Message {
            notice: notice.number,
            bank: number.clone(),
            tenant: tenant.number(),
            monitor: id.to_string(),
            account: monitor.account.to_string(),
            asset: asset_text(notice.available.asset()),
            below,
            at_least,
            available: notice.available.decimal(),
            at: notice.at.to_string(),
        };
        is_wanted(tenant).then_some(Waiting { monitor: id, message })
    });
    let mut told: Vec<Waiting> = told.collect();
    told.sort_by_key(|waiting| waiting.message.notice);
    told
}

/// Starts the couriers, where any address is configured; they work while this node leads.
///
/// # Errors
/// An address that cannot be used, or a thread that cannot be started.
pub(crate) fn start(installation: &Installation, handle: &Handle) -> anyhow::Result<Option<LeadersWork>> {
    let addresses = addresses(&installation.config)?;
    if addresses.is_empty() {
        return Ok(None);
    }
    let signer = Arc::new(serve::log_signer(installation)?);
    let for_couriers = handle.clone();
    let work = LeadersWork::begin(handle.clone(), move || {
        let couriers = addresses.iter().map(|(tenant, url)| {
            Courier::start(*tenant, url.clone(), Arc::clone(&signer), for_couriers.clone())
        });
        couriers.collect::<anyhow::Result<Vec<Courier>>>()
    });
    work.map(Some)
}

fn addresses(config: &BankConfig) -> anyhow::Result<Vec<(Tenant, String)>> {
    let mut addresses: Vec<(Tenant, String)> = Vec::new();
    addresses.extend(config.notices_url.clone().map(|url| (Tenant::BANK, url)));
    for (number, tenant) in &config.tenants {
        ensure!(*number != Tenant::BANK.number(), "tenants in bank.json: 0 is the bank itself");
        addresses.extend(tenant.notices_url.clone().map(|url| (Tenant::new(*number), url)));
    }
    for (_, url) in &addresses {
        ensure!(
            url.starts_with("http://"),
            "notices_url in bank.json: {url} does not begin with http://; TLS is the business of a relay on this machine"
        );
    }
    Ok(addresses)
}

/// A thread that delivers to one address; dropping it ends it.
struct Courier {
    _worker: Worker,
}

impl Courier {
    fn start(tenant: Tenant, url: String, signer: Arc<NoteSigner>, handle: Handle) -> anyhow::Result<Self> {
        let agent = crate::client::agent(PATIENCE);
        let round = Round { tenant, url, signer, handle, agent, tries: BTreeMap::new() };
        let worker = Worker::start("notices".to_owned(), move |stopping| round.go(stopping))?;
        Ok(Self { _worker: worker })
    }
}

/// How a delivery has gone so far.
#[derive(Debug, Clone, Copy)]
struct Try {
    number: u64,
    pause: Duration,
    due: Instant,
}

struct Round {
    tenant: Tenant,
    url: String,
    signer: Arc<NoteSigner>,
    handle: Handle,
    agent: ureq::Agent,
    tries: BTreeMap<MonitorId, Try>,
}

impl Round {
    fn go(mut self, stopping: &AtomicBool) {
        while !stopping.load(Ordering::Relaxed) {
            let seen = self.handle.status().durable.seq;
            let tenant = self.tenant;
            // The node has halted: nobody may be told anything any more.
            let Ok(waiting) = self.handle.read(|bank| waiting(bank, |of| of == tenant)) else { return };
            let numbers: BTreeMap<MonitorId, u64> =
                waiting.iter().map(|waiting| (waiting.monitor, waiting.message.notice)).collect();
            self.tries.retain(|monitor, tried| numbers.get(monitor) == Some(&tried.number));
            for waiting in &waiting {
                let is_due = |tried: &Try| tried.due <= Instant::now();
                if stopping.load(Ordering::Relaxed) || !self.handle.status().role.decides() {
                    break;
                }
                if self.tries.get(&waiting.monitor).is_none_or(is_due) {
                    self.deliver(waiting);
                }
            }
            std::thread::sleep(PACE);
            let next =
                self.tries.values().map(|tried| tried.due.saturating_duration_since(Instant::now())).min();
            let _ = self.handle.wait_beyond(seen, next.unwrap_or(LOOK_EVERY).min(LOOK_EVERY));
        }
    }

    fn deliver(&mut self, waiting: &Waiting) {
        let done = self.post(&waiting.message).and_then(|()| self.report(waiting));
        match done {
            Ok(()) => {
                self.tries.remove(&waiting.monitor);
            }
            Err(error) => {
                let number = waiting.message.notice;
                let before = self.tries.get(&waiting.monitor).map(|tried| tried.pause);
                let pause = before.map_or(PAUSE_MIN, |pause| pause.saturating_mul(2).min(PAUSE_MAX));
                let again_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(notice = number, url = self.url, again_ms, "a notice is not taken: {error:#}");
                let now = Instant::now();
                let due = now.checked_add(pause).unwrap_or(now);
                self.tries.insert(waiting.monitor, Try { number, pause, due });
            }
        }
    }

    fn post(&self, message: &Message) -> anyhow::Result<()> {
        let body = serde_json::to_vec(message)?;
        let signature = STANDARD.encode(self.signer.sign_message(&body));
        let answer = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .header(KEY_HEADER, self.signer.verifier().to_string())
            .header(SIGNATURE_HEADER, signature)
            .send(&body)?;
        let status = answer.status();
        if !status.is_success() {
            bail!("the answer is {status}");
        }
        Ok(())
    }

    fn report(&self, waiting: &Waiting) -> anyhow::Result<()> {
        let delivered =
            ledger::Command::NoticeDelivered { id: waiting.monitor, number: waiting.message.notice };
        let submission = Submission {
            id: operate::fresh_id()?,
            actor: Actor::Operator(Text::clip("notices")),
            command: Command::Ledger(delivered),
        };
        match self.handle.submit(submission) {
            // A newer notice took its place, or the monitor is gone: there is nothing to report.
            Ok(_) | Err(SubmitError::Refused(_)) => Ok(()),
            Err(error) => Err(error).context("it was taken, and that cannot be recorded"),
        }
    }
}
