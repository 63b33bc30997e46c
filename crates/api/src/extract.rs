//! Bodies, queries and path segments, read strictly; what is wrong with them is said by name.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::Problem;

/// Longest sentence about a body that goes back: it may repeat what was sent.
const DETAIL_CHARS_MAX: usize = 240;

/// A JSON body.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(rejected(&rejection)),
        }
    }
}

fn rejected(rejection: &JsonRejection) -> Problem {
    let (status, lead) = match rejection {
        JsonRejection::JsonDataError(_) => (StatusCode::BAD_REQUEST, "The body has another shape"),
        JsonRejection::JsonSyntaxError(_) => (StatusCode::BAD_REQUEST, "The body is not JSON"),
        JsonRejection::MissingJsonContentType(_) => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send JSON with the content type application/json")
        }
        _ => (rejection.status(), "The body cannot be read"),
    };
    let told = rejection.body_text();
    // What comes before the first colon is the library's own lead.
    let what = told.split_once(": ").map_or(told.as_str(), |(_, what)| what);
    let what: String = what.chars().filter(|c| !c.is_control()).take(DETAIL_CHARS_MAX).collect();
    Problem::bad_request(format!("{lead}: {what}. See the interface's description.")).status(status)
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
