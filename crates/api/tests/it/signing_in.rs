//! Becoming a customer, signing in and out, one-time codes, devices, locking.

use axum::http::Method;
use passkey::secret::Secret;
use passkey::totp::{Parameters, base32_decode, code_at, counter_at};
use serde_json::{Value, json};

use crate::support::{Customer, World, elsewhere, request};

#[tokio::test]
async fn a_stranger_becomes_a_customer_with_an_account() {
    let world = World::new();
    let mut customer = world.customer("陈思远").await;
    let me = customer.get(&world, "/me").await.ok();
    assert_eq!(
        (&me["display_name"], &me["status"], &me["grade"]),
        (&json!("陈思远"), &json!("active"), &json!("basic"))
    );
    assert_eq!(me["session"]["via"], "passkey");
    assert!(me["phone_masked"].as_str().is_some_and(|text| text.contains("****")));
    assert_eq!(me["accounts"][0]["available"], json!({ "asset": "CNY", "value": "0.00" }));
    let me = customer
        .send(&world, request(Method::PUT, "/me/locale", Some(&json!({ "locale": "en" }))))
        .await
        .ok();
    assert_eq!(me["locale"], "en");
    let mut twin = Customer::stranger("陈思远");
    let answer = twin.post(&world, "/enrolments", &customer.wish()).await;
    assert_eq!(answer.refusal(), (409, "phone_taken"));
}

#[tokio::test]
async fn what_an_enrolment_says_is_checked() {
    let world = World::new();
    let mut stranger = Customer::stranger("x");
    for (wish, code) in [
        (json!({ "display_name": " ", "phone": "+8613900000000", "locale": "zh" }), "name_empty"),
        (json!({ "display_name": "a\u{202e}b", "phone": "+8613900000000", "locale": "zh" }), "name_invalid"),
        (
            json!({ "display_name": "x".repeat(65), "phone": "+8613900000000", "locale": "zh" }),
            "name_invalid",
        ),
        (json!({ "display_name": "x", "phone": "13900000000", "locale": "zh" }), "phone_invalid"),
        (json!({ "display_name": "x", "phone": "+8613900000000", "locale": "fr" }), "bad_request"),
        (json!({ "display_name": "x", "phone": "+8613900000000" }), "bad_request"),
    ] {
        assert_eq!(stranger.post(&world, "/enrolments", &wish).await.refusal().1, code, "{wish}");
    }
}

#[tokio::test]
async fn a_ceremony_ends_and_is_used_once() {
    let world = World::new();
    let mut customer = world.customer("陈思远").await;
    let finish =
        |begun: &Value| format!("/sessions/passkey/{}/finish", begun["ceremony_id"].as_str().unwrap());
    let begun = customer.call(&world, Method::POST, "/sessions/passkey").await.ok();
    let body =
        json!({ "credential": customer.phone.get(&begun["request_options"]).unwrap(), "device_name": "" });
    customer.post(&world, &finish(&begun), &body).await.ok();
    assert_eq!(customer.post(&world, &finish(&begun), &body).await.refusal(), (404, "ceremony_unknown"));
    let begun = customer.call(&world, Method::POST, "/sessions/passkey").await.ok();
    let body =
        json!({ "credential": customer.phone.get(&begun["request_options"]).unwrap(), "device_name": "" });
    world.pass(301);
    assert_eq!(customer.post(&world, &finish(&begun), &body).await.refusal(), (404, "ceremony_unknown"));
}

#[tokio::test]
async fn sessions_open_on_the_same_device_and_close() {
    let world = World::new();
    let mut customer = world.customer("陈思远").await;
    let device = customer.me["session"]["device_id"].clone();
    assert_eq!(customer.call(&world, Method::DELETE, "/session").await.status, 204);
    assert!(!customer.cookies.contains_key("jinku_session"));
    assert_eq!(customer.get(&world, "/me").await.refusal(), (401, "session_expired"));
    let me = customer.sign_in(&world).await.ok();
    assert_eq!(me["session"]["device_id"], device, "the device's cookie stayed");
    let old = customer.cookies["jinku_session"].clone();
    world.pass(9 * 3600);
    assert_eq!(customer.get(&world, "/me").await.refusal(), (401, "session_expired"));
    customer.sign_in(&world).await.ok();
    customer.cookies.insert("jinku_session".to_owned(), old);
    assert_eq!(customer.get(&world, "/accounts").await.refusal(), (401, "session_expired"));
}

