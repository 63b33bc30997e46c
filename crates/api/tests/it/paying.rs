//! Payments: looked at, signed, made once, undone, answered by the rail.

use axum::http::Method;
use money::Text;
use payments::{Answer, PaymentState, Rail, RailNotice, Settlement};
use serde_json::{Value, json};

use crate::support::{Customer, OURS, World, elsewhere, key, request};

async fn rich(world: &World) -> Customer {
    let customer = world.customer("陈思远").await;
    world.credit(&customer.account().clone(), "陈思远", "1800.00");
    customer
}

fn steps(payment: &Value) -> Vec<String> {
    let mark = |step: &Value| match (step["done"].as_bool(), step["failed"].as_bool()) {
        (_, Some(true)) => "x",
        (Some(true), _) => "+",
        _ => "-",
    };
    payment["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| format!("{}{}", mark(s), s["step"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_small_amount_inside_the_bank_needs_no_passkey() {
    let world = World::new();
    let (mut payer, mut friend) = (rich(&world).await, world.customer("林晓雯").await);
    let preview = payer.preview(&world, &friend.as_payee(), "88.80").await.ok();
    assert_eq!((&preview["needs_passkey"], &preview["request_options"]), (&json!(false), &Value::Null));
    assert_eq!(
        (&preview["payee_check"], &preview["verified_name_masked"]),
        (&json!("verified"), &json!("*晓雯"))
    );
    assert_eq!(
        (&preview["route"]["rail"], &preview["arrives"]["kind"]),
        (&json!("internal"), &json!("at_once"))
    );
    let body = payer.signed(&preview);
    let payment = payer.post(&world, "/payments", &body).await.ok();
    assert_eq!((&payment["kind"], &payment["state"]), (&json!("transfer"), &json!("settled")));
    assert_eq!(steps(&payment), ["+requested", "+checked", "+settled"]);
    assert_eq!(payer.available(&world).await, "1711.20");
    assert_eq!(friend.available(&world).await, "88.80");
    let path = format!("/payments/{}", payment["id"].as_str().unwrap());
    let seen = payer.get(&world, &path).await.ok();
    assert_eq!(seen["movement_ids"].as_array().unwrap().len(), 1);
    assert_eq!(friend.get(&world, &path).await.refusal(), (404, "payment_unknown"));
    let got = friend.get(&world, "/movements").await.ok();
    let first = &got["items"][0];
    assert_eq!((&first["kind"], &first["counterparty"]["name"]), (&json!("transfer_in"), &json!("陈思远")));
    assert_eq!((&first["payment_id"], &first["counterparty"]["own_bank"]), (&Value::Null, &json!(true)));
}

#[tokio::test]
async fn more_than_that_is_signed_and_nothing_signed_is_changed() {
    let world = World::new();
    let mut payer = rich(&world).await;
    let preview = payer.preview(&world, &elsewhere(), "300.00").await.ok();
    assert_eq!((&preview["needs_passkey"], &preview["payee_check"]), (&json!(true), &json!("not_verified")));
    assert_eq!((&preview["undo_seconds"], &preview["undo_reason"]), (&json!(0), &json!("below_undo_amount")));
    assert_eq!(preview["request_options"]["challenge"], preview["challenge"]);
    let unsigned = json!({ "intent": preview["intent"], "assertion": null });
    assert_eq!(
        payer.post(&world, "/payments", &unsigned).await.refusal(),
        (403, "small_amount_limit_needs_passkey")
    );
    let body = payer.signed(&preview);
    for (field, value) in [
        ("amount", json!({ "asset": "CNY", "value": "301.00" })),
        ("note", json!("晚餐")),
        (
            "payee",
            json!({ "name": "周国梁", "account_number": "8801200000000778", "bank_code": "900000000101" }),
        ),
        ("nonce", json!("AAAAAAAAAAAAAAAAAAAAAA")),
    ] {
        let mut altered = body.clone();
        altered["intent"][field] = value;
        assert_eq!(
            payer.post(&world, "/payments", &altered).await.refusal(),
            (422, "assertion_invalid"),
            "{field}"
        );
    }
    let payment = payer.post(&world, "/payments", &body).await.ok();
    assert_eq!((&payment["state"], steps(&payment)[2].as_str()), (&json!("sending"), "-sent"));
    // The same signature under another payment's intent, and the same payment once more.
    let next = payer.preview(&world, &elsewhere(), "300.00").await.ok();
    let replayed = json!({ "intent": next["intent"], "assertion": body["assertion"] });
    assert_eq!(payer.post(&world, "/payments", &replayed).await.refusal(), (422, "assertion_invalid"));
    let again = payer.post(&world, "/payments", &body).await.ok();
    assert_eq!(again["id"], payment["id"]);
    assert_eq!(payer.available(&world).await, "1500.00");
}

#[tokio::test]
async fn a_signature_older_than_the_last_one_is_refused() {
    let world = World::new();
    let mut payer = rich(&world).await;
    let (first, second) = (
        payer.preview(&world, &elsewhere(), "300.00").await.ok(),
        payer.preview(&world, &elsewhere(), "300.00").await.ok(),
    );
    let (first, second) = (payer.signed(&first), payer.signed(&second));
    payer.post(&world, "/payments", &second).await.ok();
    assert_eq!(payer.post(&world, "/payments", &first).await.refusal(), (409, "assertion_replayed"));
    assert_eq!(payer.available(&world).await, "1500.00");
}

#[tokio::test]
async fn a_repeat_is_the_same_payment_and_another_body_is_refused() {
    let world = World::new();
    let mut payer = rich(&world).await;
    let preview = payer.preview(&world, &elsewhere(), "10.00").await.ok();
    let body = payer.signed(&preview);
    let key = key();
    let with_key = |body: &Value| {
        let mut request = request(Method::POST, "/payments", Some(body));
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        request
    };
    let first = payer.send(&world, with_key(&body)).await;
    let second = payer.send(&world, with_key(&body)).await;
    assert_eq!(first.headers["x-jinku-seq"], second.headers["x-jinku-seq"]);
    assert_eq!(first.ok(), second.ok());
    let other = payer.preview(&world, &elsewhere(), "11.00").await.ok();
    let other = payer.signed(&other);
    assert_eq!(payer.send(&world, with_key(&other)).await.refusal(), (422, "idempotency_mismatch"));
    // Under a new key the same payment with another amount is no repeat.
    let mut altered = body.clone();
    altered["intent"]["amount"]["value"] = json!("12.00");
    assert_eq!(payer.post(&world, "/payments", &altered).await.refusal(), (422, "idempotency_mismatch"));
    assert_eq!(payer.available(&world).await, "1790.00");
}

#[tokio::test]
async fn two_taps_at_once_pay_once() {
    let world = World::new();
    let mut payer = rich(&world).await;
    let preview = payer.preview(&world, &elsewhere(), "10.00").await.ok();
    let body = payer.signed(&preview);
    let request = || {
        let mut request = request(Method::POST, "/payments", Some(&body));
        request.headers_mut().insert("idempotency-key", "two-taps-at-once-000000000000".parse().unwrap());
        let cookie = format!("jinku_session={}", payer.cookies["jinku_session"]);
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        request
    };
    let (left, right) = tokio::join!(world.send(request()), world.send(request()));
    assert_eq!((left.0, right.0), (200.try_into().unwrap(), 200.try_into().unwrap()));
    assert_eq!(left.2, right.2);
    assert_eq!(payer.available(&world).await, "1790.00");
}

#[tokio::test]
async fn what_the_bank_would_refuse_is_said_before() {
    let world = World::new();
    let mut payer = rich(&world).await;
    let own = payer.as_payee();
    let nobody = json!({ "name": "x", "account_number": "6217889999999999", "bank_code": OURS });
    let nowhere = json!({ "name": "x", "account_number": "6217889999999999", "bank_code": "123456789012" });
    for (to, amount, expect) in [
        (elsewhere(), "0", (422, "amount_zero")),
        (elsewhere(), "1.005", (422, "amount_decimals")),
        (elsewhere(), "-1", (422, "amount_malformed")),
        (elsewhere(), "1e3", (422, "amount_malformed")),
        (elsewhere(), "", (422, "amount_malformed")),
        (elsewhere(), "1900.00", (422, "insufficient_funds")),
        (elsewhere(), "2000.01", (422, "over_limit")),
        (elsewhere(), "5000000.00", (422, "no_route")),
        (own, "1.00", (422, "own_account")),
        (nobody, "1.00", (422, "payee_unknown")),
        (nowhere, "1.00", (422, "bank_unknown")),
        (
            json!({ "name": " ", "account_number": "123456", "bank_code": OURS }),
            "1.00",
            (422, "payee_name_empty"),
        ),
        (
            json!({ "name": "x", "account_number": "12-34", "bank_code": OURS }),
            "1.00",
            (422, "account_invalid"),
        ),
    ] {
        let answer = payer.preview(&world, &to, amount).await;
        // Without a high-value rail what is too much for the instant one has no way.
        assert_eq!(answer.refusal(), expect, "{to} {amount}");
    }
    let answer = payer.preview(&world, &elsewhere(), "1900.00").await;
    assert_eq!(answer.body["params"], json!({ "available": "CNY 1800.00", "needed": "CNY 1900.00" }));
    let answer = payer.preview(&world, &elsewhere(), "2000.01").await;
    assert_eq!(
        (&answer.body["params"]["period"], &answer.body["params"]["limit"]),
        (&json!("single"), &json!("CNY 2000.00"))
    );
    let mut body = payer.asks(&elsewhere(), "1.00");
    body["note"] = json!("x".repeat(141));
    assert_eq!(payer.post(&world, "/payments/preview", &body).await.refusal(), (422, "note_too_long"));
    body["note"] = json!("a\nb");
    assert_eq!(payer.post(&world, "/payments/preview", &body).await.refusal(), (422, "note_invalid"));
    body["amount"]["asset"] = json!("USD");
    body["note"] = json!("");
    assert_eq!(payer.post(&world, "/payments/preview", &body).await.refusal(), (422, "asset_mismatch"));
    body["from_account"] = json!("acc_00000000000000000000000000");
    assert_eq!(payer.post(&world, "/payments/preview", &body).await.refusal(), (404, "account_unknown"));
}

#[tokio::test]
async fn a_wrong_name_is_shown_and_then_refused() {
    let world = World::new();
    let (mut payer, friend) = (rich(&world).await, world.customer("Lin Xiaowen").await);
    let mut to = friend.as_payee();
    to["name"] = json!("Lin Xiaoming");
    let preview = payer.preview(&world, &to, "10.00").await.ok();
    assert_eq!(
        (&preview["payee_check"], &preview["verified_name_masked"]),
        (&json!("mismatch"), &json!("L** X******"))
    );
    let body = payer.signed(&preview);
    assert_eq!(payer.post(&world, "/payments", &body).await.refusal(), (422, "payee_name_mismatch"));
}

#[tokio::test]
async fn an_intent_expires() {
    let world = World::new();
    let mut payer = rich(&world).await;
    let preview = payer.preview(&world, &elsewhere(), "10.00").await.ok();
    world.pass(301);
    let body = payer.signed(&preview);
    assert_eq!(payer.post(&world, "/payments", &body).await.refusal(), (409, "intent_expired"));
}

#[tokio::test]
async fn a_withdrawal_waits_and_is_undone() {
    let world = World::new();
    let mut payer = rich(&world).await;
    let preview = payer.preview(&world, &elsewhere(), "500.00").await.ok();
    assert_eq!(
        (&preview["undo_seconds"], &preview["undo_reason"]),
        (&json!(60), &json!("above_undo_amount"))
    );
    let payment = payer.pay(&world, &elsewhere(), "500.00").await.ok();
    assert_eq!((&payment["state"], &payment["can_cancel"]), (&json!("waiting"), &json!(true)));
    assert_eq!(steps(&payment), ["+requested", "+checked", "-waiting", "-sent", "-confirmed", "-settled"]);
    assert_eq!(payer.available(&world).await, "1300.00");
    let holds = payer.get(&world, &format!("/accounts/{}/holds", payer.account_id())).await.ok();
    let hold = &holds["items"][0];
    assert_eq!((&hold["reason"], &hold["amount"]["value"]), (&json!("withdrawal_undo"), &json!("500.00")));
    assert_eq!(hold["payment_id"], payment["id"]);
    let open = payer.get(&world, "/payments?state=open").await.ok();
    assert_eq!(open["items"][0]["id"], payment["id"]);
    let cancel = format!("/payments/{}/cancel", payment["id"].as_str().unwrap());
    let undone = payer.call(&world, Method::POST, &cancel).await.ok();
    assert_eq!(
        (&undone["state"], &undone["reason"]["code"]),
        (&json!("cancelled"), &json!("cancelled_by_customer"))
    );
    let seen = payer.get(&world, &format!("/payments/{}", payment["id"].as_str().unwrap())).await.ok();
    assert_eq!(steps(&seen), ["+requested", "+checked", "+cancelled"]);
    assert!(seen["steps"][2]["at"].is_string());
    assert_eq!(payer.call(&world, Method::POST, &cancel).await.refusal(), (409, "undo_window_over"));
    assert_eq!(payer.available(&world).await, "1800.00");
    assert_eq!(payer.get(&world, "/payments?state=open").await.ok()["items"], json!([]));
}

/// Our message of a payment that is on its way.
fn message(world: &World, payment: &Value) -> payments::MessageId {
    let id = payment["id"].as_str().unwrap().parse().unwrap();
    let found = world.handle.read(|bank| match &bank.payments().payment(id).unwrap().state {
        PaymentState::Sending { message, .. } | PaymentState::Confirmed { message, .. } => {
            Some(message.clone())
        }
        _ => None,
    });
    found.unwrap().expect("the payment is on its way")
}

#[tokio::test]
async fn the_rail_confirms_settles_or_rejects() {
    let world = World::new();
    let mut payer = rich(&world).await;
    let sent = payer.pay(&world, &elsewhere(), "100.00").await.ok();
    let settlement = Settlement::Netted { date: "2026-11-24".parse().unwrap(), round: 1 };
    let original = message(&world, &sent);
    world.notice(Rail::Instant, RailNotice::Answer { original, answer: Answer::Confirmed(settlement) });
    let path = format!("/payments/{}", sent["id"].as_str().unwrap());
    let seen = payer.get(&world, &path).await.ok();
    assert_eq!(seen["state"], "confirmed");
    let page = payer.get(&world, "/movements?direction=out").await.ok();
    assert_eq!(page["items"][0]["state"], "in_transit");
    let key =
        settlement::RoundKey { rail: Text::clip("instant"), date: "2026-11-24".parse().unwrap(), round: 1 };
    let net = settlement::NetPosition::ToPay(money::Amount::new(money::Asset::CNY, 10_000));
    let notice = settlement::Notice::Settled { key, net };
    let rail = identity::Actor::Rail(Text::clip("instant"));
    world.submit(rail, bank::Command::Settlement(settlement::Command::Notice(notice)));
    let seen = payer.get(&world, &path).await.ok();
    assert_eq!(seen["state"], "settled");
    assert_eq!(steps(&seen), ["+requested", "+checked", "+sent", "+confirmed", "+settled"]);

    let refused = payer.pay(&world, &elsewhere(), "100.00").await.ok();
    let original = message(&world, &refused);
    let answer = Answer::Rejected { code: Text::clip("RJ01") };
    world.notice(Rail::Instant, RailNotice::Answer { original, answer });
    let path = format!("/payments/{}", refused["id"].as_str().unwrap());
    let seen = payer.get(&world, &path).await.ok();
    assert_eq!((&seen["state"], &seen["reason"]["code"]), (&json!("rejected"), &json!("RJ01")));
    assert_eq!(steps(&seen), ["+requested", "+checked", "xrejected"]);
    assert_eq!(payer.available(&world).await, "1700.00");
}

#[tokio::test]
async fn a_closed_rail_takes_nothing() {
    let world = World::new();
    let mut payer = rich(&world).await;
    let preview = payer.preview(&world, &elsewhere(), "10.00").await.ok();
    let business_date = "2026-11-24".parse().unwrap();
    let status = payments::RailStatus { state: payments::RailState::Closed, business_date };
    world.notice(Rail::Instant, RailNotice::Status(status));
    assert_eq!(payer.preview(&world, &elsewhere(), "10.00").await.refusal(), (409, "rail_closed"));
    let body = payer.signed(&preview);
    assert_eq!(payer.post(&world, "/payments", &body).await.refusal(), (409, "rail_closed"));
    let health = payer.get(&world, "/health").await.ok();
    assert_eq!(health["rails"][1]["state"], "closed");
}
