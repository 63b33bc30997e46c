//! What is asked over HTTP: by another cell, to take its transfers; by staff and tenants, to send to another cell and to see how it stands.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bank::{Admitted, Bank, Command, Submission};
use cells::{CellNumber, Incoming, NewTransfer, Place};
use identity::Actor;
use ledger::{Memo, Tenant};
use money::{Amount, CommandId, TransferId};
use node::{Handle, Replies, SubmitError};

use super::wire::{Answer, Answers, Asked, NewOrder, ShownCell, ShownTransfer};
use super::{Neighbours, TRANSFERS_MAX};
use crate::operate;
use crate::tenants::{Caller, Tokens};

/// Longest body: a full request of transfers with the longest memos.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// Most transfers of a list.
const PAGE_MAX: usize = 200;
/// Who stands in the journal for an operator that came this way.
const STAFF: &str = "cells";

type Refused = (StatusCode, String);

struct Takes {
    neighbours: Neighbours,
    handle: Handle,
}

/// What another cell may ask: to take its transfers.
pub(crate) fn takes(neighbours: Neighbours, handle: Handle) -> Router {
    Router::new()
        .route("/transfers", post(take))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::new(Takes { neighbours, handle }))
}

struct Orders {
    handle: Handle,
    tokens: Tokens,
}

/// What staff and tenants may ask: to send, what is on its way, and what there is with each cell.
pub(crate) fn orders(handle: Handle, tokens: Tokens) -> Router {
    Router::new()
        .route("/transfers", post(send).get(list))
        .route("/cells", get(cells_shown))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::new(Orders { handle, tokens }))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

fn no_token() -> Refused {
    (StatusCode::UNAUTHORIZED, "the token is missing or not known".to_owned())
}

