//! Sources of prices: a connection to each, kept up, and what they say handed on at a bearable pace.
//!
//! [`Feeds::start`] opens a WebSocket to every source and listens. What a source says ([`wire`]) becomes an [`exchange::price::Reading`] and goes to the [`Sink`], which
//! brings it to the bank as a command. A connection that breaks or falls silent is made again, after a pause that doubles.
//!
//! **Invariants.** Of one source and pair at most one reading goes on in [`Pace::every_ms`], unless the price has moved by [`Pace::moved_ppm`]; what waits is the latest
//! alone, so a slow sink gets fewer readings and never older ones. The sink of one source is never called twice at a time.
//!
//! It decides nothing about prices: a wild, crossed or old reading goes on as it is, and the bank says what it is worth. There is no TLS in it; a source on another
//! machine is reached through a relay on this one.

mod link;
mod sieve;
pub mod wire;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use exchange::price::{Pair, Reading, SourceName};
use thiserror::Error;
use tokio::sync::watch;

/// How long the end waits for a sink that is at work.
const FAREWELL_MAX: Duration = Duration::from_secs(2);
/// Most sources: the bank keeps no more for a pair.
pub const SOURCES_MAX: usize = exchange::price::SOURCES_MAX;

/// How often a reading goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Shortest time between two readings of one source and pair, in milliseconds.
    pub every_ms: u64,
    /// A reading whose middle is this far from the last one that went on does not wait, in millionths.
    pub moved_ppm: u32,
}

impl Default for Pace {
    /// Four a second, and what moves by a thousandth at once.
    fn default() -> Self {
        Self { every_ms: 250, moved_ppm: 1_000 }
    }
}

/// A source to listen to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name in readings.
    pub name: SourceName,
    /// Where it is, such as `ws://127.0.0.1:7070/market/sandbox-a`.
    pub url: String,
}

/// What to listen to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedsConfig {
    /// The sources, each name once; at most [`SOURCES_MAX`].
    pub sources: Vec<Source>,
    /// The pairs that are wanted; what sources say of others is passed over.
    pub pairs: Vec<Pair>,
    /// How often a reading goes on.
    pub pace: Pace,
}

/// Why the sources cannot be listened to.
#[derive(Debug, Error)]
pub enum FeedsError {
    /// An address that is none, or one that needs TLS.
    #[error("the address {url:?} of {name} does not begin with ws://")]
    Address {
        /// Whose.
        name: SourceName,
        /// The address.
        url: String,
    },
    /// Two sources of one name would be one source.
    #[error("there are two sources {name}")]
    NameTwice {
        /// The name.
        name: SourceName,
    },
    /// More than [`SOURCES_MAX`].
    #[error("{count} sources, at most {SOURCES_MAX} are listened to")]
    TooMany {
        /// How many.
        count: usize,
    },
    /// Two pairs with one text, such as of assets with the same code and other decimals, cannot be told apart.
    #[error("there are two pairs {pair}")]
    PairTwice {
        /// The pair.
        pair: Pair,
    },
    /// The system gives no thread.
    #[error("no thread for the sources of prices: {0}")]
    Thread(#[from] std::io::Error),
}

/// Where readings go.
pub trait Sink: Send + Sync + 'static {
    /// Takes a reading. It may wait for as long as the bank needs; meanwhile newer readings of this source take the place of those that wait.
    fn take(&self, pair: Pair, reading: Reading);
}

impl<F: Fn(Pair, Reading) + Send + Sync + 'static> Sink for F {
    fn take(&self, pair: Pair, reading: Reading) {
        self(pair, reading);
    }
}

/// How it goes with a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceStatus {
    /// Which.
    pub name: SourceName,
    /// Whether there is a connection.
    pub is_connected: bool,
    /// How often one was made.
    pub connections: u64,
    /// Readings handed on.
    pub readings: u64,
    /// Messages that could not be read.
    pub unreadable: u64,
}

/// The status of one source, shared with who works for it.
#[derive(Debug)]
struct Shared(Mutex<SourceStatus>);

impl Shared {
    fn change(&self, change: impl FnOnce(&mut SourceStatus)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn seen(&self) -> SourceStatus {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The connections; dropping them ends them.
#[derive(Debug)]
pub struct Feeds {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
    status: Vec<Arc<Shared>>,
}

impl Feeds {
    /// Listens to the sources, in a thread of its own, until it is dropped.
    ///
    /// # Errors
    /// A configuration that makes no sense, or no thread. A source that cannot be reached is no error: it is tried again.
    pub fn start(config: FeedsConfig, sink: Arc<dyn Sink>) -> Result<Self, FeedsError> {
        check(&config)?;
        let (stop, stopped) = watch::channel(false);
        let fresh = |source: &Source| SourceStatus {
            name: source.name.clone(),
            is_connected: false,
            connections: 0,
            readings: 0,
            unreadable: 0,
        };
        let status: Vec<Arc<Shared>> =
            config.sources.iter().map(|source| Arc::new(Shared(Mutex::new(fresh(source))))).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let pairs = Arc::new(config.pairs);
        let links: Vec<link::Link> = config
            .sources
            .into_iter()
            .zip(&status)
            .map(|(source, status)| {
                link::Link::new(
                    source,
                    Arc::clone(&pairs),
                    config.pace,
                    Arc::clone(&sink),
                    Arc::clone(status),
                )
            })
            .collect();
        let work = move || {
            runtime.block_on(async {
                let kept = links.into_iter().map(|link| link.keep(stopped.clone()));
                futures_util::future::join_all(kept).await;
            });
            runtime.shutdown_timeout(FAREWELL_MAX);
        };
        let thread = std::thread::Builder::new().name("prices".to_owned()).spawn(work)?;
        Ok(Self { stop, thread: Some(thread), status })
    }

    /// How it goes with each source, in the order of the configuration.
    #[must_use]
    pub fn status(&self) -> Vec<SourceStatus> {
        self.status.iter().map(|shared| shared.seen()).collect()
    }
}

impl Drop for Feeds {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that listens to prices had panicked");
        }
    }
}

fn check(config: &FeedsConfig) -> Result<(), FeedsError> {
    let FeedsConfig { sources, pairs, .. } = config;
    if sources.len() > SOURCES_MAX {
        return Err(FeedsError::TooMany { count: sources.len() });
    }
    for (place, Source { name, url }) in sources.iter().enumerate() {
        if !url.starts_with("ws://") {
            return Err(FeedsError::Address { name: name.clone(), url: url.clone() });
        }
        if sources.iter().skip(place.saturating_add(1)).any(|other| other.name == *name) {
            return Err(FeedsError::NameTwice { name: name.clone() });
        }
    }
    for (place, pair) in pairs.iter().enumerate() {
        let later = pairs.iter().skip(place.saturating_add(1));
        if later.into_iter().any(|other| other.to_string() == pair.to_string()) {
            return Err(FeedsError::PairTwice { pair: *pair });
        }
    }
    Ok(())
}
