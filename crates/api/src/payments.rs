//! Payments: made, looked at, undone.

use axum::Json;
use axum::extract::State;
use bank::Command;
use identity::Actor;
use money::{CustomerId, PaymentId};
use payments::Intent;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::extract::{Asked, Body, Segment};
use crate::guard::Written;
use crate::idempotency::Key;
use crate::refusals::payment_unknown;
use crate::registration::Answer;
use crate::session::Caller;
use crate::track::{self, Past};
use crate::wire::{self, ProblemBody};
use crate::{Problem, parse};

/// Most payments of one list: everything under way, or the latest.
const LIST_MAX: usize = 100;

/// What is known of a customer's payment, with its past once the read models have it.
async fn known(app: &App, caller: &Caller, id: PaymentId) -> Result<wire::Payment, Problem> {
    let customer = app.ask(caller, |_, who| Ok(who.customer)).await?;
    let past = past(app, customer, id).await?;
    let shared = app.clone();
    app.ask(caller, move |bank, who| {
        let payment = bank.payments().payment(id).filter(|payment| payment.customer == Some(who.customer));
        Ok(track::payment(&shared, bank, payment.ok_or_else(payment_unknown)?, &past, who.now))
    })
    .await
}

async fn past(app: &App, customer: CustomerId, id: PaymentId) -> Result<Past, Problem> {
    app.rows(move |reads| Ok(Past { steps: reads.steps(id)?, movements: reads.movements_of(id, customer)? }))
        .await
}

/// Makes a payment. The same payment again is answered with where it stands now.
#[utoipa::path(post, path = "/api/v1/payments", request_body = wire::PaymentRequest, responses(
    (status = 200, description = "The answer.", body = wire::Payment),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn payment_submit(
    State(app): State<App>,
    caller: Caller,
    Key(key): Key,
    Body(body): Body<wire::PaymentRequest>,
) -> Result<Written<Json<wire::Payment>>, Problem> {
    let answer = body.assertion.map(|json| Answer::read("assertion", json)).transpose()?;
    let shared = app.clone();
    let (intent, approval) = app
        .ask(&caller, move |bank, _| {
            let intent = parse::intent(&shared, bank, &body.intent)?;
            let approval = answer.as_ref().map(|answer| answer.evidence(bank)).transpose()?;
            Ok((intent, approval))
        })
        .await?;
    let command = Command::Pay { intent: intent.clone(), approval };
    let taken = match app.submit(key, Actor::Session(caller.session), command).await {
        Ok(taken) => taken.seq,
        // Perhaps the same payment under a new key: a page that was loaded again.
        Err(problem) if problem.code() == "idempotency_mismatch" => {
            same_payment(&app, &caller, &intent).await?.ok_or(problem)?
        }
        Err(problem) => return Err(problem),
    };
    Ok(Written(taken, Json(known(&app, &caller, intent.payment).await?)))
}

/// The entry up to which things are known, if this very payment has been made.
async fn same_payment(app: &App, caller: &Caller, intent: &Intent) -> Result<Option<u64>, Problem> {
    let intent = intent.clone();
    app.ask(caller, move |bank, who| {
        let made = bank.payments().payment(intent.payment).is_some_and(|made| {
            made.customer == Some(who.customer)
                && made.account == Some(intent.from)
                && made.counterparty == intent.payee
                && made.amount == intent.amount
                && made.rail == intent.rail
                && made.note == intent.note
        });
        Ok(made.then_some(bank.seq()))
    })
    .await
}

/// Which payments are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PaymentQuery {
    /// `open` for those that are not at their end.
    state: Option<String>,
}

/// The customer's payments, newest first.
#[utoipa::path(get, path = "/api/v1/payments", params(PaymentQuery), responses(
    (status = 200, description = "The answer.", body = wire::PaymentList),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn payments(
    State(app): State<App>,
    caller: Caller,
    Asked(query): Asked<PaymentQuery>,
) -> Result<Json<wire::PaymentList>, Problem> {
    let open_only = match query.state.as_deref() {
        None | Some("all") => false,
        Some("open") => true,
        Some(_) => return Err(Problem::bad_request("state: open, all or nothing")),
    };
    app.caught_up(&caller).await?;
    let customer = app.ask(&caller, |_, who| Ok(who.customer)).await?;
    let found = app.rows(move |reads| {
        let rows = reads.payments(customer, open_only, LIST_MAX)?;
        let with_past = rows.into_iter().map(|row| {
            Ok((
                row.id,
                Past { steps: reads.steps(row.id)?, movements: reads.movements_of(row.id, customer)? },
            ))
        });
        with_past.collect::<Result<Vec<_>, _>>()
    });
    let found = found.await?;
    let shared = app.clone();
    let items = app.ask(&caller, move |bank, who| {
        let known =
            found.iter().filter_map(|(id, past)| bank.payments().payment(*id).map(|payment| (payment, past)));
        Ok(known.map(|(payment, past)| track::payment(&shared, bank, payment, past, who.now)).collect())
    });
    Ok(Json(wire::PaymentList { items: items.await? }))
}

/// One payment of the customer.
#[utoipa::path(get, path = "/api/v1/payments/{id}", params(("id" = String, Path)), responses(
    (status = 200, description = "The answer.", body = wire::Payment),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn payment(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
) -> Result<Json<wire::Payment>, Problem> {
    app.caught_up(&caller).await?;
    known(&app, &caller, parse::payment_id(&id)?).await.map(Json)
}

/// Undoes a payment that still waits.
#[utoipa::path(post, path = "/api/v1/payments/{id}/cancel", params(("id" = String, Path)), responses(
    (status = 200, description = "The answer.", body = wire::Payment),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn payment_cancel(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
    Key(key): Key,
) -> Result<Written<Json<wire::Payment>>, Problem> {
    let id = parse::payment_id(&id)?;
    let command = Command::Payments(payments::Command::Cancel { payment: id });
    let taken = app.submit(key, Actor::Session(caller.session), command).await?;
    Ok(Written(taken.seq, Json(known(&app, &caller, id).await?)))
}
