//! What holds for every request and answer: origin, headers, and the journal entry that an answer knows.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::Problem;
use crate::app::App;

/// The entry that an answer knows.
pub(crate) const SEQ: HeaderName = HeaderName::from_static("x-jinku-seq");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Two years, the least that browsers' lists ask for.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");
const PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "publickey-credentials-create=(self), publickey-credentials-get=(self), camera=(self), clipboard-write=(self), \
     geolocation=(), microphone=(), payment=(), usb=()",
);
/// Answers of the interface are data: nothing in them may be run or framed.
const API_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'");

/// Room that nearly every answer fits in: a buffer that begins small is copied several times until it is large enough.
const ANSWER_BYTES: usize = 1_024;

/// An answer in JSON.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut bytes = Vec::with_capacity(ANSWER_BYTES);
        match serde_json::to_writer(&mut bytes, &self.0) {
            Ok(()) => ([(header::CONTENT_TYPE, JSON)], bytes).into_response(),
            Err(error) => {
                tracing::error!(%error, "an answer cannot be written");
                Problem::internal().into_response()
            }
        }
    }
}

/// An answer to a write, with the entry that the write became.
pub(crate) struct Written<T>(pub(crate) u64, pub(crate) T);

impl<T: IntoResponse> IntoResponse for Written<T> {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        response.headers_mut().insert(SEQ, HeaderValue::from(self.0));
        response
    }
}

/// Whether a method may change something.
pub(crate) fn is_unsafe(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Lets a request that may change something pass only when it comes from one of our own pages.
pub(crate) async fn origin(State(app): State<App>, request: Request, next: Next) -> Response {
    if is_unsafe(request.method()) && !comes_from_us(request.headers(), &app) {
        let detail = "This request does not come from the bank's own pages; send the header Origin.";
        return Problem::forbidden("not_allowed", detail).into_response();
    }
    next.run(request).await
}

fn comes_from_us(headers: &HeaderMap, app: &App) -> bool {
    let origins = &app.handle().relying_party().origins;
    match headers.get(header::ORIGIN) {
        Some(origin) => origin.to_str().is_ok_and(|origin| origins.iter().any(|ours| ours == origin)),
        None => headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin"),
    }
}

/// Headers of every answer of the interface.
pub(crate) async fn api_headers(State(app): State<App>, request: Request, next: Next) -> Response {
    // Read before the answer is made: the answer knows at least this much.
    let seq = app.reads().status().seq;
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(SEQ).or_insert(HeaderValue::from(seq));
    headers.insert(header::CONTENT_SECURITY_POLICY, API_POLICY);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Headers of every answer at all.
pub(crate) async fn all_headers(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("permissions-policy"), PERMISSIONS);
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    if app.config.secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    response
}
