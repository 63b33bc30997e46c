//! Receipts, and the log they stand in. The log's key and latest checkpoint are for everybody, signed in or not.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use projections::ProjectionError;

use crate::Problem;
use crate::app::App;
use crate::extract::Segment;
use crate::session::Caller;
use crate::wire::{self, ProblemBody};

/// A text with its content type.
type Typed = ([(HeaderName, &'static str); 1], String);

/// The receipt of a movement: it proves itself, without asking the bank.
#[utoipa::path(get, path = "/api/v1/receipts/{movement_id}", params(("movement_id" = String, Path)), responses(
    (status = 200, description = "The answer.", body = inline(wire::ReceiptFile), content_type = "application/json"),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn receipt(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
) -> Result<impl IntoResponse, Problem> {
    let id = id.parse().map_err(|_| Problem::from(ProjectionError::MovementUnknown))?;
    app.caught_up(&caller).await?;
    let customer = app.ask(&caller, |_, who| Ok(who.customer)).await?;
    let receipt = app.rows(move |reads| reads.receipt(customer, id)).await?;
    let text = receipt.to_json().map_err(|error| {
        tracing::error!(%error, "a receipt cannot be written");
        Problem::internal()
    })?;
    let typed: Typed = ([(header::CONTENT_TYPE, "application/json")], text);
    Ok(typed)
}

/// The latest signed checkpoint of the log, a C2SP signed note.
#[utoipa::path(get, path = "/api/v1/log/checkpoint", responses(
    (status = 200, description = "The answer.", body = String, content_type = "text/plain"),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn log_checkpoint(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    let note = app.rows(|reads| reads.checkpoint()).await?;
    let note =
        note.ok_or_else(|| Problem::missing("not_found", "The log is empty; there is no checkpoint yet."))?;
    let typed: Typed = ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], note);
    Ok(typed)
}

/// The public key of the log.
#[utoipa::path(get, path = "/api/v1/log/key", responses(
    (status = 200, description = "The answer.", body = wire::LogKey),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn log_key(State(app): State<App>) -> Json<wire::LogKey> {
    let key = app.reads().key();
    Json(wire::LogKey { name: key.name().to_owned(), vkey: key.to_string() })
}
