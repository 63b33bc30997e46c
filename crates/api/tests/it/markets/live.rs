//! A market over WebSocket, on a real connection: a snapshot, then deltas that make the depth.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{HeaderValue, Method};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::{limit, open_market, trader, with_market};
use crate::support::{Answer, Customer, ORIGIN, World};

/// Longest wait for a message; a failing test ends here.
const PATIENCE: Duration = Duration::from_secs(10);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The world's interface on a port of this machine.
async fn serve(world: &World) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(api::serve(listener, world.router.clone(), std::future::pending()));
    port
}

async fn connect(port: u16, path: &str, origin: &'static str) -> Result<Socket, Error> {
    let mut ask = format!("ws://127.0.0.1:{port}/api/v1{path}").into_client_request().unwrap();
    ask.headers_mut().insert("origin", HeaderValue::from_static(origin));
    tokio_tungstenite::connect_async(ask).await.map(|(socket, _)| socket)
}

async fn next(socket: &mut Socket) -> Value {
    loop {
        let message = tokio::time::timeout(PATIENCE, socket.next()).await.expect("a message in time");
        if let Message::Text(text) = message.unwrap().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

/// A book as a client keeps it, by price.
#[derive(Default)]
struct Kept {
    sequence: u64,
    sides: [BTreeMap<u64, (String, String, u64)>; 2],
}

impl Kept {
    /// Takes a message over, and checks that nothing was missed and the sums agree.
    fn take(&mut self, message: &Value) {
        match message["type"].as_str().unwrap() {
            "snapshot" => self.sides = Default::default(),
            _ => assert_eq!(message["previous"], self.sequence),
        }
        self.sequence = message["sequence"].as_u64().unwrap();
        for (side, name) in self.sides.iter_mut().zip(["bids", "asks"]) {
            for level in message[name].as_array().unwrap() {
                let [price, quantity] = [0, 1].map(|at| level[at].as_str().unwrap().to_owned());
                let key = price.parse::<u64>().unwrap();
                if quantity == "0" {
                    assert!(side.remove(&key).is_some(), "{price} was there");
                } else {
                    side.insert(key, (price, quantity, level[2].as_u64().unwrap()));
                }
            }
        }
        assert_eq!(message["checksum"], self.checksum());
    }

    fn levels(&self) -> [Vec<&(String, String, u64)>; 2] {
        [self.sides[0].values().rev().collect(), self.sides[1].values().collect()]
    }

    fn checksum(&self) -> u32 {
        let best = |side: &Vec<&(String, String, u64)>| -> String {
            side.iter().take(25).map(|(price, quantity, _)| format!("{price}:{quantity}|")).collect()
        };
        let text: String = self.levels().iter().map(best).collect();
        // CRC-32C bit by bit, apart from the library that the server uses.
        !text.bytes().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0x82F6_3B78 & (crc & 1).wrapping_neg()))
        })
    }

    /// Whether this is what the depth says.
    fn assert_is(&self, depth: &Value) {
        for (side, name) in self.levels().iter().zip(["bids", "asks"]) {
            let ours: Vec<Value> = side.iter().map(|(p, q, count)| json!([p, q, count])).collect();
            assert_eq!(depth[name], Value::Array(ours), "{name}");
        }
        assert_eq!(depth["checksum"], self.checksum());
    }

    /// Takes messages until the book is that of an entry.
    async fn until(&mut self, socket: &mut Socket, seq: u64) -> Vec<Value> {
        let mut taken = Vec::new();
        while self.sequence < seq {
            let message = next(socket).await;
            self.take(&message);
            taken.push(message);
        }
        taken
    }
}

/// The entry of an answer.
fn entry(answer: &Answer) -> u64 {
    answer.headers["x-jinku-seq"].to_str().unwrap().parse().unwrap()
}

async fn place(world: &World, customer: &mut Customer, order: &Value) -> (u64, Value) {
    let answer = customer.place(world, order).await;
    (entry(&answer), answer.ok())
}

