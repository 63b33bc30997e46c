//! What is refused before anything is done: foreign origins, missing keys, bodies too long or of another shape; and the wallet's own files.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;

use api::{Rate, Rates};

use crate::support::{Customer, ORIGIN, World, elsewhere, key, request};

#[tokio::test]
async fn only_our_own_pages_change_anything() {
    let world = World::new();
    let mut customer = world.customer("陈思远").await;
    let body = json!({ "locale": "en" });
    let with = |name: &'static str, value: Option<&str>| {
        let mut request = request(Method::PUT, "/me/locale", Some(&body));
        request.headers_mut().remove("origin");
        if let Some(value) = value {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        request
    };
    for (name, value) in [
        ("origin", Some("https://evil.example")),
        ("origin", Some("null")),
        ("origin", Some("http://localhost:7461")),
        ("origin", None),
        ("sec-fetch-site", Some("same-site")),
        ("sec-fetch-site", Some("cross-site")),
    ] {
        let answer = customer.send(&world, with(name, value)).await;
        assert_eq!(answer.refusal(), (403, "not_allowed"), "{name} {value:?}");
    }
    customer.send(&world, with("sec-fetch-site", Some("same-origin"))).await.ok();
    customer.send(&world, with("origin", Some(ORIGIN))).await.ok();
}

#[tokio::test]
async fn bodies_are_bounded_and_read_strictly() {
    let world = World::new();
    let mut customer = world.customer("陈思远").await;
    let send = |body: Vec<u8>, kind: &'static str| {
        let mut request = request(Method::POST, "/payees", None);
        request.headers_mut().insert("content-type", kind.parse().unwrap());
        *request.body_mut() = Body::from(body);
        request
    };
    let answer = customer.send(&world, send(vec![b' '; 64 * 1024 + 1], "application/json")).await;
    assert_eq!(answer.refusal(), (413, "body_too_large"));
    let answer = customer.send(&world, send(elsewhere().to_string().into_bytes(), "text/plain")).await;
    assert_eq!(answer.refusal(), (415, "bad_request"));
    for (body, named) in [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "shape"),
        ("[\"x\",\"123456\",\"900000000101\"]", "list"),
        ("{\"name\":\"x\",\"account_number\":\"123456\"}", "bank_code"),
        ("{\"name\":5,\"account_number\":\"123456\",\"bank_code\":\"900000000101\"}", "name"),
        (
            "{\"name\":\"x\",\"account_number\":\"123456\",\"bank_code\":\"900000000101\",\"admin\":true}",
            "admin",
        ),
        ("\u{FEFF}{}", "not JSON"),
    ] {
        let answer = customer.send(&world, send(body.as_bytes().to_vec(), "application/json")).await;
        assert_eq!(answer.refusal(), (400, "bad_request"), "{body}");
        assert!(answer.body["detail"].as_str().unwrap().contains(named), "{body}: {}", answer.body["detail"]);
    }
    let deep = [vec![b'['; 30_000], vec![b']'; 30_000]].concat();
    assert_eq!(customer.send(&world, send(deep, "application/json")).await.refusal(), (400, "bad_request"));
}

#[tokio::test]
async fn every_change_carries_a_key() {
    let world = World::new();
    let mut customer = world.customer("陈思远").await;
    for bad in [None, Some("short"), Some("key with spaces in it is not good")] {
        let mut request = request(Method::POST, "/payees", Some(&elsewhere()));
        request.headers_mut().remove("idempotency-key");
        if let Some(bad) = bad {
            request.headers_mut().insert("idempotency-key", bad.parse().unwrap());
        }
        assert_eq!(customer.send(&world, request).await.refusal(), (400, "bad_request"), "{bad:?}");
    }
    // The key of one customer is nothing to another.
    let mut other = world.customer("林晓雯").await;
    let key = key();
    for customer in [&mut customer, &mut other] {
        let mut request = request(Method::POST, "/payees", Some(&elsewhere()));
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        customer.send(&world, request).await.ok();
    }
}

#[tokio::test]
async fn a_number_from_another_life_of_the_bank_holds_nothing_up() {
    let world = World::new();
    let mut customer = world.customer("陈思远").await;
    let cookie = format!("jinku_session={}", customer.cookies["jinku_session"]);
    let mut ask = request(Method::GET, "/movements", None);
    ask.headers_mut().insert("cookie", cookie.parse().unwrap());
    ask.headers_mut().insert("x-jinku-min-seq", "999999999".parse().unwrap());
    assert_eq!(world.send(ask).await.0.as_u16(), 200);
    // Another cookie before ours does not hide it; one that is no token is nobody.
    customer.cookies.insert("a".to_owned(), "b".to_owned());
    customer.get(&world, "/me").await.ok();
    customer.cookies.insert("jinku_session".to_owned(), "AAAA".to_owned());
    assert_eq!(customer.get(&world, "/me").await.refusal(), (401, "session_expired"));
}

