//! Live events: what changes for a customer, as it changes, over server-sent events.
//!
//! The events are rows of the read models' feed, so nothing is lost: their ids are journal entries, and a client that comes back with the
//! last one it saw gets what came after. The data are the very shapes of the other answers, as things stand now. A stream ends with its
//! session, whether that was closed, blocked, locked or is over.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use money::{CustomerId, MovementId, PaymentId};
use projections::{FeedKind, FeedRow};
use serde::Serialize;
use tokio::sync::watch;

use crate::app::App;
use crate::session::Caller;
use crate::track::{self, Past};
use crate::wire::ProblemBody;
use crate::{Problem, accounts, movements};

/// How often a silent line shows that it is alive; clients give up after three times that.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Rows of the feed that are read at a time.
const ROWS: usize = 100;
/// Most streams of one customer: every device a person holds, and a few forgotten tabs.
const STREAMS_OF_ONE_MAX: usize = 16;
/// Most streams at all: each holds a connection.
const STREAMS_MAX: usize = 10_000;
const LAST_EVENT_ID: &str = "last-event-id";

/// Counts open streams.
#[derive(Default)]
pub(crate) struct Streams(Mutex<HashMap<CustomerId, usize>>);

/// One open stream; dropping it makes room.
struct Place {
    streams: Arc<Streams>,
    customer: CustomerId,
}

impl Streams {
    fn enter(self: &Arc<Self>, customer: CustomerId) -> Result<Place, Problem> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.values().sum::<usize>() >= STREAMS_MAX {
            return Err(Problem::unavailable("Too many live lines are open; try again later."));
        }
        let own = open.entry(customer).or_insert(0);
        if *own >= STREAMS_OF_ONE_MAX {
            return Err(Problem::rate_limited(HEARTBEAT.as_secs()));
        }
        *own = own.saturating_add(1);
        Ok(Place { streams: Arc::clone(self), customer })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.customer) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                open.remove(&self.customer);
            }
        }
    }
}

/// What a stream goes on with.
struct Line {
    app: App,
    caller: Caller,
    customer: CustomerId,
    progress: watch::Receiver<u64>,
    /// Everything up to this entry was told.
    seen: u64,
    ready: VecDeque<Event>,
    _place: Place,
}

/// What changes, as it changes: `movement`, `payment`, `accounts`, `order`, `security`.
#[utoipa::path(get, path = "/api/v1/events", responses(
    (status = 200, description = "The answer.", body = String, content_type = "text/event-stream"),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn events(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let customer = app.ask(&caller, |_, who| Ok(who.customer)).await?;
    let place = app.streams.enter(customer)?;
    let newest = app.reads().status().seq;
    let asked = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let line = Line {
        caller,
        customer,
        progress: app.progress(),
        // A number from before the bank was set up anew lies in the future.
        seen: asked.map_or(newest, |asked| asked.min(newest)),
        ready: VecDeque::from([Event::default().comment("open")]),
        _place: place,
        app,
    };
    let events = stream::unfold(line, async |line| next(line).await);
    let mut response = Sse::new(events).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Tells a proxy in front to pass events on as they come.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

async fn next(mut line: Line) -> Option<(Result<Event, Infallible>, Line)> {
    loop {
        if let Some(event) = line.ready.pop_front() {
            return Some((Ok(event), line));
        }
        let newer = *line.progress.borrow_and_update() > line.seen;
        if !newer && tokio::time::timeout(HEARTBEAT, line.progress.changed()).await.is_err() {
            line.app.ask(&line.caller, |_, _| Ok(())).await.ok()?;
            return Some((Ok(Event::default().comment("beat")), line));
        }
        fill(&mut line).await.ok()?;
    }
}

/// Reads what is new. An error ends the stream: the session is over, or the client comes back for the rest.
async fn fill(line: &mut Line) -> Result<(), Problem> {
    // Whatever comes first, a session that ended hears nothing more.
    line.app.ask(&line.caller, |_, _| Ok(())).await?;
    let (customer, seen) = (line.customer, line.seen);
    // Read before the rows, so that it never says more than they do.
    let newest = line.app.reads().status().seq;
    let mut rows = line.app.rows(move |reads| reads.feed(customer, seen, ROWS)).await?;
    if rows.len() >= ROWS {
        // The last entry may go on beyond the page; it is read again with the next, unless it fills a page by itself.
        let last = rows.last().map_or(seen, |row| row.seq);
        if rows.first().is_some_and(|row| row.seq != last) {
            rows.retain(|row| row.seq != last);
        }
        line.seen = rows.last().map_or(seen, |row| row.seq);
    } else {
        line.seen = rows.last().map_or(newest, |row| row.seq.max(newest));
    }
    let mut later = rows.iter().map(|row| row.seq).skip(1).collect::<VecDeque<u64>>();
    for row in &rows {
        let event = event(&line.app, line.customer, row).await?;
        // Only the last event of an entry carries its number, so that coming back never misses half of one.
        let is_last = later.pop_front() != Some(row.seq);
        line.ready.extend(event.map(|event| if is_last { event.id(row.seq.to_string()) } else { event }));
    }
    Ok(())
}

#[derive(Serialize)]
struct Security {
    kind: &'static str,
}

async fn event(app: &App, customer: CustomerId, row: &FeedRow) -> Result<Option<Event>, Problem> {
    let shared = app.clone();
    match row.kind {
        FeedKind::Movement => {
            let id = MovementId::new(row.subject);
            let found = app.rows(move |reads| reads.movement(customer, id)).await?;
            let movement = app.look(move |bank| movements::movement(&shared, bank, &found)).await?;
            named("movement", &movement).map(Some)
        }
        FeedKind::Payment => {
            let (id, now) = (PaymentId::new(row.subject), app.now());
            let past = app.rows(move |reads| {
                Ok(Past { steps: reads.steps(id)?, movements: reads.movements_of(id, customer)? })
            });
            let past = past.await?;
            let payment = app.look(move |bank| {
                let payment = bank.payments().payment(id)?;
                Some(track::payment(&shared, bank, payment, &past, now.max(bank.recorded_at())))
            });
            payment.await?.map(|payment| named("payment", &payment)).transpose()
        }
        FeedKind::Accounts => {
            let list = app.look(move |bank| accounts::list(bank, customer)).await?;
            named("accounts", &list).map(Some)
        }
        FeedKind::Order => {
            let order = crate::markets::of_feed(app, customer, row.subject).await?;
            order.map(|order| named("order", &order)).transpose()
        }
        FeedKind::Security => named("security", &Security { kind: "changed" }).map(Some),
    }
}

fn named(name: &str, data: &impl Serialize) -> Result<Event, Problem> {
    Event::default().event(name).json_data(data).map_err(|error| {
        tracing::error!(%error, "an event cannot be written");
        Problem::internal()
    })
}
