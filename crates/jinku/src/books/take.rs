//! What changes the books: rows, and the seal of a day.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use ledger::Reason;
use money::{Amount, Asset, CommandId};
use node::Role;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::rows::{self, Rows};
use super::{Desk, Problem, STAFF, body, command_id, json};
use crate::bulk::{Answer, Part, cut};
use crate::operate;
use crate::tenants::Caller;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WithId {
    id: Option<String>,
}

/// What became of a row.
#[derive(Debug, Serialize)]
struct RowResult<'a> {
    row: u32,
    result: &'static str,
    /// How much a capped transfer came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<&'a str>,
}

/// What became of all rows.
#[derive(Debug, Serialize)]
struct Sum {
    /// Number of the last journal entry that took rows; 0 when none did.
    seq: u64,
    rows: usize,
    taken: usize,
    refused: usize,
}

pub(super) async fn rows(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    query: Result<Query<WithId>, QueryRejection>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let id = command_id(query?.id.as_deref())?;
    let bytes = bytes?;
    let taken = tokio::task::spawn_blocking(move || take(&desk, caller, id, &bytes)).await;
    let lines = taken.map_err(|_| Problem::internal())??;
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], lines).into_response())
}

fn take(desk: &Desk, caller: Caller, id: CommandId, bytes: &[u8]) -> Result<String, Problem> {
    if let Role::Follows(elsewhere) = desk.intake.handle.status().role {
        return Err(elsewhere.into());
    }
    let home = match caller {
        Caller::Operator => None,
        Caller::Tenant(tenant) => Some(tenant),
    };
    let nothing = |problem: String| Problem::bad_request(format!("{problem}. Nothing was taken."));
    let Rows { parts, found_in } = rows::read(bytes, home).map_err(nothing)?;
    let mut pieces = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Part::Rows(batch) => {
                let batches = cut(&mut batch.as_bytes(), batch.as_bytes().len());
                let batches = batches.map_err(|_| Problem::internal())?.map_err(nothing)?;
                pieces.extend(batches.into_iter().map(Part::Rows));
            }
            Part::Send(transfer) => pieces.push(Part::Send(transfer)),
        }
    }
    let answer = desk.intake.take(id, &caller.actor(STAFF), pieces).map_err(|error| {
        tracing::error!("rows: {error:#}");
        Problem::internal()
    })?;
    if let Some(seq) = answer.in_archive {
        return Err(Problem::in_archive(seq));
    }
    if let Some(problem) = &answer.problem {
        // Some may have been taken; the same request again says of each.
        return Err(Problem::unavailable(problem));
    }
    let is_reused = answer.refused.iter().all(|refused| refused.code == 0 && refused.reason.is_none())
        && !answer.refused.is_empty();
    if is_reused && answer.seq == 0 {
        return Err(Problem::id_reused());
    }
    Ok(lines(&answer, &found_in))
}

/// The answer: a line for each row, and one for all.
fn lines(answer: &Answer, found_in: &[Option<Asset>]) -> String {
    let mut refused = answer.refused.iter().peekable();
    let mut amounts = answer.amounts.iter().peekable();
    let mut text = String::new();
    for (row, asset) in (0_u32..).zip(found_in) {
        let mut line =
            RowResult { row, result: "taken", amount: None, code: None, reason: None, words: None };
        if let Some((_, minor)) = amounts.next_if(|(of, _)| *of == row) {
            let minor: Option<u128> = minor.parse().ok();
            line.amount = asset.zip(minor).map(|(asset, minor)| Amount::new(asset, minor).decimal());
        }
        if let Some(refusal) = refused.next_if(|refusal| refusal.row == row) {
            line.result = "refused";
            line.code = Some(refusal.code);
            let other = refusal.reason.as_deref().unwrap_or("id_reused");
            line.reason = Some(Reason::from_code(refusal.code).map_or(other, |reason| reason.name));
            line.words = Some(refusal.words.as_str()).filter(|words| !words.is_empty());
        }
        push(&mut text, &line);
    }
    let (rows, refused) = (found_in.len(), answer.refused.len());
    push(&mut text, &Sum { seq: answer.seq, rows, taken: rows.saturating_sub(refused), refused });
    text
}

fn push(text: &mut String, line: &impl Serialize) {
    text.push_str(&serde_json::to_string(line).unwrap_or_default());
    text.push('\n');
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSeal {
    date: String,
}

pub(super) async fn seal(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    if caller != Caller::Operator {
        return Err(Problem::forbidden("Days are sealed for all books at once, by the bank's staff."));
    }
    let NewSeal { date } = body(&bytes?)?;
    let date = date.parse().map_err(|error| Problem::bad_request(format!("date: {error}.")))?;
    let (through, mark) = operate::day_closed(&desk.intake.handle, date);
    let id = operate::fresh_id().map_err(|_| Problem::internal())?;
    let seq = desk.submit(caller, id, ledger::Command::Seal { through, mark }).await?;
    Ok(json(&json!({
        "seq": seq,
        "through": through.to_string(),
        "journal_seq": mark.seq,
        "journal_hash": hex::encode(mark.hash),
    })))
}
