//! Bodies, queries and path segments, read strictly; what is wrong with them is said by name.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Problem;

/// Longest sentence about a body that goes back: it may repeat what was sent.
const DETAIL_CHARS_MAX: usize = 240;

/// A JSON body: an object of texts and objects.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

/// Fields whose inside is WebAuthn's business.
const OPAQUE: [&str; 2] = ["credential", "assertion"];

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "Send JSON with the content type application/json.";
            return Err(Problem::bad_request(detail).status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|_| Problem::bad_request("The body cannot be read."))?;
        let Json(body) = Json::from_bytes(&bytes).map_err(|rejection| rejected(&rejection))?;
        // A reader of JSON also takes a list of the values in place of an object, which the interface does not promise.
        if !bytes.contains(&b'[') {
            return Ok(Self(body));
        }
        let json: Value =
            serde_json::from_slice(&bytes).map_err(|_| Problem::bad_request("The body is not JSON."))?;
        match list_in(&json) {
            Some(name) => Err(Problem::bad_request(format!("The body has another shape: {name} is a list."))),
            None => Ok(Self(body)),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// The first field that holds a list.
fn list_in(json: &Value) -> Option<&str> {
    match json {
        Value::Array(_) => Some("all of it"),
        Value::Object(fields) => {
            let mut ours = fields.iter().filter(|(name, _)| !OPAQUE.contains(&name.as_str()));
            ours.find_map(|(name, value)| if value.is_array() { Some(name.as_str()) } else { list_in(value) })
        }
        _ => None,
    }
}

fn rejected(rejection: &JsonRejection) -> Problem {
    let lead = match rejection {
        JsonRejection::JsonDataError(_) => "The body has another shape",
        _ => "The body is not JSON",
    };
    let told = rejection.body_text();
    // What comes before the first colon is the library's own lead.
    let what = told.split_once(": ").map_or(told.as_str(), |(_, what)| what);
    let what: String = what.chars().filter(|c| !c.is_control()).take(DETAIL_CHARS_MAX).collect();
    Problem::bad_request(format!("{lead}: {what}. See the interface's description."))
}

/// The query, every name of it known.
#[derive(Debug)]
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(rejection) => {
                let told = rejection.body_text();
                let what: String = told.chars().filter(|c| !c.is_control()).take(DETAIL_CHARS_MAX).collect();
                Err(Problem::bad_request(format!("The query cannot be read: {what}.")))
            }
        }
    }
}

/// The one segment of the path that is an id.
#[derive(Debug)]
pub(crate) struct Segment(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Self(text)),
            Err(_) => Err(Problem::missing("not_found", "There is nothing at this address.")),
        }
    }
}