#[tokio::test]
async fn a_snapshot_and_its_deltas_make_the_depth() {
    let world = with_market();
    let mut seller = trader(&world, "陈思远", "0", "0.10000000").await;
    let mut buyer = trader(&world, "林晓雯", "2000.00", "0").await;
    place(&world, &mut seller, &limit("sell", "68300", "0.002")).await;
    let port = serve(&world).await;
    let mut socket = connect(port, "/markets/1/stream", ORIGIN).await.unwrap();
    let mut kept = Kept::default();
    let first = next(&mut socket).await;
    assert_eq!((&first["type"], &first["phase"]), (&json!("snapshot"), &json!("open")));
    kept.take(&first);
    // More prices than the checksum covers, then trades, and an end.
    let mut last = (0, Value::Null);
    for step in 0..30_u64 {
        let price = (68_310 + step * 10).to_string();
        last = place(&world, &mut seller, &limit("sell", &price, "0.001")).await;
    }
    kept.until(&mut socket, last.0).await;
    kept.assert_is(&buyer.get(&world, "/markets/1/depth").await.ok());
    let (seq, bought) = place(&world, &mut buyer, &limit("buy", "68310", "0.004")).await;
    assert_eq!(bought["order"]["filled"], "0.003");
    let mut told = kept.until(&mut socket, seq).await;
    // Trades come with the read models, perhaps a message later.
    let trades = |told: &[Value]| -> usize {
        told.iter().map(|message| message["trades"].as_array().unwrap().len()).sum()
    };
    while trades(&told) < 2 {
        let message = next(&mut socket).await;
        kept.take(&message);
        told.push(message);
    }
    let candle = told.iter().rev().find_map(|message| message["candle"].as_object()).unwrap();
    assert_eq!((&candle["high"], &candle["volume_base"]), (&json!("68310"), &json!("0.003")));
    let path = format!("/markets/1/orders/{}", last.1["order"]["id"].as_str().unwrap());
    let answer = seller.call(&world, Method::DELETE, &path).await;
    kept.until(&mut socket, entry(&answer)).await;
    kept.assert_is(&buyer.get(&world, "/markets/1/depth").await.ok());
    // Who comes later begins with the same.
    let mut second = connect(port, "/markets/1/stream", ORIGIN).await.unwrap();
    let mut other = Kept::default();
    let whole = next(&mut second).await;
    assert_eq!(whole["trades"].as_array().unwrap().len(), 2);
    assert_eq!(whole["last"], "68310");
    other.take(&whole);
    assert_eq!(other.sides, kept.sides);
}

#[tokio::test]
async fn a_line_is_for_our_own_pages_and_its_own_market() {
    let world = with_market();
    open_market(&world, 200, 1_000);
    let port = serve(&world).await;
    let refused = |opened: Result<Socket, Error>| match opened {
        Err(Error::Http(response)) => Some(response.status().as_u16()),
        _ => None,
    };
    assert_eq!(refused(connect(port, "/markets/1/stream", "https://elsewhere.example").await), Some(403));
    assert_eq!(refused(connect(port, "/markets/9/stream", ORIGIN).await), Some(404));
    // What happens on one market is not told to those who listen to another.
    let mut buyer = trader(&world, "林晓雯", "2000.00", "0").await;
    let mut second = connect(port, "/markets/2/stream", ORIGIN).await.unwrap();
    let begun = next(&mut second).await["sequence"].clone();
    place(&world, &mut buyer, &limit("buy", "68000", "0.001")).await;
    let answer = buyer.post(&world, "/markets/2/orders", &limit("buy", "67990", "0.001")).await;
    let seq = entry(&answer);
    answer.ok();
    let delta = next(&mut second).await;
    assert_eq!(delta["previous"], begun);
    assert_eq!(delta["bids"], json!([["67990", "0.001", 1]]));
    assert!(delta["sequence"].as_u64().unwrap() >= seq);
}
