//! Reads: accounts with their balances now and as of a time, entries, holds, sealed days, the trial balance.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use bank::Bank;
use ledger::{Account, Axis};
use money::{AccountId, EntryId, HoldId, Timestamp};
use serde::Deserialize;
use serde_json::json;

use super::rows::time_in;
use super::{Desk, OneId, PAGE_MAX, Problem, id_in, json, show};
use crate::tenants::Caller;

/// Entries that are looked at in one go: a millisecond or so, during which the bank decides nothing.
const STEP_ENTRIES: usize = 10_000;

/// A query that was read, or what is wrong with it.
type Asked<T> = Result<Query<T>, QueryRejection>;

/// At which time a balance is asked for, if not now.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AsOf {
    recorded_at: Option<String>,
    effective_at: Option<String>,
}

/// Which page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    before: Option<String>,
    after: Option<String>,
    max: Option<usize>,
}

impl Page {
    fn max(&self) -> Result<usize, Problem> {
        match self.max {
            None => Ok(PAGE_MAX),
            Some(max) if (1..=PAGE_MAX).contains(&max) => Ok(max),
            Some(max) => Err(Problem::bad_request(format!("max is 1 to {PAGE_MAX}, not {max}."))),
        }
    }

    /// The page, where only one of the two directions is there.
    fn only(self, has: &str) -> Result<(Option<String>, usize), Problem> {
        let max = self.max()?;
        let (cursor, other) =
            if has == "before" { (self.before, self.after) } else { (self.after, self.before) };
        match other {
            None => Ok((cursor, max)),
            Some(_) => Err(Problem::bad_request(format!("This list is paged by {has} and max."))),
        }
    }
}

/// The account, where the caller may see it.
pub(super) fn visible(bank: &Bank, caller: Caller, id: AccountId) -> Result<&Account, Problem> {
    let account = bank.ledger().account(id).filter(|account| caller.may_see(account.tenant()));
    account.ok_or_else(Problem::account_unknown)
}

pub(super) async fn account(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(id): OneId,
    query: Asked<AsOf>,
) -> Result<Response, Problem> {
    let id: AccountId = id_in("account", &id)?;
    let Query(AsOf { recorded_at, effective_at }) = query?;
    let time = |name: &str, text: Option<String>| -> Result<Option<Timestamp>, Problem> {
        text.map(|text| time_in(name, &text)).transpose().map_err(Problem::bad_request)
    };
    let (recorded_at, effective_at) =
        (time("recorded_at", recorded_at)?, time("effective_at", effective_at)?);
    if recorded_at.is_some() && effective_at.is_some() {
        return Err(Problem::bad_request(
            "Ask for recorded_at (what was known then) or for effective_at (what was true then).",
        ));
    }
    let then = recorded_at.map(|at| (Axis::Recorded, at)).or(effective_at.map(|at| (Axis::Effective, at)));
    let now = Arc::clone(&desk).look(move |bank| {
        let found = visible(bank, caller, id)?;
        let mut shown = show::account(&id.to_string(), found);
        let ledger = bank.ledger();
        shown.monitors = ledger.monitors_of(id).map(|(id, monitor)| show::monitor(id, monitor)).collect();
        Ok((shown, then.and_then(|(axis, at)| ledger.as_of(id, axis, at))))
    });
    let (mut shown, mut walk) = now.await?;
    // A long history is walked in steps, so that the bank is not held up by a question.
    while let Some(next) = walk.take() {
        match Arc::clone(&desk).look(move |bank| Ok(bank.ledger().go_back(next, STEP_ENTRIES))).await? {
            Err(next) => walk = Some(next),
            Ok(then) => {
                shown.as_of = Some(show::ShownAsOf {
                    recorded_at: recorded_at.as_ref().map(Timestamp::to_string),
                    effective_at: effective_at.as_ref().map(Timestamp::to_string),
                    posted: then.posted.decimal(),
                    overdrawn: then.is_overdrawn,
                });
            }
        }
    }
    Ok(json(&shown))
}

