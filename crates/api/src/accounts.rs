//! Accounts, what is held on them, how to be paid into them; banks and limits.

use axum::Json;
use axum::extract::State;
use bank::Bank;
use money::{AccountId, Amount, Asset, CustomerId};
use payments::{Payment, PaymentState};

use crate::app::{App, Who};
use crate::extract::Segment;
use crate::parse::{account_id, account_unknown};
use crate::session::Caller;
use crate::wire::{self, ProblemBody, instant};
use crate::{Problem, qr};

/// Most open payments that are looked through for holds.
const OPEN_MAX: usize = 200;

/// The customer's account with this id.
pub(crate) fn own_account(bank: &Bank, who: &Who, text: &str) -> Result<AccountId, Problem> {
    let id = account_id(text)?;
    if bank.payments().accounts_of(who.customer).contains(&id) { Ok(id) } else { Err(account_unknown()) }
}

/// A customer's accounts.
pub(crate) fn of_customer(bank: &Bank, customer: CustomerId) -> Vec<wire::Account> {
    let ids = bank.payments().accounts_of(customer);
    ids.iter().filter_map(|id| account(bank, *id)).collect()
}

fn account(bank: &Bank, id: AccountId) -> Option<wire::Account> {
    let owner = bank.payments().owner(id)?;
    let account = bank.ledger().account(id)?;
    let balance = account.balance();
    Some(wire::Account {
        id: id.to_string(),
        number: owner.number.as_str().to_owned(),
        asset: owner.asset.code().to_owned(),
        posted: balance.posted.into(),
        held: balance.held.into(),
        available: balance.available.into(),
        opened_at: instant(account.opened_at()),
    })
}

/// All accounts with the entry they are true for.
pub(crate) fn list(bank: &Bank, customer: CustomerId) -> wire::AccountList {
    wire::AccountList { items: of_customer(bank, customer), seq: bank.seq() }
}

/// The customer's accounts and balances.
#[utoipa::path(get, path = "/api/v1/accounts", responses(
    (status = 200, description = "The answer.", body = wire::AccountList),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn accounts(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<wire::AccountList>, Problem> {
    app.ask(&caller, |bank, who| Ok(list(bank, who.customer))).await.map(Json)
}

/// What is held on an account, why and until when.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/holds", params(("id" = String, Path)), responses(
    (status = 200, description = "The answer.", body = wire::HoldList),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn account_holds(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
) -> Result<Json<wire::HoldList>, Problem> {
    app.caught_up(&caller).await?;
    let (account, customer) =
        app.ask(&caller, move |bank, who| Ok((own_account(bank, who, &id)?, who.customer))).await?;
    let open = app.rows(move |reads| reads.payments(customer, true, OPEN_MAX)).await?;
    let items = app.ask(&caller, move |bank, who| {
        let known = open.iter().filter_map(|row| bank.payments().payment(row.id));
        Ok(known
            .filter(|payment| payment.account == Some(account))
            .filter_map(|p| hold(bank, who, p))
            .collect())
    });
    Ok(Json(wire::HoldList { items: items.await? }))
}

fn hold(bank: &Bank, who: &Who, payment: &Payment) -> Option<wire::Hold> {
    let (id, until) = match &payment.state {
        PaymentState::Waiting { hold, until } => (*hold, Some(*until)),
        PaymentState::Sending { hold, .. }
        | PaymentState::Sent { hold, .. }
        | PaymentState::Cancelling { hold, .. } => (*hold, None),
        PaymentState::Confirmed { .. }
        | PaymentState::Done
        | PaymentState::Cancelled { .. }
        | PaymentState::Rejected { .. }
        | PaymentState::Returned { .. }
        | PaymentState::Credited { .. }
        | PaymentState::Returning { .. } => return None,
    };
    let found = bank.ledger().hold(id)?;
    Some(wire::Hold {
        id: id.to_string(),
        payment_id: payment.id.to_string(),
        amount: found.amount.into(),
        reason: if until.is_some() {
            wire::HoldReason::WithdrawalUndo
        } else {
            wire::HoldReason::WithdrawalSending
        },
        placed_at: instant(found.placed_at),
        expires_at: until.map(instant),
        can_cancel: until.is_some_and(|until| who.now < until),
    })
}

/// What others need to pay into an account.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/receive", params(("id" = String, Path)), responses(
    (status = 200, description = "The answer.", body = wire::ReceiveDetails),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn account_receive(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
) -> Result<Json<wire::ReceiveDetails>, Problem> {
    let details = app.ask(&caller, move |bank, who| {
        let account = own_account(bank, who, &id)?;
        let owner = bank.payments().owner(account).ok_or_else(account_unknown)?;
        let holder = bank.identity().customer(who.customer).ok_or_else(Problem::session_expired)?;
        let profile = bank.payments().profile().ok_or_else(Problem::internal)?;
        let (name, number, code) = (holder.name.as_str(), owner.number.as_str(), profile.bank.as_str());
        Ok(wire::ReceiveDetails {
            holder_name: name.to_owned(),
            account_number: number.to_owned(),
            bank_code: code.to_owned(),
            bank_name_zh: profile.name_zh.as_str().to_owned(),
            bank_name_en: profile.name_en.as_str().to_owned(),
            qr_payload: qr::payload(code, number, name),
        })
    });
    details.await.map(Json)
}

/// The banks that can be paid to.
#[utoipa::path(get, path = "/api/v1/banks", responses(
    (status = 200, description = "The answer.", body = wire::BankList),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn banks(State(app): State<App>, caller: Caller) -> Result<Json<wire::BankList>, Problem> {
    let shared = app.clone();
    let items = app.ask(&caller, move |bank, _| Ok(shared.directory.list(bank))).await?;
    Ok(Json(wire::BankList { items }))
}

/// What the customer may pay out, and what of it is used.
#[utoipa::path(get, path = "/api/v1/limits", responses(
    (status = 200, description = "The answer.", body = wire::Limits),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn limits(State(app): State<App>, caller: Caller) -> Result<Json<wire::Limits>, Problem> {
    app.ask(&caller, |bank, who| {
        let asset = home_asset(bank, who.customer);
        let today = bank.payments().local_date(who.now);
        let limits = bank.identity().limits(who.customer, asset, today);
        let limits = limits.ok_or_else(|| Problem::from(bank::Refusal::from(payments::Refusal::NoLimits)))?;
        let usage = bank.payments().usage(who.customer, asset, today);
        let zero = Amount::zero(asset);
        Ok(wire::Limits {
            small_amount: limits.small_amount.into(),
            undo_from: limits.undo_from.into(),
            rows: vec![
                row(wire::Period::Single, limits.single, zero),
                row(wire::Period::Day, limits.day, usage.day_sum),
                row(wire::Period::Month, limits.month, usage.month_sum),
                row(wire::Period::Year, limits.year, usage.year_sum),
            ],
        })
    })
    .await
    .map(Json)
}

/// The asset of the customer's first account.
fn home_asset(bank: &Bank, customer: CustomerId) -> Asset {
    let first = bank.payments().accounts_of(customer).first();
    first.and_then(|id| bank.payments().owner(*id)).map_or(Asset::CNY, |owner| owner.asset)
}

fn row(period: wire::Period, cap: Option<Amount>, used: Amount) -> wire::LimitRow {
    let remaining = cap.map(|cap| cap.minus(used).unwrap_or(Amount::zero(cap.asset())));
    wire::LimitRow {
        period,
        cap: cap.map(Into::into),
        used: used.into(),
        remaining: remaining.map(Into::into),
    }
}
