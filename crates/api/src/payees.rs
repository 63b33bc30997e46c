//! Saved payees.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bank::Bank;
use identity::{Command, NewPayee};
use money::{PayeeId, Text, Timestamp};
use payments::{AccountNumber, BankNumber, Counterparty, PartyName, Payments};
use projections::Party;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::extract::{Asked, Body, Segment};
use crate::guard::Written;
use crate::idempotency::Key;
use crate::session::Caller;
use crate::wire::{self, ProblemBody, instant};
use crate::{Problem, parse};

/// Which payees are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PayeeQuery {
    /// Only those with this text in name or account number.
    q: Option<String>,
}

/// When each account was last paid, by account number and clearing number.
type LastPaid = BTreeMap<(String, String), Timestamp>;

fn unknown() -> Problem {
    bank::Refusal::from(identity::Refusal::PayeeUnknown).into()
}

/// The holder's name of an account of this bank.
pub(crate) fn holder<'b>(bank: &'b Bank, party: &Counterparty) -> Option<&'b str> {
    bank.payments().profile().filter(|profile| profile.bank == party.bank)?;
    let account = bank.payments().account_by_number(&party.account)?;
    let owner = bank.payments().owner(account)?;
    bank.identity().customer(owner.customer).map(|customer| customer.name.as_str())
}

fn is_verified(bank: &Bank, details: &NewPayee) -> bool {
    let parts = (
        PartyName::new(details.name.as_str()),
        AccountNumber::new(details.account_number.as_str()),
        BankNumber::new(details.bank_number.as_str()),
    );
    let (Ok(name), Ok(account), Ok(number)) = parts else { return false };
    let party = Counterparty { name, account, bank: number };
    holder(bank, &party).is_some_and(|holder| Payments::same_name(party.name.as_str(), holder))
}

fn payee(app: &App, bank: &Bank, saved: &identity::Payee, last_paid: &LastPaid) -> wire::Payee {
    let details = &saved.details;
    let (name, number) = (details.name.as_str().to_owned(), details.account_number.as_str().to_owned());
    let code = details.bank_number.as_str().to_owned();
    let last_paid_at = last_paid.get(&(number.clone(), code.clone())).copied();
    let party = app.directory.counterparty(bank, &Party { name, account_number: number, bank: code });
    wire::Payee {
        id: details.id.to_string(),
        name: party.name,
        account_number: party.account_number,
        bank_code: party.bank_code,
        bank_name_zh: party.bank_name_zh,
        bank_name_en: party.bank_name_en,
        own_bank: party.own_bank,
        verified: is_verified(bank, details),
        added_at: instant(saved.added_at),
        last_paid_at: last_paid_at.map(instant),
    }
}

/// The customer's saved payees.
#[utoipa::path(get, path = "/api/v1/payees", params(PayeeQuery), responses(
    (status = 200, description = "The answer.", body = wire::PayeeList),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn payees(
    State(app): State<App>,
    caller: Caller,
    Asked(query): Asked<PayeeQuery>,
) -> Result<Json<wire::PayeeList>, Problem> {
    app.caught_up(&caller).await?;
    let customer = app.ask(&caller, |_, who| Ok(who.customer)).await?;
    let last_paid = app.rows(move |reads| reads.last_paid(customer)).await?;
    let wanted = query.q.unwrap_or_default().trim().to_lowercase();
    let shared = app.clone();
    let mut items: Vec<wire::Payee> = app
        .ask(&caller, move |bank, who| {
            let customer = bank.identity().customer(who.customer).ok_or_else(Problem::session_expired)?;
            let all = customer.payees.values().map(|saved| payee(&shared, bank, saved, &last_paid));
            let fits = |p: &wire::Payee| {
                p.name.to_lowercase().contains(&wanted) || p.account_number.contains(&wanted)
            };
            Ok(all.filter(fits).collect())
        })
        .await?;
    // RFC 3339 in one zone sorts as text.
    items.sort_by(|a, b| (&b.last_paid_at, &b.added_at).cmp(&(&a.last_paid_at, &a.added_at)));
    Ok(Json(wire::PayeeList { items }))
}

/// Saves a payee.
#[utoipa::path(post, path = "/api/v1/payees", request_body = wire::PayeeRef, responses(
    (status = 200, description = "The answer.", body = wire::Payee),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn payee_add(
    State(app): State<App>,
    caller: Caller,
    Key(key): Key,
    Body(body): Body<wire::PayeeRef>,
) -> Result<Written<Json<wire::Payee>>, Problem> {
    let shared = app.clone();
    let party = app
        .ask(&caller, move |bank, _| {
            let party = parse::payee(&shared, bank, &body)?;
            let ours = bank.payments().profile().is_some_and(|profile| profile.bank == party.bank);
            if ours && holder(bank, &party).is_none() {
                return Err(bank::Refusal::from(payments::Refusal::PayeeUnknown).into());
            }
            Ok(party)
        })
        .await?;
    // The same key gives the same payee, also after a restart.
    let id = PayeeId::new(key.value());
    let new = NewPayee {
        id,
        name: party.name,
        account_number: Text::clip(party.account.as_str()),
        bank_number: Text::clip(party.bank.as_str()),
    };
    let taken = app.submit_as(&caller, key, Command::AddPayee(new)).await?;
    let shared = app.clone();
    let saved = app.ask(&caller, move |bank, who| {
        let customer = bank.identity().customer(who.customer).ok_or_else(Problem::session_expired)?;
        let saved = customer.payees.get(&id).ok_or_else(unknown)?;
        Ok(payee(&shared, bank, saved, &LastPaid::new()))
    });
    Ok(Written(taken.seq, Json(saved.await?)))
}

/// Forgets a payee.
#[utoipa::path(delete, path = "/api/v1/payees/{id}", params(("id" = String, Path)), responses(
    (status = 204, description = "Done."),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn payee_delete(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
    Key(key): Key,
) -> Result<Written<StatusCode>, Problem> {
    let id = id.parse().map_err(|_| unknown())?;
    let taken = app.submit_as(&caller, key, Command::RemovePayee(id)).await?;
    Ok(Written(taken.seq, StatusCode::NO_CONTENT))
}
