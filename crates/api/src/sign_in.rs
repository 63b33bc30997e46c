//! Opening and closing sessions: with a passkey anywhere, with a one-time code on a device that is bound.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse};
use bank::{Bank, Command};
use identity::{Actor, NewSession, Proof, SessionDevice};
use subtle::ConstantTimeEq as _;

use crate::app::App;
use crate::ceremonies::{self, Ceremony};
use crate::extract::{Body, Segment};
use crate::guard::Written;
use crate::idempotency::Key;
use crate::limits::Attempt;
use crate::registration::Answer;
use crate::session::{Caller, KnownDevice, Visitor, bind, open};
use crate::wire::{self, ProblemBody};
use crate::{Problem, me, parse, random, totp};

/// Begins signing in with any passkey of this bank.
#[utoipa::path(post, path = "/api/v1/sessions/passkey", responses(
    (status = 200, description = "The answer.", body = wire::RequestCeremony),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn session_passkey_begin(
    State(app): State<App>,
    visitor: Visitor,
) -> Result<Json<wire::RequestCeremony>, Problem> {
    app.attempt(Attempt::SignInAddress(visitor.address))?;
    let challenge = random::bytes()?;
    let request_options = app.registrar.request(&challenge, &[]);
    let ceremony_id = app.ceremonies.begin(Ceremony::SignIn { challenge }, app.now())?;
    Ok(Json(wire::RequestCeremony { ceremony_id, request_options }))
}

/// Finishes with the passkey's answer; a device seen for the first time is bound.
#[utoipa::path(post, path = "/api/v1/sessions/passkey/{ceremony_id}/finish", params(("ceremony_id" = String, Path)),
    request_body = wire::EnrolmentFinish, responses(
    (status = 200, description = "The answer.", body = wire::Me),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn session_passkey_finish(
    State(app): State<App>,
    visitor: Visitor,
    Segment(id): Segment,
    Key(key): Key,
    Body(answer): Body<wire::EnrolmentFinish>,
) -> Result<impl IntoResponse, Problem> {
    let now = app.now();
    let device_name = parse::label("device_name", &answer.device_name, "Device")?;
    let given = Answer::read("credential", answer.credential)?;
    let Ceremony::SignIn { challenge } = app.ceremonies.take(&id, now)? else {
        return Err(ceremonies::unknown());
    };
    let shown = visitor.device;
    let found = app.look(move |bank| {
        let assertion = given.evidence(bank)?;
        let device = shown.as_ref().and_then(|device| own_device(bank, device, &assertion));
        Ok::<_, Problem>((assertion, device))
    });
    let (assertion, known) = found.await?.map_err(|problem| problem.status(StatusCode::UNAUTHORIZED))?;
    let (device, device_cookie) = match known {
        Some(known) => (known, None),
        None => {
            let binding = bind(&app, now, device_name)?;
            (SessionDevice::New(binding.device), Some(binding.cookie))
        }
    };
    let opening = open(&app, now, app.config.passkey_session)?;
    let session = opening.session.id;
    let proof = Proof::Passkey { assertion, challenge: challenge.to_vec().into() };
    let seq = open_session(&app, key, opening.session, device, proof).await?;
    let cookies =
        [Some(opening.cookie), device_cookie].into_iter().flatten().map(|cookie| (SET_COOKIE, cookie));
    let cookies: Vec<_> = cookies.collect();
    Ok(Written(seq, (AppendHeaders(cookies), Json(me::of_session(&app, session).await?))))
}

/// The device that a request shows, where it belongs to the owner of the passkey. One that is blocked counts as shown: the bank refuses it.
fn own_device(bank: &Bank, shown: &KnownDevice, assertion: &identity::Assertion) -> Option<SessionDevice> {
    let owner = bank.identity().credential(&assertion.credential)?.customer;
    let device = bank.identity().device(shown.id).filter(|device| device.customer == owner)?;
    let is_same: bool = device.secret_hash.ct_eq(shown.secret_hash.as_slice()).into();
    is_same.then_some(SessionDevice::Known(shown.id))
}

async fn open_session(
    app: &App,
    key: money::CommandId,
    session: NewSession,
    device: SessionDevice,
    proof: Proof,
) -> Result<u64, Problem> {
    let command = identity::Command::OpenSession { session, device, proof };
    let taken = app.submit(key, Actor::Visitor, Command::Identity(command)).await;
    let taken = taken.map_err(|problem| match problem.code() {
        "assertion_invalid" | "assertion_replayed" => {
            Problem::unauthorised("passkey_refused", "The passkey could not be verified; try again.")
        }
        "passkey_unknown" => problem.status(StatusCode::UNAUTHORIZED),
        _ => problem,
    })?;
    Ok(taken.seq)
}

/// Signs in with a one-time code, on a device that is bound; such a session pays small amounts only.
#[utoipa::path(post, path = "/api/v1/sessions/totp", request_body = wire::TotpCode, responses(
    (status = 200, description = "The answer.", body = wire::Me),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn session_totp(
    State(app): State<App>,
    visitor: Visitor,
    Key(key): Key,
    Body(body): Body<wire::TotpCode>,
) -> Result<impl IntoResponse, Problem> {
    app.attempt(Attempt::SignInAddress(visitor.address))?;
    let unbound =
        || Problem::unauthorised("device_unknown", "This device is not bound; sign in with a passkey.");
    let shown = visitor.device.ok_or_else(unbound)?;
    let device_id = shown.id;
    let found = app.look(move |bank| {
        let device = bank.identity().device(shown.id)?;
        let is_same: bool = device.secret_hash.ct_eq(shown.secret_hash.as_slice()).into();
        let customer = bank.identity().customer(device.customer).filter(|_| is_same)?;
        Some((device.customer, customer.totp.clone().filter(|totp| totp.confirmed)))
    });
    let (customer, known) = found.await?.ok_or_else(unbound)?;
    // Counted by customer, so that a second device is no second try.
    app.attempt(Attempt::Totp(customer.value()))?;
    let known = known.ok_or_else(|| Problem::from(bank::Refusal::from(identity::Refusal::TotpUnknown)))?;
    let now = app.now();
    let step = totp::verify(&app, customer, &known.sealed, &body.code, Some(known.last_step), now)?;
    let opening = open(&app, now, app.config.totp_session)?;
    let session = opening.session.id;
    let proof = Proof::Totp { device: device_id, step };
    let seq = open_session(&app, key, opening.session, SessionDevice::Known(device_id), proof).await?;
    let cookies = AppendHeaders([(SET_COOKIE, opening.cookie)]);
    Ok(Written(seq, (cookies, Json(me::of_session(&app, session).await?))))
}

/// Signs out.
#[utoipa::path(delete, path = "/api/v1/session", responses(
    (status = 204, description = "Done."),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn session_close(
    State(app): State<App>,
    caller: Caller,
    Key(key): Key,
) -> Result<impl IntoResponse, Problem> {
    let seq = match app.submit_as(&caller, key, identity::Command::CloseSession).await {
        Ok(taken) => taken.seq,
        // A session that is over needs no closing.
        Err(problem) if problem.code() == "session_expired" => app.handle().status().durable.seq,
        Err(problem) => return Err(problem),
    };
    Ok(Written(seq, (StatusCode::NO_CONTENT, ended(&app))))
}

/// The header that ends the session's cookie.
pub(crate) fn ended(app: &App) -> AppendHeaders<Vec<(axum::http::HeaderName, axum::http::HeaderValue)>> {
    AppendHeaders(app.cookies.end_session().into_iter().map(|cookie| (SET_COOKIE, cookie)).collect())
}
