//! The security centre: devices, passkeys, locking everything.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use bank::Bank;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::{Command, Credential, CredentialId, Device, DeviceStatus, SignedInBy};
use money::DeviceId;

use crate::app::{App, Who};
use crate::ceremonies::{self, Ceremony};
use crate::extract::{Body, Segment};
use crate::guard::Written;
use crate::idempotency::Key;
use crate::registration::{Answer, credential_text, usable};
use crate::session::Caller;
use crate::wire::{self, ProblemBody, instant};
use crate::{Problem, me, parse, random, sign_in};

fn refused(refusal: identity::Refusal) -> Problem {
    bank::Refusal::from(refusal).into()
}

fn device(bank: &Bank, who: &Who, id: DeviceId, device: &Device) -> wire::Device {
    let all = bank.identity().credentials_of(who.customer);
    let passkeys =
        all.filter(|(_, credential)| credential.device == id).map(|(id, known)| passkey(id, known));
    wire::Device {
        id: id.to_string(),
        name: device.name.as_str().to_owned(),
        bound_at: instant(device.bound_at),
        last_seen_at: instant(device.last_seen_at),
        current: id == who.device,
        status: match device.status {
            DeviceStatus::Active => wire::DeviceStatus::Active,
            DeviceStatus::Blocked => wire::DeviceStatus::Blocked,
        },
        passkeys: passkeys.collect(),
    }
}

fn passkey(id: &CredentialId, known: &Credential) -> wire::Passkey {
    wire::Passkey {
        id: credential_text(id),
        name: known.name.as_str().to_owned(),
        added_at: instant(known.added_at),
        last_used_at: known.last_used_at.map(instant),
        backed_up: known.backed_up,
    }
}

