//! Payment codes: `JINKU1|bank|account|name` and, where the payee asks for a sum, `|amount` in yuan.

use axum::Json;
use axum::extract::State;
use money::{Amount, Asset};

use crate::app::App;
use crate::extract::Body;
use crate::session::Caller;
use crate::wire::{self, ProblemBody};
use crate::{Problem, parse};

/// The first part of every code.
const MARK: &str = "JINKU1";
/// Longest code that is read: its longest parts, and some.
const PAYLOAD_BYTES_MAX: usize = 512;

/// The text of an account's code.
pub(crate) fn payload(bank: &str, number: &str, name: &str) -> String {
    // The bar divides the parts, so a name cannot hold one.
    format!("{MARK}|{bank}|{number}|{}", name.replace('|', " "))
}

fn invalid() -> Problem {
    Problem::unprocessable("qr_invalid", "This is not a payment code; ask for it again or type the account.")
}

/// The parts of a code: payee, and the amount where there is one.
fn parts(payload: &str) -> Result<(wire::PayeeRef, Option<Amount>), Problem> {
    let payload = payload.trim();
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(invalid());
    }
    let mut parts = payload.split('|');
    let mut next = || parts.next().ok_or_else(invalid);
    let (mark, bank, number, name) = (next()?, next()?, next()?, next()?);
    let amount = parts.next();
    if mark != MARK || parts.next().is_some() {
        return Err(invalid());
    }
    let amount = match amount {
        Some(text) => {
            let amount = Amount::parse(Asset::CNY, text).map_err(|_| invalid())?;
            Some(amount).filter(|amount| !amount.is_zero())
        }
        None => None,
    };
    let payee = wire::PayeeRef {
        name: name.to_owned(),
        account_number: number.to_owned(),
        bank_code: bank.to_owned(),
    };
    Ok((payee, amount))
}

/// Reads the text of a payment code.
#[utoipa::path(post, path = "/api/v1/qr/parse", request_body = wire::QrPayload, responses(
    (status = 200, description = "The answer.", body = wire::ParsedQr),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn qr_parse(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<wire::QrPayload>,
) -> Result<Json<wire::ParsedQr>, Problem> {
    let (payee, amount) = parts(&body.payload)?;
    let shared = app.clone();
    let payee = app.ask(&caller, move |bank, _| {
        let known = parse::payee(&shared, bank, &payee).map_err(|_| invalid())?;
        Ok(shared.directory.of_payment(bank, &known))
    });
    Ok(Json(wire::ParsedQr { payee: payee.await?, amount: amount.map(Into::into) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_who_and_perhaps_how_much() {
        let check = |text: &str, expect: Option<(&str, Option<&str>)>| {
            let found = parts(text).ok().map(|(payee, amount)| (payee.name, amount.map(|a| a.decimal())));
            let expect = expect.map(|(name, amount)| (name.to_owned(), amount.map(str::to_owned)));
            assert_eq!(found, expect, "{text}");
        };
        check(&payload("900000000001", "6217880000000017", "A|B"), Some(("A B", None)));
        check("JINKU1|900000000001|6217880000000017|林晓雯|12.5", Some(("林晓雯", Some("12.50"))));
        check("JINKU1|900000000001|6217880000000017|林晓雯|0", Some(("林晓雯", None)));
        for bad in
            ["", "JINKU2|1|2|3", "JINKU1|1|2", "JINKU1|1|2|3|x", "JINKU1|1|2|3|1|5", "https://example.org"]
        {
            check(bad, None);
        }
        check(&format!("JINKU1|1|2|{}", "x".repeat(600)), None);
    }
}
