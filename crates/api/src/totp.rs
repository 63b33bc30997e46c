//! One-time codes: their seeds are made here, sealed, and kept by the bank only sealed.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use identity::Command;
use money::{CustomerId, Timestamp};
use passkey::secret::Secret;
use passkey::totp::{Parameters, TotpError, base32_encode, otpauth_uri};

use crate::app::App;
use crate::extract::Body;
use crate::guard::Written;
use crate::idempotency::Key;
use crate::limits::Attempt;
use crate::session::Caller;
use crate::wire::{self, ProblemBody};
use crate::{Problem, random};

/// Length of a seed: that of the hash inside the code (RFC 4226 §4).
const SEED_BYTES: usize = 20;
/// Length of the nonce before a sealed seed (RFC 8439).
const NONCE_BYTES: usize = 12;

fn cipher(app: &App) -> Result<ChaCha20Poly1305, Problem> {
    ChaCha20Poly1305::new_from_slice(app.config.seal_key.expose()).map_err(|_| Problem::internal())
}

/// Seals a seed for one customer: moved to another it does not open.
fn seal(app: &App, customer: CustomerId, seed: &Secret<Vec<u8>>) -> Result<Vec<u8>, Problem> {
    let nonce: [u8; NONCE_BYTES] = random::bytes()?;
    let aad = customer.value().to_be_bytes();
    let payload = Payload { msg: seed.expose(), aad: &aad };
    let sealed = cipher(app)?.encrypt(&Nonce::from(nonce), payload).map_err(|_| Problem::internal())?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn unseal(app: &App, customer: CustomerId, sealed: &[u8]) -> Result<Secret<Vec<u8>>, Problem> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or_else(Problem::internal)?;
    let aad = customer.value().to_be_bytes();
    let opened = cipher(app)?.decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: &aad });
    opened.map(Secret::new).map_err(|_| {
        tracing::error!("a seed of one-time codes does not open; was the key changed?");
        Problem::internal()
    })
}

/// The time step of a good code.
///
/// # Errors
/// `totp_wrong` or `totp_replayed`.
pub(crate) fn verify(
    app: &App,
    customer: CustomerId,
    sealed: &[u8],
    code: &str,
    last_step: Option<u64>,
    now: Timestamp,
) -> Result<u64, Problem> {
    let seed = unseal(app, customer, sealed)?;
    let code: String = code.chars().filter(|c| *c != ' ').collect();
    passkey::totp::verify(&seed, &code, now.ms(), last_step).map_err(|error| match error {
        TotpError::Malformed(_) | TotpError::Wrong => {
            Problem::unauthorised("totp_wrong", "The code is wrong or too old; look at the present one.")
        }
        TotpError::Replayed => bank::Refusal::from(identity::Refusal::TotpReplayed).into(),
        TotpError::SeedTooShort(_) | TotpError::Parameters => Problem::internal(),
    })
}

/// Begins: a seed to be put into an authenticator app. It is shown this once.
#[utoipa::path(post, path = "/api/v1/totp", responses(
    (status = 200, description = "The answer.", body = wire::TotpSecret),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn totp_begin(
    State(app): State<App>,
    caller: Caller,
    Key(key): Key,
) -> Result<Written<Json<wire::TotpSecret>>, Problem> {
    let (customer, account) = app
        .ask(&caller, |bank, who| {
            let customer = bank.identity().customer(who.customer).ok_or_else(Problem::session_expired)?;
            Ok((who.customer, customer.phone.masked()))
        })
        .await?;
    let seed = Secret::new(random::bytes::<SEED_BYTES>()?.to_vec());
    let sealed = seal(&app, customer, &seed)?;
    let taken = app.submit_as(&caller, key, Command::BeginTotp { sealed: sealed.into() }).await?;
    let secret = wire::TotpSecret {
        secret_base32: base32_encode(seed.expose()),
        otpauth_uri: otpauth_uri(Parameters::WALLET, &seed, &app.config.issuer, &account),
    };
    Ok(Written(taken.seq, Json(secret)))
}

/// Takes the seed into use: the first code is right.
#[utoipa::path(post, path = "/api/v1/totp/confirm", request_body = wire::TotpCode, responses(
    (status = 204, description = "Done."),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn totp_confirm(
    State(app): State<App>,
    caller: Caller,
    Key(key): Key,
    Body(body): Body<wire::TotpCode>,
) -> Result<Written<StatusCode>, Problem> {
    let (customer, known) = app
        .ask(&caller, |bank, who| {
            let customer = bank.identity().customer(who.customer).ok_or_else(Problem::session_expired)?;
            let known = customer.totp.clone();
            let unknown = || Problem::from(bank::Refusal::from(identity::Refusal::TotpUnknown));
            Ok((who.customer, known.ok_or_else(unknown)?))
        })
        .await?;
    app.attempt(Attempt::Totp(customer.value()))?;
    // The customer is signed in, so a wrong code here is no failed sign-in.
    let step = verify(&app, customer, &known.sealed, &body.code, None, app.now())
        .map_err(|problem| problem.status(StatusCode::UNPROCESSABLE_ENTITY))?;
    let taken = app.submit_as(&caller, key, Command::ConfirmTotp { step }).await?;
    Ok(Written(taken.seq, StatusCode::NO_CONTENT))
}

/// Gives one-time codes up.
#[utoipa::path(delete, path = "/api/v1/totp", responses(
    (status = 204, description = "Done."),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn totp_remove(
    State(app): State<App>,
    caller: Caller,
    Key(key): Key,
) -> Result<impl IntoResponse, Problem> {
    let taken = app.submit_as(&caller, key, Command::RemoveTotp).await?;
    Ok(Written(taken.seq, StatusCode::NO_CONTENT))
}
