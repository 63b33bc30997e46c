//! The same request twice is the request once.
//!
//! Every request that may change something carries an `Idempotency-Key`. The key, together with who asks, gives the command's id, so the bank
//! itself refuses a second command under the same key for as long as it remembers it. Beside that, the answers given are kept in memory
//! for a while: a repeat gets the very same answer, and one that comes while the first is still being worked on waits for it. Another body
//! under the same key is refused. A refusal is not kept, since it left nothing behind.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use money::{CommandId, Timestamp};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use crate::Problem;
use crate::app::App;
use crate::guard::is_unsafe;
use crate::refusals::mismatch;
use crate::session::{first_128, session_cookie};

/// Longest body: a registration with a long attestation is a tenth of it.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;
/// How long answers are kept.
const KEPT_MS: u64 = 10 * 60 * 1000;
/// Most answers that are kept: a few tens of megabytes at worst, a few in practice.
const KEPT_MAX: usize = 8_192;
const KEY_HEADER: &str = "idempotency-key";

/// The id of the command that a request becomes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key(pub(crate) CommandId);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().copied().ok_or_else(no_key)
    }
}

/// An answer that was given.
#[derive(Clone)]
struct Given {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Given {
    fn again(&self) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        response
    }
}

#[derive(Clone)]
struct Entry {
    fingerprint: [u8; 32],
    since: Timestamp,
    answer: Arc<OnceCell<Given>>,
}

/// Answers by the ids of their commands.
#[derive(Default)]
pub(crate) struct Repeats(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    by_id: HashMap<CommandId, Entry>,
    order: VecDeque<CommandId>,
}

impl Repeats {
    /// The place for an answer, which may be there already.
    ///
    /// # Errors
    /// `idempotency_mismatch`: the key was answered for another body.
    fn place(
        &self,
        id: CommandId,
        fingerprint: [u8; 32],
        now: Timestamp,
    ) -> Result<Arc<OnceCell<Given>>, Problem> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Kept { by_id, order } = &mut *kept;
        while let Some(oldest) = order.front() {
            let is_over = by_id.get(oldest).is_none_or(|entry| now.since(entry.since) > KEPT_MS);
            if !is_over && order.len() < KEPT_MAX {
                break;
            }
            by_id.remove(oldest);
            order.pop_front();
        }
        match by_id.get_mut(&id) {
            Some(entry) if entry.fingerprint == fingerprint => Ok(Arc::clone(&entry.answer)),
            // What was refused left nothing behind, so its key is free for another body.
            Some(entry) if !entry.answer.initialized() && Arc::strong_count(&entry.answer) == 1 => {
                entry.fingerprint = fingerprint;
                Ok(Arc::clone(&entry.answer))
            }
            Some(_) => Err(mismatch()),
            None => {
                let entry = Entry { fingerprint, since: now, answer: Arc::default() };
                let answer = Arc::clone(&entry.answer);
                by_id.insert(id, entry);
                order.push_back(id);
                Ok(answer)
            }
        }
    }
}

fn no_key() -> Problem {
    Problem::bad_request(
        "Send the header Idempotency-Key with 26 to 64 printable characters, a new one for each request.",
    )
}

fn key_of(headers: &HeaderMap) -> Result<&[u8], Problem> {
    let key = headers.get(KEY_HEADER).map(axum::http::HeaderValue::as_bytes).ok_or_else(no_key)?;
    let is_good = (26..=64).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
    if is_good { Ok(key) } else { Err(no_key()) }
}

/// A digest of parts, each with its length, so that no two lists of parts run together.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// Reads the body, bounded, and lets a repeat have the answer that was given.
pub(crate) async fn repeats(State(app): State<App>, request: Request, next: Next) -> Response {
    if !is_unsafe(request.method()) {
        return next.run(request).await;
    }
    match once(&app, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn once(app: &App, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let key = key_of(&parts.headers)?;
    let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "The body is longer than 64 KiB, or was cut off.",
        )
    })?;
    let scope = session_cookie(&parts.headers, app).unwrap_or("visitor");
    let id = CommandId::new(first_128(&digest(&[scope.as_bytes(), key])));
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let fingerprint = digest(&[parts.method.as_str().as_bytes(), path.as_bytes(), &body]);
    let place = app.repeats.place(id, fingerprint, app.now())?;
    parts.extensions.insert(Key(id));
    let request = Request::from_parts(parts, Body::from(body));
    // On a task of its own: a client that hangs up must find the answer when it comes back.
    let work = tokio::spawn(async move {
        let kept = place.get_or_try_init(|| async move {
            let response = next.run(request).await;
            if response.status().is_success() { keep(response).await } else { Err(response) }
        });
        match kept.await {
            Ok(given) => given.again(),
            Err(response) => response,
        }
    });
    work.await.map_err(|error| {
        tracing::error!(%error, "a request's work ended early");
        Problem::internal()
    })
}

async fn keep(response: Response) -> Result<Given, Response> {
    let (parts, body) = response.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(body) => Ok(Given { status: parts.status, headers: parts.headers, body }),
        Err(_) => Err(Problem::internal().into_response()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_ms(5_000_000);

    fn given() -> Given {
        Given { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::new() }
    }

    #[test]
    fn a_key_is_bound_to_the_body_that_was_answered() {
        let repeats = Repeats::default();
        let id = CommandId::new(1);
        let place = |body: u8, at| repeats.place(id, [body; 32], at);
        drop(place(1, START));
        assert!(place(2, START).is_ok(), "nothing was answered, so nothing is bound");
        assert!(place(2, START).is_ok_and(|answer| answer.set(given()).is_ok()));
        assert!(place(2, START).is_ok_and(|answer| answer.initialized()));
        assert_eq!(
            place(3, START).map(|_| ()).map_err(|problem| problem.code()),
            Err("idempotency_mismatch")
        );
        assert!(place(3, START.plus_ms(KEPT_MS + 1)).is_ok(), "forgotten");
    }

    #[test]
    fn a_request_under_way_keeps_its_key() {
        let repeats = Repeats::default();
        let under_way = repeats.place(CommandId::new(1), [1; 32], START);
        assert!(repeats.place(CommandId::new(1), [2; 32], START).is_err());
        drop(under_way);
    }

    #[test]
    fn the_oldest_makes_room() {
        let repeats = Repeats::default();
        for id in 0..(u128::try_from(KEPT_MAX).unwrap_or(0) + 5) {
            assert!(repeats.place(CommandId::new(id), [0; 32], START).is_ok());
        }
        assert!(repeats.0.lock().is_ok_and(|kept| kept.by_id.len() <= KEPT_MAX));
    }

    #[test]
    fn keys_are_printable_and_of_some_length() {
        let check = |key: &str, good: bool| {
            let mut headers = HeaderMap::new();
            if let Ok(value) = key.parse() {
                headers.insert(KEY_HEADER, value);
            }
            assert_eq!(key_of(&headers).is_ok(), good, "{key}");
        };
        check(&"k".repeat(26), true);
        check(&"k".repeat(64), true);
        for bad in ["", &"k".repeat(25), &"k".repeat(65), "key with spaces in it is not good"] {
            check(bad, false);
        }
    }
}
