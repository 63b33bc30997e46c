//! The connection to one source, made again for as long as it is wanted.

use std::sync::Arc;
use std::time::Duration;

use exchange::price::{Pair, Reading};
use futures_util::StreamExt as _;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::sieve::Sieve;
use crate::wire::{self, Heard, MESSAGE_SIZE_BYTES_MAX};
use crate::{Pace, Shared, Sink, Source};

/// First pause after a connection that failed or ended.
const PAUSE_MIN: Duration = Duration::from_millis(200);
/// Longest pause: a source that is back is heard within this time.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How long a source may take to answer the opening.
const OPENING_MAX: Duration = Duration::from_secs(5);
/// After so long without a message the connection counts as broken.
const QUIET_MAX: Duration = Duration::from_secs(10);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// One source and where its readings go.
pub(crate) struct Link {
    source: Source,
    pairs: Arc<Vec<Pair>>,
    sink: Arc<dyn Sink>,
    status: Arc<Shared>,
    sieve: Sieve,
    began: Instant,
    /// The sink at work.
    at_work: Option<JoinHandle<()>>,
}

/// Why a connection is over.
enum Over {
    /// Nobody wants it any more.
    Stopped,
    /// It failed; `good` where it had brought readings.
    Failed { why: String, good: bool },
}

impl Link {
    pub(crate) fn new(
        source: Source,
        pairs: Arc<Vec<Pair>>,
        pace: Pace,
        sink: Arc<dyn Sink>,
        status: Arc<Shared>,
    ) -> Self {
        Self { source, pairs, sink, status, sieve: Sieve::new(pace), began: Instant::now(), at_work: None }
    }

    /// Listens until the end.
    pub(crate) async fn keep(mut self, mut stopped: watch::Receiver<bool>) {
        let mut pause = PAUSE_MIN;
        loop {
            let over = match self.open(&mut stopped).await {
                Ok(socket) => {
                    self.status.change(|status| {
                        status.is_connected = true;
                        status.connections = status.connections.saturating_add(1);
                    });
                    tracing::info!(source = %self.source.name, "a source of prices is connected");
                    let over = self.listen(socket, &mut stopped).await;
                    self.status.change(|status| status.is_connected = false);
                    over
                }
                Err(over) => over,
            };
            let Over::Failed { why, good } = over else { return };
            pause = if good { PAUSE_MIN } else { pause };
            tracing::warn!(source = %self.source.name, %why, ?pause, "a source of prices is not connected");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
            pause = pause.saturating_mul(2).min(PAUSE_MAX);
        }
    }

    async fn open(&self, stopped: &mut watch::Receiver<bool>) -> Result<Socket, Over> {
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_SIZE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_SIZE_BYTES_MAX));
        let opening = tokio_tungstenite::connect_async_with_config(&self.source.url, Some(limits), true);
        let opened = tokio::select! {
            opened = tokio::time::timeout(OPENING_MAX, opening) => opened,
            _ = stopped.wait_for(|stopped| *stopped) => return Err(Over::Stopped),
        };
        let failed = |why: String| Over::Failed { why, good: false };
        match opened {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(e)) => Err(failed(e.to_string())),
            Err(_) => Err(failed("no answer to the opening".to_owned())),
        }
    }

    async fn listen(&mut self, mut socket: Socket, stopped: &mut watch::Receiver<bool>) -> Over {
        let mut heard_at = Instant::now();
        let mut good = false;
        loop {
            self.hand_on();
            // While the sink is at work nothing is due: who waits is asked for again when it is done.
            let due_in = if self.at_work.is_some() { None } else { self.sieve.next_in_ms(self.now_ms()) };
            let due_in = Duration::from_millis(due_in.unwrap_or(u64::from(u32::MAX)));
            let patience = QUIET_MAX.saturating_sub(heard_at.elapsed());
            let next = tokio::select! {
                next = socket.next() => next,
                () = tokio::time::sleep(due_in) => continue,
                () = done(&mut self.at_work) => continue,
                () = tokio::time::sleep(patience) => {
                    return Over::Failed { why: "it is silent".to_owned(), good };
                }
                _ = stopped.wait_for(|stopped| *stopped) => return Over::Stopped,
            };
            heard_at = Instant::now();
            match next {
                Some(Ok(Message::Text(text))) => good |= self.hear(&text),
                // Pings are answered below; nothing else has a meaning here.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_))) | None => {
                    return Over::Failed { why: "it has hung up".to_owned(), good };
                }
                Some(Err(e)) => return Over::Failed { why: e.to_string(), good },
            }
        }
    }

    /// Takes a message; says whether it was a quote.
    fn hear(&mut self, text: &str) -> bool {
        match wire::read(text) {
            Ok(Heard::Hello) => false,
            Ok(Heard::Quote { pair, bid, ask, at }) => {
                if let Some(pair) = self.pairs.iter().find(|wanted| wanted.to_string() == pair) {
                    let source = self.source.name.clone();
                    self.sieve.offer(*pair, Reading { source, bid, ask, at });
                }
                true
            }
            Err(e) => {
                tracing::debug!(source = %self.source.name, error = %e, "a message is not read");
                self.status.change(|status| status.unreadable = status.unreadable.saturating_add(1));
                false
            }
        }
    }

    /// Gives the sink what is due, if it is not at work.
    fn hand_on(&mut self) {
        if self.at_work.is_some() {
            return;
        }
        let Some((pair, reading)) = self.sieve.next(self.now_ms()) else { return };
        let sink = Arc::clone(&self.sink);
        self.status.change(|status| status.readings = status.readings.saturating_add(1));
        self.at_work = Some(tokio::task::spawn_blocking(move || sink.take(pair, reading)));
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Waits until the sink is done; for ever where it is not at work.
async fn done(at_work: &mut Option<JoinHandle<()>>) {
    match at_work {
        Some(work) => {
            if work.await.is_err() {
                tracing::error!("a reading was not taken: its sink panicked");
            }
            *at_work = None;
        }
        None => std::future::pending().await,
    }
}
