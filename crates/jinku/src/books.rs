//! The books over HTTP, for clients that keep their ledger with this bank: rows in (NDJSON), accounts, entries, holds, monitors and sealed days out.
//!
//! Off unless `jinku serve --books-listen` is given. Every request shows a token (`Authorization: Bearer`), the operator's or a tenant's, and is answered
//! for whoever that is: a tenant sees its own accounts only, and one that is another's is as unknown to it as one that does not exist.
//!
//! **Invariants.** What changes anything is a command of the caller, decided by the bank as rows of the bulk interface are; nothing here
//! decides about money. What is shown is durable. A request of rows is read as a whole before anything of it is taken.

mod monitors;
mod problem;
mod read;
mod rows;
mod show;
mod take;

use std::sync::Arc;

use ::cells::NewTransfer;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use bank::{Bank, Command, Submission};
use ledger::{Batch, Tenant};
use money::CommandId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bulk::{Intake, Part};
use crate::tenants::{Caller, Tokens};
use problem::Problem;

pub(crate) use show::asset_text;

/// Longest body: as many rows as a request may have, with a few legs each.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most things of a page.
const PAGE_MAX: usize = 200;
/// Who stands in the journal for an operator that came this way.
const STAFF: &str = "books";

/// What the interface needs.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) intake: Intake,
    pub(crate) tokens: Tokens,
}

/// Reads rows of NDJSON as `POST /rows` does; answers with those for the ledger and the transfers to other cells. `home` is the tenant that sends them.
///
/// # Errors
/// The first bad line, with its number and what is wrong with it.
pub fn read_rows(body: &[u8], home: Option<Tenant>) -> Result<(Vec<Batch>, Vec<NewTransfer>), String> {
    let (mut batches, mut sends) = (Vec::new(), Vec::new());
    for part in rows::read(body, home)?.parts {
        match part {
            Part::Rows(batch) => batches.push(batch),
            Part::Send(transfer) => sends.push(transfer),
        }
    }
    Ok((batches, sends))
}

/// The interface.
pub(crate) fn router(desk: Desk) -> Router {
    Router::new()
        .route("/rows", post(take::rows))
        .route("/accounts/{id}", get(read::account))
        .route("/accounts/{id}/entries", get(read::entries_of))
        .route("/accounts/{id}/holds", get(read::holds_of))
        .route("/entries/{id}", get(read::entry))
        .route("/trial-balance", get(read::trial_balance))
        .route("/seals", get(read::seals))
        .route("/seal", post(take::seal))
        .route("/monitors", get(monitors::list).post(monitors::set))
        .route("/monitors/{id}", delete(monitors::remove))
        .route("/notices", get(monitors::said))
        .fallback(|| async { Problem::missing("not_found", "There is nothing at this address.") })
        .method_not_allowed_fallback(|| async {
            Problem::missing("not_found", "Nothing is done in this way at this address; look at the method.")
        })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::new(desk))
}

impl FromRequestParts<Arc<Desk>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Self, Problem> {
        let shown = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| value.strip_prefix("Bearer "));
        shown.and_then(|token| desk.tokens.caller_in_hex(token.trim())).ok_or_else(Problem::token)
    }
}

impl Desk {
    /// Looks at the state for an answer, on a thread that may wait.
    async fn look<T: Send + 'static>(
        self: Arc<Self>,
        look: impl Fn(&Bank) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        tokio::task::spawn_blocking(move || self.intake.handle.read(look)?)
            .await
            .map_err(|_| Problem::internal())?
    }

    /// Hands in a command of the caller, and answers with the number of its journal entry.
    async fn submit(
        self: Arc<Self>,
        caller: Caller,
        id: CommandId,
        command: ledger::Command,
    ) -> Result<u64, Problem> {
        let submission = Submission { id, actor: caller.actor(STAFF), command: Command::Ledger(command) };
        let submitted = tokio::task::spawn_blocking(move || self.intake.handle.submit(submission)).await;
        Ok(submitted.map_err(|_| Problem::internal())??.seq)
    }
}

/// An id of the address or the query.
fn id_in<T: std::str::FromStr<Err = money::IdError>>(name: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error| Problem::bad_request(format!("{name}: {error}.")))
}

/// The id of a request, which makes a repeat of it one.
fn command_id(text: Option<&str>) -> Result<CommandId, Problem> {
    let text = text.ok_or_else(|| {
        Problem::bad_request(
            "The query has no id: give ?id=cmd_… with 26 random characters, and the same again for a repeat.",
        )
    })?;
    id_in("id", text)
}

/// A small JSON body.
fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| Problem::bad_request(format!("The body: {error}.")))
}

fn json<T: Serialize>(value: &T) -> Response {
    Json(value).into_response()
}

/// The one part of an address that is an id.
type OneId = Path<String>;
