//! Becoming a customer: a name, a number, a passkey; an account comes with it.

use axum::Json;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse};
use bank::Command;
use identity::Actor;
use money::CustomerId;

use crate::app::App;
use crate::ceremonies::{self, Ceremony, Enrolling};
use crate::extract::{Body, Segment};
use crate::guard::Written;
use crate::idempotency::Key;
use crate::limits::Attempt;
use crate::session::{Visitor, bind, open};
use crate::wire::{self, ProblemBody};
use crate::{Problem, me, parse, random};

/// Begins: checks what can be checked and asks for a passkey.
#[utoipa::path(post, path = "/api/v1/enrolments", request_body = wire::EnrolmentRequest, responses(
    (status = 200, description = "The answer.", body = wire::Enrolment),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn enrolment_begin(
    State(app): State<App>,
    visitor: Visitor,
    Body(request): Body<wire::EnrolmentRequest>,
) -> Result<Json<wire::Enrolment>, Problem> {
    app.attempt(Attempt::EnrolAddress(visitor.address))?;
    let name = parse::name(&request.display_name)?;
    let phone = parse::phone(&request.phone)?;
    app.attempt(Attempt::EnrolPhone(phone.as_str()))?;
    let asked = phone.clone();
    if app.look(move |bank| bank.identity().customer_by_phone(&asked).is_some()).await? {
        return Err(bank::Refusal::from(identity::Refusal::PhoneTaken).into());
    }
    let now = app.now();
    let customer = CustomerId::new(random::id(now)?);
    let (creation_options, registration) =
        app.registrar.begin(customer, &phone.masked(), name.as_str(), Vec::new())?;
    let enrolling = Enrolling { customer, name, phone, locale: me::locale(request.locale), registration };
    let enrolment_id = app.ceremonies.begin(Ceremony::Enrol(Box::new(enrolling)), now)?;
    Ok(Json(wire::Enrolment { enrolment_id, creation_options }))
}

/// Finishes with the passkey that was made; the customer is signed in.
#[utoipa::path(post, path = "/api/v1/enrolments/{id}/finish", params(("id" = String, Path)),
    request_body = wire::EnrolmentFinish, responses(
    (status = 200, description = "The answer.", body = wire::Me),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn enrolment_finish(
    State(app): State<App>,
    Segment(id): Segment,
    Key(key): Key,
    Body(answer): Body<wire::EnrolmentFinish>,
) -> Result<impl IntoResponse, Problem> {
    let now = app.now();
    let device_name = parse::label("device_name", &answer.device_name, "Device")?;
    let Ceremony::Enrol(enrolling) = app.ceremonies.take(&id, now)? else {
        return Err(ceremonies::unknown());
    };
    let credential = app.registrar.finish(answer.credential, &enrolling.registration, device_name.clone())?;
    let binding = bind(&app, now, device_name)?;
    let opening = open(&app, now, app.config.passkey_session)?;
    let session = opening.session.id;
    let command = identity::Command::Enrol {
        customer: enrolling.customer,
        name: enrolling.name,
        phone: enrolling.phone,
        locale: enrolling.locale,
        device: binding.device,
        credential,
        session: opening.session,
    };
    let taken = app.submit(key, Actor::Visitor, Command::Identity(command)).await?;
    let cookies = AppendHeaders([(SET_COOKIE, opening.cookie), (SET_COOKIE, binding.cookie)]);
    Ok(Written(taken.seq, (cookies, Json(me::of_session(&app, session).await?))))
}
