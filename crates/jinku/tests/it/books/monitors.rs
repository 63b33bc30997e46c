//! What monitors say reaches whoever asked, signed, at least once, also where the first tries fail.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jinku::config::TenantConfig;
use jinku::notices::{KEY_HEADER, Message, SIGNATURE_HEADER};
use jinku::serve;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// What a receiver was posted: key, signature, body.
struct Posted {
    key: String,
    signature: String,
    body: Vec<u8>,
}

/// A receiver that answers the first `failing` posts with an error.
fn receiver(failing: usize) -> (String, Receiver<Posted>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/notices", listener.local_addr().unwrap());
    let (sender, posts) = channel();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut posted = Posted { key: String::new(), signature: String::new(), body: Vec::new() };
            let mut length = 0;
            for line in reader.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()) {
                let Some((name, value)) = line.split_once(": ") else { continue };
                match name.to_ascii_lowercase().as_str() {
                    KEY_HEADER => posted.key = value.to_owned(),
                    SIGNATURE_HEADER => posted.signature = value.to_owned(),
                    "content-length" => length = value.parse().unwrap(),
                    _ => {}
                }
            }
            posted.body = vec![0; length];
            reader.read_exact(&mut posted.body).unwrap();
            let status = if number < failing { "503 Service Unavailable" } else { "204 No Content" };
            write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            if sender.send(posted).is_err() {
                return;
            }
        }
    });
    (url, posts)
}

fn watch(bank: &Served, tenant: u32, id: u128, account: u128, field: &str) {
    let body = format!(r#"{{"monitor":"{}","account":"{}","asset":"CNY",{field}}}"#, mon(id), acc(account));
    let said = bank.post(tenant, &format!("/monitors?id={}", cmd(1_000 + id)), &body);
    assert_eq!(said.status, 200, "{}", said.text);
}

fn waiting(bank: &Served) -> usize {
    bank.get(0, "/notices").json()["notices"].as_array().unwrap().len()
}

#[test]
fn a_notice_is_posted_until_it_is_taken_and_its_signature_holds() {
    let (url, posts) = receiver(2);
    let mut config = BankConfig::local(7460);
    config.tenants.insert(7, TenantConfig { notices_url: Some(url) });
    let mut bank = Served::configured("books-notices", config);
    bank.furnish();
    watch(&bank, 7, 1, 1, r#""below":"50.00""#);
    // Nobody is named to take the notices of tenant 8: they stay listed.
    watch(&bank, 8, 2, 3, r#""at_least":"10.00""#);
    bank.take(7, 100, &[pay(100, 1, 2, "60.00")]);
    let tries: Vec<Posted> = (0..3).map(|_| posts.recv_timeout(PATIENCE).unwrap()).collect();
    let message: Message = serde_json::from_slice(&tries[0].body).unwrap();
    assert_eq!(
        (message.tenant, message.below.as_deref(), message.available.as_str()),
        (7, Some("50.00"), "40.00")
    );
    assert_eq!((message.monitor, message.account), (mon(1), acc(1)));
    let key = serve::log_signer(&bank.installation).unwrap();
    for posted in &tries {
        assert_eq!(posted.body, tries[0].body);
        assert_eq!(posted.key, key.verifier().to_string());
        assert!(key.verifier().is_of(&posted.body, &STANDARD.decode(&posted.signature).unwrap()));
    }
    let begun = Instant::now();
    while waiting(&bank) > 1 {
        assert!(begun.elapsed() < PATIENCE, "the delivery is not recorded");
    }
    assert_eq!(bank.get(8, "/notices").json()["notices"][0]["at_least"], "10.00");
    // What was delivered is delivered also for a bank that starts anew; what comes next has the next number.
    bank.stop();
    bank.start();
    bank.take(7, 101, &[pay(101, 2, 1, "60.00"), pay(102, 1, 2, "70.00")]);
    let next: Message = serde_json::from_slice(&posts.recv_timeout(PATIENCE).unwrap().body).unwrap();
    assert!(next.notice > message.notice);
    assert_eq!(next.available, "30.00");

    // `jinku verify` says the same of a file and a signature.
    let file = bank.scratch.path().join("notice.json");
    let verify = |body: &[u8]| {
        std::fs::write(&file, body).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_jinku"))
            .arg("verify")
            .arg(&file)
            .args(["--key", &tries[0].key, "--signature", &tries[0].signature])
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (fine, words) = verify(&tries[0].body);
    assert!(fine && words.contains("40.00"), "{words}");
    let mut other = tries[0].body.clone();
    other[20] ^= 1;
    let (fine, words) = verify(&other);
    assert!(!fine && words.contains("FAILED"), "{words}");
}

#[test]
fn an_address_that_cannot_be_used_is_refused_at_the_start() {
    let scratch = Scratch::new(None, "books-address").unwrap();
    let config =
        BankConfig { notices_url: Some("https://example.org".to_owned()), ..BankConfig::local(7460) };
    let installation = Installation::create(&scratch.path().join("bank"), config).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_jinku"))
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--rails-listen",
            "127.0.0.1:0",
            "--operator-listen",
            "127.0.0.1:0",
        ])
        .arg("--data")
        .arg(&installation.folder)
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("http://"));
}
