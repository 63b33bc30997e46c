//! The customer who asks.

use axum::Json;
use axum::extract::State;
use bank::Bank;
use identity::{Command, CustomerStatus, Grade, Locale, SignedInBy};
use money::SessionId;

use crate::app::{App, Who};
use crate::extract::Body;
use crate::guard::Written;
use crate::idempotency::Key;
use crate::session::Caller;
use crate::wire::{self, ProblemBody, instant};
use crate::{Problem, accounts};

/// The customer, as they see themselves.
pub(crate) fn of(bank: &Bank, who: &Who) -> Result<wire::Me, Problem> {
    let customer = bank.identity().customer(who.customer).ok_or_else(Problem::session_expired)?;
    let session = bank.identity().session(who.session).ok_or_else(Problem::session_expired)?;
    Ok(wire::Me {
        customer_id: who.customer.to_string(),
        display_name: customer.name.as_str().to_owned(),
        phone_masked: customer.phone.masked(),
        grade: match customer.grade {
            Grade::Basic => wire::Grade::Basic,
            Grade::Verified => wire::Grade::Verified,
            Grade::Full => wire::Grade::Full,
        },
        locale: match customer.locale {
            Locale::Zh => wire::Locale::Zh,
            Locale::En => wire::Locale::En,
        },
        status: match customer.status {
            CustomerStatus::Active => wire::CustomerStatus::Active,
            CustomerStatus::Locked => wire::CustomerStatus::Locked,
        },
        session: wire::Session {
            via: match session.by {
                SignedInBy::Passkey => wire::Via::Passkey,
                SignedInBy::Totp => wire::Via::Totp,
            },
            device_id: session.device.to_string(),
            expires_at: instant(session.expires_at),
        },
        totp_enabled: customer.totp.as_ref().is_some_and(|totp| totp.confirmed),
        accounts: accounts::of_customer(bank, who.customer),
    })
}

/// The customer of a session that was just opened.
pub(crate) async fn of_session(app: &App, session: SessionId) -> Result<wire::Me, Problem> {
    app.ask(&Caller { session, min_seq: None }, of).await
}

/// A language, as the bank knows it.
pub(crate) const fn locale(locale: wire::Locale) -> Locale {
    match locale {
        wire::Locale::Zh => Locale::Zh,
        wire::Locale::En => Locale::En,
    }
}

/// The customer who asks.
#[utoipa::path(get, path = "/api/v1/me", responses(
    (status = 200, description = "The answer.", body = wire::Me),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn me(State(app): State<App>, caller: Caller) -> Result<Json<wire::Me>, Problem> {
    app.ask(&caller, of).await.map(Json)
}

/// Chooses a language.
#[utoipa::path(put, path = "/api/v1/me/locale", request_body = wire::LocaleChoice, responses(
    (status = 200, description = "The answer.", body = wire::Me),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn me_locale(
    State(app): State<App>,
    caller: Caller,
    Key(key): Key,
    Body(choice): Body<wire::LocaleChoice>,
) -> Result<Written<Json<wire::Me>>, Problem> {
    let taken = app.submit_as(&caller, key, Command::SetLocale(locale(choice.locale))).await?;
    Ok(Written(taken.seq, Json(app.ask(&caller, of).await?)))
}
