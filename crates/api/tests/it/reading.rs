//! What customers read: movements, statements, receipts, charts, payees, limits, codes.

use axum::http::Method;
use receipts::{Receipt, VerifierKey, verify_receipt};
use serde_json::{Value, json};

use crate::support::{Customer, OTHERS, OURS, World, elsewhere, request};

async fn with_history(world: &World) -> Customer {
    let mut customer = world.customer("陈思远").await;
    for day in 0..5_u32 {
        world.credit(&customer.account().clone(), "陈思远", &format!("{}.00", 100 + day));
        world.pass(24 * 3600);
    }
    customer.sign_in(world).await.ok();
    customer
}

#[tokio::test]
async fn movements_come_in_pages_and_are_searched() {
    let world = World::new();
    let mut customer = with_history(&world).await;
    let mut amounts = Vec::new();
    let mut path = "/movements?limit=2".to_owned();
    loop {
        let page = customer.get(&world, &path).await.ok();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        amounts.extend(items.iter().map(|item| item["amount"]["value"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/movements?limit=2&cursor={cursor}");
    }
    assert_eq!(amounts, ["104.00", "103.00", "102.00", "101.00", "100.00"]);
    let count = async |customer: &mut Customer, query: &str| {
        customer.get(&world, &format!("/movements?{query}")).await.ok()["items"].as_array().unwrap().len()
    };
    assert_eq!(count(&mut customer, "q=103").await, 1);
    assert_eq!(count(&mut customer, "q=%25").await, 0);
    assert_eq!(count(&mut customer, "direction=out").await, 0);
    assert_eq!(count(&mut customer, "from=2026-11-25&to=2026-11-26").await, 2);
    assert_eq!(count(&mut customer, "from=2026-11-25T02:00:00.000Z&to=2026-11-25T02:00:00.000Z").await, 1);
    let account = customer.account_id().to_owned();
    assert_eq!(count(&mut customer, &format!("account={account}")).await, 5);
    for (query, expect) in [
        ("limit=0", (400, "bad_request")),
        ("limit=x", (400, "bad_request")),
        ("direction=up", (400, "bad_request")),
        ("cursor=z9", (400, "bad_request")),
        ("from=yesterday", (400, "bad_request")),
        ("colour=red", (400, "bad_request")),
        ("account=acc_00000000000000000000000001", (404, "account_unknown")),
    ] {
        assert_eq!(customer.get(&world, &format!("/movements?{query}")).await.refusal(), expect, "{query}");
    }
    let one = customer.get(&world, "/movements?limit=1").await.ok();
    let path = format!("/movements/{}", one["items"][0]["id"].as_str().unwrap());
    assert_eq!(customer.get(&world, &path).await.ok(), one["items"][0]);
    let mut other = world.customer("林晓雯").await;
    assert_eq!(other.get(&world, &path).await.refusal(), (404, "movement_unknown"));
    assert_eq!(other.get(&world, "/movements/x").await.refusal(), (404, "movement_unknown"));
}

#[tokio::test]
async fn a_client_reads_its_own_write() {
    let world = World::new();
    let (mut customer, friend) = (with_history(&world).await, world.customer("林晓雯").await);
    for turn in 1..=5 {
        customer.pay(&world, &friend.as_payee(), "1.00").await.ok();
        // Without saying what it has seen.
        let mut ask = request(Method::GET, "/movements?direction=out", None);
        let cookie = format!("jinku_session={}", customer.cookies["jinku_session"]);
        ask.headers_mut().insert("cookie", cookie.parse().unwrap());
        let (_, _, body) = world.send(ask).await;
        let page: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(page["items"].as_array().unwrap().len(), turn);
    }
}

#[tokio::test]
async fn a_statement_opens_in_a_spreadsheet_and_runs_nothing() {
    let world = World::new();
    let mut customer = with_history(&world).await;
    let mut evil = elsewhere();
    evil["name"] = json!("=HYPERLINK(\"http://x\",1)");
    let payment = customer.pay(&world, &evil, "10.00").await.ok();
    let id = payment["id"].as_str().unwrap().parse().unwrap();
    let message = world.handle.read(|bank| match &bank.payments().payment(id).unwrap().state {
        payments::PaymentState::Sending { message, .. } => Some(message.clone()),
        _ => None,
    });
    let settlement = payments::Settlement::Netted { date: "2026-11-29".parse().unwrap(), round: 1 };
    let answer = payments::Answer::Confirmed(settlement);
    let notice = payments::RailNotice::Answer { original: message.unwrap().unwrap(), answer };
    world.notice(payments::Rail::Instant, notice);
    let cookie = format!("jinku_session={}", customer.cookies["jinku_session"]);
    let mut ask = request(Method::GET, "/statements.csv", None);
    ask.headers_mut().insert("cookie", cookie.parse().unwrap());
    let (status, headers, body) = world.send(ask).await;
    assert_eq!(
        (status.as_u16(), headers["content-type"].to_str().unwrap()),
        (200, "text/csv; charset=utf-8")
    );
    let text = String::from_utf8(body).unwrap();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert!(text.starts_with("\u{FEFF}记账时间,起息日,"), "{text}");
    assert_eq!(lines.len(), 7, "{text}");
    assert!(lines[1].contains("支出,10.00,0.00,CNY,500.00,\"'=HYPERLINK("), "{}", lines[1]);
    assert!(
        lines[2].starts_with("2026-11-28 18:00:00,2026-11-28,") || lines[2].contains("104.00"),
        "{}",
        lines[2]
    );
}

#[tokio::test]
async fn a_receipt_proves_itself() {
    let world = World::new();
    let mut customer = with_history(&world).await;
    let page = customer.get(&world, "/movements").await.ok();
    let key = customer.get(&world, "/log/key").await.ok();
    let key = VerifierKey::parse(key["vkey"].as_str().unwrap()).unwrap();
    for item in page["items"].as_array().unwrap() {
        let file = customer.get(&world, &format!("/receipts/{}", item["id"].as_str().unwrap())).await.ok();
        let receipt = Receipt::parse(file.to_string().as_bytes()).unwrap();
        assert_eq!(receipt.entry.amount, item["amount"]["value"].as_str().unwrap());
        assert_eq!(verify_receipt(&receipt, &key).unwrap().len(), 4);
    }
    let mut stranger = Customer::stranger("x");
    let (_, headers, note) = world.send(request(Method::GET, "/log/checkpoint", None)).await;
    assert!(headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert!(String::from_utf8(note).unwrap().starts_with("jinku.example/log\n5\n"));
    assert_eq!(stranger.get(&world, "/receipts/x").await.refusal(), (401, "session_expired"));
}

#[tokio::test]
async fn charts_are_exact() {
    let world = World::new();
    let mut customer = world.customer("陈思远").await;
    let id = customer.account_id().to_owned();
    assert_eq!(customer.get(&world, &format!("/accounts/{id}/history")).await.ok()["points"], json!([]));
    assert_eq!(customer.get(&world, &format!("/accounts/{id}/spending")).await.ok()["weeks"], json!([]));
    let mut customer = with_history(&world).await;
    let id = customer.account_id().to_owned();
    let points = customer.get(&world, &format!("/accounts/{id}/history?days=7")).await.ok();
    let posted: Vec<&str> =
        points["points"].as_array().unwrap().iter().map(|p| p["posted"]["value"].as_str().unwrap()).collect();
    assert_eq!(posted, ["0.00", "100.00", "201.00", "303.00", "406.00", "510.00", "510.00"]);
    let late = customer.get(&world, &format!("/accounts/{id}/history?days=2")).await.ok();
    assert_eq!(late["points"][0]["posted"]["value"], "510.00");
    let weeks = customer.get(&world, &format!("/accounts/{id}/spending?weeks=2")).await.ok();
    let expect = json!([
        { "from": "2026-11-16", "to": "2026-11-22", "in": { "asset": "CNY", "value": "0.00" }, "out": { "asset": "CNY", "value": "0.00" } },
        { "from": "2026-11-23", "to": "2026-11-29", "in": { "asset": "CNY", "value": "510.00" }, "out": { "asset": "CNY", "value": "0.00" } },
    ]);
    assert_eq!(weeks["weeks"], expect);
    for query in ["history?days=0", "history?days=400", "spending?weeks=-1"] {
        assert_eq!(
            customer.get(&world, &format!("/accounts/{id}/{query}")).await.refusal(),
            (400, "bad_request"),
            "{query}"
        );
    }
}

#[tokio::test]
async fn payees_are_kept_known_and_forgotten() {
    let world = World::new();
    let (mut customer, friend) = (with_history(&world).await, world.customer("林晓雯").await);
    let saved = customer.post(&world, "/payees", &friend.as_payee()).await.ok();
    assert_eq!(
        (&saved["verified"], &saved["own_bank"], &saved["bank_name_en"]),
        (&json!(true), &json!(true), &json!("Jinku Bank"))
    );
    let other = customer.post(&world, "/payees", &elsewhere()).await.ok();
    assert_eq!((&other["verified"], &other["bank_name_zh"]), (&json!(false), &json!("东江银行")));
    assert_eq!(customer.post(&world, "/payees", &elsewhere()).await.refusal(), (409, "payee_exists"));
    let nobody = json!({ "name": "x", "account_number": "6217889999999999", "bank_code": OURS });
    assert_eq!(customer.post(&world, "/payees", &nobody).await.refusal(), (422, "payee_unknown"));
    customer.pay(&world, &friend.as_payee(), "1.00").await.ok();
    let list = customer.get(&world, "/payees").await.ok();
    assert_eq!(list["items"][0]["id"], saved["id"], "last paid first");
    assert!(list["items"][0]["last_paid_at"].is_string());
    let found = customer.get(&world, "/payees?q=%E5%91%A8").await.ok();
    assert_eq!((found["items"].as_array().unwrap().len(), &found["items"][0]["id"]), (1, &other["id"]));
    let path = format!("/payees/{}", other["id"].as_str().unwrap());
    assert_eq!(customer.call(&world, Method::DELETE, &path).await.status, 204);
    assert_eq!(customer.call(&world, Method::DELETE, &path).await.refusal(), (404, "payee_unknown"));
}

#[tokio::test]
async fn limits_banks_and_codes() {
    let world = World::new();
    let mut customer = with_history(&world).await;
    customer.pay(&world, &elsewhere(), "150.00").await.ok();
    let limits = customer.get(&world, "/limits").await.ok();
    assert_eq!(limits["small_amount"]["value"], "200.00");
    let rows = limits["rows"].as_array().unwrap();
    let row = |at: usize| {
        (
            &rows[at]["period"],
            &rows[at]["cap"]["value"],
            &rows[at]["used"]["value"],
            &rows[at]["remaining"]["value"],
        )
    };
    assert_eq!(row(1), (&json!("day"), &json!("5000.00"), &json!("150.00"), &json!("4850.00")));
    assert_eq!(rows[2]["cap"], Value::Null);
    let banks = customer.get(&world, "/banks").await.ok();
    let codes: Vec<(&Value, &Value)> =
        banks["items"].as_array().unwrap().iter().map(|b| (&b["code"], &b["ours"])).collect();
    assert_eq!(codes, [(&json!(OURS), &json!(true)), (&json!(OTHERS), &json!(false))]);
    let details = customer.get(&world, &format!("/accounts/{}/receive", customer.account_id())).await.ok();
    let parsed = customer.post(&world, "/qr/parse", &json!({ "payload": details["qr_payload"] })).await.ok();
    assert_eq!(
        (&parsed["payee"]["name"], &parsed["payee"]["account_number"]),
        (&json!("陈思远"), &details["account_number"])
    );
    assert_eq!((&parsed["amount"], &parsed["payee"]["own_bank"]), (&Value::Null, &json!(true)));
    let asked = format!("{}|12.5", details["qr_payload"].as_str().unwrap());
    let parsed = customer.post(&world, "/qr/parse", &json!({ "payload": asked })).await.ok();
    assert_eq!(parsed["amount"], json!({ "asset": "CNY", "value": "12.50" }));
    let bad = json!({ "payload": "https://example.org" });
    assert_eq!(customer.post(&world, "/qr/parse", &bad).await.refusal(), (422, "qr_invalid"));
}
