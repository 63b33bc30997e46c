//! A market as it changes, over WebSocket: first all of it, then what changed, at most ten times a second.
//!
//! One task looks at a market while anybody listens: at the best prices in the bank's state, which are durable when they are seen, and at the newest trades in
//! the read models. What it says is the difference to what it said before, so a listener holds the very levels that the task saw. Nobody waits for
//! a slow listener: the line to each holds a few messages, and who is further behind gets all of it anew instead.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use exchange::book::DepthLevel;
use exchange::market::Phase;
use exchange::{MarketNumber, Price, Side, Steps};
use projections::{CandleRow, TradeRow};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::{OfMarket, known, show, steps};
use crate::Problem;
use crate::app::App;
use crate::wire::{self, ProblemBody, StreamMessage};

/// Prices of each side that a stream knows.
const LEVELS: usize = 200;
/// Trades in a snapshot, and most in a delta.
const TRADES: usize = 50;
/// Least time between two deltas.
const PAUSE: Duration = Duration::from_millis(100);
/// How often a silent line shows that it is alive, and the task of a market looks whether anybody listens.
const BEAT: Duration = Duration::from_secs(15);
/// Messages that wait for one listener.
const BEHIND_MAX: usize = 8;
/// Most listeners at all: each holds a connection.
const LISTENERS_MAX: usize = 2_000;
/// Longest message of a listener: none has anything to say.
const SAID_BYTES_MAX: usize = 1_024;
const MINUTE_MS: u64 = 60_000;

/// All markets that somebody listens to.
#[derive(Default)]
pub(crate) struct Hub {
    feeds: Mutex<HashMap<u32, Arc<Feed>>>,
    listeners: Arc<AtomicUsize>,
}

/// One market: what was said last, and the lines to its listeners.
struct Feed {
    latest: Mutex<Latest>,
    lines: broadcast::Sender<Arc<str>>,
}

/// A market as it was said last.
#[derive(Debug, Clone)]
struct Latest {
    steps: Steps,
    sequence: u64,
    sides: [Vec<DepthLevel>; 2],
    phase: Phase,
    last: Option<Price>,
    /// Newest first.
    trades: Vec<TradeRow>,
}

/// What was seen of it now.
struct Seen {
    sequence: u64,
    sides: [Vec<DepthLevel>; 2],
    phase: Phase,
    last: Option<Price>,
    /// Those after the latest, newest first.
    trades: Vec<TradeRow>,
    candle: Option<CandleRow>,
}

/// A place among the listeners; dropping it makes room.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Hub {
    fn enter(&self) -> Result<Place, Problem> {
        let before = self.listeners.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(&self.listeners));
        if before >= LISTENERS_MAX {
            return Err(Problem::unavailable("Too many live lines are open; try again later."));
        }
        Ok(place)
    }

    fn feeds(&self) -> MutexGuard<'_, HashMap<u32, Arc<Feed>>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self, number: MarketNumber) -> Option<Listener> {
        self.feeds().get(&number.number()).map(Feed::listen)
    }

    /// Ends a feed that nobody listens to; whoever comes later begins another.
    fn ends(&self, number: MarketNumber, feed: &Feed) -> bool {
        let mut feeds = self.feeds();
        let is_over = feed.lines.receiver_count() == 0;
        if is_over {
            feeds.remove(&number.number());
        }
        is_over
    }
}

/// A listener's line.
struct Listener {
    feed: Arc<Feed>,
    line: broadcast::Receiver<Arc<str>>,
    /// What it has to hear first.
    first: Option<Arc<str>>,
}

impl Feed {
    fn new(latest: Latest) -> Arc<Self> {
        let (lines, _) = broadcast::channel(BEHIND_MAX);
        Arc::new(Self { latest: Mutex::new(latest), lines })
    }

    fn latest(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(self: &Arc<Self>) -> Listener {
        // Under the lock, so that the line begins right after the snapshot.
        let latest = self.latest();
        let (line, first) = (self.lines.subscribe(), latest.snapshot());
        drop(latest);
        Listener { feed: Arc::clone(self), line, first: text(&first) }
    }

    /// Says what changed, if anything did.
    fn say(&self, seen: Seen) {
        let mut latest = self.latest();
        if let Some(delta) = latest.follow(seen)
            && let Some(text) = text(&StreamMessage::Delta(delta))
        {
            // Nobody listening is no fault.
            let _ = self.lines.send(text);
        }
    }
}

impl Listener {
    /// The next message; all of it anew where the line could not hold what came between. Nothing when the feed has ended.
    async fn next(&mut self) -> Option<Arc<str>> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        match self.line.recv().await {
            Ok(message) => Some(message),
            Err(RecvError::Lagged(_)) => {
                let Self { line, first, .. } = self.feed.listen();
                self.line = line;
                first
            }
            Err(RecvError::Closed) => None,
        }
    }
}

fn text(message: &StreamMessage) -> Option<Arc<str>> {
    match serde_json::to_string(message) {
        Ok(text) => Some(text.into()),
        Err(error) => {
            tracing::error!(%error, "a message cannot be written");
            None
        }
    }
}

