//! The HTTP side: frames, control requests, health, and the WebSockets of the market.
//!
//! Status codes: 200 with a frame for every frame that could be read; 400 for bytes that are no frame and for control
//! requests that make no sense; 409 for control requests that the world is not in the state for; 503 where an
//! acknowledgement is lost or a system is down, on demand.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, post};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::control::{Control, ControlAnswer, ControlError, Which};
use crate::market::{self, MarketFault};
use crate::server::{ServeError, Shared};
use crate::world::{Reply, World};

/// Bodies above this are not read: twice the size of the largest frame, so that one that is too large is still named.
const BODY_SIZE_BYTES_MAX: usize = 2_000_000;

type App = State<Arc<Shared>>;

/// All routes.
pub(crate) fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route(cnaps::FRAMES_PATH, post(frames))
        .route("/health", get(health))
        .route("/control/send-credit", post(|app, body| control(app, body, Control::SendCredit)))
        .route("/control/fault", post(|app, body| control(app, body, Control::Fault)))
        .route("/control/faults", delete(|app| carry_out(app, Control::ClearFaults)))
        .route("/control/return", post(|app, body| control(app, body, Control::Return)))
        .route("/control/end-of-day", post(|app, body| control(app, body, Control::EndOfDay)))
        .route("/control/end-round", post(|app| carry_out(app, Control::EndRound)))
        .route("/control/hours", post(|app, body| control(app, body, Control::Hours)))
        .route("/control/announce", post(|app| carry_out(app, Control::Announce)))
        .route("/control/advance", post(|app, body| control(app, body, Control::Advance)))
        .route("/control/market", get(market_state).post(market_fault).delete(market_clear))
        .route("/market/{source}", any(market))
        .route("/control/state", get(|app| show(app, World::report)))
        .route("/control/customers", get(|app| show(app, World::customers)))
        .layer(DefaultBodyLimit::max(BODY_SIZE_BYTES_MAX))
        .with_state(shared)
}

async fn frames(State(shared): App, body: Bytes) -> Response {
    let taken = shared
        .with(move |store, now| {
            let reply = store.receive(&body, now)?;
            store.sync()?;
            Ok(reply)
        })
        .await;
    match taken {
        Ok(Ok(Reply::Frame(bytes))) => {
            ([(header::CONTENT_TYPE, cnaps::FRAME_CONTENT_TYPE)], bytes).into_response()
        }
        Ok(Ok(Reply::Lost)) => {
            told(StatusCode::SERVICE_UNAVAILABLE, "the acknowledgement is lost, on demand")
        }
        Ok(Ok(Reply::Down)) => told(StatusCode::SERVICE_UNAVAILABLE, "the system is down"),
        Ok(Err(e)) => told(StatusCode::BAD_REQUEST, e),
        Err(e) => failed(&e),
    }
}

/// Whether the process answers, and with `?system=instant` whether that system can be reached: 503 where it is down.
async fn health(State(shared): App, Query(which): Query<Which>) -> Response {
    let seen = shared.with_quietly(move |store, _| {
        let world = store.world();
        Ok((hex::encode(world.centre_public_key()), which.system.is_some_and(|rail| world.is_down(rail))))
    });
    match seen.await {
        Ok((_, true)) => told(StatusCode::SERVICE_UNAVAILABLE, "the system is down"),
        Ok((key, false)) => axum::Json(json!({ "status": "ok", "centre_public_key": key })).into_response(),
        Err(e) => failed(&e),
    }
}

/// Reads a control request and carries it out. No body counts as an empty object; the content type does not matter.
async fn control<T: DeserializeOwned>(app: App, body: Bytes, make: fn(T) -> Control) -> Response {
    let text: &[u8] = if body.trim_ascii().is_empty() { b"{}" } else { &body };
    match serde_json::from_slice(text) {
        Ok(request) => carry_out(app, make(request)).await,
        Err(e) => told(StatusCode::BAD_REQUEST, e),
    }
}

async fn carry_out(State(shared): App, control: Control) -> Response {
    let carried = shared
        .with(move |store, now| {
            let answer = store.control(&control, now)?;
            store.sync()?;
            Ok(answer)
        })
        .await;
    match carried {
        Ok(Ok(answer)) => axum::Json(answer).into_response(),
        Ok(Err(e @ ControlError::BadInput { .. })) => told(StatusCode::BAD_REQUEST, e),
        Ok(Err(e @ ControlError::NotNow(_))) => told(StatusCode::CONFLICT, e),
        Err(e) => failed(&e),
    }
}

/// The prices of one source, for as long as the listener stays.
async fn market(State(shared): App, Path(source): Path<String>, upgrade: WebSocketUpgrade) -> Response {
    match shared.market.takes(&source) {
        None => told(StatusCode::NOT_FOUND, format!("there is no source {source:?}")),
        Some(false) => told(StatusCode::SERVICE_UNAVAILABLE, "the source is cut off, on demand"),
        Some(true) => {
            let (live, stopped) = (Arc::clone(&shared.market), shared.stop.subscribe());
            upgrade.on_upgrade(move |socket| market::listen(live, source, socket, stopped))
        }
    }
}

async fn market_fault(State(shared): App, body: Bytes) -> Response {
    let made = serde_json::from_slice::<MarketFault>(&body).map_err(|e| e.to_string());
    match made.and_then(|fault| shared.market.make(&fault)) {
        Ok(done) => axum::Json(ControlAnswer { message_id: None, done }).into_response(),
        Err(e) => told(StatusCode::BAD_REQUEST, e),
    }
}

async fn market_clear(State(shared): App) -> Response {
    shared.market.lock().clear();
    axum::Json(ControlAnswer { message_id: None, done: "no source is in trouble".to_owned() }).into_response()
}

async fn market_state(State(shared): App) -> Response {
    axum::Json(shared.market.lock().report(market::now_ms())).into_response()
}

async fn show(State(shared): App, report: fn(&World) -> Value) -> Response {
    match shared.with_quietly(move |store, _| Ok(report(store.world()))).await {
        Ok(value) => axum::Json(value).into_response(),
        Err(e) => failed(&e),
    }
}

fn told(status: StatusCode, why: impl ToString) -> Response {
    (status, axum::Json(json!({ "error": why.to_string() }))).into_response()
}

fn failed(error: &ServeError) -> Response {
    told(StatusCode::INTERNAL_SERVER_ERROR, error)
}
