//! All operations, their order of checks, and the OpenAPI description of them.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::{
    Problem, accounts, charts, enrol, events, guard, health, idempotency, markets, me, movements, payees,
    payments, preview, qr, receipts, security, sign_in, statement, static_files, totp,
};

#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "Jinku wallet API",
    version = "1.0.0",
    description = "Every request that may change something comes from the bank's own pages and carries the header \
        Idempotency-Key with 26 to 64 printable characters. Every answer carries X-Jinku-Seq, the journal entry it knows; \
        a read with X-Jinku-Min-Seq waits for that entry.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Description;

fn operations() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(enrol::enrolment_begin))
        .routes(routes!(enrol::enrolment_finish))
        .routes(routes!(sign_in::session_passkey_begin))
        .routes(routes!(sign_in::session_passkey_finish))
        .routes(routes!(sign_in::session_totp))
        .routes(routes!(sign_in::session_close))
        .routes(routes!(me::me))
        .routes(routes!(me::me_locale))
        .routes(routes!(accounts::accounts, markets::show::account_open))
        .routes(routes!(accounts::account_holds))
        .routes(routes!(accounts::account_receive))
        .routes(routes!(charts::account_history))
        .routes(routes!(charts::account_spending))
        .routes(routes!(qr::qr_parse))
        .routes(routes!(accounts::banks))
        .routes(routes!(accounts::limits))
        .routes(routes!(payees::payees, payees::payee_add))
        .routes(routes!(payees::payee_delete))
        .routes(routes!(preview::payment_preview))
        .routes(routes!(payments::payments, payments::payment_submit))
        .routes(routes!(payments::payment))
        .routes(routes!(payments::payment_cancel))
        .routes(routes!(movements::movements))
        .routes(routes!(movements::movement_one))
        .routes(routes!(statement::statement))
        .routes(routes!(receipts::receipt))
        .routes(routes!(receipts::log_checkpoint))
        .routes(routes!(receipts::log_key))
        .routes(routes!(security::devices))
        .routes(routes!(security::device_block))
        .routes(routes!(security::passkey_begin))
        .routes(routes!(security::passkey_finish))
        .routes(routes!(security::passkey_delete))
        .routes(routes!(totp::totp_begin, totp::totp_remove))
        .routes(routes!(totp::totp_confirm))
        .routes(routes!(security::lock))
        .routes(routes!(security::unlock_begin))
        .routes(routes!(security::unlock))
        .routes(routes!(markets::show::assets))
        .routes(routes!(markets::show::markets))
        .routes(routes!(markets::show::market_one))
        .routes(routes!(markets::show::market_depth))
        .routes(routes!(markets::show::market_trades))
        .routes(routes!(markets::show::market_candles))
        .routes(routes!(markets::live::market_stream))
        .routes(routes!(markets::preview::order_preview))
        .routes(routes!(markets::place::order_place, markets::change::orders_cancel))
        .routes(routes!(markets::change::order_cancel))
        .routes(routes!(markets::change::order_reduce))
        .routes(routes!(markets::change::order_move))
        .routes(routes!(markets::change::seat_stop))
        .routes(routes!(markets::change::seat_free))
        .routes(routes!(markets::change::plan_cancel))
        .routes(routes!(markets::change::orders))
        .routes(routes!(markets::change::fills))
        .routes(routes!(markets::change::plans))
        .routes(routes!(markets::convert::convert_pairs))
        .routes(routes!(markets::convert::convert_quote))
        .routes(routes!(markets::convert::convert_accept))
        .routes(routes!(markets::convert::convert_history))
        .routes(routes!(events::events))
        .routes(routes!(health::health))
}

/// The description of the interface.
#[must_use]
pub fn openapi() -> OpenApi {
    operations().into_openapi()
}

/// The description as the repository keeps it: pretty JSON, the same bytes every time.
#[must_use]
pub fn openapi_json() -> String {
    let mut text = openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

pub(crate) fn router(app: App) -> Router {
    let api: Router<App> = operations().into();
    api.method_not_allowed_fallback(async || {
        let status = axum::http::StatusCode::METHOD_NOT_ALLOWED;
        Problem::new(status, "not_found", "There is nothing to be done so at this address.")
    })
    .layer(from_fn_with_state(app.clone(), idempotency::repeats))
    .layer(from_fn_with_state(app.clone(), guard::origin))
    .layer(from_fn_with_state(app.clone(), guard::api_headers))
    .fallback_service(static_files::service(Arc::clone(&app.files)))
    .layer(from_fn_with_state(app.clone(), guard::all_headers))
    .with_state(app)
}