impl Latest {
    fn levels(&self, side: usize) -> Vec<wire::Level> {
        let levels = self.sides.get(side).into_iter().flatten();
        levels.map(|level| show::level(&self.steps, level)).collect()
    }

    fn snapshot(&self) -> StreamMessage {
        let (bids, asks) = (self.levels(0), self.levels(1));
        StreamMessage::Snapshot(wire::StreamSnapshot {
            sequence: self.sequence,
            checksum: show::checksum(&bids, &asks),
            bids,
            asks,
            phase: show::phase(self.phase).0,
            last: self.last.map(|price| self.steps.price(price)),
            trades: self.trades.iter().map(|row| show::trade(&self.steps, row)).collect(),
        })
    }

    /// Takes over what was seen; answers with the difference, where there is one.
    fn follow(&mut self, seen: Seen) -> Option<wire::StreamDelta> {
        let has_changed = seen.sides != self.sides || seen.phase != self.phase || !seen.trades.is_empty();
        if !has_changed || seen.sequence < self.sequence {
            return None;
        }
        let changes: Vec<Vec<wire::Level>> = self
            .sides
            .iter()
            .zip(&seen.sides)
            .map(|(before, after)| difference(&self.steps, before, after))
            .collect();
        let mut changes = changes.into_iter();
        let (bids, asks) = (changes.next().unwrap_or_default(), changes.next().unwrap_or_default());
        let (phase, _) = show::phase(seen.phase);
        let phase = (phase != show::phase(self.phase).0).then_some(phase);
        let trades = seen.trades.iter().map(|row| show::trade(&self.steps, row)).collect();
        let previous = self.sequence;
        let Seen { sequence, sides, phase: now, last, trades: newer, candle } = seen;
        self.trades.splice(0..0, newer);
        self.trades.truncate(TRADES);
        (self.sequence, self.sides, self.phase, self.last) = (sequence, sides, now, last);
        Some(wire::StreamDelta {
            sequence,
            previous,
            checksum: show::checksum(&self.levels(0), &self.levels(1)),
            bids,
            asks,
            trades,
            phase,
            candle: candle.map(|row| show::candle(&self.steps, &row)),
        })
    }
}

/// The levels that changed: gone ones with a quantity of nothing.
fn difference(steps: &Steps, before: &[DepthLevel], after: &[DepthLevel]) -> Vec<wire::Level> {
    let known: BTreeMap<Price, &DepthLevel> = before.iter().map(|level| (level.price, level)).collect();
    let now: BTreeMap<Price, &DepthLevel> = after.iter().map(|level| (level.price, level)).collect();
    let gone = before.iter().filter(|level| !now.contains_key(&level.price));
    let gone = gone.map(|level| wire::Level(steps.price(level.price), "0".to_owned(), 0));
    let changed = after.iter().filter(|level| known.get(&level.price) != Some(level));
    gone.chain(changed.map(|level| show::level(steps, level))).collect()
}

/// Looks at a market: its levels, then the trades after number `after`.
async fn see(app: &App, number: MarketNumber, after: u64) -> Result<Seen, Problem> {
    let looked = app.look(move |bank| {
        let market = known(bank, number)?;
        let side = |side| market.book().depth(side).take(LEVELS).collect::<Vec<_>>();
        let sides = [side(Side::Bid), side(Side::Ask)];
        Ok::<_, Problem>((bank.seq(), sides, market.phase(), market.book().last_price()))
    });
    let (sequence, sides, phase, last) = looked.await??;
    let rows = app.rows(move |reads| {
        let mut trades = reads.trades(number, None, TRADES)?;
        trades.retain(|trade| trade.number > after);
        let candle = match trades.first() {
            Some(newest) => reads.candles(number, 1, newest.at, newest.at.plus_ms(MINUTE_MS))?,
            None => Vec::new(),
        };
        Ok((trades, candle.first().copied()))
    });
    let (trades, candle) = rows.await?;
    Ok(Seen { sequence, sides, phase, last, trades, candle })
}

/// A line to a market, whose feed begins with it where nobody listened.
async fn listen(app: &App, number: MarketNumber) -> Result<Listener, Problem> {
    if let Some(listener) = app.hub.listen(number) {
        return Ok(listener);
    }
    let looked = app.look(move |bank| steps(known(bank, number)?).ok_or_else(Problem::internal));
    let steps = looked.await??;
    let Seen { sequence, sides, phase, last, trades, .. } = see(app, number, 0).await?;
    let latest = Latest { steps, sequence, sides, phase, last, trades };
    let (listener, begun) = {
        let mut feeds = app.hub.feeds();
        match feeds.get(&number.number()) {
            Some(feed) => (feed.listen(), None),
            None => {
                let feed = Feed::new(latest);
                let listener = feed.listen();
                feeds.insert(number.number(), Arc::clone(&feed));
                (listener, Some(feed))
            }
        }
    };
    if let Some(feed) = begun {
        tokio::spawn(follow(app.clone(), number, feed));
    }
    Ok(listener)
}

