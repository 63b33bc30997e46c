//! Payments: made, looked at, undone.

use axum::extract::State;
use bank::{Bank, Command};
use identity::{Actor, Assertion};
use money::{CustomerId, PaymentId};
use node::Taken;
use payments::Intent;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::extract::{Asked, Body, Segment};
use crate::guard::{Json, Written};
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
    let bank_known =
        |code: &str| app.directory.knows(code, |code| app.handle().peek(|bank| parse::is_own(bank, code)));
    let intent = match parse::intent(&body.intent, bank_known) {
        Ok(intent) => intent,
        Err(problem) => return Err(app.refuse(&caller, problem).await),
    };
    let approval = match answer {
        Some(answer) => Some(evidence(&app, &caller, answer).await?),
        None => None,
    };
    let command = Command::Pay { intent: intent.clone(), approval };
    let (shared, id) = (app.clone(), intent.payment);
    let look = move |bank: &Bank, taken: &Taken| first_look(&shared, bank, id, taken);
    match app.submit_looking(key, Actor::Session(caller.session), command, look).await {
        Ok((taken, Some(payment))) => Ok(Written(taken.seq, Json(payment))),
        // A repeat, from before the answers that are kept: what stands now is asked for.
        Ok((taken, None)) => Ok(Written(taken.seq, Json(known(&app, &caller, id).await?))),
        // Perhaps the same payment under a new key: a page that was loaded again.
        Err(problem) if problem.code() == "idempotency_mismatch" => {
            let taken = same_payment(&app, &caller, &intent).await?.ok_or(problem)?;
            Ok(Written(taken, Json(known(&app, &caller, id).await?)))
        }
        Err(problem) => Err(app.refuse(&caller, problem).await),
    }
}

/// The evidence in a passkey's answer. The key it is checked with goes into the command with it, so the state may be seen ahead of
/// what is durable; a refusal is made of what is.
async fn evidence(app: &App, caller: &Caller, answer: Answer) -> Result<Assertion, Problem> {
    match app.handle().peek(|bank| answer.evidence(bank)) {
        Ok(evidence) => Ok(evidence),
        Err(_) => app.ask(caller, move |bank, _| answer.evidence(bank)).await,
    }
}

/// A payment right after it was made; it has no past yet. Nothing for a repeat, which has.
fn first_look(app: &App, bank: &Bank, id: PaymentId, taken: &Taken) -> Option<wire::Payment> {
    let payment = bank.payments().payment(id).filter(|_| !taken.is_repeat)?;
    Some(track::payment(app, bank, payment, &Past::default(), taken.recorded_at))
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
