//! Every "no" of the interface, as RFC 9457 problem details.
//!
//! A problem has a stable code, a sentence that says what to do, and a reference that stands in the log as well. It never repeats a secret,
//! and never says how to get around a control.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use node::{Halted, NotLeader, SubmitError};
use projections::ProjectionError;

use crate::random;
use crate::wire::ProblemBody;

/// A refusal or a fault on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    params: BTreeMap<String, String>,
    retry_after_s: Option<u64>,
}

impl Problem {
    /// A problem of this status and code; `detail` says what was wrong and what to do.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), params: BTreeMap::new(), retry_after_s: None }
    }

    /// The body or its fields cannot be understood.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// Understood, and not possible as asked.
    pub(crate) fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// Not possible as things stand.
    pub(crate) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// Not for this customer.
    pub(crate) fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// No such thing of this customer.
    pub(crate) fn missing(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// Nobody is signed in.
    pub(crate) fn unauthorised(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, detail)
    }

    /// The session is unknown, closed or over.
    pub(crate) fn session_expired() -> Self {
        Self::unauthorised("session_expired", "The session is over; sign in again.")
    }

    /// A fault of ours.
    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something failed in the bank; nothing was lost.",
        )
    }

    /// The bank takes nothing at the moment.
    pub(crate) fn unavailable(detail: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(1)
    }

    /// Too often.
    pub(crate) fn rate_limited(seconds: u64) -> Self {
        let detail = format!("Too many attempts; try again in {seconds} s.");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).retry_after(seconds)
    }

    /// The read models are not yet as far as this customer's last write.
    pub(crate) fn projection_behind() -> Self {
        let detail = "The latest entries are not on the screens yet; try again in a second.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "projection_behind", detail).retry_after(1)
    }

    /// With a figure that belongs to the code.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// With the same content and another status.
    #[must_use]
    pub(crate) const fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    #[must_use]
    const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The sentence.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The figures that belong to the code.
    pub(crate) const fn params(&self) -> &BTreeMap<String, String> {
        &self.params
    }

    /// The stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let reference = random::reference();
        if self.status.is_server_error() {
            tracing::error!(code = self.code, reference, detail = self.detail, "fault answered");
        } else {
            tracing::info!(code = self.code, reference, status = self.status.as_u16(), "refused");
        }
        let body = ProblemBody {
            kind: format!("urn:jinku:problem:{}", self.code),
            title: self.code.replace('_', " "),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code.to_owned(),
            reference,
            params: self.params,
        };
        let mut response = Response::new(Body::from(serde_json::to_vec(&body).unwrap_or_default()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Halted> for Problem {
    fn from(halted: Halted) -> Self {
        tracing::error!(reason = halted.reason, "the node has halted");
        Self::unavailable("The bank is not taking anything at the moment; nothing was lost.")
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refusal) => refusal.into(),
            SubmitError::Busy => Self::unavailable("The bank is busy; send the same request again."),
            SubmitError::NoRoom => {
                Self::unavailable("The bank cannot record anything at the moment; try again.")
            }
            SubmitError::NotLeader(elsewhere) => elsewhere.into(),
            SubmitError::Halted(halted) => halted.into(),
        }
    }
}

impl From<NotLeader> for Problem {
    /// Where the leader is known, this is the wrong door (421), and the right one is named; where it is not, there will be one in a moment.
    fn from(elsewhere: NotLeader) -> Self {
        let Some(leader) = elsewhere.leader else {
            let detail = "Another of the bank's nodes is about to take over; send the same request again.";
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_leader", detail).retry_after(1);
        };
        let detail = "Another of the bank's nodes decides; send the same request there.";
        Self::new(StatusCode::MISDIRECTED_REQUEST, "not_leader", detail)
            .with("leader", leader.name)
            .with("url", leader.api)
    }
}

impl From<ProjectionError> for Problem {
    fn from(error: ProjectionError) -> Self {
        match error {
            ProjectionError::MovementUnknown => {
                Self::missing("movement_unknown", "There is no such movement.")
            }
            ProjectionError::ReceiptNotReady => {
                Self::conflict("receipt_not_ready", "The receipt is being made; ask again in a second.")
                    .retry_after(1)
            }
            ProjectionError::Cursor => {
                Self::bad_request("The cursor is not one that was given out; begin with the first page.")
            }
            ProjectionError::Database(_)
            | ProjectionError::Journal(_)
            | ProjectionError::File { .. }
            | ProjectionError::Entry { .. }
            | ProjectionError::Log(_) => {
                tracing::error!(%error, "the read model cannot be read");
                Self::internal()
            }
        }
    }
}