#[tokio::test]
async fn strangers_are_slowed_down() {
    let rates =
        Rates { enrol_address: Rate::new(2, 60), sign_in_address: Rate::new(1, 60), ..Rates::default() };
    let world = World::with(|config| api::Config { rates, ..config });
    let mut codes = Vec::new();
    for _ in 0..3 {
        let mut stranger = Customer::stranger("x");
        let wish = stranger.wish();
        codes.push(stranger.post(&world, "/enrolments", &wish).await.status.as_u16());
    }
    assert_eq!(codes, [200, 200, 429]);
    let mut stranger = Customer::stranger("x");
    assert_eq!(stranger.call(&world, Method::POST, "/sessions/passkey").await.status, 200);
    let answer = stranger.call(&world, Method::POST, "/sessions/passkey").await;
    assert_eq!(answer.refusal(), (429, "rate_limited"));
    assert_eq!(answer.headers["retry-after"], "60");
}

#[tokio::test]
async fn addresses_that_are_not_there() {
    let world = World::new();
    let mut stranger = Customer::stranger("x");
    assert_eq!(stranger.get(&world, "/nothing").await.refusal(), (404, "not_found"));
    assert_eq!(stranger.call(&world, Method::PUT, "/nothing").await.refusal(), (404, "not_found"));
    assert_eq!(stranger.call(&world, Method::DELETE, "/health").await.refusal(), (405, "not_found"));
    assert_eq!(stranger.get(&world, "/me").await.refusal(), (401, "session_expired"));
    let health = stranger.get(&world, "/health").await;
    assert_eq!(health.headers["cache-control"], "no-store");
    assert_eq!(health.headers["x-content-type-options"], "nosniff");
    assert!(health.headers.contains_key("x-jinku-seq"));
    assert_eq!(health.ok()["status"], "ok");
    let bare = Request::builder().uri("/").body(Body::empty()).unwrap();
    assert_eq!(world.send(bare).await.0.as_u16(), 404, "without a built wallet there is no page");
}

#[tokio::test]
async fn the_wallet_is_served_under_its_policy() {
    let folder = std::env::temp_dir().join(format!("api-test-wallet-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    std::fs::write(folder.join("index.html"), "<!doctype html><title>Jinku</title>").unwrap();
    std::fs::write(folder.join("assets/main-abc123.js"), "export {}".repeat(500)).unwrap();
    let world =
        World::with(|config| api::Config { static_dir: Some(folder.clone()), secure: true, ..config });
    std::fs::remove_dir_all(&folder).unwrap();
    let get = |path: &str| Request::builder().uri(path).body(Body::empty()).unwrap();
    for path in ["/", "/payments/pay_01", "/index.html"] {
        let (status, headers, body) = world.send(get(path)).await;
        assert_eq!(status.as_u16(), 200, "{path}");
        let text = String::from_utf8_lossy(&body);
        assert!(text.starts_with("<!doctype html>"), "{path}: {headers:?} {text}");
        assert!(
            headers["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("require-trusted-types-for 'script'")
        );
        assert_eq!(headers["cache-control"], "no-cache");
        assert!(headers.contains_key("strict-transport-security"));
        assert!(headers["permissions-policy"].to_str().unwrap().contains("publickey-credentials-get=(self)"));
    }
    let mut zipped = get("/assets/main-abc123.js");
    zipped.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
    let (_, headers, _) = world.send(zipped).await;
    assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(
        (headers["content-encoding"].to_str().unwrap(), headers["content-type"].to_str().unwrap()),
        ("gzip", "text/javascript; charset=utf-8")
    );
    let mut again = get("/assets/main-abc123.js");
    again.headers_mut().insert("if-none-match", headers["etag"].clone());
    assert_eq!(world.send(again).await.0.as_u16(), 304);
    for missing in ["/assets/other.js", "/../bank.json", "/%2e%2e/bank.json", "/api", "/api/v2/me"] {
        assert_eq!(world.send(get(missing)).await.0.as_u16(), 404, "{missing}");
    }
}