pub(super) async fn entries_of(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(id): OneId,
    query: Asked<Page>,
) -> Result<Response, Problem> {
    let id: AccountId = id_in("account", &id)?;
    let Query(page) = query?;
    let (before, max) = page.only("before")?;
    let before: Option<EntryId> = before.map(|text| id_in("before", &text)).transpose()?;
    let shown = desk.look(move |bank| {
        let ledger = bank.ledger();
        visible(bank, caller, id)?;
        // One more than the page, to know whether there is another.
        let more = max.saturating_add(1);
        let mut found: Vec<_> = match before {
            None => ledger.history(id).take(more).collect(),
            Some(before) => {
                let touches =
                    ledger.entry(before).is_some_and(|e| e.legs.iter().any(|leg| leg.account == id));
                if !touches {
                    return Err(Problem::bad_request(
                        "before: no such entry of this account; begin with the first page.",
                    ));
                }
                ledger.history_before(id, before).take(more).collect()
            }
        };
        let goes_on = found.len() > max;
        found.truncate(max);
        let next = found.last().filter(|_| goes_on).map(|entry| entry.id.to_string());
        let is_hidden = |leg: &ledger::Leg| visible(bank, caller, leg.account).is_err();
        let entries: Vec<_> = found.iter().map(|entry| show::entry(entry, is_hidden)).collect();
        Ok(json!({ "entries": entries, "next": next }))
    });
    Ok(json(&shown.await?))
}

pub(super) async fn entry(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(id): OneId,
) -> Result<Response, Problem> {
    let id: EntryId = id_in("entry", &id)?;
    let shown = desk.look(move |bank| {
        let found = bank.ledger().entry(id).ok_or_else(Problem::entry_unknown)?;
        let is_hidden = |leg: &ledger::Leg| visible(bank, caller, leg.account).is_err();
        if found.legs.iter().any(is_hidden) {
            return Err(Problem::entry_unknown());
        }
        Ok(show::entry(&found, |_| false))
    });
    Ok(json(&shown.await?))
}

pub(super) async fn holds_of(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(id): OneId,
    query: Asked<Page>,
) -> Result<Response, Problem> {
    let id: AccountId = id_in("account", &id)?;
    let Query(page) = query?;
    let (after, max) = page.only("after")?;
    let after: Option<HoldId> = after.map(|text| id_in("after", &text)).transpose()?;
    let shown = desk.look(move |bank| {
        visible(bank, caller, id)?;
        let ledger = bank.ledger();
        // A hold that has ended meanwhile has no place in the list any more.
        if after.is_some_and(|after| ledger.hold(after).is_none_or(|hold| hold.account != id)) {
            return Err(Problem::bad_request(
                "after: no such open hold of this account; begin with the first page.",
            ));
        }
        let mut holds = ledger.holds_of(id).skip_while(|(hold, _)| after.is_some_and(|after| *hold != after));
        if after.is_some() {
            holds.next();
        }
        let mut found: Vec<_> = holds.take(max.saturating_add(1)).collect();
        let goes_on = found.len() > max;
        found.truncate(max);
        let next = found.last().filter(|_| goes_on).map(|(hold, _)| hold.to_string());
        let shown = found.iter().map(|(hold_id, hold)| show::ShownHold {
            id: hold_id.to_string(),
            account: hold.account.to_string(),
            asset: show::asset_text(hold.amount.asset()),
            amount: hold.amount.decimal(),
            placed_at: hold.placed_at.to_string(),
            expires_at: hold.expires_at.as_ref().map(Timestamp::to_string),
        });
        Ok(json!({ "holds": shown.collect::<Vec<_>>(), "next": next }))
    });
    Ok(json(&shown.await?))
}

pub(super) async fn seals(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    query: Asked<Page>,
) -> Result<Response, Problem> {
    let Query(page) = query?;
    let (before, max) = page.only("before")?;
    let before = before.map(|text| time_in("before", &text)).transpose().map_err(Problem::bad_request)?;
    let shown = desk.look(move |bank| {
        let earlier = bank.ledger().seals().iter().rev();
        let mut found: Vec<_> = earlier
            .filter(|seal| before.is_none_or(|before| seal.through < before))
            .take(max.saturating_add(1))
            .collect();
        let goes_on = found.len() > max;
        found.truncate(max);
        let next = found.last().filter(|_| goes_on).map(|seal| seal.through.to_string());
        let shown: Vec<_> = found.iter().map(|seal| show::seal(seal, caller == Caller::Operator)).collect();
        Ok(json!({ "seals": shown, "next": next }))
    });
    Ok(json(&shown.await?))
}

pub(super) async fn trial_balance(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
) -> Result<Response, Problem> {
    let shown = desk.look(move |bank| {
        let totals = match caller {
            Caller::Operator => bank.ledger().trial_balance(),
            Caller::Tenant(tenant) => bank.ledger().trial_balance_of(tenant),
        };
        Ok(json!({ "totals": totals.iter().map(show::total).collect::<Vec<_>>(), "seq": bank.seq() }))
    });
    Ok(json(&shown.await?))
}
