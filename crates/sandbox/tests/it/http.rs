//! The process over HTTP: a bank of a few lines on loopback, deliveries, control, a stop and a start.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use cnaps::*;
use jiff::Timestamp;
use sandbox::{Handle, ServeConfig, WorldConfig};
use serde_json::Value;

use crate::bench::*;

/// Longest any single thing may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn centre_key() -> [u8; 32] {
    sandbox::World::new(WorldConfig::default()).unwrap().centre_public_key()
}

/// Reads one HTTP request and gives its body.
fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some(end) = text.find("\r\n\r\n") {
            let length = text.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            let start = end + 4;
            if bytes.len() >= start + length? {
                return Some(bytes[start..].to_vec());
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend(&buffer[..n]),
        }
    }
}

/// A bank that acknowledges everything and tells what it got; one connection after the other.
fn bank() -> (SocketAddr, Receiver<Message>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let mut sequence = 500_000;
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let Some(body) = read_request(&mut stream) else { continue };
            let (header, _, message) = read(&body, &centre_key());
            sequence += 1;
            let id = MessageId::new(bank_number(), jiff::civil::date(2026, 1, 1), sequence).unwrap();
            let reply = bank_reply(&header, id, None, Timestamp::now());
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", reply.len());
            let _client_gone = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&reply));
            if tell.send(message).is_err() {
                return;
            }
        }
    });
    (address, told)
}

struct Client {
    agent: ureq::Agent,
    base: String,
}

impl Client {
    fn new(address: SocketAddr) -> Self {
        let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false);
        Self { agent: config.build().into(), base: format!("http://{address}") }
    }

    fn post(&self, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut response = self.agent.post(format!("{}{path}", self.base)).send(body).unwrap();
        (response.status().as_u16(), response.body_mut().read_to_vec().unwrap())
    }

    fn get(&self, path: &str) -> Value {
        let mut response = self.agent.get(format!("{}{path}", self.base)).call().unwrap();
        serde_json::from_slice(&response.body_mut().read_to_vec().unwrap()).unwrap()
    }

    fn delete(&self, path: &str) -> u16 {
        self.agent.delete(format!("{}{path}", self.base)).call().unwrap().status().as_u16()
    }
}

fn await_message(told: &Receiver<Message>, wanted: impl Fn(&Message) -> bool) -> Message {
    let until = Instant::now() + PATIENCE;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let message = told.recv_timeout(left).expect("the message comes");
        if wanted(&message) {
            return message;
        }
    }
}

fn start(runtime: &tokio::runtime::Runtime, bank: SocketAddr, data: &std::path::Path) -> Handle {
    let config = ServeConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        bank_url: format!("http://{bank}/"),
        data: data.to_owned(),
        world: WorldConfig { round_ms: 50, ..WorldConfig::default() }.always_open(),
    };
    runtime.block_on(sandbox::start(config)).unwrap()
}

fn stop(runtime: &tokio::runtime::Runtime, handle: Handle) {
    handle.stop();
    runtime.block_on(handle.wait()).unwrap();
}

fn payment(sequence: u32) -> Vec<u8> {
    let now = Timestamp::now();
    let date = jiff::tz::offset(8).to_datetime(now).date();
    let credit = Message::Credit(Credit {
        message_id: MessageId::new(bank_number(), date, sequence).unwrap(),
        created_at: now,
        end_to_end_id: "E".to_owned(),
        amount: Money::cny(100),
        settlement_date: date,
        debtor_name: "王芳".to_owned(),
        debtor_account: "6230000000000001".to_owned(),
        debtor_bank: bank_number(),
        creditor_bank: BankNumber::parse(CHEN.0).unwrap(),
        creditor_name: CHEN.2.to_owned(),
        creditor_account: CHEN.1.to_owned(),
        remittance: None,
    });
    bank_frame(MessageType::Ibps101, &credit, now).encode().unwrap()
}

#[test]
fn frames_go_both_ways_and_survive_a_restart() {
    let data = std::env::temp_dir().join(format!("sandbox-http-{}", std::process::id()));
    let _gone = std::fs::remove_dir_all(&data);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (bank, told) = bank();
    let handle = start(&runtime, bank, &data);
    let client = Client::new(handle.address());
    assert_eq!(client.get("/health")["centre_public_key"], hex::encode(centre_key()));
    await_message(&told, |m| matches!(m, Message::CentreStatus(_)));

    // In: sent on request, within a moment.
    let body = r#"{"to_account":"6230000000000001","to_name":"王芳","amount":"1234.56"}"#;
    let (status, answer) = client.post("/control/send-credit", body.as_bytes());
    assert_eq!(status, 200);
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let credit = await_message(&told, |m| matches!(m, Message::Credit(_)));
    assert_eq!(credit.message_id().to_string(), answer["message_id"].as_str().unwrap());

    // Out: acknowledged, answered, netted, settled.
    let (status, reply) = client.post(FRAMES_PATH, &payment(1));
    assert_eq!(status, 200);
    assert!(matches!(read(&reply, &centre_key()).2, Message::TransportAck(_)));
    let confirmed = await_message(&told, |m| matches!(m, Message::Answer(_)));
    assert!(matches!(confirmed, Message::Answer(a) if a.status == Status::Confirmed));
    await_message(&told, |m| matches!(m, Message::NettingNotice(_)));
    await_message(&told, |m| matches!(m, Message::SettlementNotice(_)));

    // What makes no sense is told.
    assert_eq!(client.post(FRAMES_PATH, b"hello").0, 400);
    assert_eq!(client.post("/control/send-credit", b"{}").0, 400);
    assert_eq!(client.post("/control/fault", br#"{"kind":"flood"}"#).0, 400);
    assert_eq!(client.post("/control/fault", br#"{"kind":"lost_ack","cuont":1}"#).0, 400);
    assert_eq!(client.post("/control/return", br#"{"message_id":"1"}"#).0, 400);
    assert_eq!(client.post("/control/fault", br#"{"kind":"lost_ack"}"#).0, 200);
    assert_eq!(client.post(FRAMES_PATH, &payment(2)).0, 503);
    assert_eq!(client.post("/control/fault", br#"{"kind":"centre_down"}"#).0, 200);
    assert_eq!(client.post(FRAMES_PATH, &payment(3)).0, 503);
    assert_eq!(client.post("/control/end-of-day", b"").0, 409);
    assert_eq!(client.delete("/control/faults"), 200);
    assert_eq!(client.get("/control/customers")["banks"].as_array().unwrap().len(), 2);
    await_message(&told, |m| matches!(m, Message::SettlementNotice(_)));

    // Stopped and started, it is the same world.
    stop(&runtime, handle);
    let handle = start(&runtime, bank, &data);
    let client = Client::new(handle.address());
    let state = client.get("/control/state");
    assert_eq!(state["counts"]["instant out settled"], 2, "{state}");
    assert_eq!(state["defects"].as_array().unwrap().len(), 0);
    let (_, reply) = client.post(FRAMES_PATH, &payment(3));
    assert!(matches!(read(&reply, &centre_key()).2, Message::TransportAck(a) if !a.duplicate));
    stop(&runtime, handle);
    let _gone = std::fs::remove_dir_all(&data);
}