#[tokio::test]
async fn a_passkey_of_nobody_or_over_another_challenge_signs_nobody_in() {
    let world = World::new();
    let mut customer = world.customer("陈思远").await;
    let mut stranger = Customer::stranger("x");
    let wish = stranger.wish();
    let begun = stranger.post(&world, "/enrolments", &wish).await.ok();
    stranger.phone.create(&begun["creation_options"]).unwrap();
    assert_eq!(stranger.sign_in(&world).await.refusal(), (401, "passkey_unknown"));
    let first = customer.call(&world, Method::POST, "/sessions/passkey").await.ok();
    let second = customer.call(&world, Method::POST, "/sessions/passkey").await.ok();
    let body =
        json!({ "credential": customer.phone.get(&first["request_options"]).unwrap(), "device_name": "" });
    let path = format!("/sessions/passkey/{}/finish", second["ceremony_id"].as_str().unwrap());
    assert_eq!(customer.post(&world, &path, &body).await.refusal(), (401, "passkey_refused"));
}

/// The code that an authenticator app shows now.
fn code(world: &World, secret: &str, steps_later: u64) -> String {
    use node::Clock as _;
    let seed: Secret<Vec<u8>> = base32_decode(secret).unwrap();
    let step = counter_at(Parameters::WALLET, world.clock.now().ms()).unwrap();
    code_at(Parameters::WALLET, &seed, step + steps_later).unwrap()
}

#[tokio::test]
async fn one_time_codes_sign_in_on_a_bound_device_for_small_amounts() {
    let world = World::new();
    let mut customer = world.customer("陈思远").await;
    world.credit(&customer.account().clone(), "陈思远", "1000.00");
    assert_eq!(
        customer.post(&world, "/totp/confirm", &json!({ "code": "000000" })).await.refusal(),
        (409, "totp_not_enabled")
    );
    let secret = customer.call(&world, Method::POST, "/totp").await.ok();
    assert!(secret["otpauth_uri"].as_str().is_some_and(|uri| uri.starts_with("otpauth://totp/Jinku:")));
    let secret = secret["secret_base32"].as_str().unwrap().to_owned();
    assert_eq!(
        customer.post(&world, "/totp/confirm", &json!({ "code": "12 34" })).await.refusal(),
        (422, "totp_wrong")
    );
    let right = json!({ "code": code(&world, &secret, 0) });
    assert_eq!(customer.post(&world, "/totp/confirm", &right).await.status, 204);
    assert_eq!(customer.get(&world, "/me").await.ok()["totp_enabled"], true);
    assert_eq!(customer.call(&world, Method::POST, "/totp").await.refusal(), (409, "totp_enabled"));
    customer.call(&world, Method::DELETE, "/session").await;
    assert_eq!(customer.post(&world, "/sessions/totp", &right).await.refusal(), (401, "totp_replayed"));
    world.pass(30);
    let next = json!({ "code": code(&world, &secret, 0) });
    let me = customer.post(&world, "/sessions/totp", &next).await.ok();
    assert_eq!(me["session"]["via"], "totp");
    let me = customer.get(&world, "/me").await.ok();
    assert_eq!(me["accounts"][0]["available"]["value"], "1000.00");
    assert_eq!(customer.pay(&world, &elsewhere(), "20.00").await.ok()["state"], "sending");
    assert_eq!(
        customer.call(&world, Method::POST, "/passkeys").await.refusal(),
        (403, "passkey_session_needed")
    );
    assert_eq!(
        customer.call(&world, Method::DELETE, "/totp").await.refusal(),
        (403, "passkey_session_needed")
    );
    let mut thief = Customer::stranger("x");
    world.pass(30);
    let stolen = json!({ "code": code(&world, &secret, 0) });
    assert_eq!(thief.post(&world, "/sessions/totp", &stolen).await.refusal(), (401, "device_unknown"));
    customer.sign_in(&world).await.ok();
    assert_eq!(customer.call(&world, Method::DELETE, "/totp").await.status, 204);
    assert_eq!(customer.get(&world, "/me").await.ok()["totp_enabled"], false);
}

#[tokio::test]
async fn guessing_codes_is_slowed_down() {
    let world = World::new();
    let mut customer = world.customer("陈思远").await;
    customer.call(&world, Method::POST, "/totp").await.ok();
    let mut refused = Vec::new();
    for _ in 0..6 {
        let answer = customer.post(&world, "/totp/confirm", &json!({ "code": "000000" })).await;
        refused.push(answer.refusal().1.to_owned());
        if answer.status == 429 {
            assert!(answer.headers.contains_key("retry-after"));
        }
    }
    assert_eq!(refused.last().map(String::as_str), Some("rate_limited"), "{refused:?}");
}

