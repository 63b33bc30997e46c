//! Live events: told as they happen, resumed where they stopped, ended with the session.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::Method;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::{Customer, World, request};

/// Longest wait for an event; a failing test ends here.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Default, Clone)]
struct Told {
    id: Option<u64>,
    event: String,
    data: Value,
}

/// An open line.
struct Line {
    body: BodyDataStream,
    rest: String,
}

async fn open(world: &World, customer: &Customer, last: Option<u64>) -> Line {
    let mut ask = request(Method::GET, "/events", None);
    let cookie = format!("jinku_session={}", customer.cookies["jinku_session"]);
    ask.headers_mut().insert("cookie", cookie.parse().unwrap());
    if let Some(last) = last {
        ask.headers_mut().insert("last-event-id", last.into());
    }
    let response = world.router.clone().oneshot(ask).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    Line { body: Body::new(response.into_body()).into_data_stream(), rest: String::new() }
}

impl Line {
    /// The next event; none when the line has ended.
    async fn next(&mut self) -> Option<Told> {
        loop {
            while let Some((block, rest)) = self.rest.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.rest = rest;
                let mut told = Told::default();
                for line in block.lines() {
                    match line.split_once(": ") {
                        Some(("id", id)) => told.id = Some(id.parse().unwrap()),
                        Some(("event", event)) => told.event = event.to_owned(),
                        Some(("data", data)) => told.data = serde_json::from_str(data).unwrap(),
                        _ => {}
                    }
                }
                if !told.event.is_empty() {
                    return Some(told);
                }
            }
            let piece = tokio::time::timeout(PATIENCE, self.body.next()).await.expect("an event in time")?;
            self.rest.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
        }
    }

    /// Events up to and including the first with a number.
    async fn entry(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        loop {
            told.push(self.next().await.expect("the line is open"));
            if told.last().is_some_and(|last| last.id.is_some()) {
                return told;
            }
        }
    }
}

fn names(told: &[Told]) -> Vec<&str> {
    told.iter().map(|told| told.event.as_str()).collect()
}

#[tokio::test]
async fn changes_are_told_and_a_line_resumes() {
    let world = World::new();
    let mut customer = world.customer("陈思远").await;
    customer.get(&world, "/movements").await.ok();
    let mut line = open(&world, &customer, None).await;
    world.credit(&customer.account().clone(), "陈思远", "100.00");
    let first = line.entry().await;
    assert_eq!(names(&first), ["payment", "movement", "accounts"]);
    let page = customer.get(&world, "/movements").await.ok();
    assert_eq!(first[1].data, page["items"][0], "the same shape as when asked");
    assert_eq!(first[2].data["items"][0]["available"]["value"], "100.00");
    let seq = first[2].id.unwrap();
    drop(line);
    world.credit(&customer.account().clone(), "陈思远", "1.00");
    world.credit(&customer.account().clone(), "陈思远", "2.00");
    let mut line = open(&world, &customer, Some(seq)).await;
    let amounts: Vec<Value> = [line.entry().await, line.entry().await]
        .iter()
        .map(|told| told[1].data["amount"]["value"].clone())
        .collect();
    assert_eq!(amounts, [json!("1.00"), json!("2.00")]);
    customer.call(&world, Method::POST, "/totp").await.ok();
    let told = line.entry().await;
    assert_eq!((names(&told), &told[0].data), (vec!["security"], &json!({ "kind": "changed" })));
}

#[tokio::test]
async fn a_line_ends_with_its_session() {
    let world = World::new();
    let mut customer = world.customer("陈思远").await;
    let mut line = open(&world, &customer, None).await;
    assert_eq!(customer.call(&world, Method::POST, "/lock").await.status, 204);
    while line.next().await.is_some() {}
    let (status, ..) = world.send(request(Method::GET, "/events", None)).await;
    assert_eq!(status.as_u16(), 401);
}

#[tokio::test]
async fn nobody_hears_of_others() {
    let world = World::new();
    let (one, mut other) = (world.customer("陈思远").await, world.customer("林晓雯").await);
    other.get(&world, "/movements").await.ok();
    let mut line = open(&world, &other, None).await;
    world.credit(&one.account().clone(), "陈思远", "100.00");
    world.credit(&other.account().clone(), "林晓雯", "7.00");
    let told = line.entry().await;
    assert_eq!(told[1].data["amount"]["value"], "7.00");
    // Somebody unknown to the books pays into suspense; no customer hears of it.
    world.credit(&one.account().clone(), "Somebody else", "100.00");
    world.credit(&other.account().clone(), "林晓雯", "8.00");
    assert_eq!(line.entry().await[1].data["amount"]["value"], "8.00");
}
