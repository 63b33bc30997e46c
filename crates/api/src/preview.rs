//! A payment looked at before it is made: the intent to be signed, what it costs, who gets it, what can be undone.
//!
//! What the bank would refuse is refused here already, with the same codes, by the same code (`Bank::preview_payment`).

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use bank::Bank;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::Actor;
use money::{Amount, Limits, PaymentId, Timestamp};
use payments::{Counterparty, Intent, PartyName, Payments, Rail, Route};
use sha2::{Digest, Sha256};

use crate::accounts::own_account;
use crate::app::{App, Who};
use crate::extract::Body;
use crate::limits::Attempt;
use crate::refusals::{amount_invalid, asset_mismatch};
use crate::registration::usable;
use crate::session::Caller;
use crate::wire::{self, ProblemBody, instant, labelled};
use crate::{Problem, parse, payees, random};

/// The parts of an intent that are drawn, not asked for.
#[derive(Clone, Copy)]
struct Drawn {
    payment: PaymentId,
    nonce: [u8; 16],
    expires_at: Timestamp,
}

fn draw(app: &App) -> Result<Drawn, Problem> {
    let now = app.now();
    let life = u64::try_from(app.config.intent_life.as_millis()).unwrap_or(u64::MAX);
    Ok(Drawn {
        payment: PaymentId::new(random::id(now)?),
        nonce: random::bytes()?,
        expires_at: now.plus_ms(life),
    })
}

/// What would happen if this were paid now.
#[utoipa::path(post, path = "/api/v1/payments/preview", request_body = wire::PreviewRequest, responses(
    (status = 200, description = "The answer.", body = wire::Preview),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn payment_preview(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<wire::PreviewRequest>,
) -> Result<Json<wire::Preview>, Problem> {
    app.attempt(Attempt::Preview(caller.session.value()))?;
    let drawn = draw(&app)?;
    let shared = app.clone();
    let preview = app.ask(&caller, move |bank, who| preview(&shared, bank, who, &body, drawn));
    preview.await.map(Json)
}

fn preview(
    app: &App,
    bank: &Bank,
    who: &Who,
    asked: &wire::PreviewRequest,
    drawn: Drawn,
) -> Result<wire::Preview, Problem> {
    let from = own_account(bank, who, &asked.from_account)?;
    let payee = parse::payee(app, bank, &asked.payee)?;
    let amount = parse::amount(&asked.amount)?;
    let held = bank.payments().owner(from).map_or(amount.asset(), |owner| owner.asset);
    if held != amount.asset() {
        return Err(asset_mismatch(held, amount.asset()));
    }
    let today = bank.payments().local_date(who.now);
    let route = bank.payments().route(&payee.bank, amount, today);
    let route =
        route.ok_or_else(|| Problem::from(bank::Refusal::from(payments::Refusal::NoRoute { amount })))?;
    let intent = Intent {
        payment: drawn.payment,
        from,
        payee,
        amount,
        fee_cap: route.fee,
        rail: route.rail,
        expires_at: drawn.expires_at,
        nonce: drawn.nonce.to_vec().into(),
        note: parse::note(&asked.note)?,
    };
    let holder = payees::holder(bank, &intent.payee);
    let check = match holder {
        Some(holder) if Payments::same_name(intent.payee.name.as_str(), holder) => wire::PayeeCheck::Verified,
        Some(_) => wire::PayeeCheck::Mismatch,
        None => wire::PayeeCheck::NotVerified,
    };
    // A name that does not fit is shown, not refused, so everything else is asked with the right one.
    let trial = match holder {
        Some(holder) => with_name(&intent, holder),
        None => intent.clone(),
    };
    bank.preview_payment(&Actor::Session(who.session), &trial, who.now)?;
    let limits = bank.identity().limits(who.customer, amount.asset(), today);
    let limits = limits.ok_or_else(|| Problem::from(bank::Refusal::from(payments::Refusal::NoLimits)))?;
    let total = amount.plus(route.fee).map_err(|_| amount_invalid("The amount is too large."))?;
    let challenge: [u8; 32] = Sha256::digest(intent.canonical().as_bytes()).into();
    let needs_passkey = amount.minor() > limits.small_amount.minor();
    let (undo_seconds, undo_reason) = undo(route.rail, amount, limits);
    Ok(wire::Preview {
        challenge: URL_SAFE_NO_PAD.encode(challenge),
        fee: route.fee.into(),
        total: total.into(),
        arrives: arrival(&route),
        payee_check: check,
        verified_name_masked: holder.map(masked),
        needs_passkey,
        small_amount_limit: limits.small_amount.into(),
        undo_seconds,
        undo_reason: Some(undo_reason.to_owned()),
        // Once sent, only the bank itself can ask the rail, and it does so when no answer comes.
        cancellable_after_send: false,
        request_options: needs_passkey
            .then(|| app.registrar.request(&challenge, &usable(bank, who.customer))),
        route: wire_route(&route),
        intent: wire_intent(&intent),
    })
}