fn refused(error: &SubmitError) -> Refused {
    let status = match error {
        SubmitError::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
        SubmitError::Busy | SubmitError::NoRoom | SubmitError::NotLeader(_) | SubmitError::Halted(_) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    (status, error.to_string())
}

/// Does what may wait, such as for the disk, on a thread of its own.
async fn blocking<T: serde::Serialize + Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Response {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(value)) => Json(value).into_response(),
        Ok(Err(refused)) => refused.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn take(State(desk): State<Arc<Takes>>, headers: HeaderMap, Json(asked): Json<Asked>) -> Response {
    let Some(from) = bearer(&headers).and_then(|token| desk.neighbours.who(token)) else {
        return no_token().into_response();
    };
    blocking(move || take_all(&desk.handle, from, &asked)).await
}

fn take_all(handle: &Handle, from: CellNumber, asked: &Asked) -> Result<Answers, Refused> {
    let bad_request = |words: String| (StatusCode::BAD_REQUEST, words);
    if asked.transfers.len() > TRANSFERS_MAX {
        return Err(bad_request(format!("more than {TRANSFERS_MAX} transfers")));
    }
    let transfers = asked.transfers.iter().map(|transfer| transfer.read(from));
    let transfers = transfers.collect::<anyhow::Result<Vec<Incoming>>>();
    let transfers =
        transfers.map_err(|error| bad_request(format!("a transfer cannot be read: {error:#}")))?;
    let ids: Vec<TransferId> = transfers.iter().map(|transfer| transfer.id).collect();
    let batch = transfers.into_iter().map(|transfer| {
        let command = Command::Cells(cells::Command::Receive(transfer));
        // The transfer's own id tells a repeat, for ever.
        let submission = Submission { id: CommandId::new(0), actor: Actor::Cell(from.number()), command };
        handle.admit(submission).map_err(|refusal| refused(&refusal.into()))
    });
    let batch = batch.collect::<Result<Vec<Admitted>, Refused>>()?;
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let look = move |bank: &Bank, _: &Replies| {
        let seen: Vec<_> = ids.iter().map(|id| bank.cells().answered(from, *id)).collect();
        move |replies: Replies| {
            let _ = sender.send((replies, seen));
        }
    };
    handle.submit_looking(batch, look).map_err(|error| refused(&error))?;
    // The answer leaves only now, when what it says is durable.
    let gone = |_| (StatusCode::SERVICE_UNAVAILABLE, "the node was stopped".to_owned());
    let (replies, seen) = receiver.recv().map_err(gone)?;
    let answers = replies.into_iter().zip(seen).map(|(reply, outcome)| match (reply, outcome) {
        (Ok(_), Some(outcome)) => Answer::of(outcome),
        (Ok(_), None) => Answer::Problem("no outcome is known".to_owned()),
        (Err(error), _) => Answer::Problem(error.to_string()),
    });
    Ok(Answers { answers: answers.collect() })
}

async fn send(State(desk): State<Arc<Orders>>, headers: HeaderMap, Json(order): Json<NewOrder>) -> Response {
    let Some(caller) = bearer(&headers).and_then(|token| desk.tokens.caller_in_hex(token)) else {
        return no_token().into_response();
    };
    blocking(move || send_one(&desk.handle, caller, &order)).await
}

fn send_one(handle: &Handle, caller: Caller, order: &NewOrder) -> Result<ShownTransfer, Refused> {
    let transfer = read_order(handle, order)
        .map_err(|error| (StatusCode::BAD_REQUEST, format!("the order cannot be read: {error:#}")))?;
    let id = transfer.id;
    let submission = Submission {
        id: operate::fresh_id().map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?,
        actor: caller.actor(STAFF),
        command: Command::Cells(cells::Command::Send(transfer)),
    };
    handle.submit(submission).map_err(|error| refused(&error))?;
    let shown = handle.read(|bank| shown(bank, id)).map_err(|halted| refused(&halted.into()))?;
    shown.ok_or((StatusCode::INTERNAL_SERVER_ERROR, "the transfer was taken and is not there".to_owned()))
}

fn read_order(handle: &Handle, order: &NewOrder) -> anyhow::Result<NewTransfer> {
    let from = order.from.parse()?;
    // An account that does not exist has no asset; in whichever, the bank refuses it.
    let asset = handle.peek(|bank| bank.ledger().account(from).map(ledger::Account::asset));
    let to = Place { cell: CellNumber::new(order.cell), account: order.to.parse()? };
    let amount = Amount::parse(asset.unwrap_or(money::Asset::CNY), &order.amount)?;
    Ok(NewTransfer { id: order.id.parse()?, from, to, amount, memo: Memo::new(&order.memo)? })
}

fn shown(bank: &Bank, id: TransferId) -> Option<ShownTransfer> {
    let cells = bank.cells();
    let on_the_way = cells.on_the_way(id).map(|outgoing| ShownTransfer::on_the_way(id, outgoing));
    on_the_way.or_else(|| cells.ended(id).map(|outcome| ShownTransfer::ended(id, outcome)))
}

async fn list(State(desk): State<Arc<Orders>>, headers: HeaderMap) -> Response {
    let Some(caller) = bearer(&headers).and_then(|token| desk.tokens.caller_in_hex(token)) else {
        return no_token().into_response();
    };
    let look = move |bank: &Bank| -> Vec<ShownTransfer> {
        let tenant_of =
            |account| bank.ledger().account(account).map_or(Tenant::BANK, ledger::Account::tenant);
        let mine = bank.cells().outgoing().filter(|(_, out)| caller.may_see(tenant_of(out.transfer.from)));
        mine.take(PAGE_MAX).map(|(id, outgoing)| ShownTransfer::on_the_way(id, outgoing)).collect()
    };
    blocking(move || desk.handle.read(look).map_err(|halted| refused(&halted.into()))).await
}

async fn cells_shown(State(desk): State<Arc<Orders>>, headers: HeaderMap) -> Response {
    if bearer(&headers).and_then(|token| desk.tokens.caller_in_hex(token)) != Some(Caller::Operator) {
        return no_token().into_response();
    }
    let look = |bank: &Bank| -> Vec<ShownCell> {
        let shown = bank.cells().peers().map(|(cell, _, peer)| ShownCell {
            cell: cell.number(),
            sent: peer.sent.sum.to_string(),
            sent_count: peer.sent.count,
            received: peer.received.sum.to_string(),
            received_count: peer.received.count,
        });
        shown.collect()
    };
    blocking(move || desk.handle.read(look).map_err(|halted| refused(&halted.into()))).await
}
