//! The demo desk: one page that signs a visitor in as a demo customer and sends money from another bank.
//!
//! Signing in runs the real ceremony against the bank with that customer's software authenticator, and hands the session's cookies to
//! the browser. The bank knows nothing of the desk: it is a client like any other.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;

use super::people::{PEOPLE, Person};
use super::{Running, seed, unknown};
use crate::client::Customer;
use crate::process::loopback;

struct Desk {
    base: String,
    origin: String,
    sandbox: String,
    config: crate::config::BankConfig,
    seed: [u8; 32],
}

/// Serves the desk until ctrl-c or SIGTERM.
pub(super) fn serve(running: &Running) -> anyhow::Result<()> {
    let desk = Arc::new(Desk {
        base: running.base(),
        origin: running.origin(),
        sandbox: format!("http://{}", loopback(running.ports.sandbox)),
        config: running.installation.config.clone(),
        seed: running.seed,
    });
    let app = axum::Router::new()
        .route("/", get(page))
        .route("/sign-in/{handle}", get(sign_in))
        .route("/send", post(send))
        .with_state(desk);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(loopback(running.ports.desk)).await?;
        axum::serve(listener, app).with_graceful_shutdown(crate::serve::asked_to_stop()).await
    })?;
    Ok(())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

async fn page(State(desk): State<Arc<Desk>>) -> Html<String> {
    let people: String = PEOPLE
        .iter()
        .map(|person| format!("<li><a href=\"/sign-in/{}\">{}</a></li>", person.handle, escape(person.name)))
        .collect();
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">
<title>Jinku demo desk</title>
<style>body{{font:16px/1.5 system-ui;max-width:34rem;margin:2rem auto;padding:0 1rem;color:#222;background:#f6f4f0}}
h1{{font-size:1.4rem}}h2{{font-size:1.1rem;margin-top:2rem}}label{{display:block;margin:.6rem 0}}
input{{font:inherit;width:100%;padding:.5rem;box-sizing:border-box}}button{{font:inherit;padding:.6rem 1.2rem}}</style>
<h1>Demo desk 演示台</h1>
<p>For the demo only. The bank knows nothing of this page. 仅供演示，银行不知道本页的存在。</p>
<h2>Sign in as a demo customer 以演示客户登录</h2><ul>{people}</ul>
<h2>Send money from another bank 从他行汇入</h2>
<form method=\"post\" action=\"/send\">
<label>Account number 账号 <input name=\"account\" required pattern=\"[0-9]{{6,34}}\"></label>
<label>Name 户名 <input name=\"name\" required></label>
<label>Amount 金额 (CNY) <input name=\"amount\" required inputmode=\"decimal\" value=\"1234.56\"></label>
<button>Send 汇出</button></form>
<p><a href=\"{}\">Wallet 钱包</a></p></html>",
        desk.origin
    ))
}

async fn sign_in(State(desk): State<Arc<Desk>>, Path(handle): Path<String>) -> Response {
    let Some(person) = PEOPLE.iter().find(|person| person.handle == handle) else {
        return (StatusCode::NOT_FOUND, unknown(&handle).to_string()).into_response();
    };
    let origin = desk.origin.clone();
    let signed_in = tokio::task::spawn_blocking(move || cookies_of(&desk, person)).await;
    match signed_in {
        Ok(Ok(cookies)) => {
            let mut headers = HeaderMap::new();
            for cookie in cookies {
                let text = format!("{cookie}; Path=/; HttpOnly; SameSite=Strict");
                if let Ok(value) = HeaderValue::from_str(&text) {
                    headers.append(header::SET_COOKIE, value);
                }
            }
            (headers, Redirect::to(&origin)).into_response()
        }
        Ok(Err(error)) => (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn cookies_of(desk: &Desk, person: &'static Person) -> anyhow::Result<Vec<String>> {
    let (authenticator, _) = seed::authenticator(person, &desk.seed, &desk.config)?;
    let mut customer = Customer::with_authenticator(&desk.base, &desk.origin, person.name, authenticator)?;
    customer.sign_in()?;
    Ok(customer.cookies())
}

#[derive(Deserialize)]
struct Order {
    account: String,
    name: String,
    amount: String,
}

async fn send(State(desk): State<Arc<Desk>>, Form(order): Form<Order>) -> Response {
    let sent = tokio::task::spawn_blocking(move || {
        let url = format!("{}/control/send-credit", desk.sandbox);
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let body = json!({ "to_account": order.account, "to_name": order.name, "amount": order.amount });
        let mut response = agent.post(&url).send_json(body)?;
        Ok::<_, ureq::Error>((response.status().as_u16(), response.body_mut().read_to_string()?))
    })
    .await;
    match sent {
        Ok(Ok((200, _))) => Redirect::to("/").into_response(),
        Ok(Ok((_, words))) => (StatusCode::BAD_REQUEST, words).into_response(),
        Ok(Err(error)) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
