//! Sources of prices: what `price_sources` in bank.json names is listened to while this node leads, for the pairs that the bank has terms for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use bank::{Command, Submission};
use exchange::price::{Pair, Reading, SourceName};
use feeds::{Feeds, FeedsConfig, Pace, Source};
use identity::Actor;
use money::CommandId;
use node::{Handle, SubmitError};

use crate::cluster::LeadersWork;
use crate::config::Installation;
use crate::worker::Worker;

/// How often the pairs are looked at: a pair gets terms rarely.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Starts listening, where any source is configured.
///
/// # Errors
/// A name or address that cannot be used, or a thread that cannot be started.
pub(crate) fn start(installation: &Installation, handle: &Handle) -> anyhow::Result<Option<LeadersWork>> {
    let listed = installation.config.price_sources.iter();
    let sources = listed.map(|source| {
        let name = SourceName::new(&source.name).context("price_sources in bank.json: name")?;
        Ok(Source { name, url: source.url.clone() })
    });
    let sources: Vec<Source> = sources.collect::<anyhow::Result<_>>()?;
    if sources.is_empty() {
        return Ok(None);
    }
    // What cannot be used is said at the start, not to a log.
    drop(listen(&sources, Vec::new(), handle)?);
    let (led, for_sink) = (handle.clone(), handle.clone());
    let work = LeadersWork::begin(led, move || {
        let (sources, handle) = (sources.clone(), for_sink.clone());
        Worker::start("prices-pairs".to_owned(), move |stopping| keep(&sources, &handle, stopping))
    });
    work.map(Some)
}

/// Listens for the pairs that have terms, and again when there are others.
fn keep(sources: &[Source], handle: &Handle, stopping: &AtomicBool) {
    let mut listening: Option<(Vec<Pair>, Feeds)> = None;
    while !stopping.load(Ordering::Relaxed) {
        let pairs = handle.read(|bank| {
            bank.exchange().dealing().prices().feeds().map(|(pair, _)| *pair).collect::<Vec<Pair>>()
        });
        if let Ok(pairs) = pairs
            && listening.as_ref().is_none_or(|(known, _)| *known != pairs)
        {
            drop(listening.take());
            match listen(sources, pairs.clone(), handle) {
                Ok(feeds) => listening = Some((pairs, feeds)),
                Err(error) => tracing::error!(%error, "sources of prices cannot be listened to"),
            }
        }
        std::thread::park_timeout(LOOK_EVERY);
    }
}

fn listen(sources: &[Source], pairs: Vec<Pair>, handle: &Handle) -> anyhow::Result<Feeds> {
    let config = FeedsConfig { sources: sources.to_vec(), pairs, pace: Pace::default() };
    let handle = handle.clone();
    let sink = move |pair: Pair, reading: Reading| {
        let command = Command::Exchange(exchange::Command::ReadPrice { pair, reading });
        let submission = Submission { id: CommandId::new(0), actor: Actor::System, command };
        match handle.submit(submission) {
            // A reading that counts for nothing is the source's affair; the bank has said why.
            Ok(_) | Err(SubmitError::Refused(_)) => {}
            Err(error) => tracing::warn!(%error, "a price could not be recorded"),
        }
    };
    Ok(Feeds::start(config, Arc::new(sink))?)
}