/// The customer's devices with the passkeys made on them.
#[utoipa::path(get, path = "/api/v1/devices", responses(
    (status = 200, description = "The answer.", body = wire::DeviceList),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn devices(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<wire::DeviceList>, Problem> {
    let items = app.ask(&caller, |bank, who| {
        let all = bank.identity().devices_of(who.customer);
        Ok(all.map(|(id, known)| device(bank, who, id, known)).collect())
    });
    Ok(Json(wire::DeviceList { items: items.await? }))
}

/// Blocks another device, for ever, and closes its sessions.
#[utoipa::path(post, path = "/api/v1/devices/{id}/block", params(("id" = String, Path)), responses(
    (status = 204, description = "Done."),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn device_block(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
    Key(key): Key,
) -> Result<Written<StatusCode>, Problem> {
    let id = id.parse().map_err(|_| refused(identity::Refusal::DeviceUnknown))?;
    let taken = app.submit_as(&caller, key, Command::BlockDevice(id)).await?;
    Ok(Written(taken.seq, StatusCode::NO_CONTENT))
}

/// Begins adding a passkey on this device.
#[utoipa::path(post, path = "/api/v1/passkeys", responses(
    (status = 200, description = "The answer.", body = wire::CreationCeremony),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn passkey_begin(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<wire::CreationCeremony>, Problem> {
    let (who, names, known) = app
        .ask(&caller, |bank, who| {
            if who.by != SignedInBy::Passkey {
                return Err(refused(identity::Refusal::PasskeyNeeded));
            }
            let customer = bank.identity().customer(who.customer).ok_or_else(Problem::session_expired)?;
            let names = (customer.phone.masked(), customer.name.as_str().to_owned());
            let known = bank.identity().credentials_of(who.customer).map(|(id, _)| id.clone()).collect();
            Ok((*who, names, known))
        })
        .await?;
    let (creation_options, registration) = app.registrar.begin(who.customer, &names.0, &names.1, known)?;
    let ceremony = Ceremony::AddPasskey { session: who.session, registration: Box::new(registration) };
    let ceremony_id = app.ceremonies.begin(ceremony, app.now())?;
    Ok(Json(wire::CreationCeremony { ceremony_id, creation_options }))
}

/// Finishes with the passkey that was made.
#[utoipa::path(post, path = "/api/v1/passkeys/{ceremony_id}/finish", params(("ceremony_id" = String, Path)),
    request_body = wire::PasskeyFinish, responses(
    (status = 200, description = "The answer.", body = wire::Device),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn passkey_finish(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
    Key(key): Key,
    Body(answer): Body<wire::PasskeyFinish>,
) -> Result<Written<Json<wire::Device>>, Problem> {
    let name = parse::label("name", &answer.name, "Passkey")?;
    let registration = match app.ceremonies.take(&id, app.now())? {
        Ceremony::AddPasskey { session, registration } if session == caller.session => registration,
        _ => return Err(ceremonies::unknown()),
    };
    let credential = app.registrar.finish(answer.credential, &registration, name)?;
    let taken = app.submit_as(&caller, key, Command::AddCredential(credential)).await?;
    let now = app.ask(&caller, |bank, who| {
        let known = bank.identity().device(who.device).ok_or_else(Problem::session_expired)?;
        Ok(device(bank, who, who.device, known))
    });
    Ok(Written(taken.seq, Json(now.await?)))
}

/// Removes a passkey; not the last one.
#[utoipa::path(delete, path = "/api/v1/passkeys/{id}", params(("id" = String, Path)), responses(
    (status = 204, description = "Done."),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn passkey_delete(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
    Key(key): Key,
) -> Result<Written<StatusCode>, Problem> {
    let id = URL_SAFE_NO_PAD.decode(&id).map_err(|_| refused(identity::Refusal::CredentialUnknown))?;
    let taken = app.submit_as(&caller, key, Command::RemoveCredential(CredentialId::new(&id))).await?;
    Ok(Written(taken.seq, StatusCode::NO_CONTENT))
}

/// Closes every session, this one too, blocks every other device and stops payments.
#[utoipa::path(post, path = "/api/v1/lock", responses(
    (status = 204, description = "Done."),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn lock(
    State(app): State<App>,
    caller: Caller,
    Key(key): Key,
) -> Result<impl IntoResponse, Problem> {
    let taken = app.submit_as(&caller, key, Command::Lock).await?;
    Ok(Written(taken.seq, (StatusCode::NO_CONTENT, sign_in::ended(&app))))
}

/// Begins unlocking: asks for a passkey of this customer.
#[utoipa::path(post, path = "/api/v1/unlock/begin", responses(
    (status = 200, description = "The answer.", body = wire::UnlockBegin),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn unlock_begin(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<wire::UnlockBegin>, Problem> {
    let allowed = app.ask(&caller, |bank, who| Ok(usable(bank, who.customer))).await?;
    let challenge = random::bytes()?;
    let request_options = app.registrar.request(&challenge, &allowed);
    app.ceremonies.begin_unlock(caller.session, challenge, app.now());
    Ok(Json(wire::UnlockBegin { request_options }))
}

/// Unlocks with the passkey's answer.
#[utoipa::path(post, path = "/api/v1/unlock", request_body = wire::UnlockRequest, responses(
    (status = 200, description = "The answer.", body = wire::Me),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn unlock(
    State(app): State<App>,
    caller: Caller,
    Key(key): Key,
    Body(body): Body<wire::UnlockRequest>,
) -> Result<Written<Json<wire::Me>>, Problem> {
    let answer = Answer::read("assertion", body.assertion)?;
    let assertion = app.ask(&caller, move |bank, _| answer.evidence(bank)).await?;
    let challenge = app.ceremonies.take_unlock(caller.session, app.now())?;
    let command = Command::Unlock { assertion, challenge: challenge.to_vec().into() };
    let taken = app.submit_as(&caller, key, command).await.map_err(|problem| match problem.code() {
        "assertion_invalid" | "assertion_replayed" => {
            Problem::unprocessable("passkey_refused", "The passkey could not be verified; try again.")
        }
        _ => problem,
    })?;
    Ok(Written(taken.seq, Json(app.ask(&caller, me::of).await?)))
}