/// Follows a market as long as somebody listens.
async fn follow(app: App, number: MarketNumber, feed: Arc<Feed>) {
    let mut progress = app.progress();
    while !app.hub.ends(number, &feed) {
        // Whatever changes a market is soon in the read models, which wake this.
        if !matches!(tokio::time::timeout(BEAT, progress.changed()).await, Ok(Ok(()))) {
            continue;
        }
        progress.borrow_and_update();
        let after = feed.latest().trades.first().map_or(0, |trade| trade.number);
        match see(&app, number, after).await {
            Ok(seen) => feed.say(seen),
            Err(problem) => {
                tracing::warn!(code = problem.code(), market = %number, "a market cannot be seen")
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A market as it changes: a WebSocket that sends a snapshot, then deltas.
#[utoipa::path(get, path = "/api/v1/markets/{number}/stream", operation_id = "market_stream", params(("number" = u32, Path)), responses(
    (status = 101, description = "A WebSocket of messages as text.", body = wire::StreamMessage),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn market_stream(
    State(app): State<App>,
    OfMarket(number): OfMarket,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let origins = &app.handle().relying_party().origins;
    // A page says where it comes from, other programs need not.
    let is_ours = headers
        .get(header::ORIGIN)
        .is_none_or(|origin| origin.to_str().is_ok_and(|origin| origins.iter().any(|ours| ours == origin)));
    if !is_ours {
        return Err(Problem::forbidden(
            "not_allowed",
            "This request does not come from the bank's own pages.",
        ));
    }
    let upgrade =
        upgrade.map_err(|_| Problem::bad_request("This address is a WebSocket; ask for an upgrade."))?;
    let place = app.hub.enter()?;
    let listener = listen(&app, number).await?;
    let upgrade = upgrade.max_message_size(SAID_BYTES_MAX).max_frame_size(SAID_BYTES_MAX);
    Ok(upgrade.on_upgrade(move |socket| talk(socket, listener, place)))
}

async fn talk(mut socket: WebSocket, mut listener: Listener, _place: Place) {
    let mut beat = tokio::time::interval(BEAT);
    beat.tick().await;
    loop {
        let message = tokio::select! {
            message = listener.next() => match message {
                Some(text) => Message::Text(text.as_ref().into()),
                None => break,
            },
            said = socket.recv() => match said {
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                // Pings are answered below; nothing else means anything.
                Some(Ok(_)) => continue,
            },
            _ = beat.tick() => Message::Ping(Vec::new().into()),
        };
        if socket.send(message).await.is_err() {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
    use exchange::Quantity;
    use money::Asset;
    use serde_json::Value;

    use super::*;

    fn feed() -> Arc<Feed> {
        let steps = Steps::new(Asset::new("BTC", 8).unwrap(), Asset::CNY, 100_000, 1);
        Feed::new(Latest {
            steps,
            sequence: 1,
            sides: [Vec::new(), Vec::new()],
            phase: Phase::Open,
            last: None,
            trades: Vec::new(),
        })
    }

    fn seen(sequence: u64) -> Seen {
        let level = DepthLevel { price: Price::new(6_800), shown: Quantity::new(sequence), count: 1 };
        let sides = [vec![level], Vec::new()];
        Seen { sequence, sides, phase: Phase::Open, last: None, trades: Vec::new(), candle: None }
    }

    async fn next(listener: &mut Listener) -> Value {
        serde_json::from_str(&listener.next().await.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn who_is_too_slow_gets_all_of_it_anew() {
        let feed = feed();
        let (mut slow, mut quick) = (feed.listen(), feed.listen());
        assert_eq!(next(&mut slow).await["type"], "snapshot");
        assert_eq!(next(&mut quick).await["type"], "snapshot");
        let many = u64::try_from(BEHIND_MAX).unwrap().saturating_mul(2);
        for sequence in 2..many {
            feed.say(seen(sequence));
            let delta = next(&mut quick).await;
            assert_eq!((&delta["type"], &delta["sequence"]), (&"delta".into(), &sequence.into()));
            assert_eq!(delta["previous"], sequence.saturating_sub(1));
        }
        let whole = next(&mut slow).await;
        assert_eq!(
            (&whole["type"], &whole["sequence"]),
            (&"snapshot".into(), &many.saturating_sub(1).into())
        );
        // And it goes on from there.
        feed.say(seen(many));
        let delta = next(&mut slow).await;
        assert_eq!((&delta["type"], &delta["previous"]), (&"delta".into(), &many.saturating_sub(1).into()));
    }

    #[tokio::test]
    async fn what_did_not_change_is_not_said() {
        let feed = feed();
        let mut listener = feed.listen();
        next(&mut listener).await;
        feed.say(seen(5));
        feed.say(Seen { sequence: 6, ..seen(5) });
        feed.say(seen(7));
        let (one, two) = (next(&mut listener).await, next(&mut listener).await);
        assert_eq!((&one["sequence"], &two["previous"]), (&5.into(), &5.into()));
    }
}