fn with_name(intent: &Intent, name: &str) -> Intent {
    let payee = Counterparty { name: PartyName::clip(name), ..intent.payee.clone() };
    Intent { payee, ..intent.clone() }
}

fn undo(rail: Rail, amount: Amount, limits: &Limits) -> (u64, &'static str) {
    match rail {
        Rail::Internal => (0, "same_bank"),
        Rail::Instant | Rail::HighValue if amount.minor() >= limits.undo_from.minor() => {
            (limits.undo_ms.div_ceil(1000), "above_undo_amount")
        }
        Rail::Instant | Rail::HighValue => (0, "below_undo_amount"),
    }
}

fn arrival(route: &Route) -> wire::Arrival {
    match route.usual_ms {
        None => wire::Arrival { kind: wire::ArrivalKind::AtOnce, at: None, seconds: None },
        Some(ms) => {
            let seconds = Some(ms.div_ceil(1000).max(1));
            wire::Arrival { kind: wire::ArrivalKind::Seconds, at: None, seconds }
        }
    }
}

fn wire_route(route: &Route) -> wire::Route {
    let reason_code = match (route.rail, route.reason) {
        (Rail::Internal, _) => wire::RouteReason::SameBank,
        (Rail::Instant, _) => wire::RouteReason::BelowInstantCeiling,
        (Rail::HighValue, _) => wire::RouteReason::AboveInstantCeiling,
    };
    let ceiling = route.ceiling.map(|ceiling| ("ceiling".to_owned(), labelled(ceiling)));
    let reason_params: BTreeMap<String, String> = ceiling.into_iter().collect();
    wire::Route { rail: parse::wire_rail(route.rail), reason_code, reason_params }
}

/// An intent as it travels; read back it has the same canonical text.
fn wire_intent(intent: &Intent) -> wire::Intent {
    wire::Intent {
        payment_id: intent.payment.to_string(),
        from_account: intent.from.to_string(),
        payee: wire::PayeeRef {
            name: intent.payee.name.as_str().to_owned(),
            account_number: intent.payee.account.as_str().to_owned(),
            bank_code: intent.payee.bank.as_str().to_owned(),
        },
        amount: intent.amount.into(),
        fee_cap: intent.fee_cap.into(),
        rail: parse::wire_rail(intent.rail),
        expires_at: instant(intent.expires_at),
        nonce: URL_SAFE_NO_PAD.encode(intent.nonce.as_slice()),
        note: intent.note.as_str().to_owned(),
    }
}

/// A name with parts hidden, enough for somebody who knows it: `*晓雯`, `L** X******`.
fn masked(name: &str) -> String {
    if name.is_ascii() {
        let words = name.split_whitespace().map(|word| {
            let mut letters = word.chars();
            let first: String = letters.next().into_iter().collect();
            first + &"*".repeat(letters.count())
        });
        return words.collect::<Vec<_>>().join(" ");
    }
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |_| format!("*{}", letters.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_name_is_known_only_to_who_knows_it() {
        for (name, expect) in [("林晓雯", "*晓雯"), ("Lin Xiaowen", "L** X******"), ("", "")] {
            assert_eq!(masked(name), expect);
        }
    }
}