#[tokio::test]
async fn a_second_passkey_is_added_and_the_last_one_stays() {
    let world = World::new();
    let mut customer = world.customer("陈思远").await;
    let begun = customer.call(&world, Method::POST, "/passkeys").await.ok();
    assert!(
        customer.phone.create(&begun["creation_options"]).is_err(),
        "the phone's own passkey is excluded"
    );
    let mut spare = Customer::stranger("陈思远");
    let credential = spare.phone.create(&begun["creation_options"]).unwrap();
    let path = format!("/passkeys/{}/finish", begun["ceremony_id"].as_str().unwrap());
    let device =
        customer.post(&world, &path, &json!({ "credential": credential, "name": "备用" })).await.ok();
    let passkeys = device["passkeys"].as_array().unwrap();
    assert_eq!((passkeys.len(), &passkeys[1]["name"]), (2, &json!("备用")));
    spare.sign_in(&world).await.ok();
    let path = |at: usize| format!("/passkeys/{}", passkeys[at]["id"].as_str().unwrap());
    assert_eq!(customer.call(&world, Method::DELETE, &path(0)).await.status, 204);
    assert_eq!(customer.call(&world, Method::DELETE, &path(0)).await.refusal(), (404, "passkey_unknown"));
    assert_eq!(customer.call(&world, Method::DELETE, &path(1)).await.refusal(), (409, "last_passkey"));
}

#[tokio::test]
async fn a_blocked_device_is_out_at_once() {
    let world = World::new();
    let mut customer = world.customer("陈思远").await;
    // The same passkey, synchronised to a tablet that has cookies of its own.
    let phone = std::mem::take(&mut customer.cookies);
    customer.sign_in(&world).await.ok();
    let tablet = std::mem::replace(&mut customer.cookies, phone);
    let devices = customer.get(&world, "/devices").await.ok();
    let items = devices["items"].as_array().unwrap();
    let current: Vec<&Value> = items.iter().map(|device| &device["current"]).collect();
    assert_eq!(current, [&json!(true), &json!(false)]);
    let own = items[0]["id"].as_str().unwrap();
    let other = items[1]["id"].as_str().unwrap();
    let block = |id: &str| format!("/devices/{id}/block");
    assert_eq!(customer.call(&world, Method::POST, &block(own)).await.refusal(), (409, "device_current"));
    assert_eq!(customer.call(&world, Method::POST, &block("dev_x")).await.refusal(), (404, "device_unknown"));
    assert_eq!(customer.call(&world, Method::POST, &block(other)).await.status, 204);
    customer.cookies = tablet;
    assert_eq!(customer.get(&world, "/me").await.refusal(), (401, "session_expired"));
    assert_eq!(customer.sign_in(&world).await.refusal(), (403, "device_blocked"));
}

#[tokio::test]
async fn locking_closes_everything_until_a_passkey_unlocks() {
    let world = World::new();
    let mut customer = world.customer("陈思远").await;
    world.credit(&customer.account().clone(), "陈思远", "1000.00");
    let preview = customer.preview(&world, &elsewhere(), "20.00").await.ok();
    assert_eq!(customer.call(&world, Method::POST, "/lock").await.status, 204);
    assert_eq!(customer.get(&world, "/me").await.refusal(), (401, "session_expired"));
    let me = customer.sign_in(&world).await.ok();
    assert_eq!(me["status"], "locked");
    let body = customer.signed(&preview);
    assert_eq!(customer.post(&world, "/payments", &body).await.refusal(), (403, "customer_locked"));
    assert_eq!(customer.preview(&world, &elsewhere(), "20.00").await.refusal(), (403, "customer_locked"));
    let begun = customer.call(&world, Method::POST, "/unlock/begin").await.ok();
    let mut forged = customer.phone.get(&begun["request_options"]).unwrap();
    forged["response"]["signature"] = json!("MEUCIQDx");
    let answer = customer.post(&world, "/unlock", &json!({ "assertion": forged })).await;
    assert_eq!(answer.refusal(), (422, "passkey_refused"));
    let begun = customer.call(&world, Method::POST, "/unlock/begin").await.ok();
    let assertion = customer.phone.get(&begun["request_options"]).unwrap();
    let me = customer.post(&world, "/unlock", &json!({ "assertion": assertion })).await.ok();
    assert_eq!(me["status"], "active");
    assert_eq!(customer.pay(&world, &elsewhere(), "20.00").await.ok()["state"], "sending");
}
