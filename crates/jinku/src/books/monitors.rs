//! Monitors of balances: set, remove, list; and what they have to say that nobody has taken yet.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use ledger::{Command, Threshold};
use money::{AccountId, MonitorId};
use serde::Deserialize;
use serde_json::json;

use super::read::visible;
use super::rows::{amount_in, asset_in};
use super::{Desk, OneId, Problem, body, command_id, id_in, json, show};
use crate::notices;
use crate::tenants::Caller;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WithId {
    id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMonitor {
    monitor: String,
    account: String,
    asset: String,
    below: Option<String>,
    at_least: Option<String>,
}

/// Which monitors.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Of {
    account: Option<String>,
}

pub(super) async fn set(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    query: Result<Query<WithId>, QueryRejection>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let id = command_id(query?.id.as_deref())?;
    let asked: NewMonitor = body(&bytes?)?;
    let asset = asset_in(&asked.asset).map_err(Problem::bad_request)?;
    let mark = |name, text: &str| amount_in(name, asset, text).map_err(Problem::bad_request);
    let threshold = match (&asked.below, &asked.at_least) {
        (Some(text), None) => Threshold::Below(mark("below", text)?),
        (None, Some(text)) => Threshold::AtLeast(mark("at_least", text)?),
        _ => return Err(Problem::bad_request("A monitor has either below or at_least.")),
    };
    let monitor: MonitorId = id_in("monitor", &asked.monitor)?;
    let account: AccountId = id_in("account", &asked.account)?;
    let seq = desk.submit(caller, id, Command::SetMonitor { id: monitor, account, threshold }).await?;
    Ok(json(&json!({ "seq": seq })))
}

pub(super) async fn remove(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(monitor): OneId,
    query: Result<Query<WithId>, QueryRejection>,
) -> Result<Response, Problem> {
    let id = command_id(query?.id.as_deref())?;
    let monitor: MonitorId = id_in("monitor", &monitor)?;
    let removed = desk.submit(caller, id, Command::RemoveMonitor { id: monitor }).await;
    // The bank says "not permitted" of another's monitor; here it is as unknown as none.
    let removed = removed.map_err(|problem| match problem.code() {
        "account_unknown" => Problem::monitor_unknown(),
        _ => problem,
    });
    Ok(json(&json!({ "seq": removed? })))
}

pub(super) async fn list(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    query: Result<Query<Of>, QueryRejection>,
) -> Result<Response, Problem> {
    let account: Option<AccountId> =
        query?.account.as_deref().map(|text| id_in("account", text)).transpose()?;
    let shown = desk.look(move |bank| {
        let ledger = bank.ledger();
        if let Some(account) = account {
            visible(bank, caller, account)?;
        }
        let wanted = ledger
            .monitors()
            .filter(|(_, monitor)| account.is_none_or(|account| monitor.account == account))
            .filter(|(_, monitor)| visible(bank, caller, monitor.account).is_ok());
        let shown: Vec<_> = wanted.map(|(id, monitor)| show::monitor(id, monitor)).collect();
        Ok(json!({ "monitors": shown }))
    });
    Ok(json(&shown.await?))
}

pub(super) async fn said(State(desk): State<Arc<Desk>>, caller: Caller) -> Result<Response, Problem> {
    let shown = desk.look(move |bank| {
        let waiting = notices::waiting(bank, |tenant| caller.may_see(tenant));
        Ok(json!({ "notices": waiting.iter().map(|waiting| &waiting.message).collect::<Vec<_>>() }))
    });
    Ok(json(&shown.await?))
}
