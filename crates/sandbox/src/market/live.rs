//! The market in time: steps by the clock, and a WebSocket for everyone who listens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::{broadcast, watch};
use tokio::time::MissedTickBehavior;

use super::{Market, MarketFault, Quote};

/// Quotes that a listener may be behind before it is cut off.
const BEHIND_MAX: usize = 1_024;

/// What goes to those who listen.
#[derive(Debug, Clone)]
enum Told {
    /// A source has said something; the text is the message.
    Quote { source: String, text: Arc<str> },
    /// A source drops its connections.
    Dropped { source: String },
}

/// The running market.
#[derive(Debug)]
pub(crate) struct Live {
    market: Mutex<Market>,
    tell: broadcast::Sender<Told>,
}

impl Live {
    pub(crate) fn new(market: Market) -> Self {
        Self { market: Mutex::new(market), tell: broadcast::channel(BEHIND_MAX).0 }
    }

    /// The market, for a moment.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Market> {
        self.market.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a fault and drops the connections that it drops.
    pub(crate) fn make(&self, fault: &MarketFault) -> Result<String, String> {
        let done = self.lock().make(fault, now_ms())?;
        if let MarketFault::Disconnect { source, .. } = fault {
            // Nobody listens: nothing to drop.
            let _nobody = self.tell.send(Told::Dropped { source: source.clone() });
        }
        Ok(done)
    }

    /// Whether a source takes a new connection; `None` where there is no such source.
    pub(crate) fn takes(&self, source: &str) -> Option<bool> {
        let market = self.lock();
        market.has_source(source).then(|| !market.is_cut_off(source, now_ms()))
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0)
}

/// Steps the market until the end.
pub(crate) async fn run(live: Arc<Live>, mut stopped: watch::Receiver<bool>) {
    let tick_ms = live.lock().config().tick_ms;
    let mut clock = tokio::time::interval(Duration::from_millis(tick_ms));
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = clock.tick() => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
        let quotes = live.lock().step(now_ms());
        for quote in quotes {
            let text = text_of(&quote).into();
            let _nobody = live.tell.send(Told::Quote { source: quote.source, text });
        }
    }
}

/// Tells one listener what a source says, until he leaves, falls behind, or is cut off.
pub(crate) async fn listen(
    live: Arc<Live>,
    source: String,
    mut socket: WebSocket,
    mut stopped: watch::Receiver<bool>,
) {
    // First the ear, then the latest: what is said between the two comes twice and not never.
    let mut told = live.tell.subscribe();
    let first: Vec<String> = {
        let market = live.lock();
        let pairs: Vec<&String> = market.config().pairs.iter().map(|pair| &pair.name).collect();
        let hello = json!({ "type": "hello", "source": source, "pairs": pairs }).to_string();
        std::iter::once(hello).chain(market.latest(&source).map(text_of)).collect()
    };
    for text in first {
        if socket.send(Message::text(text)).await.is_err() {
            return;
        }
    }
    loop {
        let next = tokio::select! {
            told = told.recv() => told,
            heard = socket.recv() => match heard {
                // What a listener says is of no interest; that he has left is.
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return,
            },
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        match next {
            Ok(Told::Quote { source: of, text }) if of == source => {
                if socket.send(Message::text(text.as_ref())).await.is_err() {
                    return;
                }
            }
            Ok(Told::Dropped { source: of }) if of == source => return,
            Ok(Told::Quote { .. } | Told::Dropped { .. }) => {}
            Err(_behind_or_over) => return,
        }
    }
}

fn text_of(quote: &Quote) -> String {
    let Quote { source, pair, bid, ask, at_ms } = quote;
    let bid = bid.to_string();
    let ask = ask.to_string();
    json!({ "type": "quote", "source": source, "pair": pair, "bid": bid, "ask": ask, "at_ms": at_ms })
        .to_string()
}
