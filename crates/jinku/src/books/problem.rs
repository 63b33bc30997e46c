//! Every "no" of the books' interface: problem details (RFC 9457) with a stable code and a sentence that says what to do.

use axum::Json;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bank::Refusal;
use node::{Halted, NotLeader, SubmitError};
use serde_json::json;

/// A refusal or a fault on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into() }
    }

    /// The request cannot be understood.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// Nobody's token.
    pub(super) fn token() -> Self {
        let detail = "Show your token: `Authorization: Bearer` and the 64 digits that the bank gave you.";
        Self::new(StatusCode::UNAUTHORIZED, "token_unknown", detail)
    }

    /// Not for this caller.
    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not_allowed", detail)
    }

    /// No such thing of this caller.
    pub(super) fn missing(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// An account that is not there, or not this caller's: nobody is told which.
    pub(super) fn account_unknown() -> Self {
        Self::missing("account_unknown", "There is no such account in your books; look at its id.")
    }

    /// An entry that is not there, or not this caller's alone.
    pub(super) fn entry_unknown() -> Self {
        Self::missing("entry_unknown", "There is no such entry of your accounts alone; look at its id.")
    }

    /// A monitor that is not there, or not this caller's.
    pub(super) fn monitor_unknown() -> Self {
        Self::missing("monitor_unknown", "There is no such monitor of your accounts; look at its id.")
    }

    /// A fault of ours.
    pub(super) fn internal() -> Self {
        let detail = "Something failed in the bank; send the same request with the same id again.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// The bank takes nothing at the moment.
    pub(super) fn unavailable(why: &str) -> Self {
        let detail = format!(
            "The bank cannot take it at the moment ({why}); send the same request with the same id again, nothing is taken twice."
        );
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }

    /// What became of rows that were taken before can only be read from the archive.
    pub(super) fn in_archive(seq: u64) -> Self {
        let detail = format!(
            "These rows were handed in before, with entry {seq}, and are not taken twice; what became of each is no longer in the journal, but in the archive."
        );
        Self::new(StatusCode::GONE, "in_archive", detail)
    }

    /// The id has another body behind it.
    pub(super) fn id_reused() -> Self {
        let detail = "This id was used for another request; give every request an id of its own.";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_mismatch", detail)
    }

    /// The stable word for programs.
    pub(super) const fn code(&self) -> &'static str {
        self.code
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if self.status.is_server_error() {
            tracing::error!(code = self.code, detail = self.detail, "fault answered");
        }
        let body = json!({
            "type": format!("urn:jinku:problem:{}", self.code),
            "code": self.code,
            "title": self.code.replace('_', " "),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<Halted> for Problem {
    fn from(_: Halted) -> Self {
        Self::unavailable("it has stopped")
    }
}

impl From<NotLeader> for Problem {
    fn from(elsewhere: NotLeader) -> Self {
        let Some(leader) = elsewhere.leader else {
            return Self::unavailable("another of its nodes is about to take over");
        };
        let detail = format!(
            "Node {} of the bank decides (its API is at {}); send the same request with the same id there.",
            leader.name, leader.api
        );
        Self::new(StatusCode::MISDIRECTED_REQUEST, "not_leader", detail)
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refusal) => refusal.into(),
            SubmitError::Busy => Self::unavailable("its queue is full"),
            SubmitError::NoRoom => Self::unavailable("it has no room to record anything"),
            SubmitError::NotLeader(elsewhere) => elsewhere.into(),
            SubmitError::Halted(halted) => halted.into(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            // Another's account is as unknown as none.
            Refusal::Ledger(ledger::Refusal::NotPermitted | ledger::Refusal::AccountUnknown { .. }) => {
                Self::account_unknown()
            }
            Refusal::Ledger(ledger::Refusal::MonitorUnknown { .. }) => Self::monitor_unknown(),
            Refusal::Ledger(refusal) => {
                let again = if refusal.is_transient() { "; it may go later" } else { "" };
                Self::new(
                    StatusCode::CONFLICT,
                    refusal.name(),
                    format!("The books refuse it: {refusal}{again}."),
                )
            }
            Refusal::IdReused { .. } => Self::id_reused(),
            refusal => Self::forbidden(format!("This token does not allow it: {refusal}.")),
        }
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        let status = rejection.status();
        if status == StatusCode::PAYLOAD_TOO_LARGE {
            let detail = "The body is longer than 16 MiB; send the rows in several requests.";
            return Self::new(status, "body_too_large", detail);
        }
        Self::bad_request("The body broke off; send the same request with the same id again.")
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request(format!("The query: {}.", rejection.body_text()))
    }
}
